"""Derivatives of a caller's coefficients: differences of fourth order that stay inside the box."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from neumatc.arrays import Array
from neumatc.box import Box
from neumatc.errors import InputError

STEP = 5e-4
"""Step as a share of the (local) width of the box: error and rounding meet at about 1e-11."""

NODES, CENTRAL, FORWARD = np.arange(5.0), np.array([1, -8, 0, 8, -1]) / 12, np.array([-25, 48, -36, 16, -3]) / 12


def stencil(box: Box, points: Array, axis: int) -> tuple[Array, Array]:
    """Nodes ``(B, 5, D)`` and weights ``(B, 5)`` with ``f'(p) ≈ Σ_k w_k f(node_k)`` along one parameter.

    Examples
    --------
    >>> nodes, weights = stencil(Box.of((0.0, 1.0)), np.array([[0.3], [0.0], [1.0]]), 0)
    >>> np.allclose((weights * nodes[..., 0] ** 3).sum(1), [0.27, 0.0, 3.0])
    True
    """
    h = 2 * STEP / box.slope(box.to_unit(points), axis)
    at, lower, upper = points[:, axis], box.lower[axis], box.upper[axis]
    # -1 at the upper end, where the forward formula is used backwards.
    side = np.where(at - 2 * h < lower, 1.0, np.where(at + 2 * h > upper, -1.0, 0.0))[:, None]
    offsets = np.where(side == 0, NODES - 2, side * NODES) * h[:, None]
    nodes = np.repeat(points[:, None, :], 5, axis=1)
    nodes[:, :, axis] = np.clip(at[:, None] + offsets, lower, upper)
    weights: Array = np.where(side == 0, CENTRAL, side * FORWARD) / h[:, None]
    return nodes, weights


def slope_of(coefficients: Callable[[Array], Array], box: Box, points: Array, axis: int) -> Array:
    """``∂θ/∂p_axis`` (B, Q) at points (B, D) of coefficients ``(M, D) -> (M, Q)``."""
    nodes, weights = stencil(box, points, axis)
    values = coefficients(nodes.reshape(-1, points.shape[1]))
    slope: Array = np.einsum("bk,bkq->bq", weights, values.reshape(*weights.shape, values.shape[1]))
    return slope


def axis_of(box: Box, axis: int | str) -> int:
    """The number of a parameter that a caller gave by number or by name."""
    names = box.names or ()
    if isinstance(axis, str) and axis in names:
        return names.index(axis)
    if isinstance(axis, int | np.integer) and -box.dimension <= axis < box.dimension:
        return int(axis) % box.dimension
    raise InputError(
        f"The derivative axis must be one of 0..{box.dimension - 1} or a name of {list(names)}, got {axis!r}. "
        f"The box has {box.dimension} parameter(s). Pass the number of the parameter, counted from 0."
    )
