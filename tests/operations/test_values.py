"""Maps of values alone: svdvals, eigvalsh, slogdet."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import neumatc as nmc
from neumatc.errors import AccuracyWarning, OutsideBoxError
from neumatc.gauge import NoGauge
from neumatc.operations import EigenValues, LogDeterminant, SingularValues
from neumatc.operations.determinant import Turns
from neumatc.training import Interpolation, trainer_of

P = np.random.default_rng(0).uniform(0, 1, 60)
LINE = (0.0, 1.0)
REFERENCE: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "svdvals": (nmc.svdvals, np.linalg.svdvals),
    "eigvalsh": (nmc.eigvalsh, np.linalg.eigvalsh),
    "slogdet": (nmc.slogdet, np.linalg.slogdet),
}
VERBS = pytest.mark.parametrize("name", REFERENCE)
Q = np.linalg.qr(np.random.default_rng(3).standard_normal((8, 8)))[0]


def crossing(p: Any) -> Any:
    """Two families of levels, one rising and one falling, that know nothing of each other: every crossing is true."""
    at = np.ravel(p)
    rising = np.arange(4) + 1.0 + 2.3 * at[0] + 0.2 * np.sin(2 * at[-1])
    falling = np.arange(4) + 2.45 - 1.7 * at[0] + 0.2 * np.cos(at[-1])
    return (Q * np.concatenate([rising, falling])) @ Q.T


def worst(fit: nmc.Fit, family: Any, reference: Any, points: Any = P) -> float:
    """Largest error of values over the norm of A, or of a determinant over itself."""
    got = fit(points)
    wanted = [reference(family(p)) for p in points]
    if isinstance(got, tuple):
        sign, log = (np.array([w[i] for w in wanted]) for i in (0, 1))
        return float(np.abs(got.sign / sign * np.exp(got.logabsdet - log) - 1).max())
    norms = np.array([np.linalg.norm(family(p)) for p in points])
    return float((np.linalg.norm(got - np.array(wanted), axis=-1) / norms).max())


# as good as LAPACK ---------------------------------------------------------------------------------------------------


@VERBS
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
def test_smooth_families(name: str, dtype: str, make_waves: Callable[..., Any]) -> None:
    verb, reference = REFERENCE[name]
    family = make_waves(np.linspace(1, 2, 7), (7, 7), np.dtype(dtype), hermitian=True)
    double = np.dtype(dtype).itemsize // (1 + (np.dtype(dtype).kind == "c")) == 8
    fit = verb(family, LINE, tol=1e-11 if double else 1e-5, samples=140, rng=0)
    assert fit.status == "converged"
    assert worst(fit, family, reference) <= (1e-10 if double else 3e-5)
    got, wanted = fit(0.3), reference(family(0.3))
    for mine, theirs in zip(*((x if isinstance(x, tuple) else (x,)) for x in (got, wanted)), strict=True):
        assert np.shape(mine) == np.shape(theirs)
        assert np.asarray(mine).dtype == np.asarray(theirs).dtype
        assert type(mine) is type(theirs)
    if isinstance(got, tuple):
        assert got._fields == ("sign", "logabsdet")


def test_rectangles_in_both_directions(make_waves: Callable[..., Any]) -> None:
    for shape in ((6, 9), (9, 6)):
        family = make_waves(np.linspace(1, 3, 6), shape, complex)
        fit = nmc.svdvals(family, LINE, tol=1e-10, samples=200, rng=0)
        assert fit(P).shape == (60, 6)
        assert worst(fit, family, np.linalg.svdvals) <= 1e-10


@pytest.mark.parametrize("name", ["svdvals", "eigvalsh"])
@pytest.mark.parametrize("dimension", [1, 2])
def test_true_crossings_cost_nothing(name: str, dimension: int) -> None:
    """Sixteen crossings: followed values are as smooth as they were, sorted ones have a kink at each."""
    verb, reference = REFERENCE[name]
    box: Any = LINE if dimension == 1 else [(0.0, 1.0), (-1.0, 1.0)]
    points = P if dimension == 1 else np.random.default_rng(1).uniform([0, -1], [1, 1], (40, 2))
    options = {"tol": 1e-11, "samples": 40 if dimension == 1 else 300, "basis": "chebyshev", "rng": 0}
    fit = verb(crossing, box, **options)
    assert fit.status == "converged"
    assert worst(fit, crossing, reference, points) <= 1e-10
    followed = type(fit.operation).branches
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(fit.operation), "branches", lambda self, F, describe: followed(self, F, describe)[1:])
        with pytest.warns(AccuracyWarning, match="held-out residual"):
            kinked = verb(crossing, box, **options)
    assert worst(kinked, crossing, reference, points) > 1e-4


@pytest.mark.parametrize(("which", "kept"), [("lowest", slice(0, 3)), ("highest", slice(-3, None))])
def test_a_rank_whose_edge_is_crossed(which: str, kept: slice) -> None:
    fit = nmc.eigvalsh(crossing, LINE, rank=3, which=which, tol=1e-11, rng=0)
    assert fit.status == "converged"
    assert worst(fit, crossing, lambda A: np.linalg.eigvalsh(A)[kept]) <= 1e-10
    assert fit(P).shape == (60, 3)
    assert fit.surrogate.layout.size < 8  # no more than what ever comes near the three
    values = nmc.svdvals(crossing, LINE, rank=2, tol=1e-11, rng=0)
    assert worst(values, crossing, lambda A: np.linalg.svdvals(A)[:2]) <= 1e-10


def test_singular_values_that_reach_zero() -> None:
    """Stored is the signed value, smooth through zero; the user receives its size."""

    def family(p: float) -> Any:
        return (Q * (np.arange(8.0) - 3.3 - 2 * p + np.sin(p))) @ Q.T

    fit = nmc.svdvals(family, LINE, tol=1e-11, rng=0)
    assert fit.status == "converged"
    assert worst(fit, family, np.linalg.svdvals) <= 1e-10
    assert fit(P).min() >= 0


def test_an_avoided_crossing_between_the_samples_is_seen() -> None:
    """Vectors that swap look like a true crossing from afar; the place itself is held out."""

    def family(p: float) -> Any:
        return np.array([[p - 0.437, 1e-4], [1e-4, 0.437 - p]])

    with pytest.warns(AccuracyWarning, match="held-out residual"):
        fit = nmc.eigvalsh(family, LINE, tol=1e-9, samples=60, rng=0)
    assert 1e-5 < fit.error < 2


def test_degenerate_levels_and_one_that_passes_them() -> None:
    """Three levels that are always equal, and the crossing falls on the middle of the box, where a sample lies."""

    orthogonal = np.linalg.qr(Q[:5, :5])[0]
    fit = nmc.eigvalsh(lambda p: (orthogonal * [1.0, 1.0, 1.0, 2 * p, 3 - p]) @ orthogonal.T, LINE, tol=1e-10, rng=0)
    assert fit.status == "converged"
    np.testing.assert_allclose(fit(P)[:, -1], 3 - P, rtol=1e-9)


@pytest.mark.parametrize("sign", [1, -1])
def test_determinants_that_would_overflow(sign: int) -> None:
    def family(p: float) -> Any:
        return sign * 1e150 * (np.diag(np.arange(1.0, 8)) + 0.1 * np.sin(3 * p))

    fit = nmc.slogdet(family, LINE, tol=1e-10, rng=0)
    assert fit(0.3).sign == sign
    assert worst(fit, family, np.linalg.slogdet) <= 1e-9


def test_the_phase_is_followed_over_many_turns() -> None:
    def family(p: float) -> Any:
        return np.diag(np.exp(1j * np.linspace(-3, 9, 8) * 2 * p)) @ (np.eye(8) + 0.1 * Q)

    fit = nmc.slogdet(family, LINE, tol=1e-10, rng=0)
    assert worst(fit, family, np.linalg.slogdet) <= 1e-9
    np.testing.assert_allclose(np.abs(fit(P).sign), 1, rtol=1e-12)
    plane = nmc.slogdet(
        lambda p: family(0.3 * p[0] + 0.2 * p[1] ** 2), [LINE, LINE], tol=1e-6, samples=400, basis="chebyshev", rng=0
    )
    assert plane.status == "converged"


@pytest.mark.parametrize("name", ["svdvals", "eigvalsh"])
def test_matrices_beyond_the_range_of_norms(name: str) -> None:
    verb, reference = REFERENCE[name]
    for power in (-700, 600):
        fit = verb(lambda p, k=power: crossing(p) * 2.0**k, LINE, tol=1e-10, rng=0)
        np.testing.assert_allclose(fit(0.3) / 2.0**power, reference(crossing(0.3)), rtol=1e-9)


# slopes --------------------------------------------------------------------------------------------------------------


@VERBS
def test_derivative_is_the_slope_away_from_crossings(name: str) -> None:
    verb, reference = REFERENCE[name]
    fit, h = verb(crossing, LINE, tol=1e-11, rng=0), 1e-6
    for p in (0.11, 0.52, 0.93):
        ahead, behind = reference(crossing(p + h)), reference(crossing(p - h))
        came = fit.derivative()(p)
        if name == "slogdet":
            assert came.sign == 0
            came, ahead, behind = came.logabsdet, ahead.logabsdet, behind.logabsdet
        np.testing.assert_allclose(came, (ahead - behind) / (2 * h), atol=1e-6)


def test_derivative_of_a_phase_and_of_a_negative_branch() -> None:
    fit, h = nmc.slogdet(lambda p: np.exp(2j * p) * np.eye(3), LINE, rng=0), 1e-6
    slope = (np.exp(6j * (0.4 + h)) - np.exp(6j * (0.4 - h))) / (2 * h)
    np.testing.assert_allclose(fit.derivative()(0.4).sign, slope, rtol=1e-5)
    values = nmc.svdvals(lambda p: np.diag([p - 0.5, 2.0]), LINE, rng=0)
    np.testing.assert_allclose(values.derivative()([0.2, 0.8])[:, 1], [-1, 1], rtol=1e-6)


# certificates --------------------------------------------------------------------------------------------------------


@VERBS
def test_a_certificate_is_the_distance_from_exact_values(name: str) -> None:
    verb, reference = REFERENCE[name]
    with pytest.warns(AccuracyWarning, match="held-out residual"):
        fit = verb(lambda p: crossing(np.sin(25 * p) / 4 + 0.5), LINE, tol=1e-12, samples=14, rng=0)
    certificate = fit.certify(P)
    true = [worst(fit, lambda p: crossing(np.sin(25 * p) / 4 + 0.5), reference, [p]) for p in P]
    np.testing.assert_allclose(certificate.residual, true, rtol=1e-6, atol=1e-14)
    assert np.all(certificate.bound >= certificate.residual)
    assert certificate.confidence == 1.0
    assert "exact" in certificate.theorem
    assert not certificate.passed.all()


@VERBS
def test_certified_answers_are_exact_where_the_map_fails(name: str) -> None:
    verb, reference = REFERENCE[name]
    with pytest.warns(AccuracyWarning):
        fit = verb(lambda p: crossing(np.sin(25 * p) / 4 + 0.5), LINE, tol=1e-12, samples=14, rng=0)
    answer = fit.certified(1e-11)(P[:9])
    assert set(answer.path) <= {"surrogate", "exact"}
    assert "exact" in answer.path
    wanted = [reference(crossing(np.sin(25 * p) / 4 + 0.5)) for p in P[:9]]
    got = answer.value.logabsdet if name == "slogdet" else answer.value
    np.testing.assert_allclose(got, [w[1] if name == "slogdet" else w for w in wanted], rtol=1e-9, atol=1e-11)


def test_the_baseline_is_values_without_vectors() -> None:
    """An exact solve of the fit computes vectors, which a user of values would not pay for."""

    def family(p: float) -> Any:
        return np.diag(np.arange(120.0)) + p * np.eye(120)

    fit = nmc.svdvals(family, LINE, rng=0)
    assert fit.cost.exact_seconds < fit.cost.solve_seconds / fit.cost.solved


# files and neighbours ------------------------------------------------------------------------------------------------


@VERBS
def test_saved_and_loaded(name: str, tmp_path: Path) -> None:
    fit = REFERENCE[name][0](crossing, LINE, rng=0)
    fit.save(tmp_path / "values.nmc")
    again = nmc.load(tmp_path / "values.nmc", matrix=crossing)
    np.testing.assert_array_equal(again(0.3), fit(0.3))
    assert again.operation == fit.operation
    assert again.certify(0.3).passed


@VERBS
def test_torch_buffers_and_batches(name: str) -> None:
    fit = REFERENCE[name][0](crossing, LINE, rng=0)
    flat = fit(P)
    shaped = fit(torch.as_tensor(P.reshape(6, 10)))
    out = tuple(np.empty_like(part) for part in flat) if isinstance(flat, tuple) else np.empty_like(flat)
    fit(P, out=out)
    for mine, theirs, copy in zip(*((x if isinstance(x, tuple) else (x,)) for x in (flat, shaped, out)), strict=True):
        np.testing.assert_array_equal(mine.reshape(6, 10, *mine.shape[1:]), theirs.numpy())
        np.testing.assert_array_equal(mine, copy)
    alone = fit(torch.tensor(0.3))
    assert np.shape(alone[0]) == np.shape(fit(0.3)[0])


def test_values_beside_a_hole() -> None:
    """A determinant that vanishes in the hole keeps its sign on this side; values are followed past it."""
    box = nmc.Box.of(LINE).excluding(lambda p: 0.45 < p < 0.6)
    fit = nmc.eigvalsh(crossing, box, tol=1e-8, rng=0)
    beside = [p for p in P if not 0.45 < p < 0.6]
    assert worst(fit, crossing, np.linalg.eigvalsh, beside) <= 1e-7
    with pytest.raises(OutsideBoxError, match="inside the hole"):
        fit(0.5)
    pole = nmc.slogdet(
        lambda p: np.diag([p, 1.0 + p]), nmc.Box.of(LINE).excluding(failures=True), samples=40, tol=0.5, rng=0
    )
    np.testing.assert_array_equal(pole.excluded, [[0.0]])


def test_what_trainers_see() -> None:
    for operation in (SingularValues(), EigenValues(2), LogDeterminant()):
        assert operation.equations() == ()
        assert trainer_of(operation) is Interpolation
    assert isinstance(SingularValues().gauge, NoGauge)


def test_whole_turns_are_the_gauge_of_an_angle() -> None:
    gauge, F = Turns("angle"), {"log": np.zeros((4, 1, 1)), "angle": np.linspace(0, 9, 4)[:, None, None]}
    moved = gauge.align(gauge.move(F, np.random.default_rng(0)), F)
    np.testing.assert_allclose(moved["angle"], F["angle"], atol=1e-14)
