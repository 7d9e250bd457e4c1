"""What LAPACK does for each operation: the judge of every answer, and the rival in every timing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, final

import numpy as np
import scipy.linalg
import torch

from neumatc.arrays import Array
from neumatc.gauge import Factors, adjoint
from neumatc.operations import Inverse, Operation, SVDResult, TruncatedSVD

EXTRA, POWERS = 8, 4
"""Oversampling and power iterations of the randomised SVD."""


@dataclass(frozen=True)
class Rival:
    """One way to compute a batch ``A (B, n1, n2)`` from nothing.

    Parameters
    ----------
    call : A -> answer, as NumPy arrays
    exact : whether it reaches the accuracy of LAPACK; only such rivals can be the best LAPACK call
    """

    call: Callable[[Array], Any]
    exact: bool = True


class Reference(Protocol):
    """One operation as the demo sees it."""

    @property
    def operation(self) -> Operation:
        """For the fit."""
        ...

    @property
    def rivals(self) -> Mapping[str, Rival]:
        """By name."""
        ...

    def exact(self, A: Array) -> Factors:
        """LAPACK's answer through NumPy, for a batch A (B, n1, n2)."""
        ...

    def factors(self, answer: Any) -> Factors:
        """An answer of the library in the names of its equations."""
        ...

    def error(self, answer: Any, truth: Factors) -> Array:
        """Relative error of each answer, (B,)."""
        ...

    def excess(self, A: Array, answer: Any, truth: Factors) -> Array | None:
        """By how much a truncated answer is worse than the best one of its rank, (B,); None where nothing is cut."""
        ...

    def pictured(self, A: Array, truth: Factors, operation: Operation) -> Factors:
        """What pictures need of exact results; ``operation`` as the fit has settled it."""
        ...


@final
@dataclass(frozen=True)
class Inverses:
    """Inverse of Hermitian positive definite matrices, so Cholesky competes too."""

    @property
    def operation(self) -> Operation:
        """The inverse."""
        return Inverse()

    @property
    def rivals(self) -> Mapping[str, Rival]:
        """Two general inverses and the one for positive definite matrices."""
        return {
            "NumPy inv": Rival(np.linalg.inv),
            "torch inv": Rival(lambda A: torch.linalg.inv(torch.from_numpy(A)).numpy()),
            "torch Cholesky": Rival(_cholesky_inverse),
        }

    def exact(self, A: Array) -> Factors:
        """``X = A⁻¹``."""
        return {"X": np.linalg.inv(A)}

    def factors(self, answer: Any) -> Factors:
        """``X``."""
        return {"X": answer}

    def error(self, answer: Any, truth: Factors) -> Array:
        """``‖X - A⁻¹‖_F / ‖A⁻¹‖_F``."""
        return _norm(answer - truth["X"]) / _norm(truth["X"])

    def excess(self, A: Array, answer: Any, truth: Factors) -> Array | None:
        """Nothing is cut."""
        del A, answer, truth
        return None

    def pictured(self, A: Array, truth: Factors, operation: Operation) -> Factors:
        """The matrices and their inverses."""
        del operation
        return {"A": A, **truth}


