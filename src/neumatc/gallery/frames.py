"""Smooth orthonormal frames: analytic in p, orthonormal by construction, cheap to evaluate.

    U(p) = Q W(p),    W(p) = D(α(p)) G D(β(p))

Q (n, 2m) has orthonormal columns, G (2m, 2m) is a fixed random unitary matrix, and D(α) turns the planes (k, m + k) by
the angles α_k. No QR, Cayley transform or matrix exponential is needed at p.
"""

from dataclasses import dataclass

import numpy as np

from neumatc.arrays import Array

__all__ = ["Frame"]

SWING = 0.8  # largest amplitude of an angle, in radians
BAND = (0.5, 1.5)  # waves of an angle per unit of p


@dataclass(frozen=True, eq=False)
class Frame:
    """``U(p)`` (n, 2m) with ``U(p)ᴴ U(p) = I`` for every p, in a fixed space of dimension 2m.

    Parameters
    ----------
    outer : Q (n, 2m), orthonormal columns.
    rest : (n, n - 2m), orthonormal columns that complete Q to a basis.
    inner : G (2m, 2m), unitary.
    amplitude, angular, phase : (2, m) each; angle k of turn i is ``amplitude sin(angular p + phase)``.

    Examples
    --------
    >>> frame = Frame.draw(n=12, m=3, rng=np.random.default_rng(0))
    >>> U = frame(0.4)
    >>> U.shape, bool(np.allclose(U.T @ U, np.eye(6))), bool(np.allclose(U.T @ frame.rest, 0))
    ((12, 6), True, True)
    """

    outer: Array
    rest: Array
    inner: Array
    amplitude: Array
    angular: Array
    phase: Array

    def __call__(self, p: float) -> Array:
        """Return U(p), shape (n, 2m)."""
        U: Array = self.outer @ self.turn(p)
        return U

    def turn(self, p: float) -> Array:
        """Return W(p), shape (2m, 2m), unitary."""
        angle = self.amplitude * np.sin(self.angular * p + self.phase)
        # D(β) acts on the columns as the transpose of how it would act on rows.
        return turned(turned(self.inner.T, -angle[1]).T, angle[0])

    @classmethod
    def draw(cls, n: int, m: int, rng: np.random.Generator, complex: bool = False) -> "Frame":
        """Draw a frame of 2m <= n columns: frequencies from [0.5, 1.5], amplitudes from [0.5, 1] of the swing."""
        basis, inner = unitary(n, rng, complex), unitary(2 * m, rng, complex)
        amplitude = SWING * rng.uniform(0.5, 1, (2, m))
        angular = 2 * np.pi * rng.uniform(*BAND, (2, m))
        return cls(basis[:, : 2 * m], basis[:, 2 * m :], inner, amplitude, angular, rng.uniform(0, 2 * np.pi, (2, m)))


def turned(rows: Array, angle: Array) -> Array:
    """Return ``D(angle) rows``: row k and row m + k turned by angle_k (m,)."""
    upper, lower = np.split(rows, 2)
    cosine, sine = np.cos(angle)[:, None], np.sin(angle)[:, None]
    return np.concatenate([cosine * upper - sine * lower, sine * upper + cosine * lower])


def unitary(n: int, rng: np.random.Generator, complex: bool) -> Array:
    """Draw a random unitary matrix (n, n)."""
    numbers: Array = rng.standard_normal((n, n))
    if complex:
        numbers = numbers + 1j * rng.standard_normal((n, n))
    return np.linalg.qr(numbers)[0]
