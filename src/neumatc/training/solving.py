"""Exact solves of several points: one after the other, or side by side through the executor of the fit."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

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

    def __call__(self, A: Array) -> dict[str, Array] | Exception:
        """Exact factors ``(1, rows, columns)`` of one matrix."""
        try:
            F = self.operation.exact(torch.from_numpy(A)[None])
        except Exception as cause:  # LAPACK and a user's solver fail in their own ways; the problem sorts them
            return cause
        return {name: X.resolve_conj().numpy() for name, X in F.items()}


def exact_each(plan: Plan, problem: Problem, points: Array) -> list[Factors | None]:
    """Exact factors at ``points (s, D)`` as tensors; None where there are none and the box lets failures be."""
    hole = problem.box.hole
    alone = problem.executor is None or plan.device != "cpu" or (hole is not None and hole.failures)
    if alone or len(points) == 1:
        rows = [points[i : i + 1] for i in range(len(points))]
        return [attempted(plan, row[0], partial(exact_at, plan, problem, row)) for row in rows]
    found: list[Factors | None] = []
    for some in problem.pieces(points):
        found += _together(problem, some)
    return found


def _together(problem: Problem, points: Array) -> list[Factors]:
    A = problem.matrices(points, keep=True)
    start = time.perf_counter()
    outcomes = list(answers(Solver(problem.operation), A, problem.executor))
    problem.meter.solve_seconds += time.perf_counter() - start
    tensors = [torch.from_numpy(A[i : i + 1]) for i in range(len(points))]
    return [
        problem.solve(tensors[i], points[i : i + 1], partial(_delivered, outcome)) for i, outcome in enumerate(outcomes)
    ]


def _delivered(outcome: Any, A: Any) -> Factors:
    """What another worker found, as if it were computed here."""
    del A
    if isinstance(outcome, Exception):
        raise outcome
    return {name: torch.from_numpy(np.asarray(X)) for name, X in outcome.items()}
