"""The outer loop of a sparse solve: from A, b and options to a `ReducedFit`."""

from __future__ import annotations

import time
import warnings
from typing import Any

import numpy as np

from neumatc.arrays import Array
from neumatc.errors import AccuracyWarning, InputError, TrainingError
from neumatc.history import Cost, Event
from neumatc.options import seed_of, tol_of
from neumatc.progress import progress_of
from neumatc.reduced import Model, ReducedFit, System
from neumatc.samples import Samples
from neumatc.surrogate import product

from .greedy import grow

SAMPLES = 96
"""Default largest number of exact solves."""


def fit_reduced(
    A: Any, b: Any, box: Any, *, tol: Any, samples: Any, rng: Any, progress: Any, throw: bool
) -> ReducedFit:
    """Fit the solution of a sparse affine system."""
    start = time.perf_counter()
    system = System.of(A, b, box)
    wanted, count = tol_of(tol, np.float64), SAMPLES if samples is None else int(samples)
    seed, _ = seed_of(rng)
    history: list[Event] = []
    with progress_of(progress, count) as report:

        def tell(event: Event) -> None:
            history.append(event)
            report(event)

        grown = grow(system, wanted, count, np.random.default_rng(seed), tell)
    offline = time.perf_counter() - start
    alone, batch = _query_seconds(grown.model, grown.basis, system)
    status = "converged" if max(grown.held_out, grown.worst) <= wanted else "budget"
    if status == "budget" and len(grown.points) < count:
        status = "stalled"
    meter = system.meter
    cost = Cost(
        build_seconds=meter.build_seconds, built=meter.built, solve_seconds=meter.solve_seconds, solved=meter.solved,
        stages={"reduced": offline - meter.paid}, total_seconds=time.perf_counter() - start,
        query_seconds=alone, batch_seconds=batch, exact_seconds=meter.solve_seconds / max(meter.solved, 1),
    )  # fmt: skip
    result = ReducedFit(
        system, grown.basis, grown.model, Samples(grown.points), tuple(history), status,
        max(grown.held_out, grown.worst), wanted, cost, grown.excluded,
    )  # fmt: skip
    if status != "converged":
        message = (
            f"`solve` reached a residual of {result.error:.1e} with {len(grown.points)} exact solves, but tol is "
            f"{wanted:.1e} (status '{status}'). The solutions span more dimensions than the budget, or rounding limits A. "
            "Raise `samples`, relax `tol`, shrink the box, or use certified() for answers that are checked one by one."
        )
        if throw:
            raise TrainingError(message)
        warnings.warn(message, AccuracyWarning, stacklevel=3)
    return result


def refuse_options(**options: Any) -> None:
    """Raise InputError for an option that a reduced model would silently ignore."""
    for name, value in options.items():
        if value is not None and value != "auto":
            raise InputError(
                f"`{name}` = {value!r} has no meaning for a sparse Affine. Its coefficients solve reduced equations at "
                "every query, so there is no curve to choose, and solves are placed by exact residuals. Leave it out."
            )


def _query_seconds(model: Model, C: Array, system: System) -> tuple[float, float]:
    points = system.box.random(8, np.random.default_rng(0))
    seconds = []
    for rows in (points[:1], points[:1], points):
        start = time.perf_counter()
        product(model.coefficients(system.theta(rows), system.psi(rows)), C)
        seconds.append((time.perf_counter() - start) / len(rows))
    return seconds[1], seconds[2]
