"""Steering vectors of planar half-wavelength arrays, exact and fast.

With elements at half-wavelengths of the carrier, centred, in the y-z plane, element (i, j) of an array (n_y, n_z) sees
a plane wave of direction u at frequency f with the phase::

    exp(2πi f x·u / c) = exp(πi (f / fc) (i - (n_y - 1) / 2) u_y) · exp(πi (f / fc) (j - (n_z - 1) / 2) u_z)

Two properties save most of the work. The two factors are powers of one number each, so one exponential per path and
axis suffices. And a centred array is its own mirror image: elements m and n - 1 - m have conjugate phases, so the real
and imaginary parts of half the elements say all, and a sum over paths becomes a real matrix product at half the cost of
the complex one.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from neumatc.arrays import Array

__all__ = ["halves", "powers", "unfolded"]

Float64: TypeAlias = npt.NDArray[np.float64]
Complex128: TypeAlias = npt.NDArray[np.complex128]


def powers(angle: Float64, count: int) -> Complex128:
    """Return ``exp(i angle x_j)`` for the centred positions ``x_j = j - (count - 1) / 2``: (count, L) from (L,)."""
    step = np.exp(1j * angle)
    # Doubling keeps the rounding error at log2(count) products, where step by step it would be count products.
    rows = np.exp(0.5j * angle)[None] if count % 2 == 0 else np.ones((1, angle.size), dtype=np.complex128)
    while len(rows) < (count + 1) // 2:
        rows = np.concatenate([rows, rows * step])
        step = step * step
    rows = rows[: (count + 1) // 2]
    return np.concatenate([rows[count % 2 :][::-1].conj(), rows])


def halves(direction: Float64, stretch: float, shape: tuple[int, int]) -> Float64:
    """Return real and imaginary parts of the first half of the steering vectors, (2 h, L) with ``h = ceil(n / 2)``.

    Parameters
    ----------
    direction : (2, L), y and z components.
    stretch : f / fc.
    shape : (n_y, n_z); elements are numbered with z running fastest.
    """
    y, z = (powers(np.pi * stretch * u, count) for u, count in zip(direction, shape, strict=True))
    h = (shape[0] * shape[1] + 1) // 2
    first = (y[: (shape[0] + 1) // 2, None] * z).reshape(-1, direction.shape[1])[:h]
    parts = np.empty((2 * h, direction.shape[1]))
    parts[:h], parts[h:] = first.real, first.imag
    return parts


def unfolded(parts: Array, n: int) -> Array:
    """Return ``Σ_l s_l w_l`` (n, ...) from ``Σ_l [Re s_l; Im s_l] w_l`` (2 h, ...), s_l the full steering vectors."""
    h = (n + 1) // 2
    real, imaginary = parts[:h], 1j * parts[h:]
    return np.concatenate([real + imaginary, (real - imaginary)[: n - h][::-1]])
