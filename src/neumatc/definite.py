"""Cholesky factors of small matrices, compiled: these take less time than it takes to call LAPACK for each of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from neumatc.arrays import Array, namespace

try:
    from neumatc import _cholesky as compiled
except ImportError:  # no C compiler was there when this package was installed
    compiled = None  # type: ignore[assignment]


def in_memory(N: Any) -> Array | None:
    """Symmetric ``N (B, m, m)`` of NumPy or torch where it lies, if compiled code can factor it; None otherwise."""
    built: Any = compiled
    if built is None or not (isinstance(N, np.ndarray) or N.device.type == "cpu"):
        return None
    here = np.asarray(N)
    return here if here.dtype == np.float64 else None


def factored(N: Array) -> tuple[Array, Array]:
    """Factors for `solved`, and ``(B,)`` the least pivots.

    Those are the ones that N has once its rows and columns are divided by the roots of its diagonal, and NaN where N is
    not positive definite.
    """
    count, m = N.shape[:2]
    R, pivots = np.empty(compiled.numbers(count, m)), np.empty(count)
    compiled.factor(N, R, pivots)
    return R, pivots


def solved(R: Array, g: Any) -> Any:
    """``N⁻¹ g`` for ``g (B, m)``, in its library."""
    right = np.asarray(g)
    x = np.empty_like(right)
    compiled.solve(R, right, x)
    return as_in(g, x)


def least_squares(columns: Array, r: Array) -> tuple[Array, float] | None:
    """``argmin |J x - r|`` for ``columns (m, E)``, those of J, and ``r (E,)``, with one step of refinement.

    Real or complex numbers in double precision. Returns x and the least pivot of ``JᴴJ`` as `factored` tells it; None
    without compiled code for such arrays.
    """
    built: Any = compiled
    if built is None or columns.dtype.char not in "dD" or r.dtype != columns.dtype:
        return None
    columns, r, x = np.ascontiguousarray(columns), np.ascontiguousarray(r), np.empty(len(columns), columns.dtype)
    least: float = built.least_squares(columns.view(float), r.view(float), x.view(float))
    return x, least


def as_in(other: Any, x: Array) -> Any:
    """An array in the library of another one."""
    return x if isinstance(other, np.ndarray) else namespace(other).from_numpy(x)
