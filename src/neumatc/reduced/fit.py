"""A fitted sparse solve: answers by the reduced model, with an exact residual at every p."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from neumatc.arrays import Array, as_numpy
from neumatc.box import Box
from neumatc.certified import PATHS, Answer
from neumatc.certify import Certificate
from neumatc.errors import CertificateError, InputError
from neumatc.history import Basis, Cost, Event
from neumatc.maps import like
from neumatc.samples import Samples
from neumatc.surrogate import product

from .model import Model
from .system import System


@dataclass(frozen=True)
class ReducedFit:
    """``x(p) ≈ Σ_j φ_j(p) v_j`` with φ(p) from d equations instead of n. Call it like ``scipy.sparse.linalg.spsolve``.

    Parameters
    ----------
    system : A(p) and b(p)
    C : (d, n) orthonormal basis of solutions
    model : reduced tensors
    samples : what was solved exactly
    history, status, error, tol, cost : as in `neumatc.Fit`; ``error`` is the worst residual of 200 random points
    excluded : (k, D) points where A(p) was singular, which were avoided
    """

    system: System
    C: Array
    model: Model
    samples: Samples
    history: tuple[Event, ...]
    status: str
    error: float
    tol: float
    cost: Cost
    excluded: Array

    __array_ufunc__ = None

    @property
    def box(self) -> Box:
        return self.system.box

    @property
    def basis(self) -> Basis:
        """How coefficients are found."""
        return Basis(self.model.projection, self.error)

    @property
    def d(self) -> int:
        return len(self.C)

    def __call__(self, p: Any, out: Any = None) -> Any:
        """The solution ``(..., n)`` at ``p``, of any shape ``(...)`` for one parameter, ``(..., D)`` for several."""
        points, batch = self.box.points(p)
        phi = self._phi(points)
        shape = (*batch, self.C.shape[1])
        if out is not None:
            if not isinstance(out, np.ndarray) or out.shape != shape or out.dtype != self.C.dtype:
                came = f"{type(out).__name__} {getattr(out, 'shape', '')} {getattr(out, 'dtype', '')}"
                raise InputError(
                    f"`out` must be an array of shape {shape} and dtype {self.C.dtype}, got {came}. "
                    "Nothing is cast or copied into place. Allocate it with np.empty(shape, dtype)."
                )
            product(phi, self.C, out.reshape(len(points), -1))
            return out
        return like(product(phi, self.C).reshape(shape), p)

    def certify(self, p: Any, tol: float | None = None) -> Certificate:
        """Residual of the answers at ``p``: exact up to rounding, without forming them and without a solve."""
        points, batch = self.box.points(p)
        return self._certificate(points, self._phi(points), self.tol if tol is None else tol, batch)

    def certified(self, tol: float | None = None, on_fail: str = "exact") -> CertifiedSolve:
        """A callable ``p -> Answer``; where the model fails A(p) is solved exactly."""
        return CertifiedSolve(self, self.tol if tol is None else tol, on_fail)

    def __rmatmul__(self, B: Any) -> ReducedOutput:
        """Outputs ``B x(p)`` of ``B (k, n)`` or ``(n,)``, at a cost independent of n."""
        left = as_numpy(B, "B in B @ f")
        if left.ndim not in (1, 2) or left.shape[-1] != self.C.shape[1]:
            raise InputError(
                f"`B @ f` needs B with {self.C.shape[1]} columns, got shape {left.shape}. "
                "The answers of f are vectors of that length. Transpose B, or check the grid it was made for."
            )
        return ReducedOutput(self, self.C @ left.T if left.ndim == 2 else self.C @ left[:, None], left.ndim == 1)

    def _phi(self, points: Array) -> Array:
        return self.model.coefficients(self.system.theta(points), self.system.psi(points))

    def _certificate(self, points: Array, phi: Array, tol: float, batch: tuple[int, ...]) -> Certificate:
        theta, psi = self.system.theta(points), self.system.psi(points)
        residual = self.model.residual(phi, theta, psi)
        bound = residual + self.model.rounding(phi, theta, psi)
        error, theorem = self._error_bound(points, phi, bound * self.model.scale(psi))
        return Certificate(
            residual=residual.reshape(batch)[()],
            bound=bound.reshape(batch)[()],
            confidence=1.0,
            passed=(bound <= tol).reshape(batch)[()],
            tol=tol,
            error_bound=None if error is None else error.reshape(batch)[()],
            theorem=theorem,
        )

    def _error_bound(self, points: Array, phi: Array, absolute: Array) -> tuple[Array | None, str]:
        """``‖x - V φ‖_E <= ‖r‖_{E⁻¹} / α(p)``, relative to ``‖V φ‖_E`` less itself."""
        family = self.system.family
        if family.coercivity is None:
            return None, ""
        alpha = np.array([float(family.coercivity(self.box.scalar(row))) for row in points])
        step = absolute / alpha
        size = self._energy_norm(phi)
        error = np.where(size > step, step / np.where(size > step, size - step, 1.0), np.inf)
        norm = "‖·‖_2" if family.energy is None else "the energy norm"
        return error, f"‖x - x_d‖ <= ‖r‖_dual / α(p) in {norm}, with the caller's coercivity constant α"

    def _energy_norm(self, phi: Array) -> Array:
        norms: Array = np.linalg.norm(phi @ self._energy_factor, axis=-1)
        return norms

    @property
    def _energy_factor(self) -> Array:
        """F (d, d) with ``‖V φ‖_E = ‖φ F‖``."""
        energy = self.system.family.energy
        if energy is None:
            return np.eye(self.d)
        gram = self.C.conj() @ (energy @ self.C.T)
        factor: Array = np.linalg.cholesky((gram + gram.conj().T) / 2).conj()
        return factor

    def __repr__(self) -> str:
        n, cost = self.C.shape[1], self.cost
        parts = " + ".join(f"{part.nnz:,}" for part in self.system.family.matrices)
        rows = [
            ("operation", "solve, sparse and affine"),
            ("A(p)", f"{n} x {n}, nonzeros {parts}, {self.box}"),
            ("exact solves", f"{len(self.samples)}" + (f", {len(self.excluded)} failed" if len(self.excluded) else "")),
            ("latent tensor", f"d = {self.d}, {self.C.nbytes / 1e6:.1f} MB"),
            ("projection", self.model.projection),
            ("status", f"{self.status} (tol {self.tol:.1e})"),
            ("held-out error", f"{self.error:.1e}"),
            ("fit", f"{cost.total_seconds:.2f} s, of it exact {cost.solve_seconds:.2f} s ({cost.solved})"),
            ("query", f"{1e6 * cost.query_seconds:.0f} µs alone, {1e6 * cost.batch_seconds:.0f} µs in a batch; "
                      f"exact solve {1e6 * cost.exact_seconds:.0f} µs"),
        ]  # fmt: skip
        return "\n".join(f"{label:<15}{text}" for label, text in rows)


@dataclass(frozen=True)
class ReducedOutput:
    """``p -> B x(p)``: linear algebra acts on C."""

    fit: ReducedFit
    C: Array
    vector: bool

    def __call__(self, p: Any) -> Any:
        points, batch = self.fit.box.points(p)
        values = self.fit._phi(points) @ self.C
        return like(values.reshape(batch if self.vector else (*batch, self.C.shape[1]))[()], p)


@dataclass(frozen=True)
class CertifiedSolve:
    """``p -> Answer``; no answer leaves whose bound exceeds ``tol``."""

    fit: ReducedFit
    tol: float
    on_fail: str = "exact"

    def __call__(self, p: Any) -> Answer:
        """Certified solutions at ``p``, shaped like ``f(p)``."""
        points, batch = self.fit.box.points(p)
        phi = self.fit._phi(points)
        certificate = self.fit._certificate(points, phi, self.tol, (len(points),))
        value = product(phi, self.fit.C)
        path, bound, residual = np.zeros(len(points), int), certificate.bound.copy(), certificate.residual.copy()
        for i in np.flatnonzero(~certificate.passed):
            if self.on_fail == "exact":
                value[i], residual[i] = self.fit.system.solve(points[i])
                bound[i], path[i] = residual[i] * (1 + 1e-12), 2
        if not np.all(bound <= self.tol):
            worst = int(np.argmax(bound))
            raise CertificateError(
                f"No answer within tol = {self.tol:.1e} at {self.fit.box.describe(points[worst])}: the bound is "
                f"{bound[worst]:.1e}. Rounding in an ill-conditioned A is the usual cause where A(p) was solved exactly. "
                f"Ask for a tol of a few times {bound[worst]:.1e}, or use on_fail='exact'."
            )
        whole = Certificate(
            residual.reshape(batch)[()], bound.reshape(batch)[()], 1.0, (bound <= self.tol).reshape(batch)[()], self.tol,
            _exact_known(certificate.error_bound, path, batch), certificate.theorem,
        )  # fmt: skip
        names = PATHS[path].reshape(batch)[()]
        return Answer(like(value.reshape(*batch, -1), p), whole, names if batch else str(names))


def _exact_known(error: Any, path: Array, batch: tuple[int, ...]) -> Any:
    """Error bounds of the model's answers; an exact solve has none of its own."""
    return None if error is None else np.where(path == 0, error, np.nan).reshape(batch)[()]
