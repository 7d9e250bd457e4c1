"""True residuals and errors by dense float64 formulas, none of them shared with the library's estimators."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

import neumatc as nmc
from neumatc.arrays import Array

__all__ = ["Span", "best_rank", "inverse_residual", "jump_of", "orthonormality", "relative", "svd_residual"]


def relative(X: Array, exact: Array) -> float:
    """Return ``‖X - exact‖_F / ‖exact‖_F``."""
    return float(np.linalg.norm(X - exact) / np.linalg.norm(exact))


def inverse_residual(A: Array, X: Array) -> float:
    """Return ``‖A X - I‖_F / sqrt(n)``."""
    R = A @ X
    R.reshape(-1)[:: len(R) + 1] -= 1
    return float(np.linalg.norm(R) / np.sqrt(len(R)))


def svd_residual(A: Array, U: Array, S: Array, Vh: Array) -> float:
    """Return the root of the summed squares of the four relative residuals of a truncated SVD.

    ``A V = U S`` and ``Aᴴ U = V S`` relative to ``‖A‖_F``, ``Uᴴ U = I`` and ``Vᴴ V = I`` relative to sqrt(r).
    """
    V, norm, r = Vh.conj().T, np.linalg.norm(A), len(S)
    parts = [
        np.linalg.norm(A @ V - U * S) / norm,
        np.linalg.norm(A.conj().T @ U - V * S) / norm,
        np.linalg.norm(U.conj().T @ U - np.eye(r)) / np.sqrt(r),
        np.linalg.norm(Vh @ V - np.eye(r)) / np.sqrt(r),
    ]
    return float(np.sqrt(np.sum(np.square(parts))))


def orthonormality(U: Array, Vh: Array) -> float:
    """Return the larger of ``‖Uᴴ U - I‖_F`` and ``‖Vh Vhᴴ - I‖_F``."""
    eye = np.eye(len(Vh))
    return float(max(np.linalg.norm(U.conj().T @ U - eye), np.linalg.norm(Vh @ Vh.conj().T - eye)))


def best_rank(A: Array, rank: int) -> tuple[Array, Array]:
    """Return A_r by LAPACK's full SVD, and all singular values."""
    U, s, Vh = np.linalg.svd(A, full_matrices=False)
    best: Array = (U[:, :rank] * s[:rank]) @ Vh[:rank]
    return best, s


def jump_of(matrices: list[Array]) -> float:
    """Return the largest distance of neighbours."""
    return max(float(np.linalg.norm(b - a)) for a, b in pairwise(matrices))


@dataclass(frozen=True)
class Span:
    """The linear space of the latent slices of a fit: all that any φ can reach.

    The coefficients are real where those of the fit are, so complex numbers then count as pairs of real ones.
    """

    fit: nmc.Fit

    @cached_property
    def _weights(self) -> dict[str, float]:
        """One number per factor, so that a large factor does not drown a small one."""
        return {name: 1 / float(np.linalg.norm(X)) for name, X in self.fit.surrogate.slices().items()}

    @cached_property
    def _basis(self) -> Array:
        """Orthonormal rows, (d, N), of the weighted slices."""
        basis: Array = np.linalg.qr(self._flat(self.fit.surrogate.slices()).T)[0].T.copy()
        return basis

    def _flat(self, F: Mapping[str, Any]) -> Array:
        """Weighted factors as rows, real ones where coefficients are real."""
        return np.concatenate([w * self._numbers(F[name]) for name, w in self._weights.items()], axis=1)

    def _numbers(self, X: Array) -> Array:
        X = np.ascontiguousarray(X).reshape(len(X), -1)
        if self.fit.surrogate.complex_coefficients or not np.iscomplexobj(X):
            return X
        return X.view(np.float64)

    def best(self, exact: Mapping[str, Any]) -> dict[str, Any]:
        """Return the Frobenius projection of factors ``(1, rows, columns)`` on the span."""
        found = (self._basis.conj() @ self._flat(exact)[0]) @ self._basis
        result, offset = {}, 0
        for name, weight in self._weights.items():
            X = exact[name]
            size = self._numbers(X).shape[1]
            result[name] = (found[offset : offset + size] / weight).view(X.dtype).reshape(X.shape)
            offset += size
        return result

    def nearest(self, exact: Mapping[str, Any], start: Mapping[str, Any], rounds: int = 3) -> Mapping[str, Any]:
        """Return the projection where factors have a gauge: turn them towards ``start``, project, and repeat."""
        for _ in range(rounds):
            start = self.best(self.fit.operation.gauge.align(exact, start))
        return start
