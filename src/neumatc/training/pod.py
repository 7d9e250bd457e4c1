"""Proper orthogonal decomposition of a few factor sets: latent slices and coefficients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from neumatc.arrays import Array, is_complex
from neumatc.gauge import Factors
from neumatc.layout import Kind, Layout, stored_as
from neumatc.surrogate import product

from .thin import thin_svd


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
