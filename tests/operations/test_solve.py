"""Linear systems over parameters: shapes as in NumPy, laws, fits, certificates with σ_min, files, mistakes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neumatc as nmc
from neumatc.box import Box
from neumatc.errors import InputError, SingularError
from neumatc.operations import Solve
from neumatc.testing import OPERATION_LAWS

DTYPES = ["float32", "float64", "complex64", "complex128"]
P = np.random.default_rng(0).uniform(0, 1, 40)


def matrix(p: Any) -> Any:
    """(6, 6), well conditioned, of one or two parameters."""
    at = np.ravel(p)
    rng = np.random.default_rng(1)
    return 3 * np.eye(6) + np.sin(2 * at[0]) * rng.standard_normal((6, 6)) / 4 + at[-1] * np.diag(np.arange(6.0)) / 3


def sides(p: Any) -> Any:
    """(6, 3)."""
    at = np.ravel(p)
    return np.cos(np.outer(np.arange(6) + at[0], [1.0, 2.0, 3.0])) + at[-1]


def complex_matrix(p: Any) -> Any:
    return matrix(p) + 1j * np.cos(p) * np.diag(np.arange(6.0))


@pytest.fixture(scope="module")
def fit() -> nmc.Fit:
    return nmc.solve(matrix, sides, (0.0, 1.0), tol=1e-10, rng=0)


@pytest.mark.parametrize("law", OPERATION_LAWS.values(), ids=OPERATION_LAWS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_laws(law: Callable[..., None], dtype: str) -> None:
    function = matrix if np.dtype(dtype).kind == "f" else complex_matrix
    rows = np.stack([np.concatenate([function(p).ravel(), sides(p).ravel()])[None] for p in (0.1, 0.5, 0.8)])
    law(Solve(((6, 6), (6, 3))), rows.astype(dtype), np.random.default_rng(2))


# answers -------------------------------------------------------------------------------------------------------------


def test_many_right_hand_sides_that_follow_p(fit: nmc.Fit) -> None:
    assert fit.status == "converged"
    wanted = np.stack([np.linalg.solve(matrix(p), sides(p)) for p in P])
    assert fit(0.3).shape == (6, 3)
    assert fit(P).shape == wanted.shape
    assert np.linalg.norm(fit(P) - wanted) <= 1e-9 * np.linalg.norm(wanted)


@pytest.mark.parametrize("b", [np.arange(6.0), lambda p: np.arange(6.0) + p], ids=["constant", "of p"])
def test_a_vector_stays_a_vector(b: Any) -> None:
    fit = nmc.solve(matrix, b, (0.0, 1.0), tol=1e-10, rng=0)
    wanted = np.stack([np.linalg.solve(matrix(p), b(p) if callable(b) else b) for p in P])
    assert fit(0.3).shape == fit.derivative()(0.3).shape == (6,)
    assert fit(P).shape == (40, 6)
    assert np.linalg.norm(fit(P) - wanted) <= 1e-9 * np.linalg.norm(wanted)
    assert fit.certified()(P).value.shape == (40, 6)


def test_one_column_stays_a_column() -> None:
    assert nmc.solve(matrix, np.ones((6, 1)), (0.0, 1.0), rng=0)(0.3).shape == (6, 1)


def test_two_parameters() -> None:
    fit = nmc.solve(matrix, sides, [(0.0, 1.0), (0.0, 1.0)], tol=1e-8, basis="chebyshev", rng=0)
    points = np.random.default_rng(3).uniform(0, 1, (30, 2))
    wanted = np.stack([np.linalg.solve(matrix(p), sides(p)) for p in points])
    assert fit.status == "converged"
    assert np.linalg.norm(fit(points) - wanted) <= 1e-7 * np.linalg.norm(wanted)


def test_complex_matrix_and_real_right_hand_side() -> None:
    fit = nmc.solve(complex_matrix, sides, (0.0, 1.0), tol=1e-10, rng=0)
    wanted = np.stack([np.linalg.solve(complex_matrix(p), sides(p)) for p in P])
    assert fit(P).dtype == np.complex128
    assert np.linalg.norm(fit(P) - wanted) <= 1e-9 * np.linalg.norm(wanted)


def test_constant_matrix_and_a_table_of_right_hand_sides() -> None:
    points = np.linspace(0, 1, 33)
    table = nmc.Table(points, np.stack([sides(p) for p in points]))
    fit = nmc.solve(matrix(0.5), table, (0.0, 1.0), tol=1e-8, rng=0)
    wanted = np.stack([np.linalg.solve(matrix(0.5), sides(p)) for p in P])
    assert np.linalg.norm(fit(P) - wanted) <= 1e-7 * np.linalg.norm(wanted)


def test_derivative_is_that_of_the_solution(fit: nmc.Fit) -> None:
    h = 1e-5
    central = (np.linalg.solve(matrix(0.4 + h), sides(0.4 + h)) - np.linalg.solve(matrix(0.4 - h), sides(0.4 - h))) / (
        2 * h
    )
    assert np.allclose(fit.derivative()(0.4), central, rtol=1e-6, atol=1e-8)


# certificates --------------------------------------------------------------------------------------------------------


def test_error_bound_holds_and_is_not_loose(fit: nmc.Fit) -> None:
    certificate = fit.certify(P)
    wanted = np.stack([np.linalg.solve(matrix(p), sides(p)) for p in P])
    true = np.linalg.norm(fit(P) - wanted, axis=(1, 2)) / np.linalg.norm(wanted, axis=(1, 2))
    assert "σ_min" in certificate.theorem
    assert np.all(true <= certificate.error_bound + 1e-14)
    assert np.all(certificate.error_bound <= 10 * certificate.bound)


def test_bound_is_infinite_where_nothing_is_proved() -> None:
    rows = np.concatenate([np.diag([1.0, 0.0]).ravel(), [1.0, 0.0]]).reshape(1, 1, -1)
    operation = Solve(((2, 2), (2, 1)))
    bound, _ = operation.bound(operation.given(rows), {"X": np.ones((1, 2, 1))}, np.array([1e-9]))  # type: ignore[misc]
    assert bound[0] == np.inf


def test_large_matrices_have_a_residual_only() -> None:
    known = {"A": np.eye(65)[None], "b": np.ones((1, 65, 1))}
    assert Solve().bound(known, {"X": np.ones((1, 65, 1))}, np.zeros(1)) is None


def test_certified_answers_are_right_where_the_map_is_not() -> None:
    with pytest.warns(nmc.errors.AccuracyWarning):
        fit = nmc.solve(matrix, sides, (0.0, 1.0), tol=1e-10, samples=3, rng=0)
    answer = fit.certified(1e-9)(P)
    wanted = np.stack([np.linalg.solve(matrix(p), sides(p)) for p in P])
    assert set(np.unique(answer.path)) <= {"surrogate", "corrected", "exact"}
    assert "exact" in answer.path
    assert np.linalg.norm(answer.value - wanted) <= 1e-8 * np.linalg.norm(wanted)


# files ---------------------------------------------------------------------------------------------------------------


def test_saved_and_loaded_with_both_matrices(tmp_path: Path) -> None:
    b = np.arange(6.0)
    fit = nmc.solve(matrix, b, (0.0, 1.0), rng=0)
    fit.save(tmp_path / "x.nmc")
    loaded = nmc.load(tmp_path / "x.nmc", matrix=(matrix, b))
    assert loaded.operation == fit.operation
    assert np.array_equal(loaded(0.3), fit(0.3))
    assert loaded.certify(0.3).passed
    with pytest.raises(InputError, match="is not the family of the saved fit"):
        nmc.load(tmp_path / "x.nmc", matrix=(matrix, 2 * b))


# mistakes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("A", "b", "text"),
    [
        (matrix, np.ones((5, 2)), "as many rows as A, but A is 6 x 6, b is 5 x 2"),
        (lambda p: np.ones((6, 5)) * p, np.ones(6), "a square A, but A is 6 x 5, b is 6 x 1"),
        (matrix, np.ones((3, 6, 2)), "an array of 3 axes came"),
    ],
    ids=["rows", "square", "stack"],
)
def test_wrong_shapes_are_named(A: Any, b: Any, text: str) -> None:
    with pytest.raises(InputError, match=text):
        nmc.solve(A, b, (0.0, 1.0))


@pytest.mark.parametrize(("matrices", "came"), [((matrix,), "1 entries"), (matrix, "one function")])
def test_a_missing_right_hand_side_is_named(matrices: Any, came: str) -> None:
    with pytest.raises(InputError, match=rf"needs the matrices \(A, b\), got {came}"):
        nmc.Problem.of(matrices, (0.0, 1.0), Solve())


def test_a_singular_matrix_is_named_with_its_p() -> None:
    with pytest.raises(SingularError, match=r"`solve` failed at p = 0\.5: A is singular"):
        nmc.solve(lambda p: np.diag([1.0, p - 0.5]), np.ones(2), (0.0, 1.0))


def test_the_question_about_b_is_asked_inside_the_box() -> None:
    seen = []

    def b(p: Any) -> Any:
        seen.append(p)
        return np.ones(6)

    nmc.Problem.of((matrix, b), Box.of((2.0, 3.0)), Solve())
    assert all(2.0 <= p <= 3.0 for p in seen)
