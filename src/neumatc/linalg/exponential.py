"""Verbs of the exponential and its inverse: expm, logm."""

from __future__ import annotations

from typing import Any

from neumatc.fitted import Fit
from neumatc.fitting import fit, problem_of
from neumatc.operations import Exponential, Logarithm


def expm(
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
    """Parametric matrix exponential: ``f = expm(A, box)``, then ``f(p)`` is ``scipy.linalg.expm(A(p))``.

    Exact solves only build the span; the curve through it is learnt from the exact action of ``exp(A(p))`` on a few
    vectors, which costs products with A alone. The relative residual is the relative error itself. Options are those
    of `neumatc.fit`.

    Examples
    --------
    >>> import numpy as np, neumatc as nmc
    >>> f = nmc.expm(lambda p: np.array([[0.0, p], [-p, 0.0]]), box=(0.0, 1.0), rng=0)
    >>> np.allclose(f(0.5), [[np.cos(0.5), np.sin(0.5)], [-np.sin(0.5), np.cos(0.5)]])
    True
    """
    return fit(
        problem_of(A, box, Exponential()), tol=tol, samples=samples, basis=basis, training=training, sampler=sampler,
        rng=rng, executor=executor, device=device, dtype=dtype, progress=progress, throw=throw,
    )  # fmt: skip


def logm(
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
    """Parametric principal logarithm: ``f = logm(A, box)``, then ``f(p)`` is ``scipy.linalg.logm(A(p))``.

    No polynomial equation defines a logarithm; labels satisfy ``exp(X) = A`` with halves of the exponential on both
    sides, ``exp(-X/2) (exp(X) - A) exp(-X/2) = 0``. Above 128 ``samples`` exact results lie on grids that contain each
    other. The residual is ``‖exp(X) - A‖ / ‖A‖``. Options are those of `neumatc.fit`.

    Raises
    ------
    ExactSolveError
        Where A(p) has an eigenvalue on the closed negative real axis.

    Examples
    --------
    >>> import numpy as np, neumatc as nmc
    >>> f = nmc.logm(lambda p: np.diag([1.0 + p, 2.0]), box=(0.0, 1.0), rng=0)
    >>> np.allclose(f(0.5), np.diag(np.log([1.5, 2.0])))
    True
    """
    return fit(
        problem_of(A, box, Logarithm()), tol=tol, samples=samples, basis=basis, training=training, sampler=sampler,
        rng=rng, executor=executor, device=device, dtype=dtype, progress=progress, throw=throw,
    )  # fmt: skip
