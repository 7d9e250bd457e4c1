"""Polynomials through Chebyshev–Lobatto points, in one or several dimensions.

``Φ(x) = Σ_k c_k T_k(x)`` with ``T_k(cos θ) = cos k θ``; for D parameters the tensor product. A map that is analytic in
the ellipse with half-axes summing to ρ is approximated with an error of the order of ``ρ^-M``, and no grid does better
without knowing more (Trefethen, *Approximation Theory and Approximation Practice*, doi:10.1137/1.9781611975949).
"""

from dataclasses import dataclass
from functools import reduce
from math import prod
from typing import ClassVar, Self, final

import numpy as np

from neumatc.arrays import Array
from neumatc.bases.base import Basis, Curve, paired
from neumatc.errors import InputError

__all__ = ["Chebyshev", "ChebyshevCurve", "lobatto"]

_PLACE = 1e-12  # how far a point may sit from its grid place; mapping a box to [-1, 1] rounds at about this level
_CHUNK = 2**22  # numbers of the tensor basis held at once


def lobatto(*counts: int) -> Array:
    """Return the tensor grid of Chebyshev–Lobatto points ``x_k = -cos(π k / (M - 1))``, ascending.

    Parameters
    ----------
    counts : number of points along each axis.

    Returns
    -------
    (M_1 ⋯ M_D, D), the last axis running fastest.

    Examples
    --------
    >>> lobatto(3).tolist()
    [[-1.0], [0.0], [1.0]]
    >>> lobatto(3, 5).shape
    (15, 2)
    """
    if not counts or min(counts) < 1:
        raise InputError(
            f"lobatto needs at least one point along each axis; {counts} came. "
            "A number of points was probably computed from an empty box. Ask for 2 points or more."
        )
    axes = np.meshgrid(*(_lobatto_axis(count) for count in counts), indexing="ij")
    return np.stack([axis.ravel() for axis in axes], axis=1)


def _lobatto_axis(count: int) -> Array:
    # The sine of an odd argument gives points that are exactly symmetric, with 0 in the middle; -cos does not.
    k = np.arange(count)
    points: Array = np.sin(np.pi * (2 * k - (count - 1)) / (2 * max(count - 1, 1)))
    return points


@final
@dataclass(frozen=True, eq=False, repr=False)
class ChebyshevCurve(Curve):
    """A (tensor) Chebyshev series ``Φ(x) = Σ c_{k_1…k_D} T_{k_1}(x_1) ⋯ T_{k_D}(x_D)``.

    Parameters
    ----------
    coefficients : (n_1, …, n_D, m).

    Examples
    --------
    >>> import numpy as np
    >>> curve = ChebyshevCurve(np.array([[0.0], [0.0], [1.0]]))  # T_2(x) = 2 x² - 1
    >>> curve(np.array([[0.5]])).round(15).tolist(), curve.derivative(np.array([[0.5]]), 0).round(15).tolist()
    ([[-0.5]], [[2.0]])
    """

    name: ClassVar[str] = "chebyshev"

    coefficients: Array

    def __call__(self, x: Array) -> Array:
        """Evaluate at ``x`` (B, D); returns (B, m)."""
        return _series(self.coefficients, x)

    def derivative(self, x: Array, axis: int) -> Array:
        """Differentiate the series exactly along one axis; returns (B, m)."""
        slopes = _differentiated(np.moveaxis(self.coefficients, axis, 0))
        return _series(np.moveaxis(slopes, 0, axis), x)

    def combined(self, T: Array) -> "ChebyshevCurve":
        """Return ``x -> Φ(x) T``, ``T (m, k)``."""
        return ChebyshevCurve(np.ascontiguousarray(self.coefficients @ T))

    def arrays(self) -> dict[str, Array]:
        """Return ``coefficients``."""
        return {"coefficients": self.coefficients}

    @classmethod
    def from_arrays(cls, arrays: dict[str, Array]) -> Self:
        """Rebuild the series."""
        return cls(arrays["coefficients"])


