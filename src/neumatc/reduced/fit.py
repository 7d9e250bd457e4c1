"""A fitted sparse solve: answers by the reduced model, with an exact residual at every p."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from typing import Any

import numpy as np

from neumatc.arrays import Array, as_numpy, is_sparse
from neumatc.box import Box
from neumatc.certify import Certificate
from neumatc.errors import InputError
from neumatc.history import Basis, Cost, Event
from neumatc.maps import like
from neumatc.samples import Samples

from . import archive
from .certified import CertifiedSolve
from .memory import buffer, expanded
from .model import Measured, Model
from .stencil import axis_of
from .system import AffineSystem, System


@dataclass(frozen=True)
class ReducedFit:
    """``x(p) ≈ Σ_j φ_j(p) v_j`` with φ(p) from d equations instead of n. Call it like ``scipy.sparse.linalg.spsolve``.

    After joint training φ(p) is the value of a network and ``basis.name`` is "network". All else is as it was:
    residuals are those of the answers, and ``certified`` solves exactly where they fail.

    Parameters
    ----------
    system : A(p) and b(p)
    C : (d, n) orthonormal basis of solutions
    model : finds φ(p) and the residual it leaves
    samples : what was solved exactly
    history, status, error, tol, cost : as in `neumatc.Fit`; ``error`` is the largest bound of a residual over the
        candidates and over random points that decided nothing
    excluded : (k, D) points where A(p) was singular, which were avoided

    Examples
    --------
    >>> import numpy as np, neumatc as nmc
    >>> from scipy import sparse
    >>> A = nmc.Affine([sparse.eye_array(50), sparse.diags_array(np.arange(50.0))], lambda p: [1.0, p])
    >>> f = nmc.solve(A, np.ones(50), (0.0, 1.0), rng=0)
    >>> np.allclose(f(0.5), 1 / (1 + 0.5 * np.arange(50)), rtol=1e-6), bool(f.certify(0.5).passed)
    (True, True)
    >>> (np.ones(50) @ f)([0.1, 0.2]).shape
    (2,)
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

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one answer: ``(n,)``, or ``(n, k)`` for k right-hand sides."""
        return (self.C.shape[1], *self.system.columns)

    def __call__(self, p: Any, out: Any = None) -> Any:
        """The solution ``(..., n)`` at ``p``, of any shape ``(...)`` for one parameter, ``(..., D)`` for several.

        For k right-hand sides it is ``(..., n, k)``, like that of ``numpy.linalg.solve``.

        With ``out``, a C-contiguous array of that shape, it is written into the given memory.
        """
        points, batch = self.box.points(p)
        memory = buffer(out, (*batch, *self.shape), self.C.dtype)
        expanded(self.model.coefficients(points), self.C, memory.reshape(len(points), *self.shape))
        return like(memory, p) if out is None else out

    def certify(self, p: Any, tol: float | None = None) -> Certificate:
        """Residual of the answers at ``p``: exact up to rounding, and without a solve of full size.

        Of k right-hand sides it is ``‖A X - b‖_F / ‖b‖_F``, over all columns. (The loop that places exact solves
        looks at each column relative to its own right-hand side, so that none is neglected for being small.)
        """
        points, batch = self.box.points(p)
        return self.certificate(points, self.model.measured(points), self.tol if tol is None else tol, batch)

    def certified(self, tol: float | None = None, on_fail: str = "exact") -> CertifiedSolve:
        """A callable ``p -> Answer``; where the model fails A(p) is solved exactly, or with "raise" an error raised."""
        return CertifiedSolve(self, self.tol if tol is None else tol, on_fail)

    def derivative(self, axis: int | str = 0) -> ReducedDerivative:
        """The map of ``∂x/∂p_axis``: the equations of φ, or its network, differentiated; axis by number or name."""
        return ReducedDerivative(self, axis_of(self.box, axis))

    def save(self, path: str | PathLike[str]) -> None:
        """Write one file, which ``neumatc.load(path, matrix=(A, b))`` opens; see docs/format.md."""
        archive.save(self, path)

    def __rmatmul__(self, B: Any) -> ReducedOutput:
        """Outputs ``B x(p)`` of ``B (m, n)`` or ``(n,)``, dense or sparse, from a product with the basis alone."""
        left = B if is_sparse(B) else as_numpy(B, "B in B @ f")
        if left.ndim not in (1, 2) or left.shape[-1] != self.C.shape[1]:
            raise InputError(
                f"`B @ f` needs B with {self.C.shape[1]} columns, got shape {left.shape}. "
                "The answers of f are vectors of that length. Transpose B, or check the grid it was made for."
            )
        images = np.asarray(left @ self.C.T)
        return ReducedOutput(self, np.ascontiguousarray(images.reshape(-1, self.d).T), left.ndim == 1)

    def certificate(self, points: Array, found: Measured, tol: float, batch: tuple[int, ...]) -> Certificate:
        """Of answers whose coefficients are known already."""
        error = self.error_bound(points, self._energies(found.phi), found.bound * found.size)
        return Certificate(
            residual=found.residual.reshape(batch)[()],
            bound=found.bound.reshape(batch)[()],
            confidence=1.0,
            passed=(found.bound <= tol).reshape(batch)[()],
            tol=tol,
            error_bound=None if error is None else error.reshape(batch)[()],
            theorem="" if error is None else self._theorem,
        )

    def error_bound(self, points: Array, size: Array, absolute: Array) -> Array | None:
        """``‖x - x_d‖_E <= ‖r‖_{E⁻¹} / α(p)``, relative to ``‖x‖_E``, given ``‖x_d‖_E`` and ``‖r‖_{E⁻¹}``, (B,) each.

        None without a coercivity constant α; infinite where α or the residual leave nothing to be said.
        """
        alpha = self.system.alpha(points) if isinstance(self.system, AffineSystem) else None
        if alpha is None:
            return None
        step = np.where(alpha > 0, absolute / np.where(alpha > 0, alpha, 1.0), np.inf)
        useful = size > step
        relative = np.where(useful, step / np.where(useful, size - np.where(useful, step, 0.0), 1.0), np.inf)
        return np.where((size == 0) & (step == 0), 0.0, relative)

    def energy_of(self, x: Array) -> float:
        """``‖x‖_E`` of a solution (n,) or (n, k)."""
        energy = self._energy
        return float(np.linalg.norm(x) if energy is None else np.sqrt(abs(np.vdot(x, energy @ x))))

    @property
    def _energy(self) -> Any:
        return self.system.family.energy if isinstance(self.system, AffineSystem) else None

    @property
    def _theorem(self) -> str:
        norm = "‖·‖_2" if self._energy is None else "the energy norm"
        return f"‖x - x_d‖ <= ‖r‖_dual / α(p) in {norm}, with the caller's coercivity constant α"

    def _energies(self, phi: Array) -> Array:
        """``‖V φ‖_E``, (B,)."""
        rows = np.moveaxis(phi, 1, -1)
        turned = rows if self._energy is None else rows @ self._energy_factor
        norms: Array = np.linalg.norm(turned.reshape(len(phi), math.prod(phi.shape[1:])), axis=-1)
        return norms

    @cached_property
    def _energy_factor(self) -> Array:
        """F (d, d) with ``‖V φ‖_E = ‖φ F‖``."""
        gram = self.C.conj() @ (self._energy @ self.C.T)
        factor: Array = np.linalg.cholesky((gram + gram.conj().T) / 2).conj()
        return factor

    def __repr__(self) -> str:
        n, cost = self.C.shape[1], self.cost
        failed = f", {len(self.excluded)} failed" if len(self.excluded) else ""
        micro = [f"{1e6 * s:.0f} µs" for s in (cost.query_seconds, cost.batch_seconds, cost.exact_seconds)]
        pays = "never" if math.isinf(cost.break_even) else f"after {cost.break_even} queries"
        rows = [
            ("operation", "solve, sparse" + "".join(f", {k} right-hand sides" for k in self.system.columns)),
            ("A(p)", f"{n} x {n} {self.C.dtype}, {self.system.text}, {self.box}"),
            ("exact solves", f"{len(self.samples)}{failed}"),
            ("latent tensor", f"d = {self.d}, {self.C.nbytes / 1e6:.1f} MB"),
            ("basis", str(self.basis)),
            ("status", f"{self.status} (tol {self.tol:.1e})"),
            ("held-out error", f"{self.error:.1e}"),
            ("fit", f"{cost.total_seconds:.2f} s: exact {cost.solve_seconds:.2f} s ({cost.solved})"),
            ("query", f"{micro[0]} alone, {micro[1]} in a batch; exact solve {micro[2]}; pays off {pays}"),
        ]
        return "\n".join(f"{label:<15}{text}" for label, text in rows)


@dataclass(frozen=True)
class ReducedOutput:
    """``p -> B x(p)``: linear algebra acts on C."""

    fit: ReducedFit
    C: Array
    vector: bool

    def __call__(self, p: Any) -> Any:
        """The outputs ``(..., m)`` at ``p``, or ``(...)`` for one row; of k right-hand sides with k as last axis."""
        points, batch = self.fit.box.points(p)
        phi = self.fit.model.coefficients(points)
        values = phi @ self.C if phi.ndim == 2 else self.C.T @ phi
        rows = () if self.vector else (self.C.shape[1],)
        return like(values.reshape((*batch, *rows, *self.fit.system.columns))[()], p)


@dataclass(frozen=True)
class ReducedDerivative:
    """``p -> ∂x/∂p_axis``: calculus acts on φ."""

    fit: ReducedFit
    axis: int

    def __call__(self, p: Any) -> Any:
        """The derivative at ``p``, shaped like ``f(p)``, per unit of p."""
        points, batch = self.fit.box.points(p)
        values = expanded(self.fit.model.slopes(points, self.axis), self.fit.C)
        return like(values.reshape(*batch, *self.fit.shape), p)
