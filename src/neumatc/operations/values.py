"""Values without vectors: singular values and eigenvalues.

A map of vectors stores n² numbers per slice, a map of values n. No equation holds for values alone: what they are
judged by is the exact values, which LAPACK computes without vectors at a fraction of the cost of all factors. Sorted
values have a kink wherever two of them cross; followed through the crossing by the overlap of their vectors, which the
exact solves of the fit compute beside them, they are smooth, and the query sorts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, final

import numpy as np

from neumatc.arrays import Array, namespace
from neumatc.equations import Equation, frobenius
from neumatc.errors import InputError, RankError, unknown
from neumatc.gauge import Factors, Gauge, NoGauge
from neumatc.layout import Kind

from .base import Operation, check_square
from .definite import refuse_asymmetric
from .eigh import Eigh
from .full_svd import FullSVD
from .partial_eigh import ENDS

SPARE = 2
"""Branches kept beyond the rank: one that comes near from outside is there when it crosses between two samples."""


@final
@dataclass(frozen=True)
class SingularValues(Operation):
    """The singular values of an (n1, n2) matrix in descending order, all k = min(n1, n2) or the ``rank`` largest.

    Stored is one row of signed numbers, each branch followed through p: neither a crossing nor a zero is a kink.

    Parameters
    ----------
    rank : how many; None for all

    Raises
    ------
    InputError, RankError
        For a rank that is no whole number, or impossible.

    Notes
    -----
    The residual at p is ``‖s - σ(A(p))‖_2 / ‖A(p)‖_F`` against exact values, which bounds each of them; by Weyl's and
    Mirsky's inequalities a perturbation E of A causes one of at most ``‖E‖_F / ‖A‖_F``.

    Examples
    --------
    >>> operation = SingularValues(1)
    >>> operation.present(operation.exact(np.array([[[0.0, 2.0], [3.0, 0.0]]])))
    array([[3.]])
    """

    rank: int | None = None
    name: str = "svdvals"

    def exact(self, A: Any) -> Factors:
        s = np.linalg.svd(A, compute_uv=False) if namespace(A) is np else namespace(A).linalg.svdvals(A)
        return {"s": s[:, None, : self.rank]}

    def equations(self) -> tuple[Equation, ...]:
        return ()

    @property
    def unknowns(self) -> tuple[str, ...]:
        return ("s",)

    @property
    def powers(self) -> dict[str, Fraction]:
        return {"s": Fraction(1)}

    @property
    def gauge(self) -> Gauge:
        return NoGauge()

    @property
    def traced(self) -> Operation:
        return FullSVD()

    def storage(self, known: Mapping[str, Any], F: Mapping[str, Any]) -> dict[str, Kind]:
        del known, F
        return {}

    def check(self, shape: tuple[int, int]) -> None:
        FullSVD().check(shape)
        _check_rank(self.name, "singular values", self.rank, shape)

    def branches(self, F: Mapping[str, Any], describe: Callable[[int], str]) -> list[Factors]:
        del describe
        values = np.asarray(F["s"]).diagonal(0, -2, -1).real
        ordered = -np.sort(-np.abs(values), axis=-1)[:, : self.rank]
        return [{"s": _entering(values, -np.abs(values), self.rank)[:, None]}, {"s": ordered[:, None]}]

    def levels(self, F: Mapping[str, Any]) -> Array:
        levels: Array = np.abs(np.asarray(F["s"])[:, 0])
        return levels

    def canonical(self, F: Mapping[str, Any]) -> Factors:
        return {"s": -np.sort(-np.abs(np.asarray(F["s"])), axis=-1)[..., : self.rank]}

    def present(self, F: Mapping[str, Any]) -> Array:
        values: Array = F["s"][:, 0]
        return values

    def derivative(self, F: Mapping[str, Any], dF: Mapping[str, Any]) -> Factors:
        """Slopes in the order of the values; where two of them cross, those of both branches in either order."""
        order = np.argsort(-np.abs(F["s"]), axis=-1, kind="stable")[..., : self.rank]
        return {"s": np.take_along_axis(np.where(F["s"] < 0, -dF["s"], dF["s"]), order, -1)}

    def mismatch(self, A: Any, F: Mapping[str, Any], truth: Mapping[str, Any] | None = None) -> Array:
        return _distance(A, F["s"], (truth or self.direct(A))["s"])

    def direct(self, A: Any) -> Factors:
        return self.exact(A)

    def theorem(self, rows: int) -> tuple[float, str] | None:
        del rows
        return 1.0, "exact values at p: ‖s - σ‖_2 <= residual ‖A‖_F, up to the rounding of LAPACK"


@final
@dataclass(frozen=True)
class EigenValues(Operation):
    """The eigenvalues of a Hermitian matrix in ascending order, all or ``rank`` from one end.

    Parameters
    ----------
    rank : how many; None for all
    which : "lowest" or "highest", the end that a rank counts from

    Raises
    ------
    InputError, RankError
        For matrices that are not Hermitian, a rank that is no whole number or impossible, an unknown ``which``.

    Notes
    -----
    The residual at p is ``‖w - λ(A(p))‖_2 / ‖A(p)‖_F`` against exact values.

    Examples
    --------
    >>> operation = EigenValues(1, "highest")
    >>> operation.present(operation.exact(np.array([[[2.0, 1.0], [1.0, 2.0]]])))
    array([[3.]])
    """

    rank: int | None = None
    which: str = "lowest"
    name: str = "eigvalsh"

    def exact(self, A: Any) -> Factors:
        try:
            refuse_asymmetric(A)
        except np.linalg.LinAlgError as cause:
            raise InputError(
                f"`eigvalsh` needs Hermitian matrices, but {cause}. "
                "LAPACK would read one triangle and answer another question. "
                "Pass (A + Aᴴ)/2 where rounding is the reason, or use eig."
            ) from cause
        return self.direct(A)

    def direct(self, A: Any) -> Factors:
        return {"w": self._kept(namespace(A).linalg.eigvalsh(A)[:, None])}

    def equations(self) -> tuple[Equation, ...]:
        return ()

    @property
    def unknowns(self) -> tuple[str, ...]:
        return ("w",)

    @property
    def powers(self) -> dict[str, Fraction]:
        return {"w": Fraction(1)}

    @property
    def gauge(self) -> Gauge:
        return NoGauge()

    @property
    def traced(self) -> Operation:
        return Eigh()

    def storage(self, known: Mapping[str, Any], F: Mapping[str, Any]) -> dict[str, Kind]:
        del known, F
        return {}

    def check(self, shape: tuple[int, int]) -> None:
        check_square("eigvalsh", shape, "Only a square matrix can be Hermitian. Use svdvals for a rectangle.")
        if self.which not in ENDS:
            raise unknown("which", self.which, ENDS)
        _check_rank(self.name, "eigenvalues", self.rank, shape)

    def branches(self, F: Mapping[str, Any], describe: Callable[[int], str]) -> list[Factors]:
        del describe
        values = np.asarray(F["w"]).diagonal(0, -2, -1).real
        followed = _entering(values, values if self.which == "lowest" else -values, self.rank)
        return [{"w": followed[:, None]}, {"w": self._kept(np.sort(values, axis=-1)[:, None])}]

    def levels(self, F: Mapping[str, Any]) -> Array:
        levels: Array = np.asarray(F["w"])[:, 0]
        return levels

    def canonical(self, F: Mapping[str, Any]) -> Factors:
        return {"w": self._kept(np.sort(np.asarray(F["w"]), axis=-1))}

    def present(self, F: Mapping[str, Any]) -> Array:
        values: Array = F["w"][:, 0]
        return values

    def derivative(self, F: Mapping[str, Any], dF: Mapping[str, Any]) -> Factors:
        """Slopes in the order of the values; where two of them cross, those of both branches in either order."""
        order = self._kept(np.argsort(F["w"], axis=-1, kind="stable"))
        return {"w": np.take_along_axis(dF["w"], order, -1)}

    def mismatch(self, A: Any, F: Mapping[str, Any], truth: Mapping[str, Any] | None = None) -> Array:
        return _distance(A, F["w"], (truth or self.direct(A))["w"])

    def theorem(self, rows: int) -> tuple[float, str] | None:
        del rows
        return 1.0, "exact values at p: ‖w - λ‖_2 <= residual ‖A‖_F, up to the rounding of LAPACK"

    def _kept(self, ascending: Any) -> Any:
        count = ascending.shape[-1] if self.rank is None else self.rank
        return ascending[..., :count] if self.which == "lowest" else ascending[..., -count:]


def _entering(values: Array, keys: Array, rank: int | None) -> Array:
    """Branches ``(M, n)`` that are among the first ``rank + SPARE`` by ``keys (M, n)`` at some sample."""
    if rank is None:
        return values
    places = np.argsort(np.argsort(keys, axis=-1, kind="stable"), axis=-1)
    return values[:, (places < rank + SPARE).any(0)]


def _distance(A: Any, values: Any, exact: Any) -> Array:
    """``‖values - exact‖_2 / ‖A‖_F``, rows of ``(B, 1, k)``; ``(B,)``."""
    distance: Array = np.linalg.norm(np.asarray(values - exact), axis=(-2, -1)) / np.asarray(frobenius(A))
    return distance


def _check_rank(verb: str, what: str, rank: Any, shape: tuple[int, int]) -> None:
    if rank is None:
        return
    if not isinstance(rank, int | np.integer) or isinstance(rank, bool):
        raise InputError(
            f"`{verb}` needs a whole number as rank, got {rank!r}. "
            f"It counts the {what} wanted. Pass rank=k with 1 <= k <= {min(shape)}, or None for all."
        )
    if not 1 <= rank <= min(shape):
        raise RankError(
            f"`{verb}` was asked for {rank} {what}, but A(p) is {shape[0]} x {shape[1]}. "
            f"It has {min(shape)} of them. Pass 1 <= rank <= {min(shape)}, or None for all."
        )
