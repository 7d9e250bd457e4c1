"""Which rows count, and figures out of them."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

__all__ = ["Record", "broken", "current", "mean", "measured", "of", "real", "skipped", "worst"]

Record = Mapping[str, Any]


def current(records: Iterable[Record], quick: bool = False) -> list[Record]:
    """Return the last run of every case: a row is replaced by a later one of its method, a breakdown by a success.

    A run of a case happens in one process, at one commit and with one number of threads, so rows of other commits are
    leftovers of earlier runs.
    """
    parts: dict[tuple[str, ...], list[Record]] = {}
    for record in records:
        if quick or not record["quick"]:
            part = (record["extra"].get("part", record["case"]), record["extra"].get("table", ""))
            parts.setdefault((record["measurement"], *part, str(record["threads"])), []).append(record)
    found: list[Record] = []
    for rows in parts.values():
        if _empty(rows[-1]):
            found.append(rows[-1])
            continue
        last = [row for row in rows if row["commit"] == rows[-1]["commit"] and not _empty(row)]
        found += {(row["case"], row["method"], row["seed"], row["baseline"]): row for row in last}.values()
    measured_ones = {row["measurement"] for row in found if not _empty(row)}
    return [row for row in found if not (skipped(row) and row["measurement"] in measured_ones)]


def _empty(record: Record) -> bool:
    """Whether the row stands for a whole case that was skipped or broke down."""
    return not record["method"]


def skipped(record: Record) -> bool:
    """Whether the row says that nothing could be measured here."""
    return bool(record["status"].startswith("skipped"))


def broken(record: Record) -> bool:
    """Whether the row is of a method or a case that broke down."""
    return bool(record["status"].startswith("failed"))


def measured(records: Iterable[Record]) -> list[Record]:
    """Return the rows that hold figures."""
    return [record for record in records if not broken(record) and not skipped(record)]


def of(records: Iterable[Record], measurement: str) -> list[Record]:
    """Return the rows of one measurement."""
    return [record for record in records if record["measurement"] == measurement]


def real(value: Any) -> float | None:
    """Return a figure of a row as a number: rows hold "nan" and "inf" as text."""
    return None if value is None else float(value)


def mean(values: Sequence[float]) -> float | None:
    """Return the mean; None of nothing."""
    return math.fsum(values) / len(values) if values else None


def worst(values: Sequence[float]) -> float | None:
    """Return the largest value; NaN counts as infinite."""
    return max(math.inf if math.isnan(value) else value for value in values) if values else None
