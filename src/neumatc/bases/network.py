"""A multilayer perceptron as a curve: what joint training (`neumatc.training.joint`) leaves behind.

``h_0 = x``, ``h_l = σ(h_{l-1} W_l + b_l)`` for ``l = 1..L``, and ``Φ(x) = h_L V + v``: the paper's ``Φ_θ``. All layers
were trained elsewhere; here they are evaluated and differentiated with NumPy alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, NamedTuple, Self, final

import numpy as np

from neumatc.arrays import Array
from neumatc.bases.base import Curve
from neumatc.bases.packed import Layers, Packed
from neumatc.products import times

__all__ = ["ACTIVATIONS", "NetworkCurve"]

_SLOPE, _CUBE = float(np.sqrt(2 / np.pi)), 0.044715  # of GELU, see `_gelu`


class Activation(NamedTuple):
    """σ and its derivative, entry by entry."""

    value: Callable[[Array], Array]
    slope: Callable[[Array], Array]


def _sigmoid(a: Array) -> Array:
    # By tanh: exp(-a) would overflow far to the left.
    half: Array = 0.5 * (1.0 + np.tanh(0.5 * a))
    return half


def _sigmoid_slope(a: Array) -> Array:
    s = _sigmoid(a)
    slope: Array = s * (1.0 - s)
    return slope


def _tanh_slope(a: Array) -> Array:
    slope: Array = 1.0 - np.tanh(a) ** 2
    return slope


def _gelu(a: Array) -> Array:
    """``a/2 (1 + tanh(√(2/π) (a + 0.044715 a³)))``: the form of arXiv:1606.08415 that needs no error function.

    It is the activation itself, not an approximation made here: training uses the same formula.
    """
    value: Array = 0.5 * a * (1.0 + np.tanh(_SLOPE * (a + _CUBE * a**3)))
    return value


def _gelu_slope(a: Array) -> Array:
    t = np.tanh(_SLOPE * (a + _CUBE * a**3))
    slope: Array = 0.5 * (1.0 + t) + 0.5 * a * (1.0 - t**2) * _SLOPE * (1.0 + 3.0 * _CUBE * a**2)
    return slope


def _relu(a: Array) -> Array:
    value: Array = np.maximum(a, 0.0)
    return value


def _step(a: Array) -> Array:
    slope: Array = (a > 0).astype(float)
    return slope


# A file holds the place in this table: new entries come last.
ACTIVATIONS: dict[str, Activation] = {
    "sine": Activation(np.sin, np.cos),
    "tanh": Activation(np.tanh, _tanh_slope),
    "sigmoid": Activation(_sigmoid, _sigmoid_slope),
    "gelu": Activation(_gelu, _gelu_slope),
    "relu": Activation(_relu, _step),
}


@final
@dataclass(frozen=True, eq=False, repr=False)
class NetworkCurve(Curve):
    """A trained network ``Φ(x) = σ(… σ(x W_1 + b_1) …) V + v``.

    Parameters
    ----------
    activation : σ by name, one of `ACTIVATIONS`.
    hidden : pairs (weight (n_in, W), bias (W,)), one per hidden layer.
    readout : V (W, m).
    offset : v (m,).

    Examples
    --------
    >>> import numpy as np
    >>> hidden = ((np.array([[2.0]]), np.array([-1.0])),)
    >>> curve = NetworkCurve("relu", hidden, np.array([[3.0]]), np.array([1.0]))
    >>> curve(np.array([[1.0], [0.0]])).ravel(), curve.derivative(np.array([[1.0], [0.0]]), 0).ravel()
    (array([4., 1.]), array([6., 0.]))
    """

    name: ClassVar[str] = "network"

    activation: str
    hidden: Layers
    readout: Array
    offset: Array

    def __call__(self, x: Array) -> Array:
        """Evaluate at ``x`` (B, D); returns (B, m)."""
        if self._packed is not None:
            return self._packed(x)
        # One point as a vector: products with it cost a third less than those with a matrix of one row.
        value, h = ACTIVATIONS[self.activation].value, x[0] if len(x) == 1 else x
        for weight, bias in self.hidden:
            h = value(times(h, weight) + bias)
        y = times(h, self.readout) + self.offset
        return y.reshape(len(x), len(self.offset))

    @cached_property
    def _packed(self) -> Packed | None:
        return Packed.of((*self.hidden, (self.readout, self.offset))) if self.activation == "sine" else None

    def derivative(self, x: Array, axis: int) -> Array:
        """Differentiate by the chain rule, ``dh_l = σ'(a_l) · (dh_{l-1} W_l)``; returns (B, m)."""
        value, slope = ACTIVATIONS[self.activation]
        h, dh = x, np.zeros_like(x)
        dh[:, axis] = 1.0
        for weight, bias in self.hidden:
            a = h @ weight + bias
            h, dh = value(a), slope(a) * (dh @ weight)
        dy: Array = dh @ self.readout
        return dy

    def combined(self, T: Array) -> "NetworkCurve":
        """Return ``x -> Φ(x) T``, ``T (m, k)``."""
        readout = np.ascontiguousarray(self.readout @ T)
        return NetworkCurve(self.activation, self.hidden, readout, self.offset @ T)

    def arrays(self) -> dict[str, Array]:
        """Return ``activation`` (its place in `ACTIVATIONS`), ``weight0, bias0, weight1, …, readout, offset``."""
        stored = {"activation": np.array([float(list(ACTIVATIONS).index(self.activation))])}
        for layer, (weight, bias) in enumerate(self.hidden):
            stored[f"weight{layer}"], stored[f"bias{layer}"] = weight, bias
        return stored | {"readout": self.readout, "offset": self.offset}

    @classmethod
    def from_arrays(cls, arrays: dict[str, Array]) -> Self:
        """Rebuild the network; the number of layers is the number of weights."""
        activation = dict(enumerate(ACTIVATIONS))[int(arrays["activation"][0])]
        layers = sum(key.startswith("weight") for key in arrays)
        hidden = tuple((arrays[f"weight{layer}"], arrays[f"bias{layer}"]) for layer in range(layers))
        return cls(activation, hidden, arrays["readout"], arrays["offset"])
