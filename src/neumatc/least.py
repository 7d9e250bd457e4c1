"""Small least-squares problems, many at once, by normal equations that are checked and refined.

``JᵀJ x = Jᵀr`` costs a fraction of a QR factorisation of J, and squares its condition number. Three things make up for
that: lengths of columns do not count (a Cholesky factorisation has the error of the one whose columns have length one,
van der Sluis 1969, doi:10.1007/BF02165096), one step of refinement with the true residual gives the digits of a QR
factorisation back (Björck 1987, doi:10.1016/0024-3795(87)90101-7), and problems whose pivots are small are reported, so
that they can be solved in a safer way.

Factors are made by compiled code, `neumatc.definite`; where that was not built, and on a device, by the library of the
arrays.

The functions accept NumPy arrays and torch tensors on any device; nothing in them waits for the device.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from neumatc import definite
from neumatc.arrays import Array, namespace
from neumatc.processor import torch_if_faster

PIVOT = 1e-5
"""Least pivot of the scaled normal equations, as a length: below, the condition of J may be beyond refinement."""


def normal_solution(J: Any, r: Any, refine: bool = False, unknowns: int | None = None) -> tuple[Any, Any]:
    """``argmin |J x - r|`` for ``J (B, E, m)``, ``r (B, E)``: x ``(B, m)``, and whether it can be trusted ``(B,)``.

    With ``unknowns`` only so many columns of J are meant. Products with all of them take less time than copies do.
    """
    m = unknowns or J.shape[-1]
    N, g = (J.swapaxes(-1, -2) @ J)[..., :m, :m], _times(J.swapaxes(-1, -2), r)[..., :m]
    factored = Factored.of(N)
    x = factored.solve(g)
    if refine:
        rest = r - _times(J[..., :m], x)
        x = x + factored.solve(_times(J.swapaxes(-1, -2), rest)[..., :m])
    return x, factored.sound & finite(x)


class Factored(NamedTuple):
    """Matrices ``N = JᵀJ``, factored.

    Parameters
    ----------
    R : those of compiled code, else of J with columns of length one: (B, m, m), in NumPy, which has no triangular
        solves, the matrices
    scale : (B, m), one over the lengths of the columns of J; None for compiled code, which needs none
    sound : (B,), whether no pivot is too small
    """

    R: Any
    scale: Any
    sound: Any

    @staticmethod
    def of(N: Any, terms: Any = None) -> Factored:
        """For ``N (B, m, m)``.

        Where columns of J are sums, ``terms (B, m)`` are the lengths of all terms of a column together: what they are
        longer than the sum is lost in rounding, and pivots must be so much larger.
        """
        # A column of zeros has no length to divide by: its NaN fails the test of the pivots.
        least = PIVOT if terms is None else PIVOT * namespace(N).amax(terms * N.diagonal(0, -2, -1) ** -0.5, 1)
        if (here := definite.in_memory(N)) is not None:
            R, pivots = definite.factored(here)
            return Factored(R, None, definite.as_in(N, pivots) > least)
        scale = N.diagonal(0, -2, -1) ** -0.5
        R, sound = _cholesky(N * (scale[:, :, None] * scale[:, None, :]), least)
        return Factored(R, scale, sound)

    def solve(self, g: Any) -> Any:
        """``N⁻¹ g`` for ``g (B, m)``."""
        if self.scale is None:
            return definite.solved(self.R, g)
        return _solved(self.R, g * self.scale) * self.scale


def many_at_once(J: Array, r: Array, refine: bool = False) -> tuple[Array, Array]:
    """`normal_solution` in torch where that is faster and there already: for more than one problem."""
    torch: Any = torch_if_faster()
    with np.errstate(all="ignore"):
        if len(J) == 1 or torch is None:
            x, sound = normal_solution(J, r, refine)
            return x, sound
        with torch.no_grad():
            J, r = (torch.from_numpy(np.ascontiguousarray(array)) for array in (J, r))
            x, sound = normal_solution(J, r, refine)
        return x.numpy(), sound.numpy()


def _times(J: Any, x: Any) -> Any:
    return (J @ x[..., None])[..., 0]


def finite(x: Any) -> Any:
    """Whether all numbers of every row are finite."""
    # Two calls of torch take longer than one and a comparison.
    return np.isfinite(x).all(-1) if isinstance(x, np.ndarray) else abs(x).amax(-1) < np.inf


def _cholesky(N: Any, least: Any) -> tuple[Any, Any]:
    """What `_solved` needs of matrices with a unit diagonal, and which of them have factors with no pivot below."""
    xp = namespace(N)
    if xp is not np:
        R, info = xp.linalg.cholesky_ex(N)
        return R, (info == 0) & (R.diagonal(0, -2, -1).amin(-1) > least)
    try:
        R = np.linalg.cholesky(N)
    except np.linalg.LinAlgError:
        R = np.stack([_one_factor(matrix) for matrix in N])
    sound = R.diagonal(0, -2, -1).min(-1) > least
    return N if sound.all() else np.where(sound[:, None, None], N, np.eye(N.shape[-1])), sound


def _one_factor(N: Array) -> Array:
    """All NaN, and so without a pivot that is large enough, where there is none."""
    try:
        R: Array = np.linalg.cholesky(N)
    except np.linalg.LinAlgError:
        return np.full_like(N, np.nan)
    return R


def _solved(R: Any, g: Any) -> Any:
    """``N⁻¹ g``."""
    if isinstance(R, np.ndarray):
        return np.linalg.solve(R, g[..., None])[..., 0]
    return namespace(R).cholesky_solve(g[..., None], R)[..., 0]
