"""The border: whatever a caller hands over becomes a NumPy array here, or is refused with a reason.

Torch is never imported by this file. A caller who holds a torch tensor has imported torch already, so a look into
``sys.modules`` is enough to recognise one; the same holds for ``scipy.sparse``. Answering therefore needs NumPy alone.
"""

import sys
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from neumatc.errors import InputError, NonFiniteError

__all__ = [
    "Array",
    "all_finite",
    "as_numpy",
    "binary_exponent",
    "check_finite",
    "double",
    "is_complex",
    "is_hermitian",
    "is_sparse",
    "is_torch",
    "namespace",
    "real_dtype",
    "scale",
    "torch_or_none",
    "working_dtype",
]

Array: TypeAlias = npt.NDArray[Any]

MANY = 4096
"""Numbers from which their sum of squares is the quickest way to see that all of them are finite."""


def torch_or_none() -> ModuleType | None:
    """Return torch when the process has imported it already, otherwise None; never imports it."""
    return sys.modules.get("torch")


def is_torch(x: object) -> bool:
    """Whether ``x`` is a torch tensor (on any device)."""
    # A torch that another thread is still importing has no ``Tensor`` yet; then nothing can be one.
    return isinstance(x, getattr(torch_or_none(), "Tensor", ()))


def namespace(x: object) -> ModuleType:
    """Return the module whose functions understand ``x``: torch for a torch tensor, NumPy for everything else."""
    torch = torch_or_none()
    return torch if torch is not None and is_torch(x) else np


def as_numpy(x: object, what: object) -> Array:
    """View ``x`` as a NumPy array of numbers, without a copy where the memory allows it.

    Parameters
    ----------
    x : NumPy array, torch tensor on any device, or nested lists of numbers.
    what : how messages call it, for example ``"A(p) at p = 0.3"``.

    Returns
    -------
    Array of the shape of ``x``; booleans, integers, floats or complex numbers. CPU tensors share their memory.

    Raises
    ------
    InputError
        For text, objects, ragged lists, masked entries, and sparse matrices.
    """
    _refuse_sparse(x, what)
    try:
        array = _tensor_to_numpy(x) if is_torch(x) else np.asarray(x)
    except Exception as cause:
        raise InputError(
            f"{what} must be an array of numbers; a {_kind(x)} came that NumPy cannot convert ({cause}). "
            "Its rows probably differ in length, or it belongs to a library that keeps its memory to itself. "
            "Convert it with np.array(...) first."
        ) from cause
    if array.dtype.kind not in "biufc":
        raise InputError(
            f"{what} must be an array of numbers; a {_kind(x)} came that gives dtype {array.dtype}. "
            f"{_why_not_numeric(x)} Convert it with np.asarray(..., dtype=float) first."
        )
    if isinstance(x, np.ma.MaskedArray) and np.any(x.mask):
        raise InputError(
            f"{what} must be known in every entry; a masked array came with {np.count_nonzero(x.mask)} masked. "
            "Missing measurements were probably marked this way. Fill them with .filled(value), or leave this p out."
        )
    return array


def is_sparse(x: object) -> bool:
    """Whether ``x`` is a scipy.sparse matrix or array; never imports SciPy."""
    sparse = sys.modules.get("scipy.sparse")
    return sparse is not None and bool(sparse.issparse(x))


def _refuse_sparse(x: object, what: object) -> None:
    if is_sparse(x):
        raise InputError(
            f"{what} must be dense; a scipy.sparse {_kind(x)} of shape {x.shape} came. "  # type: ignore[attr-defined]
            "The function probably assembles with scipy.sparse, whose matrices are used as a sum only. "
            "Pass nmc.Affine([A_0, A_1, …], coefficients) to neumatc.solve, or return .toarray()."
        )


def _tensor_to_numpy(tensor: Any) -> Array:
    torch = torch_or_none()
    # NumPy knows no bfloat16; float32 holds each of its values exactly.
    if torch is not None and tensor.dtype is torch.bfloat16:
        tensor = tensor.float()
    # torch delays conjugation and negation as flags, which NumPy cannot express.
    array: Array = tensor.detach().cpu().resolve_conj().resolve_neg().numpy()
    return array


def _kind(x: object) -> str:
    return type(x).__name__


def _why_not_numeric(x: object) -> str:
    if x is None:
        return "A function without a return statement was probably called."
    return "Text, None or Python objects are probably mixed in with the numbers."


def all_finite(x: Array) -> bool:
    """Whether every entry of ``x`` is finite.

    The sum of squares tells in one read and without a mask, unless it overflows; for few numbers a mask is quicker.
    """
    if x.size >= MANY and x.flags.c_contiguous and x.dtype == working_dtype(x.dtype):
        numbers = x.reshape(-1).view(real_dtype(x.dtype))
        with np.errstate(over="ignore", invalid="ignore"):
            if np.isfinite(np.dot(numbers, numbers)):
                return True
    return bool(np.isfinite(x).all())


