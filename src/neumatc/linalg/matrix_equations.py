"""Verbs of matrix equations: lyapunov, sylvester, riccati."""

from __future__ import annotations

from typing import Any

from neumatc.fitted import Fit
from neumatc.fitting import fit, problem_of
from neumatc.operations import Lyapunov, Riccati, Sylvester


def lyapunov(
    A: Any,
    Q: Any,
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
    """Parametric Lyapunov equation ``A X + X Aᴴ = Q``, as ``scipy.linalg.solve_continuous_lyapunov(A(p), Q(p))``.

    The relative residual is measured against ``‖Q‖_F``. Options are those of `neumatc.fit`.

    Parameters
    ----------
    A, Q : (n, n), each a function of p, a Table, an Affine or one array; a Hermitian Q makes X exactly Hermitian
    box : where p lies

    Raises
    ------
    InputError
        When A is not square, or Q is not of its size.
    SingularError
        When eigenvalues ``λ_i + conj(λ_j)`` of A(p) cancel at one of the exact solves.

    Examples
    --------
    >>> import numpy as np, neumatc as nmc, scipy.linalg
    >>> def A(p):
    ...     return np.array([[-2.0, p], [-p, -1.0 - p]])
    >>> f = nmc.lyapunov(A, -np.eye(2), box=(0.0, 1.0), rng=0)
    >>> np.allclose(f(0.37), scipy.linalg.solve_continuous_lyapunov(A(0.37), -np.eye(2)), rtol=1e-7)
    True
    """
    return fit(
        problem_of((A, Q), box, Lyapunov()), tol=tol, samples=samples, basis=basis, training=training, sampler=sampler,
        rng=rng, executor=executor, device=device, dtype=dtype, progress=progress, throw=throw,
    )  # fmt: skip


def sylvester(
    A: Any,
    B: Any,
    Q: Any,
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
    """Parametric Sylvester equation ``A X + X B = Q``, as ``scipy.linalg.solve_sylvester(A(p), B(p), Q(p))``.

    The relative residual is measured against ``‖Q‖_F``. Options are those of `neumatc.fit`.

    Parameters
    ----------
    A, B, Q : (m, m), (n, n) and (m, n), each a function of p, a Table, an Affine or one array
    box : where p lies

    Raises
    ------
    InputError
        When the shapes do not fit together.
    SingularError
        When an eigenvalue of A(p) is the negative of one of B(p) at one of the exact solves.

    Examples
    --------
    >>> import numpy as np, neumatc as nmc, scipy.linalg
    >>> A, B, Q = lambda p: np.diag([2.0, 3.0 + p]), np.array([[1.0]]), lambda p: np.array([[1.0], [p]])
    >>> f = nmc.sylvester(A, B, Q, box=(0.0, 1.0), rng=0)
    >>> np.allclose(f(0.37), scipy.linalg.solve_sylvester(A(0.37), B, Q(0.37)), rtol=1e-7)
    True
    """
    return fit(
        problem_of((A, B, Q), box, Sylvester()), tol=tol, samples=samples, basis=basis, training=training,
        sampler=sampler, rng=rng, executor=executor, device=device, dtype=dtype, progress=progress, throw=throw,
    )  # fmt: skip


def riccati(
    A: Any,
    B: Any,
    Q: Any,
    R: Any,
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
    """Parametric algebraic Riccati equation, as ``scipy.linalg.solve_continuous_are(A(p), B(p), Q(p), R(p))``.

    The stabilising solution of ``Aᴴ X + X A - X B R⁻¹ Bᴴ X + Q = 0``; another one never passes a certificate. The
    relative residual is measured against ``‖Q‖_F``. Options are those of `neumatc.fit`.

    Parameters
    ----------
    A, B, Q, R : (n, n), (n, m), (n, n) and (m, m), Q and R Hermitian; each a function of p, a Table, an Affine or an
        array. A vector B counts as one column
    box : where p lies

    Raises
    ------
    InputError
        When the shapes do not fit together, or Q or R is not Hermitian.
    SingularError, ExactSolveError
        When R(p) is singular, or no stabilising solution exists, at one of the exact solves.

    Examples
    --------
    >>> import numpy as np, neumatc as nmc, scipy.linalg
    >>> A, B, I = lambda p: np.array([[p, 1.0], [0.0, -1.0]]), np.array([[0.0], [1.0]]), np.eye(2)
    >>> f = nmc.riccati(A, B, I, np.eye(1), box=(0.0, 1.0), rng=0)
    >>> np.allclose(f(0.37), scipy.linalg.solve_continuous_are(A(0.37), B, I, np.eye(1)), rtol=1e-7)
    True
    """
    return fit(
        problem_of((A, B, Q, R), box, Riccati()), tol=tol, samples=samples, basis=basis, training=training,
        sampler=sampler, rng=rng, executor=executor, device=device, dtype=dtype, progress=progress, throw=throw,
    )  # fmt: skip
