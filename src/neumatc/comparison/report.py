"""What a comparison hands back: its rows, a table, and one sentence."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .advice import Row, Verdict, advise, break_even

HEADER = (
    "method", "error, worst", "median", "residual", "offline", "alone", "in a batch", "solves", "A(p) built", "memory",
)  # fmt: skip


@dataclass(frozen=True)
class Comparison:
    """Our fit beside other methods at equal exact solves; ``repr`` is a table with the advice below it.

    Parameters
    ----------
    rows : one for each method, ours first; a method that could not be had says why in its note
    problem : what was compared, in words
    tol : worst relative residual that is acceptable
    points : random points off the samples at which all were judged
    build_seconds : of one A(p)
    queries : how many answers are needed, or None

    Examples
    --------
    >>> from neumatc.comparison import Comparison, Row
    >>> exact = Row("exact", "the exact solver (LAPACK)", residual=1e-15, batched=50.0, needs_matrix=True)
    >>> ours = Row("neumatc", "NeuMatC", residual=1e-9, batched=5.0, offline_seconds=2.0, exact_solves=30, built=90)
    >>> found = Comparison((ours, exact), "inv of 64 x 64", tol=1e-8, points=200, build_seconds=1e-4, queries=1000)
    >>> found.best.method, found.break_even("neumatc")
    ('exact', 13856)
    >>> found.advice
    'Use the exact solver (LAPACK): 1,000 queries are too few, as even NeuMatC pays off only after 13,856.'
    """

    rows: tuple[Row, ...]
    problem: str
    tol: float
    points: int
    build_seconds: float
    queries: int | None = None

    @property
    def verdict(self) -> Verdict:
        """The advice with the row it names."""
        return advise(self.rows, self.tol, self.build_seconds, self.queries)

    @property
    def advice(self) -> str:
        """One plain sentence: which method to use, and why."""
        return self.verdict.sentence

    @property
    def best(self) -> Row:
        """The row that the advice names."""
        return self.verdict.row

    def __getitem__(self, method: str) -> Row:
        """Return the row of one method, by its short name."""
        return {row.method: row for row in self.rows}[method]

    def break_even(self, method: str) -> float:
        """Queries after which a method has paid for itself against the exact solver; inf where it never does."""
        return break_even(self[method], self["exact"], self.build_seconds)

    def __repr__(self) -> str:
        body = [_cells(row) for row in self.rows]
        widths = [max(len(line[i]) for line in (HEADER, *(b for b in body if len(b) > 1))) for i in range(len(HEADER))]
        widths[0] = max(len(line[0]) for line in body)
        build = f"one A(p): {_seconds(self.build_seconds)}"
        title = f"{self.problem}; tol {self.tol:.0e}, {self.points} random points, {build}"
        marked = [f"{_joined(line, widths)}  {row.note}".rstrip() for line, row in zip(body, self.rows, strict=True)]
        return "\n".join([title, _joined(HEADER, widths), *marked, self.advice])


def _cells(row: Row) -> tuple[str, ...]:
    if not row.ran:
        return (row.method,)
    query = ["-" if math.isinf(micro) else _seconds(1e-6 * micro) for micro in (row.alone, row.batched)]
    return (
        row.method,
        f"{row.error:.1e}",
        f"{row.error_median:.1e}",
        f"{row.residual:.1e}",
        _seconds(row.offline_seconds),
        *(f"{text}{' + A(p)' if row.needs_matrix else ''}" for text in query),
        str(row.exact_solves),
        str(row.built),
        f"{row.nbytes / 1e6:.1f} MB",
    )


def _joined(cells: tuple[str, ...], widths: list[int]) -> str:
    first, *rest = zip(cells, widths, strict=False)
    return "  ".join([first[0].ljust(first[1]), *(text.rjust(width) for text, width in rest)])


def _seconds(seconds: float) -> str:
    if seconds >= 0.1:
        return f"{seconds:.2f} s"
    return f"{1e3 * seconds:.3g} ms" if seconds >= 1e-3 else f"{1e6 * seconds:.3g} µs"
