"""The product of coefficients and latent slices: ``phi (B, d) @ C (d, N)``, for few rows and very many columns.

They go to ``_product``, compiled code of our own. Up to eight rows are one read of C, a few rows of it side by side.
More are written past the caches while others are computed, in a third to a half of the time of a general matrix
product. A row has the same bits whatever rows stand beside it. Where ``_product`` was not built, NumPy's product is
taken; results agree to rounding.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from functools import cache
from typing import Any, TypeAlias

import numpy as np

from neumatc.arrays import Array, is_complex, real_dtype

try:
    from neumatc import _product as compiled
except ImportError:  # no C compiler was there when this package was installed
    compiled = None  # type: ignore[assignment]

STREAM = 1 << 24
"""Bytes of results from which they are written past the caches, which could not hold them."""

ALONE = 1 << 20
"""Work, about twenty microseconds, below which helpers are not called: that takes half of it."""

ALONE_ONE = 1 << 19
"""The same for one row, in numbers of C. Behind it helpers wait awake for a moment: queries follow one another."""

TALL = 512
"""Rows up to which a product may replace its own factor: the columns of a panel are read before any of them is written,
but these many rows at once."""

LARGE, FEW = 1 << 14, 64
"""Numbers of a matrix, and columns behind it, for which compiled code beats NumPy's product."""

BANKS, ASIDE = 1 << 26, 1088
"""Bytes after which memory is in the same bank again, and by how many a row moves aside whose length is a multiple of
them: rows side by side that begin in one bank wait for each other, and are read in twice the time."""

PIECE = 1 << 12
"""Columns that are replaced at once without compiled code, few enough for the cache."""

Product: TypeAlias = tuple[Array, Array | None, Array]
"""``C, places, out`` of a product."""


def product(phi: Array, C: Array, out: Array | None = None) -> Array:
    """``phi (B, d) @ C (d, N)`` into ``out (B, N)``.

    Real coefficients against complex slices are one real product of twice the width.
    """
    if out is None:
        out = np.empty((phi.shape[0], C.shape[1]), C.dtype)
    if not scatter(phi, C, None, out):
        _by_numpy(phi, C, out)
    return out


