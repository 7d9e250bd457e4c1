"""Splines: order of convergence, exactness, and agreement with SciPy."""

import numpy as np
import pytest
from scipy.interpolate import make_interp_spline

from neumatc.bases import Spline, lobatto
from neumatc.errors import InputError

RNG = np.random.default_rng(0)
T = np.linspace(-1, 1, 333)[:, None]


def wave(x):
    return np.cos(3 * x + np.arange(4))


def uniform(count):
    return np.linspace(-1, 1, count)[:, None]


@pytest.mark.parametrize("degree", [1, 2, 3, 5, 7])
def test_order_of_convergence(degree):
    counts = np.array([41, 61, 91])
    errors = [np.max(np.abs(Spline(degree).fit(uniform(m), wave(uniform(m)), RNG)(T) - wave(T))) for m in counts]
    order = -np.polyfit(np.log(counts - 1), np.log(errors), 1)[0]
    assert degree + 0.5 < order < degree + 2.5


@pytest.mark.parametrize("degree", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("x", [uniform(30), lobatto(30)], ids=["uniform", "lobatto"])
def test_agrees_with_scipy(degree, x):
    curve = Spline(degree).fit(x, wave(x), RNG)
    reference = make_interp_spline(x[:, 0], wave(x), k=degree)
    assert np.allclose(curve(T), reference(T[:, 0]), atol=1e-12)
    assert np.allclose(curve.derivative(T, 0), reference(T[:, 0], 1), atol=1e-9)


@pytest.mark.parametrize("degree", [1, 3, 5])
def test_polynomials_of_the_degree_are_exact(degree):
    def polynomial(x):
        return (x - 0.3) ** degree

    curve = Spline(degree).fit(uniform(20), polynomial(uniform(20)), RNG)
    assert np.allclose(curve(T), polynomial(T), atol=1e-13)
    assert np.allclose(curve.derivative(T, 0), degree * (T - 0.3) ** (degree - 1), atol=1e-11)


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_few_samples_lower_the_degree(count):
    x = uniform(count)
    curve = Spline().fit(x, x ** (count - 1), RNG)
    assert curve.coefficients.shape == (count, 1, 1)
    assert np.allclose(curve(T), T ** (count - 1), atol=1e-13)


def test_samples_may_come_in_any_order():
    x = uniform(30)
    order = np.random.default_rng(1).permutation(30)
    assert np.array_equal(Spline().fit(x, wave(x), RNG)(T), Spline().fit(x[order], wave(x)[order], RNG)(T))


def test_the_curve_goes_on_beyond_the_samples():
    x = 0.9 * uniform(60)
    assert np.max(np.abs(Spline().fit(x, wave(x), RNG)(T) - wave(T))) < 1e-4


def test_degree_zero_is_refused():
    with pytest.raises(InputError, match="degree 1 or more; 0 came"):
        Spline(degree=0)
