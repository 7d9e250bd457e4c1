"""Failure-informed sampling (paper, section 2.2; Gao, Yan & Zhou 2023, doi:10.1137/22M1527763)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from neumatc.arrays import Array

from .base import Sampler, nearest

FEW, ROUNDS = 12, {1: (2, 4), 2: (8, 8)}
"""Points per round up to `FEW` solves and beyond, in one dimension and in several: a round costs as much as some solves
do, and its points can be solved side by side."""


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
    add : N_add, points per round; None for two in one dimension, four from the twelfth solve on, and eight in several
        dimensions. The largest residuals are neighbours, so points of one round keep the typical distance of the points
        solved so far from each other. In one dimension each one multiplies the residuals by the distance from it
        before the next is chosen, as a node of interpolation does to the error (Leja points; Reichel 1990,
        doi:10.1007/BF02017352). With as many solves, a fit with points by twos is then as accurate as with one by one;
        by fours its error is up to 1.3 times as large on synthetic families, 1.4 to 1.8 times on ray-traced channels,
        which is less than one more solve gains
    tangents : whether, once all solves are spent and tol is not reached, derivatives of the exact results extend the
        span where residuals are largest. Each costs a few products and a few A(p) instead of an exact solve, and makes
        the map larger by one slice, so that queries take longer: worth it where exact solves are dear. For operations
        whose derivative follows that cheaply: `inv`, `pinv`, `qr`, `cholesky`

    Examples
    --------
    >>> import numpy as np
    >>> sampler = FailureInformed(threshold=0.1, add=2)
    >>> x = np.linspace(-1, 1, 4)[:, None]
    >>> sampler.select(x, np.array([0.2, 0.05, 0.9, 0.4]), np.array([True, True, False, True]), tol=1.0)
    [3, 0]
    """

    threshold: float | None = None
    tolerance: float = 0.0
    add: int | None = None
    tangents: bool = False

    def first(self, x: Array, count: int) -> list[int]:
        del count
        return nearest(x, np.zeros((1, x.shape[1])))

    def select(self, x: Array, residuals: Array, free: Array, tol: float) -> list[int]:
        score = residuals - (tol / 3 if self.threshold is None else self.threshold)
        failed, order = failing(score)
        if failed.mean() <= self.tolerance:
            return []
        dimension = x.shape[1]
        solved = int(np.count_nonzero(~free))
        most = self.add if self.add is not None else ROUNDS[min(dimension, 2)][solved >= FEW]
        apart = 1.0 / (1 + solved) ** (1 / dimension)
        wanted = [int(i) for i in order if failed[i] and free[i]]
        return leja(x[:, 0], residuals, wanted, most, apart) if dimension == 1 else spread(x, wanted, most, apart)


def failing(score: Array) -> tuple[Array, Array]:
    """Which of the scores ``(M,)`` are failures, and all indices with the largest scores first."""
    # "not <=": a residual that is NaN has failed.
    return ~(score <= 0), np.argsort(np.where(np.isnan(score), -np.inf, -score), kind="stable")


def leja(x: Array, residuals: Array, order: list[int], most: int, apart: float) -> list[int]:
    """The first of ``order``, then again and again the one with the largest residual times distances from those chosen.

    Only points that keep a distance ``apart`` from those chosen before; in the order of ``order``.
    """
    chosen: list[int] = []
    left, size = np.array(order, int), np.nan_to_num(residuals[order], nan=np.inf, posinf=np.inf)
    while len(left) and len(chosen) < most:
        chosen.append(int(left[np.argmax(size)]))
        distance = np.abs(x[left] - x[chosen[-1]])
        kept = distance >= apart
        left, size = left[kept], size[kept] * distance[kept]
    return sorted(chosen, key=order.index)


def spread(x: Array, order: list[int], most: int, apart: float) -> list[int]:
    """The first ``most`` indices of ``order`` whose points keep a distance ``apart`` from those chosen before."""
    chosen: list[int] = []
    for i in order:
        if len(chosen) == most:
            break
        if all(np.abs(x[i] - x[j]).max() >= apart for j in chosen):
            chosen.append(i)
    return chosen
