"""Two levels that come close, and levels that cross: Hermitian families whose eigenpairs are known at every p."""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias, final

import numpy as np

from neumatc.arrays import Array
from neumatc.errors import InputError
from neumatc.gallery.base import BoxLike, Point, coordinates
from neumatc.gallery.embedding import Embedding, check_size
from neumatc.gallery.frames import unitary
from neumatc.gallery.hermitian import conjugated, hermitian, ordered
from neumatc.gallery.rotation import Rotation

__all__ = ["AvoidedCrossing", "ExactCrossing"]

Complex: TypeAlias = complex  # inside the classes that name is a dial

REMOTE = (2.0, 3.0)  # moduli of the levels that take no part


@final
@dataclass(frozen=True)
class AvoidedCrossing:
    """A Landau-Zener pair on [0, 1]: ``A(p) = V diag(M(p), D) Vᴴ`` with a gap that is smallest, δ, at a known place.

    The block and its eigenvalues are::

        M(p) = [x    δ/2]      x = p - c,      ± sqrt(x² + (δ/2)²)
               [δ/2   -x]

    The two eigenvectors exchange their characters within a window of width about δ; eigenvalues and projectors have
    branch points at ``p = c ± iδ/2`` (Zener, https://doi.org/10.1098/rspa.1932.0165). D is constant, moduli 2 to 3.

    Parameters
    ----------
    n : size of A(p), at least 2.
    gap : δ, above 0 (`ExactCrossing` has none) and at most 1.
    centre : c, inside (0, 1).
    complex : whether V is complex.
    seed : of V.

    Examples
    --------
    >>> import numpy as np
    >>> A = AvoidedCrossing(n=8, gap=1e-3, centre=0.4)
    >>> bool(np.allclose(A.eigenvalues(0.7), np.linalg.eigvalsh(A(0.7))))
    True
    >>> float(A.gap_at(0.4)), A.branch_point
    (0.001, (0.4+0.0005j))
    """

    n: int = 24
    gap: float = 0.05
    centre: float = 0.5
    complex: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        check_size(self.n, 2)
        if not 0 < self.gap <= 1 or not 0 < self.centre < 1:
            raise InputError(
                f"expected 0 < gap <= 1 and a centre inside (0, 1), but came gap={self.gap!r}, "
                f"centre={self.centre!r}. Without a gap the levels cross, and elsewhere nothing is avoided. "
                "Choose for example gap=0.01, centre=0.5, or ExactCrossing."
            )

    @property
    def name(self) -> str:
        """Kind, size and gap."""
        kind = "complex " if self.complex else ""
        return f"{kind}avoided crossing n={self.n} gap={self.gap:g}"

    @property
    def box(self) -> BoxLike:
        """[0, 1]."""
        return (0.0, 1.0)

    @property
    def smooth(self) -> bool:
        """Always: A(p) is affine in p."""
        return True

    @property
    def branch_point(self) -> Complex:
        """The complex p nearest to the box at which the two levels meet: ``c + iδ/2``."""
        return self.centre + 0.5j * self.gap

    @property
    def lower(self) -> int:
        """Index of the lower of the two levels among the ascending eigenvalues; the upper one is next to it."""
        return self._embedding.below

    def __call__(self, p: Point, /) -> Array:
        """Return A(p), shape (n, n), Hermitian."""
        x = coordinates(p, 1, self.name)[0] - self.centre
        return hermitian(self._embedding(np.array([[x, self.gap / 2], [self.gap / 2, -x]])))

    def eigenvalues(self, p: Point) -> Array:
        """Return all eigenvalues in ascending order, shape (n,)."""
        return self._pairs(p)[0]

    def eigenvectors(self, p: Point) -> Array:
        """Return the eigenvectors as columns in the order of `eigenvalues`, shape (n, n), continuous in p."""
        return self._pairs(p)[1]

    def projector(self, p: Point, count: int) -> Array:
        """Return the orthogonal projector onto the ``count`` lowest eigenvectors, shape (n, n)."""
        lowest = self._pairs(p)[1][:, :count]
        return hermitian(lowest @ lowest.conj().T)

    def gap_at(self, p: Point) -> float:
        """Return the distance of the two levels at p."""
        return 2 * float(np.hypot(coordinates(p, 1, self.name)[0] - self.centre, self.gap / 2))

    def _pairs(self, p: Point) -> tuple[Array, Array]:
        x, coupling = coordinates(p, 1, self.name)[0] - self.centre, self.gap / 2
        half, level = np.arctan2(coupling, x) / 2, np.hypot(x, coupling)
        cosine, sine = np.cos(half), np.sin(half)
        pair = self._embedding.vectors(np.array([[-sine, cosine], [cosine, sine]]))
        return ordered(self._embedding.values(np.array([-level, level])), pair)

    @cached_property
    def _embedding(self) -> Embedding:
        return Embedding.draw(self.n, 2, REMOTE, np.random.default_rng(self.seed), self.complex)


