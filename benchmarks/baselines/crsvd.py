"""Randomized SVD of parameter-dependent matrices with constant sketches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, final

import numpy as np

from benchmarks.baselines.base import Answer, Baseline, Family, Solver, adjoint, triplets
from benchmarks.baselines.rsvd import from_range, gaussian, range_basis
from neumatc.arrays import Array

__all__ = ["ConstantSketchSVD", "nystrom"]


def nystrom(A: Array, Omega: Array, Psi: Array, rank: int | None) -> dict[str, Array]:
    """Return the SVD of ``A Ω (Ψᴴ A Ω)⁺ Ψᴴ A``, the generalised Nyström approximation, cut to ``rank``.

    With ``A Ω = Q R`` it is ``Q (Ψᴴ Q)⁺ Ψᴴ A``, where only the well-conditioned Ψᴴ Q is inverted and R, which has the
    decay of the singular values in it, is not (compare Nakatsukasa 2020, arXiv:2009.11392).
    """
    Q = np.linalg.qr(A @ Omega)[0]
    P, L = np.linalg.qr(adjoint(adjoint(Psi) @ A))
    U, S, Vh = np.linalg.svd(np.linalg.lstsq(adjoint(Psi) @ Q, adjoint(L), rcond=None)[0], full_matrices=False)
    return triplets(Q @ U, S, Vh @ adjoint(P), rank)


@final
@dataclass(frozen=True)
class ConstantSketchSVD(Baseline):
    """Randomized SVD with the same Gaussian Ω (and Ψ) for all p, drawn once before the first point.

    "hmt" takes ``Q Qᴴ A`` with Q from A Ω; "nystrom" takes ``A Ω (Ψᴴ A Ω)⁺ Ψᴴ A`` and needs no second pass over A. A
    constant sketch leaves the bounds in the mean over p what they were: ``E ∫ ‖A - Q Qᴴ A‖_F² dp <= (1 + r / (s - 1)) ∫
    Σ_{j>r} σ_j² dp``; and the approximation is as smooth in p as A is, while fresh sketches make it jump.

    For an affine A(p) the article multiplies the terms with Ω once; here A(p) is given as a matrix, and is multiplied.

    Parameters
    ----------
    rank : r, triplets to keep.
    oversampling : s, columns of Ω beyond r.
    method : "hmt" or "nystrom".
    extra : columns of Ψ beyond those of Ω, for "nystrom" only.
    seed : of Ω and Ψ.

    References
    ----------
    Kressner & Lam (2024), doi:10.1002/nla.2576.
    """

    name: ClassVar[str] = "CRSVD"
    source: ClassVar[str] = "10.1002/nla.2576"
    operation: ClassVar[str] = "svd"

    rank: int = 20
    oversampling: int = 5
    method: Literal["hmt", "nystrom"] = "hmt"
    extra: int = 5
    seed: int = 0

    def prepare(self, family: Family) -> Solver:
        return lambda points: self._answers(family, points)

    def _answers(self, family: Family, points: Sequence[float]) -> Iterator[Answer]:
        A = family(points[0])
        rows, columns = A.shape
        rng = np.random.default_rng(self.seed)
        width = min(self.rank + self.oversampling, rows, columns)
        Omega = gaussian(columns, width, A, rng)
        Psi = gaussian(rows, min(width + self.extra, rows), A, rng)
        for p in points:
            A = family(p)
            if self.method == "hmt":
                yield Answer(from_range(A, range_basis(A, Omega), self.rank), 2)
            else:
                yield Answer(nystrom(A, Omega, Psi, self.rank), 2)
