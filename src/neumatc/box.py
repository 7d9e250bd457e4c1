"""The box of parameters: where a fit is valid, and the map of that box onto the cube [-1, 1]^D.

Curves are fitted on the cube; users speak in their own units (hertz, kelvin, angles). `Box` is the only place where
the two meet, and the only place that decides whether a point p may be asked for at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    interval,
    number,
    one_each,
    real_numbers,
    wrapped,
    wrong_shape,
)
from neumatc.errors import InputError, OutsideBoxError

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
            return cls._joined([box], None if box.name is None else (box.name,))
        if isinstance(box, Mapping):
            return cls._joined([Axis.of(ends, f"box[{name!r}]") for name, ends in box.items()], tuple(box))
        if isinstance(box, list | tuple) and any(isinstance(ends, Axis) for ends in box):
            axes = [Axis.of(ends, f"box[{i}]") for i, ends in enumerate(box)]
            names = tuple(axis.name for axis in axes)
            return cls._joined(axes, names if any(name is not None for name in names) else None)
        ends = real_numbers(box, "box")
        if ends.shape == (2,):
            ends = ends[None]
        if ends.ndim != 2 or ends.shape[1] != 2 or not len(ends):
            raise wrong_shape(f"numbers of shape {ends.shape}")
        return cls(tuple(ends[:, 0].tolist()), tuple(ends[:, 1].tolist()))

    @classmethod
    def _joined(cls, axes: Sequence[Axis], names: Any) -> "Box":
        for axis, name in zip(axes, names or (), strict=bool(names)):
            if axis.name not in (None, name):
                raise InputError(
                    f"box[{name!r}] holds an Axis of another name; {axis.name!r} came. "
                    "The key of a dict is the name of its axis. Leave the name of the Axis out."
                )
        columns = zip(*((axis.lo, axis.hi, axis.scale, axis.periodic) for axis in axes), strict=True)
        lower, upper, scales, periodic = columns if axes else ((), (), (), ())
        return cls(lower, upper, names, scales, periodic)

    def __str__(self) -> str:
        """Return ``[0, 1] x [-1, 2]``, or with names ``k in [0, 1], z in [1, 9] (log), φ in [0, 7) (periodic)``."""
        axes = zip(self.lower, self.upper, self.scales, self.periodic, strict=True)
        intervals = [interval(*axis) for axis in axes]
        if self.names is None:
            return " x ".join(intervals)
        return ", ".join(f"{name} in {interval}" for name, interval in zip(self.names, intervals, strict=True))

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
        """The point in the middle, shape (1, D)."""
        return self.from_unit(np.zeros((1, self.dimension)))

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
            When a point is NaN or outside by more than 4 units in the last place (of its own precision).

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
        if ((points >= lower) & (points <= upper)).all():
            return points, batch_shape
        # 0.1 in single precision is larger than 0.1, and the end of a box all the same.
        single = str(getattr(p, "dtype", "")).endswith("float32")
        return self._clipped(points, batch_shape, _SINGLE_SLACK if single else _SLACK), batch_shape

    def _clipped(self, points: Float64, batch_shape: tuple[int, ...], ulps: float) -> Float64:
        lower, upper, width = self._ends
        # Rounding of p is relative to p itself, which may be much larger than the width (a band around 2.4e9 Hz).
        slack = ulps * np.maximum(width, np.maximum(np.abs(lower), np.abs(upper)))
        outside = ~((points >= lower - slack) & (points <= upper + slack)).all(axis=1)
        if outside.any():
            raise self._outside(points, np.flatnonzero(outside), batch_shape)
        clipped: Float64 = np.minimum(np.maximum(points, lower), upper)
        return clipped

    def _outside(self, points: Float64, rows: npt.NDArray[np.intp], batch_shape: tuple[int, ...]) -> OutsideBoxError:
        row = points[rows[0]]
        came = self.describe(row)
        if batch_shape:
            index = tuple(int(i) for i in np.unravel_index(rows[0], batch_shape))
            came = f"{len(rows)} of {len(points)} points lie outside, the first is {came} at index {index}"
        else:
            came = f"{came} lies outside"
        if np.isnan(row).any():
            cause = "NaN usually comes from a division or a missing value before the call."
        else:
            cause = "The fit was probably made on a smaller box, or the units differ."
        return OutsideBoxError(
            f"p must lie in the box {self}; {came}. {cause} Ask inside the box, or fit again on a larger one."
        )

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
        return self.from_unit(rng.uniform(-1.0, 1.0, (count, self.dimension)))

    def _axis(self, axis: int) -> str:
        if self.names is not None:
            return f"box[{self.names[axis]!r}]"
        return "box" if self.dimension == 1 else f"box[{axis}]"


BoxLike: TypeAlias = Box | Axis | Sequence[Any] | Mapping[str, Any] | npt.ArrayLike
