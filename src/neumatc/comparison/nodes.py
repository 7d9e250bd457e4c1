"""Where baselines solve exactly: each design has the number of points it is granted, or as many as a grid can use."""

from __future__ import annotations

from math import prod

import numpy as np

from neumatc.arrays import Array
from neumatc.bases import lobatto
from neumatc.sampling.designs import sobol

GRIDS = (1, 2, 3)
"""Dimensions in which a tensor grid is affordable."""


def sides(count: int, dimension: int) -> tuple[int, ...]:
    """Points per axis of the largest nearly cubic grid with at most ``count`` points.

    Examples
    --------
    >>> sides(40, 1), sides(40, 2), sides(40, 3)
    ((40,), (6, 6), (4, 3, 3))
    >>> sides(30, 2)
    (6, 5)
    """
    found = [max(1, int((count + 0.5) ** (1 / dimension)))] * dimension
    for axis in range(dimension):
        if prod(found) // found[axis] * (found[axis] + 1) <= count:
            found[axis] += 1
    return tuple(found)


def chebyshev(count: int, dimension: int) -> Array:
    """Chebyshev-Lobatto points (M, D), crowded towards the faces; a tensor grid up to three parameters.

    Beyond, Sobol points under the same density ``1 / sqrt(1 - x²)`` along each axis.
    """
    if dimension in GRIDS:
        return lobatto(*sides(count, dimension))
    points: Array = np.sin(np.pi / 2 * sobol(count, dimension, np.random.default_rng(0)))
    return points


def uniform(count: int) -> Array:
    """Equidistant points (M, 1) with both ends."""
    return np.linspace(-1, 1, count)[:, None]


def centres(count: int, dimension: int) -> Array:
    """Middles (M, D) of equal cells: no point of the cube is far from one of them."""
    if dimension not in GRIDS:
        return sobol(count, dimension, np.random.default_rng(0))
    axes = [(2 * np.arange(side) + 1) / side - 1 for side in sides(count, dimension)]
    return np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=1)


def tabulated(table: Array, count: int) -> Array:
    """Rows of a table (m, D), spread evenly over its order, the ends included."""
    order = np.lexsort(table.T[::-1])
    rows = np.unique(np.linspace(0, len(table) - 1, min(count, len(table))).astype(int))
    chosen: Array = table[order[rows]]
    return chosen
