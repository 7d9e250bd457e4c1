"""Which method to use, and why: a pure function of the rows of a comparison.

A method may be used when its worst residual at the judged points is within tol. Among those that may be used and that
pay off against the exact solver, the simplest is advised that costs at most twice the cheapest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

SIMPLEST = ("exact", "chebyshev", "chebyshev+", "spline", "aaa", "rbf", "nearest", "neumatc")
"""From what anyone can write down to what needs a library."""

ALIKE = 2.0
"""Ratio of costs up to which the simpler of two methods is advised."""


@dataclass(frozen=True)
class Row:
    """One method of a comparison.

    Parameters
    ----------
    method, title : short name, and what it is called in a sentence
    error, error_median : relative error of the factors up to gauge, worst and median
    residual : worst relative residual, as a certificate measures it
    offline_seconds : before the first answer, without building A(p)
    alone, batched : microseconds per query with A(p) given, one p at a time and many together
    exact_solves, built : before the first answer; ``built`` counts the matrices A(p)
    nbytes : memory held
    needs_matrix : whether every query needs A(p)
    ran : whether the method could be had at all
    note : details, or why it could not be had
    """

    method: str
    title: str
    error: float = math.inf
    error_median: float = math.inf
    residual: float = math.inf
    offline_seconds: float = 0.0
    alone: float = math.inf
    batched: float = math.inf
    exact_solves: int = 0
    built: int = 0
    nbytes: int = 0
    needs_matrix: bool = False
    ran: bool = True
    note: str = ""

    def query(self, build_seconds: float) -> float:
        """Seconds per query in a batch, A(p) built where it is needed."""
        return 1e-6 * self.batched + (build_seconds if self.needs_matrix else 0.0)

    def offline(self, build_seconds: float) -> float:
        """Seconds before the first answer, A(p) built."""
        return self.offline_seconds + self.built * build_seconds

    def total(self, queries: float, build_seconds: float) -> float:
        """Seconds for that many queries, everything included."""
        return self.offline(build_seconds) + queries * self.query(build_seconds)


@dataclass(frozen=True)
class Verdict:
    """The row to use, and the sentence that says so."""

    row: Row
    sentence: str


def break_even(row: Row, exact: Row, build_seconds: float) -> float:
    """Queries after which a method has paid for itself against the exact solver; inf where it never does.

    Examples
    --------
    >>> exact = Row("exact", "LAPACK", batched=100.0)
    >>> break_even(Row("chebyshev", "Chebyshev", offline_seconds=1.0, batched=20.5), exact, 0.0)
    12579
    """
    gain = exact.query(build_seconds) - row.query(build_seconds)
    return math.ceil(row.offline(build_seconds) / gain) if gain > 0 else math.inf


def advise(rows: Sequence[Row], tol: float, build_seconds: float, queries: float | None = None) -> Verdict:
    """Say which method to use.

    Parameters
    ----------
    rows : of all methods, the exact solver among them
    tol : worst relative residual that is acceptable
    build_seconds : of one A(p)
    queries : how many answers are needed; None for as many as it takes to pay off

    Examples
    --------
    >>> rows = [
    ...     Row("exact", "the exact solver (LAPACK)", residual=1e-15, batched=100.0, needs_matrix=True),
    ...     Row("chebyshev", "Chebyshev interpolation", residual=1e-12, batched=10.0, exact_solves=20),
    ... ]
    >>> advise(rows, 1e-8, 0.0).row.method, advise(rows, 1e-13, 0.0).row.method
    ('chebyshev', 'exact')
    """
    row, why = _choice(rows, tol, build_seconds, queries)
    sentence = f"Use {row.title}: {why}"
    if build_seconds > 0:
        given = _choice(rows, tol, 0.0, queries)[0]
        if given.method != row.method:
            sentence += f"; where A(p) is at hand and need not be built, use {given.title}"
    scarce = min(
        (each for each in rows if each.ran and each.residual <= tol and each.method != "exact"),
        default=row,
        key=_solves,
    )
    if row.method != "exact" and scarce.exact_solves < row.exact_solves:
        sentence += f"; where exact solves are scarce, use {scarce.title}, which needs {scarce.exact_solves}"
    return Verdict(row, sentence + ".")


def _solves(row: Row) -> int:
    return row.exact_solves


def _choice(rows: Sequence[Row], tol: float, build: float, queries: float | None) -> tuple[Row, str]:
    exact = next(row for row in rows if row.method == "exact")
    others = [row for row in rows if row.method != "exact" and row.ran]
    accurate = [row for row in others if row.residual <= tol]
    if not accurate:
        return exact, _nothing_reaches(others, tol)
    paying = [row for row in accurate if break_even(row, exact, build) < (math.inf if queries is None else queries)]
    if not paying:
        return exact, _nothing_pays(accurate, exact, build, queries)

    def cost(row: Row) -> float:
        return row.query(build) if queries is None else row.total(queries, build)

    cheapest = min(map(cost, paying))
    alike = [row for row in paying if cost(row) <= ALIKE * cheapest]
    row = min(alike, key=lambda row: SIMPLEST.index(row.method) if row.method in SIMPLEST else len(SIMPLEST))
    return row, _reason(row, exact, accurate, paying, alike, tol, build)


def _nothing_reaches(others: Sequence[Row], tol: float) -> str:
    if not others:
        return "no other method could be had"
    closest = min(others, key=lambda row: row.residual)
    return (
        f"no other method reached tol = {tol:.0e}; the closest, {closest.title}, left a worst residual of "
        f"{closest.residual:.0e} after {closest.exact_solves} exact solves"
    )


def _nothing_pays(accurate: Sequence[Row], exact: Row, build: float, queries: float | None) -> str:
    soonest = min(accurate, key=lambda row: break_even(row, exact, build))
    after = break_even(soonest, exact, build)
    if queries is not None and not math.isinf(after):
        return f"{_count(queries)} queries are too few, as even {soonest.title} pays off only after {_count(after)}"
    quickest = min(accurate, key=lambda row: row.query(build))
    return (
        f"it takes {_micro(exact.query(build))} per query, and {quickest.title}, the fastest of the others that "
        f"reached tol, takes {_micro(quickest.query(build))}"
    )


def _reason(
    row: Row, exact: Row, accurate: Sequence[Row], paying: Sequence[Row], alike: Sequence[Row], tol: float, build: float
) -> str:
    gain = exact.query(build) / max(row.query(build), 1e-12)
    text = (
        f"its worst residual is {row.residual:.0e} (tol = {tol:.0e}) after {row.exact_solves} exact solves, a query "
        f"takes {_micro(row.query(build))}, {gain:.3g} times less than an exact solve, and that pays off after "
        f"{_count(break_even(row, exact, build))} queries"
    )
    if len(accurate) == 1:
        return text + "; no other method reached tol"
    if len(paying) == 1:
        return text + "; no other method that reached tol pays off"
    if len(alike) == 1:
        return text + "; the others that reached tol cost more than twice as much"
    return text + "; it is the simplest of those that do as well"


def _micro(seconds: float) -> str:
    return f"{1e3 * seconds:.3g} ms" if seconds >= 1e-3 else f"{1e6 * seconds:.3g} µs"


def _count(number: float) -> str:
    return f"{number:,.0f}"
