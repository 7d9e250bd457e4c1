"""What a user waits for before the first answer: the import, a saved fit in a fresh process, the help."""

import atexit
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

from benchmarks.cases import Case, Measurement, Setting
from benchmarks.fits import described
from benchmarks.record import Check, Row
from benchmarks.speed.clock import Ratio, quartiles
from benchmarks.speed.jobs import Job, answered, errors, points_of, synthetic
from benchmarks.speed.targets import Figure, aimed

__all__ = ["START"]

NAME = "speed-start"

IMPORT, LOAD, HELP = 30.0, 0.25e3, 0.3e3
"""Milliseconds."""

NUMPY, BOTH = "import numpy", "import numpy, neumatc"
FOUND = "; import json, sys; print(json.dumps({'torch': 'torch' in sys.modules}))"

SHOWN = "import sys; sys.argv = ['neumatc', '--help']; from neumatc.cli import main; main()"
"""What the console script does."""

ANSWER = """
import hashlib, json, sys
import neumatc
f = neumatc.load(sys.argv[1])
answer = f(float(sys.argv[2]), reproducible=True)
parts = answer if isinstance(answer, tuple) else (answer,)
digest = hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()
print(json.dumps({"torch": "torch" in sys.modules, "digest": digest}))
"""


@cache
def compiled() -> str:
    """Return a folder for the bytecode of all processes of this one."""
    folder = mkdtemp(prefix="neumatc-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def milliseconds(script: str, *arguments: str) -> tuple[float, str]:
    """Run in a fresh process; milliseconds of the whole process, and what it wrote.

    Modules are compiled by the first process and not by those that follow, as where a package was installed by pip.
    """
    # An empty value is none: bytecode is written, but not beside the sources.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": compiled()}
    command = [sys.executable, "-c", script, *arguments]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return 1e3 * (time.perf_counter() - start), done.stdout


def import_rows(runs: int, targets: bool) -> Iterator[Row]:
    """Alternate ``import numpy`` with both imports, and with the help."""
    milliseconds(BOTH), milliseconds(SHOWN)
    pairs = [(milliseconds(NUMPY)[0], milliseconds(BOTH)[0], milliseconds(SHOWN)[0]) for _ in range(runs)]
    beyond, helped = [both - numpy for numpy, both, _ in pairs], [each[2] for each in pairs]
    torch = json.loads(milliseconds(BOTH + FOUND)[1])["torch"]
    figures = [
        Figure("import numpy and neumatc - import numpy", quartiles(beyond), most=bound(IMPORT, targets), unit="ms"),
        Figure("import numpy, whole process", quartiles([each[0] for each in pairs]), unit="ms"),
        Figure("neumatc --help, whole process", quartiles(helped), most=bound(HELP, targets), unit="ms"),
        Figure("torch imported", Ratio(*[float(torch)] * 3), most=0.0, unit=""),
    ]
    yield aimed(Row(NAME, "import and help", "", 0, 0, "", "started", calls=runs), figures)


def load_rows(job: Job, case: str, runs: int, many: int, targets: bool) -> Iterator[Row]:
    """Save, then open and answer in one fresh process after the other."""
    fit = job.fit()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "fit.nmc"
        fit.save(path)
        size, p = path.stat().st_size, repr(float(points_of(job, 1)[0]))
        milliseconds(ANSWER, str(path), p)
        taken = [milliseconds(ANSWER, str(path), p) for _ in range(runs)]
    said: list[dict[str, Any]] = [json.loads(text) for _, text in taken]
    spent, torch = quartiles([each for each, _ in taken]), sum(each["torch"] for each in said)
    points = points_of(job, many)
    row = answered(described(NAME, case, job.family, fit, "loaded", 0), errors(job, points, fit(points), many))
    row = row.having(
        Check("different answers - 1", float(len({each["digest"] for each in said}) - 1), 0.0),
        online_us=1e3 * spent.median, online_spread=(1e3 * spent.low, 1e3 * spent.high), calls=runs,
    )  # fmt: skip
    figures = [
        Figure("load and answer, whole process", spent, most=bound(LOAD, targets), unit="ms"),
        Figure("processes that imported torch", Ratio(*[float(torch)] * 3), most=0.0, unit=""),
    ]
    yield aimed(row, figures, bytes=size)


def bound(milliseconds: float, targets: bool) -> float | None:
    """Return the target, or none in a quick run."""
    return milliseconds if targets else None


def cases(setting: Setting) -> list[Case]:
    """Imports, an inverse of some megabytes, and an SVD."""
    runs, targets, many = setting.count(21, 1), not setting.quick, setting.count(20, 3)
    jobs = {"inverse": synthetic("inv", setting.count(256, 24), setting.count(40, 12), setting)}
    if not setting.quick:
        jobs["SVD"] = synthetic("svd", 512, 20, setting)
    return [
        Case("import and help", partial(import_rows, runs, targets)),
        *(Case(name, partial(load_rows, job, name, runs, many, targets)) for name, job in jobs.items()),
    ]


START = Measurement(NAME, "Before the first answer: import, load, help, each in a fresh process", cases)
