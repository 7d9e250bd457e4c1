"""Several matrices that depend on the same parameters, as one family: what an operation of A(p) and b(p) needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np

from neumatc.arrays import Array, as_numpy
from neumatc.box import Box, Float64
from neumatc.errors import InputError
from neumatc.family.base import Executor, MatrixFamily, Spec, check_points
from neumatc.family.calls import copied
from neumatc.family.function import as_family

__all__ = ["Bundle", "Constant"]


@final
@dataclass(frozen=True, init=False, eq=False)
class Constant(MatrixFamily):
    """The same matrix at every p; a vector becomes one column."""

    matrix: Array

    def __init__(self, matrix: Any, name: str = "the matrix") -> None:
        """Copy and check the matrix."""
        array = as_numpy(matrix, name)
        if array.ndim not in (1, 2):
            raise InputError(
                f"{name} must be a matrix, a vector, or a function of p; an array of {array.ndim} axes came. "
                "A stack of matrices, one for each p, was probably passed. Use nmc.Table(points, values) for it."
            )
        object.__setattr__(self, "matrix", copied(array.reshape(len(array), -1) if array.ndim == 1 else array, name))

    def at(self, points: Float64, box: Box, executor: Executor | None = None, spec: Spec | None = None) -> Array:
        """Return the matrix B times, as a view."""
        del executor, spec
        check_points(points, box)
        return np.broadcast_to(self.matrix, (len(points), *self.matrix.shape))

    def inspect(self, box: Box) -> Spec:
        """Shape and dtype of the matrix."""
        rows, columns = self.matrix.shape
        return Spec((rows, columns), self.matrix.dtype, where=box.describe(box.middle[0]))


@final
@dataclass(frozen=True)
class Column:
    """A function whose vectors become matrices of one column; can be sent to another process."""

    function: Any

    def __call__(self, p: Any) -> Any:
        answer = self.function(p)
        return answer[:, None] if getattr(answer, "ndim", 2) == 1 else answer


@final
@dataclass(frozen=True, eq=False)
class Bundle(MatrixFamily):
    """``p -> (A(p), B(p), …)``, each matrix flattened, laid side by side in one row.

    Parameters
    ----------
    members : name -> family.

    Examples
    --------
    >>> box = Box.of((0, 1))
    >>> bundle = Bundle.of({"A": lambda p: p * np.eye(2), "b": np.array([3.0, 4.0])})
    >>> bundle.at(np.array([[0.5]]), box)[0]
    array([[0.5, 0. , 0. , 0.5, 3. , 4. ]])
    >>> bundle.shapes(box)
    {'A': (2, 2), 'b': (2, 1)}
    """

    members: Mapping[str, MatrixFamily]

    @staticmethod
    def of(matrices: Mapping[str, Any]) -> "Bundle":
        """Read every member as a caller may write it: a function of p, a constant array, a `Table` or an `Affine`."""
        return Bundle({name: _member(value, name) for name, value in matrices.items()})

    @cached_property
    def points(self) -> Float64 | None:  # type: ignore[override]
        """The points of the tables among the members, which must agree."""
        tables = [member.points for member in self.members.values() if member.points is not None]
        if any(table.shape != tables[0].shape or not np.array_equal(table, tables[0]) for table in tables):
            raise InputError(
                f"all tables of one problem must have the same points; those of {list(self.members)} differ. "
                "They were probably measured separately. Tabulate all matrices at common points."
            )
        return tables[0] if tables else None

    def at(self, points: Float64, box: Box, executor: Executor | None = None, spec: Spec | None = None) -> Array:
        """Return (B, 1, N): the members at points (B, D), flattened, in one dtype."""
        del spec  # each member is compared with what it was itself
        specs = self._specs(box)
        rows = [
            member.at(points, box, executor, specs[name]).reshape(len(points), 1, -1)
            for name, member in self.members.items()
        ]
        return np.concatenate(rows, axis=-1)

    def inspect(self, box: Box) -> Spec:
        """Look at every member."""
        specs = self._specs(box)
        dtype = np.result_type(*(spec.dtype for spec in specs.values()))
        torch_first = sorted((spec.returns for spec in specs.values()), reverse=True)
        total = sum(spec.shape[0] * spec.shape[1] for spec in specs.values())
        return Spec((1, total), dtype, torch_first[0], next(iter(specs.values())).where)

    def shapes(self, box: Box) -> dict[str, tuple[int, int]]:
        """Shape of every member."""
        return {name: spec.shape for name, spec in self._specs(box).items()}

    def _specs(self, box: Box) -> dict[str, Spec]:
        key = (box.lower, box.upper)
        if key not in self._seen:
            self._seen[key] = {name: member.inspect(box) for name, member in self.members.items()}
        return self._seen[key]

    @cached_property
    def _seen(self) -> dict[Any, dict[str, Spec]]:
        # A member is asked twice at one point to be inspected; building A(p) may be what costs.
        return {}


def _member(value: Any, name: str) -> MatrixFamily:
    if isinstance(value, MatrixFamily):
        return value
    if callable(value):
        return as_family(Column(value))
    return Constant(value, name)
