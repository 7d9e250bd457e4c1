"""Corners in which a surrogate must be caught: a spike no sampler sees, and a jump.

Both wrap a family and add ``h b(p) u vᴴ`` with random unit vectors u and v. They are for tests of certificates and
warnings, and are in no table of the gallery.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from neumatc.arrays import Array
from neumatc.errors import InputError
from neumatc.gallery.base import BoxLike, GalleryFamily, Point, coordinates, sides

__all__ = ["Jump", "Spike", "check_ball", "squared_distance"]


@final
@dataclass(frozen=True)
class Spike:
    """``base(p) + h exp(1 - 1 / (1 - t²)) u vᴴ`` where ``t² = Σ_i (2 (p_i - c_i) / (w L_i))² < 1``, else ``base(p)``.

    L_i are the sides of the box. The bump is C^∞ with compact support: outside it the base is returned, bit for bit.
    A fit of the base is then right at all but a share ``w`` of the points (one parameter), and wrong there.

    Parameters
    ----------
    base : the family to spoil.
    centre : c, a float for one parameter and D of them for several.
    width : w, the full width of the support as a share of the box.
    height : h, the spectral norm of the bump at its centre.
    hermitian : whether ``v = u``, which keeps a Hermitian base Hermitian.
    seed : of u and v.

    Examples
    --------
    >>> import numpy as np
    >>> from neumatc.gallery import AffineInverse
    >>> base = AffineInverse(n=6)
    >>> A = Spike(base, centre=0.4, width=1e-3)
    >>> bool(np.array_equal(A(0.41), base(0.41)))
    True
    >>> round(float(np.linalg.norm(A(0.4) - base(0.4))), 12)
    1.0
    """

    base: GalleryFamily
    centre: float | tuple[float, ...]
    width: float = 1e-3
    height: float = 1.0
    hermitian: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        check_ball("spike", self.centre, self.width, self.base.box)

    @property
    def name(self) -> str:
        """The base and the width."""
        return f"{self.base.name} with a spike of width {self.width:g}"

    @property
    def box(self) -> BoxLike:
        """The box of the base."""
        return self.base.box

    @property
    def smooth(self) -> bool:
        """Never: infinitely differentiable, but not at a scale that samples resolve."""
        return False

    def __call__(self, p: Point, /) -> Array:
        """Return A(p), shape (n1, n2)."""
        return self.base(p) + self.bump(p) * self._direction if self.bump(p) > 0 else self.base(p)

    def bump(self, p: Point) -> float:
        """Return ``exp(1 - 1 / (1 - t²))``, exactly zero outside the support."""
        at = coordinates(p, len(sides(self.box)), self.name)
        square = squared_distance(at, self.centre, self.width, self.box)
        return float(np.exp(1 - 1 / (1 - square))) if square < 1 else 0.0

    @cached_property
    def _direction(self) -> Array:
        return self.height * rank_one(self.base(_point(self.centre)), self.hermitian, self.seed)


@final
@dataclass(frozen=True)
class Jump:
    """``base(p)`` below ``p_1 = at``, and ``base(p) + h u vᴴ`` from there on.

    Parameters
    ----------
    base : the family to spoil.
    at : where the first parameter jumps, inside the box.
    height : h, the spectral norm of the jump.
    hermitian : whether ``v = u``, which keeps a Hermitian base Hermitian.
    seed : of u and v.

    Examples
    --------
    >>> import numpy as np
    >>> from neumatc.gallery import AffineInverse
    >>> A = Jump(AffineInverse(n=6), at=0.4)
    >>> before, after = A(np.nextafter(0.4, 0)), A(0.4)
    >>> round(float(np.linalg.norm(after - before)), 12)
    1.0
    """

    base: GalleryFamily
    at: float
    height: float = 1.0
    hermitian: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        lo, hi = sides(self.base.box)[0]
        if not lo < self.at <= hi:
            raise InputError(
                f"expected a jump inside the box ({lo:g}, {hi:g}], but came at={self.at!r}. "
                "A jump elsewhere would not be seen, or be everywhere. Choose a place inside."
            )

    @property
    def name(self) -> str:
        """The base and the place."""
        return f"{self.base.name} with a jump at {self.at:g}"

    @property
    def box(self) -> BoxLike:
        """The box of the base."""
        return self.base.box

    @property
    def smooth(self) -> bool:
        """Never."""
        return False

    def __call__(self, p: Point, /) -> Array:
        """Return A(p), shape (n1, n2)."""
        at = coordinates(p, len(sides(self.base.box)), self.name)
        return self.base(p) + self._direction if at[0] >= self.at else self.base(p)

    @cached_property
    def _direction(self) -> Array:
        middle = sides(self.base.box).mean(axis=1)
        return self.height * rank_one(self.base(_point(tuple(middle))), self.hermitian, self.seed)


def check_ball(what: str, centre: float | tuple[float, ...], width: float, box: BoxLike) -> None:
    """Raise an error unless the centre lies in the box and the width is positive."""
    at, rows = np.atleast_1d(np.asarray(centre, dtype=np.float64)), sides(box)
    inside = at.shape == (len(rows),) and bool(np.all((at >= rows[:, 0]) & (at <= rows[:, 1])))
    if not inside or not width > 0:
        raise InputError(
            f"expected a centre in the box {box} and a positive width, but came centre={centre!r}, "
            f"width={width!r}. A {what} outside the box would never be seen. Choose a centre inside."
        )


def squared_distance(at: Array, centre: float | tuple[float, ...], width: float, box: BoxLike) -> float:
    """Return ``t² = Σ_i (2 (p_i - c_i) / (w L_i))²`` for a point (D,): one on the rim of the ball of that width."""
    rows = sides(box)
    t = 2 * (at - np.asarray(centre)) / (width * (rows[:, 1] - rows[:, 0]))
    return float(t @ t)


def rank_one(like: Array, hermitian: bool, seed: int) -> Array:
    """Return ``u vᴴ`` with unit vectors u, v, of the shape and the field (real or complex) of ``like``."""
    rng = np.random.default_rng(seed)
    u, v = (_unit(size, np.iscomplexobj(like), rng) for size in like.shape)
    product: Array = np.outer(u, u.conj() if hermitian else v.conj())
    return product


def _unit(size: int, complex: bool, rng: np.random.Generator) -> Array:
    """Draw a unit vector."""
    u: Array = rng.standard_normal(size)
    if complex:
        u = u + 1j * rng.standard_normal(size)
    unit: Array = u / np.linalg.norm(u)
    return unit


def _point(p: float | tuple[float, ...]) -> Point:
    """Return what a family is called with: a float for one parameter, an array (D,) for several."""
    at = np.atleast_1d(np.asarray(p, dtype=np.float64))
    return float(at[0]) if at.size == 1 else at
