"""A reduced fit as a file: it comes back with the caller's A and b, and with no others."""

import subprocess
import sys

import numpy as np
import pytest
from scipy import sparse
from tests.reduced.made import BLOCK, ROOM, block, load, room, tridiagonal

import neumatc as nmc
from neumatc import store
from neumatc.errors import FormatError, InputError, OutsideBoxError


def heated(energy=True):
    product = {"energy": BLOCK.energy} if energy else {}
    return nmc.Affine(BLOCK.matrices, BLOCK.coefficients, coercivity=BLOCK.coercivity, **product)


def saved(fit, folder):
    path = folder / "solve.nmc"
    fit.save(path)
    return path


def test_a_loaded_fit_answers_and_certifies_alike(tmp_path):
    fit = block()
    again = nmc.load(saved(fit, tmp_path), matrix=(heated(), BLOCK.rhs))
    p = np.array([0.2, 0.3, 0.9, 0.5])
    np.testing.assert_array_equal(again(p), fit(p))
    for name in ("residual", "bound", "error_bound", "passed"):
        assert getattr(again.certify(p), name) == getattr(fit.certify(p), name)
    for name in ("status", "error", "tol", "cost", "history", "box"):
        assert getattr(again, name) == getattr(fit, name)
    assert again.certified(1e-12)(p).path == "exact"
    np.testing.assert_array_equal(again.derivative(1)(p), fit.derivative(1)(p))
    assert repr(again) == repr(fit)
    assert saved(again, tmp_path).read_bytes() == saved(fit, tmp_path).read_bytes()


def test_complex_and_assembled_fits(tmp_path):
    fit = room()
    A = nmc.Affine(ROOM.matrices, ROOM.coefficients)
    np.testing.assert_array_equal(nmc.load(saved(fit, tmp_path), matrix=(A, ROOM.rhs))(3.0), fit(3.0))
    fit = nmc.solve(tridiagonal, load, (0.0, 1.0), rng=0)
    again = nmc.load(saved(fit, tmp_path), matrix=(tridiagonal, load))
    np.testing.assert_array_equal(again(0.3), fit(0.3))
    with pytest.raises(InputError, match="it is affine, the fit assembled"):
        nmc.load(tmp_path / "solve.nmc", matrix=(A, ROOM.rhs))


def test_it_cannot_answer_without_the_matrix(tmp_path):
    path = saved(block(), tmp_path)
    for matrix, came in ((None, "none"), (heated(), "a Affine")):
        with pytest.raises(InputError, match=rf"matrix=\(A, b\) was expected and {came} came.*code is never read"):
            nmc.load(path, matrix=matrix)


def test_another_system_is_refused(tmp_path):
    path = saved(block(), tmp_path)
    other = nmc.Affine([1.01 * A for A in BLOCK.matrices], BLOCK.coefficients, energy=BLOCK.energy)
    doubled = nmc.Affine(BLOCK.matrices, BLOCK.coefficients, energy=2 * BLOCK.energy)
    small = nmc.Affine([sparse.eye_array(5)] * 4, BLOCK.coefficients)
    for A, b, message in (
        (other, BLOCK.rhs, r"A\(p\) differs by 1.0e-02 \(relative\) at p"),
        (heated(), 2 * BLOCK.rhs, r"b\(p\) differs by 1.0e\+00"),
        (doubled, BLOCK.rhs, "the energy product differs by 1.0e"),
        (heated(energy=False), BLOCK.rhs, "one has an energy product and the other has none"),
        (small, np.ones(5), f"5 unknowns of float64 came, the fit has {BLOCK.size}"),
    ):
        with pytest.raises(InputError, match=f"not the family of the saved fit: {message}"):
            nmc.load(path, matrix=(A, b))


def test_terms_in_another_order_are_refused(tmp_path):
    """The sum is the same, but the reduced tensors belong to the terms one by one."""
    path = saved(block(), tmp_path)
    turned = nmc.Affine(BLOCK.matrices[::-1], lambda p: BLOCK.coefficients(p)[::-1], energy=BLOCK.energy)
    with pytest.raises(InputError, match=r"the list of coefficients of A differs by .* \(relative\) at p"):
        nmc.load(path, matrix=(turned, BLOCK.rhs))
    split = nmc.Affine(
        [*BLOCK.matrices, 0 * BLOCK.matrices[0]], lambda p: [*BLOCK.coefficients(p), 1.0], energy=BLOCK.energy
    )
    with pytest.raises(InputError, match=r"the list of coefficients of A has the shape"):
        nmc.load(path, matrix=(split, BLOCK.rhs))


def test_a_file_from_before_coefficients_were_stored(tmp_path):
    fit = block()
    path = saved(fit, tmp_path)
    manifest, arrays = store.read(path)
    del arrays["witness.theta"], arrays["witness.psi"]
    store.write(path, manifest, arrays)
    p = np.array([0.2, 0.3, 0.9, 0.5])
    np.testing.assert_array_equal(nmc.load(path, matrix=(heated(), BLOCK.rhs))(p), fit(p))


def test_a_file_with_a_part_missing(tmp_path):
    path = saved(block(), tmp_path)
    manifest, arrays = store.read(path)
    del arrays["model.right"]
    store.write(path, manifest, arrays)
    with pytest.raises(FormatError, match="its manifest does not describe a fit"):
        nmc.load(path, matrix=(heated(), BLOCK.rhs))


FRESH = """
import sys
import neumatc as nmc
from neumatc.gallery.real import ThermalBlock
family = ThermalBlock(blocks=(2, 2), squares=12)
A = nmc.Affine(family.matrices, family.coefficients, energy=family.energy, coercivity=family.coercivity)
fit = nmc.load(sys.argv[1], matrix=(A, family.rhs))
answer = fit.certified(1e-6)([0.2, 0.3, 0.9, 0.5])
print(answer.path, "torch" in sys.modules)
"""


def test_a_fresh_process_answers_without_torch(tmp_path):
    path = saved(block(), tmp_path)
    run = subprocess.run([sys.executable, "-c", FRESH, str(path)], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["surrogate", "False"]


def test_a_hole_is_neither_sampled_nor_answered_nor_forgotten(tmp_path):
    K = sparse.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(40, 40)).tocsc()
    A = nmc.Affine([K, sparse.eye_array(40, format="csc")], lambda p: np.array([1.0, p]))
    box = nmc.Box.of((0.1, 2.0)).excluding(lambda p: 0.5 < p < 0.8)
    solved = nmc.solve(A, np.ones(40), box, tol=1e-8, rng=0)
    pairs = nmc.eigh(A, box, rank=2, tol=1e-8, rng=0)
    for fit, matrix in ((solved, (A, np.ones(40))), (pairs, A)):
        assert not any(0.5 < p < 0.8 for p in fit.samples.points[:, 0])
        fit.save(tmp_path / "fit.nmc")
        with pytest.raises(InputError, match="a box with a hole"):
            nmc.load(tmp_path / "fit.nmc", matrix=matrix)
        loaded = nmc.load(tmp_path / "fit.nmc", matrix=matrix, box=box)
        for each in (fit, loaded):
            with pytest.raises(OutsideBoxError, match="lies inside the hole"):
                each(0.6)
