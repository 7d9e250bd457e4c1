"""Where methods are judged, and what they cost on this machine."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from neumatc.arrays import Array
from neumatc.errors import InputError
from neumatc.fitted import Fit
from neumatc.problem import Problem

from .bench import Ready
from .clock import race

RUNS, CLOCK_SECONDS = 20, 3.0
"""Timed calls of each method of which the median is reported, and seconds after which no more are begun."""

BATCH, ENTRIES = 32, 1 << 18
"""Points of a timed batch; where every query needs A(p), no more than fit into so many entries."""

BUILDS = 8
"""Matrices built to learn what one A(p) costs."""

JUDGED = 3
"""At least one in so many of the unsampled rows of a table is kept for the judge."""


def judge_points(problem: Problem, fit: Fit | None, count: int, seed: int) -> tuple[Array, Array | None]:
    """Points ``(m, D)`` of the judge, and the unit points ``(m, D)`` of a table that baselines may solve at."""
    rng, known = np.random.default_rng([seed, 304]), problem.tabulated
    if known is None:
        return problem.box.random(count, rng), None
    free = np.ones(len(known), bool)
    if fit is not None:
        free = (np.abs(known[:, None] - fit.samples.points[None]).max(-1) > 1e-12 * problem.box.width.max()).all(1)
    rows = np.flatnonzero(free)
    chosen = rng.permutation(rows)[: min(count, -(-len(rows) // JUDGED))]
    if not len(chosen):
        raise InputError(
            f"A table needs rows that were not solved, to judge the methods by, got {len(known)} rows, all solved. "
            "The fit was given as many exact solves as there are points. Tabulate more points, or lower `samples`."
        )
    return known[np.sort(chosen)], problem.box.to_unit(np.delete(known, chosen, axis=0))


def build_seconds(problem: Problem, points: Array) -> float:
    """Seconds of one A(p), median of a few single calls."""
    seconds = []
    for row in range(min(BUILDS, len(points))):
        start = time.perf_counter()
        problem.matrices(points[row : row + 1])
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds))


def timed(ready: Mapping[str, Ready], problem: Problem, points: Array) -> tuple[dict[str, float], dict[str, float]]:
    """Microseconds per query, alone and in a batch, with A(p) given."""
    p = np.resize(points, (BATCH, points.shape[1]))
    few = max(2, min(BATCH, ENTRIES // (problem.shape[0] * problem.shape[1])))
    # In the caller's precision, as the caller would pass it: in single precision LAPACK is twice as fast.
    A = problem.matrices(p[:few]).astype(problem.dtype)
    one = {name: _alone(method, p, A) for name, method in ready.items()}
    sizes = {name: few if method.needs_matrix else BATCH for name, method in ready.items()}
    many = {name: _batch(method, p[: sizes[name]], A) for name, method in ready.items()}
    alone, batch = race(one, RUNS, CLOCK_SECONDS), race(many, RUNS, CLOCK_SECONDS)
    micro = {name: 1e6 * seconds for name, seconds in alone.items()}
    return micro, {name: 1e6 * seconds / sizes[name] for name, seconds in batch.items()}


def _alone(method: Ready, p: Array, A: Array) -> Any:
    return lambda run: method.alone(p[run % len(A)][None], A[run % len(A)][None])


def _batch(method: Ready, p: Array, A: Array) -> Any:
    return lambda _run: method.batch(p, A)
