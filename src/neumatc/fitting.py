"""The outer loop: from a problem and options to a `Fit`."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import numpy as np

from neumatc.arrays import Array, is_complex, real_dtype
from neumatc.bases import NetworkCurve
from neumatc.bases import basis as bases_of
from neumatc.certify import Checker
from neumatc.errors import AccuracyWarning, TrainingError
from neumatc.fitted import Fit
from neumatc.history import Basis, Cost, Event
from neumatc.maps import Map
from neumatc.operations import Followed, Operation
from neumatc.options import device_of, dtype_of, joint_of, samples_of, seed_of, tol_of
from neumatc.probes import gaussian
from neumatc.problem import Meter, Problem
from neumatc.progress import progress_of
from neumatc.samples import Samples
from neumatc.sampling import sampler as sampler_of
from neumatc.surrogate import Surrogate
from neumatc.training import Plan, Trained, trainer_of
from neumatc.training.joined import Joined
from neumatc.training.judge import Judge
from neumatc.training.jumps import find_jump
from neumatc.training.plan import CHECKED
from neumatc.training.solving import solves_apart
from neumatc.training.threads import one_pool

LONG = 2e-3
"""Seconds of a query that need be measured but once."""


TOGETHER = 1 << 23
"""Numbers of answers that are held at once when a fit is checked: memory touched for the first time is what costs."""


def problem_of(A: Any, box: Any, operation: Operation) -> Problem:
    """``Problem.of`` for a fit that follows at once.

    A(p) is asked with one thread, as during the fit: those that NumPy woke for it would turn round and round for a
    tenth of a second, on the cores of the first exact solves.
    """
    with one_pool("cpu", several=True):
        return Problem.of(A, box, operation)


def fit(
    problem: Problem,
    *,
    tol: float | None = None,
    samples: int | None = None,
    basis: Any = "auto",
    training: Any = "auto",
    sampler: Any = None,
    rng: Any = None,
    executor: Any = None,
    device: Any = None,
    dtype: Any = None,
    progress: Any = None,
    throw: bool = False,
) -> Fit:
    """Fit a parametric matrix operation; the verbs of `neumatc.linalg` are one line over this.

    Parameters
    ----------
    problem : ``Problem.of(A, box, operation)``: A is a callable p -> (n1, n2) (p a float for one parameter, (D,) for
        several), or a `Family`, `Table` or `Affine`; box is (lo, hi), a list of such pairs, or a dict name -> pair
    tol : relative residual aimed at, not squared; 1e-8 in double precision, 1e-4 in single
    samples : largest number of exact solves; 96 for one parameter, 256 for several
    basis : "auto" fits several and keeps the one with the least held-out residual; or a name, or an instance
    training : "auto"; the recipe follows from the operation's equations. "joint" or a `Joint` trains as the paper does,
        latent tensor and network together by Adam, for comparison
    sampler : where to solve exactly; failure-informed by default
    rng : None, an integer, or a numpy Generator; the same integer gives the same fit, bit for bit, on one machine
    executor : anything with ``map`` (``concurrent.futures``), for building A(p) and for the exact solves of one round.
        Large inverses and solves of a round are done side by side without it, on as many threads as
        ``OMP_NUM_THREADS`` says, or as there are cores
    device : torch device of the fit, "cpu" by default
    dtype : of the stored map; that of A(p) by default
    progress : True for a bar on the terminal, or a callable that receives every event
    throw : raise `TrainingError` when tol was not reached, instead of warning

    Returns
    -------
    Fit

    Raises
    ------
    InputError, NonFiniteError, SingularError, RankError
        For input that cannot be fitted; the message names the p.
    TrainingError
        When ``throw`` and the tolerance was not reached.

    Examples
    --------
    >>> import numpy as np, neumatc as nmc
    >>> from neumatc.operations import Inverse
    >>> f = nmc.fit(nmc.Problem.of(lambda p: np.eye(3) * (2 + p), (0.0, 1.0), Inverse()), rng=0)
    >>> f.status
    'converged'
    """
    start = time.perf_counter()
    joint = joint_of(training, basis)
    # A meter of its own: a problem that is fitted twice pays for each fit alone.
    problem = replace(
        problem,
        meter=Meter(failed=dict(problem.meter.failed)),
        executor=problem.executor if executor is None else executor,
    )
    seed, seeded = seed_of(rng)
    history: list[Event] = []
    stored = dtype_of(problem, dtype)
    count = samples_of(samples, problem)
    with progress_of(progress, count) as report:
        plan = Plan(
            problem=problem,
            tol=tol_of(tol, stored),
            samples=count,
            bases=bases_of(basis),
            sampler=sampler_of(sampler),
            seed=seed,
            device=device_of(device),
            tell=_teller(history, report),
        )
        with one_pool(plan.device, solves_apart(problem)) if joint is None else nullcontext():
            usual = trainer_of(problem.operation, problem.box.dimension, count)
            trained = (usual(plan) if joint is None else Joined(joint, plan)).run()
            result = _assembled(plan, trained, stored, history, seeded, start)
    problem.forget()
    _judge(result, throw)
    return result


def _assembled(plan: Plan, trained: Trained, stored: Any, history: list[Event], seeded: bool, start: float) -> Fit:
    problem = plan.problem
    if trained.operation != problem.operation:
        problem = problem.with_operation(trained.operation)
    check = time.perf_counter()
    # Values of complex matrices are real, and so is their map.
    kept = stored if is_complex(trained.C.dtype) else real_dtype(stored)
    scaled = Surrogate(trained.C.astype(kept, copy=False), trained.curve, trained.layout, trained.complex_coefficients)
    map_ = Map(scaled, problem.box, trained.operation)
    held_out, batch_seconds = _held_out_error(plan, problem, map_, trained)
    error = max(held_out, trained.residual, trained.choice.score)
    map_ = Map(_unscaled(problem, scaled), problem.box, trained.operation)
    jump = find_jump(problem)
    if jump is not None:
        plan.tell(jump)
    seconds = {**trained.seconds, "check": time.perf_counter() - check}
    meter = problem.meter
    spent = trained.short or len(trained.points) >= plan.samples
    status = "converged" if error <= plan.tol else "budget" if spent else "stalled"
    cost = Cost(
        build_seconds=meter.build_seconds,
        built=meter.built,
        solve_seconds=meter.solve_seconds,
        solved=meter.solved,
        stages=seconds,
        total_seconds=time.perf_counter() - start,
        query_seconds=_query_seconds(map_, problem),
        batch_seconds=batch_seconds,
        exact_seconds=_exact_seconds(problem, trained.held_out),
    )
    return Fit(
        map=map_,
        operation=trained.operation,
        problem=problem,
        samples=Samples(trained.points),
        basis=Basis(trained.choice.name, trained.choice.score, trained.choice.tried),
        history=tuple(history),
        status=status,
        error=error,
        tol=plan.tol,
        cost=cost,
        seed=plan.seed,
        seeded=seeded,
        dtype=problem.dtype,
        shape=problem.shape,
        witness=_witness(plan, trained),
        excluded=problem.failed,
    )


def _held_out_error(plan: Plan, problem: Problem, map_: Map, trained: Trained) -> tuple[float, float]:
    """Worst residual of the stored numbers at random and at the steepest places, on probes nothing was fitted to.

    The trainer has judged the curve at all held-out points already; here it is the numbers that are judged, as they are
    stored and answer. Also the seconds per point that these batches took to evaluate.
    """
    found, spent, judge = [np.zeros(1)], [], None
    few = _few(trained.held_out, map_.surrogate.layout.size)
    # Once for all batches: memory that is touched for the first time takes longer than the answers written to it.
    memory = np.empty((len(few[0]), map_.surrogate.layout.size), map_.surrogate.C.dtype)
    for points in few:
        x = problem.box.to_unit(points)
        start = time.perf_counter()
        F = map_.factors(x, memory[: len(x)])
        spent.append((time.perf_counter() - start) / len(x))
        if judge is None:
            values = {**problem.operation.given(problem.matrices(points[:1])), **F}
            judge = Judge(problem, Checker.draw(problem.operation, values, problem.working, plan.rng(6)))
        found.append(judge.residual(points, F))
    return float(np.concatenate(found).max()), float(np.median(spent))


def _few(held_out: Array, size: int) -> list[Array]:
    """Up to sixteen points, in two batches where answers are large: the first are random, the last the steepest."""
    first, last = held_out[:CHECKED], held_out[CHECKED:][-CHECKED:]
    together = 16 * size <= TOGETHER or not len(last)
    return [np.concatenate([first, last])] if together else [first, last]


def _unscaled(problem: Problem, surrogate: Surrogate) -> Surrogate:
    """The latent tensor in the user's units, written over that in scaled ones: exact powers of two by factor."""
    layout = surrogate.layout
    for i in range(len(surrogate.C) if problem.shifts else 0):
        # Slice by slice, for the tensor may fill half of the memory.
        row = surrogate.C[i : i + 1]
        layout.pack(problem.unscale(layout.unpack(row)), row)
    return surrogate


