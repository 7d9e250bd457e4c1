"""The loss of the paper term by term: all of C is trained, and every residual is formed in full.

An epoch costs ``O((Ns + N_c) N d)`` and the products of the equations, n³ each for an inverse. For comparison only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, final

import numpy as np
import torch

from neumatc.arrays import Array
from neumatc.equations import Equation, Term
from neumatc.tensors import Unpacking

from .snapshots import TOGETHER, Snapshots, Stations
from .structure import realified

Tensor: TypeAlias = torch.Tensor

Station: TypeAlias = tuple[dict[str, Tensor], list[Tensor]]  # given matrices, constant part of each equation


@final
class Literal:
    """C as weighed vectors ``(d, N)``, complex numbers as (re, im) in turn; see `losses` for the units."""

    def __init__(
        self,
        snapshots: Snapshots,
        results: Array,
        latent: Array,
        stations: Stations,
        scales: tuple[float, ...],
        like: Tensor,
    ) -> None:
        """``results (Ns, N)`` are the weighed vectors, ``scales`` those of the equations."""
        self.snapshots, self.stations = snapshots, stations
        self.equations, self.scales = stations.problem.operation.equations(), scales
        self.complex = np.iscomplexobj(snapshots.Q)
        place: dict[str, Any] = {"dtype": like.dtype, "device": like.device}
        self.results = torch.tensor(results, **place)
        # Adam moves every entry by the learning rate: they are trained in units of the entries of a unit vector.
        self.grain = 1 / math.sqrt(latent.shape[1])
        self.latent = torch.tensor(latent / self.grain, requires_grad=True, **place)
        self.unit = torch.tensor(snapshots.unit, **place)
        self.unpack = Unpacking.of(snapshots.layout, like.device)
        self.active: list[Station] = []

    def data(self, phi: Tensor) -> Tensor:
        r = (phi * self.grain) @ self.latent - self.results
        return (r * r).sum()

    def structure(self, phi: Tensor) -> Tensor:
        parts = torch.split(phi, [len(next(iter(known.values()))) for known, _ in self.active])
        return torch.cat([self._squares(station, part) for station, part in zip(self.active, parts, strict=True)])

    def collocate(self, stations: Array) -> None:
        self.active = [self._given(stations[i : i + TOGETHER]) for i in range(0, len(stations), TOGETHER)]

    def scores(self, phi: Tensor) -> Tensor:
        found = []
        with torch.no_grad():
            for start in range(0, len(phi), TOGETHER):
                some = np.arange(start, min(start + TOGETHER, len(phi)))
                found.append(self._squares(self._given(some), phi[start : start + TOGETHER]))
        return torch.cat(found)

    def finished(self) -> tuple[Array, Array]:
        return self.snapshots.finished(self.latent.detach().cpu().numpy().astype(float) * self.grain, turned=True)

    def _given(self, stations: Array) -> Station:
        """The given matrices in the precision of the fit, and what is constant in each equation."""
        real = self.latent.dtype
        given = self.stations.given(stations).items()
        known = {name: K.to(real.to_complex() if K.is_complex() else real) for name, K in given}
        nothing = next(iter(known.values())).new_zeros(())
        shapes = {part.name: nothing.expand(1, part.rows, part.columns) for part in self.snapshots.layout.parts}
        return known, [_sum(e, e.constant, {**known, **shapes}) for e in self.equations]

    def _squares(self, station: Station, phi: Tensor) -> Tensor:
        known, constants = station
        flat = (phi * self.grain) @ self.latent
        flat = torch.view_as_complex(flat.reshape(len(phi), -1, 2)) if self.complex else flat
        values = {**known, **self.unpack(flat * self.unit)}
        total = phi.new_zeros(len(phi))
        for equation, constant, scale in zip(self.equations, constants, self.scales, strict=True):
            R = constant + _sum(equation, [t for t in equation.terms if t.unknowns], values)
            total = total + realified(R).square().sum((-2, -1)) / scale**2
        return total


def _sum(equation: Equation, terms: Sequence[Term], values: Mapping[str, Tensor]) -> Tensor:
    """Some terms of ``left - right``, ``(B, rows, columns)``; a zero for none."""
    columns, like = equation.shape(values)[1], next(iter(values.values()))
    eye = torch.eye(columns, dtype=like.dtype, device=like.device).expand(len(like), columns, columns)
    return sum((_product(term, values, eye) for term in terms), like.new_zeros(()))


def _product(term: Term, values: Mapping[str, Tensor], eye: Tensor) -> Tensor:
    # Of a function only the action on columns is known; the empty product is the identity.
    whole = term.symbols and not any(symbol.function for symbol in term.symbols)
    product: Tensor = term.dense(values) if whole else term.apply(values, eye)
    return product
