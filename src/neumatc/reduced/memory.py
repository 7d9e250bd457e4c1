"""Memory that a caller may lend for answers."""

from __future__ import annotations

from typing import Any

import numpy as np

from neumatc.arrays import Array
from neumatc.errors import InputError


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
