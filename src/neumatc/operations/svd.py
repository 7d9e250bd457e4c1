"""Truncated SVD through its invariant subspaces: A V = U M, Aᴴ U = V Mᴴ, orthonormal U and V.

Singular vectors jump where values cross and rotate quickly where they nearly do; the subspaces they span do not.
So the map learns the subspaces with a full core M, in Procrustes gauge, and the query diagonalises the small core.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, final

import numpy as np

from neumatc.arrays import namespace
from neumatc.equations import Equation, equal, frobenius, identity, known, unknown
from neumatc.errors import GaugeError, InputError, RankError
from neumatc.gauge import Factors, Gauge, Unitary, adjoint
from neumatc.products import tall

from .angles import of_leading
from .lapack import svd
from .orthonormal import Orthonormal
from .side_by_side import SolvedSideBySide

MOST_BUFFER = 16
"""Most directions kept beyond the rank: more are seldom smooth in p (measured: no gain past 16)."""

NUMERICAL_RANK = 1e-14
"""Share of the largest singular value below which one counts as zero."""

GOOD_RATIO = 0.6
"""Worst sigma_{r'+1} / sigma_r at which power steps converge in a few rounds."""


class SVDResult(NamedTuple):
    """``A ≈ U @ diag(S) @ Vh``, thin, values in descending order; field names as in NumPy."""

    U: Any
    S: Any
    Vh: Any


@final
@dataclass(frozen=True)
class TruncatedSVD(SolvedSideBySide):
    """The dominant ``rank`` singular triplets.

    Parameters
    ----------
    rank : number of triplets in the answer
    buffer : further directions carried along inside the map and dropped at the query; settled by ``adapt``

    Notes
    -----
    By Weyl's inequality each value is within ``‖A‖_F * residual`` of a singular value of A; a probe of what is left of
    A when the subspaces are deflated (``defect``) sees a missing larger one. Vectors are as good as residual / gap
    (Wedin 1972, doi:10.1007/BF01932678).
    """

    rank: int
    buffer: int = 0
    name: str = "svd"

    def exact(self, A: Any) -> Factors:
        U, S, Vh = svd(A)
        k = min(self.rank + self.buffer, S.shape[-1])
        return {"U": U[..., :, :k], "M": _diagonal(S[..., :k], U.dtype), "V": adjoint(Vh)[..., :, :k]}

    def equations(self) -> tuple[Equation, ...]:
        A, U, M, V, I = known("A"), unknown("U"), unknown("M"), unknown("V"), identity()  # noqa: E741
        return (equal(A @ V, U @ M), equal(A.H @ U, V @ M.H), equal(U.H @ U, I), equal(V.H @ V, I))

    @property
    def gauge(self) -> Gauge:
        return Unitary.of({"U": (None, "P"), "M": ("P", "Q"), "V": (None, "Q")})

    def check(self, shape: tuple[int, int]) -> None:
        rank: Any = self.rank  # whatever the caller passed
        if not isinstance(rank, int | np.integer) or isinstance(rank, bool):
            raise InputError(
                f"`svd` needs a whole number as rank, got {self.rank!r}. "
                "It counts the singular triplets wanted. Pass rank=r with 1 <= r <= min(n1, n2), or None for all."
            )
        if not 1 <= self.rank <= min(shape):
            raise RankError(
                f"`svd` was asked for rank {self.rank}, but A(p) is {shape[0]} x {shape[1]}. "
                f"A matrix of this shape has {min(shape)} singular values. Pass 1 <= rank <= {min(shape)}."
            )

    def canonical(self, F: Mapping[str, Any]) -> Factors:
        xp = namespace(F["U"])
        left, right = Orthonormal.of(F["U"]), Orthonormal.of(F["V"])
        X, S, Yh = xp.linalg.svd(left.R @ F["M"] @ adjoint(right.R), full_matrices=False)
        r = self.rank
        return {
            "U": left.times(X[..., :, :r]),
            "M": _diagonal(S[..., :r], F["U"].dtype),
            "V": right.times(adjoint(Yh[..., :r, :])),
        }

    def present(self, F: Mapping[str, Any]) -> SVDResult:
        S = F["M"].diagonal(0, -2, -1)
        Vh = adjoint(F["V"])
        if namespace(S) is not np:
            return SVDResult(F["U"], S.real, Vh)
        return SVDResult(F["U"], S.real.copy(), np.ascontiguousarray(Vh))  # as NumPy returns it, fit to be an `out`

    def theorem(self, rows: int) -> tuple[float, str] | None:
        del rows
        return 1.0, "|s - σ|/‖A‖_F <= residual for some singular value σ (Weyl); vectors: residual/gap (Wedin)"

    def angles(self, known: Mapping[str, Any], F: Mapping[str, Any], residual: Any) -> tuple[Any, str] | None:
        return of_leading(known["A"], F, residual)

    def refine(self, A: Any, F: Mapping[str, Any]) -> Factors:
        """One subspace power step, ``U <- orth(A V)``, ``V <- orth(Aᴴ U)``, Rayleigh-Ritz core ``M = Uᴴ A V``.

        The error in the wanted directions falls by ``(sigma_{r'+1} / sigma_r)²``.
        """
        xp = namespace(A)
        U = xp.linalg.qr(tall(A, F["V"]))[0]
        V, R = xp.linalg.qr(tall(adjoint(A), U))
        return {"U": U, "M": adjoint(R), "V": V}

    def defect(self, A: Any, F: Mapping[str, Any], probes: Any) -> Any:
        """How far a value larger than the smallest returned one is certainly missing, relative to ``‖A‖_F``.

        The equations hold for any r triplets. With Q an orthonormal basis of the deflated ``(I - U Uᴴ) A Z``,
        ``‖Qᴴ A (I - V Vᴴ)‖_2`` is a lower bound of the largest value left out; zero where it is below ``S[r-1]``.
        """
        xp = namespace(A)
        Y = tall(A, probes)
        Y = Y - F["U"] @ (adjoint(F["U"]) @ Y)
        Q = xp.linalg.qr(Y)[0]
        rest = adjoint(tall(adjoint(A), Q))
        rest = rest - (rest @ F["V"]) @ adjoint(F["V"])
        left_out = xp.linalg.svd(rest @ adjoint(rest), full_matrices=False)[1][..., 0] ** 0.5
        smallest = F["M"].diagonal(0, -2, -1).real[..., -1]
        excess = left_out - smallest
        return xp.where(excess > 0, excess, xp.zeros_like(excess)) / frobenius(A)

    def widest(self, shape: tuple[int, int]) -> TruncatedSVD:
        """The operation with the largest buffer worth looking at, one more direction to see the next value."""
        return replace(self, buffer=min(self.rank + MOST_BUFFER + 1, min(shape)) - self.rank)

    def adapt(self, F: Mapping[str, Any], shape: tuple[int, int]) -> tuple[TruncatedSVD, Factors, str]:
        """Choose the buffer from exact factors of ``widest``: the fewest directions with a good worst ratio."""
        S = F["M"].diagonal(0, -2, -1).real
        S = np.concatenate([np.asarray(S), np.zeros((S.shape[0], 1))], axis=1)
        r, most = self.rank, min(self.rank + MOST_BUFFER, min(shape))
        last = S[:, r - 1 : r]
        if np.all(last <= NUMERICAL_RANK * S[:, :1]):
            found = int((S[:, :r] > NUMERICAL_RANK * S[:, :1]).sum(1).max())
            raise RankError(
                f"`svd` was asked for rank {r}, but A(p) has numerical rank {found} at all {len(S)} samples. "
                "Singular vectors of zero are arbitrary and cannot be continued smoothly in p. "
                f"Pass rank <= {max(found, 1)}."
            )
        ratios = (S[:, r : most + 1] / np.where(last > 0, last, 1)).max(0)
        good = np.flatnonzero(ratios <= GOOD_RATIO)
        buffer = int(good[0]) if len(good) else int(np.argmin(ratios))
        k = r + buffer
        narrow = {"U": F["U"][..., :, :k], "M": F["M"][..., :k, :k], "V": F["V"][..., :, :k]}
        text = f"rank {r} + buffer {buffer}: worst sigma_{k + 1}/sigma_{r} = {ratios[buffer]:.2f}"
        return replace(self, buffer=buffer), narrow, text

    def derivative(self, F: Mapping[str, Any], dF: Mapping[str, Any]) -> Factors:
        """Derivative of the canonical factors from the stored ones, in the gauge of parallel transport.

        With ``B = U M Vᴴ = X S Yᴴ``, ``K = Xᴴ dB Y`` and ``E_ij = 1 / (s_j² - s_i²)``: ``dS = Re diag K``,
        ``dX = X (E ∘ (K S + S Kᴴ)) + (I - X Xᴴ) dB Y / S``, and the same for ``Y`` with ``Bᴴ``.
        """
        full = replace(self, rank=self.rank + self.buffer, buffer=0).canonical(F)
        X, Y, S = full["U"], full["V"], full["M"].diagonal(0, -2, -1).real
        dBY, dBhX = _product_rule(F, dF, Y), _product_rule(_swap(F), _swap(dF), X)
        K = adjoint(X) @ dBY
        gaps = S[..., None, :] ** 2 - S[..., :, None] ** 2
        r, size = self.rank, S.shape[-1]
        off = ~np.eye(size, dtype=bool)
        if (abs(gaps[..., :, :r]) * off[:, :r] + ~off[:, :r] <= 1e-10 * S[..., :1, None] ** 2).any():
            raise GaugeError(
                "The derivative of singular vectors needs distinct singular values, but two of them coincide here. "
                "At a crossing the sorted vectors jump and have no derivative. "
                "Differentiate beside the crossing, or differentiate U diag(S) Vh as a whole."
            )
        E = np.where(off, 1 / np.where(off & (gaps != 0), gaps, 1), 0)
        Sr, Sc = S[..., None, :], S[..., :, None]
        phase = 0.5j * K.diagonal(0, -2, -1).imag / S if np.iscomplexobj(K) else 0 * S
        dX = X @ (E * (K * Sr + Sc * adjoint(K)) + _diagonal(phase, K.dtype)) + (dBY - X @ K) / Sr
        dY = Y @ (E * (Sc * K + adjoint(K) * Sr) - _diagonal(phase, K.dtype)) + (dBhX - Y @ adjoint(K)) / Sr
        dS = K.diagonal(0, -2, -1).real[..., :r]
        return {"U": dX[..., :, :r], "M": _diagonal(dS, K.dtype), "V": dY[..., :, :r]}


def _diagonal(values: Any, dtype: Any) -> Any:
    """``(B, r)`` to ``(B, r, r)``."""
    xp = namespace(values)
    like = {"device": values.device} if xp is not np else {}
    return xp.eye(values.shape[-1], dtype=dtype, **like) * values[..., None, :]


def _swap(F: Mapping[str, Any]) -> Factors:
    """The factors of Bᴴ."""
    return {"U": F["V"], "M": adjoint(F["M"]), "V": F["U"]}


def _product_rule(F: Mapping[str, Any], dF: Mapping[str, Any], Y: Any) -> Any:
    """``d(U M Vᴴ) Y``."""
    VY = adjoint(F["V"]) @ Y
    return dF["U"] @ (F["M"] @ VY) + F["U"] @ (dF["M"] @ VY) + F["U"] @ (F["M"] @ (adjoint(dF["V"]) @ Y))
