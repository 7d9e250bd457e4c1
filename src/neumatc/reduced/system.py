"""A sparse linear system that depends on parameters, and its exact solution at one p."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, final

import numpy as np

from neumatc.arrays import Array
from neumatc.box import Box
from neumatc.errors import InputError, SingularError
from neumatc.family import Affine
from neumatc.family.calls import asked
from neumatc.problem import Meter

from .entries import assembled, mixed, right_side, unit
from .exact import Factored, SolveError, combined, factored, has_symmetric_pattern, inverse_of, longest_row, size_of

POWER_STEPS = 30
"""Steps of the power method for the smallest eigenvalue of an energy product."""


@dataclass(frozen=True)
class Solved:
    """An exact solution x, its relative residual, what rounding may hide in that, and ``‖b‖`` (one where b is 0).

    Of several right-hand sides x is (n, k), and norms are those of Frobenius.
    """

    x: Array
    residual: float
    rounding: float
    size: float


class System(ABC):
    """``A(p) x = b(p)`` on a box, A(p) sparse (n, n), b a vector or k of them as columns.

    Residuals are measured in the norm that errors call for: ``sqrt(rᴴ E⁻¹ r)`` where there is an energy product E,
    the Euclidean one elsewhere.
    """

    box: Box
    n: int
    dtype: np.dtype[Any]
    meter: Meter

    @abstractmethod
    def matrix(self, point: Array) -> Any:
        """A(p) at one point (D,), sparse CSC."""

    @abstractmethod
    def vector(self, point: Array) -> Array:
        """b(p) at one point (D,), as (n,) or (n, k)."""

    @property
    @abstractmethod
    def columns(self) -> tuple[int, ...]:
        """``()`` where b is a vector, ``(k,)`` where it has k columns."""

    @property
    @abstractmethod
    def riesz(self) -> Callable[[Array], Array] | None:
        """``k -> E⁻¹ k``, or None for the Euclidean product."""

    @property
    @abstractmethod
    def text(self) -> str:
        """The kind of A(p), for tables."""

    def solve(self, point: Array) -> Solved:
        """Solve exactly at one point (D,).

        Raises
        ------
        SingularError
            When A(p) is singular to working precision.
        """
        return self.solve_and_keep(point)[0]

    def solve_and_keep(self, point: Array) -> tuple[Solved, Factored]:
        """Solve exactly at one point (D,), and keep the factors for further right-hand sides.

        Raises
        ------
        SingularError
            When A(p) is singular to working precision.
        """
        A, b = self.matrix(point).astype(self.dtype, copy=False), self.vector(point).astype(self.dtype, copy=False)
        start = time.perf_counter()
        try:
            factors = factored(A, self._symmetric)
            x = factors.solve(b)
        except SolveError as cause:
            raise SingularError(
                f"`solve` failed at {self.box.describe(point)}: {cause}. A(p) is singular or nearly so there; "
                "the box probably contains a resonance. Shrink the box, or add damping or regularisation to A."
            ) from cause
        self.meter.solve_seconds += time.perf_counter() - start
        self.meter.solved += 1
        size = self.norm(b) or 1.0
        hidden = self.amplified * unit(self.dtype) * (longest_row(A) ** 0.5 + 1) * np.linalg.norm(abs(A) @ abs(x))
        return Solved(x, self.norm(A @ x - b) / size, float(hidden) / size, size), factors

    def norm(self, r: Array) -> float:
        """Of a residual (n,) or (n, k)."""
        if self.riesz is None:
            return float(np.linalg.norm(r))
        return float(np.sqrt(abs(np.vdot(r, self.riesz(r)))))

    @cached_property
    def amplified(self) -> float:
        """How much longer a vector may be in the norm of residuals than in the Euclidean one: ``λ_min(E)^{-1/2}``."""
        if self.riesz is None:
            return 1.0
        z, largest = np.random.default_rng(0).standard_normal(self.n), 1.0
        for _ in range(POWER_STEPS):
            z = self.riesz(z / np.linalg.norm(z))
            largest = float(np.linalg.norm(z))
        return float(np.sqrt(1.5 * largest))  # the power method approaches from below

    @cached_property
    def _symmetric(self) -> bool:
        return has_symmetric_pattern(self.matrix(self.box.middle[0]))


@final
@dataclass(frozen=True)
class AffineSystem(System):
    """``Σ_q θ_q(p) A_q x = Σ_s ψ_s(p) f_s``.

    Parameters
    ----------
    family : A(p), an `Affine` of sparse matrices
    right : (S, n) the vectors f_s, or (S, n, k) where each has k columns
    right_family : holds ψ, p -> (S,); None for one constant f
    box, n, dtype : where p lies; of the solutions
    """

    family: Affine
    right: Array
    right_family: Affine | None
    box: Box
    n: int
    dtype: np.dtype[Any]
    meter: Meter = field(default_factory=Meter, compare=False, repr=False)

    @property
    def text(self) -> str:
        return "nonzeros " + " + ".join(f"{part.nnz:,}" for part in self.family.matrices)

    @property
    def columns(self) -> tuple[int, ...]:
        return self.right.shape[2:]

    def theta(self, points: Array) -> Array:
        """``(B, Q)`` at points (B, D)."""
        return self.family.theta(points, self.box)

    def psi(self, points: Array) -> Array:
        """``(B, S)`` at points (B, D)."""
        return np.ones((len(points), 1)) if self.right_family is None else self.right_family.theta(points, self.box)

    def matrix(self, point: Array) -> Any:
        start = time.perf_counter()
        A = combined(self.theta(point[None])[0], self.family.matrices)
        self.meter.build_seconds += time.perf_counter() - start
        self.meter.built += 1
        return A

    def vector(self, point: Array) -> Array:
        return mixed(self.psi(point[None])[0], self.right)

    @property
    def riesz(self) -> Callable[[Array], Array] | None:
        return self._riesz

    @cached_property
    def noise(self) -> Array:
        """``(2, Q)``: the sizes of |A_q| in the norm of residuals, and those times the root of the longest row."""
        sizes = np.array([size_of(part) for part in self.family.matrices])
        rows = np.array([longest_row(part) for part in self.family.matrices])
        return self.amplified * np.stack([sizes, sizes * np.sqrt(rows)])

    def alpha(self, points: Array) -> Array | None:
        """The caller's coercivity constants at points (B, D); None when there are none."""
        coercivity = self.family.coercivity
        if coercivity is None:
            return None
        what = "the coercivity constant at "
        values = [asked(coercivity, self.box.scalar(row), what + self.box.describe(row)) for row in points]
        return np.array([float(value) for value in values])

    @cached_property
    def _riesz(self) -> Callable[[Array], Array] | None:
        return None if self.family.energy is None else inverse_of(self.family.energy)


