"""``certified`` by coefficients: each path, each stage, and the answers that leave."""

from typing import Any

import numpy as np
import pytest
from tests.core.affine_families import N, fitted, terms, theta

import neumatc as nmc
from neumatc.bases import Spline
from neumatc.errors import AccuracyWarning, CertificateError, InputError
from neumatc.latent.answers import LOOKS, Answers

P = np.random.default_rng(0).uniform(0, 1, 60)


def matrices(p: Any, kind: str = "general", coefficients: Any = theta) -> Any:
    return np.stack([np.tensordot(coefficients(q), terms(kind), 1) for q in np.ravel(p)])


def inverse_residuals(p: Any, X: Any, coefficients: Any = theta) -> Any:
    A = matrices(p, coefficients=coefficients)
    return np.linalg.norm(A @ X.reshape(A.shape) - np.eye(N), axis=(1, 2)).reshape(np.shape(p)) / np.sqrt(N)


def twisted(p: Any) -> Any:
    """θ with a bump that no sample falls into, and is so high that the inverse there is not in the span."""
    return theta(p) + np.array([0.0, 40.0 * max(0.0, 1 - abs(p - 0.41237) / 1e-5), 0.0])


@pytest.fixture(scope="module")
def poor() -> Any:
    """A linear spline over a good span: every answer needs correction."""
    with pytest.warns(AccuracyWarning):
        fit: Any = nmc.inv(
            nmc.Affine(list(terms("general")), theta), (0.0, 1.0), samples=30, tol=1e-9, basis=Spline(degree=1), rng=0
        )
    return fit


@pytest.fixture(scope="module")
def spiked() -> Any:
    fit: Any = nmc.inv(nmc.Affine(list(terms("general")), twisted), (0.0, 1.0), tol=1e-9, rng=0)
    assert fit.status == "converged"
    return fit


def test_good_answers_are_those_of_the_map(spiked: Any) -> None:
    answer = spiked.certified(1e-7)(P)
    assert set(answer.path) == {"surrogate"}
    np.testing.assert_array_equal(answer.value, spiked(P))
    assert np.all(inverse_residuals(P, answer.value, twisted) <= answer.certificate.bound)


@pytest.fixture(scope="module")
def between(poor: Any) -> Any:
    """Points that do not happen to lie beside a knot of the poor curve."""
    points = P[inverse_residuals(P, poor(P)) > 3e-9]
    assert len(points) > 50
    return points


def test_a_poor_curve_is_corrected(poor: Any, between: Any) -> None:
    answer = poor.certified(3e-9, on_fail="raise")(between)
    assert set(answer.path) == {"corrected"}
    true = inverse_residuals(between, answer.value)
    assert np.all(true <= answer.certificate.bound)
    assert answer.certificate.bound.max() <= 3e-9


def test_no_matrix_is_built_for_a_corrected_answer(poor: Any, between: Any) -> None:
    poor.certified(3e-9)(between[:2])
    built = poor.problem_or_raise.meter.built
    answer = poor.certified(3e-9)(between)
    assert set(answer.path) == {"corrected"}
    assert poor.problem_or_raise.meter.built == built


def test_what_the_span_does_not_hold_is_solved(spiked: Any) -> None:
    p = np.array([[0.2, 0.41237], [0.412372, 0.9]])
    answer = spiked.certified(1e-7)(p)
    assert answer.path.tolist() == [["surrogate", "exact"], ["exact", "surrogate"]]
    assert answer.value.shape == (2, 2, N, N)
    assert answer.certificate.bound.shape == (2, 2)
    true = inverse_residuals(p, answer.value, twisted)
    assert true.max() <= 1e-7
    assert np.all(true <= answer.certificate.bound)


def test_raise_instead_of_solving(spiked: Any) -> None:
    with pytest.raises(CertificateError, match=r"tol = 1\.0e-07 at p = 0\.41237: the bound of the corr"):
        spiked.certified(1e-7, on_fail="raise")(0.41237)


def test_a_tolerance_below_rounding_raises(spiked: Any) -> None:
    with pytest.raises(CertificateError, match="the bound of the exact solve is"):
        spiked.certified(1e-18)(0.2)


def test_the_formed_answer_is_the_second_opinion(spiked: Any) -> None:
    """Between the two safety factors the smaller one decides, and at rounding level, where φ cannot."""
    answers = Answers(spiked.latent, spiked.checker, 1.0, True, True)
    x = spiked.box.to_unit(P[:1, None])
    by_phi = answers.judged(P[:1, None], x, 2).bound[0]
    A, F = matrices(P[:1], coefficients=twisted), {"X": spiked(P[:1])}
    by_form = spiked.checker.certificate(A, F, 1.0, 2).bound[0]
    assert by_form < by_phi
    tol = 0.5 * (by_form + by_phi)
    certificate = spiked.certify(P[0], tol=tol)
    assert certificate.passed
    assert certificate.bound == pytest.approx(by_form)
    assert spiked.certify(P[0], tol=2 * by_phi).bound == pytest.approx(by_phi)


