"""Sketches: n-sized equations turned into d-sized tensors.

With Gaussian probes W (rows x k1) and Z (columns x k2) an equation ``R = 0`` becomes the k1 k2 numbers ``Wᴴ R Z``, and
``E |Wᴴ R Z|² / (k1 k2) = ‖R‖_F²``. Every product has at most two unknowns, so it splits into blocks that depend on p
alone (``Wᴴ A(p)``, ``A(p) Z``) and blocks that depend on one latent slice alone (``X_j Z``, ``Wᴴ X_j``). What is left
is, for coefficients φ, a system

    r(φ) = a(p) + L(p) φ + φᵀ T φ,

of size independent of n. Gaussian probes, never Rademacher: a sign vector can be blind to a residual for good.

The functions accept NumPy arrays (answering) and torch tensors (fitting) alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from neumatc.arrays import Array, namespace
from neumatc.equations import Equation, Symbol, Term, Values
from neumatc.probes import Probes, from_left, from_right, whole
from neumatc.products import thin


@dataclass(frozen=True)
class Split:
    """One term cut into: knowns, unknown, knowns[, unknown, knowns]."""

    coefficient: float
    before: tuple[Symbol, ...]
    first: Symbol | None
    between: tuple[Symbol, ...]
    second: Symbol | None
    after: tuple[Symbol, ...]

    @staticmethod
    def of(term: Term) -> Split:
        positions = [i for i, s in enumerate(term.symbols) if s.kind == "unknown"]
        s = term.symbols
        if not positions:
            return Split(term.coefficient, s, None, (), None, ())
        if len(positions) == 1:
            i = positions[0]
            return Split(term.coefficient, s[:i], s[i], (), None, s[i + 1 :])
        i, j = positions
        return Split(term.coefficient, s[:i], s[i], s[i + 1 : j], s[j], s[j + 1 :])

    @property
    def follows_p(self) -> bool:
        """Whether a product of two unknowns holds a known matrix, so that its tensor changes with p."""
        return self.second is not None and bool(self.before or self.between or self.after)


@dataclass(frozen=True)
class Sketch:
    """Probes for each equation of a system, and the blocks that follow from them.

    ``scales`` are the norms the residuals are measured against, taken once from a reference matrix: were they to follow
    p, the quadratic tensor would have to be rebuilt at every query.
    """

    equations: tuple[Equation, ...]
    probes: tuple[Probes, ...]
    scales: tuple[float, ...]

    @staticmethod
    def draw(
        equations: Sequence[Equation],
        values: Values,
        counts: tuple[int, int],
        dtype: Any,
        rng: np.random.Generator,
    ) -> Sketch:
        """``values`` gives the shapes (one matrix and one factor set are enough); ``counts`` are (k1, k2)."""
        probes = tuple(Probes.draw(*e.shape(values), counts, dtype, rng) for e in equations)
        scales = tuple(float(np.mean(np.asarray(e.scale(values)))) for e in equations)
        return Sketch(tuple(equations), probes, scales)

    def like(self, tensor: Any) -> Sketch:
        return Sketch(self.equations, tuple(p.like(tensor) for p in self.probes), self.scales)

    @cached_property
    def splits(self) -> list[tuple[Probes, float, Split]]:
        """Per term: probes, weight of its equation, and the cut; the same for every A(p)."""
        return [
            (p, p.weight / scale, Split.of(term))
            for e, p, scale in zip(self.equations, self.probes, self.scales, strict=True)
            for term in e.terms
        ]

    @cached_property
    def sizes(self) -> list[tuple[int, int]]:
        """(k1, k2) of every equation."""
        return [(p.left.shape[0], p.right.shape[1]) for p in self.probes]

    def by_columns(self, numbers: Array) -> Array:
        """``numbers (M, E)``, k1 x k2 of each equation, laid out column by column instead of row by row."""
        found, start = [], 0
        for k1, k2 in self.sizes:
            block = numbers[:, start : start + k1 * k2].reshape(-1, k1, k2)
            found.append(block.swapaxes(1, 2).reshape(-1, k1 * k2))
            start += k1 * k2
        return np.concatenate(found, -1)

    def known(self, values: Values) -> list[dict[str, Any]]:
        """Blocks of the given matrices ``(M, n1, n2)``: one entry per term; cost O(n² k) per matrix."""
        blocks = []
        for probes, weight, split in self.splits:
            left = from_left(probes.left, split.before, values)
            right = from_right(split.after, probes.right, values)
            middle = whole(split.between, values)
            blocks.append({"left": left, "right": right, "between": middle, "weight": weight * split.coefficient})
        return blocks

    def unknown(self, F: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Blocks of latent slices ``(d, rows, columns)``: one entry per term; linear in the slices."""
        blocks: list[dict[str, Any]] = []
        for probes, _, split in self.splits:
            if split.first is None:
                blocks.append({})
            elif split.second is None:
                blocks.append(_linear_block(split, probes, F))
            else:
                blocks.append(_quadratic_block(split, probes, F))
        return blocks

    def constant(self, known: list[dict[str, Any]]) -> Any:
        """``a(p)``, ``(M or 1, E)``."""
        products = [
            _batch(k["left"] @ k["right"]) * k["weight"] if split.first is None else None
            for k, (_, _, split) in zip(known, self.splits, strict=True)
        ]
        return self._gather(products, ())

    def linear(self, known: list[dict[str, Any]], unknown: list[dict[str, Any]], doubled: bool = False) -> Any:
        """``L(p)``, ``(M or 1, d, E)``: one row per slice; with ``doubled`` two, for the slice X and for i X."""
        products = [
            _turned(_linear_product(k, u) * k["weight"], (split.first,), doubled) if "core" in u else None
            for k, u, (_, _, split) in zip(known, unknown, self.splits, strict=True)
        ]
        return self._gather(products, (_count(unknown) * (2 if doubled else 1),))

    def quadratic(self, known: list[dict[str, Any]], unknown: list[dict[str, Any]], doubled: bool = False) -> Any:
        """``T(p)``, ``(M or 1, d, d, E)``, or None where every equation is linear; ``doubled`` as for ``linear``."""
        if all(e.linear for e in self.equations):
            return None
        products = [
            _turned(_quadratic_product(k, u) * k["weight"], (split.first, split.second), doubled)
            if "left" in u
            else None
            for k, u, (_, _, split) in zip(known, unknown, self.splits, strict=True)
        ]
        return self._gather(products, (_count(unknown) * (2 if doubled else 1),) * 2)

    def _gather(self, products: list[Any], inner: tuple[int, ...]) -> Any:
        """Sum the terms of each equation, flatten its k1 x k2 numbers, lay the equations side by side."""
        owners = [i for i, e in enumerate(self.equations) for _ in e.terms]
        sums: list[Any] = [None] * len(self.equations)
        for owner, each in zip(owners, products, strict=True):
            if each is not None:
                flat = each.reshape(*each.shape[:-2], -1)
                sums[owner] = flat if sums[owner] is None else sums[owner] + flat
        columns = [
            _zeros(p.left, (1, *inner, p.left.shape[0] * p.right.shape[1])) if part is None else part
            for part, p in zip(sums, self.probes, strict=True)
        ]
        xp, batch = namespace(columns[0]), max(c.shape[0] for c in columns)
        return xp.concatenate([xp.broadcast_to(c, (batch, *c.shape[1:])) for c in columns], -1)


