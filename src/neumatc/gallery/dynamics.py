"""Stable dynamics with known modes: Lyapunov, Sylvester and Riccati equations whose solutions are known too."""

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from neumatc.arrays import Array
from neumatc.errors import InputError
from neumatc.gallery.base import BoxLike, Point, coordinates
from neumatc.gallery.hermitian import hermitian
from neumatc.gallery.rotation import Rotation
from neumatc.gallery.spirals import inverse_vectors, spirals, vectors

__all__ = ["Stable"]

FASTEST = 4.0  # the fastest decay, in units of the slowest
OMEGA = (0.5, 2.0)  # mean frequencies
WOBBLE = 0.3  # of the frequencies


@final
@dataclass(frozen=True)
class Stable:
    """``A(p) = Q(p) diag(M_1(p), M_2(p), …) Q(p)ᵀ`` on [0, 1], real, with its spectral abscissa fixed at every p.

    The blocks ``M_j = [α_j, ω_j k; -ω_j / k, α_j]`` have the eigenvalues ``α_j ± iω_j(p)``: the decays α_j spread from
    the abscissa to four times that, the frequencies wobble with p, and Q turns. With A come the matrices of three
    equations and, from the known modes, their solutions X::

        Lyapunov   A X + X Aᵀ + W = 0                            W = `weight`
        Sylvester  A X + X F = C                                 F = another stable family
        Riccati    Aᵀ X + X A - X B R⁻¹ Bᵀ X + S = 0             B = `control`, R = `effort`, S = `state_cost`

    S is made so that X is the adjoint Lyapunov solution, ``Aᵀ X + X A + W = 0``: with ``S = W + X B R⁻¹ Bᵀ X``,
    which is positive definite, and A stable, that X is the one stabilising solution.

    Parameters
    ----------
    n : size of A(p), even.
    abscissa : largest real part of the eigenvalues, below 0.
    skew : k, at least 1; above 1 the blocks are not normal and their flow grows before it decays.
    inputs : number of columns of B.
    turn : angle in radians by which Q turns between p = 0 and p = 1.
    seed : of everything random.

    Examples
    --------
    >>> import numpy as np
    >>> A = Stable(n=6, abscissa=-0.34)
    >>> round(float(np.linalg.eigvals(A(0.3)).real.max()), 12)
    -0.34
    >>> X = A.lyapunov(0.3)
    >>> bool(np.allclose(A(0.3) @ X + X @ A(0.3).T, -A.weight(0.3)))
    True
    """

    n: int = 64
    abscissa: float = -0.69
    skew: float = 1.5
    inputs: int = 4
    turn: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        if self.n < 2 or self.n % 2 or not 1 <= self.inputs <= self.n:
            raise InputError(
                f"expected an even n >= 2 and 1 <= inputs <= n, but came n={self.n!r}, inputs={self.inputs!r}. "
                "Every block has two rows. Choose for example n=64, inputs=4."
            )
        if not -np.inf < self.abscissa < 0 or not 1 <= self.skew < np.inf or not np.isfinite(self.turn):
            raise InputError(
                f"expected abscissa < 0, skew >= 1 and a finite turn, but came abscissa={self.abscissa!r}, "
                f"skew={self.skew!r}, turn={self.turn!r}. Otherwise A(p) is not stable, or its modes are not "
                "defined. Choose for example abscissa=-0.69, skew=1.5."
            )

    @property
    def name(self) -> str:
        """Kind, size and abscissa."""
        return f"stable n={self.n} abscissa={self.abscissa:g} skew={self.skew:g}"

    @property
    def box(self) -> BoxLike:
        """[0, 1]."""
        return (0.0, 1.0)

    @property
    def smooth(self) -> bool:
        """Always: A(p) is entire."""
        return True

    def __call__(self, p: Point, /) -> Array:
        """Return A(p), shape (n, n)."""
        at = self._at(p)
        Q = self._rotation(at)
        A: Array = Q @ spirals(self._decays, self._frequencies(at), self.skew) @ Q.T
        return A

    def eigenvalues(self, p: Point) -> Array:
        """Return the eigenvalues ``α_j ± iω_j(p)`` in pairs, complex, shape (n,)."""
        omega = self._frequencies(self._at(p))
        return np.stack([self._decays + 1j * omega, self._decays - 1j * omega], axis=1).reshape(-1)

    def weight(self, p: Point) -> Array:
        """Return W(p), shape (n, n), symmetric positive definite with smallest eigenvalue one."""
        factor = self._matrices[0]
        swing = 0.6 + 0.4 * np.sin(2 * np.pi * self._at(p))
        W: Array = np.eye(self.n) + swing * hermitian(factor @ factor.T)
        return W

    def control(self, p: Point) -> Array:
        """Return B(p), shape (n, inputs)."""
        _, first, second, _ = self._matrices
        B: Array = first + 0.5 * np.sin(2 * np.pi * self._at(p)) * second
        return B

    def effort(self, p: Point) -> Array:
        """Return R(p), shape (inputs, inputs), symmetric positive definite with eigenvalues in [1/2, 3/2]."""
        R: Array = np.eye(self.inputs) + 0.5 * np.cos(2 * np.pi * self._at(p)) * self._matrices[3]
        return R

    def state_cost(self, p: Point) -> Array:
        """Return S(p) of the Riccati equation, shape (n, n), symmetric positive definite."""
        across = self.riccati(p) @ self.control(p)
        return hermitian(self.weight(p) + across @ np.linalg.solve(self.effort(p), across.T))

    def lyapunov(self, p: Point) -> Array:
        """Return the solution of ``A X + X Aᵀ + W = 0``, shape (n, n), symmetric positive definite."""
        V, inverse = self.modes(p)
        return hermitian(self._solve(p, V, inverse, -self.weight(p), inverse.T, V.T, self.eigenvalues(p)))

    def riccati(self, p: Point) -> Array:
        """Return the stabilising solution of the Riccati equation, shape (n, n), symmetric positive definite."""
        V, inverse = self.modes(p)
        values = self.eigenvalues(p)
        small = V.T @ -self.weight(p) @ V / (values[:, None] + values)
        return hermitian((inverse.T @ small @ inverse).real)

    def sylvester(self, p: Point, other: "Stable", C: Array) -> Array:
        """Return the solution (n, n') of ``A X + X F = C`` for another family F and C (n, n')."""
        V, inverse = self.modes(p)
        return self._solve(p, V, inverse, C, *other.modes(p), other.eigenvalues(p))

    def modes(self, p: Point) -> tuple[Array, Array]:
        """Return right eigenvectors as columns (n, n), in the order of `eigenvalues`, and their inverse (n, n)."""
        Q, m = self._rotation(self._at(p)), self.n // 2
        return Q @ vectors(m, self.skew), inverse_vectors(m, self.skew) @ Q.T

    def _solve(self, p: Point, V: Array, inverse: Array, C: Array, U: Array, back: Array, values: Array) -> Array:
        """Return X with ``A X + X F = C`` for ``A = V Λ inverse`` and ``F = U diag(values) back``."""
        X: Array = V @ (inverse @ C @ U / (self.eigenvalues(p)[:, None] + values)) @ back
        return X.real

    def _at(self, p: Point) -> float:
        return float(coordinates(p, 1, self.name)[0])

    def _frequencies(self, p: float) -> Array:
        """Return ω(p), shape (n / 2,)."""
        mean, phase = self._waves
        omega: Array = mean + WOBBLE * np.sin(2 * np.pi * p + phase)
        return omega

    @cached_property
    def _decays(self) -> Array:
        """α (n / 2,), the first of them the abscissa."""
        return self.abscissa * np.linspace(1, FASTEST, self.n // 2)

    @cached_property
    def _rotation(self) -> Rotation:
        return Rotation.draw(self.n, self.turn, np.random.default_rng([self.seed, 0]))

    @cached_property
    def _waves(self) -> tuple[Array, Array]:
        rng = np.random.default_rng([self.seed, 1])
        return rng.uniform(*OMEGA, self.n // 2), rng.uniform(0, 2 * np.pi, self.n // 2)

    @cached_property
    def _matrices(self) -> tuple[Array, Array, Array, Array]:
        """A factor of W, the two parts of B, and the varying part of R, of spectral norm one."""
        rng = np.random.default_rng([self.seed, 2])
        factor, first, second = (rng.standard_normal((self.n, self.inputs)) / np.sqrt(self.n) for _ in range(3))
        symmetric = rng.standard_normal((self.inputs, self.inputs))
        symmetric = symmetric + symmetric.T
        return factor, first, second, symmetric / np.linalg.norm(symmetric, 2)