def rows_apart(shape: tuple[int, ...], dtype: Any) -> Array:
    """Memory ``(d, …)`` for latent slices, each contiguous: one whose rows do not begin in the same bank of memory.

    >>> rows_apart((3, 4, 2), float).strides
    (64, 16, 8)
    """
    size, columns = np.dtype(dtype).itemsize, math.prod(shape[1:])
    if columns == 0 or columns * size % BANKS:
        return np.empty(shape, dtype)
    return np.empty((shape[0], columns + ASIDE // size), dtype)[:, :columns].reshape(shape)


def in_place(weights: Array, C: Array) -> None:
    """``weights (k, d) @ C (d, N)`` in place of the first k rows of C, without a second copy of it.

    Real weights on complex rows are one real product of twice the width.
    """
    if is_complex(C.dtype) and not is_complex(weights.dtype):
        in_place(weights, C.view(real_dtype(C.dtype)))
    elif len(weights) > TALL or not scatter(weights, C, None, C[: len(weights)]):
        by_pieces(weights, C)


def by_pieces(weights: Any, C: Any) -> None:
    """`in_place` without compiled code, NumPy or torch: a few columns at once."""
    for start in range(0, C.shape[1], PIECE):
        piece = C[:, start : start + PIECE]
        piece[: len(weights)] = weights @ piece


def thin(left: Any, A: Any) -> Any:
    """``left (k, n) @ A (n, N)``, or ``A (B, n, N)``, for few rows k; any library."""
    if not isinstance(A, np.ndarray) or left.ndim > 2 or A.dtype != np.result_type(left, A):
        return left @ A
    if A.ndim == 2:
        return product(left, A)
    found = np.empty((len(A), len(left), A.shape[2]), A.dtype)
    for matrix, out in zip(A, found, strict=True):
        product(left, matrix, out)
    return found


def tall(S: Any, Z: Any) -> Any:
    """``S @ Z`` for matrices ``S (m, n)`` or ``(B, m, n)`` and Z of few columns, one for all or one each; any library.

    Large matrices of NumPy, or their transposes, are multiplied by compiled code, in half of the time.
    """
    if not _is_tall(S, Z):
        return S @ Z
    if S.ndim == 2 and Z.ndim == 2:
        return _tall(S, Z)
    count = max(len(X) for X in (S, Z) if X.ndim == 3)
    pairs = zip(*(np.broadcast_to(X, (count, *X.shape[-2:])) for X in (S, Z)), strict=True)
    return np.stack([_tall(matrix, columns) for matrix, columns in pairs])


def times(h: Array, weight: Array) -> Array:
    """``h @ weight`` for rows ``h (B, k)`` or one row ``(k,)``; the small products of a curve.

    NumPy's pool of threads would stay awake behind one of them, on the cores that the product with C needs next.
    """
    return h.dot(weight) if h.ndim == 1 else product(h, weight)


def square(x: Array) -> float:
    """``Σ |x_i|²``, with no thread of NumPy's pool: it would stay awake on the cores that the next product needs."""
    built: Any = compiled
    if built is not None and x.flags.c_contiguous and x.dtype.char in "dD":
        return float(built.square(x))
    numbers = x.ravel()
    return float(np.vdot(numbers, numbers).real)


def scatter(phi: Array, C: Array, places: Array | None, out: Array) -> bool:
    """``out[:, to : to + count] = phi @ C[:, start : start + count]`` for every ``(start, count, to)`` of ``places``.

    Zeros are written where ``start`` is negative; without places, ``out = phi @ C``. ``phi (B, d)``, ``C (d, N)``,
    ``places (S, 3)``, ``out (B, L)``. Returns False, and does nothing, without compiled code for such arrays: see
    `can_scatter`; all rows must be contiguous.
    """
    return scatter_all(phi, [(C, places, out)])


def scatter_all(phi: Array, wanted: Sequence[Product]) -> bool:
    """The same for several products of one dtype, all or none: side by side, and threads are called once for them."""
    built: Any = compiled
    if built is None:
        return False
    products, work, numbers = [], 0, phi
    for C, places, out in wanted:
        if C.dtype.kind == "c":
            if not (_in_rows(C) and _in_rows(out) and out.dtype == C.dtype and phi.flags.c_contiguous):
                return False
            real, places = real_dtype(C.dtype), None if places is None else 2 * places
            numbers, C, out = phi.view(real) if phi.dtype == C.dtype else phi, C.view(real), out.view(real)
        products.append((C, out, places, out.nbytes > STREAM))
        work += _work(numbers, C, places)
    done: bool = built.multiply(numbers, tuple(products), threads() if work > ALONE else 1)
    return done


def _work(phi: Array, C: Array, places: Array | None) -> int:
    """How much there is to do for a product, in the unit of `ALONE`."""
    rows, width = phi.shape
    if rows == 1:
        return int(C.size) * (ALONE // ALONE_ONE)
    columns = C.shape[1] if places is None else places[:, 1].sum()
    return int(columns) * int(rows * width + 4 * (rows + width))


def can_scatter(dtype: Any) -> bool:
    """Whether there is compiled code, for slices of that type."""
    built: Any = compiled
    return built is not None and real_dtype(dtype).char in "fd"


@cache
def threads() -> int:
    """How many threads a product may take: ``OMP_NUM_THREADS`` if that is set, else one for each core we may use."""
    wanted = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    if wanted.isdigit() and int(wanted) > 0:
        return int(wanted)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def processor() -> int:
    """The number of the processor on which this thread runs, -1 where it cannot be told."""
    built: Any = compiled
    return -1 if built is None else int(built.processor())


def _by_numpy(phi: Array, C: Array, out: Array) -> None:
    if is_complex(C.dtype) and not is_complex(phi.dtype) and _in_rows(C) and _in_rows(out):
        C, out = C.view(real_dtype(C.dtype)), out.view(real_dtype(C.dtype))
    if phi.shape[0] == 1 and C.flags.c_contiguous:
        np.dot(phi[0], C, out=out[0])
    else:
        np.matmul(phi, C, out=out)


def _tall(S: Array, Z: Array) -> Array:
    if S.flags.c_contiguous:
        return product(S, np.ascontiguousarray(Z))
    return product(np.ascontiguousarray(Z.T), S.T).T


def _is_tall(S: Any, Z: Any) -> bool:
    """Whether `_tall` is the faster way: for one column NumPy's is."""
    if not (isinstance(S, np.ndarray) and isinstance(Z, np.ndarray) and S.dtype == Z.dtype and can_scatter(S.dtype)):
        return False
    if not (S.ndim in (2, 3) and Z.ndim in (2, 3) and S.size and Z.size):
        return False
    inner = (S if S.ndim == 2 else S[0]).flags
    in_order = inner.c_contiguous or inner.f_contiguous
    return bool(in_order and 1 < Z.shape[-1] <= FEW and S.shape[-2] * S.shape[-1] >= LARGE)


def _in_rows(X: Array) -> bool:
    return X.shape[1] <= 1 or X.strides[1] == X.itemsize
