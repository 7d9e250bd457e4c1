"""What a caller's functions and arrays mean: sparse matrices and vectors, checked, in double precision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from neumatc.arrays import Array, as_numpy, check_finite, is_sparse
from neumatc.box import Box
from neumatc.errors import InputError
from neumatc.family.calls import asked


def assembled(function: Callable[[Any], Any], box: Box, point: Array) -> Any:
    """What a user's function answers at one point (D,): a sparse matrix, checked, as CSC in double precision."""
    what = f"A(p) at {box.describe(point)}"
    A = asked(function, box.scalar(point), what)
    if not is_sparse(A):
        raise InputError(
            f"{what} must be a scipy.sparse matrix, as it is in the middle of the box; a {type(A).__name__} came. "
            "The function probably returns dense matrices for some p. Return one kind for all p."
        )
    A = A.tocsc()
    check_finite(A.data, what)
    return A.astype(np.result_type(A.dtype, np.float64), copy=False)


def right_side(value: Any, what: str) -> Array:
    """A vector (n,), or k of them as columns (n, k), finite and in double precision, from what a caller means by b.

    One column (n, 1) is a vector: the parts of an `Affine` have two axes always.
    """
    array = as_numpy(value.toarray() if is_sparse(value) else value, what)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim not in (1, 2) or not array.size:
        raise InputError(
            f"{what} must be a vector (n,) or k of them as columns (n, k); shape {array.shape} came. "
            "A stack of matrices, one number or nothing was probably passed. Put right-hand sides side by side."
        )
    check_finite(array, what)
    return array.astype(np.result_type(array.dtype, np.float64))


def mixed(psi: Array, parts: Array) -> Array:
    """``Σ_s ψ_s f_s`` of parts ``(S, m)`` or ``(S, m, k)``, with ``ψ (..., S)``."""
    mixture: Array = psi @ parts if parts.ndim == 2 else np.tensordot(psi, parts, axes=1)
    return mixture


def unit(dtype: np.dtype[Any]) -> float:
    """Relative error of one operation: half a unit in the last place, ``√8`` times that for complex products."""
    half = float(np.finfo(dtype).eps) / 2
    return half * (8**0.5 if np.issubdtype(dtype, np.complexfloating) else 1.0)
