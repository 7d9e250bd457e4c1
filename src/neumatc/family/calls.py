"""Calling a user's function: the place where everything it can do wrong is named.

A function is asked for one point by a `Caller`. The caller converts and copies the answer at once, in the worker where
it was made, so that a function which fills and returns one buffer of its own is safe. Only an array that nobody but the
caller holds is taken as it is: for large matrices a copy can cost as much as building them.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, final

import numpy as np

from neumatc.arrays import Array, as_numpy, check_finite, working_dtype
from neumatc.box import Box, Float64
from neumatc.errors import InputError, NeuMatCError, UndefinedError
from neumatc.family.base import Executor, Spec

__all__ = [
    "Caller",
    "answers",
    "asked",
    "check_callable",
    "check_finite_rows",
    "check_steady",
    "copied",
    "gathered",
]

_AXES = ["a single number", "a vector", "a matrix"]


@final
@dataclass(frozen=True)
class Caller:
    """Asks ``function`` at one point and returns a checked copy; can be sent to another process.

    Parameters
    ----------
    function : the user's, p -> array of ``axes`` axes.
    box : says what p looks like.
    name : how messages write the answer, such as ``"A(p)"``.
    axes : 2 for a matrix, 1 for a vector.
    """

    function: Callable[[Any], Any]
    box: Box
    name: str = "A(p)"
    axes: int = 2

    def __call__(self, row: Float64) -> Array:
        """Return the answer at one point (D,) as an array of its own: finite, of a dtype LAPACK knows."""
        answer = self.raw(row)
        alone = sys.getrefcount(answer) <= _ALONE  # counted before the call below holds it as an argument
        return self.checked(answer, row, ours=alone and _may_be_kept(answer))

    def raw(self, row: Float64) -> Any:
        """Return what the function itself answers at one point (D,)."""
        return asked(self.function, self.box.scalar(row), self.what(row))

    def checked(self, answer: object, row: Float64, ours: bool = False) -> Array:
        """Copy an answer of the function, unless it is ours, or refuse it."""
        what = self.what(row)
        array = as_numpy(answer, what)
        if array.ndim != self.axes:
            raise _wrong_axes(array, what, self.axes)
        return _sound(array, what) if ours else copied(array, what)

    def what(self, row: Float64) -> "What":
        """Name the answer at one point in messages: ``"A(p) at p = 0.3"``."""
        return What(self.name, self.box, row)


class What(NamedTuple):
    """A name for messages that is not written out before there is one: it would take longer than many an answer."""

    name: str
    box: Box
    row: Float64

    def __str__(self) -> str:
        """Write it out."""
        return f"{self.name} at {self.box.describe(self.row)}"


def asked(function: Callable[[Any], Any], p: Any, what: object) -> Any:
    """Call a user's function, and chain whatever it raises to an `UndefinedError` that says where."""
    try:
        return function(p)
    # The user's code may raise anything at all; the point at which it did is what the traceback alone would hide.
    except Exception as cause:
        given = f"an array of shape {p.shape}" if isinstance(p, np.ndarray) else "one float"
        raise UndefinedError(
            f"{what} must be computable; the function raised {_told(cause)}. "
            f"It was given {given}; it may expect its parameters in another form, or be undefined at this point. "
            "Call it there by hand, or shrink the box."
        ) from cause


def _told(cause: Exception) -> str:
    return f"{type(cause).__name__}: {cause}".rstrip(": .")


class Named(Protocol):
    """A call with a name for messages."""

    @property
    def name(self) -> str:
        """What is called."""

    def __call__(self, point: Any, /) -> Any:
        """Answer for one point, or one matrix."""


def answers(caller: Named, points: Array | list[Array], executor: Executor | None) -> Iterator[Any]:
    """Ask for every point (B, D), or matrix, through the executor when there is one; the answers come in order."""
    if executor is None:
        yield from map(caller, points)
        return
    try:
        yield from executor.map(caller, points)
    except NeuMatCError:
        raise
    # What an executor of another library raises for a lost worker or a failed transfer cannot be listed here.
    except Exception as cause:
        raise InputError(
            f"executor must run {caller.name} at {len(points)} points and return the answers in order; "
            f"{type(executor).__name__} raised {_told(cause)}. "
            "A worker process cannot receive a lambda or a function defined inside another one, and it may also die. "
            "Define the function at the top of a module, or use threads, or leave executor out."
        ) from cause


