"""Does the result jump where A(p) does not? Then its branch ends inside the box, and no smooth map can follow."""

from __future__ import annotations

import numpy as np

from neumatc.arrays import Array
from neumatc.errors import GaugeError
from neumatc.problem import Problem

from .jumps import find_jump

STEEP = 25.0
"""Change between two neighbours over that of the pairs beside them from which it counts as a jump."""

SMALL = 1e-3
"""Residual below which both sides of a jump are solutions, and relative change above which they are different ones."""


def refuse_break(problem: Problem, x: Array, y: Array, residual: float) -> None:
    """Raise GaugeError where the labels ``y (M, d)`` at ``x (M, 1)`` jump although all of them are solutions.

    The principal square root jumps where an eigenvalue passes through the negative axis, a polar factor where A(p)
    becomes singular: exact results on both sides are right, and the equations have no smooth solution between.
    """
    if x.shape[1] > 1 or len(x) < 5 or not residual <= SMALL or problem.tabulated is not None:
        return
    if problem.box.hole is not None:
        return  # which may have been made for the break
    order = np.argsort(x[:, 0])
    points, values = x[order], y[order]
    change = np.linalg.norm(np.diff(values, axis=0), axis=-1)
    padded = np.pad(change, 2, constant_values=0.0)
    beside = np.max([padded[:-4], padded[1:-3], padded[3:-1], padded[4:]], axis=0)
    i = int(np.argmax(change))
    if change[i] <= STEEP * beside[i] or change[i] <= SMALL * np.linalg.norm(values[i]):
        return
    if find_jump(problem) is not None:
        return  # A(p) itself jumps, of which the finished fit warns
    ends = [problem.box.describe(point) for point in problem.box.from_unit(points[i : i + 2])]
    raise GaugeError(
        f"`{problem.operation.name}` has no smooth answer on the whole box: the solutions continued from both sides "
        f"meet between {ends[0]} and {ends[1]} and differ. A(p) probably becomes singular near there, an eigenvalue "
        "passes through the negative real axis, or two levels cross of which one is meant: the branch ends there. "
        "Split the box there, or shrink it."
    )
