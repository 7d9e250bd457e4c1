"""A(p) as a function that can be asked anywhere in the box."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np

from neumatc.arrays import Array, as_numpy, is_torch
from neumatc.box import Box, Float64
from neumatc.errors import InputError
from neumatc.family.base import Executor, MatrixFamily, Spec, check_points
from neumatc.family.calls import Caller, asked, check_callable, check_finite_rows, check_steady, copied, gathered

__all__ = ["Family", "as_family"]


@final
@dataclass(frozen=True)
class Family(MatrixFamily):
    """A(p) given by a function, p ↦ A(p) ∈ C^(n1 × n2).

    Parameters
    ----------
    function : p -> (n1, n2), where p is a float for one parameter and an array (D,) for several; with
        ``vectorized=True`` p is (B,) or (B, D), and the answer (B, n1, n2).
    vectorized : whether one call answers for all points.

    Examples
    --------
    >>> import numpy as np
    >>> from neumatc.box import Box
    >>> family = Family(lambda p: np.array([[2.0, p], [p, 2.0]]))
    >>> family.at(np.array([[0.0], [1.0]]), Box.of((0, 1))).shape
    (2, 2, 2)
    """

    function: Callable[[Any], Any]
    vectorized: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be called."""
        check_callable(self.function, "the function of a Family")

    def at(self, points: Float64, box: Box, executor: Executor | None = None, spec: Spec | None = None) -> Array:
        """Return A at points (B, D) as (B, n1, n2); see `MatrixFamily.at`. A vectorized function is called once."""
        check_points(points, box)
        if not len(points):
            spec = spec or self.inspect(box)
            return np.empty((0, *spec.shape), spec.dtype)
        if self.vectorized:
            return self._batch(points, box, spec)
        return gathered(Caller(self.function, box), points, executor, spec)

    def inspect(self, box: Box) -> Spec:
        """Ask in the middle of the box, twice."""
        middle = box.middle
        caller = Caller(self.function, box)
        if self.vectorized:
            answer = self._ask(middle, box)
            first, second = self._checked(answer, middle, box)[0], self._batch(middle, box, None)[0]
        else:
            answer = caller.raw(middle[0])
            first, second = caller.checked(answer, middle[0]), caller(middle[0])
        check_steady(first, second, caller.what(middle[0]))
        returns: Literal["numpy", "torch"] = "torch" if is_torch(answer) else "numpy"
        return Spec((first.shape[0], first.shape[1]), first.dtype, returns, box.describe(middle[0]))

    def _batch(self, points: Float64, box: Box, spec: Spec | None) -> Array:
        matrices = self._checked(self._ask(points, box), points, box)
        if spec is not None:
            spec.check(matrices[0], box.describe(points[0]))
        return matrices

    def _ask(self, points: Float64, box: Box) -> Any:
        # A copy, so that a function which works in place does not move the points.
        p = points[:, 0].copy() if box.dimension == 1 else points.copy()
        return asked(self.function, p, f"A(p) at {len(points)} points, the first {box.describe(points[0])},")

    def _checked(self, answer: object, points: Float64, box: Box) -> Array:
        count = len(points)
        matrices = as_numpy(answer, f"A(p) at {count} points")
        if matrices.ndim != 3 or len(matrices) != count:
            raise InputError(
                f"A vectorized function must answer {count} points with shape ({count}, n1, n2); "
                f"shape {matrices.shape} came, the first point is {box.describe(points[0])}. "
                "The function probably takes one point at a time, or puts the batch in another axis. "
                "Leave vectorized=True out, or move the batch axis to the front."
            )
        check_finite_rows(matrices, points, box)
        return copied(matrices, f"A(p) at {count} points")


def as_family(A: object) -> MatrixFamily:
    """Wrap what a user passes for A: a callable becomes a `Family`, a `Family`, `Table` or `Affine` stays.

    Examples
    --------
    >>> import numpy as np
    >>> as_family(lambda p: p * np.eye(2)).tabulated
    False
    """
    if isinstance(A, MatrixFamily):
        return A
    if not callable(A):
        shape = getattr(A, "shape", None)
        came = type(A).__name__ if shape is None else f"{type(A).__name__} of shape {tuple(shape)}"
        raise InputError(
            f"A must be a function of p, an nmc.Table or an nmc.Affine; a {came} came. "
            "The matrices were probably computed beforehand, at certain points. "
            "Use nmc.Table(points, values) for tabulated matrices, or pass a callable such as lambda p: A0 + p * A1."
        )
    return Family(A)
