"""The paper's synthetic matrices for its SVD table: ``H(p) = A(p) B(p)ᵀ + ε I``, literally."""

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from neumatc.arrays import Array
from neumatc.gallery import SyntheticInverse
from neumatc.gallery.base import BoxLike, Point

__all__ = ["SyntheticSVD"]


@final
@dataclass(frozen=True)
class SyntheticSVD:
    """``H(p) = A(p) B(p)ᵀ + ε I`` on [0, 1] with the factors of `neumatc.gallery.SyntheticInverse`.

    Columns lose a fifth of their energy from one to the next, so that the singular values of ``A Bᵀ`` fall by about as
    much and cross each other many times. The paper leaves ε and the decay open.

    Parameters
    ----------
    n, rank : size, and columns of A and B.
    epsilon : ε; 1e-3 is about a seventh of the smallest singular value of ``A Bᵀ`` at rank 20.
    seed : of everything random.
    """

    n: int = 512
    rank: int = 20
    epsilon: float = 1e-3
    seed: int = 0

    @property
    def name(self) -> str:
        """Size, rank and ε."""
        return f"synthetic SVD n={self.n} r={self.rank} eps={self.epsilon:g}"

    @property
    def box(self) -> BoxLike:
        """[0, 1]."""
        return (0.0, 1.0)

    @property
    def smooth(self) -> bool:
        """Always: H(p) is entire."""
        return True

    def __call__(self, p: Point, /) -> Array:
        """Return H(p), shape (n, n)."""
        A, B = self._factors.factors(p)
        H: Array = A @ B.T
        H.reshape(-1)[:: self.n + 1] += self.epsilon
        return H

    @cached_property
    def _factors(self) -> SyntheticInverse:
        return SyntheticInverse(n=self.n, rank=self.rank, seed=self.seed)


def gaps(family: SyntheticSVD, points: Array) -> float:
    """Return the largest ``σ_(r+1) / σ_r`` over the points."""
    values = [np.linalg.svd(family(float(p)), compute_uv=False) for p in points]
    return max(float(s[family.rank] / s[family.rank - 1]) for s in values)
