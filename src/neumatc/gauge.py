"""Gauge: the freedom an operation leaves in its factors, and how to remove it.

An inverse is unique. Singular vectors are not: a sign or a phase, an order where values cross, a whole unitary block
where they cluster. A map over p is smooth only when this freedom is fixed the same way at neighbouring p.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from neumatc.arrays import is_torch, namespace

Factors = dict[str, Any]
"""Factors by name, each ``(B, rows, columns)``."""

EQUAL = 1e-10
"""Distance of two values over the largest below which rounding has mixed their vectors."""


class Gauge(ABC):
    """A group acting on the factors without changing what they solve."""

    @abstractmethod
    def align(self, F: Mapping[str, Any], reference: Mapping[str, Any]) -> Factors:
        """The representative of ``F``'s orbit nearest to ``reference``; both ``(B, rows, columns)`` per factor."""

    @abstractmethod
    def move(self, F: Mapping[str, Any], rng: np.random.Generator) -> Factors:
        """A random other representative of the orbit (NumPy factors); for tests."""


@final
@dataclass(frozen=True)
class NoGauge(Gauge):
    """The factors are unique."""

    def align(self, F: Mapping[str, Any], reference: Mapping[str, Any]) -> Factors:
        del reference
        return dict(F)

    def move(self, F: Mapping[str, Any], rng: np.random.Generator) -> Factors:
        del rng
        return dict(F)


@final
@dataclass(frozen=True)
class Unitary(Gauge):
    """Each factor ``F`` may become ``Lᴴ F R`` with unitary ``L``, ``R`` shared between the factors.

    Parameters
    ----------
    blocks : factor name -> (left, right) names of its unitary blocks, None where the side is fixed.
        The truncated SVD ``A ≈ U M Vᴴ`` has ``{"U": (None, "P"), "M": ("P", "Q"), "V": (None, "Q")}``.

    Notes
    -----
    ``align`` is the orthogonal Procrustes problem: for the factors with a free right side,
    ``P = argmin ‖F P - F_ref‖_F = polar(Fᴴ F_ref)`` (Schönemann 1966, doi:10.1007/BF02289451).
    """

    blocks: tuple[tuple[str, tuple[str | None, str | None]], ...]

    @staticmethod
    def of(blocks: Mapping[str, tuple[str | None, str | None]]) -> Unitary:
        """Build from a mapping (kept as a tuple: gauges are hashable)."""
        return Unitary(tuple(blocks.items()))

    def align(self, F: Mapping[str, Any], reference: Mapping[str, Any]) -> Factors:
        correlations: dict[str, Any] = {}
        for name, (left, right) in self.blocks:
            if left is None and right is not None:
                overlap = adjoint(F[name]) @ reference[name]
                correlations[right] = correlations[right] + overlap if right in correlations else overlap
        return self._act(F, {block: polar(overlap) for block, overlap in correlations.items()})

    def move(self, F: Mapping[str, Any], rng: np.random.Generator) -> Factors:
        unitaries: dict[str, Any] = {}
        for name, (left, right) in self.blocks:
            if left is None and right is not None and right not in unitaries:
                unitaries[right] = _random_unitary(F[name].shape[0], F[name].shape[-1], F[name].dtype, rng)
        return self._act(F, unitaries)

    def _act(self, F: Mapping[str, Any], unitaries: Mapping[str, Any]) -> Factors:
        moved = dict(F)
        for name, (left, right) in self.blocks:
            if left is not None:
                moved[name] = adjoint(unitaries[left]) @ moved[name]
            if right is not None:
                moved[name] = moved[name] @ unitaries[right]
        return moved


