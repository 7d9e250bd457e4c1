"""Linear matrix equations: Lyapunov and Sylvester.

SciPy solves them (imported where they are solved, so that answering needs NumPy alone); the conventions are SciPy's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from neumatc.arrays import Array, is_hermitian
from neumatc.box import Box
from neumatc.equations import Equation, equal, frobenius, known, unknown
from neumatc.errors import SingularError
from neumatc.family import MatrixFamily, Spec
from neumatc.gauge import Factors, Gauge, NoGauge, adjoint
from neumatc.layout import Kind

from .base import HERMITIAN, Operation
from .several import SMALL, Shapes, as_shapes, bundled, cut, one_by_one, refuse_unless, relative_error, shapes_of

PERTURBED = 1e-14
"""Share of the largest eigenvalues below which a sum of two counts as zero."""


@final
@dataclass(frozen=True)
class Lyapunov(Operation):
    """``A X + X Aᴴ = Q``, as ``scipy.linalg.solve_continuous_lyapunov``.

    Unique when no two eigenvalues of A have ``λ_i + conj(λ_j) = 0``, a stable A for instance. X is Hermitian when Q
    is, and then stored as one triangle. Solved by Bartels and Stewart (1972, doi:10.1145/361573.361582).

    Parameters
    ----------
    shapes : of A (n, n) and Q (n, n); settled when the matrices are first looked at

    Notes
    -----
    The relative residual is ``‖A X + X Aᴴ - Q‖_F / ‖Q‖_F``. Where ``A + Aᴴ`` is definite, an error E satisfies
    ``|<E, A E + E Aᴴ>| >= min |λ(A + Aᴴ)| ‖E‖_F²``, hence ``‖E‖_F <= ‖residual‖_F / min |λ(A + Aᴴ)|``.

    Examples
    --------
    >>> import numpy as np
    >>> Lyapunov(((1, 1), (1, 1))).exact(np.array([[[-2.0, -8.0]]]))["X"]
    array([[[2.]]])
    """

    shapes: Shapes = ()
    name: str = "lyapunov"

    def __post_init__(self) -> None:
        object.__setattr__(self, "shapes", as_shapes(self.shapes))

    def exact(self, A: Any) -> Factors:
        return {"X": one_by_one(lambda A, Q: solve_sylvester(A, None, Q, self.name), self.given(A))}

    def equations(self) -> tuple[Equation, ...]:
        A, X, Q = known("A"), unknown("X"), known("Q")
        return (equal(A @ X + X @ A.H, Q),)

    @property
    def gauge(self) -> Gauge:
        return NoGauge()

    def given(self, A: Any) -> dict[str, Any]:
        return cut(A, self.shapes, ("A", "Q"))

    def family(self, matrices: Any, box: Box) -> MatrixFamily:
        del box
        return bundled(matrices, ("A", "Q"), self.name)

    def tailored(self, matrices: Any, family: MatrixFamily, box: Box, spec: Spec) -> Lyapunov:
        del matrices, spec
        return replace(self, shapes=shapes_of(family, box, ("A", "Q")))

    def check(self, shape: tuple[int, int]) -> None:
        del shape
        A, Q = self.shapes
        refuse_unless(A[0] == A[1] and Q == A, self.name, ("A", "Q"), self.shapes, "square A and Q of one size")

    def storage(self, known: Mapping[str, Any], F: Mapping[str, Any]) -> dict[str, Kind]:
        del F
        return {"X": "hermitian"} if is_hermitian(known["Q"], HERMITIAN) else {}

    def bound(self, known: Mapping[str, Any], F: Mapping[str, Any], residual: Any) -> tuple[Any, str] | None:
        A = known["A"]
        if A.shape[-1] > SMALL:
            return None
        step = _step(_definite(A, adjoint(A)), residual * frobenius(known["Q"]))
        return relative_error(step, F["X"]), "‖X - X*‖_F <= ‖A X + X Aᴴ - Q‖_F / min |λ(A + Aᴴ)|, A + Aᴴ definite"


@final
@dataclass(frozen=True)
class Sylvester(Operation):
    """``A X + X B = Q``, as ``scipy.linalg.solve_sylvester``.

    Unique when no eigenvalue of A is the negative of one of B (Bartels and Stewart 1972, doi:10.1145/361573.361582).

    Parameters
    ----------
    shapes : of A (m, m), B (n, n) and Q (m, n); settled when the matrices are first looked at

    Notes
    -----
    The relative residual is ``‖A X + X B - Q‖_F / ‖Q‖_F``. With ``2 μ`` the smallest eigenvalue of ``A + Aᴴ`` plus that
    of ``B + Bᴴ`` (or the same of ``-A`` and ``-B``), ``‖X - X*‖_F <= ‖residual‖_F / μ`` where μ is positive.

    Examples
    --------
    >>> import numpy as np
    >>> Sylvester(((1, 1), (1, 1), (1, 1))).exact(np.array([[[1.0, 3.0, 8.0]]]))["X"]
    array([[[2.]]])
    """

    shapes: Shapes = ()
    name: str = "sylvester"

    def __post_init__(self) -> None:
        object.__setattr__(self, "shapes", as_shapes(self.shapes))

    def exact(self, A: Any) -> Factors:
        return {"X": one_by_one(lambda A, B, Q: solve_sylvester(A, B, Q, self.name), self.given(A))}

    def equations(self) -> tuple[Equation, ...]:
        A, B, X, Q = known("A"), known("B"), unknown("X"), known("Q")
        return (equal(A @ X + X @ B, Q),)

    @property
    def gauge(self) -> Gauge:
        return NoGauge()

    def given(self, A: Any) -> dict[str, Any]:
        return cut(A, self.shapes, ("A", "B", "Q"))

    def family(self, matrices: Any, box: Box) -> MatrixFamily:
        del box
        return bundled(matrices, ("A", "B", "Q"), self.name)

    def tailored(self, matrices: Any, family: MatrixFamily, box: Box, spec: Spec) -> Sylvester:
        del matrices, spec
        return replace(self, shapes=shapes_of(family, box, ("A", "B", "Q")))

    def check(self, shape: tuple[int, int]) -> None:
        del shape
        A, B, Q = self.shapes
        fits = A[0] == A[1] and B[0] == B[1] and (A[0], B[0]) == Q
        refuse_unless(fits, self.name, ("A", "B", "Q"), self.shapes, "square A and B, and Q with the rows of A and B")

    def storage(self, known: Mapping[str, Any], F: Mapping[str, Any]) -> dict[str, Kind]:
        del known, F  # Hermitian matrices on both sides do not make X Hermitian
        return {}

    def bound(self, known: Mapping[str, Any], F: Mapping[str, Any], residual: Any) -> tuple[Any, str] | None:
        A, B = known["A"], known["B"]
        if max(A.shape[-1], B.shape[-1]) > SMALL:
            return None
        step = _step(_definite(A, B), residual * frobenius(known["Q"]))
        return relative_error(step, F["X"]), "‖X - X*‖_F <= ‖A X + X B - Q‖_F / μ, μ from λ(A + Aᴴ) and λ(B + Bᴴ)"


def solve_sylvester(A: Array, B: Array | None, Q: Array, name: str) -> Array:
    """``A X + X B = Q`` for one triple, by two Schur forms; ``B = Aᴴ`` where it is None.

    Raises
    ------
    SingularError
        Where two eigenvalues cancel. LAPACK would perturb them, and SciPy's ``solve_sylvester`` would not say so.
    """
    import scipy.linalg

    kind = "complex" if any(np.iscomplexobj(M) for M in (A, B, Q) if M is not None) else "real"
    T, U = scipy.linalg.schur(A, output=kind)
    S, V = (T, U) if B is None else scipy.linalg.schur(adjoint(B), output=kind)
    _refuse_cancelling(scipy.linalg.eigvals(T), scipy.linalg.eigvals(S).conj(), name)
    F = adjoint(U) @ Q @ V
    trsyl = scipy.linalg.lapack.get_lapack_funcs("trsyl", (T, S, F))
    Y, factor, _ = trsyl(T, S, F, tranb="C" if kind == "complex" else "T")
    X: Array = U @ (Y / factor) @ adjoint(V)
    # Exactly Hermitian where Q is: half of it is stored.
    return (X + adjoint(X)) / 2 if B is None and is_hermitian(Q, HERMITIAN) else X


def _refuse_cancelling(left: Array, right: Array, name: str) -> None:
    """Raise SingularError where ``λ_i + μ_j`` is zero to working precision."""
    sums = np.abs(left[:, None] + right)
    i, j = np.unravel_index(int(np.argmin(sums)), sums.shape)
    if not sums[i, j] > PERTURBED * max(np.abs(left).max(), np.abs(right).max()):
        raise SingularError(
            f"`{name}` has no unique solution: eigenvalues {left[i]:.6g} and {right[j]:.6g} of its two sides cancel "
            f"(their sum is {sums[i, j]:.1e}). "
            "A(p) probably loses its stability inside the box. Shrink the box, or shift A."
        )


def _definite(A: Array, B: Array) -> Array:
    """``μ`` with ``|<E, A E + E B>| >= μ ‖E‖_F²`` for all E, ``(B,)``: from the Hermitian parts; negative if none."""
    a, b = (np.linalg.eigvalsh((M + adjoint(M)) / 2) for M in (A, B))
    rounding = 4 * (a.shape[-1] + b.shape[-1]) * np.finfo(float).eps * (np.abs(a).max(-1) + np.abs(b).max(-1))
    margin: Array = np.maximum(a[..., 0] + b[..., 0], -(a[..., -1] + b[..., -1])) - rounding
    return margin


def _step(margin: Array, size: Array) -> Array:
    """``size / margin``, infinite where the margin is not positive."""
    return np.where(margin > 0, size / np.where(margin > 0, margin, 1.0), np.inf)
