"""Does A(p) jump? A suspicion from the spacing of neighbours, settled by bisection."""

from __future__ import annotations

import numpy as np

from neumatc.arrays import Array
from neumatc.history import Event

from .plan import Plan, Trained

STEEP = 8.0
"""Largest over median slope between neighbours above which a bisection is worth a dozen A(p)."""

BISECTIONS = 14
"""Halvings of the interval: a smooth change shrinks by 2^14 on the way."""

PERSISTS = 0.3
"""Share of the difference that must be left for a jump."""


def find_jump(plan: Plan, trained: Trained) -> Event | None:
    """The steepest pair of neighbouring known points is bisected; a jump stays as large as it was."""
    problem = plan.problem
    if problem.tabulated is not None:
        return None
    points = np.concatenate([trained.points, trained.held_out])
    left, right, steepness = _steepest(problem.box.to_unit(points), [problem.matrices(p[None])[0] for p in points])
    if steepness < STEEP:
        return None
    a, b = points[left : left + 1], points[right : right + 1]
    A, B = problem.matrices(a)[0], problem.matrices(b)[0]
    first = np.linalg.norm(A - B)
    for _ in range(BISECTIONS):
        middle = (a + b) / 2
        M = problem.matrices(middle)[0]
        if np.linalg.norm(M - A) > np.linalg.norm(M - B):
            b, B = middle, M
        else:
            a, A = middle, M
    share = float(np.linalg.norm(A - B) / first) if first > 0 else 0.0
    if share < PERSISTS:
        return None
    return Event("jump", f"between {problem.box.describe(a[0])} and {problem.box.describe(b[0])}", {"share": share})


def _steepest(x: Array, matrices: list[Array]) -> tuple[int, int, float]:
    """Indices of the steepest pair of nearest neighbours, and its slope over the median slope."""
    if x.shape[1] == 1:
        order = np.argsort(x[:, 0])
        pairs = np.stack([order[:-1], order[1:]], axis=1)
    else:
        distance = np.linalg.norm(x[:, None] - x[None], axis=-1) + np.where(np.eye(len(x)) > 0, np.inf, 0)
        pairs = np.stack([np.arange(len(x)), distance.argmin(1)], axis=1)
    gaps = np.linalg.norm(x[pairs[:, 0]] - x[pairs[:, 1]], axis=-1)
    change = np.array([np.linalg.norm(matrices[i] - matrices[j]) for i, j in pairs])
    # Points closer than a thousandth of the cube say more about rounding than about slope.
    slopes = change / np.maximum(gaps, 2e-3)
    median = np.median(slopes)
    if len(pairs) < 4 or median == 0:
        return 0, 0, 0.0
    best = int(slopes.argmax())
    return int(pairs[best, 0]), int(pairs[best, 1]), float(slopes[best] / median)
