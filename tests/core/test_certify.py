"""Certificates: the bound holds as often as it says, and nothing slips past the check."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom, chi2

import neumatc as nmc
from neumatc.certify import DELTA, EXACT_COLUMNS, PROBES, Certificate, Checker, joined, safety_factor
from neumatc.gallery import AffineInverse, LowRankSVD
from neumatc.operations import Inverse, Operation, TruncatedSVD

N = EXACT_COLUMNS + 1  # the smallest inverse that is probed and not checked in full
DRAWS = 20_000


def drawn(operation: Operation, A: Any, F: dict[str, Any], rng: Any = 0) -> Checker:
    return Checker.draw(operation, {"A": A, **F}, A.dtype, np.random.default_rng(rng))


# the safety factor ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("freedom", [2, 8, 16, 64])
@pytest.mark.parametrize("delta", [0.5, 1e-1, 1e-3, 1e-7, 1e-12])
def test_safety_factor_is_the_quantile_of_chi_squared(delta: float, freedom: int) -> None:
    assert safety_factor(delta, freedom) == pytest.approx(np.sqrt(freedom / chi2.ppf(delta, freedom)), rel=1e-9)


def test_factors_that_the_text_names() -> None:
    assert safety_factor(DELTA, PROBES) == pytest.approx(2.0, abs=0.05)
    assert safety_factor(DELTA / 10_000, PROBES) == pytest.approx(3.9, abs=0.05)


# coverage ------------------------------------------------------------------------------------------------------------

DIRECTIONS = {
    "random": np.random.default_rng(3).standard_normal(N),
    "one entry": np.eye(N)[4],
    "a difference": np.eye(N)[0] - np.eye(N)[1],  # a sign vector is blind to it half of the time
    "all entries": np.ones(N),
}


def misses(direction: Any, complex_: bool, draws: int) -> tuple[int, Any]:
    """How often the bound of ``I + ε u vᴴ``, as an inverse of I, is below its true residual. Rank one is the worst."""
    dtype = complex if complex_ else float
    rng = np.random.default_rng(17)
    u = rng.standard_normal(N) + (1j * rng.standard_normal(N) if complex_ else 0)
    A = np.eye(N, dtype=dtype)[None]
    F = {"X": A + 1e-3 * np.outer(u, direction)[None]}
    true = np.linalg.norm(F["X"] - A) / np.sqrt(N)
    found = [Checker.draw(Inverse(), {"A": A, **F}, dtype, rng).certificate(A, F, 1.0) for _ in range(draws)]
    return sum(c.bound[0] < true for c in found), np.array([c.residual[0] for c in found]) / true


@pytest.mark.parametrize("complex_", [False, True], ids=["real", "complex"])
def test_bound_fails_as_often_as_it_says(complex_: bool) -> None:
    """Counts of failures are binomial: between the quantiles 1e-6 and 1 - 1e-6 for the stated probability."""
    count, _ = misses(DIRECTIONS["random"], complex_, DRAWS)
    assert binom.ppf(1e-6, DRAWS, DELTA) <= count <= binom.isf(1e-6, DRAWS, DELTA)


@pytest.mark.parametrize("direction", DIRECTIONS.values(), ids=DIRECTIONS)
def test_no_direction_is_invisible(direction: Any) -> None:
    """Were probes signs, a difference of two entries would sometimes be seen as zero, for good."""
    draws = 2000
    count, ratio = misses(direction, False, draws)
    assert count <= binom.isf(1e-6, draws, DELTA)
    assert ratio.min() > 1 / safety_factor(1e-9, PROBES)
    assert np.mean(ratio**2) == pytest.approx(1, abs=5 * np.sqrt(2 / PROBES / draws))
    assert len(np.unique(ratio)) == draws


# what a certificate says ---------------------------------------------------------------------------------------------


def wrong_inverses(n: int, count: int, dtype: Any = float) -> tuple[Any, dict[str, Any], Any]:
    family = AffineInverse(n=n, complex=np.dtype(dtype).kind == "c")
    A = np.stack([family(p) for p in np.linspace(0, 1, count)])
    X = np.linalg.inv(A) + 1e-4 * np.random.default_rng(0).standard_normal(A.shape)
    return A, {"X": X}, np.linalg.norm(A @ X - np.eye(n), axis=(1, 2)) / np.sqrt(n)


@pytest.mark.parametrize("dtype", [float, complex])
def test_small_equations_are_checked_in_full(dtype: Any) -> None:
    A, F, true = wrong_inverses(EXACT_COLUMNS, 5, dtype)
    certificate = drawn(Inverse(), A, F).certificate(A, F, 1e-3)
    np.testing.assert_allclose(certificate.residual, true, rtol=1e-12)
    assert certificate.confidence == 1.0
    assert np.all(certificate.bound >= certificate.residual)
    np.testing.assert_allclose(certificate.bound, true, rtol=1e-11)


def test_error_bound_is_the_theorem_times_the_bound() -> None:
    A, F, _ = wrong_inverses(40, 3)
    certificate = drawn(Inverse(), A, F).certificate(A, F, 1e-3)
    np.testing.assert_allclose(certificate.error_bound, np.sqrt(40) * certificate.bound)
    assert "no condition number" in certificate.theorem
    exact = np.linalg.inv(A)
    assert np.all(
        np.linalg.norm(F["X"] - exact, axis=(1, 2)) / np.linalg.norm(exact, axis=(1, 2)) <= certificate.error_bound
    )


def test_confidence_is_joint_so_bounds_widen_with_the_batch() -> None:
    A, F, _ = wrong_inverses(40, 50)
    checker = drawn(Inverse(), A, F)
    one = checker.certificate(A[:1], {"X": F["X"][:1]}, 1e-3)
    batch = checker.certificate(A, F, 1e-3)
    assert one.confidence == batch.confidence == 1 - DELTA
    assert batch.residual[0] == pytest.approx(one.residual[0], rel=1e-12)
    np.testing.assert_allclose(one.bound / one.residual, safety_factor(DELTA, PROBES), rtol=1e-11)
    np.testing.assert_allclose(batch.bound / batch.residual, safety_factor(DELTA / 50, PROBES), rtol=1e-11)
    together = checker.certificate(A[:1], {"X": F["X"][:1]}, 1e-3, together=10_000)
    assert together.bound / together.residual == pytest.approx(safety_factor(DELTA / 10_000, PROBES))


def test_passed_compares_the_bound_with_tol() -> None:
    A, F, _ = wrong_inverses(16, 8)
    checker = drawn(Inverse(), A, F)
    bound = checker.certificate(A, F, 1.0).bound
    certificate = checker.certificate(A, F, float(np.median(bound)))
    assert np.array_equal(certificate.passed, bound <= np.median(bound))
    assert 0 < certificate.passed.sum() < 8


@pytest.mark.parametrize("n", [16, 40])
def test_nan_never_passes(n: int) -> None:
    A, F, _ = wrong_inverses(n, 3)
    F["X"][1, 2, 3] = np.nan
    certificate = drawn(Inverse(), A, F).certificate(A, F, 1e300)
    assert certificate.passed.tolist() == [True, False, True]
    assert np.isnan(certificate.bound[1])


def test_joined_certificates_have_the_shape_of_the_batch() -> None:
    A, F, _ = wrong_inverses(16, 6)
    checker = drawn(Inverse(), A, F)
    parts = [checker.certificate(A[i : i + 2], {"X": F["X"][i : i + 2]}, 1e-3, together=6) for i in (0, 2, 4)]
    whole = joined(parts, (2, 3))
    assert isinstance(whole, Certificate)
    assert whole.bound.shape == whole.passed.shape == whole.error_bound.shape == (2, 3)
    np.testing.assert_allclose(whole.residual.ravel(), checker.residual(A, F), rtol=1e-12)


# a dominant triplet that is missing ----------------------------------------------------------------------------------


def test_a_missing_singular_value_is_seen_though_all_equations_hold() -> None:
    family = LowRankSVD(n=40, rank=5, tail=4)
    A = np.stack([family(p) for p in (0.2, 0.8)])
    U, S, Vh = np.linalg.svd(A)

    def triplets(chosen: list[int]) -> dict[str, Any]:
        M = np.eye(len(chosen)) * S[:, None, chosen]
        return {"U": U[..., chosen], "M": M, "V": np.swapaxes(Vh[:, chosen], 1, 2)}

    good, bad = triplets([0, 1, 2]), triplets([0, 1, 3])
    checker = drawn(TruncatedSVD(3), A, good)
    assert checker.residual(A, good).max() < 1e-14
    missing = (S[:, 2] - S[:, 3]) / np.linalg.norm(A, axis=(1, 2))
    defect = checker.residual(A, bad)
    assert np.all(defect <= missing * (1 + 1e-9))  # never more than there is
    assert np.all(defect >= 0.5 * missing)
    assert not checker.certificate(A, bad, 0.4 * missing.min()).passed.any()


# where the probes come from ------------------------------------------------------------------------------------------


def fitted(rng: Any) -> nmc.Fit:
    family = AffineInverse(n=40)
    return nmc.inv(family, family.box, tol=1e-4, basis="chebyshev", rng=rng)


def test_probes_are_fresh_without_a_seed_and_repeatable_with_one() -> None:
    """A copy stands for the same fit in another process: nobody can prepare for its probes."""
    fit = fitted(None)
    assert not np.array_equal(fit.checker.probes[0], replace(fit).checker.probes[0])
    fit = fitted(5)
    assert np.array_equal(fit.checker.probes[0], replace(fit).checker.probes[0])
    assert not np.array_equal(fit.checker.probes[0], fitted(6).checker.probes[0])


def test_probes_are_not_those_of_the_correction() -> None:
    fit = fitted(5)
    theirs = fit.corrector.sketch.probes[0]
    for numbers in (theirs.left, theirs.right):
        assert not np.isin(fit.checker.probes[0], numbers).any()


def test_certify_agrees_with_the_true_residual_of_what_is_returned() -> None:
    fit, family, p = fitted(None), AffineInverse(n=40), np.linspace(0, 1, 30).reshape(5, 6)
    A = np.stack([family(q) for q in p.ravel()])
    true = np.linalg.norm(A @ fit(p).reshape(30, 40, 40) - np.eye(40), axis=(1, 2)).reshape(5, 6) / np.sqrt(40)
    certificate = fit.certify(p)
    assert certificate.bound.shape == (5, 6)
    assert np.all(true <= certificate.bound)
    assert np.all(certificate.bound <= 12 * true + 1e-14)
    assert certificate.tol == fit.tol
    assert np.array_equal(fit.certify(p, tol=1e-300).passed, np.zeros((5, 6), bool))
    assert isinstance(float(fit.certify(0.3).bound), float)
