"""Known properties of the baselines for sparse systems: patterns, recycled iterations, error bounds."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
import scipy.sparse.linalg
from benchmarks.baselines.dense import SparseLU
from benchmarks.baselines.ilu import Pattern
from benchmarks.baselines.krylov import GCRODR, GCROT, gcrodr
from benchmarks.baselines.reduced import ReducedBasis

from neumatc.errors import InputError
from neumatc.gallery.real import AdvectionDiffusionReaction


def factors(M):
    """L and U as they were handed to SuperLU."""
    return M.lower.L @ M.lower.U, M.upper.L @ M.upper.U


# ILU(0) --------------------------------------------------------------------------------------------------------------


def test_incomplete_factors_agree_with_a_on_its_pattern_and_have_no_other_entries():
    A = AdvectionDiffusionReaction(points=9)(0.13)
    L, U = factors(Pattern.of(A).factorise(A))
    assert L.nnz + U.nnz == A.nnz + A.shape[0]
    assert not (abs(L) + abs(U) - (abs(L) + abs(U)).multiply(A != 0)).nnz
    difference = (L @ U - A).multiply(A != 0)
    assert abs(difference).max() < 1e-12 * abs(A).max()
    assert abs(L @ U - A).max() > 1e-3 * abs(A).max()  # off the pattern they do differ: incomplete


def test_incomplete_factors_of_a_tridiagonal_matrix_are_complete():
    rng = np.random.default_rng(0)
    A = sp.diags([rng.random(29), 4 + rng.random(30), rng.random(29)], [-1, 0, 1], format="csr")
    v = rng.standard_normal(30)
    np.testing.assert_allclose(A @ Pattern.of(A).factorise(A).solve(v), v, rtol=1e-12)


def test_a_pattern_with_several_columns_per_row_is_eliminated_in_order():
    rng = np.random.default_rng(1)
    A = sp.random(40, 40, 0.15, rng=rng, format="csr") + 6 * sp.identity(40)
    L, U = factors(Pattern.of(A).factorise(A))
    assert abs((L @ U - A).multiply(A != 0)).max() < 1e-12


def test_entries_that_vanish_at_some_p_do_not_change_the_pattern():
    A = AdvectionDiffusionReaction(points=6)
    pattern = Pattern.of(A(0.1))
    there = A(0.1)
    there.data[there.data < there.data.min() / 2] = 0
    there.eliminate_zeros()
    np.testing.assert_allclose(pattern.values(there)[pattern.diagonal], there.diagonal(), rtol=1e-12)


def test_other_patterns_and_missing_pivots_are_refused():
    A = AdvectionDiffusionReaction(points=5)(0.1)
    wider = sp.csr_matrix(A + sp.csr_matrix(([1.0], ([0], [20])), shape=A.shape))
    with pytest.raises(InputError, match="outside the pattern"):
        Pattern.of(A).factorise(wider)
    with pytest.raises(InputError, match="every place of the diagonal"):
        Pattern.of(sp.csr_matrix(np.array([[0.0, 1.0], [1.0, 1.0]])))


# GCRO-DR -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def family():
    return AdvectionDiffusionReaction(points=80)


POINTS = np.linspace(0.02, 0.14, 5)


@pytest.mark.parametrize("method", [GCRODR(20, 10), GCRODR(20, 0), GCRODR(20, 10, warm=False), GCROT(20, 10)])
def test_recycling_solvers_agree_with_a_direct_one(method, family):
    for p, each, exact in zip(POINTS, method.solve(family, POINTS), SparseLU().solve(family, POINTS), strict=True):
        x = each.factors["x"]
        assert each.passed
        assert np.linalg.norm(family(p) @ x - family.rhs) <= 1.01e-8 * np.linalg.norm(family.rhs)
        np.testing.assert_allclose(x, exact.factors["x"], rtol=1e-6)


def test_recycling_saves_products_with_a(family):
    with_space, without = ([each.steps for each in GCRODR(20, k).solve(family, POINTS)] for k in (10, 0))
    # Those spent on renewing C = A M⁻¹ U are counted. At the first p only restarts can profit.
    assert with_space[0] < without[0]
    assert sum(with_space[1:]) < 0.95 * sum(without[1:])


def sequence(complex=False):
    """Operators with six eigenvalues near zero in a slowly turning basis: what recycling was made for."""
    rng, n = np.random.default_rng(0), 120
    values = np.concatenate([1e-3 * np.arange(1, 7), rng.uniform(1, 2, n - 6)])
    S = rng.standard_normal((n, n)) / np.sqrt(n)
    Z = np.eye(n) + 0.3 * (S + 1j * complex * S[::-1] if complex else S)
    for t in range(6):
        turn = np.linalg.qr(np.eye(n) + 1e-3 * t * S)[0]
        yield turn @ Z @ np.diag(values) @ np.linalg.inv(turn @ Z)


@pytest.mark.parametrize("complex", [False, True])
def test_recycled_spaces_remove_small_eigenvalues_from_the_start(complex):
    rng = np.random.default_rng(1)
    products = {}
    for k in (0, 8):
        space, products[k] = None, []
        for A in sequence(complex):
            b = rng.standard_normal(len(A)).astype(A.dtype)
            found = gcrodr(lambda v, A=A: A @ v, b, b, space, 30, k, 1e-8, 1000)
            space = found.space
            products[k].append(found.products)
            assert found.residual <= 1e-8
            assert np.linalg.norm(A @ found.t - b) <= 2e-8 * np.linalg.norm(b)
    assert products[8][0] < products[0][0]
    assert 2 * sum(products[8][1:]) < sum(products[0][1:])


def test_the_recycled_space_is_scaled_so_that_its_image_is_orthonormal():
    A = next(sequence())
    b = np.ones(len(A))
    found = gcrodr(lambda v: A @ v, b, b, None, 30, 8, 1e-8, 1000)
    C = A @ found.space
    assert found.space.shape[1] in {7, 8}  # one less where a conjugate pair would be cut
    np.testing.assert_allclose(C.T @ C, np.eye(C.shape[1]), atol=1e-7)
    # It contains the six small eigenvectors.
    _, V = np.linalg.eig(A)
    small = V[:, np.argsort(np.abs(np.linalg.eigvals(A)))[:6]].real
    left = small - found.space @ np.linalg.lstsq(found.space, small, rcond=None)[0]
    assert np.linalg.norm(left, 2) < 1e-2 * np.linalg.norm(small, 2)


def test_without_restart_it_is_gmres():
    A = next(sequence())
    b = np.ones(len(A))
    counted = []
    scipy.sparse.linalg.gmres(A, b, rtol=1e-8, atol=0.0, restart=120, callback=counted.append, callback_type="pr_norm")
    found = gcrodr(lambda v: A @ v, b, b, None, 120, 0, 1e-8, 1000)
    assert abs(found.products - len(counted)) <= 1


def test_more_recycled_than_searched_is_refused():
    with pytest.raises(InputError, match="0 <= k < m"):
        GCRODR(10, 10)


def test_what_does_not_converge_says_so(family):
    answers = replace(GCRODR(20, 10), most=20).solve(family, POINTS[:1])
    assert not answers[0].passed


# reduced basis -------------------------------------------------------------------------------------------------------


def test_the_reduced_basis_keeps_its_bound():
    method = ReducedBasis(tol=1e-3, largest=40, training=30)
    reason = method.absent()
    if reason:
        pytest.skip(reason)
    family, points = AdvectionDiffusionReaction(points=16), [0.013, 0.31, 0.77]
    for each, exact in zip(method.solve(family, points), SparseLU().solve(family, points), strict=True):
        error = each.factors["x"] - exact.factors["x"]
        assert np.sqrt(error @ (family.matrices[0] @ error)) <= each.bound * (1 + 1e-6)
        assert each.passed
