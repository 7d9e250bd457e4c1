"""The latent equations of an affine family: n-sized work once, then ``r(φ, θ) = a(θ) + L(θ) φ + φᵀ T(θ) φ`` for all p.

The given matrices are linear in the coefficients θ, and the latent equations are affine in the given matrices:
``L(θ) = L_0 + Σ_q θ_q (L(A_q) - L_0)``, a and T alike. An operation may make other matrices of A(p), which need not be
linear in it: so the sums are compared with the equations themselves before they are believed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from neumatc.arrays import Array
from neumatc.correct import Corrector, Reduced
from neumatc.errors import NeuMatCError
from neumatc.latent.terms import Terms
from neumatc.operations import Operation

AGREEMENT = 1e-11
"""Largest difference between sums and equations, relative to the sum of the sizes of the parts."""

CHECKS = 2
"""Random coefficients at which both are compared."""


@dataclass(frozen=True)
class Reduction:
    """Latent equations as sums over ``t = (1, θ)``.

    Parameters
    ----------
    a : (Q + 1, E); L : (Q + 1, E, m); T : (1, E, m, m) where it does not follow p, (Q + 1, E, m, m) where it does, or
        None
    unique : see `Reduced`
    """

    a: Array
    L: Array
    T: Array | None
    unique: bool

    @staticmethod
    def of(corrector: Corrector, operation: Operation, terms: Terms) -> Reduction | None:
        """Reduce at A = 0 and at every term; None where sums of these are not the equations."""
        Q = len(terms.matrices)
        theta = np.random.default_rng(0).standard_normal((CHECKS, Q))
        sums = np.tensordot(theta, terms.matrices, 1)
        nothing = np.zeros_like(terms.matrices[:1])
        try:
            # One by one: what an operation makes of A may be as large as A, and there is no hurry.
            found = [corrector.reduce(operation.given(A[None])) for A in (*nothing, *terms.matrices, *sums)]
        except (NeuMatCError, np.linalg.LinAlgError):  # a zero or random matrix need not be one that is allowed
            return None
        ones, steady = np.column_stack([np.ones(CHECKS), theta]), corrector.quadratic is not None
        parts = {}
        for name in "aL" if steady or found[0].T is None else "aLT":
            values = [getattr(reduced, name)[0] for reduced in found]
            parts[name] = np.stack([values[0], *(value - values[0] for value in values[1 : Q + 1])])
            if not _agree(parts[name], ones, np.stack(values[Q + 1 :])):
                return None
        return Reduction(parts["a"], parts["L"], parts.get("T", found[0].T), found[0].unique)

    @property
    def unknowns(self) -> int:
        return int(self.L.shape[-1])

    @property
    def rows(self) -> int:
        return int(self.L.shape[-2])

    @property
    def steady(self) -> bool:
        """Whether T is the same for all p."""
        return self.T is None or len(self.T) == 1

    def at(self, theta: Array) -> Reduced:
        """The latent equations at coefficients ``(B, Q)``."""
        t = with_one(theta)
        T = self.T if self.T is None or self.steady else _sum(t, self.T)
        return Reduced(_sum(t, self.a), _sum(t, self.L), T, self.unique)

    def compressed(self) -> Reduction:
        """Equations with the same ``‖r‖`` for every φ and θ, as many as there are monomials of these at most.

        ``r = M y`` with the vector y of monomials; the triangular factor of M replaces it.
        """
        if not self.steady:
            return self
        M = self.monomials()
        if M.shape[1] >= len(M):
            return self
        R: Any = np.linalg.qr(M, mode="r")
        return self._from_monomials(R)

    def mixed(self, rows: int, rng: np.random.Generator) -> Reduction:
        """Fewer equations: random sums of all, with ``E ‖·‖² = ‖r‖²``; the equations themselves if they are as few."""
        if rows >= self.rows or not self.steady:
            return self
        G = rng.standard_normal((rows, self.rows)) / np.sqrt(rows)
        return self._from_monomials(G @ self.monomials())

    def monomials(self) -> Array:
        """M ``(E, K)`` for ``y = (t, t ⊗ φ, φ_i φ_j for i <= j)``."""
        parts = [self.a.T, np.moveaxis(self.L, 1, 0).reshape(self.rows, -1)]
        if self.T is not None:
            rows, columns = np.triu_indices(self.unknowns)
            both = self.T[0][:, rows, columns] + self.T[0][:, columns, rows]
            parts.append(np.where(rows == columns, 0.5, 1.0) * both)
        return np.concatenate(parts, axis=1)

    def form(self) -> Array:
        """``S (w, E, w)``, symmetric, with ``r = zᵀ S z / 2`` and ``J = (S z)[:, :m]`` for ``z = (φ, t)``."""
        Q, E, m = self.L.shape
        S = np.zeros((m + Q, E, m + Q))
        if self.T is not None:
            T = np.moveaxis(self.T[0], 0, 1)
            S[:m, :, :m] = T + T.swapaxes(0, 2)
        S[:m, :, m:] = np.moveaxis(self.L, 0, 2).swapaxes(0, 1)
        S[m:, :, :m] = self.L
        # t_0 = 1 makes a quadratic form of the constant as well.
        S[m:, :, m] += self.a
        S[m, :, m:] += self.a.T
        return S

    def _from_monomials(self, M: Array) -> Reduction:
        Q, m = len(self.a), self.unknowns
        a, L, rest = np.split(M, [Q, Q + Q * m], axis=1)
        T = None
        if self.T is not None:
            rows, columns = np.triu_indices(m)
            T = np.zeros((1, len(M), m, m))
            T[0][:, rows, columns] += rest / 2
            T[0][:, columns, rows] += rest / 2
        L = np.ascontiguousarray(np.moveaxis(L.reshape(len(M), Q, m), 0, 1))
        return Reduction(np.ascontiguousarray(a.T), L, T, self.unique)


def with_one(theta: Array) -> Array:
    """``t = (1, θ)``, ``(B, Q + 1)``."""
    return np.concatenate([np.ones((len(theta), 1)), theta], axis=1)


def monomial_values(phi: Any, t: Any, quadratic: bool, pairs: tuple[Any, Any]) -> list[Any]:
    """The vector y of `Reduction.monomials` in pieces, for ``phi (B, m)`` and ``t (B, Q + 1)``; NumPy or torch."""
    products = (t[:, :, None] * phi[:, None, :]).reshape(len(t), t.shape[1] * phi.shape[1])
    pieces = [t, products]
    return [*pieces, phi[:, pairs[0]] * phi[:, pairs[1]]] if quadratic else pieces


def _sum(t: Array, parts: Array) -> Array:
    return (t @ parts.reshape(len(parts), -1)).reshape(len(t), *parts.shape[1:])


def _agree(parts: Array, t: Array, truth: Array) -> bool:
    sizes = np.linalg.norm(parts.reshape(len(parts), -1), axis=1)
    apart = np.linalg.norm((_sum(t, parts) - truth).reshape(len(t), -1), axis=1)
    return bool(np.all(apart <= AGREEMENT * (np.abs(t) @ sizes)))
