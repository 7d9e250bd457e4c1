"""A Möbius band of eigenvectors: a periodic family without a periodic real frame."""

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from neumatc.arrays import Array
from neumatc.errors import InputError
from neumatc.gallery.base import BoxLike, Point, coordinates
from neumatc.gallery.embedding import Embedding, check_size
from neumatc.gallery.hermitian import hermitian, ordered

__all__ = ["Moebius"]

REMOTE = (2.0, 3.0)  # moduli of the levels that take no part


@final
@dataclass(frozen=True)
class Moebius:
    """A real symmetric loop ``A(p + 1) = A(p)`` on [0, 1] whose eigenvectors come back with sign ``(-1)^twists``.

    In ``A(p) = V diag(M(p), D) Vᵀ`` the block has the constant levels ±1 and vectors that make half turns::

        M(p) = [cos 2φ   sin 2φ]      φ = π twists p,      u_+ = (cos φ, sin φ),      u_- = (-sin φ, cos φ)
               [sin 2φ  -cos 2φ]

    The gap never closes and A is a trigonometric polynomial, yet with an odd number of twists no real frame is both
    continuous and periodic. The projectors are periodic always.

    Parameters
    ----------
    n : size of A(p), at least 2.
    twists : number of half turns on the loop; 0 and even numbers have a periodic frame.
    seed : of V.

    Examples
    --------
    >>> import numpy as np
    >>> A = Moebius(n=6)
    >>> start, end = A.frame(0.0), A.frame(1.0)
    >>> bool(np.allclose(A(0.0), A(1.0))), bool(np.allclose(start, -end)), A.holonomy
    (True, True, -1)
    """

    n: int = 16
    twists: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        check_size(self.n, 2)
        if self.twists != int(self.twists):
            raise InputError(
                f"expected a whole number of twists, but came twists={self.twists!r}. "
                "With a part of a half turn A(0) and A(1) would differ. Choose for example twists=1."
            )

    @property
    def name(self) -> str:
        """Kind, size and number of twists."""
        return f"moebius n={self.n} twists={self.twists}"

    @property
    def box(self) -> BoxLike:
        """[0, 1], both ends the same point of the loop."""
        return (0.0, 1.0)

    @property
    def smooth(self) -> bool:
        """Always: A(p) is entire."""
        return True

    @property
    def holonomy(self) -> int:
        """The sign with which the eigenvectors ±1 come back, ``(-1)^twists``."""
        return -1 if self.twists % 2 else 1

    def __call__(self, p: Point, /) -> Array:
        """Return A(p), shape (n, n), symmetric."""
        double = 2 * self._angle(p)
        cosine, sine = np.cos(double), np.sin(double)
        return hermitian(self._embedding(np.array([[cosine, sine], [sine, -cosine]])))

    def frame(self, p: Point) -> Array:
        """Return the eigenvectors of -1 and +1 as columns (n, 2), continuous in p, not periodic for odd twists."""
        angle = self._angle(p)
        cosine, sine = np.cos(angle), np.sin(angle)
        columns: Array = self._embedding.basis[:, :2] @ np.array([[-sine, cosine], [cosine, sine]])
        return columns

    def eigenvalues(self, p: Point) -> Array:
        """Return all eigenvalues in ascending order, shape (n,): -1, 1 and the constant remote ones."""
        self._angle(p)
        return np.sort(self._embedding.values(np.array([-1.0, 1.0])))

    def eigenvectors(self, p: Point) -> Array:
        """Return the eigenvectors as columns in the order of `eigenvalues`, shape (n, n), continuous in p."""
        vectors = np.hstack([self.frame(p), self._embedding.basis[:, 2:]])
        return ordered(self._embedding.values(np.array([-1.0, 1.0])), vectors)[1]

    def projector(self, p: Point, count: int) -> Array:
        """Return the orthogonal projector onto the ``count`` lowest eigenvectors, shape (n, n)."""
        lowest = self.eigenvectors(p)[:, :count]
        return hermitian(lowest @ lowest.T)

    def _angle(self, p: Point) -> float:
        """Return φ(p)."""
        return float(np.pi * self.twists * coordinates(p, 1, self.name)[0])

    @cached_property
    def _embedding(self) -> Embedding:
        return Embedding.draw(self.n, 2, REMOTE, np.random.default_rng(self.seed))
