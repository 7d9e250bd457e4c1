"""The inverse: A X = I."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from neumatc.arrays import Array, is_torch, namespace
from neumatc.equations import Equation, equal, identity, known, unknown
from neumatc.gauge import Factors, Gauge, NoGauge

from .base import Operation, check_square


@final
@dataclass(frozen=True)
class Inverse(Operation):
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


def inverse(A: Any) -> Any:
    """``A⁻¹`` for ``A (B, n, n)``, NumPy or torch; on a CPU from LU factors (getrf, getri).

    That takes 2 n³ flops. ``numpy.linalg.inv`` and ``torch.linalg.inv`` solve ``A X = I`` and take 8/3 n³.

    Raises
    ------
    numpy.linalg.LinAlgError
        When a pivot is zero.

    Examples
    --------
    >>> import numpy as np
    >>> inverse(np.array([[[2.0, 1.0], [1.0, 1.0]]]))
    array([[[ 1., -1.],
            [-1.,  2.]]])
    """
    if not is_torch(A):
        return _by_lu(A)
    if A.device.type != "cpu":
        return namespace(A).linalg.inv(A)
    return namespace(A).from_numpy(_by_lu(A.resolve_conj().numpy()))


def _by_lu(A: Array) -> Array:
    from scipy.linalg import get_lapack_funcs

    n = A.shape[-1]
    getrf, getri, size = get_lapack_funcs(("getrf", "getri", "getri_lwork"), (A,))
    work = int(size(n)[0].real)
    X = np.empty(A.shape, A.dtype)
    for matrix, memory in zip(A, X, strict=True):
        # A row-major matrix is LAPACK's transpose, and so is its inverse: nothing is turned round.
        memory[...] = matrix
        lu, pivots, singular = getrf(memory.T, overwrite_a=True)
        if singular:
            raise np.linalg.LinAlgError("singular matrix: a pivot of its LU factors is zero")
        found, _ = getri(lu, pivots, lwork=work, overwrite_lu=True)
        if not np.may_share_memory(found, memory):
            memory[...] = found.T
    return X
