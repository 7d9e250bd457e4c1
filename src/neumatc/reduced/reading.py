"""From A and b as a caller writes them to a system."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from neumatc.arrays import Array
from neumatc.box import Box
from neumatc.errors import InputError
from neumatc.family import Affine, Family
from neumatc.family.calls import asked

from .entries import assembled, mixed, right_side
from .system import AffineSystem, GeneralSystem, System


def system_of(A: Any, b: Any, box: Any) -> System:
    """Check that A (an `Affine` of sparse matrices, or a function) and b belong together."""
    box = Box.of(box)
    if isinstance(A, Family):
        A = A.function
    return _affine(A, b, box) if isinstance(A, Affine) else _general(A, b, box)


def _affine(A: Affine, b: Any, box: Box) -> AffineSystem:
    _check_square(A.shape)
    if callable(b) and not isinstance(b, Affine):
        raise InputError(
            "`solve` of a sparse Affine needs b as a vector, or as an Affine of vectors; a function came. "
            "A general b(p) would have to be read in full at every query. "
            "Write b(p) = Σ ψ_s(p) f_s and pass nmc.Affine([f_0, …], psi), each f_s of shape (n, 1) or (n, k)."
        )
    family = b if isinstance(b, Affine) else None
    right = _columns(family) if family else right_side(b, "b")[None]
    _check_rows(A.shape[0], right.shape[1])
    middle = box.middle
    psi = family.theta(middle, box) if family else right
    dtype = np.result_type(A.theta(middle, box).dtype, psi.dtype, right.dtype, *(part.dtype for part in A.matrices))
    return AffineSystem(A, right, family, box, A.shape[0], np.result_type(dtype, np.float64))


def _general(A: Callable[[Any], Any], b: Any, box: Box) -> GeneralSystem:
    middle = box.middle[0]
    first = assembled(A, box, middle)
    _check_square(first.shape)
    right = _function(b, box)
    value = right_side(asked(right, box.scalar(middle), "b(p)"), "b(p)")
    _check_rows(first.shape[0], len(value))
    return GeneralSystem(A, right, box, first.shape[0], np.result_type(first.dtype, value.dtype), value.shape[1:])


def _function(b: Any, box: Box) -> Callable[[Any], Any]:
    """B as a function of p."""
    if isinstance(b, Affine):
        columns = _columns(b)
        return lambda p: mixed(b.theta(np.atleast_1d(np.asarray(p, float))[None], box)[0], columns)
    if callable(b):
        function: Callable[[Any], Any] = b
        return function
    return Always(right_side(b, "b"))


@final
@dataclass(frozen=True)
class Always:
    """A right side that does not depend on p."""

    vector: Array

    def __call__(self, p: Any) -> Array:
        del p
        return self.vector


def _columns(b: Affine) -> Array:
    """The terms of an affine right side, (S, n) or (S, n, k)."""
    return np.stack([right_side(part, f"b's matrices[{s}]") for s, part in enumerate(b.matrices)])


def _check_square(shape: tuple[int, int]) -> None:
    if shape[0] != shape[1]:
        raise InputError(
            f"`solve` needs a square A, but A(p) is {shape[0]} x {shape[1]}. "
            "A rectangular system has least-squares solutions only. Use `pinv` of a dense A, or drop the excess rows."
        )


def _check_rows(rows: int, entries: int) -> None:
    if entries != rows:
        raise InputError(
            f"`solve` needs a square A and a b of as many rows; A(p) is {rows} x {rows} and b has {entries}. "
            "They probably come from different grids, or boundary rows were dropped in one of them. "
            "Assemble both on the same unknowns."
        )
