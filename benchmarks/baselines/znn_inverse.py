"""ZNN inversion: the inverse followed along p by a zeroing neural network."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, final

import numpy as np

from benchmarks.baselines.base import Baseline, Family, Solver, residual
from benchmarks.baselines.zead import FOUR_INSTANTS, Formula, Motion, follow
from neumatc.arrays import Array
from neumatc.errors import unknown

__all__ = ["ACTIVATIONS", "ZNNInversion"]


def _li(E: Array, power: float = 0.5) -> Array:
    """Sign-bi-power, known as Li's: ``(|x|^r + |x|^{1/r}) sgn(x) / 2``, here by modulus and phase."""
    size = np.abs(E)
    # sgn(x) = x / |x|, with zero where x is zero.
    return E * (size**power + size ** (1 / power)) / (2 * np.maximum(size, np.finfo(float).tiny))


ACTIVATIONS: Mapping[str, Callable[[Array], Array]] = {"linear": lambda E: E, "li": _li}
"""Activations φ, by name."""


@final
@dataclass(frozen=True)
class ZNNInversion(Baseline):
    """``dE/dt = -γ φ(E)`` for ``E = A X - I``, discretised along p.

    The design formula reads ``A X' = -A' X - γ φ(A X - I)``; with X for the inverse on the left, which is exact up to
    terms of second order in E,

        τ X'_k = -X_k (τ A'_k X_k + h φ(A_k X_k - I)),    h = γ τ,

    and a look-ahead formula (`benchmarks.baselines.zead`) gives X_{k+1}. With linear φ the residual settles at
    ``O(τ^{order+1})``. For a constant A, Euler's formula and h = 1 this is Newton's iteration: NNI is its special case.

    The cited article integrates in continuous time with an "extended Li" activation; it is not open, so "li" is the
    sign-bi-power function that it extends. That function has an infinite slope at zero: it converges in finite time in
    continuous time, but discretised it chatters where its slope exceeds what the formula bears, h_max: where ``|e|`` is
    below about ``(h / (2 h_max))²``. "linear" does not. Linear is therefore the stronger baseline, and the default.

    Parameters
    ----------
    formula : of the discretisation.
    substeps : instants per distance of two points. One costs 6 n³ flops; the 220 GFLOPs of the NeuMatC paper at
        n = 1024 are some 34.
    h : γ τ, within what the formula bears.
    activation : "linear" or "li".

    References
    ----------
    Gerontitis et al. (2023), doi:10.1007/s00521-023-08460-w; discretised in the manner of Guo, Nie & Yan (2017), "Novel
    discrete-time Zhang neural network for time-varying matrix inversion", IEEE Trans. SMC: Systems 47(8).
    """

    name: ClassVar[str] = "ZNNI"
    source: ClassVar[str] = "10.1007/s00521-023-08460-w"
    operation: ClassVar[str] = "inv"
    sweeps: ClassVar[bool] = True

    formula: Formula = FOUR_INSTANTS
    substeps: int = 10
    h: float = 0.3
    activation: str = "linear"

    def prepare(self, family: Family) -> Solver:
        if self.activation not in ACTIVATIONS:
            raise unknown("activation", self.activation, ACTIVATIONS)
        phi = ACTIVATIONS[self.activation]

        def slope(A: Array, change: Array, state: tuple[Array, ...]) -> tuple[Array, ...]:
            (X,) = state
            return (-X @ (change @ X + self.h * phi(residual(A, X))),)

        motion = Motion(lambda A, _known: (np.linalg.inv(A),), slope, lambda state: {"X": state[0]})
        return partial(follow, family, formula=self.formula, substeps=self.substeps, motion=motion)
