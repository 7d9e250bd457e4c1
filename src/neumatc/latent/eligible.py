"""Whose answers can be certified from φ alone: where the returned factors have the residual of the stored ones.

The residual of ``X(φ) = Σ_j φ_j C_j`` is that of the answer when the answer is X(φ) itself, or differs from it by a
reordering and by signs of columns. What an operation checks beside its equations must be visible in φ, too: of
triangular factors that is the diagonal. All others keep the check of the formed result.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from neumatc.arrays import Array
from neumatc.equations import Equation
from neumatc.gauge import Factors
from neumatc.layout import Kind
from neumatc.operations import Followed, Operation, Selective
from neumatc.operations.several import SMALL
from neumatc.surrogate import Surrogate


def diagonals(operation: Operation, surrogate: Surrogate, slices: Factors) -> Array | None:
    """Diagonals ``(d, n)`` that must stay positive for φ to be certified, n = 0 where there are none.

    None where an answer must be formed to be checked.
    """
    nothing = np.zeros((surrogate.d, 0))
    triangle = operation.positive_triangle()
    if isinstance(operation, Followed) or not _sketched(operation, slices):
        return None
    if triangle:
        name, kind = triangle
        return _positive(slices[name], kind, surrogate)
    if isinstance(operation, Selective):
        return None
    if type(operation).canonical is Operation.canonical:
        return nothing
    return nothing if _reordering(operation, surrogate, slices) else None


def _sketched(operation: Operation, slices: Factors) -> bool:
    """Whether residuals are polynomial in φ, measured against norms without φ, and long enough to be worth it."""
    equations = operation.equations()
    if not equations or not all(equation.polynomial and _known_scale(equation) for equation in equations):
        return False
    longest: int = max(max(X.shape[1:]) for X in slices.values())
    return longest > SMALL


def _known_scale(equation: Equation) -> bool:
    terms = equation.relative_to.terms[:1] if equation.relative_to else ()
    return not any(symbol.kind == "unknown" for term in terms for symbol in term.symbols)


def _positive(slices: Any, kind: Kind, surrogate: Surrogate) -> Array | None:
    """Real diagonals of slices whose one triangle is zero to the last bit; None where there are none such."""
    zero = np.tril(slices, -1) if kind == "upper" else np.triu(slices, 1)
    diagonal = slices.diagonal(0, -2, -1)
    if zero.any() or surrogate.complex_coefficients or np.any(diagonal.imag):
        return None
    return np.ascontiguousarray(diagonal.real, float)


def _reordering(operation: Operation, surrogate: Surrogate, slices: Factors) -> bool:
    """Whether columns are reordered, and negated together with their real values, and nothing else."""
    kinds = {part.name: part.kind for part in surrogate.layout.parts}
    if operation.in_place(kinds) is None or surrogate.complex_coefficients:
        return False
    diagonals = [X.diagonal(0, -2, -1) for name, X in slices.items() if kinds[name] == "diagonal"]
    return not any(np.any(values.imag) for values in diagonals)


def proportional(operation: Operation, known: dict[str, Any], F: Factors) -> tuple[float, str] | None:
    """``(c, text)`` with error <= c residual for any matrices of these sizes; ``(0, "")`` where nothing is proved.

    None where a theorem reads the matrices or factors: that needs both.
    """
    blank = [{name: np.zeros_like(X[:1]) for name, X in part.items()} for part in (known, F)]
    values = [(known, {name: X[:1] for name, X in F.items()}), (blank[0], blank[1])]
    with np.errstate(all="ignore"):
        try:
            if any(operation.angles(K, X, np.ones(1)) is not None for K, X in values):
                return None
            stated = [operation.bound(K, X, size * np.ones(1)) for K, X in values for size in (1.0, 2.0)]
        except np.linalg.LinAlgError:  # zeros stand for the matrices, and a theorem wanted more of them
            return None
    if all(one is None for one in stated):
        return 0.0, ""
    if any(one is None for one in stated):
        return None
    once, twice, blank_once, blank_twice = (float(np.ravel(one[0])[0]) for one in stated if one is not None)
    if not (once == blank_once and twice == blank_twice and twice == 2 * once and np.isfinite(once)):
        return None
    first = stated[0]
    return (once, first[1]) if first is not None else None
