"""What rows say: measured quotients with their targets, and figures in words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.paper.report.rows import Record
from benchmarks.paper.report.words import NONE, number

__all__ = ["Said", "bound_of", "losses", "measured", "said"]


@dataclass(frozen=True)
class Said:
    """One figure of one row, with median and quartiles as numbers: rows hold "inf" as text."""

    record: Record
    text: str
    median: float
    low: float
    high: float
    most: float | None
    least: float | None
    unit: str
    passed: bool | None

    @property
    def share(self) -> float:
        """How much of the target is used up: at most one where it is held."""
        if self.least is not None:
            return self.least / self.median if self.median else float("inf")
        return self.median / self.most if self.most else float("nan")


def said(record: Record) -> list[Said]:
    """Return the figures of a row."""
    return [_one(record, each) for each in record["extra"].get("figures", [])]


def _one(record: Record, figure: dict[str, Any]) -> Said:
    middle, low, high = (float(figure["ratio"][name]) for name in ("median", "low", "high"))
    return Said(
        record, figure["text"], middle, low, high, figure["most"], figure["least"], figure["unit"], figure["passed"]
    )


def measured(each: Said) -> str:
    """Return median and quartiles in words."""
    unit = each.unit if each.unit.startswith(" ") or not each.unit else f" {each.unit}"
    if each.low == each.high:
        return f"{number(each.median, 3)}{unit}"
    return f"{number(each.median, 3)}{unit} ({number(each.low, 3)} – {number(each.high, 3)})"


def bound_of(each: Said) -> str:
    """Return the target in words."""
    if each.most is not None:
        return f"≤ {number(each.most, 3)}"
    return NONE if each.least is None else f"≥ {number(each.least, 3)}"


def losses(records: Sequence[Record]) -> Iterator[str]:
    """Return a line for whatever was missed or broke down, and wherever LAPACK is as fast as an answer."""
    for record in records:
        where = f"{record['measurement']}, {record['case']}"
        if record["status"].startswith("failed"):
            yield f"{where}: broke down, {record['status'].removeprefix('failed: ')}"
        for check in record["checks"]:
            if not check["passed"] and check["quantity"] not in {_quantity(each) for each in said(record)}:
                yield f"{where}: {check['quantity']} is {number(float(check['value']))}, not ≤ {number(check['bound'])}"
        for each in said(record):
            if each.passed is False:
                yield f"{where}: {each.text} is {measured(each)}, not {bound_of(each)}"
            elif each.text.startswith("best LAPACK") and each.median < 1:
                yield f"{where}: LAPACK is faster, {measured(each)} (no target)"


def _quantity(each: Said) -> str:
    """Return under what name a check stands in the row."""
    return each.text if each.most is not None else f"{each.least:g} / ({each.text})" if each.least else ""
