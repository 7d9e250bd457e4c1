"""Orthonormal vectors that grow in number, a block at a time, in as much memory as they need."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from neumatc.arrays import Array

FIRST = 128
"""Rows for which memory is taken at first; what is not written to costs nothing."""


Shares: TypeAlias = npt.NDArray[np.float64]
"""One number for each row of a block."""


class Rows:
    """Rows (count, n) of a matrix that grows."""

    def __init__(self, n: int, dtype: Any) -> None:
        self._memory, self.count = np.empty((min(FIRST, n), n), dtype), 0

    @property
    def rows(self) -> Array:
        filled: Array = self._memory[: self.count]
        return filled

    def extend(self, rows: Array) -> None:
        count = self.count + len(rows)
        if count > len(self._memory):
            # Twice as many: pages that nothing was written to take no memory, and few rows are copied more than once.
            memory = np.empty((max(count, 2 * self.count), self._memory.shape[1]), self._memory.dtype)
            memory[: self.count] = self.rows
            self._memory = memory
        self._memory[self.count : count] = rows
        self.count = count


@dataclass(frozen=True)
class Block:
    """Orthonormal rows, their images, coordinates of what they came from, and the share of each that is rounding."""

    rows: Array
    images: Array
    coordinates: Array
    shares: Shares


class Frame:
    """Rows W (count, n), orthonormal in the product ``vᴴ R w``, where R is a Riesz map or the identity.

    Parameters
    ----------
    n, dtype : of the vectors
    most : rows beyond which nothing is appended; at most n are orthonormal
    riesz : R, or None for the Euclidean product
    """

    def __init__(self, n: int, dtype: Any, most: int, riesz: Callable[[Array], Array] | None = None) -> None:
        self.most, self.dtype, self.riesz = min(most, n), dtype, riesz
        self._rows = Rows(n, dtype)
        self._images = self._rows if riesz is None else Rows(n, dtype)  # R W

    @property
    def count(self) -> int:
        return self._rows.count

    @property
    def rows(self) -> Array:
        return self._rows.rows

    def expand(self, K: Array, shares: float | Shares) -> Array:
        """Coordinates (m, count) of the rows of K (m, n), after W has grown by what is new in them.

        Parameters
        ----------
        shares : share of a row below which what is new in it counts as rounding, one number or (m,)
        """
        K = K.astype(self.dtype, copy=False)
        W, Z = self._rows.rows, self._images.rows
        # The few rows of K are conjugated, never the many of W.
        C = (Z @ K.conj().T).conj().T
        block = self._block(K - C @ W, np.linalg.norm(C, axis=1), np.broadcast_to(shares, len(K)))
        # Twice is enough (Giraud, Langou & Rozložník 2005, doi:10.1016/j.camwa.2005.08.009), and it must be all of the
        # block that is projected again: what was little after the first time has lost its right angles to W.
        G = (Z @ block.rows.conj().T).conj().T
        again = self._block(block.rows - G @ W, np.linalg.norm(G, axis=1), block.shares)
        self._rows.extend(again.rows)
        if self._images is not self._rows:
            self._images.extend(again.images)
        return np.concatenate([C + block.coordinates @ G, block.coordinates @ again.coordinates], axis=1)

    def _block(self, K: Array, elsewhere: Shares, shares: Shares) -> Block:
        """Make the rows of K orthonormal one after the other; ``elsewhere`` is the length of what is no part of K."""
        rows, coordinates, left = np.empty_like(K), np.zeros((len(K), len(K)), K.dtype), list[float]()
        images = rows if self.riesz is None else np.empty_like(K)
        for i, k in enumerate(K):
            count = len(left)
            for _ in range(2):
                h = (images[:count] @ k.conj()).conj()
                k = k - h @ rows[:count]
                coordinates[i, :count] += h
            z = k if self.riesz is None else self.riesz(k)
            rest = float(np.sqrt(abs(np.vdot(k, z))))
            size = math.hypot(rest, elsewhere[i], float(np.linalg.norm(coordinates[i])))
            if rest > shares[i] * size and self.count + count < self.most:
                rows[count], images[count], coordinates[i, count] = k / rest, z / rest, rest
                left.append(shares[i] * size / rest)
        count = len(left)
        return Block(rows[:count], images[:count], coordinates[:, :count], np.array(left))
