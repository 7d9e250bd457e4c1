"""Rows in cells: targets, all cases, the limits of the machine."""

from collections.abc import Sequence

from benchmarks.paper.report.blocks import Cell, Grid
from benchmarks.paper.report.rows import Record, real
from benchmarks.paper.report.words import NONE, number
from benchmarks.speed.report.figures import bound_of, measured, said

__all__ = ["details", "limits", "targets"]


def targets(records: Sequence[Record]) -> Grid | None:
    """Return a line for every target, with the true error of the answers that were timed."""
    rows: list[list[str | Cell]] = []
    for record in records:
        for each in said(record):
            if each.passed is None:
                continue
            mark = Cell("held", "held") if each.passed else Cell(measured(each), "loss")
            error = number(real(record["error_worst"]))
            rows.append([f"{record['case']}: {each.text}", measured(each), bound_of(each), error, mark])
        for check in record["checks"]:
            if "error" in check["quantity"]:
                value, most = number(float(check["value"])), number(check["bound"])
                mark = Cell("held", "held") if check["passed"] else Cell(value, "loss")
                rows.append([f"{record['case']}: {check['quantity']}", value, f"≤ {most}", value, mark])
    if not rows:
        return None
    return Grid("Targets", ("", "measured (quartiles)", "target", "worst true error", ""), rows)


def details(records: Sequence[Record]) -> Grid:
    """Return a line for every row, with all its figures."""
    texts = list(dict.fromkeys(each.text for record in records for each in said(record)))
    head = ["", "d", "points", "worst true error", "µs (quartiles)", "beside", "µs (quartiles)", "calls", *texts]
    rows: list[list[str | Cell]] = []
    for record in records:
        figures = {each.text: measured(each) for each in said(record)}
        own = timed(record, "online"), record["baseline"] or NONE, timed(record, "baseline")
        start = [record["case"], whole(record["d"]), whole(record["points"]), number(real(record["error_worst"]))]
        rows.append([*start, *own, whole(record["calls"]), *(figures.get(text, NONE) for text in texts)])
    used = [i for i in range(len(head)) if i == 0 or any(row[i] != NONE for row in rows)]
    return Grid("All rows", [head[i] for i in used], [[row[i] for i in used] for row in rows])


def timed(record: Record, name: str) -> str:
    """Return microseconds with quartiles."""
    middle, spread = record[f"{name}_us"], record[f"{name}_spread"]
    if middle is None:
        return NONE
    return f"{number(middle, 3)} ({number(spread[0], 3)} – {number(spread[1], 3)})" if spread else number(middle, 3)


def whole(value: int | None) -> str:
    """Return a count."""
    return NONE if value is None else str(value)


def limits(records: Sequence[Record]) -> Grid:
    """Return the rates of the machine, from the turns of the answers."""
    rows: list[list[str | Cell]] = []
    for record in records:
        found = record["extra"].get("limits", {})
        if not found or record["measurement"] == "speed-offline":
            continue
        rows.append(
            [
                f"{record['measurement'].removeprefix('speed-')}, {record['case']}",
                number(found.get("gemm_gflops"), 3),
                number(megabytes(found.get("read_bytes")), 3),
                number(found.get("read_gbs"), 3),
                number(megabytes(found.get("fill_bytes")), 3),
                number(found.get("fill_gbs"), 3),
                whole(record["threads"]),
            ]
        )
    head = ("", "product, GFLOP/s", "read, MB", "GB/s", "written, MB", "GB/s", "threads")
    return Grid("What the machine could do during each row", head, rows)


def megabytes(count: int | None) -> float | None:
    """Return megabytes."""
    return None if count is None else 1e-6 * count
