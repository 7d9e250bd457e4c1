"""Verbs of spectra: svd."""

from __future__ import annotations

from typing import Any

from neumatc.fitted import Fit
from neumatc.fitting import fit
from neumatc.operations import TruncatedSVD
from neumatc.problem import Problem


def svd(
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
    """Parametric truncated SVD: ``f(p)`` is a named tuple ``(U, S, Vh)`` of the ``rank`` dominant triplets of A(p).

    The map learns the dominant subspaces with a buffer chosen from the gaps it meets, so that crossings and
    avoided crossings of singular values cost nothing; the small core is diagonalised at the query, hence U and V are
    orthonormal to rounding and S is sorted. Options are those of `neumatc.fit`.

    Examples
    --------
    >>> import numpy as np, neumatc as nmc
    >>> def A(p):
    ...     return np.diag([3.0 + p, 4.0 - p, 0.1]) + 0.01 * p
    >>> f = nmc.svd(A, box=(0.0, 1.0), rank=2, rng=0)
    >>> np.allclose(f(0.2).S, np.linalg.svd(A(0.2))[1][:2], rtol=1e-7)
    True
    """
    return fit(
        Problem.of(A, box, TruncatedSVD(rank)),  # type: ignore[arg-type]  # check() refuses None
        tol=tol, samples=samples, basis=basis, training=training, sampler=sampler, rng=rng,
        executor=executor, device=device, dtype=dtype, progress=progress, throw=throw,
    )  # fmt: skip
