"""A sparse linear system that depends affinely on parameters, and its exact solution at one p."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neumatc.arrays import Array, as_numpy
from neumatc.box import Box
from neumatc.errors import InputError, SingularError
from neumatc.family import Affine
from neumatc.problem import Meter

SYMMETRIC = 1e-12
"""Relative departure of the pattern and values from symmetric up to which a symmetric ordering is asked for."""


@dataclass(frozen=True)
class System:
    """``Σ_q θ_q(p) A_q x = Σ_s ψ_s(p) f_s``, sparse A_q ``(n, n)``, vectors f_s.

    Parameters
    ----------
    family : A(p), an `Affine` of sparse matrices
    right : (S, n) the vectors f_s
    right_coefficients : ψ, p -> (S,), or None for one constant vector
    box : where p lies
    """

    family: Affine
    right: Array
    right_coefficients: Callable[[Any], Any] | None
    box: Box
    meter: Meter = field(default_factory=Meter, compare=False, repr=False)

    @staticmethod
    def of(A: Affine, b: Any, box: Any) -> System:
        """Check that A and b belong together."""
        box = Box.of(box)
        if isinstance(b, Affine):
            columns = np.stack([_column(part, f"b's matrices[{s}]") for s, part in enumerate(b.matrices)])
            system = System(A, columns, b.coefficients, box)
        else:
            if callable(b):
                raise InputError(
                    "`solve` of a sparse Affine needs b as a vector, or as an Affine of vectors; a function came. "
                    "A general b(p) would have to be read in full at every query. "
                    "Write b(p) = Σ ψ_s(p) f_s and pass nmc.Affine([f_0, …], psi), each f_s of shape (n, 1)."
                )
            system = System(A, _column(b, "b")[None], None, box)
        rows, columns_of_A = A.shape
        if rows != columns_of_A or system.right.shape[1] != rows:
            raise InputError(
                f"`solve` needs a square A and a vector b of as many entries; A(p) is {rows} x {columns_of_A} and b has "
                f"{system.right.shape[1]}. They probably come from different grids, or boundary rows were dropped in one "
                "of them. Assemble both on the same unknowns."
            )
        return system

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the solutions."""
        theta = self.theta(self.box.middle)
        return np.result_type(*(part.dtype for part in self.family.matrices), self.right.dtype, theta.dtype, np.float64)

    def theta(self, points: Array) -> Array:
        """``(B, Q)`` at points (B, D)."""
        return self.family.theta(points, self.box)

    def psi(self, points: Array) -> Array:
        """``(B, S)`` at points (B, D)."""
        if self.right_coefficients is None:
            return np.ones((len(points), 1))
        return np.stack([np.asarray(self.right_coefficients(self.box.scalar(row))) for row in points])

    def matrix(self, point: Array) -> Any:
        """A(p), sparse CSC."""
        start = time.perf_counter()
        A = combined(self.theta(point[None])[0], self.family.matrices)
        self.meter.build_seconds += time.perf_counter() - start
        self.meter.built += 1
        return A

    def vector(self, point: Array) -> Array:
        """b(p)."""
        b: Array = self.psi(point[None])[0] @ self.right
        return b

    def solve(self, point: Array) -> tuple[Array, float]:
        """Solve exactly at one point (D,): x and its relative residual ``‖A x - b‖ / ‖b‖``."""
        from scipy.sparse.linalg import MatrixRankWarning, splu

        A, b = self.matrix(point), self.vector(point)
        start = time.perf_counter()
        # A minimum-degree ordering of Aᵀ + A beats the default where the pattern is symmetric (0.36 s against 0.56 s at
        # n = 1e5, advection on a grid).
        options: dict[str, Any] = {}
        if self._symmetric_pattern:
            options = {"permc_spec": "MMD_AT_PLUS_A", "options": {"SymmetricMode": True}, "diag_pivot_thresh": 0.1}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", MatrixRankWarning)
                x: Array = splu(A, **options).solve(b.astype(A.dtype))
        except (RuntimeError, MatrixRankWarning) as cause:
            raise self._singular(point, str(cause)) from cause
        residual = float(np.linalg.norm(A @ x - b) / (np.linalg.norm(b) or 1.0))
        if not residual <= 1e-3:
            raise self._singular(point, f"relative residual {residual:.1e}")
        self.meter.solve_seconds += time.perf_counter() - start
        self.meter.solved += 1
        return x, residual

    @property
    def _symmetric_pattern(self) -> bool:
        parts = self.family.matrices
        return all((abs(part) != abs(part).T).nnz <= SYMMETRIC * part.nnz for part in parts)

    def _singular(self, point: Array, reason: str) -> SingularError:
        return SingularError(
            f"`solve` failed at {self.box.describe(point)}: {reason}. A(p) is singular or nearly so there; "
            "the box probably contains a resonance. Shrink the box, or add damping or regularisation to A."
        )


def combined(theta: Array, matrices: Sequence[Any]) -> Any:
    """``Σ_q θ_q A_q`` in CSC, the form that SuperLU factorises."""
    total = theta[0] * matrices[0]
    for coefficient, part in zip(theta[1:], matrices[1:], strict=True):
        total = total + coefficient * part
    return total.tocsc()


def _column(value: Any, what: str) -> Array:
    array = as_numpy(value, what)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise InputError(
            f"{what} must be a vector (n,) or one column (n, 1); shape {array.shape} came. "
            "Several right-hand sides were probably passed. Fit them one by one: each has a span of its own."
        )
    return array.astype(np.result_type(array.dtype, np.float64))
