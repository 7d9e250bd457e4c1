"""Norms of everything that stands in the equations, from φ and θ alone: what rounding is measured by.

The numbers that are returned are ``fl(Σ_j φ_j C_j)`` in the precision in which C is stored, and A(p) is rounded, too:
``|ΔX| <= γ Σ_j |φ_j| |C_j|`` with ``γ = d u / (1 - d u)`` in any order of summation (Higham 2002, section 3.1,
doi:10.1137/1.9780898718027). For each product ``S_1 … S_k`` of an equation

    ‖Π (S_i + Δ_i) - Π S_i‖_F <= Σ_i ‖Δ_i‖_F Π_(j≠i) (‖S_j‖_2 + ‖Δ_j‖_F),

which is added to the bound of the residual. All norms are bounded from above.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neumatc.arrays import Array
from neumatc.equations import Equation, Term

ROWS = 64
"""Rows of a latent slice whose moduli are held at once."""

SQUARINGS = 3
"""Of ``Aᴴ A`` for the Schatten norm of order 16, at most ``n^(1/16)`` times the 2-norm."""


@dataclass(frozen=True)
class Size:
    """Upper bounds at B points: of the 2-norm and the Frobenius norm of a matrix, and of the latter of its rounding."""

    two: Array
    frobenius: Array
    change: Array


@dataclass(frozen=True)
class Slices:
    """Of latent slices ``(d, rows, columns)``: Gram matrix of the moduli, and an upper bound of each 2-norm."""

    gram: Array
    two: Array

    @staticmethod
    def of(X: Array) -> Slices:
        gram, one, infinity = np.zeros((len(X), len(X))), np.zeros((len(X), X.shape[2])), np.zeros(len(X))
        for i in range(0, X.shape[1], ROWS):
            moduli = np.abs(X[:, i : i + ROWS])
            flat = moduli.reshape(len(X), -1)
            gram += flat @ flat.T
            one += moduli.sum(1)
            infinity = np.maximum(infinity, moduli.sum(2).max(1, initial=0.0))
        return Slices(gram, np.sqrt(one.max(1, initial=0.0) * infinity))

    def size(self, moduli: Array, gamma: float) -> Size:
        """For coefficients with these moduli ``(B, d)``."""
        # Every number is positive, so that the Gram matrix cancels nothing.
        frobenius = np.sqrt(((moduli @ self.gram) * moduli).sum(1))
        return Size(np.minimum(moduli @ self.two, frobenius), frobenius, gamma * frobenius)


@dataclass(frozen=True)
class Parts:
    """Of the parts ``(Q + 1, rows, columns)`` of a given matrix that is their sum."""

    two: Array
    frobenius: Array

    @staticmethod
    def of(parts: Array) -> Parts:
        flat = parts.reshape(len(parts), -1)
        return Parts(np.array([schatten(part) for part in parts]), np.linalg.norm(flat, axis=1))

    def size(self, t: Array, gamma: float) -> Size:
        """For coefficients ``t (B, Q + 1)``."""
        moduli = np.abs(t)
        frobenius = moduli @ self.frobenius
        return Size(np.minimum(moduli @ self.two, frobenius), frobenius, gamma * frobenius)


def schatten(A: Array) -> float:
    """``(tr (Aᴴ A)^8)^(1/16)``, an upper bound of the 2-norm of A ``(rows, columns)``.

    >>> bool(1 <= schatten(np.eye(100)) <= 100 ** (1 / 16) * (1 + 1e-9))
    True
    """
    size = float(np.linalg.norm(A))
    if size == 0:
        return 0.0
    A = A / size
    M = A.conj().T @ A if A.shape[0] >= A.shape[1] else A @ A.conj().T
    order, total = 1, 0.0
    for _ in range(SQUARINGS - 1):
        scale = float(np.linalg.norm(M))
        M, total, order = (M / scale) @ (M / scale), 2 * (total + math.log(scale)), 2 * order
    # ‖M‖_F² = tr M² is the last squaring.
    logarithm = (2 * math.log(float(np.linalg.norm(M))) + 2 * total) / (4 * order)
    return size * math.exp(logarithm) * (1 + 1e-10)


def gamma(count: int, unit: float) -> float:
    """``count u / (1 - count u)``: relative error of a sum of products of so many terms."""
    return count * unit / (1 - count * unit)


def rounding(equations: Sequence[Equation], sizes: Mapping[str, Size], points: int) -> tuple[Array, Array]:
    """Per equation, ``(B, equations)``: how far rounding moves the residual, and how large its terms are."""
    changes, terms = np.zeros((points, len(equations))), np.zeros((points, len(equations)))
    for e, equation in enumerate(equations):
        for term in equation.terms:
            moved, size = of_term(term, sizes)
            changes[:, e] += moved
            terms[:, e] += size
    return changes, terms


def of_term(term: Term, sizes: Mapping[str, Size]) -> tuple[Any, Any]:
    """Norm bounds of one term of an equation: what rounding of its factors may change, and its own size."""
    found, weight = [sizes[symbol.name] for symbol in term.symbols], abs(term.coefficient)
    whole = [size.two + size.change for size in found]
    moved: Any = sum(
        size.change * math.prod(other for j, other in enumerate(whole) if j != i) for i, size in enumerate(found)
    )
    if not found:
        return 0.0, 0.0
    largest = math.prod(whole[:-1], start=1.0) * found[-1].frobenius
    return weight * moved, weight * largest