def _turned(found: Any, symbols: Sequence[Symbol | None], doubled: bool) -> Any:
    """``(M, d, [d,] k1, k2)`` with each slice X followed by i X, whose adjoint is -i Xᴴ."""
    if not doubled:
        return found
    for axis, symbol in enumerate(symbols, start=1):
        turn = -1j if symbol is not None and symbol.adjoint else 1j
        pairs = namespace(found).stack([found, turn * found], axis + 1)
        found = pairs.reshape(*pairs.shape[:axis], -1, *pairs.shape[axis + 2 :])
    return found


def _count(unknown: list[dict[str, Any]]) -> int:
    """Number of slices the blocks were made of."""
    block = next(u for u in unknown if u)
    return int((block["core"] if "core" in block else block["left"]).shape[0])


def _batch(matrices: Any) -> Any:
    return matrices if matrices.ndim == 3 else matrices[None]


def _zeros(like: Any, shape: tuple[int, ...]) -> Any:
    xp = namespace(like)
    return np.zeros(shape, like.dtype) if xp is np else xp.zeros(shape, dtype=like.dtype, device=like.device)


def _linear_block(split: Split, probes: Probes, F: Mapping[str, Any]) -> dict[str, Any]:
    """The cheapest form of one slice: probed on every side where no known matrix stands in between."""
    assert split.first is not None
    slices = split.first.value(F)
    if not split.after:
        # The long side last, as in `_linear_product`.
        slices = (probes.right.swapaxes(0, 1) @ slices.swapaxes(-1, -2)).swapaxes(-1, -2)
    if not split.before:
        slices = probes.left @ slices
    return {"core": slices, "probed": (not split.before, not split.after)}


