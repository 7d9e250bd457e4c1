"""ZNN-SVD: singular triplets followed along p by a zeroing neural network."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from benchmarks.baselines.base import Answer, Baseline, Family, Solver, adjoint, triplets
from benchmarks.baselines.zead import EIGHT_INSTANTS, Formula, Motion, follow
from neumatc.arrays import Array

__all__ = ["ZNNSVD"]


@final
@dataclass(frozen=True)
class ZNNSVD(Baseline):
    """``dE/dt = -γ E`` for ``U Σ Vᴴ - A``, ``UᴴU - I`` and ``VᴴV - I``, discretised along p.

    With ``U' = U X + W``, ``V' = V Y``, ``X = -γ(UᴴU - I)/2 + K``, ``Y = -γ(VᴴV - I)/2 + L``, K and L skew, and U, V
    orthonormal up to terms of second order in E, the three equations become

        K Σ - Σ L + Σ' = N = Uᴴ(A' - γ(U Σ Vᴴ - A)) V + γ((UᴴU - I) Σ + Σ (VᴴV - I)) / 2,
        K_ij - L_ij = (N_ij - N̄_ji) / (σ_i + σ_j),    K_ij + L_ij = (N_ij + N̄_ji) / (σ_j - σ_i),

    ``σ' = Re diag N``, and W, for more rows than columns, is ``(I - U Uᴴ)(A' - γE) V Σ⁻¹``. The cited article writes
    the same linear system with Kronecker products, n1² + n2² + n2 unknowns at O(n⁶) flops; this is its solution, at
    O(n³).

    Where two singular values meet, K + L has a pole: the method breaks down at narrow avoided crossings and in clusters
    (the NeuMatC paper's ``A Bᵀ + ε I`` has n - r nearly equal values). Small gaps are therefore widened until no step
    turns further than ``turn``; as τ goes to zero that changes nothing where singular values are apart.

    The NeuMatC paper speaks of an "eighth-order discretization". The article it cites has an eight-*instant* formula,
    which is of order four (residual ``O(τ^5)``), as any formula of eight instants must be. That one is the default;
    ``formula=EIGHTH_ORDER`` has a residual ``O(τ^8)``.

    Parameters
    ----------
    rank : triplets that are answered, largest at the first point; all of them are followed.
    formula : of the discretisation.
    substeps : instants per distance of two points.
    h : γ τ, within what the formula bears.
    turn : largest ``‖K + L‖_F`` of one step, in radians: ``1 / g`` becomes ``g / max(g, δ)²`` for gaps g = σ_j - σ_i,
        with ``δ = ‖N + Nᴴ‖_F / turn``; infinity leaves the equations as they are.

    References
    ----------
    Chen & Zhang (2020), doi:10.1016/j.neucom.2019.11.036; the differential equation without γ: Bunse-Gerstner, Byers,
    Mehrmann & Nichols (1991), doi:10.1007/BF01385712; formulas of higher order: Uhlig (2019), arXiv:1904.10569.
    """

    name: ClassVar[str] = "ZNN-SVD"
    source: ClassVar[str] = "10.1016/j.neucom.2019.11.036"
    operation: ClassVar[str] = "svd"
    sweeps: ClassVar[bool] = True

    rank: int | None = None
    formula: Formula = EIGHT_INSTANTS
    substeps: int = 10
    h: float = 0.2
    turn: float = 1.0

    def prepare(self, family: Family) -> Solver:
        motion = Motion(_exact, self._slope, lambda state: triplets(state[0], state[1], adjoint(state[2]), self.rank))
        flat = Motion(_exact, self._slope, lambda state: triplets(state[2].conj(), state[1], state[0].T, self.rank))

        def answers(points: Sequence[float]) -> Iterator[Answer]:
            rows, columns = family(points[0]).shape
            if rows >= columns:
                return follow(family, points, self.formula, self.substeps, motion)
            return follow(lambda p: family(p).T, points, self.formula, self.substeps, flat)

        return answers

    def _slope(self, A: Array, change: Array, state: tuple[Array, ...]) -> tuple[Array, ...]:
        """Return τ times U', σ' and V'."""
        U, s, V = state
        eye = np.eye(len(s))
        P, Q = adjoint(U) @ U - eye, adjoint(V) @ V - eye
        right = (change - self.h * ((U * s) @ adjoint(V) - A)) @ V
        inside = adjoint(U) @ right
        N = inside + self.h / 2 * (P * s + s[:, None] * Q)
        apart, together = (N - adjoint(N)) / (s + s[:, None]), self._divided(N + adjoint(N), s)
        K, L = (together + apart) / 2, (together - apart) / 2
        # Of the diagonal (imaginary, and zero for real A) only K - L is given: all goes to U, and V does not spin.
        K, L = K + np.diag(np.diag(apart)) / 2, L + np.diag(np.diag(apart)) / 2
        outside = (right - U @ inside) / s if len(U) > len(s) else 0.0
        return U @ (K - self.h / 2 * P) + outside, np.diag(N).real, V @ (L - self.h / 2 * Q)

    def _divided(self, M: Array, s: Array) -> Array:
        """Return ``M_ij / (σ_j - σ_i)`` with small gaps widened and a zero diagonal."""
        M = M - np.diag(np.diag(M))
        gaps = s - s[:, None]
        wide = np.maximum(np.abs(gaps), np.linalg.norm(M) / self.turn)
        return np.divide(M * gaps, wide**2, out=np.zeros_like(M), where=wide > 0)


def _exact(A: Array, known: Sequence[tuple[Array, ...]]) -> tuple[Array, ...]:
    """Return thin U, σ and V; phases that turn V as little as they can, as the differential equation does."""
    U, s, Vh = np.linalg.svd(A, full_matrices=False)
    if known:
        overlap = np.sum(known[0][2] * Vh.T, axis=0).conj()
        phase = np.exp(-1j * np.angle(overlap)) if np.iscomplexobj(U) else np.where(overlap < 0, -1.0, 1.0)
        U, Vh = U * phase, phase.conj()[:, None] * Vh
    return U, s, adjoint(Vh)
