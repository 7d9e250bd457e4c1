"""The largest matrices that one machine is asked to fit: n = 4096 with 40 slices, in a process of its own."""

import json
import subprocess
import sys
from collections.abc import Iterator
from functools import partial

from benchmarks.cases import Case, Measurement, Setting
from benchmarks.fits import TIGHT
from benchmarks.record import ROOT, Row
from benchmarks.speed.clock import Ratio
from benchmarks.speed.targets import Figure, aimed
from neumatc.gallery import SyntheticInverse

__all__ = ["MEMORY"]

NAME = "speed-memory"

MOST = 16 * 2**30
"""Bytes."""

SCRIPT = """
import json, resource, sys, time, warnings
import numpy as np
warnings.simplefilter("ignore")  # the budget is fixed: what was reached is told
import neumatc as nmc
from benchmarks.truth import relative
from neumatc.gallery import SyntheticInverse

n, rank, samples, tol, many = (int(x) if x.isdigit() else float(x) for x in sys.argv[1:])
family = SyntheticInverse(n=n, rank=rank)
start = time.perf_counter()
fit = nmc.inv(family, family.box, samples=samples, tol=tol, rng=0)
seconds = time.perf_counter() - start
out = np.empty((n, n))
fit(0.37, out=out)
spent = []
for _ in range(5):
    start = time.perf_counter()
    fit(0.37, out=out)
    spent.append(time.perf_counter() - start)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # before the references, which need memory, too
points = np.random.default_rng([0, 2024]).uniform(0, 1, many)
errors = [relative(fit(p, out=out), family.inverse(p)) for p in points]
exact = relative(family.inverse(0.37), np.linalg.inv(family(0.37)))
print(json.dumps({
    "d": fit.surrogate.d, "samples": len(fit.samples), "status": fit.status, "basis": fit.basis.name,
    "C": fit.surrogate.nbytes, "peak": peak, "seconds": seconds, "query_us": 1e6 * float(np.median(spent)),
    "build": fit.cost.build_seconds, "solve": fit.cost.solve_seconds, "formula_error": exact,
    "worst": float(max(errors)), "median": float(np.median(errors)), "stages": dict(fit.cost.stages),
}))
"""


def rows(n: int, samples: int, many: int, targets: bool) -> Iterator[Row]:
    """Fit and answer in a fresh process, whose peak of resident memory is that of the library alone."""
    rank = min(20, n // 4)
    arguments = [str(each) for each in (n, rank, samples, TIGHT, many)]
    command = [sys.executable, "-c", SCRIPT, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    row = Row(
        NAME, f"n = {n}", SyntheticInverse(n=n, rank=rank).name, n, 1, "inv", "curve",
        d=told["d"], samples=told["samples"], seed=0, tol=TIGHT, basis=told["basis"], status=told["status"],
        offline_seconds=told["seconds"] - told["build"], build_seconds=told["build"], exact_seconds=told["solve"],
        online_us=told["query_us"], calls=5, points=many, error_worst=told["worst"], error_median=told["median"],
    )  # fmt: skip
    peak = told["peak"] / MOST
    figures = [
        Figure("peak of resident memory / 16 GiB", Ratio(peak, peak, peak), most=1.0 if targets else None),
        Figure("peak of resident memory / latent tensor", Ratio(*[told["peak"] / told["C"]] * 3)),
    ]
    kept = {name: told[name] for name in ("C", "peak", "formula_error", "stages")}
    yield aimed(row, figures, **kept)


def cases(setting: Setting) -> list[Case]:
    """One size; its exact solves take minutes."""
    n = setting.count(4096, 32)
    return [Case(f"n = {n}", partial(rows, n, setting.count(40, 12), setting.count(20, 3), not setting.quick))]


MEMORY = Measurement(NAME, "n = 4096 with 40 slices in 16 GiB", cases)
