"""Exact solves of the trainers that keep their factors."""

from __future__ import annotations

import numpy as np

from neumatc.arrays import Array
from neumatc.gauge import Factors
from neumatc.history import Event
from neumatc.problem import Problem

from .devices import to_numpy
from .plan import Plan
from .solving import exact_each


def solved(plan: Plan, problem: Problem, x: Array) -> tuple[Factors, Array]:
    """Exact factors at unit points ``x (m, D)``, one by one (LAPACK gains nothing by stacks), and which of them came.

    Returns
    -------
    F : (k, rows, columns) each, the results that could be had; nothing where none could.
    had : (k,) their indices; all of them unless the box lets failures be.
    """
    points, found, had = problem.box.from_unit(x), [], []
    for i, F in enumerate(exact_each(plan, problem, points)):
        if F is not None:
            found.append(to_numpy(F))
            had.append(i)
            plan.tell(Event("solve", problem.box.describe(points[i]), {"count": problem.meter.solved}))
    names = found[0] if found else ()
    return {name: np.concatenate([each[name] for each in found]) for name in names}, np.array(had, int)