def gathered(caller: Caller, points: Float64, executor: Executor | None, spec: Spec | None) -> Array:
    """Ask for matrices at points (B, D), B > 0, and stack them to (B, n1, n2); one unlike the first is refused."""
    matrices = np.empty(0)
    for row, matrix in enumerate(answers(caller, points, executor)):
        where = caller.box.describe(points[row])
        spec = spec or Spec((matrix.shape[0], matrix.shape[1]), matrix.dtype, where=where)
        spec.check(matrix, where)
        if len(points) == 1:  # a copy of its own already
            alone: Array = matrix[None].astype(spec.dtype, copy=False)
            return alone
        if not row:
            matrices = np.empty((len(points), *spec.shape), spec.dtype)
        matrices[row] = matrix
    return matrices


def check_finite_rows(matrices: Array, points: Float64, box: Box) -> None:
    """Raise `NonFiniteError`, naming the first such point, unless all matrices (B, n1, n2) are finite."""
    finite = np.isfinite(matrices).all(axis=(1, 2))
    if not finite.all():
        row = int(np.argmin(finite))
        check_finite(matrices[row], f"A(p) at {box.describe(points[row])}")


def _references() -> int:
    """Count the references to an array that one local variable holds; versions of Python differ."""
    answer = np.empty(0)
    return sys.getrefcount(answer)


_ALONE = _references()


def _may_be_kept(answer: object) -> bool:
    """Whether an array owns its memory, in the order and a dtype that a copy would have."""
    if type(answer) is not np.ndarray or not (answer.flags.owndata and answer.flags.c_contiguous):
        return False
    return bool(answer.dtype == working_dtype(answer.dtype))


def copied(array: Array, what: object) -> Array:
    """Copy to a dtype LAPACK knows, after checking that there is something in it and that it is finite."""
    return np.array(_sound(array, what), dtype=working_dtype(array.dtype), order="C")


def _sound(array: Array, what: object) -> Array:
    if not array.size:
        raise InputError(
            f"{what} must have at least one row and one column; shape {array.shape} came. "
            "A selection inside the function probably matched nothing. Check the sizes it computes from p."
        )
    check_finite(array, what)
    return array


def check_steady(first: Array, second: Array, what: object) -> None:
    """Raise `InputError` when two answers at one point differ by more than rounding."""
    same = first.shape == second.shape and first.dtype == second.dtype
    if same and _difference(first, second) <= _tolerance(first.dtype):
        return
    came = f"differ by {_difference(first, second):.1e} relative" if same else "differ in shape or dtype"
    raise InputError(
        f"{what} must be the same however often it is asked; the function answers differently twice: two calls {came}. "
        "It probably draws random numbers, or changes something it keeps between calls. "
        "Fix the random seed inside the function, or tabulate its answers with nmc.Table."
    )


def _tolerance(dtype: np.dtype[Any]) -> float:
    # Parallel sums may round differently from run to run; in single precision that is far above 1e-12.
    return max(1e-12, 16 * float(np.finfo(dtype).eps))


def _difference(first: Array, second: Array) -> float:
    size = np.max(np.abs(first))
    # Halves first: the difference of two huge numbers of opposite sign would overflow.
    return float(2 * (np.max(np.abs(first / 2 - second / 2)) / size)) if size else float(np.any(second))


def check_callable(function: object, what: object) -> None:
    """Raise `InputError` unless ``function`` can be called."""
    if not callable(function):
        raise InputError(
            f"{what} must be a function of p; a {type(function).__name__} came. "
            "The function was probably called already, and its result passed on. "
            "Pass the function itself, as in nmc.Family(A), without parentheses after A."
        )


def _wrong_axes(array: Array, what: object, axes: int) -> InputError:
    hints = {
        (2, 0): "A 1 x 1 matrix was probably written as a number. Return np.array([[a]]).",
        (2, 1): "A diagonal or a flattened matrix was probably returned. Return np.diag(a), or reshape it to (n1, n2).",
        (2, 3): "A function of many points was probably given. Use nmc.Family(function, vectorized=True).",
        (1, 0): "A single coefficient was probably written as a number. Return a list such as [1.0, p].",
    }
    other = "An axis was probably added or lost on the way. Check the shape the function returns."
    return InputError(
        f"{what} must be {_AXES[axes]}; {array.ndim} axes came, shape {array.shape}. "
        f"{hints.get((axes, array.ndim), other)}"
    )
