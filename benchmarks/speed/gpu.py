"""Batches on a GPU, beside every driver of cuSOLVER; a row says so where there is none, a quick run uses the CPU."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import torch

from benchmarks.baselines.cusolver import BatchedInverse, stack, svd_choices
from benchmarks.cases import Case, Measurement, Setting
from benchmarks.fits import described
from benchmarks.paper.gpu import device, median_us, named, skipped
from benchmarks.record import Row
from benchmarks.speed.clock import Ratio
from benchmarks.speed.jobs import Job, answered, errors, points_of, synthetic
from benchmarks.speed.targets import Figure, aimed

__all__ = ["GPU"]

NAME = "speed-gpu"

BANDWIDTH = 0.7
"""Bytes that an evaluation reads and writes per second, over those of a copy."""

CALLS = 20
COPY = 1 << 27
"""Numbers that are copied to measure the bandwidth."""

TOLERANCES = {"float32": 1e-4, "float64": 1e-8}


def rows(job: Job, precision: str, batch: int, where: Any, many: int, quick: bool) -> Iterator[Row]:
    """Time answers, certificates and corrections of a batch on the device, and cuSOLVER on its matrices."""
    fit, calls = job.fit(dtype=precision, device=where), 2 if quick else CALLS
    points = points_of(job, batch)
    p = torch.from_numpy(points).to(where)
    C = fit.surrogate.C
    ours = spent(lambda: fit(p), where, calls)
    certified = spent(lambda: (fit(p), fit.certify(p)), where, calls)
    moved = C.nbytes + batch * C[0].nbytes
    bandwidth = copied(where, quick)
    share = Ratio(*[moved / us / bandwidth for us in (ours.median, ours.high, ours.low)])
    values = fit(points)
    for name, call, A in solvers(job, precision, points, where):
        theirs = spent(partial(call, A), where, 1 if quick else 5)
        row = described(NAME, f"{job.title}, n = {job.n}, {precision}, {name}", job.family, fit, "curve", 0)
        row = answered(row, errors(job, points, values, many)).having(
            online_us=ours.median / batch, online_spread=(ours.low / batch, ours.high / batch),
            baseline=name, baseline_us=theirs.median / batch, calls=calls,
            baseline_spread=(theirs.low / batch, theirs.high / batch),
        )  # fmt: skip
        figures = [
            Figure(f"{name} / f(P)", over(theirs, ours)),
            Figure(f"{name} / f(P) with its certificate", over(theirs, certified)),
            Figure("bytes of f(P) / bytes of a copy, per second", share, least=None if quick else BANDWIDTH),
        ]
        yield aimed(row, figures, device=named(where), batch=batch)


def spent(call: Any, where: Any, calls: int) -> Ratio:
    """Return microseconds of a call, the device idle before and after."""
    median, (low, high) = median_us(call, where, calls)
    return Ratio(median, low, high)


def over(theirs: Ratio, ours: Ratio) -> Ratio:
    """Return the quotient of medians, and the least and greatest quotients of quartiles."""
    return Ratio(theirs.median / ours.median, theirs.low / ours.high, theirs.high / ours.low)


def copied(where: Any, quick: bool) -> float:
    """Return the bytes per microsecond that a copy reads and writes."""
    source = torch.ones(1000 if quick else COPY, dtype=torch.float64, device=where)
    target = torch.empty_like(source)
    return 2 * 8 * len(source) / spent(lambda: target.copy_(source), where, 2 if quick else CALLS).median


def solvers(job: Job, precision: str, points: Any, where: Any) -> Iterator[tuple[str, Any, torch.Tensor]]:
    """Yield name and call of every way that torch has, and the matrices."""
    A = stack(job.family, points, where).to(getattr(torch, precision))
    if job.verb == "inv":
        yield "inverse", BatchedInverse(where).call, A
        return
    for choice in svd_choices(where):
        shape = "full" if choice.full_matrices else "thin"
        if where == "cuda" or choice.driver is None:
            yield f"SVD by {choice.driver or 'torch'}, {shape}", choice.call, A


def cases(setting: Setting) -> list[Case]:
    """The inverse and the SVD of 512 matrices of 512 x 512, in both precisions."""
    where = device(setting)
    if where is None:
        return [Case("GPU", partial(skipped, NAME, "GPU"))]
    n, batch, many = setting.count(512, 24), setting.count(512, 4), setting.count(20, 2)
    found = []
    for verb, samples in (("inv", setting.count(40, 12)), ("svd", 20)):
        for precision, tol in TOLERANCES.items():
            job = synthetic(verb, n if verb == "inv" else max(n, 32), samples, setting, tol)
            run = partial(rows, job, precision, batch, where, many, setting.quick)
            found.append(Case(f"{job.title}, n = {job.n}, {precision}", run))
    return found


GPU = Measurement(NAME, "Batches on a GPU, beside every driver of cuSOLVER", cases)
