"""Certificates from coefficients: a bound of the residual of the returned numbers, which are not formed."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import binom
from tests.core.affine_families import N, complex_theta, fitted, terms, theta, theta_2d

import neumatc as nmc
from neumatc.certify import DELTA
from neumatc.equations import residual
from neumatc.latent.checker import FREEDOM, LatentChecker
from neumatc.latent.model import Latent
from neumatc.latent.quantile import bilinear_factor
from neumatc.latent.sizes import Parts, Slices, gamma, schatten
from neumatc.operations import Eigh

P = np.random.default_rng(0).uniform(0, 1, 40)

_made: dict[Any, Any] = {}


def one(verb: str, complex_: bool = False, coefficients: Any = theta, dtype: Any = None) -> Any:
    key = (verb, complex_, coefficients, dtype)
    if key not in _made:
        options = {"samples": 25} if coefficients is theta_2d else {}
        _made[key] = fitted(verb, complex_, coefficients, dtype, **options)
    return _made[key]


def formed(fit: Any, phi: Any) -> dict[str, Any]:
    """Canonical factors as they are returned, in double precision."""
    F = fit.operation.canonical(fit.latent.factors(phi))
    return {name: X.astype(complex if np.iscomplexobj(X) else float) for name, X in F.items()}


def truth(fit: Any, points: Any, phi: Any) -> Any:
    """The residual of the returned numbers, formed in full, in double precision."""
    A = fit.problem_or_raise.matrices(points)
    return residual(fit.operation.equations(), {**fit.operation.given(A), **formed(fit, phi)})


# the safety factor ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("delta", "freedom", "factor"), [(1e-3, 4, 12.6), (1e-3, 8, 4.6), (1e-3, 16, 2.6)])
def test_factors_of_the_literature(delta: float, freedom: int, factor: float) -> None:
    assert bilinear_factor(delta, freedom, freedom) == pytest.approx(factor, abs=0.06)


@pytest.mark.parametrize(("left", "right"), [(2, 2), (4, 16), (16, 16), (12, 16)])
@pytest.mark.parametrize("delta", [0.3, 1e-2])
def test_factor_is_the_quantile_of_the_product(delta: float, left: int, right: int) -> None:
    draws, rng = 200_000, np.random.default_rng(0)
    product = rng.chisquare(left, draws) * rng.chisquare(right, draws) / (left * right)
    below = int((product < bilinear_factor(delta, left, right) ** -2).sum())
    assert binom.ppf(1e-6, draws, delta) <= below <= binom.isf(1e-6, draws, delta)


def test_small_quantiles_follow_the_asymptotic_law() -> None:
    """``P(G_1 G_2 < s) ≈ -s ln s`` for two exponential variables and small s."""
    delta = 1e-9
    s = 1 / bilinear_factor(delta, 2, 2) ** 2
    assert -s * np.log(s) + (1 - 2 * np.euler_gamma) * s == pytest.approx(delta, rel=1e-6)


# the bound -----------------------------------------------------------------------------------------------------------

CASES = [
    ("inv", False, theta, None),
    ("inv", True, theta, None),
    ("inv", True, complex_theta, None),
    ("inv", False, theta_2d, None),
    ("inv", False, theta, np.float32),
    ("inv", True, theta, np.complex64),
    ("qr", False, theta, None),
    ("qr", False, theta, np.float32),
    ("cholesky", False, theta, None),
    ("eigh", False, theta, None),
    ("svd", False, theta, None),
]
IDS = [f"{v}{'-complex' * c}-{t.__name__}{'-single' * (d is not None)}" for v, c, t, d in CASES]


@pytest.mark.parametrize(("verb", "complex_", "coefficients", "dtype"), CASES, ids=IDS)
@pytest.mark.parametrize("given", ["coefficients", "matrices"])
def test_bound_is_never_below_the_residual_of_the_returned_numbers(
    verb: str, complex_: bool, coefficients: Any, dtype: Any, given: str
) -> None:
    fit = one(verb, complex_, coefficients, dtype)
    assert fit.latent.certifies
    checker = fit.latent.checker
    assert checker is not None
    rng = np.random.default_rng(1)
    points = rng.uniform(0, 1, (150, fit.box.dimension))
    phi = fit.surrogate.curve(fit.box.to_unit(points))
    better = fit.latent.corrected(fit.latent.at(points), phi)
    size = np.linalg.norm(phi, axis=1, keepdims=True)
    for start, share in ((phi, 0.0), (better, 0.0), (better, 1e-15), (better, 1e-12), (better, 1e-8), (phi, 1e-3)):
        shaken = fit.latent.stored(start + share * size * rng.standard_normal(phi.shape) / phi.shape[1] ** 0.5)
        true = truth(fit, points, shaken)
        some = {"A": fit.problem_or_raise.matrices(points)}
        if given == "coefficients":
            some = {"theta": fit.latent.at(points).theta}
        certificate = checker.certificate(shaken, 1e-6, len(points), **some)
        assert np.all(certificate.bound >= true)
        assert np.all(certificate.residual <= 1.7 * true + 1e-13)
        assert np.all(certificate.residual >= true / 1.7 - (1e-13 if dtype is None else 1e-4))


@pytest.mark.parametrize("with_torch", [False, True], ids=["numpy", "torch"])
def test_both_ways_see_the_same_residual(with_torch: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch") if with_torch else None
    monkeypatch.setattr("neumatc.latent.checker.torch_if_faster", lambda: torch)
    for verb in ("inv", "qr", "svd"):
        fit = one(verb)
        checker, places = fit.latent.checker, fit.latent.at(P[:, None])
        assert checker is not None
        phi = fit.surrogate.curve(fit.box.to_unit(P[:, None])) * (1 + 1e-4)
        by_theta = checker.certificate(phi, 1e-3, 40, theta=places.theta)
        by_matrix = checker.certificate(phi, 1e-3, 40, A=fit.problem_or_raise.matrices(P[:, None]))
        np.testing.assert_allclose(by_theta.residual, by_matrix.residual, rtol=1e-9)
        np.testing.assert_allclose(by_theta.bound, by_matrix.bound, rtol=1e-6)


@pytest.mark.parametrize("complex_", [False, True], ids=["real", "complex"])
def test_a_residual_of_rank_one_is_underestimated_as_often_as_stated(complex_: bool) -> None:
    """The worst case, over draws of the probes: A unitary, and its inverse off by ``u vᴴ``."""
    rng, draws = np.random.default_rng(7), 3000
    u, v = (rng.standard_normal((N, 1)) + (1j * rng.standard_normal((N, 1)) if complex_ else 0) for _ in range(2))
    change, A = 1e-3 * u @ v.conj().T, np.linalg.qr(rng.standard_normal((N, N)) + (1j if complex_ else 0))[0]
    fit: Any = nmc.inv(nmc.Affine([A], lambda p: [1.0 + 0 * p]), (0.0, 1.0), rng=0)
    surrogate = fit.surrogate
    C = np.stack([A.conj().T.ravel(), change.ravel()])
    spoilt = type(surrogate)(C, surrogate.curve, surrogate.layout, False)
    phi, terms_ = np.array([[1.0, 1.0]]), fit.latent.terms
    true, delta, misses = np.linalg.norm(change) / np.sqrt(N), DELTA * 40, 0
    ratios = []
    for _ in range(draws):
        checker = LatentChecker.of(fit.problem_or_raise, spoilt, A[None], terms_, rng)
        assert checker is not None
        found = checker.certificate(phi, 1.0, 1, theta=np.ones((1, 1)))
        ratios.append(found.residual[0] / true)
        misses += ratios[-1] * bilinear_factor(delta, FREEDOM, FREEDOM) < 1
    assert binom.ppf(1e-6, draws, delta) <= misses <= binom.isf(1e-6, draws, delta)
    assert np.mean(np.square(ratios)) == pytest.approx(1, abs=5 * np.sqrt(4 / FREEDOM / draws) * 1.1)


def test_nan_never_passes_and_neither_does_a_wrong_sign() -> None:
    fit = one("cholesky")
    checker, places = fit.latent.checker, fit.latent.at(P[:3, None])
    assert checker is not None
    phi = fit.latent.corrected(places, fit.surrogate.curve(fit.box.to_unit(places.points)))
    phi[1] *= -1  # the equation L Lᵀ = A holds for -L
    phi[2, 3] = np.nan
    certificate = checker.certificate(phi, 1e300, 3, theta=places.theta)
    assert certificate.passed.tolist() == [True, False, False]
    assert truth(fit, places.points[1:2], phi[1:2])[0] < 1e-4


def test_a_theorem_in_the_residual_alone_is_kept() -> None:
    for verb in ("inv", "eigh", "svd"):
        fit = one(verb)
        point = np.array([[0.3]])
        F = formed(fit, fit.surrogate.curve(fit.box.to_unit(point)))
        by_form = fit.checker.certificate(fit.problem_or_raise.matrices(point), F, 1e-2)
        by_phi = fit.certify(0.3, 1e-2)
        assert by_phi.theorem == by_form.theorem != ""
        assert by_phi.error_bound / by_phi.bound == pytest.approx(by_form.error_bound[0] / by_form.bound[0])
        assert by_phi.angle_bound is None
        assert by_phi.confidence == 1 - DELTA


# who is certified so -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["sqrtm"])
def test_what_the_equations_do_not_see_is_checked_on_the_factors(verb: str) -> None:
    """A root of another branch solves ``X X = A``: eigenvalues of X tell, and those are not in φ."""
    fit = one(verb)
    assert not fit.latent.certifies
    assert fit.certify(P, 1e-2).passed.all()


def test_small_matrices_keep_their_theorems() -> None:
    fit: Any = nmc.solve(nmc.Affine(list(terms("general", 20)), theta), np.ones(20), (0.0, 1.0), rng=0)
    assert not fit.latent.certifies
    assert fit.certify(0.4).error_bound is not None


def test_clusters_that_are_turned_are_formed() -> None:
    fit = one("eigh")
    problem, A = fit.problem_or_raise, fit.problem_or_raise.matrices(np.array([[0.3]]))
    blocked = problem.with_operation(Eigh(blocks=((0, 1),)))
    rng = np.random.default_rng(0)
    assert LatentChecker.of(problem, fit.surrogate, A, None, rng) is not None
    assert LatentChecker.of(blocked, fit.surrogate, A, None, rng) is None


def test_tensors_that_would_fill_the_memory_are_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neumatc.latent.checker.TENSOR_NUMBERS", 10_000)
    rng = np.random.default_rng(0)
    for verb, made in (("inv", True), ("qr", False)):
        fit = one(verb)
        A = fit.problem_or_raise.matrices(np.array([[0.3]]))
        assert (LatentChecker.of(fit.problem_or_raise, fit.surrogate, A, None, rng) is not None) == made


def test_products_that_round_more_than_single_precision_are_formed() -> None:
    torch = pytest.importorskip("torch")
    fit = one("inv", False, theta, np.float32)
    assert fit.latent.certifies
    torch.set_float32_matmul_precision("medium")
    try:
        assert not fit.latent.certifies
        assert one("inv").latent.certifies
    finally:
        torch.set_float32_matmul_precision("highest")


def test_so_are_those_of_which_torch_does_not_tell_how_they_round() -> None:
    torch = pytest.importorskip("torch")
    fit, matmul = one("inv", False, theta, np.float32), torch.backends.cuda.matmul
    if not hasattr(matmul, "fp32_precision"):
        pytest.skip("this torch has only the older switch")
    before = matmul.fp32_precision
    matmul.fp32_precision = "tf32"
    try:
        assert not fit.latent.certifies
    finally:
        matmul.fp32_precision = before
    assert fit.latent.certifies


# probes --------------------------------------------------------------------------------------------------------------


def test_probes_are_of_the_certificate_alone_and_fresh_without_a_seed() -> None:
    fit = one("inv")
    latent = fit.latent
    assert latent.checker is not None
    mine, theirs = latent.checker.corrector.sketch.probes[0], latent.corrector.sketch.probes[0]
    for numbers in (theirs.left, theirs.right, fit.checker.probes[0]):
        assert not np.isin(mine.left, numbers).any()
        assert not np.isin(mine.right, numbers).any()

    def left(seeded: bool) -> Any:
        made = Latent(fit.problem_or_raise, fit.surrogate, fit.samples, fit.seed, seeded).checker
        assert made is not None
        return made.corrector.sketch.probes[0].left

    assert np.array_equal(left(True), left(True))
    assert not np.array_equal(left(False), left(False))


def test_confidence_is_joint() -> None:
    checker = one("inv").latent.checker
    assert checker is not None
    assert checker.factors(1)[0] == bilinear_factor(DELTA, FREEDOM, FREEDOM)
    assert checker.factors(1000)[0] == bilinear_factor(DELTA / 1024, FREEDOM, FREEDOM)
    two = one("qr").latent.checker
    assert two is not None
    assert two.factors(1).tolist() == [bilinear_factor(DELTA / 2, FREEDOM, FREEDOM)] * 2


# norms ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("complex_", [False, True])
def test_norms_are_bounded_from_above(complex_: bool) -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((5, 70, 30)) + (1j * rng.standard_normal((5, 70, 30)) if complex_ else 0)
    assert [bool(schatten(x) >= np.linalg.norm(x, 2)) for x in X] == [True] * 5
    assert [bool(schatten(x) <= 30 ** (1 / 16) * np.linalg.norm(x, 2) * (1 + 1e-9)) for x in X] == [True] * 5
    assert schatten(np.zeros((3, 4))) == 0
    phi = rng.standard_normal((20, 5))
    sums = np.tensordot(phi, X, 1)
    for found in (Slices.of(X).size(np.abs(phi), 1e-3), Parts.of(X).size(phi, 1e-3)):
        assert np.all(found.two >= np.linalg.norm(sums, 2, axis=(1, 2)))
        assert np.all(found.frobenius >= np.linalg.norm(sums, axis=(1, 2)) * (1 - 1e-12))
        assert np.all(found.change == 1e-3 * found.frobenius)


def test_rounding_of_the_sum_is_within_its_allowance() -> None:
    rng = np.random.default_rng(0)
    X, phi = rng.standard_normal((20, 40, 40)).astype(np.float32), rng.standard_normal((50, 20)).astype(np.float32)
    rounded = (phi @ X.reshape(20, -1)).astype(float)
    exact = phi.astype(float) @ X.reshape(20, -1).astype(float)
    allowed = Slices.of(X.astype(float)).size(np.abs(phi.astype(float)), gamma(20, 2.0**-24)).change
    apart = np.linalg.norm(rounded - exact, axis=1)
    assert np.all(apart <= allowed)
    assert np.all(apart > 0)
