"""Where a fit may not go: the hole of its box, and points that turn out to have no A(p) or no exact result."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from neumatc.arrays import Array
from neumatc.errors import ExactSolveError
from neumatc.gauge import Factors
from neumatc.history import Event
from neumatc.problem import FAILURES, Problem

from .devices import there

if TYPE_CHECKING:
    from .plan import Plan

Result = TypeVar("Result")

TOGETHER = 32
"""Matrices asked for at once before each is asked for alone."""

SAME = 1e-12
"""Distance in the unit cube below which two points are one."""


def attempted(plan: Plan, point: Array, compute: Callable[[], Result]) -> Result | None:
    """What ``compute`` returns, or None where it fails at ``point (D,)`` and the box lets failures be.

    That is told as an event. Without ``excluding(failures=True)`` the error goes its way.
    """
    try:
        return compute()
    except FAILURES as cause:
        if not plan.problem.excuses(point, cause):
            raise
        text = f"{plan.problem.box.describe(point)}: {type(cause).__name__}: {cause}"
        plan.tell(Event("excluded", text, {"count": len(plan.problem.meter.failed)}))
        return None


def exact_at(plan: Plan, problem: Problem, point: Array) -> Factors:
    """Exact factors at one point (1, D): arrays on a CPU, tensors on another device."""
    A = problem.matrices(point, keep=True)
    return problem.solve(there(A, plan.device), point)


def admitted(plan: Plan, x: Array) -> Array:
    """At which unit points ``x (M, D)`` A(p) can be had, ``(M,)``; matrices that had to be built are kept.

    Nothing is built where the box lets no failures be: a failure is an error then, wherever it comes.
    """
    problem = plan.problem
    if problem.box.hole is None:
        return np.ones(len(x), bool)
    points = problem.box.from_unit(x)
    mask = ~problem.box.excluded(points)
    if not problem.box.hole.failures:
        return mask
    if len(problem.failed):
        known = problem.box.to_unit(problem.failed)
        mask &= (np.abs(x[:, None] - known[None]).max(-1) > SAME).all(1)
    for start in range(0, len(x), TOGETHER):
        some = start + np.flatnonzero(mask[start : start + TOGETHER])
        try:
            problem.matrices(points[some], keep=True)
        except FAILURES:
            mask[some] = [_built(plan, points[i : i + 1]) for i in some]
    return mask


def solvable(plan: Plan, x: Array) -> Array:
    """At which unit points ``x (M, D)`` an exact result can be had, ``(M,)``.

    Held-out points must pass: where there is no exact result, a residual says nothing about the map. Where the box lets
    failures be, that takes an exact solve for each of them.
    """
    mask = admitted(plan, x)
    if plan.problem.box.hole is not None and plan.problem.box.hole.failures:
        points = plan.problem.box.from_unit(x)
        for i in np.flatnonzero(mask):
            point = points[i : i + 1]
            mask[i] = attempted(plan, point[0], lambda: exact_at(plan, plan.problem, point)) is not None  # noqa: B023
    return mask


def nothing_left(plan: Plan) -> ExactSolveError:
    """Build the error for a fit all of whose points failed; the caller raises it."""
    failed = plan.problem.meter.failed
    first = next(iter(failed.values()), "no candidate lies outside of the hole").rstrip(".")
    return ExactSolveError(
        f"`{plan.problem.operation.name}` needs exact results to begin with, but too few are left: {len(failed)} "
        f"points of the box {plan.problem.box} failed, the first with {first}. The hole probably covers almost all of "
        "the box, or A(p) is wrong everywhere. Call A(p) by hand where it should work, and shrink the box around it."
    )


def _built(plan: Plan, point: Array) -> bool:
    return attempted(plan, point[0], lambda: plan.problem.matrices(point, keep=True)) is not None
