"""A(p) as a sum of constant matrices, the usual form after a finite-element assembly or a series expansion."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np
import numpy.typing as npt

from neumatc.arrays import Array, as_numpy, check_finite, is_complex, is_sparse, is_torch
from neumatc.box import Box, Float64
from neumatc.errors import InputError
from neumatc.family.base import Executor, MatrixFamily, Spec, check_dtype, check_points
from neumatc.family.calls import Caller, answers, check_callable, check_finite_rows, check_steady, copied

__all__ = ["Affine"]

PLAIN = (np.ndarray, list, tuple)
"""Types of coefficients that are looked at for all points together."""


@final
@dataclass(frozen=True, init=False, eq=False)
class Affine(MatrixFamily):
    """A(p) = Σ_q θ_q(p) A_q.

    Parameters
    ----------
    matrices : (Q, n1, n2), or a sequence of Q matrices of one shape; copied. A sequence of scipy.sparse matrices stays
        sparse: `neumatc.solve` then works on a reduced model whose queries cost nothing n-sized but the answer.
    coefficients : θ, p -> (Q,), where p is a float for one parameter and an array (D,) for several.
    energy : E (n, n), Hermitian positive definite, sparse: the product in which errors of a sparse solve are bounded;
        None for the Euclidean one.
    coercivity : α, p -> float, for a sparse solve, with ``Re xᴴ A(p) x >= α(p) xᴴ E x`` for all x (without E
        ``σ_min(A(p)) >= α(p)`` will do): what turns a residual into a bound of the error.

    Examples
    --------
    >>> import numpy as np
    >>> from neumatc.box import Box
    >>> family = Affine([np.eye(2), np.ones((2, 2))], lambda p: [1.0, p])
    >>> family.at(np.array([[0.5]]), Box.of((0, 1)))
    array([[[1.5, 0.5],
            [0.5, 1.5]]])
    """

    matrices: Any
    coefficients: Callable[[Any], Any]
    returns: Literal["numpy", "torch"]
    energy: Any
    coercivity: Callable[[Any], float] | None

    def __init__(
        self,
        matrices: npt.ArrayLike | Sequence[Any],
        coefficients: Callable[[Any], Any],
        *,
        energy: Any = None,
        coercivity: Callable[[Any], float] | None = None,
    ) -> None:
        """Copy and check the matrices."""
        check_callable(coefficients, "the coefficients of an Affine")
        parts = list(matrices) if isinstance(matrices, Sequence) else [matrices]
        object.__setattr__(self, "matrices", _kept(matrices, parts))
        object.__setattr__(self, "coefficients", coefficients)
        object.__setattr__(self, "returns", "torch" if any(map(is_torch, parts)) else "numpy")
        object.__setattr__(self, "energy", None if energy is None else _product(energy, self.shape))
        object.__setattr__(self, "coercivity", coercivity)
        if coercivity is not None:
            check_callable(coercivity, "the coercivity of an Affine")
        if not self.sparse and (energy is not None or coercivity is not None):
            raise InputError(
                "`energy` and `coercivity` bound errors of sparse solves; dense matrices came. "
                "The certificate of a dense solve needs neither. Leave them out, or pass scipy.sparse matrices."
            )

    @property
    def sparse(self) -> bool:
        """Whether the matrices are scipy.sparse ones."""
        return isinstance(self.matrices, tuple)

    @property
    def shape(self) -> tuple[int, int]:
        """(n1, n2) of A(p)."""
        rows, columns = self.matrices[0].shape
        return int(rows), int(columns)

    def at(self, points: Float64, box: Box, executor: Executor | None = None, spec: Spec | None = None) -> Array:
        """Return ``Σ_q θ_q(p_b) A_q`` at points (B, D) as (B, n1, n2)."""
        self._refuse_sparse()
        theta = self.theta(points, box, executor)
        if not len(theta):
            return np.empty((0, *self.matrices.shape[1:]), (spec or self.inspect(box)).dtype)
        # One matrix product; einsum("bq,qij->bij") would give the same without using BLAS.
        terms = self.matrices.reshape(len(self.matrices), -1)
        with np.errstate(over="ignore", invalid="ignore"):  # an overflow is reported below, with its p
            sums: Array = (theta.astype(self._dtype(theta)) @ terms).reshape(len(theta), *self.matrices.shape[1:])
        check_finite_rows(sums, points, box)
        if spec is not None:
            spec.check(sums[0], box.describe(points[0]))
        return sums

    def theta(self, points: Float64, box: Box, executor: Executor | None = None) -> Array:
        """Return the coefficients at points (B, D) as (B, Q)."""
        check_points(points, box)
        if executor is None and (plain := self._plain(points, box)) is not None:
            return plain
        caller = self._caller(box)
        theta: list[Array] = []
        where = box.describe(points[0]) if len(points) else ""
        for row, coefficients in zip(points, answers(caller, points, executor), strict=True):
            self._check_count(coefficients, caller.what(row))
            theta.append(coefficients)
            check_dtype(coefficients.dtype, caller.what(row), theta[0].dtype, where)
        return np.stack(theta) if theta else np.empty((0, len(self.matrices)))

    def _plain(self, points: Float64, box: Box) -> Array | None:
        """Coefficients that are real vectors or lists, looked at together; None where one is anything else.

        Then all are asked for again, one by one, and what is wrong is named. To look at each takes longer than it takes
        most functions to compute it.
        """
        theta = np.empty((len(points), len(self.matrices)))
        try:
            for row, point in enumerate(points):
                answer = self.coefficients(box.scalar(point))
                found = np.asarray(answer) if type(answer) in PLAIN else np.empty(0)
                if found.dtype != np.float64 or found.shape != theta.shape[1:]:
                    return None
                theta[row] = found
        # The user's code may raise anything at all; asked again it is told where.
        except Exception:
            return None
        return theta if np.isfinite(theta).all() else None

    def inspect(self, box: Box) -> Spec:
        """Ask for the coefficients in the middle of the box, twice."""
        self._refuse_sparse()
        middle = box.middle
        first, second = self.theta(middle, box)[0], self.theta(middle, box)[0]
        check_steady(first, second, self._caller(box).what(middle[0]))
        shape = (self.matrices.shape[1], self.matrices.shape[2])
        return Spec(shape, self._dtype(first), self.returns, box.describe(middle[0]))

    def _refuse_sparse(self) -> None:
        if self.sparse:
            raise InputError(
                f"This operation needs dense matrices, but A(p) is an Affine of sparse ones, {self.shape[0]} x "
                f"{self.shape[1]}. Its result is dense however sparse A is. "
                "Use neumatc.solve, which keeps A sparse, or pass .toarray() of every matrix."
            )

    def _caller(self, box: Box) -> Caller:
        return Caller(self.coefficients, box, "the coefficients θ(p)", axes=1)

    def _dtype(self, theta: Array) -> np.dtype[Any]:
        # The matrices decide on the precision: coefficients are usually Python floats, and those are always double.
        return np.result_type(self.matrices.dtype, np.complex64 if is_complex(theta.dtype) else np.float32)

    def _check_count(self, theta: Array, what: object) -> None:
        if len(theta) != len(self.matrices):
            raise InputError(
                f"{what} must be {len(self.matrices)} numbers, one for each matrix; {len(theta)} came. "
                "A term was probably forgotten, such as the constant one. "
                "Return one coefficient for each matrix, 1.0 for a constant term."
            )


def _kept(matrices: Any, parts: Sequence[Any]) -> Any:
    """A read-only array (Q, n1, n2), or a tuple of sparse matrices."""
    if parts and all(is_sparse(part) for part in parts):
        return _sparse(parts)
    array = _stacked(parts) if isinstance(matrices, Sequence) else _checked(matrices)
    array.setflags(write=False)
    return array


def _sparse(parts: Sequence[Any]) -> tuple[Any, ...]:
    """Copies in CSR, finite and of one shape, in double precision."""
    kept = []
    for q, part in enumerate(parts):
        if part.shape != parts[0].shape:
            raise _unequal(parts[0].shape, part.shape, q)
        kept.append(_rows(part, f"matrices[{q}]"))
    return tuple(kept)


def _rows(part: Any, what: str) -> Any:
    """A copy in CSR and double precision, every entry once."""
    rows = part.tocsr().astype(np.result_type(part.dtype, np.float64), copy=True)
    rows.sum_duplicates()
    check_finite(rows.data, what)
    return rows


def _product(energy: Any, shape: tuple[int, int]) -> Any:
    """The energy product, checked."""
    if not is_sparse(energy) or energy.shape != shape or not _is_hermitian(energy.tocsr()):
        came = f"{type(energy).__name__} of shape {getattr(energy, 'shape', None)}"
        raise InputError(
            f"`energy` must be a Hermitian scipy.sparse matrix of the shape {shape} of A(p); a {came} came. "
            "It is the matrix E of the norm sqrt(xᴴ E x) in which A(p) is coercive. Assemble it on the same unknowns."
        )
    return _rows(energy, "energy")


def _is_hermitian(energy: Any) -> bool:
    return bool(abs(energy - energy.conj().T).max() <= 1e-12 * abs(energy).max())


def _unequal(first: tuple[int, ...], other: tuple[int, ...], q: int) -> InputError:
    return InputError(
        f"the matrices of an Affine must have one shape; matrices[0] has {first}, matrices[{q}] has {other}. "
        "One of them was probably transposed or cut. Pad them with zeros to one shape."
    )


def _stacked(parts: Sequence[object]) -> Array:
    arrays = [as_numpy(part, f"matrices[{q}]") for q, part in enumerate(parts)]
    for q, array in enumerate(arrays):
        if array.shape != arrays[0].shape:
            raise _unequal(arrays[0].shape, array.shape, q)
    return _checked(np.stack(arrays) if arrays else np.empty(0))


def _checked(matrices: object) -> Array:
    array = as_numpy(matrices, "matrices")
    if array.ndim != 3:
        raise InputError(
            f"the matrices of an Affine must have shape (Q, n1, n2); shape {array.shape} came. "
            "A single matrix, or none, was probably passed. Put the matrices into a list, also when there is only one."
        )
    return copied(array, "matrices")
