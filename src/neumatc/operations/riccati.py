"""The continuous algebraic Riccati equation, of whose solutions the stabilising one is meant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from neumatc.arrays import Array, namespace
from neumatc.box import Box
from neumatc.equations import Equation, equal, frobenius, known, norm, unknown
from neumatc.errors import ExactSolveError, InputError, SingularError
from neumatc.family import MatrixFamily, Spec
from neumatc.gauge import Factors, Gauge, NoGauge, adjoint
from neumatc.layout import Kind

from .base import Operation
from .definite import ASYMMETRY, hermitian_part
from .several import Shapes, as_shapes, bundled, cut, one_by_one, refuse_unless, shapes_of

NAMES = ("A", "B", "Q", "R")


@final
@dataclass(frozen=True)
class Riccati(Operation):
    """``Aᴴ X + X A - X G X + Q = 0`` with ``G = B R⁻¹ Bᴴ``, as ``scipy.linalg.solve_continuous_are``.

    Of its solutions the stabilising one is meant: all eigenvalues of ``A - G X`` lie in the open left half plane. It is
    unique and Hermitian (Laub 1979, doi:10.1109/TAC.1979.1102178).

    Parameters
    ----------
    shapes : of A (n, n), B (n, m), Q (n, n) and R (m, m); settled when the matrices are first looked at

    Notes
    -----
    The relative residual is measured against ``‖Q‖_F``. The equation alone cannot tell the stabilising solution from
    the others: ``defect`` does.

    Examples
    --------
    >>> import numpy as np
    >>> Riccati(((1, 1), (1, 1), (1, 1), (1, 1))).exact(np.array([[[1.0, 1.0, 3.0, 1.0]]]))["X"].round(12)
    array([[[3.]]])
    """

    shapes: Shapes = ()
    name: str = "riccati"

    def __post_init__(self) -> None:
        object.__setattr__(self, "shapes", as_shapes(self.shapes))

    def exact(self, A: Any) -> Factors:
        return {"X": one_by_one(self._solve, cut(A, self.shapes, NAMES))}

    def equations(self) -> tuple[Equation, ...]:
        A, G, Q, X = known("A"), known("G"), known("Q"), unknown("X")
        return (equal(A.H @ X + X @ A + Q, X @ G @ X),)

    @property
    def gauge(self) -> Gauge:
        return NoGauge()

    def given(self, A: Any) -> dict[str, Any]:
        M = cut(A, self.shapes, NAMES)
        # A pseudo-inverse is the inverse here: `exact` refuses a singular R, and shapes are asked with zeros.
        inverse = namespace(A).linalg.pinv(M["R"], hermitian=True)
        return {"A": M["A"], "G": M["B"] @ inverse @ adjoint(M["B"]), "Q": M["Q"]}

    def family(self, matrices: Any, box: Box) -> MatrixFamily:
        del box
        return bundled(matrices, NAMES, self.name)

    def tailored(self, matrices: Any, family: MatrixFamily, box: Box, spec: Spec) -> Riccati:
        del matrices, spec
        return replace(self, shapes=shapes_of(family, box, NAMES))

    def check(self, shape: tuple[int, int]) -> None:
        del shape
        A, B, Q, R = self.shapes
        fits = A[0] == A[1] == B[0] and Q == A and (B[1], B[1]) == R
        rule = "A and Q (n x n), B (n x m) and R (m x m)"
        refuse_unless(fits, self.name, NAMES, self.shapes, rule)

    def storage(self, known: Mapping[str, Any], F: Mapping[str, Any]) -> dict[str, Kind]:
        del known, F
        return {"X": "hermitian"}

    def defect(self, A: Any, F: Mapping[str, Any], probes: Any) -> Any:
        """One where X does not stabilise ``A - G X``, and so is another solution altogether; else zero, ``(B,)``."""
        del probes
        known, X = self.given(A), F["X"]
        closed = known["A"] - known["G"] @ X
        return np.array([0.0 if is_stable(M, P) else 1.0 for M, P in zip(closed, X, strict=True)])

    def _solve(self, A: Array, B: Array, Q: Array, R: Array) -> Array:
        import scipy.linalg

        for name, M in (("Q", Q), ("R", R)):
            _refuse_asymmetric(self.name, name, M)
        if not np.linalg.cond(R) < 1 / np.finfo(R.dtype).eps:
            raise SingularError(
                f"`{self.name}` needs an invertible R, but R has condition {np.linalg.cond(R):.1e}. "
                "An input without a cost was probably left in. Give each input a positive weight."
            )
        try:
            X: Array = scipy.linalg.solve_continuous_are(A, B, hermitian_part(Q), hermitian_part(R))
        except np.linalg.LinAlgError as cause:
            raise ExactSolveError(
                f"`{self.name}` found no stabilising solution ({str(cause).rstrip('.')}). "
                "A mode of A that is not stable is probably out of reach of B, or not seen by Q: the Hamiltonian then "
                "has eigenvalues on the imaginary axis. Check stabilisability, or add weight to Q."
            ) from cause
        return X


def is_stable(M: Array, P: Array) -> bool:
    """Whether all eigenvalues of M have negative real parts.

    Lyapunov's theorem first: positive definite P and ``-(Mᴴ P + P M)`` prove it by two Cholesky factorisations, a
    tenth of the cost of eigenvalues; those decide where it proves nothing.

    >>> is_stable(np.array([[-1.0, 9.0], [0.0, -1.0]]), np.eye(2)), is_stable(np.diag([-1.0, 1.0]), np.eye(2))
    (True, False)
    """
    if not (np.isfinite(M).all() and np.isfinite(P).all()):
        return False
    change = P @ M
    try:
        np.linalg.cholesky((P + adjoint(P)) / 2)
        np.linalg.cholesky(-(change + adjoint(change)))
    except np.linalg.LinAlgError:
        return bool(np.linalg.eigvals(M).real.max() < 0)
    return True


def _refuse_asymmetric(verb: str, name: str, M: Array) -> None:
    share = float((norm(M - adjoint(M)) / frobenius(M))[()])
    if not share <= ASYMMETRY:
        raise InputError(
            f"`{verb}` needs a Hermitian {name}, got ‖{name} - {name}ᴴ‖_F/‖{name}‖_F = {share:.1e}. "
            "A weight was probably assembled from one triangle, or with a transpose for an adjoint. "
            f"Pass ({name} + {name}ᴴ) / 2."
        )