@final
@dataclass(frozen=True)
class Vectors(Gauge):
    """Columns may be permuted and each multiplied by a phase: the gauge of individual singular or eigenvectors.

    Parameters
    ----------
    vectors : names of the factors whose columns move together, ``(B, n, r)``; the first one is compared
    values : names of the factors that are permuted only: columns of ``(B, 1, r)``, both sides of diagonal ``(B, r, r)``
    assignment : "linear" (optimal, Hungarian) or "greedy" (largest overlap first; Algorithm 1 of the paper)
    dual : the factor whose reference the first one is compared with. Eigenvectors of a non-normal matrix may be almost
        parallel; left ones L with ``Lᴴ V = I`` still tell them apart
    signed : whether the columns of a further vector factor may be negated together with their values, so that a
        singular value that passes through zero goes on as a smooth negative one
    blocks : columns (of the reference) that are followed together, as spaces: they may be turned by a unitary, of its
        own for each vector factor when ``signed``, and the square part of the values turns with them

    Notes
    -----
    Solves eq. (13)-(15) of the paper: with ``C = F_refᴴ F`` the permutation maximises ``Σ |C_{i,π(i)}|`` and the phase
    of each column is that of its overlap (a sign for real data).
    """

    vectors: tuple[str, ...]
    values: tuple[str, ...] = ()
    assignment: str = "linear"
    dual: str | None = None
    signed: bool = False
    blocks: tuple[tuple[int, ...], ...] = ()

    def align(self, F: Mapping[str, Any], reference: Mapping[str, Any]) -> Factors:
        moved, other = _as_numpy(F), _as_numpy(reference)
        self._turn_clusters(moved, other)
        overlaps = adjoint(other[self.dual or self.vectors[0]]) @ moved[self.vectors[0]]
        orders = np.stack([self._order(np.abs(overlap)) for overlap in overlaps])
        phases = _phases(np.take_along_axis(overlaps, orders[:, None, :], -1).diagonal(0, -2, -1))
        moved = self._act(moved, orders, phases)
        if self.signed:
            for name in self.vectors[1:]:
                agree = (moved[name].conj() * other[name]).sum(-2).real
                moved = self._negated(moved, name, np.where(agree < 0, -1, 1))
        for block in self.blocks:
            J, free = list(block), self.vectors if self.signed else self.vectors[:1]
            self._turn(moved, J, [polar(adjoint(moved[name][..., J]) @ other[name][..., J]) for name in free])
        return _in_kind(moved, F)

    def move(self, F: Mapping[str, Any], rng: np.random.Generator) -> Factors:
        columns = F[self.vectors[0]]
        if self.blocks:
            F = {name: np.array(X) for name, X in F.items()}
            for block in self.blocks:
                free = self.vectors if self.signed else self.vectors[:1]
                self._turn(
                    F, list(block), [_random_unitary(len(columns), len(block), columns.dtype, rng) for _ in free]
                )
        # A block has its own numbers: only columns that are followed alone change places.
        alone = np.setdiff1d(np.arange(columns.shape[-1]), [i for block in self.blocks for i in block])
        orders = np.tile(np.arange(columns.shape[-1]), (len(columns), 1))
        orders[:, alone] = np.stack([rng.permutation(alone) for _ in columns])
        phases = np.exp(2j * np.pi * rng.random(orders.shape))
        moved = self._act(F, orders, phases if np.iscomplexobj(columns) else np.sign(phases.real))
        if self.signed:
            for name in self.vectors[1:]:
                moved = self._negated(moved, name, rng.choice([-1, 1], orders.shape))
        return moved

    def _turn(self, F: Factors, J: list[int], unitaries: Sequence[Any]) -> None:
        """Turn the columns J of each vector factor by a unitary, the last one for all the others, in place."""
        for k, name in enumerate(self.vectors):
            F[name][..., J] = F[name][..., J] @ unitaries[min(k, len(unitaries) - 1)]
        for name in self.values:
            F[name][..., J] = F[name][..., J] @ unitaries[-1]
            F[name][..., J, :] = adjoint(unitaries[0]) @ F[name][..., J, :]

    def _turn_clusters(self, F: Factors, reference: Factors) -> None:
        """Turn the basis of every cluster of equal values, which is arbitrary, towards the reference, in place.

        A block G, unitary or, where there is a dual, ``V_J G`` the projection of reference columns; ``L_J G⁻ᴴ`` then.
        """
        if not self.values:
            return
        square = F[self.values[0]].shape[-2] > 1
        levels = F[self.values[0]].diagonal(0, -2, -1) if square else F[self.values[0]][:, 0]
        for b, row in enumerate(levels):
            for J in _clusters(row):
                left, V = F[self.dual or self.vectors[0]][b][:, J], F[self.vectors[0]][b][:, J]
                overlap = adjoint(left) @ reference[self.vectors[0]][b]
                nearest = np.sort(np.argsort(-np.linalg.norm(overlap, axis=0))[: len(J)])
                G = overlap[:, nearest] / np.linalg.norm(V @ overlap[:, nearest], axis=0)
                G = polar(overlap[:, nearest]) if self.dual is None else G
                for name in self.vectors:
                    F[name][b][:, J] = F[name][b][:, J] @ (adjoint(np.linalg.inv(G)) if name == self.dual else G)
                if self.blocks:  # the cores of blocks are not diagonal, and turn with their vectors
                    for name in self.values:
                        F[name][b][:, J] = F[name][b][:, J] @ G
                        F[name][b][J] = adjoint(G) @ F[name][b][J]

    def _order(self, similarity: Any) -> Any:
        """The column for each row."""
        # Neighbours mostly agree, and where every row has a column of its own as best partner nothing can be better.
        best = similarity.argmax(-1)
        if len(np.unique(best)) == len(best):
            return best
        return ASSIGNMENTS[self.assignment](similarity)

    def _act(self, F: Mapping[str, Any], orders: Any, phases: Any) -> Factors:
        moved = {name: np.array(X) for name, X in F.items()}
        for name in self.vectors:
            columns = np.take_along_axis(moved[name], orders[:, None, :], -1)
            moved[name] = columns * phases[:, None, :].astype(columns.dtype)
        for name in self.values:
            moved[name] = np.take_along_axis(moved[name], orders[:, None, :], -1)
            if moved[name].shape[-2] > 1:
                both = phases[:, :, None].conj() * phases[:, None, :]
                moved[name] = np.take_along_axis(moved[name], orders[:, :, None], -2) * both.astype(moved[name].dtype)
        return moved

    def _negated(self, F: Factors, name: str, signs: Any) -> Factors:
        """One vector factor and the values with other signs; real diagonal values change like their columns."""
        return {n: X * signs[:, None, :].astype(X.dtype) if n == name or n in self.values else X for n, X in F.items()}


