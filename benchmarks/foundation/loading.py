"""A saved fit in a fresh process: seconds until the first answer, and no torch."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.cases import Case, Measurement, Setting
from benchmarks.fits import TIGHT, described, fitted
from benchmarks.record import Check, Row
from neumatc.gallery import GalleryFamily, LowRankSVD, SyntheticInverse

__all__ = ["FRESH"]

MOST_US = 0.25e6

SCRIPT = """
import time
start = time.perf_counter()
import sys, json
import neumatc
f = neumatc.load(sys.argv[1])
answer = f(float(sys.argv[2]), reproducible=True)
seconds = time.perf_counter() - start
import hashlib
parts = answer if isinstance(answer, tuple) else (answer,)
digest = hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()
print(json.dumps({"seconds": seconds, "torch": "torch" in sys.modules, "digest": digest}))
"""


def fresh(path: Path, p: float) -> dict[str, Any]:
    """Load and answer in a process of its own."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(path), repr(p)], capture_output=True, text=True, check=True
    )
    whole = time.perf_counter() - start
    answer: dict[str, Any] = json.loads(done.stdout)
    return {**answer, "whole": whole}


def rows(case: str, family: GalleryFamily, rank: int | None, samples: int, runs: int) -> Iterator[Row]:
    """Save, then open in one fresh process after the other."""
    fit = fitted(family, rank, samples=samples, tol=TIGHT, rng=0)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "fit.nmc"
        fit.save(path)
        size = path.stat().st_size
        fresh(path, 0.37)
        found = [fresh(path, 0.37) for _ in range(runs)]
    inner = 1e6 * np.quantile([each["seconds"] for each in found], (0.25, 0.5, 0.75))
    whole = 1e6 * np.quantile([each["whole"] for each in found], (0.25, 0.5, 0.75))
    digests = {each["digest"] for each in found}
    row = described(FRESH.name, case, family, fit, "loaded", 0)
    yield row.having(
        Check("import + load + answer, µs", float(inner[1]), MOST_US),
        Check("whole process, µs", float(whole[1]), MOST_US),
        Check("processes that imported torch", float(sum(each["torch"] for each in found)), 0.0),
        Check("different answers - 1", float(len(digests) - 1), 0.0),
        online_us=float(inner[1]),
        online_spread=(float(inner[0]), float(inner[2])),
        baseline="whole process",
        baseline_us=float(whole[1]),
        baseline_spread=(float(whole[0]), float(whole[2])),
        calls=runs,
        extra={**row.extra, "bytes": size},
    )


def cases(setting: Setting) -> list[Case]:
    """An inverse of some megabytes, and an SVD."""
    if setting.quick:
        problems: list[tuple[str, GalleryFamily, int | None, int]] = [
            ("inverse", SyntheticInverse(n=32, rank=6), None, 12)
        ]
    else:
        problems = [("inverse", SyntheticInverse(), None, 40), ("SVD", LowRankSVD(), 20, 20)]
    return [
        Case(case, partial(rows, case, family, rank, samples, setting.count(20, 1)))
        for case, family, rank, samples in problems
    ]


FRESH = Measurement("load", "A saved fit in a fresh process, without torch", cases)
