"""Functions of a matrix: the principal square root."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from neumatc.arrays import Array, as_numpy, is_hermitian, namespace
from neumatc.equations import Equation, equal, frobenius, known, unknown
from neumatc.gauge import Factors, Gauge, NoGauge, adjoint

from .base import HERMITIAN, Operation, check_square
from .definite import hermitian_part, index_of, negative_eigenvalues
from .lapack import eigh


@final
@dataclass(frozen=True)
class SquareRoot(Operation):
    """Principal square root ``X X = A``: the one whose eigenvalues have positive real parts; A and X are (n, n).

    It exists, is unique and smooth in p, and is real for a real A, where no eigenvalue of A lies on the closed negative
    real axis (Higham 2008, theorem 1.29, doi:10.1137/1.9780898717778). Where A(p) is Hermitian positive definite so is
    X, and it is stored as block rows of one triangle.

    Raises
    ------
    InputError
        When A is not square.
    ExactSolveError, SingularError
        When an eigenvalue of A(p) is zero or negative.
    GaugeError
        From a fit, when eigenvalues pass through the negative axis between two p: the principal root jumps there.

    Notes
    -----
    To first order ``‖ΔX‖_F <= ‖X X - A‖_F / min_{i,j} |λ_i + λ_j|`` for a normal X with eigenvalues λ (ibid., section
    6.1), which is ``‖X X - A‖_F / (2 λ_min(X))`` for a positive definite one. The eigenvalues are no part of the
    certificate, so ``theorem`` states none.

    Examples
    --------
    >>> import numpy as np
    >>> SquareRoot().exact(np.array([[[0.0, -2.0], [2.0, 0.0]]]))["X"].round(12)
    array([[[ 1., -1.],
            [ 1.,  1.]]])
    """

    name: str = "sqrtm"

    def exact(self, A: Any) -> Factors:
        if is_hermitian(as_numpy(A, "A"), HERMITIAN):
            values, V = eigh(hermitian_part(A))
            _refuse_negative(as_numpy(values, "the eigenvalues of A"))
            return {"X": hermitian_part((V * values[..., None, :] ** 0.5) @ adjoint(V))}
        matrices = as_numpy(A, "A")
        _refuse_negative(np.linalg.eigvals(matrices))
        X = np.stack([_root(matrix) for matrix in matrices])
        return {"X": X if namespace(A) is np else A.new_tensor(X)}

    def equations(self) -> tuple[Equation, ...]:
        A, X = known("A"), unknown("X")
        return (equal(X @ X, A),)

    @property
    def gauge(self) -> Gauge:
        return NoGauge()

    def check(self, shape: tuple[int, int]) -> None:
        check_square(
            "sqrtm",
            shape,
            "Only a square matrix is the product of a matrix with itself. "
            "The positive semidefinite factor of a rectangular matrix is P of `polar`.",
        )

    def defect(self, A: Any, F: Mapping[str, Any], probes: Any) -> Any:
        """Relative size of the part of X that belongs to another branch, ``(B,)``: ``2 ‖λ_-‖ / ‖X‖_F``.

        ``λ_-`` are the eigenvalues without a positive real part. A Cholesky factorisation of ``X + Xᴴ`` shows that
        there are none where the numerical range lies in the right half-plane; elsewhere eigenvalues are computed.
        """
        del A, probes
        X = np.asarray(F["X"])
        suspicious = [len(values) > 0 for values in negative_eigenvalues(X + adjoint(X))]
        found = [_left_half(matrix) if bad else 0.0 for matrix, bad in zip(X, suspicious, strict=True)]
        distance: Array = 2 * np.array(found) / frobenius(X)
        return distance


def _root(A: Array) -> Array:
    """SciPy's blocked Schur method (Deadman, Higham and Ralha 2013, doi:10.1007/978-3-642-36803-5_12)."""
    # SciPy is needed for exact solves only; answering must run without it.
    from scipy.linalg import sqrtm

    X = sqrtm(A)
    # The principal root of a real matrix is real; SciPy returns rounding in an imaginary part for some of them.
    real: Array = (X if np.iscomplexobj(A) else X.real).astype(A.dtype)
    return real


def _refuse_negative(values: Array) -> None:
    """``values (B, n)`` are eigenvalues; those on the closed negative real axis have no principal root."""
    size = np.abs(values).max(-1, keepdims=True)
    rounding = values.shape[-1] * np.finfo(values.real.dtype).eps * size
    on_axis = (np.abs(values.imag) <= rounding) & (values.real <= rounding)
    if on_axis.any():
        b = int(on_axis.any(-1).argmax())
        worst = values[b][on_axis[b]].real.min()
        raise np.linalg.LinAlgError(
            f"A{index_of(b, len(values))} has an eigenvalue {worst:.1e} on the closed negative real axis, where the "
            "principal square root does not exist or jumps"
        )


def _left_half(X: Array) -> float:
    """``‖λ_-‖_2``; infinite for a matrix that is not finite."""
    if not np.isfinite(X).all():
        return np.inf
    values = np.linalg.eigvals(X)
    return float(np.linalg.norm(values[values.real <= 0]))
