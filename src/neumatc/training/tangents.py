"""Derivatives of exact results along p: further directions for the span that cost no exact solve.

From the equations, the derivative of a result follows from A'(p) by a few products (`neumatc.operations.Tangential`).
A'(p) is taken by differences of A: the span needs a direction, not its last digit.
"""

from __future__ import annotations

import numpy as np

from neumatc.arrays import Array
from neumatc.gauge import Factors
from neumatc.operations import Tangential

from .excluded import admitted
from .plan import Plan

STEP = 1e-5
"""Distance of the neighbours in the unit cube: the square of it is the error of a central difference."""

ROUND = 8
"""Points whose tangents are taken before residuals are looked at again."""


def wanted(plan: Plan) -> bool:
    """Whether tangents are asked for, and can be had."""
    operation, table = plan.problem.operation, plan.problem.tabulated
    return plan.sampler.tangents and isinstance(operation, Tangential) and table is None


def best_placed(x: Array, failing: Array, solved: Array) -> Array:
    """Indices into ``solved (s, D)`` of the points in whose neighbourhood labels fail most, at most `ROUND`.

    ``failing (M,)`` are the residuals at all points ``x (M, D)``.
    """
    worst = np.zeros(len(solved))
    if len(solved):
        np.maximum.at(worst, ((x[:, None] - solved[None]) ** 2).sum(-1).argmin(1), failing)
    return np.argsort(-worst, kind="stable")[:ROUND]


def tangents(plan: Plan, x: Array, F: Factors) -> Factors:
    """Derivatives of the exact factors ``F (m, rows, columns)`` at unit points ``x (m, D)`` along every axis.

    Returns
    -------
    Factors of at most ``m D`` matrices, fewer beside a hole of the box; without names where none is left.
    """
    operation = plan.problem.operation
    assert isinstance(operation, Tangential)  # `wanted` asked
    if not len(x):
        return {}
    known = operation.given(_matrices(plan, x))
    found = []
    for axis in range(x.shape[1]):
        before, after = x.copy(), x.copy()
        before[:, axis] = np.maximum(x[:, axis] - STEP, -1)
        after[:, axis] = np.minimum(x[:, axis] + STEP, 1)
        there = admitted(plan, before) & admitted(plan, after)
        if there.any():
            length = (after - before)[there, axis, None, None]
            moved = (_matrices(plan, after[there]) - _matrices(plan, before[there])) / length
            here = {name: K[there] if len(K) == len(x) else K for name, K in known.items()}
            of = {name: X[there] for name, X in F.items()}
            found.append(operation.tangent(here, operation.given(moved), of))
    return {name: np.concatenate([each[name] for each in found]) for name in (found[0] if found else ())}


def _matrices(plan: Plan, x: Array) -> Array:
    return plan.problem.matrices(plan.problem.box.from_unit(x))
