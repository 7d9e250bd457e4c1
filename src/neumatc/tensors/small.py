"""Singular values and eigenvalues of small cores, many at once: by LAPACK, or without ever waiting for the host.

``torch.linalg.svd`` and ``torch.linalg.eigh`` look at LAPACK's ``info`` before they return, for which a GPU is waited
for once per call; torch has no ``_ex`` variants of them, and a CUDA graph cannot hold them. One-sided Jacobi rotations
need no such look: a fixed number of sweeps, each of as many steps as there are ways to pair the columns at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, final

import torch

from neumatc.gauge import adjoint
from neumatc.tensors.placed import Tensor

SWEEPS = 16
"""Of Jacobi rotations over all pairs of columns: eight suffice for 64 values that are apart, clusters take all."""


class Small(Protocol):
    """Decompositions of small square matrices ``(B, k, k)`` with finite entries."""

    def svd(self, K: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """X, S in descending order, and Yᴴ with ``K = X diag(S) Yᴴ``."""
        ...

    def eigh(self, K: Tensor) -> tuple[Tensor, Tensor]:
        """Values in ascending order, and Y with ``K Y = Y diag(values)``, for Hermitian K."""
        ...


@final
@dataclass(frozen=True)
class Lapack:
    """The decompositions of torch, each of which waits for the device."""

    def svd(self, K: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        X, S, Yh = torch.linalg.svd(K, full_matrices=False)
        return X, S, Yh

    def eigh(self, K: Tensor) -> tuple[Tensor, Tensor]:
        values, Y = torch.linalg.eigh(K)
        return values, Y


@final
@dataclass(frozen=True)
class Jacobi:
    """One-sided Jacobi rotations (Hestenes 1958, doi:10.1137/0106005), half of the columns with the other half.

    Columns sit in two rows and meet the one opposite; between steps all but the first move on by one place, so that
    after ``k - 1`` steps each has met each.

    Parameters
    ----------
    moves : (k,) where the column of each place comes from, k even
    """

    moves: Tensor

    @staticmethod
    def of(size: int, device: torch.device) -> Jacobi:
        """For matrices of one size."""
        half = (size + 1) // 2
        # Upper row 0, 1, …, h - 1, lower row h, …, 2h - 1: round they go, 0 stays.
        upper = [0, half, *range(1, half - 1)] if half > 1 else [0]
        lower = [*range(half + 1, 2 * half), half - 1] if half > 1 else [1]
        return Jacobi(torch.tensor([*upper, *lower], device=device))

    def svd(self, K: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        largest = K.abs().amax((-2, -1), keepdim=True)
        unit = torch.where(largest > 0, largest, 1.0)
        # Two QR factorisations with sorted columns: their factor is nearly diagonal where the values are graded, which
        # without them takes twice as many sweeps (Drmač & Veselić 2008, doi:10.1137/050639193).
        Q1, R1, order1 = _sorted_qr(K / unit)
        Q2, R2, order2 = _sorted_qr(adjoint(R1))
        X, S, Y = self._rotated(adjoint(R2))
        return Q1 @ _back(X, order2), S * unit[:, 0], adjoint(_back(Q2 @ Y, order1))

    def eigh(self, K: Tensor) -> tuple[Tensor, Tensor]:
        # Positive definite, so that singular values and vectors are eigenvalues and eigenvectors.
        shift = K.abs().square().sum((-2, -1)).sqrt()[:, None]
        eye = torch.eye(K.shape[-1], dtype=K.dtype, device=K.device)
        _, S, Yh = self.svd(K + shift[:, None] * eye)
        return (S - shift).flip(-1), adjoint(Yh).flip(-1)

    def _rotated(self, K: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """``K = X diag(S) Yᴴ`` by sweeps of rotations from the right."""
        k, even = K.shape[-1], len(self.moves)
        eye = torch.eye(even, dtype=K.dtype, device=K.device).expand(len(K), even, even)
        # Above the columns of K, one of zeros beside them where they are odd; below what they are multiplied by.
        Z = torch.cat([torch.nn.functional.pad(K, (0, even - k)), eye], dim=1)
        for _ in range(SWEEPS * (even - 1)):
            Z = self._step(Z, k)
        # A column of zeros comes last, and with it the row of Y that is its own.
        W, Y = Z[:, :k], Z[:, k : 2 * k]
        S, order = _sizes(W).sort(dim=-1, descending=True, stable=True)
        order = order[:, None, :k]
        # Orthogonal columns are Q times a diagonal; where that is zero, Q still has a column.
        Q, R = _qr(W.take_along_dim(order, -1))
        diagonal = R.diagonal(0, -2, -1)
        size = diagonal.abs()
        phase = torch.where(size > 0, diagonal / torch.where(size > 0, size, 1.0), 1.0)
        return Q * phase[:, None, :], S[:, :k], Y.take_along_dim(order, -1)

    def _step(self, Z: Tensor, k: int) -> Tensor:
        """Rotate each column and the opposite one until they are orthogonal, and move on."""
        left, right = Z.chunk(2, dim=-1)
        a, b = (half[:, :k].abs().square().sum(-2) for half in (left, right))
        g = (left[:, :k].conj() * right[:, :k]).sum(-2)
        size = g.abs()
        apart = size <= torch.finfo(size.dtype).tiny
        zeta = (b - a) / (2 * torch.where(apart, 1.0, size))
        t = torch.where(zeta < 0, -1.0, 1.0) / (zeta.abs() + (1 + zeta.square()).sqrt())
        t = torch.where(apart, 0.0, t)
        c = (1 + t.square()).rsqrt()
        turn = torch.where(apart, 1.0, g.conj() / torch.where(apart, 1.0, size))
        right = right * turn[:, None, :]
        c, s = c[:, None, :], (c * t)[:, None, :]
        return torch.cat([c * left - s * right, s * left + c * right], dim=-1).index_select(-1, self.moves)


def _sizes(W: Tensor) -> Tensor:
    """Lengths of the columns, ``(B, k)``."""
    return W.abs().square().sum(-2).sqrt()


def _sorted_qr(K: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Q, R and the order in which the columns of K, longest first, are ``Q R``."""
    order = _sizes(K).argsort(dim=-1, descending=True, stable=True)
    return *_qr(K.take_along_dim(order[:, None], -1)), order


def _qr(K: Tensor) -> tuple[Tensor, Tensor]:
    """``K = Q R`` by Householder's reflections, of all matrices at once: torch takes one after the other on a GPU."""
    Q, R = torch.eye(K.shape[-1], dtype=K.dtype, device=K.device).expand_as(K).clone(), K.clone()
    for j in range(K.shape[-1]):
        v = R[:, j:, j : j + 1].clone()
        size = v[:, :1].abs()
        phase = torch.where(size > 0, v[:, :1] / torch.where(size > 0, size, 1.0), 1.0)
        v[:, :1] += phase * _sizes(v)[..., None]
        length = _sizes(v)[..., None]
        v /= torch.where(length > 0, length, 1.0)  # a column of zeros is left as it is
        R[:, j:, j:] -= 2 * v @ (adjoint(v) @ R[:, j:, j:])
        Q[:, :, j:] -= 2 * (Q[:, :, j:] @ v) @ adjoint(v)
    return Q, R.triu()


def _back(X: Tensor, order: Tensor) -> Tensor:
    """Rows of X where the columns of that order came from."""
    return X.take_along_dim(order.argsort(dim=-1)[:, :, None], -2)
