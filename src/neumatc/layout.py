"""Layout: several factors as one flat vector, structured ones stored in packed form.

A Hermitian matrix is stored as the block rows of its lower triangle, about half of its entries, in blocks wide enough
that packing and unpacking are a few slice copies rather than an index list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from neumatc.arrays import Array
from neumatc.gauge import Factors

BLOCK = 32
"""Block rows of a packed Hermitian matrix: wider ones store more twice, narrower ones take longer to unpack."""


@dataclass(frozen=True)
class Part:
    """One factor inside the flat vector."""

    name: str
    rows: int
    columns: int
    kind: Literal["full", "hermitian"] = "full"

    @property
    def size(self) -> int:
        if self.kind == "full":
            return self.rows * self.columns
        return sum((stop - start) * stop for start, stop in _blocks(self.rows))

    def pack(self, matrices: Any, out: Any) -> None:
        """Write ``(B, rows, columns)`` into ``out (B, size)``; NumPy or torch."""
        batch = matrices.shape[0]
        if self.kind == "full":
            out[:] = matrices.reshape(batch, -1)
            return
        offset = 0
        for start, stop in _blocks(self.rows):
            length = (stop - start) * stop
            out[:, offset : offset + length] = matrices[:, start:stop, :stop].reshape(batch, length)
            offset += length

    def unpack(self, flat: Any, out: Array | None = None) -> Any:
        """``(B, size)`` to ``(B, rows, columns)``; a view for a full part when ``out`` is None."""
        batch = flat.shape[0]
        if self.kind == "full":
            full = flat.reshape(batch, self.rows, self.columns)
            if out is None:
                return full
            out[...] = full
            return out
        target = np.empty((batch, self.rows, self.columns), flat.dtype) if out is None else out
        offset = 0
        for start, stop in _blocks(self.rows):
            length = (stop - start) * stop
            block = flat[:, offset : offset + length].reshape(batch, stop - start, stop)
            target[:, start:stop, :stop] = block
            target[:, :start, start:stop] = block[:, :, :start].conj().swapaxes(-1, -2)
            offset += length
        return target


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


def _blocks(rows: int) -> list[tuple[int, int]]:
    return [(start, min(start + BLOCK, rows)) for start in range(0, rows, BLOCK)]
