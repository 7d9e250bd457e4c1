"""Pseudo-inverses over parameters: tall, wide and square, laws, a bound without condition number, rank changes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neumatc as nmc
from neumatc.errors import AccuracyWarning, InputError, RankError
from neumatc.gauge import adjoint
from neumatc.operations import PseudoInverse
from neumatc.testing import OPERATION_LAWS

P = np.random.default_rng(0).uniform(0, 1, 40)
SHAPES = {"tall": (9, 5), "wide": (5, 9), "square": (6, 6)}


@pytest.fixture(scope="module", params=SHAPES)
def shape(request: pytest.FixtureRequest) -> tuple[int, int]:
    return SHAPES[request.param]


def make(make_waves: Callable[..., Any], shape: tuple[int, int], dtype: Any) -> Any:
    return make_waves(np.linspace(1, 2, min(shape)), shape, dtype)


def operation(shape: tuple[int, int]) -> PseudoInverse:
    return PseudoInverse(tall=shape[0] >= shape[1])


@pytest.mark.parametrize("law", OPERATION_LAWS.values(), ids=OPERATION_LAWS)
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
def test_laws(law: Callable[..., None], dtype: str, shape: tuple[int, int], make_waves: Callable[..., Any]) -> None:
    family = make(make_waves, shape, np.dtype(dtype))
    law(operation(shape), np.stack([family(p) for p in (0.1, 0.5, 0.8)]), np.random.default_rng(2))


def test_penrose_conditions_hold(shape: tuple[int, int], make_waves: Callable[..., Any]) -> None:
    A = make(make_waves, shape, complex)(0.3)[None]
    X = operation(shape).exact(A)["X"]
    for left, right in ((A @ X @ A, A), (X @ A @ X, X), (adjoint(A @ X), A @ X), (adjoint(X @ A), X @ A)):
        assert np.allclose(left, right, atol=1e-13)


# answers -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [float, complex], ids=["real", "complex"])
def test_fit_agrees_with_numpy(shape: tuple[int, int], dtype: Any, make_waves: Callable[..., Any]) -> None:
    family = make(make_waves, shape, dtype)
    fit = nmc.pinv(family, (0.0, 1.0), tol=1e-10, rng=0)
    wanted = np.linalg.pinv(np.stack([family(p) for p in P]))
    assert fit.status == "converged"
    assert fit(0.3).shape == shape[::-1]
    assert np.linalg.norm(fit(P) - wanted) <= 1e-9 * np.linalg.norm(wanted)
    certificate = fit.certify(P)
    true = np.linalg.norm(fit(P) - wanted, axis=(1, 2)) / np.linalg.norm(wanted, axis=(1, 2))
    assert "no condition number" in certificate.theorem
    assert np.all(true <= certificate.error_bound + 1e-14)


def test_two_parameters(make_waves: Callable[..., Any]) -> None:
    family = make(make_waves, (7, 4), float)
    fit = nmc.pinv(family, {"k": (0.0, 1.0), "z": (-1.0, 1.0)}, tol=1e-8, basis="chebyshev", rng=0)
    points = fit.box.random(30, np.random.default_rng(3))
    wanted = np.linalg.pinv(np.stack([family(p) for p in points]))
    assert fit.status == "converged"
    assert np.linalg.norm(fit(points) - wanted) <= 1e-7 * np.linalg.norm(wanted)


def test_derivative_saved_and_loaded(make_waves: Callable[..., Any], tmp_path: Path) -> None:
    family, h = make(make_waves, (5, 8), float), 1e-5
    fit = nmc.pinv(family, (0.0, 1.0), tol=1e-10, rng=0)
    central = (np.linalg.pinv(family(0.4 + h)) - np.linalg.pinv(family(0.4 - h))) / (2 * h)
    assert np.allclose(fit.derivative()(0.4), central, rtol=1e-6, atol=1e-8)
    fit.save(tmp_path / "x.nmc")
    loaded = nmc.load(tmp_path / "x.nmc", matrix=family)
    assert loaded.operation == PseudoInverse(tall=False)
    assert loaded.certify(0.3).passed


def test_certified_answers_are_right_where_the_map_is_not(make_waves: Callable[..., Any]) -> None:
    family = make(make_waves, (9, 5), float)
    with pytest.warns(AccuracyWarning):
        fit = nmc.pinv(family, (0.0, 1.0), tol=1e-10, samples=3, rng=0)
    answer = fit.certified(1e-9)(P)
    wanted = np.linalg.pinv(np.stack([family(p) for p in P]))
    assert "exact" in answer.path
    assert np.linalg.norm(answer.value - wanted) <= 1e-8 * np.linalg.norm(wanted)


# rank ----------------------------------------------------------------------------------------------------------------


def test_a_deficient_matrix_is_named_with_its_p() -> None:
    with pytest.raises(RankError, match=r"At p = 0: `pinv` needs full rank, but A is 3 x 2 of numerical rank 1"):
        nmc.pinv(lambda p: np.array([[1.0, p], [1.0, 2 * p], [1.0, p]]), (0.0, 1.0))


def test_zero_has_no_rank_to_keep() -> None:
    with pytest.raises(RankError, match=r"`pinv` needs full rank, but A is 3 x 2 of numerical rank 0"):
        nmc.pinv(lambda p: np.zeros((3, 2)), (0.0, 1.0))


def test_a_rank_change_beside_the_middle_is_found() -> None:
    def matrix(p: float) -> Any:
        return np.array([[1.0, p], [0.0, max(0.0, p - 0.2)], [p, p * p]])

    with pytest.raises(RankError, match=r"sigma_min/sigma_max = .*rank of A\(p\) probably changes inside the box"):
        nmc.pinv(matrix, (0.0, 1.0), rng=0)


def test_a_rank_that_drops_at_one_p_only_is_never_answered_unwarned() -> None:
    def matrix(p: float) -> Any:
        return np.array([[1.0, p], [0.0, p - 0.3217], [p, p * p]])

    with pytest.warns(AccuracyWarning, match="held-out residual"):
        fit = nmc.pinv(matrix, (0.0, 1.0), samples=20, rng=0)
    with pytest.raises(RankError, match=r"At p = 0\.3217: "):
        fit.certified(1e-6)(0.3217)


def test_a_batch_names_the_point_that_failed() -> None:
    problem = nmc.Problem.of(lambda p: np.array([[1.0], [0.0]]) * p, (0.0, 1.0), PseudoInverse())
    points = np.array([[0.5], [0.0], [0.25]])
    with pytest.raises(RankError, match=r"At p = 0\.0: |At p = 0: "):
        problem.solve(problem.matrices(points), points)


def test_inverse_of_a_rectangle_points_here() -> None:
    with pytest.raises(InputError, match="Use `pinv`"):
        nmc.inv(lambda p: np.ones((2, 3)) + p, (0.0, 1.0))
