"""Columns that are followed together: a cluster of levels has a smooth space and a small core, but no smooth vectors.

All functions take NumPy arrays or torch tensors with a batch axis; ``blocks`` are tuples of column numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np

from neumatc.arrays import Array, namespace

Blocks: TypeAlias = tuple[tuple[int, ...], ...]

CLUSTERED = 1e-5
"""Distance of two levels, over the mean distance of all, from which vectors are followed one by one."""

MOSTLY = 0.5
"""Share of the samples at which levels must be closer than that for a cluster."""


@runtime_checkable
class Clustering(Protocol):
    """An operation that can follow clusters of its columns as blocks with a core of their own."""

    blocks: Blocks

    def with_blocks(self, blocks: Blocks) -> Any: ...


def as_blocks(blocks: Sequence[Sequence[int]]) -> Blocks:
    """Tuples of integers; a file hands back lists.

    >>> as_blocks([[0, 1], [4, 5]])
    ((0, 1), (4, 5))
    """
    return tuple(tuple(int(i) for i in block) for block in blocks)


def clusters_of(levels: Array) -> Blocks:
    """Columns of ``levels (B, n)``, each one followed through p, that stay closer than samples can part them.

    Two levels belong together where they are within `CLUSTERED` of each other at more than `MOSTLY` of the samples; one
    crossing does not make a cluster.

    >>> clusters_of(np.array([[0.0, 1.0, 1.0 + 1e-9, 3.0], [0.0, 0.5, 0.5, 3.0]]))
    ((1, 2),)
    """
    n = levels.shape[-1]
    if n < 2 or np.iscomplexobj(levels):
        return ()
    unit = (levels.max(-1) - levels.min(-1))[:, None] / (n - 1)
    close = np.zeros((n, n))
    for row, width in zip(levels, unit, strict=True):
        close += np.abs(row[:, None] - row) <= CLUSTERED * width
    near, found, left = close > MOSTLY * len(levels), [], set(range(n))
    while left:
        # Levels that are chained together are one cluster.
        block, new = set(), {min(left)}
        while new:
            block |= new
            new = {int(j) for i in new for j in np.flatnonzero(near[i])} - block
        left -= block
        if len(block) > 1:
            found.append(tuple(sorted(block)))
    return tuple(found)


def apart_from_blocks(levels: Array, blocks: Blocks) -> Array:
    """One level for each block, and all others."""
    dropped = {i for block in blocks for i in block[1:]}
    return levels[:, [i for i in range(levels.shape[-1]) if i not in dropped]]


def core(X: Any, block: Sequence[int]) -> Any:
    """The square part of ``X (B, n, n)`` that belongs to a block."""
    places = list(block)
    return X[..., places, :][..., :, places]


def turned(X: Any, blocks: Blocks, parts: Sequence[Any]) -> Any:
    """``X (B, n, k)`` with the columns of each block multiplied by its part ``(B, b, b)``; a copy."""
    if not blocks:
        return X
    made = X.copy() if namespace(X) is np else X.clone()
    for block, part in zip(blocks, parts, strict=True):
        made[..., list(block)] = X[..., list(block)] @ part
    return made


def with_cores(X: Any, blocks: Blocks, cores: Sequence[Any]) -> Any:
    """``X (B, n, n)`` with other square parts in the places of the blocks; a copy."""
    if not blocks:
        return X
    made = X.copy() if namespace(X) is np else X.clone()
    for block, part in zip(blocks, cores, strict=True):
        rows = np.array(block)
        made[..., rows[:, None], rows] = part
    return made


def mapped(values: Any, blocks: Blocks, cores: Sequence[Any], levels: Callable[[Any], Any]) -> Any:
    """Values ``(B, n)`` with those of each block replaced by ``levels(core)``; a copy."""
    if not blocks:
        return values
    made = values.copy() if namespace(values) is np else values.clone()
    for block, part in zip(blocks, cores, strict=True):
        made[..., list(block)] = levels(part)
    return made


def within(blocks: Blocks, n: int) -> Array:
    """Which pairs of columns stand in one block, ``(n, n)``."""
    together = np.zeros((n, n), bool)
    for block in blocks:
        together[np.ix_(block, block)] = True
    return together
