"""One answer alone, into memory of the caller: beside a read of C, and beside LAPACK."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from benchmarks.cases import Case, Measurement, Setting
from benchmarks.fits import described
from benchmarks.record import Row
from benchmarks.speed.clock import Turns, quartiles, turns
from benchmarks.speed.jobs import Job, answered, errors, fitted, job_of, memory, points_of, synthetic
from benchmarks.speed.lapack import best
from benchmarks.speed.limits import measured, multiplying, reading
from benchmarks.speed.targets import Figure, aimed

__all__ = ["ONE"]

NAME = "speed-one"

READ = 1.15
"""One answer over ``numpy.dot(phi, C)``, from n = 256."""

OVERHEAD = 15.0
"""Microseconds beyond ``numpy.dot(phi, C)``."""

FASTER = {"inv": 2.5, "eigh": 8.0, "svd": 8.0, "expm": 15.0, "truncated svd": 150.0}
"""How many times faster than the best LAPACK at n = 512."""


def rows(job: Job, targets: bool, many: int, quick: bool) -> Iterator[Row]:
    """Time ``f(p, out=)``, the product of φ and C it contains, LAPACK, and the limits, in turns."""
    fit, p = fitted(job), 0.37
    C = fit.surrogate.C
    phi, flat = fit.surrogate.phi(fit.box.to_unit(np.array([[p]])))[0], np.empty(C.shape[1], C.dtype)
    out = memory(fit(p))
    name, exact = best(job.verb, job.family(p))
    found = turns(
        {
            "f": lambda: fit(p, out=out),
            "dot": lambda: np.dot(phi, C, out=flat),
            "exact": exact,
            **reading(C),
            **multiplying(),
        },
        quick,
    )
    points = points_of(job, many)
    row = described(NAME, f"n = {job.n}, {job.title}", job.family, fit, "curve", 0)
    row = answered(row, errors(job, points, fit(points), many))
    yield aimed(timed(row, found, name), figures(job, found, targets), limits=measured(found, read=C).record())


def timed(row: Row, found: Turns, name: str) -> Row:
    """Return the row with our microseconds and those of LAPACK."""
    ours, theirs = found.timing("f"), found.timing("exact")
    return row.having(
        online_us=ours.median, online_spread=ours.spread,
        baseline=name, baseline_us=theirs.median, baseline_spread=theirs.spread, calls=ours.calls,
    )  # fmt: skip


def figures(job: Job, found: Turns, targets: bool) -> list[Figure]:
    """Return the quotients, with their targets where the issue sets some."""
    read = "read " + found.least("read").split()[1]
    beyond = quartiles(1e6 * (found["f"] - found["dot"]))
    alone = targets and job.verb == "inv"
    return [
        Figure("f(p, out) / numpy.dot", found.ratio("f", "dot"), most=READ if alone and job.n >= 256 else None),
        Figure("f(p, out) / read of C", found.ratio("f", read)),
        Figure("f(p, out) - numpy.dot", beyond, most=OVERHEAD if alone and job.n == 32 else None, unit="µs"),
        Figure(
            "best LAPACK / f(p, out)",
            found.ratio("exact", "f"),
            least=FASTER.get(job.title) if targets and job.n == 512 else None,
        ),
    ]


def cases(setting: Setting) -> list[Case]:
    """The inverse at four sizes, other operations at one; truncation to rank 20 against a full SVD."""
    if setting.quick:
        jobs = [job_of(verb, 24) for verb in ("inv", "eigh", "svd", "expm")]
    else:
        jobs = [job_of("inv", n) for n in (32, 256, 512, 1024)]
        jobs += [job_of(verb, 512) for verb in ("eigh", "svd", "expm", "qr", "cholesky")]
    jobs.append(synthetic("svd", setting.count(512, 32), 20, setting))
    return [
        Case(
            f"n = {job.n}, {job.title}",
            partial(rows, job, not setting.quick, setting.count(100 if job.n <= 256 else 24, 3), setting.quick),
        )
        for job in jobs
    ]


ONE = Measurement(NAME, "One answer alone, beside a read of C and beside LAPACK", cases)
