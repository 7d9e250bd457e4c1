"""Trainer for linear equations: greedy span, sketched minimum-residual labels, a curve through them.

Exact solves only build the span; the curve is learnt from labels that cost no exact solve. The three together are what
makes forty solves reach 1e-9 and beyond where interpolation of the same forty gives 1e-4.
"""

from __future__ import annotations

import math
from contextlib import AbstractContextManager
from dataclasses import replace

import numpy as np
import torch

from neumatc.arrays import Array
from neumatc.bases import Choice, Combinable, Curve, select
from neumatc.gauge import Factors
from neumatc.history import Event
from neumatc.probes import probe_counts
from neumatc.sketch import Sketch

from .devices import there, to_numpy
from .excluded import nothing_left, solvable
from .latent import orthonormalised
from .plan import CHECKED, Ground, Plan, Trained, layout_of, redraw, timed
from .solving import exact_each
from .span import Span
from .suspects import steepest_midpoints
from .tangents import best_placed, tangents, wanted

VERIFY = (10, 10)
"""Verification probes (left, right); what is reported comes from others, without any on the left."""

FEW_PROBES = (12, 16)
"""Fewest training probes of a well-conditioned A: 24 on the left make labels 5 % better and cost twice as much."""

FEW = 12
CHECK_EVERY = (2, 4)
"""Solves between two looks at the verified residual: up to FEW solves, and beyond."""

STATION_BYTES = 4 << 30
"""Memory up to which the orthogonalised equations of all stations may grow when candidates are refined."""

CHOICE = {1: 1.6}
"""Candidates per solve below which the greedy choice is no choice, by dimension (1.5 beyond); then it is refined."""


