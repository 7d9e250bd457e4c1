"""What is fitted and timed: an operation on a family, and how far its answers are from the truth."""

import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np

import neumatc as nmc
from benchmarks.breadth.families import SmoothAffine
from benchmarks.breadth.judge import Task
from benchmarks.breadth.verbs import Factors
from benchmarks.cases import Setting
from benchmarks.fits import SAFE, TIGHT, argument, places
from benchmarks.record import Row
from benchmarks.speed.families import Separated, Stretched, affine
from benchmarks.truth import best_rank, relative
from neumatc.arrays import Array
from neumatc.errors import AccuracyWarning
from neumatc.gallery import LowRankSVD, SyntheticInverse

__all__ = ["Job", "answered", "errors", "fitted", "job_of", "memory", "points_of", "synthetic"]


SOLVES, TOL, APART = 18, 1e-12, 1e-11
"""Budget and tolerances of the affine families, the last where values keep apart: true errors are below 1e-12 then."""


@dataclass(frozen=True)
class Job:
    """One operation on one family.

    Parameters
    ----------
    verb : the operation.
    family : A(p), hashable.
    samples, tol : of the fit.
    rank : of a truncated SVD.
    affine : whether the fit is given the terms of A(p).
    """

    verb: str
    family: Any
    samples: int
    tol: float = TIGHT
    rank: int | None = None
    affine: bool = False

    @property
    def n(self) -> int:
        """Size of A(p)."""
        size: int = self.family.n
        return size

    @property
    def title(self) -> str:
        """The operation, and whether it is truncated."""
        return self.verb if self.rank is None else f"truncated {self.verb}"

    @property
    def task(self) -> Task:
        """Reference and error."""
        return Task(self.verb, self.family, rank=self.rank)

    def fit(self, A: Any = None, **options: Any) -> nmc.Fit:
        """Fit the family, or another form of it."""
        given = affine(self.family) if self.affine else self.family
        options = {"samples": self.samples, "tol": self.tol, "rng": 0, **options}
        if self.rank is not None:
            options["rank"] = self.rank
        with warnings.catch_warnings():
            # Budgets are fixed here: what was reached stands in the row.
            warnings.simplefilter("ignore", AccuracyWarning)
            found: nmc.Fit = getattr(nmc, self.verb)(given if A is None else A, self.family.box, **options)
        return found


@lru_cache(maxsize=8)
def fitted(job: Job) -> nmc.Fit:
    """Fit, once for all measurements of a run."""
    return job.fit()


def job_of(verb: str, n: int, affine: bool = False, d: int | None = None) -> Job:
    """Return the smooth affine family for an operation; one with values that keep apart where there are values.

    With d the box is longer, so long that d exact solves span no result to rounding: the latent tensor then has d
    slices, and the answers are less accurate.
    """
    kind: Literal["definite", "general"] = "definite" if verb in ("cholesky", "sqrtm") else "general"
    apart = verb in ("eigh", "svd")
    family = Separated(n, verb == "eigh") if apart else SmoothAffine(n, kind)
    if d is not None:
        return Job(verb, Stretched(family, 0.1 * d), d, TIGHT, affine=affine)
    return Job(verb, family, SOLVES, APART if apart else TOL, affine=affine)


def synthetic(verb: str, n: int, samples: int, setting: Setting, tol: float = TIGHT, **options: Any) -> Job:
    """Return the paper's synthetic family, or that of a truncated SVD."""
    if verb == "svd":
        rank = setting.count(20, 4)
        return Job("svd", LowRankSVD(n=n, rank=rank, tail=setting.count(40, 6)), samples, SAFE * 1e-9, rank)
    return Job(verb, SyntheticInverse(n=n, rank=min(20, n // 4), **options), samples, tol)


def points_of(job: Job, count: int) -> Array:
    """Return points of a family of one parameter, which no fit uses."""
    return places(job.family, count, 0)[:, 0]


def memory(value: Any, batch: int | None = None) -> Any:
    """Return buffers like an answer, or like a batch of such answers."""
    if isinstance(value, tuple):
        return tuple(memory(part, batch) for part in value)
    return np.empty(np.shape(value) if batch is None else (batch, *np.shape(value)), np.asarray(value).dtype)


def factors(verb: str, value: Any) -> Factors:
    """Return an answer for one point under the names of the references."""
    if verb == "eigh":
        return {"w": np.diag(value[0]), "V": value[1]}
    if verb == "svd":
        return {"U": value[0], "s": np.diag(value[1]), "V": value[2].conj().T}
    if verb == "qr":
        return {"Q": value[0], "R": value[1]}
    return {"L" if verb == "cholesky" else "X": value}


def errors(job: Job, points: Array, values: Any, count: int) -> Array:
    """Return the true relative errors of the first ``count`` answers of a batch, against LAPACK."""
    return np.array([_error(job, points[i], _picked(values, i)) for i in range(min(count, len(points)))])


def _error(job: Job, p: Any, value: Any) -> float:
    if job.rank is not None:
        U, S, Vh = value
        return relative((U * S) @ Vh, best_rank(job.family(p), job.rank)[0])
    return job.task.error(factors(job.verb, value), job.task.exact(job.task.given(argument(np.atleast_1d(p)))))


def _picked(values: Any, i: int) -> Any:
    return tuple(part[i] for part in values) if isinstance(values, tuple) else values[i]


def answered(row: Row, error: Array) -> Row:
    """Return the row with worst and median of the true errors."""
    worst = np.nan_to_num(error, nan=np.inf)
    return row.having(points=len(error), error_worst=float(worst.max()), error_median=float(np.median(worst)))