@final
@dataclass(frozen=True)
class Chebyshev(Basis):
    """Interpolation in Chebyshev–Lobatto points; refuses any other points.

    Samples may come in any order and carry rounding errors of their places. Trailing coefficients at rounding level
    are dropped.

    Examples
    --------
    >>> import numpy as np
    >>> x = lobatto(30)
    >>> curve = Chebyshev().fit(x, np.exp(x), np.random.default_rng(0))
    >>> bool(abs(curve(np.array([[0.3]])) - np.exp(0.3)) < 1e-14)
    True
    """

    name: ClassVar[str] = "chebyshev"

    def unsuited(self, x: Array) -> str | None:
        """Refuse everything that is not a (tensor) Chebyshev–Lobatto grid."""
        if _places(x) is None:
            return "they are not a (tensor) Chebyshev–Lobatto grid, as lobatto() gives it"
        return None

    def fit(self, x: Array, y: Array, rng: np.random.Generator) -> ChebyshevCurve:  # noqa: ARG002 - nothing is drawn
        """Interpolate ``y`` (M, m) on the grid ``x`` (M, D)."""
        x, y = paired(x, y)
        self.check(x)
        values = np.empty_like(y)
        values[_places(x)] = y
        coefficients = values.reshape(*_counts(x), -1)
        for axis in range(x.shape[1]):
            coefficients = _apply(_transform(coefficients.shape[axis]), coefficients, axis)
        return ChebyshevCurve(_trimmed(coefficients))


def _counts(x: Array) -> tuple[int, ...]:
    """Count the distinct coordinates along each axis."""
    ordered = np.sort(x, axis=0)
    return tuple(1 + int(steps) for steps in np.sum(ordered[1:] - ordered[:-1] > _PLACE, axis=0))


def _places(x: Array) -> Array | None:
    """Return the row of `lobatto` that each point of ``x`` (M, D) is, or None when x is no such grid."""
    counts = _counts(x)
    if prod(counts) != len(x) or not np.max(np.abs(x)) <= 1 + _PLACE:
        return None
    last = np.array(counts) - 1
    steps = np.rint(last * (1 - np.arccos(np.clip(x, -1, 1)) / np.pi)).astype(int)
    places: Array = np.asarray(np.ravel_multi_index(tuple(steps.T), counts))
    on_grid = np.max(np.abs(x - lobatto(*counts)[places])) <= _PLACE
    return places if on_grid and len(np.unique(places)) == len(x) else None


def _transform(count: int) -> Array:
    """Return the matrix (count, count) from values at ascending Lobatto points to Chebyshev coefficients (a DCT-I)."""
    if count == 1:
        return np.ones((1, 1))
    degree = count - 1
    k = np.arange(count)
    # Reducing the angle in integers first keeps the cosines correct to the last bit or two at any degree.
    T = np.cos(np.pi / degree * (np.outer(k, degree - k) % (2 * degree)))
    half = np.where((k == 0) | (k == degree), 0.5, 1.0)
    matrix: Array = (2 / degree) * half[:, None] * T * half
    return matrix


def _apply(matrix: Array, tensor: Array, axis: int) -> Array:
    return np.moveaxis(np.tensordot(matrix, tensor, (1, axis)), 0, axis)


def _trimmed(coefficients: Array) -> Array:
    """Drop trailing slices along each axis that are at most 1e-16 of the largest coefficient in every column."""
    alive = np.any(np.abs(coefficients) > 1e-16 * np.max(np.abs(coefficients)), axis=-1)
    extent = np.argwhere(alive).max(axis=0, initial=0) + 1
    return np.ascontiguousarray(coefficients[tuple(slice(n) for n in extent)])


def _series(coefficients: Array, x: Array) -> Array:
    flat = coefficients.reshape(-1, coefficients.shape[-1])
    rows = max(1, _CHUNK // len(flat))
    if len(x) <= rows:
        return _tensor_basis(coefficients.shape[:-1], x) @ flat
    parts = [_tensor_basis(coefficients.shape[:-1], x[i : i + rows]) @ flat for i in range(0, len(x), rows)]
    return np.concatenate(parts)


def _tensor_basis(counts: tuple[int, ...], x: Array) -> Array:
    """Return all products ``T_{k_1}(x_1) ⋯ T_{k_D}(x_D)``, (B, n_1 ⋯ n_D)."""
    # Rounding in the map from the box may leave [-1, 1] by an ulp, where arccos is NaN.
    theta = np.arccos(np.minimum(np.maximum(x, -1.0), 1.0))
    rows = [np.cos(theta[:, axis, None] * np.arange(count)) for axis, count in enumerate(counts)]
    return reduce(
        lambda left, right: (left[:, :, None] * right[:, None, :]).reshape(len(x), left.shape[1] * right.shape[1]), rows
    )


def _differentiated(c: Array) -> Array:
    """Differentiate along axis 0: ``c'_j = (2 - δ_{j0}) Σ k c_k`` over ``k > j`` with ``k - j`` odd."""
    if len(c) == 1:
        return np.zeros_like(c)
    tail = c * np.arange(len(c)).reshape(-1, *[1] * (c.ndim - 1))
    for parity in (tail[::-2], tail[-2::-2]):
        np.cumsum(parity, axis=0, out=parity)
    slopes = 2 * tail[1:]
    slopes[0] /= 2
    return slopes
