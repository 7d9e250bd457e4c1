"""Trainer for any equations up to quadratic: exact results span, latent Gauss-Newton labels, failures are solved.

Needs nothing of an operation but its exact solver, equations and gauge. The labels are the coefficients that satisfy
the sketched equations best at every candidate; where even they fail on fresh probes the span is too small, and the
worst candidate is solved exactly. Its result becomes one further slice, so that labels and tensors grow by one row and
nothing is computed twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from neumatc.align import aligned
from neumatc.arrays import Array
from neumatc.bases import Choice, Curve, select
from neumatc.equations import unknown_names
from neumatc.gauge import Factors, NoGauge
from neumatc.history import Event
from neumatc.operations import Selective
from neumatc.probes import gaussian

from .breaks import refuse_break
from .exact import solved
from .excluded import nothing_left, solvable
from .labels import first_count, labeller_of
from .nodes import first_curve, first_nodes
from .plan import Ground, Plan, Trained, timed
from .pod import Frame
from .suspects import steepest_midpoints
from .tangents import best_placed, tangents, wanted

FIRST = {1: 9, 2: 16, 3: 64}
"""Most exact solves before residuals say where, by dimension: enough for a start, and the others are better placed."""

ASTRAY = 1e-2
"""Verified residual from which a label is tried again from the nearest exact result: it may be on a wrong branch."""

CHOICE = {1: 2.0}
"""Candidates per solve below which they are refined, by dimension (1.5 beyond)."""

FOLLOWS = 1.3
"""Held-out residual of the curve over that of the labels above which candidates are refined."""

TAIL = 1e-15
"""Share of the labels that may be lost when the slices are put in order."""


class Collocation:
    """One fit; ``run`` does it all."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.problem = plan, plan.problem
        self.operation = plan.problem.operation
        self.names = unknown_names(self.operation.equations())
        self.ground = Ground.of(plan)
        # Stations are numbered in the order in which they were probed: held-out points first.
        self.x = np.concatenate([self.ground.held_out, self.ground.candidates])
        self.held: Array = np.arange(len(self.ground.held_out))
        self.station_of: Array = len(self.held) + np.arange(len(self.ground.candidates))
        self.solved: dict[int, Array] = {}
        self.differentiated: set[int] = set()
        self.suspected = self.branched = -1

    def run(self) -> Trained:
        seconds: dict[str, float] = {}
        with timed(seconds, "collocation", self.problem):
            choice = self._fitted()
        return Trained(
            C=self.turn @ self.frame.slices(),
            layout=self.frame.layout,
            complex_coefficients=False,
            operation=self.operation,
            choice=choice,
            points=self.problem.box.from_unit(self.x[sorted(self.solved)]),
            held_out=self.problem.box.from_unit(self.ground.held_out),
            residual=self.worst,
            seconds=seconds,
        )

    def _fitted(self) -> Choice:
        self._open()
        self._span()
        choice = self._choose()
        while choice.score > max(FOLLOWS * self.live, self.plan.tol / 3) and self.ground.level < self.ground.finest:
            self._refine()
            self._span()
            choice = self._choose()
        if isinstance(self.operation.gauge, NoGauge) and choice.score > max(2 * self.live, self.plan.tol):
            refuse_break(self.problem, self.ground.candidates, self._candidate_labels, self.live)
        return choice

    def _span(self) -> None:
        """Label, solve where labels fail, look at the steepest places too, and go on if they fail."""
        self._label()
        while self._add_solves() or self._add_tangents() or self._suspect() or self._leave_branches():
            self._label()

    def _open(self) -> None:
        """Solve at the first nodes, and start everywhere from a curve through them."""
        most = first_count(self.plan, FIRST.get(self.problem.box.dimension, 100))
        nodes = first_nodes(self.plan, self.ground, most)
        x, tried = self.ground.candidates[nodes], nodes
        F, had = solved(self.plan, self.problem, x)
        if not len(had):
            raise nothing_left(self.plan)
        nodes, x = [nodes[i] for i in had], x[had]
        F = aligned(x, F, self.operation.gauge)
        known = self.operation.given(self.problem.matrices(self.problem.box.from_unit(x), keep=True))
        self.frame = Frame(F, self.names, self.operation.storage(known, F), self.plan.slices)
        y = self.frame.coefficients
        self.solved = dict(zip(self.station_of[nodes].tolist(), y, strict=True))
        self.labels = first_curve(x, y, self.plan.rng(8))(self.x)
        self.labeller = labeller_of(self.plan, self.frame, self.x)
        self._drop([node for node in tried if node not in nodes])

    def _drop(self, failed: Sequence[int]) -> None:
        """Forget candidates that turned out to have no exact result; their stations count no more."""
        if len(failed):
            self.ground, kept = self.ground.without(failed)
            self.station_of = self.station_of[kept]

    @property
    def worst(self) -> float:
        """Largest verified residual of all candidates and held-out points."""
        return float(self.verified[np.append(self.held, self.station_of)].max())

    def _label(self) -> None:
        """Best coefficients at all stations, and their residual on other probes."""
        self._solve(range(len(self.labeller.groups)), self.labels)
        self.verified = self.labeller.norms(self.labels)
        if isinstance(self.operation.gauge, NoGauge):
            self._retry()
        self.live = float(self.verified[self.held].max())
        self.plan.tell(
            Event("labels", f"{len(self.solved)} solves, verified residual {self.worst:.1e}", {"residual": self.worst})
        )

    def _solve(self, groups: Iterable[int], start: Array) -> None:
        self.labels = self.labeller.solve(start, groups)
        # What was solved exactly is known better.
        for station, y in self.solved.items():
            self.labels[station] = np.pad(y, (0, self.labels.shape[1] - len(y)))

    def _retry(self) -> None:
        """Where a label went astray, start once more from the nearest exact result."""
        astray = ~(self.verified <= ASTRAY)
        astray[list(self.solved)] = False
        if not astray.any():
            return
        before, held = self.labels.copy(), self.verified
        start = np.where(astray[:, None], self.labels[self._nearest_solved], self.labels)
        self._solve([g for g, group in enumerate(self.labeller.groups) if astray[group].any()], start)
        verified = self.labeller.norms(self.labels)
        worse = ~(verified < held)
        self.labels[worse] = before[worse]
        self.verified = np.where(worse, held, verified)

    @property
    def _candidate_labels(self) -> Array:
        labels: Array = self.labels[self.station_of]
        return labels

    def _suspect(self) -> bool:
        """Hold out the steepest places too, once per grid of candidates; whether any were added."""
        if self.suspected == self.ground.level or self.problem.tabulated is not None:
            return False
        self.suspected = self.ground.level
        x = steepest_midpoints(self.ground.candidates, self._candidate_labels)
        x = x[solvable(self.plan, x)]
        if not len(x):
            return False
        self.held = np.append(self.held, len(self.x) + np.arange(len(x)))
        self.ground = replace(self.ground, held_out=np.concatenate([self.ground.held_out, x]))
        self._append(x, self._present(x))
        return True

    def _leave_branches(self) -> bool:
        """Start again where labels solve the equations but are not what is meant, once per grid; whether any did."""
        if self.branched == self.ground.level or not isinstance(self.operation, Selective):
            return False
        self.branched = self.ground.level
        if not isinstance(self.operation.gauge, NoGauge):
            return False
        wrong = np.concatenate([self._defects(group) for group in self.labeller.groups]) > ASTRAY
        wrong[list(self.solved)] = False
        self.labels[wrong] = self.labels[self._nearest_solved[wrong]]
        return bool(wrong.any())

    def _defects(self, group: Array) -> Array:
        A = self.problem.matrices(self.problem.box.from_unit(self.x[group]), keep=True)
        probes = gaussian((A.shape[-1], min(8, *A.shape[-2:])), self.problem.working, self.plan.rng(9))
        operation: Any = self.operation
        F = operation.canonical(self.frame.factors(self.labels[group]))
        defects: Array = np.asarray(operation.defect(A, F, probes))
        return defects

    @property
    def _nearest_solved(self) -> Array:
        """For every station the nearest one that was solved exactly."""
        exact = np.array(sorted(self.solved))
        nearest: Array = exact[((self.x[:, None] - self.x[exact][None]) ** 2).sum(-1).argmin(1)]
        return nearest

    def _append(self, x: Array, labels: Array) -> None:
        """Further stations, with the coefficients to start from."""
        self.x, self.labels = np.concatenate([self.x, x]), np.concatenate([self.labels, labels])
        self.labeller.probe(x)

    def _present(self, x: Array) -> Array:
        """The present labels, interpolated."""
        curve = first_curve(self.ground.candidates, self._candidate_labels, self.plan.rng(8))
        values: Array = curve(x)
        return values

    def _add_solves(self) -> bool:
        stations, F = self._wanted()
        if not len(stations):
            return False
        first = self.frame.d
        y = self.frame.add(self.operation.gauge.align(F, self.frame.factors(self.labels[stations])))
        self.solved.update(zip(stations.tolist(), y, strict=True))
        self._grown(first)
        few = CHOICE.get(self.x.shape[1], 1.5) * len(self.solved) > len(self.station_of)
        if few and self.ground.level < self.ground.finest:
            self._refine()
        return True

    def _grown(self, first: int) -> None:
        """Bring in the slices from ``first`` on, with coefficients zero for a start."""
        self.labels = np.pad(self.labels, ((0, 0), (0, self.frame.d - first)))
        self.labeller.extend(first, self.x)

    def _add_tangents(self) -> bool:
        """Extend the span by derivatives at solved points once all solves are spent; whether it grew."""
        spent = len(self.solved) >= self.plan.samples and self.worst > self.plan.tol / 3
        if not spent or not wanted(self.plan):
            return False
        fresh = np.array(sorted(set(self.solved) - self.differentiated), int)
        judged, first = np.append(self.held, self.station_of), self.frame.d
        chosen = fresh[best_placed(self.x[judged], self.verified[judged], self.x[fresh])]
        self.differentiated.update(chosen.tolist())
        dF = tangents(self.plan, self.x[chosen], self.frame.factors(self.labels[chosen]))
        if dF:
            self.frame.add(dF)
        self._grown(first)
        return self.frame.d > first

    def _wanted(self) -> tuple[Array, Factors]:
        """Stations that fail most and their exact results; none where all pass or nothing is left."""
        while True:
            left = max(self.plan.samples - len(self.solved), 0)
            free = ~np.isin(self.station_of, list(self.solved))
            failing = self.verified[self.station_of]
            chosen = self.plan.sampler.select(self.ground.candidates, failing, free, self.plan.tol, left)[:left]
            if not chosen or self.worst <= self.plan.tol / 3:
                return self.station_of[:0], {}
            stations = self.station_of[chosen]
            F, had = solved(self.plan, self.problem, self.x[stations])
            self._drop(np.delete(chosen, had).tolist())
            if len(had):
                return stations[had], F

    def _choose(self) -> Choice:
        """Put the slices in the order of their importance, and draw curves through the labels."""
        _, s, Yh = np.linalg.svd(self._candidate_labels, full_matrices=False)
        tail = np.sqrt(np.cumsum((s**2)[::-1])[::-1])
        self.turn = np.ascontiguousarray(Yh[: max(1, int((tail > TAIL * tail[0]).sum()))])
        y = self._candidate_labels @ self.turn.T
        enough = max(1.1 * self.live, self.plan.tol / 10)
        return select(self.plan.bases, self.ground.candidates, y, self._score, enough, self.plan.rng(5))

    def _score(self, curve: Curve) -> float:
        """Worst held-out residual of a curve, on probes that labels were not fitted to."""
        labels = self.labels.copy()
        labels[self.held] = curve(self.ground.held_out) @ self.turn
        return float(self.labeller.norms(labels)[self.held].max())

    def _refine(self) -> None:
        """More candidates: labels cost no exact solve, only one A(p) each."""
        ground, new, old = self.ground.finer(self.plan)
        start, before, total = self._present(ground.candidates[new]), self.station_of, len(self.x)
        self.station_of = np.where(old >= 0, before[old], 0)
        self.station_of[new] = total + np.arange(len(new))
        self.ground = ground
        self._append(ground.candidates[new], start)
