"""Exponential and logarithm over parameters: no polynomial equation, an exact action instead."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.linalg

import neumatc as nmc
from neumatc.errors import AccuracyWarning, ExactSolveError, InputError
from neumatc.operations import Exponential, Logarithm
from neumatc.testing import OPERATION_LAWS

P = np.random.default_rng(0).uniform(0, 1, 40)
VERBS: dict[str, tuple[Any, Any, Any]] = {
    "expm": (Exponential(), nmc.expm, scipy.linalg.expm),
    "logm": (Logarithm(), nmc.logm, scipy.linalg.logm),
}


@pytest.fixture(scope="module", params=VERBS)
def verb(request: pytest.FixtureRequest) -> tuple[Any, Any, Any]:
    return VERBS[request.param]


@pytest.mark.parametrize("law", OPERATION_LAWS.values(), ids=OPERATION_LAWS)
@pytest.mark.parametrize("hermitian", [True, False], ids=["hermitian", "general"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
def test_laws(law: Callable[..., None], dtype: str, hermitian: bool, verb: Any, make_waves: Callable[..., Any]) -> None:
    family = make_waves(np.linspace(1, 2, 7), (7, 7), np.dtype(dtype), hermitian=hermitian)
    shift = 2 * np.eye(7, dtype=dtype)  # away from the negative axis
    law(verb[0], np.stack([family(p) + shift for p in (0.1, 0.5, 0.8)]), np.random.default_rng(2))


@pytest.mark.parametrize("dimension", [1, 2])
@pytest.mark.parametrize("dtype", [float, complex], ids=["real", "complex"])
def test_fit_agrees_with_scipy(verb: Any, dtype: Any, dimension: int, make_waves: Callable[..., Any]) -> None:
    _, fitted, exact = verb
    waves = make_waves(np.linspace(1, 2, 6), (6, 6), dtype)

    def family(p: Any) -> Any:
        return waves(p) + 2 * np.eye(6)

    box: Any = (0.0, 1.0) if dimension == 1 else [(0.0, 1.0), (-1.0, 1.0)]
    fit = fitted(family, box, tol=1e-8, samples=60 if dimension == 1 else 400, basis="chebyshev", rng=0)
    points = P if dimension == 1 else np.random.default_rng(1).uniform([0, -1], [1, 1], (20, 2))
    wanted = np.stack([exact(family(p)) for p in points])
    assert fit.status == "converged"
    assert np.isrealobj(fit(points[0])) == (dtype is float)
    error = np.linalg.norm(fit(points) - wanted, axis=(1, 2)) / np.linalg.norm(wanted, axis=(1, 2))
    assert error.max() <= 3e-8
    certificate = fit.certify(points)
    assert np.all(certificate.passed)


def test_the_bound_of_expm_is_the_error(make_waves: Callable[..., Any]) -> None:
    family = make_waves(np.linspace(1, 2, 40), (40, 40), float)
    with pytest.warns(AccuracyWarning):
        fit = nmc.expm(family, (0.0, 1.0), samples=5, tol=1e-10, rng=0)
    wanted = np.stack([scipy.linalg.expm(family(p)) for p in P])
    error = np.linalg.norm(fit(P) - wanted, axis=(1, 2)) / np.linalg.norm(wanted, axis=(1, 2))
    assert np.all(error <= fit.certify(P).error_bound)


def test_certified_answers_are_right_by_every_path(verb: Any, make_waves: Callable[..., Any]) -> None:
    operation, fitted, exact = verb
    waves = make_waves(np.linspace(1, 2, 6), (6, 6), float)

    def family(p: Any) -> Any:
        return waves(p) + 2 * np.eye(6)

    with pytest.warns(AccuracyWarning):
        fit = fitted(family, (0.0, 1.0), samples=7, tol=1e-11, rng=0)
    answer = fit.certified(tol=1e-11)(P)
    wanted = np.stack([exact(family(p)) for p in P])
    assert np.linalg.norm(answer.value - wanted) <= 1e-9 * np.linalg.norm(wanted)
    assert "exact" in answer.path
    assert ("corrected" in answer.path) <= (operation.name == "expm")


def test_saved_and_loaded(verb: Any, make_waves: Callable[..., Any], tmp_path: Path) -> None:
    waves = make_waves(np.linspace(3, 4, 5), (5, 5), complex)
    fit = verb[1](waves, (0.0, 1.0), rng=0)
    fit.save(tmp_path / "map.nmc")
    again = nmc.load(tmp_path / "map.nmc", matrix=waves)
    np.testing.assert_array_equal(again(0.3), fit(0.3))
    assert again.certify(0.3).passed


def test_derivative_of_expm_is_its_slope(make_waves: Callable[..., Any]) -> None:
    family = make_waves(np.linspace(1, 2, 5), (5, 5), float)
    fit, h = nmc.expm(family, (0.0, 1.0), rng=0), 1e-5
    slope = (scipy.linalg.expm(family(0.4 + h)) - scipy.linalg.expm(family(0.4 - h))) / (2 * h)
    assert np.linalg.norm(fit.derivative()(0.4) - slope) <= 1e-6 * np.linalg.norm(slope)


def test_crossing_the_branch_cut_is_an_error() -> None:
    with pytest.raises(ExactSolveError, match=r"(?s)At p = .*closed negative real axis, but -.* is one"):
        nmc.logm(lambda p: np.diag([1.0, p - 0.5]), (0.0, 1.0), rng=0)


def test_square_matrices_only(verb: Any) -> None:
    with pytest.raises(InputError, match=r"needs square matrices, but A\(p\) is 2 x 3"):
        verb[1](lambda p: np.ones((2, 3)) * p, (0.0, 1.0))
