"""Taylor coefficients of a caller's coefficients θ(p), from polynomials through few values near a point.

Variables are those of the cube: an axis has length two there and a logarithmic one is straight, so that a polynomial of
one degree and a radius that is halved as long as need be suit every box. The span of all derivatives up to an order
does not depend on the variables.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.polynomial import chebyshev

from neumatc.arrays import Array
from neumatc.box import Box

Index: TypeAlias = tuple[int, ...]
"""Order of a derivative in every parameter."""

DEGREE = 16
"""Of the polynomials."""

RADII = [2.0**-k for k in range(1, 8)]
"""Half the width of the neighbourhood, largest first: rounding in a derivative of order k grows like radius^-k."""

RESOLVED = 1e-13
"""Share of the last two Chebyshev coefficients up to which a polynomial counts as the function itself."""

ROUNDING = 16 * float(np.finfo(float).eps)
"""Relative rounding in a value of θ."""

NODES: Array = np.cos(np.pi * (np.arange(DEGREE + 1) + 0.5) / (DEGREE + 1))
TRANSFORM: Array = np.linalg.inv(chebyshev.chebvander(NODES, DEGREE))
"""Chebyshev coefficients from values at the nodes."""


@dataclass(frozen=True)
class Coefficient:
    """``∂^α θ / α!`` (Q,) of one multi-index α, and what rounding may hide in it; exactly zero where that is all."""

    value: Array
    noise: Array


def indices(dimension: int, order: int) -> list[Index]:
    """All multi-indices of a total order.

    Examples
    --------
    >>> indices(2, 2)
    [(2, 0), (1, 1), (0, 2)]
    """
    found = [index for index in itertools.product(range(order, -1, -1), repeat=dimension) if sum(index) == order]
    return found


def taylor(theta: Callable[[Array], Array], box: Box, point: Array, order: int) -> dict[Index, Coefficient] | None:
    """Taylor coefficients up to a total order at a point (D,), in the variables of the cube.

    None where the neighbourhood cannot be kept out of a hole, or where θ is not smooth.

    Parameters
    ----------
    theta : (M, D) points of the box -> (M, Q)

    Examples
    --------
    >>> found = taylor(lambda p: np.exp(p), Box.of((-1.0, 1.0)), np.array([0.0]), 3)
    >>> np.allclose([float(found[k,].value[0]) for k in range(4)], [1, 1, 1 / 2, 1 / 6], rtol=1e-9)
    True
    """
    found: dict[Index, Coefficient] = {}
    unit = box.to_unit(point)
    # A derivative of total order m concerns at most m parameters: grids over more of them would be wasted.
    for axes in itertools.combinations(range(box.dimension), min(order, box.dimension)):
        local = _local(theta, box, unit, axes)
        if local is None:
            return None
        found = local.coefficients(order, box.dimension) | found
    return found


@dataclass(frozen=True)
class Local:
    """Values of θ on a grid of nodes over some axes around a point.

    Parameters
    ----------
    values : (nodes, ..., nodes, Q)
    axes : that the grid runs over
    at : where the point lies in the neighbourhood [-1, 1] of every such axis
    radius : of the neighbourhood
    """

    values: Array
    axes: Sequence[int]
    at: Array
    radius: float

    @property
    def resolved(self) -> bool:
        """Whether the polynomial is θ itself, up to rounding."""
        largest = np.abs(self.values).reshape(-1, self.values.shape[-1]).max(0)
        tails = [np.tensordot(TRANSFORM[-2:], self.values, (1, axis)) for axis in range(len(self.axes))]
        return all(bool(np.all(np.abs(tail) <= RESOLVED * largest)) for tail in tails)

    def coefficients(self, order: int, dimension: int) -> dict[Index, Coefficient]:
        """Those of all derivatives in the axes of the grid."""
        found = {}
        for total in range(order + 1):
            for index in indices(len(self.axes), total):
                full = np.zeros(dimension, int)
                full[list(self.axes)] = index
                found[tuple(full.tolist())] = self._coefficient(index)
        return found

    def _coefficient(self, index: Index) -> Coefficient:
        value, noise = self.values, np.abs(self.values)
        for k, at in zip(index, self.at, strict=True):
            weights = chebyshev.chebval(at, chebyshev.chebder(TRANSFORM, k)) / (math.factorial(k) * self.radius**k)
            value, noise = np.tensordot(weights, value, 1), np.tensordot(np.abs(weights), noise, 1)
        known = np.abs(value) > ROUNDING * noise
        return Coefficient(np.where(known, value, 0), np.where(known, ROUNDING * noise, 0))


def _local(theta: Callable[[Array], Array], box: Box, unit: Array, axes: Sequence[int]) -> Local | None:
    """The largest neighbourhood in which θ is resolved, if there is one."""
    some = list(axes)
    for radius in RADII:
        inside = np.clip(unit[some], radius - 1, 1 - radius)
        middle = np.where(np.array(box.periodic)[some], unit[some], inside)
        grid = np.stack(np.meshgrid(*[NODES] * len(some), indexing="ij"), axis=-1)
        x = np.broadcast_to(unit, (*grid.shape[:-1], len(unit))).copy()
        x[..., some] = _wrapped(middle + radius * grid)
        points = box.from_unit(x.reshape(-1, len(unit)))
        if box.excluded(points).any():
            continue
        values = theta(points)
        local = Local(values.reshape(*grid.shape[:-1], -1), axes, (unit[some] - middle) / radius, radius)
        if local.resolved:
            return local
    return None


def _wrapped(x: Array) -> Array:
    """Round a periodic axis, which has length two; nothing inside of the cube moves."""
    around: Array = np.where(np.abs(x) > 1, (x + 1) % 2 - 1, x)
    return around
