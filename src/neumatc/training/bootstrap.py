"""Trainer for operations with a cheap refinement step: predict, refine, realign, decompose again.

A few exact results in one smooth gauge predict the factors at many collocation points; there A(p) itself refines the
prediction (for an SVD: two subspace power steps), and the refined factors are realigned to their own prediction, so
that they inherit its gauge. Twenty exact SVDs become a hundred accurate ones; a round multiplies the error by about
(sigma_{r'+1}/sigma_r)^4.

In several parameters the curve is what takes most points: where labels are good and the curve through them is not, the
grid of candidates is doubled, in the gauge of the curve before; see `finer` for how far.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from neumatc.align import straightened
from neumatc.arrays import Array
from neumatc.bases import Choice, Curve, select
from neumatc.certify import Checker
from neumatc.equations import unknown_names
from neumatc.gauge import Factors, NoGauge
from neumatc.history import Event
from neumatc.operations import Adaptive, Operation, Separated

from .breaks import refuse_break
from .exact import solved
from .excluded import nothing_left, solvable
from .judge import Judge
from .nodes import MANY, adjacent, bases_for, finer, first_curve, first_nodes, held_back, most_nodes
from .plan import Ground, Plan, Trained, timed
from .pod import Modes
from .refining import refined
from .suspects import steepest_midpoints
from .tracking import Tracking

ROUNDS = 12
"""Most rounds; the loop stops earlier when a round no longer halves the error."""

ROUNDING = 1e-14
"""Relative rounding of refined factors: smaller modes would be noise that every query pays for."""

FAILED = 1e3
"""Residual of a refined label over the median of all from which the exact result is used instead: with a lower bar,
gap-free real channels stall at 4e-5 where they now reach 1e-8."""

SPOILT = 100.0
"""Residual of a label over tol at which the fit has not converged, however well the curve passes the others."""

ADD = 5
"""Most exact solves added between two rounds."""


class Bootstrap:
    """One fit; ``run`` does it all."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.problem = plan, plan.problem
        self.operation: Operation = plan.problem.operation
        self.names = unknown_names(self.operation.equations())
        self.ground = Ground.of(plan)
        self.suspected = -1
        self.label_residual = np.empty(0)
        self.tracking = Tracking(plan)
        self.straighten = self.held_back = False
        self.straightened = -1
        self.exact: dict[int, Factors] = {}

    def run(self) -> Trained:
        seconds: dict[str, float] = {}
        with timed(seconds, "bootstrap", self.problem):
            self._open()
            best = last = self._round(1)
            previous = np.inf
            for number in range(2, ROUNDS + 1):
                if last.choice.score <= self.plan.tol / 3 or not self._go_on(last, previous):
                    break
                previous, last = best.choice.score, self._round(number)
                if last.choice.score < self._score_of(best):
                    best = last
                elif self.straighten:
                    self.straighten, last, self.curve = False, best, best.curve
                    self.modes = Modes.made(best.C, best.layout)
            self.tracking.judge(best.choice.score)
        x, y = self.ground.candidates, self.modes.coefficients
        if isinstance(self.operation.gauge, NoGauge) and best.choice.score > self.plan.tol and len(x) == len(y):
            refuse_break(self.problem, x, y, float(np.median(self.label_residual)))
        return replace(best, short=best.short or self.held_back, seconds=seconds)

    def _go_on(self, last: Trained, previous: float) -> bool:
        """Prepare another round; False where none would help."""
        improving = last.choice.score < previous / 2
        if self.problem.box.dimension == 1:
            return improving or self._refine(last) or self._add_solves()
        # A gauge is straightened where it costs least. As a rule the curve is the limit then, and another round on the
        # same grid would be lost.
        first = self.straightened < 0 and self._straighten()
        return first or self._refine(last) or improving or self._straighten() or self._add_solves()

    def _open(self) -> None:
        """Exact results at the first nodes, in one gauge, and the curve that predicts all the others."""
        plan = self.plan
        nodes, F = self._first_solves(first_nodes(plan, self.ground))
        x = self.ground.candidates[nodes]
        self.operation, F = self.tracking.first(x, F, self.operation)
        known = self.operation.given(self._matrices(x))
        self.kinds = self.operation.storage(known, F)
        modes = Modes.of(F, self.names, self._tail, self.kinds)
        self.exact = {index: {n: X[i] for n, X in F.items()} for i, index in enumerate(nodes)}
        self.modes, self.curve = modes, first_curve(x, modes.coefficients, plan.rng(8))
        some = self.ground.held_out[:1]
        canonical = self.operation.canonical(self._predict(self.curve, some))
        values = {**self.operation.given(self._matrices(some)), **canonical}
        checker = Checker.draw(self.operation, values, self.problem.working, plan.rng(4))
        self.judge = Judge(self.problem, checker)
        self._say("first", f"{len(nodes)} exact solves, d = {len(modes.C)}", self._score(self.curve))

    def _matrices(self, x: Array, keep: bool = True) -> Array:
        return self.problem.matrices(self.problem.box.from_unit(x), keep=keep)

    @property
    def _tail(self) -> float:
        """Modes smaller than this share are dropped: well below tol, and never below the rounding of the labels."""
        return max(self.plan.tol / 100, ROUNDING)

    def _first_solves(self, nodes: list[int]) -> tuple[list[int], Factors]:
        """Exact factors at the first nodes, those that have some; an adaptive operation settles its size from them."""
        operation, shape, x = self.operation, self.problem.shape, self.ground.candidates
        widest = operation.widest(shape) if isinstance(operation, Adaptive) else operation
        F, had = solved(self.plan, self.problem.with_operation(widest), x[nodes])
        if not len(had):
            raise nothing_left(self.plan)
        where = self._drop(np.delete(nodes, had).tolist())
        if isinstance(operation, Adaptive):
            self.operation, F, text = operation.adapt(F, shape)
            self.plan.tell(Event("adapt", text, {"buffer": float(getattr(self.operation, "buffer", 0))}))
        return [where[nodes[i]] for i in had], F

    def _drop(self, failed: list[int]) -> dict[int, int]:
        """Forget candidates that turned out to have no exact result; returns the new numbers of the others."""
        self.ground, kept = self.ground.without(failed)
        where = {int(old): new for new, old in enumerate(kept)}
        self.exact = {where[index]: F for index, F in self.exact.items()}
        if len(self.label_residual):
            self.label_residual = self.label_residual[kept]
        return where

    def _predict(self, curve: Curve, x: Array) -> Factors:
        return self.modes.factors(curve(x))

    def _round(self, number: int) -> Trained:
        """Refine at every candidate, decompose, draw the curve anew."""
        x = self.ground.candidates
        predicted = self._predict(self.curve, x)
        F, self.label_residual = refined(self.plan, self.operation, self.judge, x, predicted)
        if number == 1:
            # The first prediction interpolates few nodes and may be rough; refined factors would inherit its gauge.
            F = predicted = self.tracking.settled(x, F, self.operation)
        elif self.straighten:
            F = predicted = straightened(x, F, self.operation.gauge)
        self._substitute(F, predicted)
        self.modes = Modes.of(F, self.names, self._tail, self.kinds)
        self._suspect(F)
        bases = bases_for(self.plan, self.ground, self.modes.layout.size)
        choice = select(bases, x, self.modes.coefficients, self._score, self._enough(number), self.plan.rng(5))
        self.curve = choice.curve
        self._say("round", f"round {number}, d = {len(self.modes.C)}, {choice.name}", choice.score)
        return self._trained(choice)

    def _enough(self, number: int) -> float:
        """Score at which no further basis is tried: that of the labels in the first round, which only predicts."""
        predicts = number == 1 and not self._worst_label
        return max(self.plan.tol / 10, 1.1 * float(self.label_residual.max()) if predicts else 0.0)

    def _substitute(self, F: Factors, predicted: Factors) -> None:
        """Exact factors where refinement failed, in the gauge of the prediction.

        Not elsewhere: without a gap the last buffer directions of an exact decomposition jump from point to point,
        while refined ones inherit the smoothness of their prediction.
        """
        failed = self.label_residual > FAILED * np.median(self.label_residual)
        for index, exact in self.exact.items():
            if failed[index]:
                one = {name: X[None] for name, X in exact.items()}
                reference = {name: X[index : index + 1] for name, X in predicted.items()}
                for name, X in self.operation.gauge.align(one, reference).items():
                    F[name][index] = X[0]
                self.label_residual[index] = 0.0

    def _score(self, curve: Curve, modes: Modes | None = None) -> float:
        """Worst held-out residual of a curve, over the present slices or those of an earlier round."""
        modes = self.modes if modes is None else modes
        canonical = self.operation.canonical(modes.factors(curve(self.ground.held_out)))
        return float(self.judge.residual(self.problem.box.from_unit(self.ground.held_out), canonical).max())

    def _score_of(self, earlier: Trained) -> float:
        """Score of an earlier round on the present held-out points; a finer grid has brought new ones."""
        if len(earlier.held_out) == len(self.ground.held_out):
            return earlier.choice.score
        return self._score(earlier.curve, Modes.made(earlier.C, earlier.layout))

    def _suspect(self, F: Factors) -> None:
        """Hold out the steepest places too, and those where levels meet, once per grid of candidates."""
        if self.suspected == self.ground.level:
            return
        self.suspected = self.ground.level
        met = self._meetings(self.operation, F) if isinstance(self.operation, Separated) else self.ground.candidates[:0]
        if self.problem.tabulated is not None:
            return
        candidates, labels = self.ground.candidates, self.modes.coefficients
        x = np.concatenate([steepest_midpoints(candidates, labels, pairs=adjacent(candidates)), met])
        x = x[solvable(self.plan, x)]
        self.ground = replace(self.ground, held_out=np.concatenate([self.ground.held_out, x]))

    def _meetings(self, operation: Separated, F: Factors) -> Array:
        """Where levels that are followed meet between the candidates."""
        x = self.ground.candidates
        # A curve of its own: the prediction of the last round knows nothing of the present labels.
        curve = first_curve(x, self.modes.coefficients, self.plan.rng(8))
        return self.tracking.meetings(x, F, operation, lambda at: operation.levels(self._predict(curve, at)))

    def _straighten(self) -> bool:
        """Once per grid: a gauge that is smoother than averages over neighbours can be; finer grids inherit it."""
        done = self.straightened == self.ground.level or len(self.ground.candidates) > MANY
        if done or isinstance(self.operation.gauge, NoGauge):
            return False
        self.straighten, self.straightened = True, self.ground.level
        return True

    def _add_solves(self) -> bool:
        """Exact solves where refinement alone failed; the paper's failure-informed sampling."""
        while (left := self.plan.samples - len(self.exact)) > 0:
            chosen = self._worst(left)
            F, had = solved(self.plan, self.problem.with_operation(self.operation), self.ground.candidates[chosen])
            where = self._drop(np.delete(chosen, had).tolist())
            for i, k in enumerate(had):
                self.exact[where[chosen[k]]] = {name: X[i] for name, X in F.items()}
            if len(had) or not chosen:
                return bool(chosen)
        return False

    def _worst(self, left: int) -> list[int]:
        """The candidates whose labels are worst; none where the sampler wants none."""
        free = np.ones(len(self.ground.candidates), bool)
        free[list(self.exact)] = False
        chosen = self.plan.sampler.select(self.ground.candidates, self.label_residual, free, self.plan.tol, left)
        # One point per round is too few here: a round costs more than a solve.
        worst = [int(i) for i in np.argsort(-self.label_residual) if free[i]] if chosen else []
        return worst[: min(ADD, left)]

    def _refine(self, round_: Trained) -> bool:
        """A finer candidate grid when the labels are good and the curve through them is not."""
        limited = round_.choice.score > 3 * float(self.label_residual.max())
        if not limited or (found := finer(self.plan, self.ground, self.modes.layout.size)) is None:
            self.held_back = limited and held_back(self.plan, self.ground, self.modes.layout.size)
            return False
        (self.ground, old), self.straighten = found, False
        where = {int(o): new for new, o in enumerate(old) if o >= 0}
        self.exact = {where[index]: F for index, F in self.exact.items() if index in where}
        self.plan.tell(Event("candidates", f"curve limited: {len(old)} candidates"))
        return True

    def _trained(self, choice: Choice) -> Trained:
        return Trained(
            C=self.modes.C,
            layout=self.modes.layout,
            complex_coefficients=False,
            operation=self.operation,
            choice=choice,
            points=self._points(),
            held_out=self.problem.box.from_unit(self.ground.held_out),
            residual=self._worst_label,
            short=self.plan.samples < most_nodes(self.ground),
        )

    @property
    def _worst_label(self) -> float:
        """Residual of a label far worse than the others, where A(p) was seen to be unlike its neighbours; else zero."""
        worst, usual = float(self.label_residual.max()), float(np.median(self.label_residual))
        return worst if worst > max(SPOILT * self.plan.tol, FAILED * usual) else 0.0

    def _points(self) -> Array:
        solved = np.array(sorted(self.exact))
        return self.problem.box.from_unit(self.ground.candidates[solved])

    def _say(self, stage: str, text: str, score: float) -> None:
        self.plan.tell(Event(stage, f"{text}, held-out {score:.1e}", {"residual": score, "count": len(self.exact)}))