@final
@dataclass(frozen=True)
class GeneralSystem(System):
    """``A(p) x = b(p)`` given by functions that assemble a sparse A(p) and, if need be, b(p).

    Parameters
    ----------
    function : A, p -> sparse (n, n)
    right : b, p -> (n,) or (n, k)
    box, n, dtype, columns : where p lies; of the solutions, as it was in the middle of the box
    """

    function: Callable[[Any], Any]
    right: Callable[[Any], Any]
    box: Box
    n: int
    dtype: np.dtype[Any]
    columns: tuple[int, ...] = ()
    meter: Meter = field(default_factory=Meter, compare=False, repr=False)

    @property
    def text(self) -> str:
        return "sparse, assembled at every query"

    @property
    def riesz(self) -> Callable[[Array], Array] | None:
        return None

    def matrix(self, point: Array) -> Any:
        start, where = time.perf_counter(), f"A(p) at {self.box.describe(point)}"
        A = assembled(self.function, self.box, point)
        if A.shape != (self.n, self.n) or np.result_type(A.dtype, self.dtype) != self.dtype:
            raise InputError(
                f"{where} must be {self.n} x {self.n} and of a dtype that fits {self.dtype}, as in the middle of the "
                f"box; {A.shape[0]} x {A.shape[1]}, {A.dtype} came. The size or the dtype probably depends on p. "
                "Assemble on one grid, and return .astype(complex) of it for every p if it is complex for some."
            )
        self.meter.build_seconds += time.perf_counter() - start
        self.meter.built += 1
        return A

    def vector(self, point: Array) -> Array:
        where = f"b(p) at {self.box.describe(point)}"
        b, wanted = right_side(asked(self.right, self.box.scalar(point), where), "b(p)"), (self.n, *self.columns)
        if b.shape != wanted:
            raise InputError(
                f"{where} must have the shape {wanted}, as in the middle of the box; {b.shape} came. "
                "The number of rows or of right-hand sides probably depends on p. Return one shape for all p."
            )
        return b
