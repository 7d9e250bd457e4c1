"""The latent tensor on a device: one matrix for each factor, so that answers lie in memory of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import torch

from neumatc.arrays import is_complex
from neumatc.surrogate import Surrogate
from neumatc.tensors.placed import Tensor, on
from neumatc.tensors.unpacking import PartPlaces, Unpacking


@final
@dataclass(frozen=True)
class Slices:
    """C, cut into the parts of its layout.

    Parameters
    ----------
    places : how each part is laid out
    parts : C of each part, ``(d, size)``; complex numbers against real φ as (re, im) in turn, ``(d, 2 size)``
    complex_coefficients : whether φ is complex
    complex_numbers : whether the factors are
    """

    places: tuple[PartPlaces, ...]
    parts: tuple[Tensor, ...]
    complex_coefficients: bool
    complex_numbers: bool

    @staticmethod
    def of(surrogate: Surrogate, device: torch.device) -> Slices:
        """Carry C over."""
        places = Unpacking.of(surrogate.layout, device).places
        ends = np.cumsum([place.part.size for place in places])[:-1]
        parts = [on(device, part) for part in np.split(surrogate.C, ends, axis=1)]
        complex_numbers = is_complex(surrogate.C.dtype) or surrogate.complex_coefficients
        if surrogate.complex_coefficients:
            parts = [part if part.is_complex() else part.to(part.dtype.to_complex()) for part in parts]
        elif complex_numbers:
            parts = [torch.view_as_real(part).flatten(1) for part in parts]
        return Slices(places, tuple(parts), surrogate.complex_coefficients, complex_numbers)

    @property
    def real_dtype(self) -> torch.dtype:
        """Of the coefficients, or of their parts."""
        return self.parts[0].real.dtype

    def stored(self, phi: Tensor) -> Tensor:
        """Real coefficients as rounded to the precision of C, in double precision."""
        return phi.to(self.real_dtype).to(torch.float64)

    def flats(self, phi: Tensor) -> dict[str, Tensor]:
        """Packed factors ``(B, size)`` by name, for real coefficients ``phi (B, m)``."""
        left = self._left(phi)
        products = (left @ part for part in self.parts)
        return {place.part.name: self._right(flat) for place, flat in zip(self.places, products, strict=True)}

    def write(self, phi: Tensor, out: Tensor) -> Tensor:
        """The first part for ``phi (B, m)``, straight into contiguous ``out (B, ...)``."""
        flat = torch.view_as_real(out) if self.complex_numbers and not self.complex_coefficients else out
        torch.mm(self._left(phi), self.parts[0], out=flat.view(len(phi), self.parts[0].shape[1]))
        return out

    def _left(self, phi: Tensor) -> Tensor:
        phi = phi.to(self.real_dtype)
        return torch.view_as_complex(phi.reshape(len(phi), phi.shape[1] // 2, 2)) if self.complex_coefficients else phi

    def _right(self, flat: Tensor) -> Tensor:
        if self.complex_numbers and not self.complex_coefficients:
            return torch.view_as_complex(flat.reshape(len(flat), flat.shape[1] // 2, 2))
        return flat
