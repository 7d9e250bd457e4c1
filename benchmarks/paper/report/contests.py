"""A table in which methods answer the same points: figures of one method over all data sets, and who is ahead."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from benchmarks.paper.published import TABLES, Published, ratio
from benchmarks.paper.report.rows import Record, mean, measured, real, worst

__all__ = ["OURS", "Contest", "Entrant", "contests"]

OURS = ("joint", "default")
"""Our two ways, in the order of their columns."""


@dataclass(frozen=True)
class Entrant:
    """One method: its rows, one for each data set."""

    method: str
    rows: Sequence[Record]

    @cached_property
    def timed(self) -> Record:
        """The row whose times count: of the first data set, on which all methods are compared."""
        return min(self.rows, key=lambda row: row["seed"] or 0)

    @property
    def squared(self) -> list[float]:
        """Mean squared relative error on every data set."""
        return [float(row["squared_error"]) for row in self.rows]

    @property
    def mean_squared(self) -> float | None:
        """What the paper prints."""
        return mean(self.squared)

    @property
    def relative(self) -> list[float]:
        """Plain relative error on every data set: root of the mean square over its points."""
        return [math.sqrt(value) for value in self.squared]

    @property
    def worst_error(self) -> float | None:
        """Largest relative error at any point of any data set."""
        return worst([float(row["error_worst"]) for row in self.rows])

    @property
    def alone_us(self) -> float | None:
        """One answer, asked for alone."""
        return real(self.timed["online_us"])

    @property
    def batch_us(self) -> float | None:
        """One answer of many."""
        return real(self.timed["extra"].get("batch_us"))

    @property
    def smooth_ms(self) -> float | None:
        """The factors of one answer of many as the map holds them, neither sorted nor settled."""
        found = real(self.timed["extra"].get("smooth_us"))
        return None if found is None else found / 1e3

    @property
    def floor(self) -> float | None:
        """Mean squared error of the exact factors projected on the span of the results: worst data set."""
        return worst(
            [row["extra"]["floor_squared_error"] for row in self.rows if "floor_squared_error" in row["extra"]]
        )

    @property
    def fastest_us(self) -> float:
        """The shorter of both."""
        return min(value for value in (self.alone_us, self.batch_us, math.inf) if value is not None)

    @property
    def checks(self) -> list[Record]:
        """Every line with its verdict: the worst data set of each."""
        found: dict[str, Record] = {}
        for row in self.rows:
            for check in row["checks"]:
                before = found.get(check["quantity"])
                if before is None or not float(check["value"]) <= float(before["value"]):
                    found[check["quantity"]] = check
        return list(found.values())


@dataclass(frozen=True)
class Contest:
    """All methods of one table of the paper, or of a part of one."""

    table: str
    entrants: Sequence[Entrant]

    @property
    def reference(self) -> Entrant | None:
        """The paper's own baseline: every other method is compared with it in the same run."""
        name = self.entrants[0].timed["baseline"]
        return next((each for each in self.entrants if each.method == name), None)

    @property
    def lapack(self) -> Entrant | None:
        """The fastest exact routine we know, where it took part."""
        return next((each for each in self.entrants if "best LAPACK" in each.method), None)

    @property
    def ours(self) -> list[Entrant | None]:
        """Our ways, None for one without rows."""
        by_name = {each.method: each for each in self.entrants}
        return [by_name.get(name) for name in OURS]

    @property
    def others(self) -> list[Entrant]:
        """The baselines."""
        return [each for each in self.entrants if each.method not in OURS]

    @property
    def approximate(self) -> list[Entrant]:
        """All that do not simply solve at every point."""
        return [each for each in self.entrants if each not in (self.reference, self.lapack)]

    @property
    def printed(self) -> Published:
        """The paper's line for its own method."""
        return TABLES[self.table].get("NeuMatC", Published())

    @property
    def printed_ratio(self) -> float | None:
        """How many times faster than its baseline the paper's method is."""
        return ratio(self.table)

    def faster(self, entrant: Entrant | None, than: Entrant | None) -> tuple[float | None, float | None]:
        """Return how many times faster than another method's single answers: alone, and in a batch."""
        if entrant is None or than is None or than.alone_us is None:
            return None, None
        alone, batch = entrant.alone_us, entrant.batch_us
        return than.alone_us / alone if alone else None, than.alone_us / batch if batch else None


def contests(records: Sequence[Record]) -> Iterator[Contest]:
    """Sort the rows of a measurement by table and method."""
    tables: dict[str, dict[str, list[Record]]] = {}
    for record in measured(records):
        table = record["extra"].get("table")
        if table in TABLES:
            tables.setdefault(table, {}).setdefault(record["method"], []).append(record)
    for table in (name for name in TABLES if name in tables):
        yield Contest(table, [Entrant(method, rows) for method, rows in tables[table].items()])
