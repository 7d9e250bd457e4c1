"""Several right-hand sides: one basis and one factorisation for all columns, answers like those of numpy.linalg."""

from typing import Any

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.linalg import splu
from tests.reduced.made import BLOCK, QUIET, ROOM, WIND, tridiagonal

import neumatc as nmc
from neumatc.errors import AccuracyWarning, InputError
from neumatc.family import Affine
from neumatc.reduced import exact as factorising

RNG = np.random.default_rng(0)
SOURCES = np.column_stack([WIND.rhs, RNG.standard_normal(WIND.points**2), 1e-6 * np.linspace(0, 1, WIND.points**2)])


def windy(right: Any = SOURCES, **options: Any) -> Any:
    A = Affine(WIND.matrices, WIND.coefficients, coercivity=lambda _: WIND.coercivity)
    return nmc.solve(A, right, WIND.box, rng=0, **options)


def line(p: float) -> Any:
    return np.stack([np.cos(p * np.linspace(0, 1, 400)), np.full(400, 1 + p)], axis=1)


def dense(A: Any, b: Any) -> Any:
    return np.linalg.solve(A.toarray(), b)


@pytest.fixture(scope="module")
def fit() -> Any:
    return windy(tol=1e-8)


@pytest.fixture(scope="module")
def general() -> Any:
    return nmc.solve(tridiagonal, line, (0.0, 1.0), rng=0)


def test_every_column_is_solved_also_a_small_one(fit: Any) -> None:
    assert fit.status == "converged"
    for p in fit.box.random(10, np.random.default_rng(1))[:, 0]:
        X, wanted = fit(p), dense(WIND(p), SOURCES)
        R = WIND(p) @ X - SOURCES
        assert X.shape == (576, 3)
        assert np.all(np.linalg.norm(R, axis=0) <= 1e-8 * np.linalg.norm(SOURCES, axis=0))
        assert np.all(np.linalg.norm(X - wanted, axis=0) <= 1e-6 * np.linalg.norm(wanted, axis=0))
    assert "solve, sparse, 3 right-hand sides" in repr(fit)


def test_a_function_of_p(general: Any) -> None:
    assert general.status == "converged"
    for p in (0.0, 0.31, 0.9):
        np.testing.assert_allclose(tridiagonal(p) @ general(p), line(p), atol=1e-7)
        assert general.certify(p).passed


def test_complex_matrices_and_an_affine_right_side() -> None:
    parts = [np.stack([ROOM.rhs, 1j * ROOM.rhs[::-1]], axis=1), np.eye(ROOM.size)[:, 3:5]]
    b = nmc.Affine(parts, lambda k: [1.0, k * 1j])
    f = nmc.solve(nmc.Affine(ROOM.matrices, ROOM.coefficients), b, {"k": QUIET}, rng=0)
    for k in (2.1, 3.3):
        right = parts[0] + 1j * k * parts[1]
        np.testing.assert_allclose(f(k), dense(ROOM(k), right), rtol=0, atol=1e-6 * np.abs(f(k)).max())
    slope = (f(3.0 + 1e-4) - f(3.0 - 1e-4)) / 2e-4
    assert np.linalg.norm(f.derivative("k")(3.0) - slope) <= 1e-5 * np.linalg.norm(slope)
    function = nmc.solve(ROOM, b, {"k": QUIET}, rng=0)
    np.testing.assert_allclose(function(2.5), f(2.5), rtol=0, atol=1e-6 * np.abs(f(2.5)).max())


def test_shapes_and_given_memory(fit: Any, general: Any) -> None:
    for f, n, k in ((fit, 576, 3), (general, 400, 2)):
        p = np.array([[0.1, 0.2, 0.3]])
        for g in (f, f.derivative()):
            assert g(p).shape == (1, 3, n, k)
            assert g(np.empty(0)).shape == (0, n, k)
            np.testing.assert_allclose(g(p)[0, 1], g(0.2), rtol=1e-7, atol=1e-9 * np.abs(g(0.2)).max())
        memory = np.empty((3, n, k))
        assert f(p[0], out=memory) is memory
        np.testing.assert_array_equal(memory, f(p[0]))
        assert f.certified(1e-6)(p[0], out=memory).value is memory
        with pytest.raises(InputError, match=rf"array of shape \(3, {n}, {k}\)"):
            f(p[0], out=np.empty((3, n)))


