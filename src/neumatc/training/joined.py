"""Trainer after the paper: exact results at samples, then latent tensor and network together; see `joint`."""

from __future__ import annotations

from typing import Any, TypeAlias, final

import numpy as np
import torch

from neumatc.arrays import Array
from neumatc.bases import Choice, Curve, Trial
from neumatc.certify import Checker
from neumatc.errors import InputError
from neumatc.gauge import Factors
from neumatc.history import Event
from neumatc.operations import Adaptive, Followed
from neumatc.products import product
from neumatc.sketch import Sketch

from .adam import Adam, Places
from .exact import solved
from .excluded import nothing_left
from .joint import Joint
from .literal import Literal
from .losses import Loss, Reduced, first_mixing
from .perceptron import Perceptron
from .places import random_places, sample_places
from .plan import Ground, Plan, Trained, timed
from .snapshots import Snapshots, Stations, realified
from .structure import Structure, counts, structure
from .tracking import Tracking

Tensor: TypeAlias = torch.Tensor

NETWORK, COLLOCATION, PROBES, LATENT = 11, 13, 14, 15
"""Streams of random numbers."""

MARGIN = 10
"""tol over the residual that ends a training: that is seen in the mean of probes, and at random points."""


@final
class Joined:
    """One fit; ``run`` does it all."""

    def __init__(self, options: Joint, plan: Plan) -> None:
        self.options, self.plan, self.problem = options, plan, plan.problem
        self.operation = plan.problem.operation
        if isinstance(self.operation, Followed):
            raise InputError(
                f"Joint training needs an operation whose factors it can learn, and `{self.operation.name}` has values "
                "alone, followed by their vectors. The paper trains factors. Use training='auto', or fit the factors."
            )
        if options.derivatives:
            raise InputError(
                f"`derivatives` of Joint must be 0 or None for a dense A(p), got {options.derivatives}. "
                "They join the span of sparse solves, where they cost next to nothing. "
                "Leave it out, or pass sampler=nmc.FailureInformed(tangents=True) with training='auto'."
            )
        self.ground = Ground.of(plan)
        dtype = torch.float64 if options.precision == "double" else torch.float32
        self.like = torch.empty(0, dtype=dtype, device=plan.device)

    def run(self) -> Trained:
        seconds: dict[str, float] = {}
        with timed(seconds, "data", self.problem):
            snapshots, F = self._snapshots()
            loss, stations = self._loss(snapshots, F)
        with timed(seconds, "joint", self.problem):
            curve, C = self._trained(loss, stations)
            score = self._score(curve, C, snapshots)
        name = curve.name
        return Trained(
            C=C,
            layout=snapshots.layout,
            complex_coefficients=False,
            operation=self.operation,
            choice=Choice(curve, name, score, (Trial(name, score, seconds["joint"]),)),
            points=self.problem.box.from_unit(self.x),
            held_out=self.problem.box.from_unit(self.ground.held_out),
            residual=0.0,
            seconds=seconds,
        )

    def _snapshots(self) -> tuple[Snapshots, Factors]:
        """Exact results at the samples, in one gauge (Algorithm 1), decomposed."""
        count = min(self.options.samples or self.plan.samples, self.plan.samples)
        x, operation = sample_places(self.plan, self.ground, count), self.operation
        widest = operation.widest(self.problem.shape) if isinstance(operation, Adaptive) else operation
        F, had = solved(self.plan, self.problem.with_operation(widest), x)
        if not len(had):
            raise nothing_left(self.plan)
        self.x = x[had]
        if isinstance(operation, Adaptive):
            operation, F, text = operation.adapt(F, self.problem.shape)
            self.plan.tell(Event("adapt", text))
        self.operation, F = Tracking(self.plan).first(self.x, F, operation)
        self.problem = self.problem.with_operation(self.operation)
        known = self.operation.given(self._matrices(self.x))
        return Snapshots.of(F, self.operation.unknowns, self.operation.storage(known, F)), F

    def _loss(self, snapshots: Snapshots, F: Factors) -> tuple[Loss, Array]:
        """The loss, and the stations of its structure term."""
        options, x = self.options, np.empty((0, self.x.shape[1]))
        equations = self.operation.equations()
        sketched = options.has_structure and bool(equations) and all(e.polynomial for e in equations)
        if sketched:
            candidates = options.candidates if options.add else 0
            x = random_places(self.plan, self.ground, options.collocation + candidates)
        elif options.has_structure:
            text = f"no equation of `{self.operation.name}` can be differentiated here: data alone"
            self.plan.tell(Event("structure", text))
        stations = Stations(self.problem, x, self.plan.device)
        rng = self.plan.rng(LATENT) if options.latent == "random" else None
        mixing = first_mixing(snapshots, options.d, rng)
        if options.loss == "reduced":
            return Reduced(snapshots, mixing, self._structure(snapshots, stations), self.like), x
        C = realified(product(mixing, np.ascontiguousarray(snapshots.Q)))
        scales = self._sketch(snapshots, len(equations)).scales if len(x) else ()
        return Literal(snapshots, snapshots.flat(F), C, stations, scales, self.like), x

    def _structure(self, snapshots: Snapshots, stations: Stations) -> Structure | None:
        if not len(stations.x):
            return None
        sketch = self._sketch(snapshots, len(self.operation.equations()))
        dtype = np.result_type(self.problem.working, snapshots.Q.dtype)
        slices = {
            name: torch.from_numpy(np.ascontiguousarray(X, dtype)).to(self.plan.device)
            for name, X in snapshots.slices().items()
        }
        return structure(sketch.like(self.like), slices, stations.batches(), self.like.dtype)

    def _sketch(self, snapshots: Snapshots, equations: int) -> Sketch:
        """Probes for every equation, and the norms that residuals are measured against, from the middle sample."""
        middle = len(self.x) // 2
        known = self.operation.given(self._matrices(self.x[middle : middle + 1]))
        coefficients = np.ascontiguousarray(snapshots.y[middle : middle + 1])
        flat = product(coefficients, np.ascontiguousarray(snapshots.Q)) * snapshots.unit
        values = {**known, **snapshots.layout.unpack(flat)}
        probes = counts(snapshots.y.shape[1], equations, self.options.probes)
        dtype = np.result_type(self.problem.working, snapshots.Q.dtype)
        return Sketch.draw(self.operation.equations(), values, probes, dtype, self.plan.rng(PROBES))

    def _trained(self, loss: Loss, stations: Array) -> tuple[Curve, Array]:
        """Run Adam; the curve and the latent slices that came out."""
        options, plan = self.options, self.plan
        sizes = (self.x.shape[1], *[options.width] * options.layers, options.d)
        network = Perceptron(options.activation, sizes, options.omega, plan.rng(NETWORK))
        training = Adam(
            options,
            network,
            loss,
            Places(self._points(self.x), self._points(stations), min(options.collocation, len(stations))),
            threshold=(plan.tol / MARGIN) ** 2 if options.threshold is None else options.threshold,
            rng=lambda epoch: np.random.default_rng([plan.seed, COLLOCATION, epoch]),
            tell=plan.tell,
        )
        training.run(self._identity())
        C, T = loss.finished()
        return network.curve(training.theta).combined(T), C

    def _identity(self) -> dict[str, Any]:
        """What a checkpoint must share with this training, as JSON."""
        problem = self.problem
        matrix = self._matrices(self.x[:1])
        return {
            **self.options.fingerprint(),
            "operation": problem.operation.name,
            "matrix": [*problem.shape, float(abs(matrix).sum())],
            "box": str(problem.box),
            "solves": len(self.x),
            "tol": self.plan.tol,
            "rng": str(self.plan.seed),
        }

    def _score(self, curve: Curve, C: Array, snapshots: Snapshots) -> float:
        """Worst held-out residual, on probes of its own."""
        x, worst = self.ground.held_out, 0.0
        checker: Checker | None = None
        for start in range(0, len(x), 8):
            some = x[start : start + 8]
            A = self._matrices(some)
            F = self.operation.canonical(snapshots.layout.unpack(product(curve(some), C)))
            if checker is None:
                values = {**self.operation.given(A), **F}
                checker = Checker.draw(self.operation, values, self.problem.working, self.plan.rng(4))
            worst = max(worst, float(checker.residual(A, F).max()))
        return worst

    def _matrices(self, x: Array) -> Array:
        return self.problem.matrices(self.problem.box.from_unit(x), keep=True)

    def _points(self, x: Array) -> Tensor:
        """In the precision of the training, on its device."""
        return torch.tensor(x, dtype=self.like.dtype, device=self.like.device)
