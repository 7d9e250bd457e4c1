"""The network ``Φ_θ`` while it is trained; `neumatc.bases.network` evaluates what comes out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import torch

from neumatc.arrays import Array
from neumatc.bases import NetworkCurve

Tensor: TypeAlias = torch.Tensor

# The formulas of `neumatc.bases.network.ACTIVATIONS`.
SIGMAS: dict[str, Callable[[Tensor], Tensor]] = {
    "sine": torch.sin,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "gelu": partial(torch.nn.functional.gelu, approximate="tanh"),
    "relu": torch.relu,
}


class Perceptron:
    """``Φ(x) = σ(… σ(x W_1 + b_1) …) V + v`` with trainable weights.

    First layer ``w ~ U(-ω, ω)``, so that ω is a bandwidth in radians per unit of x, and ``b ~ U(-π, π)`` for the sine;
    for the others ``b ~ U(-ω, ω)``, which spreads their bends over [-1, 1]. Deeper weights, and V, are
    ``U(-1, 1) sqrt(6 / n)`` behind n neurons, as in SIREN (arXiv:2006.09661) and in He's rule.
    """

    def __init__(self, activation: str, sizes: tuple[int, ...], omega: float, rng: np.random.Generator) -> None:
        """``sizes`` are D, the width of each hidden layer, d."""
        self.activation = activation
        self.weights: list[Array] = []
        first = np.pi if activation == "sine" else omega
        for layer, (fan_in, fan_out) in enumerate(pairwise(sizes)):
            last = layer == len(sizes) - 2
            spread = np.sqrt(6 / fan_in) if layer else omega
            bias = first if layer == 0 else np.pi if activation == "sine" and not last else 0.0
            self.weights += [spread * rng.uniform(-1, 1, (fan_in, fan_out)), bias * rng.uniform(-1, 1, fan_out)]

    def parameters(self, dtype: torch.dtype, device: str) -> list[Tensor]:
        """``W_1, b_1, …, V, v`` as trainable tensors."""
        return [torch.tensor(w, dtype=dtype, device=device, requires_grad=True) for w in self.weights]

    def __call__(self, theta: list[Tensor], x: Tensor) -> Tensor:
        """``Φ(x)``, ``(B, d)``."""
        sigma, h = SIGMAS[self.activation], x
        for layer in range(0, len(theta) - 2, 2):
            h = sigma(torch.addmm(theta[layer + 1], h, theta[layer]))
        return torch.addmm(theta[-1], h, theta[-2])

    def curve(self, theta: list[Tensor]) -> NetworkCurve:
        """The network as it stands, for answering."""
        w = [t.detach().cpu().numpy().astype(float) for t in theta]
        hidden = tuple(zip(w[:-2:2], w[1:-2:2], strict=True))
        return NetworkCurve(self.activation, hidden, w[-2], w[-1])
