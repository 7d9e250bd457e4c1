"""What a skeptic does along p: start the textbook iteration from the neighbour's answer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from benchmarks.baselines.base import Answer, Baseline, Family, Solver, adjoint, triplets
from benchmarks.baselines.newton import iterate
from neumatc.arrays import Array

__all__ = ["WarmNewtonSchulz", "WarmSubspaceIteration"]


@final
@dataclass(frozen=True)
class WarmNewtonSchulz(Baseline):
    """``X <- X (2 I - A X)`` from the inverse at the point before, until the residual is small; LU where it grows.

    Parameters
    ----------
    tol : ``‖A X - I‖_F / sqrt(n)`` to reach.
    steps : most iterations; then, and when the residual is above one, A is inverted by LU instead.

    References
    ----------
    Schulz (1933), doi:10.1002/zamm.19330130111.
    """

    name: ClassVar[str] = "Newton-Schulz, warm"
    source: ClassVar[str] = "10.1002/zamm.19330130111"
    operation: ClassVar[str] = "inv"
    sweeps: ClassVar[bool] = True

    tol: float = 1e-10
    steps: int = 8

    def prepare(self, family: Family) -> Solver:
        return lambda points: self._answers(family, points)

    def _answers(self, family: Family, points: Sequence[float]) -> Iterator[Answer]:
        X = np.linalg.inv(family(points[0]))
        for p in points:
            X, steps = self._improved(family(p), X)
            yield Answer({"X": X}, steps)

    def _improved(self, A: Array, X: Array) -> tuple[Array, int]:
        """Return an inverse of A, and the number of steps; one more than allowed where LU had to help."""
        for steps, (Y, error) in enumerate(iterate(A, X)):
            if error <= self.tol:
                return Y, steps
            # ‖E‖_F < 1 is what the theorem asks for; here E is divided by sqrt(n), and growth is seen at once.
            if steps == self.steps or not error < 1:
                break
        return np.linalg.inv(A), self.steps + 1


@final
@dataclass(frozen=True)
class WarmSubspaceIteration(Baseline):
    """``V <- orth(Aᴴ orth(A V))`` from V at the point before, and the SVD of ``Qᴴ A`` for ``Q = orth(A V)``.

    Per step the angle to the leading subspace shrinks by ``(σ_{w+1} / σ_r)²`` for a block of w columns.

    Parameters
    ----------
    rank : triplets to find.
    oversampling : further columns of the block.
    tol : ``‖A V - U S‖_F / ‖A‖_F`` to reach (``Aᴴ U = V S`` holds anyway).
    steps : most iterations per point.
    seed : of the first block.

    References
    ----------
    Halko, Martinsson & Tropp (2011), doi:10.1137/090771806, algorithm 4.4, for the cold start.
    """

    name: ClassVar[str] = "subspace iteration, warm"
    source: ClassVar[str] = "10.1137/090771806"
    operation: ClassVar[str] = "svd"
    sweeps: ClassVar[bool] = True

    rank: int = 20
    oversampling: int = 10
    tol: float = 1e-6
    steps: int = 20
    seed: int = 0

    def prepare(self, family: Family) -> Solver:
        return lambda points: self._answers(family, points)

    def _answers(self, family: Family, points: Sequence[float]) -> Iterator[Answer]:
        V = None
        for p in points:
            A = family(p)
            if V is None:
                rng = np.random.default_rng(self.seed)
                V = rng.standard_normal((A.shape[1], min(self.rank + self.oversampling, *A.shape)))
                V = np.linalg.qr(V)[0]
            answer, V = self._improved(A, V)
            yield answer

    def _improved(self, A: Array, V: Array) -> tuple[Answer, Array]:
        size = np.linalg.norm(A)
        for step in range(1, self.steps + 1):  # noqa: B007
            Q = np.linalg.qr(A @ V)[0]
            back = adjoint(A) @ Q  # Aᴴ Q serves twice: for the next V, and for the SVD of Qᴴ A
            V, R = np.linalg.qr(back)
            # Qᴴ A = Rᴴ Vᴴ, hence these are the triplets of Q Qᴴ A, whose residual is A Vr - U S.
            left, S, right = np.linalg.svd(adjoint(R))
            U, W = (Q @ left)[:, : self.rank], (V @ adjoint(right))[:, : self.rank]
            error = np.linalg.norm(A @ W - U * S[: self.rank]) / size
            if error <= self.tol:
                break
        return Answer(triplets(U, S, adjoint(W), self.rank), step, bool(error <= self.tol)), V
