"""Kahan's triangular matrix between two rotations: nearly singular although nothing on its diagonal is small."""

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from neumatc.arrays import Array
from neumatc.errors import InputError
from neumatc.gallery.base import BoxLike, Point, coordinates
from neumatc.gallery.rotation import Rotation

__all__ = ["Kahan"]


@final
@dataclass(frozen=True)
class Kahan:
    """``A(p) = U(p) K V(p)ᵀ`` on [0, 1] with ``K = diag(1, s, …, s^(n-1)) (I - c N)``, N the strictly upper ones.

    Here ``s = sin θ`` and ``c = cos θ``. The smallest singular value of K lies below its last diagonal entry by a
    factor near ``(1 + c)^(n-2)``, which a QR factorisation with column pivoting does not reveal. The inverse is known
    entry by entry: ``((I - c N)⁻¹)_ij = c (1 + c)^(j-i-1)`` above the diagonal
    (Kahan, https://doi.org/10.4153/CMB-1966-083-2).

    Parameters
    ----------
    n : size of A(p), at least 2.
    theta : θ, inside (0, π/2); smaller angles make K worse.
    turn : angle in radians by which U and V turn between p = 0 and p = 1.
    seed : of U and V.

    Examples
    --------
    >>> import numpy as np
    >>> A = Kahan(n=12)
    >>> bool(np.allclose(A(0.3) @ A.inverse(0.3), np.eye(12)))
    True
    >>> K = A.triangle
    >>> bool(K[-1, -1] > 0.4), bool(np.linalg.svd(A(0.3), compute_uv=False)[-1] < 0.03)
    (True, True)
    """

    n: int = 24
    theta: float = 1.2
    turn: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        if self.n < 2 or not 0 < self.theta < np.pi / 2 or not np.isfinite(self.turn):
            raise InputError(
                f"expected n >= 2, an angle theta inside (0, π/2) and a finite turn, but came n={self.n!r}, "
                f"theta={self.theta!r}, turn={self.turn!r}. The triangle is built from its sine and cosine. "
                "Choose for example n=24, theta=1.2."
            )

    @property
    def name(self) -> str:
        """Kind, size and angle."""
        return f"kahan n={self.n} theta={self.theta:g}"

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
        at = float(coordinates(p, 1, self.name)[0])
        left, right = self._rotations
        A: Array = left(at) @ self.triangle @ right(at).T
        return A

    def inverse(self, p: Point) -> Array:
        """Return ``A(p)⁻¹ = V K⁻¹ Uᵀ``, shape (n, n)."""
        at = float(coordinates(p, 1, self.name)[0])
        left, right = self._rotations
        step = np.arange(self.n) - np.arange(self.n)[:, None]
        cosine = np.cos(self.theta)
        upper = np.where(step > 0, cosine * (1 + cosine) ** np.maximum(step - 1, 0), 0.0) + np.eye(self.n)
        inverse: Array = right(at) @ (upper / self._scales) @ left(at).T
        return inverse

    @cached_property
    def triangle(self) -> Array:
        """K (n, n), upper triangular, read-only."""
        K: Array = self._scales[:, None] * (np.eye(self.n) - np.cos(self.theta) * np.triu(np.ones((self.n,) * 2), 1))
        K.setflags(write=False)
        return K

    @cached_property
    def _scales(self) -> Array:
        scales: Array = np.sin(self.theta) ** np.arange(self.n)
        return scales

    @cached_property
    def _rotations(self) -> tuple[Rotation, Rotation]:
        rng = np.random.default_rng(self.seed)
        return Rotation.draw(self.n, self.turn, rng), Rotation.draw(self.n, self.turn, rng)
