"""Trained networks as curves: five activations, evaluated and differentiated without torch."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from neumatc.bases import CURVES, NetworkCurve
from neumatc.bases.network import ACTIVATIONS
from neumatc.training.perceptron import Perceptron

Array = npt.NDArray[Any]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_answers_as_it_was_trained(activation: str):
    network = Perceptron(activation, (2, 12, 12, 3), 4.0, np.random.default_rng(0))
    x = np.random.default_rng(1).uniform(-1, 1, (7, 2))
    theta = network.parameters(torch.float64, "cpu")
    found = network(theta, torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(network.curve(theta)(x), found, atol=1e-12)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_curve_differentiates_combines_and_is_stored(activation: str):
    network = Perceptron(activation, (2, 9, 9, 3), 3.0, np.random.default_rng(2))
    curve = network.curve(network.parameters(torch.float64, "cpu"))
    x = np.random.default_rng(1).uniform(-1, 1, (20, 2))
    h = 1e-6
    for axis in range(2):
        step = h * np.eye(2)[axis]
        np.testing.assert_allclose(curve.derivative(x, axis), (curve(x + step) - curve(x - step)) / (2 * h), atol=1e-6)
    T: Array = np.random.default_rng(0).standard_normal((3, 2))
    np.testing.assert_allclose(curve.combined(T)(x), curve(x) @ T, atol=1e-13)
    again = CURVES["network"].from_arrays(curve.arrays())
    assert isinstance(again, NetworkCurve)
    np.testing.assert_array_equal(again(x), curve(x))


def test_sigmoid_does_not_overflow():
    sigma = ACTIVATIONS["sigmoid"]
    np.testing.assert_array_equal(sigma.value(np.array([-1e4, 0.0, 1e4])), [0.0, 0.5, 1.0])


def test_unknown_activation_in_a_file():
    stored = Perceptron("relu", (1, 2, 1), 1.0, np.random.default_rng(0)).curve(
        [torch.zeros(1, 2), torch.zeros(2), torch.zeros(2, 1), torch.zeros(1)]
    )
    with pytest.raises(KeyError):
        NetworkCurve.from_arrays(stored.arrays() | {"activation": np.array([9.0])})
