"""Quintic spline: local, and best where little is known."""

from __future__ import annotations

from typing import ClassVar, final

import scipy.interpolate  # noqa: F401 - the basis imports it when it fits, and that is no cost of the method

from neumatc.bases import Spline

from .bench import Baseline, Bench, Ready
from .nodes import tabulated, uniform


@final
class QuinticSpline(Baseline):
    """Not-a-knot spline of degree five through equidistant points; error ``O(h⁶)``."""

    name: ClassVar[str] = "spline"
    title: ClassVar[str] = "a quintic spline"

    def absent(self, bench: Bench) -> str | None:
        """One parameter only."""
        return None if bench.dimension == 1 else f"splines need one parameter, here are {bench.dimension}"

    def prepare(self, bench: Bench) -> Ready:
        """Solve at equidistant points and interpolate."""
        x = uniform(bench.count) if bench.table is None else tabulated(bench.table, bench.count)
        return bench.interpolant(x, Spline())
