"""Chebyshev interpolation: what a numerical analyst would try first."""

from __future__ import annotations

from typing import ClassVar, final

from neumatc.bases import Chebyshev

from .bench import Baseline, Bench, Ready
from .nodes import GRIDS, chebyshev


@final
class ChebyshevInterpolation(Baseline):
    """``Σ_k c_k T_k(x)`` through Chebyshev-Lobatto points, tensor products in two and three parameters.

    Geometrically convergent for analytic factors, near-optimal among polynomials (Trefethen 2019,
    doi:10.1137/1.9781611975949).
    """

    name: ClassVar[str] = "chebyshev"
    title: ClassVar[str] = "Chebyshev interpolation"

    def absent(self, bench: Bench) -> str | None:
        """A grid of nodes must be affordable, and A(p) known at them."""
        if bench.table is not None:
            return "A(p) is tabulated, and not at Chebyshev nodes"
        return None if bench.dimension in GRIDS else f"a tensor grid in {bench.dimension} parameters is not affordable"

    def prepare(self, bench: Bench) -> Ready:
        """Solve at the nodes and interpolate."""
        return bench.interpolant(chebyshev(bench.count, bench.dimension), Chebyshev())
