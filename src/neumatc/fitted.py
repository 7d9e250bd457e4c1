"""What a fit is: a callable map that knows how good it is and what it cost."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike
from typing import Any

import numpy as np

from neumatc import archive
from neumatc.arrays import Array, double
from neumatc.box import Box
from neumatc.certified import Certified
from neumatc.certify import Certificate, Checker, joined
from neumatc.correct import Corrector, Reduced
from neumatc.errors import InputError
from neumatc.gauge import Factors
from neumatc.history import Basis, Cost, Event
from neumatc.maps import Map
from neumatc.operations import Operation
from neumatc.probes import probe_counts
from neumatc.problem import Problem
from neumatc.samples import Samples
from neumatc.sketch import Sketch
from neumatc.surrogate import Surrogate, product
from neumatc.topology.report import GaugeReport

CORRECTION, CERTIFICATE = 101, 102
"""Branches of the seed: probes of one purpose are never those of another."""

CORRECTED_NUMBERS = 1 << 24
"""Numbers of the latent equations that are held at once."""

CHEAP, EXACT = 1e6, 30.0
"""Operations of a correction that are never counted, and those of an exact solve in units of n³."""


@dataclass(frozen=True)
class Fit:
    """A fitted parametric matrix operation. Call it like the function it stands for.

    Parameters
    ----------
    map : evaluates C ×₃ Φ(p); ``f(p)`` calls it
    operation : what was fitted
    problem : the family with A(p), or None after ``load`` without a matrix
    samples : what was solved exactly
    basis : which curve was chosen, and why
    history, status, error, tol, cost : what happened; "converged", "budget" or "stalled"; the worst relative residual
        over held-out points, measured with fresh probes on the stored numbers; what was asked for; what it took
    seed, seeded : root of all random numbers, and whether the caller gave it
    dtype, shape, exponent : of A(p), and the power of two it was divided by internally
    excluded : (k, D) points at which A(p) or its exact result could not be had, for a box that lets failures be (see
        `Box.excluding`); the history tells the reasons
    """

    map: Map
    operation: Operation
    problem: Problem | None
    samples: Samples
    basis: Basis
    history: tuple[Event, ...]
    status: str
    error: float
    tol: float
    cost: Cost
    seed: int
    seeded: bool
    dtype: np.dtype[Any]
    shape: tuple[int, int]
    witness: Mapping[str, Array] = field(default_factory=dict, repr=False)
    excluded: Array = field(default_factory=lambda: np.empty((0, 1)), repr=False)

    __array_ufunc__ = None

    @property
    def box(self) -> Box:
        return self.map.box

    @property
    def surrogate(self) -> Surrogate:
        return self.map.surrogate

    def __call__(self, p: Any, out: Any = None, *, reproducible: bool = False) -> Any:
        """Evaluate at ``p``; see `Map`. Type and trailing shape are those of ``numpy.linalg``."""
        return self.map(p, out, reproducible=reproducible)

    def derivative(self, axis: int | str = 0) -> Map:
        """The map of ``∂/∂p_axis``, exact for the fitted curve."""
        return self.map.derivative(axis)

    def __matmul__(self, B: Any) -> Map:
        product: Map = self.map @ B
        return product

    def __rmatmul__(self, B: Any) -> Map:
        product: Map = B @ self.map
        return product

    def __getitem__(self, index: Any) -> Map:
        return self.map[index]

    def certify(self, p: Any, tol: float | None = None) -> Certificate:
        """Check the uncorrected answers at ``p`` against A(p), without solving anything.

        Returns
        -------
        Certificate with the estimated relative residual, an upper bound and its confidence (joint for all of ``p``),
        shaped like the batch of p. ``passed`` compares the bound with ``tol`` (default: the tol of the fit).
        """
        points, batch = self.box.points(p)
        problem, tol = self.problem_or_raise, self.tol if tol is None else tol
        size = max(1, (1 << 23) // (self.shape[0] * self.shape[1]))
        parts = []
        for i in range(0, max(len(points), 1), size):
            some = points[i : i + size]
            F = problem.rescale(self.map.factors(self.box.to_unit(some)))
            parts.append(self.checker.certificate(problem.matrices(some), F, tol, len(points)))
        return joined(parts, batch)

    def certified(self, tol: float | None = None, on_fail: str = "exact") -> Certified:
        """A callable ``p -> Answer`` that never returns an answer whose bound exceeds ``tol``.

        ``on_fail`` says what happens where the corrected answer fails too: "exact" solves exactly, "raise" raises
        `CertificateError`.
        """
        return Certified(self, self.tol if tol is None else tol, on_fail)

    def gauge_report(self) -> GaugeReport:
        """What was found about the freedom in the factors: crossings, clusters, gaps, loops; read from the history."""
        return GaugeReport.of(self.operation.gauge, self.history, self.status == "converged")

    def save(self, path: str | PathLike[str]) -> None:
        """Write one file that ``neumatc.load`` opens without torch; see docs/format.md."""
        archive.save(self, path)

    @property
    def problem_or_raise(self) -> Problem:
        if self.problem is None:
            raise InputError(
                f"This needs A(p), but the fit of `{self.operation.name}` was loaded without its matrix. "
                "A file holds the map, never the caller's function. Load with neumatc.load(path, matrix=A)."
            )
        return self.problem

    @cached_property
    def checker(self) -> Checker:
        """Probes of the certificate: fresh entropy unless a seed was given, never those of training or correction."""
        entropy = [self.seed, CERTIFICATE] if self.seeded else None
        return Checker.draw(self.operation, self._shapes(), double(self.dtype), np.random.default_rng(entropy))

    @cached_property
    def corrector(self) -> Corrector:
        """Latent tensors of the correction; built at the first use."""
        problem, surrogate = self.problem_or_raise, self.surrogate
        slices = {name: X.astype(double(X.dtype)) for name, X in problem.rescale(surrogate.slices()).items()}
        # Where a hole is, A(p) is known to exist at the samples only.
        middle = problem.box.middle if problem.box.hole is None else self.samples.points[:1]
        A = problem.matrices(middle if problem.tabulated is None else problem.tabulated[:1])
        known = self.operation.given(A)
        values = {**known, **{name: X[:1] for name, X in slices.items()}}
        rng = np.random.default_rng([self.seed, CORRECTION])
        equations = self.operation.equations()
        counts = probe_counts(self._unknowns, known, sum(e.shape(values)[1] for e in equations))
        sketch = Sketch.draw(equations, values, counts, double(self.dtype), rng)
        return Corrector.of(self.operation, sketch, slices, surrogate.complex_coefficients, known)

    def reduced(self, p: Any) -> Reduced:
        """The latent equations at ``p``; their size does not depend on n."""
        points, _ = self.box.points(p)
        return self.corrector.reduce(self.operation.given(self.problem_or_raise.matrices(points)))

    def corrected_factors(self, A: Array, x: Array) -> Factors:
        """Stored factors after latent Gauss-Newton at ``x (B, D)``, given the matrices there."""
        phi, size = self.surrogate.curve(x), max(1, CORRECTED_NUMBERS // (5 * self._unknowns**2))
        for i in range(0, len(x), size):
            reduced = self.corrector.reduce(self.operation.given(A[i : i + size]))
            phi[i : i + size] = reduced.solve(phi[i : i + size])
        flat = product(self.surrogate._coefficients(phi), self.surrogate.C)
        return self.problem_or_raise.rescale(self.surrogate.layout.unpack(flat))

    @property
    def correction_pays(self) -> bool:
        """Whether latent equations exist, and are solved in less time than the operation itself."""
        equations = self.operation.equations()
        if not equations or not all(equation.polynomial for equation in equations):
            return False
        return 10 * self._unknowns**3 <= max(CHEAP, EXACT * float(max(self.shape)) ** 3)

    @property
    def _unknowns(self) -> int:
        return self.surrogate.d * (2 if self.surrogate.complex_coefficients else 1)

    def _shapes(self) -> dict[str, Any]:
        """Zero matrices with the shapes of A and the canonical factors."""
        F = self.map.factors(np.zeros((1, self.box.dimension)))
        return {**self.operation.given(np.zeros((1, *self.shape), double(self.dtype))), **F}

    def __repr__(self) -> str:
        # An operation of several matrices was given them as one flat row, and remembers their shapes.
        shapes = getattr(self.operation, "shapes", None) or (self.shape,)
        sizes = " and ".join(f"{rows} x {columns}" for rows, columns in shapes)
        rows = [
            ("operation", self.operation.name),
            ("A(p)", f"{sizes} {self.dtype}, {self.box}"),
            ("exact solves", f"{len(self.samples)}" + (f", {len(self.excluded)} failed" if len(self.excluded) else "")),
            ("latent tensor", f"d = {self.surrogate.d}, {self.surrogate.nbytes / 1e6:.1f} MB"),
            ("basis", str(self.basis)),
            ("status", f"{self.status} (tol {self.tol:.1e})"),
            ("held-out error", f"{self.error:.1e}"),
            ("fit", _cost_line(self.cost)),
            ("query", _query_line(self.cost)),
        ]
        return "\n".join(f"{label:<15}{text}" for label, text in rows)


def _cost_line(cost: Cost) -> str:
    parts = [f"A(p) {cost.build_seconds:.2f} s ({cost.built})", f"exact {cost.solve_seconds:.2f} s ({cost.solved})"]
    parts += [f"{name} {seconds:.2f} s" for name, seconds in cost.stages.items()]
    return f"{cost.total_seconds:.2f} s: " + ", ".join(parts)


def _query_line(cost: Cost) -> str:
    micro = [f"{1e6 * s:.0f} µs" for s in (cost.query_seconds, cost.batch_seconds, cost.exact_seconds)]
    pays = "never" if math.isinf(cost.break_even) else f"after {cost.break_even} queries"
    return f"{micro[0]} alone, {micro[1]} in a batch; exact solve {micro[2]}; pays off {pays}"
