"""Trainer for any equations up to quadratic: exact results span, latent Gauss-Newton labels, failures are solved.

Needs nothing of an operation but its exact solver, equations and gauge. The labels are the coefficients that satisfy
the sketched equations best at every candidate (`correct`); where even they fail on fresh probes the span is too small,
and the worst candidates are solved exactly.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from neumatc.align import aligned
from neumatc.arrays import Array
from neumatc.bases import Choice, Curve, select
from neumatc.correct import Corrector, Reduced
from neumatc.equations import unknown_names
from neumatc.gauge import Factors
from neumatc.history import Event
from neumatc.probes import probe_counts
from neumatc.sketch import Sketch

from .exact import solved
from .nodes import first_curve, first_nodes
from .plan import Ground, Plan, Trained, timed
from .pod import Modes
from .suspects import steepest_midpoints

STEPS = 6
"""Gauss-Newton steps for a label: twice what a good start needs."""

ADD = 4
"""Exact solves per round; a round rebuilds the sketches, so one at a time would waste it."""

VERIFY = (16, 16)


class Collocation:
    """One fit; ``run`` does it all."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.problem = plan, plan.problem
        self.operation = plan.problem.operation
        self.names = unknown_names(self.operation.equations())
        self.ground = Ground.of(plan)
        self.exact: dict[int, Factors] = {}
        self.suspected = -1
        self.previous: Modes | None = None

    def run(self) -> Trained:
        seconds: dict[str, float] = {}
        with timed(seconds, "collocation", self.problem):
            choice = self._fitted()
        return Trained(
            C=self.modes.C,
            layout=self.modes.layout,
            complex_coefficients=False,
            operation=self.operation,
            choice=choice,
            points=self.problem.box.from_unit(self.ground.candidates[sorted(self.exact)]),
            held_out=self.problem.box.from_unit(self.ground.held_out),
            residual=self.worst,
            seconds=seconds,
        )

    def _fitted(self) -> Choice:
        self._open()
        self._label()
        while self._add_solves() or self._suspect():
            self._label()
        choice = self._choose()
        while choice.score > max(2 * self.live, self.plan.tol / 3) and self.ground.level < self.ground.finest:
            self._refine()
            self._label()
            if self._suspect():
                self._label()
            choice = self._choose()
        return choice

    def _open(self) -> None:
        nodes = first_nodes(self.plan, self.ground)
        x = self.ground.candidates[nodes]
        F = aligned(x, solved(self.plan, self.problem, x), self.operation.gauge)
        self.exact = {index: {n: X[i] for n, X in F.items()} for i, index in enumerate(nodes)}
        known = self.operation.given(self.problem.matrices(self.problem.box.from_unit(x), keep=True))
        self.kinds = self.operation.storage(known, F)
        self._decompose()

    def _decompose(self) -> None:
        """Latent slices from all exact results, and a first curve through their coefficients."""
        nodes = sorted(self.exact)
        F = {name: np.stack([self.exact[i][name] for i in nodes]) for name in self.names}
        self.modes = Modes.of(F, self.names, 1e-15, self.kinds)
        if not hasattr(self, "curve"):
            x = self.ground.candidates[nodes]
            self.curve = first_curve(x, self.modes.coefficients, self.plan.rng(8))

    @property
    def _stations(self) -> Array:
        return np.concatenate([self.ground.held_out, self.ground.candidates])

    def _label(self) -> None:
        """Best coefficients at held-out points and candidates, and their residual on other probes."""
        train, verify = self._correctors()
        x, found, residuals = self._stations, [], []
        start = self._start(x)
        self.reduced: list[Reduced] = []
        for i in range(0, len(x), 16):
            A = self.problem.matrices(self.problem.box.from_unit(x[i : i + 16]), keep=True)
            known = self.operation.given(A)
            phi = train.reduce(known).solve(start[i : i + 16], STEPS)
            check = verify.reduce(known)
            found.append(phi)
            residuals.append(check.norm(phi))
            if i < len(self.ground.held_out):
                self.reduced.append(check)
        self.labels, verified = np.concatenate(found), np.concatenate(residuals)
        held = len(self.ground.held_out)
        self.live, self.worst = float(verified[:held].max()), float(verified.max())
        self.failing = verified[held:]
        y = self.labels[held:]
        self.previous = None  # from here on the curve speaks of the present slices
        self.curve = first_curve(self.ground.candidates, y, self.plan.rng(8))
        self.plan.tell(
            Event("labels", f"{len(self.exact)} solves, verified residual {self.worst:.1e}", {"residual": self.worst})
        )

    def _start(self, x: Array) -> Array:
        """Where Gauss-Newton starts: the present curve, expressed in the present slices."""
        values = self.curve(x)
        return values if self.previous is None else self._project(self.previous.factors(values))

    def _project(self, F: Factors) -> Array:
        """Least-squares coefficients of factors in the span of the latent slices."""
        flat = self.modes.layout.pack(F, np.empty((len(F[self.names[0]]), self.modes.layout.size), self.modes.C.dtype))
        C = self.modes.C.view(np.float64) if np.iscomplexobj(self.modes.C) else self.modes.C
        real = flat.view(np.float64) if np.iscomplexobj(flat) else flat
        coefficients: Array = np.linalg.lstsq(C.T, real.T, rcond=None)[0].T
        return coefficients

    def _suspect(self) -> bool:
        """Hold out the steepest places too, once per grid of candidates; whether any were added."""
        if self.suspected == self.ground.level or self.problem.tabulated is not None:
            return False
        self.suspected = self.ground.level
        x = steepest_midpoints(self.ground.candidates, self.labels[len(self.ground.held_out) :])
        self.ground = replace(self.ground, held_out=np.concatenate([self.ground.held_out, x]))
        return True

    def _correctors(self) -> tuple[Corrector, Corrector]:
        slices = self.modes.factors(np.eye(len(self.modes.C)))
        A = self.problem.matrices(self.problem.box.from_unit(self.ground.held_out[:1]), keep=True)
        known = self.operation.given(A)
        values = {**known, **{name: X[:1] for name, X in slices.items()}}
        equations, dtype = self.operation.equations(), self.problem.working
        counts = (probe_counts(len(self.modes.C), known), VERIFY)
        made = [
            Corrector.of(
                self.operation, Sketch.draw(equations, values, c, dtype, self.plan.rng(k)), slices, False, known
            )
            for k, c in zip((3, 4), counts, strict=True)
        ]
        return made[0], made[1]

    def _add_solves(self) -> bool:
        left = self.plan.samples - len(self.exact)
        if left <= 0 or self.worst <= self.plan.tol / 3:
            return False
        free = np.ones(len(self.ground.candidates), bool)
        free[list(self.exact)] = False
        if not self.plan.sampler.select(self.ground.candidates, self.failing, free, self.plan.tol):
            return False
        chosen = [int(i) for i in np.argsort(-self.failing) if free[i]][: min(ADD, left)]
        if not chosen:
            return False
        x = self.ground.candidates[chosen]
        reference = self.modes.factors(self.curve(x))
        F = self.operation.gauge.align(solved(self.plan, self.problem, x), reference)
        for i, index in enumerate(chosen):
            self.exact[index] = {name: X[i] for name, X in F.items()}
        self.previous = self.modes
        self._decompose()
        return True

    def _choose(self) -> Choice:
        y = self.labels[len(self.ground.held_out) :]
        enough = max(1.1 * self.live, self.plan.tol / 10)
        return select(self.plan.bases, self.ground.candidates, y, self._score, enough, self.plan.rng(5))

    def _score(self, curve: Curve) -> float:
        phi, worst, i = curve(self.ground.held_out), 0.0, 0
        for check in self.reduced:
            size = min(len(check.a), len(phi) - i)
            part = Reduced(check.a[:size], check.L[:size], check.T, check.unique)
            worst = max(worst, float(part.norm(phi[i : i + size]).max()))
            i += size
        return worst

    def _refine(self) -> None:
        self.ground, _, old = self.ground.finer(self.plan)
        where = {int(o): new for new, o in enumerate(old) if o >= 0}
        self.exact = {where[index]: F for index, F in self.exact.items() if index in where}
