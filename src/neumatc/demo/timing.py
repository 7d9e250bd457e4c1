"""Fair clocks: rivals run in turns on the same matrices, so that a disturbance of the machine hits them all."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import scipy
import torch

from neumatc.__about__ import __version__
from neumatc.arrays import Array
from neumatc.demo.jobs import Job
from neumatc.fitted import Fit

RUNS = 20
"""Interleaved runs of which the median is reported."""

BATCH = 32
"""Points of one batch of ours."""

LAPACK_ENTRIES = 1 << 18
"""Entries of LAPACK's batch (4 matrices of 256 x 256): it works through them one by one, so more only takes longer."""

OURS = "NeuMatC"

Key = TypeVar("Key")


@dataclass(frozen=True)
class Seconds:
    """Per matrix: the median of the runs, and their quartiles."""

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Times:
    """Seconds per matrix by name, `OURS` among the rivals; all of them with A(p) given.

    Parameters
    ----------
    alone, batch : one p at a time, and many together
    error : relative error of each rival
    best_alone, best_batch : names of the fastest rivals that are exact
    sweep : seconds of ours for all subcarriers
    """

    alone: Mapping[str, Seconds]
    batch: Mapping[str, Seconds]
    error: Mapping[str, float]
    best_alone: str
    best_batch: str
    sweep: float


def race(
    rivals: Mapping[Key, Callable[[int], Any]], runs: int, tell: Callable[[float], None] = lambda _part: None
) -> dict[Key, list[float]]:
    """Seconds of each run of each rival, taken in turns; a rival is called with the number of the run.

    Examples
    --------
    >>> {name: len(seconds) for name, seconds in race({"sum": lambda run: sum(range(run))}, 3).items()}
    {'sum': 3}
    """
    seconds: dict[Key, list[float]] = {name: [] for name in rivals}
    names, rng = list(rivals), np.random.default_rng(0)
    for name in rivals:
        rivals[name](0)  # warm: memory, caches, and libraries that load at the first call
    for run in range(runs):
        # Another order each time: whoever always follows the same rival finds the cache as that one leaves it.
        for turn in rng.permutation(len(names)):
            name = names[turn]
            before = time.perf_counter()
            rivals[name](run)
            seconds[name].append(time.perf_counter() - before)
        tell((run + 1) / runs)
    return seconds


def times(job: Job, fit: Fit, runs: int = RUNS, tell: Callable[[float], None] = lambda _part: None) -> Times:
    """Time a fit against LAPACK; ``tell`` hears the part that is done."""
    rng = np.random.default_rng(0)
    p = rng.uniform(*job.matrix.box, BATCH)
    A = np.stack([job.matrix(float(one)) for one in p[: max(2, LAPACK_ENTRIES // (fit.shape[0] * fit.shape[1]))]])
    rivals = job.reference.rivals
    one = {(name, 1): lambda run, call=rival.call: call(A[run % len(A)][None]) for name, rival in rivals.items()}
    many = {(name, len(A)): lambda _run, call=rival.call: call(A) for name, rival in rivals.items()}
    ours = {(OURS, 1): _ours_alone(fit, p), (OURS, BATCH): _ours_batch(fit, p)}
    seconds = race({**ours, **one, **many}, runs, lambda part: tell(0.9 * part))
    alone = {name: _per_matrix(taken, 1) for (name, matrices), taken in seconds.items() if matrices == 1}
    batch = {name: _per_matrix(taken, matrices) for (name, matrices), taken in seconds.items() if matrices > 1}
    truth = job.reference.exact(A)
    exact = [name for name, rival in rivals.items() if rival.exact]
    return Times(
        alone=alone,
        batch=batch,
        error={name: float(job.reference.error(rival.call(A), truth).max()) for name, rival in rivals.items()},
        best_alone=min(exact, key=lambda name: alone[name].median),
        best_batch=min(exact, key=lambda name: batch[name].median),
        sweep=_sweep(job, fit),
    )


def _per_matrix(seconds: list[float], matrices: int) -> Seconds:
    low, median, high = (float(q) / matrices for q in np.quantile(seconds, (0.25, 0.5, 0.75)))
    return Seconds(median, low, high)


def _ours_alone(fit: Fit, p: Array) -> Callable[[int], Any]:
    out = _memory(fit, p[0])
    return lambda run: fit(p[run % len(p)], out=out)


def _ours_batch(fit: Fit, p: Array) -> Callable[[int], Any]:
    out = _memory(fit, p)
    return lambda _run: fit(p, out=out)


def _memory(fit: Fit, p: Any) -> Array | None:
    """A buffer of the right size, for answers of one array; tuples are small and made anew each time."""
    answer = fit(p)
    return answer if isinstance(answer, np.ndarray) else None


def _sweep(job: Job, fit: Fit) -> float:
    """Seconds for all subcarriers, in batches that are overwritten: together they may not fit into memory."""
    out = _memory(fit, job.p[:BATCH])
    before = time.perf_counter()
    for start in range(0, job.subcarriers, BATCH):
        some = job.p[start : start + BATCH]
        fit(some, out=None if out is None else out[: len(some)])
    return time.perf_counter() - before


def machine() -> dict[str, Any]:
    """What the timings depend on: processor, threads, versions; no date, so that files of two runs can be compared."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "versions": {
            "neumatc": __version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "torch": torch.__version__,
        },
    }


def _cpu() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.is_file():
        for line in listing.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
