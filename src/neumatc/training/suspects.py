"""Where a curve is most likely to be wrong: between the neighbours whose labels differ most.

Random held-out points alone miss what happens near a pole, where a thousandth of the box holds all of the error.
"""

from __future__ import annotations

from functools import reduce

import numpy as np

from neumatc.arrays import Array

SUSPECTS = 8
"""Points added to the held-out ones, per grid of candidates."""


def steepest_midpoints(x: Array, y: Array, count: int = SUSPECTS, pairs: Array | None = None) -> Array:
    """Midpoints ``(k, D)`` of the neighbouring points ``x (M, D)`` between which ``y (M, m)`` changes most.

    ``pairs`` are the `neighbours`, for a caller who has them cheaper.
    """
    pairs = neighbours(x) if pairs is None else pairs
    change = np.linalg.norm(y[pairs[:, 0]] - y[pairs[:, 1]], axis=-1)
    chosen = pairs[np.argsort(-change, kind="stable")[:count]]
    middle: Array = (x[chosen[:, 0]] + x[chosen[:, 1]]) / 2
    return middle


def neighbours(x: Array) -> Array:
    """Pairs of indices ``(k, 2)``: for every point and axis the nearest point that lies in the direction of the axis.

    The nearest points alone would all lie along one axis of a grid, and a jump along the other would go unseen.
    """
    return np.concatenate(neighbours_by_axis(x))


def neighbours_by_axis(x: Array) -> list[Array]:
    """The pairs of `neighbours` axis by axis."""
    # Axis by axis: all differences of a few thousand points at once would take a gigabyte.
    distance = reduce(np.maximum, (np.abs(column - column[:, None]) for column in x.T))
    # Of several at the same distance (a grid has diagonals) the one straight ahead.
    rank = distance + 1e-6 * reduce(np.add, (np.abs(column - column[:, None]) for column in x.T))
    pairs = []
    for column in x.T:
        ahead = column - column[:, None]
        nearest = np.where((ahead > 0) & (ahead == distance), rank, np.inf)
        here = np.flatnonzero(np.isfinite(nearest).any(1))
        pairs.append(np.stack([here, nearest[here].argmin(1)], axis=1))
    return pairs
