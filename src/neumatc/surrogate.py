"""The one formula: ``G(p) ≈ C ×₃ Φ(p) = Σ_j φ_j(p) C_j`` (paper, eq. 1 and 4)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from neumatc.arrays import Array, is_complex, real_dtype
from neumatc.bases.base import Curve
from neumatc.gauge import Factors
from neumatc.layout import Layout, Part
from neumatc.products import product


@dataclass(frozen=True)
class Surrogate:
    """Latent tensor and curve.

    Parameters
    ----------
    C : (d, N) latent slices, row-major so that one query is one read of memory, ``phi @ C``
    curve : Φ on the unit cube, with d real outputs, or 2 d interleaved (re, im) pairs for complex coefficients
    layout : how the N numbers of a slice form the factors
    complex_coefficients : whether φ is complex. A Hermitian family, or factors in realified form, need real φ only
    """

    C: Array
    curve: Curve
    layout: Layout
    complex_coefficients: bool = False

    @cached_property
    def _real(self) -> np.dtype[Any]:
        return real_dtype(self.C.dtype)

    @property
    def d(self) -> int:
        return int(self.C.shape[0])

    @property
    def unknowns(self) -> int:
        """Real numbers that the curve gives for one point: d, or 2 d where coefficients are complex."""
        return self.d * (2 if self.complex_coefficients else 1)

    @property
    def nbytes(self) -> int:
        return int(self.C.nbytes)

    def phi(self, x: Array) -> Array:
        """Coefficients at ``x (B, D)`` in the unit cube: ``(B, d)``, in the precision of C."""
        return self.coefficients(self.curve(x))

    def flat(self, x: Array, out: Array | None = None) -> Array:
        """``(B, N)``: the packed factors at ``x (B, D)``."""
        return product(self.phi(x), self.C, out)

    def factors(self, x: Array, memory: Array | None = None) -> Factors:
        """Factors by name, ``(B, rows, columns)``, at ``x (B, D)``; stored in ``memory (B, N)`` if there is some."""
        return self.layout.unpack(self.flat(x, memory))

    def expanded(self, phi: Array) -> Factors:
        """Factors for coefficients ``phi (B, d)``."""
        return self.layout.unpack(product(phi, self.C))

    def derivative_factors(self, x: Array, axis: int) -> Factors:
        """``∂/∂x_axis`` of the factors, in unit coordinates: calculus acts on Φ, C stays."""
        return self.expanded(self.coefficients(self.curve.derivative(x, axis)))

    def slices(self) -> Factors:
        """The latent slices as factors, ``(d, rows, columns)``."""
        return self.layout.unpack(self.C)

    def transformed(self, name: str, change: Any) -> Surrogate:
        """The map ``p -> change(X(p))`` for a linear ``change`` of one factor: linear algebra acts on C."""
        slices = np.ascontiguousarray(change(self.slices()[name]))
        rows, columns = slices.shape[1:]
        complex_out = self.complex_coefficients or is_complex(self.C.dtype)
        if is_complex(slices.dtype) and not complex_out:
            return self._replaced(slices.astype(slices.dtype), name, rows, columns)
        return self._replaced(slices, name, rows, columns)

    def _replaced(self, slices: Array, name: str, rows: int, columns: int) -> Surrogate:
        return replace(self, C=slices.reshape(self.d, -1), layout=Layout((Part(name, rows, columns),)))

    def coefficients(self, values: Array) -> Array:
        """``(B, d)`` in the precision of C from real values ``(B, m)``, m = d or, as (re, im) in turn, 2 d."""
        real = self._real
        if values.dtype != real or not values.flags.c_contiguous:
            values = np.ascontiguousarray(values, dtype=real)
        if not self.complex_coefficients:
            return values
        return values.view(np.complex64 if real == np.float32 else np.complex128)
