"""The small algebra in which an operation states its equations.

An operation says ``equal(A @ X, I)`` once; the residual, the sketches, the loss, the certificate, the scaling and the
latent Gauss-Newton correction are all derived from that statement by code that knows no operation by name.

>>> from neumatc.equations import equal, identity, known, unknown
>>> A, U, V, M = known("A"), unknown("U"), unknown("V"), unknown("M")
>>> equal(A @ V, U @ M)
A V = U M
>>> equal(U.H @ U, identity())
Uᴴ U = I
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, Literal

import numpy as np

from neumatc.action import Exponential
from neumatc.arrays import namespace
from neumatc.errors import InputError
from neumatc.products import tall

Values = Mapping[str, Any]
"""Matrices by name, each ``(B, rows, columns)``, NumPy or torch."""


@dataclass(frozen=True)
class Symbol:
    """One matrix in a product: its name, whether it is given or sought, and whether its adjoint is meant.

    With ``function`` a function of that matrix is meant, of which only the action on vectors is known.
    """

    name: str
    kind: Literal["known", "unknown"]
    adjoint: bool = False
    function: Literal["", "exp"] = ""

    def value(self, values: Values) -> Any:
        """``(B, rows, columns)``, adjoint taken; for a function an object with ``@`` and ``shape``."""
        matrix = values[self.name]
        matrix = matrix.conj().swapaxes(-1, -2) if self.adjoint else matrix
        return Exponential(matrix) if self.function else matrix

    def __str__(self) -> str:
        name = self.name + ("ᴴ" if self.adjoint else "")
        return f"{self.function}({name})" if self.function else name


@dataclass(frozen=True)
class Term:
    """A coefficient times a product of symbols; the empty product is the identity."""

    coefficient: float
    symbols: tuple[Symbol, ...]

    @cached_property
    def unknowns(self) -> tuple[Symbol, ...]:
        return tuple(s for s in self.symbols if s.kind == "unknown")

    def adjoint(self) -> Term:
        flipped = tuple(replace(s, adjoint=not s.adjoint) for s in reversed(self.symbols))
        return Term(self.coefficient, flipped)

    def apply(self, values: Values, Z: Any) -> Any:
        """The term times ``Z``, multiplied from the right so that no n x n product is formed."""
        for symbol in reversed(self.symbols):
            Z = tall(symbol.value(values), Z)
        return self.coefficient * Z if self.coefficient != 1.0 else Z

    def dense(self, values: Values) -> Any:
        """The product of a term with at least one symbol, ``(B, rows, columns)``."""
        matrix = self.symbols[0].value(values)
        for symbol in self.symbols[1:]:
            matrix = matrix @ symbol.value(values)
        return self.coefficient * matrix if self.coefficient != 1.0 else matrix

    def __str__(self) -> str:
        return " ".join(map(str, self.symbols)) or "I"


@dataclass(frozen=True, repr=False)
class Expression:
    """A sum of terms. Built with ``@``, ``+``, ``-``, ``.H`` and a real factor."""

    terms: tuple[Term, ...]

    @property
    def H(self) -> Expression:  # noqa: N802  # the adjoint, as it is written
        return Expression(tuple(t.adjoint() for t in self.terms))

    def __matmul__(self, other: Expression) -> Expression:
        return Expression(
            tuple(Term(a.coefficient * b.coefficient, a.symbols + b.symbols) for a in self.terms for b in other.terms)
        )

    def __rmul__(self, factor: float) -> Expression:
        return Expression(tuple(Term(factor * t.coefficient, t.symbols) for t in self.terms))

    def __neg__(self) -> Expression:
        return -1.0 * self

    def __add__(self, other: Expression) -> Expression:
        return Expression(self.terms + other.terms)

    def __sub__(self, other: Expression) -> Expression:
        return self + (-other)

    def __repr__(self) -> str:
        return " + ".join(f"{'' if t.coefficient == 1 else f'{t.coefficient:g} '}{t}" for t in self.terms)


def known(name: str) -> Expression:
    """A given matrix, e.g. ``known("A")``."""
    return Expression((Term(1.0, (Symbol(name, "known"),)),))


def unknown(name: str) -> Expression:
    """A sought factor, e.g. ``unknown("X")``."""
    return Expression((Term(1.0, (Symbol(name, "unknown"),)),))


def identity() -> Expression:
    """The identity; its size follows from the equation it stands in."""
    return Expression((Term(1.0, ()),))


def exponential(matrix: Expression) -> Expression:
    """``exp`` of one given or sought matrix, e.g. ``exponential(known("A"))``."""
    (term,) = matrix.terms
    (symbol,) = term.symbols
    return Expression((Term(1.0, (replace(symbol, function="exp"),)),))


@dataclass(frozen=True, repr=False)
class Equation:
    """``left = right``, at most quadratic in the unknowns.

    The residual is ``R = left - right``; it is measured relative to the Frobenius norm of the part without unknowns
    (``‖I‖ = sqrt(n)`` for ``A X = I``), or, where there is none, of the first known matrix (``‖A‖`` for ``A V = U M``).
    Where neither scales like the terms do, ``relative_to`` names one product instead: the norms of its matrices are
    multiplied (``‖X‖`` for ``X A X = X``).
    """

    left: Expression
    right: Expression
    relative_to: Expression | None = None

    def __post_init__(self) -> None:
        for term in self.terms:
            if len(term.unknowns) > 2:
                raise InputError(
                    f"An equation may hold products of at most two unknown factors, but {self} holds {term}. "
                    "Sketches of higher products would not be small tensors. "
                    "Introduce a further factor for the product and state its definition as an equation of its own."
                )

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        return (self.left - self.right).terms

    @cached_property
    def linear(self) -> bool:
        return self.polynomial and all(len(t.unknowns) <= 1 for t in self.terms)

    @cached_property
    def polynomial(self) -> bool:
        """Whether the unknowns stand outside of functions, so that the equation can be sketched."""
        return not any(s.function for t in self.terms for s in t.unknowns)

    @cached_property
    def constant(self) -> tuple[Term, ...]:
        return tuple(t for t in self.terms if not t.unknowns)

    def apply(self, values: Values, Z: Any) -> Any:
        """``R Z`` for probes ``Z (columns, k)``; costs products with k columns only. Returns ``(B, rows, k)``."""
        return sum(term.apply(values, Z) for term in self.terms)

    def scale(self, values: Values) -> Any:
        """``(B,)``: the norm the residual is measured against; never zero."""
        if self.relative_to is not None:
            return self._norm_of_product(self.relative_to.terms[0], values)
        if self.constant:
            return self._constant_norm(values)
        symbols = [s for t in self.terms for s in t.symbols if s.kind == "known"]
        if not symbols:
            return 1.0
        return frobenius(values[symbols[0].name])

    def _norm_of_product(self, term: Term, values: Values) -> Any:
        """``Π ‖·‖_F`` of the matrices of one term; of the identity for the empty product."""
        if not term.symbols:
            return float(np.sqrt(self.shape(values)[0]))
        return math.prod(frobenius(values[symbol.name]) for symbol in term.symbols)

    def _constant_norm(self, values: Values) -> Any:
        """Of the part without unknowns; a multiple of the identity, or one matrix, costs no product."""
        factor = sum(t.coefficient for t in self.constant if not t.symbols)
        parts = [t for t in self.constant if t.symbols]
        if not parts:
            return abs(factor) * float(np.sqrt(self.shape(values)[0])) or 1.0
        matrix = sum(t.dense(values) for t in parts)
        return frobenius(matrix + factor * _eye(matrix) if factor else matrix)

    def shape(self, values: Values) -> tuple[int, int]:
        """Rows and columns of the residual."""
        term = next(t for t in self.terms if t.symbols)
        return (
            int(term.symbols[0].value(values).shape[-2]),
            int(term.symbols[-1].value(values).shape[-1]),
        )

    def __repr__(self) -> str:
        return f"{self.left!r} = {self.right!r}"


def equal(left: Expression, right: Expression, relative_to: Expression | None = None) -> Equation:
    """State ``left = right``, its residual measured against the norm of ``relative_to`` (see `Equation`)."""
    return Equation(left, right, relative_to)


def _eye(like: Any) -> Any:
    """The identity with as many columns as ``like (B, rows, columns)``, in its library, dtype and place."""
    xp = namespace(like)
    place = {} if xp is np else {"device": like.device}
    return xp.eye(like.shape[-1], dtype=like.dtype, **place)


def frobenius(matrices: Any) -> Any:
    """``‖·‖_F`` of each matrix, ``(B,)``; one for a zero matrix, so that it can be divided by."""
    xp = namespace(matrices)
    norms = norm(matrices)
    return xp.where(norms > 0, norms, xp.ones_like(norms))


def norm(matrices: Any) -> Any:
    """``‖·‖_F`` of each matrix, ``(B,)``, zero included."""
    if namespace(matrices) is not np or matrices.dtype.kind not in "fc" or matrices.strides[-1] != matrices.itemsize:
        return (abs(matrices) ** 2).sum((-2, -1)) ** 0.5
    # Row by row in one pass: no array of squares, half of the time, and sums short enough to be exact to 1e-13.
    X = matrices.view(matrices.real.dtype)
    return np.sqrt(np.einsum("...ij,...ij->...i", X, X).sum(-1))


def residual(equations: Sequence[Equation], values: Values, scaled_by: Values | None = None) -> Any:
    """Relative residual ``sqrt(Σ_e ‖R_e‖² / scale_e²)``, exact, one number per matrix ``(B,)``.

    Parameters
    ----------
    equations : the operation's statement
    values : known and unknown matrices by name, each ``(B, rows, columns)``
    scaled_by : matrices whose norms the residuals are measured against; ``values`` by default
    """
    total: Any = 0.0
    for equation in equations:
        last = next(t for t in equation.terms if t.symbols).symbols[-1]
        R = equation.apply(values, _eye(last.value(values)))
        total = total + (norm(R) / equation.scale(scaled_by or values)) ** 2
    return total**0.5


def unknown_names(equations: Sequence[Equation]) -> tuple[str, ...]:
    """Names of the sought factors, in order of appearance."""
    names = [s.name for e in equations for t in e.terms for s in t.unknowns]
    return tuple(dict.fromkeys(names))


def degrees(equations: Sequence[Equation]) -> dict[str, Fraction] | None:
    """Exponents ``g`` with ``A -> 2^k A  =>  X -> 2^(k g) X``, or None where the equations are not homogeneous.

    Every term of one equation must scale alike: one linear system in the exponents, solved in the least-squares sense
    and accepted only when it is satisfied exactly.

    >>> A, X = known("A"), unknown("X")
    >>> degrees([equal(A @ X, identity())])["X"], degrees([equal(X @ X, A)])["X"]
    (Fraction(-1, 1), Fraction(1, 2))
    """
    names = unknown_names(equations)
    rows, right = [], []
    for equation in equations:
        counts = [_term_degree(t, names) for t in equation.terms]
        for row, given in counts[1:]:
            rows.append([a - b for a, b in zip(row, counts[0][0], strict=True)])
            right.append(counts[0][1] - given)
    solution = np.linalg.lstsq(np.array(rows, float), np.array(right, float), rcond=None)[0]
    exact = [Fraction(float(g)).limit_denominator(12) for g in solution]
    balanced = all(sum(c * g for c, g in zip(row, exact, strict=True)) == b for row, b in zip(rows, right, strict=True))
    return dict(zip(names, exact, strict=True)) if balanced else None


def _term_degree(term: Term, names: tuple[str, ...]) -> tuple[list[int], int]:
    row = [sum(s.name == name for s in term.unknowns) for name in names]
    return row, sum(s.kind == "known" for s in term.symbols)
