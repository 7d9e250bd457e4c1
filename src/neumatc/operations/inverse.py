"""Inverse and pseudo-inverse: A X = I, or X A = I with the projector A X Hermitian."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from neumatc.arrays import as_numpy, namespace
from neumatc.box import Box
from neumatc.equations import Equation, equal, identity, known, unknown
from neumatc.errors import RankError
from neumatc.family import MatrixFamily, Spec
from neumatc.gauge import Factors, Gauge, NoGauge, adjoint

from .base import Operation, check_square


@final
@dataclass(frozen=True)
class Inverse(Operation):
    """``X = A⁻¹`` for square A, from ``A X = I``.

    The relative residual is ``‖A X - I‖_F / sqrt(n)``. It bounds the error without a condition number:
    ``X - A⁻¹ = A⁻¹ (A X - I)`` gives ``‖X - A⁻¹‖_F / ‖A⁻¹‖_F <= ‖A X - I‖_2 <= sqrt(n) * residual``.
    """

    name: str = "inv"

    def exact(self, A: Any) -> Factors:
        return {"X": namespace(A).linalg.inv(A)}

    def equations(self) -> tuple[Equation, ...]:
        A, X = known("A"), unknown("X")
        return (equal(A @ X, identity()),)

    @property
    def gauge(self) -> Gauge:
        return NoGauge()

    def check(self, shape: tuple[int, int]) -> None:
        check_square(
            "inv",
            shape,
            "A rectangular matrix has a pseudo-inverse only. "
            "Use `pinv`, or invert the square Gram matrix A Aᴴ (regularised if need be).",
        )

    def tangent(self, known: Mapping[str, Any], dknown: Mapping[str, Any], F: Mapping[str, Any]) -> Factors:
        """``X' = -X A' X``."""
        del known
        return {"X": -F["X"] @ dknown["A"] @ F["X"]}

    def theorem(self, rows: int) -> tuple[float, str] | None:
        return float(rows) ** 0.5, "‖X - A⁻¹‖_F/‖A⁻¹‖_F <= ‖A X - I‖_F = sqrt(n) residual (no condition number)"


@final
@dataclass(frozen=True)
class PseudoInverse(Operation):
    """``X = A⁺`` (Moore and Penrose) for A of full rank.

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
        U, S, Vh = namespace(A).linalg.svd(A, full_matrices=False)
        self._refuse_deficient(as_numpy(S, "singular values"), A)
        return {"X": adjoint(Vh) @ (adjoint(U) / S[..., :, None])}

    def equations(self) -> tuple[Equation, ...]:
        A, X, I = known("A"), unknown("X"), identity()  # noqa: E741
        one, projector = (X @ A, A @ X) if self.tall else (A @ X, X @ A)
        return (equal(one, I), equal(projector.H, projector, relative_to=I))

    @property
    def gauge(self) -> Gauge:
        return NoGauge()

    def tailored(self, matrices: Any, family: MatrixFamily, box: Box, spec: Spec) -> PseudoInverse:
        del matrices, family, box
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
