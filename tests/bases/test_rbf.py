"""Radial basis functions: agreement with SciPy, polynomials, slopes, and points that are too few or too special."""

import numpy as np
import pytest
from scipy.interpolate import RBFInterpolator

import neumatc as nmc
from neumatc.bases import RadialBasis, RadialBasisCurve, lobatto
from neumatc.bases.rbf import KERNELS
from neumatc.errors import InputError, TrainingError

RNG = np.random.default_rng(0)
DEGREE = {"linear": 0, "thin_plate_spline": 1, "cubic": 1, "quintic": 2, "gaussian": 0}
POWERS = [kernel for kernel in KERNELS if kernel != "gaussian"]


def scattered(count, dimension, seed=3):
    return np.random.default_rng(seed).uniform(-1, 1, (count, dimension))


def wave(x):
    return np.cos(2 * x @ np.linspace(0.3, 1, 3 * x.shape[1]).reshape(x.shape[1], 3) + np.arange(3))


def quadratic(x, degree):
    """A full polynomial of the given degree, (B, D) -> (B, 1)."""
    s = x @ np.arange(1.0, x.shape[1] + 1)
    return (1 + s * (degree > 0) + (s**2 - x[:, 0] * x[:, -1]) * (degree > 1))[:, None]


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("dimension", [1, 2, 3, 5])
def test_agrees_with_scipy(kernel, dimension):
    x, t = scattered(60, dimension), scattered(200, dimension, 4)
    reference = RBFInterpolator(x, wave(x), kernel=kernel, epsilon=3.0, degree=DEGREE[kernel])(t)
    curve = RadialBasis(kernel, shape=3.0 if kernel == "gaussian" else None).fit(x, wave(x), RNG)
    # Where Gaussians overlap much, the 1e-11 on our diagonal shows.
    assert np.max(np.abs(curve(t) - reference)) < (
        {1: 1e-4, 2: 1e-6}.get(dimension, 1e-8) if kernel == "gaussian" else 1e-8
    )


@pytest.mark.parametrize("kernel", POWERS)
@pytest.mark.parametrize("dimension", [1, 2, 4, 8])
def test_polynomials_of_the_tail_are_exact(kernel, dimension):
    x, t, q = scattered(90, dimension), scattered(50, dimension, 4), DEGREE[kernel]
    curve = RadialBasis(kernel).fit(x, quadratic(x, q), RNG)
    assert np.allclose(curve(t), quadratic(t, q), atol=1e-9)
    for axis in range(dimension):
        step = 0.5 * np.eye(dimension)[axis]  # central differences of a quadratic are exact for any step
        slope = quadratic(t + step, q) - quadratic(t - step, q)
        assert np.allclose(curve.derivative(t, axis), slope, atol=1e-8)


@pytest.mark.parametrize("kernel", KERNELS)
def test_samples_are_met(kernel):
    x = scattered(100, 2)
    assert np.max(np.abs(RadialBasis(kernel).fit(x, wave(x), RNG)(x) - wave(x))) < (
        1e-4 if kernel == "gaussian" else 1e-9
    )


@pytest.mark.parametrize(("kernel", "least"), [("linear", 0.8), ("cubic", 2.5), ("quintic", 4.0)])
def test_order_of_convergence(kernel, least):
    """Away from the boundary powers r^k converge like h^(k + D), near it more slowly; here the inner square counts."""
    t, errors = 0.5 * scattered(200, 2), []
    for count in (9, 17):
        x = np.stack(np.meshgrid(*2 * [np.linspace(-1, 1, count)]), axis=-1).reshape(-1, 2)
        errors.append(np.max(np.abs(RadialBasis(kernel).fit(x, wave(x), RNG)(t) - wave(t))))
    assert np.log2(errors[0] / errors[1]) > least


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_slope_at_and_near_a_centre(kernel):
    x = scattered(30, 2)
    curve = RadialBasis(kernel, shape=2.0 if kernel == "gaussian" else None).fit(x, wave(x), RNG)
    assert np.isfinite(curve.derivative(x, 1)).all()
    if kernel != "linear":  # the distance itself has a kink there
        step = np.array([0.0, 1e-6])
        slope = (curve(x + step) - curve(x - step)) / 2e-6
        assert np.allclose(curve.derivative(x, 1), slope, atol=1e-4)


