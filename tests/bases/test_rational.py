"""Vector-valued AAA: exact on rationals, honest about poles, in line with SciPy."""

import numpy as np
import pytest
from scipy.interpolate import AAA

from neumatc.bases import Rational, RationalCurve, lobatto
from neumatc.bases.rational import _Iterate, _unresolved_poles
from neumatc.errors import TrainingError

T = np.linspace(-0.995, 0.995, 201)[:, None]


def rational(x, outputs=40):
    """Type (4, 4) rationals with common poles near the interval."""
    numerators = np.random.default_rng(0).standard_normal((5, outputs))
    return (x ** np.arange(5)) @ numerators / ((x**2 + 0.01) * ((x - 0.5) ** 2 + 0.04))


def fitted(x, y, seed=0):
    return Rational().fit(x, y, np.random.default_rng(seed))


def relative(value, exact):
    return np.max(np.abs(value - exact)) / np.max(np.abs(exact))


@pytest.mark.parametrize("x", [lobatto(97), np.linspace(-1, 1, 40)[:, None]], ids=["lobatto", "uniform"])
@pytest.mark.parametrize("outputs", [1, 3, 40])
def test_rationals_are_recovered_to_twelve_digits(x, outputs):
    curve = fitted(x, rational(x, outputs))
    assert len(curve.nodes) <= 6
    assert relative(curve(T), rational(T, outputs)) < 1e-12


@pytest.mark.parametrize("seed", range(4))
def test_random_combinations_choose_well_whatever_the_seed(seed):
    def entire(x):
        return np.cos(np.arange(40) / 4 * x + np.arange(40))

    x = lobatto(97)
    assert relative(fitted(x, entire(x), seed)(T), entire(T)) < 1e-11


def test_support_values_are_met_bit_for_bit():
    x = lobatto(60)
    y = np.exp(x) @ np.random.default_rng(0).standard_normal((1, 5))
    curve = fitted(x, y)
    assert np.array_equal(curve(curve.nodes[:, None]), curve.values)
    rows = np.searchsorted(x[:, 0], curve.nodes)
    assert np.array_equal(y[rows], curve.values)


def test_derivative_at_near_and_between_nodes():
    x = lobatto(80)
    curve = fitted(x, rational(x, 4))
    node = curve.nodes[2]
    t = np.concatenate([[node, node + 1e-16, node + 1e-12, node - 1e-7], T[::20, 0]])[:, None]
    h = 1e-30  # the complex step has no cancellation: its result is exact
    exact = rational(t + 1j * h, 4).imag / h
    assert relative(curve.derivative(t, 0), exact) < 1e-11


def test_points_that_touch_the_node_zero():
    curve = RationalCurve(np.array([0.0, 1.0]), np.array([[1.0], [2.0]]), np.array([1.0, -1.0]))
    tiny = np.array([[5e-324], [1e-310], [0.0]])
    assert np.array_equal(curve(tiny), np.ones((3, 1)))
    assert np.isfinite(curve.derivative(tiny, 0)).all()


@pytest.mark.parametrize("pole", [0.3, -0.77, 1.0 - 1e-3])
def test_a_real_pole_in_the_interval_is_rejected(pole):
    x = np.linspace(-1, 1, 50)[:, None]
    with pytest.raises(TrainingError, match=r"50 samples .* has a real pole inside the box, at -?0\.\d+"):
        fitted(x, np.hstack([1 / (x - pole), np.exp(x) / (x - pole)]))


@pytest.mark.parametrize("pole", [1.01, -1.5, 40.0])
def test_a_real_pole_outside_is_welcome(pole):
    x = lobatto(50)
    assert relative(fitted(x, 1 / (x - pole))(T), 1 / (T - pole)) < 1e-12


def test_real_poles_of_a_known_denominator():
    nodes = np.linspace(-1, 1, 4)
    wanted = np.array([-0.5, 0.25, 3.0])
    weights = np.array([np.prod(z - wanted) / np.prod(z - nodes[nodes != z]) for z in nodes])
    assert np.allclose(_unresolved_poles(nodes, _Iterate(np.arange(4), weights, 0.0)), wanted[:2])


@pytest.mark.parametrize(("distance", "welcome"), [(0.004, False), (0.02, True)])
def test_a_pole_that_slips_between_the_samples_is_rejected(distance, welcome):
    x = np.linspace(-1, 1, 41)[:, None]  # spacing 0.05
    y = np.exp(x) + 1e-3 * np.real(1 / (x - 0.325 - 1j * distance))
    if welcome:
        assert np.isfinite(fitted(x, y)(T)).all()
    else:
        with pytest.raises(TrainingError, match="has a real pole inside the box"):
            fitted(x, y)


@pytest.mark.parametrize("seed", range(4))
def test_noise_leaves_a_clean_iterate(seed):
    x = lobatto(97)
    noise = 1e-9 * np.random.default_rng(seed).standard_normal((97, 40))
    curve = fitted(x, rational(x) * (1 + noise))
    assert relative(curve(T), rational(T)) < 1e-6


@pytest.mark.parametrize(
    "function",
    [lambda x: np.tan(1.5 * x), lambda x: np.abs(x - 0.1 + 0.05j), lambda x: np.exp(-1 / (x**2 + 0.1))],
    ids=["tan", "branch points", "essential"],
)
def test_agrees_with_scipy_on_scalar_functions(function):
    x = np.linspace(-1, 1, 120)
    ours = fitted(x[:, None], function(x)[:, None])(T)[:, 0]
    reference = AAA(x, function(x), rtol=1e-13)(T[:, 0])
    exact = function(T[:, 0])
    assert relative(ours, exact) < 10 * relative(reference, exact) + 1e-12
    assert relative(ours, reference) < 1e-6


def test_degree_is_limited_by_half_the_samples():
    x = lobatto(21)
    assert len(fitted(x, np.exp(np.sin(9 * x))).nodes) <= 10
