"""Small least-squares problems, many at once, by normal equations that are checked and refined.

``JᵀJ x = Jᵀr`` costs a fraction of a QR factorisation of J, and squares its condition number. Three things make up for
that: columns are brought to length one first, one step of refinement with the true residual gives the digits of a QR
factorisation back (Björck 1987, doi:10.1016/0024-3795(87)90101-7), and problems whose pivots are small are reported, so
that they can be solved in a safer way.

The functions accept NumPy arrays and torch tensors on any device; nothing in them waits for the device.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from neumatc.arrays import Array, namespace, torch_or_none

PIVOT = 1e-5
"""Least pivot of the scaled normal equations, as a length: below, the condition of J may be beyond refinement."""


def normal_solution(J: Any, r: Any, refine: bool = False, unknowns: int | None = None) -> tuple[Any, Any]:
    """``argmin |J x - r|`` for ``J (B, E, m)``, ``r (B, E)``: x ``(B, m)``, and whether it can be trusted ``(B,)``.

    With ``unknowns`` only so many columns of J are meant. Products with all of them take less time than copies do.
    """
    m = unknowns or J.shape[-1]
    N, g = (J.swapaxes(-1, -2) @ J)[..., :m, :m], _times(J.swapaxes(-1, -2), r)[..., :m]
    lengths = N.diagonal(0, -2, -1) ** 0.5
    # A column of zeros has no length to divide by: its NaN fails the test of the pivots.
    scaled = N / (lengths[:, :, None] * lengths[:, None, :])
    R, sound = _cholesky(scaled)
    x = _solved(R, g / lengths) / lengths
    if refine:
        rest = r - _times(J[..., :m], x)
        x = x + _solved(R, _times(J.swapaxes(-1, -2), rest)[..., :m] / lengths) / lengths
    return x, sound & namespace(x).isfinite(x).all(-1)


def many_at_once(J: Array, r: Array, refine: bool = False) -> tuple[Array, Array]:
    """`normal_solution` in torch where that is faster and there already: for more than one problem."""
    torch: Any = torch_or_none()
    with np.errstate(all="ignore"):
        if len(J) == 1 or not hasattr(torch, "from_numpy"):
            x, sound = normal_solution(J, r, refine)
            return x, sound
        with torch.no_grad():
            J, r = (torch.from_numpy(np.ascontiguousarray(array)) for array in (J, r))
            x, sound = normal_solution(J, r, refine)
        return x.numpy(), sound.numpy()


def _times(J: Any, x: Any) -> Any:
    return (J @ x[..., None])[..., 0]


def _cholesky(N: Any) -> tuple[Any, Any]:
    """Lower factors of matrices with a unit diagonal, and which of them exist and have no small pivot.

    In NumPy, which has no triangular solves, their inverses.
    """
    xp = namespace(N)
    if xp is not np:
        R, info = xp.linalg.cholesky_ex(N)
        return R, (info == 0) & (R.diagonal(0, -2, -1) > PIVOT).all(-1)
    try:
        R = np.linalg.cholesky(N)
    except np.linalg.LinAlgError:
        R = np.stack([_one_factor(matrix) for matrix in N])
    sound = (R.diagonal(0, -2, -1) > PIVOT).all(-1)
    if not sound.all():
        R = np.where(sound[:, None, None], R, np.eye(R.shape[-1]))
    return np.linalg.inv(R), sound


def _one_factor(N: Array) -> Array:
    """All NaN, and so without a pivot that is large enough, where there is none."""
    try:
        R: Array = np.linalg.cholesky(N)
    except np.linalg.LinAlgError:
        return np.full_like(N, np.nan)
    return R


def _solved(R: Any, g: Any) -> Any:
    """``(R Rᵀ)⁻¹ g``."""
    xp = namespace(R)
    if xp is np:
        return _times(R.swapaxes(-1, -2), _times(R, g))
    return xp.cholesky_solve(g[..., None], R)[..., 0]
