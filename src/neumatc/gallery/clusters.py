"""Eigenvalues in clusters: vectors that no algorithm can tell apart, subspaces that everyone can."""

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from neumatc.arrays import Array
from neumatc.errors import InputError
from neumatc.gallery.base import BoxLike, Point, coordinates
from neumatc.gallery.hermitian import conjugated, hermitian
from neumatc.gallery.rotation import Rotation

__all__ = ["Clusters", "Wilkinson"]

WOBBLE = 0.2  # of the cluster centres, whose mean distance is one
WIDEST = 0.4  # of a cluster, so that clusters stay apart by 1 - 2 · 0.2 - 0.4


@final
@dataclass(frozen=True)
class Clusters:
    """``A(p) = Q(p) Λ(p) Q(p)ᴴ`` on [0, 1], positive definite, with eigenvalues in clusters of a chosen width.

    Cluster j has ``size`` values ``m_j(p) + k gap``, ``m_j(p) = 1 + j + 0.2 sin(2πp + φ_j)``. Different clusters stay
    0.2 apart, so the projector onto a cluster is smooth and well conditioned for every gap, down to gap 0, where the
    vectors within a cluster are not defined. Eigenvalues are singular values too: the family also serves the SVD.

    Parameters
    ----------
    n : size of A(p); the last cluster has fewer values when ``size`` does not divide n.
    size : number of values in a cluster.
    gap : distance of neighbouring values in a cluster, from 0 to ``0.4 / (size - 1)``.
    turn : angle in radians by which Q turns between p = 0 and p = 1.
    complex : whether Q is complex.
    seed : of Q and the phases.

    Examples
    --------
    >>> import numpy as np
    >>> A = Clusters(n=8, size=3, gap=1e-9)
    >>> A.groups
    (slice(0, 3, None), slice(3, 6, None), slice(6, 8, None))
    >>> w = np.linalg.eigvalsh(A(0.3))
    >>> bool(np.allclose(w, A.eigenvalues(0.3), rtol=0, atol=1e-13)), round(float((w[2] - w[1]) * 1e9), 2)
    (True, 1.0)
    """

    n: int = 24
    size: int = 3
    gap: float = 1e-6
    turn: float = 1.0
    complex: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        if not 1 <= self.size <= self.n or not 0 <= self.gap * max(self.size - 1, 1) <= WIDEST:
            raise InputError(
                f"expected 1 <= size <= n and 0 <= gap (size - 1) <= {WIDEST:g}, but came size={self.size!r}, "
                f"n={self.n!r}, gap={self.gap!r}. Wider clusters would run into each other. "
                "Choose for example size=3, gap=1e-6."
            )

    @property
    def name(self) -> str:
        """Kind, size, cluster size and gap."""
        kind = "complex " if self.complex else ""
        return f"{kind}clusters of {self.size} n={self.n} gap={self.gap:g}"

    @property
    def box(self) -> BoxLike:
        """[0, 1]."""
        return (0.0, 1.0)

    @property
    def smooth(self) -> bool:
        """Always: A(p) is entire."""
        return True

    @property
    def groups(self) -> tuple[slice, ...]:
        """The positions of every cluster among the ascending eigenvalues."""
        return tuple(slice(k, min(k + self.size, self.n)) for k in range(0, self.n, self.size))

    def __call__(self, p: Point, /) -> Array:
        """Return A(p), shape (n, n), Hermitian."""
        return conjugated(self.eigenvectors(p), self.eigenvalues(p))

    def eigenvalues(self, p: Point) -> Array:
        """Return all eigenvalues in ascending order, shape (n,)."""
        at = coordinates(p, 1, self.name)[0]
        centre = 1 + np.arange(self._phase.size) + WOBBLE * np.sin(2 * np.pi * at + self._phase)
        values: Array = (centre[:, None] + self.gap * np.arange(self.size)).reshape(-1)[: self.n]
        return values

    def singular_values(self, p: Point) -> Array:
        """Return all singular values in descending order, shape (n,)."""
        return self.eigenvalues(p)[::-1].copy()

    def eigenvectors(self, p: Point) -> Array:
        """Return the eigenvectors Q(p) as columns in the order of `eigenvalues`, shape (n, n), analytic in p."""
        return self._rotation(float(coordinates(p, 1, self.name)[0]))

    def projector(self, p: Point, group: int) -> Array:
        """Return the orthogonal projector onto one cluster, shape (n, n); clusters are counted from below."""
        Q = self.eigenvectors(p)[:, self.groups[group]]
        return hermitian(Q @ Q.conj().T)

    @cached_property
    def _rotation(self) -> Rotation:
        return Rotation.draw(self.n, self.turn, np.random.default_rng([self.seed, 0]), self.complex)

    @cached_property
    def _phase(self) -> Array:
        rng = np.random.default_rng([self.seed, 1])
        return rng.uniform(0, 2 * np.pi, -(-self.n // self.size))


@final
@dataclass(frozen=True)
class Wilkinson:
    """Wilkinson's matrix ``W+`` turned by a rotation: ``A(p) = Q(p) W Q(p)ᵀ`` on [0, 1], ``n = 2 half + 1``.

    W is tridiagonal with diagonal ``half, …, 1, 0, 1, …, half`` and ones beside it. Its large eigenvalues come in pairs
    that agree to more and more digits (to 14 for ``half = 10``) though no off-diagonal entry is small. Mirror symmetry
    splits W into an odd part (half, half) and an even part (half + 1, half + 1) whose values are well apart: they are
    computed one by one and give the true pairs (Wilkinson, The Algebraic Eigenvalue Problem, 1965, §5.45).

    Parameters
    ----------
    half : at least 1.
    turn : angle in radians by which Q turns between p = 0 and p = 1.
    seed : of Q.

    Examples
    --------
    >>> import numpy as np
    >>> A = Wilkinson(half=10)
    >>> w = A.eigenvalues(0.4)
    >>> w.shape, bool(0 <= w[-1] - w[-2] < 1e-13)
    ((21,), True)
    >>> bool(np.allclose(w, np.linalg.eigvalsh(A(0.4)), rtol=0, atol=1e-13))
    True
    """

    half: int = 10
    turn: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        if self.half < 1:
            raise InputError(
                f"expected half >= 1, but came half={self.half!r}. The matrix has 2 half + 1 rows, and one row has "
                "no pair. Choose for example half=10."
            )

    @property
    def name(self) -> str:
        """Kind and size."""
        return f"wilkinson n={2 * self.half + 1}"

    @property
    def box(self) -> BoxLike:
        """[0, 1]."""
        return (0.0, 1.0)

    @property
    def smooth(self) -> bool:
        """Always: A(p) is entire."""
        return True

    def __call__(self, p: Point, /) -> Array:
        """Return A(p), shape (n, n), symmetric."""
        Q = self._rotation(float(coordinates(p, 1, self.name)[0]))
        m = self.half
        return hermitian(Q @ tridiagonal(np.abs(np.arange(-m, m + 1.0)), np.ones(2 * m)) @ Q.T)

    def eigenvalues(self, p: Point) -> Array:
        """Return all eigenvalues in ascending order, shape (n,), the same for every p."""
        coordinates(p, 1, self.name)
        return self._pairs[0].copy()

    def eigenvectors(self, p: Point) -> Array:
        """Return the eigenvectors as columns in the order of `eigenvalues`, shape (n, n), analytic in p."""
        vectors: Array = self._rotation(float(coordinates(p, 1, self.name)[0])) @ self._pairs[1]
        return vectors

    @cached_property
    def _pairs(self) -> tuple[Array, Array]:
        """Eigenpairs of W from its odd and its even part."""
        m = self.half
        odd, left = np.linalg.eigh(tridiagonal(np.arange(m, 0.0, -1), np.ones(m - 1)))
        # The centre couples to the normalised sum of its two neighbours, hence the square root.
        even, right = np.linalg.eigh(tridiagonal(np.arange(m, -1.0, -1), np.append(np.ones(m - 1), np.sqrt(2))))
        side = right[:m] / np.sqrt(2)
        odds = np.concatenate([left, np.zeros((1, m)), -left[::-1]]) / np.sqrt(2)
        vectors = np.hstack([odds, np.concatenate([side, right[m:], side[::-1]])])
        values = np.concatenate([odd, even])
        order = np.argsort(values)
        return values[order], vectors[:, order]

    @cached_property
    def _rotation(self) -> Rotation:
        return Rotation.draw(2 * self.half + 1, self.turn, np.random.default_rng(self.seed))


def tridiagonal(diagonal: Array, beside: Array) -> Array:
    """Return the symmetric tridiagonal matrix (n, n) of a diagonal (n,) and its neighbours (n - 1,)."""
    T: Array = np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)
    return T