def check_finite(x: Array, what: object) -> None:
    """Raise `NonFiniteError` unless every entry of ``x`` is finite.

    LAPACK must never see anything else: NumPy's svd of Inf does not return, and inv of Inf gives finite nonsense.

    Parameters
    ----------
    x : array of any shape.
    what : how the message calls it, for example ``"A(p) at p = 0.3"``.
    """
    if all_finite(x):
        return
    finite = np.isfinite(x)
    first = tuple(int(i) for i in np.argwhere(~finite)[0])
    raise NonFiniteError(
        f"{what} must be finite; {x.size - np.count_nonzero(finite)} of {x.size} entries are NaN or Inf, "
        f"the first is {x[first]} at index {first}. "
        "A division by zero, an overflow, or a root or logarithm outside its domain probably made them. "
        "Evaluate it there by hand, or shrink the box so that this point is left out."
    )


def is_complex(dtype: npt.DTypeLike) -> bool:
    """Whether arrays of this dtype hold complex numbers."""
    return np.dtype(dtype).kind == "c"


def real_dtype(dtype: npt.DTypeLike) -> np.dtype[Any]:
    """Return the dtype of the real part: float64 for complex128, float32 for complex64; float64 for integers."""
    return np.empty(0, working_dtype(dtype)).real.dtype


def double(dtype: npt.DTypeLike) -> np.dtype[Any]:
    """Return the double precision dtype of the same kind: complex128 for complex numbers, else float64."""
    return np.dtype(np.complex128 if is_complex(dtype) else np.float64)


def working_dtype(dtype: npt.DTypeLike) -> np.dtype[Any]:
    """Return the dtype in which an input is computed with: the one of four that LAPACK knows and that fits best.

    float32, float64, complex64 and complex128 stay. Booleans, integers and extended precision become double
    precision, float16 becomes float32, and foreign byte order becomes native.
    """
    native = np.dtype(dtype).newbyteorder("=")
    if native.char in "fdFD":
        return native
    return np.dtype(np.float32) if native.char == "e" else double(native)


def binary_exponent(x: Array) -> int:
    """Return the integer e with ``2^(e-1) <= max |x| < 2^e``, and 0 for an array of zeros.

    Nothing is squared, so that entries near ``2^±1000`` neither overflow nor vanish. Entries must be finite.

    Examples
    --------
    >>> binary_exponent(np.array([3.0, -4.0])), binary_exponent(np.array([2.0**-1000]))
    (3, -999)
    """
    x = np.asarray(x, dtype=working_dtype(np.asarray(x).dtype))
    if not is_complex(x.dtype):
        return _exponent(x)
    # |a + ib| itself may overflow, or lose its bits among the subnormal numbers: bring the larger part near one first.
    parts = max(_exponent(x.real), _exponent(x.imag))
    return parts + _exponent(np.abs(scale(x, -parts)))


def _exponent(x: Array) -> int:
    return int(np.frexp(np.max(np.abs(x), initial=0.0))[1])


def scale(x: Array, exponent: int | npt.NDArray[np.integer[Any]]) -> Array:
    """Return ``x · 2^exponent``, exact unless the result leaves the range of its dtype.

    Multiplying by ``2.0**exponent`` would overflow for ``|exponent| > 1023`` even where the product is an ordinary
    number; here only the exponent bits of each entry are changed.

    Parameters
    ----------
    x : real or complex array of any shape.
    exponent : one integer, or integers that broadcast against ``x``, such as (B, 1, 1) for B matrices.

    Examples
    --------
    >>> scale(np.array([2.0**-1000]), 1003)
    array([8.])
    """
    x = np.asarray(x, dtype=working_dtype(np.asarray(x).dtype))
    if not is_complex(x.dtype):
        real: Array = np.asarray(np.ldexp(x, exponent))
        return real
    scaled = np.empty(np.broadcast_shapes(x.shape, np.shape(exponent)), x.dtype)
    scaled.real = np.ldexp(x.real, exponent)
    scaled.imag = np.ldexp(x.imag, exponent)
    return scaled


def is_hermitian(matrices: Array, tolerance: float) -> bool:
    """Whether every matrix (..., n, n) equals its adjoint up to ``tolerance`` times the largest entry."""
    if matrices.shape[-1] != matrices.shape[-2]:
        return False
    gap = np.abs(matrices - matrices.conj().swapaxes(-1, -2)).max()
    return bool(gap <= tolerance * np.abs(matrices).max())
