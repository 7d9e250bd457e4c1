"""How large the low-rank part of ``I + s A(p) B(p)ᴴ`` must be for a wanted condition number.

With the thin QR factorisation ``[A B] = Q [R_A R_B]`` the singular values of ``I + s A Bᴴ`` are those of the small
matrix ``I + s R_A R_Bᴴ`` (2r x 2r) and ``n - 2r`` ones, so that no n x n factorisation is ever needed.
"""

from collections.abc import Callable

import numpy as np

from neumatc.arrays import Array
from neumatc.errors import InputError

__all__ = ["compressed", "conditions", "smallest_scale"]

GROWTH = 1.15  # of s from one step of the search to the next
STRIDE = 7  # every seventh point suffices while the search only looks for a bracket
CLOSE = 1e-4  # relative accuracy of the condition number


def compressed(A: Array, B: Array) -> Array:
    """Return the small matrix ``R_A R_Bᴴ`` of factors A, B (n, r)."""
    R = np.asarray(np.linalg.qr(np.hstack([A, B]), mode="r"))
    r = A.shape[1]
    small: Array = R[:, :r] @ R[:, r:].conj().T
    return small


def conditions(small: Array, scale: float, n: int) -> Array:
    """Return the 2-norm condition numbers of ``I + s A Bᴴ`` (n, n) for a stack of small matrices (P, k, k)."""
    k = small.shape[-1]
    sigma = np.linalg.svd(np.eye(k) + scale * small, compute_uv=False)
    top, bottom = sigma[..., 0], sigma[..., -1]
    if k < n:
        top, bottom = np.maximum(top, 1), np.minimum(bottom, 1)
    with np.errstate(divide="ignore"):
        ratio: Array = top / bottom
    return ratio


def smallest_scale(small: Callable[[Array], Array], grid: Array, reach: float, n: int, target: float) -> float:
    """Return the smallest s > 0 with ``max_p cond(I + s A(p) B(p)ᴴ) = target``.

    The search climbs from an s that is certainly too small, since ``cond <= (1 + s m) / (1 - s m)`` with
    ``m = max_p ‖A Bᴴ‖``, until a coarse grid exceeds the target. It then descends: s is lowered by bisection until the
    condition number at the worst p is the target, which brings another worst p to light, and so on.

    Parameters
    ----------
    small : p (D,) -> the small matrix of `compressed`.
    grid : (P, D) points that cover the box [0, 1]^D.
    reach : distance of neighbouring grid points; the worst point is sought between them.
    n, target : size of the matrix and wanted condition number.
    """
    stack = np.stack([small(p) for p in grid])
    norm = float(np.linalg.svd(stack[::STRIDE], compute_uv=False).max())
    low = (target - 1) / (target + 1) / norm
    scale = climb(stack[::STRIDE], low, n, target)
    while True:
        p, worst = peak(small, stack, grid, reach, scale, n)
        if worst <= target * (1 + CLOSE):
            return scale
        scale = bisected(small(p)[None], 0.0, scale, n, target)


def climb(stack: Array, scale: float, n: int, target: float) -> float:
    """Return the first ``scale · 1.15^j`` at which a matrix of the stack is worse than the target."""
    for _ in range(200):
        if conditions(stack, scale, n).max() > target:
            return scale
        scale *= GROWTH
    raise InputError(
        f"no scale gives the condition number {target:g}, up to {scale:.1e} were tried. "
        "A family of full rank tends to a finite condition number. Choose a rank below n, or a smaller cond."
    )


def peak(
    small: Callable[[Array], Array], stack: Array, grid: Array, reach: float, scale: float, n: int
) -> tuple[Array, float]:
    """Return the p of the largest condition number, sought on the grid and then beside its worst point."""
    values = conditions(stack, scale, n)
    p, worst = grid[int(np.argmax(values))], float(values.max())
    steps = np.concatenate([t * np.eye(grid.shape[1]) for t in (-1.0, -0.5, 0.5, 1.0)])
    for halving in range(10):
        beside = np.clip(p + steps * reach / 2**halving, 0.0, 1.0)
        values = conditions(np.stack([small(q) for q in beside]), scale, n)
        if values.max() > worst:
            p, worst = beside[int(np.argmax(values))], float(values.max())
    return p, worst


def bisected(one: Array, low: float, high: float, n: int, target: float) -> float:
    """Return s in [low, high] with condition number ``target`` for the single small matrix (1, k, k)."""
    for _ in range(60):
        middle = (low + high) / 2
        if conditions(one, middle, n)[0] > target:
            high = middle
        else:
            low = middle
    return low
