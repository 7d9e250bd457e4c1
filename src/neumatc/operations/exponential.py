"""Exponential and logarithm: no polynomial equation, but an exact action on vectors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from neumatc.arrays import as_numpy, double, namespace
from neumatc.equations import Equation, equal, exponential, known, unknown
from neumatc.errors import ExactSolveError
from neumatc.gauge import Factors, Gauge, NoGauge, adjoint

from .base import HERMITIAN, Operation, check_square


@final
@dataclass(frozen=True)
class Exponential(Operation):
    """``X = exp(A)`` for square A.

    The equation ``X = exp(A)`` is linear in X, and ``exp(A) Z`` is computed for a few columns Z at the cost of products
    with A alone. Its relative residual ``‖X - exp(A)‖_F / ‖X‖_F`` is the error itself.
    """

    name: str = "expm"

    def exact(self, A: Any) -> Factors:
        xp = namespace(A)
        if xp is not np:
            return {"X": xp.linalg.matrix_exp(A)}
        # SciPy is imported where a fit needs it; answering does without.
        from scipy.linalg import expm

        return {"X": expm(A)}

    def equations(self) -> tuple[Equation, ...]:
        X = unknown("X")
        return (equal(X, exponential(known("A")), relative_to=X),)

    @property
    def gauge(self) -> Gauge:
        return NoGauge()

    @property
    def homogeneous(self) -> bool:
        return False

    def check(self, shape: tuple[int, int]) -> None:
        _check_square("expm", shape)

    def bound(self, known: Mapping[str, Any], F: Mapping[str, Any], residual: Any) -> tuple[Any, str] | None:
        del known, F
        # ‖exp(A)‖ >= ‖X‖ - ‖X - exp(A)‖ = (1 - ρ) ‖X‖
        error = np.where(residual < 1, residual / np.where(residual < 1, 1 - residual, 1), np.inf)
        return error, "‖X - exp(A)‖_F/‖exp(A)‖_F <= ρ / (1 - ρ) for the relative residual ρ"


@final
@dataclass(frozen=True)
class Logarithm(Operation):
    """Principal logarithm: ``exp(X) = A``, eigenvalues of X within ``|Im λ| < π``.

    A may have no eigenvalue on the closed negative real axis. The relative residual is ``‖exp(X) - A‖_F / ‖A‖_F``; to
    first order ``‖X - log A‖ <= ‖L⁻¹‖ ‖exp(X) - A‖`` with L the Fréchet derivative of exp at X,
    ``‖L⁻¹‖_2 = 1/λ_min(A)`` for Hermitian A. Labels come from the same equation, with halves of the exponential on
    both sides (`neumatc.training.linearised`). At a query X is not corrected: that would cost more products with the
    latent slices than an exact solve.
    """

    name: str = "logm"

    def exact(self, A: Any) -> Factors:
        xp = namespace(A)
        values = xp.linalg.eigvals(A)
        size = abs(values).max(-1) if xp is np else abs(values).max(-1).values
        crossed = (values.real <= 0) & (abs(values.imag) <= 1e-12 * size[..., None])
        if bool(crossed.any()):
            worst = complex(values[crossed][0])
            raise ExactSolveError(
                f"`logm` needs matrices without eigenvalues on the closed negative real axis, but {worst:.3g} is one. "
                "There the principal logarithm jumps or does not exist. "
                "Shrink the box, or shift or rotate A so that its spectrum stays away from that axis."
            )
        return {"X": _logarithm(A, xp)}

    def equations(self) -> tuple[Equation, ...]:
        return (equal(exponential(unknown("X")), known("A")),)

    @property
    def gauge(self) -> Gauge:
        return NoGauge()

    @property
    def homogeneous(self) -> bool:
        return False

    def check(self, shape: tuple[int, int]) -> None:
        _check_square("logm", shape)


def _logarithm(A: Any, xp: Any) -> Any:
    asymmetry = abs(A - adjoint(A)).max()
    if bool(asymmetry <= HERMITIAN * abs(A).max()):
        w, V = xp.linalg.eigh(A)
        return (V * xp.log(w)[..., None, :]) @ adjoint(V)
    # Schur-Padé needs SciPy, which a fit has and answering does without.
    from scipy.linalg import logm

    matrices = as_numpy(A, "A")
    # In double precision: SciPy warns of every single-precision logarithm.
    X = np.stack([logm(each) for each in matrices.astype(double(matrices.dtype), copy=False)])
    real = matrices.dtype.kind == "f" and np.abs(X.imag).max() <= 1e-10 * np.abs(X).max()
    X = np.ascontiguousarray(X.real if real else X).astype(matrices.dtype, copy=False)
    return X if xp is np else xp.as_tensor(X, device=A.device)


def _check_square(name: str, shape: tuple[int, int]) -> None:
    check_square(name, shape, "Functions of a matrix are power series in it. Pass a family of square matrices.")
