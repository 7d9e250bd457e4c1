"""Latent Gauss-Newton: the best of the span from a bad start, at a cost that knows no n."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import neumatc as nmc
from neumatc.arrays import is_complex
from neumatc.bases import Spline
from neumatc.correct import STEPS, Reduced, least_squares
from neumatc.equations import residual
from neumatc.errors import AccuracyWarning
from neumatc.gallery import AffineInverse, LowRankSVD, SyntheticInverse
from neumatc.operations import Operation
from neumatc.products import product

P = np.random.default_rng(0).uniform(0, 1, 12)


def few(make: Callable[[], nmc.Fit]) -> nmc.Fit:
    """A fit with so few samples that the span limits the error: then best-in-span is a number to compare with."""
    with pytest.warns(AccuracyWarning, match="more samples"):
        return make()


def truth(fit: nmc.Fit, family: Any) -> tuple[Any, dict[str, Any]]:
    """The matrices at P and their exact factors, in the gauge of the fit."""
    A = np.stack([family(p) for p in P])
    return A, fit.operation.gauge.align(fit.operation.exact(A), fit.surrogate.factors(fit.box.to_unit(P[:, None])))


def best(fit: nmc.Fit, exact: dict[str, Any]) -> Any:
    """Real coefficients of the Frobenius projection of exact factors onto the span of the latent slices."""
    C = fit.surrogate.C
    flat = fit.surrogate.layout.pack(exact, np.empty((len(P), C.shape[1]), C.dtype))
    if fit.surrogate.complex_coefficients:
        coefficients: Any = np.linalg.lstsq(C.T, flat.T, rcond=None)[0].T
        return np.ascontiguousarray(coefficients).view(float)
    rows, right = (X.view(float) if is_complex(C.dtype) else X for X in (C, flat))
    return np.linalg.lstsq(rows.T, right.T, rcond=None)[0].T


def factors(fit: nmc.Fit, phi: Any) -> dict[str, Any]:
    phi = np.ascontiguousarray(phi)
    phi = phi.view(complex) if fit.surrogate.complex_coefficients else phi
    return fit.surrogate.layout.unpack(product(phi, fit.surrogate.C))


def residuals(fit: nmc.Fit, A: Any, F: dict[str, Any]) -> Any:
    return residual(fit.operation.equations(), {"A": A, **fit.operation.canonical(F)})


def errors(F: dict[str, Any], exact: dict[str, Any]) -> Any:
    """Frobenius error of all factors together, each relative to its own size."""
    each = [np.linalg.norm(F[n] - X, axis=(1, 2)) / np.linalg.norm(X, axis=(1, 2)) for n, X in exact.items()]
    return np.sqrt(np.sum(np.square(each), axis=0))


# linear equations: one step ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=[False, True], ids=["real", "complex"])
def inverse(request: pytest.FixtureRequest) -> tuple[Any, nmc.Fit]:
    family = SyntheticInverse(n=40, rank=6, complex=request.param)
    return family, few(lambda: nmc.inv(family, family.box, samples=10, rng=0))


def test_one_step_from_any_start_solves_the_sketched_least_squares_problem(inverse: Any) -> None:
    reduced = inverse[1].reduced(P)
    rng = np.random.default_rng(1)
    wanted = [np.linalg.lstsq(L, -a, rcond=None)[0] for L, a in zip(reduced.L, reduced.a, strict=True)]
    for size in (0.0, 1.0, 1e3):
        start = size * rng.standard_normal(np.shape(wanted))
        np.testing.assert_allclose(reduced.step(start), wanted, atol=1e-9)
        np.testing.assert_allclose(reduced.solve(start), wanted, atol=1e-9)


def test_corrected_inverse_is_as_good_as_the_span_allows(inverse: Any) -> None:
    family, fit = inverse
    A, exact = truth(fit, family)
    ideal, corrected = factors(fit, best(fit, exact)), fit.corrected_factors(A, fit.box.to_unit(P[:, None]))
    assert errors(ideal, exact).max() > 1e-4  # the span is what limits
    assert np.all(errors(corrected, exact) <= 1.5 * errors(ideal, exact))
    assert np.all(residuals(fit, A, corrected) <= 1.5 * residuals(fit, A, ideal))


def test_correction_repairs_a_poor_curve() -> None:
    """A linear spline through good labels: the span is right, the coefficients are not."""
    family = SyntheticInverse(n=40, rank=4)
    fit = few(lambda: nmc.inv(family, family.box, samples=40, basis=Spline(degree=1), rng=0))
    A, _ = truth(fit, family)
    before = residuals(fit, A, fit.surrogate.factors(fit.box.to_unit(P[:, None])))
    after = residuals(fit, A, fit.corrected_factors(A, fit.box.to_unit(P[:, None])))
    assert before.max() > 1e-5
    assert after.max() < 1e-9


# quadratic equations: three steps ------------------------------------------------------------------------------------


def low_rank(complex_: bool) -> tuple[Any, nmc.Fit]:
    family = LowRankSVD(n=32, rank=4, tail=8, complex=complex_)
    return family, nmc.svd(family, family.box, rank=4, samples=6, tol=1e-4, rng=0)


def square_root(complex_: bool, operation: Operation) -> tuple[Any, nmc.Fit]:
    family = AffineInverse(n=24, hermitian=True, complex=complex_)
    problem = nmc.Problem.of(family, family.box, operation)
    return family, few(lambda: nmc.fit(problem, samples=8, rng=0))


@pytest.fixture(scope="module", params=["svd", "svd-complex", "root", "root-complex"])
def quadratic(request: pytest.FixtureRequest, root: Operation) -> tuple[Any, nmc.Fit]:
    complex_ = request.param.endswith("complex")
    return low_rank(complex_) if request.param.startswith("svd") else square_root(complex_, root)


def test_three_steps_reach_the_best_of_the_span_from_one_percent(quadratic: Any) -> None:
    family, fit = quadratic
    A, exact = truth(fit, family)
    ideal = best(fit, exact)
    noise = np.random.default_rng(2).standard_normal(ideal.shape)
    start = ideal + 1e-2 * noise * np.linalg.norm(ideal, axis=1)[:, None] / np.linalg.norm(noise, axis=1)[:, None]
    assert STEPS <= 3
    found = factors(fit, fit.reduced(P).solve(start))
    assert residuals(fit, A, factors(fit, start)).min() > 1e-3
    wanted = residuals(fit, A, factors(fit, ideal))
    assert np.all(residuals(fit, A, found) <= 1.5 * wanted)
    aligned = fit.operation.gauge.align(found, exact)
    assert np.all(errors(aligned, exact) <= 1.5 * errors(factors(fit, ideal), exact))


def test_corrected_factors_start_from_the_curve(quadratic: Any) -> None:
    family, fit = quadratic
    A, exact = truth(fit, family)
    corrected = fit.corrected_factors(A, fit.box.to_unit(P[:, None]))
    assert np.all(residuals(fit, A, corrected) <= 1.5 * residuals(fit, A, factors(fit, best(fit, exact))))


def test_a_step_that_makes_it_worse_is_not_taken() -> None:
    """φ² + 1 = 0 has no real root, and Newton's method runs away from a good start."""
    one = np.ones((1, 1))
    hopeless = Reduced(a=one, L=0 * one[..., None], T=one[..., None, None], unique=True)
    start = np.array([[0.1]])
    assert hopeless.norm(hopeless.step(start)) > hopeless.norm(start)
    assert np.array_equal(hopeless.solve(start), start)


