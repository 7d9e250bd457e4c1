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
from neumatc.operations.partial_eigh import transported

PANEL = 64
"""Points whose small problems are solved at once."""


@dataclass(frozen=True)
class Pairs:
    """``values (B, k)``, ascending, and coefficients ``y (B, d, k)``, B-orthonormal."""

    values: Array
    y: Array


@dataclass(frozen=True)
class Slopes:
    """What changes of `Pairs` along a parameter, and what tells whether it exists.

    Parameters
    ----------
    change : the derivatives
    gap : (B,) the smallest distance of a wanted value from any other value of the model, relative to the largest one
    blur : (B,) the distance, on the same scale, that the residuals of the wanted pairs cannot resolve
    """

    change: Pairs
    gap: Array
    blur: Array


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

    def slopes(self, theta: Array, psi: Array, theta_slope: Array, psi_slope: Array) -> Slopes:
        """Derivatives of the wanted pairs, with those of the coefficients given.

        With all pairs of the model, ``Yᴴ B Y = I`` and ``K_ij = y_iᴴ (A' - λ_j B') y_j``: ``λ_j' = K_jj`` (Hellmann and
        Feynman), and ``y_j' = Σ_{i≠j} y_i K_ij / (λ_j - λ_i) - y_j (y_jᴴ B' y_j) / 2``, in the gauge of parallel
        transport. Where values coincide the terms of such pairs are left out; ``gap`` tells.
        """
        arrays = (theta, psi, theta_slope, psi_slope)
        pieces = [self._slopes(*(a[i : i + PANEL] for a in arrays)) for i in range(0, max(len(theta), 1), PANEL)]
        change = Pairs(*(np.concatenate([getattr(p.change, name) for p in pieces]) for name in ("values", "y")))
        return Slopes(change, *(np.concatenate([getattr(p, name) for p in pieces]) for name in ("gap", "blur")))

    def residuals(self, pairs: Pairs, theta: Array, psi: Array) -> Array:
        """``‖A x - λ B x‖`` of every pair, (B, k), exact up to rounding."""
        found = np.empty(pairs.values.shape)
        for i in range(pairs.values.shape[1]):
            c = np.concatenate([theta, -pairs.values[:, i, None] * psi], axis=1)
            y = (c[:, :, None] * pairs.y[:, None, :, i]).reshape(len(c), c.shape[1] * pairs.y.shape[1])
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
        values, Y, L = self._decomposed(theta, psi)
        y = np.linalg.solve(adjoint(L), Y[:, :, : self.rank])
        return Pairs(values[:, : self.rank], y)

    def _decomposed(self, theta: Array, psi: Array) -> tuple[Array, Array, Array]:
        """All values of ``L⁻¹ A L⁻ᴴ``, ascending, its vectors, and L, the Cholesky factor of B."""
        A, B = self._summed(theta, psi)
        L = np.linalg.cholesky(B)
        half = np.linalg.solve(L, A)
        C = np.linalg.solve(L, adjoint(half))
        values, Y = np.linalg.eigh((C + adjoint(C)) / 2)
        return values, Y, L

    def _summed(self, theta: Array, psi: Array) -> tuple[Array, Array]:
        """``Vᴴ A V`` and ``Vᴴ B V``, or their derivatives, Hermitian to the last digit."""
        A = np.tensordot(theta, self.galerkin[: self.terms], axes=1)
        B = np.tensordot(psi, self.galerkin[self.terms :], axes=1)
        return (A + adjoint(A)) / 2, (B + adjoint(B)) / 2

    def _slopes(self, theta: Array, psi: Array, theta_slope: Array, psi_slope: Array) -> Slopes:
        k = self.rank
        values, Y, L = self._decomposed(theta, psi)
        y = np.linalg.solve(adjoint(L), Y)
        wanted = Pairs(values[:, :k], y[:, :, :k])
        dA, dB = self._summed(theta_slope, psi_slope)
        masses = dB @ wanted.y
        K = adjoint(y) @ (dA @ wanted.y - masses * wanted.values[:, None, :])
        distance = wanted.values[:, None, :] - values[:, :, None]
        apart = ~np.eye(values.shape[1], dtype=bool)[:, :k]
        inverse = np.where(apart, 1 / np.where(apart & (distance != 0), distance, np.inf), 0)
        drift = (wanted.y.conj() * masses).sum(1).real / 2
        turned = y @ (inverse * K) - wanted.y * drift[:, None, :]
        change = Pairs(K.diagonal(0, 1, 2).real, transported(wanted.y, turned))
        scale = np.abs(values).max(-1)
        scale = np.where(scale > 0, scale, 1.0)
        # For a B-normalised x, ‖r‖ ‖x‖ does not change when B is scaled, as a distance of values must not.
        blur = (self.residuals(wanted, theta, psi) * np.linalg.norm(wanted.y, axis=1)).max(-1)
        return Slopes(change, np.abs(np.where(apart, distance, np.inf)).min((1, 2)) / scale, blur / scale)
