"""Correction of affine families: the same equations without the matrices, and as good as the span allows."""

import threading
from typing import Any

import numpy as np
import pytest
from tests.core.affine_families import KINDS, complex_theta, fitted, terms, theta, theta_2d

import neumatc as nmc
from neumatc.arrays import is_complex
from neumatc.equations import residual
from neumatc.errors import AccuracyWarning, InputError
from neumatc.latent.model import Latent
from neumatc.latent.steps import FEW
from neumatc.probes import probe_counts

P = np.random.default_rng(0).uniform(0, 1, 12)

_made: dict[Any, Any] = {}


def one(verb: str, complex_: bool = False, coefficients: Any = theta, dtype: Any = None) -> Any:
    key = (verb, complex_, coefficients, dtype)
    if key not in _made:
        options = {"samples": 25} if coefficients is theta_2d else {}
        _made[key] = fitted(verb, complex_, coefficients, dtype, **options)
    return _made[key]


def points_of(fit: Any, count: int = 12) -> Any:
    return np.random.default_rng(0).uniform(0, 1, (count, fit.box.dimension))


def residuals(fit: Any, A: Any, phi: Any) -> Any:
    F = fit.operation.canonical(fit.latent.factors(phi))
    return residual(fit.operation.equations(), {**fit.operation.given(A), **F})


def best(fit: Any, A: Any) -> Any:
    """Real coefficients of the Frobenius projection of the exact factors onto the span."""
    phi = fit.surrogate.curve(fit.box.to_unit(points_of(fit, len(A))))
    exact = fit.operation.gauge.align(fit.operation.exact(A), fit.latent.factors(phi))
    exact = fit.problem_or_raise.unscale(exact)
    C = fit.surrogate.C.astype(complex if is_complex(fit.surrogate.C.dtype) else float)
    flat = fit.surrogate.layout.pack(exact, np.empty((len(A), C.shape[1]), C.dtype))
    if fit.surrogate.complex_coefficients:
        coefficients: Any = np.linalg.lstsq(C.T, flat.T, rcond=None)[0].T
        return np.ascontiguousarray(coefficients).view(float)
    rows, right = (X.view(float) if is_complex(C.dtype) else X for X in (C, flat))
    return np.linalg.lstsq(rows.T, right.T, rcond=None)[0].T


# the sums are the equations ------------------------------------------------------------------------------------------

CASES = [(verb, False, theta) for verb in KINDS] + [
    ("inv", True, theta),
    ("inv", True, complex_theta),
    ("qr", True, complex_theta),
    ("inv", False, theta_2d),
]
IDS = [f"{verb}{'-complex' * complex_}-{coefficients.__name__}" for verb, complex_, coefficients in CASES]


@pytest.mark.parametrize(("verb", "complex_", "coefficients"), CASES, ids=IDS)
def test_sums_over_the_terms_are_the_equations_of_the_matrix(verb: str, complex_: bool, coefficients: Any) -> None:
    fit = one(verb, complex_, coefficients)
    points = points_of(fit)
    A = fit.problem_or_raise.matrices(points)
    assert fit.latent.reduction is not None
    sums, formed = fit.latent.reduced(fit.latent.at(points)), fit.corrector.reduce(fit.operation.given(A))
    for name in ("a", "L"):
        mine, theirs = getattr(sums, name), getattr(formed, name)
        np.testing.assert_allclose(mine, theirs, atol=1e-12 * np.abs(theirs).max(initial=1.0))
    assert (sums.T is None) == (formed.T is None)


def test_a_quadratic_term_that_follows_p_is_summed_too() -> None:
    rng = np.random.default_rng(0)
    first = np.diag(np.arange(1.0, 9.0))
    change, metric = rng.standard_normal((2, 8, 8)) / 20
    A = nmc.Affine([first, change + change.T], lambda p: [1.0, p])
    B = nmc.Affine([np.eye(8), metric + metric.T], lambda p: [1.0, p])
    fit: Any = nmc.eigh(A, (0.0, 1.0), B=B, tol=1e-8, rng=0)
    assert fit.latent.reduction is not None
    assert not fit.latent.reduction.steady
    assert fit.latent.steps is None
    points = points_of(fit)
    formed = fit.corrector.reduce(fit.operation.given(fit.problem_or_raise.matrices(points)))
    np.testing.assert_allclose(fit.latent.reduced(fit.latent.at(points)).T, formed.T, atol=1e-13)


