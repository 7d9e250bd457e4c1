"""Rows: what was measured, on which problem, by which method, on which machine, and whether a line was held."""

import json
import math
import os
import platform
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import scipy
import torch

import neumatc
from neumatc import products

__all__ = ["RESULTS", "ROOT", "Check", "Row", "append", "read", "valid"]

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
"""Where files of rows are kept."""


@dataclass(frozen=True)
class Check:
    """One acceptance line: ``value <= bound``; NaN fails."""

    quantity: str
    value: float
    bound: float

    @property
    def passed(self) -> bool:
        """Whether the line was held."""
        return bool(self.value <= self.bound)


@dataclass(frozen=True)
class Row:
    """One result. Seconds are wall-clock; errors are plain relative ones; None where a figure has no meaning.

    Parameters
    ----------
    measurement, case : the group of acceptance lines, and the part of it.
    family, n, D, operation, method : the problem, and how it was answered ("curve", "corrected", "certified", "exact").
    d, samples, seed, tol, basis, status : of the fit.
    offline_seconds : the fit without building A(p); build_seconds : that, apart; exact_seconds : its exact solves.
    online_us, online_spread : median and quartiles of warm calls; baseline_* : of what was timed between them.
    error_worst, error_median : ``‖X - exact‖_F / ‖exact‖_F`` over the points.
    squared_error : mean over the points of its square, the paper's metric.
    residual_worst, residual_median : of the operation's equations, by dense formulas of their own.
    best_residual, best_error : worst figures of the best the span of C contains (Frobenius projection).
    certified_share, fallback_share : of points answered by the surrogate or its correction, and by an exact solve.
    checks : the acceptance lines this row decides.
    extra : further figures, by name.
    """

    measurement: str
    case: str
    family: str
    n: int
    D: int
    operation: str
    method: str
    d: int | None = None
    samples: int | None = None
    seed: int | None = None
    tol: float | None = None
    basis: str | None = None
    status: str = ""
    offline_seconds: float | None = None
    build_seconds: float | None = None
    exact_seconds: float | None = None
    online_us: float | None = None
    online_spread: tuple[float, float] | None = None
    baseline: str | None = None
    baseline_us: float | None = None
    baseline_spread: tuple[float, float] | None = None
    calls: int | None = None
    points: int | None = None
    error_worst: float | None = None
    error_median: float | None = None
    squared_error: float | None = None
    residual_worst: float | None = None
    residual_median: float | None = None
    best_residual: float | None = None
    best_error: float | None = None
    certified_share: float | None = None
    fallback_share: float | None = None
    checks: tuple[Check, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether every line was held; a run that broke down held none."""
        return not self.status.startswith("failed") and all(check.passed for check in self.checks)

    def having(self, *checks: Check, **values: Any) -> "Row":
        """Return the row with further lines and figures."""
        return replace(self, checks=(*self.checks, *checks), **values)


def append(path: Path, row: Row, quick: bool) -> dict[str, Any]:
    """Write one row, with the machine and the versions it was measured with, as a line of JSON."""
    record: dict[str, Any] = asdict(row)
    record["checks"] = [asdict(check) | {"passed": check.passed} for check in row.checks]
    record |= {"passed": row.passed, "quick": quick, **environment()}
    record["date"] = datetime.now(UTC).isoformat(timespec="seconds")
    record = {name: plain(value) for name, value in record.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n")
    return record


def read(path: Path) -> list[dict[str, Any]]:
    """Return all rows of a file, oldest first; none when there is no file."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def valid(record: Mapping[str, Any]) -> bool:
    """Whether a record has the fields of a row and of its environment, and lines with verdicts."""
    names = {item.name for item in fields(Row)} | {"passed", "quick", "date"} | set(environment())
    checks = record.get("checks", [])
    return set(record) == names and all(set(c) == {"quantity", "value", "bound", "passed"} for c in checks)


@cache
def environment() -> dict[str, Any]:
    """Return versions, processor, threads and commit."""
    return {
        "versions": {
            "python": platform.python_version(),
            "neumatc": neumatc.__version__,
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "torch": torch.__version__,
            "blas": blas(),
        },
        "cpu": processor(),
        "threads": torch.get_num_threads(),
        "commit": git("rev-parse", "--short", "HEAD"),
        "dirty": bool(git("status", "--porcelain", "--", "src")),
    }


def blas() -> str:
    """Return the libraries that NumPy and torch multiply with."""
    numpy = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    found = re.search(r"BLAS_INFO=(\w+)", torch.__config__.show())
    ours = products.compiled.VECTORS if products.can_scatter(float) else "none"
    return f"numpy {numpy['name']} {numpy['version']}, torch {found[1] if found else 'unknown'}, own product {ours}"


def processor() -> str:
    """Return the name of the processor, and how many of its cores there are."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.processor() or platform.machine()}, {os.cpu_count()} cores"


def git(*arguments: str) -> str:
    """Return what git says about this checkout; nothing outside one."""
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def plain(value: Any) -> Any:
    """Return a value that JSON can hold: NumPy numbers become Python's, infinities and NaN become text."""
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    return value


def summary(values: Iterable[float]) -> tuple[float, float]:
    """Return worst and median; NaN counts as worst."""
    array = np.asarray(list(values), dtype=float)
    return float(np.nan_to_num(array, nan=np.inf).max()), float(np.median(array))
