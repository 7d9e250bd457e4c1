"""What a trainer is given and what it hands back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from neumatc.arrays import Array
from neumatc.bases import Basis, Choice, Curve
from neumatc.errors import InputError
from neumatc.history import Event
from neumatc.layout import Layout, stored_as
from neumatc.operations import Operation
from neumatc.problem import Problem
from neumatc.sampling import Sampler
from neumatc.sampling.designs import candidates, levels

from .excluded import SAME, admitted, nothing_left, solvable

BATCHES = 50
"""Draws of held-out points after which exact results count as impossible to have."""

HELD_OUT = 24
"""Random points that no sampling decision looks at: for the choice of the basis and the reported error."""

CHECKED = 8
"""The first of them, at which the finished fit is checked, too, as at so many of the steepest places."""


@dataclass(frozen=True)
class Plan:
    """Everything a trainer needs.

    Parameters
    ----------
    problem : what to solve
    tol : relative residual aimed at
    samples : most exact solves
    bases, sampler : how curves are drawn and where solves are placed
    seed : root of the random numbers
    device : where tensors live
    tell : called with every event
    """

    problem: Problem
    tol: float
    samples: int
    bases: Sequence[Basis]
    sampler: Sampler
    seed: int
    device: str
    tell: Callable[[Event], None]

    @property
    def slices(self) -> int:
        """The most slices a span can have: one for each exact solve, and one for each of its tangents."""
        return self.samples * (1 + self.problem.box.dimension * self.sampler.tangents)

    def rng(self, purpose: int) -> np.random.Generator:
        """One stream of random numbers per purpose, so that one part's draws change nothing for the others."""
        return np.random.default_rng([self.seed, purpose])


@dataclass(frozen=True)
class Trained:
    """What a trainer hands back, in scaled units and double precision.

    ``short`` says that a larger budget would have changed how the fit began, spent or not.
    """

    C: Array
    layout: Layout
    complex_coefficients: bool
    operation: Operation
    choice: Choice
    points: Array
    held_out: Array
    residual: float
    short: bool = False
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def curve(self) -> Curve:
        return self.choice.curve


@dataclass(frozen=True)
class Ground:
    """Candidate and held-out points, in unit coordinates, and how to refine the candidates."""

    candidates: Array
    held_out: Array
    level: int
    finest: int
    sparse: bool = False

    @staticmethod
    def of(plan: Plan, sparse: bool = False) -> Ground:
        """The coarsest ground; ``sparse`` is for trainers that choose exact solves one by one."""
        box, table, rng = plan.problem.box, plan.problem.tabulated, plan.rng(1)
        if table is None:
            x = candidates(box.dimension, 0, plan.rng(2), sparse)
            x = x[admitted(plan, x)]
            return Ground(x, Ground._random(plan, rng), 0, levels(box.dimension, sparse) - 1, sparse)
        x = box.to_unit(table)
        held = min(HELD_OUT, len(x) // 5)
        if held < 1:
            raise InputError(
                f"A table needs at least 5 points inside the box to be fitted and checked, got {len(x)}. "
                "A fifth of the points is held out to measure the error. Tabulate more points, or widen the box."
            )
        # The ends stay candidates: a curve that had to be extrapolated to them would be judged unfairly.
        inner = np.setdiff1d(np.arange(len(x)), np.concatenate([x.argmin(0), x.argmax(0)]))
        out = np.sort(rng.choice(inner, min(held, len(inner)), replace=False))
        keep = np.setdiff1d(np.arange(len(x)), out)
        order = keep[np.lexsort(x[keep].T[::-1])]
        return Ground(x[order], x[out[solvable(plan, x[out])]], 0, 0)

    @staticmethod
    def _random(plan: Plan, rng: np.random.Generator) -> Array:
        """`HELD_OUT` random points at which exact results can be had."""
        box, found = plan.problem.box, np.empty((0, plan.problem.box.dimension))
        for _ in range(BATCHES):
            x = box.to_unit(box.random(HELD_OUT - len(found), rng))
            found = np.concatenate([found, x[solvable(plan, x)]])
            if len(found) == HELD_OUT:
                return found
        raise nothing_left(plan)

    def without(self, failed: Sequence[int]) -> tuple[Ground, Array]:
        """Drop candidates that turned out to have no exact result; returns the ground, and which were kept."""
        kept = np.setdiff1d(np.arange(len(self.candidates)), failed)
        return replace(self, candidates=self.candidates[kept]), kept

    def finer(self, plan: Plan) -> tuple[Ground, Array, Array]:
        """The next finer ground, which of its candidates are new, and where the old ones went."""
        fine = candidates(plan.problem.box.dimension, self.level + 1, plan.rng(2), self.sparse)
        distance = np.abs(fine[:, None] - self.candidates[None]).max(-1)
        old = np.where(distance.min(1) < SAME, distance.argmin(1), -1)
        if plan.problem.box.hole is not None:
            new = np.flatnonzero(old < 0)
            kept = np.sort(np.append(np.flatnonzero(old >= 0), new[admitted(plan, fine[new])]))
            fine, old = fine[kept], old[kept]
        return replace(self, candidates=fine, level=self.level + 1), np.flatnonzero(old < 0), old


def layout_of(problem: Problem, A: Array, F: dict[str, Any], points: Array) -> tuple[Layout, bool]:
    """How factors ``F`` of ``A`` are stored, and whether their coefficients are complex.

    A Hermitian factor is stored as block rows of its lower triangle with real coefficients: half the numbers and half
    the unknowns. What one matrix shows must hold at all the ``points (M, D)``; most matrices show nothing.
    """
    operation = problem.operation
    kinds = operation.storage(operation.given(A), F)
    for some in problem.pieces(points) if kinds else ():
        there = operation.storage(operation.given(problem.matrices(some, keep=True)), F)
        kinds = {name: kind for name, kind in kinds.items() if there.get(name) == kind}
    layout = stored_as(F, tuple(F), kinds)
    real_span = all(part.kind == "hermitian" for part in layout.parts)
    return layout, problem.working.kind == "c" and not real_span


@contextmanager
def timed(seconds: dict[str, float], stage: str, problem: Problem) -> Iterator[None]:
    """Add to a stage the time spent inside, less what building A(p) and exact solves took."""
    start, before = time.perf_counter(), problem.meter.paid
    yield
    spent = time.perf_counter() - start - (problem.meter.paid - before)
    seconds[stage] = seconds.get(stage, 0.0) + spent


def redraw(plan: Plan, choice: Choice, x: Array, y: Array) -> Curve:
    """The chosen basis through the same labels in other coordinates, with the random numbers it was chosen with."""
    index = [basis.name for basis in plan.bases].index(choice.name)
    return plan.bases[index].fit(x, y, plan.rng(5).spawn(len(plan.bases))[index])
