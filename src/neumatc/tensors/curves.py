"""The six curves as functions of tensors: the arrays of a fitted `Curve`, evaluated without a branch on values.

Each formula is that of its file in `neumatc.bases`, in double precision.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any, TypeAlias, final

import torch

from neumatc.bases import (
    ChebyshevCurve,
    Curve,
    NetworkCurve,
    RadialBasisCurve,
    RationalCurve,
    SineCurve,
    SplineCurve,
)
from neumatc.errors import InputError
from neumatc.tensors.placed import Tensor, doubles, joined, pieces

TensorCurve: TypeAlias = Callable[[Tensor], Tensor]
"""``x (B, D)`` in the unit cube to real coefficients ``(B, m)``, both in double precision."""

TOUCHING = 1e-200
"""Distance from a node at which the barycentric formula would overflow, as in `neumatc.bases.rational`."""

_SLOPE, _CUBE = (2 / torch.pi) ** 0.5, 0.044715

ACTIVATIONS: Mapping[str, TensorCurve] = {
    "sine": torch.sin,
    "tanh": torch.tanh,
    "sigmoid": lambda a: 0.5 * (1.0 + torch.tanh(0.5 * a)),
    "gelu": lambda a: 0.5 * a * (1.0 + torch.tanh(_SLOPE * (a + _CUBE * a**3))),
    "relu": lambda a: a.clamp(min=0.0),
}
"""σ by the names of `neumatc.bases.network.ACTIVATIONS`."""


@final
@dataclass(frozen=True, eq=False)
class Network:
    """``σ(… σ(x W_1 + b_1) …) V + v``, for sine networks too."""

    value: TensorCurve
    hidden: tuple[tuple[Tensor, Tensor], ...]
    readout: Tensor
    offset: Tensor

    @staticmethod
    def of(curve: NetworkCurve | SineCurve, device: torch.device) -> Network:
        """Carry the weights over."""
        name = curve.activation if isinstance(curve, NetworkCurve) else "sine"
        hidden = tuple((doubles(device, weight), doubles(device, bias)) for weight, bias in curve.hidden)
        return Network(ACTIVATIONS[name], hidden, doubles(device, curve.readout), doubles(device, curve.offset))

    def __call__(self, x: Tensor) -> Tensor:
        for weight, bias in self.hidden:
            x = self.value(torch.addmm(bias, x, weight))
        return torch.addmm(self.offset, x, self.readout)


@final
@dataclass(frozen=True, eq=False)
class ChebyshevSeries:
    """``Σ c_{k_1…k_D} cos(k_1 arccos x_1) ⋯ cos(k_D arccos x_D)``, coefficients ``(n_1 ⋯ n_D, m)``."""

    orders: tuple[Tensor, ...]
    coefficients: Tensor

    @staticmethod
    def of(curve: ChebyshevCurve, device: torch.device) -> ChebyshevSeries:
        """Carry the coefficients over, and count them along each axis."""
        *counts, m = curve.coefficients.shape
        orders = tuple(torch.arange(count, dtype=torch.float64, device=device) for count in counts)
        return ChebyshevSeries(orders, doubles(device, curve.coefficients.reshape(-1, m)))

    def __call__(self, x: Tensor) -> Tensor:
        return joined([self._basis(x[some]) @ self.coefficients for some in pieces(len(x), len(self.coefficients))])

    def _basis(self, x: Tensor) -> Tensor:
        angles = x.clamp(-1.0, 1.0).arccos()
        rows = [torch.cos(angles[:, axis, None] * order) for axis, order in enumerate(self.orders)]
        return reduce(lambda left, right: (left[:, :, None] * right[:, None, :]).flatten(1), rows)


@final
@dataclass(frozen=True, eq=False)
class Barycentric:
    """``Σ_j λ_j y_j`` with ``λ_j = (w_j / (x - z_j)) / Σ_k (w_k / (x - z_k))``, one of them 1 at a node."""

    nodes: Tensor
    values: Tensor
    weights: Tensor

    @staticmethod
    def of(curve: RationalCurve, device: torch.device) -> Barycentric:
        """Carry nodes, values and weights over."""
        return Barycentric(*(doubles(device, each) for each in (curve.nodes, curve.values, curve.weights)))

    def __call__(self, x: Tensor) -> Tensor:
        gap = x - self.nodes
        touching = gap.abs() < TOUCHING
        shares = self.weights / torch.where(touching, 1.0, gap)
        shares = torch.where(touching.any(1, keepdim=True), touching.to(shares.dtype), shares)
        return (shares / shares.sum(1, keepdim=True)) @ self.values


@final
@dataclass(frozen=True, eq=False)
class Pieces:
    """Polynomials in the distance to the left end of each piece, ``coefficients (k + 1, n, m)``."""

    starts: Tensor
    ends: Tensor
    coefficients: Tensor

    @staticmethod
    def of(curve: SplineCurve, device: torch.device) -> Pieces:
        """Carry the pieces over."""
        starts = doubles(device, curve.starts)
        return Pieces(starts, starts[1:].contiguous(), doubles(device, curve.coefficients))

    def __call__(self, x: Tensor) -> Tensor:
        piece = torch.searchsorted(self.ends, x[:, 0].contiguous(), right=True)
        t, local = x - self.starts[piece, None], self.coefficients.index_select(1, piece)
        return reduce(lambda y, coefficient: y * t + coefficient, local.unbind(0))


@final
@dataclass(frozen=True, eq=False)
class Radial:
    """``Σ_i a_i φ(|x - z_i|) + Σ_α b_α x^α``; the kernel's order and shape are numbers of the host."""

    centres: Tensor
    weights: Tensor
    powers: tuple[tuple[int, ...], ...]
    tail: Tensor
    order: int
    shape: float

    @staticmethod
    def of(curve: RadialBasisCurve, device: torch.device) -> Radial:
        """Carry centres and weights over."""
        powers = tuple(tuple(int(power) for power in row) for row in curve.powers)
        arrays = (doubles(device, each) for each in (curve.centres, curve.weights, curve.tail))
        centres, weights, tail = arrays
        return Radial(centres, weights, powers, tail, int(curve.kernel[0]), float(curve.kernel[1]))

    def __call__(self, x: Tensor) -> Tensor:
        return joined([self._values(x[some]) for some in pieces(len(x), len(self.centres))])

    def _values(self, x: Tensor) -> Tensor:
        # |x|² - 2 x·z + |z|² would cancel next to a centre.
        squares = sum((x[:, axis, None] - self.centres[:, axis]) ** 2 for axis in range(x.shape[1]))
        monomials = torch.stack([self._monomial(x, row) for row in self.powers], dim=1)
        return torch.addmm(monomials @ self.tail, self._kernel(torch.as_tensor(squares)), self.weights)

    def _kernel(self, squares: Tensor) -> Tensor:
        if self.order == 0:
            return torch.exp(-(self.shape**2) * squares)
        if self.order == 2:
            return 0.5 * squares * torch.where(squares > 0, squares, 1.0).log()
        return squares.sqrt() * squares ** (self.order // 2)

    def _monomial(self, x: Tensor, powers: tuple[int, ...]) -> Tensor:
        factors = [x[:, axis] ** power for axis, power in enumerate(powers) if power]
        return reduce(torch.mul, factors, x.new_ones(len(x)))


TENSOR_CURVES: Mapping[type[Curve], Callable[[Any, torch.device], TensorCurve]] = {
    SineCurve: Network.of,
    NetworkCurve: Network.of,
    ChebyshevCurve: ChebyshevSeries.of,
    RationalCurve: Barycentric.of,
    SplineCurve: Pieces.of,
    RadialBasisCurve: Radial.of,
}
"""How each class of `neumatc.bases.CURVES` is carried over."""


def curve_on(device: torch.device, curve: Curve) -> TensorCurve:
    """The curve as a function of tensors on a device."""
    if type(curve) not in TENSOR_CURVES:
        known = ", ".join(sorted(each.name for each in TENSOR_CURVES))
        raise InputError(
            f"A map on a device needs one of the curves {known}; a {type(curve).__name__} came. "
            "A curve of your own is written in NumPy, which answers on the host alone. "
            "Fit with one of the bases of the library, or call f(p) on the host."
        )
    return TENSOR_CURVES[type(curve)](curve, device)