def test_an_operation_that_is_not_linear_in_the_given_matrices_is_found_out() -> None:
    """``B R⁻¹ Bᴴ`` of a Riccati equation is none of its terms' sum."""
    A = -np.diag(np.arange(1.0, 5.0))
    B = nmc.Affine([np.eye(4), 0.1 * np.ones((4, 4))], lambda p: [1.0, p])
    fit: Any = nmc.riccati(A, B, np.eye(4), np.eye(4), (0.0, 1.0), tol=1e-6, rng=0)
    assert fit.latent.terms is not None
    assert fit.latent.reduction is None
    assert np.abs(fit.corrected(P) - fit(P)).max() < 1e-5


def test_several_matrices_and_constants_are_one_sum() -> None:
    matrices = terms("general", 12)
    b = np.arange(24.0).reshape(12, 2)
    fit: Any = nmc.solve(nmc.Affine(list(matrices), complex_theta), b, (0.0, 1.0), rng=0)
    points = points_of(fit)
    latent = fit.latent
    assert latent.terms is not None
    assert latent.terms.matrices.shape[0] == 7  # three complex coefficients, and the constant
    coefficients = latent.terms.theta(points)
    sums = np.tensordot(coefficients, latent.terms.matrices, 1)
    np.testing.assert_allclose(sums, fit.problem_or_raise.matrices(points), atol=1e-13)
    X = fit.corrected(0.3)
    np.testing.assert_allclose(np.tensordot(complex_theta(0.3), matrices, 1) @ X, b, atol=1e-6)


def test_a_function_is_no_sum_and_is_corrected_all_the_same() -> None:
    matrices = terms("general")
    fit: Any = nmc.inv(lambda p: np.tensordot(theta(p), matrices, 1), (0.0, 1.0), rng=0)
    assert fit.latent.terms is None
    X = fit.corrected(P)
    A = np.stack([np.tensordot(theta(p), matrices, 1) for p in P])
    assert np.abs(A @ X - np.eye(len(matrices[0]))).max() < 1e-6


@pytest.mark.parametrize("power", [500, -500])
def test_powers_of_two_change_nothing_but_the_scale(power: int) -> None:
    plain = one("inv")
    scaled = nmc.Affine(list(np.ldexp(terms("general"), power)), theta)
    with pytest.warns(AccuracyWarning):
        fit: Any = nmc.inv(scaled, (0.0, 1.0), samples=9, tol=1e-13, rng=0)
    np.testing.assert_allclose(np.ldexp(fit.corrected(P), power), plain.corrected(P), rtol=1e-9, atol=1e-12)


# fewer equations -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["inv", "qr"])
def test_compressed_equations_have_the_same_norm_everywhere(verb: str) -> None:
    fit = one(verb)
    reduction = fit.latent.reduction
    assert reduction is not None
    fewer = reduction.compressed()
    assert fewer.rows < reduction.rows
    rng = np.random.default_rng(3)
    coefficients, phi = rng.standard_normal((20, 3)), rng.standard_normal((20, reduction.unknowns))
    np.testing.assert_allclose(fewer.at(coefficients).norm(phi), reduction.at(coefficients).norm(phi), rtol=1e-11)
    small = fit.latent.corrected(fit.latent.at(points_of(fit)), fit.surrogate.curve(fit.box.to_unit(points_of(fit))))
    at = fit.latent.terms.theta(points_of(fit)) if fit.latent.terms else coefficients
    scale = np.linalg.norm(reduction.at(at).a, axis=1)
    assert np.abs(fewer.at(at).norm(small) - reduction.at(at).norm(small)).max() < 1e-12 * scale.max()


