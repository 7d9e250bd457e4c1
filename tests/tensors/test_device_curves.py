"""Curves of tensors are those of NumPy, to rounding, and look at no value."""

from typing import Any

import numpy as np
import pytest
import torch
from tests.tensors.waiting import NoWaiting

from neumatc.bases import BASES, CURVES, Chebyshev, Curve, RadialBasis, Rational, SineNetwork, Spline, lobatto
from neumatc.bases.network import ACTIVATIONS as ON_HOST
from neumatc.bases.rbf import KERNELS
from neumatc.errors import InputError
from neumatc.tensors.curves import ACTIVATIONS, TENSOR_CURVES, curve_on
from neumatc.training.perceptron import Perceptron

CPU = torch.device("cpu")
RECIPES: list[Any] = [
    SineNetwork(),
    SineNetwork(layers=1, width=40),
    Chebyshev(),
    Rational(),
    Spline(),
    Spline(degree=1),
    *(RadialBasis(kernel) for kernel in KERNELS),
]


def smooth(x: Any) -> Any:
    s = x.sum(axis=1, keepdims=True)
    return np.hstack([np.exp(s), np.cos(2 * s + 1) + 0.3 * x[:, :1], 1 / (x[:, :1] + 3)])


def network(activation: str, dimension: int) -> Curve:
    made = Perceptron(activation, (dimension, 9, 9, 3), 3.0, np.random.default_rng(2))
    return made.curve(made.parameters(torch.float64, "cpu"))


def made(dimension: int) -> list[Any]:
    x, rng = lobatto(*(24, 9)[:dimension]), np.random.default_rng(0)
    fits = [recipe.fit(x, smooth(x), rng) for recipe in RECIPES if recipe.unsuited(x) is None]
    return fits + [network(activation, dimension) for activation in ON_HOST]


CASES = [(curve, dimension) for dimension in (1, 2) for curve in made(dimension)]


@pytest.mark.parametrize(("curve", "dimension"), CASES, ids=lambda each: getattr(each, "name", each))
@pytest.mark.parametrize("count", [0, 1, 50])
def test_values_are_those_of_numpy(curve: Curve, dimension: int, count: int):
    x = np.random.default_rng(1).uniform(-1, 1, (count, dimension))
    # Ends, and samples, which are nodes or centres, too.
    x = np.concatenate([x, lobatto(*(24, 9)[:dimension])]) if count > 1 else x
    prepared, points = curve_on(CPU, curve), torch.from_numpy(x)
    with NoWaiting():
        found = prepared(points)
    # Large weights cancel: rounding is relative to them, and to the fifth power of the longest distance.
    arrays = curve.arrays()
    size = max([10.0, *(np.abs(arrays[name]).sum() for name in ("weights", "readout") if name in arrays)])
    longest = (2 * dimension**0.5) ** 5 if curve.name == "rbf" else 16
    atol = np.finfo(float).eps * size * longest
    np.testing.assert_allclose(found.numpy(), curve(x).reshape(len(x), 3), rtol=0, atol=atol)


def test_every_curve_of_a_file_has_one():
    assert set(CURVES.values()) == set(TENSOR_CURVES)
    assert set(ACTIVATIONS) == set(ON_HOST)
    assert {curve.name for curve, _ in CASES} == set(CURVES) >= set(BASES)


@pytest.mark.parametrize("dimension", [1, 2])
def test_long_batches_come_in_pieces(dimension: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("neumatc.tensors.placed.HELD", 1000)
    x = np.random.default_rng(1).uniform(-1, 1, (99, dimension))
    for curve in made(dimension):
        np.testing.assert_allclose(curve_on(CPU, curve)(torch.from_numpy(x)).numpy(), curve(x), atol=1e-8)


def test_slopes_are_those_of_the_curve():
    curve, x = CASES[0][0], torch.linspace(-0.9, 0.9, 7, dtype=torch.float64)[:, None].requires_grad_()
    value = curve_on(CPU, curve)(x)[:, 0]
    (slope,) = torch.autograd.grad(value.sum(), x)
    np.testing.assert_allclose(slope[:, 0].numpy(), curve.derivative(x.detach().numpy(), 0)[:, 0], atol=1e-10)


def test_a_curve_of_ones_own_is_refused():
    class Own(type(CASES[0][0])):  # type: ignore[misc]  # a subclass, which may compute anything
        pass

    with pytest.raises(InputError, match=r"a Own came\. A curve of your own .* one of the bases of the library"):
        curve_on(CPU, object.__new__(Own))
