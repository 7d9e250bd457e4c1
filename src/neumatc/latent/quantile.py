"""The safety factor of probes on both sides of a residual."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from neumatc.arrays import Array

STEP, REACH = 0.05, 30.0
"""Spacing and reach of the integral in the logarithm; the trapezoidal rule has converged to rounding there."""


@lru_cache(maxsize=256)
def bilinear_factor(delta: float, left: int, right: int) -> float:
    """``c`` with ``P(χ²_left χ²_right < left right / c²) = delta``, for even numbers of degrees of freedom.

    The worst case of ``est = ‖Wᴴ R Z‖_F / sqrt(k1 k2)`` is a residual of rank one, ``R = ‖R‖ u vᴴ``: there
    ``est² / ‖R‖² = ‖Wᴴ u‖² ‖vᴴ Z‖² / (k1 k2)`` is the product of two independent ``χ²_k / k`` (complex probes: 2k
    degrees of freedom). Hence ``P(‖R‖ > c est) <= delta`` for any R.

    >>> [round(bilinear_factor(1e-3, k, k), 1) for k in (4, 8, 16)]
    [12.6, 4.6, 2.6]
    """
    low, high = -120.0, math.log(left * right)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if product_tail(middle, left // 2, right // 2) > delta else (middle, high)
    return math.sqrt(left * right / (4 * math.exp(low)))


def product_tail(log: float, a: int, b: int) -> float:
    """``P(ln(G_a G_b) < log)`` for independent gamma variables: ``∫ f_a(e^u) e^u F_b(e^(log - u)) du``.

    The integrand is smooth and falls like ``e^(a u)`` to the left and doubly exponentially to the right, so that the
    trapezoidal rule converges exponentially; nothing in it cancels.
    """
    u = np.arange(min(log, 0.0) - REACH, math.log(a + 80.0 * math.sqrt(a)) + 1.0, STEP)
    density = np.exp(a * u - np.exp(u) - math.lgamma(a))
    return float(STEP * (density * _below(np.exp(np.minimum(log - u, 300.0)), b)).sum())


def _below(y: Array, b: int) -> Array:
    """``P(G_b < y)``: a sum of positive terms where it is small, one minus few terms where it is not."""
    large = y > b + 1.0
    inside = np.where(large, 1.0, y)
    term = np.exp(-inside + b * np.log(np.maximum(inside, 1e-300)) - math.lgamma(b + 1))
    total = term
    for i in range(b + 1, b + 60 + 2 * b):
        term = term * inside / i
        total = total + term
    outside = np.where(large, y, 1.0)
    above = term = np.exp(-outside)
    for i in range(1, b):
        term = term * outside / i
        above = above + term
    small: Array = np.where(large, 1.0 - above, total)
    return small
