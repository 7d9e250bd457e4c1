"""The sketched equations at some points, and the steps that solve them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from neumatc import definite
from neumatc.arrays import Array
from neumatc.least import PIVOT, many_at_once

STEPS = 3
"""Gauss-Newton steps for quadratic equations; three reach the best of the span from an error of 1e-2."""

CUTOFF = 1e-12
"""Singular values of the Jacobian below this share of the largest are directions of the gauge."""


@dataclass(frozen=True)
class Reduced:
    """The sketched equations at B points, realified.

    Parameters
    ----------
    a : (B, E); L : (B, E, m); T : (1 or B, E, m, m) or None, with m real coefficients
    unique : whether the gauge leaves no freedom, so that a QR factorisation suffices
    """

    a: Array
    L: Array
    T: Array | None
    unique: bool

    def residual(self, phi: Array) -> Array:
        """``r(φ)``, ``(B, E)``, for ``phi (B, m)``."""
        return self._residual(phi, self._turned(phi))

    def norm(self, phi: Array) -> Array:
        """Estimated relative residual, ``(B,)``."""
        return lengths(self.residual(phi))

    def step(self, phi: Array) -> Array:
        """One Gauss-Newton step: by normal equations, and by QR or a pseudo-inverse where these cannot be trusted."""
        turned = self._turned(phi)
        J = self.L if turned is None else self.L + 2 * turned
        r = self._residual(phi, turned)
        # Linear equations get no second step, which would give the digits back that normal equations lose.
        x, sound = many_at_once(J, r, refine=turned is None)
        if not sound.all():
            weak = ~sound
            x[weak] = least_squares(J[weak], r[weak], self.unique)
        return phi - x

    def solve(self, phi: Array, steps: int = STEPS) -> Array:
        """From ``phi (B, m)``: one step for linear equations, else ``steps``; none that makes the residual worse."""
        if self.T is None:
            return self.step(phi)
        best = self.norm(phi)
        for _ in range(steps):
            trial = self.step(phi)
            size = self.norm(trial)
            better = size < best
            phi, best = np.where(better[:, None], trial, phi), np.where(better, size, best)
        return phi

    def _residual(self, phi: Array, turned: Array | None) -> Array:
        r: Array = self.a + (self.L @ phi[..., None])[..., 0]
        return r if turned is None else r + (turned @ phi[..., None])[..., 0]

    @cached_property
    def _symmetric(self) -> Array:
        """``(T + Tᵀ) / 2`` as (1 or B, E m, m)."""
        assert self.T is not None
        symmetric = (self.T + self.T.swapaxes(-1, -2)) / 2
        return symmetric.reshape(len(symmetric), -1, symmetric.shape[-1])

    def _turned(self, phi: Array) -> Array | None:
        """``(T + Tᵀ)/2 φ``, (B, E, m): residual and Jacobian in one reading of T, which is what a step costs."""
        if self.T is None:
            return None
        T = self._symmetric
        turned = (phi @ T[0].T)[..., None] if len(T) == 1 else T @ phi[..., None]
        return turned.reshape(len(phi), -1, phi.shape[-1])


def lengths(r: Array) -> Array:
    """Of each row."""
    size: Array = np.sqrt((r * r).sum(-1))
    return size


def sound_solution(columns: Array, r: Array) -> Array | None:
    """``argmin |J x - r|`` for ``columns (d, E)``, those of J, and ``r (E,)``, real or complex.

    By normal equations, as `neumatc.least.normal_solution`, in one call of compiled code; None without that, and where
    the solution cannot be trusted.
    """
    found = definite.least_squares(columns, r)
    if found is None:
        return None
    x, least = found
    return x if least > PIVOT and np.isfinite(x).all() else None


def least_squares(J: Array, r: Array, unique: bool) -> Array:
    """``argmin |J x - r|`` for ``J (B, E, m)``, ``r (B, E)``; of least norm where the gauge leaves a choice."""
    if unique:
        Q, R = np.linalg.qr(J)
        diagonal = np.abs(R.diagonal(0, -2, -1))
        # Rounding hides dependent columns from LAPACK, which would divide by it; those need the solution of least norm.
        if np.all(diagonal.min(-1) > CUTOFF * diagonal.max(-1)):
            x: Array = np.linalg.solve(R, Q.swapaxes(-1, -2) @ r[..., None])[..., 0]
            return x
    pinv: Array = np.linalg.pinv(J, rcond=CUTOFF)
    return (pinv @ r[..., None])[..., 0]
