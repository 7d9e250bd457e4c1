"""A family of prescribed norm whose exponential is known: for `expm`, where only the norm says how hard it is."""

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from neumatc.arrays import Array
from neumatc.errors import InputError
from neumatc.gallery.base import BoxLike, Point, coordinates
from neumatc.gallery.rotation import Rotation
from neumatc.gallery.spirals import exponentials, norms, spirals

__all__ = ["Growth"]

SHARE = 0.2  # the least norm of a block, in units of the largest
SWING = 0.5  # of the angle of (α, ω), in radians
UPPER = (0.6, np.pi - 0.6)  # mean angles: ω stays positive, as the norm of a block has a kink where it vanishes
LARGEST = 50.0  # norm; e^50 still leaves room for squaring


@final
@dataclass(frozen=True)
class Growth:
    """``A(p) = Q(p) diag(M_1(p), M_2(p), …) Q(p)ᵀ`` on [0, 1], real, with ``‖A(p)‖_2 = norm`` at every p.

    The blocks ``M_j = [α_j, ω_j k; -ω_j / k, α_j]`` have norms between 0.2 norm and norm, one of them norm exactly, and
    directions ``(α_j, ω_j)`` that swing with p in the half plane ω > 0. Then ``exp A = Q diag(exp M_j) Qᵀ`` with the
    exponential of every block in closed form (`neumatc.gallery.spirals`).

    Parameters
    ----------
    n : size of A(p), even.
    norm : ``‖A(p)‖_2``, above 0 and at most 50.
    skew : k, at least 1; above 1 A(p) is not normal.
    turn : angle in radians by which Q turns between p = 0 and p = 1.
    seed : of everything random.

    Examples
    --------
    >>> import numpy as np
    >>> A = Growth(n=6, norm=5.0)
    >>> round(float(np.linalg.norm(A(0.3), 2)), 12)
    5.0
    >>> terms = [np.eye(6)]
    >>> for k in range(1, 60):
    ...     terms.append(terms[-1] @ A(0.3) / k)
    >>> bool(np.allclose(A.exponential(0.3), sum(terms)))
    True
    """

    n: int = 64
    norm: float = 1.0
    skew: float = 1.5
    turn: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        if self.n < 2 or self.n % 2:
            raise InputError(
                f"expected an even n >= 2, but came n={self.n!r}. Every block has two rows. Choose for example n=64."
            )
        if not 0 < self.norm <= LARGEST or not 1 <= self.skew < np.inf or not np.isfinite(self.turn):
            raise InputError(
                f"expected 0 < norm <= {LARGEST:g}, skew >= 1 and a finite turn, but came norm={self.norm!r}, "
                f"skew={self.skew!r}, turn={self.turn!r}. The exponential grows like that of the norm. "
                "Choose for example norm=1.0, skew=1.5."
            )

    @property
    def name(self) -> str:
        """Kind, size and norm."""
        return f"growth n={self.n} norm={self.norm:g} skew={self.skew:g}"

    @property
    def box(self) -> BoxLike:
        """[0, 1]."""
        return (0.0, 1.0)

    @property
    def smooth(self) -> bool:
        """Always: A(p) is analytic."""
        return True

    def __call__(self, p: Point, /) -> Array:
        """Return A(p), shape (n, n)."""
        at = float(coordinates(p, 1, self.name)[0])
        Q = self._rotation(at)
        A: Array = Q @ spirals(*self._plane(at), self.skew) @ Q.T
        return A

    def exponential(self, p: Point) -> Array:
        """Return ``exp A(p)``, shape (n, n)."""
        at = float(coordinates(p, 1, self.name)[0])
        Q = self._rotation(at)
        E: Array = Q @ exponentials(*self._plane(at), self.skew) @ Q.T
        return E

    def eigenvalues(self, p: Point) -> Array:
        """Return the eigenvalues ``α_j ± iω_j`` in pairs, complex, shape (n,)."""
        alpha, omega = self._plane(float(coordinates(p, 1, self.name)[0]))
        return np.stack([alpha + 1j * omega, alpha - 1j * omega], axis=1).reshape(-1)

    def _plane(self, p: float) -> tuple[Array, Array]:
        """Return α(p) and ω(p), each (n / 2,), scaled so that the blocks have their norms."""
        share, angle, phase = self._waves
        turned = angle + SWING * np.sin(2 * np.pi * p + phase)
        alpha, omega = np.cos(turned), np.sin(turned)
        size = self.norm * share / norms(alpha, omega, self.skew)
        return size * alpha, size * omega

    @cached_property
    def _waves(self) -> tuple[Array, Array, Array]:
        """Norms of the blocks in units of the largest, mean angles and phases, each (n / 2,)."""
        rng = np.random.default_rng([self.seed, 1])
        m = self.n // 2
        return np.linspace(1, SHARE, m), rng.uniform(*UPPER, m), rng.uniform(0, 2 * np.pi, m)

    @cached_property
    def _rotation(self) -> Rotation:
        return Rotation.draw(self.n, self.turn, np.random.default_rng([self.seed, 0]))
