"""The box on a device: from p to the unit cube, and which points lie outside, as a flag."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch

from neumatc.box import Box
from neumatc.errors import InputError
from neumatc.tensors.placed import Tensor, doubles, on

ULPS = 4.0
"""By how many units in the last place a point may overshoot an end of the box, as `Box.points` allows."""


@final
@dataclass(frozen=True)
class Points:
    """A batch of B points.

    Parameters
    ----------
    p : (B, D) in the box, in the caller's units; where p lies outside, the middle of the box stands in its place
    x : (B, D) the same in [-1, 1]^D
    inside : (B,) whether the caller's point lies in the box; False for NaN
    batch : shape of the caller's batch, with product B
    """

    p: Tensor
    x: Tensor
    inside: Tensor
    batch: tuple[int, ...]


@final
@dataclass(frozen=True)
class Cube:
    """`Box.points` and `Box.to_unit` on a device.

    Parameters
    ----------
    lower, upper, middle : (D,)
    slack : (D,) the larger of the width and the size of an end: what rounding of p is relative to
    periodic, logarithmic : (D,) which axes are; None where none is
    """

    lower: Tensor
    upper: Tensor
    middle: Tensor
    slack: Tensor
    periodic: Tensor | None
    logarithmic: Tensor | None

    @staticmethod
    def of(box: Box, device: torch.device) -> Cube:
        """Carry the ends of a box over; a hole, whose ``where`` is a function in Python, stays behind."""
        if box.hole is not None and box.hole.where is not None:
            raise InputError(
                f"A map on a device needs a box without a hole, got {box}. "
                "`where` is a Python function of one p, which the host would have to ask at every query. "
                "Fit the box without `excluding(where)`, or call f(p) on the host."
            )
        lower, upper = np.array(box.lower), np.array(box.upper)
        logarithmic = np.array([scale == "log" for scale in box.scales])
        return Cube(
            doubles(device, lower),
            doubles(device, upper),
            doubles(device, box.middle[0]),
            doubles(device, np.maximum(upper - lower, np.maximum(np.abs(lower), np.abs(upper)))),
            on(device, np.array(box.periodic)) if any(box.periodic) else None,
            on(device, logarithmic) if logarithmic.any() else None,
        )

    @property
    def dimension(self) -> int:
        """Number of parameters D."""
        return len(self.lower)

    def __call__(self, p: Tensor) -> Points:
        """Points for ``p (...)`` with one parameter, ``(..., D)`` with several, on the device of the cube."""
        batch = self._batch(p)
        # In single precision 0.1 is larger than 0.1, and the end of a box all the same.
        single = p.dtype in (torch.float32, torch.float16, torch.bfloat16)
        slack = ULPS * torch.finfo(torch.float32 if single else torch.float64).eps * self.slack
        points = self._wrapped(p.to(torch.float64).reshape(-1, self.dimension))
        inside = ((points >= self.lower - slack) & (points <= self.upper + slack)).all(1)
        clipped = torch.minimum(torch.maximum(points, self.lower), self.upper)
        points = torch.where(inside[:, None], clipped, self.middle)
        return Points(points, self._unit(points), inside, batch)

    def _batch(self, p: Any) -> tuple[int, ...]:
        if not isinstance(p, torch.Tensor) or p.device != self.lower.device or p.is_complex():
            came = f"a {p.dtype} tensor on {p.device}" if isinstance(p, torch.Tensor) else f"a {type(p).__name__}"
            raise InputError(
                f"p must be a real tensor on {self.lower.device}, where the map lives; {came} came. "
                "Carrying it over at every query would wait for the host. "
                "Make p on the device, as by torch.rand(100, device=...), or call f(p) on the host."
            )
        if self.dimension == 1:
            return tuple(p.shape)
        if p.ndim == 0 or p.shape[-1] != self.dimension:
            raise InputError(
                f"p must have shape (..., {self.dimension}) for a box of {self.dimension} parameters; shape "
                f"{tuple(p.shape)} came. The last axis probably does not run over the parameters. "
                "Use torch.stack([...], dim=-1) to put one point into each row."
            )
        return tuple(p.shape[:-1])

    def _wrapped(self, points: Tensor) -> Tensor:
        if self.periodic is None:
            return points
        away = self.periodic & ~((points >= self.lower) & (points < self.upper)) & points.isfinite()
        moved = self.lower + torch.remainder(points - self.lower, self.upper - self.lower)
        # A tiny negative p has the remainder `width` after rounding.
        return torch.where(away, torch.where(moved < self.upper, moved, self.lower), points)

    def _unit(self, points: Tensor) -> Tensor:
        x = ((points - self.lower) - (self.upper - points)) / (self.upper - self.lower)
        if self.logarithmic is None:
            return x
        # Linear axes, whose ends may be zero or negative, get a harmless ratio.
        ratio = torch.where(self.logarithmic, points / self.lower, 1.0)
        span = torch.where(self.logarithmic, self.upper / self.lower, torch.e).log()
        return torch.where(self.logarithmic, (2.0 * ratio.log() / span - 1.0).clamp(max=1.0), x)
