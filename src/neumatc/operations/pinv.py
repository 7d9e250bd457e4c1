"""Pseudo-inverse: of full rank from X A = I and A X Hermitian, of another fixed rank from Penrose's conditions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, final

import numpy as np

from neumatc.arrays import Array, as_numpy, double, real_dtype
from neumatc.box import Box
from neumatc.equations import Equation, equal, identity, known, norm, unknown
from neumatc.errors import RankError
from neumatc.family import MatrixFamily, Spec
from neumatc.gauge import Factors, Gauge, NoGauge, adjoint

from .base import Operation
from .crossing import View, meet_crossing
from .lapack import svd
from .side_by_side import SolvedSideBySide

ROUNDING = 4
"""Singular values up to this many times ``max(n1, n2) eps sigma_1`` may be rounding, ..."""

CLEAR = 16
"""... and beyond this many times as much they are not; between the two nobody can tell the rank."""

SURE = 1 / 16
"""Largest residual, times the amplifications that `FixedRankPseudoInverse` names, for which its bound is proved."""


@final
@dataclass(frozen=True)
class PseudoInverse(SolvedSideBySide):
    """``X = A⁺`` (Moore and Penrose) for A of full rank; ``tailored`` to a deficient A, `FixedRankPseudoInverse`.

    With at least as many rows as columns ``X A = I`` and ``A X`` Hermitian, otherwise ``A X = I`` and ``X A``
    Hermitian. Given full rank, these two follow from Penrose's four conditions (1955,
    doi:10.1017/S0305004100030401) and imply them; they are linear in X and as well conditioned as A.

    Parameters
    ----------
    tall : whether A has at least as many rows as columns; settled when A is first looked at

    Notes
    -----
    With ``R = X A - I`` and ``S = (A X)ᴴ - A X`` the error ``E = X - A⁺`` splits at ``P = A A⁺`` into ``E P = R A⁺``
    and ``E (I - P) = -A⁺ S (I - P)``. Hence ``‖E‖_F <= ‖A⁺‖_2 sqrt(‖R‖_F² + ‖S‖_F²)``: no condition number.

    Examples
    --------
    >>> import numpy as np
    >>> PseudoInverse().exact(np.array([[[2.0], [0.0]]]))["X"]
    array([[[0.5, 0. ]]])
    """

    tall: bool = True
    name: str = "pinv"

    def exact(self, A: Any) -> Factors:
        U, S, Vh = svd(A)
        self._refuse_deficient(as_numpy(S, "singular values"), A)
        return {"X": adjoint(Vh) @ (adjoint(U) / S[..., :, None])}

    def equations(self) -> tuple[Equation, ...]:
        A, X, I = known("A"), unknown("X"), identity()  # noqa: E741
        one, projector = (X @ A, A @ X) if self.tall else (A @ X, X @ A)
        return (equal(one, I), equal(projector.H, projector, relative_to=I))

    @property
    def gauge(self) -> Gauge:
        return NoGauge()

    def tailored(self, matrices: Any, family: MatrixFamily, box: Box, spec: Spec) -> Operation:
        del matrices
        single = real_dtype(spec.dtype).itemsize == 4
        rank = _rank_in_the_middle(family, box, spec)
        # Of zero nothing can be fitted, and the exact solver says so.
        if 0 < rank < min(spec.shape):
            fixed = FixedRankPseudoInverse(rank, single)
            if family.points is None and box.hole is None:  # which may have been made for a pole
                meet_crossing(partial(_vectors, fixed, family, box, spec), box)
            return fixed
        return replace(self, tall=spec.shape[0] >= spec.shape[1])

    def tangent(self, known: Mapping[str, Any], dknown: Mapping[str, Any], F: Mapping[str, Any]) -> Factors:
        """``X' = -X A' X + X Xᴴ A'ᴴ (I - A X) + (I - X A) A'ᴴ Xᴴ X`` (Golub and Pereyra 1973, doi:10.1137/0710036).

        One of the last two terms is zero, for A of full rank.
        """
        A, dA, X = known["A"], dknown["A"], F["X"]
        turn = adjoint(dA)
        if self.tall:
            rest = X @ (adjoint(X) @ turn)
            return {"X": -X @ dA @ X + rest - (rest @ A) @ X}
        rest = (turn @ adjoint(X)) @ X
        return {"X": -X @ dA @ X + rest - X @ (A @ rest)}

    def bound(self, known: Mapping[str, Any], F: Mapping[str, Any], residual: Any) -> tuple[Any, str] | None:
        del F
        longest = max(known["A"].shape[-2:])
        text = "‖X - A⁺‖_F/‖A⁺‖_F <= sqrt(max(n1, n2)) residual, A of full rank (no condition number)"
        return longest**0.5 * residual, text

    def _refuse_deficient(self, S: Any, A: Any) -> None:
        """Raise RankError where σ_min counts as zero: below max(n1, n2) units in the last place of σ_max."""
        limit = max(A.shape[-2:]) * np.finfo(S.dtype).eps
        share = S[:, -1] / np.where(S[:, 0] > 0, S[:, 0], 1)
        worst = int(np.argmin(share))
        if not share[worst] > limit:
            rank = int((S[worst] > limit * S[worst, 0]).sum())
            raise RankError(
                f"`{self.name}` needs full rank, but A is {A.shape[-2]} x {A.shape[-1]} of numerical rank {rank} "
                f"(sigma_min/sigma_max = {share[worst]:.1e}). "
                "The rank of A(p) probably changes inside the box, and its pseudo-inverse jumps where it does. "
                "Shrink the box, leave out dependent rows or columns, or regularise: (AᴴA + λI)⁻¹Aᴴ."
            )


@final
@dataclass(frozen=True)
class FixedRankPseudoInverse(SolvedSideBySide):
    """``X = A⁺`` for A of one rank r below min(n1, n2), from Penrose's four conditions.

    ``A X A = A``, ``X A X = X``, ``A X`` and ``X A`` Hermitian: exactly one X satisfies them (Penrose 1955,
    doi:10.1017/S0305004100030401), so that there is no branch to leave. Around A⁺ they determine X as well as the
    equations of full rank do. With ``P = A A⁺`` and ``Q = A⁺ A`` an error E splits into four parts: ``A X`` Hermitian
    sees ``A E (I - P)`` and ``X A`` Hermitian ``(I - Q) E A``, while ``X A X = X``, to first order, sees ``Q E P`` and
    ``(I - Q) E (I - P)`` with factor one, not through A. Given ``rank X = r`` these three would do; without it they
    hold for zero, and for A⁺ with singular values left out, which labels do find. ``A X A = A`` excludes these, by as
    little as ``sigma_r/sigma_1``; so ``defect`` counts the rank of X.

    Parameters
    ----------
    rank : r; singular values beyond are rounding, and left out
    single : whether A(p) comes in single precision, of which it has the rounding

    Raises
    ------
    RankError
        From ``exact``, where sigma_r is not clearly above the rounding of A, or sigma_(r+1) is; from ``tailored`` of
        `PseudoInverse` where a singular value is seen to pass through zero.

    Notes
    -----
    The relative error is at most ``sqrt(N) ρ``, ``N = max(n1, n2)``, where ``sqrt(N) ρ``, ``sqrt(r) ‖A‖_F ‖X‖_F ρ`` are
    at most 1/16 and ``|tr X A - r| < 1/2``; ``bound`` is infinite elsewhere. Let ρ_2, ρ_3, ρ_4 be the residuals of the
    last three equations, ``R = X A X - X``, ``D = Q X P - A⁺`` and ``T = A D``. Then ``T + T² = A R P``, of norm up
    to ``‖A‖ ‖X‖ ρ_2``, and T is Hermitian up to ``sqrt(n1) ρ_3``: its eigenvalues lie close to 0 or to -1, and as
    ``tr T = tr X A - r`` none lies close to -1, hence ``‖T‖_2 <= 0.1``. From ``D (I + T) = Q R P`` follows
    ``‖D‖_F <= 1.12 ‖Q R P‖_F``. ``Q X (I - P)`` is at most ``‖A⁺‖_2 sqrt(n1/2) ρ_3``, ``(I - Q) X P`` at most
    ``‖A⁺‖_2 sqrt(n2/2) ρ_4``, and ``(I - Q) X (I - P)`` that part of R plus the product of both with A between.

    Examples
    --------
    >>> import numpy as np
    >>> FixedRankPseudoInverse(1).exact(np.array([[[2.0, 0.0], [0.0, 0.0]]]))["X"]
    array([[[0.5, 0. ],
            [0. , 0. ]]])
    """

    rank: int
    single: bool = False
    name: str = "pinv-fixed-rank"

    def exact(self, A: Any) -> Factors:
        U, S, V = self.triplets(A)
        return {"X": V @ (adjoint(U) / S[..., :, None])}

    def triplets(self, A: Any) -> tuple[Any, Any, Any]:
        """The r leading singular triplets ``U (B, n1, r), S (B, r), V (B, n2, r)``; refuses another rank."""
        U, S, Vh = svd(A)
        self._refuse_other_ranks(as_numpy(S, "singular values"), A)
        r = self.rank
        return U[..., :, :r], S[..., :r], adjoint(Vh[..., :r, :])

    def equations(self) -> tuple[Equation, ...]:
        A, X, I = known("A"), unknown("X"), identity()  # noqa: E741
        left, right = A @ X, X @ A
        return (
            equal(A @ X @ A, A),
            equal(X @ A @ X, X, relative_to=X),
            equal(left.H, left, relative_to=I),
            equal(right.H, right, relative_to=I),
        )

    @property
    def gauge(self) -> Gauge:
        return NoGauge()

    def tangent(self, known: Mapping[str, Any], dknown: Mapping[str, Any], F: Mapping[str, Any]) -> Factors:
        """``X' = -X A' X + X Xᴴ A'ᴴ (I - A X) + (I - X A) A'ᴴ Xᴴ X`` (Golub and Pereyra 1973, doi:10.1137/0710036)."""
        A, dA, X = known["A"], dknown["A"], F["X"]
        left, right = X @ (adjoint(X) @ adjoint(dA)), (adjoint(dA) @ adjoint(X)) @ X
        return {"X": -X @ dA @ X + left - (left @ A) @ X + right - X @ (A @ right)}

    def bound(self, known: Mapping[str, Any], F: Mapping[str, Any], residual: Any) -> tuple[Any, str] | None:
        A, X = known["A"], F["X"]
        longest = max(A.shape[-2:]) ** 0.5
        amplified = np.maximum(longest, self.rank**0.5 * norm(A) * norm(X)) * residual
        sure = (amplified <= SURE) & (self.defect(A, F, None) == 0)
        text = "‖X - A⁺‖_F/‖A⁺‖_F <= sqrt(max(n1, n2)) residual, A of rank r (no condition number)"
        return np.where(sure, longest * residual, np.inf), text

    def defect(self, A: Any, F: Mapping[str, Any], probes: Any) -> Any:
        """One where ``tr X A``, the rank of X where the equations hold, is not r; else zero, ``(B,)``."""
        del probes
        trace = (np.asarray(F["X"]) * np.asarray(A).swapaxes(-1, -2)).sum((-2, -1)).real
        return np.where(np.abs(trace - self.rank) < 0.5, 0.0, 1.0)

    def _refuse_other_ranks(self, S: Array, A: Any) -> None:
        """Raise RankError unless σ_r is clearly above rounding, and σ_(r+1) not above it."""
        level = _rounding(A.shape[-2:], np.dtype(np.float32) if self.single else S.dtype)
        share = S / np.where(S[:, :1] > 0, S[:, :1], 1)
        more = (share > ROUNDING * level).sum(1)
        found = np.where(more > self.rank, more, np.minimum((share > CLEAR * level).sum(1), self.rank))
        if (found != self.rank).any():
            b = int((found != self.rank).argmax())
            r = self.rank
            raise RankError(
                f"`pinv` needs one rank on the whole box, but A is {A.shape[-2]} x {A.shape[-1]} of numerical rank "
                f"{found[b]} here and of rank {r} in the middle of the box (relative to sigma_1, sigma_{r} = "
                f"{share[b, r - 1]:.1e}, sigma_{r + 1} = {share[b, r]:.1e}, and rounding {level:.1e}). "
                "The rank of A(p) probably changes inside the box, and its pseudo-inverse jumps where it does. "
                "Shrink the box, or regularise: (AᴴA + λI)⁻¹Aᴴ."
            )


def _rounding(shape: tuple[int, ...], dtype: Any) -> float:
    """What singular values may have of rounding in A, relative to the largest one."""
    return max(shape) * float(np.finfo(dtype).eps)


def _vectors(operation: FixedRankPseudoInverse, family: MatrixFamily, box: Box, spec: Spec, point: Array) -> View:
    """Leading singular vectors of A at a point (1, D), as `meet_crossing` asks for them."""
    A = family.at(point, box, spec=spec)
    try:
        U, _, V = operation.triplets(A.astype(double(A.dtype)))
    except RankError as cause:
        cause.args = (f"At {box.describe(point[0])}: {cause}",)
        raise
    return U[0], V[0]


def _rank_in_the_middle(family: MatrixFamily, box: Box, spec: Spec) -> int:
    """Numerical rank of A in the middle of the box, or at the first point of a table."""
    points = box.middle
    if family.points is not None:
        points = family.points[(np.abs(box.to_unit(family.points)) <= 1 + 1e-12).all(axis=1)][:1]
    if not len(points):
        return min(spec.shape)
    values = np.linalg.svd(family.at(points, box, spec=spec)[0], compute_uv=False)
    return int((values > _rounding(spec.shape, real_dtype(spec.dtype)) * values[:1]).sum())
