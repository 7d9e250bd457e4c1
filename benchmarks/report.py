"""Tables for the documents, made from rows and from nothing else."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.record import read
from benchmarks.registry import MEASUREMENTS

__all__ = ["write"]

Record = Mapping[str, Any]

HEAD = """# Accuracy and cost, measured

This page is written by `python -m benchmarks report` from the rows in `benchmarks/results/`; nothing in it is typed.
Where a measurement draws several random families, the table shows the **worst seed** of each line.

Errors are plain relative Frobenius errors, `‖X - exact‖ / ‖exact‖`. Residuals are relative to what their equations
compare with: `‖A X - I‖_F / √n` for an inverse; for an SVD the root of the summed squares of `‖A V - U S‖ / ‖A‖`,
`‖Aᴴ U - V S‖ / ‖A‖`, `‖Uᴴ U - I‖ / √r` and `‖Vᴴ V - I‖ / √r`. Both are computed densely in double precision, by
formulas that share nothing with the estimators of the library. "Best in span" is the Frobenius projection of the exact
result on the latent slices, whose error no choice of φ can beat. The squared error is the metric of the paper
(arXiv:2511.22934), the mean of the squared relative error. A line that was not held is marked **missed**.
"""

Column = tuple[str, Callable[[Record], Any]]


def write(files: Sequence[Path], output: Path) -> None:
    """Write the page from all files of rows."""
    # Rows of a measurement that has moved to another page stay in their file.
    every = (record for file in files for record in read(file) if record["measurement"] in MEASUREMENTS)
    records = latest(record for record in every if not record["quick"])
    parts = [HEAD, verdicts(records), machines(records)]
    for name, measurement in MEASUREMENTS.items():
        own = [record for record in records if record["measurement"] == name]
        if own:
            parts += [f"## {measurement.text}\n", lines(own), details(name, own)]
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text("\n".join(part for part in parts if part), encoding="utf-8")


def latest(records: Iterable[Record]) -> list[Record]:
    """Return the last row of every measurement, case, method and seed; a failure gives way to a later success."""
    found: dict[tuple[Any, ...], Record] = {}
    parts: dict[tuple[str, str], str] = {}
    for record in records:
        part = (record["measurement"], record["extra"].get("part", record["case"]))
        parts[part] = record["status"]
        found[(*part, record["case"], record["method"], record["seed"])] = record
    broken = {part for part, status in parts.items() if status.startswith("failed")}
    return [
        record
        for (name, part, *_), record in found.items()
        if record["status"].startswith("failed") == ((name, part) in broken)
    ]


def verdicts(records: Sequence[Record]) -> str:
    """Return how many lines were held, and which were not."""
    checks = [(record, check) for record in records for check in record["checks"]]
    missed = [(record, check) for record, check in checks if not check["passed"]]
    failed = [record for record in records if record["status"].startswith("failed")]
    text = [f"{len(checks) - len(missed)} of {len(checks)} checks held over {len(records)} rows.\n"]
    for record, check in missed:
        where = f"{record['measurement']}, {record['case']}, {record['method']}"
        text.append(
            f"- **missed**: {where}: {check['quantity']} = {number(check['value'])}, bound {number(check['bound'])}"
        )
    text += [f"- **broke down**: {r['measurement']}, {r['case']}: {r['status']}" for r in failed]
    return "\n".join(text) + "\n"


def machines(records: Sequence[Record]) -> str:
    """Return what the rows were measured with."""
    seen: dict[str, list[str]] = {}
    for record in records:
        versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
        dirty = " with changes" if record["dirty"] else ""
        text = f"{record['cpu']}, {record['threads']} thread(s); {versions}; commit {record['commit']}{dirty}"
        seen.setdefault(text, []).append(record["date"][:10])
    return "\n".join(f"- {min(dates)} to {max(dates)}: {text}" for text, dates in seen.items()) + "\n"


def lines(records: Sequence[Record]) -> str:
    """Return a table of the acceptance lines, the worst row of each."""
    worst: dict[tuple[str, str, str, Any], tuple[Record, Record, int]] = {}
    for record in records:
        for check in record["checks"]:
            key = (problem_of(record), record["method"], check["quantity"], check["bound"])
            before = worst.get(key)
            count = 1 + (before[2] if before else 0)
            keep = before and not float(check["value"]) > float(before[1]["value"])
            worst[key] = (*before[:2], count) if before and keep else (record, check, count)
    if not worst:
        return ""
    rows = [
        (*named(record), method, quantity, number(check["value"]), number(bound), count, verdict(check))
        for (_, method, quantity, bound), (record, check, count) in worst.items()
    ]
    return table(("worst case", "family", "answer", "quantity", "worst", "bound", "rows", ""), rows)


def named(record: Record) -> tuple[str, str]:
    """Return the case and the family."""
    return record["case"], record["family"]


def problem_of(record: Record) -> str:
    """Return the case without its seed: rows that differ in that alone share a line."""
    case: str = record["case"]
    return case.rsplit(", seed", 1)[0]


def verdict(check: Record) -> str:
    """Return a mark."""
    return "held" if check["passed"] else "**missed**"


def fit_columns() -> list[Column]:
    """Return the columns that every table of details begins with."""
    return [
        ("case", lambda r: r["case"]),
        ("family", lambda r: r["family"]),
        ("answer", lambda r: r["method"]),
        ("solves", lambda r: r["samples"]),
        ("d", lambda r: r["d"]),
        ("basis", lambda r: r["basis"]),
        ("status", lambda r: r["status"]),
    ]


def accuracy_columns() -> list[Column]:
    """Residuals, errors and the best of the span."""
    return [
        ("points", lambda r: r["points"]),
        ("residual worst", lambda r: r["residual_worst"]),
        ("median", lambda r: r["residual_median"]),
        ("best in span", lambda r: r["best_residual"]),
        ("error worst", lambda r: r["error_worst"]),
        ("median", lambda r: r["error_median"]),
        ("best in span", lambda r: r["best_error"]),
        ("residual / best, worst point", lambda r: r["extra"].get("ratio_residual")),
        ("error / best, worst point", lambda r: r["extra"].get("ratio_error")),
        ("squared error", lambda r: r["squared_error"]),
        ("held out", lambda r: r["extra"].get("held_out")),
    ]


def time_columns() -> list[Column]:
    """Microseconds of warm calls, beside the baseline."""
    return [
        ("µs", lambda r: r["online_us"]),
        ("quartiles", lambda r: r["online_spread"]),
        ("beside", lambda r: r["baseline"]),
        ("µs", lambda r: r["baseline_us"]),
        ("quartiles", lambda r: r["baseline_spread"]),
        ("exact, µs", lambda r: r["extra"].get("exact_us")),
        ("calls", lambda r: r["calls"]),
    ]


def certified_columns() -> list[Column]:
    """Paths and bounds."""
    return [
        ("points", lambda r: r["points"]),
        ("residual worst", lambda r: r["residual_worst"]),
        ("surrogate", lambda r: r["extra"].get("surrogate")),
        ("corrected", lambda r: r["extra"].get("corrected")),
        ("exact", lambda r: r["extra"].get("exact")),
        ("refused", lambda r: r["extra"].get("refused")),
        ("least bound / true", lambda r: r["extra"].get("smallest_bound_over_true")),
    ]


def operations_columns() -> list[Column]:
    """Errors of all ways of answering, what they are close to, and what the fit took."""
    return [
        ("smallest gap / mean gap", lambda r: r["extra"].get("gap")),
        ("points", lambda r: r["points"]),
        ("error worst, corrected", lambda r: r["error_worst"]),
        ("uncorrected", lambda r: r["extra"].get("curve_error")),
        ("best in span", lambda r: r["best_error"]),
        ("corrected / best", lambda r: r["extra"].get("ratio_worst")),
        ("at the worst point", lambda r: r["extra"].get("ratio_error")),
        ("residual / best, worst point", lambda r: r["extra"].get("ratio_residual")),
        ("rms, corrected", lambda r: r["extra"].get("corrected_rms")),
        ("uncorrected", lambda r: r["extra"].get("curve_rms")),
        ("best in span", lambda r: r["extra"].get("best_rms")),
        ("held-out residual", lambda r: r["extra"].get("held_out")),
        ("true one, uncorrected", lambda r: r["extra"].get("curve_residual")),
        ("fit, s", lambda r: r["extra"].get("fit_seconds")),
        ("of that exact solves, s", lambda r: r["exact_seconds"]),
    ]


def corner_columns() -> list[Column]:
    """What was expected, what happened, and what became of the certified answers."""
    return [
        ("expected", lambda r: r["extra"].get("expect")),
        ("found", lambda r: r["extra"].get("outcome", r["status"])),
        ("named", lambda r: r["extra"].get("named")),
        ("points", lambda r: r["points"]),
        ("uncertified residual, worst", lambda r: r["residual_worst"]),
        ("certified residual, worst", lambda r: r["extra"].get("certified_worst")),
        ("surrogate", lambda r: r["extra"].get("surrogate")),
        ("corrected", lambda r: r["extra"].get("corrected")),
        ("exact", lambda r: r["extra"].get("exact")),
        ("refused", lambda r: r["extra"].get("refused")),
        ("certified wrongly", lambda r: r["extra"].get("wrong")),
    ]


DETAILS: Mapping[str, Callable[[], list[Column]]] = {
    "svd-gap": lambda: [*accuracy_columns(), *time_columns()],
    "certified": certified_columns,
    "spikes": certified_columns,
    "operations": operations_columns,
    "two-dim": operations_columns,
    "corners": corner_columns,
}
"""Columns of the table of all rows, by measurement; accuracy where nothing is said."""


def details(name: str, records: Sequence[Record]) -> str:
    """Return the table of all rows, in columns that hold something."""
    columns = [*fit_columns(), *DETAILS.get(name, accuracy_columns)()]
    rows = [[text(value(record)) for _, value in columns] for record in records]
    used = [i for i in range(len(columns)) if any(row[i] for row in rows)]
    body = table([columns[i][0] for i in used], [[row[i] for i in used] for row in rows])
    return f"<details><summary>All rows</summary>\n\n{body}\n</details>\n"


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a Markdown table."""
    marks = ["---"] * len(head)
    every = [head, marks, *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in row) + " |" for row in every) + "\n"


def text(value: Any) -> str:
    """Return a cell."""
    if value is None:
        return ""
    if isinstance(value, list):
        return " – ".join(number(each) for each in value)
    return value if isinstance(value, str) else number(value)


def number(value: Any) -> str:
    """Return a number in three digits; whole ones as they are."""
    if isinstance(value, str) or (isinstance(value, float) and value.is_integer() and abs(value) < 1e6):
        return str(value).removesuffix(".0")
    return f"{value:.3g}" if isinstance(value, float) else str(value)