def _query_seconds(map_: Map, problem: Problem) -> float:
    """Median seconds of one query alone; the held-out points have warmed up."""
    p = problem.box.middle[0] if problem.box.dimension > 1 else float(problem.box.middle[0, 0])
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        map_(p)
        seconds.append(time.perf_counter() - start)
        if seconds[0] > LONG:  # nothing that more of them would make clearer
            break
    return float(np.median(seconds))


def _exact_seconds(problem: Problem, points: Array) -> float:
    """Seconds of one exact result: those of the samples, or, where these needed vectors, of values alone."""
    if not isinstance(problem.operation, Followed):
        return problem.meter.solve_seconds / max(problem.meter.solved, 1)
    seconds = []
    for point in points[:4]:
        A = problem.matrices(point[None])
        start = time.perf_counter()
        problem.operation.direct(A)
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds))


def _witness(plan: Plan, trained: Trained) -> dict[str, Any]:
    """Products of A with two probes at a few points, so that a loaded fit can refuse another A."""
    points = trained.held_out[:3]
    probes = gaussian((plan.problem.shape[1], 2), plan.problem.working, plan.rng(7))
    return {"points": points, "probes": probes, "products": plan.problem.matrices(points) @ probes}


def _judge(result: Fit, throw: bool) -> None:
    jump = next((event for event in result.history if event.stage == "jump"), None)
    if jump is not None:
        warnings.warn(
            f"A(p) seems to jump: {jump.text}. No smooth map can follow a jump, and answers near it are wrong. "
            "Split the box there, or use certified(), which solves exactly where the map fails.",
            AccuracyWarning,
            stacklevel=4,
        )
    if result.status == "converged":
        return
    spent = f"{len(result.samples)} exact solves"
    reason = "more samples are needed" if result.status == "budget" else "more samples would not have helped"
    advice = "Raise `samples`, relax `tol`, shrink the box, or use certified() for answers that are checked one by one."
    if result.basis.name == NetworkCurve.name:
        reason = "that is how far Adam came"
        advice = (
            "Raise `epochs` of Joint, relax `tol`, or use training='auto', which goes further with the same solves."
        )
    message = (
        f"`{result.operation.name}` reached a held-out residual of {result.error:.1e} with {spent}, "
        f"but tol is {result.tol:.1e}: {reason} (status '{result.status}'). {advice}"
    )
    if throw:
        raise TrainingError(message)
    warnings.warn(message, AccuracyWarning, stacklevel=4)


def _teller(history: list[Event], report: Callable[[Event], None]) -> Callable[[Event], None]:
    def tell(event: Event) -> None:
        history.append(event)
        report(event)

    return tell