def test_the_slope_of_a_kink_is_taken_as_zero():
    zero, one = np.zeros((1, 1)), np.ones((1, 1))
    distance = RadialBasisCurve(zero, one, zero, zero, np.array([1.0, 1.0]))
    assert distance.derivative(np.array([[-0.5], [0.0], [0.5]]), 0).tolist() == [[-1.0], [0.0], [1.0]]


def test_many_points_are_taken_in_pieces(monkeypatch):
    x, t = scattered(50, 2), scattered(40, 2, 4)
    curve = RadialBasis().fit(x, wave(x), RNG)
    whole, slope = curve(t), curve.derivative(t, 1)
    monkeypatch.setattr("neumatc.bases.rbf._CHUNK", 7 * len(x))
    assert np.allclose(curve(t), whole, rtol=1e-12, atol=1e-12)
    assert np.allclose(curve.derivative(t, 1), slope, rtol=1e-10, atol=1e-10)


def test_leave_one_out_chooses_nearly_the_best_shape():
    x, t = scattered(150, 2), scattered(300, 2, 4)

    def miss(shape):
        return np.max(np.abs(RadialBasis("gaussian", shape).fit(x, wave(x), RNG)(t) - wave(t)))

    best = min(miss(shape) for shape in (0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.6, 8.0))
    assert miss(None) < 20 * best


@pytest.mark.parametrize(
    ("x", "order"),
    [
        (scattered(6, 2), 5),
        (scattered(5, 2), 3),
        (scattered(2, 2), 1),
        (scattered(1, 8), 1),
        (lobatto(2, 9), 3),  # two places along the first axis do not determine a square
        (scattered(30, 1) * [[1.0, 2.0]], 1),  # on a line, not even a plane
    ],
)
def test_points_that_do_not_determine_the_tail_lower_the_kernel(x, order):
    curve = RadialBasis().fit(x, wave(x), RNG)
    assert curve.kernel[0] == order
    assert np.allclose(curve(x), wave(x), atol=1e-9)


def test_repeated_points_are_refused():
    x = np.array([[0.0, 0.0], [0.5, 0.5], [0.0, 0.0]])
    with pytest.raises(InputError, match=r"basis 'rbf' cannot fit these points .M = 3, D = 2.: some points repeat"):
        RadialBasis().fit(x, wave(x), RNG)


def test_points_that_all_but_coincide_end_in_a_training_error():
    x = np.array([[0.0, 0.0], [1e-200, 0.0], [1.0, 0.0], [0.0, 1.0]])
    with pytest.raises(
        TrainingError, match=r"4 radial basis functions is singular.*all but coincide.*Move the samples"
    ):
        RadialBasis("cubic").fit(x, wave(x), RNG)


def test_an_unknown_kernel_lists_the_known_ones():
    with pytest.raises(
        InputError, match=r"unknown kernel 'quintc'; known: 'cubic', 'gaussian'.*Did you mean 'quintic'"
    ):
        RadialBasis("quintc")


@pytest.mark.parametrize("options", [{"kernel": "quintic", "shape": 1.0}, {"kernel": "gaussian", "shape": -1.0}])
def test_a_shape_that_is_not_read_is_refused(options):
    with pytest.raises(InputError, match=r"belongs to the kernel 'gaussian'.*Powers of the distance.*Leave shape out"):
        RadialBasis(**options)


def test_a_fit_over_two_parameters_is_saved_and_loaded(tmp_path):
    def family(p):
        return 2 * np.eye(4) + np.cos(p[0] * np.arange(16.0).reshape(4, 4) / 8 + p[1])

    fit = nmc.inv(family, [(0.0, 1.0), (0.0, 1.0)], basis="rbf", tol=1e-5, rng=0)
    assert (fit.basis.name, fit.status) == ("rbf", "converged")
    p = np.random.default_rng(0).uniform(0, 1, (50, 2))
    assert np.max(np.abs(fit(p) - np.linalg.inv([family(each) for each in p]))) < 1e-4

    fit.save(tmp_path / "fit.nmc")
    again = nmc.load(tmp_path / "fit.nmc", matrix=family)
    assert np.array_equal(again(p[0]), fit(p[0]))
    assert np.array_equal(again.derivative(1)(p[0]), fit.derivative(1)(p[0]))
    assert repr(again.surrogate.curve).startswith("RadialBasisCurve(centres (")
