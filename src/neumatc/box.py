"""The box of parameters: where a fit is valid, and the map of that box onto the cube [-1, 1]^D.

Curves are fitted on the cube; users speak in their own units (hertz, kelvin, angles). `Box` is the only place where
the two meet, and the only place that decides whether a point p may be asked for at all.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from neumatc.axis import (
    Axis,
    Float64,
    Logarithms,
    check_ends,
    checked_names,
    columns,
    interval,
    number,
    one_each,
    real_numbers,
    wrapped,
    wrong_shape,
)
from neumatc.errors import InputError
from neumatc.hole import Hole, clipped, outside, replenished

__all__ = ["Box", "BoxLike", "Float64", "Point"]

Point: TypeAlias = float | Float64

# Rounding in the caller's arithmetic (lo + k * step) may overshoot an end by this many units in the last place.
_SLACK = float(4 * np.finfo(np.float64).eps)
_SINGLE_SLACK = float(4 * np.finfo(np.float32).eps)


@dataclass(frozen=True)
class Box:
    """A box of D parameters, ``lower[i] <= p[i] <= upper[i]``, with optional names for the axes.

    The map to the cube is ``x = ((p - lower) - (upper - p)) / (upper - lower)``, or on a logarithmic axis
    ``x = 2 log(p / lower) / log(upper / lower) - 1``. It sends the ends to exactly -1 and 1 and never leaves [-1, 1]
    by rounding.

    Parameters
    ----------
    lower, upper : D finite numbers each, ``lower < upper``.
    names : D different names, or None; they appear in messages, tables and plots.
    scales : "linear" or "log" for each parameter; all linear by default.
    periodic : whether A(p) has the period ``upper - lower`` in each parameter; in none by default.
    hole : what is left out of the box, by `excluding`; None for nothing.

    Examples
    --------
    >>> import numpy as np
    >>> box = Box.of({"k": (0.0, 2.0), "z": (-1.0, 1.0)})
    >>> box.dimension, box.names
    (2, ('k', 'z'))
    >>> box.to_unit(np.array([[1.0, 1.0]]))
    array([[0., 1.]])
    >>> box.describe(np.array([0.5, 1.0]))
    'p = (k=0.5, z=1)'
    """

    lower: tuple[float, ...]
    upper: tuple[float, ...]
    names: tuple[str, ...] | None = None
    scales: tuple[str, ...] = ()
    periodic: tuple[bool, ...] = ()
    hole: Hole | None = None

    def __post_init__(self) -> None:
        """Check the ends, and keep them as plain floats."""
        lower, upper = real_numbers(self.lower, "lower"), real_numbers(self.upper, "upper")
        if lower.ndim != 1 or not len(lower) or lower.shape != upper.shape:
            raise wrong_shape(f"lower ends of shape {lower.shape} and upper ends of shape {upper.shape}")
        object.__setattr__(self, "lower", tuple(lower.tolist()))
        object.__setattr__(self, "upper", tuple(upper.tolist()))
        object.__setattr__(self, "names", checked_names(self.names, len(lower)))
        object.__setattr__(self, "scales", one_each(self.scales, "linear", len(lower), "scales"))
        object.__setattr__(self, "periodic", one_each(self.periodic, False, len(lower), "periodic"))
        for axis, lo in enumerate(self.lower):
            check_ends(lo, self.upper[axis], self.scales[axis], self.periodic[axis], self._axis(axis))

    @classmethod
    def of(cls, box: "BoxLike") -> "Box":
        """Read a box in any of the ways users write one.

        Parameters
        ----------
        box : ``(lo, hi)`` for one parameter, a list of D such pairs, a dict name -> pair, or a `Box`; an `Axis` may
            stand in the place of any pair.

        Examples
        --------
        >>> Box.of((0, 1)).lower, Box.of([(0, 1), Axis(1, 100, scale="log")]).scales
        ((0.0,), ('linear', 'log'))
        """
        if isinstance(box, Box):
            return box
        if isinstance(box, Axis):
            return cls(*columns([box], None if box.name is None else (box.name,)))
        if isinstance(box, Mapping):
            return cls(*columns([Axis.of(ends, f"box[{name!r}]") for name, ends in box.items()], tuple(box)))
        if isinstance(box, list | tuple) and any(isinstance(ends, Axis) for ends in box):
            axes = [Axis.of(ends, f"box[{i}]") for i, ends in enumerate(box)]
            names = tuple(axis.name for axis in axes)
            return cls(*columns(axes, names if any(name is not None for name in names) else None))
        ends = real_numbers(box, "box")
        if ends.shape == (2,):
            ends = ends[None]
        if ends.ndim != 2 or ends.shape[1] != 2 or not len(ends):
            raise wrong_shape(f"numbers of shape {ends.shape}")
        return cls(tuple(ends[:, 0].tolist()), tuple(ends[:, 1].tolist()))

    def __str__(self) -> str:
        """Return ``[0, 1] x [-1, 2]``, or with names ``k in [0, 1], z in [1, 9] (log), φ in [0, 7) (periodic)``."""
        axes = zip(self.lower, self.upper, self.scales, self.periodic, strict=True)
        intervals = [interval(*axis) for axis in axes]
        less = " less a hole" if self.hole is not None and self.hole.where is not None else ""
        if self.names is None:
            return " x ".join(intervals) + less
        return ", ".join(f"{name} in {interval}" for name, interval in zip(self.names, intervals, strict=True)) + less

    @property
    def dimension(self) -> int:
        """Number of parameters D."""
        return len(self.lower)

    @cached_property
    def _ends(self) -> tuple[Float64, Float64, Float64]:
        # Built once: a query at one p takes a few microseconds in all, and three small arrays would double that.
        lower, upper = np.array(self.lower), np.array(self.upper)
        return lower, upper, upper - lower

    @cached_property
    def interval(self) -> tuple[float, float] | None:
        """The ends of a box of one linear parameter, neither periodic nor with a hole; None for any other."""
        plain = self.scales == ("linear",) and self.periodic == (False,) and self.hole is None
        return (self.lower[0], self.upper[0]) if plain else None

    @cached_property
    def _logarithms(self) -> Logarithms | None:
        chosen = np.array([scale == "log" for scale in self.scales])
        return Logarithms(chosen, *self._ends[:2]) if chosen.any() else None

    @cached_property
    def _wraps(self) -> npt.NDArray[np.bool_] | None:
        return np.array(self.periodic) if any(self.periodic) else None

    @property
    def width(self) -> Float64:
        """``upper - lower``, shape (D,)."""
        return self._ends[2].copy()

    @property
    def middle(self) -> Float64:
        """The point in the middle, or another one where that lies in the hole; shape (1, D)."""
        middle = self.from_unit(np.zeros((1, self.dimension)))
        return self.random(1, np.random.default_rng(0)) if self.excluded(middle)[0] else middle

    def excluding(self, where: Callable[[Any], Any] | None = None, failures: bool = False) -> "Box":
        """Return this box with a hole, ``{p in box : not where(p)}``; see `Hole`.

        Parameters
        ----------
        where : p -> bool, True where p is left out. Nothing is sampled there, and asking raises `OutsideBoxError`.
        failures : whether a point where A(p) or its exact result cannot be had is avoided and recorded
            (`Fit.excluded`) instead of ending the fit.

        Examples
        --------
        >>> box = Box.of((0, 1)).excluding(lambda p: 0.4 < p < 0.5)
        >>> print(box)
        [0, 1] less a hole
        >>> box.points(0.45)
        Traceback (most recent call last):
        neumatc.errors.OutsideBoxError: p must lie in the box [0, 1] less a hole; p = 0.45 lies inside the hole. ...
        """
        return replace(self, hole=self.hole.and_where(where, failures) if self.hole else Hole(where, failures))

    @property
    def whole(self) -> "Box":
        """The same box without its hole."""
        return self if self.hole is None else replace(self, hole=None)

    def excluded(self, points: Float64) -> npt.NDArray[np.bool_]:
        """Which points (B, D) of the box lie in the hole, as far as ``where`` tells; (B,)."""
        return np.zeros(len(points), bool) if self.hole is None else self.hole.covers(points, self.describe)

    def to_unit(self, p: Float64) -> Float64:
        """Map points p (..., D) of the box to x (..., D) in [-1, 1]^D."""
        lower, upper, width = self._ends
        x: Float64 = ((p - lower) - (upper - p)) / width
        return x if self._logarithms is None else self._logarithms.to_unit(p, x)

    def from_unit(self, x: Float64) -> Float64:
        """Map x (..., D) in [-1, 1]^D to points p (..., D) of the box; -1 and 1 give exactly the ends."""
        lower, upper, _ = self._ends
        half = 0.5 * x
        p = lower * (0.5 - half) + upper * (0.5 + half)
        if self._logarithms is not None:
            p = self._logarithms.from_unit(x, p)
        # All of these are rounded, so the sum may pass an end by one unit in the last place.
        clipped: Float64 = np.minimum(np.maximum(p, lower), upper)
        return clipped

    def slope(self, x: Float64, axis: int) -> Float64:
        """``dx/dp`` of the map to the cube along one axis, at x (B, D) in the cube; returns (B,).

        Examples
        --------
        >>> import numpy as np
        >>> Box.of((0.0, 4.0)).slope(np.array([[0.3]]), 0)
        array([0.5])
        """
        if self._logarithms is not None and self.scales[axis] == "log":
            return self._logarithms.slope(self.from_unit(x), axis)
        return np.full(len(x), 2.0 / self._ends[2][axis])

    def points(self, p: object) -> tuple[Float64, tuple[int, ...]]:
        """Bring a caller's p into one shape, and refuse what lies outside.

        Parameters
        ----------
        p : (...) for one parameter, (..., D) for several; numbers, lists, NumPy arrays or torch tensors.

        Returns
        -------
        points : (B, D) float64, inside the box (overshoot by rounding is clipped, periodic parameters are brought into
            ``[lower, upper)``); may share its memory with p.
        batch_shape : the leading shape ``...`` of p, with product B.

        Raises
        ------
        OutsideBoxError
            When a point is NaN, in the hole, or outside by more than 4 units in the last place (of its own precision).

        Examples
        --------
        >>> points, batch_shape = Box.of((0, 1)).points([[0.1, 0.2, 0.3]])
        >>> points.shape, batch_shape
        ((3, 1), (1, 3))
        """
        values = real_numbers(p, "p")
        if self.dimension == 1:
            batch_shape = values.shape
        elif values.ndim and values.shape[-1] == self.dimension:
            batch_shape = values.shape[:-1]
        else:
            raise InputError(
                f"p must have shape (..., {self.dimension}) for the box {self}; shape {values.shape} came. "
                "The last axis probably does not run over the parameters. "
                "Use np.stack([...], axis=-1) to put one point into each row."
            )
        points = values.reshape(-1, self.dimension)
        lower, upper, _ = self._ends
        if self._wraps is not None:
            points = wrapped(points, lower, upper, self._wraps)
        # NaN fails both comparisons, hence never takes this short way.
        if not ((points >= lower) & (points <= upper)).all():
            # 0.1 in single precision is larger than 0.1, and the end of a box all the same.
            single = str(getattr(p, "dtype", "")).endswith("float32")
            moved, away = clipped(points, lower, upper, _SINGLE_SLACK if single else _SLACK)
            if away.any():
                raise outside(self, points, away, batch_shape)
            points = moved
        if self.hole is not None and (inside := self.excluded(points)).any():
            raise outside(self, points, inside, batch_shape, self.hole)
        return points, batch_shape

    def scalar(self, row: Float64) -> Point:
        """Return what the caller's function gets for one row (D,): a Python float for D = 1, else a fresh array."""
        return float(row[0]) if self.dimension == 1 else row.copy()

    def describe(self, row: npt.ArrayLike) -> str:
        """Name one point (D,) in messages, with enough digits to ask for it again.

        Examples
        --------
        >>> Box.of((0, 1)).describe([0.731])
        'p = 0.731'
        """
        numbers = [number(value) for value in np.asarray(row, dtype=np.float64).ravel()]
        if self.names is not None:
            numbers = [f"{name}={number}" for name, number in zip(self.names, numbers, strict=True)]
        elif len(numbers) == 1:
            return f"p = {numbers[0]}"
        return f"p = ({', '.join(numbers)})"

    def random(self, count: int, rng: np.random.Generator) -> Float64:
        """Draw points (count, D) from the box, uniform in p, or in log p on logarithmic axes; in the caller's units."""
        points = self.from_unit(rng.uniform(-1.0, 1.0, (count, self.dimension)))
        return points if self.hole is None else replenished(points, self, rng)

    def _axis(self, axis: int) -> str:
        if self.names is not None:
            return f"box[{self.names[axis]!r}]"
        return "box" if self.dimension == 1 else f"box[{axis}]"


BoxLike: TypeAlias = Box | Axis | Sequence[Any] | Mapping[str, Any] | npt.ArrayLike
