"""The exact solver at every p: what everything else must beat, by its fastest call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, final

import numpy as np
import scipy.linalg
import torch

from neumatc.arrays import Array, is_hermitian, real_dtype
from neumatc.gauge import Factors, adjoint
from neumatc.operations import Inverse, Operation, PartialEigh, TruncatedSVD

from .bench import Baseline, Bench, Ready
from .clock import race

TRIED = 3
"""Matrices on which the calls are raced before the fastest is taken."""

HERMITIAN = {8: 1e-13, 4: 1e-6}
"""Departure from Hermitian, by bytes of one real number, up to which Cholesky may compete."""


@final
class ExactSolver(Baseline):
    """LAPACK through NumPy, torch (MKL) or SciPy, whichever is fastest for this operation and size."""

    name: ClassVar[str] = "exact"
    title: ClassVar[str] = "the exact solver (LAPACK)"

    def absent(self, bench: Bench) -> str | None:
        """Never."""
        del bench
        return None

    def prepare(self, bench: Bench) -> Ready:
        """Race the calls, alone and in a batch."""
        problem, operation = bench.problem, bench.problem.operation
        points = problem.box.random(TRIED, np.random.default_rng([bench.seed, 302]))
        if bench.table is not None:
            points = problem.box.from_unit(bench.table[:TRIED])
        A = problem.matrices(points).astype(problem.dtype)
        calls = calls_of(operation, A)
        alone = race({name: partial(_single, call, A) for name, call in calls.items()}, 5, 1.0)
        batch = race({name: partial(_several, call, A) for name, call in calls.items()}, 3, 1.0)
        one, many = min(alone, key=alone.__getitem__), min(batch, key=batch.__getitem__)

        def factors(x: Array, A: Array) -> Factors:
            # Through another library than the judge's: the error shows how far rounding alone moves the answer.
            del x
            F = operation.exact(torch.from_numpy(np.ascontiguousarray(A)))
            return operation.canonical({name: X.resolve_conj().numpy() for name, X in F.items()})

        return Ready(
            factors=factors,
            alone=lambda _p, A: calls[one](A),
            batch=lambda _p, A: calls[many](A),
            offline_seconds=0.0,
            built=0,
            exact_solves=0,
            nbytes=0,
            needs_matrix=True,
            note=one if one == many else f"{one} alone, {many} in a batch",
        )


def calls_of(operation: Operation, A: Array) -> dict[str, Callable[[Array], Any]]:
    """Ways to the exact answer for matrices like ``A (B, n1, n2)``, by name; those that fail on A are left out."""
    plain = _unbuffered(operation)
    calls: dict[str, Callable[[Array], Any]] = {
        "NumPy": lambda A: plain.present(plain.exact(A)),
        "torch": lambda A: plain.present(_numpy(plain.exact(torch.from_numpy(A)))),
    }
    if plain is operation:
        # Only the truncated ones, above, are known to come from LAPACK as the user receives them.
        calls = {
            "NumPy": lambda A: plain.present(plain.canonical(plain.exact(A))),
            "torch": lambda A: plain.present(plain.canonical(_numpy(plain.exact(torch.from_numpy(A))))),
        }
    if isinstance(plain, Inverse) and is_hermitian(A, HERMITIAN[real_dtype(A.dtype).itemsize]):
        calls["torch Cholesky"] = _cholesky_inverse
    if isinstance(plain, TruncatedSVD):
        calls["SciPy eigh(AᴴA)"] = lambda A: [_top_triplets(matrix, plain.rank) for matrix in A]
    if isinstance(plain, PartialEigh) and not plain.generalised:
        calls["SciPy eigh"] = lambda A: [_end(matrix, plain) for matrix in A]
    return {name: call for name, call in calls.items() if _works(call, A)}


def _single(call: Callable[[Array], Any], A: Array, run: int) -> Any:
    return call(A[run % len(A)][None])


def _several(call: Callable[[Array], Any], A: Array, run: int) -> Any:
    del run
    return call(A)


def _works(call: Callable[[Array], Any], A: Array) -> bool:
    try:
        call(A)
    except (np.linalg.LinAlgError, RuntimeError):  # not definite
        return False
    return True


def _unbuffered(operation: Operation) -> Operation:
    """Without the directions that only a map carries along."""
    return replace(operation, buffer=0) if isinstance(operation, TruncatedSVD | PartialEigh) else operation


def _numpy(F: Factors) -> Factors:
    return {name: X.resolve_conj().numpy() for name, X in F.items()}


def _cholesky_inverse(A: Array) -> Array:
    inverse: Array = torch.cholesky_inverse(torch.linalg.cholesky(torch.from_numpy(A))).numpy()
    return inverse


def _top_triplets(A: Array, rank: int) -> tuple[Array, Array, Array]:
    n = A.shape[-1]
    squares, V = scipy.linalg.eigh(adjoint(A) @ A, subset_by_index=(n - min(rank, n), n - 1), driver="evr")
    S = np.sqrt(np.maximum(squares[::-1], np.finfo(float).tiny))
    V = V[:, ::-1]
    return A @ V / S, S, adjoint(V)


def _end(A: Array, operation: PartialEigh) -> tuple[Array, Array]:
    n, k = A.shape[-1], operation.rank
    window = (0, k - 1) if operation.which == "lowest" else (n - k, n - 1)
    values, V = scipy.linalg.eigh(A, subset_by_index=window, driver="evr")
    return values, V
