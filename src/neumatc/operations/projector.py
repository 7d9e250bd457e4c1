"""The spectral projector of some eigenvalues of a Hermitian matrix: P = V Vᴴ, or V Vᴴ B, which knows no gauge.

Eigenvectors are defined up to phases, subspaces up to a basis, and where levels touch or a band is twisted no choice of
either is smooth. The projector is one matrix, as smooth as A(p) wherever the gap to the other levels is open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from neumatc.arrays import namespace
from neumatc.box import Box
from neumatc.equations import Equation, equal, frobenius, known, norm, unknown
from neumatc.errors import GaugeError
from neumatc.family import MatrixFamily, as_family
from neumatc.gauge import EQUAL, Factors, Gauge, NoGauge, adjoint
from neumatc.layout import Kind

from .base import Operation
from .definite import hermitian_part
from .filter import below, ends
from .partial_eigh import PartialEigh
from .pencil import Whitened, given_pencil, solved_pencil, whitened
from .several import SMALL, bundled


@final
@dataclass(frozen=True)
class SpectralProjector(Operation):
    """The projector onto the ``rank`` lowest or highest eigenvectors of Hermitian A, alone or with positive definite B.

    P is (n, n): ``V Vᴴ``, Hermitian, or ``V Vᴴ B`` where there is a B. Either way ``P P = P``, the trace ``rank``.

    Parameters
    ----------
    rank : number of eigenvalues that P belongs to
    which : "lowest" or "highest"
    generalised : whether the family holds A and B, flattened side by side

    Raises
    ------
    InputError, RankError
        As `PartialEigh`.
    GaugeError
        When the last wanted eigenvalue coincides with the next one: they have no projectors of their own.

    Notes
    -----
    With ``e = ‖P P - P‖_F`` and the exact projector ``P*`` of the returned trace,
    ``‖P - P*‖_F <= 2 e + (‖A P - P A‖_F + 4 ‖A‖_F e) / gap`` (Davis & Kahan 1970, doi:10.1137/0707001), gap being the
    distance of the values that belong to P from the others. Every invariant subspace satisfies the equations;
    ``defect`` tells whether it is the one that is meant.

    Examples
    --------
    >>> import numpy as np
    >>> operation = SpectralProjector(1)
    >>> operation.exact(np.array([[[0.0, 1.0], [1.0, 0.0]]]))["P"].round(12)
    array([[[ 0.5, -0.5],
            [-0.5,  0.5]]])
    """

    rank: int
    which: str = "lowest"
    generalised: bool = False
    name: str = "projector"

    def given(self, A: Any) -> dict[str, Any]:
        return given_pencil(A, self.generalised)

    def family(self, matrices: Any, box: Box) -> MatrixFamily:
        del box
        return bundled(matrices, ("A", "B"), "eigh") if self.generalised else as_family(matrices)

    def exact(self, A: Any) -> Factors:
        given = self.given(A)
        values, V = solved_pencil(given)
        k = self.rank if self.which == "lowest" else values.shape[-1] - self.rank
        _refuse_touching(np.asarray(values.cpu() if namespace(values) is not np else values), k)
        kept = V[..., :, :k] if self.which == "lowest" else V[..., :, k:]
        return {"P": _onto(kept, given)}

    def equations(self) -> tuple[Equation, ...]:
        A, P = known("A"), unknown("P")
        if not self.generalised:
            return (equal(P @ P, P, P), equal(A @ P, P.H @ A, A))
        # Both are symmetric in the inner product of B; A P is as large as P, which B scales.
        return (equal(P @ P, P, P), equal(A @ P, P.H @ A, A @ P), equal(known("B") @ P, P.H @ known("B"), known("B")))

    @property
    def gauge(self) -> Gauge:
        return NoGauge()

    def storage(self, known: Mapping[str, Any], F: Mapping[str, Any]) -> dict[str, Kind]:
        del known, F
        return {} if self.generalised else {"P": "hermitian"}

    def check(self, shape: tuple[int, int]) -> None:
        self._pairs.check(shape)

    def bound(self, known: Mapping[str, Any], F: Mapping[str, Any], residual: Any) -> tuple[Any, str] | None:
        """Davis-Kahan with the gap of A itself up to n = 64, beyond with that of Ritz values; none with B."""
        if self.generalised:
            return None
        C = self._sign * hermitian_part(known["A"])
        n = C.shape[-1]
        if self.rank == n:
            gap, source = np.full(len(C), np.inf), "P is the identity"
        elif n <= SMALL:
            values = np.linalg.eigvalsh(C)
            gap, source = values[:, self.rank] - values[:, self.rank - 1], "gap of A computed"
        else:
            X, values = self._range(C, F["P"])
            low = ends(C, X).low[..., 0, 0]
            gap, source = low - values[..., -1], "gap estimated by ten Lanczos steps"
        # Half of the gap: the values that belong to P may have moved by as much before the theorem fails.
        size, e = norm(C), residual * norm(F["P"])
        moved = residual * size + 4 * size * e
        step = 2 * e + 2 * moved / np.where(gap > 0, gap, 1.0)
        sure = (gap > 0) & (moved <= gap / 4) & (2 * e < 0.5)
        text = f"‖P - P*‖_F/‖P*‖_F <= (2 e + 2 (‖AP - PA‖_F + 4 ‖A‖_F e)/gap)/sqrt(k), {source} (Davis-Kahan)"
        return np.where(sure, step / float(self.rank) ** 0.5, np.inf), text

    def refine(self, A: Any, F: Mapping[str, Any]) -> Factors:
        """The filter and Rayleigh-Ritz step of `PartialEigh`, from the range of P."""
        given = self.given(A)
        white = whitened(given)
        V = namespace(A).linalg.eigh(_symmetric(white, F["P"]))[1][..., :, -self.rank :]
        found = self._pairs.refine(A, {"V": white.vectors(V)})["V"]
        # The filter starts anew at every p; without B its columns are orthonormal already.
        return {"P": _onto(found, given)}

    def defect(self, A: Any, F: Mapping[str, Any], probes: Any) -> Any:
        """How far P is from the projector that is meant.

        The larger of ``|tr P - k| / sqrt(k)`` and of what `PartialEigh.defect` finds missing below the values of P.
        """
        white = whitened(self.given(A))
        C, xp = self._sign * white.C, namespace(A)
        trace = F["P"].diagonal(0, -2, -1).real.sum(-1)
        missing = abs(trace - self.rank) / float(self.rank) ** 0.5
        X, values = self._range(C, _symmetric(white, F["P"]))
        last = values[..., -1, None, None]
        left_out = below(C, X, last, probes)
        if C.shape[-1] <= SMALL:
            counted = last[..., 0, 0] - xp.linalg.eigvalsh(C)[..., self.rank - 1]
            left_out = xp.where(counted > left_out, counted, left_out)
        left_out = left_out / frobenius(C)
        return xp.where(left_out > missing, left_out, missing)

    def _range(self, C: Any, P: Any) -> tuple[Any, Any]:
        """Orthonormal basis ``(B, n, k)`` of the range of a nearly idempotent Hermitian P, and Ritz values of C."""
        xp, n = namespace(P), P.shape[-1]
        G: Any = np.random.default_rng(n).standard_normal((n, self.rank))
        G = G.astype(P.dtype) if xp is np else xp.as_tensor(G, dtype=P.dtype, device=P.device)
        X = xp.linalg.qr(P @ xp.linalg.qr(P @ G)[0])[0]
        return X, xp.linalg.eigvalsh(hermitian_part(adjoint(X) @ (C @ X)))

    @property
    def _pairs(self) -> PartialEigh:
        return PartialEigh(self.rank, self.which, generalised=self.generalised)

    @property
    def _sign(self) -> float:
        return 1.0 if self.which == "lowest" else -1.0


def _onto(V: Any, given: Mapping[str, Any]) -> Any:
    """``V Vᴴ``, or ``V Vᴴ B``."""
    P = V @ adjoint(V)
    return P @ hermitian_part(given["B"]) if "B" in given else hermitian_part(P)


def _symmetric(white: Whitened, P: Any) -> Any:
    """The projector of C that belongs to that of the pencil: ``Lᴴ P L⁻ᴴ``, Hermitian."""
    return hermitian_part(P if white.L is None else adjoint(white.L) @ P @ adjoint(white.W))


def _refuse_touching(values: Any, k: int) -> None:
    """Raise GaugeError where ascending values (B, n) have no gap between the k lowest and the others."""
    n = values.shape[-1]
    if not 0 < k < n:
        return
    gap = (values[:, k] - values[:, k - 1]) / np.maximum(np.abs(values).max(-1), np.finfo(values.dtype).tiny)
    if gap.min() <= EQUAL * max(1.0, float(np.finfo(values.dtype).eps) / 1e-15):
        raise GaugeError(
            f"The projector needs a gap between eigenvalues {k} and {k + 1} of {n}, but they are {gap.min():.1e} of "
            "the largest one apart. Where two levels touch, neither has a projector of its own. "
            "Choose a rank with both of them inside or outside, or shrink the box."
        )
