"""Exact solves of several points: one after the other, or side by side, by the executor of the fit or by threads."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from neumatc.arrays import Array
from neumatc.family.calls import answers
from neumatc.gauge import Factors
from neumatc.operations import Operation
from neumatc.problem import Problem, doubt

from .excluded import attempted, exact_at
from .plan import Plan
from .workers import SideBySide, in_groups, is_large


class Solved(NamedTuple):
    """Exact factors, their residuals, and the share of the time that was not spent on these."""

    F: Factors
    residual: Any
    share: float


@dataclass(frozen=True)
class Solver:
    """The exact solver of one operation; can be sent to another process if the operation can.

    What goes wrong is returned, not raised: one point that fails must not lose the results of the others.
    """

    operation: Operation

    @property
    def name(self) -> str:
        """How messages call what the executor is asked for."""
        return f"the exact solver of `{self.operation.name}`"

    def __call__(self, A: Array) -> Solved | Exception:
        """Exact factors ``(1, rows, columns)`` of one matrix ``(1, n1, n2)``."""
        start = time.perf_counter()
        try:
            F = self.operation.exact(A)
            solved = time.perf_counter()
            rho = doubt(self.operation, A, F)
            return Solved(F, rho, (solved - start) / (time.perf_counter() - start))
        except Exception as cause:  # LAPACK and a user's solver fail in their own ways; the problem sorts them
            return cause


def exact_each(plan: Plan, problem: Problem, points: Array) -> Iterator[Factors | None]:
    """Exact factors at ``points (s, D)``, see `exact_at`; None where there are none and the box lets failures be."""
    hole = problem.box.hole
    alone = plan.device != "cpu" or (hole is not None and hole.failures)
    if alone or len(points) == 1 or (problem.executor is None and not solves_apart(problem)):
        for i in range(len(points)):
            yield attempted(plan, points[i], partial(exact_at, plan, problem, points[i : i + 1]))
        return
    pieces = in_groups(points) if problem.executor is None else problem.pieces(points)
    for some in pieces:
        yield from _together(problem, some)


def solves_apart(problem: Problem) -> bool:
    """Whether several matrices are solved at once, on one thread each: for LAPACK that is more than threads inside.

    Only a solver that lets go of Python's lock gains by it.
    """
    return problem.executor is None and problem.operation.unlocked and is_large(problem.shape)


def _together(problem: Problem, points: Array) -> list[Factors]:
    rows = [points[i : i + 1] for i in range(len(points))]
    if problem.executor is None:
        A = [problem.matrices(row, keep=True) for row in rows]
    else:
        A = list(problem.matrices(points, keep=True)[:, None])
    start = time.perf_counter()
    outcomes = list(answers(Solver(problem.operation), A, problem.executor or SideBySide()))
    spent, shares = time.perf_counter() - start, [each.share for each in outcomes if isinstance(each, Solved)]
    problem.meter.solve_seconds += spent * float(np.mean(shares)) if shares else spent
    found = []
    for matrix, row, outcome in zip(A, rows, outcomes, strict=True):
        found.append(problem.exactly(matrix, row, partial(_delivered, outcome)))
        problem.check(matrix, outcome.residual, row)
    return found


def _delivered(outcome: Any, A: Any) -> Factors:
    """What another worker found, as if it were computed here."""
    del A
    if isinstance(outcome, Exception):
        raise outcome
    found: Factors = outcome.F
    return found
