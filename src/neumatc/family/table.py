"""A(p) known at some points only: measurements, or the output of another program."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, final

import numpy as np
import numpy.typing as npt

from neumatc.arrays import Array, as_numpy, check_finite, is_torch, working_dtype
from neumatc.box import Box, Float64
from neumatc.errors import InputError
from neumatc.family.base import Executor, MatrixFamily, Spec, check_points

__all__ = ["Table"]

# A point counts as tabulated when it agrees to this part of the width of the box: rounding, never interpolation.
_MATCH = 1e-12


@final
@dataclass(frozen=True, init=False, eq=False)
class Table(MatrixFamily):
    """A(p_i) = A_i at m points p_i, and unknown elsewhere.

    Parameters
    ----------
    points : (m,) for one parameter, (m, D) for several; no point twice.
    values : (m, n1, n2), finite; copied.

    Examples
    --------
    >>> import numpy as np
    >>> from neumatc.box import Box
    >>> table = Table([0.0, 0.5, 1.0], np.arange(12.0).reshape(3, 2, 2))
    >>> table.at(np.array([[0.5]]), Box.of((0, 1)))
    array([[[4., 5.],
            [6., 7.]]])
    """

    points: Float64
    values: Array
    returns: Literal["numpy", "torch"]

    def __init__(self, points: npt.ArrayLike, values: npt.ArrayLike) -> None:
        """Copy and check both arrays."""
        object.__setattr__(self, "points", _checked_points(points))
        object.__setattr__(self, "values", _checked_values(values))
        object.__setattr__(self, "returns", "torch" if is_torch(values) else "numpy")
        if len(self.points) != len(self.values):
            raise InputError(
                f"points and values must be equally many; {len(self.points)} points, {len(self.values)} values came. "
                "A row was probably dropped from one of them, or the axes of values are in another order. "
                "Put the points first: values of shape (m, n1, n2)."
            )
        _check_entries(self.values, self.points)
        _refuse_duplicates(self.points)
        for array in (self.points, self.values):
            array.setflags(write=False)

    def at(self, points: Float64, box: Box, executor: Executor | None = None, spec: Spec | None = None) -> Array:
        """Return the tabulated matrices at points (B, D) as (B, n1, n2); any other point raises `InputError`."""
        del executor, spec  # nothing is computed, and all values have one shape
        check_points(points, box)
        self._check_dimension(box)
        reach = _MATCH * box.width
        rows = np.array([self._row(point, reach, box) for point in points], dtype=np.intp)
        matrices: Array = self.values[rows]
        return matrices

    def inspect(self, box: Box) -> Spec:
        """Look at the first entry."""
        self._check_dimension(box)
        shape = (self.values.shape[1], self.values.shape[2])
        return Spec(shape, self.values.dtype, self.returns, box.describe(self.points[0]))

    @cached_property
    def _order(self) -> tuple[npt.NDArray[np.intp], Float64]:
        order = np.argsort(self.points[:, 0], kind="stable")
        return order, self.points[order, 0]

    def _row(self, point: Float64, reach: Float64, box: Box) -> int:
        # Only the rows that agree in the first parameter are compared in full: few, also in a large table.
        order, first = self._order
        start = np.searchsorted(first, point[0] - reach[0], side="left")
        stop = np.searchsorted(first, point[0] + reach[0], side="right")
        near = order[start:stop]
        distance = np.max(np.abs(self.points[near] - point) / reach, axis=1)
        if not len(near) or distance.min() > 1.0:
            raise self._off_the_table(point, box)
        return int(near[np.argmin(distance)])

    def _off_the_table(self, point: Float64, box: Box) -> InputError:
        nearest = self.points[np.argmin(np.max(np.abs(self.points - point) / box.width, axis=1))]
        return InputError(
            f"A(p) is tabulated at {len(self.points)} points only; {box.describe(point)} is not among them, "
            f"the nearest is {box.describe(nearest)}. An exact result was probably asked for between two points. "
            "Ask at a tabulated point, or give A as a callable."
        )

    def _check_dimension(self, box: Box) -> None:
        if self.points.shape[1] != box.dimension:
            raise InputError(
                f"the points of a Table must have as many parameters as the box; the table has {self.points.shape[1]}, "
                f"the box {box} has {box.dimension}. The box probably belongs to other data. "
                "Give one pair (lo, hi) for each column of points."
            )


def _checked_points(points: object) -> Float64:
    array = as_numpy(points, "points")
    if array.dtype.kind == "c" or array.ndim not in (1, 2) or not array.size:
        raise InputError(
            f"points must be real numbers of shape (m,) or (m, D), m > 0; shape {array.shape}, dtype {array.dtype} "
            "came. A grid was probably passed as it is. Flatten it to one point in each row first."
        )
    check_finite(array, "points")
    # Adding zero turns -0.0 into 0.0: they are one point.
    rows: Float64 = array.reshape(len(array), -1).astype(np.float64) + 0.0
    return rows


def _checked_values(values: object) -> Array:
    array = as_numpy(values, "values")
    if array.ndim != 3:
        raise InputError(
            f"values must have shape (m, n1, n2), one matrix for each point; shape {array.shape} came. "
            "An axis was probably lost, or a single matrix was passed. Stack the matrices with np.stack(list)."
        )
    return np.array(array, dtype=working_dtype(array.dtype), order="C")


def _check_entries(values: Array, points: Float64) -> None:
    finite = np.isfinite(values).all(axis=(1, 2))
    if not finite.all():
        row = int(np.argmin(finite))
        check_finite(values[row], f"values[{row}], the matrix at p = {points[row].tolist()},")
    if not values.size:
        raise InputError(
            f"values must hold matrices of at least one row and one column; shape {values.shape} came. "
            "A selection probably matched nothing. Check how the table was read."
        )


def _refuse_duplicates(points: Float64) -> None:
    _, first, count = np.unique(points, axis=0, return_index=True, return_counts=True)
    if len(first) == len(points):
        return
    row = int(first[np.argmax(count > 1)])
    rows = np.flatnonzero((points == points[row]).all(axis=1)).tolist()
    raise InputError(
        f"each point of a Table must occur once; {points[row].tolist()} occurs {len(rows)} times, in rows {rows}. "
        "Repeated measurements, or both ends of a period, were probably kept. Average them, or keep one of them."
    )
