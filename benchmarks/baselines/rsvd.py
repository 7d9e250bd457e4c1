"""Randomized SVD, alone at every p: scikit-learn's, and ours for where that is not installed and for the theory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, final

import numpy as np

from benchmarks.baselines.base import Answer, Baseline, Family, Solver, adjoint, triplets
from neumatc.arrays import Array

__all__ = ["RandomizedSVD", "SklearnRandomizedSVD", "from_range", "gaussian", "range_basis"]

HALKO = "10.1137/090771806"


def gaussian(rows: int, columns: int, like: Array, rng: np.random.Generator) -> Array:
    """Return a standard Gaussian matrix, complex for a complex A."""
    G: Array = rng.standard_normal((rows, columns))
    return G + 1j * rng.standard_normal((rows, columns)) if np.iscomplexobj(like) else G


def range_basis(A: Array, Omega: Array, power: int = 0) -> Array:
    """Return orthonormal Q whose range is nearly that of A: algorithms 4.1 (power 0) and 4.4 (subspace iteration)."""
    Q: Array = np.linalg.qr(A @ Omega)[0]
    for _ in range(power):
        # A QR after each product: powers of A alone would lose all but the largest singular values to rounding.
        Q = np.linalg.qr(A @ np.linalg.qr(adjoint(A) @ Q)[0])[0]
    return Q


def from_range(A: Array, Q: Array, rank: int | None) -> dict[str, Array]:
    """Return the SVD of ``Q Qᴴ A``, cut to ``rank``: algorithm 5.1."""
    U, S, Vh = np.linalg.svd(adjoint(Q) @ A, full_matrices=False)
    return triplets(Q @ U, S, Vh, rank)


@final
@dataclass(frozen=True)
class RandomizedSVD(Baseline):
    """``A Ω = Q R``, then the SVD of ``Qᴴ A``; a fresh Gaussian Ω with ``rank + oversampling`` columns at every p.

    For r + s columns and power 0 theorem 10.5 gives ``E ‖A - Q Qᴴ A‖_F² <= (1 + r / (s - 1)) Σ_{j>r} σ_j²``.

    Parameters
    ----------
    rank : r, triplets to keep. The NeuMatC paper takes 20 for synthetic data, 10 for channels, 85 in table 12.
    oversampling : s.
    power : subspace iterations.
    seed : of all Ω.

    References
    ----------
    Halko, Martinsson & Tropp (2011), doi:10.1137/090771806.
    """

    name: ClassVar[str] = "RSVD"
    source: ClassVar[str] = HALKO
    operation: ClassVar[str] = "svd"

    rank: int = 20
    oversampling: int = 10
    power: int = 0
    seed: int = 0

    def prepare(self, family: Family) -> Solver:
        rng = np.random.default_rng(self.seed)

        def answers(points: Sequence[float]) -> Iterator[Answer]:
            for p in points:
                A = family(p)
                columns = min(self.rank + self.oversampling, *A.shape)
                Q = range_basis(A, gaussian(A.shape[1], columns, A, rng), self.power)
                yield Answer(from_range(A, Q, self.rank), 2 + 2 * self.power)

        return answers


@final
@dataclass(frozen=True)
class SklearnRandomizedSVD(Baseline):
    """``sklearn.utils.extmath.randomized_svd`` with its own defaults, alone at every p.

    Those are ten more columns than the rank, 4 or 7 power iterations with LU in between ("auto"), and fixed signs.

    Parameters
    ----------
    rank, oversampling : as in `RandomizedSVD`.
    power : subspace iterations, or "auto".
    seed : of all random numbers.
    """

    name: ClassVar[str] = "RSVD (scikit-learn)"
    source: ClassVar[str] = HALKO
    operation: ClassVar[str] = "svd"
    needs: ClassVar[tuple[str, ...]] = ("sklearn",)

    rank: int = 20
    oversampling: int = 10
    power: int | Literal["auto"] = "auto"
    seed: int = 0

    def prepare(self, family: Family) -> Solver:
        from sklearn.utils.extmath import randomized_svd

        state = np.random.RandomState(self.seed)  # the only generator that scikit-learn takes

        def answer(A: Any) -> Answer:
            found = randomized_svd(A, self.rank, n_oversamples=self.oversampling, n_iter=self.power, random_state=state)
            return Answer(triplets(*found, self.rank))

        return lambda points: (answer(family(p)) for p in points)
