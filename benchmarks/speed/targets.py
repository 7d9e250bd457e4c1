"""Targets: what is divided by what, and on which side of which number the median has to lie."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch

from benchmarks.record import Check, Row
from benchmarks.speed.clock import Ratio

__all__ = ["ALONE", "Figure", "aimed"]

ALONE = ", one thread"
"""What the case of a row says where it was measured with one thread."""


@dataclass(frozen=True)
class Figure:
    """A measured quotient, and its target if it has one.

    Parameters
    ----------
    text : what is divided by what.
    ratio : median and quartiles.
    most, least : the median must not be above, or below; both None where a figure is shown for information.
    unit : of the figure; "×" for quotients.
    """

    text: str
    ratio: Ratio
    most: float | None = None
    least: float | None = None
    unit: str = "×"

    @property
    def check(self) -> Check | None:
        """The line; one that must not be below becomes target / measured, which must not be above one."""
        if self.most is not None:
            return Check(self.text, self.ratio.median, self.most)
        if self.least is not None:
            return Check(f"{self.least:g} / ({self.text})", self.least / self.ratio.median, 1.0)
        return None

    def record(self) -> dict[str, Any]:
        """The figure as it stands in a row."""
        check = self.check
        return {**asdict(self), "passed": None if check is None else check.passed}


def aimed(row: Row, figures: Sequence[Figure], **extra: Any) -> Row:
    """Return the row with figures, their checks, and further entries of ``extra``; its case tells of a lone thread."""
    checks = [check for figure in figures if (check := figure.check)]
    kept = {**row.extra, **extra, "figures": [figure.record() for figure in figures]}
    alone = ALONE if torch.get_num_threads() == 1 else ""
    return row.having(*checks, extra=kept, case=f"{row.case}{alone}")
