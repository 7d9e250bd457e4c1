"""Zero right sides, resonances, singular projections, and mistakes that must be named."""

import re

import numpy as np
import pytest
from scipy import sparse
from tests.reduced.made import WIND, load, tridiagonal, wind

import neumatc as nmc
from neumatc.errors import AccuracyWarning, InputError, NonFiniteError, SingularError, TrainingError
from neumatc.reduced import Tensors

EYE, LINE = sparse.eye_array(20), sparse.diags_array(np.arange(20.0))


def family(theta=lambda p: [1.0, p]):
    return nmc.Affine([EYE, LINE], theta)


# corners -------------------------------------------------------------------------------------------------------------


def test_a_right_side_that_vanishes_somewhere():
    b = nmc.Affine([np.ones((20, 1))], lambda p: [p - 0.5])  # zero in the middle, where the first solve is
    fit = nmc.solve(family(), b, (0.0, 1.0), rng=0)
    assert fit.status == "converged"
    np.testing.assert_array_equal(fit(0.5), 0)
    assert fit.certify(0.5).bound == 0
    assert fit.certified()(0.5).path == "surrogate"
    np.testing.assert_allclose(fit(1.0), 0.5 / (1 + np.arange(20)), rtol=1e-6)


def test_a_right_side_that_vanishes_everywhere():
    with pytest.raises(InputError, match="a right side that is not zero everywhere"):
        nmc.solve(family(), np.zeros(20), (0.0, 1.0), rng=0)
    with pytest.raises(InputError, match="a right side that is not zero everywhere"):
        nmc.solve(tridiagonal, np.zeros(400), (0.0, 1.0), rng=0)


def test_a_singular_candidate_is_avoided_and_told():
    # p - 1/2 is singular at the candidate in the middle of the box, where the first solve is tried.
    A = nmc.Affine(
        [sparse.diags_array(np.append(np.ones(19), 0.0)), sparse.diags_array(np.eye(20)[-1])], lambda p: [1.0, p]
    )
    fit = nmc.solve(A, np.append(np.ones(19), 0.0) + 0, (-1.0, 1.0), rng=0)
    np.testing.assert_array_equal(fit.excluded, [[0.0]])
    assert "1 failed" in repr(fit)
    np.testing.assert_allclose(fit(0.3)[:19], 1.0)


@pytest.mark.parametrize("A", [nmc.Affine([LINE, LINE], lambda p: [1.0, p]), lambda p: LINE * (1 + p)])
def test_a_matrix_that_is_singular_everywhere(A):
    with pytest.raises(SingularError, match=r"`solve` failed at p = .*singular or nearly so.*resonance"):
        nmc.solve(A, np.ones(20), (0.0, 1.0), rng=0)


def test_a_galerkin_matrix_that_is_singular_at_one_point_of_a_batch():
    # A(p) = diag(1, p) turned by 45 degrees: Vᴴ A V = (1 + p) / 2 vanishes at p = -1, and A does not.
    turn = np.array([[1.0, 1.0], [1.0, -1.0]]) / 2**0.5
    parts = [turn.T @ np.diag(d) @ turn for d in ([1.0, 0.0], [0.0, 1.0])]
    V, f = np.eye(2)[:1], np.eye(2)[0]
    K = np.column_stack([*(A @ V[0] for A in parts), f])
    Q, R = np.linalg.qr(np.column_stack([np.eye(2)]))
    factor = np.stack([(R @ K[:, q])[:, None] for q in range(2)], axis=1)
    tensors = Tensors(
        factor, R @ f[:, None], np.stack([V @ A @ V.T for A in parts]), (V @ f)[None], np.ones((2, 2)), "galerkin"
    )
    theta, psi = np.array([[1.0, 1.0], [1.0, -1.0], [1.0, 0.5]]), np.ones((3, 1))
    phi = tensors.coefficients(theta, psi)
    np.testing.assert_allclose(phi[[0, 2], 0], [1.0, 1 / 0.75])
    assert np.isfinite(phi).all()
    # There the smallest residual: A v is orthogonal to f, so no multiple of it helps.
    assert tensors.residual(phi, theta, psi)[1] == pytest.approx(1.0)
    assert Q.shape == (2, 2)


def test_a_budget_that_is_too_small_is_told():
    with pytest.warns(AccuracyWarning, match=r"reached a residual of .* with 3 exact solves, but tol is 1.0e-08"):
        assert wind(samples=3).status == "budget"
    with pytest.raises(TrainingError, match="status 'budget'"):
        wind(samples=3, throw=True)


def test_rounding_ends_the_loop_before_the_budget():
    with pytest.warns(AccuracyWarning, match="status 'stalled'"):
        fit = nmc.solve(family(), np.ones(20), (0.0, 1.0), tol=1e-17, rng=0)
    assert len(fit.samples) < 30
    assert fit.error < 1e-13


def test_the_same_seed_gives_the_same_fit():
    for A, b in ((family(), np.ones(20)), (tridiagonal, load)):
        first, second = (nmc.solve(A, b, (0.0, 1.0), tol=1e-4, rng=5) for _ in range(2))
        np.testing.assert_array_equal(first.C, second.C)
        np.testing.assert_array_equal(first(0.3), second(0.3))


