"""A flat vector as factors, by indices that are made once: `Layout.unpack` for tensors, and differentiable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import torch

from neumatc.layout import Layout, Part
from neumatc.tensors.placed import Tensor, on


@final
@dataclass(frozen=True)
class PartPlaces:
    """Where the entries of one factor are stored.

    Parameters
    ----------
    part : shape and storage
    index : (rows * columns,) place in the flat vector of every entry; None where the storage is full
    stored : (rows * columns,) False for an entry that is zero; None where none is
    adjoint : (rows * columns,) True for the conjugate of a stored entry; None where none is
    """

    part: Part
    index: Tensor | None = None
    stored: Tensor | None = None
    adjoint: Tensor | None = None

    @staticmethod
    def of(part: Part, device: torch.device) -> PartPlaces:
        """Find the places by unpacking their numbers."""
        if part.kind in ("full", "transposed"):
            return PartPlaces(part)
        # From one upwards: zero is a zero, and a number that comes back conjugated is that of an adjoint entry.
        places = np.asarray(part.unpack(1j * np.arange(1, part.size + 1)[None])).imag.ravel()
        index = np.maximum(np.abs(places).astype(np.int64) - 1, 0)
        zero, adjoint = places == 0, places < 0
        return PartPlaces(
            part,
            on(device, index),
            on(device, ~zero) if zero.any() else None,
            on(device, adjoint) if adjoint.any() else None,
        )

    def matrix(self, flat: Tensor) -> Tensor:
        """``(B, size)`` to ``(B, rows, columns)``; a view where the storage is full."""
        rows, columns = self.part.rows, self.part.columns
        if self.index is None:
            turned = self.part.kind == "transposed"
            return flat.reshape(len(flat), columns, rows).mT if turned else flat.reshape(len(flat), rows, columns)
        entries = flat.index_select(1, self.index)
        if self.adjoint is not None and flat.is_complex():
            entries = torch.where(self.adjoint, entries.conj(), entries)
        if self.stored is not None:
            # The zero of a row that failed is NaN as well.
            entries = torch.where(self.stored, entries, flat[:, :1] - flat[:, :1])
        return entries.reshape(len(flat), rows, columns)


@final
@dataclass(frozen=True)
class Unpacking:
    """`Layout.unpack` on a device."""

    places: tuple[PartPlaces, ...]

    @staticmethod
    def of(layout: Layout, device: torch.device) -> Unpacking:
        """Make the indices of every part."""
        return Unpacking(tuple(PartPlaces.of(part, device) for part in layout.parts))

    def __call__(self, flat: Tensor) -> dict[str, Tensor]:
        """``(B, N)`` to factors ``(B, rows, columns)`` by name."""
        pieces = torch.split(flat, [place.part.size for place in self.places], dim=1)
        return {place.part.name: place.matrix(piece) for place, piece in zip(self.places, pieces, strict=True)}
