"""One axis of a box: its two ends, its name, and whether it is logarithmic or periodic.

A rate that runs over six decades, or an angle that comes back to where it began, is told by an `Axis` in the place of
a pair ``(lo, hi)``. On a logarithmic axis curves are fitted over ``log p``, so that every decade counts the same; on a
periodic one any p is welcome and is brought back into ``[lo, hi)``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from neumatc.arrays import Array, as_numpy
from neumatc.errors import InputError, unknown

__all__ = [
    "Axis",
    "Float64",
    "Logarithms",
    "check_ends",
    "checked_names",
    "columns",
    "interval",
    "number",
    "one_each",
    "real_numbers",
    "wrapped",
    "wrong_shape",
]

Float64: TypeAlias = npt.NDArray[np.float64]

_SCALES = ("linear", "log")
_SHAPES = "a pair (lo, hi), a list of such pairs, or a dict of name -> pair"
_LEAST = float(np.finfo(np.float64).smallest_subnormal)


@dataclass(frozen=True)
class Axis:
    """One parameter of a box, for ``box=Axis(...)``, a list of pairs and axes, or a dict of name -> axis.

    Parameters
    ----------
    lo, hi : finite numbers, ``lo < hi``; positive on a logarithmic axis.
    name : of the parameter, or None; in a dict the key is the name.
    scale : "linear", or "log" for ``x = 2 log(p / lo) / log(hi / lo) - 1`` in [-1, 1].
    periodic : whether A(p + hi - lo) = A(p), which is believed and not checked. Any finite p may then be asked for.

    Examples
    --------
    >>> import numpy as np
    >>> from neumatc.box import Box
    >>> box = Box.of([Axis(1.0, 1e6, "rate", scale="log"), Axis(0.0, 360.0, "angle", periodic=True)])
    >>> print(box)
    rate in [1, 1000000] (log), angle in [0, 360) (periodic)
    >>> box.to_unit(np.array([1000.0, 90.0])).round(12).tolist()
    [0.0, -0.5]
    >>> box.points([1000.0, -90.0])[0].tolist()
    [[1000.0, 270.0]]
    """

    lo: float
    hi: float
    name: str | None = None
    scale: Literal["linear", "log"] = "linear"
    periodic: bool = False

    def __post_init__(self) -> None:
        """Check everything here, where the mistake was written."""
        lo, hi = _pair((self.lo, self.hi), "Axis")
        object.__setattr__(self, "lo", lo)
        object.__setattr__(self, "hi", hi)
        check_ends(lo, hi, self.scale, self.periodic, "Axis")

    @classmethod
    def of(cls, ends: object, what: str) -> "Axis":
        """Read a pair (lo, hi) or an `Axis`; ``what`` names it in messages."""
        if isinstance(ends, Axis):
            return ends
        lo, hi = _pair(ends, what)
        check_ends(lo, hi, "linear", False, what)
        return cls(lo, hi)


def columns(axes: Sequence[Axis], names: Any) -> tuple[Any, ...]:
    """Lower ends, upper ends, names, scales and periods of axes, as a box takes them."""
    for axis, name in zip(axes, names or (), strict=bool(names)):
        if axis.name not in (None, name):
            raise InputError(
                f"box[{name!r}] holds an Axis of another name; {axis.name!r} came. "
                "The key of a dict is the name of its axis. Leave the name of the Axis out."
            )
    ends = zip(*((axis.lo, axis.hi, axis.scale, axis.periodic) for axis in axes), strict=True)
    lower, upper, scales, periodic = ends if axes else ((), (), (), ())
    return lower, upper, names, scales, periodic


@dataclass(frozen=True)
class Logarithms:
    """The logarithmic axes of a box, ``x = 2 log(p / lo) / log(hi / lo) - 1`` and back.

    Ratios to the lower end come first: ``log p - log lo`` would cancel, and the ends would not be exactly -1 and 1.

    Parameters
    ----------
    chosen : which axes are logarithmic, (D,).
    lower, upper : ends of the box, (D,).
    """

    chosen: npt.NDArray[np.bool_]
    lower: Float64
    upper: Float64

    def to_unit(self, p: Float64, linear: Float64) -> Float64:
        """Replace the logarithmic columns of ``linear``, the linear map of p, both (..., D)."""
        here = self.chosen
        # A table may hold p <= 0 outside the box, which must come out as outside and not as a warning.
        ratio = np.maximum(p[..., here] / self.lower[here], _LEAST)
        x = 2.0 * np.log(ratio) / self._spans - 1.0
        # Inside, x must not pass 1 by an ulp: the last bit of NumPy's logarithm depends on the length of the array.
        linear[..., here] = np.where(p[..., here] > self.upper[here], x, np.minimum(x, 1.0))
        return linear

    def from_unit(self, x: Float64, linear: Float64) -> Float64:
        """Replace the logarithmic columns of ``linear``, the linear map of x, both (..., D)."""
        here = self.chosen
        p = self.lower[here] * np.exp(self._spans * (0.5 + 0.5 * x[..., here]))
        linear[..., here] = np.where(x[..., here] == 1.0, self.upper[here], p)
        return linear

    def slope(self, p: Float64, axis: int) -> Float64:
        """``dx/dp = 2 / (p log(hi / lo))`` of one logarithmic axis at points p (B, D); returns (B,)."""
        slope: Float64 = 2.0 / (p[:, axis] * np.log(self.upper[axis] / self.lower[axis]))
        return slope

    @cached_property
    def _spans(self) -> Float64:
        spans: Float64 = np.log(self.upper[self.chosen] / self.lower[self.chosen])
        return spans


def wrapped(points: Float64, lower: Float64, upper: Float64, periodic: npt.NDArray[np.bool_]) -> Float64:
    """Bring the periodic columns of points (B, D) into ``[lower, upper)``; what lies there already keeps its bits.

    NaN and infinities stay, to be refused with the points outside of the box.
    """
    away = periodic & ~((points >= lower) & (points < upper)) & np.isfinite(points)
    if not away.any():
        return points
    moved = lower + np.mod(np.where(away, points - lower, 0.0), upper - lower)
    # A tiny negative p has the remainder `width` after rounding.
    return np.where(away, np.where(moved < upper, moved, lower), points)


def real_numbers(x: object, what: str) -> Float64:
    """Return x as float64 numbers, or say what else it is."""
    # The commonest query, one Python float, skips the general border.
    values: Array = np.asarray(x) if isinstance(x, float) else as_numpy(x, what)
    if values.dtype.kind == "c":
        raise InputError(
            f"{what} must be real; dtype {values.dtype} came. "
            "A complex intermediate result probably kept its type. "
            "Pass its .real, or use the real and imaginary part as two parameters."
        )
    return values.astype(np.float64, copy=False)


def _pair(ends: object, what: str) -> tuple[float, float]:
    numbers = real_numbers(ends, what)
    if numbers.shape != (2,):
        raise wrong_shape(f"{what} of shape {numbers.shape}")
    return float(numbers[0]), float(numbers[1])


def wrong_shape(came: str) -> InputError:
    """Build the error for a box of the wrong shape; the caller raises it."""
    return InputError(
        f"box must be {_SHAPES}; {came} came. "
        "A missing or an extra pair of brackets is the usual reason. "
        "Write box=(0.0, 1.0) for one parameter, box=[(0.0, 1.0), (0.0, 2.0)] for two."
    )


def check_ends(lo: float, hi: float, scale: object, periodic: object, what: str) -> None:
    """Refuse ends that enclose nothing, and scales that do not suit them."""
    came = f"({number(lo)}, {number(hi)}) came"
    if not np.isfinite([lo, hi]).all() or not np.isfinite(hi - lo):
        raise InputError(
            f"{what} must be two finite numbers (lo, hi) of finite distance; {came}. "
            "An unbounded range cannot be mapped to [-1, 1]. "
            "Choose finite ends, or use a bounded parameter such as 1/p or log(p)."
        )
    if lo == hi:
        raise InputError(
            f"{what} must have lo < hi; {came}, which is empty. "
            "A parameter that is fixed is probably among the parameters. Put its value into the function instead."
        )
    if lo > hi:
        raise InputError(
            f"{what} must have lo < hi; {came}, which is reversed. "
            f"The ends were probably exchanged. Write ({number(hi)}, {number(lo)})."
        )
    if scale not in _SCALES:
        raise unknown("scale", str(scale), _SCALES)
    if scale == "log" and not (lo > 0 and 1 < hi / lo < np.inf):
        raise InputError(
            f"{what} has a logarithmic scale and needs 0 < lo < hi with a finite ratio hi / lo; {came}. "
            "A range that begins at 0 has no first decade. "
            f"Begin at the least p that matters, such as {number(hi * 1e-6)}, or use scale='linear'."
        )
    if not isinstance(periodic, bool | np.bool_) or (periodic and scale == "log"):
        raise InputError(
            f"{what} must be periodic=True or False, and is linear if periodic; periodic={periodic!r} and "
            f"scale={scale!r} came. The period hi - lo is a step along p, not a factor. "
            "Choose one of the two, or make log(p) the parameter."
        )


def interval(lo: float, hi: float, scale: str, periodic: bool) -> str:
    """Write one axis as ``[0, 1]``, ``[1, 100] (log)`` or ``[0, 360) (periodic)``."""
    ending = ") (periodic)" if periodic else "] (log)" if scale == "log" else "]"
    return f"[{number(lo)}, {number(hi)}{ending}"


def number(value: float) -> str:
    """Return the shortest text that reads back as the same float, so that a message is a recipe."""
    return repr(float(value)).removesuffix(".0")


def checked_names(names: object, dimension: int) -> tuple[str, ...] | None:
    """Return ``dimension`` different names, or None."""
    if names is None:
        return None
    checked = tuple(names) if isinstance(names, (tuple, list)) else (names,)
    if len(checked) != dimension or len(set(checked)) != dimension or not all(isinstance(n, str) for n in checked):
        raise InputError(
            f"names must be {dimension} different texts, one for each parameter; {names!r} came. "
            "A name was probably forgotten, used twice, or is not a str. Name each parameter once."
        )
    return checked


def one_each(values: Any, default: Any, dimension: int, what: str) -> tuple[Any, ...]:
    """Return one value for each parameter, the default for all where none came."""
    checked = tuple(values) if isinstance(values, tuple | list) else (values,)
    if len(checked) not in (0, dimension):
        raise InputError(
            f"{what} must hold one entry for each of {dimension} parameters, or none at all; {values!r} came. "
            "An entry was probably forgotten. Leave it out, or use nmc.Axis for each parameter."
        )
    return checked or (default,) * dimension
