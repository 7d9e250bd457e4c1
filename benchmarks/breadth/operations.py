"""Every operation by family: error after correction, before it, and of the best the span contains."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

import neumatc as nmc
from benchmarks.answers import Series, judged
from benchmarks.breadth.families import Columns, Gram, SmoothAffine
from benchmarks.breadth.judge import Matrix, Task, constant, series, smallest_gap
from benchmarks.cases import Case, Measurement, Setting
from benchmarks.fits import TIGHT, described, places
from benchmarks.record import Check, Row
from neumatc.arrays import Array
from neumatc.gallery import (
    AvoidedCrossing,
    Growth,
    LowRankSVD,
    RotatingSpectrum,
    RotatingSVD,
    Stable,
    SyntheticInverse,
)
from neumatc.sampling import FailureInformed

__all__ = ["OPERATIONS", "compared"]

CLOSE = 1.5
"""How far a corrected answer may be from the best of the span."""

WITHIN = 3.0
"""How far the truth may be from what a status promises."""

ROUNDING = 1e-14
"""Error below which a ratio compares rounding with rounding: the exact results have as much (cond A times 1e-16)."""

SMALL_GAP = "small gap"


@dataclass(frozen=True)
class Problem:
    """A row of the table: what is solved, with how many solves, and how far off it may be.

    ``bound`` is None where a gap is small: there the status must be honest, and no error is promised. ``tangents`` are
    taken where exact results alone, however well placed, do not span what the bound asks for.
    """

    group: str
    task: Task
    samples: int
    bound: float | None
    tol: float = TIGHT
    tangents: bool = False


def compared(row: Row, found: Series) -> Row:
    """Return the row with the figures of all three ways of answering."""
    worst = {name: float(values.max()) for name, values in found.items()}
    row = judged(
        row,
        found["corrected_residual"],
        found["corrected_error"],
        best_residual=worst["best_residual"],
        best_error=worst["best_error"],
    )
    extra = {
        "curve_error": worst["curve_error"],
        "curve_residual": worst["curve_residual"],
        "exact_residual": worst["exact_residual"],
        "ratio_worst": worst["corrected_error"] / max(worst["best_error"], ROUNDING),
        "ratio_error": float(np.max(found["corrected_error"] / found["best_error"])),
        "ratio_residual": float(np.max(found["corrected_residual"] / found["best_residual"])),
    }
    return row.having(extra={**row.extra, **extra})


def rows(problem: Problem, case: str, points: int, seed: int) -> Iterator[Row]:
    """Fit, answer, judge."""
    task = problem.task
    sampler = FailureInformed(tangents=problem.tangents)
    fit = task.fit(samples=problem.samples, tol=problem.tol, rng=seed, sampler=sampler)
    at = places(task.family, points, seed)
    row = described(OPERATIONS.name, case, task.family, fit, "corrected", seed)
    found = series(task, fit, at)
    row = compared(replace(row, operation=task.name), found)
    seconds = row.offline_seconds + row.build_seconds  # type: ignore[operator]  # both are of a fit
    own = {"gap": smallest_gap(task, at), "fit_seconds": seconds, "tangents": problem.tangents}
    row = row.having(extra={**row.extra, **own})
    if problem.bound is None:
        yield row.having(*honest(fit, found))
        return
    checks = (
        Check("worst error", float(found["corrected_error"].max()), problem.bound),
        Check("worst error / best in span", row.extra["ratio_worst"], CLOSE),
    )
    if task.name != "logm":  # its answers are those of the curve: at a point solved exactly the span has no error left
        checks += (Check("residual / best in span, worst point", row.extra["ratio_residual"], CLOSE),)
    yield row.having(*checks)


def honest(fit: nmc.Fit, found: Series) -> tuple[Check, ...]:
    """Return what a status promises: within tol when converged, else no worse than the held-out error says."""
    truth = float(found["curve_residual"].max())
    if fit.status == "converged":
        return (Check("converged: true worst residual / tol", truth / fit.tol, WITHIN),)
    return (Check("not converged: true worst / held-out", truth / fit.error, WITHIN),)


def fixed(n: int, columns: int, seed: int) -> Matrix:
    """Return a random matrix of unit-sized singular values that does not follow p."""
    return constant(np.random.default_rng([seed, 41]).standard_normal((n, columns)) / np.sqrt(n))


def weight(n: int, seed: int) -> Array:
    """Return a random symmetric positive definite matrix, ``I + G Gᵀ``."""
    G = np.random.default_rng([seed, 43]).standard_normal((n, n)) / np.sqrt(n)
    return np.eye(n) + G @ G.T


def smooth(n: int, seed: int) -> list[Task]:
    """Return all operations on the smooth affine family."""
    general, sectorial, definite, stable = (
        SmoothAffine(n, kind, seed) for kind in ("general", "sectorial", "definite", "stable")
    )
    W, one = constant(weight(n, seed)), constant(np.eye(4))
    return [
        *plain(general, n, seed),
        Task("cholesky", definite),
        Task("sqrtm", sectorial),
        Task("lyapunov", stable, {"Q": constant(-weight(n, seed))}),
        Task("riccati", stable, {"B": fixed(n, 4, seed), "Q": W, "R": one}),
    ]


def plain(A: Any, n: int, seed: int) -> list[Task]:
    """Return the operations that every invertible family has; the pseudo-inverse is that of its first columns."""
    return [
        Task("inv", A),
        Task("pinv", Columns(A, 3 * n // 4)),
        Task("solve", A, {"b": fixed(n, 1, seed)}),
        Task("qr", A),
        Task("polar", A),
    ]


def synthetic(n: int, rank: int, cond: float, seed: int) -> list[Task]:
    """Return all operations that the paper's synthetic family has: it is not stable."""
    general = SyntheticInverse(n=n, rank=rank, cond=cond, seed=seed)
    definite = SyntheticInverse(n=n, rank=rank, cond=cond, variant="spd", seed=seed)
    return [*plain(general, n, seed), Task("cholesky", definite), Task("sqrtm", general)]