def test_mixed_equations_have_the_same_norm_on_average() -> None:
    reduction = one("qr").latent.reduction
    assert reduction is not None
    rng = np.random.default_rng(4)
    t, phi = rng.standard_normal((1, 3)), rng.standard_normal((1, reduction.unknowns))
    true = reduction.at(t).norm(phi)[0] ** 2
    found = [reduction.mixed(30, rng).at(t).norm(phi)[0] ** 2 for _ in range(100)]
    # Each is a chi-square variable of 30 degrees of freedom over 30.
    assert abs(np.mean(found) / true - 1) < 5 * np.sqrt(2 / 30 / 100)


@pytest.mark.parametrize("unknowns", [8, 40, 80, 200])
def test_complex_equations_are_worth_two(unknowns: int) -> None:
    """Half of the left probes, and still five real equations for every real unknown."""
    A = np.eye(20)[None]
    (left, right), (fewer, more) = (probe_counts(unknowns, {"A": A}, doubled=one) for one in (False, True))
    assert right <= more <= right + 1
    assert fewer <= (left + 1) // 2
    assert fewer % 4 == 0
    assert 2 * fewer * more >= 5 * unknowns
    assert probe_counts(unknowns, {"A": A}, columns=right, doubled=True)[1] == right
    badly = np.diag(np.geomspace(1, 1e-4, 20))[None]
    assert probe_counts(unknowns, {"A": badly}, doubled=True) == probe_counts(unknowns, {"A": badly})


# as good as the span -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("verb", "complex_", "coefficients"), CASES, ids=IDS)
@pytest.mark.parametrize("library", ["numpy", "torch"])
@pytest.mark.parametrize("count", [FEW, FEW + 1])
def test_steps_reach_the_best_of_the_span(
    verb: str, complex_: bool, coefficients: Any, library: str, count: int
) -> None:
    fit = one(verb, complex_, coefficients)
    points = points_of(fit, count)
    A = fit.problem_or_raise.matrices(points)
    ideal = best(fit, A)
    noise = np.random.default_rng(2).standard_normal(ideal.shape)
    share = 1e-2 if verb in ("inv", "cholesky", "qr", "sqrtm") else 1e-3
    noise *= share / np.linalg.norm(noise, axis=1, keepdims=True)
    start = ideal + noise * np.linalg.norm(ideal, axis=1, keepdims=True)
    steps, coefficients_there = fit.latent.steps, fit.latent.at(points).theta
    assert steps is not None
    if library == "torch":
        torch = pytest.importorskip("torch")
        t = torch.from_numpy(np.column_stack([np.ones(len(points)), coefficients_there]))
        tensor = torch.from_numpy(start)
        found, sound = (x.numpy() for x in steps.like(tensor).run(tensor, t))
    else:
        t = np.column_stack([np.ones(len(points)), coefficients_there])
        found, sound = steps.run(start, t)
    assert sound.all()
    wanted = residuals(fit, A, ideal)
    assert residuals(fit, A, start).min() > 5 * wanted.max()
    assert np.all(residuals(fit, A, found) <= 1.5 * wanted)


def test_a_lost_start_goes_the_safe_way() -> None:
    """From a start of zeros the Jacobian of a root is zero: the engine says so, and nothing is made worse."""
    fit = one("cholesky")
    places, steps = fit.latent.at(points_of(fit, 3)), fit.latent.steps
    assert steps is not None
    phi = fit.surrogate.curve(fit.box.to_unit(places.points))
    start = np.stack([phi[0], 0 * phi[1], phi[2]])
    assert places.theta is not None
    _, sound = steps(start, places.theta)
    assert sound.tolist() == [True, False, True]
    found = fit.latent.corrected(places, start)
    assert np.isfinite(found).all()
    before, after = (fit.latent.reduced(places).norm(x) for x in (start, found))
    assert np.all(after <= before * (1 + 1e-9))
    np.testing.assert_array_equal(found[1], fit.latent.solved(places[1:2], start[1:2])[0])


def test_a_good_start_is_not_spoilt() -> None:
    fit = one("sqrtm")
    points = points_of(fit)
    A = fit.problem_or_raise.matrices(points)
    ideal = best(fit, A)
    found = fit.latent.corrected(fit.latent.at(points), ideal)
    assert np.all(residuals(fit, A, found) <= 1.1 * residuals(fit, A, ideal))


