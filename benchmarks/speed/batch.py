"""A batch of answers into memory of the caller: beside what writing and multiplying allow, and beside LAPACK."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import torch

from benchmarks.cases import Case, Measurement, Setting
from benchmarks.fits import described
from benchmarks.record import Row
from benchmarks.speed.clock import quartiles, turns
from benchmarks.speed.jobs import Job, answered, errors, fitted, job_of, memory, points_of, synthetic
from benchmarks.speed.lapack import best
from benchmarks.speed.limits import columns, filling, in_cache, measured, multiplying
from benchmarks.speed.targets import Figure, aimed

__all__ = ["BATCH"]

NAME = "speed-batch"

LIMIT = 1.2
"""A batch over the slower of writing its results and multiplying for them."""

FASTER = {"inv": 20.0, "qr": 20.0, "cholesky": 20.0, "eigh": 80.0, "svd": 80.0, "expm": 80.0}
"""How many times faster than the best LAPACK, per point, at n = 512."""


def rows(job: Job, batch: int, many: int, targets: bool, quick: bool) -> Iterator[Row]:
    """Time ``f(P, out=)``, one product of Φ and C, LAPACK at one point, and the limits, in turns."""
    fit, points = fitted(job), points_of(job, batch)
    C = fit.surrogate.C
    Phi = torch.from_numpy(fit.surrogate.phi(fit.box.to_unit(points[:, None])))
    out, flat = memory(fit(points[0]), batch), np.empty((batch, C.shape[1]))
    T, result = torch.from_numpy(C), torch.from_numpy(flat)
    written = np.empty(sum(part.size for part in (out if isinstance(out, tuple) else (out,))))
    name, exact = best(job.verb, job.family(float(points[0])))
    found = turns(
        {
            "f": lambda: fit(points, out=out),
            "mm torch": lambda: torch.mm(Phi, T, out=result),
            "mm numpy": lambda: np.matmul(Phi.numpy(), C, out=flat),
            **in_cache(Phi.numpy(), C),
            "exact": exact,
            **filling(written),
            **multiplying(),
        },
        quick,
    )
    limits = measured(found, filled=written)
    flop = 2e-9 * batch * C.size / (limits.gemm_gflops or np.nan)
    limit = max(found.median(found.least("fill")), flop)
    ours, theirs = found.timing("f", batch), found.timing("exact")
    row = described(NAME, f"n = {job.n}, {job.title}", job.family, fit, "curve", 0).having(
        online_us=ours.median, online_spread=ours.spread,
        baseline=name, baseline_us=theirs.median, baseline_spread=theirs.spread, calls=ours.calls,
    )  # fmt: skip
    per_point = 1e6 / batch
    figures = [
        Figure(
            "f(P, out) / max(fill, flops)",
            quartiles(found["f"] / limit),
            most=LIMIT if targets and job.rank is None else None,
        ),
        # The same product on numbers that stay in the cache: faster than the dense product, if vectors are wider.
        Figure(
            "f(P, out) / max(fill, product in the cache)",
            quartiles(
                found["f"] / np.maximum(found[found.least("fill")], C.shape[1] / columns(C, batch) * found["cached"])
            ),
        ),
        Figure("f(P, out) / one product of Φ and C by NumPy or torch", found.ratio("f", found.least("mm"))),
        Figure(
            "best LAPACK / f(P, out), per point",
            quartiles(batch * found["exact"] / found["f"]),
            least=FASTER[job.verb] if targets and job.rank is None else None,
        ),
    ]
    yield aimed(
        answered(row, errors(job, points, out, many)),
        figures,
        batch=batch,
        limits=limits.record(),
        fill_us=per_point * found.median(found.least("fill")),
        flop_us=per_point * flop,
    )


def cases(setting: Setting) -> list[Case]:
    """All operations with a target; truncation to rank 20 for information."""
    n, batch = setting.count(512, 24), setting.count(100, 6)
    jobs = [job_of(verb, n) for verb in FASTER]
    if not setting.quick:
        jobs.append(synthetic("svd", n, 20, setting))
    return [
        Case(
            f"n = {n}, {job.title}",
            partial(rows, job, batch, setting.count(24, 3), not setting.quick, setting.quick),
        )
        for job in jobs
    ]


BATCH = Measurement(NAME, "A batch of answers, beside the limits of the machine and beside LAPACK", cases)
