"""Full spectra between rotations: every eigenvalue and singular value simple, the smallest gap and the turn chosen."""

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from neumatc.arrays import Array
from neumatc.errors import InputError
from neumatc.gallery.base import BoxLike, Point, coordinates
from neumatc.gallery.hermitian import conjugated, hermitian
from neumatc.gallery.rotation import Rotation

__all__ = ["RotatingSVD", "RotatingSpectrum"]

SWELL, SHIFT = 0.1, 0.3  # amplitudes with which the whole spectrum is scaled and moved over p


@final
@dataclass(frozen=True)
class RotatingSpectrum:
    """``A(p) = Q(p) Λ(p) Q(p)ᴴ`` on [0, 1], Hermitian, with all n eigenpairs known and analytic.

    ``λ_k(p) = (1 + 0.1 sin(2πp + φ)) x_k + 0.3 sin(2πp + ψ)`` with fixed x_1 < … < x_n of mean distance
    ``2 / (n - 1)``, and ``Q(p) = exp(p G) Q(0)`` with ``‖G‖_2 = turn``. So the smallest distance of neighbours, as a
    fraction of the mean distance, is ``gap`` at every p: it says how far eigenvectors move under a perturbation, and
    turn how far they move with p.

    Parameters
    ----------
    n : size of A(p), at least 3.
    gap : smallest distance of neighbouring eigenvalues in units of the mean one, in [0, 1]; 0 makes one pair equal.
    turn : angle in radians by which Q turns between p = 0 and p = 1.
    complex : whether Q is complex.
    seed : of everything random.

    Examples
    --------
    >>> import numpy as np
    >>> A = RotatingSpectrum(n=10, gap=0.025, turn=np.pi)
    >>> spacing = np.diff(np.linalg.eigvalsh(A(0.3)))
    >>> round(float(spacing.min() / spacing.mean()), 9)
    0.025
    >>> bool(np.allclose(A(0.3) @ A.eigenvectors(0.3), A.eigenvectors(0.3) * A.eigenvalues(0.3)))
    True
    """

    n: int = 64
    gap: float = 0.43
    turn: float = 1.0
    complex: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        check_dials(self.n, self.gap, self.turn)

    @property
    def name(self) -> str:
        """Kind, size, gap and turn."""
        kind = "complex " if self.complex else ""
        return f"{kind}rotating spectrum n={self.n} gap={self.gap:g} turn={self.turn:g}"

    @property
    def box(self) -> BoxLike:
        """[0, 1]."""
        return (0.0, 1.0)

    @property
    def smooth(self) -> bool:
        """Always: A(p) is entire."""
        return True

    def __call__(self, p: Point, /) -> Array:
        """Return A(p), shape (n, n), Hermitian."""
        return conjugated(self.eigenvectors(p), self.eigenvalues(p))

    def eigenvalues(self, p: Point) -> Array:
        """Return all eigenvalues in ascending order, shape (n,)."""
        angle = 2 * np.pi * coordinates(p, 1, self.name)[0]
        levels, (swell, shift) = self._levels
        values: Array = (1 + SWELL * np.sin(angle + swell)) * levels + SHIFT * np.sin(angle + shift)
        return values

    def eigenvectors(self, p: Point) -> Array:
        """Return the eigenvectors Q(p) as columns in the order of `eigenvalues`, shape (n, n), analytic in p."""
        return self._rotation(float(coordinates(p, 1, self.name)[0]))

    def projector(self, p: Point, count: int) -> Array:
        """Return the orthogonal projector onto the ``count`` lowest eigenvectors, shape (n, n)."""
        lowest = self.eigenvectors(p)[:, :count]
        return hermitian(lowest @ lowest.conj().T)

    @cached_property
    def _levels(self) -> tuple[Array, Array]:
        """X (n,), ascending from -1 to 1, and the two phases."""
        rng = np.random.default_rng([self.seed, 1])
        steps = 2 / (self.n - 1) * spacings(self.n - 1, self.gap, rng)
        return np.concatenate([[-1.0], -1 + np.cumsum(steps)]), rng.uniform(0, 2 * np.pi, 2)

    @cached_property
    def _rotation(self) -> Rotation:
        return Rotation.draw(self.n, self.turn, np.random.default_rng([self.seed, 0]), self.complex)


