"""Every measurement of the foundation runs in its quick form and writes rows of the schema."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

VALID = """
import sys
from pathlib import Path
from benchmarks.record import read, valid
records = read(Path(sys.argv[1]))
print(sum(not valid(record) for record in records), sum(r["status"].startswith("failed") for r in records))
print(*{record["measurement"] for record in records})
"""


def benchmarks(*arguments):
    # A process of its own: the package lies beside the tests and is not installed.
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    path = tmp_path_factory.mktemp("rows") / "quick.jsonl"
    benchmarks("-m", "benchmarks", "run", "--quick", "--output", str(path))
    return path


def test_every_measurement_writes_valid_rows(rows):
    counts, names = benchmarks("-c", VALID, str(rows)).splitlines()
    listed = [line.split()[0] for line in benchmarks("-m", "benchmarks", "list").splitlines()]
    assert counts == "0 0"
    assert set(names.split()) == set(listed)


def test_quick_rows_are_marked_and_never_reported(rows, tmp_path):
    page = tmp_path / "accuracy.md"
    benchmarks("-m", "benchmarks", "report", "--rows", str(rows), "--output", str(page))
    assert "0 of 0 checks held over 0 rows" in page.read_text(encoding="utf-8")


def test_a_resumed_run_repeats_nothing(rows):
    before = rows.read_text(encoding="utf-8")
    benchmarks("-m", "benchmarks", "run", "--quick", "--resume", "--output", str(rows))
    assert rows.read_text(encoding="utf-8") == before


def test_an_unknown_name_is_refused_with_the_known_ones():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "run", "inverse-hard"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "unknown: inverse-hard; known: inverse-easy" in done.stdout