@final
@dataclass(frozen=True)
class ExactCrossing:
    """Two blocks that never couple: ``A(p) = V diag(B_1(p), B_2(p)) Vᴴ`` on [0, 1] with crossings at known places.

    Each block ``B_i = Q_i(p) diag(±f(p) / 2, d_i) Q_i(p)ᴴ`` turns with p and carries one moving level, the first the
    level ``+f/2`` and the second ``-f/2``, with ``f(p) = Π_j sin(π (p - c_j))``: the two cross at the c_j and nowhere
    else, protected by a symmetry (the blocks) which the unitary V hides. Levels and eigenvectors are analytic when
    followed through a crossing, and have a kink or jump there when sorted.

    Parameters
    ----------
    n : size of A(p), at least 4.
    at : the places c_j of the crossings, distinct, inside (0, 1).
    turn : angle in radians by which the blocks turn between p = 0 and p = 1.
    complex : whether V and Q are complex.
    seed : of everything random.

    Examples
    --------
    >>> import numpy as np
    >>> A = ExactCrossing(n=8, at=(0.25, 0.6))
    >>> values = np.linalg.eigvalsh(A(0.6))
    >>> bool(np.diff(values).min() < 1e-14), A.crossings
    (True, (0.25, 0.6))
    >>> branches, vectors = A.branches(0.3)
    >>> bool(np.allclose(A(0.3) @ vectors, vectors * branches))
    True
    """

    n: int = 24
    at: tuple[float, ...] = (0.3, 0.7)
    turn: float = 1.0
    complex: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        check_size(self.n, 4)
        inside = all(0 < c < 1 for c in self.at)
        if not self.at or not inside or len(set(self.at)) < len(self.at) or not np.isfinite(self.turn):
            raise InputError(
                f"expected distinct crossings inside (0, 1) and a finite turn, but came at={self.at!r}, "
                f"turn={self.turn!r}. Two crossings in one place are none, and one outside the box is never seen. "
                "Choose for example at=(0.3, 0.7), turn=1.0."
            )

    @property
    def name(self) -> str:
        """Kind, size and number of crossings."""
        kind = "complex " if self.complex else ""
        return f"{kind}exact crossing n={self.n} crossings={len(self.at)}"

    @property
    def box(self) -> BoxLike:
        """[0, 1]."""
        return (0.0, 1.0)

    @property
    def smooth(self) -> bool:
        """Always: A(p) is entire."""
        return True

    @property
    def crossings(self) -> tuple[float, ...]:
        """Where the two middle levels meet, ascending."""
        return tuple(sorted(self.at))

    def __call__(self, p: Point, /) -> Array:
        """Return A(p), shape (n, n), Hermitian."""
        values, vectors = self.branches(p)
        return conjugated(vectors, values)

    def branches(self, p: Point) -> tuple[Array, Array]:
        """Return levels (n,) and eigenvectors (n, n) that are analytic in p; the crossing ones are 0 and n // 2."""
        at = coordinates(p, 1, self.name)[0]
        split = np.prod(np.sin(np.pi * (at - np.array(self.at)))) / 2
        basis, first, second = self._frames
        m = self.n // 2
        values = np.concatenate([[split], self._remote[: m - 1], [-split], self._remote[m - 1 :]])
        return values, np.hstack([basis[:, :m] @ first(at), basis[:, m:] @ second(at)])

    def eigenvalues(self, p: Point) -> Array:
        """Return all eigenvalues in ascending order, shape (n,)."""
        return np.sort(self.branches(p)[0])

    def eigenvectors(self, p: Point) -> Array:
        """Return the eigenvectors as columns in the order of `eigenvalues`, shape (n, n)."""
        return ordered(*self.branches(p))[1]

    def projector(self, p: Point, count: int) -> Array:
        """Return the orthogonal projector onto the ``count`` lowest eigenvectors, shape (n, n)."""
        lowest = self.eigenvectors(p)[:, :count]
        return hermitian(lowest @ lowest.conj().T)

    @cached_property
    def _remote(self) -> Array:
        """The levels that do not move (n - 2,), alternating in sign so that both blocks have some of either."""
        remote: Array = np.linspace(*REMOTE, self.n - 2) * np.resize([1.0, -1.0], self.n - 2)
        return remote

    @cached_property
    def _frames(self) -> tuple[Array, Rotation, Rotation]:
        """V, Q_1 and Q_2."""
        rng, m = np.random.default_rng(self.seed), self.n // 2
        basis = unitary(self.n, rng, self.complex)
        first = Rotation.draw(m, self.turn, rng, self.complex)
        return basis, first, Rotation.draw(self.n - m, self.turn, rng, self.complex)
