"""Exact factorisations of stacks of matrices: SciPy's LAPACK on a CPU, torch's solvers on other devices.

One matrix at a time, as LAPACK takes them. SciPy's wrappers beat those of NumPy and torch on one thread (inverse 1.5
times, QR and Cholesky 1.2 to 1.4 times at n = 512), and a fit leaves its threads to this library alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from neumatc.arrays import Array, is_torch, namespace

from . import unlocked


def inverse(A: Any) -> Any:
    """``A⁻¹`` for ``A (B, n, n)``, from LU factors (getrf, getri).

    That takes 2 n³ flops. ``numpy.linalg.inv`` and ``torch.linalg.inv`` solve ``A X = I`` and take 8/3 n³.

    Raises
    ------
    numpy.linalg.LinAlgError
        When a pivot is zero.

    Examples
    --------
    >>> import numpy as np
    >>> inverse(np.array([[[2.0, 1.0], [1.0, 1.0]]]))
    array([[[ 1., -1.],
            [-1.,  2.]]])
    """
    return namespace(A).linalg.inv(A) if _elsewhere(A) else _each(_inverse, A)[0]


def pivots(A: Any) -> Any:
    """Pivots ``(B, n)`` of the LU factors of ``A (B, n, n)``."""
    if _elsewhere(A):
        return namespace(A).linalg.lu_factor_ex(A)[0].diagonal(0, -2, -1)
    return _each(_pivots, A)[0]


def condition(A: Array) -> float:
    """Condition number of ``A (n, n)`` in the 1-norm, estimated from LU factors (gecon): a third of an inverse.

    Infinite where a pivot is zero. The estimate is never too large, and hardly ever three times too small (Higham,
    "Accuracy and Stability of Numerical Algorithms", section 15.3).

    Examples
    --------
    >>> import numpy as np
    >>> condition(np.diag([4.0, 1.0]))
    4.0
    """
    from scipy.linalg import get_lapack_funcs

    getrf, gecon = get_lapack_funcs(("getrf", "gecon"), (A,))
    # A row-major matrix is LAPACK's transpose, whose infinity norm is the 1-norm of A.
    lu, _, singular = getrf(np.array(A, order="C").T, overwrite_a=True)
    if singular:
        return float("inf")
    reciprocal, _ = gecon(lu, np.abs(A).sum(0).max(), norm="I")
    return 1 / float(reciprocal) if reciprocal else float("inf")


def qr(A: Any) -> tuple[Any, Any]:
    """Thin ``Q, R`` of ``A (B, n1, n2)``, signs as they come."""
    Q, R = namespace(A).linalg.qr(A) if _elsewhere(A) else _each(_qr, A)
    return Q, R


def cholesky(A: Any) -> Any:
    """Lower L with ``L Lᴴ = A`` for ``A (B, n, n)``; an error of LAPACK's where A is not positive definite."""
    return namespace(A).linalg.cholesky(A) if _elsewhere(A) else _each(_cholesky, A)[0]


def eigh(A: Any) -> tuple[Any, Any]:
    """Ascending eigenvalues and eigenvectors of Hermitian ``A (B, n, n)``."""
    w, V = namespace(A).linalg.eigh(A) if _elsewhere(A) else _each(_eigh, A)
    return w, V


def svd(A: Any) -> tuple[Any, Any, Any]:
    """Thin ``U, S, Vᴴ`` of ``A (B, n1, n2)``."""
    U, S, Vh = namespace(A).linalg.svd(A, full_matrices=False) if _elsewhere(A) else _each(_svd, A)
    return U, S, Vh


def _elsewhere(A: Any) -> bool:
    """Whether A is on another device, or a stack without matrices."""
    return (is_torch(A) and A.device.type != "cpu") or not len(A)


def _each(factored: Callable[[Array], tuple[Array, ...]], A: Any) -> list[Any]:
    """Results of all matrices, stacked, in the library that A came in."""
    matrices = A.resolve_conj().numpy() if is_torch(A) else A
    results = [factored(matrix) for matrix in matrices]
    stacks = [parts[0][None] if len(parts) == 1 else np.stack(parts) for parts in zip(*results, strict=True)]
    return [namespace(A).from_numpy(np.ascontiguousarray(X)) for X in stacks] if is_torch(A) else stacks


def _inverse(A: Array) -> tuple[Array]:
    X = unlocked.inverse(A) if unlocked.unlocked() else _wrapped_inverse(A)
    if X is None:
        raise np.linalg.LinAlgError("singular matrix: a pivot of its LU factors is zero")
    return (X,)


def _wrapped_inverse(A: Array) -> Array | None:
    """The same by SciPy's wrappers, which no other thread of Python can run beside."""
    from scipy.linalg import get_lapack_funcs

    getrf, getri, size = get_lapack_funcs(("getrf", "getri", "getri_lwork"), (A,))
    # A row-major matrix is LAPACK's transpose, and so is its inverse: nothing is turned round.
    lu, pivots, singular = getrf(np.array(A, order="C").T, overwrite_a=True)
    if singular:
        return None
    X, _ = getri(lu, pivots, lwork=int(size(len(A))[0].real), overwrite_lu=True)
    inverse: Array = X.T
    return inverse


def _pivots(A: Array) -> tuple[Array]:
    from scipy.linalg import get_lapack_funcs

    (getrf,) = get_lapack_funcs(("getrf",), (A,))
    lu, _, _ = getrf(A)
    return (np.diagonal(lu),)


def _qr(A: Array) -> tuple[Array, Array]:
    from scipy.linalg import qr

    Q, R = qr(A, mode="economic", check_finite=False)
    return Q, R


def _cholesky(A: Array) -> tuple[Array]:
    from scipy.linalg import cholesky

    return (cholesky(A, lower=True, check_finite=False),)


def _eigh(A: Array) -> tuple[Array, Array]:
    from scipy.linalg import eigh

    w, V = eigh(A, driver="evd", check_finite=False)
    return w, V


def _svd(A: Array) -> tuple[Array, Array, Array]:
    found = unlocked.svd(A) if unlocked.unlocked() else None
    return _wrapped_svd(A) if found is None else found


def _wrapped_svd(A: Array) -> tuple[Array, Array, Array]:
    """The same by SciPy's wrappers, which no other thread of Python can run beside."""
    from scipy.linalg import svd

    try:
        U, S, Vh = svd(A, full_matrices=False, check_finite=False)
    except np.linalg.LinAlgError:
        # Divide and conquer fails to converge on some finite matrices; QR iteration is slower and does.
        U, S, Vh = svd(A, full_matrices=False, check_finite=False, lapack_driver="gesvd")
    return U, S, Vh
