"""Layout: several factors as one flat vector, structured ones stored in packed form.

Hermitian and triangular matrices are stored as block rows of one triangle, about half of their entries, in blocks wide
enough that packing and unpacking are a few slice copies rather than an index list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from neumatc.arrays import Array
from neumatc.gauge import Factors

BLOCK = 32
"""Block rows of a packed matrix: wider ones store more than the triangle, narrower ones take longer to unpack."""

Kind: TypeAlias = Literal["full", "transposed", "hermitian", "lower", "upper", "diagonal"]


class BlockRow(NamedTuple):
    """Rows of a packed matrix that are stored together: ``X[start:stop, left:right]``, row by row."""

    start: int
    stop: int
    left: int
    right: int
    offset: int

    @property
    def size(self) -> int:
        """How many numbers are stored, from ``offset`` on."""
        return (self.stop - self.start) * (self.right - self.left)


@dataclass(frozen=True)
class Part:
    """One factor inside the flat vector: in full (or transposed, row by row), one triangle of it, or its diagonal."""

    name: str
    rows: int
    columns: int
    kind: Kind = "full"

    @property
    def size(self) -> int:
        if self.kind in ("full", "transposed"):
            return self.rows * self.columns
        if self.kind == "diagonal":
            return min(self.rows, self.columns)
        return sum(row.size for row in self.rows_stored)

    def pack(self, matrices: Any, out: Any) -> None:
        """Write ``(B, rows, columns)`` into ``out (B, size)``; NumPy or torch."""
        batch = matrices.shape[0]
        if self.kind in ("full", "transposed"):
            turned = matrices if self.kind == "full" else matrices.swapaxes(-1, -2)
            out[:] = turned.reshape(batch, -1)
            return
        if self.kind == "diagonal":
            out[:] = matrices.diagonal(0, -2, -1)
            return
        for row in self.rows_stored:
            block = matrices[:, row.start : row.stop, row.left : row.right]
            out[:, row.offset : row.offset + row.size] = block.reshape(batch, row.size)

    def unpack(self, flat: Any, out: Array | None = None) -> Any:
        """``(B, size)`` to ``(B, rows, columns)``; a view for a full or transposed part when ``out`` is None."""
        batch = flat.shape[0]
        if self.kind in ("full", "transposed"):
            full = flat.reshape(batch, self.rows, self.columns) if self.kind == "full" else self._turned(flat)
            if out is None:
                return full
            out[...] = full
            return out
        target = np.empty((batch, self.rows, self.columns), flat.dtype) if out is None else out
        if self.kind == "diagonal":
            target[...] = 0
            places = np.arange(self.size)
            target[:, places, places] = flat
            return target
        for row in self.rows_stored:
            self.put(row, flat[:, row.offset : row.offset + row.size], target)
        return target

    def put(self, row: BlockRow, flat: Any, target: Any) -> None:
        """Write one block row ``flat (B, row.size)``, and what follows from it, into ``target (B, rows, columns)``."""
        start, stop, left, right, _ = row
        block = flat.reshape(len(flat), stop - start, right - left)
        target[:, start:stop, left:right] = block
        if self.kind == "hermitian":
            target[:, :start, start:stop] = block[:, :, :start].conj().swapaxes(-1, -2)
        else:
            target[:, start:stop, :left] = 0
            target[:, start:stop, right:] = 0

    def complete(self, row: BlockRow, slices: Array, out: Array) -> None:
        """Write ``X[start:stop, :]``, X Hermitian, to ``out (d, stop - start, columns)`` from ``slices (d, size)``."""
        out[:, :, : row.right] = self._stored(row, slices)
        for below in self.rows_stored[self.rows_stored.index(row) + 1 :]:
            columns = self._stored(below, slices)[:, :, row.start : row.stop].swapaxes(1, 2)
            np.conjugate(columns, out=out[:, :, below.start : below.stop])

    def _stored(self, row: BlockRow, slices: Array) -> Array:
        flat = slices[:, row.offset : row.offset + row.size]
        return flat.reshape(len(slices), row.stop - row.start, row.right - row.left)

    def _turned(self, flat: Any) -> Any:
        return flat.reshape(flat.shape[0], self.columns, self.rows).swapaxes(-1, -2)

    @cached_property
    def rows_stored(self) -> list[BlockRow]:
        """The block rows of a packed matrix, in order."""
        found, offset = [], 0
        for start in range(0, self.rows, BLOCK):
            stop = min(start + BLOCK, self.rows)
            upper = self.kind == "upper"
            left, right = (min(start, self.columns), self.columns) if upper else (0, min(stop, self.columns))
            found.append(BlockRow(start, stop, left, right, offset))
            offset += found[-1].size
        return found

    @cached_property
    def places(self) -> Array | None:
        """Where a packed triangle goes row by row, for `products.scatter`; None for parts that are not one."""
        if self.kind not in ("lower", "upper"):
            return None
        found = []
        for start, stop, left, right, offset in self.rows_stored:
            for row in range(start, stop):
                begin, width = row * self.columns, right - left
                found += [
                    (-1, left, begin),
                    (offset + (row - start) * width, width, begin + left),
                    (-1, self.columns - right, begin + right),
                ]
        return np.array([place for place in found if place[1]], np.int64)


@dataclass(frozen=True)
class Layout:
    """The order, shapes and storage of the factors in one flat vector of length ``size``."""

    parts: tuple[Part, ...]

    @property
    def size(self) -> int:
        return sum(part.size for part in self.parts)

    def pack(self, F: Mapping[str, Any], out: Any) -> Any:
        """Write factors ``(B, rows, columns)`` into ``out (B, size)``."""
        offset = 0
        for part in self.parts:
            part.pack(F[part.name], out[:, offset : offset + part.size])
            offset += part.size
        return out

    def unpack(self, flat: Any) -> Factors:
        """``(B, size)`` to factors ``(B, rows, columns)``; views where the storage is full."""
        factors, offset = {}, 0
        for part in self.parts:
            factors[part.name] = part.unpack(flat[:, offset : offset + part.size])
            offset += part.size
        return factors

    @property
    def is_plain(self) -> bool:
        """Whether the flat vector is one full matrix, so that a caller's buffer can be written directly."""
        return len(self.parts) == 1 and self.parts[0].kind == "full"


def stored_as(F: Mapping[str, Any], names: tuple[str, ...], kinds: Mapping[str, Kind]) -> Layout:
    """The layout of factors ``(B, rows, columns)`` in the order of ``names``; in full where no kind is named."""
    shapes = {name: np.asarray(F[name]).shape for name in names}
    return Layout(tuple(Part(name, shapes[name][-2], shapes[name][-1], kinds.get(name, "full")) for name in names))
