"""The README shows the rows of the last demo run that was kept, and nothing else."""

from pathlib import Path

from benchmarks.readme import block

ROOT = Path(__file__).parents[2]


def test_the_table_of_the_readme_comes_from_rows() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert block(ROOT / "benchmarks" / "results" / "demo.json") in readme