def test_one_column_is_a_vector() -> None:
    one, column = windy(WIND.rhs, tol=1e-4), windy(WIND.rhs[:, None], tol=1e-4)
    np.testing.assert_array_equal(one(0.3), column(0.3))


def test_outputs_are_products_with_the_basis(fit: Any) -> None:
    B, p = RNG.standard_normal((4, 576)), np.array([0.1, 0.7])
    np.testing.assert_allclose((B @ fit)(p), B @ fit(p), rtol=1e-7, atol=1e-10)
    np.testing.assert_allclose((B[0] @ fit)(p), B[0] @ fit(p), rtol=1e-7, atol=1e-10)
    assert (B @ fit)(0.1).shape == (4, 3)
    assert (B[0] @ fit)(0.1).shape == (3,)


@pytest.mark.parametrize("projection", ["galerkin", "residual"])
def test_residuals_are_those_of_frobenius(projection: str) -> None:
    with pytest.warns(AccuracyWarning, match="reached a residual of"):
        fits = [
            windy(samples=5),
            nmc.solve(tridiagonal, line, (0.0, 1.0), rng=0, samples=2),
        ]
    for f, A, b in zip(fits, (WIND, tridiagonal), (lambda _: SOURCES, line), strict=True):
        changed = f.model.tensors if hasattr(f.model, "tensors") else f.model
        model = changed.with_projection(projection)
        model = type(f.model)(f.system, model) if hasattr(f.model, "tensors") else model
        P = np.linspace(0, 1, 9)
        found = model.measured(P[:, None])
        for i, p in enumerate(P):
            true = np.linalg.norm(A(p) @ (f.C.T @ found.phi[i]) - b(p)) / np.linalg.norm(b(p))
            assert true <= found.bound[i]
            assert abs(true - found.residual[i]) <= found.bound[i] - found.residual[i]
        h = 1e-4
        slope = (model.coefficients(np.array([[0.4 + h]])) - model.coefficients(np.array([[0.4 - h]]))) / (2 * h)
        came = model.slopes(np.array([[0.4]]), 0)
        assert np.linalg.norm(came - slope) <= 1e-4 * np.linalg.norm(slope)


def test_error_bounds_hold_in_the_energy_norm() -> None:
    right = np.column_stack([BLOCK.rhs, BLOCK.rhs * np.linspace(0, 1, BLOCK.size)])
    A = nmc.Affine(BLOCK.matrices, BLOCK.coefficients, energy=BLOCK.energy, coercivity=BLOCK.coercivity)
    with pytest.warns(AccuracyWarning):
        f = nmc.solve(A, right, BLOCK.box, rng=0, samples=2)
    inverse = splu(BLOCK.energy.tocsc())
    for p in f.box.random(10, np.random.default_rng(3)):
        X, truth, certificate = f(p), dense(BLOCK(p), right), f.certify(p)
        error, size = (np.sqrt(np.sum(E * (BLOCK.energy @ E))) for E in (X - truth, truth))
        assert error / size <= certificate.error_bound <= 10 * error / size
        R = BLOCK(p) @ X - right
        true = np.sqrt(np.sum(R * inverse.solve(R)) / np.sum(right * inverse.solve(right)))
        assert certificate.residual == pytest.approx(true, rel=1e-8)
    answer = f.certified(1e-11)(p)
    assert answer.path == "exact"
    np.testing.assert_allclose(answer.value, truth, rtol=0, atol=1e-9 * np.abs(truth).max())
    assert 0 < answer.certificate.error_bound < 1e-9


def test_no_wrong_answer_leaves(fit: Any, general: Any) -> None:
    P = np.random.default_rng(4).random(20)
    for f, A, b in ((fit, WIND, lambda _: SOURCES), (general, tridiagonal, line)):
        answer = f.certified(1e-10)(P)
        for p, X in zip(P, answer.value, strict=True):
            assert np.linalg.norm(A(p) @ X - b(p)) <= 1e-10 * np.linalg.norm(b(p))
        assert "exact" in answer.path


def test_every_exact_solve_is_one_factorisation(monkeypatch: pytest.MonkeyPatch) -> None:
    import scipy.sparse.linalg

    seen = []
    monkeypatch.setattr(scipy.sparse.linalg, "splu", lambda *a, **o: (seen.append(a), splu(*a, **o))[1])
    assert factorising.factored(WIND(0.3).tocsc(), True).solve(SOURCES).shape == SOURCES.shape
    assert len(seen) == 1
    with pytest.warns(AccuracyWarning):
        f = windy(samples=3)
    assert len(seen) == 1 + 3
    assert f.d == 3 * 3 * 4  # of each column at each point the solution and three derivatives


