"""Radial basis functions: what scattered points in several parameters are usually given to."""

from __future__ import annotations

from typing import ClassVar, final

from neumatc.bases import RadialBasis

from .bench import Baseline, Bench, Ready
from .nodes import chebyshev, tabulated


@final
class RadialBasisFunctions(Baseline):
    """Quintic kernel with a quadratic tail on the POD coefficients (doi:10.1017/CBO9780511617539)."""

    name: ClassVar[str] = "rbf"
    title: ClassVar[str] = "radial basis functions"

    def absent(self, bench: Bench) -> str | None:
        """Never: any points in any number of parameters will do."""
        del bench
        return None

    def prepare(self, bench: Bench) -> Ready:
        """Solve where points crowd towards the faces, as kernels are worst there, and interpolate."""
        x = chebyshev(bench.count, bench.dimension) if bench.table is None else tabulated(bench.table, bench.count)
        return bench.interpolant(x, RadialBasis())
