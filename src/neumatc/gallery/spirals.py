"""Real blocks of two rows with known eigenpairs and exponentials: the raw material of the dynamic families.

    M(α, ω) = [  α    ω k ]       eigenvalues α ± iω,      exp M = e^α [   cos ω     k sin ω ]
              [ -ω / k  α ]       vectors (k, ±i),                     [ -sin ω / k    cos ω ]

For k = 1 a block is normal; its departure from that grows with k + 1/k.
"""

import numpy as np

from neumatc.arrays import Array

__all__ = ["exponentials", "inverse_vectors", "norms", "spirals", "vectors"]


def spirals(alpha: Array, omega: Array, skew: float) -> Array:
    """Return ``diag(M(α_1, ω_1), …)`` (2m, 2m) from α, ω (m,) and k = skew.

    Examples
    --------
    >>> spirals(np.array([-1.0]), np.array([3.0]), 2.0)
    array([[-1. ,  6. ],
           [-1.5, -1. ]])
    """
    return _blocks(alpha, omega * skew, -omega / skew, alpha)


def exponentials(alpha: Array, omega: Array, skew: float) -> Array:
    """Return the exponential of `spirals` (2m, 2m)."""
    growth, sine = np.exp(alpha), np.sin(omega)
    middle = growth * np.cos(omega)
    return _blocks(middle, growth * sine * skew, -growth * sine / skew, middle)


def norms(alpha: Array, omega: Array, skew: float) -> Array:
    """Return the spectral norm of every block (m,): ``(sqrt(4α² + ω² (k + 1/k)²) + |ω| |k - 1/k|) / 2``.

    It is analytic in α and ω as long as ω keeps its sign.
    """
    sum_of_both = np.hypot(2 * alpha, omega * (skew + 1 / skew))
    norm: Array = (sum_of_both + np.abs(omega * (skew - 1 / skew))) / 2
    return norm


def vectors(m: int, skew: float) -> Array:
    """Return the eigenvectors of m blocks as columns (2m, 2m), those of α + iω and α - iω next to each other."""
    one = np.ones(m)
    return _blocks(skew * one, skew * one, 1j * one, -1j * one)


def inverse_vectors(m: int, skew: float) -> Array:
    """Return the inverse of `vectors` (2m, 2m)."""
    half = np.ones(m) / 2
    return _blocks(half / skew, -1j * half, half / skew, 1j * half)


def _blocks(a: Array, b: Array, c: Array, d: Array) -> Array:
    """Return the block diagonal matrix of the blocks [a, b; c, d]."""
    even = np.arange(0, 2 * a.size, 2)
    M = np.zeros((2 * a.size, 2 * a.size), dtype=np.result_type(a, b, c, d))
    M[even, even], M[even, even + 1], M[even + 1, even], M[even + 1, even + 1] = a, b, c, d
    return M
