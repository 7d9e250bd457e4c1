"""Verbs of spectra: svd, eigh, eig."""

from __future__ import annotations

from typing import Any

from neumatc.errors import InputError
from neumatc.family import Affine
from neumatc.fitted import Fit
from neumatc.fitting import fit, problem_of
from neumatc.operations import Eig, Eigh, FullSVD, Operation, PartialEigh, SpectralProjector, TruncatedSVD
from neumatc.reduced import ReducedEigh
from neumatc.reducing import fit_reduced_eigh, refuse_options


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
    """Parametric SVD: ``f(p)`` is a named tuple ``(U, S, Vh)`` of A(p), thin, of all or the ``rank`` largest triplets.

    With a rank the map learns the dominant subspaces with a buffer chosen from the gaps it meets, so that crossings and
    avoided crossings of singular values cost nothing; the small core is diagonalised at the query, hence U and V are
    orthonormal to rounding and S is sorted. Without one each triplet is followed through crossings; vectors of values
    that come close are as uncertain as ``tol / gap``, and an event of the history tells the smallest gap that was seen.
    Options are those of `neumatc.fit`.

    Examples
    --------
    >>> import numpy as np, neumatc as nmc
    >>> def A(p):
    ...     return np.diag([3.0 + p, 4.0 - p, 0.1]) + 0.01 * p
    >>> f = nmc.svd(A, box=(0.0, 1.0), rank=2, rng=0)
    >>> np.allclose(f(0.2).S, np.linalg.svd(A(0.2))[1][:2], rtol=1e-7)
    True
    >>> g = nmc.svd(A, box=(0.0, 0.4), rng=0)
    >>> g(0.2).U.shape, np.allclose(g(0.2).S, np.linalg.svd(A(0.2))[1], rtol=1e-6)
    ((3, 3), True)
    """
    operation: Operation = FullSVD() if rank is None else TruncatedSVD(rank)
    return fit(
        problem_of(A, box, operation),
        tol=tol, samples=samples, basis=basis, training=training, sampler=sampler, rng=rng,
        executor=executor, device=device, dtype=dtype, progress=progress, throw=throw,
    )  # fmt: skip


def eigh(
    A: Any,
    box: Any,
    B: Any = None,
    rank: int | None = None,
    which: str = "lowest",
    projector: bool = False,
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
) -> Fit | ReducedEigh:
    """Parametric Hermitian eigenproblem: ``f(p)`` is a named tuple ``(eigenvalues, eigenvectors)``, values ascending.

    Parameters
    ----------
    A, B : Hermitian matrices; B positive definite, a function of p or constant, or None for the identity. With B the
        problem is ``A v = w B v`` and the vectors are B-orthonormal, as in ``scipy.linalg.eigh``
    box : where p lies
    rank, which : how many pairs, from the "lowest" or the "highest" end; None for all
    projector : whether ``f(p)`` shall be the (n, n) projector ``V Vᴴ`` onto the ``rank`` vectors (``V Vᴴ B`` with B)
        in the place of the pairs. It has no gauge: it is smooth wherever the gap to the other values is open, also
        where no smooth vectors exist (a Dirac point among the chosen levels, a Möbius or Chern band)

    Notes
    -----
    With a rank the map learns the invariant subspace, which neither a crossing nor an avoided crossing inside it
    disturbs. Without one each pair is followed through crossings; vectors of values that come close are as uncertain as
    ``tol / gap``, and an event of the history tells the smallest gap that was seen. Options are those of `neumatc.fit`.

    An `Affine` of scipy.sparse matrices is never made dense: ``rank`` pairs are answered by Rayleigh–Ritz in a basis of
    eigenvectors, with exact residuals (`ReducedEigh`); of the options it takes ``tol, samples, rng, progress, throw``.
    Saved, it comes back with ``neumatc.load(path, matrix=A)``, or ``(A, B)``.

    Examples
    --------
    >>> import numpy as np, neumatc as nmc
    >>> def A(p):
    ...     return np.diag([1.0 + p, 2.0 - p, 3.0]) + 0.5 * np.sin(p)
    >>> f = nmc.eigh(A, box=(0.0, 1.0), rng=0)
    >>> np.allclose(f(0.4).eigenvalues, np.linalg.eigvalsh(A(0.4)), atol=1e-7)
    True
    >>> g = nmc.eigh(A, (0.0, 1.0), np.diag([1.0, 2.0, 3.0]), rank=1, which="highest", rng=0)
    >>> g(0.4).eigenvectors.shape
    (3, 1)
    >>> P = nmc.eigh(A, (0.0, 0.3), rank=2, projector=True, rng=0)
    >>> P(0.2).shape, np.allclose(P(0.2) @ P(0.2), P(0.2), atol=1e-7), round(float(np.trace(P(0.2))), 6)
    ((3, 3), True, 2.0)
    """
    if isinstance(A, Affine) and A.sparse and not projector:
        refuse_options(basis=basis, training=training, sampler=sampler, executor=executor, device=device, dtype=dtype)
        return fit_reduced_eigh(
            A, box, B=B, rank=rank, which=which, tol=tol, samples=samples, rng=rng, progress=progress, throw=throw
        )
    operation = _hermitian(rank, which, projector, B is not None)
    return fit(
        problem_of(A if B is None else (A, B), box, operation),
        tol=tol, samples=samples, basis=basis, training=training, sampler=sampler, rng=rng,
        executor=executor, device=device, dtype=dtype, progress=progress, throw=throw,
    )  # fmt: skip


def eig(
    A: Any,
    box: Any,
    left: bool = False,
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
    """Parametric eigenproblem of any square A: ``f(p)`` is a named tuple ``(eigenvalues, eigenvectors)``, complex.

    Columns have norm one and a real positive largest entry; values are sorted by real, then imaginary part. With
    ``left`` a third field ``left_eigenvectors`` holds L with ``Lᴴ A = diag(w) Lᴴ`` and ``Lᴴ V = I``. An exceptional
    point inside the box, where vectors coincide, is refused; near one the condition of V is told by an event of the
    history. Options are those of `neumatc.fit`.

    Examples
    --------
    >>> import numpy as np, neumatc as nmc
    >>> def A(p):
    ...     return np.array([[1.0, 2.0 + p], [-p - 1.0, 3.0]])
    >>> f = nmc.eig(A, box=(0.0, 1.0), rng=0)
    >>> w, V = f(0.4)
    >>> np.allclose(A(0.4) @ V, V * w, atol=1e-7)
    True
    """
    return fit(
        problem_of(A, box, Eig(left)),
        tol=tol, samples=samples, basis=basis, training=training, sampler=sampler, rng=rng,
        executor=executor, device=device, dtype=dtype, progress=progress, throw=throw,
    )  # fmt: skip


def _hermitian(rank: Any, which: str, projector: bool, generalised: bool) -> Operation:
    """The operation that `eigh` is asked for."""
    if projector and rank is None:
        raise InputError(
            "eigh(..., projector=True) needs a rank, and none came. "
            "The projector onto all eigenvectors is the identity. Pass rank=k, how many of them are meant."
        )
    if projector:
        return SpectralProjector(rank, which, generalised)
    return Eigh(generalised) if rank is None else PartialEigh(rank, which, generalised=generalised)
