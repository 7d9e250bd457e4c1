"""Krylov subspaces recycled along p: GCRO-DR(m, k) with ILU(0), ours, and SciPy's GCROT(m, k) as a second column.

No package on PyPI has GCRO-DR: KryPy has deflated and recycling MINRES and GMRES of another kind and does not import
with today's SciPy, PyAMG has no recycling. Hence this one.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, final

import numpy as np
import scipy.linalg
from scipy.sparse.linalg import LinearOperator, gcrotmk

from benchmarks.baselines.base import Answer, Baseline, Family, Solver, adjoint
from benchmarks.baselines.ilu import Pattern
from neumatc.arrays import Array
from neumatc.errors import InputError

__all__ = ["GCRODR", "GCROT", "Recycled", "gcrodr"]

Operator = Callable[[Array], Array]


@dataclass(frozen=True)
class Recycled:
    """A solution of ``K t = b``, and what the next system may reuse.

    Parameters
    ----------
    t : (n,).
    space : U (n, k), approximate harmonic Ritz vectors, or None.
    products : with K, those that recycling itself costs included.
    residual : ``‖b - K t‖ / ‖b‖``.
    """

    t: Array
    space: Array | None
    products: int
    residual: float


def gcrodr(K: Operator, b: Array, r: Array, space: Array | None, m: int, k: int, tol: float, most: int) -> Recycled:
    """Solve ``K t = r`` until ``‖r - K t‖ <= tol ‖b‖``: algorithm GCRO-DR of Parks et al. (2006), appendix.

    Parameters
    ----------
    K : the preconditioned operator ``A M⁻¹``.
    b, r : right-hand side, whose norm the tolerance refers to, and the residual to begin with.
    space : U of the system before, or None.
    m, k : largest dimension of the search space, and of the recycled part of it.
    most : products with K, after which the best is returned as it is.
    """
    goal, t, products = tol * float(np.linalg.norm(b)), np.zeros_like(r), 0
    if np.linalg.norm(r) <= goal:
        return Recycled(t, space, 0, float(np.linalg.norm(r) / np.linalg.norm(b)))
    if k == 0:
        space = None
    if space is not None:
        # The operator has changed: K U is formed afresh and made orthonormal, U follows.
        C, R = np.linalg.qr(np.stack([K(u) for u in space.T], axis=1))
        space, products = _divided(space, R), space.shape[1]
        known = _against(C, r)
        t, r = t + space @ known, r - C @ known
    else:
        C = np.zeros((len(b), 0), b.dtype)
    while np.linalg.norm(r) > goal and products < most:
        U = np.zeros((len(b), 0), b.dtype) if space is None else space
        V, B, H = _arnoldi(K, r, C, m - C.shape[1], goal)
        products += H.shape[1]
        # K [U D, V_j] = [C, V_{j+1}] G, with D scaling the columns of U to norm one.
        D = 1 / np.linalg.norm(U, axis=0)
        G = np.block([[np.diag(D), B], [np.zeros((H.shape[0], len(D))), H]])
        left, right = np.hstack([C, V]), np.hstack([U * D, V[:, : H.shape[1]]])
        y = np.linalg.lstsq(G, _against(left, r), rcond=None)[0]
        t, r = t + right @ y, r - left @ (G @ y)
        if k:
            P = _harmonic(G, adjoint(left) @ right, k)
            Q, R = np.linalg.qr(G @ P)
            C, space = left @ Q, _divided(right @ P, R)
    return Recycled(t, space, products, float(np.linalg.norm(r) / np.linalg.norm(b)))


def _arnoldi(K: Operator, r: Array, C: Array, steps: int, goal: float) -> tuple[Array, Array, Array]:
    """Return V (n, j + 1), B = Cᴴ K V_j and H (j + 1, j) of ``(I - C Cᴴ) K V_j = V_{j+1} H``; early when r is gone."""
    size = np.linalg.norm(r)
    V = np.zeros((len(r), steps + 1), r.dtype, order="F")  # columns are what is read
    B, H = np.zeros((C.shape[1], steps), r.dtype), np.zeros((steps + 1, steps), r.dtype)
    V[:, 0] = r / size
    for j in range(steps):
        w = K(V[:, j])
        before = np.linalg.norm(w)
        for _ in range(2):  # classical Gram-Schmidt, twice, is as good as modified and made of matrix products
            part, known = _against(C, w), _against(V[:, : j + 1], w)
            w = w - C @ part - V[:, : j + 1] @ known
            B[:, j] += part
            H[: j + 1, j] += known
        H[j + 1, j] = np.linalg.norm(w)
        if abs(H[j + 1, j]) <= 1e-14 * before:
            return V[:, : j + 2], B[:, : j + 1], H[: j + 2, : j + 1]
        V[:, j + 1] = w / H[j + 1, j]
        if _least(H[: j + 2, : j + 1]) * size <= goal:
            break
    return V[:, : j + 2], B[:, : j + 1], H[: j + 2, : j + 1]


def _against(V: Array, w: Array) -> Array:
    """Return ``Vᴴ w`` without a conjugate copy of V."""
    found: Array = (w.conj() @ V).conj()
    return found


def _least(H: Array) -> float:
    """Return ``min_y ‖e_1 - H y‖``, the residual of GMRES."""
    Q = np.linalg.qr(H, mode="complete")[0]
    return float(abs(Q[0, -1]))


def _harmonic(G: Array, gram: Array, k: int) -> Array:
    """Return coefficients P of the k smallest harmonic Ritz vectors: ``Gᴴ G z = θ Gᴴ (Wᴴ V) z``.

    For a real system a conjugate pair is replaced by its real and imaginary parts, and never cut apart.
    """
    theta, Z = scipy.linalg.eig(adjoint(G) @ G, adjoint(G) @ gram)
    order = np.argsort(np.where(np.isfinite(theta), np.abs(theta), np.inf), kind="stable")
    if np.iscomplexobj(G):
        return np.linalg.qr(Z[:, order[:k]])[0]
    columns: list[Array] = []
    for i in order:
        upper = theta[i].imag > 0 or not theta[i].imag
        new = ([Z[:, i].real] + ([Z[:, i].imag] if theta[i].imag else [])) if upper else []
        if len(columns) + len(new) > k:
            break
        columns += new
    return np.linalg.qr(np.stack(columns, axis=1))[0] if columns else np.eye(len(G[0]), 1)


def _divided(U: Array, R: Array) -> Array:
    """Return ``U R⁻¹``."""
    found: Array = scipy.linalg.solve_triangular(R, U.T, trans="T").T
    return found


@dataclass(frozen=True)
class _System:
    """``A x = b`` at one p, with its preconditioner."""

    A: Any
    M: Any
    b: Array

    def __call__(self, v: Array) -> Array:
        """Return ``A M⁻¹ v``: preconditioned from the right, so that the residual is the true one."""
        product: Array = self.A @ self.M.solve(v)
        return product


def _systems(family: Family, points: Sequence[float]) -> Iterator[_System]:
    """Yield the systems along p. The pattern is that of a first point, with an entry wherever the family has one."""
    pattern = None
    for p in points:
        A = family(p).tocsr()
        pattern = pattern or Pattern.of(A)
        yield _System(A, pattern.factorise(A), family.rhs)


@final
@dataclass(frozen=True)
class GCRODR(Baseline):
    """GCRO-DR(m, k) on ``A M⁻¹`` with ILU(0) M of A(p), started from the solution at the point before.

    k harmonic Ritz vectors for the smallest Ritz values are carried through restarts and from p to p: what GMRES is
    slow to remove is known before the first iteration.

    Parameters
    ----------
    m, k : as in the article, whose experiments take GCRO-DR(40, 20). With k = 0 it is restarted GMRES(m).
    tol : relative residual ``‖A x - b‖ / ‖b‖``. Table 11 of the NeuMatC paper has 1.1e-3.
    most : products with A(p) per system.
    warm : whether to start from the solution at the point before.

    References
    ----------
    Parks, de Sturler, Mackey, Johnson & Maiti (2006), doi:10.1137/040607277; ILU(0): Meijerink & van der Vorst (1977),
    doi:10.1090/S0025-5718-1977-0438681-4.
    """

    name: ClassVar[str] = "GCRO-DR"
    source: ClassVar[str] = "10.1137/040607277"
    operation: ClassVar[str] = "solve"
    sweeps: ClassVar[bool] = True

    m: int = 40
    k: int = 20
    tol: float = 1e-8
    most: int = 2000
    warm: bool = True

    def __post_init__(self) -> None:
        """Check what the caller chose."""
        if not 0 <= self.k < self.m:
            raise InputError(
                f"GCRO-DR(m, k) needs 0 <= k < m, but came m={self.m!r}, k={self.k!r}. "
                "k vectors of a search space of dimension m are recycled, the others are new. Choose m = 40, k = 20."
            )

    def prepare(self, family: Family) -> Solver:
        return lambda points: self._answers(family, points)

    def _answers(self, family: Family, points: Sequence[float]) -> Iterator[Answer]:
        space, x = None, np.zeros_like(family.rhs)
        for system in _systems(family, points):
            x = x if self.warm else np.zeros_like(x)
            r = system.b - system.A @ x
            found = gcrodr(system, system.b, r, space, self.m, self.k, self.tol, self.most)
            space, x = found.space, x + system.M.solve(found.t)
            yield Answer({"x": x}, found.products, found.residual <= self.tol)


@final
@dataclass(frozen=True)
class GCROT(Baseline):
    """``scipy.sparse.linalg.gcrotmk``, which recycles by GCROT's truncation, with the same preconditioner and start.

    It is flexible GCROT(m, k) of Hicken & Zingg (2010), another rule for what to keep; parameters as in `GCRODR`.
    """

    name: ClassVar[str] = "GCROT(m, k), SciPy"
    source: ClassVar[str] = "10.1137/090754674"
    operation: ClassVar[str] = "solve"
    sweeps: ClassVar[bool] = True

    m: int = 20
    k: int = 20
    tol: float = 1e-8
    most: int = 2000

    def prepare(self, family: Family) -> Solver:
        return lambda points: self._answers(family, points)

    def _answers(self, family: Family, points: Sequence[float]) -> Iterator[Answer]:
        carried: list[Any] = []
        x = np.zeros_like(family.rhs)
        for system in _systems(family, points):
            count = [0]
            A = LinearOperator(system.A.shape, partial(_counted, system.A, count), dtype=system.b.dtype)
            M = LinearOperator(system.A.shape, system.M.solve, dtype=system.b.dtype)
            options = {"m": self.m, "k": self.k, "CU": carried, "discard_C": True, "maxiter": self.most // self.m}
            x, failed = gcrotmk(A, system.b, x0=x, rtol=self.tol, atol=0.0, M=M, **options)
            yield Answer({"x": x}, count[0], not failed)


def _counted(A: Any, count: list[int], v: Array) -> Array:
    count[0] += 1
    product: Array = A @ v
    return product
