"""Candidate grids, and samplers that place all exact solves beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

import numpy as np

from neumatc.arrays import Array
from neumatc.bases import lobatto

from .base import Sampler, nearest

CANDIDATES = {1: (97, 193, 385), 2: (16, 31), 3: (6, 11)}
"""Chebyshev-Lobatto points per axis, coarse to fine; each grid contains the one before."""

SPARSE = CANDIDATES | {1: (73, 145, 289, 577)}
"""The same where exact solves are chosen one by one: so many points are enough to choose 45 of them, at the same error
as from 97, and each costs an A(p) and its probes."""

SOBOL = (1024, 2048)
"""Sobol candidates beyond three dimensions."""


def levels(dimension: int, sparse: bool = False) -> int:
    """How many times candidates can be asked for."""
    return len((SPARSE if sparse else CANDIDATES).get(dimension, SOBOL))


def candidates(dimension: int, level: int, rng: np.random.Generator, sparse: bool = False) -> Array:
    """``(M, D)`` points of the unit cube: a Lobatto grid up to three dimensions, a Sobol sequence beyond."""
    if dimension not in CANDIDATES:
        return sobol(SOBOL[level], dimension, rng)
    return lobatto(*[(SPARSE if sparse else CANDIDATES)[dimension][level]] * dimension)


def sobol(count: int, dimension: int, rng: np.random.Generator) -> Array:
    """Scrambled Sobol points in ``[-1, 1]^D``."""
    # SciPy is imported where a fit needs it; the sampler tables above are part of the light wing.
    from scipy.stats import qmc

    # Whole powers of two, of which SciPy does not warn; the first points are the same.
    points: Array = qmc.Sobol(dimension, seed=rng).random_base2((count - 1).bit_length())
    return 2 * points[:count] - 1


def uniform(each: int, dimension: int) -> Array:
    """Equidistant points ``(each**D, D)`` of ``[-1, 1]^D`` with the ends."""
    axes = np.meshgrid(*[np.linspace(-1, 1, each)] * dimension, indexing="ij")
    return np.stack([axis.ravel() for axis in axes], axis=-1)


@final
@dataclass(frozen=True)
class Design(Sampler):
    """All exact solves at the candidates nearest to a fixed design; labels and curve as always.

    Plain interpolation through greedily chosen points is unstable, through designs it is not; as a sampler a design
    is there for comparison, and for users who must say beforehand where they will measure.

    Parameters
    ----------
    kind : "chebyshev" (Lobatto), "uniform" or "sobol"
    """

    kind: Literal["chebyshev", "uniform", "sobol"] = "chebyshev"

    def first(self, x: Array, count: int) -> list[int]:
        dimension = x.shape[1]
        if self.kind == "sobol":
            return nearest(x, sobol(count, dimension, np.random.default_rng(0)))
        each = max(2, round(count ** (1 / dimension)))
        if self.kind == "chebyshev":
            return far_first(x, nearest(x, lobatto(*[each] * dimension)))[:count]
        return far_first(x, nearest(x, uniform(each, dimension)))[:count]

    def select(self, x: Array, residuals: Array, free: Array, tol: float, left: int) -> list[int]:
        del x, residuals, free, tol, left  # everything was solved beforehand
        return []


def far_first(x: Array, chosen: list[int]) -> list[int]:
    """The same indices, each as far as can be from those before it.

    Results at neighbouring points are nearly dependent: in the order of the grid every new one would be orthogonalised
    to nothing but rounding before the span is complete (measured: 48 solves 5e-2, the same 48 in this order 2e-13).
    """
    left, order = np.array(chosen[1:], int), chosen[:1]
    distance = np.full(len(left), np.inf)
    while len(left):
        distance = np.minimum(distance, ((x[left] - x[order[-1]]) ** 2).sum(-1))
        farthest = int(np.argmax(distance))
        order.append(int(left[farthest]))
        left, distance = np.delete(left, farthest), np.delete(distance, farthest)
    return order
