"""Answers against LAPACK: every number of the table that is an error is measured here."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neumatc.arrays import Array
from neumatc.demo.jobs import REMEMBERED, Job
from neumatc.fitted import Fit
from neumatc.gauge import Factors
from neumatc.problem import true_residual

ENTRIES = 1 << 20
"""Matrix entries held at once: 16 matrices of 256 x 256."""


@dataclass(frozen=True)
class Findings:
    """What a check found at its m points.

    Parameters
    ----------
    tol : what the certified answers promise
    p : (m,)
    residual, bound : (m,) true relative residual of the uncorrected answers, and what their certificates say
    error : (m,) relative error against LAPACK
    excess : (m,) loss against the best approximation of the same rank, or None
    path : (m,) how the certified answers came about
    certified_residual : (m,) true relative residual of the certified answers
    certified_seconds : per certified answer, A(p) given
    pictured : exact results for the pictures, (k, ...) each, at ``p_pictured`` (k,)
    """

    tol: float
    p: Array
    residual: Array
    bound: Array
    error: Array
    excess: Array | None
    path: Array
    certified_residual: Array
    certified_seconds: float
    pictured: Factors
    p_pictured: Array

    @property
    def kept_promise(self) -> bool:
        """Whether no certified answer misses the tolerance it was asked for."""
        return bool(np.all(self.certified_residual <= self.tol))


def check(jobs: Sequence[Job], fits: Sequence[Fit], tell: Callable[[float], None]) -> list[Findings]:
    """Compare jobs that share a channel with LAPACK; ``tell`` hears the part that is done.

    They go through the points together, piece by piece, so that each A(p) is built once and soon forgotten.
    """
    p = jobs[0].p_checked
    size = min(REMEMBERED, max(1, ENTRIES // max(fit.shape[0] * fit.shape[1] for fit in fits)))
    pieces: list[list[Piece]] = [[] for _ in jobs]
    for start in range(0, len(p), size):
        some = p[start : start + size]
        for job, fit, found in zip(jobs, fits, pieces, strict=True):
            found.append(_piece(job, fit, some, start))
        tell(min(1.0, (start + size) / len(p)))
    return [_joined(p, fit.tol, found) for fit, found in zip(fits, pieces, strict=True)]


Piece = dict[str, Any]


def _piece(job: Job, fit: Fit, p: Array, start: int) -> Piece:
    A = np.stack([job.matrix(float(one)) for one in p])
    answer, truth = fit(p), job.reference.exact(A)
    before = time.perf_counter()
    certified = fit.certified()(p)
    seconds = time.perf_counter() - before
    found = {
        "residual": _residual(job, fit, A, answer),
        "bound": fit.certify(p).bound,
        "error": job.reference.error(answer, truth),
        "excess": job.reference.excess(A, answer, truth),
        "path": certified.path,
        "certified_residual": _residual(job, fit, A, certified.value),
        "seconds": seconds,
    }
    return found | _pictured(job, fit, p, start, A, truth)


def _residual(job: Job, fit: Fit, A: Array, answer: Any) -> Array:
    return true_residual(fit.operation, A, job.reference.factors(answer))


def _pictured(job: Job, fit: Fit, p: Array, start: int, A: Array, truth: Factors) -> Piece:
    if not job.pictured:
        return {"pictured": {}, "p_pictured": p[:0]}
    rows = np.flatnonzero((start + np.arange(len(p))) % job.pictured == 0)
    some = {name: X[rows] for name, X in truth.items()}
    return {"pictured": job.reference.pictured(A[rows], some, fit.operation), "p_pictured": p[rows]}


def _joined(p: Array, tol: float, pieces: Sequence[Piece]) -> Findings:
    def together(name: str) -> Array:
        return np.concatenate([piece[name] for piece in pieces])

    names = pieces[0]["pictured"]
    return Findings(
        tol=tol,
        p=p,
        residual=together("residual"),
        bound=together("bound"),
        error=together("error"),
        excess=None if pieces[0]["excess"] is None else together("excess"),
        path=together("path"),
        certified_residual=together("certified_residual"),
        certified_seconds=sum(piece["seconds"] for piece in pieces) / len(p),
        pictured={name: np.concatenate([piece["pictured"][name] for piece in pieces]) for name in names},
        p_pictured=together("p_pictured"),
    )
