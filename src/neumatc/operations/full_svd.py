"""All singular triplets: A V = U s, Aᴴ U = V s, orthonormal U and V, with vectors followed through crossings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from neumatc.arrays import Array, namespace
from neumatc.equations import Equation, equal, identity, known, unknown
from neumatc.errors import InputError
from neumatc.gauge import Factors, Gauge, Vectors, adjoint
from neumatc.layout import Kind

from .base import Operation
from .partial_eigh import inverse_gaps
from .separated import cluster_width, gram_defect, reordered, rotation, shortened, with_diagonal
from .svd import SVDResult, _diagonal, _svd


@final
@dataclass(frozen=True)
class FullSVD(Operation):
    """The thin SVD ``A = U s Vᴴ`` of an (n1, n2) matrix: k = min(n1, n2) triplets.

    U is (n1, k), V (n2, k), s a (k, k) diagonal matrix of which the diagonal is stored. Inside the map the triplets are
    numbered by continuity and s may be negative, so that neither a crossing nor a zero is a kink; the user receives
    them sorted and nonnegative.

    Raises
    ------
    InputError
        For matrices without entries.

    Notes
    -----
    Each value is within ``(1 + 3 sqrt(n1)) ‖A‖_F residual`` of a singular value (Weyl, with the departure of U and V
    from orthonormal); vectors are as good as ``residual ‖A‖_F / gap`` (Wedin 1972, doi:10.1007/BF01932678). Where
    values come close, or one of a rectangular matrix to zero, the vectors are uncertain and their span is not.

    Examples
    --------
    >>> import numpy as np
    >>> operation = FullSVD()
    >>> F = operation.exact(np.array([[[0.0, 2.0], [3.0, 0.0]]]))
    >>> operation.present(operation.canonical(F)).S
    array([[3., 2.]])
    """

    name: str = "svd-full"

    def exact(self, A: Any) -> Factors:
        U, S, Vh = _svd(A)
        return {"U": U, "s": _diagonal(S, U.dtype), "V": adjoint(Vh)}

    def equations(self) -> tuple[Equation, ...]:
        A, U, s, V, I = known("A"), unknown("U"), unknown("s"), unknown("V"), identity()  # noqa: E741
        return (equal(A @ V, U @ s), equal(A.H @ U, V @ s.H), equal(U.H @ U, I), equal(V.H @ V, I))

    @property
    def gauge(self) -> Gauge:
        return Vectors(("U", "V"), ("s",), signed=True)

    def storage(self, known: Mapping[str, Any], F: Mapping[str, Any]) -> dict[str, Kind]:
        del known, F
        return {"s": "diagonal"}

    def check(self, shape: tuple[int, int]) -> None:
        if min(shape) == 0:
            raise InputError(
                f"`svd` needs matrices with entries, but A(p) is {shape[0]} x {shape[1]}. "
                "A selection probably came out empty. Look at A(p) for one p."
            )

    def canonical(self, F: Mapping[str, Any]) -> Factors:
        values, order, signs = self._sorted(F)
        U = reordered(F["U"], order)
        V = reordered(F["V"], order) * signs[..., None, :].astype(U.dtype)
        return {"U": U, "s": _diagonal(np.abs(values), U.dtype), "V": V}

    def present(self, F: Mapping[str, Any]) -> SVDResult:
        return SVDResult(F["U"], F["s"].diagonal(0, -2, -1).real.copy(), adjoint(F["V"]))

    def theorem(self, rows: int) -> tuple[float, str] | None:
        text = "|s - σ|/‖A‖_F <= (1 + 3 sqrt(n1)) residual (Weyl); vectors: residual ‖A‖_F/gap (Wedin)"
        return 1 + 3 * float(rows) ** 0.5, text

    def levels(self, F: Mapping[str, Any]) -> Array:
        """Singular values ``(B, k)`` in the order in which they are stored."""
        values: Array = np.abs(np.asarray(F["s"]).diagonal(0, -2, -1))
        return values

    def conditions(self, F: Mapping[str, Any]) -> Array:
        """One: orthonormal vectors amplify nothing."""
        return np.ones(len(F["V"]))

    def refine(self, A: Any, F: Mapping[str, Any]) -> Factors:
        """One Ogita-Aishima step in sums and differences of the two rotations, which no cluster disturbs.

        With ``T = Uᴴ A V``, ``R = I - UᴴU``, ``S = I - VᴴV``, ``a_ij = T_ij + R_ij s_j``, ``b_ij = -T̄_ji - S_ij s_j``:
        ``P = (a - b) / (s_j - s_i)``, ``N = (a + b) / (s_j + s_i)``, ``U <- U + U (P + N)/2``, ``V <- V + V (P - N)/2``
        (after Ogita & Aishima 2020, doi:10.1007/s13160-019-00383-w). The part of U outside its own span, which only a
        tall A has, is ``(A V - U T - U R T) / s``.
        """
        if A.shape[-2] < A.shape[-1]:
            turned = self.refine(adjoint(A), {"U": F["V"], "s": F["s"], "V": F["U"]})
            return {"U": turned["V"], "s": turned["s"], "V": turned["U"]}
        U, V = F["U"], F["V"]
        R, S, AV = gram_defect(U, U), gram_defect(V, V), A @ V
        T = adjoint(U) @ AV
        own = (R + S).diagonal(0, -2, -1).real / 2
        s = T.diagonal(0, -2, -1).real / (1 - own)
        width = cluster_width(T, (R + S) / 2, s)
        P = rotation(T + adjoint(T), R + S, s, s, width, (R + S) / 2)
        N = rotation(T - adjoint(T), R - S, -s, s, width, (R - S) / 2)
        F_, G = (with_diagonal((P + sign * N) / 2, D.diagonal(0, -2, -1) / 2) for sign, D in ((1, R), (-1, S)))
        return {"U": U + U @ F_ + _outside(AV, U, T, R, s), "s": _diagonal(s, U.dtype), "V": V + V @ G}

    def derivative(self, F: Mapping[str, Any], dF: Mapping[str, Any]) -> Factors:
        """Derivative of the canonical factors, each pair's common phase in the gauge of parallel transport.

        Raises
        ------
        GaugeError
            Where two singular values coincide: sorted vectors jump there.
        """
        values, order, signs = self._sorted(F)
        inverse_gaps(np.abs(values), slice(None))
        turn = signs[..., None, :].astype(F["U"].dtype)
        U, dU = reordered(F["U"], order), reordered(dF["U"], order)
        V, dV = reordered(F["V"], order) * turn, reordered(dF["V"], order) * turn
        ds = np.take_along_axis(dF["s"].diagonal(0, -2, -1).real, order, -1) * signs
        if np.iscomplexobj(U):
            common = ((U.conj() * dU).sum(-2) + (V.conj() * dV).sum(-2)).imag[..., None, :] / 2
            dU, dV = dU - 1j * U * common, dV - 1j * V * common
        return {"U": dU, "s": _diagonal(ds, U.dtype), "V": dV}

    def _sorted(self, F: Mapping[str, Any]) -> tuple[Array, Array, Array]:
        """Signed values in descending order of size, that order, and their signs, each ``(B, k)``."""
        values = np.asarray(F["s"]).diagonal(0, -2, -1).real
        order = np.argsort(-np.abs(values), axis=-1, kind="stable")
        values = np.take_along_axis(values, order, -1)
        return values, order, np.where(values < 0, -1.0, 1.0)


def _outside(AV: Any, U: Any, T: Any, R: Any, s: Any) -> Any:
    """``(I - U Uᴴ) A V / s`` to second order; nothing for a square A, or where s is zero."""
    xp = namespace(U)
    if U.shape[-2] == U.shape[-1]:
        return xp.zeros_like(U)
    largest = abs(s).max(-1)[..., None] if xp is np else abs(s).amax(-1)[..., None]
    small = abs(s) <= 1e-12 * largest
    inverse = xp.where(small, xp.zeros_like(s), 1 / xp.where(small, xp.ones_like(s), s))
    return shortened((AV - U @ (T + R @ T)) * inverse[..., None, :])
