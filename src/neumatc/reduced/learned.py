"""Coefficients of a sparse solve from a trained curve, and the exact residual of just these coefficients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from neumatc.arrays import Array, is_complex
from neumatc.bases import Curve

from .model import Measured, Model, measured
from .system import AffineSystem
from .tensors import Tensors


@final
@dataclass(frozen=True)
class LearnedModel(Model):
    """φ(p) is the value of a curve: no equations are solved at a query, but what they leave is known all the same.

    Parameters
    ----------
    system : A(p) and b(p)
    tensors : of the d vectors that the coefficients belong to
    curve : x in the unit cube -> real numbers that are φ, ``(d, ...)``, one after the other; (re, im) in turn where
        solutions are complex
    """

    system: AffineSystem
    tensors: Tensors
    curve: Curve

    @property
    def projection(self) -> str:  # type: ignore[override]
        return self.curve.name

    def coefficients(self, points: Array) -> Array:
        return self._shaped(self.curve(self.system.box.to_unit(points)))

    def measured(self, points: Array) -> Measured:
        theta, psi = self.system.theta(points), self.system.psi(points)
        return measured(self.tensors, self.coefficients(points), theta, psi)

    def slopes(self, points: Array, axis: int) -> Array:
        # d/dp = dx/dp d/dx: the slope depends on p where an axis is logarithmic.
        x = self.system.box.to_unit(points)
        return self._shaped(self.curve.derivative(x, axis) * self.system.box.slope(x, axis)[:, None])

    def _shaped(self, values: Array) -> Array:
        flat = np.ascontiguousarray(values).view(self.system.dtype) if is_complex(self.system.dtype) else values
        return flat.reshape(len(values), self.tensors.d, *self.tensors.columns)
