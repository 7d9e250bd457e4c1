"""Chebyshev interpolation with as many exact solves as it needs: equal in offline time instead of solves."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar, final

import numpy as np

from neumatc.arrays import Array
from neumatc.bases import Chebyshev, lobatto

from .bench import PROBED, Baseline, Bench, Ready
from .nodes import GRIDS

LARGEST = {1: 257, 2: 33, 3: 9}
"""Most points along each axis, by dimension."""


@final
class ChebyshevAtLength(Baseline):
    """Nested Chebyshev-Lobatto grids, each twice as fine, until the result passes or our offline time is spent.

    Equal exact solves flatter a method that looks at A(p) in many more places than it solves at. Where a solve is cheap
    the others may simply solve more often, and this row does, as long as its offline time (A(p) built) stays about
    within ours.
    """

    name: ClassVar[str] = "chebyshev+"
    title: ClassVar[str] = "Chebyshev interpolation with more exact solves"

    def absent(self, bench: Bench) -> str | None:
        """A grid must be affordable, A(p) known at its nodes, and our own time known."""
        if bench.table is not None:
            return "A(p) is tabulated, and not at Chebyshev nodes"
        if bench.seconds is None:
            return "there is no fit whose offline time could be granted"
        return None if bench.dimension in GRIDS else f"a tensor grid in {bench.dimension} parameters is not affordable"

    def prepare(self, bench: Bench) -> Ready:
        """Refine until a fifth of tol is reached at random points of its own, or the time is up."""
        assert bench.seconds is not None
        rng, meter = np.random.default_rng([bench.seed, 305]), bench.problem.meter
        checking, checked = 0.0, 0
        for x in self._grids(bench):
            ready = bench.interpolant(x, Chebyshev())
            start = time.perf_counter()
            residual = bench.residual(ready, rng)
            checking, checked = checking + time.perf_counter() - start, checked + PROBED
            spent = ready.offline_seconds + checking + (ready.built + checked) * meter.build_seconds / meter.built
            if residual <= bench.tol / 5 or spent * 2**bench.dimension > bench.seconds:
                break
        # A finer grid holds the points of the coarser ones, which a user would not solve again.
        return replace(
            ready,
            offline_seconds=ready.offline_seconds + checking,
            built=ready.built + checked,
            note=f"{ready.note}, grids doubled within our offline time",
        )

    def _grids(self, bench: Bench) -> Iterator[Array]:
        """Grids that contain each other; the first has about as many points as our fit solved at."""
        side = max(3, round(bench.count ** (1 / bench.dimension)))
        while True:
            yield lobatto(*[side] * bench.dimension)
            side = 2 * side - 1
            if side > LARGEST[bench.dimension]:
                return
