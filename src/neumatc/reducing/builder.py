"""From solutions to a reduced model: the n-sized work, done offline."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from neumatc.arrays import Array
from neumatc.reduced import AffineSystem, Tensors

from .frame import Frame

DEPENDENT = 1e-13
"""Share of a solution outside of the span below which it adds nothing but rounding."""

ROUNDING = 1e-14
"""The same for a direction of residuals."""


BLOCK = 32
"""Rows that are made orthogonal to all directions at a time: more cost memory, fewer cost reads of the directions."""


class Builder:
    """Grows the tensors of an affine system by blocks of vectors; keeps the n-sized vectors that they leave behind.

    With an energy product E the residual is measured in the dual norm ``sqrt(rᴴ E⁻¹ r)``.

    Parameters
    ----------
    system : A(p), b(p), and the norm
    capacity : most vectors of the basis; memory is taken as it is needed
    """

    def __init__(self, system: AffineSystem, capacity: int) -> None:
        self.system, self.matrices = system, system.family.matrices
        # Every column of every f_s, one after the other.
        self.vectors = np.moveaxis(system.right, 1, -1).reshape(-1, system.n).astype(system.dtype)
        self.basis = Frame(system.n, system.dtype, capacity)
        self.directions = Frame(system.n, system.dtype, system.n, system.riesz)  # of residuals
        self.galerkin = np.zeros((len(self.matrices), 0, 0), system.dtype)
        self.columns: list[list[Array]] = [[] for _ in self.matrices]
        self.columns_right = list(self.directions.expand(self.vectors, ROUNDING))

    def add(self, x: Array) -> bool:
        """Add a solution (n,); False when it lies in the span already."""
        return self.extend(x[None]) > 0

    def extend(self, X: Array, shares: float | npt.NDArray[np.float64] = DEPENDENT) -> int:
        """Add solutions, the rows of X (m, n), in one pass over the memory; returns how many were new.

        Parameters
        ----------
        shares : share of a solution below which what is new in it counts as rounding, one number or (m,)
        """
        d = self.basis.count
        self.basis.expand(X, shares)
        V = self.basis.rows[d:]
        if not len(V):
            return 0
        images = np.stack([part @ v for part in self.matrices for v in V]).astype(V.dtype, copy=False)
        self._project(V, images)
        blocks = [self.directions.expand(images[i : i + BLOCK], ROUNDING) for i in range(0, len(images), BLOCK)]
        coordinates = itertools.chain.from_iterable(blocks)
        for columns in self.columns:
            columns += [next(coordinates) for _ in V]
        return len(V)

    def tensors(self) -> Tensors:
        """The reduced tensors of what there is."""
        E, d, shape = self.directions.count, self.basis.count, (len(self.system.right), *self.system.columns)
        right = np.stack([_padded(c, E) for c in self.columns_right], axis=1).reshape(E, *shape)
        products = (self.vectors.conj() @ self.basis.rows.T).conj()
        galerkin_right = np.ascontiguousarray(np.moveaxis(products.reshape(*shape, d), -1, 1))
        return Tensors(self.factor, right, self.galerkin.copy(), galerkin_right, self.system.noise)

    @property
    def factor(self) -> Array:
        """Coordinates of every ``A_q v_j`` in the directions, ``(E, Q, d)``."""
        factor = np.zeros((self.directions.count, len(self.columns), self.basis.count), self.basis.dtype)
        for q, columns in enumerate(self.columns):
            for j, column in enumerate(columns):
                factor[: len(column), q, j] = column
        return factor

    def _project(self, V: Array, images: Array) -> None:
        """Border ``Vᴴ A_q V`` by the newest vectors V (m, n), with ``images`` (Q m, n) the products ``A_q v``."""
        Q, d, m = len(self.matrices), self.basis.count - len(V), len(V)
        adjoint = np.stack([(part.T @ v.conj()).conj() for part in self.matrices for v in V]).astype(
            V.dtype, copy=False
        )
        # All products with the basis at once: one read of its memory. The short side is conjugated, never the long one.
        products = self.basis.rows @ np.concatenate([images.conj(), adjoint.conj()]).T
        right, left = products.reshape(d + m, 2, Q, m).transpose(1, 2, 0, 3)
        galerkin = np.zeros((Q, d + m, d + m), V.dtype)
        galerkin[:, :d, :d] = self.galerkin
        galerkin[:, :, d:] = right.conj()  # v_iᴴ A v_j
        galerkin[:, d:, :d] = left[:, :d].swapaxes(1, 2)  # v_jᴴ A v_i = (Aᴴ v_j)ᴴ v_i
        self.galerkin = galerkin


def _padded(column: Array, length: int) -> Array:
    full = np.zeros(length, column.dtype)
    full[: len(column)] = column
    return full
