"""Answers corrected in the latent space, on affine families: accurate to rounding, beside LAPACK; and a step alone."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from benchmarks.cases import Case, Measurement, Setting
from benchmarks.fits import described
from benchmarks.record import Check, Row
from benchmarks.speed.clock import quartiles, turns
from benchmarks.speed.jobs import Job, answered, errors, fitted, job_of, memory, points_of
from benchmarks.speed.lapack import best
from benchmarks.speed.limits import filling, measured, multiplying
from benchmarks.speed.targets import Figure, aimed

__all__ = ["CORRECTED"]

NAME = "speed-corrected"

ERROR = 1e-12
"""Worst true relative error of the corrected answers that are timed."""

FASTER = {"inv": 20.0, "qr": 20.0, "svd": 60.0, "eigh": 50.0, "sqrtm": 60.0, "cholesky": 10.0}
"""How many times faster than the best LAPACK, per point, at n = 512."""

STEP_BATCH, STEP_ALONE = 12.0, 200.0
"""Microseconds of a step for a point of a batch, and for a point alone, at d = 20 and for any n."""

STEADY = 1.5
"""Largest quotient of two sizes' medians that still counts as the same cost."""

STEP_SIZES = (128, 256, 512, 1024)


def rows(job: Job, batch: int, many: int, targets: bool, quick: bool) -> Iterator[Row]:
    """Time ``f.corrected(P, out=)``, ``f(P, out=)``, LAPACK at one point, and the limits, in turns."""
    fit, points = fitted(job), points_of(job, batch)
    out = memory(fit(points[0]), batch)
    written = np.empty(sum(part.size for part in (out if isinstance(out, tuple) else (out,))))
    name, exact = best(job.verb, job.family(float(points[0])))
    fit(points, out=out)
    before = float(errors(job, points, out, many).max())
    found = turns(
        {
            "f": lambda: fit(points, out=out),
            "corrected": lambda: fit.corrected(points, out=out),
            "exact": exact,
            **filling(written),
            **multiplying(),
        },
        quick,
    )
    fit.corrected(points, out=out)
    ours, theirs = found.timing("corrected", batch), found.timing("exact")
    row = described(NAME, f"n = {job.n}, {job.title}", job.family, fit, "corrected", 0).having(
        online_us=ours.median, online_spread=ours.spread,
        baseline=name, baseline_us=theirs.median, baseline_spread=theirs.spread, calls=ours.calls,
    )  # fmt: skip
    row = answered(row, errors(job, points, out, many))
    if targets:
        row = row.having(Check("worst true error", float(row.error_worst or np.inf), ERROR))
    figures = [
        Figure(
            "best LAPACK / corrected, per point",
            quartiles(batch * found["exact"] / found["corrected"]),
            least=FASTER[job.verb] if targets else None,
        ),
        Figure("corrected / f(P, out)", found.ratio("corrected", "f")),
    ]
    limits = measured(found, filled=written).record()
    yield aimed(row, figures, batch=batch, curve_error=before, limits=limits)


def step_rows(verb: str, sizes: tuple[int, ...], batch: int, many: int, targets: bool, quick: bool) -> Iterator[Row]:
    """Time the correction without the product with C at all sizes in turns, in a batch and alone."""
    jobs = [job_of(verb, n, affine=True, d=20) for n in sizes]
    fits, points = [fitted(job) for job in jobs], points_of(jobs[0], batch)
    calls = {}
    for job, fit in zip(jobs, fits, strict=True):
        P = fit.latent.at(points[:, None])
        phi = fit.surrogate.curve(fit.box.to_unit(points[:, None]))
        calls[f"batch {job.n}"] = partial(fit.latent.corrected, P, phi)
        calls[f"alone {job.n}"] = partial(fit.latent.corrected, P[:1], phi[:1])
    found = turns(calls, quick)
    alike = {kind: [found.median(f"{kind} {n}") for n in sizes] for kind in ("batch", "alone")}
    for job, fit in zip(jobs, fits, strict=True):
        count = steps_of(fit)
        several = quartiles(1e6 * found[f"batch {job.n}"] / (batch * count))
        single = quartiles(1e6 * found[f"alone {job.n}"] / count)
        row = described(NAME, f"a step of {verb}, n = {job.n}", job.family, fit, "step", 0)
        row = answered(row, errors(job, points, fit.corrected(points[:many]), many)).having(
            online_us=several.median, online_spread=(several.low, several.high), calls=found.count
        )
        figures = [
            Figure("one step, per point of a batch", several, most=STEP_BATCH if targets else None, unit="µs"),
            Figure("one step, alone", single, most=STEP_ALONE if targets else None, unit="µs"),
        ]
        if job is jobs[-1]:
            figures += [
                Figure(
                    f"slowest n / fastest n, {kind}", quartiles(max(each) / min(each)), most=STEADY if targets else None
                )
                for kind, each in alike.items()
            ]
        yield aimed(row, figures, batch=batch, steps=count)


def steps_of(fit: object) -> int:
    """Return how many Gauss-Newton steps a correction makes."""
    steps = fit.latent.steps  # type: ignore[attr-defined]  # affine: there are some
    return int(steps.steps)


def cases(setting: Setting) -> list[Case]:
    """All operations with a target, and the steps of a linear and of a quadratic one."""
    n, batch, quick = setting.count(512, 24), setting.count(100, 6), setting.quick
    found = [
        Case(
            f"n = {n}, {verb}",
            partial(rows, job_of(verb, n, affine=True), batch, setting.count(24, 3), not quick, quick),
        )
        for verb in FASTER
    ]
    sizes = (16, 24) if quick else STEP_SIZES
    return found + [
        Case(f"a step of {verb}", partial(step_rows, verb, sizes, batch, setting.count(20, 3), not quick, quick))
        for verb in ("inv", "qr")
    ]


CORRECTED = Measurement(NAME, "Answers corrected to rounding in the latent space, beside LAPACK", cases)
