"""Exact solves of several points: one after the other, or side by side through the executor of the fit."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from neumatc.arrays import Array
from neumatc.family.calls import answers
from neumatc.gauge import Factors
from neumatc.operations import Operation
from neumatc.problem import Problem

from .excluded import attempted, exact_at
from .plan import Plan


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

    def __call__(self, A: Array) -> Factors | Exception:
        """Exact factors ``(1, rows, columns)`` of one matrix."""
        try:
            return self.operation.exact(A[None])
        except Exception as cause:  # LAPACK and a user's solver fail in their own ways; the problem sorts them
            return cause


def exact_each(plan: Plan, problem: Problem, points: Array) -> Iterator[Factors | None]:
    """Exact factors at ``points (s, D)``, see `exact_at`; None where there are none and the box lets failures be."""
    hole = problem.box.hole
    alone = problem.executor is None or plan.device != "cpu" or (hole is not None and hole.failures)
    if alone or len(points) == 1:
        for i in range(len(points)):
            yield attempted(plan, points[i], partial(exact_at, plan, problem, points[i : i + 1]))
        return
    for some in problem.pieces(points):
        yield from _together(problem, some)


def _together(problem: Problem, points: Array) -> list[Factors]:
    A = problem.matrices(points, keep=True)
    start = time.perf_counter()
    outcomes = list(answers(Solver(problem.operation), A, problem.executor))
    problem.meter.solve_seconds += time.perf_counter() - start
    return [
        problem.solve(A[i : i + 1], points[i : i + 1], partial(_delivered, outcome))
        for i, outcome in enumerate(outcomes)
    ]


def _delivered(outcome: Any, A: Any) -> Factors:
    """What another worker found, as if it were computed here."""
    del A
    if isinstance(outcome, Exception):
        raise outcome
    found: Factors = outcome
    return found
