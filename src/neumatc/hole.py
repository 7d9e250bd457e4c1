"""A hole in a box: where A(p) is not wanted, or cannot be had.

A model may be undefined on a part of its box (a resonance, a phase in which a solver does not converge), and a fit of
all the rest is still worth having. What is left out is never answered silently: a p in the hole is refused like one
outside of the box.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, final

import numpy as np
import numpy.typing as npt

from neumatc.axis import Float64
from neumatc.errors import InputError, OutsideBoxError

__all__ = ["Hole", "clipped", "outside", "replenished"]

BATCHES = 1000
"""Draws for every point wanted outside of the hole, after which the hole counts as all of the box."""


@final
@dataclass(frozen=True)
class Hole:
    """What `Box.excluding` was given; ``S = {p : where(p)}`` is left out of the box.

    Around a hole curves are drawn through scattered points, which do not suit a tensor basis (Chebyshev): with
    basis="auto" another one is taken.

    Parameters
    ----------
    where : p -> bool, True where p is left out; p is a float for one parameter and an array (D,) for several. None when
        nothing is left out beforehand.
    failures : whether points at which A(p) raises or is not finite, or at which its exact solve fails, are avoided and
        recorded instead of ending the fit. How far such a region reaches between the points that were tried is not
        known: ``f(p)`` answers there, and only ``certify`` and ``certified``, which ask A(p), tell.

    Examples
    --------
    >>> import numpy as np
    >>> Hole(lambda p: abs(p - 0.5) < 0.1).covers(np.array([[0.3], [0.45]]), str)
    array([False,  True])
    """

    where: Callable[[Any], Any] | None = None
    failures: bool = False

    def __post_init__(self) -> None:
        """Refuse what leaves nothing out, and what cannot be asked."""
        if self.where is not None and not callable(self.where):
            raise InputError(
                f"`where` must be a function p -> bool, True where p is left out; a {type(self.where).__name__} came. "
                "It was probably evaluated already, or an interval was written down. "
                "Pass where=lambda p: 0.4 < p < 0.5."
            )
        failures: Any = self.failures  # whatever the caller passed
        if not isinstance(failures, bool | np.bool_) or (self.where is None and not failures):
            raise InputError(
                f"`excluding` needs a function `where`, failures=True, or both; where={self.where!r} and "
                f"failures={failures!r} came. Nothing would be left out. "
                "Pass where=lambda p: ..., or leave the call out."
            )

    def and_where(self, where: Callable[[Any], Any] | None, failures: bool) -> Hole:
        """Join this hole and another one."""
        first = self.where
        if first is None or where is None:
            return Hole(where if first is None else first, self.failures or failures)
        return Hole(lambda p: first(p) or where(p), self.failures or failures)

    def covers(self, points: Float64, describe: Callable[[Float64], str]) -> npt.NDArray[np.bool_]:
        """Which points (B, D) are left out by ``where``, (B,)."""
        if self.where is None:
            return np.zeros(len(points), bool)
        single = points.shape[1] == 1
        return np.array([self._asked(float(row[0]) if single else row.copy(), row, describe) for row in points], bool)

    def _asked(self, p: Any, row: Float64, describe: Callable[[Float64], str]) -> bool:
        assert self.where is not None
        try:
            return bool(self.where(p))
        # The user's code may raise anything at all, also NumPy's refusal to take several answers for one.
        except Exception as cause:
            raise InputError(
                f"`where` must answer True or False at every p of the box; at {describe(row)} it raised "
                f"{type(cause).__name__}: {cause}. It gets one point at a time, a float for one parameter and an array "
                "(D,) for several. Call it there by hand."
            ) from cause


class Described(Protocol):
    """What a hole needs to know of its box."""

    @property
    def dimension(self) -> int: ...

    def describe(self, row: npt.ArrayLike) -> str: ...

    def excluded(self, points: Float64) -> npt.NDArray[np.bool_]: ...

    def from_unit(self, x: Float64) -> Float64: ...


def replenished(points: Float64, box: Described, rng: np.random.Generator) -> Float64:
    """Points (B, D) of a box, those in its hole replaced by further random ones."""
    count, size = len(points), (max(len(points), 8), box.dimension)
    points = points[~box.excluded(points)]
    for _ in range(BATCHES):
        if len(points) >= count:
            return points[:count]
        more = box.from_unit(rng.uniform(-1.0, 1.0, size))
        points = np.concatenate([points, more[~box.excluded(more)]])
    raise InputError(
        f"The hole must leave a part of the box to fit; only {len(points)} of {BATCHES * size[0]} random points lie "
        "outside of it. `where` probably says where p is wanted instead of where it is left out. "
        "Negate it, or choose a smaller box."
    )


def clipped(points: Float64, lower: Float64, upper: Float64, ulps: float) -> tuple[Float64, npt.NDArray[np.bool_]]:
    """Points (B, D) moved onto the ends which they overshoot by rounding, and which of them lie out by more, (B,)."""
    # Rounding of p is relative to p itself, which may be much larger than the width (a band around 2.4e9 Hz).
    slack = ulps * np.maximum(upper - lower, np.maximum(np.abs(lower), np.abs(upper)))
    away = np.array(~((points >= lower - slack) & (points <= upper + slack)).all(axis=1))
    moved: Float64 = np.minimum(np.maximum(points, lower), upper)
    return moved, away


def outside(
    box: Described,
    points: Float64,
    away: npt.NDArray[np.bool_],
    batch_shape: tuple[int, ...],
    hole: Hole | None = None,
) -> OutsideBoxError:
    """Build the error for those of the points (B, D) that may not be asked for; the caller raises it."""
    rows, lies = np.flatnonzero(away), "outside" if hole is None else "inside the hole"
    row = points[rows[0]]
    came = box.describe(row)
    if batch_shape:
        index = tuple(int(i) for i in np.unravel_index(rows[0], batch_shape))
        came = f"{len(rows)} of {len(points)} points lie {lies}, the first is {came} at index {index}"
    else:
        came = f"{came} lies {lies}"
    advice = "Ask inside the box, or fit again on a larger one."
    if np.isnan(row).any():
        cause = "NaN usually comes from a division or a missing value before the call."
    elif hole is None:
        cause = "The fit was probably made on a smaller box, or the units differ."
    else:
        cause = "The fit was made without this region (`excluding`), and nothing is known about it."
        advice = "Ask beside the hole, or fit again without it."
    return OutsideBoxError(f"p must lie in the box {box}; {came}. {cause} {advice}")