def synthetic_ten(task: Task, samples: int) -> Problem:
    """Condition number 10: Q and R need up to 66 directions where the other results need 60."""
    if task.name == "qr":
        return Problem("synthetic, cond 10", task, samples, 1e-9, tol=3e-10, tangents=True)
    return Problem("synthetic, cond 10", task, samples, 1e-9)


def dynamics(n: int, seed: int) -> list[Task]:
    """Return the matrix equations of stable dynamics."""
    A = Stable(n=n, seed=seed)
    given: Mapping[str, Matrix] = {"B": A.control, "Q": A.state_cost, "R": A.effort}
    return [Task("lyapunov", A, {"Q": partial(minus, A.weight)}), Task("riccati", A, given)]


def minus(matrix: Matrix, p: Any) -> Array:
    """Return the negative."""
    negative: Array = -matrix(p)
    return negative


def problems(setting: Setting, seed: int) -> list[Problem]:
    """Return all rows for one seed."""
    n, half, quick = setting.count(128, 12), setting.count(64, 12), setting.quick
    rank, few = setting.count(20, 4), setting.count(40, 12)
    stiff = SyntheticInverse(n=n, rank=rank, variant="spd", seed=seed)
    low, ratio = {"n": setting.count(256, 24), "rank": setting.count(20, 4), "tail": setting.count(40, 4)}, 0.1
    crossing = LowRankSVD(**low, ratio=ratio, crossing="avoided", seed=seed)
    squares = Gram(LowRankSVD(**low, ratio=ratio**0.5, crossing="avoided", seed=seed))
    tall = {"rows": n, "columns": 3 * n // 4, "seed": seed}
    listed = [
        *(Problem("smooth affine", task, 16, 1e-12) for task in smooth(n, seed)),
        *(synthetic_ten(task, setting.count(60, 16)) for task in synthetic(n, rank, 10, seed)),
        *(Problem("synthetic, cond 100", task, setting.count(80, 16), 1e-7) for task in synthetic(n, rank, 100, seed)),
        *(Problem("stable dynamics", task, few, 1e-8) for task in dynamics(half, seed)),
        Problem("norm 5", Task("expm", Growth(n=half, norm=5.0, seed=seed)), few, 1e-8),
        *(Problem("SPD, cond 1000", Task(name, stiff), setting.count(80, 16), 1e-7) for name in ("logm", "sqrtm")),
        Problem("open spectrum", Task("eigh", RotatingSpectrum(n=n, gap=0.43, seed=seed)), few, 1e-12),
        Problem("open spectrum", Task("svd", RotatingSVD(**tall, gap=0.43)), few, 1e-12),
        Problem("avoided crossings", Task("svd", crossing, rank=crossing.rank), 20, 1e-9, 1e-10),
        Problem("avoided crossings", Task("eigh", squares, rank=crossing.rank, which="highest"), 20, 1e-9, 1e-10),
    ]
    narrow = [
        RotatingSpectrum(n=n, gap=0.025, seed=seed),
        RotatingSpectrum(n=n, gap=0.011, seed=seed),
        RotatingSpectrum(n=n, gap=0.02, turn=np.pi, seed=seed),
        AvoidedCrossing(seed=seed),
        AvoidedCrossing(gap=1e-4, seed=seed),
        RotatingSVD(**tall, gap=0.014),
    ]
    for family in narrow[-2:] if quick else narrow:
        task = Task("svd" if isinstance(family, RotatingSVD) else "eigh", family)
        listed.append(Problem(f"{SMALL_GAP}, {family.name}", task, few, None, 1e-8))
    return listed


def cases(setting: Setting) -> list[Case]:
    """One case per row, all seeds of one row in sequence."""
    points, seeds = setting.count(200, 5), setting.draws(5)
    found: dict[str, list[Case]] = {}
    for seed in seeds:
        for problem in problems(setting, seed):
            name = f"{problem.group}: {problem.task.name}"
            case = f"{name}, {problem.samples} solves, seed {seed}"
            found.setdefault(name, []).append(Case(case, partial(rows, problem, case, points, seed)))
    return [case for several in found.values() for case in several]


OPERATIONS = Measurement("operations", "Every operation: corrected, uncorrected, and the best of the span", cases)
