"""What is left of an affine system once a basis is known: small tensors. Everything n-sized is done offline.

With an orthonormal basis V of solutions, ``x(p) ≈ V φ``, and the residual is

    A(p) V φ - b(p) = Σ_q θ_q A_q V φ - Σ_s ψ_s f_s = K y,    K = [A_1 V, …, A_Q V, f_1, …, f_S],   y = (θ ⊗ φ, -ψ).

``K = W R`` with orthonormal W makes its norm ``‖R y‖`` *exactly*, at any p, for the cost of a small product. It must be
the factor R: with the Gram matrix ``KᴴK`` residuals below 1e-8 drown in rounding.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np

from neumatc.arrays import Array
from neumatc.gauge import adjoint

from .entries import unit

Projection: TypeAlias = Literal["galerkin", "residual"]
"""Galerkin: ``Vᴴ (A V φ - b) = 0``. Residual: least squares, the smallest residual."""

PANEL = 64
"""Points whose small systems are solved at once."""


@dataclass(frozen=True)
class Tensors:
    """Reduced tensors of a basis of d vectors.

    Parameters
    ----------
    factor : (E, Q, d) the columns of R that belong to ``A_q V``
    right : (E, S) those of the f_s
    galerkin : (Q, d, d) ``Vᴴ A_q V``
    galerkin_right : (S, d) ``Vᴴ f_s``
    noise : (2, Q) the sizes of the |A_q|, and those times the root of their longest row
    projection : how φ is found
    """

    factor: Array
    right: Array
    galerkin: Array
    galerkin_right: Array
    noise: Array
    projection: Projection = "galerkin"

    @property
    def d(self) -> int:
        return int(self.factor.shape[2])

    def coefficients(self, theta: Array, psi: Array) -> Array:
        """φ at points given by their coefficients ``theta (B, Q)``, ``psi (B, S)``; returns (B, d)."""
        phi = np.empty((len(theta), self.d), self.factor.dtype)
        for i in range(0, len(theta) if self.d else 0, PANEL):
            some = slice(i, i + PANEL)
            phi[some] = self._panel(theta[some], psi[some])
        return phi

    def slopes(self, phi: Array, theta: Array, psi: Array, theta_slope: Array, psi_slope: Array) -> Array:
        """φ' from the differentiated equations, ``(B, d)``."""
        if self.projection == "galerkin":
            right = psi_slope @ self.galerkin_right - _applied(_summed(theta_slope, self.galerkin), phi)
            return _solutions(_summed(theta, self.galerkin), right)
        L, change = self._lefts(theta), self._lefts(theta_slope)
        right = psi_slope @ self.right.T - _applied(change, phi)
        # (Lᴴ L)' φ + Lᴴ L φ' = (Lᴴ c)': what changes of the residual's own equations, by the factor R of L.
        left = psi @ self.right.T - _applied(L, phi)
        Q, R = np.linalg.qr(L)
        turned = _solutions(adjoint(R), _applied(adjoint(change), left))
        return _solutions(R, _applied(adjoint(Q), right) + turned)

    def residual(self, phi: Array, theta: Array, psi: Array) -> Array:
        """Relative residual ``‖A V φ - b‖ / ‖b‖``, exact, (B,)."""
        y = (theta[:, :, None] * phi[:, None, :]).reshape(len(phi), -1)
        r = y @ self.factor.reshape(-1 if self.d else len(self.right), y.shape[1]).T - psi @ self.right.T
        relative: Array = np.linalg.norm(r, axis=-1) / self.scale(psi)
        return relative

    def rounding(self, phi: Array, theta: Array, psi: Array) -> Array:
        """What rounding in ``V φ``, in the factor R and in the user's own check may add to ``residual``, (B,)."""
        own = np.abs(theta) @ self.noise.T
        size, eps = self.scale(psi), unit(self.factor.dtype)
        right = 4 * eps * (np.abs(psi) @ np.linalg.norm(self.right, axis=0))
        relative: Array = (hidden(own[:, 0], own[:, 1], phi, eps) + right) / size
        return relative

    def scale(self, psi: Array) -> Array:
        """``‖b(p)‖``, (B,); one where b is zero."""
        norms = np.linalg.norm(psi @ self.right.T, axis=-1)
        return np.where(norms > 0, norms, 1.0)

    def with_projection(self, projection: Projection) -> Tensors:
        return replace(self, projection=projection)

    def _panel(self, theta: Array, psi: Array) -> Array:
        if self.projection == "galerkin":
            A, b = _summed(theta, self.galerkin), psi @ self.galerkin_right
            try:
                return _solutions(A, b)
            except np.linalg.LinAlgError:  # of an indefinite A, where the smallest residual still exists
                return np.concatenate([self._alone(A[i], b[i], theta[i], psi[i]) for i in range(len(A))])
        return self._smallest(theta, psi)

    def _alone(self, A: Array, b: Array, theta: Array, psi: Array) -> Array:
        try:
            return _solutions(A[None], b[None])
        except np.linalg.LinAlgError:
            return self._smallest(theta[None], psi[None])

    def _smallest(self, theta: Array, psi: Array) -> Array:
        Q, R = np.linalg.qr(self._lefts(theta))
        right = _applied(adjoint(Q), psi @ self.right.T)
        try:
            return _solutions(R, right)
        except np.linalg.LinAlgError:  # A(p) is singular on the span
            each = [np.linalg.lstsq(r, c, rcond=None)[0] for r, c in zip(R, right, strict=True)]
            return np.stack(each)

    def _lefts(self, theta: Array) -> Array:
        lefts: Array = np.einsum("bq,eqd->bed", theta, self.factor, optimize=True)
        return lefts


def hidden(size: Array, row_size: Array, phi: Array, eps: float) -> Array:
    """Rounding in ``A V φ``: of the d terms of every entry of ``V φ``, and of those of every row of A.

    Errors of single operations are taken as independent, so that d of them grow like sqrt(d) (Higham & Mary 2019,
    doi:10.1137/18M1226312). The vectors of V are orthonormal, so ``Σ |φ_j| |v_j|`` is no longer than ``‖φ‖_1``.
    """
    bound: Array = eps * (np.sqrt(phi.shape[-1]) * size + row_size) * np.abs(phi).sum(-1)
    return bound


def _summed(theta: Array, tensors: Array) -> Array:
    summed: Array = np.tensordot(theta, tensors, axes=1)
    return summed


def _applied(A: Array, x: Array) -> Array:
    """A (B, m, k) times x (B, k)."""
    product: Array = (A @ x[..., None])[..., 0]
    return product


def _solutions(A: Array, b: Array) -> Array:
    solutions: Array = np.linalg.solve(A, b[..., None])[..., 0]
    return solutions
