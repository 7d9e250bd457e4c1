"""Batches on a GPU, beside every driver of cuSOLVER; a row says so where there is none, a quick run uses the CPU."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch

from benchmarks.baselines.cusolver import BatchedInverse, stack, svd_choices
from benchmarks.cases import Case, Measurement, Setting
from benchmarks.fits import described
from benchmarks.paper.gpu import device, median_us, named, skipped
from benchmarks.record import Check, Row
from benchmarks.speed.clock import Ratio
from benchmarks.speed.families import coefficients_on
from benchmarks.speed.jobs import Job, answered, errors, fitted, job_of, points_of
from benchmarks.speed.targets import Figure, aimed
from neumatc.arrays import Array
from neumatc.tensors.results import leaves

__all__ = ["GPU"]

NAME = "speed-gpu"

BANDWIDTH = 0.7
"""Bytes that an evaluation has to read and write per second, over those of a copy."""

CALLS = 20
COPY = 1 << 27
"""Numbers that are copied to measure the bandwidth."""

TOLERANCES = {"float32": 1e-4, "float64": 1e-8}
"""Residuals to which answers are certified."""


def rows(job: Job, precision: str, batch: int, where: str, many: int, quick: bool) -> Iterator[Row]:
    """Time a batch of answers on the device, plain, as a graph and certified; then cuSOLVER on its matrices."""
    fit, points = fitted(job), points_of(job, batch)
    g = fit.to(where, getattr(torch, precision), theta=coefficients_on)
    p, tol, calls = torch.from_numpy(points).to(where), TOLERANCES[precision], 2 if quick else CALLS
    graph, certified = g.graph((batch,)), g.certified(tol)
    ours = {name: spent(partial(call, p), where, calls) for name, call in (("g(P)", g), ("graph", graph))}
    checked = spent(lambda: certified(p), where, calls)
    answer, passed = leaves(graph(p)), float(certified(p).passed.double().mean())
    row = described(NAME, f"{job.title}, n = {job.n}, {precision}", job.family, fit, "curve", 0)
    row = answered(row, errors(job, points, in_numpy(answer), many)).having(
        online_us=ours["graph"].median / batch, calls=calls, certified_share=passed,
        online_spread=(ours["graph"].low / batch, ours["graph"].high / batch),
    )  # fmt: skip
    moved = sum(each.nbytes for each in (*g.slices.parts, *answer)) / copied(where, quick)
    figures = [
        Figure(
            f"bytes of {name} / bytes of a copy, per second",
            Ratio(moved / time.median, moved / time.high, moved / time.low),
            least=BANDWIDTH if name == "graph" and not quick else None,
        )
        for name, time in ours.items()
    ]
    extra = {"device": named(where), "batch": batch}
    yield aimed(row, figures, **extra).having(Check(f"share of answers not certified to {tol:g}", 1 - passed, 0.0))
    for name, call in solvers(job, precision, points, where):
        yield beside(row.having(case=f"{row.case}, {name}", baseline=name), call, ours, checked, where, extra)


def beside(
    row: Row, call: Callable[[], Any], ours: dict[str, Ratio], checked: Ratio, where: str, extra: dict[str, Any]
) -> Row:
    """Return the row with the time of a solver; some drivers fail on some matrices, which is a result, too."""
    try:
        theirs = spent(call, where, 5)
    except torch.linalg.LinAlgError as cause:
        return aimed(row, [], **extra, error=str(cause)).having(status="failed: LinAlgError")
    figures = [Figure(f"{row.baseline} / {name}", over(theirs, time)) for name, time in ours.items()]
    figures.append(Figure(f"{row.baseline} / certified", over(theirs, checked)))
    batch = extra["batch"]
    spread = (theirs.low / batch, theirs.high / batch)
    return aimed(row, figures, **extra).having(baseline_us=theirs.median / batch, baseline_spread=spread)


def in_numpy(answer: list[torch.Tensor]) -> Any:
    """Return the tensors of an answer as arrays."""
    found = tuple(leaf.cpu().numpy() for leaf in answer)
    return found if len(found) > 1 else found[0]


def spent(call: Callable[[], Any], where: str, calls: int) -> Ratio:
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


def solvers(job: Job, precision: str, points: Array, where: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield name and call of every way that torch has; thin factors, which are all there is of square matrices."""
    A = stack(job.family, points, where).to(getattr(torch, precision))
    if job.verb == "inv":
        yield "inverse", partial(BatchedInverse(where).call, A)
        return
    for choice in svd_choices(where):
        if not choice.full_matrices and (where == "cuda" or choice.driver is None):
            yield f"SVD by {choice.driver or 'torch'}", partial(choice.call, A)


def cases(setting: Setting) -> list[Case]:
    """The inverse and the full SVD of 512 matrices of 512 x 512, in both precisions."""
    where = device(setting)
    if where is None:
        return [Case("GPU", partial(skipped, NAME, "GPU"))]
    batch, many = setting.count(512, 4), setting.count(20, 2)
    found = []
    for verb in ("inv", "svd"):
        job = job_of(verb, setting.count(512, 72), affine=True)
        for precision in TOLERANCES:
            run = partial(rows, job, precision, batch, where, many, setting.quick)
            found.append(Case(f"{job.title}, n = {job.n}, {precision}", run))
    return found


GPU = Measurement(NAME, "Batches on a GPU, beside every driver of cuSOLVER", cases)
