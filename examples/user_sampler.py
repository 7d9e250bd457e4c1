# ruff: noqa: T201 - a script may speak
"""A sampler of one's own: several exact solves in one round, kept apart from each other.

The default sampler asks for one solve at a time in one parameter. Where solves run side by side (on a cluster, or as
measurements with several probes) a round of several is better; the worst residuals are neighbours, so this one keeps a
distance.

    python examples/user_sampler.py
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np

import neumatc as nmc
from neumatc.gallery import AffineInverse
from neumatc.sampling import Sampler
from neumatc.testing import check_sampler

Array = np.ndarray[Any, Any]


@final
@dataclass(frozen=True)
class Apart(Sampler):
    """The worst failing candidate, and others that fail as well and keep a distance.

    Parameters
    ----------
    distance : of two solves of one round in the cube [-1, 1]^D, along the axis where they differ most
    most : solves in one round
    """

    distance: float = 0.2
    most: int = 3

    def first(self, x: Array, count: int) -> list[int]:
        """Two opposite corners, and the middle where the budget allows three."""
        wanted = [x.sum(axis=1), -x.sum(axis=1), np.abs(x).max(axis=1)]
        chosen: list[int] = []
        for score in wanted[:count]:
            index = int(np.argmin(score))
            if index not in chosen:
                chosen.append(index)
        return chosen

    def select(self, x: Array, residuals: Array, free: Array, tol: float, left: int) -> list[int]:
        """Worst first; empty when everything passes."""
        # "not <=": a residual that is NaN has failed.
        failing = free & ~(residuals <= tol / 3)
        order = np.argsort(np.where(np.isnan(residuals), -np.inf, -residuals))
        chosen: list[int] = []
        for i in map(int, order[failing[order]]):
            near = chosen and np.abs(x[chosen] - x[i]).max(axis=1).min() < self.distance
            if not near and len(chosen) < min(self.most, left):
                chosen.append(i)
        return chosen


def main() -> None:
    """Check the sampler, then fit an inverse with it and with the default."""
    check_sampler(Apart(), rng=0)
    family = AffineInverse(n=20)
    for sampler in (Apart(), None):
        fit = nmc.inv(family, family.box, tol=1e-8, sampler=sampler, rng=0)
        name = "default" if sampler is None else type(sampler).__name__
        print(f"{name:8} {fit.status} after {len(fit.samples)} exact solves, held-out error {fit.error:.0e}")


if __name__ == "__main__":
    main()
