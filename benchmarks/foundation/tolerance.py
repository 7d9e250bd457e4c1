"""`tol` decides: enough samples converge to it, too few are told as such."""

from collections.abc import Iterator
from functools import partial

import numpy as np

import neumatc as nmc
from benchmarks.answers import judged
from benchmarks.cases import Case, Measurement, Setting
from benchmarks.fits import argument, described, fitted, places
from benchmarks.foundation.problems import Exhibited, problems, true_residual
from benchmarks.record import Check, Row
from benchmarks.truth import best_rank, relative
from neumatc.arrays import Array
from neumatc.gallery import DEMANDING

__all__ = ["TOLERANCE"]

TOLS = (1e-4, 1e-6, 1e-8)
WITHIN = 3.0


def enough(problem: Exhibited, tol: float) -> nmc.Fit:
    """Return the first converged fit, or that of the largest budget."""
    for samples in problem.budgets:
        fit = fitted(problem.family, problem.rank, samples=samples, tol=tol, rng=0)
        if fit.status == "converged":
            break
    return fit


def too_few(problem: Exhibited, samples: int) -> nmc.Fit:
    """Return a fit of half the budget that it takes, or of half of that while it converges all the same."""
    while samples > 2:
        samples = max(2, samples // 2)
        fit = fitted(problem.family, problem.rank, samples=samples, tol=TOLS[-1], rng=0)
        if fit.status != "converged":
            break
    return fit


def rows(problem: Exhibited, points: int, exact: int) -> Iterator[Row]:
    """Fit for every tolerance and once with too few solves for the tightest; measure all at the same points."""
    fits = {f"tol {tol:g}": enough(problem, tol) for tol in TOLS}
    fits["too few"] = too_few(problem, len(fits[f"tol {TOLS[-1]:g}"].samples))
    at = places(problem.family, points, 0)
    measured = figures(problem, list(fits.values()), at, exact)
    for (name, fit), (residual, error) in zip(fits.items(), measured, strict=True):
        row = described(TOLERANCE.name, f"{problem.name}, {name}", problem.family, fit, "curve", 0)
        row = judged(row, residual, error)
        worst = float(residual.max())
        # A bootstrapped SVD may converge from two solves, which then are not too few: tol is held to as ever.
        if name == "too few" and fit.status != "converged":
            yield row.having(*honest(fit, worst))
        else:
            yield row.having(
                Check("status is not 'converged'", float(fit.status != "converged"), 0.0),
                Check("true worst residual / tol", worst / fit.tol, WITHIN),
            )


def limits(problem: Exhibited, points: int, exact: int) -> Iterator[Row]:
    """Fit what cannot converge: the status must say so, and the held-out error be true."""
    fit = fitted(problem.family, problem.rank, samples=problem.budgets[-1], tol=TOLS[0], rng=0)
    at = places(problem.family, points, 0)
    ((residual, error),) = figures(problem, [fit], at, exact)
    row = judged(described(TOLERANCE.name, f"{problem.name}, limit", problem.family, fit, "curve", 0), residual, error)
    yield row.having(*honest(fit, float(residual.max())))


def honest(fit: nmc.Fit, worst: float) -> tuple[Check, ...]:
    """Return the lines that a fit without convergence must meet."""
    truth = fit.error / worst
    return (
        Check("status is not 'budget'", float(fit.status != "budget"), 0.0),
        Check("true worst / held-out", 1 / truth, WITHIN),
        Check("held-out / true worst", truth, WITHIN),
    )


def figures(problem: Exhibited, fits: list[nmc.Fit], at: Array, exact: int) -> list[tuple[Array, Array]]:
    """Return residuals at all points, and errors against LAPACK at the first few, fit by fit."""
    residual = np.empty((len(fits), len(at)))
    error = np.empty((len(fits), min(exact, len(at))))
    for j, point in enumerate(at):
        p = argument(point)
        A = problem.family(p)
        truth = reference(A, problem.rank) if j < error.shape[1] else None
        for i, fit in enumerate(fits):
            value = fit(p)
            residual[i, j] = true_residual(A, value)
            if truth is not None:
                X = (value[0] * value[1]) @ value[2] if isinstance(value, tuple) else value
                error[i, j] = relative(X, truth)
    return list(zip(residual, error, strict=True))


def reference(A: Array, rank: int | None) -> Array:
    """Return the exact result as one matrix."""
    return np.linalg.inv(A) if rank is None else best_rank(A, rank)[0]


def cases(setting: Setting) -> list[Case]:
    """One case per problem, so that a long run can be resumed."""
    points, exact = setting.count(1000, 10), setting.count(50, 3)
    demanding = [] if setting.quick else [Exhibited(name) for name in DEMANDING]
    return [
        *(Case(problem.name, partial(rows, problem, points, exact)) for problem in problems(setting)),
        *(Case(problem.name, partial(limits, problem, points, exact)) for problem in demanding),
    ]


TOLERANCE = Measurement("tolerance", "tol decides: status and true residual on every problem of the gallery", cases)
