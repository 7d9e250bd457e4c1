"""Trainer for operations with a cheap refinement step: predict, refine, realign, decompose again.

A few exact results in one smooth gauge predict the factors at many collocation points; there A(p) itself refines the
prediction (for an SVD: two subspace power steps), and the refined factors are realigned to their own prediction, so
that they inherit its gauge. Twenty exact SVDs become a hundred accurate ones; a round multiplies the error by about
(sigma_{r'+1}/sigma_r)^4.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from neumatc.align import aligned
from neumatc.arrays import Array
from neumatc.bases import Choice, Curve, select
from neumatc.certify import Checker
from neumatc.equations import unknown_names
from neumatc.gauge import Factors, Vectors
from neumatc.history import Event
from neumatc.operations import Adaptive, Operation, Separated
from neumatc.operations.separated import smallest_gap

from .exact import solved
from .meetings import meetings
from .nodes import first_curve, first_nodes, most_nodes
from .plan import Ground, Plan, Trained, timed
from .pod import Modes
from .seams import aligned_apart, refuse_seam, warn_uncertain
from .suspects import steepest_midpoints

STEPS = 2
"""Refinement steps per collocation point and round."""

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
        self.levels, self.conditions = np.empty((0, 0)), np.empty(0)

    def run(self) -> Trained:
        seconds: dict[str, float] = {}
        with timed(seconds, "bootstrap", self.problem):
            self._open()
            best = last = self._round(1)
            previous = np.inf
            for number in range(2, ROUNDS + 1):
                if last.choice.score <= self.plan.tol / 3:
                    break
                improving = last.choice.score < previous / 2
                if not (improving or self._refine(last) or self._add_solves()):
                    break
                previous, last = best.choice.score, self._round(number)
                # Rounds are compared on the same points; a finer grid has brought new ones.
                if last.choice.score < self._score(best.curve, Modes.made(best.C, best.layout)):
                    best = last
        if isinstance(self.operation, Separated):
            self._judge_vectors(best.choice.score)
        return replace(best, seconds=seconds)

    def _open(self) -> None:
        """Exact results at the first nodes, in one gauge, and the curve that predicts all the others."""
        plan, box = self.plan, self.problem.box
        nodes = first_nodes(plan, self.ground)
        x = self.ground.candidates[nodes]
        F = self._aligned(x, self._first_solves(x))
        known = self.operation.given(self._matrices(x))
        self.kinds = self.operation.storage(known, F)
        modes = Modes.of(F, self.names, self._tail, self.kinds)
        self.exact = {index: {n: X[i] for n, X in F.items()} for i, index in enumerate(nodes)}
        self.modes, self.curve = modes, first_curve(x, modes.coefficients, plan.rng(8))
        self.held_matrices = self.problem.matrices(box.from_unit(self.ground.held_out), keep=True)
        canonical = self.operation.canonical(self._predict(self.curve, self.ground.held_out[:1]))
        values = {**self.operation.given(self.held_matrices), **canonical}
        self.checker = Checker.draw(self.operation, values, self.problem.working, plan.rng(4))
        self._say("first", f"{len(nodes)} exact solves, d = {len(modes.C)}", self._score(self.curve))

    def _matrices(self, x: Array) -> Array:
        return self.problem.matrices(self.problem.box.from_unit(x), keep=True)

    @property
    def _tail(self) -> float:
        """Modes smaller than this share are dropped: well below tol, and never below the rounding of the labels."""
        return max(self.plan.tol / 100, ROUNDING)

    def _first_solves(self, x: Array) -> Factors:
        """Exact factors at the first nodes; an adaptive operation settles its size from them."""
        operation, shape = self.operation, self.problem.shape
        if not isinstance(operation, Adaptive):
            return solved(self.plan, self.problem, x)
        F = solved(self.plan, self.problem.with_operation(operation.widest(shape)), x)
        self.operation, F, text = operation.adapt(F, shape)
        self.plan.tell(Event("adapt", text))
        return F

    def _aligned(self, x: Array, F: Factors) -> Factors:
        """Exact factors in one gauge."""
        if isinstance(self.operation, Separated):
            return aligned_apart(x, F, self.operation.gauge, self.operation.levels(F))
        return aligned(x, F, self.operation.gauge)

    def _predict(self, curve: Curve, x: Array) -> Factors:
        return self.modes.factors(curve(x))

    def _round(self, number: int) -> Trained:
        """Refine at every candidate, decompose, draw the curve anew."""
        x = self.ground.candidates
        predicted = self._predict(self.curve, x)
        F = self._refined(predicted, x)
        if number == 1:
            # The first prediction interpolates few nodes and may be rough; refined factors would inherit its gauge.
            F = predicted = aligned(x, F, self.operation.gauge)
            if isinstance(self.operation.gauge, Vectors):
                refuse_seam(x, F, self.operation.gauge, self._describe)
        self.label_residual = self._residuals(F, x)
        self._substitute(F, predicted)
        self.modes = Modes.of(F, self.names, self._tail, self.kinds)
        self._suspect(F)
        enough = self.plan.tol / 10
        choice = select(self.plan.bases, x, self.modes.coefficients, self._score, enough, self.plan.rng(5))
        self.curve = choice.curve
        self._say("round", f"round {number}, d = {len(self.modes.C)}, {choice.name}", choice.score)
        return self._trained(choice)

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

    def _refined(self, predicted: Factors, x: Array) -> Factors:
        size = max(1, (1 << 26) // (16 * self.problem.shape[0] * self.problem.shape[1]))
        pieces = []
        for i in range(0, len(x), size):
            A = torch.from_numpy(self._matrices(x[i : i + size])).to(self.plan.device)
            F = {name: torch.from_numpy(X[i : i + size].copy()).to(self.plan.device) for name, X in predicted.items()}
            reference = dict(F)
            for _ in range(STEPS):
                F = self.operation.refine(A, F)  # type: ignore[attr-defined]  # Refinable: see trainer_of
            F = self.operation.gauge.align(F, reference)
            pieces.append({name: X.resolve_conj().cpu().numpy() for name, X in F.items()})
        return {name: np.concatenate([piece[name] for piece in pieces]) for name in self.names}

    def _residuals(self, F: Factors, x: Array) -> Array:
        """Relative residual of the labels at the candidates."""
        size, found = 16, []
        for i in range(0, len(x), size):
            canonical = self.operation.canonical({name: X[i : i + size] for name, X in F.items()})
            found.append(self.checker.residual(self._matrices(x[i : i + size]), canonical))
        return np.concatenate(found)

    def _score(self, curve: Curve, modes: Modes | None = None) -> float:
        """Worst held-out residual of a curve, over the present slices or those of an earlier round."""
        modes = self.modes if modes is None else modes
        canonical = self.operation.canonical(modes.factors(curve(self.ground.held_out)))
        return float(self.checker.residual(self.held_matrices, canonical).max())

    def _suspect(self, F: Factors) -> None:
        """Hold out the steepest places too, and those where levels meet, once per grid of candidates."""
        if self.suspected == self.ground.level:
            return
        self.suspected = self.ground.level
        operation = self.operation
        met = self._meetings(operation, F) if isinstance(operation, Separated) else self.ground.candidates[:0]
        if self.problem.tabulated is not None:
            return
        x = np.concatenate([steepest_midpoints(self.ground.candidates, self.modes.coefficients), met])
        self.ground = replace(self.ground, held_out=np.concatenate([self.ground.held_out, x]))
        self.held_matrices = np.concatenate([self.held_matrices, self._matrices(x)])

    def _meetings(self, operation: Separated, F: Factors) -> Array:
        """Tell how near the levels at the candidates come, and where they meet between them."""
        self.levels, x = operation.levels(F), self.ground.candidates
        gaps = smallest_gap(self.levels)
        where, least = self._describe(x[gaps.argmin()]), float(gaps.min())
        text = f"smallest distance of levels {least:.1e} of their mean distance, at {where}"
        self.conditions = operation.conditions(F)
        if self.conditions.max() > 1:
            text += f"; condition up to {self.conditions.max():.1e}, at {self._describe(x[self.conditions.argmax()])}"
        # JSON knows no infinity, which is the gap of a single level.
        numbers = {"gap": least} if np.isfinite(least) else {}
        self.plan.tell(Event("gap", text, {**numbers, "condition": float(self.conditions.max())}))
        if np.iscomplexobj(self.levels) or self.problem.tabulated is not None:
            return x[:0]
        # A curve of its own: the prediction of the last round knows nothing of the present labels.
        curve = first_curve(x, self.modes.coefficients, self.plan.rng(8))
        return meetings(x, self.levels, lambda at: operation.levels(self._predict(curve, at)))

    def _judge_vectors(self, score: float) -> None:
        """Name vectors that are worth little, although they were followed."""
        x = self.ground.candidates
        warn_uncertain(score, self.plan.tol, x, self.levels, self.conditions, self._describe)

    def _describe(self, x: Array) -> str:
        return self.problem.box.describe(self.problem.box.from_unit(x[None])[0])

    def _add_solves(self) -> bool:
        """Exact solves where refinement alone failed; the paper's failure-informed sampling."""
        left = self.plan.samples - len(self.exact)
        if left <= 0:
            return False
        free = np.ones(len(self.ground.candidates), bool)
        free[list(self.exact)] = False
        chosen = self.plan.sampler.select(self.ground.candidates, self.label_residual, free, self.plan.tol)
        # One point per round is too few here: a round costs more than a solve.
        worst = [int(i) for i in np.argsort(-self.label_residual) if free[i]] if chosen else []
        chosen = worst[: min(ADD, left)]
        if not chosen:
            return False
        x = self.ground.candidates[chosen]
        F = solved(self.plan, self.problem.with_operation(self.operation), x)
        for i, index in enumerate(chosen):
            self.exact[index] = {name: X[i] for name, X in F.items()}
        return True

    def _refine(self, round_: Trained) -> bool:
        """A finer candidate grid when the labels are good and the curve through them is not."""
        limited = round_.choice.score > 3 * float(self.label_residual.max())
        if not limited or self.ground.level >= self.ground.finest:
            return False
        self.ground, _, old = self.ground.finer(self.plan)
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
