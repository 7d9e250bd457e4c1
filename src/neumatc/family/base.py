"""What every A(p) offers, and what one look at it tells."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from neumatc.arrays import Array
from neumatc.box import Box, Float64
from neumatc.errors import InputError

__all__ = ["Executor", "MatrixFamily", "Spec", "check_dtype", "check_points"]


class Executor(Protocol):
    """Anything with the ``map`` of `concurrent.futures.Executor`: threads, processes, Dask, mpi4py."""

    def map(self, fn: Callable[..., Any], /, *iterables: Iterable[Any]) -> Iterator[Any]:
        """Apply ``fn`` to every element, possibly elsewhere, and return the answers in order."""
        ...


@dataclass(frozen=True)
class Spec:
    """What all matrices of a family have in common.

    Parameters
    ----------
    shape : (n1, n2).
    dtype : one of float32, float64, complex64, complex128.
    returns : the library whose arrays the user's function answers with.
    where : the point at which this was found out, such as ``"p = 0.5"``, for messages.
    """

    shape: tuple[int, int]
    dtype: np.dtype[Any]
    returns: Literal["numpy", "torch"] = "numpy"
    where: str = "an earlier p"

    def check(self, matrix: Array, where: str) -> None:
        """Raise `InputError`, naming both points, unless ``matrix`` (n1, n2) is of this shape and dtype."""
        if matrix.shape != self.shape:
            raise InputError(
                f"A(p) must keep one shape; it is {self.shape} at {self.where} but {matrix.shape} at {where}. "
                "The function probably builds its matrix in a size that depends on p. "
                "Pad to a common size, or fit the ranges of p with equal sizes one by one."
            )
        check_dtype(matrix.dtype, f"A(p) at {where}", self.dtype, self.where)


def check_dtype(dtype: np.dtype[Any], what: object, first: np.dtype[Any], where_first: str) -> None:
    """Raise `InputError`, naming both points, unless the answer ``what`` has the dtype of the first one."""
    if dtype != first:
        raise InputError(
            f"{what} must keep one dtype for all p; it is {dtype} here but {first} at {where_first}. "
            "A complex result probably turns real for some p, or single and double precision are mixed. "
            f"Return .astype(numpy.{np.result_type(dtype, first)}) of it for every p."
        )


class MatrixFamily(ABC):
    """A matrix A(p), p in a box. Two methods to write; answers are always copies, finite, of one shape and dtype."""

    points: Float64 | None = None
    """The only points (m, D) at which A(p) is known, so that samples must be chosen among them; None: anywhere."""

    @property
    def tabulated(self) -> bool:
        """Whether A(p) is known at some points only."""
        return self.points is not None

    @abstractmethod
    def at(self, points: Float64, box: Box, executor: Executor | None = None, spec: Spec | None = None) -> Array:
        """Return A at many points.

        Parameters
        ----------
        points : (B, D) in the box, in the caller's units, as `Box.points` gives them.
        box : names the parameters, and says whether the function gets a float or an array.
        executor : where to call the function; None calls it here, one point after the other.
        spec : what earlier answers looked like; the new ones must agree. None compares with the first answer.

        Returns
        -------
        (B, n1, n2), finite.
        """

    @abstractmethod
    def inspect(self, box: Box) -> Spec:
        """Find shape, dtype and library of the answers by asking at one point (twice: both answers must agree)."""


def check_points(points: Float64, box: Box) -> None:
    """Raise `InputError` unless ``points`` is (B, D) for this box."""
    if points.ndim != 2 or points.shape[1] != box.dimension:
        raise InputError(
            f"points must have shape (B, {box.dimension}) for the box {box}; shape {points.shape} came. "
            "The points were probably not passed through Box.points. Write points, batch_shape = box.points(p) first."
        )
