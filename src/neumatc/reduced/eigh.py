"""A few eigenpairs of a sparse affine family: answers by Rayleigh–Ritz in a fixed basis, with exact residuals."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np

from neumatc.arrays import Array
from neumatc.box import Box
from neumatc.certified import ON_FAIL, PATHS, Answer
from neumatc.certify import Certificate, joined
from neumatc.errors import CertificateError, InputError
from neumatc.history import Cost, Event
from neumatc.maps import like, shaped
from neumatc.operations import EighResult
from neumatc.samples import Samples

from . import eigh_archive
from .eigensystem import Eigensystem
from .eigh_derivative import ReducedEighDerivative
from .pencil import Pairs, Pencil
from .stencil import axis_of


@dataclass(frozen=True)
class ReducedEigh:
    """The k lowest or highest eigenpairs of A(p); call it for a named tuple (eigenvalues, eigenvectors).

    Parameters
    ----------
    system : A(p) and B(p)
    C : (d, n) orthonormal basis, spanned by eigenvectors at the samples
    pencil : reduced tensors
    samples, history, status, error, tol, cost : as in `neumatc.Fit`; ``error`` is the worst residual at random points
    checked : at how many random points the pairs were compared with exact ones, so that none is missing there
    """

    system: Eigensystem
    C: Array
    pencil: Pencil
    samples: Samples
    history: tuple[Event, ...]
    status: str
    error: float
    tol: float
    cost: Cost
    checked: int

    @property
    def box(self) -> Box:
        return self.system.box

    @property
    def d(self) -> int:
        return len(self.C)

    def __call__(self, p: Any) -> EighResult:
        """Eigenvalues ``(..., k)``, ascending, and B-orthonormal eigenvectors ``(..., n, k)`` at ``p``."""
        points, batch = self.box.points(p)
        pairs = self.pencil.pairs(self.system.theta(points), self.system.psi(points))
        result: EighResult = like(shaped(EighResult(*self.answers(pairs)), batch), p)
        return result

    def eigenvalues(self, p: Any) -> Any:
        """Eigenvalues ``(..., k)`` alone: a cost independent of n."""
        points, batch = self.box.points(p)
        pairs = self.pencil.pairs(self.system.theta(points), self.system.psi(points))
        return like(shaped(self.values(pairs), batch), p)

    def derivative(self, axis: int | str = 0) -> ReducedEighDerivative:
        """The map of ``∂/∂p_axis`` of values and vectors, shaped like ``f(p)``; ``axis`` by number or by name."""
        return ReducedEighDerivative(self, axis_of(self.box, axis))

    def save(self, path: str | PathLike[str]) -> None:
        """Write one file, which ``neumatc.load(path, matrix=A)``, or ``(A, B)``, opens; see docs/format.md."""
        eigh_archive.save(self, path)

    def certify(self, p: Any, tol: float | None = None) -> Certificate:
        """Worst residual ``‖A x - λ B x‖ / max|λ|`` of the pairs at ``p``, exact up to rounding, without a solve.

        With ``B = I`` every value is within that of some eigenvalue (Weyl). That none is missing between them is known
        at the points that were checked only.
        """
        points, batch = self.box.points(p)
        certificate = self._certificate(points, self.tol if tol is None else tol)[1]
        return joined([certificate], batch)

    def certified(self, tol: float | None = None, on_fail: str = "exact") -> CertifiedEigh:
        """A callable ``p -> Answer``; where the residual fails A(p) is solved exactly."""
        return CertifiedEigh(self, self.tol if tol is None else tol, on_fail)

    def _certificate(self, points: Array, tol: float) -> tuple[Pairs, Certificate]:
        theta, psi = self.system.theta(points), self.system.psi(points)
        pairs = self.pencil.pairs(theta, psi)
        scale, absolute = self.pencil.scale(pairs), self.pencil.residuals(pairs, theta, psi)
        residual = absolute.max(-1) / scale
        bound = (absolute + self.pencil.rounding(pairs, theta, psi)).max(-1) / scale
        theorem = "|λ - θ| <= ‖A x - θ x‖ for some eigenvalue λ (Weyl)" if self.system.euclidean else ""
        error = bound if theorem else None
        return pairs, Certificate(residual, bound, 1.0, bound <= tol, tol, error, theorem)

    def values(self, pairs: Pairs) -> Array:
        values: Array = self.system.sign * pairs.values
        return values if self.system.sign > 0 else values[:, ::-1]

    def answers(self, pairs: Pairs) -> tuple[Array, Array]:
        vectors = np.einsum("dn,bdk->bnk", self.C, pairs.y, optimize=True)
        return self.values(pairs), vectors if self.system.sign > 0 else vectors[:, :, ::-1]

    def __repr__(self) -> str:
        cost, kind = self.cost, "" if self.system.euclidean else ", generalised"
        rows = [
            ("operation", f"eigh, sparse and affine{kind}, {self.system.rank} {self.system.which}"),
            ("A(p)", f"{self.system.n} x {self.system.n}, {len(self.system.A.matrices)} terms, {self.box}"),
            ("exact solves", f"{len(self.samples)}, and {self.checked} to check that no pair is missing"),
            ("latent tensor", f"d = {self.d}, {self.C.nbytes / 1e6:.1f} MB"),
            ("status", f"{self.status} (tol {self.tol:.1e})"),
            ("held-out error", f"{self.error:.1e}"),
            ("fit", f"{cost.total_seconds:.2f} s, of it exact {cost.solve_seconds:.2f} s ({cost.solved})"),
            ("query", f"{1e6 * cost.query_seconds:.0f} µs alone; exact solve {1e6 * cost.exact_seconds:.0f} µs"),
        ]
        return "\n".join(f"{label:<15}{text}" for label, text in rows)


@dataclass(frozen=True)
class CertifiedEigh:
    """``p -> Answer``; no answer leaves whose residual bound exceeds ``tol``."""

    fit: ReducedEigh
    tol: float
    on_fail: str = "exact"

    def __post_init__(self) -> None:
        if self.on_fail not in ON_FAIL or not self.tol > 0:
            raise InputError(
                f"`on_fail` must be one of {ON_FAIL} and `tol` positive, got {self.on_fail!r} and {self.tol!r}. "
                "They say what happens where the model's answer fails, and when it does. Try tol=1e-8, on_fail='exact'."
            )

    def __call__(self, p: Any) -> Answer:
        """Certified pairs at ``p``, shaped like ``f(p)``."""
        fit = self.fit
        points, batch = fit.box.points(p)
        pairs, certificate = fit._certificate(points, self.tol)
        values, vectors = fit.answers(pairs)
        values, vectors = np.ascontiguousarray(values), np.ascontiguousarray(vectors)
        bound, path = certificate.bound.copy(), np.zeros(len(points), int)
        for i in np.flatnonzero(~certificate.passed):
            if self.on_fail == "exact":
                values[i], vectors[i], bound[i] = self._exact(points[i])
                path[i] = 2
        if not np.all(bound <= self.tol):
            worst = int(np.argmax(np.nan_to_num(bound, nan=np.inf)))
            raise CertificateError(
                f"No answer within tol = {self.tol:.1e} at {fit.box.describe(points[worst])}: the residual bound is "
                f"{bound[worst]:.1e}. Lanczos stops near rounding times the largest eigenvalue, which may be far above "
                f"the wanted ones. Ask for a tol of a few times {bound[worst]:.1e}, or use on_fail='exact'."
            )
        error, theorem = certificate.error_bound, certificate.theorem
        whole = Certificate(bound, bound, 1.0, bound <= self.tol, self.tol, error if error is None else bound, theorem)
        result = like(shaped(EighResult(values, vectors), batch), p)
        names = PATHS[path].reshape(batch)[()]
        return Answer(result, joined([whole], batch), names if batch else str(names))

    def _exact(self, point: Array) -> tuple[Array, Array, float]:
        system = self.fit.system
        values, vectors = system.solve(point, system.rank)
        A, B = system.matrices(point)
        R = A @ vectors - (B @ vectors) * values
        bound = float(np.linalg.norm(R, axis=0).max() / (np.abs(values).max() or 1.0))
        order = slice(None) if system.sign > 0 else slice(None, None, -1)
        return system.sign * values[order], vectors[:, order], bound
