"""What a gallery family is, and how one is entered in the tables of `neumatc.gallery`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from neumatc.arrays import Array
from neumatc.errors import InputError

__all__ = ["BoxLike", "Exhibit", "GalleryFamily", "Point", "coordinates", "sides", "unit_box"]

BoxLike: TypeAlias = tuple[float, float] | list[tuple[float, float]]
Point: TypeAlias = float | npt.NDArray[np.float64]


class GalleryFamily(Protocol):
    """A matrix-valued function of parameters that knows its own box.

    Calling it with p (a float for one parameter, a ``(D,)`` array for several) returns A(p) as a fresh ``(n1, n2)``
    array. Everything random in a family is drawn from its ``seed``, so equal constructors give equal matrices.
    """

    @property
    def name(self) -> str:
        """One line for plots and tables: kind, size, and what sets it apart."""
        ...

    @property
    def box(self) -> BoxLike:
        """``(lo, hi)`` for one parameter, a list of such pairs for several."""
        ...

    @property
    def smooth(self) -> bool:
        """Whether A(p) is analytic on the box at a scale that samples can resolve; False for jumps and spikes."""
        ...

    def __call__(self, p: Point, /) -> Array:
        """Return A(p), shape (n1, n2)."""
        ...


@dataclass(frozen=True)
class Exhibit:
    """One entry of a table: how to make a family, and the operation it is shown with.

    Parameters
    ----------
    operation : the verb that is applied, ``inv`` or ``svd``.
    make : constructor without arguments; calling the exhibit calls it.
    size : ``small`` entries take well under a second each and suit a test; ``real`` ones suit a benchmark.
    rank : number of singular triplets asked for; None for the inverse.

    Examples
    --------
    >>> from neumatc.gallery import INVERSE
    >>> exhibit = INVERSE["affine"]
    >>> exhibit.operation, exhibit.size, exhibit().name
    ('inv', 'small', 'affine n=16')
    """

    operation: Literal["inv", "svd"]
    make: Callable[[], GalleryFamily]
    size: Literal["small", "real"]
    rank: int | None = None

    def __call__(self) -> GalleryFamily:
        """Make the family."""
        return self.make()


def unit_box(dimensions: int) -> BoxLike:
    """Return the box [0, 1]^D: one pair for D = 1, a list of pairs for more."""
    return (0.0, 1.0) if dimensions == 1 else [(0.0, 1.0)] * dimensions


def sides(box: BoxLike) -> npt.NDArray[np.float64]:
    """Return the sides of a box as rows (lo, hi), shape (D, 2)."""
    return np.asarray(box, dtype=np.float64).reshape(-1, 2)


def coordinates(p: Point, dimensions: int, name: str) -> npt.NDArray[np.float64]:
    """Return p as an array (D,); a p with another number of coordinates is an error."""
    point = np.asarray(p, dtype=np.float64).reshape(-1)
    if point.size != dimensions:
        raise InputError(
            f"the family '{name}' has {dimensions} parameter(s), but came p = {p!r} with {point.size} number(s). "
            "A gallery family answers for one point at a time. "
            "Call it once per point, with a float for one parameter and an array (D,) for several."
        )
    return point
