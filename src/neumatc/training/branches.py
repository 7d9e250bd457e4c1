"""Values followed through p without their vectors being stored, and the places where two of them meet."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from neumatc.align import aligned, along_tree
from neumatc.arrays import Array
from neumatc.gauge import Factors, Gauge
from neumatc.operations import Followed, Operation, Separated

from .meetings import meetings
from .seams import aligned_apart


def source_of(operation: Operation) -> Operation:
    """The operation whose exact results a fit needs: with vectors, where values are told apart by them."""
    return operation.traced if isinstance(operation, Followed) else operation


def smooth(x: Array, F: Factors, operation: Operation, describe: Callable[[int], str]) -> Iterator[Factors]:
    """Stored factors from exact ones ``(M, ...)`` at ``x (M, D)`` in the ways worth trying, best first."""
    if not isinstance(operation, Followed):
        yield aligned(x, F, operation.gauge)
        return
    source = operation.traced
    if isinstance(source, Separated):
        F = aligned_apart(x, F, source.gauge, source.levels(F), _along_tree)
    else:
        F = _along_tree(x, F, source.gauge)
    yield from operation.branches(F, describe)


def met(x: Array, F: Factors, operation: Operation, at: Callable[[Array], Factors]) -> Array:
    """Points ``(k, D)`` between neighbours at which two branches cross, or seem to: one that is avoided shows there."""
    if not isinstance(operation, Followed):
        return np.empty((0, x.shape[1]))
    places: Array = meetings(x, operation.levels(F), lambda p: operation.levels(at(p))).places
    return places


def _along_tree(x: Array, F: Factors, gauge: Gauge) -> Factors:
    # Without the sweeps that smooth phases and bases: of the vectors only the order is kept.
    return along_tree(x, F, gauge) if len(x) > 1 else F
