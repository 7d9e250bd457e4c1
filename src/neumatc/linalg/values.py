"""Verbs of values alone: svdvals, eigvalsh, slogdet."""

from __future__ import annotations

from typing import Any

from neumatc.fitted import Fit
from neumatc.fitting import fit, problem_of
from neumatc.operations import EigenValues, LogDeterminant, SingularValues


def svdvals(
    A: Any,
    box: Any,
    rank: int | None = None,
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
    """Parametric singular values: ``f(p)`` is ``numpy.linalg.svdvals(A(p))``, all or the ``rank`` largest, descending.

    Stored are k = min(n1, n2) numbers per slice and no vectors. The exact solves of the fit compute vectors, by whose
    overlap each value is followed: a crossing, or a value that reaches zero, is no kink of the map, and the query takes
    ``|s|`` and sorts. An avoided crossing is as sharp as its gap, and answers between two samples may be wrong by it;
    where sorted values are fitted better, these are kept.

    No equation judges values alone. The residual ``‖s - σ(A(p))‖_2 / ‖A(p)‖_F`` is measured against exact values, so
    that ``certify(p)`` costs one LAPACK call without vectors for every p, as much as the answer itself, and its bound
    is certain. Options are those of `neumatc.fit`.

    Parameters
    ----------
    A, box : as for `neumatc.fit`
    rank : how many values, from the largest; None for all

    Raises
    ------
    InputError, RankError
        For a rank that is no whole number, or impossible.

    Examples
    --------
    >>> import numpy as np, neumatc as nmc
    >>> def A(p):
    ...     return np.array([[1.0 + p, 0.1], [0.0, 2.0 - p]])
    >>> f = nmc.svdvals(A, box=(0.0, 1.0), rng=0)
    >>> np.allclose(f(0.3), np.linalg.svdvals(A(0.3)), rtol=1e-7)
    True
    """
    return fit(
        problem_of(A, box, SingularValues(rank)),
        tol=tol, samples=samples, basis=basis, training=training, sampler=sampler, rng=rng,
        executor=executor, device=device, dtype=dtype, progress=progress, throw=throw,
    )  # fmt: skip


def eigvalsh(
    A: Any,
    box: Any,
    rank: int | None = None,
    which: str = "lowest",
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
    """Parametric Hermitian eigenvalues: ``f(p)`` is ``numpy.linalg.eigvalsh(A(p))``, ascending.

    Stored are n numbers per slice and no vectors; values are followed through crossings by the overlap of the vectors
    that the exact solves of the fit compute, and sorted at the query. The residual ``‖w - λ(A(p))‖_2 / ‖A(p)‖_F`` is
    measured against exact values: ``certify(p)`` costs one LAPACK call without vectors for every p, as much as the
    answer itself. Options are those of `neumatc.fit`.

    Parameters
    ----------
    A, box : as for `neumatc.fit`; A(p) Hermitian
    rank, which : how many values, from the "lowest" or the "highest" end; None for all

    Raises
    ------
    InputError, RankError
        When A(p) is not Hermitian, for an unknown ``which``, or a rank that is no whole number or impossible.

    Examples
    --------
    >>> import numpy as np, neumatc as nmc
    >>> def A(p):
    ...     return np.diag([p, 1.0 - p, 2.0]) + 0.5 * np.sin(p)
    >>> f = nmc.eigvalsh(A, box=(0.0, 1.0), rank=2, rng=0)
    >>> np.allclose(f(0.3), np.linalg.eigvalsh(A(0.3))[:2], atol=1e-7)
    True
    """
    return fit(
        problem_of(A, box, EigenValues(rank, which)),
        tol=tol, samples=samples, basis=basis, training=training, sampler=sampler, rng=rng,
        executor=executor, device=device, dtype=dtype, progress=progress, throw=throw,
    )  # fmt: skip


def slogdet(
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
    """Parametric determinant: ``f(p)`` is the named tuple ``(sign, logabsdet)`` of ``numpy.linalg.slogdet(A(p))``.

    With ``det A = e^(iθ + l)`` the map holds l and the angle θ, followed over whole turns where A is complex; a real
    determinant keeps its sign, for it vanishes where the sign changes. The residual is the relative error of the
    determinant, ``|det_map / det A(p) - 1|``, so that an error of 1e-8 in l is one of 1e-8 in det; ``certify(p)``
    factorises A(p), which costs as much as the answer itself. Options are those of `neumatc.fit`.

    Raises
    ------
    InputError
        When A(p) is not square.
    SingularError
        When A(p) is singular to working precision at a sample, or its real determinant changes sign between two.

    Examples
    --------
    >>> import numpy as np, neumatc as nmc
    >>> def A(p):
    ...     return np.array([[2.0, p], [-p, 3.0]])
    >>> f = nmc.slogdet(A, box=(0.0, 1.0), rng=0)
    >>> sign, logabsdet = f(0.37)
    >>> float(sign), np.allclose(np.exp(logabsdet), np.linalg.det(A(0.37)), rtol=1e-7)
    (1.0, True)
    """
    return fit(
        problem_of(A, box, LogDeterminant()),
        tol=tol, samples=samples, basis=basis, training=training, sampler=sampler, rng=rng,
        executor=executor, device=device, dtype=dtype, progress=progress, throw=throw,
    )  # fmt: skip
