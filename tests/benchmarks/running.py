"""Runs of the benchmarks, each in a process of its own: the package lies beside the tests and is not installed."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

VALID = """
import sys
from pathlib import Path
from benchmarks.record import read, valid
records = read(Path(sys.argv[1]))
print(sum(not valid(record) for record in records), sum(r["status"].startswith("failed") for r in records))
print(*{record["measurement"] for record in records})
"""

NAMES = """
import importlib, sys
found = importlib.import_module(f"benchmarks.{sys.argv[1]}").MEASUREMENTS
print(*(found if hasattr(found, "keys") else [each.name for each in found]))
"""


def python(*arguments):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def benchmarks(*arguments):
    done = python(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def names(package):
    """Measurements of one package."""
    return benchmarks("-c", NAMES, package).split()


def quick(package, path):
    """Run all measurements of a package in their quick form; the file of rows."""
    benchmarks("-m", "benchmarks", "run", *names(package), "--quick", "--output", str(path))
    return path
