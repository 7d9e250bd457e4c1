"""From solutions to a reduced model: the n-sized work, done offline."""

from __future__ import annotations

from typing import Any

import numpy as np

from neumatc.arrays import Array
from neumatc.reduced import AffineSystem, Tensors

DEPENDENT = 1e-13
"""Share of a solution outside of the span below which it adds nothing but rounding."""

ROUNDING = 1e-14
"""The same for a direction of residuals."""

LITTLE = 0.1
"""Share of a vector that must be left for it to stay orthogonal to what it was made orthogonal to before."""


class Builder:
    """Grows the tensors of an affine system one vector at a time; keeps the n-sized vectors that they leave behind.

    With an energy product E the residual is measured in the dual norm ``sqrt(rᴴ E⁻¹ r)``.

    Parameters
    ----------
    system : A(p), b(p), and the norm
    capacity : most vectors of the basis
    """

    def __init__(self, system: AffineSystem, capacity: int) -> None:
        self.system, self.matrices = system, system.family.matrices
        # Every column of every f_s, one after the other.
        self.vectors = np.moveaxis(system.right, 1, -1).reshape(-1, system.n).astype(system.dtype)
        self.riesz = system.riesz
        n, Q, dtype = system.n, len(self.matrices), system.dtype
        self.basis = Basis(capacity, n, dtype)
        # Orthonormal directions of residuals, and what the Riesz map makes of them.
        self.directions = Rows(capacity * Q + len(self.vectors), n, dtype)
        self.images = self.directions if self.riesz is None else Rows(len(self.directions.all), n, dtype)
        self.galerkin = np.zeros((Q, capacity, capacity), dtype)
        self.columns: list[list[Array]] = [[] for _ in self.matrices]
        self.columns_right = self._expand(self.vectors)

    def add(self, x: Array) -> bool:
        """Add a solution; False when it lies in the span already."""
        j = self.basis.count
        if not self.basis.grow(x):
            return False
        v, before = self.basis.rows[j], self.basis.rows[:j]
        images = np.stack([part @ v for part in self.matrices]).astype(v.dtype, copy=False)
        adjoint = np.stack([(part.T @ v.conj()).conj() for part in self.matrices]).astype(v.dtype, copy=False)
        # All products with the basis at once: one read of its memory. The short side is conjugated, never the long one.
        products = before @ np.concatenate([images.conj(), adjoint.conj()]).T
        Q = len(images)
        self.galerkin[:, :j, j] = products[:, :Q].conj().T  # v_iᴴ A v_j
        self.galerkin[:, j, :j] = products[:, Q:].T  # v_jᴴ A v_i = (Aᴴ v_j)ᴴ v_i
        self.galerkin[:, j, j] = images @ v.conj()
        for columns, coordinates in zip(self.columns, self._expand(images), strict=True):
            columns.append(coordinates)
        return True

    def tensors(self) -> Tensors:
        """The reduced tensors of what there is."""
        E, d, shape = self.directions.count, self.basis.count, (len(self.system.right), *self.system.columns)
        right = np.stack([_padded(c, E) for c in self.columns_right], axis=1).reshape(E, *shape)
        products = (self.vectors.conj() @ self.basis.rows.T).conj()
        galerkin_right = np.ascontiguousarray(np.moveaxis(products.reshape(*shape, d), -1, 1))
        return Tensors(self.factor, right, self.galerkin[:, :d, :d].copy(), galerkin_right, self.system.noise)

    @property
    def factor(self) -> Array:
        """Coordinates of every ``A_q v_j`` in the directions, ``(E, Q, d)``."""
        factor = np.zeros((self.directions.count, len(self.columns), self.basis.count), self.basis.all.dtype)
        for q, columns in enumerate(self.columns):
            for j, column in enumerate(columns):
                factor[: len(column), q, j] = column
        return factor

    def _expand(self, K: Array) -> list[Array]:
        """Coordinates of the rows of K in the directions, which grow by what is new in them."""
        sizes, coordinates = self._sizes(K), np.zeros((len(K), self.directions.count), K.dtype)
        for _ in range(2):  # twice is enough (Giraud, Langou & Rozložník 2005, doi:10.1016/j.camwa.2005.08.009)
            H = (self.images.rows @ K.conj().T).conj().T
            K, coordinates = K - H @ self.directions.rows, coordinates + H
        return [self._append(*each) for each in zip(K, coordinates, sizes, strict=True)]

    def _append(self, k: Array, coordinates: Array, size: float) -> Array:
        """Make a direction of what is left of a vector that was ``size`` long; returns all its coordinates."""
        old, before = len(coordinates), np.linalg.norm(k)
        coordinates = np.append(coordinates, np.zeros(self.directions.count - old, k.dtype))
        for start in (old, 0):  # those that the same block has added; and all, when little is left by that
            if start == old or np.linalg.norm(k) < LITTLE * before:
                h = (self.images.rows[start:] @ k.conj()).conj()
                k = k - h @ self.directions.rows[start:]
                coordinates[start:] += h
        z = k if self.riesz is None else self.riesz(k)
        rest = np.sqrt(abs(np.vdot(k, z)))
        if not rest > ROUNDING * size:
            return coordinates
        self.directions.append(k / rest)
        if self.images is not self.directions:
            self.images.append(z / rest)
        return np.append(coordinates, rest)

    def _sizes(self, K: Array) -> Array:
        images = K if self.riesz is None else np.stack([self.riesz(k) for k in K]) if len(K) else K
        sizes: Array = np.sqrt(np.abs((K.conj() * images).sum(-1)))
        return sizes


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


class Basis(Rows):
    """Orthonormal rows."""

    def grow(self, x: Array) -> bool:
        """Append what is new in x; False when that is nothing but rounding."""
        if self.count == len(self.all):  # as many as unknowns: there is nothing else
            return False
        v, size = x.astype(self.all.dtype), np.linalg.norm(x)
        for _ in range(2):
            v = v - (self.rows @ v.conj()).conj() @ self.rows
        rest = np.linalg.norm(v)
        if not rest > DEPENDENT * size:
            return False
        self.append(v / rest)
        return True


def _padded(column: Array, length: int) -> Array:
    full = np.zeros(length, column.dtype)
    full[: len(column)] = column
    return full
