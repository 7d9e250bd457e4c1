"""Labels of an unknown exponent, ``exp(X) = A``: Gauss-Newton with a derivative that is kept.

The balanced equation of `Linearised` has a derivative of small condition that hardly changes near a label. It is taken
once; a new slice adds one row to it. The residual itself is evaluated again only where a step was too long for the
tangent to be believed, which the steps soon are not.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import partial

import numpy as np
import torch

from neumatc.arrays import Array
from neumatc.equations import unknown_names
from neumatc.probes import Probes

from .linearised import Linearised
from .plan import Plan
from .pod import Frame

TRAIN, VERIFY = (24, 16), (16, 16)
"""Probes that labels are fitted to, at least, and those that judge them."""

AHEAD = 96
"""Slices that the first probes are drawn for; when the frame outgrows them, twice as many are."""

GROUP = 32
"""Stations whose equations are laid side by side."""

ABSURD = 10.0
"""Norm of coefficients, relative to exact ones, from which ``exp(X)`` is not evaluated."""

Tensor = torch.Tensor


class ExponentLabeller:
    """Stations ``x (S, D)`` are numbered as they come; slices are those of the frame."""

    slices: Tensor

    def __init__(self, plan: Plan, frame: Frame, x: Array) -> None:
        self.plan, self.problem, self.frame = plan, plan.problem, frame
        (self.equation,) = plan.problem.operation.equations()
        self.limit = ABSURD * float(np.linalg.norm(frame.coefficients, axis=1).max())
        self._draw(x)

    def probe(self, x: Array) -> None:
        """Bring in further stations."""
        first = sum(map(len, self.groups))
        for i in range(0, len(x), GROUP):
            known = partial(self._known, x[i : i + GROUP])
            self.train.append(Linearised(self.equation, known, self.fitting, balanced=True))
            self.verify.append(Linearised(self.equation, known, self.judging, balanced=False))
            self.groups.append(first + i + np.arange(len(x[i : i + GROUP])))

    def extend(self, first: int, x: Array) -> None:
        """Bring in the slices from ``first`` on; with new probes at all stations ``x`` when the old are too few."""
        if self.frame.d > self.enough_for:
            self._draw(x)
        elif self.frame.d > first:
            new = self._slices(first)
            self.slices = torch.cat([self.slices, new])
            for each in self.train + self.verify:
                if each.placed:
                    each.extend(new)

    def solve(self, labels: Array, groups: Iterable[int]) -> Array:
        """Labels ``(S, d)`` after Gauss-Newton from the given ones, in some groups of stations."""
        found = labels.copy()
        for g in groups:
            phi = self.train[g].solve(self._tensor(labels[self.groups[g]]), self.slices, self.limit)
            found[self.groups[g]] = phi.cpu().numpy()
        return found

    def norms(self, labels: Array) -> Array:
        """Residual of labels ``(S, d)`` on the judging probes, ``(S,)``; infinite where they are absurd."""
        pairs = zip(self.verify, self.groups, strict=True)
        parts = [each.examine(self._tensor(labels[group]), self.slices, self.limit) for each, group in pairs]
        residuals: Array = torch.cat(parts).cpu().numpy()
        return residuals

    def _draw(self, x: Array) -> None:
        """Draw probes, enough for the slices to come, and bring in all stations and slices."""
        self.enough_for = max(self.frame.d, min(self.plan.samples, max(2 * self.frame.d, AHEAD)))
        share = 2 if self.problem.working.kind == "c" else 1
        left = max(TRAIN[0], math.ceil(5 * self.enough_for / (TRAIN[1] * share)))
        self.slices = self._slices(0)
        self.fitting, self.judging = self._probes((left, TRAIN[1]), 3), self._probes(VERIFY, 4)
        self.train: list[Linearised] = []
        self.verify: list[Linearised] = []
        self.groups: list[Array] = []
        self.probe(x)

    def _probes(self, counts: tuple[int, int], purpose: int) -> Probes:
        n = self.slices.shape[-1]
        return Probes.draw(n, n, counts, self.problem.working, self.plan.rng(purpose)).like(self.slices)

    def _known(self, x: Array) -> dict[str, Tensor]:
        A = self.problem.matrices(self.problem.box.from_unit(x), keep=True)
        return {name: self._tensor(K) for name, K in self.problem.operation.given(A).items()}

    def _slices(self, first: int) -> Tensor:
        (name,) = unknown_names([self.equation])
        return self._tensor(self.frame.layout.unpack(self.frame.slices(first))[name])

    def _tensor(self, x: Array) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(x)).to(self.plan.device)
