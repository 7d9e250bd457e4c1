"""Aligned exact results as joint training sees them: one vector each, factors weighed alike, in units of their norm."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from neumatc.arrays import Array, is_complex
from neumatc.gauge import Factors
from neumatc.layout import Kind, Layout
from neumatc.problem import Problem
from neumatc.products import product

from .pod import Frame

TAIL = 1e-8
"""Share of the snapshots that modes left out may hold: its square is far below what Adam can resolve."""

TOGETHER = 16
"""Matrices A(q) held at once."""


@dataclass(frozen=True)
class Snapshots:
    """``G_j = unit ∘ (y_j Q)`` up to the tail, with ``Σ_j ‖y_j‖² = N_s``.

    Factors of one result may differ in size by any power (U has norm sqrt(r), the core that of A); each is weighed by
    a power of two, so that no factor is lost beside another. Factors stored in packed form count as they are stored.

    Parameters
    ----------
    Q : (m, N) orthonormal rows, the principal directions of the weighed results, most important first
    y : (Ns, m) real coefficients
    tail : ``Σ_{i > m} σ_i²`` of the modes left out, in the same units
    unit : (N,) what a one in the weighed vector stands for in the factors
    size : root mean square norm of the weighed results
    layout : how N numbers form the factors
    """

    Q: Array
    y: Array
    tail: float
    unit: Array
    size: float
    layout: Layout

    @staticmethod
    def of(F: Mapping[str, Any], names: tuple[str, ...], kinds: Mapping[str, Kind]) -> Snapshots:
        """Decompose factors ``(Ns, rows, columns)``."""
        frame = Frame(F, names, kinds, len(F[names[0]]))
        y = frame.coefficients
        size = float(np.sqrt(np.mean(np.sum(y**2, axis=1)))) or 1.0
        power = np.sum((y / size) ** 2, axis=0)
        left = np.append(np.cumsum(power[::-1])[::-1], 0.0)  # left[i]: what is lost when i modes are kept
        m = max(1, int((left > TAIL**2 * left[0]).sum()))
        weights = np.concatenate([np.full(part.size, frame.weights[part.name]) for part in frame.parts])
        Q = frame.slices()[:m] * weights
        return Snapshots(Q, y[:, :m] / size, float(left[m]), size / weights, size, frame.layout)

    def slices(self) -> Factors:
        """The directions as factors, ``(m, rows, columns)``."""
        return self.layout.unpack(self.Q * self.unit)

    def flat(self, F: Mapping[str, Any]) -> Array:
        """Factors ``(Ns, rows, columns)`` as weighed vectors (Ns, N), real or with (re, im) in turn."""
        packed = np.empty((len(self.y), self.layout.size), self.Q.dtype)
        self.layout.pack(F, packed)
        return realified(packed / self.unit)

    def finished(self, latent: Array, turned: bool) -> tuple[Array, Array]:
        """Orthonormal slices ``C (k, N)`` in the user's units, and T with ``Φ(x) T`` their coefficients.

        ``latent`` is ``M (d, m)`` with C = M Q, or (with ``turned``) C itself as weighed vectors (d, N).
        """
        X, s, Yh = np.linalg.svd(latent, full_matrices=False)
        k = max(1, int((s > 1e-14 * s[0]).sum()))
        rows = np.ascontiguousarray(Yh[:k])
        # Coefficients are real, also of complex slices.
        C = rows.view(self.Q.dtype) if turned else product(rows, np.ascontiguousarray(self.Q))
        return C * (self.unit / self.size), X[:, :k] * (s[:k] * self.size)


@dataclass(frozen=True)
class Stations:
    """Points at which the structure is looked at, and the given matrices there.

    Parameters
    ----------
    problem : with A(p) and the operation
    x : (M, D) in the unit cube
    device : where the matrices go
    """

    problem: Problem
    x: Array
    device: str

    def given(self, indices: Array) -> dict[str, torch.Tensor]:
        """Given matrices ``(B, rows, columns)`` by name."""
        A = self.problem.matrices(self.problem.box.from_unit(self.x[indices]), keep=True)
        return self.problem.operation.given(torch.from_numpy(np.ascontiguousarray(A)).to(self.device))

    def batches(self) -> Iterator[dict[str, torch.Tensor]]:
        """The given matrices of all stations, a few at a time."""
        for start in range(0, len(self.x), TOGETHER):
            yield self.given(np.arange(start, min(start + TOGETHER, len(self.x))))


def realified(x: Array) -> Array:
    """Complex numbers as (re, im) in turn in the last axis."""
    real: Array = np.ascontiguousarray(x).view(np.float64) if is_complex(x.dtype) else x
    return real
