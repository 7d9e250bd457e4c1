"""Exact solves of the trainers that keep their factors."""

from __future__ import annotations

import numpy as np
import torch

from neumatc.arrays import Array
from neumatc.gauge import Factors
from neumatc.history import Event
from neumatc.problem import Problem

from .plan import Plan


def solved(plan: Plan, problem: Problem, x: Array) -> Factors:
    """Exact factors ``(m, rows, columns)`` at unit points ``x (m, D)``, one by one (LAPACK gains nothing by stacks)."""
    points, found = problem.box.from_unit(x), []
    for i in range(len(points)):
        A = torch.from_numpy(problem.matrices(points[i : i + 1], keep=True)).to(plan.device)
        F = problem.solve(A, points[i : i + 1])
        found.append({name: np.asarray(X.cpu().resolve_conj()) for name, X in F.items()})
        plan.tell(Event("solve", problem.box.describe(points[i]), {"count": problem.meter.solved}))
    return {name: np.concatenate([each[name] for each in found]) for name in found[0]}