class Greedy:
    """One fit; ``run`` does it all."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.problem = plan, plan.problem
        self.ground = Ground.of(plan, sparse=True)
        self.seconds: dict[str, float] = {}
        self.suspected = -1

    def run(self) -> Trained:
        with self._timed("span"):
            self._open()
            self._span()
        choice = self._choose()
        while self._curve_limited(choice):
            with self._timed("span"):
                self._refine("the curve, not the span, limits the error")
                self._span()
            choice = self._choose()
        with self._timed("span"):
            return self._finish(choice)

    def _timed(self, stage: str) -> AbstractContextManager[None]:
        return timed(self.seconds, stage, self.problem)

    def _span(self) -> None:
        """Grow, look at the steepest places too, and grow on if they fail."""
        self._grow()
        if self._suspect():
            self._grow()

    def _open(self) -> None:
        """Solve at the first points, settle the storage, probe all stations."""
        plan, box = self.plan, self.problem.box
        first, exact = self._first_results()
        # Stations are numbered in the order in which they are probed: held-out points first, those that the finished
        # fit is checked at, for which A(p) is kept, after the others.
        checked = min(len(self.ground.held_out), CHECKED)
        self.held: Array = np.roll(np.arange(len(self.ground.held_out)), checked)
        self.station_of: Array = len(self.held) + np.arange(len(self.ground.candidates))
        A = self.problem.matrices(self._points(first[:1]), keep=True)
        F = to_numpy(exact[0])
        held = box.from_unit(self.ground.held_out)
        layout, doubled = layout_of(self.problem, A, F, held)
        sketches = self._sketches(A, F)
        self.span = Span(self.problem, layout, sketches, plan.slices, doubled, plan.device)
        points = np.concatenate([held[checked:], held[:checked], box.from_unit(self.ground.candidates)])
        self.span.probe(points, passing=len(held) - checked)
        self.solved = np.zeros(len(self.ground.candidates), bool)
        self.chosen: list[Array] = []
        self.differentiated: set[int] = set()
        self.span.extend(exact)
        for index in first:
            self._note(index)

    def _first_results(self) -> tuple[list[int], list[Factors]]:
        """The candidates that the sampler wants first and their exact results, at least one."""
        while len(self.ground.candidates):
            first = self.plan.sampler.first(self.ground.candidates, self.plan.samples)
            results = list(exact_each(self.plan, self.problem, self._points(first)))
            failed = [index for index, F in zip(first, results, strict=True) if F is None]
            self.ground, kept = self.ground.without(failed)
            if len(failed) < len(first):
                left = [index for index in first if index not in failed]
                return np.searchsorted(kept, left).tolist(), [F for F in results if F is not None]
        raise nothing_left(self.plan)

    def _sketches(self, A: Array, F: Factors) -> tuple[Sketch, Sketch]:
        plan, known = self.plan, self.problem.operation.given(A)
        values = {**known, **F}
        equations = self.problem.operation.equations()
        columns = sum(e.shape(values)[1] for e in equations)
        left, right = probe_counts(plan.slices, known, columns)
        if right == FEW_PROBES[1]:
            left = max(FEW_PROBES[0], math.ceil(5 * plan.slices / min(right, columns)))
        return (
            Sketch.draw(equations, values, (left, right), self.problem.working, plan.rng(3)),
            Sketch.draw(equations, values, VERIFY, self.problem.working, plan.rng(4)),
        )

    def _grow(self) -> None:
        """Add exact solves until the verified residual passes everywhere or the budget is spent."""
        checked = 0
        while True:
            count = self.span.count
            if count - checked >= CHECK_EVERY[count > FEW] or count >= self.plan.samples:
                self._verify()
                checked = count
                if self.worst <= self.plan.tol / 3:
                    self._say(f"verified residual {self.worst:.1e} after {count} solves")
                    return
            if count >= self.plan.samples:
                if self._add_tangents():
                    continue
                self._say(f"all {count} solves spent at verified residual {self.worst:.1e}")
                return
            ranking = self.span.stations.training_residual().cpu().numpy()[self.station_of]
            left = self.plan.samples - count
            chosen = self.plan.sampler.select(self.ground.candidates, ranking, ~self.solved, self.plan.tol, left)
            if not chosen and np.all(self.solved | (ranking <= 1e-15)):
                self._verify()
                self._say("nothing is left to solve: the span holds every result to rounding")
                return
            # The training residual is optimistic: where it passes but the verified one fails, solve the worst still.
            chosen = chosen or [int(np.argmax(np.where(self.solved, -1.0, ranking)))]
            self._solve(chosen[:left])
            if self._choice * self.span.count > len(self.solved) and self._can_refine:
                self._refine("few candidates left")

    def _verify(self) -> None:
        self.labels = self.span.labels()
        verified = self.span.verified(self.labels)
        self.live = float(verified[self.held].max())
        # Stations that turned out to have no exact result are no candidates any more.
        self.worst = float(verified[np.append(self.held, self.station_of)].max())

    def _solve(self, chosen: list[int]) -> None:
        results = list(exact_each(self.plan, self.problem, self._points(chosen)))
        found = [F for F in results if F is not None]
        if found:
            self.span.extend(found)
        for index, F in zip(chosen, results, strict=True):
            if F is not None:
                self._note(index)
                if not wanted(self.plan):  # tangents come back to A(p)
                    self.problem.release(self.chosen[-1][0])
        if len(found) < len(chosen):
            failed = [index for index, F in zip(chosen, results, strict=True) if F is None]
            self.ground, kept = self.ground.without(failed)
            self.station_of, self.solved = self.station_of[kept], self.solved[kept]

    def _add_tangents(self) -> bool:
        """Extend the span by derivatives at solved points, once all solves are spent; whether it grew."""
        fresh = np.array(sorted(set(range(len(self.chosen))) - self.differentiated), int)
        if not wanted(self.plan) or not len(fresh):
            return False
        x = self.problem.box.to_unit(np.concatenate(self.chosen))
        failing = self.span.verified(self.labels).cpu().numpy()[self.station_of]
        chosen = fresh[best_placed(self.ground.candidates, failing, x[fresh])]
        self.differentiated.update(chosen.tolist())
        dF = tangents(self.plan, x[chosen], self.span.exact(chosen))
        placed = {name: there(X, self.plan.device) for name, X in dF.items()}
        count = len(next(iter(dF.values()), ()))
        self.span.extend([{name: X[i : i + 1] for name, X in placed.items()} for i in range(count)])
        return count > 0

    def _note(self, index: int) -> None:
        """Remember what was solved."""
        point = self.problem.box.from_unit(self.ground.candidates[index : index + 1])
        self.solved[index] = True
        self.chosen.append(point)
        self.plan.tell(Event("solve", self.problem.box.describe(point[0]), {"count": len(self.chosen)}))

    def _points(self, chosen: list[int]) -> Array:
        return self.problem.box.from_unit(self.ground.candidates[chosen])

    def _candidate_labels(self, labels: torch.Tensor) -> Array:
        values: Array = labels.cpu().numpy()[self.station_of]
        return values

    def _suspect(self) -> bool:
        """Hold out the steepest places too, once per grid of candidates; whether any were added."""
        if self.suspected == self.ground.level or self.problem.tabulated is not None:
            return False
        self.suspected = self.ground.level
        x = steepest_midpoints(self.ground.candidates, self._candidate_labels(self.labels))
        x = x[solvable(self.plan, x)]
        if not len(x):
            return False
        self.held = np.append(self.held, self.span.stations.count + np.arange(len(x)))
        self.ground = replace(self.ground, held_out=np.concatenate([self.ground.held_out, x]))
        self.span.probe(self.problem.box.from_unit(x))
        return True

    def _choose(self) -> Choice:
        y = self._candidate_labels(self.labels)
        enough = max(1.1 * self.live, self.plan.tol / 10)
        with self._timed("curve"):
            return select(self.plan.bases, self.ground.candidates, y, self._score, enough, self.plan.rng(5))

    def _score(self, curve: Curve) -> float:
        """Worst held-out residual of a curve, on probes that labels were not fitted to."""
        coefficients = self.labels.clone()
        coefficients[self.held] = torch.from_numpy(curve(self.ground.held_out)).to(self.plan.device)
        return float(self.span.verified(coefficients)[self.held].max())

    def _curve_limited(self, choice: Choice) -> bool:
        return choice.score > max(2 * self.live, self.plan.tol / 3) and self._can_refine

    @property
    def _choice(self) -> float:
        return CHOICE.get(self.problem.box.dimension, 1.5)

    @property
    def _can_refine(self) -> bool:
        """Whether there is a finer grid, and memory for its stations (a grid has 2^D times as many points)."""
        stations = 2**self.problem.box.dimension * len(self.solved)
        fits = self.span.stations.bytes_ahead * stations <= STATION_BYTES
        return self.ground.level < self.ground.finest and fits

    def _refine(self, why: str) -> None:
        """More candidates: labels cost no exact solve, only one A(p) each."""
        ground, new, old = self.ground.finer(self.plan)
        before, total = self.station_of, self.span.stations.count
        self.station_of = np.where(old >= 0, before[old], 0)
        self.station_of[new] = total + np.arange(len(new))
        self.solved = np.where(old >= 0, self.solved[old], False)
        self.ground = ground
        self.span.probe(self.problem.box.from_unit(ground.candidates[new]))
        self._verify()
        self._say(f"{why}: {len(ground.candidates)} candidates")

    def _finish(self, choice: Choice) -> Trained:
        """Form C, and express the chosen curve in it."""
        m, span = self.span.count, self.span
        C, T = orthonormalised(span.snapshots[:m], span.mixing[:m, :m], self.labels, span.doubled)
        if isinstance(choice.curve, Combinable):
            curve = choice.curve.combined(T.cpu().numpy())
        else:
            labels = self._candidate_labels(self.labels @ T)
            curve = redraw(self.plan, choice, self.ground.candidates, labels)
        return Trained(
            C=C.cpu().numpy(),
            layout=span.layout,
            complex_coefficients=span.doubled,
            operation=self.problem.operation,
            choice=Choice(curve, choice.name, choice.score, choice.tried),
            points=np.concatenate(self.chosen),
            held_out=self.problem.box.from_unit(self.ground.held_out),
            residual=self.worst,
            seconds=self.seconds,
        )

    def _say(self, text: str) -> None:
        self.plan.tell(Event("span", text, {"count": self.span.count, "residual": self.worst}))
