"""Joint training (the paper's Algorithm 2) of sparse solves: latent tensor and network by Adam; see docs/joint.md."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeAlias, final

import numpy as np
import torch

from neumatc.arrays import Array
from neumatc.bases import NetworkCurve
from neumatc.errors import InputError, SingularError
from neumatc.history import Event
from neumatc.reduced import AffineSystem, System
from neumatc.reduced.learned import LearnedModel
from neumatc.sampling import Design, FailureInformed
from neumatc.sampling import sampler as sampler_of
from neumatc.training.adam import Adam, Places
from neumatc.training.joined import COLLOCATION, LATENT, MARGIN, NETWORK
from neumatc.training.joint import Joint
from neumatc.training.losses import Loss
from neumatc.training.perceptron import Perceptron
from neumatc.training.places import design
from neumatc.training.snapshots import realified

from .builder import Builder
from .greedy import HELD_OUT, Grown
from .losses import InFull, InSpan, Residuals, residuals, round_coordinates
from .moments import Moments, order_of

Tensor: TypeAlias = torch.Tensor
Tell: TypeAlias = Callable[[Event], None]

STATIONS, HELD = 12, 1
"""Streams of random numbers, beside those of the dense training."""

ORDER = 1
"""Order of the derivatives that widen the span, unless the options say another."""


@dataclass(frozen=True)
class Solutions:
    """Exact results at samples, in units of their root mean square norm.

    Parameters
    ----------
    points : (Ns, D)
    x : (Ns, k, n)
    size : the unit
    excluded : (j, D) points at which A(p) is singular
    builder : holds the span of the results and of their derivatives
    """

    points: Array
    x: Array
    size: float
    excluded: Array
    builder: Builder


def train(system: System, options: Joint, sampler: Any, tol: float, samples: int, seed: int, tell: Tell) -> Grown:
    """Train the solution of a sparse affine system jointly; ``samples`` is the largest number of exact solves."""
    checked = _checked(system, options)
    return Training(checked, options, tol, seed, tell).run(_places(checked, sampler, options, samples))


@final
class Training:
    """One training; ``run`` does it all."""

    def __init__(self, system: AffineSystem, options: Joint, tol: float, seed: int, tell: Tell) -> None:
        self.system, self.options, self.tol, self.seed, self.tell = system, options, tol, seed, tell
        self.like = torch.empty(0, dtype=torch.float64 if options.precision == "double" else torch.float32)

    def run(self, points: Array) -> Grown:
        """Solve at points (Ns, D), train, and measure what came out."""
        solutions = self._solved(points)
        stations = self._stations(solutions)
        loss = self._loss(solutions, stations)
        curve = self._trained(loss, solutions, stations)
        C, T = loss.finished()
        return self._measured(C, curve.combined(T), solutions)

    def _solved(self, points: Array) -> Solutions:
        """Lines 1 and 2 of Algorithm 2, for one gauge: solutions are unique."""
        system, builder = self.system, Builder(self.system, self.system.n)
        found, had, failed = [], [], []
        order = _order(system, self.options)
        for point in points:
            try:
                solved, factored = system.solve_and_keep(point)
            except SingularError:  # a resonance is recorded and avoided; elsewhere the map may still be needed
                failed.append(point)
                continue
            for rows, shares in islice(Moments(system, point, solved.x, factored), 1 + order):
                builder.extend(rows, shares)
            found.append(solved.x.reshape(system.n, -1).T)
            had.append(point)
            self.tell(Event("solve", system.box.describe(point), {"count": len(had)}))
        if not builder.basis.count:
            raise _nothing(system, len(failed), len(points))
        x = np.stack(found)
        size = float(np.sqrt(np.mean(np.sum(abs(x) ** 2, axis=(1, 2)))))
        return Solutions(np.stack(had), x / size, size, np.array(failed).reshape(-1, points.shape[1]), builder)

    def _stations(self, solutions: Solutions) -> Array:
        """Collocation points, and then the candidates of refinements, ``(M, D)`` points of the box.

        Samples are candidates as well: the data term says how far an answer is from the result there, which may be
        little while its residual is large. Among them are the ends of the box, where no random point is near.
        """
        options, box = self.options, self.system.box
        if not options.has_structure:
            return np.empty((0, box.dimension))
        random = box.random(options.collocation + (options.candidates if options.add else 0), self._rng(STATIONS))
        return np.concatenate([random, solutions.points]) if options.add else random

    def _loss(self, solutions: Solutions, stations: Array) -> Loss:
        system, x, size = self.system, solutions.x, solutions.size
        if self.options.loss == "literal":
            return InFull(system, x, self._mixing(realified(x)), stations, size, self.like)
        V = solutions.builder.basis.rows
        y = realified(x @ V.conj().T)
        # Without a structure term the middle of the box still tells how to measure coordinates.
        where = stations if len(stations) else system.box.middle
        L, a = residuals(solutions.builder.tensors(), system.theta(where), system.psi(where), size)
        T, z = round_coordinates(y, L)
        every = Residuals(*(torch.tensor(each, dtype=self.like.dtype) for each in (T @ L, a)))
        return InSpan(V, y, T, self._mixing(z), every, size)

    def _mixing(self, z: Array) -> Array:
        """C (d, k, m) to begin with, from the results (Ns, k, m): principal directions times their size, or random."""
        d, flat = self.options.d, z.reshape(len(z), -1)
        _, s, V = np.linalg.svd(flat, full_matrices=False)
        sizes = s / np.sqrt(len(z))
        start = np.eye(d, len(s))
        if self.options.latent == "random":
            start = self._rng(LATENT).standard_normal((d, len(s))) / np.sqrt(d)
        mixing: Array = (start * sizes @ V).reshape(d, *z.shape[1:])
        return mixing

    def _trained(self, loss: Loss, solutions: Solutions, stations: Array) -> NetworkCurve:
        options, box = self.options, self.system.box
        sizes = (box.dimension, *[options.width] * options.layers, options.d)
        network = Perceptron(options.activation, sizes, options.omega, self._rng(NETWORK))
        places = Places(self._unit(solutions.points), self._unit(stations), min(options.collocation, len(stations)))
        training = Adam(
            options,
            network,
            loss,
            places,
            threshold=(self.tol / MARGIN) ** 2 if options.threshold is None else options.threshold,
            rng=lambda epoch: np.random.default_rng([self.seed, COLLOCATION, epoch]),
            tell=self.tell,
        )
        training.run(self._identity(solutions.points))
        return network.curve(training.theta)

    def _measured(self, C: Array, curve: NetworkCurve, solutions: Solutions) -> Grown:
        """The model of slices C (r, n), and its worst residual at random points that nothing was trained at."""
        builder = Builder(self.system, len(C))
        builder.extend(C, 0.0)
        model = LearnedModel(self.system, builder.tensors(), curve)
        bounds = model.measured(self.system.box.random(HELD_OUT[True], self._rng(HELD))).bound
        worst = float(np.where(np.isnan(bounds), np.inf, bounds).max())
        text = f"{len(solutions.points)} solves, d = {len(C)}, {model.projection}, held-out {worst:.1e}"
        self.tell(Event("joint", text))
        return Grown(builder.basis.rows.copy(), model, solutions.points, worst, solutions.excluded)

    def _identity(self, points: Array) -> dict[str, Any]:
        """What a checkpoint must share with this training, as JSON."""
        system = self.system
        matrix, right = system.matrix(system.box.middle[0]), system.vector(system.box.middle[0])
        return {
            **self.options.fingerprint(),
            "operation": "solve, sparse",
            "matrix": [system.n, float(abs(matrix).sum()), float(abs(right).sum())],
            "box": str(system.box),
            "solves": [len(points), float(abs(points).sum())],
            "tol": self.tol,
            "rng": str(self.seed),
        }

    def _unit(self, points: Array) -> Tensor:
        return torch.tensor(self.system.box.to_unit(points), dtype=self.like.dtype)

    def _rng(self, purpose: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, purpose])


def _checked(system: System, options: Joint) -> AffineSystem:
    """The system, if it can be trained on, and with these options."""
    if not isinstance(system, AffineSystem):
        raise InputError(
            "Joint training of a sparse solve needs A as an nmc.Affine; a function that assembles A(p) came. "
            "Each of its epochs takes residuals at all collocation points, and each would assemble A there again. "
            "Write A(p) = Σ θ_q(p) A_q and pass nmc.Affine([A_1, …], theta), or use training='auto'."
        )
    if options.probes is not None:
        raise InputError(
            f"`probes` of Joint has no meaning for a sparse solve, and probes={options.probes} came. "
            "Residuals are exact there, without any probes. Leave it out."
        )
    return system


def _places(system: AffineSystem, sampler: Any, options: Joint, samples: int) -> Array:
    """Where to solve exactly, (Ns, D): a uniform grid, unless the sampler is another design."""
    chosen, box = sampler_of(sampler), system.box
    if not isinstance(chosen, FailureInformed | Design):
        raise InputError(
            f"`sampler` of joint training of a sparse solve must be a design by name, got {type(chosen).__name__}. "
            "Its exact solves are placed before anything is trained. Use 'uniform', 'chebyshev' or 'sobol'."
        )
    kind = chosen.kind if isinstance(chosen, Design) else "uniform"
    count = min(options.samples or samples, samples)
    points = box.from_unit(design(kind, count, box.dimension))
    return points[~box.excluded(points)]


def _order(system: AffineSystem, options: Joint) -> int:
    """Order of the derivatives that widen the span; the literal loss has none."""
    most = order_of(system)
    if options.derivatives is not None and options.derivatives > most:
        raise InputError(
            f"`derivatives` of Joint can be at most {most} with {system.box.dimension} parameter(s), got "
            f"{options.derivatives}. Those of higher order lose their digits, or are too many. Raise `samples` instead."
        )
    order = min(ORDER, most) if options.derivatives is None else options.derivatives
    return order if options.loss == "reduced" else 0


def _nothing(system: AffineSystem, failed: int, tried: int) -> InputError:
    return InputError(
        f"Joint training needs exact solutions that are not all zero over {system.box}; A(p) was singular at {failed} "
        f"of {tried} samples, and nothing but zeros came from the others. b was probably never filled in, or the box "
        "is full of resonances. Check b, or shrink the box."
    )
