"""A covariance with a moving peak: smooth in p, and far from every space of few dimensions."""

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from neumatc.arrays import Array
from neumatc.errors import InputError
from neumatc.gallery.base import BoxLike, Point, coordinates

__all__ = ["MovingPeak"]


@final
@dataclass(frozen=True)
class MovingPeak:
    """``A(p) = C + h g(p) g(p)ᵀ`` on [0, 1], the covariance at n sensors of a background and a source at p.

    The sensors stand at ``x_i = i / (n - 1)``; ``C_ij = ρ^|i-j|`` and ``g_i(p) = exp(-(x_i - p)² / 2w²)``. The peak
    is translated and not deformed, so the number of modes that A and A⁻¹ need grows like 1 / w: the Kolmogorov width
    decays slowly, however simple each A(p) is. C⁻¹ is tridiagonal and known (Kac, Murdock, Szegő), hence A⁻¹ by
    Sherman and Morrison, and the determinant is ``(1 - ρ²)^(n-1) (1 + h gᵀ C⁻¹ g)``.

    Parameters
    ----------
    n : number of sensors, at least 2.
    width : w, at least half the distance of two sensors, or the source would vanish between them.
    height : h, the power of the source, positive.
    correlation : ρ of neighbouring sensors, in [0, 1).

    Examples
    --------
    >>> import numpy as np
    >>> A = MovingPeak(n=40, width=0.05)
    >>> bool(np.allclose(A(0.3) @ A.inverse(0.3), np.eye(40)))
    True
    >>> bool(np.isclose(A.logdet(0.3), np.linalg.slogdet(A(0.3))[1]))
    True
    >>> float(A.positions[np.argmax(np.diag(A(0.5128205128205128)))])
    0.5128205128205128
    """

    n: int = 64
    width: float = 0.05
    height: float = 10.0
    correlation: float = 0.5

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        if self.n < 2 or not 2 * self.width * (self.n - 1) >= 1 or not self.width < np.inf:
            raise InputError(
                f"expected n >= 2 and a finite width of at least half the sensors' distance 1 / (n - 1), but came "
                f"n={self.n!r}, width={self.width!r}. A narrower source vanishes between two sensors. "
                "Choose a larger width or more sensors."
            )
        if not 0 < self.height < np.inf or not 0 <= self.correlation < 1:
            raise InputError(
                f"expected a positive height and 0 <= correlation < 1, but came height={self.height!r}, "
                f"correlation={self.correlation!r}. The sum of both parts must be positive definite. "
                "Choose for example height=10.0, correlation=0.5."
            )

    @property
    def name(self) -> str:
        """Kind, size and width."""
        return f"moving peak n={self.n} width={self.width:g}"

    @property
    def box(self) -> BoxLike:
        """[0, 1], the line of the sensors."""
        return (0.0, 1.0)

    @property
    def smooth(self) -> bool:
        """Always: A(p) is entire."""
        return True

    @property
    def positions(self) -> Array:
        """The sensors x (n,)."""
        return np.linspace(0, 1, self.n)

    def __call__(self, p: Point, /) -> Array:
        """Return A(p), shape (n, n), symmetric positive definite."""
        g = self.peak(p)
        A: Array = self._background + self.height * np.outer(g, g)
        return A

    def peak(self, p: Point) -> Array:
        """Return g(p), shape (n,)."""
        g: Array = np.exp(-(((self.positions - coordinates(p, 1, self.name)[0]) / self.width) ** 2) / 2)
        return g

    def inverse(self, p: Point) -> Array:
        """Return ``A(p)⁻¹ = C⁻¹ - h C⁻¹g gᵀC⁻¹ / (1 + h gᵀC⁻¹g)``, shape (n, n)."""
        g = self.peak(p)
        solved = self._precision @ g
        inverse: Array = self._precision - self.height / (1 + self.height * g @ solved) * np.outer(solved, solved)
        return inverse

    def logdet(self, p: Point) -> float:
        """Return ``log det A(p)``."""
        g = self.peak(p)
        source = np.log1p(self.height * g @ self._precision @ g)
        return float((self.n - 1) * np.log1p(-(self.correlation**2)) + source)

    @cached_property
    def _background(self) -> Array:
        """C (n, n)."""
        index = np.arange(self.n)
        C: Array = self.correlation ** np.abs(index[:, None] - index)
        return C

    @cached_property
    def _precision(self) -> Array:
        """C⁻¹ (n, n), tridiagonal."""
        rho = self.correlation
        diagonal = np.full(self.n, 1 + rho**2)
        diagonal[[0, -1]] = 1
        beside = np.full(self.n - 1, -rho)
        return (np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)) / (1 - rho**2)
