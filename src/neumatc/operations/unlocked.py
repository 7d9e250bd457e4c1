"""LAPACK that lets other threads of Python run, so that several matrices can be factorised side by side.

SciPy's wrappers hold Python's lock while LAPACK computes. The same routines are published for Cython, with their
addresses and C signatures (``scipy.linalg.cython_lapack``), and a call through ctypes gives the lock up.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from neumatc.arrays import Array, is_complex, real_dtype

SIGNATURES = {
    "getrf": "void (int *, int *, # *, int *, int *, int *)",
    "getri": "void (int *, # *, int *, int *, # *, int *, int *)",
    "gesdd": "void (char *, int *, int *, # *, int *, # *, # *, int *, # *, int *, # *, int *, int *, int *)",
}
"""What is expected of them; # is the type of the numbers. Another SciPy may have wider integers."""

COMPLEX = {
    "gesdd": "void (char *, int *, int *, # *, int *, # *, # *, int *, # *, int *, # *, int *, # *, int *, int *)"
}
"""The same where routines for complex numbers take one argument more."""

KINDS = {"f": "s", "d": "d", "F": "c", "D": "z"}
"""LAPACK's letters by those of NumPy."""


def unlocked() -> bool:
    """Whether `inverse` and `svd` can be called here."""
    return all(_routine(name, kind) is not None for name in SIGNATURES for kind in "sdcz")


def inverse(A: Array) -> Array | None:
    """``A⁻¹`` of ``A (n, n)``, from LU factors (getrf, getri); None where a pivot is zero."""
    # LAPACK takes it for the transpose, and returns the transpose of the inverse: nothing is turned round.
    X, n = np.array(A, order="C"), len(A)
    kind = KINDS[X.dtype.char]
    size, pivots = ctypes.c_int(n), np.empty(n, np.intc)
    if _call("getrf", kind, size, size, X, size, pivots):
        return None
    _with_work(lambda *work: _call("getri", kind, size, X, size, pivots, *work), X.dtype)
    return X


def svd(A: Array) -> tuple[Array, Array, Array] | None:
    """Thin ``U, S, Vᴴ`` of ``A (rows, columns)`` by divide and conquer (gesdd); None where that does not converge."""
    X, (rows, columns), least = np.array(A, order="C"), A.shape, min(A.shape)
    if not least:
        return None
    kind, real = KINDS[X.dtype.char], real_dtype(X.dtype)
    U, S, Vh = np.empty((rows, least), X.dtype), np.empty(least, real), np.empty((least, columns), X.dtype)
    more = [np.empty(_real_work(least, max(A.shape)), real)] if is_complex(X.dtype) else []
    more.append(np.empty(8 * least, np.intc))
    # LAPACK takes X for the transpose: what it calls U is the transpose of our Vᴴ, and the other way round.
    job, m, n, k = ctypes.c_char(b"S"), ctypes.c_int(columns), ctypes.c_int(rows), ctypes.c_int(least)
    failed = _with_work(lambda *work: _call("gesdd", kind, job, m, n, X, m, S, Vh, m, U, k, *work, *more), X.dtype)
    return None if failed else (U, S, Vh)


def _with_work(routine: Callable[..., int], dtype: Any) -> int:
    """Call a routine with work space and its length, after it was asked for the best one; returns its ``info``."""
    best = np.empty(1, dtype)
    if info := routine(best, ctypes.c_int(-1)):
        return info
    work = np.empty(int(best[0].real), dtype)
    return routine(work, ctypes.c_int(len(work)))


def _real_work(least: int, most: int) -> int:
    """Numbers of real work space that gesdd takes for complex matrices, as its documentation has it."""
    return max(5 * least * least + 5 * least, 2 * most * least + 2 * least * least + least)


def _call(name: str, kind: str, *arguments: Any) -> int:
    """Call a routine with pointers to the arguments; returns its ``info``."""
    routine, info = _routine(name, kind), ctypes.c_int(0)
    assert routine is not None
    routine(*(X.ctypes.data if isinstance(X, np.ndarray) else ctypes.addressof(X) for X in (*arguments, info)))
    return info.value


@cache
def _routine(name: str, kind: str) -> Callable[..., None] | None:
    """LAPACK's routine by SciPy's table for Cython, if its C signature is the one expected."""
    from scipy.linalg import cython_lapack

    capsule = getattr(cython_lapack, "__pyx_capi__", {}).get(kind + name)
    if capsule is None:
        return None
    describe, address = ctypes.pythonapi.PyCapsule_GetName, ctypes.pythonapi.PyCapsule_GetPointer
    describe.restype, describe.argtypes = ctypes.c_char_p, [ctypes.py_object]
    address.restype, address.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    signature = describe(capsule)
    expected = COMPLEX.get(name, SIGNATURES[name]) if kind in "cz" else SIGNATURES[name]
    if re.sub(r"__pyx_t_\w+", "#", signature.decode()) != expected:
        return None
    count = expected.count("*")
    prototype = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * count)
    found: Callable[..., None] = prototype(address(capsule, signature))
    return found
