"""Derivatives of the solution at a point that has been solved, for the price of triangular solves.

With ``A(p) = Σ_α A_α Δ^α``, ``b(p) = Σ_α b_α Δ^α`` and ``Δ = p - p_0`` the solution is ``Σ_α x_α Δ^α``, where

    A_0 x_α = b_α - Σ_{0 ≠ β ≤ α} A_β x_{α-β}

has the matrix that was factorised for ``x_0``. A basis that holds the x_α up to a total order at several points is that
of multi-point moment matching (survey: Benner, Gugercin & Willcox 2015, doi:10.1137/130932715).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from neumatc.arrays import Array
from neumatc.reduced import AffineSystem, System
from neumatc.reduced.entries import mixed
from neumatc.reduced.exact import Factored, SolveError

from .builder import DEPENDENT
from .taylor import Coefficient, Index, indices, taylor

ORDERS = {1: 3, 2: 2}
"""Total order of the derivatives by number of parameters; one beyond. Higher ones save solves still and add to d."""

LOST = 1e-3
"""Share of rounding in the right-hand side of a derivative above which that is noise."""


def order_of(system: System) -> int:
    """Total order of the derivatives that join the basis; zero where A(p) is a function that nothing is known of."""
    return ORDERS.get(system.box.dimension, 1) if isinstance(system, AffineSystem) else 0


@dataclass(frozen=True)
class Moment:
    """One x_α (n, k), what the matrices make of it, and the share of every column that may be rounding."""

    x: Array
    images: list[Array]
    doubt: npt.NDArray[np.float64]


class Moments:
    """The x_α at one point, order by order.

    Parameters
    ----------
    system : A(p) and b(p)
    point : (D,)
    x : the solution there, (n,) or (n, k)
    factored : A at that point
    """

    def __init__(self, system: AffineSystem, point: Array, x: Array, factored: Factored) -> None:
        self.system, self.point, self.factored = system, point, factored
        columns = x.reshape(len(x), -1)
        self.zero: Index = (0,) * system.box.dimension
        self.known = {self.zero: self._moment(columns, np.full(columns.shape[1], DEPENDENT))}

    def __iter__(self) -> Iterator[tuple[Array, npt.NDArray[np.float64]]]:
        """Solutions and derivatives as rows (m, n), and (m,) the share of each that may be rounding, order by order."""
        yield _rows([self.known[self.zero]])
        order = order_of(self.system)
        theta = taylor(self.system.theta, self.system.box, self.point, order)
        psi = taylor(self.system.psi, self.system.box, self.point, order)
        if theta is None or psi is None:
            return
        for total in range(1, order + 1):
            group = indices(self.system.box.dimension, total)
            try:
                self.known |= {index: self._next(index, theta, psi[index]) for index in group}
            except SolveError:  # A is so nearly singular that derivatives make no sense
                return
            yield _rows([self.known[index] for index in group])

    def _next(self, index: Index, theta: dict[Index, Coefficient], psi: Coefficient) -> Moment:
        """One more x_α, zero in the columns in which nothing but rounding is left of its right-hand side."""
        right = mixed(psi.value, self.system.right).reshape(self.system.n, -1)
        noise = psi.noise @ _lengths(self.system.right.reshape(len(psi.noise), self.system.n, -1))
        for beta, coefficient in theta.items():
            before = self.known.get(tuple(a - b for a, b in zip(index, beta, strict=True)))
            if beta == self.zero or before is None:
                continue
            for value, hidden, image in zip(coefficient.value, coefficient.noise, before.images, strict=True):
                if value:
                    right = right - value * image
                    noise = noise + (hidden + abs(value) * before.doubt) * _lengths(image)
        doubt = np.maximum(DEPENDENT, noise / np.maximum(_lengths(right), np.finfo(float).tiny))
        right = np.where(doubt < LOST, right, 0)
        x = self.factored.solve(right.astype(self.system.dtype)) if right.any() else np.zeros_like(right)
        return self._moment(x, doubt)

    def _moment(self, x: Array, doubt: npt.NDArray[np.float64]) -> Moment:
        return Moment(x, [part @ x for part in self.system.family.matrices], doubt)


def _rows(moments: list[Moment]) -> tuple[Array, npt.NDArray[np.float64]]:
    return np.concatenate([each.x.T for each in moments]), np.concatenate([each.doubt for each in moments])


def _lengths(x: Array) -> npt.NDArray[np.float64]:
    """Of the columns, ``(..., n, k)`` -> ``(..., k)``."""
    lengths: npt.NDArray[np.float64] = np.linalg.norm(x, axis=-2)
    return lengths
