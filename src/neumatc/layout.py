"""Layout: several factors as one flat vector, structured ones stored in packed form.

Hermitian and triangular matrices are stored as block rows of one triangle, about half of their entries, in blocks wide
enough that packing and unpacking are a few slice copies rather than an index list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from neumatc.arrays import Array
from neumatc.gauge import Factors

BLOCK = 32
"""Block rows of a packed matrix: wider ones store more than the triangle, narrower ones take longer to unpack."""

Kind: TypeAlias = Literal["full", "transposed", "hermitian", "lower", "upper", "diagonal"]


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
        return sum((stop - start) * (right - left) for start, stop, left, right in self._blocks)

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
        offset = 0
        for start, stop, left, right in self._blocks:
            length = (stop - start) * (right - left)
            out[:, offset : offset + length] = matrices[:, start:stop, left:right].reshape(batch, length)
            offset += length

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
        offset = 0
        for start, stop, left, right in self._blocks:
            length = (stop - start) * (right - left)
            block = flat[:, offset : offset + length].reshape(batch, stop - start, right - left)
            target[:, start:stop, left:right] = block
            if self.kind == "hermitian":
                target[:, :start, start:stop] = block[:, :, :start].conj().swapaxes(-1, -2)
            else:
                target[:, start:stop, :left] = 0
                target[:, start:stop, right:] = 0
            offset += length
        return target

    def _turned(self, flat: Any) -> Any:
        return flat.reshape(flat.shape[0], self.columns, self.rows).swapaxes(-1, -2)

    @property
    def _blocks(self) -> list[tuple[int, int, int, int]]:
        """``(first row, last row, first column, last column)`` of every block row that is stored."""
        starts = range(0, self.rows, BLOCK)
        rows = [(start, min(start + BLOCK, self.rows)) for start in starts]
        if self.kind == "upper":
            return [(start, stop, min(start, self.columns), self.columns) for start, stop in rows]
        return [(start, stop, 0, min(stop, self.columns)) for start, stop in rows]


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
