"""Operations as the paper's tables know them: what is exact, how far off an answer is, and how a fit is asked for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import scipy.linalg

import neumatc as nmc
from benchmarks.truth import best_rank, relative
from neumatc.arrays import Array

__all__ = ["TASKS", "Task", "svd"]


@dataclass(frozen=True)
class Task:
    """One operation.

    Parameters
    ----------
    verb : of `neumatc`.
    exact : A to the reference.
    numpy : A to whatever the paper's own baseline computes; timed, its result dropped.
    error : relative error of an answer, as a fit gives it, against the reference.
    options : of the verb.
    """

    verb: str
    exact: Callable[[Array], Any]
    numpy: Callable[[Array], Any]
    error: Callable[[Any, Any], float]
    options: Mapping[str, Any] = field(default_factory=dict)

    def fit(self, family: Any, **options: Any) -> nmc.Fit:
        """Fit this operation on a family."""
        found: nmc.Fit = getattr(nmc, self.verb)(family, family.box, **self.options, **options)
        return found


def _positive_qr(A: Array) -> tuple[Array, Array]:
    """QR with a positive diagonal of R, which makes it unique."""
    Q, R = np.linalg.qr(A)
    diagonal = R.diagonal()
    phase = diagonal / np.abs(diagonal)
    return Q * phase, R * phase.conj()[:, None]


def _worst(answer: Any, exact: Any) -> float:
    """Largest relative error of any factor."""
    return max(relative(np.asarray(X), Y) for X, Y in zip(answer, exact, strict=True))


def _product(answer: Any, exact: Array) -> float:
    """Relative error of ``U S Vh`` against the best approximation of that rank."""
    U, S, Vh = answer
    return relative((np.asarray(U) * np.asarray(S)) @ np.asarray(Vh), exact)


def _thin_svd(A: Array) -> Any:
    return np.linalg.svd(A, full_matrices=False)


def svd(rank: int) -> Task:
    """The leading triplets, judged by their product."""
    return Task("svd", lambda A: best_rank(A, rank)[0], _thin_svd, _product, {"rank": rank})


TASKS: Mapping[str, Task] = MappingProxyType(
    {
        "inv": Task("inv", np.linalg.inv, np.linalg.inv, relative),
        "qr": Task("qr", _positive_qr, np.linalg.qr, _worst),
        "cholesky": Task("cholesky", np.linalg.cholesky, np.linalg.cholesky, relative),
        # NumPy has no exponential; SciPy's is what a NumPy user calls.
        "expm": Task("expm", scipy.linalg.expm, scipy.linalg.expm, relative),
    }
)
"""By verb, those without parameters of their own."""
