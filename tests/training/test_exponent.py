"""Labels of the logarithm: Gauss-Newton on ``exp(X) = A``, with the exponential known by its action alone."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.linalg

import neumatc as nmc
from neumatc.action import Derivative
from neumatc.equations import equal, exponential, known, unknown
from neumatc.gallery import SyntheticInverse
from neumatc.operations import Exponential, Logarithm, SquareRoot
from neumatc.training import MOST_EXPONENTS, Collocation, Interpolation, trainer_of
from neumatc.training.labels import is_exponential, seeks_exponent

X, A = unknown("X"), known("A")


@pytest.mark.parametrize("size", [0.1, 3.0, 10.0])
@pytest.mark.parametrize("dtype", [float, complex], ids=["real", "complex"])
def test_derivative_agrees_with_scipy(dtype: Any, size: float) -> None:
    rng = np.random.default_rng(0)
    M, E, W, Z = (rng.standard_normal((5, 6, 6)) + (1j * rng.standard_normal((5, 6, 6)) if dtype is complex else 0)
                  for _ in range(4))  # fmt: skip
    M = size * M[:2] / np.linalg.norm(M[:2], 2, (1, 2))[:, None, None]
    found = Derivative(M, W[:2, :3], Z[:2, :, :4])(E)
    for b in range(2):
        wanted = [W[b, :3] @ scipy.linalg.expm_frechet(M[b], each, compute_expm=False) @ Z[b, :, :4] for each in E]
        assert np.linalg.norm(found[b] - wanted) <= 1e-3 * np.linalg.norm(wanted)


def test_derivative_of_many_directions_is_cut_into_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    M, W, Z, E = (rng.standard_normal(shape) for shape in ((2, 6, 6), (2, 3, 6), (2, 6, 4), (5, 6, 6)))
    at_once = Derivative(M, W, Z)(E)
    monkeypatch.setattr("neumatc.action.HELD", 1)
    np.testing.assert_allclose(Derivative(M, W, Z)(E), at_once, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("equation", "sought"),
    [
        (equal(exponential(X), A), True),
        (equal(exponential(X), A @ A + A), True),
        (equal(X, exponential(A)), False),
        (equal(exponential(X), X), False),
        (equal(A @ exponential(X), A), False),
        (equal(exponential(X.H), A), False),
        (equal(X @ X, A), False),
    ],
)
def test_only_exponents_are_sought(equation: Any, sought: bool) -> None:
    assert is_exponential(equation) is sought


def test_trainer_follows_from_the_equation() -> None:
    assert [seeks_exponent(operation) for operation in (Logarithm(), Exponential(), SquareRoot())] == [1, 0, 0]
    assert trainer_of(Logarithm(), 1, 80) is Collocation
    assert trainer_of(Logarithm(), 2, MOST_EXPONENTS) is Collocation
    assert trainer_of(Logarithm(), 2, MOST_EXPONENTS + 1) is Interpolation


def nearest(fit: nmc.Fit, exact: Any) -> Any:
    """The best the span contains, real coefficients."""
    C = fit.surrogate.slices()["X"].reshape(fit.surrogate.d, -1)
    rows, wanted = (np.concatenate([M.real, M.imag], -1) for M in (C, exact.reshape(len(exact), -1)))
    phi = np.linalg.lstsq(rows.T, wanted.T, rcond=None)[0]
    return (phi.T @ C).reshape(exact.shape)


@pytest.mark.parametrize("dimension", [1, 2])
@pytest.mark.parametrize("variant", ["easy", "spd"])
@pytest.mark.parametrize("is_complex", [False, True], ids=["real", "complex"])
@pytest.mark.filterwarnings("ignore::neumatc.errors.AccuracyWarning")
def test_curve_is_near_the_best_of_the_span(is_complex: bool, variant: str, dimension: int) -> None:
    band = (0.3, 0.6) if dimension == 1 else (0.0, 0.2)
    family = SyntheticInverse(
        n=12, rank=3, cond=100.0 if variant == "spd" else 3.0, variant=variant, complex=is_complex, band=band,
        dimensions=dimension, seed=1,
    )  # fmt: skip
    fit = nmc.logm(family, family.box, tol=1e-13, samples=24 if dimension == 1 else 30, rng=0)
    points = np.random.default_rng(3).uniform(0, 1, (20, dimension))
    p = points[:, 0] if dimension == 1 else points
    exact = Logarithm().exact(np.stack([family(each) for each in p]))["X"]
    size = np.linalg.norm(exact, axis=(1, 2))
    error, best = (np.linalg.norm(F - exact, axis=(1, 2)) / size for F in (fit(p), nearest(fit, exact)))
    assert fit.cost.solved <= len(fit.samples) + 1
    assert error.max() <= max(1.5 * best.max(), 1e-13)


def test_single_precision(make_waves: Callable[..., Any]) -> None:
    waves = make_waves(np.linspace(1, 2, 6), (6, 6), np.dtype("float32"))
    fit = nmc.logm(lambda p: waves(p) + 2 * np.eye(6, dtype=np.float32), (0.0, 1.0), tol=1e-4, samples=40, rng=0)
    assert fit.status == "converged"
    assert fit(0.3).dtype == np.float32
