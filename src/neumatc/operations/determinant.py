"""The determinant, as sign and logarithm: two smooth numbers where det A itself would overflow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, final

import numpy as np

from neumatc.arrays import Array, as_numpy, namespace
from neumatc.box import Box
from neumatc.equations import Equation
from neumatc.errors import SingularError
from neumatc.family import MatrixFamily, Spec
from neumatc.gauge import Factors, Gauge
from neumatc.layout import Kind

from .base import Operation, check_square
from .lapack import pivots

PIVOT = 4.0
"""Pivot over n eps times the largest entry of its column at which a determinant counts as zero."""

STEEPEST = 50.0
"""Error of log |det A| from which the determinant is wrong by any measure."""


class SlogdetResult(NamedTuple):
    """``det A = sign * exp(logabsdet)``; field names as in NumPy."""

    sign: Any
    logabsdet: Any


@final
@dataclass(frozen=True)
class Turns(Gauge):
    """The factor ``angle`` is known up to whole turns ``2π k``."""

    angle: str

    def align(self, F: Mapping[str, Any], reference: Mapping[str, Any]) -> Factors:
        turns = np.round(np.asarray(reference[self.angle] - F[self.angle]) / (2 * np.pi))
        return {**F, self.angle: F[self.angle] + 2 * np.pi * namespace(F[self.angle]).asarray(turns)}

    def move(self, F: Mapping[str, Any], rng: np.random.Generator) -> Factors:
        return {**F, self.angle: F[self.angle] + 2 * np.pi * rng.integers(-3, 4, F[self.angle].shape)}


@final
@dataclass(frozen=True)
class LogDeterminant(Operation):
    """``det A = e^(iθ) e^l``: the logarithm ``l = log |det A|``, and the angle θ, which real matrices keep at 0 or π.

    The angle of complex matrices is followed over whole turns, so that the map is smooth where a principal value jumps.

    Parameters
    ----------
    complex_ : whether A is complex, and the sign with it; settled when A(p) is looked at

    Raises
    ------
    InputError
        When the matrices are not square.
    SingularError
        Where a sample is singular to working precision, or between two at which a real determinant has another sign:
        the logarithm has a pole there.

    Notes
    -----
    The residual at p is the relative error of the determinant, ``|det_map / det A(p) - 1|``, against an exact LU
    factorisation.

    Examples
    --------
    >>> operation = LogDeterminant()
    >>> operation.present(operation.canonical(operation.exact(np.array([[[0.0, 2.0], [0.5, 0.0]]]))))
    SlogdetResult(sign=array([-1.]), logabsdet=array([0.]))
    """

    complex_: bool = False
    name: str = "slogdet"

    def tailored(self, matrices: Any, family: MatrixFamily, box: Box, spec: Spec) -> Operation:
        del matrices, family, box
        return replace(self, complex_=spec.dtype.kind == "c")

    def exact(self, A: Any) -> Factors:
        smallest = _smallest_pivot(A)
        F = self._stored(A)
        worst = int(np.argmin(smallest))
        if smallest[worst] <= PIVOT or not bool(namespace(A).isfinite(F["log"]).all()):
            raise SingularError(
                f"`slogdet` needs matrices with an inverse, but a pivot of A is {smallest[worst]:.1f} times its "
                "rounding: the determinant is zero to working precision. There its logarithm has a pole, which no map "
                "follows. "
                "Shrink the box, or leave the region out: nmc.Box.of(box).excluding(where)."
            )
        return F

    def direct(self, A: Any) -> Factors:
        return self.canonical(self._stored(np.asarray(A)))

    def equations(self) -> tuple[Equation, ...]:
        return ()

    @property
    def unknowns(self) -> tuple[str, ...]:
        return ("log", "angle")

    @property
    def powers(self) -> None:
        return None

    @property
    def homogeneous(self) -> bool:
        return False

    @property
    def gauge(self) -> Gauge:
        return Turns("angle")

    @property
    def traced(self) -> Operation:
        return self

    def storage(self, known: Mapping[str, Any], F: Mapping[str, Any]) -> dict[str, Kind]:
        del known, F
        return {}

    def check(self, shape: tuple[int, int]) -> None:
        check_square(
            "slogdet", shape, "A rectangle has no determinant. Use slogdet of the Gram matrix A(p)ᴴ A(p), or svdvals."
        )

    def branches(self, F: Mapping[str, Any], describe: Callable[[int], str]) -> list[Factors]:
        signs = np.cos(np.asarray(F["angle"])[:, 0, 0]) < 0
        if not self.complex_ and signs.any() and not signs.all():
            i = int(np.argmax(signs[1:] != signs[:-1]))
            raise SingularError(
                f"`slogdet` needs matrices with an inverse, but det A changes its sign between {describe(i)} and "
                f"{describe(i + 1)}. A(p) is singular between them, where the logarithm has a pole. "
                "Split the box there, or fit the two sides one by one."
            )
        return [dict(F)]

    def levels(self, F: Mapping[str, Any]) -> Array:
        levels: Array = np.asarray(F["log"])[:, 0]
        return levels

    def canonical(self, F: Mapping[str, Any]) -> Factors:
        angle = np.asarray(F["angle"])
        sign = np.exp(1j * angle) if self.complex_ else np.sign(np.cos(angle))
        return {"log": np.asarray(F["log"]), "sign": sign}

    def present(self, F: Mapping[str, Any]) -> SlogdetResult:
        return SlogdetResult(F["sign"][:, 0, 0], F["log"][:, 0, 0])

    def derivative(self, F: Mapping[str, Any], dF: Mapping[str, Any]) -> Factors:
        """``d sign = i sign dθ``, which is zero for real matrices."""
        turned = 1j * self.canonical(F)["sign"] * dF["angle"] if self.complex_ else 0 * dF["angle"]
        return {"log": dF["log"], "sign": turned}

    def mismatch(self, A: Any, F: Mapping[str, Any], truth: Mapping[str, Any] | None = None) -> Array:
        exact = truth or self.direct(A)
        larger = F["log"] - exact["log"]
        # A singular A has no sign; beyond e^50 it does not matter by how much the determinant is wrong.
        good = np.isfinite(larger) & (np.abs(larger) < STEEPEST)
        turn = np.where(good, F["sign"] * np.conj(exact["sign"]), 0)
        # exp(l) s - 1 without cancellation: both terms are small where the determinants agree.
        error = np.abs(np.expm1(np.where(good, larger, 0)) * turn + (turn - 1))
        distance: Array = np.where(good, error, np.inf)[:, 0, 0]
        return distance

    def theorem(self, rows: int) -> tuple[float, str] | None:
        del rows
        return 1.0, "exact factorisation at p: |det_map/det A - 1| <= residual, up to the rounding of LAPACK"

    def _stored(self, A: Any) -> Factors:
        sign, log = namespace(A).linalg.slogdet(A)
        return {"log": log[:, None, None], "angle": namespace(A).angle(sign)[:, None, None]}


def _smallest_pivot(A: Any) -> Array:
    """Least pivot of each matrix over ``n eps max_i |A_ij|``, ``(B,)``."""
    largest = as_numpy(abs(A), "A").max(-2)
    with np.errstate(invalid="ignore"):
        shares = abs(as_numpy(pivots(A), "pivots")) / (A.shape[-1] * np.finfo(largest.dtype).eps * largest)
    least: Array = np.nan_to_num(shares, nan=0.0).min(-1)
    return least
