"""What operations with individual vectors share: their levels, and how near two of them come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np

from neumatc.arrays import Array, namespace
from neumatc.gauge import adjoint

LONGEST = 0.5
"""Largest change of a unit vector by a first-order rotation: beyond, the second order is as large as the first."""


@runtime_checkable
class Separated(Protocol):
    """An operation whose vectors are as good as residual times condition over gap.

    ``levels (B, n)`` are the values whose distance is the gap, ``conditions (B,)`` what a perturbation of A is
    multiplied by in the worst of them: one where vectors are orthonormal.
    """

    def levels(self, F: Mapping[str, Any]) -> Array: ...

    def conditions(self, F: Mapping[str, Any]) -> Array: ...


def smallest_gap(levels: Array) -> Array:
    """Least distance of two levels of ``(B, n)``, real or complex, in units of their mean distance; ``(B,)``.

    The mean distance is the diameter of the levels over ``n - 1``.

    >>> smallest_gap(np.array([[0.0, 1.0, 1.5, 3.0]]))
    array([0.5])
    """
    n = levels.shape[-1]
    # Row by row: all differences at once would be B n² numbers.
    widest = np.array([np.abs(row[:, None] - row).max() for row in levels])
    gap: Array = nearest(levels) * (n - 1) / np.where(widest > 0, widest, 1.0)
    return gap


def nearest(levels: Array) -> Array:
    """Least distance of two levels of ``(B, n)``; infinite for a single level; ``(B,)``."""
    apart = np.where(np.eye(levels.shape[-1]) > 0, np.inf, 0.0)
    return np.array([(np.abs(row[:, None] - row) + apart).min() for row in levels])


def rotation(T: Any, R: Any, left: Any, right: Any, width: Any, shared: Any, together: Array | None = None) -> Any:
    """``E_ij = (T_ij + R_ij right_j) / (right_j - left_i)``, and ``shared`` where the two are closer than ``width``.

    The first-order rotation of approximate vectors into exact ones, off the diagonal. Within a cluster vectors stay as
    they are and are only made orthonormal: its basis is arbitrary, and that of the neighbours in p is the smooth one.
    So do the pairs ``together (n, n)`` whatever their distance.
    """
    xp = namespace(T)
    gap = right[..., None, :] - left[..., :, None]
    close = abs(gap) <= width[..., None, None]
    if together is not None and together.any():
        close = close | (together if xp is np else xp.as_tensor(together, device=T.device))
    return xp.where(close, shared, (T + R * right[..., None, :]) / xp.where(close, xp.ones_like(gap), gap))


def cluster_width(T: Any, R: Any, values: Any) -> Any:
    """Distance below which two values count as one cluster at the present accuracy, ``(B,)``.

    Half the root mean square coupling by what is left of T off its diagonal, and rounding
    (Ogita & Aishima 2019, doi:10.1007/s13160-018-0310-3, with the mean in the place of their worst case).
    """
    xp = namespace(T)
    largest = abs(values).max(-1) if xp is np else abs(values).amax(-1)
    n = T.shape[-1]
    off = (abs(T) ** 2).sum((-2, -1)) - (abs(T.diagonal(0, -2, -1)) ** 2).sum(-1)
    off = xp.where(off > 0, off, xp.zeros_like(off)) ** 0.5
    skew = (abs(R) ** 2).sum((-2, -1)) ** 0.5
    eps = float(xp.finfo(T.dtype).eps)
    return 0.5 * (off + largest * skew) / n**0.5 + 8 * eps * largest


def with_diagonal(E: Any, diagonal: Any) -> Any:
    """``E`` with another diagonal, and shortened where it is no small rotation and the step could not be trusted."""
    xp = namespace(E)
    place = {} if xp is np else {"device": E.device}
    eye = xp.eye(E.shape[-1], dtype=E.dtype, **place)
    return shortened(E * (1 - eye) + eye * diagonal[..., None, :])


def shortened(E: Any) -> Any:
    """Each matrix of ``(B, n, k)``, multiplied so that the 2-norm of no column exceeds `LONGEST`."""
    xp = namespace(E)
    size = (abs(E) ** 2).sum(-2) ** 0.5
    largest = (size.max(-1) if xp is np else size.amax(-1))[:, None, None]
    return E * xp.where(largest > LONGEST, LONGEST / xp.where(largest > LONGEST, largest, xp.ones_like(largest)), 1.0)


def gram_defect(V: Any, BV: Any) -> Any:
    """``I - Vᴴ B V``."""
    xp = namespace(V)
    place = {} if xp is np else {"device": V.device}
    return xp.eye(V.shape[-1], dtype=V.dtype, **place) - adjoint(V) @ BV


def reordered(X: Any, order: Any) -> Any:
    """Columns of ``X (B, n, k)`` in the order ``(B, k)``, NumPy; X itself where they are in order."""
    return np.take_along_axis(X, order[..., None, :], -1) if len(misplaced(order)) else X


def misplaced(order: Array) -> Array:
    """Rows of ``order (B, k)`` that are not 0, 1, …, k - 1."""
    return np.flatnonzero((order != np.arange(order.shape[-1])).any(-1))
