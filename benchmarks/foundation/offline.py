"""The whole fit against the exact solves it makes."""

import time
from collections.abc import Iterator
from functools import partial

import numpy as np
import torch

from benchmarks.cases import Case, Measurement, Setting
from benchmarks.fits import TIGHT, described, fitted
from benchmarks.record import Check, Row
from neumatc.gallery import SyntheticInverse

__all__ = ["WHOLE"]

MOST = 3.0


def exact_seconds(family: SyntheticInverse, points: list[float]) -> float:
    """Return the seconds of ``torch.linalg.inv`` at all points, matrices ready, one by one."""
    matrices = [torch.from_numpy(family(p)) for p in points]
    start = time.perf_counter()
    for A in matrices:
        torch.linalg.inv(A)
    return time.perf_counter() - start


def rows(family: SyntheticInverse, samples: int, tol: float, fits: int) -> Iterator[Row]:
    """Fit several times after one to warm up, with the exact solves timed between the fits."""
    fit = fitted(family, samples=samples, tol=tol, rng=0)
    points = [float(p) for p in fit.samples.points[:, 0]]
    exact_seconds(family, points)
    total, build, exact, last = [], [], [], fit
    for seed in range(1, fits + 1):
        last = fitted(family, samples=samples, tol=tol, rng=seed)
        total.append(last.cost.total_seconds)
        build.append(last.cost.build_seconds)
        exact.append(exact_seconds(family, points))
    apart = np.subtract(total, build)
    reference = float(np.median(exact))
    ratio, everything = float(np.median(apart)) / reference, float(np.median(total)) / reference
    row = described(WHOLE.name, f"n = {family.n}, tol {tol:g}", family, last, "curve", fits)
    extra = {
        "fits": fits,
        "ratio_with_building": everything,
        "ratio_spread": np.quantile(apart, (0.25, 0.75)) / reference,
    }
    yield row.having(
        Check("fit without building A(p) / its exact solves", ratio, MOST),
        offline_seconds=float(np.median(apart)),
        build_seconds=float(np.median(build)),
        exact_seconds=reference,
        extra={**row.extra, **extra},
    )


def cases(setting: Setting) -> list[Case]:
    """N = 512 and 40 solves; the tight tolerance spends them all, the default one may stop earlier."""
    family = SyntheticInverse(n=setting.count(512, 32), rank=setting.count(20, 6))
    samples, fits = setting.count(40, 12), setting.count(7, 2)
    return [Case(f"tol {tol:g}", partial(rows, family, samples, tol, fits)) for tol in (TIGHT, 1e-8)]


WHOLE = Measurement("fit-cost", "The whole fit (inverse, 40 solves) against its exact solves", cases)
