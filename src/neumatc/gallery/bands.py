"""A Chern insulator: a gapped family on the torus whose eigenvectors admit no smooth periodic frame."""

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from neumatc.arrays import Array
from neumatc.errors import InputError
from neumatc.gallery.base import BoxLike, Point, coordinates
from neumatc.gallery.embedding import Embedding, check_size
from neumatc.gallery.hermitian import hermitian, ordered
from neumatc.gallery.pauli import spin, spinors

__all__ = ["ChernBand"]

SPACE = (1.0, 2.0)  # of the remote levels beyond the largest |d|
LARGEST = 5.0  # mass


@final
@dataclass(frozen=True)
class ChernBand:
    """The Qi-Wu-Zhang model on the torus, ``A(p) = V diag(d(k) · σ, D) Vᴴ`` with ``k = 2π p``.

    The block is that of two levels, σ the Pauli matrices, with::

        d(k) = (sin k_x, sin k_y, m + cos k_x + cos k_y)

    The levels are ``±|d|``. The gap closes for m in {-2, 0, 2} only and is ``2 min(|m + 2|, |m|, |m - 2|)`` otherwise,
    as ``|d|²`` is bilinear in the two cosines. The Chern number of the lower band, ``(1 / 2π) ∫ F dk_x dk_y`` with
    ``F = ∂_x 𝒜_y - ∂_y 𝒜_x`` and ``𝒜_j = i⟨u, ∂_j u⟩``, is known: ``-sign(m)`` for ``0 < |m| < 2`` and 0 beyond. Where
    it is not zero, no smooth periodic frame of the band exists, while its projector is smooth and periodic. The remote
    levels D are constant and change nothing (Qi, Wu, Zhang, https://doi.org/10.1103/PhysRevB.74.085308).

    Parameters
    ----------
    n : size of A(p), at least 2.
    mass : m, of modulus at most 5.
    seed : of V.

    Examples
    --------
    >>> import numpy as np
    >>> [ChernBand(mass=m).chern for m in (-3.0, -1.0, 1.0, 3.0)]
    [0, 1, -1, 0]
    >>> A = ChernBand(n=6, mass=1.0)
    >>> p = np.array([0.2, 0.9])
    >>> bool(np.allclose(A.eigenvalues(p), np.linalg.eigvalsh(A(p)))), A.gap
    (True, 2.0)
    """

    n: int = 16
    mass: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        check_size(self.n, 2)
        if not abs(self.mass) <= LARGEST:
            raise InputError(
                f"expected a mass of modulus at most {LARGEST:g}, but came mass={self.mass!r}. "
                "Beyond 2 nothing changes except that the gap grows. Choose for example mass=1.0, or 3.0 for Chern "
                "number zero."
            )

    @property
    def name(self) -> str:
        """Kind, size and mass."""
        return f"chern band n={self.n} mass={self.mass:g}"

    @property
    def box(self) -> BoxLike:
        """[0, 1]², opposite sides the same points of the torus."""
        return [(0.0, 1.0)] * 2

    @property
    def smooth(self) -> bool:
        """Always: A(p) is a trigonometric polynomial."""
        return True

    @property
    def gap(self) -> float:
        """The smallest distance of the two bands on the torus."""
        return 2 * min(abs(self.mass + shift) for shift in (-2, 0, 2))

    @property
    def chern(self) -> int:
        """The Chern number of the lower of the two bands; the upper one has the negative."""
        if self.gap == 0:
            raise InputError(
                f"the Chern number needs a gap, but for mass={self.mass!r} the bands touch. "
                "It changes by one at every Dirac point, here in the torus. Choose a mass other than -2, 0 and 2."
            )
        return -int(np.sign(self.mass)) if abs(self.mass) < 2 else 0

    @property
    def lower(self) -> int:
        """Index of the lower band among the ascending eigenvalues; the upper one is next to it."""
        return self._embedding.below

    def __call__(self, p: Point, /) -> Array:
        """Return A(p), shape (n, n), complex Hermitian."""
        return hermitian(self._embedding(spin(self._vector(p))))

    def eigenvalues(self, p: Point) -> Array:
        """Return all eigenvalues in ascending order, shape (n,)."""
        return self._pairs(p)[0]

    def eigenvectors(self, p: Point) -> Array:
        """Return the eigenvectors as columns in the order of `eigenvalues`, shape (n, n)."""
        return self._pairs(p)[1]

    def projector(self, p: Point, count: int) -> Array:
        """Return the orthogonal projector onto the ``count`` lowest eigenvectors, shape (n, n)."""
        lowest = self._pairs(p)[1][:, :count]
        return hermitian(lowest @ lowest.conj().T)

    def _vector(self, p: Point) -> Array:
        """Return d(k), shape (3,)."""
        k = 2 * np.pi * coordinates(p, 2, self.name)
        return np.array([*np.sin(k), self.mass + np.cos(k).sum()])

    def _pairs(self, p: Point) -> tuple[Array, Array]:
        d = self._vector(p)
        level = float(np.linalg.norm(d))
        return ordered(self._embedding.values(np.array([-level, level])), self._embedding.vectors(spinors(d)))

    @cached_property
    def _embedding(self) -> Embedding:
        reach = abs(self.mass) + 2  # the largest |d|
        rng = np.random.default_rng(self.seed)
        return Embedding.draw(self.n, 2, (reach + SPACE[0], reach + SPACE[1]), rng, complex=True)
