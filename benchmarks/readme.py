"""The README's table and picture, from one run of `neumatc demo`."""

import json
import shutil
from pathlib import Path

from neumatc.demo import table

__all__ = ["START", "STOP", "block", "update"]

START = "<!-- table:demo: written by `python -m benchmarks readme`, no figure here is typed -->"
STOP = "<!-- end of table:demo -->"


def update(demo: Path, root: Path) -> None:
    """Keep the rows of the run, copy its picture, and write its table between the marks in the README."""
    rows = root / "benchmarks" / "results" / "demo.json"
    shutil.copyfile(demo / "results.json", rows)
    shutil.copyfile(demo / "error.png", root / "docs" / "images" / "demo-error.png")
    readme = root / "README.md"
    before, rest = readme.read_text(encoding="utf-8").split(START)
    _, after = rest.split(STOP)
    readme.write_text(before + block(rows) + after, encoding="utf-8")


def block(rows: Path) -> str:
    """The marked table of the rows in a file."""
    return f"{START}\n{table.markdown(json.loads(rows.read_text(encoding='utf-8')))}\n{STOP}"
