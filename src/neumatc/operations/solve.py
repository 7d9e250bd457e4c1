"""Linear systems: A X = b, one or many right-hand sides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from neumatc.arrays import namespace
from neumatc.box import Box
from neumatc.equations import Equation, equal, frobenius, known, unknown
from neumatc.family import MatrixFamily, Spec
from neumatc.family.calls import asked
from neumatc.gauge import Factors, Gauge, NoGauge
from neumatc.layout import Kind

from .base import Operation
from .several import SMALL, Shapes, as_shapes, bundled, cut, refuse_unless, relative_error, shapes_of

NAMES = ("A", "b")


@final
@dataclass(frozen=True)
class Solve(Operation):
    """``X = A⁻¹ b`` for square A, from ``A X = b``.

    Parameters
    ----------
    shapes : of A (n, n) and b (n, k); settled when the matrices are first looked at
    vector : whether b came as a vector (n,), so that the answer is one too

    Notes
    -----
    The relative residual is ``‖A X - b‖_F / ‖b‖_F``. From ``X - X* = A⁻¹ (A X - b)`` follows
    ``‖X - X*‖_F <= ‖A X - b‖_F / σ_min(A)``: no bound of the error without σ_min, which is computed up to n = 64 and
    costs like a solve beyond.

    Examples
    --------
    >>> import numpy as np
    >>> op = Solve(((2, 2), (2, 1)), vector=True)
    >>> F = op.exact(np.array([[[2.0, 0.0, 0.0, 4.0, 1.0, 1.0]]]))
    >>> op.present(F)
    array([[0.5 , 0.25]])
    """

    shapes: Shapes = ()
    vector: bool = False
    name: str = "solve"

    def __post_init__(self) -> None:
        object.__setattr__(self, "shapes", as_shapes(self.shapes))

    def exact(self, A: Any) -> Factors:
        given = self.given(A)
        return {"X": namespace(A).linalg.solve(given["A"], given["b"])}

    def equations(self) -> tuple[Equation, ...]:
        return (equal(known("A") @ unknown("X"), known("b")),)

    @property
    def gauge(self) -> Gauge:
        return NoGauge()

    @property
    def unlocked(self) -> bool:
        return True

    def given(self, A: Any) -> dict[str, Any]:
        return cut(A, self.shapes, NAMES)

    def family(self, matrices: Any, box: Box) -> MatrixFamily:
        del box
        return bundled(matrices, NAMES, self.name)

    def tailored(self, matrices: Any, family: MatrixFamily, box: Box, spec: Spec) -> Solve:
        del spec
        shapes = shapes_of(family, box, NAMES)
        vector = shapes[1][1] == 1 and isinstance(matrices, tuple | list) and _is_vector(matrices[1], box)
        return replace(self, shapes=shapes, vector=vector)

    def check(self, shape: tuple[int, int]) -> None:
        del shape
        (rows, columns), (length, _) = self.shapes
        refuse_unless(rows == columns, self.name, NAMES, self.shapes, "a square A")
        refuse_unless(rows == length, self.name, NAMES, self.shapes, "a b with as many rows as A")

    def storage(self, known: Mapping[str, Any], F: Mapping[str, Any]) -> dict[str, Kind]:
        del known, F  # the solution of Hermitian A and b is Hermitian by accident only
        return {}

    def in_place(self, kinds: Mapping[str, Kind]) -> tuple[str, ...]:
        del kinds
        return self.unknowns

    def present(self, F: Mapping[str, Any]) -> Any:
        return F["X"][..., 0] if self.vector else F["X"]

    def bound(self, known: Mapping[str, Any], F: Mapping[str, Any], residual: Any) -> tuple[Any, str] | None:
        A = known["A"]
        if A.shape[-1] > SMALL:
            return None
        sigma = np.linalg.svd(A, compute_uv=False)
        # Less what rounding may have added to it.
        smallest = sigma[..., -1] - A.shape[-1] * np.finfo(float).eps * sigma[..., 0]
        step = np.where(smallest > 0, residual * frobenius(known["b"]) / np.where(smallest > 0, smallest, 1), np.inf)
        return relative_error(step, F["X"]), "‖X - X*‖_F <= ‖A X - b‖_F / σ_min(A), with σ_min(A(p)) computed"


def _is_vector(b: Any, box: Box) -> bool:
    """Whether a caller's b, a constant or a function of p, is a vector (n,)."""
    if isinstance(b, MatrixFamily):
        return False
    value = asked(b, box.scalar(box.middle[0]), "b(p)") if callable(b) else b
    return np.ndim(value) == 1
