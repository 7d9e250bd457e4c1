"""Derivatives of eigenpairs: perturbation theory inside the reduced model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neumatc.arrays import Array
from neumatc.errors import GaugeError
from neumatc.maps import like, shaped
from neumatc.operations import EighResult

from .pencil import Pairs, Slopes
from .stencil import slope_of

if TYPE_CHECKING:
    from neumatc.reduced.eigh import ReducedEigh

EQUAL = 1e-10
"""Distance of two values, relative to the largest of the model, up to which they coincide."""


@dataclass(frozen=True)
class ReducedEighDerivative:
    """``p -> ∂/∂p_axis`` of (eigenvalues, eigenvectors), of the very vectors that the fit answers with.

    A vector may turn its phase freely along p; the derivative is the one without such a turn, ``Im xᴴ x' = 0``.
    """

    fit: ReducedEigh
    axis: int

    def __call__(self, p: Any) -> EighResult:
        """Derivatives ``(..., k)`` and ``(..., n, k)`` at ``p``, per unit of p.

        Raises
        ------
        GaugeError
            Where a wanted eigenvalue coincides with another one, or is closer to it than the model can resolve: sorted
            vectors jump there. The message names the p.
        """
        points, batch = self.fit.box.points(p)
        result: EighResult = like(shaped(EighResult(*self.fit.answers(self._change(points))), batch), p)
        return result

    def eigenvalues(self, p: Any) -> Any:
        """Derivatives of the eigenvalues ``(..., k)`` alone: a cost independent of n."""
        points, batch = self.fit.box.points(p)
        return like(shaped(self.fit.values(self._change(points)), batch), p)

    def _change(self, points: Array) -> Pairs:
        system = self.fit.system
        slopes = [slope_of(each, system.box, points, self.axis) for each in (system.theta, system.psi)]
        found = self.fit.pencil.slopes(system.theta(points), system.psi(points), *slopes)
        self._check(points, found)
        return found.change

    def _check(self, points: Array, found: Slopes) -> None:
        close = ~(found.gap > np.maximum(found.blur, EQUAL))
        if close.any():
            i = int(close.argmax())
            where, gap, blur = self.fit.box.describe(points[i]), found.gap[i], found.blur[i]
            raise GaugeError(
                f"The derivative of eigenvectors needs distinct eigenvalues, but at {where} two of them are {gap:.1e} "
                f"of the largest apart, where the model resolves {max(blur, EQUAL):.1e}. At a crossing the sorted "
                "vectors jump and have no derivative. Differentiate beside the crossing, or lower `tol` where levels "
                "only come close."
            )
