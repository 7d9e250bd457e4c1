"""The reduced eigenvalue problem: Rayleigh–Ritz in a fixed basis, with exact residuals that do not know n.

With an orthonormal basis V the pairs of ``Vᴴ A(p) V y = λ Vᴴ B(p) V y`` approximate those of ``A(p) x = λ B(p) x`` by
``x = V y``, from above where the lowest are meant (Courant–Fischer). The residual of a pair is

    A V y - λ B V y = K (c ⊗ y),    K = [A_1 V, …, A_Q V, B_1 V, …, B_S V],    c = (θ_1, …, θ_Q, -λ ψ_1, …, -λ ψ_S),

and with ``K = W R`` its norm is ``‖R (c ⊗ y)‖``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neumatc.arrays import Array
from neumatc.gauge import adjoint

PANEL = 64
"""Points whose small problems are solved at once."""


@dataclass(frozen=True)
class Pairs:
    """``values (B, k)``, ascending, and coefficients ``y (B, d, k)``, B-orthonormal."""

    values: Array
    y: Array


@dataclass(frozen=True)
class Pencil:
    """Reduced tensors of A and B together.

    Parameters
    ----------
    factor : (E, Q + S, d) the columns of R
    galerkin : (Q + S, d, d) ``Vᴴ A_q V`` and ``Vᴴ B_s V``
    terms : Q, how many of them belong to A
    rank : k, pairs wanted, the lowest
    """

    factor: Array
    galerkin: Array
    terms: int
    rank: int

    def pairs(self, theta: Array, psi: Array) -> Pairs:
        """The k lowest pairs at points given by ``theta (B, Q)`` and ``psi (B, S)``."""
        pieces = [self._panel(theta[i : i + PANEL], psi[i : i + PANEL]) for i in range(0, max(len(theta), 1), PANEL)]
        return Pairs(np.concatenate([p.values for p in pieces]), np.concatenate([p.y for p in pieces]))

    def residuals(self, pairs: Pairs, theta: Array, psi: Array) -> Array:
        """``‖A x - λ B x‖`` of every pair, (B, k), exact up to rounding."""
        found = np.empty(pairs.values.shape)
        for i in range(pairs.values.shape[1]):
            c = np.concatenate([theta, -pairs.values[:, i, None] * psi], axis=1)
            y = (c[:, :, None] * pairs.y[:, None, :, i]).reshape(len(c), -1)
            found[:, i] = np.linalg.norm(y @ self.factor.reshape(len(self.factor), -1).T, axis=-1)
        return found

    def scale(self, pairs: Pairs) -> Array:
        """The largest ``|λ|`` of the wanted pairs, which residuals are relative to, (B,); one where all are zero."""
        largest = np.abs(pairs.values).max(-1)
        return np.where(largest > 0, largest, 1.0)

    def rounding(self, pairs: Pairs, theta: Array, psi: Array) -> Array:
        """What rounding may hide in ``residuals``, (B, k): sums of terms that cancel."""
        size = np.linalg.norm(self.factor, axis=(0, 2))
        c = np.abs(theta) @ size[: self.terms]
        d = np.abs(psi) @ size[self.terms :]
        eps = 4 * float(np.finfo(self.factor.dtype).eps)
        bound: Array = eps * (c[:, None] + np.abs(pairs.values) * d[:, None]) * np.linalg.norm(pairs.y, axis=1)
        return bound

    def _panel(self, theta: Array, psi: Array) -> Pairs:
        A = np.tensordot(theta, self.galerkin[: self.terms], axes=1)
        B = np.tensordot(psi, self.galerkin[self.terms :], axes=1)
        L = np.linalg.cholesky((B + adjoint(B)) / 2)
        half = np.linalg.solve(L, (A + adjoint(A)) / 2)
        C = np.linalg.solve(L, adjoint(half))
        values, Y = np.linalg.eigh((C + adjoint(C)) / 2)
        y = np.linalg.solve(adjoint(L), Y[:, :, : self.rank])
        return Pairs(values[:, : self.rank], y)
