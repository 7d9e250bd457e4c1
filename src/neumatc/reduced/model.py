"""The reduced model: everything n-sized is done offline, a query costs d-sized work.

With an orthonormal basis V of solutions, ``x(p) ≈ V φ``, and the residual is

    A(p) V φ - b(p) = Σ_q θ_q A_q V φ - Σ_s ψ_s f_s = K y,    K = [A_1 V, …, A_Q V, f_1, …, f_S],   y = (θ ⊗ φ, -ψ).

``K = W R`` with orthonormal W makes its norm ``‖R y‖`` *exactly*, at any p, for the cost of a small product. It must be
the factor R: with the Gram matrix ``KᴴK`` residuals below 1e-8 drown in rounding.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from neumatc.arrays import Array

PANEL = 64
"""Points whose small systems are solved at once."""


@dataclass(frozen=True)
class Model:
    """Reduced tensors of a basis of d vectors.

    Parameters
    ----------
    factor : (E, Q, d) the columns of R that belong to ``A_q V``
    right : (E, S) those of the f_s
    galerkin : (Q, d, d) ``Vᴴ A_q V``
    galerkin_right : (S, d) ``Vᴴ f_s``
    projection : "galerkin" (``Vᴴ (A V φ - b) = 0``) or "residual" (least squares, the smallest residual)
    """

    factor: Array
    right: Array
    galerkin: Array
    galerkin_right: Array
    projection: Literal["galerkin", "residual"] = "galerkin"

    @property
    def d(self) -> int:
        return int(self.factor.shape[2])

    def coefficients(self, theta: Array, psi: Array) -> Array:
        """φ at points given by their coefficients ``theta (B, Q)``, ``psi (B, S)``; returns (B, d)."""
        pieces = [self._panel(theta[i : i + PANEL], psi[i : i + PANEL]) for i in range(0, max(len(theta), 1), PANEL)]
        return np.concatenate(pieces)

    def residual(self, phi: Array, theta: Array, psi: Array) -> Array:
        """Relative residual ``‖A V φ - b‖ / ‖b‖``, exact, (B,)."""
        norms: Array = np.linalg.norm(self._residuals(phi, theta, psi), axis=-1)
        return norms / self.scale(psi)

    def rounding(self, phi: Array, theta: Array, psi: Array) -> Array:
        """What rounding may hide in ``residual``: sums of terms that cancel, each known to a unit in the last place."""
        size = np.sqrt((np.abs(self.factor) ** 2).sum((0, 2)))  # ‖A_q V‖_F
        terms = (np.abs(theta) * size).sum(-1) * np.linalg.norm(phi, axis=-1)
        eps = float(np.finfo(self.factor.dtype).eps)
        bound: Array = 4 * eps * (terms / self.scale(psi) + 1)
        return bound

    def scale(self, psi: Array) -> Array:
        """``‖b(p)‖``, (B,); one where b is zero."""
        norms = np.linalg.norm(psi @ self.right.T, axis=-1)
        return np.where(norms > 0, norms, 1.0)

    def with_projection(self, projection: Literal["galerkin", "residual"]) -> Model:
        return replace(self, projection=projection)

    def _panel(self, theta: Array, psi: Array) -> Array:
        if self.projection == "galerkin":
            A = np.tensordot(theta, self.galerkin, axes=1)
            b = psi @ self.galerkin_right
            solution: Array = np.linalg.solve(A, b[..., None])[..., 0]
            return solution
        L = np.einsum("bq,eqd->bed", theta, self.factor, optimize=True)
        Q, R = np.linalg.qr(L)
        solution = np.linalg.solve(R, Q.conj().swapaxes(-1, -2) @ (psi @ self.right.T)[..., None])[..., 0]
        return solution

    def _residuals(self, phi: Array, theta: Array, psi: Array) -> Array:
        y = (theta[:, :, None] * phi[:, None, :]).reshape(len(phi), -1)
        r: Array = y @ self.factor.reshape(len(self.factor), -1).T - psi @ self.right.T
        return r
