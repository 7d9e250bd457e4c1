"""Inverse: A X = I."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from neumatc.arrays import namespace
from neumatc.equations import Equation, equal, identity, known, unknown
from neumatc.errors import InputError
from neumatc.gauge import Factors, Gauge, NoGauge

from .base import Operation


@final
@dataclass(frozen=True)
class Inverse(Operation):
    """``X = A⁻¹`` for square A, from ``A X = I``.

    The relative residual is ``‖A X - I‖_F / sqrt(n)``. It bounds the error without a condition number:
    ``X - A⁻¹ = A⁻¹ (A X - I)`` gives ``‖X - A⁻¹‖_F / ‖A⁻¹‖_F <= ‖A X - I‖_2 <= sqrt(n) * residual``.
    """

    name: str = "inv"

    def exact(self, A: Any) -> Factors:
        return {"X": namespace(A).linalg.inv(A)}

    def equations(self) -> tuple[Equation, ...]:
        A, X = known("A"), unknown("X")
        return (equal(A @ X, identity()),)

    @property
    def gauge(self) -> Gauge:
        return NoGauge()

    def check(self, shape: tuple[int, int]) -> None:
        if shape[0] != shape[1] or shape[0] == 0:
            raise InputError(
                f"`inv` needs square matrices, but A(p) is {shape[0]} x {shape[1]}. "
                "A rectangular matrix has a pseudo-inverse only. "
                "Invert the square Gram matrix A Aᴴ (regularised if need be) instead."
            )

    def theorem(self, rows: int) -> tuple[float, str] | None:
        return float(rows) ** 0.5, "‖X - A⁻¹‖_F/‖A⁻¹‖_F <= ‖A X - I‖_F = sqrt(n) residual (no condition number)"
