"""Polar decomposition.

Its equations have further solutions (an indefinite P), as smooth in p as the one that is meant. The residual cannot
tell them apart; ``defect`` can.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, final

import numpy as np

from neumatc.arrays import Array, as_numpy
from neumatc.equations import Equation, equal, frobenius, identity, known, norm, unknown
from neumatc.gauge import Factors, Gauge, NoGauge, adjoint
from neumatc.layout import Kind

from .definite import hermitian_part, index_of, negative_eigenvalues
from .factor import refuse_wide
from .lapack import svd
from .side_by_side import SolvedSideBySide


class PolarResult(NamedTuple):
    """``A = U @ P`` with orthonormal columns of U and Hermitian positive definite P, as ``scipy.linalg.polar``."""

    U: Any
    P: Any


@final
@dataclass(frozen=True)
class Polar(SolvedSideBySide):
    """Right polar form ``A = U P``, ``UᴴU = I``, P Hermitian positive definite; A is (n1, n2), n1 >= n2.

    U is (n1, n2), the nearest matrix with orthonormal columns; P is (n2, n2), the root of ``AᴴA``, and stored as block
    rows of one triangle. Both are unique and smooth in p where A has full column rank.

    Raises
    ------
    InputError
        When A has more columns than rows.
    ExactSolveError, SingularError
        When A(p) has not full column rank.

    Notes
    -----
    With σ_n the smallest singular value and E a perturbation of A, ``‖ΔU‖_F <= 2 ‖E‖_F / (σ_n + σ_n')`` and
    ``‖ΔP‖_F <= √2 ‖E‖_F`` (Higham 2008, chapter 8, doi:10.1137/1.9780898717778): P is always well conditioned, U
    as well as A is. σ_n is no part of the certificate, so ``theorem`` states none.

    Examples
    --------
    >>> import numpy as np
    >>> F = Polar().exact(np.array([[[0.0, -2.0], [3.0, 0.0]]]))
    >>> F["U"].round(12) + 0.0
    array([[[ 0., -1.],
            [ 1.,  0.]]])
    >>> F["P"].round(12) + 0.0
    array([[[3., 0.],
            [0., 2.]]])
    """

    name: str = "polar"

    def exact(self, A: Any) -> Factors:
        X, S, Yh = svd(A)
        _refuse_deficient(S, A.shape[-2])
        return {"U": X @ Yh, "P": hermitian_part((adjoint(Yh) * S[..., None, :]) @ Yh)}

    def equations(self) -> tuple[Equation, ...]:
        A, U, P = known("A"), unknown("U"), unknown("P")
        return (equal(U @ P, A), equal(U.H @ U, identity()))

    @property
    def gauge(self) -> Gauge:
        return NoGauge()

    def storage(self, known: Mapping[str, Any], F: Mapping[str, Any]) -> dict[str, Kind]:
        del known, F
        return {"P": "hermitian"}

    def check(self, shape: tuple[int, int]) -> None:
        refuse_wide(self.name, shape)

    def in_place(self, kinds: Mapping[str, Kind]) -> tuple[str, ...]:
        del kinds
        return self.unknowns

    def present(self, F: Mapping[str, Any]) -> PolarResult:
        return PolarResult(F["U"], F["P"])

    def defect(self, A: Any, F: Mapping[str, Any], probes: Any) -> Any:
        """Relative distance from another branch, ``(B,)``: zero when P is Hermitian and positive definite.

        With k negative eigenvalues of P the same directions of U are turned round: a relative error of
        ``2 sqrt(k / n2)``. A Cholesky factorisation shows that there are none.
        """
        del A, probes
        P = np.asarray(F["P"])
        count = [(values < 0).sum() for values in negative_eigenvalues(hermitian_part(P))]
        branch: Array = 2 * np.sqrt(np.array(count) / P.shape[-1])
        return branch + norm(P - adjoint(P)) / frobenius(P)


def _refuse_deficient(S: Any, rows: int) -> None:
    """``S (B, n)`` are singular values in descending order."""
    values = as_numpy(S, "the singular values of A")
    share = values[..., -1] / np.maximum(values[..., 0], np.finfo(values.dtype).tiny)
    worst = int(np.argmin(share))
    if not share[worst] > rows * np.finfo(values.dtype).eps:
        raise np.linalg.LinAlgError(
            f"A{index_of(worst, len(share))} has not full column rank, its smallest singular value is "
            f"{share[worst]:.1e} of the largest"
        )
