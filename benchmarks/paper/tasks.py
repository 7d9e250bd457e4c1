"""Operations as the paper's tables know them: what is exact, how far off an answer is, and how a fit is asked for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import scipy.linalg
import torch

import neumatc as nmc
from benchmarks.baselines.dense import INVERSES, SVDS
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
    rivals : other calls that compute the same; the fastest is the best LAPACK of a machine.
    """

    verb: str
    exact: Callable[[Array], Any]
    numpy: Callable[[Array], Any]
    error: Callable[[Any, Any], float]
    options: Mapping[str, Any] = field(default_factory=dict)
    rivals: Mapping[str, Callable[[Array], Any]] = field(default_factory=dict)

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


def _signless(answer: Any, exact: Any) -> float:
    """Largest relative error of Q and R, the diagonal of R made positive."""
    Q, R = (np.asarray(X) for X in answer)
    phase = R.diagonal() / np.abs(R.diagonal())
    return _worst((Q * phase, R * phase.conj()[:, None]), exact)


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

    def cut(call: Callable[[Array], Any]) -> Callable[[Array], Any]:
        return lambda A: triplets_of(call(A), rank)

    rivals = {name: cut(call) for name, call in SVDS.items()}
    return Task("svd", lambda A: best_rank(A, rank)[0], _thin_svd, _product, {"rank": rank}, rivals)


def triplets_of(found: Any, rank: int) -> Any:
    """Return the leading triplets."""
    U, S, Vh = found
    return U[:, :rank], S[:rank], Vh[:rank]


def _torch(function: Callable[[Any], Any]) -> Callable[[Array], Any]:
    """A function of torch on NumPy arrays."""

    def call(A: Array) -> Any:
        found = function(torch.from_numpy(A))
        return tuple(X.numpy() for X in found) if isinstance(found, tuple) else found.numpy()

    return call


TASKS: Mapping[str, Task] = MappingProxyType(
    {
        "inv": Task("inv", np.linalg.inv, np.linalg.inv, relative, rivals=INVERSES),
        "qr": Task("qr", _positive_qr, np.linalg.qr, _signless, rivals={"torch": _torch(torch.linalg.qr)}),
        "cholesky": Task(
            "cholesky",
            np.linalg.cholesky,
            np.linalg.cholesky,
            relative,
            rivals={"torch": _torch(torch.linalg.cholesky)},
        ),
        # NumPy has no exponential; SciPy's is what a NumPy user calls.
        "expm": Task(
            "expm", scipy.linalg.expm, scipy.linalg.expm, relative, rivals={"torch": _torch(torch.linalg.matrix_exp)}
        ),
    }
)
"""By verb, those without parameters of their own."""
