"""Gauss-Newton for the latent coefficients of many stations at once, in a span that grows.

The sketched equations at a station are ``r(φ) = a + L φ + q(φ, φ)``. A term ``X Y`` of two unknowns has by the product
rule the derivative ``X_j Y(φ) + X(φ) Y_j``; both products involve probed slices only. Where no known matrix stands
inside, the derivative is ``φᵀ T`` with one tensor T for all stations, which is cheaper as long as T is small; its
rows are the derivatives at unit vectors.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from neumatc.correct import CUTOFF
from neumatc.gauge import Factors
from neumatc.sketch import Sketch, Split

Tensor = torch.Tensor

TENSOR_BYTES = 1 << 29
"""Memory up to which T is kept; beyond, the product rule is applied at every step."""

PROGRESS = 0.7
"""A step that leaves more of every residual than this was the last one."""

NEGLIGIBLE = 1e-2
"""Square of a step over the residual that the linear model promises, up to which the model is believed unseen."""


class LatentEquations:
    """Equations of all stations under one set of probes, for the slices known so far.

    Those that only judge (``norm``) need no tensor.
    """

    def __init__(self, sketch: Sketch, unique: bool, judges: bool = False) -> None:
        self.sketch, self.unique = sketch, unique
        self.known: list[list[dict[str, Any]]] = []
        self.constants: list[Tensor] = []
        self.unknown: list[dict[str, Any]] = []
        self.T: Tensor | None = None
        self.owners = [i for i, e in enumerate(sketch.equations) for _ in e.terms]
        self.sizes = [p.left.shape[0] * p.right.shape[1] for p in sketch.probes]
        self.fixed = not judges and not any(split.follows_p for split in self.splits)

    @property
    def splits(self) -> list[Split]:
        return [split for _, _, split in self.sketch.splits]

    def probe(self, values: Mapping[str, Any]) -> None:
        """Add a group of stations with these given matrices ``(B, rows, columns)``."""
        blocks, batch = self.sketch.known(values), next(iter(values.values())).shape[0]
        a = self.sketch.constant(blocks)
        self.known.append(blocks)
        self.constants.append(a.expand(batch, a.shape[-1]))

    def extend(self, slices: Factors) -> None:
        """Add latent slices ``(s, rows, columns)``."""
        new, old = self.sketch.unknown(slices), self.unknown
        self.unknown = [_joined(o, n) for o, n in zip(old, new, strict=True)] if old else new
        if self.fixed and any(split.second is not None for split in self.splits):
            self._extend_tensor(next(iter(slices.values())).shape[0])

    def solve(self, group: int, phi: Tensor, steps: int) -> Tensor:
        """From ``phi (B, d)``: at most ``steps`` steps, none that makes a residual larger."""
        L = self._linear(group)
        r, J = self._linearised(group, L, phi)
        size = torch.linalg.vector_norm(r, dim=-1)
        for _ in range(steps):
            step = least_squares(J, r, self.unique)
            trial = phi - step
            left = torch.linalg.vector_norm(r - _contracted(step, J), dim=-1)
            if bool(((step * step).sum(-1) <= NEGLIGIBLE * left).all()):
                return trial
            r_new, J_new = self._linearised(group, L, trial)
            size_new = torch.linalg.vector_norm(r_new, dim=-1)
            better = size_new < size
            advanced = bool((size_new < PROGRESS * size).any())
            phi, r = torch.where(better[:, None], trial, phi), torch.where(better[:, None], r_new, r)
            J, size = torch.where(better[:, None, None], J_new, J), torch.where(better, size_new, size)
            if not advanced:
                break
        return phi

    def norm(self, group: int, phi: Tensor) -> Tensor:
        """Estimated relative residual, ``(B,)``."""
        terms = [self._value(i, split, group, phi) for i, split in enumerate(self.splits)]
        r = self.constants[group] + self._gathered(terms, (len(phi),))
        size: Tensor = torch.linalg.vector_norm(_real(r), dim=-1)
        return size

    def _linearised(self, group: int, L: Tensor | None, phi: Tensor) -> tuple[Tensor, Tensor]:
        """Residual ``(B, E)`` and its derivative ``(B, d, E)``, both real."""
        r, J = _real(self.constants[group]), torch.zeros((), dtype=phi.dtype, device=phi.device)
        if L is not None:
            r, J = r + _contracted(phi, L), L
        quadratic = self._derivative(group, phi)
        if quadratic is not None:
            r, J = r + _contracted(phi, quadratic) / 2, J + quadratic
        return r, J.expand(len(phi), *J.shape[1:])

    def _linear(self, group: int) -> Tensor | None:
        if not any("core" in u for u in self.unknown):
            return None
        linear: Tensor = self.sketch.linear(self.known[group], self.unknown)
        return _real(linear)

    def _derivative(self, group: int, phi: Tensor) -> Tensor | None:
        """``q(φ, ·) + q(·, φ)``, ``(B, d, E)``."""
        if self.T is not None:
            d = self.T.shape[0]
            return (phi @ self.T.reshape(d, -1)).reshape(len(phi), d, -1)
        if all(split.second is None for split in self.splits):
            return None
        return _real(self._product_rule(group, phi))

    def _product_rule(self, group: int | None, phi: Tensor) -> Tensor:
        terms = [
            None if split.second is None else self._both_sides(i, group, phi) for i, split in enumerate(self.splits)
        ]
        return self._gathered(terms, (len(phi), phi.shape[1]))

    def _extend_tensor(self, new: int) -> None:
        """Rows and columns of T for the latest slices."""
        block = next(u["left"] for u in self.unknown if "left" in u)
        d, width = block.shape[0], sum(self.sizes) * (2 if block.is_complex() else 1)
        if 8 * d * d * width > TENSOR_BYTES:
            self.T, self.fixed = None, False
            return
        unit = torch.eye(d, dtype=torch.float64, device=block.device)[d - new :]
        rows = _real(self._product_rule(None, unit))
        if self.T is None:
            self.T = rows if new == d else None
            return
        upper = torch.cat([self.T, rows[:, : d - new].transpose(0, 1)], 1)
        self.T = torch.cat([upper, rows], 0)

    def _both_sides(self, term: int, group: int | None, phi: Tensor) -> Tensor:
        """``X_j Y(φ) + X(φ) Y_j`` of one term, ``(B, d, k1, k2)``."""
        u, k, weight = self._term(term, group)
        left, right = self._left(u, k, phi), self._right(u, k, phi)
        between = None if k is None else k["between"]
        if between is not None:
            left, right = left @ between, between @ right
        # One product for all slices and stations: the slices side by side.
        d, rows, inner = u["left"].shape
        first = u["left"].reshape(d * rows, inner) @ _side_by_side(right)
        first = first.reshape(d, rows, len(phi), -1).permute(2, 0, 1, 3)
        if not u["probed"][0]:
            assert k is not None
            first = k["left"][:, None] @ first
        columns = u["right"].shape[2]
        second = left.reshape(-1, left.shape[-1]) @ u["right"].transpose(0, 1).reshape(-1, d * columns)
        second = second.reshape(len(phi), -1, d, columns).permute(0, 2, 1, 3)
        if not u["probed"][1]:
            assert k is not None
            second = second @ k["right"][:, None]
        both: Tensor = (first + second) * weight
        return both

    def _value(self, term: int, split: Split, group: int, phi: Tensor) -> Tensor | None:
        """One term at the coefficients, ``(B, k1, k2)``."""
        if split.first is None:
            return None
        u, k, weight = self._term(term, group)
        assert k is not None
        if split.second is None:
            X = _combined(phi, u["core"])
            X = X if u["probed"][0] else k["left"] @ X
            X = X if u["probed"][1] else X @ k["right"]
            value: Tensor = weight * X
            return value
        right = self._right(u, k, phi)
        right = right if k["between"] is None else k["between"] @ right
        return weight * (self._left(u, k, phi) @ right)

    def _term(self, term: int, group: int | None) -> tuple[dict[str, Any], dict[str, Any] | None, float]:
        """Blocks of the unknowns and of the knowns, and the weight; without a group for terms of unknowns alone."""
        k = None if group is None else self.known[group][term]
        weight = self.known[0][term]["weight"] if k is None else k["weight"]
        return self.unknown[term], k, weight

    @staticmethod
    def _left(u: dict[str, Any], k: dict[str, Any] | None, phi: Tensor) -> Tensor:
        X = _combined(phi, u["left"])
        if k is not None and not u["probed"][0]:
            X = k["left"] @ X
        return X

    @staticmethod
    def _right(u: dict[str, Any], k: dict[str, Any] | None, phi: Tensor) -> Tensor:
        Y = _combined(phi, u["right"])
        if k is not None and not u["probed"][1]:
            Y = Y @ k["right"]
        return Y

    def _gathered(self, terms: list[Tensor | None], shape: tuple[int, ...]) -> Tensor:
        """Sum the terms of each equation, flatten its numbers, lay the equations side by side."""
        like = self.constants[0]
        sums = [torch.zeros((*shape, size), dtype=like.dtype, device=like.device) for size in self.sizes]
        for owner, term in zip(self.owners, terms, strict=True):
            if term is not None:
                sums[owner] = sums[owner] + term.reshape(*term.shape[:-2], -1)
        return torch.cat(sums, -1)


def least_squares(J: Tensor, r: Tensor, unique: bool) -> Tensor:
    """``argmin |Jᵀ x - r|`` for ``J (B, d, E)``, ``r (B, E)``; of least norm where the gauge leaves a choice."""
    M, d = J.transpose(1, 2), J.shape[1]
    if unique and M.shape[1] >= d:
        reflectors, tau = torch.geqrf(M)
        diagonal = reflectors.diagonal(0, -2, -1).abs()
        # Rounding hides dependent columns from LAPACK, which would divide by it.
        if bool((diagonal.amin(-1) > CUTOFF * diagonal.amax(-1)).all()):
            y = torch.ormqr(reflectors, tau, r[..., None], transpose=True)[:, :d]
            x: Tensor = torch.linalg.solve_triangular(reflectors[:, :d].triu(), y, upper=True)[..., 0]
            return x
    least: Tensor = (torch.linalg.pinv(M, rtol=CUTOFF) @ r[..., None])[..., 0]
    return least


def _joined(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    return {key: torch.cat([value, new[key]]) if isinstance(value, Tensor) else value for key, value in old.items()}


def _combined(phi: Tensor, X: Tensor) -> Tensor:
    """``Σ_j φ_j X_j``, ``(B, rows, columns)``, for real φ."""
    if X.is_complex():
        flat = torch.view_as_real(X.resolve_conj().contiguous()).reshape(len(X), -1)
        return torch.view_as_complex((phi @ flat).reshape(len(phi), *X.shape[1:], 2))
    return (phi @ X.reshape(len(X), -1)).reshape(len(phi), *X.shape[1:])


def _side_by_side(X: Tensor) -> Tensor:
    """``(B, rows, columns)`` to ``(rows, B columns)``."""
    return X.transpose(0, 1).reshape(X.shape[1], -1)


def _contracted(phi: Tensor, J: Tensor) -> Tensor:
    """``Σ_j φ_j J_j``, ``(B, E)``."""
    return (phi[:, None] @ J)[:, 0]


def _real(x: Tensor) -> Tensor:
    """Real and imaginary parts side by side in the last axis."""
    return torch.view_as_real(x.resolve_conj().contiguous()).flatten(-2) if x.is_complex() else x
