"""A network of sines for compiled code: one call for all layers, weights in the order in which they are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from neumatc.arrays import Array

try:
    from neumatc import _sine as compiled
except ImportError:  # no C compiler was there when this package was installed
    compiled = None  # type: ignore[assignment]

Layers: TypeAlias = tuple[tuple[Array, Array], ...]  # (weight (n_in, n_out), bias (n_out,)) per layer

LARGE = 1 << 17
"""Numbers of a network that does not fit into the second cache: NumPy's products take several threads for it."""

STEEP = 1e5
"""Least argument of a sine that is left to NumPy; in compiled code the last bits would be lost beyond ten times it."""


@dataclass(frozen=True)
class Packed:
    """``Φ(x) = sin(… sin(x W_1 + b_1) …) V + v``.

    Parameters
    ----------
    weights : layer by layer in blocks of columns, filled up with zeros; the row of biases before the rows of weights.
    sizes : D, the neurons of every layer, and m.
    """

    weights: Array
    sizes: Array

    @staticmethod
    def of(layers: Layers) -> Packed | None:
        """Pack hidden layers and readout; None where NumPy must evaluate them, or does so faster."""
        built: Any = compiled
        if built is None or sum(weight.size for weight, _ in layers) > LARGE or _largest(layers[:-1]) >= STEEP:
            return None
        sizes = [len(layers[0][0]), *(len(bias) for _, bias in layers)]
        return Packed(np.concatenate([_blocks(*layer) for layer in layers]), np.array(sizes, np.int64))

    def __call__(self, x: Array) -> Array:
        """Evaluate at ``x`` (B, D); returns (B, m). A point has the same bits whatever the others are."""
        out = np.empty((len(x), self.sizes[-1]))
        compiled.evaluate(np.ascontiguousarray(x, float), self.weights, self.sizes, out)
        return out


def _largest(hidden: Layers) -> float:
    """A bound of all arguments of sines: nothing that enters a layer is above one."""
    return max((float(np.max(np.abs(weight).sum(axis=0) + np.abs(bias))) for weight, bias in hidden), default=0.0)


def _blocks(weight: Array, bias: Array) -> Array:
    """Return one layer, block of columns by block."""
    rows = np.vstack([bias, weight])
    count = -(-rows.shape[1] // compiled.WIDE)
    filled = np.zeros((len(rows), count * compiled.WIDE))
    filled[:, : rows.shape[1]] = rows
    return filled.reshape(len(rows), count, compiled.WIDE).swapaxes(0, 1).ravel()
