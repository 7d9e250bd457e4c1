"""Verbs of linear systems: solve."""

from __future__ import annotations

from typing import Any

from neumatc.arrays import is_sparse
from neumatc.box import Box
from neumatc.family import Affine, Family, MatrixFamily
from neumatc.family.calls import asked
from neumatc.fitted import Fit
from neumatc.fitting import fit, problem_of
from neumatc.operations import Solve
from neumatc.reduced import ReducedFit
from neumatc.reducing import fit_reduced, refuse_options


def solve(
    A: Any,
    b: Any,
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
) -> Fit | ReducedFit:
    """Parametric linear solve: ``f = solve(A, b, box)``, then ``f(p)`` is ``np.linalg.solve(A(p), b(p))``.

    The relative residual ``‖A X - b‖_F / ‖b‖_F`` is driven below ``tol``. The error it leaves is at most
    ``‖A X - b‖_F / σ_min(A)``; certificates state it up to n = 64. Options are those of `neumatc.fit`.

    A sparse A is never made dense: the answer is a `ReducedFit`, which solves d equations instead of n and knows its
    residual exactly; of the options it takes ``tol, samples, rng, progress, throw``, and ``training`` with a
    ``sampler`` where A is an `Affine`: a `Joint` trains φ by Adam as the paper does, for comparison. All columns of b
    share one basis and, at each exact solve, one factorisation; the loop goes where the worst column, relative to its
    own right-hand side, is worst, and certificates are of all columns together (Frobenius). With an `Affine` of
    scipy.sparse matrices a query costs nothing n-sized but the answer; with a function that returns them, one assembly
    of A(p) and d products with it.

    Parameters
    ----------
    A : function of p (or Table, Affine, Family) with values (n, n), or one array; scipy.sparse matrices from a function
        or in an Affine
    b : one or many right-hand sides (n,) or (n, k), an array, a function of p or a Table; for a vector f(p) is (n,).
        With a sparse A an array, or an Affine of (n, 1) or (n, k); a function of p where A is one. One column (n, 1) is
        a vector there
    box : where p lies

    Raises
    ------
    InputError
        When A is not square, or b has another number of rows.
    SingularError
        When A(p) is singular at one of the exact solves; the message names the p.

    Examples
    --------
    >>> import numpy as np, neumatc as nmc
    >>> def A(p):
    ...     return np.array([[2.0 + np.sin(p), p], [-p, 3.0]])
    >>> f = nmc.solve(A, lambda p: np.array([1.0, p]), box=(0.0, 1.0), rng=0)
    >>> np.allclose(f(0.37), np.linalg.solve(A(0.37), [1.0, 0.37]), rtol=1e-7)
    True
    """
    if _gives_sparse(A, box):
        refuse_options(basis=basis, executor=executor, device=device, dtype=dtype)
        return fit_reduced(
            A, b, box, tol=tol, samples=samples, training=training, sampler=sampler, rng=rng, progress=progress,
            throw=throw,
        )  # fmt: skip
    return fit(
        problem_of((A, b), box, Solve()), tol=tol, samples=samples, basis=basis, training=training, sampler=sampler,
        rng=rng, executor=executor, device=device, dtype=dtype, progress=progress, throw=throw,
    )  # fmt: skip


def _gives_sparse(A: Any, box: Any) -> bool:
    """Whether A(p) is sparse; a function is asked in the middle of the box."""
    if isinstance(A, Affine):
        return A.sparse
    function = A.function if isinstance(A, Family) and not A.vectorized else A
    if isinstance(function, MatrixFamily) or not callable(function):
        return False
    box = Box.of(box)
    middle = box.middle[0]
    return is_sparse(asked(function, box.scalar(middle), f"A(p) at {box.describe(middle)}"))
