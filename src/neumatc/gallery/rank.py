"""A singular value that passes through zero: the rank drops at one p, and the pseudoinverse has a pole there."""

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from neumatc.arrays import Array
from neumatc.errors import InputError
from neumatc.gallery.base import BoxLike, Point, coordinates
from neumatc.gallery.frames import Frame

__all__ = ["RankChange"]

SPREAD = (1.0, 3.0)  # the singular values that stay


@final
@dataclass(frozen=True)
class RankChange:
    """``A(p) = U(p) diag(s_1, …, s_(r-1), p - c) V(p)ᴴ`` on [0, 1]: rank r everywhere except at c, where it is r - 1.

    U (n1, r) and V (n2, r) are smooth orthonormal frames and s_1, …, s_(r-1) are constant, spread over [1, 3]. The
    factors with the signed last value are analytic; sorted nonnegative ones have a kink at c. The pseudoinverse
    ``V diag(1 / s) Uᴴ`` has a simple pole at c, and at c itself the finite value without the last term.

    Parameters
    ----------
    rows, columns : n1 and n2.
    rank : r, from 1 to half the smaller side.
    at : c; inside (0, 1) for a change in the box, anywhere else for a pole beside it.
    complex : whether the frames are complex.
    seed : of the frames.

    Examples
    --------
    >>> import numpy as np
    >>> A = RankChange(rows=10, columns=8, rank=3, at=0.4)
    >>> A.rank_at(0.3), A.rank_at(0.4), A.pole
    (3, 2, 0.4)
    >>> X = A.pinv(0.3)
    >>> X.shape, bool(np.allclose(A(0.3) @ X @ A(0.3), A(0.3)))
    ((8, 10), True)
    """

    rows: int = 24
    columns: int = 16
    rank: int = 6
    at: float = 0.4
    complex: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        if not 1 <= self.rank <= min(self.rows, self.columns) // 2 or not abs(self.at) < np.inf:
            raise InputError(
                f"expected 1 <= rank <= min(rows, columns) / 2 and a finite place, but came rank={self.rank!r}, "
                f"rows={self.rows!r}, columns={self.columns!r}, at={self.at!r}. Every direction turns in a plane of "
                "its own. Choose a smaller rank, or a larger matrix."
            )

    @property
    def name(self) -> str:
        """Kind, size, rank and place."""
        kind = "complex " if self.complex else ""
        return f"{kind}rank change {self.rows}x{self.columns} r={self.rank} at={self.at:g}"

    @property
    def box(self) -> BoxLike:
        """[0, 1]."""
        return (0.0, 1.0)

    @property
    def smooth(self) -> bool:
        """Always: A(p) is analytic."""
        return True

    @property
    def pole(self) -> float:
        """The p at which the rank drops and the pseudoinverse has its pole."""
        return self.at

    def __call__(self, p: Point, /) -> Array:
        """Return A(p), shape (n1, n2)."""
        U, s, V = self.factors(p)
        A: Array = (U * s) @ V.conj().T
        return A

    def factors(self, p: Point) -> tuple[Array, Array, Array]:
        """Return ``U (n1, r), s (r,), V (n2, r)``, analytic in p; the last s is ``p - c`` with its sign."""
        at = float(coordinates(p, 1, self.name)[0])
        left, right = self._frames
        s = np.append(np.linspace(SPREAD[1], SPREAD[0], self.rank - 1), at - self.at)
        return left(at)[:, : self.rank], s, right(at)[:, : self.rank]

    def singular_values(self, p: Point) -> Array:
        """Return all ``min(n1, n2)`` singular values in descending order."""
        s = np.sort(np.abs(self.factors(p)[1]))[::-1]
        return np.concatenate([s, np.zeros(min(self.rows, self.columns) - self.rank)])

    def rank_at(self, p: Point) -> int:
        """Return the rank of A(p), r or r - 1."""
        return int(np.count_nonzero(self.factors(p)[1]))

    def pinv(self, p: Point) -> Array:
        """Return the Moore-Penrose pseudoinverse, shape (n2, n1)."""
        U, s, V = self.factors(p)
        kept = s != 0
        inverse: Array = (V[:, kept] / s[kept]) @ U[:, kept].conj().T
        return inverse

    @cached_property
    def _frames(self) -> tuple[Frame, Frame]:
        rng = np.random.default_rng(self.seed)
        left = Frame.draw(self.rows, self.rank, rng, self.complex)
        return left, Frame.draw(self.columns, self.rank, rng, self.complex)
