"""The compressor: published numbers, free motions of its shaft, and its two forms against each other."""

import hashlib
from importlib import resources

import numpy as np
import pytest
from scipy.interpolate import InterpolatedUnivariateSpline

from neumatc.errors import InputError
from neumatc.gallery.real import CampbellMatrix, RotorStiffness
from neumatc.gallery.real.rotor_table import FILE, load

ROOT = resources.files("neumatc.gallery").joinpath("data")


def slow_parts(speed, scale=1.0):
    """K(ω) and C(ω) from the tables, entry by entry."""
    rotor = load()
    K, C = rotor.K.copy(), rotor.C.copy()
    for support, (node, table) in enumerate(zip(rotor.nodes, rotor.tables, strict=True)):
        factor = 1.0 if support in (0, 13) else scale
        for column in range(8):
            row, col = 4 * node + column % 4 // 2, 4 * node + column % 2
            value = InterpolatedUnivariateSpline(table[:, 0], table[:, column + 1], k=3)(speed)
            (K if column < 4 else C)[row, col] += factor * value
    return K, C


def test_stiffness_is_its_formula():
    rotor = load()
    family = RotorStiffness(seals=True)
    for speed, scale in ((420.0, 1.0), (777.0, 0.5), (1150.0, 2.0)):
        K, C = slow_parts(speed, scale)
        D = K - speed**2 * rotor.M + 1j * speed * (C + speed * rotor.G)
        root = np.diag(rotor.M.diagonal() ** -0.5)
        slow = root @ D @ root
        fast = family(np.array([speed, scale]))
        assert np.linalg.norm(fast - slow) < 1e-12 * np.linalg.norm(slow)


def test_published_condition_number_is_that_of_the_unscaled_matrix():
    rotor, family = load(), RotorStiffness()
    root = np.sqrt(rotor.M.diagonal())
    speeds = np.linspace(1000, 1150, 31)
    scaled = [family(w) for w in speeds]
    assert max(np.linalg.cond(root[:, None] * D * root) for D in scaled) == pytest.approx(4e6, rel=0.25)
    assert max(np.linalg.cond(D) for D in scaled) < 2e6


def test_modes_of_the_inverse_are_the_published_ones():
    family = RotorStiffness()
    X = np.array([np.linalg.inv(family(w)).ravel() for w in np.linspace(420, 1150, 60)])
    sigma = np.linalg.svd(X, compute_uv=False)
    tail = np.sqrt(np.append(np.cumsum(sigma[::-1] ** 2)[::-1], 0) / np.sum(sigma**2))
    modes = [int(np.argmax(tail <= t)) for t in (1e-3, 1e-6, 1e-10)]
    # How many fall below 1e-3 hangs on where the resonances are sampled.
    assert np.all(np.abs(np.array(modes) - [5, 9, 21]) <= 1)


def test_shaft_without_supports_moves_freely():
    rotor = load()
    root = rotor.M.diagonal() ** -0.5
    values = np.linalg.eigvalsh(root[:, None] * rotor.K * root)
    # Two translations and two tilts cost nothing; everything else bends the shaft.
    assert np.all(np.abs(values[:4]) < 1e-6 * values[4])
    for axis in (0, 1):
        shift = np.zeros(len(rotor.K))
        shift[axis::4] = 1
        assert np.linalg.norm(rotor.K @ shift) < 1e-9 * np.linalg.norm(rotor.K)


def test_matrices_have_their_symmetries():
    rotor = load()
    assert rotor.M.shape == (224, 224)
    assert np.array_equal(rotor.M, rotor.M.T)
    assert np.array_equal(rotor.K, rotor.K.T)
    assert np.array_equal(rotor.G, -rotor.G.T)
    assert np.linalg.eigvalsh(rotor.M).min() > 0


def test_campbell_eigenvalues_solve_the_quadratic_problem():
    speed = 800.0
    rotor = load()
    K, C = slow_parts(speed)
    values, vectors = np.linalg.eig(CampbellMatrix()(speed))
    low = np.argsort(np.abs(values))[:40]
    for s, v in zip(values[low], vectors[:224, low].T, strict=True):
        terms = [s * s * (rotor.M @ v), s * ((C + speed * rotor.G) @ v), K @ v]
        # Six digits: the matrix is not normal, and its norm is 10^6 times these eigenvalues.
        assert np.linalg.norm(sum(terms)) < 1e-6 * max(np.linalg.norm(term) for term in terms)


def test_whirl_pairs_are_the_published_distance_apart():
    values = np.linalg.eigvals(CampbellMatrix()(800.0))
    whirl = np.sort(values.imag[values.imag > 1])[:12]
    closest = (np.diff(whirl) / whirl[:-1]).min()
    assert closest == pytest.approx(0.016, abs=0.002)
    assert values.real.max() < 0  # a machine that runs is stable


def test_balance_changes_no_eigenvalue():
    one, two = (np.linalg.eigvals(CampbellMatrix(balance=b)(600.0)) for b in (1000.0, 3000.0))
    low = [np.sort(values.imag[np.argsort(np.abs(values))[:20]]) for values in (one, two)]
    np.testing.assert_allclose(low[0], low[1], rtol=1e-5, atol=1e-2)


def test_seals_are_a_parameter_or_not():
    assert CampbellMatrix(seals=True).box == RotorStiffness(seals=True).box == [(420, 1150), (0.5, 2)]
    p = np.array([900.0, 1.0])
    assert np.array_equal(CampbellMatrix(seals=True)(p), CampbellMatrix()(900.0))
    assert not np.allclose(RotorStiffness(seals=True)(np.array([900.0, 2.0])), RotorStiffness()(900.0))


def test_file_is_the_one_named_in_its_notice():
    digest = hashlib.sha256(ROOT.joinpath(FILE).read_bytes()).hexdigest()
    assert digest in ROOT.joinpath("NOTICE-rotor.txt").read_text()


@pytest.mark.parametrize("speed", [400.0, 1200.0, float("nan")])
def test_speeds_beyond_the_tables_are_refused(speed):
    with pytest.raises(InputError, match=r"expected a speed between 418\.9"):
        RotorStiffness()(speed)


def test_wrong_balance_is_named():
    with pytest.raises(InputError, match="positive finite balance"):
        CampbellMatrix(balance=0.0)


def test_number_of_parameters_is_checked():
    with pytest.raises(InputError, match=r"has 2 parameter\(s\)"):
        RotorStiffness(seals=True)(800.0)
