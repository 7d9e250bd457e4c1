"""Labels of a bootstrap round: predictions refined with A(p) itself, in the gauge that they were predicted in."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from neumatc.arrays import Array
from neumatc.gauge import Factors

from .devices import to_numpy
from .judge import Judge
from .nodes import MANY
from .plan import Plan

STEPS = 2
"""Refinement steps per collocation point and round."""


def refined(plan: Plan, operation: Any, judge: Judge, x: Array, predicted: Factors) -> tuple[Factors, Array]:
    """Factors at unit points ``x (M, D)`` refined from predicted ones, and their relative residuals ``(M,)``."""
    problem, pieces, found, done = plan.problem, [], [], 0
    for points in problem.pieces(problem.box.from_unit(x)):
        A = problem.matrices(points, keep=len(x) <= MANY)
        here = {name: X[done : done + len(points)] for name, X in predicted.items()}
        pieces.append(_on_device(plan, operation, A, here))
        found.append(judge.at(points, A, operation.canonical(pieces[-1])))
        done += len(points)
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in predicted}, np.concatenate(found)


def _on_device(plan: Plan, operation: Any, A: Array, predicted: Factors) -> Factors:
    """NumPy on a CPU: its thin products are up to six times as fast as torch's."""
    if plan.device == "cpu":
        return _steps(operation, A, predicted)
    tensors = {name: torch.from_numpy(X.copy()).to(plan.device) for name, X in predicted.items()}
    F = _steps(operation, torch.from_numpy(A).to(plan.device), tensors)
    return to_numpy(F)


def _steps(operation: Any, A: Any, predicted: Factors) -> Factors:
    F = predicted
    for _ in range(STEPS):
        F = operation.refine(A, F)
    aligned: Factors = operation.gauge.align(F, predicted)
    return aligned
