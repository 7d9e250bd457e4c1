"""What holds of every family from physics, engineering and statistics, whatever it describes."""

import dataclasses
import pickle
import subprocess
import sys

import numpy as np
import pytest

import neumatc.gallery.real as real

FAMILIES = [
    real.AdvectionDiffusionReaction(points=5),
    real.CDLChannel(receive=(2, 2), transmit=(2, 3)),
    real.CDLChannel(receive=(2, 2), transmit=(2, 3), parameters=3),
    real.CampbellMatrix(),
    real.CodonRates(),
    real.DipoleArray(shape=(3, 3)),
    real.Haldane(),
    real.Helmholtz(intervals=5),
    real.KaneMele(),
    real.MaternCovariance(size=12),
    real.PhotonicCrystal(waves=3),
    real.PhotonicCrystal(radius=None, waves=3),
    real.RotorStiffness(),
    real.RotorStiffness(seals=True),
    real.ThermalBlock(blocks=(3, 3), squares=4),
    real.TwistedBilayer(shells=1),
    real.TwistedBilayer(angle=1.05, shells=1),
    real.Zincblende(),
    real.Zincblende("GaAs", "Γ-X"),
]


@pytest.fixture(params=FAMILIES, ids=lambda family: family.name)
def family(request):
    return request.param


def somewhere(family, share):
    box = np.asarray(family.box, dtype=float).reshape(-1, 2)
    p = box[:, 0] + share * (box[:, 1] - box[:, 0])
    return float(p[0]) if isinstance(family.box, tuple) else p


def full(A):
    return A if isinstance(A, np.ndarray) else A.toarray()


def test_families_named_here_are_all_there_are():
    assert {type(family).__name__ for family in FAMILIES} == set(real.__all__)


def test_names_are_distinct():
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)


@pytest.mark.parametrize("share", [0.0, 0.37, 1.0])
def test_values_are_finite_matrices_in_double_precision(family, share):
    A = full(family(somewhere(family, share)))
    assert A.ndim == 2
    assert A.dtype in (np.float64, np.complex128)
    assert np.isfinite(A).all()
    if not isinstance(family, real.CDLChannel):
        assert A.shape[0] == A.shape[1]


def test_values_are_fresh(family):
    p = somewhere(family, 0.37)
    A = family(p)
    before = full(A).copy()
    memory = A if isinstance(A, np.ndarray) else A.data
    memory[...] = 7.0
    assert np.array_equal(full(family(p)), before)


def test_equal_constructors_give_equal_bits_and_travel_by_pickle(family):
    p = somewhere(family, 0.37)
    twin = dataclasses.replace(family)
    assert twin == family
    assert np.array_equal(full(twin(p)), full(family(p)))
    assert np.array_equal(full(pickle.loads(pickle.dumps(family))(p)), full(family(p)))


def test_families_cannot_be_changed(family):
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(family, dataclasses.fields(family)[0].name, None)


def test_box_has_positive_sides(family):
    box = np.asarray(family.box, dtype=float).reshape(-1, 2)
    assert np.all(box[:, 0] < box[:, 1])
    assert isinstance(family.box, tuple) == (len(box) == 1)


def test_smooth_families_have_no_corner(family):
    # Second differences of a smooth curve fall with the square of the step, those across a corner with the step.
    box = np.asarray(family.box, dtype=float).reshape(-1, 2)
    middle, side = box.mean(axis=1), box[:, 1] - box[:, 0]

    def bend(step):
        points = [middle + turn * step * side for turn in (-1, 0, 1)]
        low, here, high = (full(family(float(p[0]) if len(p) == 1 else p)) for p in points)
        return np.linalg.norm(low - 2 * here + high) / np.linalg.norm(here)

    coarse, fine = bend(4e-3), bend(2e-3)
    if coarse > 1e-12:  # matrices that are linear in p have none
        assert (fine < 0.35 * coarse) == family.smooth


def test_one_point_at_a_time(family):
    with pytest.raises(ValueError, match="answers for one point at a time"):
        family(np.zeros(7))


def test_import_needs_numpy_alone():
    code = "import sys, neumatc.gallery.real; print(sorted({'scipy', 'torch'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
