"""What the families of known eigenpairs share: a matrix made from its pairs, and pairs put in order."""

import numpy as np

from neumatc.arrays import Array

__all__ = ["conjugated", "hermitian", "ordered"]


def hermitian(A: Array) -> Array:
    """Return ``(A + Aᴴ) / 2``: a product that is Hermitian up to rounding becomes so in every bit."""
    half: Array = (A + A.conj().T) / 2
    return half


def conjugated(Q: Array, values: Array) -> Array:
    """Return ``Q diag(values) Qᴴ`` (n, n), Hermitian in every bit, from Q (n, k) and real values (k,)."""
    return hermitian((Q * values) @ Q.conj().T)


def ordered(values: Array, vectors: Array) -> tuple[Array, Array]:
    """Return values (n,) in ascending order, and the columns of vectors (n, n) in the same order."""
    order = np.argsort(values, kind="stable")
    return values[order], vectors[:, order]