def test_equations_too_large_for_the_engine_take_the_other_way(monkeypatch: pytest.MonkeyPatch) -> None:
    fit = one("qr")
    monkeypatch.setattr("neumatc.latent.model.CORRECTED_NUMBERS", 100_000)
    other = Latent(fit.problem_or_raise, fit.surrogate, fit.samples, fit.seed, True)
    assert other.steps is None
    places = other.at(points_of(fit))
    phi = fit.surrogate.curve(fit.box.to_unit(places.points))
    A = fit.problem_or_raise.matrices(places.points)
    np.testing.assert_allclose(
        residuals(fit, A, other.corrected(places, phi)), residuals(fit, A, fit.latent.corrected(places, phi)), rtol=0.3
    )


# f.corrected ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["inv", "qr", "svd"])
@pytest.mark.parametrize("p", [0.3, [0.1, 0.7], np.full((2, 3), 0.4)], ids=["one", "list", "matrix"])
def test_corrected_answers_look_like_the_plain_ones(verb: str, p: Any) -> None:
    fit = one(verb)
    plain, better = fit(p), fit.corrected(p)
    assert type(plain) is type(better)
    both = zip(plain, better, strict=True) if isinstance(plain, tuple) else [(plain, better)]
    for one_, other in both:
        assert (one_.shape, one_.dtype) == (other.shape, other.dtype)
        np.testing.assert_allclose(other, one_, atol=1e-2 * np.abs(one_).max())


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
def test_every_precision(dtype: Any) -> None:
    complex_ = np.dtype(dtype).kind == "c"
    fit = one("inv", complex_, dtype=dtype)
    X = fit.corrected(P)
    assert X.dtype == dtype
    A = np.stack([np.tensordot(theta(p), terms("general", complex_=complex_), 1) for p in P])
    assert np.abs(A @ X - np.eye(A.shape[-1])).max() < (1e-3 if np.finfo(dtype).bits == 32 else 1e-5)


def test_out_is_written_and_checked() -> None:
    fit = one("qr")
    wanted = fit.corrected(P)
    out = tuple(np.empty_like(X) for X in wanted)
    assert fit.corrected(P, out) is out
    for mine, theirs in zip(out, wanted, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    with pytest.raises(InputError, match="`out` must be a writeable, C-contiguous array"):
        fit.corrected(P, (out[0][:3], out[1]))
    with pytest.raises(InputError, match="`out` must hold 2 arrays, got 1"):
        fit.corrected(P, out[0])


def test_torch_in_torch_out() -> None:
    torch = pytest.importorskip("torch")
    X = one("inv").corrected(torch.tensor(P))
    assert isinstance(X, torch.Tensor)
    np.testing.assert_array_equal(X.numpy(), one("inv").corrected(P))


def test_two_parameters() -> None:
    fit = one("inv", False, theta_2d)
    p = points_of(fit)
    A = fit.problem_or_raise.matrices(p)
    X = fit.corrected(p)
    assert X.shape == fit(p).shape
    assert np.abs(A @ X - np.eye(A.shape[-1])).max() < 1e-6


def test_no_points_no_answers() -> None:
    fit = one("inv")
    assert fit.corrected(np.empty(0)).shape == fit(np.empty(0)).shape


def test_values_alone_cannot_be_corrected() -> None:
    fit: Any = nmc.svdvals(nmc.Affine(list(terms("values", 8)), theta), (0.0, 1.0), tol=1e-4, rng=0)
    with pytest.raises(InputError, match=r"`corrected` needs equations.*Values alone.*certified"):
        fit.corrected(0.3)


def test_the_same_seed_gives_the_same_bits() -> None:
    first, second = fitted("cholesky"), fitted("cholesky")
    np.testing.assert_array_equal(first.corrected(P), second.corrected(P))


def test_threads_may_meet_at_the_first_use() -> None:
    fit = fitted("qr")
    wanted, found = fitted("qr").corrected(P), [None] * 4

    def work(i: int) -> None:
        found[i] = fit.corrected(P)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in found:
        assert result is not None
        np.testing.assert_array_equal(result.Q, wanted.Q)