@final
@dataclass(frozen=True)
class RotatingSVD:
    """``A(p) = U(p) diag(s(p)) V(p)ᴴ`` on [0, 1], of any shape and full rank, with all singular triplets known.

    ``s_k(p) = (1 + 0.1 sin(2πp + φ)) x_k`` with fixed ``x_1 = 1 > … > x_m``, ``m = min(n1, n2)``, of mean distance
    ``1 / m`` and ``x_m = 1 / m``; U and V are columns of ``exp(p G) Q(0)`` with ``‖G‖_2 = turn``. The smallest distance
    of neighbours, as a fraction of the mean one, is ``gap`` at every p, and ``cond_2 A(p) = m``.

    Parameters
    ----------
    rows, columns : n1 and n2, each at least 3.
    gap : smallest distance of neighbouring values in units of the mean one, in [0, 1]; 0 makes one pair equal.
    turn : angle in radians by which U and V turn between p = 0 and p = 1.
    complex : whether U and V are complex.
    seed : of everything random.

    Examples
    --------
    >>> import numpy as np
    >>> A = RotatingSVD(rows=9, columns=5)
    >>> s = np.linalg.svd(A(0.3), compute_uv=False)
    >>> bool(np.allclose(s, A.singular_values(0.3))), round(float(np.diff(s).max() / np.diff(s).mean()), 9)
    (True, 0.43)
    >>> U, s, V = A.factors(0.3)
    >>> U.shape, V.shape
    ((9, 5), (5, 5))
    """

    rows: int = 64
    columns: int = 48
    gap: float = 0.43
    turn: float = 1.0
    complex: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        check_dials(min(self.rows, self.columns), self.gap, self.turn)

    @property
    def name(self) -> str:
        """Kind, size, gap and turn."""
        kind = "complex " if self.complex else ""
        return f"{kind}rotating svd {self.rows}x{self.columns} gap={self.gap:g} turn={self.turn:g}"

    @property
    def box(self) -> BoxLike:
        """[0, 1]."""
        return (0.0, 1.0)

    @property
    def smooth(self) -> bool:
        """Always: A(p) is entire."""
        return True

    def __call__(self, p: Point, /) -> Array:
        """Return A(p), shape (n1, n2)."""
        U, s, V = self.factors(p)
        A: Array = (U * s) @ V.conj().T
        return A

    def singular_values(self, p: Point) -> Array:
        """Return all singular values in descending order, shape (m,)."""
        levels, phase = self._levels
        values: Array = (1 + SWELL * np.sin(2 * np.pi * coordinates(p, 1, self.name)[0] + phase)) * levels
        return values

    def factors(self, p: Point) -> tuple[Array, Array, Array]:
        """Return ``U (n1, m), s (m,), V (n2, m)`` with ``A = U diag(s) Vᴴ``, analytic in p, s descending."""
        at = float(coordinates(p, 1, self.name)[0])
        m = min(self.rows, self.columns)
        U, V = (rotation(at)[:, :m] for rotation in self._rotations)
        return U, self.singular_values(at), V

    @cached_property
    def _levels(self) -> tuple[Array, float]:
        """X (m,), descending from 1 to 1 / m, and the phase."""
        rng = np.random.default_rng([self.seed, 1])
        m = min(self.rows, self.columns)
        steps = np.concatenate([[1.0], spacings(m - 1, self.gap, rng)]) / m
        return np.cumsum(steps)[::-1].copy(), float(rng.uniform(0, 2 * np.pi))

    @cached_property
    def _rotations(self) -> tuple[Rotation, Rotation]:
        rng = np.random.default_rng([self.seed, 0])
        left = Rotation.draw(self.rows, self.turn, rng, self.complex)
        return left, Rotation.draw(self.columns, self.turn, rng, self.complex)


def spacings(count: int, gap: float, rng: np.random.Generator) -> Array:
    """Draw ``count`` distances of mean one, the smallest of them ``gap`` and all others clearly larger."""
    excess = rng.uniform(0.5, 1.5, count)
    excess[rng.integers(count)] = 0
    steps: Array = gap + (1 - gap) * excess / excess.mean()
    return steps


def check_dials(n: int, gap: float, turn: float) -> None:
    """Raise an error unless there are two spacings or more and the dials are in range."""
    if n < 3 or not 0 <= gap <= 1 or not np.isfinite(turn):
        raise InputError(
            f"expected three values or more, 0 <= gap <= 1 and a finite turn, but came {n} values, gap={gap!r}, "
            f"turn={turn!r}. The smallest distance cannot exceed the mean one. "
            "Choose for example n=64, gap=0.43, turn=1.0."
        )
