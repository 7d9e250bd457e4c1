"""Affine families: those of breadth with their terms laid open, and one whose values keep apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
import torch

import neumatc as nmc
from benchmarks.breadth.families import SmoothAffine
from neumatc.arrays import Array
from neumatc.gallery.base import BoxLike, Point, coordinates

__all__ = ["Counted", "Separated", "Stretched", "Update", "affine", "coefficients_on"]

SHARE = 0.05
"""Entries of the matrices that vary, in units of the gap: the vectors at p = 0 and p = 1 differ by a fifth."""


@final
@dataclass(frozen=True)
class Separated:
    """``A(p) = A_0 + cos(3p) A_1 + sin(2p) A_2`` on [0, 1], singular values or eigenvalues apart for every p.

    Those of A_0 are spread evenly over [1, 2]; the entries of A_1 and A_2 are normal with a standard deviation of a
    twentieth of the gap. No values meet, so that all n vectors are analytic functions of p.

    Parameters
    ----------
    n : size.
    symmetric : whether all three matrices are.
    seed : of the matrices.
    """

    n: int = 128
    symmetric: bool = False
    seed: int = 0

    @property
    def name(self) -> str:
        """Symmetry and size."""
        return f"separated affine {'symmetric' if self.symmetric else 'general'} n={self.n}"

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
        A: Array = np.tensordot(coefficients(coordinates(p, 1, self.name)[0]), self.terms, 1)
        return A

    @cached_property
    def terms(self) -> Array:
        """The three matrices, (3, n, n)."""
        rng = np.random.default_rng([self.seed, 53])
        left, right = (np.linalg.qr(rng.standard_normal((self.n, self.n)))[0] for _ in range(2))
        parts = [(left * np.linspace(1, 2, self.n)) @ (left if self.symmetric else right).T]
        parts += [SHARE / self.n * rng.standard_normal((self.n, self.n)) for _ in range(2)]
        if self.symmetric:
            parts = [(part + part.T) / (2 if i == 0 else 2**0.5) for i, part in enumerate(parts)]
        return np.stack(parts)


@final
@dataclass(frozen=True)
class Stretched:
    """An affine family on the longer box [0, length]: its results have more to say, so that more slices are needed."""

    base: Separated | SmoothAffine
    length: float

    @property
    def n(self) -> int:
        """Size."""
        return self.base.n

    @property
    def name(self) -> str:
        """The base and the end of the box."""
        return f"{self.base.name}, p up to {self.length:g}"

    @property
    def box(self) -> BoxLike:
        """[0, length]."""
        return (0.0, self.length)

    @property
    def smooth(self) -> bool:
        """As the base."""
        return self.base.smooth

    def __call__(self, p: Point, /) -> Array:
        """Return A(p), shape (n, n)."""
        return self.base(p)


@final
@dataclass(frozen=True)
class Update:
    """``A(p) = I + cos(3p) X_1 Y_1ᵀ + sin(2p) X_2 Y_2ᵀ`` on [0, 1]: affine, and cheap to make and to invert at any n.

    The factors are (n, rank) with normal entries, scaled such that both terms have a norm near 0.15.

    Parameters
    ----------
    n : size.
    rank : of each term, at most n / 4.
    seed : of the factors.

    Examples
    --------
    >>> import numpy as np
    >>> A = Update(n=32, rank=3)
    >>> bool(np.allclose(A(0.4) @ A.inverse(0.4), np.eye(32)))
    True
    """

    n: int = 128
    rank: int = 8
    seed: int = 0

    @property
    def name(self) -> str:
        """Size and rank."""
        return f"low-rank affine update n={self.n} r={self.rank}"

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
        X, Y = self.factors(p)
        A: Array = X @ Y.T
        A.reshape(-1)[:: self.n + 1] += 1
        return A

    def factors(self, p: Point) -> tuple[Array, Array]:
        """Return X and Y with ``A = I + X Yᵀ``."""
        _, first, second = coefficients(coordinates(p, 1, self.name)[0])
        X, Y = self._sides
        return X * np.repeat([first, second], self.rank), Y

    def inverse(self, p: Point) -> Array:
        """Return the inverse by the Woodbury identity."""
        X, Y = self.factors(p)
        inverse: Array = -X @ np.linalg.solve(np.eye(2 * self.rank) + Y.T @ X, Y.T)
        inverse.reshape(-1)[:: self.n + 1] += 1
        return inverse

    @cached_property
    def terms(self) -> Array:
        """The three matrices, (3, n, n)."""
        X, Y = self._sides
        low = [X[:, half] @ Y[:, half].T for half in (slice(self.rank), slice(self.rank, None))]
        return np.stack([np.eye(self.n), *low])

    @cached_property
    def _sides(self) -> Array:
        rng = np.random.default_rng([self.seed, 59])
        sides: Array = (0.15 / self.n) ** 0.5 * rng.standard_normal((2, self.n, 2 * self.rank))
        return sides


def coefficients(p: float) -> list[float]:
    """Return θ(p) of `Separated` and of `SmoothAffine`."""
    return [1.0, float(np.cos(3 * p)), float(np.sin(2 * p))]


def coefficients_on(p: torch.Tensor) -> torch.Tensor:
    """Return the same for tensors p (B, 1), as (B, 3)."""
    return torch.cat([torch.ones_like(p), torch.cos(3 * p), torch.sin(2 * p)], dim=1)


def affine(family: Separated | SmoothAffine | Stretched | Update) -> nmc.Affine:
    """Return the family with its terms laid open."""
    if isinstance(family, Stretched):
        return affine(family.base)
    return nmc.Affine(family._matrices if isinstance(family, SmoothAffine) else family.terms, coefficients)


@dataclass(frozen=True)
class Counted:
    """A family that remembers where it was asked.

    Parameters
    ----------
    family : A(p).
    asked : every p, in order.
    """

    family: Any
    asked: list[float]

    def __call__(self, p: float) -> Array:
        """Return A(p)."""
        self.asked.append(float(p))
        A: Array = self.family(p)
        return A

    def repeated(self, free: Sequence[float] = ()) -> int:
        """Return how often the most frequent p was asked for, of those that are not free."""
        points, counts = np.unique([p for p in self.asked if p not in free], return_counts=True)
        return int(counts.max()) if len(points) else 0
