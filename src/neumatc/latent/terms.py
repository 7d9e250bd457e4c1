"""A(p) as a sum of constant matrices with real coefficients: what everything n-sized is computed from once.

A complex coefficient ``θ = u + i v`` of a matrix A counts as two real ones, of A and of i A: equations that hold an
adjoint are linear over the real numbers only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neumatc.arrays import Array, is_complex, scale
from neumatc.box import Box
from neumatc.family import Affine, MatrixFamily
from neumatc.family.bundle import Bundle, Constant
from neumatc.problem import Problem

Member = Affine | Constant


@dataclass(frozen=True)
class Terms:
    """The scaled matrices of a problem as ``A(p) = Σ_q t_q(p) A_q``, t real.

    Parameters
    ----------
    members : an `Affine`, or those of a bundle of `Affine` and constant matrices
    matrices : (Q, n1, n2), in double precision, scaled like `Problem.matrices`; i A_q behind A_q where ``turned``
    turned : which members have complex coefficients
    rounding : relative error of one rounding of the caller's A(p)
    box : of the problem
    """

    members: tuple[Member, ...]
    matrices: Array
    turned: tuple[bool, ...]
    rounding: float
    box: Box

    @staticmethod
    def of(problem: Problem) -> Terms | None:
        """The terms of a dense problem, or None where A(p) is not such a sum."""
        members = _members(problem.family)
        if members is None or problem.box.hole is not None:
            return None
        middle = problem.box.middle
        turned = tuple(is_complex(_theta(member, middle, problem.box).dtype) for member in members)
        blocks = [_flat(member, double) for member, double in zip(members, turned, strict=True)]
        widths = [block.shape[1] for block in blocks]
        total = np.zeros((sum(map(len, blocks)), sum(widths)), problem.working)
        row = column = 0
        for block, width in zip(blocks, widths, strict=True):
            total[row : row + len(block), column : column + width] = block
            row, column = row + len(block), column + width
        matrices = scale(total.reshape(-1, *problem.shape), -problem.exponent) if problem.exponent else total
        rounding = max(float(np.finfo(_dtype(member)).eps) for member in members) / 2
        return Terms(members, matrices.reshape(-1, *problem.shape), turned, rounding, problem.box)

    def theta(self, points: Array) -> Array | None:
        """Real coefficients ``(B, Q)`` at ``points (B, D)``; None where one is complex that was not so elsewhere."""
        columns: list[Array] = []
        for member, turned in zip(self.members, self.turned, strict=True):
            theta = _theta(member, points, self.box)
            if is_complex(theta.dtype) and not turned:
                return None
            columns += [theta.real, theta.imag] if turned else [theta]
        return np.concatenate([c.astype(float, copy=False) for c in columns], axis=1)


def _members(family: MatrixFamily) -> tuple[Member, ...] | None:
    members: Sequence[Any] = tuple(family.members.values()) if isinstance(family, Bundle) else (family,)
    if not any(isinstance(member, Affine) for member in members):
        return None
    fits = all(isinstance(m, Constant) or (isinstance(m, Affine) and not m.sparse) for m in members)
    return tuple(members) if fits else None


def _dtype(member: Member) -> np.dtype[Any]:
    dtype: np.dtype[Any] = member.matrix.dtype if isinstance(member, Constant) else member.matrices.dtype
    return dtype if dtype.kind in "fc" else np.dtype(float)


def _theta(member: Member, points: Array, box: Box) -> Array:
    """Coefficients ``(B, Q)`` in the precision in which the family itself uses them."""
    if isinstance(member, Constant):
        return np.ones((len(points), 1))
    theta = member.theta(points, box)
    complex_ = is_complex(theta.dtype)
    exact: Array = theta.astype(np.result_type(_dtype(member), np.complex64 if complex_ else np.float32), copy=False)
    return exact if complex_ else exact.real


def _flat(member: Member, turned: bool) -> Array:
    """``(Q, N)``, with i times the matrices behind where the coefficients are complex."""
    matrices = member.matrix[None] if isinstance(member, Constant) else member.matrices
    flat: Array = np.asarray(matrices).reshape(len(matrices), -1)
    return np.concatenate([flat, 1j * flat]) if turned else flat