def _clusters(levels: Any) -> list[Any]:
    """Indices of levels that are equal to `EQUAL`, two at least."""
    distance = np.abs(levels[:, None] - levels) <= EQUAL * np.abs(levels).max(initial=0)
    first = distance.argmax(1)
    return [np.flatnonzero(first == i) for i in np.flatnonzero(np.bincount(first, minlength=len(levels)) > 1)]


def _phases(overlaps: Any) -> Any:
    """Conjugate phases; one where there is no overlap."""
    size = np.abs(overlaps)
    return np.where(size > 0, overlaps.conj() / np.where(size > 0, size, 1), 1)


def _as_numpy(F: Mapping[str, Any]) -> Factors:
    """Copies in NumPy: assignments are made on the CPU."""
    return {name: np.array(X.resolve_conj().cpu().numpy() if is_torch(X) else X) for name, X in F.items()}


def _in_kind(moved: Factors, F: Mapping[str, Any]) -> Factors:
    return {n: namespace(F[n]).as_tensor(X, device=F[n].device) if is_torch(F[n]) else X for n, X in moved.items()}


def greedy_assignment(similarity: Any) -> Any:
    """Pair rows with columns, largest remaining similarity first; returns the column of each row."""
    left = np.array(similarity, float)
    order = np.zeros(len(left), int)
    for _ in range(len(left)):
        row, column = np.unravel_index(np.argmax(left), left.shape)
        order[row] = column
        left[row, :] = left[:, column] = -1.0
    return order


def linear_assignment(similarity: Any) -> Any:
    """Pair rows with columns so that the total similarity is largest (Hungarian algorithm)."""
    # SciPy is needed when vectors are aligned, which only fitting does; answering must run without it.
    from scipy.optimize import linear_sum_assignment

    return linear_sum_assignment(similarity, maximize=True)[1]


ASSIGNMENTS = {"greedy": greedy_assignment, "linear": linear_assignment}


def adjoint(matrices: Any) -> Any:
    """Conjugate transpose of the last two axes."""
    return matrices.conj().swapaxes(-1, -2)


def polar(matrices: Any) -> Any:
    """The unitary factor ``X Yᴴ`` of ``X S Yᴴ``, nearest unitary to each matrix."""
    X, _, Yh = namespace(matrices).linalg.svd(matrices, full_matrices=False)
    return X @ Yh


def _random_unitary(batch: int, size: int, dtype: Any, rng: np.random.Generator) -> Any:
    G = rng.standard_normal((batch, size, size))
    if np.issubdtype(dtype, np.complexfloating):
        G = G + 1j * rng.standard_normal(G.shape)
    return np.linalg.qr(G.astype(dtype))[0]
