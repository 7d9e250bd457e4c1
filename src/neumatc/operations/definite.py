"""Hermitian and positive definite, checked: what several operations ask of their matrices and factors."""

from __future__ import annotations

from typing import Any

import numpy as np

from neumatc.arrays import Array, as_numpy
from neumatc.equations import frobenius, norm
from neumatc.gauge import adjoint

ASYMMETRY = 1e-6
"""Relative ``‖A - Aᴴ‖_F`` up to which A counts as Hermitian and disturbed by rounding (in single precision, say)."""


def hermitian_part(A: Any) -> Any:
    """``(A + Aᴴ) / 2``."""
    return (A + adjoint(A)) / 2


def refuse_asymmetric(A: Any) -> None:
    """Raise LinAlgError when a matrix of ``A (B, n, n)`` is not Hermitian, with its asymmetry."""
    share = as_numpy(norm(A - adjoint(A)) / frobenius(A), "asymmetry")
    worst = int(np.argmax(share))
    if not share[worst] <= ASYMMETRY:
        raise np.linalg.LinAlgError(
            f"A{index_of(worst, len(share))} is not Hermitian, ‖A - Aᴴ‖_F/‖A‖_F = {share[worst]:.1e}"
        )


def negative_eigenvalues(matrices: Array) -> list[Array]:
    """The negative eigenvalues of each Hermitian matrix ``(B, n, n)``; NaN where it is not finite.

    A Cholesky factorisation that succeeds shows that there are none, at a tenth of the cost of the eigenvalues.
    """
    return [_negative(matrix) for matrix in np.asarray(matrices)]


def _negative(matrix: Array) -> Array:
    if not np.isfinite(matrix).all():
        return np.array([-np.inf])
    try:
        np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        values: Array = np.linalg.eigvalsh(matrix)
        return values[values < 0]
    return np.empty(0)


def index_of(worst: int, count: int) -> str:
    """How a message names one matrix of several."""
    return f" (matrix {worst} of {count})" if count > 1 else ""
