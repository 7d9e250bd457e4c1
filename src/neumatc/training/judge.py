"""Residuals at points that are looked at again and again: matrices one by one as they lie in memory, measured once.

The same numbers as `neumatc.certify.Checker`, which is made for matrices that come once, in a batch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from neumatc.arrays import Array, double
from neumatc.certify import Checker
from neumatc.equations import Equation, norm
from neumatc.gauge import Factors
from neumatc.operations import Followed, Selective
from neumatc.problem import Problem

from .workers import in_groups, mapper


class Judge:
    """Judges canonical factors of one operation with the probes of a checker."""

    def __init__(self, problem: Problem, checker: Checker) -> None:
        self.problem, self.checker, self.operation = problem, checker, checker.operation
        self.sizes: dict[bytes, dict[str, float]] = {}

    def residual(self, points: Array, F: Factors) -> Array:
        """Estimated relative residual of factors ``(M, rows, columns)`` at ``points (M, D)``, ``(M,)``."""
        found, done, pieces = [np.empty(0)], 0, self.problem.pieces(points)
        for group in in_groups(pieces):
            matrices, here = [self.problem.matrices(some, keep=True) for some in group], []
            for some in group:
                here.append({name: X[done : done + len(some)] for name, X in F.items()})
                done += len(some)
            found += mapper(self.problem.shape)(self.at, group, matrices, here)
        return np.concatenate(found)

    def at(self, points: Array, A: Array, F: Factors) -> Array:
        """The same for matrices ``A (M, n1, n2)`` that the caller has."""
        # Numbers stored in single precision are judged in double: the check must not round as they do.
        F = {name: X.astype(double(X.dtype), copy=False) for name, X in F.items()}
        known = self.operation.given(A)
        sizes, values = self._sizes(points, known), {**known, **F}
        total = np.zeros(len(A))
        parts = zip(self.checker.equations, self.checker.probes, self.checker.exact, strict=True)
        for equation, Z, exact in parts:
            scale = _scale(equation, values, sizes)
            total += (norm(equation.apply(values, Z)) / scale) ** 2 / (1 if exact else Z.shape[1])
        if isinstance(self.operation, Followed):
            total += self.operation.mismatch(A, F) ** 2
        if isinstance(self.operation, Selective):
            total += self.operation.defect(A, F, self.checker.defect_probes) ** 2
        residual: Array = np.sqrt(total)
        return residual

    def _sizes(self, points: Array, known: Factors) -> dict[str, Array]:
        """Norms of the given matrices, ``(M,)`` each; one where a matrix is zero, so that it can be divided by."""
        keys = [point.tobytes() for point in points]
        if any(key not in self.sizes for key in keys):
            norms = {name: norm(K) for name, K in known.items()}
            for i, key in enumerate(keys):
                self.sizes[key] = {name: float(size[i % len(size)]) or 1.0 for name, size in norms.items()}
        return {name: np.array([self.sizes[key][name] for key in keys]) for name in known}


def _scale(equation: Equation, values: Factors, sizes: dict[str, Array]) -> Any:
    """``equation.scale(values)``, from the norms where it is one of them."""
    if equation.relative_to is not None or equation.constant:
        return equation.scale(values)
    names = [symbol.name for term in equation.terms for symbol in term.symbols if symbol.kind == "known"]
    return sizes[names[0]] if names else 1.0
