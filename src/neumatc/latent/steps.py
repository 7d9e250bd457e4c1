"""Gauss-Newton on the latent equations of an affine family, for a whole batch at once.

A batch is corrected by `Normal`, normal equations that are sums over monomials; a few points, and equations with very
many unknowns or terms, by `Rows`, their Jacobians. Both are the same equations, and neither knows n.

Tensors may be NumPy arrays or torch tensors on any device; failures are flags, and nothing waits for the device.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from neumatc.arrays import Array, namespace
from neumatc.latent.normal import Normal
from neumatc.latent.reduction import Reduction, with_one
from neumatc.latent.rows import Form, Rows
from neumatc.processor import torch_if_faster

QUICK, FULL = 5, 10
"""Equations per unknown: of the steps of `Rows` that approach, and of those that arrive."""

COMPARED = 64
"""Equations that `Normal` compares residuals by. Sums at random of other equations, they know none of the unknowns: the
norm of so many is off by 9 %, whatever m."""

WORSE = 1.5
"""Growth of the residual from which a point is not merely as good as before, but lost."""

PIECE = 1 << 18
"""Numbers of the matrices of one kind that are held at once on a CPU: two MB, which stay in its cache."""

FEW = 8
"""Points for which `Rows` is faster: what `Normal` spends on a batch, it spends on one point as well."""


@dataclass(frozen=True)
class Steps:
    """The latent correction: from φ at every point to the best of the span.

    Parameters
    ----------
    rows, normal : the equations in two forms, the second of which may not be there
    steps : how many
    """

    rows: Rows
    normal: Normal | None
    steps: int

    @staticmethod
    def of(reduction: Reduction, steps: int, rng: np.random.Generator) -> Steps:
        """``reduction`` has a T that does not follow p."""
        all_of_them, m = reduction.compressed(), reduction.unknowns
        full = all_of_them if all_of_them.T is None else all_of_them.mixed(FULL * m, rng)
        quick = full if full.T is None else all_of_them.mixed(QUICK * m, rng)
        compared = full if full.T is None else all_of_them.mixed(COMPARED, rng)
        return Steps(Rows(Form.of(quick), Form.of(full)), Normal.of(full, compared), 1 if full.T is None else steps)

    def like(self, tensor: Any) -> Steps:
        """The same on the device of a torch tensor, or as it is for NumPy."""
        return Steps(self.rows.like(tensor), None if self.normal is None else self.normal.like(tensor), self.steps)

    def run(self, phi: Any, t: Any) -> tuple[Any, Any]:
        """Corrected φ ``(B, m)``, and which of them are: False where the equations gave no direction, or a wrong one.

        Where the residual did not fall, φ stays as it was.
        """
        form = self._form(len(phi))
        return self._run(form, phi, t, form.memory(phi, len(phi)))

    def __call__(self, phi: Array, theta: Array) -> tuple[Array, Array]:
        """`run` for NumPy arrays: one point in NumPy, many in torch where that is faster, in pieces.

        What the sums cannot decide, as their terms cancel, the Jacobians may.
        """
        t = with_one(theta)
        form = self._form(len(phi))
        found, sound = self._pieces(form, phi, t)
        if form is self.rows or sound.all():
            return found, sound
        found[~sound], again = self._pieces(self.rows, phi[~sound], t[~sound])
        sound[~sound] = again
        return found, sound

    @property
    def numbers(self) -> int:
        """Intermediate numbers of one point."""
        return self.rows.numbers

    def _form(self, count: int) -> Rows | Normal:
        return self.rows if self.normal is None or count <= FEW else self.normal

    def _run(self, form: Rows | Normal, phi: Any, t: Any, memory: Any) -> tuple[Any, Any]:
        xp, start = namespace(phi), phi
        here = form.at(phi, t, self.steps == 1, memory)
        if self._linear:
            x, sound = here.solution()
            return _chosen(sound, phi - x, phi), sound
        before, (x, good) = here.size(), here.solution()
        for number in range(1, self.steps):
            phi = phi - x
            x, sound = form.at(phi, t, number == self.steps - 1, memory).solution()
            good = good & sound
        phi = phi - x
        after = form.at(phi, t, False, memory).size()
        better = good & (after <= before)
        return _chosen(better, phi, start), better | (good & (after <= WORSE * before) & xp.isfinite(after))

    def _pieces(self, form: Rows | Normal, phi: Array, t: Array) -> tuple[Array, Array]:
        torch: Any = torch_if_faster()
        with np.errstate(all="ignore"):
            if len(phi) == 1 or torch is None:
                return self._in_turn(form, phi, t)
            with torch.no_grad():
                there, t_there = (torch.from_numpy(np.ascontiguousarray(x)) for x in (phi, t))
                found, sound = self._in_turn(form.like(there), there, t_there)
            return found.numpy(), sound.numpy()

    def _in_turn(self, form: Rows | Normal, phi: Any, t: Any) -> tuple[Any, Any]:
        size = min(max(1, PIECE // form.numbers), max(len(phi), 1))
        memory = form.memory(phi, size)
        parts = [self._run(form, phi[i : i + size], t[i : i + size], memory) for i in range(0, max(len(phi), 1), size)]
        if len(parts) == 1:
            return parts[0]
        xp = namespace(phi)
        return xp.concatenate([part[0] for part in parts]), xp.concatenate([part[1] for part in parts])

    @property
    def _linear(self) -> bool:
        return self.rows.full.linear


def _chosen(which: Any, one: Any, other: Any) -> Any:
    return namespace(one).where(which[:, None], one, other)
