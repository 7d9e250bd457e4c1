"""The product of coefficients and latent slices: ``phi (B, d) @ C (d, N)``, for few rows and very many columns.

One row is one read of C, for which NumPy's product is as fast as memory. Several rows go to ``_product``, compiled code
of our own: it writes results past the caches while it computes the next ones, and takes a third to a half of the time
of a general matrix product. Where it was not built, NumPy's product is taken. Results agree to rounding.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import numpy as np

from neumatc.arrays import Array, is_complex, real_dtype

try:
    from neumatc import _product as compiled
except ImportError:  # no C compiler was there when this package was installed
    compiled = None  # type: ignore[assignment]

STREAM = 1 << 24
"""Bytes of results from which they are written past the caches, which could not hold them."""

ALONE = 1 << 23
"""Work, about an eighth of a millisecond, below which helpers are left asleep: they might have to wait for a processor
on which an idle thread of another library turns round and round, and the product for them."""

TALL = 512
"""Rows up to which a product may replace its own factor: the columns of a panel are read before any of them is written,
but these many rows at once."""

LARGE, FEW = 1 << 14, 64
"""Numbers of a matrix, and columns behind it, for which compiled code beats NumPy's product."""

PIECE = 1 << 12
"""Columns that are replaced at once without compiled code, few enough for the cache."""


def product(phi: Array, C: Array, out: Array | None = None) -> Array:
    """``phi (B, d) @ C (d, N)`` into ``out (B, N)``.

    Real coefficients against complex slices are one real product of twice the width.
    """
    if out is None:
        out = np.empty((phi.shape[0], C.shape[1]), C.dtype)
    if is_complex(C.dtype) and not is_complex(phi.dtype) and _in_rows(C) and _in_rows(out):
        _multiply(phi, C.view(real_dtype(C.dtype)), out.view(real_dtype(C.dtype)))
    else:
        _multiply(phi, C, out)
    return out


def in_place(weights: Array, C: Array) -> None:
    """``weights (k, d) @ C (d, N)`` in place of the first k rows of C, without a second copy of it.

    Real weights on complex rows are one real product of twice the width.
    """
    if is_complex(C.dtype) and not is_complex(weights.dtype):
        in_place(weights, C.view(real_dtype(C.dtype)))
    elif can_scatter(C.dtype) and _is_plain(weights, C, C) and len(weights) <= TALL:
        scatter(weights, C, np.array([[0, C.shape[1], 0]]), C[: len(weights)])
    else:
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


def scatter(phi: Array, C: Array, places: Array, out: Array) -> None:
    """``out[:, to : to + count] = phi @ C[:, start : start + count]`` for every ``(start, count, to)`` of ``places``.

    Zeros are written where ``start`` is negative. ``phi (B, d)``, ``C (d, N)``, ``places (S, 3)``, ``out (B, L)``.
    Compiled code only: see `can_scatter`.
    """
    real = real_dtype(C.dtype)
    if is_complex(C.dtype):
        phi, C, out, places = phi.view(real), C.view(real), out.view(real), 2 * places
    rows, width = phi.shape
    work = int(places[:, 1].sum()) * (rows * width + 4 * (rows + width))
    compiled.multiply(phi, C, out, places, threads() if work > ALONE else 1, out.nbytes > STREAM)


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


def _multiply(phi: Array, C: Array, out: Array) -> None:
    if phi.shape[0] == 1 and C.flags.c_contiguous:
        np.dot(phi[0], C, out=out[0])
    elif phi.shape[0] > 1 and can_scatter(C.dtype) and _is_plain(phi, C, out):
        scatter(phi, C, np.array([[0, C.shape[1], 0]]), out)
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


def _is_plain(phi: Array, C: Array, out: Array) -> bool:
    """Whether these are numbers of one type in contiguous rows."""
    return phi.dtype == C.dtype == out.dtype and phi.flags.c_contiguous and _in_rows(C) and _in_rows(out)


def _in_rows(X: Array) -> bool:
    return X.shape[1] <= 1 or X.strides[1] == X.itemsize
