"""Latent equations as rows: Jacobians that are formed at every point, for a few points or for many unknowns.

With ``z = (φ, t)``, ``t = (1, θ)``, quadratic equations are a quadratic form ``r = zᵀ S z / 2``: ``J = S z`` is one
matrix product for the batch, and ``r = J z / 2`` comes from it. Linear equations have the Jacobian ``L(θ)``. Neither
knows n.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from neumatc.arrays import Array, namespace
from neumatc.latent.reduction import Reduction
from neumatc.least import normal_solution

VECTOR = 8
"""Numbers of a vector of the processor."""


@dataclass(frozen=True)
class Form:
    """Equations laid out for one product: ``(Q + 1, E w)`` if they are linear, else ``S (w, E w)``.

    The width w is that of z, or m, rounded up to whole vectors of the processor with columns of zeros: a product of odd
    width takes twice as long.
    """

    rows: int
    unknowns: int
    width: int
    a: Any
    tensor: Any
    linear: bool

    @staticmethod
    def of(reduction: Reduction) -> Form:
        Q, E, m = reduction.L.shape
        if reduction.T is None:
            w = _rounded_up(m)
            return Form(E, m, w, reduction.a, _padded(reduction.L, (Q, E, w)).reshape(Q, -1), True)
        w = _rounded_up(m + Q)
        return Form(E, m, w, None, _padded(reduction.form(), (w, E, w)).reshape(w, -1), False)

    def at(self, phi: Any, t: Any, memory: Any) -> Jacobians:
        """Both at B points, J in ``memory``."""
        xp, count = namespace(phi), phi.shape[0]
        if self.linear:
            z, right = t, phi
        else:
            right = z = xp.concatenate([phi, t, _zeros(phi, self.width - phi.shape[1] - t.shape[1])], 1)
        length = self.rows * self.width
        J = xp.matmul(z, self.tensor, out=memory[: count * length].reshape(count, length))
        J = J.reshape(count, self.rows, self.width)
        r = (J[..., : right.shape[1]] @ right[..., None])[..., 0]
        return Jacobians(J, t @ self.a + r if self.linear else r / 2, self.unknowns, self.linear)

    def like(self, tensor: Any) -> Form:
        """The same on the device of a torch tensor, or as it is for NumPy."""
        xp = namespace(tensor)
        if xp is np:
            return self
        place = {"dtype": tensor.dtype, "device": tensor.device}
        a = None if self.a is None else xp.as_tensor(self.a, **place)
        return replace(self, a=a, tensor=xp.as_tensor(self.tensor, **place))


class Jacobians(NamedTuple):
    """``J (B, E, w)``, whose first m columns are the Jacobians, and ``r (B, E)``."""

    J: Any
    r: Any
    unknowns: int
    linear: bool

    def size(self) -> Any:
        """``‖r‖``, ``(B,)``."""
        return (self.r * self.r).sum(-1) ** 0.5

    def solution(self) -> tuple[Any, Any]:
        """The step ``(B, m)`` that is to be subtracted from φ, and whether it can be trusted ``(B,)``."""
        return normal_solution(self.J, self.r, refine=self.linear, unknowns=self.unknowns)


@dataclass(frozen=True)
class Rows:
    """Few equations for the steps that approach, which need no more, and more of them for the one that arrives.

    A factor of two in the number of rows costs twice the time and moves the result by a few per cent of the distance to
    the span; in the first steps even that is lost on the way.
    """

    quick: Form
    full: Form

    def at(self, phi: Any, t: Any, last: bool, memory: Any) -> Jacobians:
        """The equations at ``phi (B, m)`` and ``t (B, Q + 1)``."""
        return (self.full if last else self.quick).at(phi, t, memory)

    def memory(self, phi: Any, count: int) -> Any:
        """For the Jacobians of so many points."""
        size = count * self.numbers
        return np.empty(size) if namespace(phi) is np else phi.new_empty(size)

    @property
    def numbers(self) -> int:
        """Of the largest Jacobian of one point."""
        return max(self.quick.rows * self.quick.width, self.full.rows * self.full.width)

    def like(self, tensor: Any) -> Rows:
        """The same on the device of a torch tensor, or as it is for NumPy."""
        return Rows(self.quick.like(tensor), self.full.like(tensor))


def _rounded_up(width: int) -> int:
    return -(-width // VECTOR) * VECTOR


def _padded(X: Array, shape: tuple[int, ...]) -> Array:
    padded = np.zeros(shape)
    padded[tuple(slice(length) for length in X.shape)] = X
    return padded


def _zeros(phi: Any, columns: int) -> Any:
    return np.zeros((len(phi), columns)) if namespace(phi) is np else phi.new_zeros((len(phi), columns))
