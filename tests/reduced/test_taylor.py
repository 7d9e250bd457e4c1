"""Taylor coefficients of functions whose derivatives are known."""

from typing import Any

import numpy as np
import pytest

from neumatc.axis import Axis
from neumatc.box import Box
from neumatc.reducing.taylor import taylor


def smooth(points: Any) -> Any:
    p = points[:, 0]
    return np.stack([np.cos(2 * np.pi * p), np.sin(2 * np.pi * p), 1 / (1 + p), np.exp(3 * p)], axis=1)


def exact_coefficients(p: float, k: int) -> Any:
    """``θ^(k)(p) / k!`` of `smooth`."""
    factorial, turn = [1, 1, 2, 6][k], 2 * np.pi
    waves = [turn**k * np.cos(turn * p + k * np.pi / 2), turn**k * np.sin(turn * p + k * np.pi / 2)]
    pole = (-1) ** k * factorial / (1 + p) ** (k + 1)
    return np.array([*waves, pole, 3.0**k * np.exp(3 * p)]) / factorial


@pytest.mark.parametrize("p", [0.0, 0.03, 0.37, 0.5, 1.0])
@pytest.mark.parametrize("periodic", [False, True])
def test_coefficients_of_smooth_functions(p: float, periodic: bool) -> None:
    box = Box((0.0,), (1.0,), periodic=(periodic,))
    columns = slice(0, 2) if periodic else slice(None)
    found = taylor(lambda points: smooth(points)[:, columns], box, np.array([p]), 3)
    assert found is not None
    value = np.abs(exact_coefficients(p, 0)[columns]) + np.abs(exact_coefficients(p + 0.1, 0)[columns])
    for k in range(4):
        # The cube is twice as long as the box: Δp = Δx / 2. A coefficient smaller than θ counts by the size of θ.
        wanted = exact_coefficients(p, k)[columns] / 2**k
        size = np.maximum(np.abs(wanted), value)
        np.testing.assert_allclose(found[k,].value / size, wanted / size, rtol=0, atol=2e-9)


def test_mixed_derivatives_and_a_logarithmic_axis() -> None:
    box = Box.of([Axis(1.0, np.e**2, scale="log"), (-1.0, 1.0)])
    # log p = 1 + x on the first axis: exp(x + 1) sin(y), complex.
    found = taylor(lambda p: (p[:, 0] * np.exp(1j * p[:, 1]))[:, None], box, np.array([np.e, 0.5]), 2)
    assert found is not None
    assert set(found) == {(0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2)}
    for (i, j), coefficient in found.items():
        wanted = np.e * 1j**j * np.exp(0.5j) / (2 if 2 in (i, j) else 1)
        np.testing.assert_allclose(coefficient.value, wanted, rtol=1e-9)


def test_what_is_nothing_but_rounding_is_zero() -> None:
    found = taylor(lambda p: np.stack([0 * p[:, 0] + 0.1, 0.3 * p[:, 0]], 1), Box.of((0.0, 7.0)), np.array([7.0]), 3)
    assert found is not None
    np.testing.assert_array_equal([found[k,].value for k in range(1, 4)], [[0, pytest.approx(1.05)], [0, 0], [0, 0]])


def test_a_function_that_oscillates_gets_a_smaller_neighbourhood() -> None:
    found = taylor(lambda p: np.cos(100 * p), Box.of((-1.0, 1.0)), np.array([1.0]), 3)
    assert found is not None
    wanted = [np.cos(100), -100 * np.sin(100), -(100**2) * np.cos(100) / 2, 100**3 * np.sin(100) / 6]
    np.testing.assert_allclose([found[k,].value[0] for k in range(4)], wanted, rtol=1e-7)


def test_kinks_and_holes_are_recognised() -> None:
    box = Box.of((0.0, 1.0))
    assert taylor(lambda p: np.abs(p - 0.5), box, np.array([0.5]), 2) is None
    assert taylor(lambda p: np.abs(p - 0.5), box, np.array([0.3]), 2) is not None
    narrow = box.excluding(lambda p: p != 0.5)
    assert taylor(np.cos, narrow, np.array([0.5]), 1) is None
    seen: list[float] = []
    hole = box.excluding(lambda p: 0.4 < p < 0.45)
    assert taylor(lambda p: (seen.extend(p[:, 0]), np.cos(p))[1], hole, np.array([0.5]), 1) is not None
    assert not any(0.4 < p < 0.45 for p in seen)
