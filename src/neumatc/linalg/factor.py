"""Verbs of factorisation: qr, cholesky, polar."""

from __future__ import annotations

from typing import Any

from neumatc.fitted import Fit
from neumatc.fitting import fit, problem_of
from neumatc.operations import QR, Cholesky, Polar


def qr(
    A: Any,
    box: Any,
    *,
    tol: float | None = None,
    samples: int | None = None,
    basis: Any = "auto",
    training: Any = "auto",
    sampler: Any = None,
    rng: Any = None,
    executor: Any = None,
    device: Any = None,
    dtype: Any = None,
    progress: Any = None,
    throw: bool = False,
) -> Fit:
    """Parametric QR factorisation: ``f(p)`` is a named tuple ``(Q, R)`` with ``A(p) = Q R``, thin.

    A(p) is (n1, n2) with n1 >= n2, Q (n1, n2), R (n2, n2) upper triangular. The diagonal of R is positive, which makes
    the factors unique and smooth in p; ``numpy.linalg.qr`` leaves its signs open. R is stored as a triangle. The
    relative residual of ``Q R = A`` and ``QᴴQ = I`` is driven below ``tol``; the error of the factors is at most a
    small multiple of ``cond(A)`` times it. Options are those of `neumatc.fit`.

    Raises
    ------
    InputError
        When A(p) has more columns than rows.
    ExactSolveError, GaugeError
        When its columns become linearly dependent inside the box.

    Examples
    --------
    >>> import numpy as np, neumatc as nmc
    >>> def A(p):
    ...     return np.array([[1.0, p], [p, 2.0], [0.5, 1.0]])
    >>> f = nmc.qr(A, box=(0.0, 1.0), rng=0)
    >>> Q, R = f(0.37)
    >>> np.allclose(Q @ R, A(0.37)), np.allclose(Q.T @ Q, np.eye(2)), bool(R[1, 0] == 0)
    (True, True, True)
    """
    return fit(
        problem_of(A, box, QR()), tol=tol, samples=samples, basis=basis, training=training, sampler=sampler,
        rng=rng, executor=executor, device=device, dtype=dtype, progress=progress, throw=throw,
    )  # fmt: skip


def cholesky(
    A: Any,
    box: Any,
    *,
    tol: float | None = None,
    samples: int | None = None,
    basis: Any = "auto",
    training: Any = "auto",
    sampler: Any = None,
    rng: Any = None,
    executor: Any = None,
    device: Any = None,
    dtype: Any = None,
    progress: Any = None,
    throw: bool = False,
) -> Fit:
    """Parametric Cholesky factorisation: ``f(p)`` is ``np.linalg.cholesky(A(p))``, lower triangular.

    A(p) must be Hermitian positive definite on the whole box. L is stored as a triangle. The relative residual
    ``‖L Lᴴ - A‖_F / ‖A‖_F`` is driven below ``tol``; the relative error of L is at most about ``cond(A) / √2``
    times it. Options are those of `neumatc.fit`.

    Raises
    ------
    InputError
        When A(p) is not square.
    ExactSolveError
        When A(p) is not Hermitian, with its asymmetry, or not positive definite, with its smallest eigenvalue.

    Examples
    --------
    >>> import numpy as np, neumatc as nmc
    >>> def A(p):
    ...     return np.array([[2.0, p], [p, 3.0]])
    >>> f = nmc.cholesky(A, box=(0.0, 1.0), rng=0)
    >>> np.allclose(f(0.37), np.linalg.cholesky(A(0.37)), rtol=1e-7)
    True
    """
    return fit(
        problem_of(A, box, Cholesky()), tol=tol, samples=samples, basis=basis, training=training, sampler=sampler,
        rng=rng, executor=executor, device=device, dtype=dtype, progress=progress, throw=throw,
    )  # fmt: skip


def polar(
    A: Any,
    box: Any,
    *,
    tol: float | None = None,
    samples: int | None = None,
    basis: Any = "auto",
    training: Any = "auto",
    sampler: Any = None,
    rng: Any = None,
    executor: Any = None,
    device: Any = None,
    dtype: Any = None,
    progress: Any = None,
    throw: bool = False,
) -> Fit:
    """Parametric polar decomposition: ``f(p)`` is a named tuple ``(U, P)``, as ``scipy.linalg.polar(A(p))``.

    A(p) = U P is (n1, n2) with n1 >= n2 and full column rank, U (n1, n2) has orthonormal columns, and P (n2, n2) is
    Hermitian positive definite and stored as a triangle. The relative residual of ``U P = A`` and ``UᴴU = I`` is driven
    below ``tol``. Options are those of `neumatc.fit`.

    Raises
    ------
    InputError
        When A(p) has more columns than rows.
    ExactSolveError, GaugeError
        When A(p) loses rank inside the box.

    Examples
    --------
    >>> import numpy as np, neumatc as nmc
    >>> def A(p):
    ...     return np.array([[2.0, -p], [p, 3.0]])
    >>> f = nmc.polar(A, box=(0.0, 1.0), rng=0)
    >>> U, P = f(0.37)
    >>> np.allclose(U @ P, A(0.37)), np.allclose(U.T @ U, np.eye(2)), bool((P == P.T).all())
    (True, True, True)
    """
    return fit(
        problem_of(A, box, Polar()), tol=tol, samples=samples, basis=basis, training=training, sampler=sampler,
        rng=rng, executor=executor, device=device, dtype=dtype, progress=progress, throw=throw,
    )  # fmt: skip