def test_saved_and_loaded(fit: Any, general: Any, tmp_path: Any) -> None:
    A, p = nmc.Affine(WIND.matrices, WIND.coefficients, coercivity=lambda _: WIND.coercivity), np.array([0.2, 0.7])
    for f, matrix in ((fit, (A, SOURCES)), (general, (tridiagonal, line))):
        f.save(tmp_path / "columns.nmc")
        again = nmc.load(tmp_path / "columns.nmc", matrix=matrix)
        np.testing.assert_array_equal(again(p), f(p))
        np.testing.assert_array_equal(again.derivative()(p), f.derivative()(p))
        np.testing.assert_array_equal(again.certify(p).bound, f.certify(p).bound)
        assert repr(again) == repr(f)
        with pytest.raises(InputError, match=r"not the family of the saved fit: b\(p\) has the shape \(\d+,\)"):
            nmc.load(tmp_path / "columns.nmc", matrix=(matrix[0], np.ones(f.C.shape[1])))
        with pytest.raises(InputError, match=r"not the family of the saved fit: b\(p\) differs by"):
            nmc.load(tmp_path / "columns.nmc", matrix=(matrix[0], np.ones(f.shape)))


def test_a_column_that_is_zero_and_one_that_vanishes_somewhere() -> None:
    A = nmc.Affine([sparse.eye_array(20), sparse.diags_array(np.arange(20.0))], lambda p: [1.0, p])
    b = nmc.Affine([np.stack([np.zeros(20), np.ones(20), np.zeros(20)], 1), np.eye(20, 3, -2)[:, [2, 2, 0]]], _turning)
    f = nmc.solve(A, b, (0.0, 1.0), rng=0)
    assert f.status == "converged"
    for p in (0.0, 0.5, 0.77):
        right = _turning(p)[0] * b.matrices[0] + _turning(p)[1] * b.matrices[1]
        np.testing.assert_allclose(f(p), right / (1 + p * np.arange(20))[:, None], atol=1e-7)
    with pytest.raises(InputError, match="a right side that is not zero everywhere"):
        nmc.solve(A, np.zeros((20, 2)), (0.0, 1.0), rng=0)


def _turning(p: float) -> list[float]:
    return [1.0, p - 0.5]


def test_columns_that_depend_on_each_other_cost_one_vector_each_time() -> None:
    one, twin = windy(WIND.rhs, tol=1e-6), windy(np.outer(WIND.rhs, [1.0, -3.0]), tol=1e-6)
    assert one.d == twin.d
    np.testing.assert_allclose(twin(0.4)[:, 1], -3 * one(0.4), rtol=0, atol=1e-9 * np.abs(one(0.4)).max())


def test_as_many_columns_as_unknowns() -> None:
    """The basis spans everything after one solve; the map is the inverse."""
    A = nmc.Affine(
        [sparse.eye_array(9), sparse.diags_array([np.ones(8)], offsets=[1], shape=(9, 9))], lambda p: [1.0, p]
    )
    f = nmc.solve(A, np.eye(9), (0.0, 0.5), rng=0)
    assert (f.d, len(f.samples)) == (9, 1)
    matrix = np.eye(9) + 0.3 * np.eye(9, k=1)
    np.testing.assert_allclose(f(0.3), np.linalg.inv(matrix), atol=1e-12)


def test_a_number_of_columns_that_depends_on_p() -> None:
    with pytest.raises(InputError, match=r"b\(p\) at p = .* must have the shape \(400, 2\).*; \(400, 3\) came"):
        nmc.solve(tridiagonal, lambda p: np.ones((400, 2 if p == 0.5 else 3)), (0.0, 1.0), rng=0)
    with pytest.raises(InputError, match=r"A\(p\) is 400 x 400 and b has 20"):
        nmc.solve(tridiagonal, np.ones((20, 3)), (0.0, 1.0))


def test_torch_in_torch_out(fit: Any) -> None:
    torch = pytest.importorskip("torch")
    p = torch.tensor([0.1, 0.2], dtype=torch.float64)
    assert torch.is_tensor(fit(p))
    np.testing.assert_array_equal(fit(p).numpy(), fit(p.numpy()))
