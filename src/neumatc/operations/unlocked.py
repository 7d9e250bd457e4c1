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

from neumatc.arrays import Array

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
    size, pivots, best = ctypes.c_int(n), np.empty(n, np.intc), np.empty(1, X.dtype)
    if _call("getrf", kind, size, size, X, size, pivots):
        return None
    _call("getri", kind, size, X, size, pivots, best, ctypes.c_int(-1))  # asks for the best length of its work space
    work = np.empty(int(best[0].real), X.dtype)
    _call("getri", kind, size, X, size, pivots, work, ctypes.c_int(len(work)))
    return X


def svd(A: Array) -> tuple[Array, Array, Array] | None:
    """Thin ``U, S, Vᴴ`` of ``A (rows, columns)`` by divide and conquer (gesdd); None where that does not converge."""
    X, (rows, columns), least = np.array(A, order="C"), A.shape, min(A.shape)
    U, S, Vh = np.empty((rows, least), X.dtype), np.empty(least, X.real.dtype), np.empty((least, columns), X.dtype)
    # LAPACK takes X for the transpose: what it calls U is the transpose of our Vᴴ, and the other way round.
    m, n, k, whole = ctypes.c_int(columns), ctypes.c_int(rows), ctypes.c_int(least), np.empty(8 * least, np.intc)
    real = [np.empty(_real_work(least, max(A.shape)), S.dtype)] if np.iscomplexobj(X) else []

    def run(work: Array, length: int) -> int:
        ends = work, ctypes.c_int(length), *real, whole
        return _call("gesdd", KINDS[X.dtype.char], ctypes.c_char(b"S"), m, n, X, m, S, Vh, m, U, k, *ends)

    best = np.empty(1, X.dtype)
    if not X.size or run(best, -1):  # asks for the best length of its work space
        return None
    work = np.empty(int(best[0].real), X.dtype)
    return None if run(work, len(work)) else (U, S, Vh)


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
