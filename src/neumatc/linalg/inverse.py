"""Verbs of inversion: inv, pinv."""

from __future__ import annotations

from typing import Any

from neumatc.fitted import Fit
from neumatc.fitting import fit, problem_of
from neumatc.operations import Inverse, PseudoInverse


def inv(
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
    """Parametric inverse: ``f = inv(A, box)``, then ``f(p)`` is ``np.linalg.inv(A(p))``.

    The relative residual ``‖A X - I‖_F / sqrt(n)`` is driven below ``tol``; it bounds the relative error of the inverse
    up to a factor sqrt(n) without any condition number. Options are those of `neumatc.fit`.

    Examples
    --------
    >>> import numpy as np, neumatc as nmc
    >>> def A(p):
    ...     return np.array([[2.0 + np.sin(p), p], [-p, 3.0]])
    >>> f = nmc.inv(A, box=(0.0, 1.0), rng=0)
    >>> np.allclose(f(0.37), np.linalg.inv(A(0.37)), rtol=1e-7)
    True
    >>> f(np.linspace(0, 1, 5)).shape
    (5, 2, 2)
    """
    return fit(
        problem_of(A, box, Inverse()), tol=tol, samples=samples, basis=basis, training=training, sampler=sampler,
        rng=rng, executor=executor, device=device, dtype=dtype, progress=progress, throw=throw,
    )  # fmt: skip


def pinv(
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
    """Parametric pseudo-inverse: ``f = pinv(A, box)``, then ``f(p)`` is ``np.linalg.pinv(A(p))``, for A of one rank.

    The rank is that in the middle of the box. Where it is full, the relative residual of ``X A = I, (A X)ᴴ = A X`` (at
    least as many rows as columns; ``A X = I, (X A)ᴴ = X A`` otherwise) is driven below ``tol``, else that of Penrose's
    four conditions; singular values beyond the rank are rounding, and left out. It bounds the relative error up to a
    factor ``sqrt(max(n1, n2))`` without any condition number (below full rank as soon as the residual is small against
    the inverse condition number). Options are those of `neumatc.fit`.

    Raises
    ------
    RankError
        When A(p) has another rank at one of the exact solves, or, below full rank, a singular value is seen to pass
        through zero; the message names the p. The pseudo-inverse jumps where the rank changes, and no smooth map
        follows it.

    Examples
    --------
    >>> import numpy as np, neumatc as nmc
    >>> def A(p):
    ...     return np.array([[1.0, p], [p, 2.0], [0.0, np.sin(p)]])
    >>> f = nmc.pinv(A, box=(0.0, 1.0), rng=0)
    >>> np.allclose(f(0.37), np.linalg.pinv(A(0.37)), rtol=1e-7)
    True
    >>> f = nmc.pinv(lambda p: A(p) @ A(p).T, box=(0.0, 1.0), rng=0)  # 3 x 3, of rank 2
    >>> np.allclose(f(0.37), np.linalg.pinv(A(0.37) @ A(0.37).T, rcond=1e-12), rtol=1e-6)
    True
    """
    return fit(
        problem_of(A, box, PseudoInverse()), tol=tol, samples=samples, basis=basis, training=training, sampler=sampler,
        rng=rng, executor=executor, device=device, dtype=dtype, progress=progress, throw=throw,
    )  # fmt: skip
