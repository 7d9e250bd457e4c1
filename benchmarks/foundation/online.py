"""One query against one read of memory, a batch against one product."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import torch

from benchmarks.cases import Case, Measurement, Setting
from benchmarks.fits import TIGHT, described, fitted, places
from benchmarks.record import Check, Row
from benchmarks.timing import interleaved
from neumatc.gallery import SyntheticInverse

__all__ = ["QUERY"]

ONE, MANY = 1.3, 1.5
BATCH = 100
EXACT_CALLS = 5


def rows(family: SyntheticInverse, samples: int, calls: int) -> Iterator[Row]:
    """Time f(p) beside `numpy.dot` and f(P) beside `torch.mm`, in turns."""
    fit = fitted(family, samples=samples, tol=TIGHT, rng=0)
    n, C, x = family.n, fit.surrogate.C, 0.37
    phi = fit.surrogate.phi(fit.box.to_unit(np.array([[x]])))[0]
    out, flat = np.empty((n, n)), np.empty(n * n)
    one, dot = interleaved([lambda: fit(x, out=out), lambda: np.dot(phi, C, out=flat)], calls)
    exact = interleaved([partial(torch.linalg.inv, torch.from_numpy(family(x)))], EXACT_CALLS)[0]
    row = described(QUERY.name, f"n = {n}, one", family, fit, "curve", 0)
    yield row.having(
        Check("f(p, out) / numpy.dot", one.median / dot.median, ONE),
        online_us=one.median,
        online_spread=one.spread,
        baseline="numpy.dot(phi, C, out=)",
        baseline_us=dot.median,
        baseline_spread=dot.spread,
        calls=one.calls,
        extra={**row.extra, "exact_us": exact.median},
    )
    points = places(family, BATCH, 0)[:, 0]
    Phi = torch.from_numpy(fit.surrogate.phi(fit.box.to_unit(points[:, None])))
    T, many, product = torch.from_numpy(C), np.empty((BATCH, n, n)), torch.empty((BATCH, n * n), dtype=torch.float64)
    ours, mm = interleaved(
        [lambda: fit(points, out=many), lambda: torch.mm(Phi, T, out=product)],
        max(20, calls // 4) if calls > 20 else calls,
    )
    row = described(QUERY.name, f"n = {n}, batch", family, fit, "curve", 0)
    yield row.having(
        Check("f(P, out) / torch.mm", ours.median / mm.median, MANY),
        online_us=ours.median / BATCH,
        online_spread=(ours.spread[0] / BATCH, ours.spread[1] / BATCH),
        baseline="torch.mm(Phi, C, out=)",
        baseline_us=mm.median / BATCH,
        baseline_spread=(mm.spread[0] / BATCH, mm.spread[1] / BATCH),
        calls=ours.calls,
        points=BATCH,
        extra={**row.extra, "exact_us": exact.median},
    )


def cases(setting: Setting) -> list[Case]:
    """Three sizes, 40 solves."""
    found = []
    for n in (32,) if setting.quick else (256, 512, 1024):
        family = SyntheticInverse(n=n, rank=setting.count(20, 6))
        found.append(Case(f"n = {n}", partial(rows, family, setting.count(40, 12), setting.count(100, 5))))
    return found


QUERY = Measurement("query", "One p beside numpy.dot, a batch of 100 beside torch.mm", cases)
