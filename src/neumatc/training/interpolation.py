"""Trainer for anything: exact results on a grid that is doubled until the held-out residual passes.

Needs nothing of an operation but its exact solver and a residual: what is left where no equation can be sketched, and
what wins in two or three parameters where a solve is cheaper than the labels that would replace it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neumatc.align import aligned
from neumatc.arrays import Array
from neumatc.bases import Basis, Choice, Curve, lobatto, select
from neumatc.certify import Checker
from neumatc.equations import unknown_names
from neumatc.gauge import Factors
from neumatc.history import Event
from neumatc.sampling.designs import sobol

from .exact import solved
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
        self.names = unknown_names(self.operation.equations())
        self.ground = Ground.of(plan)
        self.exact: dict[int, Factors] = {}

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
        x = self.points[chosen]
        F = {name: np.stack([self.exact[int(i)][name] for i in chosen]) for name in self.names}
        F = aligned(x, F, self.operation.gauge)
        A = self.problem.matrices(self.problem.box.from_unit(x[:: max(1, len(x) // 8)]), keep=True)
        kinds = self.operation.storage(self.operation.given(A), F)
        self.modes = Modes.of(F, self.names, max(self.plan.tol / 100, 1e-15), kinds)
        enough = self.plan.tol / 10
        choice = select(self._bases(x), x, self.modes.coefficients, self._score, enough, self.plan.rng(5))
        text = f"{len(self.exact)} solves, d = {len(self.modes.C)}, {choice.name}, held-out {choice.score:.1e}"
        self.plan.tell(Event("grid", text, {"count": len(self.exact), "residual": choice.score}))
        return choice

    def _bases(self, x: Array) -> list[Basis]:
        """Polynomials first, which these grids are made for; alone where the others would take minutes."""
        ordered = sorted(self.plan.bases, key=lambda basis: basis.name != "chebyshev")
        alone = len(x) > MANY and ordered[0].unsuited(x) is None
        return ordered[:1] if alone else ordered

    def _solve(self, new: list[int]) -> None:
        if new:
            F = solved(self.plan, self.problem, self.points[new])
            self.exact |= {index: {name: X[i] for name, X in F.items()} for i, index in enumerate(new)}

    def _hold_out(self, x: Array) -> None:
        self.held_out = x
        self.held_matrices = self.problem.matrices(self.problem.box.from_unit(x), keep=True)

    def _suspicious(self, choice: Choice) -> bool:
        """Whether the steepest places, held out from now on, fail where the random ones passed."""
        if self.problem.tabulated is not None or len(self.held_out) > HELD_OUT or len(self.exact) > MANY:
            return False
        x = steepest_midpoints(self.points[sorted(self.exact)], self.modes.coefficients)
        self._hold_out(np.concatenate([self.held_out, x]))
        return self._score(choice.curve) > self.plan.tol / 3

    def _score(self, curve: Curve) -> float:
        """Worst held-out residual of a curve, on probes of its own."""
        canonical = self.operation.canonical(self.modes.factors(curve(self.held_out)))
        values = {**self.operation.given(self.held_matrices), **canonical}
        checker = Checker.draw(self.operation, values, self.problem.working, self.plan.rng(4))
        return float(checker.residual(self.held_matrices, canonical).max())
