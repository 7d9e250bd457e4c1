"""Curves through exact results: the methods of `neumatc.comparison`, seen as baselines.

They are not written again here. Each solves at its own nodes, brings the factors into one smooth gauge, compresses them
by POD ("truncation") and puts a curve through the coefficients; `neumatc.comparison` says how.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, final

import numpy as np

import neumatc as nmc
from benchmarks.baselines.base import Answer, Baseline, Family, Solver
from neumatc.comparison.aaa import RationalApproximation
from neumatc.comparison.bench import Baseline as Method
from neumatc.comparison.bench import Bench
from neumatc.comparison.chebyshev import ChebyshevInterpolation
from neumatc.comparison.rbf import RadialBasisFunctions
from neumatc.comparison.spline import QuinticSpline
from neumatc.errors import unknown
from neumatc.operations import Inverse, TruncatedSVD

__all__ = ["METHODS", "Interpolant"]

METHODS: Mapping[str, Method] = {
    each.name: each
    for each in (ChebyshevInterpolation(), RationalApproximation(), QuinticSpline(), RadialBasisFunctions())
}
"""By name: chebyshev, aaa, spline, rbf."""


@final
@dataclass(frozen=True)
class Interpolant(Baseline):
    """``F(p) = Σ_k φ_k(p) C_k`` with φ interpolating the POD coefficients of exact results.

    Parameters
    ----------
    method : a key of `METHODS`.
    task : "inv" or "svd".
    rank : triplets of an SVD.
    count : exact solves.
    tol : relative residual aimed at; POD drops what is a hundred times smaller.
    interval : where p lies.

    References
    ----------
    Chebyshev: Trefethen (2019), doi:10.1137/1.9781611975949; AAA: Nakatsukasa, Sète & Trefethen (2018),
    doi:10.1137/16M1106122; kernels: Wendland (2004), doi:10.1017/CBO9780511617539.
    """

    source: ClassVar[str] = "neumatc.comparison"

    method: str = "chebyshev"
    task: Literal["inv", "svd"] = "inv"
    rank: int = 20
    count: int = 40
    tol: float = 1e-8
    interval: tuple[float, float] = (0.0, 1.0)

    @property
    def name(self) -> str:
        return METHODS[self.method].title

    @property
    def operation(self) -> str:
        return self.task

    def prepare(self, family: Family) -> Solver:
        if self.method not in METHODS:
            raise unknown("method", self.method, METHODS)
        operation = Inverse() if self.task == "inv" else TruncatedSVD(self.rank)
        problem = nmc.Problem.of(family, self.interval, operation)
        bench = Bench(problem, self.count, self.tol, 0, problem.working)
        ready = METHODS[self.method].prepare(bench)

        def answers(points: Sequence[float]) -> Iterator[Answer]:
            for p in points:
                yield Answer(self._factors(ready.alone(np.array([[p]]), None)))

        return answers

    def _factors(self, found: Any) -> dict[str, Any]:
        if self.task == "inv":
            return {"X": found}
        return found._asdict()
