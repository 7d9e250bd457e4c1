"""The inverse: A X = I."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

from neumatc.equations import Equation, equal, identity, known, unknown
from neumatc.gauge import Factors, Gauge, NoGauge

from .base import check_square
from .lapack import inverse
from .side_by_side import SolvedSideBySide


@final
@dataclass(frozen=True)
class Inverse(SolvedSideBySide):
    """``X = A⁻¹`` for square A, from ``A X = I``.

    The relative residual is ``‖A X - I‖_F / sqrt(n)``. It bounds the error without a condition number:
    ``X - A⁻¹ = A⁻¹ (A X - I)`` gives ``‖X - A⁻¹‖_F / ‖A⁻¹‖_F <= ‖A X - I‖_2 <= sqrt(n) * residual``.
    """

    name: str = "inv"

    def exact(self, A: Any) -> Factors:
        return {"X": inverse(A)}

    def equations(self) -> tuple[Equation, ...]:
        A, X = known("A"), unknown("X")
        return (equal(A @ X, identity()),)

    @property
    def gauge(self) -> Gauge:
        return NoGauge()

    def check(self, shape: tuple[int, int]) -> None:
        check_square(
            "inv",
            shape,
            "A rectangular matrix has a pseudo-inverse only. "
            "Use `pinv`, or invert the square Gram matrix A Aᴴ (regularised if need be).",
        )

    def tangent(self, known: Mapping[str, Any], dknown: Mapping[str, Any], F: Mapping[str, Any]) -> Factors:
        """``X' = -X A' X``."""
        del known
        return {"X": -F["X"] @ dknown["A"] @ F["X"]}

    def theorem(self, rows: int) -> tuple[float, str] | None:
        return float(rows) ** 0.5, "‖X - A⁻¹‖_F/‖A⁻¹‖_F <= ‖A X - I‖_F = sqrt(n) residual (no condition number)"
