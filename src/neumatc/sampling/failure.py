"""Failure-informed sampling (paper, section 2.2; Gao, Yan & Zhou 2023, doi:10.1137/22M1527763)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from neumatc.arrays import Array

from .base import Sampler, nearest


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
    add : N_add, points per round

    Examples
    --------
    >>> import numpy as np
    >>> sampler = FailureInformed(threshold=0.1, add=2)
    >>> sampler.select(np.array([0.2, 0.05, 0.9, 0.4]), np.array([True, True, False, True]), tol=1.0)
    [3, 0]
    """

    threshold: float | None = None
    tolerance: float = 0.0
    add: int = 1

    def first(self, x: Array, count: int) -> list[int]:
        return nearest(x, np.zeros((1, x.shape[1])))

    def select(self, residuals: Array, free: Array, tol: float) -> list[int]:
        score = residuals - (tol / 3 if self.threshold is None else self.threshold)
        # "not <=": a residual that is NaN has failed.
        failed = ~(score <= 0)
        if failed.mean() <= self.tolerance:
            return []
        order = np.argsort(np.where(np.isnan(score), -np.inf, -score), kind="stable")
        return [int(i) for i in order if failed[i] and free[i]][: self.add]
