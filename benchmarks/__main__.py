"""The command line: list measurements, run some, write the report."""

import argparse
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import readme, speed
from benchmarks.cases import Case, Measurement, Setting
from benchmarks.record import RESULTS, ROOT, Row, append, git, read
from benchmarks.registry import FILES, MEASUREMENTS, file_of
from benchmarks.report import write

PAPER, SPEED = RESULTS / "paper.jsonl", RESULTS / "speed.jsonl"
"""Rows that have a report of their own: of the measurements of the paper, and of speed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; the status is 0 unless a name is unknown."""
    options = parser().parse_args(arguments)
    if options.command == "list":
        for measurement in MEASUREMENTS.values():
            say(f"{measurement.name:<20}{measurement.text}")
    elif options.command == "readme":
        readme.update(options.demo, ROOT)
        say("wrote README.md")
    elif options.command == "report":
        report(options)
    else:
        options.names = [] if options.names == ["all"] else options.names
        unknown = set(options.names) - set(MEASUREMENTS)
        if unknown:
            say(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(MEASUREMENTS)}")
            return 2
        run(options)
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    top = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="name the measurements")
    running = commands.add_parser("run", help="run measurements, `all` of them also when none is named")
    running.add_argument("names", nargs="*", metavar="NAME")
    running.add_argument("--quick", action="store_true", help="tiny sizes: shows that it works, measures nothing")
    running.add_argument("--seeds", type=int, help="random families where a measurement draws some")
    running.add_argument("--only", default="", help="run the cases whose name contains this text")
    running.add_argument("--resume", action="store_true", help="skip cases that have rows for the committed src")
    running.add_argument("--output", type=Path, help="one file for all rows; quick ones are kept only when it is given")
    writing = commands.add_parser("report", help="write docs/accuracy.md, docs/speed.md and the report on the paper")
    writing.add_argument("--rows", type=Path, nargs="+", help="of docs/accuracy.md, which alone is written then")
    writing.add_argument("--output", type=Path, help="in place of docs/accuracy.md, which alone is written then")
    showing = commands.add_parser("readme", help="put the table and picture of a demo run into the README")
    showing.add_argument("demo", type=Path, help="folder that `neumatc demo --output` wrote")
    return top


def report(options: argparse.Namespace) -> None:
    """Write docs/accuracy.md and, unless it is asked for in particular, the pages on speed and on the paper."""
    output = options.output or ROOT / "docs" / "accuracy.md"
    write(options.rows or [file for file in FILES if file not in (PAPER, SPEED)], output)
    say(f"wrote {output}")
    if options.rows is None and options.output is None:
        # These draw: running and listing do without matplotlib.
        from benchmarks.paper.report import write as write_paper
        from benchmarks.speed.report import write as write_speed

        for page in (*write_paper(PAPER, ROOT / "benchmarks"), *write_speed(SPEED, ROOT, speed.MEASUREMENTS)):
            say(f"wrote {page}")


def run(options: argparse.Namespace) -> None:
    """Run the named measurements, case by case; each row is written as soon as it is known."""
    setting = Setting(options.quick, options.seeds)
    for name in options.names or MEASUREMENTS:
        measurement = MEASUREMENTS[name]
        path = options.output or (Path("/dev/null") if options.quick else file_of(name))
        done = finished(path) if options.resume else set()
        for case in measurement.cases(setting):
            if options.only in case.name and (name, case.name) not in done:
                one(measurement, case, path, setting)


def one(measurement: Measurement, case: Case, path: Path, setting: Setting) -> None:
    """Run one case; a failure is a row, too."""
    start = time.perf_counter()
    say(f"{measurement.name} | {case.name}")
    try:
        for row in case.run():
            # Rows of one case share its name in `part`, so that a resumed run knows what it has.
            record = append(path, row.having(extra={**row.extra, "part": case.name}), setting.quick)
            for check in record["checks"]:
                tell(check, record["method"])
    except Exception as error:
        say(traceback.format_exc())
        failed = Row(measurement.name, case.name, case.name, 0, 0, "", "", status=f"failed: {type(error).__name__}")
        append(path, failed.having(extra={"error": str(error), "part": case.name}), setting.quick)
    say(f"    {time.perf_counter() - start:.1f} s")


def tell(check: dict[str, Any], method: str) -> None:
    """Say how a line fared."""
    verdict = "ok  " if check["passed"] else "FAIL"
    value, bound = (
        number if isinstance(number, str) else f"{number:.3g}" for number in (check["value"], check["bound"])
    )
    say(f"    {verdict} {method}: {check['quantity']} = {value} (bound {bound})")


def finished(path: Path) -> set[tuple[str, str]]:
    """Return measurement and case of all rows written for this state of the library, failures left out."""
    records = [row for row in read(path) if not row["status"].startswith("failed")]
    current = git("rev-parse", "HEAD:src")
    same = {commit for commit in {row["commit"] for row in records} if git("rev-parse", f"{commit}:src") == current}
    return {(row["measurement"], row["extra"].get("part", row["case"])) for row in records if row["commit"] in same}


def say(text: str) -> None:
    """Write one line to the terminal at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
