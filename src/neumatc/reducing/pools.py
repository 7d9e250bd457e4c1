"""Candidates for the next exact solve, ranked by the residual that the model leaves there.

For an affine system the residual is exact and costs nothing n-sized: all candidates are looked at after every solve.

Elsewhere A(p) must be assembled to look at a candidate, so few are. The smallest residual in a span can only fall when
the span grows; a residual measured once is an upper bound for good, and a candidate whose old bound is small need not
be looked at again (Hesthaven, Stamm & Zhang 2014, doi:10.1051/m2an/2013100). When it is, only the vectors that are new
since are multiplied, and a fixed sparse embedding S keeps ``S A(p) v_j`` of a few hundred numbers instead of n: at
n = 1e5 the look costs an assembly and some products, a tenth of a factorisation, and the memory is tens of megabytes;
with k right-hand sides it grows like k², since both the basis and the rows that it needs do.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any, final

import numpy as np

from neumatc.arrays import Array
from neumatc.box import Box
from neumatc.reduced import AffineModel, AffineSystem, AssembledModel, GeneralSystem, Model, System, Tensors
from neumatc.reduced.entries import unit
from neumatc.reduced.exact import Factored, size_of
from neumatc.reduced.model import lengths_of, smallest
from neumatc.sampling.designs import candidates, levels, sobol

from .builder import DEPENDENT, Builder
from .frame import Frame
from .moments import Moments

COMPARABLE = 3.0
"""Galerkin is preferred while its worst residual is within this factor of the smallest there is: its error is smaller
where A is definite, and it costs a third."""

FAR = 1e2
"""All derivatives of a solve are taken in one go while the worst residual exceeds its goal by this factor; nearer to
it, where not all may be needed, one order after the other."""

WEAK = 0.5
"""A candidate is as good as the worst when its residual is at least this share of the largest upper bound."""

NONZEROS = 8
"""Of every column of a sparse embedding."""

LOOKS = 6
"""Points at which the two projections of an assembled model are compared."""


class Pool(ABC):
    """Candidates, and the basis that grows.

    Parameters
    ----------
    points : (M, D) candidates
    basis : orthonormal rows
    """

    points: Array
    basis: Frame

    @abstractmethod
    def add(self, index: int, x: Array, factored: Factored, goal: float) -> bool:
        """Extend the basis by what an exact solve at a candidate has shown; False when there is nothing new in it.

        Parameters
        ----------
        index : of the candidate
        x : a solution (n,), or k of them (n, k)
        factored : A there
        goal : residual below which nothing more is needed
        """

    @abstractmethod
    def worst(self, free: Array) -> tuple[int, float, float]:
        """Index of the free candidate to solve next, an upper bound of all residuals, and their floor by rounding."""

    @abstractmethod
    def model(self) -> Model:
        """What is known so far, as a model."""


@final
class AffinePool(Pool):
    """All candidates, by exact residuals."""

    def __init__(self, system: AffineSystem, rng: np.random.Generator) -> None:
        self.system, self.points = system, system.box.from_unit(training_points(system.box, rng))
        self.theta, self.psi = system.theta(self.points), system.psi(self.points)
        self.builder = Builder(system, system.n)
        self.basis = self.builder.basis
        self.found = self._measured(self.builder.tensors())

    def add(self, index: int, x: Array, factored: Factored, goal: float) -> bool:
        """Also derivatives of the solution, which cost triangular solves, as far as they are needed."""
        before, tensors = self.basis.count, self.found[0]
        moments = Moments(self.system, self.points[index], x, factored)
        far = before > 0 and self.found[2][index] > FAR * goal
        for vectors, shares in [_joined(moments)] if far else moments:
            if self.builder.extend(vectors, shares):
                tensors, passed = self._projected(self.builder.tensors(), goal)
                if passed:
                    break
        grew = self.basis.count > before
        if grew:
            self.found = self._measured(tensors)
        return grew

    def worst(self, free: Array) -> tuple[int, float, float]:
        tensors, phi, residual = self.found
        index = int(np.argmax(np.where(free, residual, -1.0)))
        one = slice(index, index + 1)
        return index, float(residual[index]), _floor(tensors, phi[one], self.theta[one], self.psi[one])

    def model(self) -> Model:
        return AffineModel(self.system, self.found[0])

    def _measured(self, tensors: Tensors) -> tuple[Tensors, Array, Array]:
        return (tensors, *_residuals(tensors, self.theta, self.psi))

    def _projected(self, tensors: Tensors, goal: float) -> tuple[Tensors, bool]:
        """Galerkin projection where that is stable, the smallest residual elsewhere; whether few candidates pass."""
        few = slice(None, None, max(1, len(self.theta) // 32))
        theta, psi = self.theta[few], self.psi[few]
        kinds = tensors.with_projection("galerkin"), tensors.with_projection("residual")
        found = [_residuals(each, theta, psi) for each in kinds]
        worst = [residual.max() for _, residual in found]
        chosen = 0 if worst[0] <= COMPARABLE * worst[1] + 1e-14 else 1
        one = slice(index := int(found[chosen][1].argmax()), index + 1)
        floor = _floor(kinds[chosen], found[chosen][0][one], theta[one], psi[one])
        return kinds[chosen], bool(worst[chosen] <= max(goal, floor))


@final
class AssembledPool(Pool):
    """Few candidates at a time, by the smallest residual in an embedding of the equations."""

    def __init__(self, system: GeneralSystem, capacity: int, rng: np.random.Generator) -> None:
        self.system, self.points = system, system.box.from_unit(few_training_points(system.box, rng))
        self.basis = Frame(system.n, system.dtype, capacity)
        self.embedding = embedding(system.n, 4 * (capacity + math.prod(system.columns)), rng)
        count = len(self.points)
        # Relative to b the residual of no vector at all is one, wherever b is not zero.
        self.bounds, self.floors, self.known = np.ones(count), np.zeros(count), np.zeros(count, int)
        self.columns: list[list[Array]] = [[] for _ in range(count)]

    def add(self, index: int, x: Array, factored: Factored, goal: float) -> bool:  # noqa: ARG002 - A' is not known
        before = self.basis.count
        self.basis.expand(_columns(x), DEPENDENT)
        return self.basis.count > before

    def worst(self, free: Array) -> tuple[int, float, float]:
        while True:
            index = int(np.argmax(np.where(free, self.bounds, -1.0)))
            fresh = self.known[index] == self.basis.count
            if not fresh:
                self._look(index)
            worst = float(self.bounds[free].max())
            if fresh or self.bounds[index] >= WEAK * worst:
                return index, worst, float(self.floors[index])

    def model(self) -> Model:
        galerkin = AssembledModel(self.system, self.basis.rows, "galerkin")
        least = galerkin.with_projection("residual")
        points = self.points[np.linspace(0, len(self.points) - 1, LOOKS + 2).astype(int)[1:-1]]
        worst = [each.measured(points).residual.max() for each in (galerkin, least)]
        return galerkin if worst[0] <= COMPARABLE * worst[1] + 1e-14 else least

    def _look(self, i: int) -> None:
        """Bring the bound of one candidate up to date."""
        A, b, columns = self.system.matrix(self.points[i]), self.system.vector(self.points[i]), self.columns[i]
        columns += [self.embedding @ (A @ v) for v in self.basis.rows[len(columns) :]]
        right = self.embedding @ b.astype(self.system.dtype)
        sizes = lengths_of(right)
        sizes = np.where(sizes > 0, sizes, 1.0)
        phi, residual = smallest(np.stack(columns, axis=1), right)
        floors = unit(self.system.dtype) * size_of(A) * np.abs(phi).sum(0) / sizes
        worst = np.argmax(residual / sizes)
        self.bounds[i], self.known[i] = (residual / sizes).flat[worst], len(columns)
        self.floors[i] = floors.flat[worst]


def pool_of(system: System, samples: int, rng: np.random.Generator) -> Pool:
    """The pool for a kind of system, with room for that many exact solves."""
    if isinstance(system, AffineSystem):
        return AffinePool(system, rng)
    assert isinstance(system, GeneralSystem)
    capacity = min(samples * math.prod(system.columns), system.n) if system.columns else samples
    return AssembledPool(system, capacity, rng)


def training_points(box: Box, rng: np.random.Generator) -> Array:
    """``(M, D)`` unit points, as many as can be where looking costs nothing n-sized."""
    dimension = box.dimension
    x = sobol(2048, dimension, rng) if dimension > 3 else candidates(dimension, levels(dimension) - 1, rng)
    return _admitted(box, x)


def few_training_points(box: Box, rng: np.random.Generator) -> Array:
    """``(M, D)`` unit points, about two hundred of them."""
    dimension = box.dimension
    x = sobol(256, dimension, rng) if dimension > 3 else candidates(dimension, int(dimension == 1), rng)
    return _admitted(box, x)


def _admitted(box: Box, x: Array) -> Array:
    """Those outside of the hole."""
    outside: Array = x[~box.excluded(box.from_unit(x))]
    return outside


def embedding(n: int, rows: int, rng: np.random.Generator) -> Any:
    """A sparse sign embedding ``(rows, n)``, or the identity where that is no larger.

    Every column has `NONZEROS` entries ``±1/sqrt(NONZEROS)``, one in each block of rows; norms in a subspace of a
    quarter of the rows are kept up to a factor near one (Nelson & Nguyễn 2013, doi:10.1109/FOCS.2013.21).
    """
    from scipy import sparse

    if n <= rows:
        return sparse.eye_array(n, format="csr")
    block = -(-rows // NONZEROS)
    row = rng.integers(block, size=(NONZEROS, n)) + block * np.arange(NONZEROS)[:, None]
    sign = rng.choice([-1.0, 1.0], size=(NONZEROS, n)) / NONZEROS**0.5
    column = np.broadcast_to(np.arange(n), (NONZEROS, n))
    return sparse.csr_array((sign.ravel(), (row.ravel(), column.ravel())), shape=(block * NONZEROS, n))


def _residuals(tensors: Tensors, theta: Array, psi: Array) -> tuple[Array, Array]:
    """φ, and the residuals of the worst columns, infinite where there is no number."""
    with np.errstate(all="ignore"):  # a Galerkin matrix of an indefinite A may be all but singular
        phi = tensors.coefficients(theta, psi)
        residual, _ = tensors.worst(phi, theta, psi)
    return phi, np.where(np.isnan(residual), np.inf, residual)


def _joined(moments: Moments) -> tuple[Array, Array]:
    """All orders as one block: the memory of the basis is read once."""
    vectors, shares = zip(*moments, strict=True)
    return np.concatenate(vectors), np.concatenate(shares)


def _floor(tensors: Tensors, phi: Array, theta: Array, psi: Array) -> float:
    """What rounding may add to the residual at one point."""
    return float(np.nan_to_num(tensors.floor(phi, theta, psi)[0], nan=0.0, posinf=0.0))


def _columns(x: Array) -> Array:
    """A solution (n,), or those of all right-hand sides (n, k), as rows."""
    rows: Array = x[None] if x.ndim == 1 else x.T
    return rows
