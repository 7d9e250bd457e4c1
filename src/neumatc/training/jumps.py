"""Does A(p) jump? The steepest neighbours are suspected, and bisection settles it."""

from __future__ import annotations

import numpy as np

from neumatc.arrays import Array
from neumatc.history import Event
from neumatc.problem import FAILURES, Problem

from .suspects import neighbours

STEEP = 2.0
"""Slope over the median slope from which a pair of neighbours is suspected."""

SUSPECTS = 3
"""Most pairs of neighbours that are bisected. Two or three A(p) clear a smooth pair, whose change halves each time."""

BISECTIONS = 14
"""Halvings of the interval: even a steep smooth change shrinks on the way."""

PERSISTS = 0.3
"""Share of the difference that must be left for a jump."""

CLOSE = 2e-3
"""Points closer than a thousandth of the cube say more about rounding than about slope."""


def find_jump(problem: Problem) -> Event | None:
    """Compare the prints of all matrices seen during a fit; a jump stays as large as it was, however near one comes."""
    if problem.tabulated is not None or len(seen := problem.prints()) < 2:
        return None
    points, prints = np.array([np.frombuffer(key) for key in seen]), list(seen.values())
    pairs = neighbours(problem.box.to_unit(points))
    if problem.meter.failed:
        # A(p) may be anything where it has no result, and that is told already.
        good = np.array([key not in problem.meter.failed for key in seen])
        pairs = pairs[good[pairs].all(1)]
        if not len(pairs):
            return None
    gaps = np.linalg.norm(problem.box.to_unit(points[pairs[:, 0]]) - problem.box.to_unit(points[pairs[:, 1]]), axis=-1)
    slopes = [np.linalg.norm(prints[i] - prints[j]) for i, j in pairs] / np.maximum(gaps, CLOSE)
    steepest = np.argsort(-slopes)[:SUSPECTS]
    for i, j in pairs[steepest[slopes[steepest] > STEEP * np.median(slopes)]]:
        event = _bisected(problem, points[i : i + 1], points[j : j + 1])
        if event is not None:
            return event
    return None


def _bisected(problem: Problem, a: Array, b: Array) -> Event | None:
    A, B = problem.matrices(a)[0], problem.matrices(b)[0]
    first = np.linalg.norm(A - B)
    for _ in range(BISECTIONS):
        middle = (a + b) / 2
        if problem.box.excluded(middle)[0]:
            return None  # there is a hole between the two, across which A(p) may be anything
        try:
            M = problem.matrices(middle)[0]
        except FAILURES as cause:
            if not problem.excuses(middle[0], cause):
                raise
            return None
        if np.linalg.norm(M - A) > np.linalg.norm(M - B):
            b, B = middle, M
        else:
            a, A = middle, M
        if np.linalg.norm(A - B) <= PERSISTS * first:
            return None
    share = float(np.linalg.norm(A - B) / first)
    ends = sorted([a[0].tolist(), b[0].tolist()])
    return Event(
        "jump", f"between {problem.box.describe(ends[0])} and {problem.box.describe(ends[1])}", {"share": share}
    )
