"""Kinds of coefficients and slices that the one formula must hold for."""

from typing import Any

import numpy as np
import pytest

DTYPES = {  # coefficients, slices
    "real": (np.float64, np.float64),
    "real against complex": (np.float64, np.complex128),
    "complex": (np.complex128, np.complex128),
    "single": (np.float32, np.float32),
    "single real against complex": (np.float32, np.complex64),
    "single complex": (np.complex64, np.complex64),
}
EVERY = pytest.mark.parametrize("kind", DTYPES)


def draw(shape: tuple[int, ...], dtype: Any, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal(shape)
    return (X + 1j * rng.standard_normal(shape) if np.dtype(dtype).kind == "c" else X).astype(dtype)