def test_progress_is_told():
    events = []
    fit = nmc.solve(family(), np.ones(20), (0.0, 1.0), rng=0, progress=events.append)
    assert [event.stage for event in events].count("solve") == len(fit.samples)
    assert tuple(events) == fit.history


# mistakes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("A", [family(), lambda p: EYE + p * LINE])
def test_a_and_b_of_different_sizes(A):
    with pytest.raises(InputError, match=r"A\(p\) is 20 x 20 and b has 19.*different grids"):
        nmc.solve(A, np.ones(19), (0.0, 1.0))


@pytest.mark.parametrize("A", [family(), lambda p: EYE + p * LINE])
@pytest.mark.parametrize("shape", [(2, 20, 2), (), (20, 0)])
def test_right_sides_that_are_no_matrix(A, shape):
    with pytest.raises(
        InputError, match=rf"b must be a vector \(n,\) or k of them.*shape {re.escape(str(shape))} came"
    ):
        nmc.solve(A, np.ones(shape), (0.0, 1.0))


def test_a_function_as_right_side_of_an_affine_matrix():
    with pytest.raises(InputError, match=r"b as a vector, or as an Affine of vectors; a function came"):
        nmc.solve(family(), lambda p: p * np.ones(20), (0.0, 1.0))


def test_a_matrix_that_is_not_square():
    wide = nmc.Affine([sparse.random_array((4, 5), density=0.9, rng=0)], lambda _: [1.0])
    with pytest.raises(InputError, match=r"needs a square A, but A\(p\) is 4 x 5"):
        nmc.solve(wide, np.ones(4), (0.0, 1.0))
    with pytest.raises(InputError, match=r"needs a square A, but A\(p\) is 4 x 5"):
        nmc.solve(lambda _: wide.matrices[0], np.ones(4), (0.0, 1.0))


@pytest.mark.parametrize("option", ["basis", "sampler", "executor", "device", "dtype"])
def test_an_option_without_meaning(option):
    with pytest.raises(InputError, match=f"`{option}` = 'rational' has no meaning for a sparse A"):
        nmc.solve(family(), np.ones(20), (0.0, 1.0), **{option: "rational"})


@pytest.mark.parametrize("samples", [0, 2.5, "many", True])
def test_a_budget_that_is_no_number(samples):
    with pytest.raises(InputError, match="`samples` must be a whole number of at least 1"):
        nmc.solve(family(), np.ones(20), (0.0, 1.0), samples=samples)


def test_values_that_are_not_finite():
    with pytest.raises(NonFiniteError, match="b must be finite"):
        nmc.solve(family(), np.append(np.ones(19), np.nan), (0.0, 1.0))
    with pytest.raises(NonFiniteError, match=r"A\(p\) at p = 0.5 must be finite"):
        nmc.solve(lambda p: EYE * np.inf if p == 0.5 else EYE, np.ones(20), (0.0, 1.0))
    with pytest.raises(InputError, match=r"coefficients θ\(p\) at p = .* must be 2 numbers.*; 1 came"):
        nmc.solve(family(lambda _: [1.0]), np.ones(20), (0.0, 1.0))


def test_a_function_that_changes_its_mind():
    with pytest.raises(InputError, match=r"must be a scipy.sparse matrix, as it is in the middle"):
        nmc.solve(lambda p: EYE if p == 0.5 else np.eye(20), np.ones(20), (0.0, 1.0), rng=0)
    with pytest.raises(InputError, match=r"must be 20 x 20 .*; 3 x 3, float64 came"):
        nmc.solve(lambda p: EYE if p == 0.5 else sparse.eye_array(3), np.ones(20), (0.0, 1.0), rng=0)
    with pytest.raises(InputError, match=r"dtype that fits float64.*complex128 came"):
        nmc.solve(lambda p: EYE * (1 if p == 0.5 else 1 + 1j * p), np.ones(20), (0.0, 1.0), rng=0)


def test_energy_and_coercivity_are_for_sparse_matrices():
    with pytest.raises(InputError, match="bound errors of sparse solves; dense matrices came"):
        nmc.Affine([np.eye(2)], lambda _: [1.0], coercivity=lambda _: 1.0)
    with pytest.raises(InputError, match=r"`energy` must be a Hermitian scipy.sparse matrix of the shape \(20, 20\)"):
        nmc.Affine([EYE], lambda _: [1.0], energy=np.eye(20))
    with pytest.raises(InputError, match="coercivity of an Affine must be a function"):
        nmc.Affine([EYE], lambda _: [1.0], coercivity=0.3)


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "dia"])
def test_an_energy_of_any_sparse_format(kind):
    energy = sparse.diags_array(np.arange(1.0, 21.0)).asformat(kind)
    assert abs(nmc.Affine([EYE], lambda _: [1.0], energy=energy).energy - energy).max() == 0


def test_other_operations_refuse_a_sparse_family():
    with pytest.raises(InputError, match=r"needs dense matrices, but A\(p\) is an Affine of sparse ones, 20 x 20"):
        nmc.inv(family(), (0.0, 1.0))


def test_matrices_are_copied():
    A = EYE.tocsr()
    fitted = nmc.Affine([A, LINE], lambda p: [1.0, p])
    A.data[:] = 0
    np.testing.assert_array_equal(fitted.matrices[0].diagonal(), 1)
    assert WIND.matrices[0].nnz
