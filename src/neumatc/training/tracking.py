"""One smooth gauge for the samples of a fit: aligned, clusters as blocks, loops checked; with a record of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from neumatc.align import SWEEPS, aligned_on_grid
from neumatc.arrays import Array
from neumatc.gauge import Factors, NoGauge, Vectors
from neumatc.history import Event
from neumatc.operations import Operation, Separated
from neumatc.operations.blocks import Clustering, apart_from_blocks, clusters_of
from neumatc.operations.separated import smallest_gap

from .circuits import loops
from .meetings import Meetings, meetings
from .plan import Plan
from .seams import aligned_apart, refuse_seam, warn_uncertain


class Tracking:
    """The gauge of one fit."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.box = plan, plan.problem.box
        self.x, self.levels, self.conditions = np.empty((0, 0)), np.empty((0, 0)), np.empty(0)
        self.count = 0

    def describe(self, x: Array) -> str:
        """A point (D,) of the cube as the user knows it."""
        return self.box.describe(self.box.from_unit(x[None])[0])

    def first(self, x: Array, F: Factors, operation: Operation) -> tuple[Operation, Factors]:
        """Exact factors in one gauge, and the operation, which from now on may follow clusters as blocks."""
        if isinstance(operation.gauge, NoGauge):
            return operation, F
        self.count = len(x)
        F = self.aligned(x, F, operation)
        if isinstance(operation, Clustering) and isinstance(operation, Separated):
            operation, F = self._blocks(x, F, operation)
        return operation, F

    def aligned(self, x: Array, F: Factors, operation: Operation) -> Factors:
        """Exact factors in one gauge."""
        if not isinstance(operation, Separated):
            return aligned_on_grid(x, F, operation.gauge)
        levels, blocks = operation.levels(F), getattr(operation, "blocks", ())
        return aligned_apart(x, F, operation.gauge, apart_from_blocks(levels, blocks))

    def settled(self, x: Array, F: Factors, operation: Operation) -> Factors:
        """Refined factors in one gauge, after every loop was gone round.

        Raises
        ------
        GaugeError
            Where no smooth gauge exists.
        """
        F = aligned_on_grid(x, F, operation.gauge)
        if isinstance(operation.gauge, Vectors):
            refuse_seam(x, F, operation.gauge, self.describe)
        levels = operation.levels(F) if isinstance(operation, Separated) else None
        return loops(x, self.box, F, operation.gauge, levels, self.plan.tell)

    def meetings(self, x: Array, F: Factors, operation: Separated, at: Callable[[Array], Array]) -> Array:
        """Tell how near the levels at the candidates come, and where they meet between them."""
        self.x, self.levels, self.conditions = x, operation.levels(F), operation.conditions(F)
        blocks = getattr(operation, "blocks", ())
        gaps = smallest_gap(self.levels)
        nearest, least = x[gaps.argmin()], float(gaps.min())
        text = f"smallest distance of levels {least:.1e} of their mean distance, at {self.describe(nearest)}"
        if self.conditions.max() > 1:
            text += f"; condition up to {self.conditions.max():.1e}, at {self.describe(x[self.conditions.argmax()])}"
        # JSON knows no infinity, which is the gap of a single level.
        numbers = {"gap": least, **self._place("at", nearest)} if np.isfinite(least) else {}
        self.plan.tell(Event("gap", text, {**numbers, "condition": float(self.conditions.max())}))
        if np.iscomplexobj(self.levels) or self.plan.problem.tabulated is not None:
            return x[:0]
        found = meetings(x, apart_from_blocks(self.levels, blocks), lambda p: apart_from_blocks(at(p), blocks))
        if found.pairs:
            self._tell_meetings(found)
        return found.places

    def judge(self, score: float) -> None:
        """Tell along what samples were aligned, and name vectors that are worth little although they were followed."""
        if self.count:
            self._tell_alignment(self.count)
        if not len(self.levels):
            return
        warn_uncertain(score, self.plan.tol, self.x, self.levels, self.conditions, self.describe)

    def _blocks(self, x: Array, F: Factors, operation: Any) -> tuple[Operation, Factors]:
        levels = operation.levels(F)
        blocks = tuple(block for block in clusters_of(levels) if _followable(levels, block, F))
        if not blocks:
            return operation, F
        unit = np.maximum(np.ptp(levels, axis=1) / (levels.shape[1] - 1), np.finfo(float).tiny)
        for block in blocks:
            widths = np.ptp(levels[:, list(block)], axis=1) / unit
            narrowest = x[widths.argmin()]
            text = f"{len(block)} levels within {np.median(widths):.1e} of their mean distance, closest at "
            text += f"{self.describe(narrowest)}: followed as one space"
            numbers = {"size": float(len(block)), "width": float(np.median(widths)), **self._place("at", narrowest)}
            self.plan.tell(Event("cluster", text, numbers))
        operation = operation.with_blocks(blocks)
        return operation, self.aligned(x, F, operation)

    def _tell_alignment(self, count: int) -> None:
        if self.box.dimension == 1:
            self.plan.tell(Event("align", f"along the path of {count} samples", {"count": float(count)}))
        else:
            text = f"along a tree of {count} samples, then {SWEEPS} sweeps"
            self.plan.tell(Event("align", text, {"count": float(count), "sweeps": float(SWEEPS)}))

    def _tell_meetings(self, found: Meetings) -> None:
        places = [self.describe(place) for place in found.places]
        shown = ", ".join(places[:4]) + (", ..." if len(places) > 4 else "")
        numbers = {"count": float(found.pairs)}
        for k, place in enumerate(found.places):
            numbers |= self._place(str(k), place)
        self.plan.tell(Event("crossings", f"followed levels meet between {found.pairs} neighbours: {shown}", numbers))

    def _place(self, name: str, x: Array) -> dict[str, float]:
        return {f"{name}.{a}": float(v) for a, v in enumerate(self.box.from_unit(x[None])[0])}


def _followable(levels: Array, block: tuple[int, ...], F: Factors) -> bool:
    """Whether the block has one space at every p: not so for singular values near zero of a rectangular matrix."""
    if "U" not in F or F["U"].shape[-2] == F["V"].shape[-2]:
        return True
    return bool(levels[:, list(block)].min() > 1e-5 * levels.max())
