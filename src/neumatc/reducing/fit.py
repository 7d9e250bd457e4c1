"""The outer loop of a sparse solve: from A, b and options to a `ReducedFit`."""

from __future__ import annotations

import time
import warnings
from typing import Any

import numpy as np

from neumatc.arrays import Array
from neumatc.errors import AccuracyWarning, InputError, TrainingError
from neumatc.history import Cost, Event
from neumatc.options import joint_of, seed_of, tol_of
from neumatc.progress import progress_of
from neumatc.reduced import Model, ReducedFit, System, system_of
from neumatc.reduced.learned import LearnedModel
from neumatc.reduced.memory import expanded
from neumatc.samples import Samples

from .greedy import Grown, grow
from .joint import train

SAMPLES = 96
"""Default largest number of exact solves."""


def fit_reduced(
    A: Any, b: Any, box: Any, *, tol: Any, samples: Any, training: Any = "auto", sampler: Any = None, rng: Any,
    progress: Any, throw: bool,
) -> ReducedFit:  # fmt: skip
    """Fit the solution of a sparse system: by the weak greedy loop, or by joint training where that is asked for."""
    start = time.perf_counter()
    wanted, count, (seed, _) = tol_of(tol, np.float64), _count(samples), seed_of(rng)
    joint = joint_of(training, "auto")
    if joint is None:
        refuse_options(sampler=sampler)
    system = system_of(A, b, box)
    history: list[Event] = []
    with progress_of(progress, count) as report:

        def tell(event: Event) -> None:
            history.append(event)
            report(event)

        if joint is None:
            grown = grow(system, wanted, count, np.random.default_rng(seed), tell)
        else:
            grown = train(system, joint, sampler, wanted, count, seed, tell)
    status = _status(grown, wanted, count if joint is None else len(grown.points))
    result = ReducedFit(
        system, grown.basis, grown.model, Samples(grown.points), tuple(history), status, grown.worst, wanted,
        _cost(system, grown, start), grown.excluded,
    )  # fmt: skip
    if status != "converged":
        _complain(result, throw)
    return result


def refuse_options(**options: Any) -> None:
    """Raise InputError for an option that a reduced model would silently ignore."""
    for name, value in options.items():
        if value is not None and not (isinstance(value, str) and value == "auto"):
            raise InputError(
                f"`{name}` = {value!r} has no meaning for a sparse A. Coefficients solve reduced equations at every "
                "query, so there is no curve to choose, and solves are placed by exact residuals. Leave it out."
            )


def _count(samples: Any) -> int:
    if samples is None:
        return SAMPLES
    if not isinstance(samples, int | np.integer) or isinstance(samples, bool) or samples < 1:
        raise InputError(
            f"`samples` must be a whole number of at least 1, got {samples!r}. "
            "It limits the exact solves, each of which extends the basis. Pass the largest number you can afford."
        )
    return int(samples)


def _status(grown: Grown, wanted: float, count: int) -> str:
    if grown.worst <= wanted:
        return "converged"
    return "budget" if len(grown.points) >= count else "stalled"


def _complain(result: ReducedFit, throw: bool) -> None:
    reason = (
        "The solutions span more dimensions than the budget, or rounding limits A. "
        "Raise `samples`, relax `tol`, shrink the box, or use certified() for answers checked one by one."
    )
    if isinstance(result.model, LearnedModel):
        reason = (
            "That is how far Adam came, or what d slices can hold. Raise `epochs`, `collocation` or `d` of Joint, "
            "relax `tol`, or use training='auto', which goes further with the same solves."
        )
    message = (
        f"`solve` reached a residual of {result.error:.1e} with {len(result.samples)} exact solves, but tol is "
        f"{result.tol:.1e} (status '{result.status}'). {reason}"
    )
    if throw:
        raise TrainingError(message)
    warnings.warn(message, AccuracyWarning, stacklevel=4)


def _cost(system: System, grown: Grown, start: float) -> Cost:
    meter, offline = system.meter, time.perf_counter() - start
    built, building = meter.built, meter.build_seconds
    alone, batch = _query_seconds(grown.model, grown.basis, system)
    return Cost(
        build_seconds=building, built=built, solve_seconds=meter.solve_seconds, solved=meter.solved,
        stages={_stage(grown.model): offline - building - meter.solve_seconds}, total_seconds=offline,
        query_seconds=alone, batch_seconds=batch, exact_seconds=meter.solve_seconds / max(meter.solved, 1),
    )  # fmt: skip


def _stage(model: Model) -> str:
    return "joint" if isinstance(model, LearnedModel) else "reduced"


def _query_seconds(model: Model, C: Array, system: System) -> tuple[float, float]:
    points = system.box.random(8, np.random.default_rng(0))
    seconds = []
    for rows in (points[:1], points[:1], points, points):  # once to warm up
        start = time.perf_counter()
        expanded(model.coefficients(rows), C)
        seconds.append((time.perf_counter() - start) / len(rows))
    return seconds[1], seconds[3]
