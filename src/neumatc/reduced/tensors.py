"""What is left of an affine system once a basis is known: small tensors. Everything n-sized is done offline.

With an orthonormal basis V of solutions, ``x(p) ≈ V φ``, and the residual is

    A(p) V φ - b(p) = Σ_q θ_q A_q V φ - Σ_s ψ_s f_s = K y,    K = [A_1 V, …, A_Q V, f_1, …, f_S],   y = (θ ⊗ φ, -ψ).

With k right-hand sides φ is (d, k), f_s is (n, k), and the residual that of each column; all share V and its tensors.

``K = W R`` with orthonormal W makes its norm ``‖R y‖`` *exactly*, at any p, for the cost of a small product. It must be
the factor R: with the Gram matrix ``KᴴK`` residuals below 1e-8 drown in rounding.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np

from neumatc.arrays import Array
from neumatc.gauge import adjoint

from .entries import mixed, unit

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
    right : (E, S) those of the f_s, or (E, S, k) of k columns each
    galerkin : (Q, d, d) ``Vᴴ A_q V``
    galerkin_right : (S, d) ``Vᴴ f_s``, or (S, d, k)
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

    @property
    def columns(self) -> tuple[int, ...]:
        """``()`` for a vector b, ``(k,)`` for k right-hand sides."""
        return self.right.shape[2:]

    def coefficients(self, theta: Array, psi: Array) -> Array:
        """φ at points given by their coefficients ``theta (B, Q)``, ``psi (B, S)``; returns (B, d) or (B, d, k)."""
        phi = np.empty((len(theta), self.d, *self.columns), self.factor.dtype)
        for i in range(0, len(theta) if self.d else 0, PANEL):
            some = slice(i, i + PANEL)
            phi[some] = self._panel(theta[some], psi[some])
        return phi

    def slopes(self, phi: Array, theta: Array, psi: Array, theta_slope: Array, psi_slope: Array) -> Array:
        """φ' from the differentiated equations, shaped like ``phi``."""
        if self.projection == "galerkin":
            right = mixed(psi_slope, self.galerkin_right) - _applied(_summed(theta_slope, self.galerkin), phi)
            return _solutions(_summed(theta, self.galerkin), right)
        L, change = self._lefts(theta), self._lefts(theta_slope)
        right = self._rights(psi_slope) - _applied(change, phi)
        # (Lᴴ L)' φ + Lᴴ L φ' = (Lᴴ c)': what changes of the residual's own equations, by the factor R of L.
        left = self._rights(psi) - _applied(L, phi)
        Q, R = np.linalg.qr(L)
        turned = _solutions(adjoint(R), _applied(adjoint(change), left))
        return _solutions(R, _applied(adjoint(Q), right) + turned)

    def residual(self, phi: Array, theta: Array, psi: Array) -> Array:
        """Relative residual ``‖A V φ - b‖_F / ‖b‖_F``, exact, (B,)."""
        relative: Array = _together(self._lengths(phi, theta, psi)) / self.scale(psi)
        return relative

    def rounding(self, phi: Array, theta: Array, psi: Array) -> Array:
        """What rounding in ``V φ``, in the factor R and in the user's own check may add to ``residual``, (B,)."""
        relative: Array = _together(self._noises(phi, theta, psi)) / self.scale(psi)
        return relative

    def scale(self, psi: Array) -> Array:
        """``‖b(p)‖_F``, (B,); one where b is zero."""
        return _nonzero(_together(np.linalg.norm(self._rights(psi), axis=1)))

    def worst(self, phi: Array, theta: Array, psi: Array) -> tuple[Array, Array]:
        """Residual of the worst column, relative to its own right-hand side, and which column that is, (B,) each."""
        lengths = self._lengths(phi, theta, psi)
        relative = (lengths / _nonzero(np.linalg.norm(self._rights(psi), axis=1))).reshape(len(phi), -1)
        index = relative.argmax(-1)
        return np.take_along_axis(relative, index[:, None], 1)[:, 0], index

    def floor(self, phi: Array, theta: Array, psi: Array) -> Array:
        """What rounding may add to the residual of the worst column, (B,)."""
        index = self.worst(phi, theta, psi)[1][:, None]
        relative = self._noises(phi, theta, psi) / _nonzero(np.linalg.norm(self._rights(psi), axis=1))
        floors: Array = np.take_along_axis(relative.reshape(len(phi), -1), index, 1)[:, 0]
        return floors

    def _lengths(self, phi: Array, theta: Array, psi: Array) -> Array:
        """``‖A V φ - b‖``, (B,), or of every column (B, k)."""
        if self.columns:  # one by one: all at once would hold k times the memory
            each = [self._column(j)._lengths(phi[..., j], theta, psi) for j in range(*self.columns)]
            return np.stack(each, axis=-1)
        y = (theta[:, :, None] * phi[:, None, :]).reshape(len(phi), theta.shape[1] * phi.shape[1])
        r = y @ self.factor.reshape(-1 if self.d else len(self.right), y.shape[1]).T - psi @ self.right.T
        lengths: Array = np.linalg.norm(r, axis=-1)
        return lengths

    def _noises(self, phi: Array, theta: Array, psi: Array) -> Array:
        """What rounding may hide in ``_lengths``."""
        own = (np.abs(theta) @ self.noise.T).reshape(len(theta), 2, *(1 for _ in self.columns))
        eps = unit(self.factor.dtype)
        right = 4 * eps * (np.abs(psi) @ np.linalg.norm(self.right, axis=0))
        noises: Array = hidden(own[:, 0], own[:, 1], np.moveaxis(phi, 1, -1), eps) + right
        return noises

    def with_projection(self, projection: Projection) -> Tensors:
        return replace(self, projection=projection)

    def _panel(self, theta: Array, psi: Array) -> Array:
        if self.projection == "galerkin":
            A, b = _summed(theta, self.galerkin), mixed(psi, self.galerkin_right)
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
        right = _applied(adjoint(Q), self._rights(psi))
        try:
            return _solutions(R, right)
        except np.linalg.LinAlgError:  # A(p) is singular on the span
            each = [np.linalg.lstsq(r, c, rcond=None)[0] for r, c in zip(R, right, strict=True)]
            return np.stack(each)

    def _rights(self, psi: Array) -> Array:
        """Right-hand sides in the directions of residuals, ``(B, E)`` or ``(B, E, k)``."""
        rights: Array = psi @ self.right.T if not self.columns else np.tensordot(psi, self.right, (1, 1))
        return rights

    def _column(self, j: int) -> Tensors:
        return replace(self, right=self.right[..., j], galerkin_right=self.galerkin_right[..., j])

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


def _together(lengths: Array) -> Array:
    """Norms (B,) as they are, and those of k columns (B, k) as one."""
    whole: Array = lengths if lengths.ndim == 1 else np.linalg.norm(lengths, axis=-1)
    return whole


def _nonzero(sizes: Array) -> Array:
    return np.where(sizes > 0, sizes, 1.0)


def _applied(A: Array, x: Array) -> Array:
    """A (B, m, l) times x (B, l) or (B, l, k)."""
    product: Array = A @ x if x.ndim == A.ndim else (A @ x[..., None])[..., 0]
    return product


def _solutions(A: Array, b: Array) -> Array:
    solutions: Array = np.linalg.solve(A, b) if b.ndim == A.ndim else np.linalg.solve(A, b[..., None])[..., 0]
    return solutions
