"""Look-ahead difference formulas: how zeroing neural networks are discretised.

A formula of m + 1 instants approximates the derivative at the present instant from one future and m known states,

    τ z'_k = w_0 z_{k+1} + w_1 z_k + ... + w_m z_{k+1-m} + O(τ^{order+1}),

and is solved for z_{k+1}. It is exact for polynomials of degree ``order`` when ``Σ_i w_i (1 - i)^q`` is 1 for q = 1 and
0 for the other q = 0, ..., order; it converges when the zeros of ``w_0 x^m + ... + w_m`` lie in the unit disc and those
on the circle are simple. With ``dE/dt = -γ E`` and ``h = γ τ`` held fixed, the residual E settles at
``O(τ^{order+1})``, as long as ``w_0 x^m + (w_1 + h) x^{m-1} + ... + w_m`` has its zeros inside the unit disc.

At equal instants not every order can be had: four instants allow two, eight allow four (Numerical Algorithms 2021,
doi:10.1007/s11075-020-01061-x).
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import comb
from typing import TypeAlias

import numpy as np

from benchmarks.baselines.base import Answer, Family, spacing
from neumatc.arrays import Array

__all__ = ["EIGHTH_ORDER", "EIGHT_INSTANTS", "EULER", "FOUR_INSTANTS", "Formula", "Motion", "backward", "follow"]

State: TypeAlias = tuple[Array, ...]
"""The unknowns at one instant."""


@dataclass(frozen=True)
class Formula:
    """Weights ``w_0, ..., w_m`` of a look-ahead formula, the future first."""

    name: str
    order: int
    weights: tuple[Fraction, ...]

    @staticmethod
    def near(name: str, order: int, guess: Sequence[int], scale: int = 1) -> "Formula":
        """Return the weights nearest to ``guess / scale`` that meet the order conditions, in exact arithmetic.

        With ``V_qi = (1 - i)^q`` they are ``g + Vᵀ (V Vᵀ)⁻¹ (e_1 - V g)``. Rounding the zeros of a good polynomial to
        few digits thus costs little stability and no order.
        """
        V = [[Fraction(1 - i) ** q for i in range(len(guess))] for q in range(order + 1)]
        g = [Fraction(w, scale) for w in guess]
        missing = [Fraction(q == 1) - _dot(row, g) for q, row in enumerate(V)]
        y = _solve([[_dot(a, b) for b in V] for a in V], missing)
        return Formula(
            name, order, tuple(w + _dot(y, column) for w, column in zip(g, zip(*V, strict=True), strict=True))
        )

    @property
    def instants(self) -> int:
        """How many there are, the future one counted."""
        return len(self.weights)

    def radius(self, h: float = 0.0) -> float:
        """Return the largest zero of the characteristic polynomial; for h = 0 the simple zero 1 is left out."""
        polynomial = np.array([float(w) for w in self.weights])
        polynomial[1] += h
        zeros = np.roots(polynomial)
        if not h:
            zeros = np.delete(zeros, np.abs(zeros - 1).argmin())
        return float(np.abs(zeros).max(initial=0.0))

    def ahead(self, slope: State, known: Sequence[State]) -> State:
        """Return the future state from ``τ z'_k`` and the known states, latest first."""
        first, *rest = (float(w) for w in self.weights)
        pairs = [list(zip(rest, each, strict=True)) for each in zip(*known, strict=True)]
        return tuple((d - sum(w * z for w, z in pair)) / first for d, pair in zip(slope, pairs, strict=True))


def _dot(a: Iterable[Fraction], b: Iterable[Fraction]) -> Fraction:
    return sum((x * y for x, y in zip(a, b, strict=True)), Fraction())


def _solve(matrix: Sequence[Sequence[Fraction]], b: Sequence[Fraction]) -> list[Fraction]:
    """Solve a linear system by Gauss-Jordan elimination with fractions; the matrix is positive definite."""
    rows = [[*row, right] for row, right in zip(matrix, b, strict=True)]
    for c in range(len(rows)):
        rows[c] = [x / rows[c][c] for x in rows[c]]
        for r in range(len(rows)):
            if r != c:
                rows[r] = [x - rows[r][c] * y for x, y in zip(rows[r], rows[c], strict=True)]
    return [row[-1] for row in rows]


EULER = Formula.near("Euler", 1, (1, -1))
"""``z_{k+1} - z_k``."""

FOUR_INSTANTS = Formula.near("four instants", 2, (5, -3, -1, -1), 8)
"""A formula of the ZeaD family, stable for 0 < h <= 0.8."""

EIGHT_INSTANTS = Formula.near("eight instants", 4, (255, 38, -150, -195, -5, 60, 12, -15), 600)
"""Stable for 0 < h <= 0.35.

Chen & Zhang (2020) give one member of the three-parameter family of eight instants and order four; their article is not
open, so this is our own member, chosen by its zeros. Instants, order and convergence are the same.
"""

EIGHTH_ORDER = Formula.near(
    "eighth order", 7, (394, 85, -142, -313, -272, 42, 276, 126, -115, -138, -40, 45, 92, 17, -91, 32), 1000
)
"""Sixteen instants, residual ``O(τ^8)``, stable for 0 < h <= 0.1; found as Uhlig (2019) does, by minimising zeros."""


def backward(order: int) -> list[float]:
    """Return weights c of ``τ A'_k = Σ_i c_i A_{k-i} + O(τ^{order+1})``: ``Σ_q ∇^q / q``."""
    return [
        float(sum(Fraction((-1) ** i * comb(q, i), q) for q in range(max(i, 1), order + 1))) for i in range(order + 1)
    ]


@dataclass(frozen=True)
class Motion:
    """What a zeroing network does with its unknowns.

    Parameters
    ----------
    exact : ``(A, states so far) -> state`` solves exactly; used for as many instants as the formulas need to begin.
    slope : ``(A_k, τ A'_k, state) -> τ z'_k`` of the differential equation.
    factors : ``state -> factors`` of an answer.
    """

    exact: Callable[[Array, Sequence[State]], State]
    slope: Callable[[Array, Array, State], State]
    factors: Callable[[State], dict[str, Array]]


def follow(
    family: Family, points: Sequence[float], formula: Formula, substeps: int, motion: Motion
) -> Iterator[Answer]:
    """Yield the answers at equidistant points, ``substeps`` instants from each to the next.

    The future is predicted without A at the future instant. A' comes from backward differences of the formula's order,
    as in the models for unknown derivatives: A is built once per instant and nothing else is asked.
    """
    tau = spacing(points, formula.name) / substeps
    known: deque[State] = deque(maxlen=formula.instants - 1)
    matrices: deque[Array] = deque(maxlen=formula.order + 1)
    weights = backward(formula.order)
    begin = max(formula.instants - 1, formula.order + 1)
    for k in range(substeps * (len(points) - 1) + 1):
        p = points[k // substeps] + (k % substeps) * tau
        if k < begin:
            matrices.appendleft(family(p))
            state = motion.exact(matrices[0], known)
        else:
            change = sum(c * A for c, A in zip(weights, matrices, strict=True))
            # A network that runs away is a result, and its infinities say so; nobody is to be warned.
            with np.errstate(all="ignore"):
                state = formula.ahead(motion.slope(matrices[0], change, known[0]), known)
            matrices.appendleft(family(p))
        known.appendleft(state)
        if k % substeps == 0:
            yield Answer(motion.factors(state), substeps if k else 1)
