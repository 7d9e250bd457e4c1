"""Chebyshev interpolation: known series, rates, and which points it takes."""

import numpy as np
import pytest

from neumatc.bases import Chebyshev, ChebyshevCurve, Rational, lobatto
from neumatc.errors import InputError

RNG = np.random.default_rng(0)
T = np.linspace(-0.98, 0.98, 101)[:, None]


def runge(x):
    """Poles at ±i/2: the Bernstein ellipse has half-axes that sum to ``(1 + sqrt 5) / 2``."""
    return 1 / (x**2 + 0.25)


def error(count, function=runge):
    x = lobatto(count)
    return np.max(np.abs(Chebyshev().fit(x, function(x), RNG)(T) - function(T)))


def test_lobatto_points():
    x = lobatto(17)[:, 0]
    assert np.allclose(x, -np.cos(np.pi * np.arange(17) / 16), atol=1e-15)
    assert np.array_equal(x, -x[::-1])
    assert np.array_equal(lobatto(1), [[0.0]])
    assert np.array_equal(lobatto(2, 3), [[-1, -1], [-1, 0], [-1, 1], [1, -1], [1, 0], [1, 1]])


def test_lobatto_refuses_no_points():
    with pytest.raises(InputError, match="at least one point along each axis"):
        lobatto(5, 0)


def test_error_falls_geometrically_at_the_rate_of_the_ellipse():
    counts = np.arange(11, 52, 8)
    slope = np.polyfit(counts, np.log([error(count) for count in counts]), 1)[0]
    assert np.exp(-slope) == pytest.approx((1 + np.sqrt(5)) / 2, rel=0.03)


def test_entire_function_to_machine_precision():
    assert error(40, np.exp) < 5e-15


@pytest.mark.parametrize("degree", [0, 1, 2, 7, 16])
def test_coefficients_and_derivative_of_a_chebyshev_polynomial(degree):
    unit = np.eye(degree + 1)[degree]
    x = lobatto(17)
    curve = Chebyshev().fit(x, np.polynomial.chebyshev.chebval(x, unit), RNG)
    assert np.allclose(curve.coefficients[: degree + 1, 0], unit, atol=1e-15)
    slope = np.polynomial.chebyshev.chebval(T, np.polynomial.chebyshev.chebder(unit))
    assert np.allclose(curve.derivative(T, 0), slope, atol=1e-12)


def test_derivative_at_the_ends_is_exact():
    curve = ChebyshevCurve(np.eye(9)[8][:, None])
    assert np.allclose(curve.derivative(np.array([[-1.0], [1.0]]), 0), [[-64.0], [64.0]], rtol=1e-13)


def test_trailing_coefficients_are_dropped():
    x = lobatto(64)
    assert Chebyshev().fit(x, np.zeros((64, 2)), RNG).coefficients.shape == (1, 2)
    grid = lobatto(3, 4)
    assert Chebyshev().fit(grid, grid[:, 1:], RNG).coefficients.shape[0] == 1


@pytest.mark.parametrize("counts", [(9, 12), (1, 6), (5, 4, 6)])
def test_tensor_grid_reproduces_polynomials(counts):
    def polynomial(x):
        return np.stack([x[:, 0] ** (counts[0] - 1) * x[:, -1] ** 3, 2 - x[:, -1]], axis=1)

    x, t = lobatto(*counts), np.random.default_rng(1).uniform(-1, 1, (50, len(counts)))
    curve = Chebyshev().fit(x, polynomial(x), RNG)
    assert np.allclose(curve(t), polynomial(t), atol=1e-14)
    exact = 3 * t[:, 0] ** (counts[0] - 1) * t[:, -1] ** 2
    assert np.allclose(curve.derivative(t, len(counts) - 1)[:, 0], exact, atol=1e-13)


def test_large_batches_on_tensor_grids_are_cut_in_pieces():
    # 30 000 points times 150 products are more than are held at once.
    x, t = lobatto(15, 10), np.random.default_rng(1).uniform(-1, 1, (30_000, 2))
    assert np.allclose(Chebyshev().fit(x, x, RNG)(t), t, atol=1e-14)


def test_samples_may_come_in_any_order_with_rounded_places():
    x = lobatto(9, 11)
    order = np.random.default_rng(2).permutation(len(x))
    shuffled = x[order] + 1e-15 * np.random.default_rng(3).standard_normal(x.shape)
    plain, mixed = Chebyshev().fit(x, runge(x), RNG), Chebyshev().fit(shuffled, runge(x)[order], RNG)
    assert np.array_equal(plain.coefficients, mixed.coefficients)


@pytest.mark.parametrize(
    "x",
    [
        np.linspace(-1, 1, 9)[:, None],
        np.random.default_rng(0).uniform(-1, 1, (12, 2)),
        lobatto(9) * 0.999,
        lobatto(9) * 2,
        np.repeat(lobatto(5), 2, axis=0),
        lobatto(4, 4)[:-1],
        np.full((3, 1), np.nan),
    ],
    ids=["uniform", "scattered", "shrunk", "too wide", "repeated", "a hole", "nan"],
)
def test_other_points_are_refused(x):
    assert "not a (tensor) Chebyshev" in Chebyshev().unsuited(x)
    if np.isfinite(x).all():
        with pytest.raises(InputError, match=r"basis 'chebyshev' cannot fit .*Lobatto grid"):
            Chebyshev().fit(x, x, RNG)


def test_rational_beats_chebyshev_near_a_pole():
    def near_pole(x):
        return np.cos(np.arange(5) * x) / ((x - 0.2) ** 2 + 1e-4)

    x = lobatto(97)
    t = np.linspace(-0.99, 0.99, 301)[:, None]
    misses = [np.max(np.abs(make.fit(x, near_pole(x), RNG)(t) - near_pole(t))) for make in (Rational(), Chebyshev())]
    assert misses[0] < 1e-6 * misses[1]
