"""Families that only measurements need: the smooth affine one, and wrappers that make others fit an operation."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, final

import numpy as np

from neumatc.arrays import Array
from neumatc.gallery import GalleryFamily, LowRankSVD
from neumatc.gallery.base import BoxLike, Point, coordinates

__all__ = ["Columns", "Gram", "SmoothAffine"]

SIZE = 0.15  # spectral norm of the two matrices that vary


@final
@dataclass(frozen=True)
class SmoothAffine:
    """``A(p) = A_0 + cos(3p) A_1 + sin(2p) A_2`` on [0, 1] with ``1 <= σ(A_0) <= 2`` and ``‖A_1‖ = ‖A_2‖ = 0.15``.

    Hence ``0.7 <= σ(A(p)) <= 2.3``, ``cond A(p) <= 3.3`` for every p. The singular values of A_0 are spread evenly.

    Parameters
    ----------
    n : size.
    kind : "general", A_0 with unrelated singular vectors; "sectorial", A_0 symmetric positive definite, so that
        ``A + Aᵀ >= 1.4``; "definite", all three symmetric, A(p) positive definite; "stable", minus a sectorial one.
    seed : of the matrices.

    Examples
    --------
    >>> import numpy as np
    >>> A = SmoothAffine(n=6, kind="stable")
    >>> bool(np.linalg.eigvalsh(A(0.3) + A(0.3).T).max() <= -1.4)
    True
    """

    n: int = 128
    kind: Literal["general", "sectorial", "definite", "stable"] = "general"
    seed: int = 0

    @property
    def name(self) -> str:
        """Kind and size."""
        return f"smooth affine {self.kind} n={self.n}"

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
        at = coordinates(p, 1, self.name)[0]
        A_0, A_1, A_2 = self._matrices
        A: Array = A_0 + np.cos(3 * at) * A_1 + np.sin(2 * at) * A_2
        return A

    @cached_property
    def _matrices(self) -> Array:
        rng = np.random.default_rng([self.seed, 31])
        left, right = (np.linalg.qr(rng.standard_normal((self.n, self.n)))[0] for _ in range(2))
        middle = (left * np.linspace(1, 2, self.n)) @ (right if self.kind == "general" else left).T
        parts = [middle if self.kind == "general" else (middle + middle.T) / 2]
        for _ in range(2):
            part = rng.standard_normal((self.n, self.n))
            if self.kind == "definite":
                part = part + part.T
            parts.append(SIZE * part / np.linalg.norm(part, 2))
        return np.stack(parts) * (-1.0 if self.kind == "stable" else 1.0)


@final
@dataclass(frozen=True)
class Columns:
    """The first ``count`` columns of a family: a tall matrix, no worse conditioned than the whole."""

    base: GalleryFamily
    count: int

    @property
    def name(self) -> str:
        """The base and the number of columns."""
        return f"{self.base.name}, first {self.count} columns"

    @property
    def box(self) -> BoxLike:
        """The box of the base."""
        return self.base.box

    @property
    def smooth(self) -> bool:
        """As the base."""
        return self.base.smooth

    def __call__(self, p: Point, /) -> Array:
        """Return A(p), shape (n1, count)."""
        return np.ascontiguousarray(self.base(p)[:, : self.count])


@final
@dataclass(frozen=True)
class Gram:
    """``A(p) A(p)ᴴ`` of a `LowRankSVD`: Hermitian, eigenvalues σ_k², with the base's vectors and crossings."""

    base: LowRankSVD

    @property
    def name(self) -> str:
        """Size, rank, ratio of eigenvalues and crossing."""
        crossing = "" if self.base.crossing is None else f" {self.base.crossing} crossings"
        return f"Gram matrix n={self.base.n} r={self.base.rank} ratio={self.base.ratio**2:g}{crossing}"

    @property
    def box(self) -> BoxLike:
        """[0, 1]."""
        return self.base.box

    @property
    def smooth(self) -> bool:
        """Always."""
        return True

    def __call__(self, p: Point, /) -> Array:
        """Return ``A(p) A(p)ᴴ``, shape (n, n), Hermitian in every bit."""
        A = self.base(p)
        H = A @ A.conj().T
        symmetric: Array = (H + H.conj().T) / 2
        return symmetric
