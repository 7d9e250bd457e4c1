"""A family in complex arithmetic: real matrices whose results are complex."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, final

import numpy as np

from neumatc.arrays import Array
from neumatc.box import Box, Float64
from neumatc.family.base import Executor, MatrixFamily, Spec

__all__ = ["Complexified"]


@final
@dataclass(frozen=True, eq=False)
class Complexified(MatrixFamily):
    """``p -> A(p)`` in the complex dtype of the same precision.

    Parameters
    ----------
    member : A(p), real or complex.

    Examples
    --------
    >>> from neumatc.family import Family
    >>> box = Box.of((0, 1))
    >>> Complexified(Family(lambda p: p * np.eye(2))).at(np.array([[0.5]]), box).dtype
    dtype('complex128')
    """

    member: MatrixFamily

    @property
    def points(self) -> Float64 | None:  # type: ignore[override]
        """Those of the member."""
        return self.member.points

    def at(self, points: Float64, box: Box, executor: Executor | None = None, spec: Spec | None = None) -> Array:
        """Return A(p), complex."""
        # The member may be compared with what it was only in its own dtype.
        del spec
        matrices = self.member.at(points, box, executor, self._spec(box))
        return matrices.astype(np.result_type(matrices.dtype, np.complex64))

    def inspect(self, box: Box) -> Spec:
        """Look at the member."""
        spec = self._spec(box)
        return replace(spec, dtype=np.result_type(spec.dtype, np.complex64))

    def _spec(self, box: Box) -> Spec:
        key = (box.lower, box.upper)
        if key not in self._seen:
            self._seen[key] = self.member.inspect(box)
        return self._seen[key]

    @cached_property
    def _seen(self) -> dict[Any, Spec]:
        # A member is asked twice at one point to be inspected; building A(p) may be what costs.
        return {}
