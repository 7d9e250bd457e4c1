"""Latent Gauss-Newton: repair the d numbers φ(p), not the n x n result.

The sketched equations at p are ``r(φ) = a + L φ + φᵀ T φ`` with real φ (complex coefficients count twice). Linear
equations are solved in one least-squares step that needs no start; quadratic ones in a few steps from the curve's
φ. The result is the best the span of C has to offer, up to the distortion of the sketch; a step costs the same for
every n.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from neumatc.arrays import Array, is_complex, namespace
from neumatc.equations import Values
from neumatc.gauge import Factors, NoGauge
from neumatc.least import many_at_once
from neumatc.operations import Operation
from neumatc.sketch import Sketch

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
        r = self.residual(phi)
        size: Array = np.sqrt((r * r).sum(-1))
        return size

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


@dataclass(frozen=True)
class Corrector:
    """Latent tensors of one surrogate under one set of probes; ``reduce`` brings in A(p)."""

    sketch: Sketch
    unknown: list[dict[str, Any]]
    quadratic: Any
    complex_coefficients: bool
    complex_numbers: bool
    unique: bool

    @staticmethod
    def of(
        operation: Operation, sketch: Sketch, slices: Factors, complex_coefficients: bool, known: Values
    ) -> Corrector:
        """Precompute the blocks of the latent ``slices (d, rows, columns)``; ``known`` is any matrix of the family."""
        unknown, blocks = sketch.unknown(slices), sketch.known(known)
        follows_p = any(split.follows_p for _, _, split in sketch.splits)
        quadratic = None if follows_p else sketch.quadratic(blocks, unknown, complex_coefficients)
        unique = isinstance(operation.gauge, NoGauge)
        complex_numbers = any(is_complex_like(X) for X in slices.values()) or any(
            is_complex_like(p.left) for p in sketch.probes
        )
        return Corrector(sketch, unknown, quadratic, complex_coefficients, complex_numbers, unique)

    def reduce(self, values: Values) -> Reduced:
        """The reduced equations at the given matrices ``(B, n1, n2)``: O(n² k) to probe A, then O(n k² d)."""
        known = self.sketch.known(values)
        doubled = self.complex_coefficients
        T = self.sketch.quadratic(known, self.unknown, doubled) if self.quadratic is None else self.quadratic
        batch = next(iter(values.values())).shape[0]
        return realified(self.sketch.constant(known), self.sketch.linear(known, self.unknown, doubled), T, batch, self)


def is_complex_like(x: Any) -> bool:
    """Whether an array of either library holds complex numbers."""
    return bool(x.is_complex()) if namespace(x) is not np else is_complex(x.dtype)


def realified(a: Any, L: Any, T: Any, batch: int, corrector: Corrector) -> Reduced:
    """Real form of the sketched system: equations split into real and imaginary rows.

    A complex coefficient ``φ = u + i v`` of a slice X contributes ``u X + v (i X)``: two real coefficients, for which
    the sketch has laid two columns side by side.
    """
    a, L = np.asarray(a), np.asarray(L).swapaxes(-1, -2)
    T = None if T is None else np.moveaxis(np.asarray(T), -1, 1)
    if corrector.complex_numbers:
        a = np.concatenate([a.real, a.imag], -1)
        L = np.concatenate([L.real, L.imag], -2)
        T = None if T is None else np.concatenate([T.real, T.imag], 1)
    a = np.broadcast_to(a, (batch, *a.shape[1:]))
    return Reduced(a, np.broadcast_to(L, (batch, *L.shape[1:])), T, corrector.unique)


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
