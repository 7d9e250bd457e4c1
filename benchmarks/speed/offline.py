"""The whole fit against the exact solves that it makes, and after how many queries it has paid for itself."""

import math
import mmap
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

import neumatc as nmc
from benchmarks.cases import Case, Measurement, Setting
from benchmarks.fits import described
from benchmarks.record import Row
from benchmarks.speed.clock import Ratio, quartiles, resting, turns
from benchmarks.speed.families import Counted
from benchmarks.speed.jobs import Job, answered, errors, memory, points_of, synthetic
from benchmarks.speed.lapack import CALLS, best
from benchmarks.speed.limits import filling, measured, multiplying
from benchmarks.speed.targets import Figure, aimed
from neumatc.arrays import Array

__all__ = ["OFFLINE"]

NAME = "speed-offline"

BATCH = 20
"""Queries answered together when their cost is compared with an exact solve."""

HELD = 140
"""Matrices of memory that a fit takes at most: exact results, A(p) of its candidates, and what it works with."""


@dataclass(frozen=True)
class Target:
    """What a fit may cost, in units of its exact solves, and after how many queries it must have paid; None: any."""

    everything: float | None = None
    without: float | None = None
    even: float | None = None


@dataclass(frozen=True)
class Spent:
    """Seconds of fits, the same in memory as the system gives it, and of the exact solves between them."""

    whole: Array
    fresh: Array
    build: Array
    exact: Array
    asked: int
    repeated: int
    last: nmc.Fit


def rows(job: Job, target: Target, fits: int, many: int, quick: bool) -> Iterator[Row]:
    """Fit several times after one to warm up, with the exact solves between the fits."""
    points = points_of(job, BATCH)
    name, _ = best(job.verb, job.family(float(points[0])))
    spent = alternated(job, name.removeprefix(f"{job.verb} by "), fits)
    fit, out = spent.last, memory(spent.last(points[0]), BATCH)
    A = np.ascontiguousarray(job.family(float(points[0])))
    call, one, p = CALLS[job.verb][name.removeprefix(f"{job.verb} by ")], memory(fit(points[0])), float(points[0])
    found = turns(
        {
            "exact": lambda: call(A),
            "F": lambda: fit(points, out=out),
            "f": lambda: fit(p, out=one),
            **filling(np.empty(BATCH * job.n**2)),
            **multiplying(),
        },
        quick,
    )
    exact, together = found.median("exact"), found.median("F") / BATCH
    row = described(NAME, f"{job.title}, n = {job.n}, tol {job.tol:g}", job.family, fit, "curve", fits)
    row = answered(row, errors(job, points_of(job, many), fit(points_of(job, many)), many)).having(
        offline_seconds=float(np.median(spent.whole - spent.build)), build_seconds=float(np.median(spent.build)),
        exact_seconds=float(np.median(spent.exact)), online_us=1e6 * together,
        baseline=name, baseline_us=1e6 * exact, calls=found.count,
    )  # fmt: skip
    figures = [
        Figure("whole fit / its exact solves", quartiles(spent.whole / spent.exact), most=target.everything),
        Figure("fit without A(p) / its exact solves", quartiles((spent.whole - spent.build) / spent.exact),
               most=target.without),
        Figure("whole fit in fresh memory / its exact solves", quartiles(spent.fresh / spent.exact)),
        Figure("queries that pay for the fit", evened(spent, exact, together), most=target.even, unit=""),
        Figure("queries that pay for the fit, asked alone", evened(spent, exact, found.median("f")), unit=""),
        Figure("A(p) built at one p", Ratio(*[float(spent.repeated)] * 3), most=1.0, unit=" times"),
    ]  # fmt: skip
    stages = [event.stage for event in fit.history]
    extra = {"fits": fits, "asked": spent.asked, "rounds": stages.count("bootstrap"), "events": len(stages)}
    yield aimed(row, figures, **extra, break_even=fit.cost.break_even, limits=measured(found).record())


def alternated(job: Job, name: str, fits: int) -> Spent:
    """Time fits with different seeds, each followed by LAPACK at all points that it solved, matrices ready."""
    call, whole, fresh, build, exact, fit = CALLS[job.verb][name], [], [], [], [], job.fit()
    asked: list[float] = []
    for seed in range(1, fits + 1):
        time.sleep(resting())
        fresh.append(timed(job, seed, [])[0])
        asked.clear()
        time.sleep(resting())
        bring(HELD * 8 * job.n**2)
        seconds, fit = timed(job, seed, asked)
        whole.append(seconds)
        build.append(fit.cost.build_seconds)
        matrices = [np.ascontiguousarray(job.family(float(p))) for p in fit.samples.points[:, 0]]
        time.sleep(resting())
        call(matrices[0])
        start = time.perf_counter()
        for A in matrices:
            call(A)
        exact.append(time.perf_counter() - start)
        del matrices, A  # memory that the next fit can have
    # The middle of the box is asked twice on purpose, to see whether the function answers alike.
    repeated = Counted(job.family, asked).repeated([float(fit.box.middle[0, 0])])
    return Spent(np.array(whole), np.array(fresh), np.array(build), np.array(exact), len(asked), repeated, fit)


def timed(job: Job, seed: int, asked: list[float]) -> tuple[float, nmc.Fit]:
    """Return the seconds of a fit, and the fit; what it asked A(p) for goes to a list."""
    start = time.perf_counter()
    fit = job.fit(Counted(job.family, asked), rng=seed)
    return time.perf_counter() - start, fit


def bring(size: int) -> None:
    """Touch bytes of memory and give them back, so that the system has them at hand.

    The host of a virtual machine brings a page when it is touched, takes it back once it was free for two seconds, and
    may need 2 ms for a megabyte: as long for the memory of a fit as for the fit. LAPACK alone uses its memory again.
    """
    np.empty(size, np.uint8)[:: mmap.PAGESIZE] = 1


def evened(spent: Spent, exact: float, query: float) -> Ratio:
    """Return the number of queries after which fit and queries have taken as long as exact solves, for every fit."""
    gain = exact - query
    return quartiles(np.ceil(spent.whole / gain)) if gain > 0 else Ratio(math.inf, math.inf, math.inf)


def cases(setting: Setting) -> list[Case]:
    """Inverses with 40 solves, an SVD with 20; the break-even of the inverse at a tolerance that asks for fewer."""
    quick, few, truncated = setting.quick, setting.count(40, 12), synthetic("svd", setting.count(512, 32), 20, setting)
    fits, many = setting.count(15, 2), setting.count(20, 3)
    if quick:
        jobs = [(synthetic("inv", 24, few, setting), Target()), (truncated, Target())]
    else:
        jobs = [
            (synthetic("inv", 512, few, setting), Target(2.2, 1.8)),
            (synthetic("inv", 1024, few, setting), Target(1.5, 1.35)),
            (synthetic("inv", 1024, few, setting, 1e-5), Target(even=60)),
            (truncated, Target(2.5, even=45)),
        ]
    return [
        Case(
            f"{job.title}, n = {job.n}, tol {job.tol:g}",
            partial(rows, job, target, max(fits if job.n < 1024 else fits // 3, 1), many, quick),
        )
        for job, target in jobs
    ]


OFFLINE = Measurement(NAME, "The whole fit against its exact solves, and when it has paid", cases)
