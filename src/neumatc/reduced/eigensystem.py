"""A sparse Hermitian eigenvalue problem that depends affinely on parameters, and its exact pairs at one p."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from neumatc.arrays import Array
from neumatc.box import Box
from neumatc.errors import ExactSolveError, InputError, RankError
from neumatc.family import Affine
from neumatc.problem import Meter

from .exact import combined

HERMITIAN = 1e-12
"""Relative departure from Hermitian up to which a matrix counts as Hermitian."""

Which = Literal["lowest", "highest"]


@dataclass(frozen=True)
class Eigensystem:
    """``A(p) x = λ B(p) x``, A Hermitian, B Hermitian positive definite, both sums of sparse matrices.

    Parameters
    ----------
    A : an `Affine` of sparse matrices
    B : the same; a constant identity where the caller gave none
    euclidean : whether B is that identity
    box : where p lies
    rank : how many pairs are wanted
    which : at which end of the spectrum
    """

    A: Affine
    B: Affine
    euclidean: bool
    box: Box
    rank: int
    which: Which
    meter: Meter = field(default_factory=Meter, compare=False, repr=False)

    @staticmethod
    def of(A: Affine, B: Any, box: Any, rank: Any, which: Any) -> Eigensystem:
        """Check that everything fits together."""
        from scipy import sparse

        n, columns = A.shape
        whole = isinstance(rank, int | np.integer) and not isinstance(rank, bool)
        if not whole or not 1 <= rank < n - 1:
            raise RankError(
                f"`eigh` of a sparse Affine finds a few pairs: 1 <= rank < {n - 1}, got rank={rank!r}. "
                "All eigenvectors of a sparse matrix are a dense one. Pass the number of pairs wanted, or .toarray()."
            )
        if which not in ("lowest", "highest"):
            raise InputError(
                f"`which` must be 'lowest' or 'highest', got {which!r}. "
                "It says at which end of the spectrum the wanted pairs lie. Pass one of the two."
            )
        parts = _affine(sparse.identity(n, format="csr") if B is None else B)
        if n != columns or parts.shape != (n, n):
            raise InputError(
                f"`eigh` needs square matrices of one size; A(p) is {n} x {columns} and B(p) {parts.shape[0]} x "
                f"{parts.shape[1]}. They probably come from different grids. Assemble both on the same unknowns."
            )
        _check_hermitian(A, "A")
        _check_hermitian(parts, "B")
        return Eigensystem(A, parts, B is None, Box.of(box), int(rank), which)

    @property
    def sign(self) -> float:
        """-1 where the highest are wanted: they are the lowest of -A."""
        return 1.0 if self.which == "lowest" else -1.0

    @property
    def n(self) -> int:
        return self.A.shape[0]

    @property
    def dtype(self) -> np.dtype[Any]:
        parts = (*self.A.matrices, *self.B.matrices)
        return np.result_type(*(part.dtype for part in parts), np.float64)

    def theta(self, points: Array) -> Array:
        """Real coefficients of ``±A`` at points (B, D), ``(B, Q)``."""
        return self.sign * _real(self.A.theta(points, self.box), "A", self.box, points)

    def psi(self, points: Array) -> Array:
        """Real coefficients of B at points (B, D), ``(B, S)``."""
        return _real(self.B.theta(points, self.box), "B", self.box, points)

    def matrices(self, point: Array) -> tuple[Any, Any]:
        """``±A(p)`` and B(p) at one point (D,), sparse CSC."""
        start = time.perf_counter()
        pair = (
            combined(self.theta(point[None])[0], self.A.matrices),
            combined(self.psi(point[None])[0], self.B.matrices),
        )
        self.meter.build_seconds += time.perf_counter() - start
        self.meter.built += 1
        return pair

    def solve(self, point: Array, count: int) -> tuple[Array, Array]:
        """The ``count`` lowest pairs of ``±A``: values ascending, B-orthonormal vectors as columns (n, count).

        Lanczos with shift and invert, the shift below the whole spectrum so that none can be missed.
        """
        from scipy.sparse.linalg import ArpackError, eigsh

        A, B = self.matrices(point)
        start = time.perf_counter()
        count = min(count, self.n - 2)
        rng = np.random.default_rng(0)
        try:
            shift = _below(A, B, self.euclidean)
            values, vectors = eigsh(
                A, k=count, M=None if self.euclidean else B, sigma=shift, which="LM", v0=rng.standard_normal(self.n)
            )
        except (RuntimeError, ArpackError) as cause:
            raise ExactSolveError(
                f"`eigh` failed at {self.box.describe(point)}: {cause}. Lanczos broke down, or B(p) is not positive "
                "definite there. Look at the smallest eigenvalue of B, and shrink the box if it crosses zero."
            ) from cause
        self.meter.solve_seconds += time.perf_counter() - start
        self.meter.solved += 1
        order = np.argsort(values)
        return values[order], vectors[:, order]


def _below(A: Any, B: Any, euclidean: bool) -> float:
    """A number below the spectrum of the pencil, by Gershgorin's discs of A and of B."""
    lowest = _gershgorin(A)
    size = abs(A).sum(axis=1).max()
    margin = 1e-3 * float(size) / max(A.shape[0] ** 0.5, 1.0)
    if euclidean:
        return float(lowest - margin)
    smallest = _gershgorin(B)
    if smallest <= 0:
        from scipy.sparse.linalg import eigsh

        # Discs of a mass matrix may reach zero; its smallest eigenvalue does not.
        smallest = 0.5 * float(eigsh(B, k=1, sigma=0.0, which="LM", return_eigenvectors=False)[0])
    return float(min(lowest - margin, 0.0) / smallest - margin)


def _gershgorin(A: Any) -> float:
    """Lower end of the discs."""
    diagonal = A.diagonal().real
    radius = np.asarray(abs(A).sum(axis=1)).ravel() - np.abs(A.diagonal())
    return float((diagonal - radius).min())


def _affine(B: Any) -> Affine:
    if isinstance(B, Affine):
        return B
    return Affine([B], _one)


def _one(p: Any) -> list[float]:
    """Coefficient of a constant matrix."""
    del p
    return [1.0]


def _check_hermitian(family: Affine, name: str) -> None:
    for q, part in enumerate(family.matrices):
        difference = abs(part - part.conj().T)
        gap, size = (float(M.max()) if M.nnz else 0.0 for M in (difference, abs(part)))
        if gap > HERMITIAN * size:
            raise InputError(
                f"`eigh` needs Hermitian matrices, but matrices[{q}] of {name} differs from its adjoint by {gap:.1e} "
                f"where its entries reach {size:.1e}. A sign or a transpose was probably lost in the assembly. "
                "Symmetrise it with (M + M.conj().T) / 2, or use the nonsymmetric problem in dense form (neumatc.eig)."
            )


def _real(theta: Array, name: str, box: Box, points: Array) -> Array:
    if np.iscomplexobj(theta) and np.abs(theta.imag).max() > 0:
        where = box.describe(points[int(np.abs(theta.imag).max(axis=1).argmax())])
        raise InputError(
            f"The coefficients of {name} must be real for `eigh`, but complex ones came at {where}. "
            "A sum of Hermitian matrices with complex coefficients is not Hermitian. "
            "Put the imaginary unit into the matrices: θ A + conj(θ) Aᴴ = Re θ (A + Aᴴ) + Im θ (i A - i Aᴴ)."
        )
    return theta.real.astype(float)
