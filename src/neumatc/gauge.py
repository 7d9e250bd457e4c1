"""Gauge: the freedom an operation leaves in its factors, and how to remove it.

An inverse is unique. Singular vectors are not: a sign or a phase, an order where values cross, a whole unitary block
where they cluster. A map over p is smooth only when this freedom is fixed the same way at neighbouring p.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from neumatc.arrays import namespace

Factors = dict[str, Any]
"""Factors by name, each ``(B, rows, columns)``."""


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
    values : names of the factors whose columns are permuted only, ``(B, 1, r)``
    assignment : "linear" (optimal, Hungarian) or "greedy" (largest overlap first; Algorithm 1 of the paper)

    Notes
    -----
    Solves eq. (13)-(15) of the paper: with ``C = F_refᴴ F`` the permutation maximises ``Σ |C_{i,π(i)}|`` and the phase
    of each column is that of its overlap (a sign for real data).
    """

    vectors: tuple[str, ...]
    values: tuple[str, ...] = ()
    assignment: str = "linear"

    def align(self, F: Mapping[str, Any], reference: Mapping[str, Any]) -> Factors:
        moved = {name: np.array(value) for name, value in F.items()}
        overlaps = adjoint(np.asarray(reference[self.vectors[0]])) @ moved[self.vectors[0]]
        for b, overlap in enumerate(overlaps):
            order = ASSIGNMENTS[self.assignment](np.abs(overlap))
            diagonal = overlap[np.arange(len(order)), order]
            magnitude = np.abs(diagonal)
            phase = np.where(magnitude > 0, diagonal.conj() / np.where(magnitude > 0, magnitude, 1), 1)
            for name in self.vectors:
                moved[name][b] = moved[name][b][:, order] * phase
            for name in self.values:
                moved[name][b] = moved[name][b][:, order]
        return moved

    def move(self, F: Mapping[str, Any], rng: np.random.Generator) -> Factors:
        moved = {name: np.array(value) for name, value in F.items()}
        for b, columns in enumerate(moved[self.vectors[0]]):
            order = rng.permutation(columns.shape[-1])
            phase = np.exp(2j * np.pi * rng.random(len(order)))
            phase = phase if np.iscomplexobj(columns) else np.sign(phase.real)
            for name in self.vectors:
                moved[name][b] = moved[name][b][:, order] * phase
            for name in self.values:
                moved[name][b] = moved[name][b][:, order]
        return moved


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
