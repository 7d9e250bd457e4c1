"""From solutions to a reduced model: the n-sized work, done offline."""

from __future__ import annotations

from typing import Any

import numpy as np

from neumatc.arrays import Array
from neumatc.reduced import Model

DEPENDENT = 1e-13
"""Share of a solution outside of the span below which it adds nothing but rounding."""

ROUNDING = 1e-14
"""The same for a direction of residuals."""


class Builder:
    """Grows a model one solution at a time; keeps the n-sized vectors that a model leaves behind.

    With a Riesz map (``E⁻¹`` of an energy product E) the residual is measured in the dual norm ``sqrt(rᴴ E⁻¹ r)``.

    Parameters
    ----------
    matrices : the A_q, sparse (n, n)
    vectors : (S, n) the f_s
    capacity : most solutions
    riesz : ``k -> E⁻¹ k``, or None for the Euclidean product
    """

    def __init__(self, matrices: tuple[Any, ...], vectors: Array, capacity: int, riesz: Any = None) -> None:
        self.matrices, self.vectors, self.riesz = matrices, vectors, riesz
        dtype = np.result_type(vectors.dtype, *(part.dtype for part in matrices))
        n, Q = vectors.shape[1], len(matrices)
        self.basis = Rows(capacity, n, dtype)
        # Orthonormal directions of residuals, and what the Riesz map makes of them.
        self.directions = Rows(capacity * Q + len(vectors), n, dtype)
        self.images = self.directions if riesz is None else Rows(capacity * Q + len(vectors), n, dtype)
        self.applied = [Rows(capacity, n, dtype) for _ in matrices]
        self.galerkin = np.zeros((Q, capacity, capacity), dtype)
        self.columns: list[list[Array]] = [[] for _ in matrices]
        self.columns_right = [self._expand(vector) for vector in vectors]

    def add(self, x: Array) -> bool:
        """Add a solution; False when it lies in the span already."""
        v, size = x.astype(self.basis.all.dtype), np.linalg.norm(x)
        for _ in range(2):
            v = v - (self.basis.rows.conj() @ v) @ self.basis.rows
        rest = np.linalg.norm(v)
        if not rest > DEPENDENT * size:
            return False
        v = v / rest
        j = self.basis.count
        for q, part in enumerate(self.matrices):
            Av = part @ v
            self.galerkin[q, :j, j] = self.basis.rows.conj() @ Av
            self.galerkin[q, j, :j] = self.applied[q].rows @ v.conj()
            self.galerkin[q, j, j] = np.vdot(v, Av)
            self.applied[q].append(Av)
            self.columns[q].append(self._expand(Av))
        self.basis.append(v)
        return True

    def model(self) -> Model:
        """The reduced tensors of what there is."""
        E, d = self.directions.count, self.basis.count
        factor = np.stack([[_padded(c, E) for c in each] for each in self.columns]).transpose(2, 0, 1)
        right = np.stack([_padded(c, E) for c in self.columns_right], axis=1)
        galerkin = self.galerkin[:, :d, :d].copy()
        return Model(np.ascontiguousarray(factor), right, galerkin, self.vectors @ self.basis.rows.conj().T)

    def _expand(self, k: Array) -> Array:
        """Coordinates of k in the directions, which grow by what is new in it."""
        k = k.astype(self.directions.all.dtype)
        z = k if self.riesz is None else self.riesz(k)
        size, coordinates = np.sqrt(abs(np.vdot(k, z))), np.zeros(self.directions.count, k.dtype)
        for _ in range(2):  # twice is enough (Giraud, Langou & Rozložník 2005, doi:10.1016/j.camwa.2005.08.009)
            h = self.images.rows.conj() @ k
            k, coordinates = k - h @ self.directions.rows, coordinates + h
            # Anew, not by the recurrence: what is left of a nearly dependent k would be the rounding of z.
            z = k if self.riesz is None else self.riesz(k)
        rest = np.sqrt(abs(np.vdot(k, z)))
        if not rest > ROUNDING * size:
            return coordinates
        self.directions.append(k / rest)
        if self.riesz is not None:
            self.images.append(z / rest)
        return np.append(coordinates, rest)


class Rows:
    """Rows of a matrix that grows in memory taken beforehand."""

    def __init__(self, capacity: int, n: int, dtype: Any) -> None:
        self.all, self.count = np.empty((capacity, n), dtype), 0

    @property
    def rows(self) -> Array:
        filled: Array = self.all[: self.count]
        return filled

    def append(self, row: Array) -> None:
        self.all[self.count] = row
        self.count += 1


def _padded(column: Array, length: int) -> Array:
    full = np.zeros(length, column.dtype)
    full[: len(column)] = column
    return full
