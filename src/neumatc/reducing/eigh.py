"""Fitting a few eigenpairs of a sparse affine family: a weak greedy loop over exact Lanczos solves."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from neumatc.arrays import Array
from neumatc.box import Box
from neumatc.errors import AccuracyWarning, TrainingError
from neumatc.family import Affine
from neumatc.history import Cost, Event
from neumatc.options import seed_of, tol_of
from neumatc.progress import progress_of
from neumatc.reduced import AffineSystem, Eigensystem, Pencil, ReducedEigh
from neumatc.samples import Samples

from .builder import Builder
from .pools import few_training_points

SAMPLES = 64
"""Default largest number of exact solves."""

BUFFER = 2
"""Pairs beyond the wanted ones that every solve adds: those that may come next at a neighbouring p."""

HELD_OUT = 200
"""Random points at which the reported residual is measured."""

CHECKED = 12
"""Random points at which exact pairs show whether one is missing."""


class Grower:
    """One fit; ``run`` does it all."""

    def __init__(self, system: Eigensystem, tol: float, samples: int, rng: Any, tell: Callable[[Event], None]) -> None:
        self.system, self.tol, self.samples, self.rng, self.tell = system, tol, samples, rng, tell
        # The directions of all A_q V and B_s V at once, as of one system without a right-hand side.
        parts = Affine([*system.A.matrices, *system.B.matrices], system.A.coefficients)
        sides = AffineSystem(parts, np.empty((0, system.n)), None, system.box, system.n, system.dtype)
        self.builder = Builder(sides, (samples + CHECKED) * (system.rank + BUFFER))
        self.chosen: list[Array] = []
        self.checked, self.worst = 0, np.inf
        self.points, self.free = np.empty((0, system.box.dimension)), np.empty(0, bool)
        self.theta, self.psi = np.empty((0, len(system.A.matrices))), np.empty((0, len(system.B.matrices)))

    def run(self) -> None:
        """Solve where the residual is largest; random points that nothing was fitted to have the last word."""
        box = self.system.box
        self._look_at(box.from_unit(few_training_points(box, self.rng)))
        index = int(((box.to_unit(self.points)) ** 2).sum(1).argmin())
        while True:
            self._solve(self.points[index])
            self.free[index] = False
            residual = self.residuals(self.theta, self.psi)
            self.worst = float(residual[self.free].max()) if self.free.any() else 0.0
            if self.worst <= self.tol / 3 and not (self._fails_elsewhere() or self._missing(box)):
                return
            if len(self.chosen) >= self.samples or not self.free.any():
                return
            if self.worst <= self.tol / 3 or len(residual) < len(self.points):
                residual = self.residuals(self.theta, self.psi)  # of a larger basis, or at more points
            index = int(np.argmax(np.where(self.free, residual, -1.0)))

    def _look_at(self, points: Array) -> None:
        """More points at which the residual is watched."""
        self.theta = np.concatenate([self.theta, self.system.theta(points)])
        self.psi = np.concatenate([self.psi, self.system.psi(points)])
        self.free = np.concatenate([self.free, np.ones(len(points), bool)])
        self.points = np.concatenate([self.points, points])

    def _fails_elsewhere(self) -> bool:
        """Whether fresh random points fail; those that do are watched from then on."""
        points = self.system.box.random(HELD_OUT, self.rng)
        residual = self.residuals(self.system.theta(points), self.system.psi(points))
        self.worst = max(self.worst, float(residual.max()))
        failing = np.flatnonzero(~(residual <= self.tol / 3))
        if len(failing):
            self._look_at(points[failing])
        return len(failing) > 0

    def residuals(self, theta: Array, psi: Array) -> Array:
        """Worst relative residual of the wanted pairs at every point."""
        self.pencil = self._pencil()
        pairs = self.pencil.pairs(theta, psi)
        found: Array = self.pencil.residuals(pairs, theta, psi).max(-1) / self.pencil.scale(pairs)
        return found

    def _solve(self, point: Array) -> None:
        _, vectors = self.system.solve(point, self.system.rank + BUFFER)
        for vector in vectors.T:
            self.builder.add(vector)
        self.chosen.append(point)
        self.tell(Event("solve", self.system.box.describe(point), {"count": len(self.chosen)}))

    def _missing(self, box: Box) -> bool:
        """Compare with exact pairs at random points; what is missing joins the basis."""
        if self.checked:
            return False
        missing = False
        for point in box.random(CHECKED, self.rng):
            values, vectors = self.system.solve(point, self.system.rank)
            found = self.pencil.pairs(self.system.theta(point[None]), self.system.psi(point[None])).values[0]
            if np.abs(found - values).max() > self.tol * np.abs(values).max():
                missing = True
                for vector in vectors.T:
                    self.builder.add(vector)
        self.checked = 0 if missing else CHECKED
        if missing:
            self.tell(Event("missing", "a pair that no sample had seen was found at a random point and added"))
        return missing

    def _pencil(self) -> Pencil:
        d, terms = self.builder.basis.count, len(self.system.A.matrices)
        return Pencil(self.builder.factor, self.builder.galerkin[:, :d, :d].copy(), terms, self.system.rank)


def fit_reduced_eigh(
    A: Affine, box: Any, *, B: Any, rank: Any, which: Any, tol: Any, samples: Any, rng: Any, progress: Any, throw: bool
) -> ReducedEigh:
    """Fit a few eigenpairs of a sparse affine family."""
    start = time.perf_counter()
    system = Eigensystem.of(A, B, box, rank, which)
    wanted, count = tol_of(tol, np.float64), SAMPLES if samples is None else int(samples)
    generator = np.random.default_rng(seed_of(rng)[0])
    history: list[Event] = []
    with progress_of(progress, count) as report:

        def tell(event: Event) -> None:
            history.append(event)
            report(event)

        grower = Grower(system, wanted, count, generator, tell)
        grower.run()
    held = system.box.random(HELD_OUT, generator)
    error = max(grower.worst, float(grower.residuals(system.theta(held), system.psi(held)).max()))
    status = "converged" if error <= wanted else "budget" if len(grower.chosen) >= count else "stalled"
    meter, pencil = system.meter, grower.pencil
    alone = time.perf_counter()
    pencil.pairs(system.theta(held[:1]), system.psi(held[:1]))
    alone = time.perf_counter() - alone
    cost = Cost(
        build_seconds=meter.build_seconds, built=meter.built, solve_seconds=meter.solve_seconds, solved=meter.solved,
        stages={"reduced": time.perf_counter() - start - meter.paid}, total_seconds=time.perf_counter() - start,
        query_seconds=alone, batch_seconds=alone, exact_seconds=meter.solve_seconds / max(meter.solved, 1),
    )  # fmt: skip
    result = ReducedEigh(
        system, grower.builder.basis.rows.copy(), pencil, Samples(np.array(grower.chosen)), tuple(history), status,
        error, wanted, cost, grower.checked,
    )  # fmt: skip
    if status != "converged":
        _warn(result, throw)
    return result


def _warn(result: ReducedEigh, throw: bool) -> None:
    message = (
        f"`eigh` reached a residual of {result.error:.1e} with {len(result.samples)} exact solves, but tol is "
        f"{result.tol:.1e} (status '{result.status}'). The eigenvectors span more dimensions than the budget, or "
        "rounding in A, whose largest entries may be far above the wanted values, limits the residual. "
        "Raise `samples`, relax `tol`, or shrink the box."
    )
    if throw:
        raise TrainingError(message)
    warnings.warn(message, AccuracyWarning, stacklevel=4)
