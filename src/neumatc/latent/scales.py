"""The norms that residuals are measured against, at every p of an affine family, from θ alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neumatc.arrays import Array
from neumatc.equations import Equation, Term, Values

AGREEMENT = 1e-9
"""Relative difference from the norm of the formed matrix that rounding explains."""


@dataclass(frozen=True)
class Scale:
    """``‖K(p)‖_F`` for ``K = Σ_q t_q K_q``: R of a QR factorisation of the parts, or a constant.

    A Gram matrix would lose half of the digits where the parts cancel.
    """

    constant: float
    factor: Array | None

    @staticmethod
    def of(equation: Equation, parts: Values) -> Scale | None:
        """``parts (Q + 1, rows, columns)`` are those of the given matrices; None where no sum of them is measured."""
        measured = measured_matrices(equation)
        if measured is None:
            return None
        summed = sum(coefficient * parts[name] for name, coefficient in measured.items())
        return Scale(1.0, _triangle(summed) if measured else None)

    def at(self, t: Array) -> Array:
        """``(B,)`` at ``t (B, Q + 1)``; one for a zero matrix, so that it can be divided by."""
        if self.factor is None:
            return np.full(len(t), self.constant)
        norms: Array = np.linalg.norm(t @ self.factor.T, axis=1)
        return np.where(norms > 0, norms, 1.0)


def scales_of(equations: Sequence[Equation], parts: Values, checks: Values, t: Array) -> list[Scale] | None:
    """One scale per equation, compared with those of the matrices ``checks`` at coefficients t; None where they differ.

    ``checks`` holds unknown factors, too, whose shapes are asked for.
    """
    found = []
    for equation in equations:
        true = np.broadcast_to(np.asarray(equation.scale(checks)), (len(t),))
        scale = Scale(float(true[0]), None) if of_identity(equation) else Scale.of(equation, parts)
        if scale is None or not np.all(np.abs(scale.at(t) - true) <= AGREEMENT * true):
            return None
        found.append(scale)
    return found


def measured_matrices(equation: Equation) -> dict[str, float] | None:
    """Coefficients of the given matrices in the one whose norm is the scale; none of them where it is a constant.

    None where it is another matrix, or a product of norms. Adjoints have the same norm when they stand alone.
    """
    terms = _measured_terms(equation)
    if not terms:
        named = [symbol for term in equation.terms for symbol in term.symbols if symbol.kind == "known"]
        return {symbol.name: 1.0 for symbol in named[:1]}
    if any(len(term.symbols) != 1 for term in terms) or (len(terms) > 1 and any(t.symbols[0].adjoint for t in terms)):
        return None
    if len({term.symbols[0].name for term in terms}) < len(terms) or terms[0].symbols[0].kind == "unknown":
        return None
    return {term.symbols[0].name: 1.0 if equation.relative_to else term.coefficient for term in terms}


def of_identity(equation: Equation) -> bool:
    """Whether residuals are measured against a multiple of the identity."""
    terms = _measured_terms(equation)
    return bool(terms) and not any(term.symbols for term in terms)


def _measured_terms(equation: Equation) -> tuple[Term, ...]:
    return equation.relative_to.terms[:1] if equation.relative_to else equation.constant


def _triangle(parts: Any) -> Array:
    """R with ``‖Σ_q t_q K_q‖_F = ‖R t‖`` for real t."""
    flat = np.asarray(parts).reshape(len(parts), -1).T
    rows = np.concatenate([flat.real, flat.imag]) if np.iscomplexobj(flat) else flat
    R: Any = np.linalg.qr(rows, mode="r")
    triangle: Array = R
    return triangle
