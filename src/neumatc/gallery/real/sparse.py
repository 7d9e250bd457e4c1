"""What the sparse families share: read-only parts, and their sum at a point."""

from collections.abc import Sequence
from typing import Any

from neumatc.arrays import Array

__all__ = ["combined", "frozen"]


def frozen(matrix: Any) -> Any:
    """Return a sparse matrix as CSR with sorted indices and read-only memory."""
    rows = matrix.tocsr()
    rows.sum_duplicates()
    for memory in (rows.data, rows.indices, rows.indptr):
        memory.setflags(write=False)
    return rows


def combined(coefficients: Array, matrices: Sequence[Any]) -> Any:
    """Return ``Σ_q θ_q A_q`` as a fresh CSR matrix.

    Parameters
    ----------
    coefficients : θ (Q,).
    matrices : Q sparse matrices (n, n).
    """
    total = coefficients[0] * matrices[0]
    for theta, part in zip(coefficients[1:], matrices[1:], strict=True):
        total = total + theta * part
    return total.tocsr()
