"""What a fit is: a callable map that knows how good it is and what it cost."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from neumatc import archive
from neumatc.arrays import Array, double
from neumatc.box import Box
from neumatc.certified import Certified
from neumatc.certify import Certificate, Checker, joined
from neumatc.correct import Corrector, Probed, Reduced
from neumatc.direct import buffer
from neumatc.errors import InputError
from neumatc.gauge import Factors
from neumatc.history import Basis, Cost, Event
from neumatc.latent.answers import Answers
from neumatc.latent.model import Latent
from neumatc.maps import Map, like, shaped
from neumatc.operations import Operation
from neumatc.problem import Problem
from neumatc.query import unit_points
from neumatc.samples import Samples
from neumatc.surrogate import Surrogate
from neumatc.topology.report import GaugeReport

if TYPE_CHECKING:
    from neumatc.tensors import DeviceFit

CERTIFICATE = 102
"""Branch of the seed: probes of one purpose are never those of another."""

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

    def smooth(self, p: Any, out: Any = None) -> Factors:
        """The factors as the map holds them, by name: smooth in p, neither sorted nor brought into the user's form.

        Sorted singular vectors or eigenvectors jump where values cross; these do not. For leading triplets they are U,
        M and V with ``A ≈ U M Vᴴ``, M no more than nearly diagonal: at large ranks a tenth of the work of ``f(p)``.

        Parameters
        ----------
        p : inside the box, as for ``f(p)``
        out : C-contiguous memory for all factors together, of shape ``(*batch, N)`` with N columns of the latent tensor

        Returns
        -------
        dict of arrays ``(*batch, rows, columns)``, views of ``out`` where they are stored in full.

        Examples
        --------
        >>> import numpy as np, neumatc as nmc
        >>> def A(p):  # the eigenvalues p and 1 - p cross at one half
        ...     return np.diag([p, 1.0 - p, 3.0])
        >>> f = nmc.eigh(A, box=(0.0, 1.0), rng=0)
        >>> left, right = f.smooth(0.4)["V"], f.smooth(0.6)["V"]
        >>> bool(abs(left - right).max() < 1e-12), bool(abs(f(0.4)[1] - f(0.6)[1]).max() < 1e-12)
        (True, False)
        """
        (x, batch), C = unit_points(self.box, p), self.surrogate.C
        memory = None if out is None else buffer(out, (*batch, C.shape[1]), C.dtype).reshape(len(x), C.shape[1])
        F = self.surrogate.layout.unpack(self.surrogate.flat(x, memory))
        return {name: like(shaped(X, batch), p) for name, X in F.items()}

    def stream(self, p: Any, size: int | None = None) -> Iterator[tuple[slice, Any]]:
        """Answer a long batch piece by piece, for outputs larger than memory; see `Map.stream`."""
        return self.map.stream(p, size)

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

        Where the coefficients φ(p) tell everything about the answer, it is not formed, and of an affine A(p) only the
        coefficients θ(p) are asked for: the residual is seen through probes on both of its sides.

        Returns
        -------
        Certificate with the estimated relative residual, an upper bound and its confidence (joint for all of ``p``),
        shaped like the batch of p. ``passed`` compares the bound with ``tol`` (default: the tol of the fit).
        """
        points, batch = self.box.points(p)
        problem, tol = self.problem_or_raise, self.tol if tol is None else tol
        if self.latent.certifies:
            return joined([self.answers(tol).judged(points, self.box.to_unit(points), looks=2)], batch)
        size = problem.held
        parts = []
        for i in range(0, max(len(points), 1), size):
            some = points[i : i + size]
            F = problem.rescale(self.map.factors(self.box.to_unit(some)))
            parts.append(self.checker.certificate(problem.matrices(some), F, tol, len(points)))
        return joined(parts, batch)

    def corrected(self, p: Any, out: Any = None) -> Any:
        """Answers at ``p`` after latent Gauss-Newton, not certified; ``p``, ``out`` and result as those of ``f(p)``.

        The coefficients that solve ``min_φ ‖r(φ)‖`` take the place of φ(p), where r is the sketched residual of the
        operation's equations for the true A(p). What is left of the error is that of the span of C, up to a factor near
        one. For an affine A(p) = Σ_q θ_q(p) A_q a step costs O(d³) whatever n is, and θ(p) is all that is asked for;
        for any other A(p) its product with a few dozen vectors comes on top. Nothing changes where a step would
        not make the residual smaller.

        Raises
        ------
        InputError
            Where no latent equations exist: for values alone, and functions such as the logarithm.

        Examples
        --------
        >>> import numpy as np, neumatc as nmc
        >>> A = nmc.Affine([np.diag([2.0, 3.0]), np.ones((2, 2))], lambda p: [1.0, p])
        >>> f = nmc.inv(A, box=(0.0, 1.0), rng=0)
        >>> bool(np.abs(f.corrected(0.5) @ [[2.5, 0.5], [0.5, 3.5]] - np.eye(2)).max() < 1e-14)
        True
        """
        points, batch = self.box.points(p)
        self.latent.refuse_without_equations()
        phi = self.surrogate.curve(self.box.to_unit(points))
        value = self.map.expand(self.latent.corrected(self.latent.at(points), phi), batch, out)
        return like(value, p) if out is None else out

    def certified(self, tol: float | None = None, on_fail: str = "exact") -> Certified:
        """A callable ``p -> Answer`` that never returns an answer whose bound exceeds ``tol``.

        ``on_fail`` says what happens where the corrected answer fails too: "exact" solves exactly, "raise" raises
        `CertificateError`.
        """
        return Certified(self, self.tol if tol is None else tol, on_fail)

    def to(self, device: Any, dtype: Any = None, *, theta: Any = None) -> DeviceFit:
        """The same map on a torch device, whose queries never wait for the host: see `neumatc.tensors.DeviceFit`.

        ``dtype`` is the precision of C there, that of the fit by default. ``theta``, for correction and certificates of
        an affine A(p), gives its coefficients as a function of tensors, ``p (B, D) -> (B, Q)``.
        """
        from neumatc.tensors import DeviceFit

        return DeviceFit.of(self, device, dtype, theta)

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
    def latent(self) -> Latent:
        """The equations of the coefficients φ: correction and certificates that know no n."""
        return Latent(self.problem_or_raise, self.surrogate, self.samples, self.seed, self.seeded)

    def answers(self, tol: float, exact: bool = True) -> Answers:
        """Certified answers by coefficients; only where ``latent.certifies``."""
        return Answers(self.latent, self.checker, tol, self.correction_pays, exact)

    @property
    def corrector(self) -> Corrector:
        """Latent tensors of the correction; built at the first use."""
        return self.latent.corrector

    def reduced(self, p: Any) -> Reduced | Probed:
        """The latent equations at ``p``; their size does not depend on n."""
        return self.latent.reduced(self.latent.at(self.box.points(p)[0]))

    def corrected_factors(self, A: Array, x: Array) -> Factors:
        """Stored factors after latent Gauss-Newton at ``x (B, D)``, given the matrices there."""
        return self.latent.factors(self.latent.corrected_at(A, self.surrogate.curve(x)))

    @cached_property
    def correction_pays(self) -> bool:
        """Whether latent equations exist, and are solved in less time than the operation itself."""
        if not self.latent.solvable:
            return False
        return 10 * self.surrogate.unknowns**3 <= max(CHEAP, EXACT * float(max(self.shape)) ** 3)

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
