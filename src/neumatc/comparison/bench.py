"""What every method is given: a problem, a number of exact solves, and what it must hand back."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from neumatc.arrays import Array, is_complex, real_dtype
from neumatc.bases import Basis
from neumatc.gauge import Factors
from neumatc.maps import Map
from neumatc.operations import Adaptive
from neumatc.problem import Problem, true_residual
from neumatc.surrogate import Surrogate
from neumatc.training.branches import smooth, source_of
from neumatc.training.pod import Modes

PROBED = 8
"""Random points at which a method that decides for itself how many solves it needs looks at its own residual."""


@dataclass(frozen=True)
class Ready:
    """A method that is ready to answer.

    Parameters
    ----------
    factors : ``(x (B, D) in the unit cube, A (B, n1, n2) scaled) -> canonical factors`` of the scaled matrices
    alone, batch : ``(p (B, D), A) -> anything``, one point and many, as a user would ask; these are timed
    offline_seconds : what had to be spent before the first answer, building A(p) not counted
    built, exact_solves : how many A(p) were built and solved before the first answer
    nbytes : memory held
    needs_matrix : whether every query needs A(p)
    note : what a reader of the table should know
    """

    factors: Callable[[Array, Array], Factors]
    alone: Callable[[Array, Array], Any]
    batch: Callable[[Array, Array], Any]
    offline_seconds: float
    built: int
    exact_solves: int
    nbytes: int
    needs_matrix: bool = False
    note: str = ""


@dataclass(frozen=True)
class Solved:
    """Exact factors ``(M, rows, columns)`` at unit points ``x (M, D)``, and what the solves took."""

    x: Array
    F: Factors
    problem: Problem
    seconds: float


@dataclass(frozen=True)
class Bench:
    """One task for all methods.

    Parameters
    ----------
    problem : with a meter of its own; its operation is settled already where a fit settled it
    count : exact solves that each method may spend
    tol : relative residual aimed at; what is a hundred times smaller is compressed away
    seed : root of random numbers
    dtype : in whose precision maps are stored
    seconds : offline time of our fit, A(p) built; None where there is no fit, and internal sizes of the operation
        (buffers) are still to be settled
    table : unit points ``(m, D)`` that may be solved, or None where A(p) can be asked anywhere
    """

    problem: Problem
    count: int
    tol: float
    seed: int
    dtype: np.dtype[Any]
    seconds: float | None = None
    table: Array | None = None
    _solved: dict[bytes, Solved] = field(default_factory=dict, compare=False, repr=False)

    @property
    def dimension(self) -> int:
        """Number of parameters."""
        return self.problem.box.dimension

    def solved(self, x: Array) -> Solved:
        """Solve exactly at unit points ``x (M, D)``; once for all methods that ask for the same points."""
        key = x.tobytes()
        if key not in self._solved:
            self._solved[key] = self._solve(x)
        return self._solved[key]

    def interpolant(self, x: Array, basis: Basis) -> Ready:
        """The method "exact factors at x, brought into one gauge, compressed, and a curve through the coefficients".

        That is the best that is known for a curve of any kind: raw singular vectors would jump from node to node, and
        n² separate interpolants would pay at every query for what a few POD coefficients say.
        """
        solved = self.solved(x)
        problem, operation, box = solved.problem, solved.problem.operation, solved.problem.box
        A = problem.matrices(box.from_unit(x[:: max(1, len(x) // 8)]))
        start = time.perf_counter()
        F = next(smooth(x, solved.F, operation, lambda i: box.describe(box.from_unit(x[i : i + 1])[0])))
        kinds = operation.storage(operation.given(A), F)
        modes = Modes.of(F, operation.unknowns, max(self.tol / 100, 1e-15), kinds)
        curve = basis.fit(x, modes.coefficients, np.random.default_rng([self.seed, 301]))
        seconds = solved.seconds + time.perf_counter() - start
        C = modes.C.astype(kept(modes.C.dtype, self.dtype), copy=False)
        map_ = Map(Surrogate(C, curve, modes.layout), box, operation)
        return Ready(
            factors=lambda x, _A: map_.factors(x),
            alone=lambda p, _A: map_(p[0] if box.dimension > 1 else float(p[0, 0])),
            batch=lambda p, _A: map_(p if box.dimension > 1 else p[:, 0]),
            offline_seconds=seconds,
            built=len(x),
            exact_solves=len(x),
            nbytes=C.nbytes + sum(array.nbytes for array in curve.arrays().values()),
            note=f"d = {len(C)}",
        )

    def residual(self, ready: Ready, rng: np.random.Generator) -> float:
        """Worst relative residual at a few random points."""
        points = self.problem.box.random(PROBED, rng)
        A = self.problem.matrices(points)
        F = ready.factors(self.problem.box.to_unit(points), A)
        return float(true_residual(self.problem.operation, A, F).max())

    def _solve(self, x: Array) -> Solved:
        problem, points = self.problem, self.problem.box.from_unit(x)
        operation = problem.operation
        adaptive = operation if isinstance(operation, Adaptive) and self.seconds is None else None
        if adaptive is not None:
            problem = problem.with_operation(adaptive.widest(problem.shape))
        problem = problem.with_operation(source_of(problem.operation))
        before, found = problem.meter.solve_seconds, []
        for some in pieces(points, problem):
            for point, A in zip(some, problem.matrices(some), strict=True):
                # One by one, as our own fit does: LAPACK gains nothing by stacks.
                found.append(problem.solve(A[None], point[None]))
        F = {name: np.concatenate([each[name] for each in found]) for name in found[0]}
        if adaptive is not None:
            operation, F, _ = adaptive.adapt(F, problem.shape)
        return Solved(x, F, self.problem.with_operation(operation), problem.meter.solve_seconds - before)


class Baseline(ABC):
    """One method to be compared with; each has a file of its own."""

    name: ClassVar[str]
    title: ClassVar[str]

    @abstractmethod
    def absent(self, bench: Bench) -> str | None:
        """Say why this method cannot be had for this task, or None."""

    @abstractmethod
    def prepare(self, bench: Bench) -> Ready:
        """Spend the exact solves and be ready."""


def kept(dtype: np.dtype[Any], precision: np.dtype[Any]) -> np.dtype[Any]:
    """A dtype, real or complex as it is, in the precision of another.

    >>> kept(np.dtype("complex128"), np.dtype("float32"))
    dtype('complex64')
    """
    bits = real_dtype(precision).itemsize
    return np.dtype(f"c{2 * bits}" if is_complex(dtype) else f"f{bits}")


def pieces(points: Array, problem: Problem) -> list[Array]:
    """Cut points (m, D) so that the matrices of one piece can be held at once."""
    return [points[i : i + problem.held] for i in range(0, len(points), problem.held)]
