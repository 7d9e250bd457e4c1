"""Polynomials in a Hermitian matrix that lift its lowest eigenvalues out of the rest.

A Chebyshev polynomial is at most one on an interval and grows faster than any other outside it; with the interval laid
over the unwanted eigenvalues, a few products with A turn an approximate invariant subspace into an accurate one
(Zhou, Saad, Tiago, Chelikowsky 2006, doi:10.1016/j.jcp.2006.03.017). All matrices come in batches, NumPy or torch.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from neumatc.arrays import namespace
from neumatc.gauge import adjoint

LANCZOS = 10
"""Lanczos steps for the ends of a spectrum."""

LIFT = 1e7
"""Growth of the least wanted direction over the unwanted ones that one filter aims at: two of them reach rounding."""

MOST_DEGREE = 16
"""Highest degree of a filter that refines."""


class Ends(NamedTuple):
    """Of the spectrum outside a subspace: its least Ritz value, and an upper bound, each ``(B, 1, 1)``."""

    low: Any
    high: Any


def outside(C: Any, X: Any, Y: Any, shift: Any = 0.0) -> Any:
    """``(I - X Xᴴ) (C - shift) Y``: the matrix on the complement of orthonormal columns X, for Y in the complement.

    Shifted before it is projected: else rounding along X would see the eigenvalue ``-shift`` there, and grow.
    """
    Y = C @ Y - shift * Y
    return Y - X @ (adjoint(X) @ Y)


def ends(C: Any, X: Any) -> Ends:
    """Lowest Ritz value and an upper bound of C on the complement of X, by a few Lanczos steps.

    Parameters
    ----------
    C : (B, n, n), Hermitian
    X : (B, n, k), orthonormal, k < n

    Notes
    -----
    The upper end is the largest Ritz value plus the norm of the last residual (Zhou & Li 2011,
    doi:10.1016/j.camwa.2011.05.018); a Ritz value is never below the lowest eigenvalue.
    """
    xp = namespace(C)
    steps = min(LANCZOS, X.shape[-2] - X.shape[-1])
    v = _start(C)
    v = v - X @ (adjoint(X) @ v)
    v = v / _norms(v)
    basis, images, left = v, None, None
    for step in range(steps):
        w = outside(C, X, v)
        images = w if images is None else xp.concatenate([images, w], -1)
        for _ in range(2):  # once is not enough where Lanczos vectors have lost their orthogonality
            w = w - basis @ (adjoint(basis) @ w)
        w = w - X @ (adjoint(X) @ w)
        left = _norms(w)
        alive = left > 1e-12 * _norms(images[..., :1])
        # A Krylov space that ends early is continued by zeros.
        v = xp.where(alive, w / xp.where(alive, left, xp.ones_like(left)), xp.zeros_like(w))
        if step + 1 < steps:
            basis = xp.concatenate([basis, v], -1)
    T = adjoint(basis) @ images
    first = T[..., :1, :1].real
    # Zeros of the basis make eigenvalues of zero: shifted by a Rayleigh quotient they do no harm.
    T = T - first * (adjoint(basis) @ basis)
    ritz = xp.linalg.eigvalsh((T + adjoint(T)) / 2)[..., None, :] + first
    return Ends(ritz[..., :1], ritz[..., -1:] + left)


def degree(low: Any, high: Any, wanted: Any) -> int:
    """Least degree that lifts the value ``wanted`` by `LIFT` over the interval [low, high], at all matrices at once."""
    xp = namespace(low)
    x = 1 + 2 * (low - wanted) / (high - low)
    x = xp.where(x > 1, x, xp.ones_like(x))
    growth = float(xp.log(x + (x * x - 1) ** 0.5).min())
    wish = np.log(2 * LIFT) / growth if growth > 0 else MOST_DEGREE
    return int(np.clip(np.ceil(wish), 2, MOST_DEGREE))


def lifted(C: Any, Y: Any, low: Any, high: Any, lowest: Any, degree: int) -> Any:
    """``T_m(x(C)) Y / T_m(x(lowest))`` with x mapping [low, high] to [-1, 1]: scaled so that nothing overflows.

    Parameters
    ----------
    C, Y : (B, n, n) and (B, n, k)
    low, high : (B, 1, 1), the unwanted interval
    lowest : (B, 1, 1), below ``low``, where the filter is one
    """
    half, centre = (high - low) / 2, (high + low) / 2
    sigma = half / (lowest - centre)
    first = sigma
    Z = (C @ Y - centre * Y) * (sigma / half)
    for _ in range(degree - 1):
        following = 1 / (2 / first - sigma)
        Y, Z = Z, (C @ Z - centre * Z) * (2 * following / half) - (sigma * following) * Y
        sigma = following
    return Z


def below(C: Any, X: Any, wanted: Any, probes: Any) -> Any:
    """How far below ``wanted`` C certainly has an eigenvalue outside X; zero where none is seen; ``(B,)``.

    Parameters
    ----------
    C : (B, n, n), Hermitian
    X : (B, n, k), orthonormal
    wanted : (B, 1, 1)
    probes : (n or more, m)

    Notes
    -----
    With all eigenvalues of ``P C P`` in [wanted, high], ``‖T_m(x(P C P)) Q‖_2 <= 1`` for orthonormal Q. A larger norm t
    proves an eigenvalue below ``wanted - (high - wanted)/2 · (cosh(acosh(t)/m) - 1)``. The degree grows with sqrt(n),
    so that one missing eigenvalue at the mean distance of its neighbours is lifted above the sum of all others.
    """
    xp = namespace(C)
    n, rest = X.shape[-2], X.shape[-2] - X.shape[-1]
    if rest == 0:
        return 0 * wanted[..., 0, 0]
    low, high = ends(C, X)
    probes = probes[:n, : min(probes.shape[-1], rest)]
    Q = xp.linalg.qr(probes - X @ (adjoint(X) @ probes))[0]
    # Not below rounding: a longer interval proves as much, and where all eigenvalues outside X agree there is none.
    tiny = 1e-6 * abs(high - low) + 8 * float(xp.finfo(C.dtype).eps) * _norms(C) + 1e-300
    half = xp.where(high - wanted > tiny, high - wanted, tiny + 0 * high) / 2
    m = int(np.clip(3 * np.ceil(n**0.5), 6, 72))
    size = _largest(_chebyshev(C, X, Q, wanted + half, half, m))
    size = xp.where(size > 1, size, xp.ones_like(size))
    power = (size + (size * size - 1) ** 0.5) ** (1 / m)
    deep = half * ((power + 1 / power) / 2 - 1)
    seen = xp.where(wanted - low > deep, wanted - low, deep)
    return xp.where(seen > 0, seen, xp.zeros_like(seen))[..., 0, 0]


def _chebyshev(C: Any, X: Any, Q: Any, centre: Any, half: Any, m: int) -> Any:
    before, now = Q, outside(C, X, Q, centre) / half
    for _ in range(m - 1):
        before, now = now, outside(C, X, now, centre) * (2 / half) - before
    return now


def _largest(Y: Any) -> Any:
    """Spectral norm, ``(B, 1, 1)``; scaled before it is squared."""
    xp = namespace(Y)
    size = _norms(Y.reshape(*Y.shape[:-2], -1, 1))
    unit = Y / xp.where(size > 0, size, xp.ones_like(size))
    return size * abs(xp.linalg.eigvalsh(adjoint(unit) @ unit)[..., None, -1:]) ** 0.5


def _norms(v: Any) -> Any:
    return (abs(v) ** 2).sum((-2, -1))[..., None, None] ** 0.5


def _start(C: Any) -> Any:
    """The same Gaussian vector for every matrix, ``(B, n, 1)``."""
    xp, n = namespace(C), C.shape[-1]
    g: Any = np.random.default_rng(n).standard_normal((n, 1))
    g = g.astype(C.dtype) if xp is np else xp.as_tensor(g, dtype=C.dtype, device=C.device)
    return g + xp.zeros_like(C[..., :1])
