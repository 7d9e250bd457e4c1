"""Columns that are orthonormal but for the error of a fit, made so to rounding: a small Cholesky factor does it.

With ``XᴴX = RᴴR`` the columns of ``X R⁻¹`` are orthonormal up to ``ε cond(X)²``, and a fitted X has condition one. That
takes a fifth of the time of a thin QR, on which a query for a few columns would otherwise be spent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from neumatc.arrays import namespace
from neumatc.gauge import adjoint

NEARLY = 1e-2
"""Departure of the rows of ``XᴴX`` from those of I up to which X counts as nearly orthonormal; QR elsewhere."""


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

    @staticmethod
    def of(X: Any) -> Orthonormal:
        """Look at ``X (B, n, k)``."""
        xp = namespace(X)
        G = adjoint(X) @ X
        own, row = G.diagonal(0, -2, -1).real, abs(G).sum(-1)
        if len(X) and abs(own - 1).max() < NEARLY and (row - 1).max() < NEARLY:
            return Orthonormal(X, adjoint(xp.linalg.cholesky(G)), True)
        Q, R = xp.linalg.qr(X)
        return Orthonormal(Q, R, False)

    def times(self, K: Any) -> Any:
        """``Q K`` for ``K (B, k, l)``."""
        return self.base @ (namespace(K).linalg.solve(self.R, K) if self.nearly else K)
