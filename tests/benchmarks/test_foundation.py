"""Every measurement of the foundation runs in its quick form and writes rows of the schema."""

import pytest
from tests.benchmarks.running import VALID, benchmarks, names, python, quick


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    return quick("foundation", tmp_path_factory.mktemp("rows") / "quick.jsonl")


def test_every_measurement_writes_valid_rows(rows):
    counts, found = benchmarks("-c", VALID, str(rows)).splitlines()
    assert counts == "0 0"
    assert set(found.split()) == set(names("foundation"))


def test_quick_rows_are_marked_and_never_reported(rows, tmp_path):
    page = tmp_path / "accuracy.md"
    benchmarks("-m", "benchmarks", "report", "--rows", str(rows), "--output", str(page))
    assert "0 of 0 checks held over 0 rows" in page.read_text(encoding="utf-8")


def test_a_resumed_run_repeats_nothing(rows):
    before = rows.read_text(encoding="utf-8")
    benchmarks("-m", "benchmarks", "run", *names("foundation"), "--quick", "--resume", "--output", str(rows))
    assert rows.read_text(encoding="utf-8") == before


def test_all_packages_are_listed():
    listed = [line.split()[0] for line in benchmarks("-m", "benchmarks", "list").splitlines()]
    assert listed == [*names("foundation"), *names("breadth"), *names("speed"), *names("paper")]


def test_an_unknown_name_is_refused_with_the_known_ones():
    done = python("-m", "benchmarks", "run", "inverse-hard")
    assert done.returncode == 2
    assert "unknown: inverse-hard; known: inverse-easy" in done.stdout
