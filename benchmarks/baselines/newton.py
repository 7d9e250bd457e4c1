"""Neural Newton inversion: the discrete-time Zhang network for a constant matrix, of which Newton's iteration is one.

The NeuMatC paper describes NNI as "neural networks with Newton-style iterations" and cites Zhang, Ma & Cai (2009),
"From Zhang neural network to Newton iteration for matrix inversion". The network there is recurrent and has nothing to
learn: from the error ``E = A X - I`` and the design formula ``dE/dt = -γ φ(E)``, Euler's rule with h = γτ gives

    X <- X - h X φ(A X - I)                                                                   (1)

with an odd increasing activation φ, entry by entry. Linear φ and h = 1 is the Newton-Schulz iteration. That is what
this file does; there is no trained part, because the source has none.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from benchmarks.baselines.base import Answer, Baseline, Family, Solver, adjoint, residual
from neumatc.arrays import Array
from neumatc.errors import unknown

__all__ = ["ACTIVATIONS", "NeuralNewtonInversion", "iterate", "start"]


def _power_sigmoid(E: Array, power: int = 3, slope: float = 4.0) -> Array:
    """``x^3`` outside [-1, 1]; inside a bipolar sigmoid, scaled to 1 at 1; complex numbers part by part."""
    if np.iscomplexobj(E):
        return _power_sigmoid(E.real, power, slope) + 1j * _power_sigmoid(E.imag, power, slope)
    inside = np.tanh(slope * np.clip(E, -1, 1) / 2) / np.tanh(slope / 2)
    return np.where(np.abs(E) >= 1, E**power, inside)


ACTIVATIONS: Mapping[str, Callable[[Array], Array]] = {"linear": lambda E: E, "power-sigmoid": _power_sigmoid}
"""Activations φ of the source, by name."""


def start(A: Array) -> Array:
    """Return ``Aᴴ / (‖A‖_1 ‖A‖_inf)``.

    Since ``‖A‖_2² <= ‖A‖_1 ‖A‖_inf``, all eigenvalues of A X lie in (0, 1], so ``‖I - A X‖_2 < 1`` and the iteration
    converges for every invertible A (Ben-Israel & Cohen 1966, doi:10.1137/0703035).
    """
    return adjoint(A) / (np.linalg.norm(A, 1) * np.linalg.norm(A, np.inf))


def iterate(A: Array, X: Array, activation: str = "linear", h: float = 1.0) -> Iterator[tuple[Array, float]]:
    """Yield X and ``‖A X - I‖_F / sqrt(n)``, the start first, without end."""
    if activation not in ACTIVATIONS:
        raise unknown("activation", activation, ACTIVATIONS)
    phi = ACTIVATIONS[activation]
    while True:
        E = residual(A, X)
        yield X, float(np.linalg.norm(E) / np.sqrt(len(E)))
        X = X - h * (X @ phi(E))


@final
@dataclass(frozen=True)
class NeuralNewtonInversion(Baseline):
    """Iteration (1) from ``Aᴴ / (‖A‖_1 ‖A‖_inf)``, alone at every p, until the residual or the steps are reached.

    With linear φ and h = 1, ``E_{k+1} = -E_k²``: quadratic convergence once ``‖E‖ < 1``. Before that about
    ``2 log2 cond(A)`` steps are spent, which is why few steps leave a large error: a step costs 4 n³ flops, two LU
    inversions.

    Parameters
    ----------
    steps : most iterations. The NeuMatC paper names no number; its 26 GFLOPs at n = 1024 are six steps.
    tol : ``‖A X - I‖_F / sqrt(n)`` at which to stop.
    activation : "linear" or "power-sigmoid".
    h : step size; 1 is Newton's.

    References
    ----------
    Zhang, Ma & Cai (2009), doi:10.1109/TCSI.2008.2007065; Schulz (1933), doi:10.1002/zamm.19330130111.
    """

    name: ClassVar[str] = "NNI"
    source: ClassVar[str] = "10.1109/TCSI.2008.2007065"
    operation: ClassVar[str] = "inv"

    steps: int = 6
    tol: float = 1e-10
    activation: str = "linear"
    h: float = 1.0

    def prepare(self, family: Family) -> Solver:
        return lambda points: self._answers(family, points)

    def _answers(self, family: Family, points: Sequence[float]) -> Iterator[Answer]:
        for p in points:
            A = family(p)
            for steps, (X, error) in enumerate(iterate(A, start(A), self.activation, self.h)):  # noqa: B007
                if error <= self.tol or steps == self.steps:
                    break
            yield Answer({"X": X}, steps, error <= self.tol)
