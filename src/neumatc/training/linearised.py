"""``exp(X) = A`` at some stations, and its tangent in a span that grows.

The residual weighs the part of an error E between eigenvectors of X by ``(e^λ - e^μ) / (λ - μ)``, as large as A in some
directions and as small as its smallest eigenvalue in others. Halves of the exponential on both sides, ``exp(-X/2)
(exp(X) - A) exp(-X/2)``, leave ``sinh(δ/2) / (δ/2)`` with ``δ = λ - μ``: between 1 and 4.6 for a definite A of
condition 1e3, so that the least residual is nearly the least error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from neumatc.action import Derivative, Exponential
from neumatc.equations import Equation
from neumatc.probes import Probes

from .newton import least_squares

Tensor = torch.Tensor

STEPS = 8
"""Most steps for a label; early ones need two, later ones one that is not even looked at."""

PROGRESS = 0.7
"""A step that leaves more of every residual than this was the last one."""

LONGEST = 2.0
"""Longest step, in the norm of X: beyond, the tangent of an exponential says nothing."""

BELIEVED = 0.05
"""Estimated error of the tangent over the residual, up to which the tangent is believed."""

FAR = 0.25
"""Distance from the place of the derivative, in the norm of X, from which it is taken anew."""

ALL = slice(None)


class Linearised:
    """Residual and derivative between probes, ``W (exp(X) - A) Z``, near coefficients that were looked at before.

    Two places are remembered for every station: the ``centre``, where the derivative and the halves were taken, and
    ``at``, where the residual ``r`` was. Elsewhere the residual is ``r + J (φ - at)`` up to second order.

    Parameters
    ----------
    equation : ``exp(X) = right``
    known : hands out the given matrices of the stations, (B, n, n) each; asked anew rather than kept
    probes : for one such matrix
    balanced : whether halves of the exponential stand on both sides; otherwise the residual is relative
    """

    def __init__(
        self, equation: Equation, known: Callable[[], Mapping[str, Tensor]], probes: Probes, balanced: bool
    ) -> None:
        self.equation, self.known, self.probes, self.balanced = equation, known, probes, balanced
        self.placed = False

    def place(self, phi: Tensor, slices: Tensor) -> None:
        """Take halves, derivative and residual at ``phi (B, d)``, for ``slices (d, n, n)``."""
        X, values = combined(phi, slices), self.known()
        self.left, self.right = (x.expand(len(phi), *x.shape) for x in (self.probes.left, self.probes.right))
        if self.balanced:
            half = Exponential(-X / 2)
            self.left, self.right = self.left @ half, half @ self.right
        scale = torch.ones(len(phi), device=phi.device) if self.balanced else self.equation.scale(values)
        self.weight = (self.probes.weight / scale)[:, None]
        self.target = -sum(self.left @ term.apply(values, self.right) for term in self.equation.constant)
        self.derivative = Derivative(X, self.left, self.right)
        self.unit = float(torch.linalg.matrix_norm(slices).max())
        self.centre, self.at, self.r = phi, phi.clone(), self._residual(X, ALL)
        self.J = self._slopes(slices)
        self.placed = True

    def extend(self, slices: Tensor) -> None:
        """Bring in further slices ``(s, n, n)``."""
        self.centre, self.at = (torch.nn.functional.pad(phi, (0, len(slices))) for phi in (self.centre, self.at))
        self.J = torch.cat([self.J, self._slopes(slices)], 1)

    def solve(self, phi: Tensor, slices: Tensor, limit: float) -> Tensor:
        """Gauss-Newton from ``phi (B, d)``, or from where a residual was less.

        No step makes a residual larger, and none leads to norms beyond the limit.
        """
        if not self.placed:
            self.place(phi, slices)
        elif bool((self._distance(self.at, phi) > FAR).any()):
            self.examine(phi, slices, limit)
        for _ in range(STEPS):
            phi = self.at - self._step()
            if not bool(self._doubtful(phi).any()):
                break
            before = norm(self.r)
            if not bool((self.examine(phi, slices, limit) < PROGRESS * before).any()):
                break
        return torch.where(self._doubtful(phi)[:, None], self.at, phi)

    def examine(self, phi: Tensor, slices: Tensor, limit: float) -> Tensor:
        """Norm of the residual at ``phi (B, d)``, infinite beyond the limit; ``(B,)``.

        Where the tangent is in doubt the residual is evaluated, and remembered if it is the least so far.
        """
        if not self.placed:
            self.place(phi, slices)
        sane = norm(phi) <= limit
        sizes = torch.where(sane, norm(self._linear(phi)), torch.inf)
        rows = torch.nonzero(self._doubtful(phi) & sane)[:, 0]
        if not len(rows):
            return sizes
        r = self._residual(combined(phi[rows], slices), rows)
        sizes[rows] = norm(r)
        better = sizes[rows] < norm(self.r[rows])
        self.at[rows[better]], self.r[rows[better]] = phi[rows[better]], r[better]
        if bool((self._distance(self.centre, self.at) > FAR).any()):
            self.place(self.at, slices)
        return sizes

    def _step(self) -> Tensor:
        step = least_squares(self.J, self.r, unique=True)
        shorter: Tensor = step * (LONGEST / (self.unit * norm(step)))[:, None].clamp(max=1.0)
        return shorter

    def _residual(self, X: Tensor, rows: Any) -> Tensor:
        """At ``X (b, n, n)`` of some stations, ``(b, E)`` real."""
        R = self.left[rows] @ (Exponential(X) @ self.right[rows]) - self.target[rows]
        return real(self.weight[rows] * R.flatten(-2))

    def _linear(self, phi: Tensor) -> Tensor:
        """The residual at ``phi (B, d)`` as the tangent has it, ``(B, E)``."""
        return self.r + ((phi - self.at)[:, None] @ self.J)[:, 0]

    def _doubtful(self, phi: Tensor) -> Tensor:
        """Where the second order may show in the residual, so that the tangent is not to be believed; ``(B,)``."""
        step, drift = self._distance(self.at, phi), self._distance(self.centre, self.at)
        believed = step * (step + drift) <= BELIEVED * norm(self._linear(phi))
        return torch.logical_not(believed)

    def _distance(self, here: Tensor, there: Tensor) -> Tensor:
        """Of X, from above; ``(B,)``."""
        return self.unit * norm(there - here)

    def _slopes(self, slices: Tensor) -> Tensor:
        """``(B, s, E)``."""
        return real(self.weight[:, None] * self.derivative(slices).flatten(-2))


def combined(phi: Tensor, slices: Tensor) -> Tensor:
    """``Σ_j φ_j X_j``, ``(B, n, n)``, for real φ."""
    X: Tensor = torch.tensordot(phi.to(slices.dtype), slices, 1)
    return X


def norm(x: Tensor) -> Tensor:
    """Of each row."""
    size: Tensor = torch.linalg.vector_norm(x, dim=-1)
    return size


def real(x: Tensor) -> Tensor:
    """Real and imaginary parts side by side in the last axis."""
    if not x.is_complex():
        return x
    parts: Tensor = torch.view_as_real(x.resolve_conj().contiguous()).flatten(-2)
    return parts
