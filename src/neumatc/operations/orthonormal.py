"""Columns that are orthonormal but for the error of a fit, made so to rounding: a small Cholesky factor does it.

With ``XᴴX = RᴴR`` the columns of ``X R⁻¹`` are orthonormal up to ``ε cond(X)²``, and a fitted X has condition one. That
takes a fifth of the time of a thin QR, on which a query for a few columns would otherwise be spent. Where
``XᴴX = I + E`` with an E as small as a fit leaves it, three terms of a series are the square root of I + E and its
inverse to rounding, and need no factorisation at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from neumatc.arrays import namespace
from neumatc.gauge import adjoint

NEARLY = 1e-2
"""Departure of the rows of ``XᴴX`` from those of I up to which X counts as nearly orthonormal; QR elsewhere."""

SERIES = 1e-5
"""The same up to which the cubes that the series leave out are rounding."""


@dataclass(frozen=True)
class Orthonormal:
    """``X = Q R`` with orthonormal Q, of which only products ``Q K`` are formed.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[[1.0, 1e-3], [1e-3, 1.0], [0.0, 1e-3]]])
    >>> found = Orthonormal.of(X)
    >>> Q = found.times(np.eye(2))
    >>> np.allclose(adjoint(Q) @ Q, np.eye(2), atol=1e-15), np.allclose(Q @ found.R, X, atol=1e-15)
    (True, True)
    """

    base: Any
    R: Any
    nearly: bool
    inverse: Any = None

    @staticmethod
    def of(X: Any) -> Orthonormal:
        """Look at ``X (B, n, k)``."""
        xp = namespace(X)
        G = adjoint(X) @ X
        unit = _identity(G)
        E = G - unit
        size = abs(E).sum(-1).max() if len(X) else np.nan
        if size < SERIES:
            square = E @ E
            return Orthonormal(X, unit + (E / 2 - square / 8), True, unit - (E / 2 - 0.375 * square))
        if size < NEARLY:
            return Orthonormal(X, adjoint(xp.linalg.cholesky(G)), True)
        Q, R = xp.linalg.qr(X)
        return Orthonormal(Q, R, False)

    def times(self, K: Any) -> Any:
        """``Q K`` for ``K (B, k, l)``."""
        if self.inverse is not None:
            return self.base @ (self.inverse @ K)
        return self.base @ (namespace(K).linalg.solve(self.R, K) if self.nearly else K)


def _identity(G: Any) -> Any:
    """I of the size and kind of ``G (B, k, k)``."""
    xp, k = namespace(G), G.shape[-1]
    return np.eye(k, dtype=G.dtype) if xp is np else xp.eye(k, dtype=G.dtype, device=G.device)
