"""From raw snapshots to the latent tensor: orthonormal slices in the order of their importance."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from neumatc.problem import in_numpy
from neumatc.products import by_pieces, in_place, threads

from .workers import SideBySide, is_large

DEPENDENT = 1e-12
"""Share of the largest eigenvalue of the Gram matrix below which a direction is rounding."""

NULL = 1e-15
"""Share of the largest singular value of the labels below which a mode is rounding."""


def transform(matrix: Any, W: Any) -> Any:
    """``W @ matrix`` in place of the first rows of ``matrix (m, N)``, without a second copy of it.

    Real weights on complex rows are one real product of twice the width.
    """
    if matrix.device.type == "cpu":
        in_place(np.ascontiguousarray(in_numpy(W)), in_numpy(matrix))
    else:
        by_pieces(W, torch.view_as_real(matrix).flatten(-2) if matrix.is_complex() and not W.is_complex() else matrix)
    return matrix[: W.shape[0]]


def gram(matrix: Any, real: bool) -> Any:
    """``M Mᴴ``; its real part where coefficients are real."""
    view = in_numpy(torch.view_as_real(matrix).flatten(-2) if real and matrix.is_complex() else matrix)
    if matrix.device.type != "cpu" or not is_large(view.shape):
        return torch.as_tensor(_gram(view, real))
    cuts = np.linspace(0, view.shape[1], threads() + 1).astype(int)
    pieces = [view[:, start:stop] for start, stop in pairwise(cuts)]
    return torch.as_tensor(sum(SideBySide().map(partial(_gram, real=real), pieces)))


def _gram(view: Any, real: bool) -> Any:
    # NumPy sees that both factors of a real product are the same, and computes one triangle.
    return view @ view.T if real else view @ view.conj().T


def orthonormalised(snapshots: Any, mixing: Any, labels: Any, doubled: bool) -> tuple[Any, Any]:
    """Orthonormal latent slices and the labels in their coordinates.

    ``mixing @ snapshots`` is orthonormal as far as the sketch can tell, hence well conditioned, so the eigenvectors of
    its Gram matrix make it orthonormal to rounding (a Gram matrix of the raw snapshots would lose every mode below
    1e-8 of the largest). The labels then tell the principal directions, and modes at rounding level are dropped.

    Parameters
    ----------
    snapshots : (m, N), overwritten
    mixing : (m, m)
    labels : (M, m) real, or (M, 2 m) interleaved pairs where coefficients are complex

    Returns
    -------
    C (d, N), and the change of coordinates T: labels in terms of C are ``labels @ T``, (M, d) or (M, 2 d)
    """
    c = torch.view_as_complex(labels.reshape(len(labels), -1, 2).contiguous()) if doubled else labels
    C1 = transform(snapshots, mixing)
    power, E = torch.linalg.eigh(gram(C1, real=not doubled))
    kept = power > DEPENDENT * power[-1]  # snapshots that repeat others leave only rounding behind
    root, E = power[kept].sqrt(), E[:, kept]
    y = c @ (E * root)
    _, s, Wh = torch.linalg.svd(y, full_matrices=False)
    d = max(1, int((s > NULL * s[0]).sum()))
    W = Wh[:d]
    C = transform(C1, (W / root) @ E.conj().T)
    T = (E * root) @ W.conj().T
    return C, _on_pairs(T) if doubled else T


def _on_pairs(T: Any) -> Any:
    """The real matrix that does to interleaved (re, im) pairs what the complex T does to numbers."""
    T = T.resolve_conj()
    rows = torch.stack([T, 1j * T], 1).flatten(0, 1)
    return torch.view_as_real(rows.contiguous()).flatten(-2)
