"""Thin SVD of snapshots: in full for a few hundred, through a random range for thousands of which few directions count.

The range finder is that of Halko, Martinsson & Tropp (2011, doi:10.1137/090771806), grown until fresh random
combinations of the snapshots leave nothing outside of it.
"""

from __future__ import annotations

from typing import Any

import torch

FEW = 1000
"""Snapshots decomposed in full."""

FIRST = 256
"""Directions tried first; doubled until they suffice."""

WITNESSES = 8
"""Fresh combinations that must lie in the range."""


def thin_svd(X: Any, tail: float) -> tuple[Any, Any, Any]:
    """``U, s, Vᵀ`` of ``X (N, count)`` real, exact but for directions that hold less than a tenth of ``tail``."""
    if X.shape[1] <= FEW:
        # QR first: a Gram matrix would lose every mode below 1e-8 of the largest.
        Q, R = torch.linalg.qr(X)
    else:
        Q = _range(X, tail / 10)
        R = Q.T @ X
    U, s, Vh = torch.linalg.svd(R, full_matrices=False)
    return Q @ U, s, Vh


def _range(X: Any, tail: float) -> Any:
    generator = torch.Generator().manual_seed(0)
    size, most, count = torch.linalg.matrix_norm(X), min(X.shape), FIRST
    witnesses = _combined(X, WITNESSES, generator)
    while True:
        Q = torch.linalg.qr(_combined(X, min(count, most), generator))[0]
        left = witnesses - Q @ (Q.T @ witnesses)
        if count >= most or torch.linalg.matrix_norm(left) <= tail * size * WITNESSES**0.5:
            return Q
        count *= 2


def _combined(X: Any, count: int, generator: Any) -> Any:
    """``count`` random combinations of the columns of X."""
    return X @ torch.randn((X.shape[1], count), dtype=X.dtype, generator=generator)
