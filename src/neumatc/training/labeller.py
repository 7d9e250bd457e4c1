"""Latent equations of all stations, on two sets of probes: one that labels are fitted to, one that judges them."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import torch

from neumatc.arrays import Array
from neumatc.equations import unknown_names
from neumatc.gauge import Factors, NoGauge
from neumatc.probes import probe_counts
from neumatc.sketch import Sketch

from .newton import LatentEquations
from .plan import Plan
from .pod import Frame

STEPS = 8
"""Most Gauss-Newton steps for a label; a good start needs three, and one more slice one or two."""

VERIFY = (16, 16)

GROUP = 32
"""Stations whose equations are laid side by side."""

AHEAD = 48
"""Slices that the first probes are drawn for; when the frame outgrows them, twice as many are."""


class Labeller:
    """Stations ``x (S, D)`` are numbered as they come; slices are those of the frame."""

    def __init__(self, plan: Plan, frame: Frame, x: Array) -> None:
        self.plan, self.problem, self.frame = plan, plan.problem, frame
        self.unique = isinstance(self.problem.operation.gauge, NoGauge)
        self._draw(x)

    def probe(self, x: Array) -> None:
        """Bring in further stations."""
        first = sum(map(len, self.groups))
        for i in range(0, len(x), GROUP):
            some = x[i : i + GROUP]
            A = self.problem.matrices(self.problem.box.from_unit(some), keep=True)
            known = {name: self._tensor(K) for name, K in self.problem.operation.given(A).items()}
            self.train.probe(known)
            self.verify.probe(known)
            self.groups.append(first + i + np.arange(len(some)))

    def extend(self, first: int, x: Array) -> None:
        """Bring in the slices from ``first`` on; with new probes at all stations ``x`` when the old are too few."""
        if self.frame.d > self.enough_for:
            self._draw(x)
        elif self.frame.d > first:
            self._bring_in(first)

    def solve(self, labels: Array, groups: Iterable[int]) -> Array:
        """Labels ``(S, d)`` after Gauss-Newton from the given ones, in some groups of stations."""
        found = labels.copy()
        for g in groups:
            phi = self.train.solve(g, self._tensor(labels[self.groups[g]], np.float64), STEPS)
            found[self.groups[g]] = phi.cpu().numpy()
        return found

    def norms(self, labels: Array) -> Array:
        """Residual of labels ``(S, d)`` on the judging probes, ``(S,)``."""
        parts = [self.verify.norm(g, self._tensor(labels[group], np.float64)) for g, group in enumerate(self.groups)]
        residuals: Array = torch.cat(parts).cpu().numpy()
        return residuals

    def _draw(self, x: Array) -> None:
        """Draw probes, enough for the slices to come, and bring in all stations and slices."""
        ahead = max(self.frame.d, min(self.plan.slices, max(2 * self.frame.d, AHEAD)))
        operation = self.problem.operation
        known = operation.given(self.problem.matrices(self.problem.box.from_unit(x[:1]), keep=True))
        slices = self._slices(0)
        self.enough_for = ahead
        self.dtype = np.result_type(self.problem.working, slices[unknown_names(operation.equations())[0]].dtype)
        values = {**known, **{name: X[:1] for name, X in slices.items()}}
        self.train = LatentEquations(self._sketch(values, self._counts(ahead, known), 3), self.unique)
        self.verify = LatentEquations(self._sketch(values, VERIFY, 4), self.unique, judges=True)
        self.groups: list[Array] = []
        self.probe(x)
        self._bring_in(0)

    def _counts(self, unknowns: int, known: Factors) -> tuple[int, int]:
        """Probes for at least five numbers per unknown in all equations together; a complex number counts twice.

        The fewest of all corrections are kept: with half of them the last solves are placed worse (measured for QR).
        """
        share = len(self.problem.operation.equations()) * (2 if self.problem.working.kind == "c" else 1)
        fewest, right = probe_counts(1, known)
        return max(fewest, math.ceil(5 * unknowns / (right * share))), right

    def _sketch(self, values: Factors, counts: tuple[int, int], purpose: int) -> Sketch:
        equations = self.problem.operation.equations()
        sketch = Sketch.draw(equations, values, counts, self.dtype, self.plan.rng(purpose))
        return sketch.like(torch.empty(0, device=self.plan.device))

    def _bring_in(self, first: int) -> None:
        slices = {name: self._tensor(X) for name, X in self._slices(first).items()}
        self.train.extend(slices)
        self.verify.extend(slices)

    def _slices(self, first: int) -> Factors:
        return self.frame.layout.unpack(self.frame.slices(first))

    def _tensor(self, x: Array, dtype: object = None) -> torch.Tensor:
        array = np.ascontiguousarray(x, dtype=self.dtype if dtype is None else dtype)  # type: ignore[call-overload]
        return torch.from_numpy(array).to(self.plan.device)
