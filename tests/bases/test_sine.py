"""The sine network: accuracy, robustness against the draw, and the choice of the bandwidth."""

import numpy as np
import pytest

from neumatc.bases import SineNetwork, lobatto
from neumatc.bases.sine import _by_hat, _by_kernel, _draw, _features, _stretched, _with_one

T = np.random.default_rng(5).uniform(-1, 1, (300, 1))


def mixture(x, outputs=40):
    """Exponentials and cosines with falling weights, as coefficient curves of smooth families look."""
    rng = np.random.default_rng(0)
    rates, waves, phases = rng.uniform(-3, 3, outputs), rng.uniform(0, 6, outputs), rng.uniform(0, 6, outputs)
    return 0.7 ** np.arange(outputs) * (0.3 * np.exp(rates * x) + np.cos(waves * x + phases))


def oscillating(x):
    return np.cos(np.arange(1, 31) * x + 1)


def miss(make, function, count, seed=0):
    x = lobatto(count)
    curve = make.fit(x, function(x), np.random.default_rng(seed))
    return np.linalg.norm(curve(T) - function(T)) / np.linalg.norm(function(T))


@pytest.mark.parametrize("seed", range(6))
def test_smooth_family_to_twelve_digits_whatever_the_seed(seed):
    assert miss(SineNetwork(), mixture, 97, seed) < 5e-12
    assert miss(SineNetwork(), mixture, 300, seed) < 5e-12  # more samples than features: the other formula


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_any_depth(layers):
    assert miss(SineNetwork(layers=layers), mixture, 97) < 1e-8


@pytest.mark.parametrize("function", [mixture, oscillating])
@pytest.mark.parametrize("count", [20, 40, 97, 160])
def test_leave_one_out_chooses_nearly_the_best_bandwidth(function, count):
    grid = [3.0, 4.5, 6.0, 8.0, 10.0, 13.0, 16.0, 20.0, 26.0, 34.0, 45.0, 60.0]
    best = min(miss(SineNetwork(bandwidth=each), function, count) for each in grid)
    assert miss(SineNetwork(), function, count) < 10 * best + 1e-12


@pytest.mark.parametrize("frequency", [145, 160])
def test_bandwidth_grows_beyond_the_first_grid(frequency):
    def fast(x):
        return np.cos(frequency * x + np.arange(3))

    # At 160 rad nothing in the first grid explains anything, so that its least score is the one of the smallest Ω.
    x = lobatto(250)
    curve = SineNetwork().fit(x, fast(x), np.random.default_rng(0))
    assert 20 < np.max(np.abs(curve.hidden[0][0])) < 30
    assert np.max(np.abs(curve(T) - fast(T))) < 0.2


def test_noise_is_not_amplified():
    x = lobatto(97)
    noise = 1e-7 * np.random.default_rng(9).standard_normal((97, 40))
    curve = SineNetwork().fit(x, mixture(x) + noise, np.random.default_rng(0))
    assert np.max(np.abs(curve(T) - mixture(T))) < 2e-6


def test_scattered_points_in_two_dimensions():
    def field(x):
        return np.cos(x @ np.random.default_rng(8).uniform(-2, 2, (2, 10)) + 1)

    x, t = np.random.default_rng(3).uniform(-1, 1, (300, 2)), np.random.default_rng(4).uniform(-1, 1, (200, 2))
    curve = SineNetwork().fit(x, field(x), np.random.default_rng(0))
    assert np.max(np.abs(curve(t) - field(t))) < 1e-5


@pytest.mark.parametrize("dimension", [2, 3, 4])
def test_twice_as_many_neurons_as_points_leave_the_peak_behind(dimension):
    """Where samples are few for the map, as many neurons as points are the worst number of all."""

    def wavy(x):
        return np.cos(4 * x @ np.random.default_rng(8).standard_normal((dimension, 12)) / np.sqrt(dimension))

    x, t = (np.random.default_rng(seed).uniform(-1, 1, (200, dimension)) for seed in (3, 4))
    misses = [
        np.max(np.abs(SineNetwork(width=width).fit(x, wavy(x), np.random.default_rng(0))(t) - wavy(t)))
        for width in (200, None)
    ]
    assert misses[1] < misses[0] / 3


def test_width_follows_the_samples():
    x = np.random.default_rng(3).uniform(-1, 1, (200, 2))
    assert SineNetwork(bandwidth=3.0).fit(x, x, np.random.default_rng(0)).readout.shape == (400, 2)
    assert SineNetwork(bandwidth=3.0).fit(x[:, :1], x, np.random.default_rng(0)).readout.shape == (128, 2)


@pytest.mark.parametrize(("formula", "width", "count"), [("hat", 10, 40), ("kernel", 60, 20)])
def test_leave_one_out_formulas_agree_with_leaving_one_out(formula, width, count):
    x = lobatto(count)
    hidden = _stretched(_draw(1, width, 1, 0.5, np.random.default_rng(1)), 8.0)
    F, y = _with_one(_features(hidden, x)), oscillating(x)[:, :5]
    missed = _by_hat(F, y, 1e-13) if formula == "hat" else _by_kernel(F, y, 1e-13)
    for i in (0, count // 2, count - 1):
        rest = np.arange(count) != i
        readout = np.linalg.lstsq(F[rest], y[rest], rcond=1e-13)[0]
        assert np.allclose(missed[i], y[i] - F[i] @ readout, rtol=1e-4, atol=1e-6)
