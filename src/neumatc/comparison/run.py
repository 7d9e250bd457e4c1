"""``compare``: one problem, every method, the same exact solves, the same judge."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from neumatc.errors import AccuracyWarning, InputError, NeuMatCError, RankError
from neumatc.fitted import Fit
from neumatc.fitting import fit as fitted
from neumatc.options import dtype_of, samples_of, seed_of, tol_of
from neumatc.problem import Meter, Problem

from .aaa import RationalApproximation
from .advice import Row
from .bench import Baseline, Bench, Ready
from .chebyshev import ChebyshevInterpolation
from .exact import ExactSolver
from .judge import Marks, judged
from .measure import build_seconds, judge_points, timed
from .more import ChebyshevAtLength
from .nearest import NearestSample
from .ours import NAME, TITLE, ours, solves
from .rbf import RadialBasisFunctions
from .report import Comparison
from .spline import QuinticSpline

BASELINES: tuple[Baseline, ...] = (
    ExactSolver(), ChebyshevInterpolation(), ChebyshevAtLength(), QuinticSpline(), RationalApproximation(),
    RadialBasisFunctions(), NearestSample(),
)  # fmt: skip
"""What our fit is compared with, in the order of the table."""


def compare(
    problem_or_fit: Problem | Fit,
    *,
    samples: int | None = None,
    points: int = 200,
    tol: float | None = None,
    rng: Any = 0,
    fit: Mapping[str, Any] | None = None,
    queries: int | None = None,
) -> Comparison:
    """Set our fit beside other methods at equal exact solves, and say which one to use.

    The others are the exact solver at every p, Chebyshev interpolation, a quintic spline, AAA, radial basis functions,
    and the nearest sample with one iterative step. Each gets as many exact solves as our fit has spent (a tensor grid
    as many as it can use), its samples in one smooth gauge, and POD compression. The row ``chebyshev+`` may solve more
    often, as long as it is ready about as soon as our fit. All are judged at the same random p.

    Parameters
    ----------
    problem_or_fit : ``nmc.Problem.of(A, box, operation)``, which is fitted first, or a fit that is there already
    samples : largest number of exact solves of our fit, as in `neumatc.fit`
    points : random p off the samples at which errors and residuals are measured; each costs an exact solve
    tol : relative residual that is acceptable, of a fit by default its own
    rng : None, an integer, or a numpy Generator
    fit : further options of `neumatc.fit`, such as ``{"basis": "rational"}``
    queries : how many answers are needed; the advice counts the offline seconds then. None asks for what is best in
        the long run

    Returns
    -------
    Comparison : ``rows``, ``advice`` (one sentence), ``best`` (the row it names); ``repr`` is a table

    Raises
    ------
    InputError
        For options that contradict each other, and whatever is wrong with A(p) itself.

    Notes
    -----
    The error is ``max_X min_g ‖g(X) - X*‖_F / ‖X*‖_F`` over the factors X, with g in the gauge group of the operation;
    the residual is the one that certificates speak of. What fails (a pole inside the box, no smooth gauge) is a row
    with its reason. Times are medians of interleaved calls on this machine; A(p) is built where a method needs it at
    every query, and the advice counts that.

    Examples
    --------
    >>> import numpy as np, neumatc as nmc
    >>> from neumatc.operations import Inverse
    >>> def A(p):
    ...     return np.diag([1.0, 2.0, 3.0]) + 0.3 * np.sin(p + np.arange(9.0)).reshape(3, 3)
    >>> found = nmc.compare(nmc.Problem.of(A, (0.0, 1.0), Inverse()), points=20)
    >>> found["chebyshev"].exact_solves == found["neumatc"].exact_solves, found["exact"].error < 1e-12
    (True, True)
    >>> found.advice.startswith("Use ")
    True
    """
    _check(points, queries)
    seed, _ = seed_of(rng)
    if isinstance(problem_or_fit, Fit):
        if samples is not None or fit is not None:
            raise InputError(
                f"`samples` and `fit` are options of a fit that is still to be made, got samples={samples!r}, "
                f"fit={fit!r} with a fit that is there already. It has spent {solves(problem_or_fit)} exact solves. "
                "Pass its problem, `f.problem`, to have another one made."
            )
        found: Fit | None = problem_or_fit
        problem, failure = replace(problem_or_fit.problem_or_raise, meter=Meter()), ""
        wanted = problem_or_fit.tol if tol is None else tol_of(tol, problem_or_fit.dtype)
    elif isinstance(problem_or_fit, Problem):
        found, failure = _fitted(problem_or_fit, {"samples": samples, "tol": tol, "rng": seed, **(fit or {})})
        problem = found.problem_or_raise if found else problem_or_fit
        problem = replace(problem, meter=Meter())
        wanted = tol_of(tol, dtype_of(problem, (fit or {}).get("dtype")))
    else:
        raise InputError(
            f"`compare` needs a Problem or a Fit, got {type(problem_or_fit).__name__}. "
            "A callable alone does not say which operation is meant, and where p lies. "
            "Write nmc.compare(nmc.Problem.of(A, box, operation)), or nmc.compare(nmc.inv(A, box))."
        )
    count = solves(found) if found else samples_of(samples, problem)
    judge, table = judge_points(problem, found, points, seed)
    stored = found.surrogate.C.dtype if found else dtype_of(problem, None)
    bench = Bench(problem, count, wanted, seed, stored, found.cost.total_seconds if found else None, table)
    build = build_seconds(problem, judge)
    ready, absent = _prepared(bench)
    if found:
        ready = {NAME: ours(found, problem), **ready}
    marks = judged(ready, problem, judge, seed)
    alone, batch = timed(ready, problem, judge)
    titles = {NAME: TITLE, **{each.name: each.title for each in BASELINES}}
    reasons = {NAME: failure, **absent}
    rows = tuple(
        _row(name, title, ready[name], marks[name], alone[name], batch[name])
        if name in ready
        else Row(name, title, ran=False, note=reasons[name])
        for name, title in titles.items()
    )
    n1, n2 = problem.shape
    text = f"{problem.operation.name} of {n1} x {n2} {problem.dtype}, {problem.box}"
    return Comparison(rows, text, wanted, len(judge), build, queries)


def _check(points: Any, queries: Any) -> None:
    for name, value in (("points", points), ("queries", queries)):
        whole = isinstance(value, int | np.integer) and not isinstance(value, bool) and value >= 1
        if not whole and not (name == "queries" and value is None):
            raise InputError(
                f"`{name}` must be a whole number of at least 1, got {value!r}. "
                "It counts p, those of the judge or those that will be asked for. Try points=200, queries=10_000."
            )


def _fitted(problem: Problem, options: Mapping[str, Any]) -> tuple[Fit | None, str]:
    """Our fit, or why there is none; how well it did is for the judge to say, so it need not warn."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AccuracyWarning)
        try:
            return fitted(problem, **options), ""
        except NeuMatCError as cause:
            if isinstance(cause, InputError) and not isinstance(cause, RankError):
                raise  # something is wrong with A(p) or the options, for every method
            return None, _first_sentence(cause)


def _prepared(bench: Bench) -> tuple[dict[str, Ready], dict[str, str]]:
    """The baselines that are ready, and why the others are not."""
    ready: dict[str, Ready] = {}
    absent: dict[str, str] = {}
    for baseline in BASELINES:
        reason = baseline.absent(bench)
        if reason is None:
            try:
                ready[baseline.name] = baseline.prepare(bench)
            except NeuMatCError as cause:
                reason = _first_sentence(cause)
        if reason is not None:
            absent[baseline.name] = reason
    return ready, absent


def _row(name: str, title: str, ready: Ready, marks: Marks, alone: float, batched: float) -> Row:
    return Row(
        method=name,
        title=title,
        error=float(marks.error.max()),
        error_median=float(np.median(marks.error)),
        residual=float(marks.residual.max()),
        offline_seconds=ready.offline_seconds,
        alone=alone,
        batched=batched,
        exact_solves=ready.exact_solves,
        built=ready.built,
        nbytes=ready.nbytes,
        needs_matrix=ready.needs_matrix,
        note=ready.note,
    )


def _first_sentence(cause: Exception) -> str:
    text = str(cause)
    return text.split(". ")[0].removesuffix(".")
