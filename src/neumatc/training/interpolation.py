"""Trainer for anything: exact results on a grid that is doubled until the held-out residual passes.

Needs nothing of an operation but its exact solver and a residual: what is left where no equation can be sketched, and
what wins in two or three parameters where a solve is cheaper than the labels that would replace it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neumatc.arrays import Array
from neumatc.bases import Basis, Choice, Curve, lobatto, select
from neumatc.certify import Checker
from neumatc.gauge import Factors
from neumatc.history import Event
from neumatc.operations import Followed
from neumatc.sampling.designs import sobol

from .branches import met, smooth, source_of
from .exact import solved
from .excluded import nothing_left, solvable
from .plan import HELD_OUT, Ground, Plan, Trained, timed
from .pod import Modes
from .suspects import steepest_midpoints

FIRST = {1: 12, 2: 5, 3: 4}
"""Fewest points per axis of the first grid, by dimension."""

LARGEST = {1: 1025, 2: 129, 3: 33}
"""Most points per axis of the last grid."""

MANY = 1500
"""Points beyond which costs that grow with their square or cube are not paid."""


class Interpolation:
    """One fit; ``run`` does it all."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.problem = plan, plan.problem
        self.operation = plan.problem.operation
        self.names = self.operation.unknowns
        self.ground = Ground.of(plan)
        self.exact: dict[int, Factors] = {}
        self.failed: set[int] = set()

    def run(self) -> Trained:
        seconds: dict[str, float] = {}
        with timed(seconds, "interpolation", self.problem):
            self._hold_out(self.ground.held_out)
            for chosen in self._grids():
                choice = self._fitted(chosen)
                if choice.score <= self.plan.tol / 3 and not self._suspicious(choice):
                    break
        return Trained(
            C=self.modes.C,
            layout=self.modes.layout,
            complex_coefficients=False,
            operation=self.operation,
            choice=choice,
            points=self.problem.box.from_unit(self.points[sorted(self.exact)]),
            held_out=self.problem.box.from_unit(self.held_out),
            residual=0.0,
            short=choice.score > self.plan.tol / 3,
            seconds=seconds,
        )

    def _grids(self) -> Iterator[Array]:
        """Indices into ``points`` of grids that contain each other, coarse to fine, within the budget."""
        dimension, samples = self.problem.box.dimension, self.plan.samples
        if self.problem.tabulated is not None or dimension not in FIRST:
            yield from self._halves()
            return
        most = min(int((samples + 0.5) ** (1 / dimension)), LARGEST[dimension])
        halvings = max(0, int(np.log2(max(most - 1, 1) / (FIRST[dimension] - 1))))
        side = max((most - 1) // 2**halvings, 1) * 2**halvings + 1
        self.points = lobatto(*[side] * dimension)
        for level in range(halvings, -1, -1):
            axis = np.arange(0, side, 2**level)
            grid = np.meshgrid(*[axis] * dimension, indexing="ij")
            yield np.ravel_multi_index([g.ravel() for g in grid], (side,) * dimension)

    def _halves(self) -> Iterator[Array]:
        """The first quarter, half and all of a sequence that fills the cube at every length (or of the table)."""
        table, samples = self.problem.tabulated, self.plan.samples
        dimension = self.problem.box.dimension
        self.points = self.ground.candidates if table is not None else sobol(samples, dimension, self.plan.rng(2))
        count = min(samples, len(self.points))
        order = np.arange(count) if table is None else np.linspace(0, len(self.points) - 1, count).astype(int)
        if table is None:
            for share in (4, 2):
                yield order[: max(2, count // share)]
        yield order

    def _fitted(self, chosen: Array) -> Choice:
        """Solve what is new on this grid, decompose, and draw the best curve."""
        self._solve([int(i) for i in chosen if int(i) not in self.exact])
        chosen = np.array([int(i) for i in chosen if int(i) in self.exact])
        if not len(chosen):
            raise nothing_left(self.plan)
        x = self.points[chosen]
        found = {name: np.stack([self.exact[int(i)][name] for i in chosen]) for name in self.exact[int(chosen[0])]}
        A = self.problem.matrices(self.problem.box.from_unit(x[:: max(1, len(x) // 8)]), keep=True)
        best: tuple[Choice, Modes] | None = None
        for F in smooth(x, found, self.operation, lambda i: self._describe(x[i])):
            kinds = self.operation.storage(self.operation.given(A), F)
            self.modes = Modes.of(F, self.names, max(self.plan.tol / 100, 1e-15), kinds)
            enough = self.plan.tol / 10
            choice = select(self._bases(x), x, self.modes.coefficients, self._score, enough, self.plan.rng(5))
            best = (choice, self.modes) if best is None or choice.score < best[0].score else best
            if choice.score <= self.plan.tol / 3:
                break
        assert best is not None
        choice, self.modes = best
        text = f"{len(self.exact)} solves, d = {len(self.modes.C)}, {choice.name}, held-out {choice.score:.1e}"
        self.plan.tell(Event("grid", text, {"count": len(self.exact), "residual": choice.score}))
        return choice

    def _describe(self, x: Array) -> str:
        return self.problem.box.describe(self.problem.box.from_unit(x[None])[0])

    def _bases(self, x: Array) -> list[Basis]:
        """Polynomials first, which these grids are made for; alone where the others would take minutes."""
        ordered = sorted(self.plan.bases, key=lambda basis: basis.name != "chebyshev")
        alone = len(x) > MANY and ordered[0].unsuited(x) is None
        return ordered[:1] if alone else ordered

    def _solve(self, new: list[int]) -> None:
        """Exact results at new points, as far as they can be had; no point is tried twice."""
        new = [index for index in new if index not in self.failed]
        box = self.problem.box
        in_hole = box.excluded(box.from_unit(self.points[new]))
        source = self.problem.with_operation(source_of(self.operation))
        F, had = solved(self.plan, source, self.points[new][~in_hole])
        found = np.array(new, int)[~in_hole][had]
        self.exact |= {int(index): {name: X[i] for name, X in F.items()} for i, index in enumerate(found)}
        self.failed |= set(new) - set(found.tolist())

    def _hold_out(self, x: Array) -> None:
        self.held_out = x
        self.held_matrices = self.problem.matrices(self.problem.box.from_unit(x), keep=True)
        if isinstance(self.operation, Followed):
            self.truth = self.operation.direct(self.held_matrices)

    def _suspicious(self, choice: Choice) -> bool:
        """Whether the steepest places, held out from now on, fail where the random ones passed."""
        if self.problem.tabulated is not None or len(self.held_out) > HELD_OUT or len(self.exact) > MANY:
            return False
        known = self.points[sorted(self.exact)]
        now, modes, curve = self.modes.factors(self.modes.coefficients), self.modes, choice.curve
        crossed = met(known, now, self.operation, lambda p: modes.factors(curve(p)))
        x = np.concatenate([steepest_midpoints(known, modes.coefficients), crossed])
        x = x[solvable(self.plan, x)]
        if not len(x):
            return False
        self._hold_out(np.concatenate([self.held_out, x]))
        return self._score(choice.curve) > self.plan.tol / 3

    def _score(self, curve: Curve) -> float:
        """Worst held-out residual of a curve, on probes of its own."""
        canonical = self.operation.canonical(self.modes.factors(curve(self.held_out)))
        if isinstance(self.operation, Followed):
            return float(self.operation.mismatch(self.held_matrices, canonical, self.truth).max())
        values = {**self.operation.given(self.held_matrices), **canonical}
        checker = Checker.draw(self.operation, values, self.problem.working, self.plan.rng(4))
        return float(checker.residual(self.held_matrices, canonical).max())
