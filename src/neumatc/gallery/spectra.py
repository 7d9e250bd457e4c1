"""Families whose singular values, gap and best rank-r approximation are known at every p, crossings included."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, final

import numpy as np

from neumatc.arrays import Array
from neumatc.errors import InputError, unknown
from neumatc.gallery.base import BoxLike, Point, coordinates
from neumatc.gallery.frames import Frame

__all__ = ["LowRankSVD"]

RANGE = 10.0  # mean s_1 / s_r
WOBBLE = 0.2  # of log s_k, in units of the mean logarithmic gap; below 0.5 the values keep their order
TAIL_DECAY, FLOOR_DECAY = 0.9, 0.99
CROSSINGS = ("avoided", "exact")


@final
@dataclass(frozen=True)
class LowRankSVD:
    """``A(p) = U(p) [M(p), 0; 0, T(p)] V(p)ᴴ`` on [0, 1] with smooth orthonormal U, V and known singular values.

    The leading part M (r, r) carries the r largest singular values. Without crossings it is ``diag(s_1, …, s_r)``,
    ``log s_k(p)`` wobbling about values spread evenly over a factor 10, never out of order. With crossings every
    fourth pair of neighbours (k, k + 1) becomes the positive definite block::

        [m + δ(p)   c h   ]     m = (s_k + s_(k+1)) / 2,    h = (s_k - s_(k+1)) / 2,
        [c h       m - δ(p)]     δ(p) = h sin(π (p0 - p)),   p0 in [0.3, 0.7],

    of singular values ``m ± sqrt(δ² + c² h²)``. They cross at p0 when ``c = 0`` ("exact"), and come as close as
    ``2 c h`` when not ("avoided"): there their vectors turn by a right angle within a window of width about c / π.

    The tail T is diagonal. It begins with ``s_(r+j) = ratio · s_r · 0.9^(j-1)``, so that ``s_(r+1) / s_r`` is the given
    ratio at every p, and goes over into a constant floor that decays by 0.99 from one value to the next. A(p) itself
    and its rank-r subspaces are analytic in every case.

    Parameters
    ----------
    n : size of A(p).
    rank : r, the number of leading singular values.
    ratio : ``s_(r+1) / s_r``, in [0, 1); 0 makes the rank exactly r.
    crossing : None, "avoided" or "exact"; the latter two need rank >= 3, as the r-th value never takes part.
    coupling : c, used by "avoided" only.
    tail : number of values above the floor; fewer when n < 2 (rank + tail).
    seed : of everything random.
    complex : whether U and V are complex.

    Examples
    --------
    >>> import numpy as np
    >>> A = LowRankSVD(n=40, rank=4, ratio=0.1, tail=6)
    >>> s = A.singular_values(0.3)
    >>> s.shape, round(float(s[4] / s[3]), 12)
    ((40,), 0.1)
    >>> bool(np.allclose(s, np.linalg.svd(A(0.3), compute_uv=False)))
    True
    >>> U, s, V = A.factors(0.3)
    >>> bool(np.allclose(A.best_rank(0.3), U @ np.diag(s) @ V.T))
    True
    """

    n: int = 512
    rank: int = 20
    ratio: float = 0.1
    crossing: Literal["avoided", "exact"] | None = None
    coupling: float = 0.01
    tail: int = 40
    seed: int = 0
    complex: bool = False

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        if self.crossing is not None and self.crossing not in CROSSINGS:
            raise unknown("crossing", self.crossing, CROSSINGS)
        least = 1 if self.crossing is None else 3
        if not least <= self.rank <= self.n // 2 or self.tail < 0:
            raise InputError(
                f"expected {least} <= rank <= n / 2 and tail >= 0, but came rank={self.rank!r}, n={self.n!r}, "
                f"tail={self.tail!r}. Every direction turns in a plane of its own, and a crossing needs two values "
                "above the last. Choose a smaller rank or a larger n."
            )
        if not 0 <= self.ratio < 1 or self.coupling < 0:
            raise InputError(
                f"expected 0 <= ratio < 1 and coupling >= 0, but came ratio={self.ratio!r} and "
                f"coupling={self.coupling!r}. From ratio 1 on the rank-r subspaces are not defined. "
                "Choose for example ratio=0.1, coupling=0.01."
            )

    @property
    def name(self) -> str:
        """Kind, size, rank, ratio and crossing."""
        kind = "complex " if self.complex else ""
        crossing = "" if self.crossing is None else f" {self.crossing} crossings"
        return f"{kind}low rank n={self.n} r={self.rank} ratio={self.ratio:g}{crossing}"

    @property
    def box(self) -> BoxLike:
        """[0, 1]."""
        return (0.0, 1.0)

    @property
    def smooth(self) -> bool:
        """Always: A(p) is analytic, also where its singular vectors are not."""
        return True

    def __call__(self, p: Point, /) -> Array:
        """Return A(p), shape (n, n)."""
        at = coordinates(p, 1, self.name)[0]
        s, turn = self._values(at)
        left, right = self._frames
        U, V = (self._paired(frame.turn(at), turn) for frame in (left, right))
        moving = left.outer @ ((U * s[: U.shape[1]]) @ V.conj().T)
        A: Array = moving @ right.outer.conj().T
        A += self._constant
        return A

    def singular_values(self, p: Point) -> Array:
        """Return all singular values in descending order, shape (n,)."""
        return self._values(coordinates(p, 1, self.name)[0])[0]

    def factors(self, p: Point) -> tuple[Array, Array, Array]:
        """Return the leading ``U (n, r), s (r,), V (n, r)`` with ``A_r = U diag(s) Vᴴ``, s descending."""
        at, r = coordinates(p, 1, self.name)[0], self.rank
        s, turn = self._values(at)
        U, V = (self._paired(frame(at), turn)[:, :r] for frame in self._frames)
        return U, s[:r], V

    def best_rank(self, p: Point) -> Array:
        """Return A_r(p), the best approximation of rank r, shape (n, n)."""
        U, s, V = self.factors(p)
        best: Array = (U * s) @ V.conj().T
        return best

    def gap(self, p: Point) -> float:
        """Return ``min_k (s_k - s_(k+1)) / s_1`` over the leading values: how close a crossing is."""
        s = self.singular_values(p)[: self.rank]
        return float(np.min(s[:-1] - s[1:], initial=s[0]) / s[0])

    def _values(self, p: float) -> tuple[Array, Array]:
        """Return the singular values (n,) in descending order, and the angles of the pairs."""
        angular, phase, meeting = self._wobbles
        s = np.exp(-self._step * (np.arange(self.rank) - WOBBLE * np.sin(angular * p + phase)))
        k = self._pairs
        mean, half = (s[k] + s[k + 1]) / 2, (s[k] - s[k + 1]) / 2
        delta = half * np.sin(np.pi * (meeting - p))
        coupling = half * (self.coupling if self.crossing == "avoided" else 0.0)
        # arctan2 gives π/2 for δ < 0 = c: an exact crossing exchanges its vectors, as a sorted answer must.
        turn = np.arctan2(coupling, delta) / 2
        split = np.hypot(coupling, delta)
        tail = self.ratio * s[-1] * TAIL_DECAY ** np.arange(self._planes - self.rank)
        s[k], s[k + 1] = mean + split, mean - split
        return np.concatenate([s, tail, self._floor]), turn

    def _paired(self, U: Array, turn: Array) -> Array:
        """Turn the columns of every pair by its angle, in place: the eigenvectors of the 2 x 2 blocks."""
        k = self._pairs
        first, second = U[:, k], U[:, k + 1]
        U[:, k] = np.cos(turn) * first + np.sin(turn) * second
        U[:, k + 1] = np.cos(turn) * second - np.sin(turn) * first
        return U

    @property
    def _step(self) -> float:
        """Mean of ``log s_k - log s_(k+1)``."""
        return float(np.log(RANGE)) / max(self.rank - 1, 1)

    @property
    def _pairs(self) -> Array:
        """First index of every crossing pair."""
        return np.arange(0, 0 if self.crossing is None else self.rank - 2, 4)

    @property
    def _planes(self) -> int:
        """Number m of turning planes, and of singular values above the floor."""
        return min(self.rank + self.tail, self.n // 2)

    @cached_property
    def _floor(self) -> Array:
        """The n - m smallest singular values, below the tail at every p."""
        smallest = np.exp(-self._step * (self.rank - 1 + WOBBLE))
        top = self.ratio * smallest * TAIL_DECAY ** (self._planes - self.rank)
        # Not zero: divide-and-conquer SVDs of some LAPACK builds do not converge on large exactly singular matrices.
        floor: Array = top * FLOOR_DECAY ** np.arange(self.n - self._planes)
        return floor

    @cached_property
    def _wobbles(self) -> tuple[Array, Array, Array]:
        """Frequencies and phases of the leading values, and the points where pairs meet."""
        rng = np.random.default_rng([self.seed, 1])
        angular = 2 * np.pi * rng.uniform(0.5, 1.5, self.rank)
        phase = rng.uniform(0, 2 * np.pi, self.rank)
        return angular, phase, rng.uniform(0.3, 0.7, self._pairs.size)

    @cached_property
    def _frames(self) -> tuple[Frame, Frame]:
        """U and V."""
        rng = np.random.default_rng([self.seed, 0])
        left = Frame.draw(self.n, self._planes, rng, self.complex)
        return left, Frame.draw(self.n, self._planes, rng, self.complex)

    @cached_property
    def _constant(self) -> Array:
        """The part of A(p) outside the moving frames."""
        left, right = (frame.rest for frame in self._frames)
        constant: Array = (left * self._floor[self._planes :]) @ right.conj().T
        return constant