@final
@dataclass(frozen=True)
class Triplets:
    """The dominant ``rank`` singular triplets."""

    rank: int

    @property
    def operation(self) -> Operation:
        """The truncated SVD."""
        return TruncatedSVD(self.rank)

    @property
    def rivals(self) -> Mapping[str, Rival]:
        """Full SVDs, eigenvectors of AᴴA (good for the dominant triplets), and a randomised SVD beside."""
        return {
            "NumPy svd": Rival(lambda A: self._cut(*np.linalg.svd(A, full_matrices=False))),
            "torch svd": Rival(lambda A: self._cut(*_torch_svd(A))),
            "torch eigh(AᴴA)": Rival(lambda A: self._from_eigenvectors(A, *_torch_eigh(A))),
            "SciPy eigh(AᴴA), top r": Rival(lambda A: self._from_eigenvectors(A, *self._scipy_eigh(A))),
            "torch svd_lowrank": Rival(self._randomised, exact=False),
        }

    def exact(self, A: Array) -> Factors:
        """Full thin U, S, Vᴴ; more than ``rank`` columns."""
        U, S, Vh = np.linalg.svd(A, full_matrices=False)
        return {"U": U, "S": S, "Vh": Vh}

    def factors(self, answer: Any) -> Factors:
        """``U, M = diag S, V``."""
        M = np.eye(self.rank, dtype=answer.U.dtype) * answer.S[..., None, :]
        return {"U": answer.U, "M": M, "V": adjoint(answer.Vh)}

    def error(self, answer: Any, truth: Factors) -> Array:
        """``‖U S Vᴴ - A_r‖_F / ‖A‖_F`` with A_r the best approximation of rank r."""
        best = _product(self._cut(truth["U"], truth["S"], truth["Vh"]))
        relative: Array = _norm(_product(answer) - best) / np.linalg.norm(truth["S"], axis=-1)
        return relative

    def excess(self, A: Array, answer: Any, truth: Factors) -> Array | None:
        """``‖A - U S Vᴴ‖_F / ‖A - A_r‖_F - 1``: what a user of the truncated product loses."""
        left_out = np.sqrt((truth["S"][:, self.rank :] ** 2).sum(-1))
        lost: Array = _norm(A - _product(answer)) / left_out - 1
        return lost

    def pictured(self, A: Array, truth: Factors, operation: Operation) -> Factors:
        """As many triplets as the map carries along, the buffer included."""
        del A
        k = self.rank + (operation.buffer if isinstance(operation, TruncatedSVD) else 0)
        # Copies: a view would keep the whole factorisation alive.
        return {"U": truth["U"][..., :k].copy(), "S": truth["S"][:, :k].copy(), "V": adjoint(truth["Vh"][..., :k, :])}

    def _cut(self, U: Array, S: Array, Vh: Array) -> SVDResult:
        r = self.rank
        return SVDResult(U[..., :r], S[..., :r], Vh[..., :r, :])

    def _from_eigenvectors(self, A: Array, squares: Array, V: Array) -> SVDResult:
        """Triplets from the largest eigenpairs of AᴴA, ascending."""
        r = self.rank
        V = V[..., :, ::-1][..., :r]
        S = np.sqrt(np.maximum(squares[..., ::-1][..., :r], 0))
        return SVDResult(A @ V / S[..., None, :], S, adjoint(V))

    def _scipy_eigh(self, A: Array) -> tuple[Array, Array]:
        n = A.shape[-1]
        window = (n - self.rank, n - 1)
        pairs = [scipy.linalg.eigh(G, subset_by_index=window, driver="evr") for G in adjoint(A) @ A]
        return np.stack([w for w, _ in pairs]), np.stack([V for _, V in pairs])

    def _randomised(self, A: Array) -> SVDResult:
        parts = [torch.svd_lowrank(M, self.rank + EXTRA, POWERS) for M in torch.from_numpy(A)]
        U, S, V = (torch.stack(list(part)).numpy() for part in zip(*parts, strict=True))
        return self._cut(U, S, adjoint(V))


def _cholesky_inverse(A: Array) -> Array:
    inverse: Array = torch.cholesky_inverse(torch.linalg.cholesky(torch.from_numpy(A))).numpy()
    return inverse


def _torch_svd(A: Array) -> tuple[Array, Array, Array]:
    U, S, Vh = torch.linalg.svd(torch.from_numpy(A), full_matrices=False)
    return U.numpy(), S.numpy(), Vh.numpy()


def _torch_eigh(A: Array) -> tuple[Array, Array]:
    T = torch.from_numpy(A)
    squares, V = torch.linalg.eigh(T.mH @ T)
    return squares.numpy(), V.numpy()


def _product(answer: Any) -> Array:
    product: Array = (answer.U * answer.S[..., None, :]) @ answer.Vh
    return product


def _norm(X: Array) -> Array:
    """Frobenius norms, (B,)."""
    size: Array = np.linalg.norm(X, axis=(-2, -1))
    return size
