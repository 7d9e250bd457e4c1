"""Some eigenpairs of a Hermitian matrix, through their invariant subspace: A V = B V M, Vᴴ B V = I.

Eigenvectors jump where values cross and turn quickly where they nearly do; the subspace that they span does neither. So
the map learns the subspace with a full core M, in Procrustes gauge, and the query diagonalises the small core.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from neumatc.arrays import namespace
from neumatc.box import Box
from neumatc.equations import Equation, frobenius
from neumatc.errors import GaugeError, InputError, RankError, unknown
from neumatc.family import MatrixFamily, as_family
from neumatc.gauge import Factors, Gauge, Unitary, adjoint
from neumatc.layout import Kind

from .angles import of_lowest
from .base import Operation
from .definite import hermitian_part
from .filter import below, degree, ends, lifted
from .orthonormal import Orthonormal
from .pencil import (
    EighResult,
    bound_of_pencil,
    check_pencil,
    given_pencil,
    pencil_equations,
    size_of_pencil,
    solved_pencil,
    weyl,
    whitened,
)
from .several import SMALL, bundled
from .svd import _diagonal

MOST_BUFFER = 16
"""Most directions kept beyond the rank."""

GOOD_GAP = 0.3
"""Distance to the first value left out, as a share of all values seen, with which a few filters reach rounding."""

ENDS = ("lowest", "highest")


@final
@dataclass(frozen=True)
class PartialEigh(Operation):
    """The ``rank`` lowest or highest eigenpairs of Hermitian A, alone or with positive definite B.

    Parameters
    ----------
    rank : number of pairs in the answer
    which : "lowest" or "highest"
    buffer : further directions carried along inside the map and dropped at the query; settled by ``adapt``
    generalised : whether the family holds A and B, flattened side by side

    Raises
    ------
    InputError
        For a rank that is no whole number, an unknown ``which``, or matrices that are not square.
    RankError
        For a rank outside 1..n.
    InputError
        When A(p) is not Hermitian, with its asymmetry, or B(p) not positive definite.

    Notes
    -----
    Without B each returned value is within ``‖A‖_F · residual`` of an eigenvalue (Weyl), and the subspace within
    ``residual · ‖A‖_F / gap`` (Davis & Kahan 1970, doi:10.1137/0707001), gap being the distance of the returned values
    to the others. Any invariant subspace satisfies the equations; ``defect`` finds what is missing. With B the vectors
    are B-orthonormal to the residual, which the certificate measures.

    Examples
    --------
    >>> import numpy as np
    >>> operation = PartialEigh(2, "highest")
    >>> F = operation.exact(np.diag([3.0, 1.0, 2.0])[None])
    >>> operation.present(operation.canonical(F)).eigenvalues
    array([[2., 3.]])
    """

    rank: int
    which: str = "lowest"
    buffer: int = 0
    generalised: bool = False
    name: str = "eigh-partial"

    def given(self, A: Any) -> dict[str, Any]:
        return given_pencil(A, self.generalised)

    def family(self, matrices: Any, box: Box) -> MatrixFamily:
        del box
        return bundled(matrices, ("A", "B"), "eigh") if self.generalised else as_family(matrices)

    def exact(self, A: Any) -> Factors:
        values, V = solved_pencil(self.given(A))
        k = min(self.rank + self.buffer, values.shape[-1])
        kept = slice(0, k) if self.which == "lowest" else slice(values.shape[-1] - k, None)
        return {"V": V[..., :, kept], "M": _diagonal(values[..., kept], V.dtype)}

    def equations(self) -> tuple[Equation, ...]:
        return pencil_equations("M", self.generalised)

    @property
    def gauge(self) -> Gauge:
        return Unitary.of({"V": (None, "P"), "M": ("P", "P")})

    def storage(self, known: Mapping[str, Any], F: Mapping[str, Any]) -> dict[str, Kind]:
        del known, F
        return {"M": "hermitian"}

    def check(self, shape: tuple[int, int]) -> None:
        check_pencil("eigh", shape, self.generalised)
        if self.which not in ENDS:
            raise unknown("which", self.which, ENDS)
        rank: Any = self.rank  # whatever the caller passed
        if not isinstance(rank, int | np.integer) or isinstance(rank, bool):
            raise InputError(
                f"`eigh` needs a whole number as rank, got {rank!r}. "
                "It counts the eigenpairs wanted. Pass rank=k with 1 <= k <= n, or None for all."
            )
        n = size_of_pencil(shape, self.generalised)
        if not 1 <= rank <= n:
            raise RankError(
                f"`eigh` was asked for {rank} eigenpairs, but A(p) is {n} x {n}. "
                f"It has {n} of them. Pass 1 <= rank <= {n}."
            )

    def canonical(self, F: Mapping[str, Any]) -> Factors:
        V, eigh = F["V"], namespace(F["V"]).linalg.eigh
        if self.generalised:  # orthonormal in B as well as the fit is
            values, Y = eigh(hermitian_part(F["M"]))
            kept = self._wanted(values.shape[-1])
            return {"V": V @ Y[..., :, kept], "M": _diagonal(values[..., kept], V.dtype)}
        basis = Orthonormal.of(V)
        values, Y = eigh(hermitian_part(basis.R @ F["M"] @ adjoint(basis.R)))
        kept = self._wanted(values.shape[-1])
        return {"V": basis.times(Y[..., :, kept]), "M": _diagonal(values[..., kept], V.dtype)}

    def present(self, F: Mapping[str, Any]) -> EighResult:
        values = F["M"].diagonal(0, -2, -1).real
        return EighResult(values.copy() if namespace(values) is np else values, F["V"])

    def angles(self, known: Mapping[str, Any], F: Mapping[str, Any], residual: Any) -> tuple[Any, str] | None:
        values = F["M"].diagonal(0, -2, -1).real
        return None if self.generalised else of_lowest(known["A"], values, residual, self._sign)

    def theorem(self, rows: int) -> tuple[float, str] | None:
        del rows
        return weyl(self.generalised)

    def bound(self, known: Mapping[str, Any], F: Mapping[str, Any], residual: Any) -> tuple[Any, str] | None:
        if self.generalised:
            return bound_of_pencil(known, F["V"], residual)
        stated = self.theorem(known["A"].shape[-2])
        return None if stated is None else (stated[0] * residual, stated[1])

    def refine(self, A: Any, F: Mapping[str, Any]) -> Factors:
        """A Chebyshev filter that damps all but the wanted end of the spectrum, and Rayleigh-Ritz.

        The filter is laid over what is left of the spectrum outside the predicted subspace, at each p anew.
        """
        white, xp = whitened(self.given(A)), namespace(A)
        C = self._sign * white.C
        X, values = _ritz(C, xp.linalg.qr(white.coordinates(F["V"]))[0])
        if X.shape[-1] < X.shape[-2]:
            low, high = ends(C, X)
            wanted = values[..., self.rank - 1, None, None]
            low = xp.where(low > wanted, low, wanted)
            high = xp.where(high > low, high, low + 1e-3 * abs(low) + 1e-300)
            X = lifted(C, X, low, high, _under(values[..., :1, None], low, high), degree(low, high, wanted))
            X = xp.linalg.qr(X)[0]
        return {"V": white.vectors(X), "M": self._sign * hermitian_part(adjoint(X) @ (C @ X))}

    def defect(self, A: Any, F: Mapping[str, Any], probes: Any) -> Any:
        """How far beyond the last returned value an eigenvalue is certainly missing, relative to ``‖C‖_F``.

        C is A, or ``L⁻¹ A L⁻ᴴ`` with ``B = L Lᴴ``. Up to n = 64 the eigenvalues are counted; beyond, probes see what is
        missing by more than about the mean distance of eigenvalues (`filter.below`).
        """
        white = whitened(self.given(A))
        X = namespace(A).linalg.qr(white.coordinates(F["V"]))[0]
        values = self._sign * F["M"].diagonal(0, -2, -1).real
        last = values[..., -1 if self.which == "lowest" else 0, None, None]
        C = self._sign * white.C
        missing = below(C, X, last, probes)
        if C.shape[-1] <= SMALL:
            counted = last[..., 0, 0] - namespace(A).linalg.eigvalsh(C)[..., self.rank - 1]
            missing = namespace(A).where(counted > missing, counted, missing)
        return missing / frobenius(C)

    def widest(self, shape: tuple[int, int]) -> PartialEigh:
        """The operation with the largest buffer worth looking at, one more direction to see the next value."""
        n = size_of_pencil(shape, self.generalised)
        return replace(self, buffer=min(self.rank + MOST_BUFFER + 1, n) - self.rank)

    def adapt(self, F: Mapping[str, Any], shape: tuple[int, int]) -> tuple[PartialEigh, Factors, str]:
        """Choose the buffer from exact factors of ``widest``: the fewest directions with a good worst gap.

        A gap is the distance from the last wanted value to the first one left out, as a share of all values seen.
        """
        n = size_of_pencil(shape, self.generalised)
        values = np.sort(self._sign * np.asarray(F["M"]).diagonal(0, -2, -1).real, axis=-1)
        r, seen = self.rank, values.shape[-1]
        # Distances at rounding level are none.
        spread = np.maximum(values[:, -1] - values[:, 0], 1e-10 * np.abs(values).max(-1) + np.finfo(float).tiny)
        gaps = ((values[:, r:] - values[:, r - 1 : r]) / spread[:, None]).min(0)
        if seen == n:
            gaps = np.append(gaps, 1.0)  # nothing left out
        enough = min(GOOD_GAP, 0.8 * float(gaps[: MOST_BUFFER + 1].max()))
        buffer = int(np.flatnonzero(gaps >= enough)[0])
        k = r + buffer
        kept = slice(0, k) if self.which == "lowest" else slice(seen - k, None)
        narrow = {"V": F["V"][..., :, kept], "M": F["M"][..., kept, kept]}
        text = f"{self.which} {r} + buffer {buffer}: worst gap {gaps[buffer]:.2f} of the values seen"
        return replace(self, buffer=buffer), narrow, text

    def derivative(self, F: Mapping[str, Any], dF: Mapping[str, Any]) -> Factors:
        """Derivative of the canonical factors from the stored ones, in the gauge of parallel transport.

        With ``M = Y w Yᴴ``, ``K = Yᴴ dM Y`` and ``E_ij = 1 / (w_j - w_i)``: ``dw = diag K`` and
        ``d(V Y) = dV Y + V Y (E ∘ K)``, less its component ``i Im(xᴴ dx)`` along each vector x itself.
        """
        xp, V = namespace(F["V"]), F["V"]
        values, Y = xp.linalg.eigh(hermitian_part(F["M"]))
        kept = self._wanted(values.shape[-1])
        K = adjoint(Y) @ hermitian_part(dF["M"]) @ Y
        X = V @ Y
        dX = (dF["V"] @ Y + X @ (inverse_gaps(values, kept) * K))[..., :, kept]
        X = X[..., :, kept]
        # The user's vectors come from another decomposition of the same core and may differ by a phase.
        turn = (X.conj() * self.canonical(F)["V"]).sum(-2)[..., None, :]
        return {
            "V": transported(X, dX) * (turn / abs(turn)),
            "M": _diagonal(K.diagonal(0, -2, -1).real[..., kept], V.dtype),
        }

    @property
    def _sign(self) -> float:
        """What turns the wanted end into the lowest."""
        return 1.0 if self.which == "lowest" else -1.0

    def _wanted(self, count: int) -> slice:
        return slice(0, self.rank) if self.which == "lowest" else slice(count - self.rank, None)


def inverse_gaps(values: Any, kept: slice) -> Any:
    """``E_ij = 1 / (w_j - w_i)``, zero on the diagonal, ``(B, n, n)``.

    Raises
    ------
    GaugeError
        Where one of the ``kept`` values coincides with another.
    """
    xp = np
    gaps = values[..., None, :] - values[..., :, None]
    off = ~xp.eye(values.shape[-1], dtype=bool)
    scale = abs(values).max(-1)[..., None, None]
    if ((abs(gaps) <= 1e-10 * scale) & off)[..., :, kept].any():
        raise GaugeError(
            "The derivative of eigenvectors needs distinct eigenvalues, but two of them coincide here. "
            "At a crossing the sorted vectors jump and have no derivative. "
            "Differentiate beside the crossing, or differentiate the projector of the pair as a whole."
        )
    return xp.where(off, 1 / xp.where(off & (gaps != 0), gaps, 1), 0)


def transported(X: Any, dX: Any) -> Any:
    """``dX`` without the rotation of each column's phase, ``x · i Im(xᴴ dx) / xᴴ x``."""
    turn = (X.conj() * dX).sum(-2)[..., None, :]
    if not np.iscomplexobj(turn):
        return dX
    return dX - X * (1j * turn.imag / (abs(X) ** 2).sum(-2)[..., None, :])


def _ritz(C: Any, Q: Any) -> tuple[Any, Any]:
    """Ritz vectors and values of C in the span of Q, ascending."""
    values, Y = namespace(C).linalg.eigh(hermitian_part(adjoint(Q) @ (C @ Q)))
    return Q @ Y, values


def _under(lowest: Any, low: Any, high: Any) -> Any:
    """The lowest Ritz value, where the filter is scaled to one; it must lie below the interval."""
    xp, limit = namespace(low), low - 1e-3 * (high - low)
    return xp.where(lowest < limit, lowest, limit)
