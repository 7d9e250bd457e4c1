"""Proper orthogonal decomposition of a few factor sets: latent slices and coefficients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from neumatc.arrays import Array, is_complex
from neumatc.gauge import Factors
from neumatc.layout import Kind, Layout, Part, stored_as
from neumatc.products import product, rows_apart

from .thin import thin_svd

DEPENDENT = 1e-15
"""Share of a result that must lie outside of the span to count as a new direction."""


@dataclass(frozen=True)
class Modes:
    """Orthonormal slices ``C (d, N)`` of scaled factors, and coefficients ``(M, d)`` of the snapshots.

    Factors of one set may differ in size by any power (U has norm sqrt(r), M has that of A); each is weighted by a
    power of two to a norm near one before it is decomposed, so that no factor is lost in another's rounding.
    """

    C: Array
    coefficients: Array
    layout: Layout

    @staticmethod
    def of(F: Mapping[str, Any], names: tuple[str, ...], tail: float, kinds: Mapping[str, Kind] | None = None) -> Modes:
        """Decompose factors ``(M, rows, columns)``; modes are dropped while their total stays below ``tail``.

        Real coefficients throughout: complex factors are decomposed in realified form.
        """
        layout = stored_as(F, names, kinds or {})
        count = len(np.asarray(F[names[0]]))
        dtype = np.result_type(*(np.asarray(F[name]).dtype for name in names))
        stack = np.empty((count, layout.size), dtype)
        weights = {name: _power(np.asarray(F[name])) for name in names}
        layout.pack({name: np.asarray(F[name]) * weights[name] for name in names}, stack)
        real = stack.view(np.float64) if is_complex(dtype) else stack
        X, s, Yh = thin_svd(torch.from_numpy(real).T, tail)
        d = _rank(s.numpy(), tail)
        C = np.ascontiguousarray(X[:, :d].T.numpy())
        C[:, ~real.any(0)] = 0  # zeros of a triangle: reflectors leave rounding in the first of them
        C = C.view(dtype) if is_complex(dtype) else C
        _unweigh(layout, C, weights)
        return Modes(C, (s[:d, None] * Yh[:d]).T.numpy().copy(), layout)

    @staticmethod
    def made(C: Array, layout: Layout) -> Modes:
        """Slices that were kept, without the coefficients they came with."""
        return Modes(C, np.empty((0, len(C))), layout)

    def factors(self, coefficients: Array) -> Factors:
        """Factors of coefficients ``(B, d)``."""
        return self.layout.unpack(product(np.ascontiguousarray(coefficients), self.C))


class Frame:
    """Orthonormal slices of scaled factors that grow with every exact result.

    Earlier coefficients stay valid when slices are added: they are continued by zeros.
    """

    def __init__(self, F: Mapping[str, Any], names: tuple[str, ...], kinds: Mapping[str, Kind], most: int) -> None:
        """Decompose the first factors ``(M, rows, columns)`` of at most ``most``."""
        modes = Modes.of(F, names, DEPENDENT, kinds)
        self.layout, self.coefficients = modes.layout, modes.coefficients
        self.weights = {name: _power(np.asarray(F[name])) for name in names}
        self.d = len(modes.C)
        self._C = np.empty((max(most, self.d), self.layout.size), modes.C.dtype)
        self._C[: self.d] = modes.C
        _unweigh(self.layout, self._C[: self.d], {name: 1 / weight for name, weight in self.weights.items()})

    def add(self, F: Mapping[str, Any]) -> Array:
        """Take in factors ``(M, rows, columns)`` and return their coefficients ``(M, d)`` in the larger frame."""
        count = len(np.asarray(F[self.layout.parts[0].name]))
        flat = np.empty((count, self.layout.size), self._C.dtype)
        self.layout.pack({part.name: np.asarray(F[part.name]) * self.weights[part.name] for part in self.parts}, flat)
        rows = [self._add_one(row) for row in _realified(flat)]
        return np.stack([np.pad(row, (0, self.d - len(row))) for row in rows])

    @property
    def parts(self) -> tuple[Part, ...]:
        return self.layout.parts

    def slices(self, first: int = 0) -> Array:
        """The slices from ``first`` on as rows ``(d - first, N)``, in the scale of the factors."""
        C = rows_apart((self.d - first, self.layout.size), self._C.dtype)
        C[...] = self._C[first : self.d]
        _unweigh(self.layout, C, self.weights)
        return C

    def factors(self, coefficients: Array) -> Factors:
        """Factors of coefficients ``(B, d)``."""
        return self.layout.unpack(product(np.ascontiguousarray(coefficients), self.slices()))

    def _add_one(self, row: Array) -> Array:
        size, basis = np.linalg.norm(row), _realified(self._C[: self.d])
        h = basis @ row
        rest = row - h @ basis
        # Twice is enough (Kahan, Parlett), and the second time is needed: most of the row has cancelled.
        again = basis @ rest
        rest = rest - again @ basis
        left = np.linalg.norm(rest)
        if left <= DEPENDENT * size or self.d == len(self._C):
            inside: Array = h + again
            return inside
        _realified(self._C[self.d : self.d + 1])[0] = rest / left
        self.d += 1
        return np.append(h + again, left)


def _realified(C: Array) -> Array:
    real: Array = C.view(np.float64) if is_complex(C.dtype) else C
    return real


def _power(X: Array) -> float:
    """Power of two that brings the root mean square norm of the samples into [1/2, 1)."""
    size = float(np.sqrt(np.mean(np.sum(np.abs(X) ** 2, axis=(-2, -1)))))
    return 2.0 ** -int(np.frexp(size)[1]) if size > 0 else 1.0


def _unweigh(layout: Layout, C: Array, weights: Mapping[str, float]) -> None:
    offset = 0
    for part in layout.parts:
        C[:, offset : offset + part.size] /= weights[part.name]
        offset += part.size


def _rank(s: Array, tail: float) -> int:
    left = np.sqrt(np.cumsum((s**2)[::-1])[::-1])  # left[i]: what is lost when i modes are kept
    return max(1, int((left > max(tail, 1e-16) * left[0]).sum()))