def test_gauss_newton_converges_quadratically() -> None:
    """φ² = 2: the square root, to the last bit in a few steps."""
    one = np.ones((1, 1))
    equation = Reduced(a=-2 * one, L=0 * one[..., None], T=one[..., None, None], unique=True)
    assert equation.solve(np.array([[1.0]]), 6) == pytest.approx(np.sqrt(2), rel=1e-15)


# cost and degeneracy -------------------------------------------------------------------------------------------------


def test_size_of_the_reduced_system_does_not_depend_on_n() -> None:
    shapes = []
    for n in (64, 128, 256):
        family = AffineInverse(n=n)
        fit = few(lambda family=family: nmc.inv(family, family.box, samples=8, basis="chebyshev", rng=0))
        reduced = fit.reduced([0.2, 0.7])
        shapes.append((reduced.a.shape, reduced.L.shape, reduced.T))
        assert fit.surrogate.d == 8
    assert len(set(shapes)) == 1
    (points, equations), (_, _, unknowns), _ = shapes[0]
    assert (points, unknowns) == (2, 8)
    assert equations >= 5 * unknowns


@pytest.mark.parametrize("unique", [True, False])
def test_dependent_columns_give_the_solution_of_least_norm(unique: bool) -> None:
    J = np.array([[[1.0, 1.0], [2.0, 2.0], [0.0, 0.0]]])
    x = least_squares(J, np.array([[3.0, 6.0, 5.0]]), unique)
    np.testing.assert_allclose(x, [[1.5, 1.5]], atol=1e-12)


def test_tensors_of_the_correction_are_built_once(inverse: Any) -> None:
    fit = inverse[1]
    assert fit.corrector is fit.corrector
    assert np.array_equal(fit.reduced(0.3).L, fit.reduced(0.3).L)