def _linear_product(known: dict[str, Any], unknown: dict[str, Any]) -> Any:
    """``(M, d, k1, k2)`` (M = 1 where the term has no known matrix)."""
    core, (left_done, right_done) = unknown["core"], unknown["probed"]
    if left_done and right_done:
        return core[None]
    if right_done:
        left = known["left"] if known["left"].ndim == 3 else known["left"][None]
        d, n, k2 = core.shape
        M, k1, _ = left.shape
        rows, upright = left.reshape(M * k1, n), core.swapaxes(1, 2)
        if namespace(core) is not np or upright.flags.c_contiguous:
            # One gemm for all slices, (d k2, n) times (n, M k1): the long side last, which is twice as fast on a CPU.
            found = upright.reshape(d * k2, n) @ rows.swapaxes(0, 1)
            return found.reshape(d, k2, M, k1).swapaxes(0, 2).swapaxes(1, 2).swapaxes(2, 3)
        return thin(rows, core.swapaxes(0, 1).reshape(n, d * k2)).reshape(M, k1, d, k2).swapaxes(1, 2)
    if left_done:
        return core[None] @ known["right"][:, None]
    return known["left"][:, None] @ core[None] @ known["right"][:, None]


def _quadratic_block(split: Split, probes: Probes, F: Mapping[str, Any]) -> dict[str, Any]:
    """Slices of both unknowns, probed on the outer side where no known matrix stands in between."""
    assert split.first is not None
    assert split.second is not None
    left, right = split.first.value(F), split.second.value(F)
    probed = (not split.before, not split.after)
    return {
        "left": probes.left @ left if probed[0] else left,
        "right": right @ probes.right if probed[1] else right,
        "probed": probed,
    }


def _quadratic_product(known: dict[str, Any], unknown: dict[str, Any]) -> Any:
    """``(M, d, d, k1, k2)`` (M = 1 where the term has no known matrix)."""
    left, right, (left_done, right_done) = unknown["left"][None], unknown["right"][None], unknown["probed"]
    if not left_done:
        left = known["left"][:, None] @ left
    if not right_done:
        right = right @ known["right"][:, None]
    if known["between"] is not None:
        right = known["between"][:, None] @ right
    # One gemm for all pairs of slices instead of d² small ones.
    M, (d, k1, n), k2 = max(len(left), len(right)), left.shape[1:], right.shape[-1]
    found = left.reshape(-1, d * k1, n) @ right.swapaxes(1, 2).reshape(-1, n, d * k2)
    return found.reshape(M, d, k1, d, k2).swapaxes(2, 3)
