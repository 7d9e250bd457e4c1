"""The one formula, for every kind of numbers."""

import numpy as np
import pytest
from tests.core.kinds import DTYPES, EVERY, draw

from neumatc.bases import Spline
from neumatc.layout import Layout, Part
from neumatc.surrogate import Surrogate

BATCHES = pytest.mark.parametrize("batch", [1, 2, 17])


X = np.linspace(-1, 1, 30)[:, None]


def surrogate(kind: str) -> Surrogate:
    """Coefficients cos(x), x², … on slices of a 3 x 4 matrix."""
    coefficients, slices = DTYPES[kind]
    y = np.concatenate([np.cos(X), X**2, np.sin(X), X], axis=1)
    complex_ = np.dtype(coefficients).kind == "c"
    C = draw((2 if complex_ else 4, 12), slices, 3)
    return Surrogate(C, Spline().fit(X, y, np.random.default_rng(0)), Layout((Part("X", 3, 4),)), complex_)


def phi(x: np.ndarray, complex_: bool) -> np.ndarray:
    values = np.concatenate([np.cos(x), x**2, np.sin(x), x], axis=1)
    return values[:, ::2] + 1j * values[:, 1::2] if complex_ else values


@EVERY
@BATCHES
def test_factors_are_coefficients_times_slices(kind: str, batch: int) -> None:
    s = surrogate(kind)
    x = np.linspace(-0.9, 0.8, batch)[:, None]
    tolerance = 1e-5
    assert s.d == len(s.C)
    assert s.nbytes == s.C.nbytes
    assert s.phi(x).dtype == np.dtype(DTYPES[kind][0])
    np.testing.assert_allclose(s.phi(x), phi(x, s.complex_coefficients), rtol=0, atol=tolerance)
    expected = np.einsum("bd,dij->bij", s.phi(x), s.C.reshape(-1, 3, 4))
    assert s.factors(x)["X"].dtype == s.C.dtype
    np.testing.assert_allclose(s.factors(x)["X"], expected, rtol=0, atol=1e-5 if "single" in kind else 1e-13)
    out = np.empty((batch, 12), s.C.dtype)
    assert s.flat(x, out) is out
    np.testing.assert_array_equal(out.reshape(-1, 3, 4), s.factors(x)["X"])


@EVERY
def test_a_row_of_a_batch_is_the_single_answer(kind: str) -> None:
    s, x = surrogate(kind), np.linspace(-0.9, 0.8, 6)[:, None]
    many = s.flat(x)
    for i in range(6):
        tolerance = 1e-5 if "single" in kind else 1e-13
        np.testing.assert_allclose(s.flat(x[i : i + 1])[0], many[i], rtol=0, atol=tolerance)


@pytest.mark.parametrize("kind", ["real", "real against complex", "complex"])
def test_derivatives_are_difference_quotients(kind: str) -> None:
    s, x, h = surrogate(kind), np.array([[-0.5], [0.2], [0.7]]), 1e-5
    quotient = (s.factors(x + h)["X"] - s.factors(x - h)["X"]) / (2 * h)
    np.testing.assert_allclose(s.derivative_factors(x, 0)["X"], quotient, rtol=0, atol=1e-7)


@pytest.mark.parametrize("change", ["left", "trace", "complex"])
@pytest.mark.parametrize("kind", ["real", "real against complex", "complex"])
def test_linear_algebra_acts_on_the_slices(kind: str, change: str) -> None:
    L, R = draw((2, 3), np.complex128 if change == "complex" else np.float64, 5), draw((4, 1), np.float64, 6)
    action = {
        "left": lambda Y: L @ Y,
        "trace": lambda Y: Y[:, :1, :1] + Y[:, 1:2, 1:2],
        "complex": lambda Y: L @ Y @ R,
    }[change]
    s, x = surrogate(kind), np.array([[-0.5], [0.2], [0.7]])
    new = s.transformed("X", action)
    assert new.d == s.d
    expected = action(s.factors(x)["X"])
    assert new.factors(x)["X"].dtype == expected.dtype
    np.testing.assert_allclose(new.factors(x)["X"], expected, rtol=0, atol=1e-13)
