"""AAA: rational approximation, which resolves poles beside the box."""

from __future__ import annotations

from typing import ClassVar, final

from neumatc.bases import Rational

from .bench import Baseline, Bench, Ready
from .nodes import chebyshev, tabulated


@final
class RationalApproximation(Baseline):
    """Set-valued AAA of the POD coefficients: one set of poles for all (doi:10.1137/16M1106122)."""

    name: ClassVar[str] = "aaa"
    title: ClassVar[str] = "AAA rational approximation"

    def absent(self, bench: Bench) -> str | None:
        """One parameter only."""
        return None if bench.dimension == 1 else f"AAA needs one parameter, here are {bench.dimension}"

    def prepare(self, bench: Bench) -> Ready:
        """Solve at Chebyshev nodes and approximate."""
        x = chebyshev(bench.count, 1) if bench.table is None else tabulated(bench.table, bench.count)
        return bench.interpolant(x, Rational())
