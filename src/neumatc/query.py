"""From a caller's p to points of the unit cube, the first thing that every answer does."""

from __future__ import annotations

from typing import Any

import numpy as np

from neumatc.arrays import Array
from neumatc.box import Box


def unit_points(box: Box, p: Any) -> tuple[Array, tuple[int, ...]]:
    """Points ``x (B, D)`` in ``[-1, 1]^D`` for ``p``, and the batch shape of p; see `Box.points`.

    One Python float in a plain interval, the commonest query, takes a short way with the same rounding: arrays of one
    number would double what such a query costs.

    Examples
    --------
    >>> unit_points(Box.of((0.0, 2.0)), 0.5)
    (array([[-0.5]]), ())
    """
    if box.interval is not None and isinstance(p, float):
        lower, upper = box.interval
        if lower <= p <= upper:
            return np.array([[((p - lower) - (upper - p)) / (upper - lower)]]), ()
    points, batch = box.points(p)
    return box.to_unit(points), batch
