"""Certificates: how wrong an answer may be, measured on the very numbers that are returned.

The residual of the operation's equations is probed with Gaussian vectors that neither training nor correction ever
saw. For one equation with residual R and k probes Z, ``est = ‖R Z‖_F / sqrt(k)`` has mean square ``‖R‖_F²``; the worst
case is a residual of rank one, where ``k est² / ‖R‖²`` is chi-square with k degrees of freedom (2k for complex
probes). Hence ``P(‖R‖ > c est) <= δ`` for ``c = sqrt(k / χ²_k(δ))``: a bound with a stated confidence, for any R.
Where a side is no longer than the probes, the identity replaces them and the bound is certain.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from neumatc.arrays import Array, double, is_complex
from neumatc.equations import Equation, norm
from neumatc.gauge import Factors
from neumatc.operations import Followed, Operation, Selective
from neumatc.probes import gaussian

PROBES = 16
"""Real degrees of freedom of the probes: factor 2.0 at 99.9 % for one point, 3.9 for 10,000 points jointly."""

EXACT_COLUMNS = 32
"""Equations with at most this many columns are checked in full."""

DELTA = 1e-3
"""Probability with which some bound of a batch may be too small."""


@dataclass(frozen=True)
class Certificate:
    """What is known about an answer; each field has the shape of the batch.

    Parameters
    ----------
    residual : estimated relative residual of the operation's equations
    bound : upper bound of the true relative residual, at the stated confidence
    confidence : probability that every bound of this batch holds (1.0 where nothing was probed)
    passed : ``bound <= tol``; False for a NaN
    tol : what was asked for
    error_bound : upper bound of the relative error of the result under ``theorem``, or None where there is no theorem
    theorem : what turns the residual into an error, with its assumptions
    angle_bound : upper bound of the sine of the angle between vectors or subspaces and the exact ones, or None
    angle_theorem : the theorem, and the gap, that it rests on
    """

    residual: Any
    bound: Any
    confidence: float
    passed: Any
    tol: float
    error_bound: Any = None
    theorem: str = ""
    angle_bound: Any = None
    angle_theorem: str = ""


@dataclass(frozen=True)
class Checker:
    """Probes for each equation of one operation at one size."""

    operation: Operation
    equations: tuple[Equation, ...]
    probes: tuple[Array, ...]
    exact: tuple[bool, ...]
    defect_probes: Array

    @staticmethod
    def draw(operation: Operation, values: Any, dtype: Any, rng: np.random.Generator) -> Checker:
        """``values`` gives the shapes: one matrix and one set of canonical factors."""
        equations = operation.equations()
        probes, exact = [], []
        for equation in equations:
            columns = equation.shape(values)[1]
            few = columns <= EXACT_COLUMNS
            k = PROBES // 2 if is_complex(dtype) else PROBES
            probes.append(np.eye(columns, dtype=dtype) if few else gaussian((columns, k), dtype, rng))
            exact.append(few)
        left_over = gaussian((values["A"].shape[-1], min(8, *values["A"].shape[-2:])), dtype, rng)
        return Checker(operation, equations, tuple(probes), tuple(exact), left_over)

    def estimate(self, A: Array, F: Factors) -> tuple[Array, Array]:
        """Squared relative residual of each point from checked and from probed equations: two arrays ``(B,)``."""
        # Numbers stored in single precision are judged in double: the check must not round as they do.
        F = {name: X.astype(double(X.dtype), copy=False) for name, X in F.items()}
        values = {**self.operation.given(A), **F}
        certain, probed = np.zeros(len(A)), np.zeros(len(A))
        for equation, Z, exact in zip(self.equations, self.probes, self.exact, strict=True):
            size = norm(equation.apply(values, Z)) / equation.scale(values)
            if exact:
                certain += size**2
            else:
                probed += size**2 / Z.shape[1]
        if isinstance(self.operation, Followed):
            certain += self.operation.mismatch(A, F) ** 2
        if isinstance(self.operation, Selective):
            certain += self.operation.defect(A, F, self.defect_probes) ** 2
        return certain, probed

    def residual(self, A: Array, F: Factors) -> Array:
        """Estimated relative residual, ``(B,)``."""
        certain, probed = self.estimate(A, F)
        size: Array = np.sqrt(certain + probed)
        return size

    def certificate(self, A: Array, F: Factors, tol: float, together: int | None = None) -> Certificate:
        """Certificate of canonical factors F of the matrices A, both ``(B, ...)``.

        ``together`` is how many points share the confidence (the batch, if it is cut in pieces).
        """
        certain, probed = self.estimate(A, F)
        estimate = np.sqrt(certain + probed)
        count = max(len(self.exact) - sum(self.exact), 0)
        factor = safety_factor(DELTA / max(together or len(A), 1) / max(count, 1), PROBES) if count else 1.0
        # Rounded upwards: the sums above have a relative error of a few units in the last place.
        bound = np.sqrt(certain + factor**2 * probed) * (1 + 1e-12)
        known = self.operation.given(A)
        proved, turned = self.operation.bound(known, F, bound), self.operation.angles(known, F, bound)
        return Certificate(
            residual=estimate,
            bound=bound,
            confidence=1.0 - DELTA if count else 1.0,
            passed=bound <= tol,
            tol=tol,
            error_bound=None if proved is None else proved[0],
            theorem="" if proved is None else proved[1],
            angle_bound=None if turned is None else turned[0],
            angle_theorem="" if turned is None else turned[1],
        )


@lru_cache(maxsize=256)
def safety_factor(delta: float, freedom: int) -> float:
    """``c`` with ``P(χ²_k < k / c²) = delta``, for an even number k of degrees of freedom.

    For even k the distribution function is ``1 - exp(-y) Σ_{i < k/2} y^i / i!`` with ``y = x / 2``; its small tail is
    summed from i = k/2 upwards, which does not cancel, and inverted by bisection.

    >>> round(safety_factor(1e-3, 8), 1), round(safety_factor(1e-6, 16), 1)
    (3.1, 3.3)
    """
    low, high = -80.0, math.log(freedom)
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (low, middle) if _lower_tail(math.exp(middle), freedom // 2) > delta else (middle, high)
    return math.sqrt(freedom / (2 * math.exp(low)))


def _lower_tail(y: float, half: int) -> float:
    term = math.exp(-y + half * math.log(y) - math.lgamma(half + 1))
    total, i = 0.0, half
    while term > 1e-18 * total or i == half:
        total += term
        i += 1
        term *= y / i
    return total


def joined(parts: Sequence[Certificate], shape: tuple[int, ...]) -> Certificate:
    """One certificate from those of the pieces of a batch."""
    if len(parts) == 1 and parts[0].bound.shape == shape:
        return parts[0]

    def together(name: str) -> Any:
        values = [getattr(part, name) for part in parts]
        if values[0] is None:
            return None
        return (values[0] if len(values) == 1 else np.concatenate(values)).reshape(shape)[()]

    return Certificate(
        residual=together("residual"),
        bound=together("bound"),
        confidence=min(part.confidence for part in parts),
        passed=together("passed"),
        tol=parts[0].tol,
        error_bound=together("error_bound"),
        theorem=parts[0].theorem,
        angle_bound=together("angle_bound"),
        angle_theorem=parts[0].angle_theorem,
    )
