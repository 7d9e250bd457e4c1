"""Reduced models behind one interface: coefficients, exact residuals, and slopes at many points.

Where A(p) is affine everything n-sized is computed beforehand, and a query costs nothing that grows with n. Elsewhere
A(p) is assembled at every query and multiplied with the d vectors of the basis: far less than a factorisation.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from neumatc.arrays import Array

from .entries import unit
from .exact import longest_row, relative, size_of
from .stencil import slope_of, stencil
from .system import AffineSystem, GeneralSystem
from .tensors import Projection, Tensors, hidden


@dataclass(frozen=True)
class Measured:
    """Answers and what is known of them: φ (B, d), and (B,) each: relative residual, bound of it, ``‖b‖``.

    Of k right-hand sides φ is (B, d, k), and norms are those of Frobenius, over all columns.
    """

    phi: Array
    residual: Array
    bound: Array
    size: Array


class Model(ABC):
    """How coefficients of the basis are found."""

    projection: str

    @abstractmethod
    def coefficients(self, points: Array) -> Array:
        """φ ``(B, d)``, or ``(B, d, k)``, at points (B, D)."""

    @abstractmethod
    def measured(self, points: Array) -> Measured:
        """φ, and the residual it leaves: exact up to rounding, without a solve."""

    @abstractmethod
    def slopes(self, points: Array, axis: int) -> Array:
        """``∂φ/∂p_axis``, shaped like φ, from the differentiated equations."""


@final
@dataclass(frozen=True)
class AffineModel(Model):
    """Coefficients of an affine system from tensors that do not know n."""

    system: AffineSystem
    tensors: Tensors

    @property
    def projection(self) -> Projection:  # type: ignore[override]
        return self.tensors.projection

    def coefficients(self, points: Array) -> Array:
        return self.tensors.coefficients(self.system.theta(points), self.system.psi(points))

    def measured(self, points: Array) -> Measured:
        theta, psi = self.system.theta(points), self.system.psi(points)
        return measured(self.tensors, self.tensors.coefficients(theta, psi), theta, psi)

    def slopes(self, points: Array, axis: int) -> Array:
        system = self.system
        theta, psi = system.theta(points), system.psi(points)
        change = [slope_of(each, system.box, points, axis) for each in (system.theta, system.psi)]
        return self.tensors.slopes(self.tensors.coefficients(theta, psi), theta, psi, *change)


@final
@dataclass(frozen=True)
class AssembledModel(Model):
    """Coefficients of a general system: A(p) is assembled, and ``A(p) V`` multiplied out, at every point.

    Parameters
    ----------
    system : A(p) and b(p)
    C : (d, n) orthonormal basis, one vector a row
    """

    system: GeneralSystem
    C: Array
    projection: Projection = "galerkin"

    def with_projection(self, projection: Projection) -> AssembledModel:
        return replace(self, projection=projection)

    def coefficients(self, points: Array) -> Array:
        return self._stacked([self._at(point).phi for point in points])

    def measured(self, points: Array) -> Measured:
        found = [self._at(point).measured() for point in points]
        phi = self._stacked([each[0] for each in found])
        numbers = np.array([each[1:] for each in found]).reshape(-1, 3).T
        return Measured(phi, *numbers)

    def slopes(self, points: Array, axis: int) -> Array:
        nodes, weights = stencil(self.system.box, points, axis)
        found = [self._slope(*each) for each in zip(points, nodes, weights, strict=True)]
        return self._stacked(found)

    def _slope(self, point: Array, nodes: Array, weights: Array) -> Array:
        here = self._at(point)
        x = _sum(here.phi, self.C)
        parts = [
            (w, self.system.matrix(node), self.system.vector(node)) for w, node in zip(weights, nodes, strict=True)
        ]
        change = sum(w * (b - A @ x) for w, A, b in parts)  # b' - A' x
        if self.projection == "galerkin":
            slope: Array = np.linalg.solve(here.galerkin, self.C.conj() @ change)
            return slope
        r = here.b - here.A @ x
        turned = sum(w * (self.C @ (A.T @ r.conj())).conj() for w, A, _ in parts)  # (A' V)ᴴ r
        Q, R = np.linalg.qr(here.W.T)
        slope = np.linalg.solve(R, Q.conj().T @ change + np.linalg.solve(R.conj().T, turned))
        return slope

    def _at(self, point: Array) -> Place:
        A, b = self.system.matrix(point), self.system.vector(point)
        # Vector by vector: a product with C.T would copy all of C into the order that SciPy wants.
        W = np.stack([A @ v for v in self.C])
        return Place(A, b, self.C, W, self.projection)

    def _stacked(self, rows: list[Array]) -> Array:
        return np.stack(rows) if rows else np.empty((0, len(self.C), *self.system.columns), self.C.dtype)


@dataclass(frozen=True)
class Place:
    """One p: A, b, the basis V, and ``W = A V`` (d, n), one vector a row."""

    A: Any
    b: Array
    C: Array
    W: Array
    projection: Projection

    @property
    def galerkin(self) -> Array:
        """``Vᴴ A V``."""
        product: Array = self.C.conj() @ self.W.T
        return product

    @property
    def phi(self) -> Array:
        if self.projection == "galerkin":
            try:
                solution: Array = np.linalg.solve(self.galerkin, self.C.conj() @ self.b)
                return solution
            except np.linalg.LinAlgError:  # of an indefinite A, where the smallest residual still exists
                pass
        return smallest(self.W.T, self.b)[0]

    def measured(self) -> tuple[Array, float, float, float]:
        """φ, its relative residual, the bound of that, and ``‖b‖``."""
        phi, size = self.phi, float(np.linalg.norm(self.b)) or 1.0
        residual = relative(_sum(phi, self.W) - self.b, self.b)
        noise = size_of(self.A)
        row_noise = np.array(noise * longest_row(self.A) ** 0.5)
        rounding = np.linalg.norm(np.atleast_1d(hidden(np.array(noise), row_noise, phi.T, unit(self.C.dtype)))) / size
        return phi, residual, residual + float(rounding) + 4 * unit(self.C.dtype), size


def measured(tensors: Tensors, phi: Array, theta: Array, psi: Array) -> Measured:
    """What tensors know of coefficients φ, whichever way these were found."""
    residual = tensors.residual(phi, theta, psi)
    return Measured(phi, residual, residual + tensors.rounding(phi, theta, psi), tensors.scale(psi))


def smallest(W: Array, b: Array) -> tuple[Array, Array]:
    """``argmin ‖W φ - b‖`` and the minimum of every column, from the factor R of ``[W, b]`` alone; W is (m, d)."""
    d = W.shape[1]
    R: Array = np.asarray(np.linalg.qr(np.column_stack([W, b]), mode="r"))
    right = R[:, d:] if b.ndim == 2 else R[:, d]
    phi: Array = np.linalg.lstsq(R[:d, :d], right[:d], rcond=None)[0]
    return phi, lengths_of(right - R[:, :d] @ phi)


def lengths_of(r: Array) -> Array:
    """Norm of a vector, or of every column."""
    return np.asarray(np.linalg.norm(r) if r.ndim < 2 else np.linalg.norm(r, axis=0))


def _sum(phi: Array, rows: Array) -> Array:
    """``Σ_j φ_j v_j`` of vectors v (d, n): (n,) of coefficients (d,), (n, k) of (d, k)."""
    total: Array = phi @ rows if phi.ndim == 1 else rows.T @ phi
    return total
