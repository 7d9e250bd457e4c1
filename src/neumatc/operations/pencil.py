"""Hermitian A, alone or with a positive definite B: what all eigenvalue operations on ``A V = B V w`` share."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from neumatc.arrays import as_numpy, namespace
from neumatc.equations import Equation, Expression, equal, frobenius, identity, known, norm, unknown
from neumatc.errors import InputError
from neumatc.gauge import adjoint

from .base import check_square
from .definite import hermitian_part, refuse_asymmetric
from .lapack import eigh
from .several import cut, refuse_unless


class EighResult(NamedTuple):
    """``A @ V = V @ diag(w)``, values ascending, vectors as columns; field names as in NumPy."""

    eigenvalues: Any
    eigenvectors: Any


class EigResult(NamedTuple):
    """``A @ V = V @ diag(w)`` with columns of norm one; field names as in NumPy."""

    eigenvalues: Any
    eigenvectors: Any


class Whitened(NamedTuple):
    """``C = W A Wᴴ`` with ``B = L Lᴴ`` and ``W = L⁻¹``; W and L are None where there is no B.

    Eigenvectors Y of C and V of the pencil: ``V = Wᴴ Y``, ``Y = Lᴴ V``.
    """

    C: Any
    W: Any = None
    L: Any = None

    def vectors(self, Y: Any) -> Any:
        """Of the pencil, from those of C."""
        return Y if self.W is None else adjoint(self.W) @ Y

    def coordinates(self, V: Any) -> Any:
        """Of C, from those of the pencil; orthonormal where V is B-orthonormal."""
        return V if self.L is None else adjoint(self.L) @ V


def given_pencil(A: Any, generalised: bool) -> dict[str, Any]:
    """``{"A": A}``, or A and B cut from flat rows ``(batch, 1, 2 n²)``."""
    if not generalised:
        return {"A": A}
    n = math.isqrt(A.shape[-1] // 2)
    return cut(A, ((n, n), (n, n)), ("A", "B"))


def size_of_pencil(shape: tuple[int, int], generalised: bool) -> int:
    """n, from the shape of what the family hands out."""
    return math.isqrt(shape[-1] // 2) if generalised else shape[0]


def whitened(known: Mapping[str, Any]) -> Whitened:
    """The Hermitian matrix with the eigenvalues of the pencil; ``known`` as from `given_pencil`."""
    A = hermitian_part(known["A"])
    if "B" not in known:
        return Whitened(A)
    L = namespace(A).linalg.cholesky(hermitian_part(known["B"]))
    W = namespace(A).linalg.inv(L)
    return Whitened(hermitian_part(W @ A @ adjoint(W)), W, L)


def solved_pencil(known: Mapping[str, Any]) -> tuple[Any, Any]:
    """All eigenvalues ``(batch, n)``, ascending, and B-orthonormal eigenvectors ``(batch, n, n)``.

    Raises
    ------
    InputError
        When A is not Hermitian, with its asymmetry, or B not Hermitian positive definite.
    """
    try:
        refuse_asymmetric(known["A"])
        if "B" in known:
            _refuse_indefinite(known["B"])
    except np.linalg.LinAlgError as cause:
        raise InputError(
            f"`eigh` needs a Hermitian A, and a positive definite B if there is one, but {cause}. "
            "LAPACK would read one triangle and answer another question. "
            "Pass (A + Aᴴ)/2 where rounding is the reason, or use eig."
        ) from cause
    white = whitened(known)
    values, Y = eigh(white.C)
    return values, white.vectors(Y)


def pencil_equations(values: str, generalised: bool) -> tuple[Equation, ...]:
    """``A V = B V w`` and ``Vᴴ B V = I`` with the factor called ``values`` for w, B left out where there is none."""
    A, V, w = known("A"), unknown("V"), unknown(values)
    BV: Expression = known("B") @ V if generalised else V
    # A V is as large as V, which B scales; ‖A‖ alone would measure in another unit.
    scale = A @ V if generalised else None
    return (equal(A @ V, BV @ w, scale), equal(V.H @ BV, identity()))


def check_pencil(name: str, shape: tuple[int, int], generalised: bool) -> None:
    """Raise InputError unless A (and B) are square and of one size."""
    if generalised:
        n = math.isqrt(shape[-1] // 2)
        fits = shape[0] == 1 and 2 * n * n == shape[-1] and n > 0
        refuse_unless(
            fits, name, ("A and B",), ((1, shape[-1]),), "square A and B of one size, flattened to 2 n² numbers"
        )
    else:
        advice = "A rectangular matrix has singular values only. Use `svd`, or pass the Gram matrix A Aᴴ."
        check_square(name, shape, advice)


def weyl(generalised: bool) -> tuple[float, str] | None:
    """Theorem of a Hermitian eigenvalue problem; with B the bound would need its smallest eigenvalue."""
    if generalised:
        return None
    return 1.0, "|w - λ|/‖A‖_F <= residual (Weyl); vectors and subspaces: residual ‖A‖_F/gap (Davis-Kahan)"


def bound_of_pencil(known: Mapping[str, Any], V: Any, residual: Any) -> tuple[Any, str]:
    """Weyl's bound of eigenvalues with B, relative to ``C = L⁻¹ A L⁻ᴴ``, ``B = L Lᴴ``.

    The residual of C is at most ``‖L⁻¹‖_F`` times that of the pencil; the departure of V from B-orthonormal adds three
    times its own norm.
    """
    white = whitened(known)
    share = norm(white.W) * norm(known["A"]) * norm(V) / frobenius(white.C)
    text = "|w - λ|/‖C‖_F <= (‖L⁻¹‖ ‖A‖ ‖V‖/‖C‖ + 3 sqrt(k)) residual, C = L⁻¹ A L⁻ᴴ, B = L Lᴴ (Weyl)"
    return (share + 3 * float(V.shape[-1]) ** 0.5) * residual, text


def _refuse_indefinite(B: Any) -> None:
    refuse_asymmetric(B)
    smallest = as_numpy(namespace(B).linalg.eigvalsh(hermitian_part(B))[..., 0], "eigenvalues")
    worst = int(np.argmin(smallest))
    if not smallest[worst] > 0:
        raise np.linalg.LinAlgError(f"B is not positive definite, its smallest eigenvalue is {smallest[worst]:.1e}")