def test_formed_answers_that_were_checked_are_those_that_leave(spiked: Any) -> None:
    """Where φ alone does not pass, the very numbers that were probed are returned."""
    p, looks = P[:1], LOOKS
    answers = Answers(spiked.latent, spiked.checker, 1.0, True, True)
    looser = answers.judged(p[:, None], spiked.box.to_unit(p[:, None]), looks).bound[0]
    A = matrices(p, coefficients=twisted)
    tighter = spiked.checker.certificate(A, {"X": spiked(p)}, 1.0, looks).bound[0]
    answer = spiked.certified(0.5 * (looser + tighter))(p)
    assert answer.path.tolist() == ["surrogate"]
    np.testing.assert_allclose(answer.value, spiked(p), rtol=1e-12, atol=1e-14)
    again = spiked.checker.certificate(A, {"X": answer.value}, 1.0, looks).bound
    np.testing.assert_allclose(answer.certificate.bound, again, rtol=1e-9)


def test_confidence_is_shared_among_all_looks(spiked: Any) -> None:
    checker = spiked.latent.checker
    assert checker is not None
    certificate = spiked.certified(1e-6)(P).certificate
    factor = checker.factors(LOOKS * len(P))[0]
    assert np.all(certificate.bound >= factor * certificate.residual)
    assert certificate.confidence == pytest.approx(1 - 1e-3)


@pytest.mark.parametrize("verb", ["qr", "cholesky", "eigh", "svd", "sqrtm"])
def test_every_operation(verb: str) -> None:
    fit = fitted(verb, samples=14)
    answer = fit.certified(1e-6)(P[:20])
    assert answer.certificate.bound.max() <= 1e-6
    A = matrices(P[:20], {"qr": "general", "svd": "values", "eigh": "apart"}.get(verb, "definite"))
    if verb in ("qr", "svd"):
        parts = answer.value
        product = parts[0] @ parts[1] if verb == "qr" else (parts[0] * parts[1][:, None]) @ parts[2]
    elif verb == "eigh":
        product = (answer.value[1] * answer.value[0][:, None]) @ answer.value[1].swapaxes(1, 2)
    else:
        product = answer.value @ (answer.value.swapaxes(1, 2) if verb == "cholesky" else answer.value)
    assert np.linalg.norm(product - A, axis=(1, 2)).max() <= 1e-5 * np.linalg.norm(A, axis=(1, 2)).min()


@pytest.mark.parametrize("verb", ["inv", "svd", "sqrtm"])
def test_out_is_written(verb: str) -> None:
    fit = fitted(verb, samples=14)
    wanted = fit.certified(1e-4)(P[:5]).value
    several = isinstance(wanted, tuple)
    out = tuple(np.empty_like(X) for X in wanted) if several else np.empty_like(wanted)
    answer = fit.certified(1e-4)(P[:5], out)
    assert answer.value is out
    for mine, theirs in zip(out, wanted, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    with pytest.raises(InputError, match="`out` must"):
        fit.certified(1e-4)(P[:4], out)


def test_exact_answers_are_written_into_out_too(spiked: Any) -> None:
    p, out = np.array([0.2, 0.41237]), np.empty((2, N, N))
    answer = spiked.certified(1e-7)(p, out)
    assert answer.path.tolist() == ["surrogate", "exact"]
    assert inverse_residuals(p, out, twisted).max() <= 1e-7


def test_one_point_and_torch(spiked: Any) -> None:
    torch = pytest.importorskip("torch")
    one = spiked.certified(1e-7)(0.41237)
    assert one.path == "exact"
    assert isinstance(one.path, str)
    assert one.value.shape == (N, N)
    assert np.shape(one.certificate.bound) == ()
    several = spiked.certified(1e-7)(torch.tensor([0.1, 0.41237], dtype=torch.float64))
    assert isinstance(several.value, torch.Tensor)
    assert several.path.tolist() == ["surrogate", "exact"]


@pytest.mark.parametrize("dtype", [np.float32, np.complex64])
def test_single_precision(dtype: Any) -> None:
    fit = fitted("inv", np.dtype(dtype).kind == "c", dtype=dtype, samples=14, tol=1e-4)
    assert fit.latent.certifies
    answer = fit.certified(1e-3)(P)
    assert answer.value.dtype == dtype
    assert answer.certificate.bound.max() <= 1e-3
    with pytest.raises(CertificateError, match=f"precision of {np.dtype(dtype)}"):
        fit.certified(1e-9)(P[:3])


def test_no_points_no_answers(spiked: Any) -> None:
    answer = spiked.certified(1e-7)(np.empty(0))
    assert answer.value.shape == (0, N, N)
    assert answer.path.shape == answer.certificate.bound.shape == (0,)
