"""Coefficients θ of an affine family from a function of tensors, in the real form that the latent equations use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, final

import numpy as np
import torch

from neumatc.arrays import real_dtype
from neumatc.errors import InputError
from neumatc.family import Affine
from neumatc.latent.terms import Terms
from neumatc.tensors.placed import Tensor, doubles

Theta: TypeAlias = Callable[[Tensor], Tensor]
"""``p (B, D)`` to θ ``(B, Q)``."""

LOOKS = 5
"""Points at which a function of tensors is compared with the coefficients of the family."""

APART = 1e-12
"""Largest difference of the two, relative to the largest coefficient, that rounding explains in double precision."""


@final
@dataclass(frozen=True)
class Member:
    """One family of a sum: how many coefficients, None for a constant; complex ones; rounded to single precision."""

    count: int | None
    turned: bool
    single: bool

    def real(self, theta: Tensor) -> list[Tensor]:
        """Columns ``(B, ...)`` of t from those of θ that belong here."""
        if self.count is None:
            return [theta.real.new_ones((len(theta), 1), dtype=torch.float64)]
        parts = [theta.real, theta.imag if theta.is_complex() else torch.zeros_like(theta)]
        parts = parts if self.turned else parts[:1]
        return [(part.to(torch.float32) if self.single else part).to(torch.float64) for part in parts]


@final
@dataclass(frozen=True)
class Coefficients:
    """The coefficients of all members, side by side in the order in which the matrices were passed."""

    members: tuple[Member, ...]

    @staticmethod
    def of(terms: Terms) -> Coefficients:
        """Look at the members of a sum."""
        found = []
        for member, turned in zip(terms.members, terms.turned, strict=True):
            matrices = member.matrices if isinstance(member, Affine) else None
            single = matrices is not None and real_dtype(matrices.dtype) == np.float32
            found.append(Member(None if matrices is None else len(matrices), turned, single))
        return Coefficients(tuple(found))

    def real(self, theta: Any, points: int) -> Tensor:
        """``t = (1, θ)`` with real θ, in double precision, from ``theta (B, Q)`` or ``(..., Q)``."""
        counts = [member.count or 0 for member in self.members]
        if not isinstance(theta, torch.Tensor) or theta.ndim == 0 or theta.numel() != points * sum(counts):
            came = f"shape {tuple(theta.shape)}" if isinstance(theta, torch.Tensor) else f"a {type(theta).__name__}"
            raise InputError(
                f"θ must be a tensor of shape ({points}, {sum(counts)}), one row for each point and one number for "
                f"each matrix; {came} came. A term was probably forgotten, such as the constant one. "
                "Return torch.stack([...], dim=-1), with torch.ones_like(p[:, 0]) for a constant term."
            )
        if theta.is_complex() and not any(member.turned for member in self.members):
            raise InputError(
                f"θ must be real, as the coefficients of the family are; a {theta.dtype} tensor came. "
                "A complex intermediate result probably kept its type. Return its .real."
            )
        theta = theta.reshape(points, sum(counts))
        columns = [theta.real.new_ones((points, 1), dtype=torch.float64)]
        for member, part in zip(self.members, torch.split(theta, counts, dim=1), strict=True):
            columns += member.real(part)
        return torch.cat(columns, dim=1)

    def check(self, function: Theta, terms: Terms, device: torch.device) -> None:
        """Compare a function of tensors with the coefficients of the family; the only look that waits for the device.

        Raises
        ------
        InputError
            Where the two differ at one of a few points.
        """
        points = terms.box.random(LOOKS, np.random.default_rng(0))
        truth = terms.theta(points)
        found = self.real(function(doubles(device, points)), LOOKS)[:, 1:]
        if truth is None or device.type == "meta":
            return
        gap = np.abs(found.cpu().numpy() - truth).max(1)
        worst, size = int(np.argmax(gap)), float(np.abs(truth).max()) or 1.0
        if not gap[worst] <= max(APART, 8 * terms.rounding) * size:
            raise InputError(
                f"`theta` must give the coefficients of the family as tensors, but at "
                f"{terms.box.describe(points[worst])} the two differ by {gap[worst]:.1e}. "
                "A term, its sign or the order of the parameters was probably changed in the translation; p comes as "
                "(B, D), also for one parameter. Return for each row of p what the function of nmc.Affine returns."
            )
