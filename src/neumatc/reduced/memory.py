"""Answers from coefficients, in memory that a caller may lend."""

from __future__ import annotations

from typing import Any

import numpy as np

from neumatc.arrays import Array
from neumatc.errors import InputError
from neumatc.products import product


def buffer(out: Any, shape: tuple[int, ...], dtype: Any) -> Array:
    """Memory for answers: the caller's, checked, or new."""
    if out is None:
        return np.empty(shape, dtype)
    fits = isinstance(out, np.ndarray) and out.shape == shape and out.dtype == dtype
    if not fits or not (out.flags.c_contiguous and out.flags.writeable):
        came = f"{type(out).__name__} {getattr(out, 'shape', '')} {getattr(out, 'dtype', '')}"
        raise InputError(
            f"`out` must be a writeable, C-contiguous array of shape {shape} and dtype {dtype}, got {came}. "
            "Nothing is cast or copied into place. Allocate it with np.empty(shape, dtype)."
        )
    array: Array = out
    return array


def expanded(phi: Array, C: Array, out: Array | None = None) -> Array:
    """``Σ_j φ_j v_j`` for a basis ``C (d, n)``: (B, n) of coefficients (B, d), and (B, n, k) of (B, d, k)."""
    return product(phi, C, out) if phi.ndim == 2 else np.matmul(C.T, phi, out=out)
