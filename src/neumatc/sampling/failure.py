"""Failure-informed sampling (paper, section 2.2; Gao, Yan & Zhou 2023, doi:10.1137/22M1527763)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import numpy as np

from neumatc.arrays import Array

from .base import Sampler, nearest

FIRST = 4
"""Points on a line before anything is known, at most a third of the budget."""

FEWEST, MOST, SHARE = 2, 8, 5
"""Points per round: on a line one for every decade that is missing, and no more than a share of the solves left. A
round costs as much as some solves do. Its points can be solved side by side: two by two, hence an even number."""


@final
@dataclass(frozen=True)
class FailureInformed(Sampler):
    """Solve exactly where the map violates the operation's equations most.

    A candidate p fails when its score ``g(p) = residual(p) - threshold`` is positive. The share of failing candidates
    estimates the failure probability; while it exceeds ``tolerance``, the ``add`` candidates with the largest scores
    are solved next.

    Parameters
    ----------
    threshold : ε_r, a relative residual (not squared, unlike the paper's); None for a third of the fit's tol
    tolerance : ε_p, failure probability that is put up with; 0 asks every candidate to pass
    add : N_add, points per round; None for eight in several dimensions, and in one for as many as residuals are decades
        above tol: two, four, six or eight, no more than a fifth of the solves left, so that rounds shrink. The largest
        residuals are neighbours, so points of one round keep the typical distance of the points solved so far from each
        other. In one dimension the first four are Leja points, and each point of a round multiplies the residuals by
        the distance from it before the next is chosen, as a node of interpolation does to the error (Reichel 1990,
        doi:10.1007/BF02017352). A fit is then as accurate as with points by twos throughout
    tangents : whether, once all solves are spent and tol is not reached, derivatives of the exact results extend the
        span where residuals are largest. Each costs a few products and a few A(p) instead of an exact solve, and makes
        the map larger by one slice, so that queries take longer: worth it where exact solves are dear. For operations
        whose derivative follows that cheaply: `inv`, `pinv`, `qr`, `cholesky`

    Examples
    --------
    >>> import numpy as np
    >>> sampler = FailureInformed(threshold=0.1, add=2)
    >>> x = np.linspace(-1, 1, 4)[:, None]
    >>> sampler.select(x, np.array([0.2, 0.05, 0.9, 0.4]), np.array([True, True, False, True]), tol=1.0, left=9)
    [3, 0]
    """

    threshold: float | None = None
    tolerance: float = 0.0
    add: int | None = None
    tangents: bool = False

    def first(self, x: Array, count: int) -> list[int]:
        middle = nearest(x, np.zeros((1, x.shape[1])))
        if x.shape[1] > 1:
            return middle
        most = max(1, min(FIRST, count // 3))
        return leja(x[:, 0], np.ones(len(x)), middle + np.delete(np.arange(len(x)), middle).tolist(), most, 0.0)

    def select(self, x: Array, residuals: Array, free: Array, tol: float, left: int) -> list[int]:
        threshold = tol / 3 if self.threshold is None else self.threshold
        failed, order = failing(residuals - threshold)
        if failed.mean() <= self.tolerance:
            return []
        dimension = x.shape[1]
        apart = 1.0 / (1 + np.count_nonzero(~free)) ** (1 / dimension)
        wanted = [int(i) for i in order if failed[i] and free[i]]
        most = min(self._most(residuals[wanted[:1]], threshold, dimension, left), left)
        if dimension > 1:
            return spread(x, wanted, most, apart)
        return sorted(leja(x[:, 0], residuals, wanted, most, apart), key=wanted.index)

    def _most(self, worst: Array, threshold: float, dimension: int, left: int) -> int:
        """Points of a round, given the worst residual of all, if any."""
        if self.add is not None:
            return self.add
        if dimension > 1:
            return MOST
        known = len(worst) and threshold > 0 and np.isfinite(worst[0])
        decades = math.log10(worst[0] / threshold) if known else MOST
        points = min(int(decades), left // SHARE, MOST)
        return max(FEWEST, points - points % 2)


def failing(score: Array) -> tuple[Array, Array]:
    """Which of the scores ``(M,)`` are failures, and all indices with the largest scores first."""
    # "not <=": a residual that is NaN has failed.
    return ~(score <= 0), np.argsort(np.where(np.isnan(score), -np.inf, -score), kind="stable")


def leja(x: Array, residuals: Array, order: list[int], most: int, apart: float) -> list[int]:
    """The first of ``order``, then again and again the one with the largest residual times distances from those chosen.

    Only points that keep a distance ``apart`` from those chosen before.
    """
    chosen: list[int] = []
    left, size = np.array(order, int), np.nan_to_num(residuals[order], nan=np.inf, posinf=np.inf)
    while len(left) and len(chosen) < most:
        chosen.append(int(left[np.argmax(size)]))
        distance = np.abs(x[left] - x[chosen[-1]])
        kept = distance >= apart
        left, size = left[kept], size[kept] * distance[kept]
    return chosen


def spread(x: Array, order: list[int], most: int, apart: float) -> list[int]:
    """The first ``most`` indices of ``order`` whose points keep a distance ``apart`` from those chosen before."""
    chosen: list[int] = []
    for i in order:
        if len(chosen) == most:
            break
        if all(np.abs(x[i] - x[j]).max() >= apart for j in chosen):
            chosen.append(i)
    return chosen
