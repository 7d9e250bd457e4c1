"""Who decides where to solve exactly next."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from neumatc.arrays import Array


class Sampler(ABC):
    """Picks exact solves among candidate points, one round at a time.

    ``tangents`` says whether the derivatives of exact results along p, too, shall extend the span once the budget is
    spent and tol is not reached.
    """

    tangents: bool = False

    @abstractmethod
    def first(self, x: Array, count: int) -> list[int]:
        """Indices of the points solved before anything is known.

        Parameters
        ----------
        x : (M, D) candidates in the unit cube
        count : how many solves the user allows in all
        """

    @abstractmethod
    def select(self, x: Array, residuals: Array, free: Array, tol: float, left: int) -> list[int]:
        """Indices to solve next, at most ``left``, worst first; empty when no more are wanted.

        Parameters
        ----------
        x : (M, D) candidates in the unit cube
        residuals : (M,) relative residual of the present map at the candidates
        free : (M,) whether a candidate has not been solved yet
        tol : relative residual that the fit aims at
        left : how many solves the budget still allows
        """


def nearest(x: Array, wanted: Array) -> list[int]:
    """Indices of the candidates nearest to the wanted points, without repetition, in order."""
    chosen: list[int] = []
    free = np.ones(len(x), bool)
    for point in wanted[: len(x)]:
        distance = np.where(free, ((x - point) ** 2).sum(-1), np.inf)
        index = int(np.argmin(distance))
        free[index] = False
        chosen.append(index)
    return chosen
