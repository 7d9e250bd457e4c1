"""All singular triplets: A V = U s, Aᴴ U = V s, orthonormal U and V, with vectors followed through crossings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from neumatc.arrays import Array, is_complex, namespace
from neumatc.equations import Equation, equal, identity, known, unknown
from neumatc.errors import InputError
from neumatc.gauge import Factors, Gauge, Vectors, adjoint
from neumatc.layout import Kind

from .angles import of_triplets
from .blocks import Blocks, as_blocks, core, mapped, turned, with_cores, within
from .lapack import svd
from .partial_eigh import inverse_gaps
from .separated import cluster_width, gram_defect, misplaced, reordered, rotation, shortened, with_diagonal
from .side_by_side import SolvedSideBySide
from .svd import SVDResult, _diagonal


@final
@dataclass(frozen=True)
class FullSVD(SolvedSideBySide):
    """The thin SVD ``A = U s Vᴴ`` of an (n1, n2) matrix: k = min(n1, n2) triplets.

    U is (n1, k), V (n2, k), s a (k, k) diagonal matrix of which the diagonal is stored. Inside the map the triplets are
    numbered by continuity and s may be negative, so that neither a crossing nor a zero is a kink; the user receives
    them sorted and nonnegative. A cluster of values that samples cannot part is followed as one pair of spaces, with a
    full block of s that the query diagonalises.

    Parameters
    ----------
    blocks : columns that are followed together; settled by the trainer from the gaps that it sees

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

    blocks: Blocks = ()
    name: str = "svd-full"

    def __post_init__(self) -> None:
        """Take the blocks as a file hands them back."""
        object.__setattr__(self, "blocks", as_blocks(self.blocks))

    def with_blocks(self, blocks: Blocks) -> FullSVD:
        """The operation that follows these columns together."""
        return replace(self, blocks=blocks)

    def exact(self, A: Any) -> Factors:
        U, S, Vh = svd(A)
        return {"U": U, "s": _diagonal(S, U.dtype), "V": adjoint(Vh)}

    def equations(self) -> tuple[Equation, ...]:
        A, U, s, V, I = known("A"), unknown("U"), unknown("s"), unknown("V"), identity()  # noqa: E741
        return (equal(A @ V, U @ s), equal(A.H @ U, V @ s.H), equal(U.H @ U, I), equal(V.H @ V, I))

    @property
    def gauge(self) -> Gauge:
        return Vectors(("U", "V"), ("s",), signed=True, blocks=self.blocks)

    def storage(self, known: Mapping[str, Any], F: Mapping[str, Any]) -> dict[str, Kind]:
        del known, F
        return {"V": "transposed"} if self.blocks else {"s": "diagonal", "V": "transposed"}

    def check(self, shape: tuple[int, int]) -> None:
        if min(shape) == 0:
            raise InputError(
                f"`svd` needs matrices with entries, but A(p) is {shape[0]} x {shape[1]}. "
                "A selection probably came out empty. Look at A(p) for one p."
            )

    def canonical(self, F: Mapping[str, Any]) -> Factors:
        values, left, right = self._parted(F)
        values, order, signs = _sorted(values)
        U = reordered(turned(F["U"], self.blocks, left), order)
        V = reordered(turned(F["V"], self.blocks, right), order) * signs[..., None, :].astype(U.dtype)
        return {"U": U, "s": _diagonal(np.abs(values), U.dtype), "V": V}

    def present(self, F: Mapping[str, Any]) -> SVDResult:
        return SVDResult(F["U"], F["s"].diagonal(0, -2, -1).real.copy(), adjoint(F["V"]))

    def in_place(self, kinds: Mapping[str, Kind]) -> tuple[str, ...] | None:
        lies_so = (kinds["s"], kinds["V"]) == ("diagonal", "transposed") and not self.blocks
        return ("U", "s", "V") if lies_so else None

    def settle(self, parts: tuple[Any, ...]) -> SVDResult:
        U, s, Vh = parts
        if is_complex(Vh.dtype):
            np.conjugate(Vh, out=Vh)
        order = np.argsort(-np.abs(s), axis=-1, kind="stable")
        for i in misplaced(order):
            U[i], s[i], Vh[i] = U[i][:, order[i]], s[i, order[i]], Vh[i, order[i]]
        negative = np.nonzero(s < 0)
        Vh[negative] = -Vh[negative]
        return SVDResult(U, np.abs(s, out=s), Vh)

    def theorem(self, rows: int) -> tuple[float, str] | None:
        text = "|s - σ|/‖A‖_F <= (1 + 3 sqrt(n1)) residual (Weyl); vectors: residual ‖A‖_F/gap (Wedin)"
        return 1 + 3 * float(rows) ** 0.5, text

    def angles(self, known: Mapping[str, Any], F: Mapping[str, Any], residual: Any) -> tuple[Any, str] | None:
        return of_triplets(known["A"], F, residual)

    def levels(self, F: Mapping[str, Any]) -> Array:
        """Singular values ``(B, k)`` in the order in which they are stored."""
        return np.abs(self._parted(F)[0])

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
            other = self.refine(adjoint(A), {"U": F["V"], "s": F["s"], "V": F["U"]})
            return {"U": other["V"], "s": adjoint(other["s"]), "V": other["U"]}
        U, V = F["U"], F["V"]
        R, S, AV = gram_defect(U, U), gram_defect(V, V), A @ V
        T = adjoint(U) @ AV
        left, right = self._bases(T, R, S)
        U, V, AV = (turned(X, self.blocks, Y) for X, Y in ((U, left), (V, right), (AV, right)))
        T = adjoint(turned(adjoint(turned(T, self.blocks, right)), self.blocks, left))
        R = adjoint(turned(adjoint(turned(R, self.blocks, left)), self.blocks, left))
        S = adjoint(turned(adjoint(turned(S, self.blocks, right)), self.blocks, right))
        own, same = (R + S).diagonal(0, -2, -1).real / 2, within(self.blocks, T.shape[-1])
        s = T.diagonal(0, -2, -1).real / (1 - own)
        width = cluster_width(T, (R + S) / 2, s)
        P = rotation(T + adjoint(T), R + S, s, s, width, (R + S) / 2, same)
        N = rotation(T - adjoint(T), R - S, -s, s, width, (R - S) / 2, same)
        phase = _relative_phase(T, s)
        F_ = with_diagonal((P + N) / 2, R.diagonal(0, -2, -1) / 2 + phase)
        G = with_diagonal((P - N) / 2, S.diagonal(0, -2, -1) / 2 - phase)
        U, V, values = U + U @ F_ + _outside(AV, U, T, R, s), V + V @ G, _diagonal(s, U.dtype)
        cores = [X @ core(values, J) @ adjoint(Y) for J, X, Y in zip(self.blocks, left, right, strict=True)]
        return {
            "U": turned(U, self.blocks, [adjoint(X) for X in left]),
            "s": with_cores(values, self.blocks, cores),
            "V": turned(V, self.blocks, [adjoint(Y) for Y in right]),
        }

    def derivative(self, F: Mapping[str, Any], dF: Mapping[str, Any]) -> Factors:
        """Derivative of the canonical factors, each pair's common phase in the gauge of parallel transport.

        Raises
        ------
        GaugeError
            Where two singular values coincide: sorted vectors jump there.
        """
        values, left, right = self._parted(F)
        inverse_gaps(np.abs(values), slice(None))
        U, dU = turned(F["U"], self.blocks, left), turned(dF["U"], self.blocks, left)
        V, dV = turned(F["V"], self.blocks, right), turned(dF["V"], self.blocks, right)
        changes = [adjoint(X) @ core(dF["s"], J) @ Y for J, X, Y in zip(self.blocks, left, right, strict=True)]
        ds = mapped(dF["s"].diagonal(0, -2, -1).real, self.blocks, changes, lambda K: K.diagonal(0, -2, -1).real)
        for J, K in zip(self.blocks, changes, strict=True):
            places, s = list(J), values[..., list(J)]
            E, row, column = inverse_gaps(s**2, slice(0)), s[..., None, :], s[..., :, None]
            dU[..., places] += U[..., places] @ (E * (K * row + column * adjoint(K)))
            dV[..., places] += V[..., places] @ (E * (column * K + adjoint(K) * row))
        values, order, signs = _sorted(values)
        turn = signs[..., None, :].astype(U.dtype)
        U, dU, V, dV = (
            reordered(U, order),
            reordered(dU, order),
            reordered(V, order) * turn,
            reordered(dV, order) * turn,
        )
        ds = np.take_along_axis(ds, order, -1) * signs
        if np.iscomplexobj(U):
            common = ((U.conj() * dU).sum(-2) + (V.conj() * dV).sum(-2)).imag[..., None, :] / 2
            dU, dV = dU - 1j * U * common, dV - 1j * V * common
        return {"U": dU, "s": _diagonal(ds, U.dtype), "V": dV}

    def _parted(self, F: Mapping[str, Any]) -> tuple[Array, list[Array], list[Array]]:
        """Signed values ``(B, k)`` as stored, and for each block the two unitaries that diagonalise its core."""
        s = np.asarray(F["s"])
        parts = [np.linalg.svd(core(s, J)) for J in self.blocks]
        values = mapped(s.diagonal(0, -2, -1).real, self.blocks, [part[1] for part in parts], lambda found: found)
        return values, [part[0] for part in parts], [adjoint(part[2]) for part in parts]

    def _bases(self, T: Any, R: Any, S: Any) -> tuple[list[Any], list[Any]]:
        """Singular vectors of the cores in the orthonormal bases next to the present ones, to first order."""
        left, right = [], []
        for J in self.blocks:
            T_J = core(T, J)
            X, _, Yh = namespace(T).linalg.svd(T_J + (core(R, J) @ T_J + T_J @ core(S, J)) / 2)
            left.append(X)
            right.append(adjoint(Yh))
        return left, right


