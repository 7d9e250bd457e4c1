"""Latent equations as sums: the normal equations of a whole batch from products with constant matrices.

With ``z = (φ, t)`` the equations are a quadratic form ``r = zᵀ S z / 2`` with ``J = S z``: r and ``JᵀJ`` are linear in
the monomials ``u = (z_i z_j)``, and ``Jᵀr`` in ``z ⊗ r``. So no Jacobian is formed: a step multiplies the ``(P, B)``
monomials of a batch with matrices that are the same at all points, which is what processors are fastest at.

Points are the last axis: to pick monomials, or the entries of a symmetric matrix, is then to copy whole rows.

``JᵀJ`` as a sum loses more digits than as a product where the terms of J cancel, so pivots have to be as much larger.
``Jᵀr`` is made of the true residual where the result depends on it, and of ``JᵀJ`` where another step follows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from neumatc.arrays import Array, namespace
from neumatc.latent.reduction import Reduction
from neumatc.least import Factored, finite

HELD = 1 << 22
"""Numbers of the largest constant matrix, 32 MB: all of it is read at every step."""

TERMS = 2
"""Terms of A per unknown. Of more of them there are so many products that Jacobians take less time."""


@dataclass(frozen=True)
class Pairs:
    """Numbers i <= j of the monomials ``z_i z_j``: those of φ alone first, then φ with t, then t alone.

    Parameters
    ----------
    i, j : (P,)
    table : (w, w), where which pair stands
    within, mixed : how many are of φ alone, and of φ with t
    """

    i: Array
    j: Array
    table: Array
    within: int
    mixed: int

    @staticmethod
    def of(m: int, w: int) -> Pairs:
        i, j = np.triu_indices(w)
        order = np.argsort((i >= m).astype(int) + (j >= m), kind="stable")
        i, j, table = i[order], j[order], np.empty((w, w), int)
        table[i, j] = table[j, i] = np.arange(len(i))
        return Pairs(i, j, table, m * (m + 1) // 2, m * (w - m))


@dataclass(frozen=True)
class Normal:
    """Normal equations as sums.

    Parameters
    ----------
    unknowns : m
    first, second : (P,), the factors of the monomials
    r : (E, P), the equations
    back : (K, E), which takes r to the entries of ``Jᵀ(r ⊗ ·)`` that differ
    squares : (K', P'), which takes the last P' monomials to the entries of ``JᵀJ`` that differ
    wide : (m c,), where these stand among the entries of an m x c matrix; c variables are those that J depends on
    square : (m m,), the same for ``JᵀJ``
    sizes : (m, c), 2-norms of the terms of the columns of J
    check : (E', P), fewer equations to compare residuals by, or None for linear ones, which need no comparison
    """

    unknowns: int
    first: Any
    second: Any
    r: Any
    back: Any
    squares: Any
    wide: Any
    square: Any
    sizes: Any
    check: Any

    @staticmethod
    def of(full: Reduction, compared: Reduction) -> Normal | None:
        """``full`` are the equations, ``compared`` those to compare residuals by; None where rows are faster."""
        m, terms, linear = full.unknowns, len(full.a), full.T is None
        w, c = m + terms, terms if linear else m + terms
        pairs = Pairs.of(m, w)
        start, end = pairs.within if linear else 0, pairs.within + pairs.mixed
        entries = pairs.within if linear else end
        if terms > TERMS * m or entries * c * (c + 1) // 2 > HELD:
            return None
        S, i, j = full.form(), pairs.i[start:], pairs.j[start:]
        return Normal(
            unknowns=m,
            first=i,
            second=j,
            r=_equations(S, i, j),
            back=S[pairs.i[start:end], :, pairs.j[start:end]],
            squares=_squares(S[w - c :], pairs, m, entries),
            wide=(pairs.table[:m, w - c :] - start).ravel(),
            square=pairs.table[:m, :m].ravel(),
            sizes=np.linalg.norm(S[w - c :, :, :m], axis=1).T.copy(),
            check=None if linear else _equations(compared.form(), i, j),
        )

    def at(self, phi: Any, t: Any, last: bool, _memory: None = None) -> Sums:
        """The equations at ``phi (B, m)`` and ``t (B, Q + 1)``."""
        z = namespace(phi).concatenate([phi.T, t.T])
        return Sums(self, z, self.monomials(z), last)

    def monomials(self, z: Any) -> Any:
        """``u (P, B)`` of ``z (w, B)``."""
        u = _picked(z, self.first)
        u *= _picked(z, self.second)
        return u

    def memory(self, _phi: Any, _count: int) -> None:
        """None is needed."""

    @property
    def linear(self) -> bool:
        """Whether the equations are."""
        return self.check is None

    @property
    def numbers(self) -> int:
        """Of the largest matrix of one point."""
        return max(len(self.wide), len(self.square))

    def like(self, tensor: Any) -> Normal:
        """The same on the device of a torch tensor, or as it is for NumPy."""
        xp = namespace(tensor)
        return self if xp is np else replace(self, **{name: _there(xp, tensor, x) for name, x in vars(self).items()})


class Sums(NamedTuple):
    """Equations at B points: ``z (w, B)`` and its monomials ``u (P, B)``; ``last`` if the step is to arrive."""

    normal: Normal
    z: Any
    u: Any
    last: bool

    def size(self) -> Any:
        """``‖r‖`` by few equations, ``(B,)``."""
        r = self.normal.check @ self.u
        return (r * r).sum(0) ** 0.5

    def solution(self) -> tuple[Any, Any]:
        """The step ``(B, m)`` that is to be subtracted from φ, and whether it can be trusted ``(B,)``."""
        m = self.normal.unknowns
        if not (self.last or self.normal.linear):
            # An error of this gradient is one of the start of the next step, no more.
            N = self._matrices(len(self.normal.squares), self.normal.wide)
            factored = _factored(N[:, :m])
            return factored.solve((N * self._partners).sum(1).T / 2), factored.sound
        N = self._matrices(m * (m + 1) // 2, self.normal.square)
        factored = _factored(N, (self.normal.sizes @ abs(self._partners)).T)
        x = factored.solve(self._gradient())
        if self.normal.linear:
            x = x + factored.solve(self._moved(x)._gradient())
        return x, factored.sound & finite(x)

    def _matrices(self, entries: int, places: Any) -> Any:
        """``(m, ·, B)``, from so many of the entries that differ."""
        squares = self.normal.squares[:entries]
        packed = squares @ self.u[-squares.shape[1] :]
        return _picked(packed, places).reshape(self.normal.unknowns, -1, packed.shape[1])

    def _gradient(self) -> Any:
        """``Jᵀr (B, m)`` with the true residual."""
        packed = self.normal.back @ (self.normal.r @ self.u)
        terms = _picked(packed, self.normal.wide).reshape(self.normal.unknowns, -1, packed.shape[1])
        return (terms * self._partners).sum(1).T

    def _moved(self, x: Any) -> Sums:
        """The same after the step ``x (B, m)``."""
        m = self.normal.unknowns
        z = namespace(x).concatenate([self.z[:m] - x.T, self.z[m:]])
        return Sums(self.normal, z, self.normal.monomials(z), self.last)

    @property
    def _partners(self) -> Any:
        """The variables ``(c, B)`` that J depends on: z, or t where the equations are linear."""
        return self.z[-self.normal.sizes.shape[1] :]


def _factored(N: Any, terms: Any = None) -> Factored:
    """For symmetric ``N (m, m, B)``."""
    return Factored.of(N.swapaxes(0, 2), terms)


def _equations(S: Array, i: Array, j: Array) -> Array:
    """``(E, P)``: ``zᵀ S z / 2`` as sums of the monomials with numbers i, j."""
    return np.ascontiguousarray((np.where(i == j, 0.5, 1.0)[:, None] * S[i, :, j]).T)


def _squares(S: Array, pairs: Pairs, m: int, entries: int) -> Array:
    """``(entries, P')``: entries of ``(S z)ᵀ (S z)`` as sums of the monomials of the last c variables; S (c, E, w)."""
    c, w = len(S), S.shape[2]
    count, start = c * (c + 1) // 2, w - c
    i, j = pairs.i[-count:] - start, pairs.j[-count:] - start
    a, b = pairs.i[:entries, None], pairs.j[:entries, None]
    products = np.tensordot(S[:, :, :m], S, (1, 1))  # (c, m, c, w)
    both: Array = products[i, a, j, b] + products[j, a, i, b]
    return np.where(i == j, 0.5, 1.0) * both


def _picked(X: Any, which: Any) -> Any:
    """Rows by their numbers."""
    return X.take(which, 0) if isinstance(X, np.ndarray) else X.index_select(0, which)


def _there(xp: Any, tensor: Any, value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    return xp.as_tensor(value, dtype=tensor.dtype if value.dtype.kind == "f" else None, device=tensor.device)
