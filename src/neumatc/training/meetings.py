"""Where levels that are followed through p meet: a true crossing is harmless, one that is avoided is not.

Between two samples that are further apart than the window in which vectors turn, an avoided crossing looks like a true
one, and every sample is right. Only A(p) at the very place tells them apart, so these places are held out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from neumatc.arrays import Array

from .nodes import adjacent

MEETINGS = 16
"""Most places looked at."""

HALVINGS = 40
"""Bisections towards one: to rounding."""


class Meetings(NamedTuple):
    """Points ``(k, D)`` at which two levels cross, spread over all that do, and between how many neighbours some do."""

    places: Array
    pairs: int


def meetings(x: Array, levels: Array, at: Callable[[Array], Array], count: int = MEETINGS) -> Meetings:
    """Where two real levels cross between neighbours.

    Parameters
    ----------
    x : (M, D) points
    levels : (M, n) levels there, each column one level followed through p
    at : the same levels between the points, ``(k, D) -> (k, n)``
    """
    found = _crossings(x, levels)
    chosen = found[np.unique(np.linspace(0, len(found) - 1, min(count, len(found))).round().astype(int))]
    if not len(chosen):
        return Meetings(np.empty((0, x.shape[1])), 0)
    low, high = x[chosen[:, 0]], x[chosen[:, 1]]
    rows = np.arange(len(chosen))
    first = levels[chosen[:, 0], chosen[:, 2]] > levels[chosen[:, 0], chosen[:, 3]]
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        now = at(middle)
        same = (now[rows, chosen[:, 2]] > now[rows, chosen[:, 3]]) == first
        low, high = np.where(same[:, None], middle, low), np.where(same[:, None], high, middle)
    return Meetings((low + high) / 2, len(found))


def _crossings(x: Array, levels: Array) -> Array:
    """``(k, 4)``: two neighbouring points, and two levels that are next to each other at the first and cross."""
    pairs = adjacent(x)
    found = []
    for i, j in pairs:
        # Levels that are equal at i itself meet there: they count as not yet crossed.
        order = np.lexsort((-levels[j], levels[i]))
        crossed = np.flatnonzero(np.diff(levels[j][order]) < 0)
        found += [(i, j, order[k], order[k + 1]) for k in crossed]
    return np.array(found, int).reshape(-1, 4)
