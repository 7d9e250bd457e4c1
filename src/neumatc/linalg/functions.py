"""Verbs of matrix functions: sqrtm."""

from __future__ import annotations

from typing import Any

from neumatc.fitted import Fit
from neumatc.fitting import fit, problem_of
from neumatc.operations import SquareRoot


def sqrtm(
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
    """Parametric principal square root: ``f = sqrtm(A, box)``, then ``f(p)`` is ``scipy.linalg.sqrtm(A(p))``.

    A(p) must have no eigenvalue on the closed negative real axis. The root of a real A is real; the root of a Hermitian
    positive definite A is Hermitian and stored as a triangle. The relative residual ``‖X X - A‖_F / ‖A‖_F`` is driven
    below ``tol``. Options are those of `neumatc.fit`.

    Raises
    ------
    InputError
        When A(p) is not square.
    ExactSolveError, GaugeError
        When an eigenvalue of A(p) reaches or passes the negative real axis inside the box.

    Examples
    --------
    >>> import numpy as np, neumatc as nmc
    >>> def A(p):
    ...     return np.array([[2.0, p], [-p, 3.0]])
    >>> f = nmc.sqrtm(A, box=(0.0, 1.0), rng=0)
    >>> np.allclose(f(0.37) @ f(0.37), A(0.37), rtol=1e-7)
    True
    """
    return fit(
        problem_of(A, box, SquareRoot()), tol=tol, samples=samples, basis=basis, training=training, sampler=sampler,
        rng=rng, executor=executor, device=device, dtype=dtype, progress=progress, throw=throw,
    )  # fmt: skip
