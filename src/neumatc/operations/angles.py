"""How far computed vectors and subspaces may be turned: sines of angles, from residuals and gaps.

Davis and Kahan (1970, doi:10.1137/0707001) for eigenvectors, Wedin (1972, doi:10.1007/BF01932678) for singular vectors.
Gaps are those between the values of an answer and the exact ones that do not belong to it, which are computed: hence
for small matrices only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np

from neumatc.arrays import Array
from neumatc.equations import frobenius

from .definite import hermitian_part
from .several import SMALL

Bound: TypeAlias = tuple[Any, str] | None


def of_lowest(A: Array, values: Array, residual: Array, sign: float) -> Bound:
    """Eigenvectors of the lowest (sign 1) or highest (-1) eigenvalues ``values (B, k)`` as one subspace."""
    if A.shape[-1] > SMALL:
        return None
    size, k = residual * frobenius(A), values.shape[-1]
    exact = np.linalg.eigvalsh(sign * hermitian_part(A))
    gap = exact[..., k] - (sign * values).max(-1) if k < A.shape[-1] else np.full(len(A), np.inf)
    return _sine(size, gap), "‖sin Θ‖_F <= ‖A V - V M‖_F/gap of the subspace, gap of A(p) computed (Davis-Kahan)"


def of_eigenvectors(A: Array, F: Mapping[str, Any], residual: Array) -> Bound:
    """Every eigenvector, values ascending; the worst of them."""
    if A.shape[-1] > SMALL:
        return None
    values, exact = F["w"].diagonal(0, -2, -1).real, np.linalg.eigvalsh(hermitian_part(A))
    size = residual * frobenius(A) / np.linalg.norm(F["V"], axis=-2).min(-1)
    return _sine(size, _open(values, exact)), "sin θ <= ‖A v - w v‖/gap of each v, gaps of A(p) computed (Davis-Kahan)"


def of_leading(A: Array, F: Mapping[str, Any], residual: Array) -> Bound:
    """Both subspaces of the leading singular values."""
    if min(A.shape[-2:]) > SMALL:
        return None
    values, exact = F["M"].diagonal(0, -2, -1).real, np.linalg.svd(A, compute_uv=False)
    r = values.shape[-1]
    left_out = exact[..., r] if r < exact.shape[-1] else np.zeros(len(A))
    text = "‖sin Θ‖_F of U and V together <= residual ‖A‖_F/gap, gap of A(p) computed (Wedin)"
    return _sine(residual * frobenius(A), values.min(-1) - left_out), text


def of_triplets(A: Array, F: Mapping[str, Any], residual: Array) -> Bound:
    """Every pair of singular vectors, values descending; the worst of them.

    The pair (u; v) is an eigenvector of ``[0, A; Aᴴ, 0]``, whose other eigenvalues are the other ``±σ``, ``-σ`` of the
    pair itself, and zeros where A is not square.
    """
    if min(A.shape[-2:]) > SMALL:
        return None
    values, exact = F["s"].diagonal(0, -2, -1).real[..., ::-1], np.linalg.svd(A, compute_uv=False)[..., ::-1]
    gap = np.minimum(_open(values, exact), values[..., 0] + exact[..., 0])
    gap = gap if A.shape[-1] == A.shape[-2] else np.minimum(gap, values[..., 0])
    columns = [(np.abs(F[name]) ** 2).sum(-2) for name in ("U", "V")]
    size = residual * frobenius(A) / np.sqrt(sum(columns).min(-1))
    return _sine(size, gap), "sin θ <= residual ‖A‖_F/gap of each pair (u; v), gaps of A(p) computed (Wedin)"


def _open(values: Array, exact: Array) -> Array:
    """Least distance of a value to the exact ones of other places, all ascending ``(B, n)``; negative if disordered."""
    if values.shape[-1] == 1:
        return np.full(len(values), np.inf)
    above, below = exact[..., 1:] - values[..., :-1], values[..., 1:] - exact[..., :-1]
    gap: Array = np.minimum(above.min(-1), below.min(-1))
    return gap


def _sine(size: Array, gap: Array) -> Array:
    """``size / gap``, infinite where it is no sine."""
    sine = np.where(gap > 0, size / np.where(gap > 0, gap, 1), np.inf)
    return np.where(sine <= 1, sine, np.inf)
