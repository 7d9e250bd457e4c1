"""ILU(0): incomplete LU factors with the pattern of A and no other entries.

SciPy has no ILU(0): its ``spilu`` is SuperLU's ILUTP, which pivots and drops by size, so that no setting of drop_tol
and fill_factor keeps the pattern. A family A(p) has one pattern; it is analysed once, rows that do not wait for each
other are collected into levels, and the numbers of every A(p) then go through the levels as arrays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import splu

from neumatc.arrays import Array
from neumatc.errors import InputError

__all__ = ["Pattern", "Preconditioner"]


@dataclass(frozen=True)
class Preconditioner:
    """``M = L U``; both triangles are handed to SuperLU, in their own order and without pivoting, for fast solves."""

    lower: Any
    upper: Any

    def solve(self, v: Array) -> Array:
        """Return ``M⁻¹ v``."""
        x: Array = self.upper.solve(self.lower.solve(v))
        return x


@dataclass(frozen=True)
class Pattern:
    """Which entries of a sparse matrix with sorted indices there are, and in which order they are eliminated.

    Parameters
    ----------
    indptr, indices : of CSR.
    diagonal : position of each diagonal entry.
    stages : (positions ik, positions kk, positions ij, kj, and of ik within the stage), one after the other.
    """

    indptr: Array
    indices: Array
    diagonal: Array
    stages: Sequence[tuple[Array, ...]]

    @staticmethod
    def of(A: Any) -> "Pattern":
        """Analyse a CSR matrix; only its pattern is looked at."""
        A = sp.csr_matrix(A, copy=True)
        A.sort_indices()
        starts = A.indptr.tolist()
        starts = A.indptr.tolist()
        rows = [A.indices[a:b].tolist() for a, b in pairwise(starts)]
        place = [{j: a + slot for slot, j in enumerate(row)} for row, a in zip(rows, starts, strict=False)]
        if not all(i in each for i, each in enumerate(place)):
            raise InputError(
                "ILU(0) needs an entry at every place of the diagonal, but some row has none. "
                "Its pattern is that of A, so a missing pivot stays missing. Store an explicit zero or permute rows."
            )
        diagonal = [each[i] for i, each in enumerate(place)]
        return Pattern(A.indptr, A.indices, np.array(diagonal), _stages(rows, place, diagonal))

    def factorise(self, A: Any) -> Preconditioner:
        """Return the incomplete factors of a matrix with this pattern: IKJ elimination, a stage at a time."""
        values = self.values(A)
        for ik, kk, ij, kj, which in self.stages:
            factors = values[ik] / values[kk]
            values[ik] = factors
            # Within a stage each row has one k, so no entry ij occurs twice.
            values[ij] -= factors[which] * values[kj]
        n = len(self.diagonal)
        M = sp.csr_matrix((values, self.indices, self.indptr), shape=(n, n))
        lower = sp.tril(M, -1) + sp.identity(n)
        return Preconditioner(_triangle(lower), _triangle(sp.triu(M)))

    def values(self, A: Any) -> Array:
        """Return the entries of A in the order of this pattern."""
        A = sp.csr_matrix(A, copy=True)
        A.sort_indices()
        if not (np.array_equal(A.indptr, self.indptr) and np.array_equal(A.indices, self.indices)):
            # Entries that happen to vanish, as cos(2πp) does at 1/4, may have been dropped.
            zero = sp.csr_matrix((np.ones(len(self.indices)), self.indices, self.indptr), shape=A.shape)
            A = sp.csr_matrix(A + zero)
            A.data -= 1
            A.sort_indices()
            if not np.array_equal(A.indices, self.indices):
                raise InputError(
                    "A(p) has entries outside the pattern of the first point. The analysis is made once for all p. "
                    "Start from a point where all entries are present."
                )
        return np.array(A.data)


def _stages(rows: list[list[int]], place: list[dict[int, int]], diagonal: list[int]) -> list[tuple[Array, ...]]:
    """Return the steps of the elimination: level by level, in each the first k of every row, then the second."""
    level: list[int] = []
    found: dict[tuple[int, int], list[list[int]]] = {}
    for i, row in enumerate(rows):
        before = [k for k in row if k < i]
        level.append(1 + max((level[k] for k in before), default=-1))
        for slot, k in enumerate(before):
            ik, kk, ij, kj, which = found.setdefault((level[i], slot), [[], [], [], [], []])
            for j in rows[k]:
                if j > k and j in place[i]:
                    ij.append(place[i][j])
                    kj.append(place[k][j])
                    which.append(len(ik))
            ik.append(place[i][k])
            kk.append(diagonal[k])
    return [tuple(np.array(part, dtype=np.intp) for part in found[key]) for key in sorted(found)]


def _triangle(T: Any) -> Any:
    """Return a SuperLU object for a triangular matrix: no reordering, no pivoting, hence no fill."""
    return splu(sp.csc_matrix(T), permc_spec="NATURAL", diag_pivot_thresh=0.0, relax=1)