def _sorted(values: Array) -> tuple[Array, Array, Array]:
    """Signed values in descending order of size, that order, and their signs, each ``(B, k)``."""
    order = np.argsort(-np.abs(values), axis=-1, kind="stable")
    values = np.take_along_axis(values, order, -1)
    return values, order, np.where(values < 0, -1.0, 1.0)


def _relative_phase(T: Any, s: Any) -> Any:
    """Half of ``i Im(T_ii) / s_i``: what turns complex u_i and v_i towards a real value; zero where that is zero."""
    xp, imaginary = namespace(T), (T - adjoint(T)).diagonal(0, -2, -1) / 2
    largest = abs(s).max(-1)[..., None] if xp is np else abs(s).amax(-1)[..., None]
    small = abs(s) <= 1e-8 * largest
    return xp.where(small, 0 * imaginary, imaginary / (2 * xp.where(small, xp.ones_like(s), s)))


def _outside(AV: Any, U: Any, T: Any, R: Any, s: Any) -> Any:
    """``(I - U Uᴴ) A V / s`` to second order; nothing for a square A, or where s is zero."""
    xp = namespace(U)
    if U.shape[-2] == U.shape[-1]:
        return xp.zeros_like(U)
    largest = abs(s).max(-1)[..., None] if xp is np else abs(s).amax(-1)[..., None]
    small = abs(s) <= 1e-12 * largest
    inverse = xp.where(small, xp.zeros_like(s), 1 / xp.where(small, xp.ones_like(s), s))
    return shortened((AV - U @ (T + R @ T)) * inverse[..., None, :])
