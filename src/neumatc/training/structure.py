"""Structure consistency in coefficients: ``‖R(q)‖²`` at many stations, by numbers whose size does not depend on n.

Coefficients c stand for factors ``Σ_i c_i Q_i`` with fixed slices Q. At a station q the (sketched) equations become

    r_q(c) = a_q + L_q c + T_q(c, c),    ‖r_q(c)‖² = ‖R(q)‖_F² / scale²  (in the mean over the probes),

exactly so where the probes are identities. Where every equation is linear, a QR factor of ``[L_q a_q]`` holds all of
it: ``‖r_q(c)‖ = ‖R_q (c, 1)‖`` with R_q of size m + 1. The factor and not the Gram matrix
``T_q[i, j] = <A Q_i, A Q_j>``, which would square the condition number. Everything is differentiable in c.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import torch

from neumatc.equations import Equation, Values
from neumatc.gauge import Factors
from neumatc.sketch import Sketch

Tensor: TypeAlias = torch.Tensor

RIGHT, FEWEST = 16, 4
"""Probes on the right, and fewest on the left."""

PER_UNKNOWN = 10
"""Numbers per unknown in all equations together; below five some directions are hardly seen."""


@dataclass(frozen=True)
class Product:
    """One product of two unknowns, probed: ``w (K_l X(c)) K_b (Y(c) K_r)`` with given K where one stands there."""

    first: Tensor
    second: Tensor
    left: Tensor | None
    between: Tensor | None
    right: Tensor | None
    weight: float

    def __call__(self, c: Tensor) -> Tensor:
        X, Y = combined(c, self.first), combined(c, self.second)
        X = X if self.left is None else self.left @ X
        Y = Y if self.right is None else Y @ self.right
        Y = Y if self.between is None else self.between @ Y
        return (self.weight * (X @ Y)).flatten(1)

    def at(self, stations: Tensor) -> Product:
        left, between, right = (_at(K, stations) for K in (self.left, self.between, self.right))
        return replace(self, left=left, between=between, right=right)

    @property
    def moves(self) -> bool:
        """Whether a given matrix inside changes with p."""
        return any(K is not None for K in (self.left, self.between, self.right))


@dataclass(frozen=True)
class Form:
    """The same product as a quadratic form ``Σ_{i<=j} c_i c_j T_ij``: cheaper where the inner dimension is long."""

    T: Tensor
    i: Tensor
    j: Tensor

    def __call__(self, c: Tensor) -> Tensor:
        pairs = c[:, self.i] * c[:, self.j]
        if not self.T.is_complex():
            return pairs @ self.T
        return torch.view_as_complex((pairs @ torch.view_as_real(self.T).flatten(1)).reshape(len(c), -1, 2))

    def at(self, stations: Tensor) -> Form:
        del stations
        return self


@dataclass(frozen=True)
class Structure:
    """Squared relative residual of stations as a function of their coefficients.

    Parameters
    ----------
    L : (M, m, E'), transposed so that a product reads it row by row; of the equations with terms linear in c, which
        come first
    a : (M, E), constants of all equations
    products : per equation the products of two unknowns in it
    sizes : complex numbers of each equation
    """

    L: Tensor
    a: Tensor
    products: tuple[tuple[Product | Form, ...], ...]
    sizes: tuple[int, ...]

    def __call__(self, c: Tensor) -> Tensor:
        """``(B,)`` for coefficients ``c (B, m)`` of all stations in order."""
        r = torch.bmm(c[:, None], self.L)[:, 0]
        if r.shape[1] < self.a.shape[1]:
            r = torch.nn.functional.pad(r, (0, self.a.shape[1] - r.shape[1]))
        r = r + self.a
        if any(self.products):
            r = r + realified(self._quadratic(c))
        squares: Tensor = torch.linalg.vecdot(r, r)
        return squares

    def at(self, stations: Tensor) -> Structure:
        """The same for some stations only."""
        products = tuple(tuple(p.at(stations) for p in terms) for terms in self.products)
        return Structure(self.L[stations], self.a[stations], products, self.sizes)

    def _quadratic(self, c: Tensor) -> Tensor:
        parts = []
        for terms, size in zip(self.products, self.sizes, strict=True):
            values = [p(c) for p in terms]
            parts.append(sum(values[1:], values[0]) if values else c.new_zeros((len(c), size)))
        return torch.cat(parts, -1)


def counts(unknowns: int, equations: int, probes: int | None) -> tuple[int, int]:
    """Probes (left, right): as many as were asked for, or enough for `PER_UNKNOWN` numbers per unknown."""
    if probes is not None:
        return probes, probes
    return max(FEWEST, math.ceil(PER_UNKNOWN * unknowns / (RIGHT * equations))), RIGHT


def structure(sketch: Sketch, slices: Factors, given: Iterable[Values], dtype: torch.dtype) -> Structure:
    """Reduce the equations at stations, whose given matrices come in batches.

    Parameters
    ----------
    sketch : probes on the device of the fit
    slices : (m, rows, columns) torch tensors
    given : the given matrices ``(B, rows, columns)`` by name, batch by batch
    dtype : of the result, float32 or float64
    """
    sketch = linear_first(sketch)
    unknown = sketch.unknown(slices)
    linear = all(equation.linear for equation in sketch.equations)
    first = sum(_has_linear(equation) for equation in sketch.equations)
    sizes = tuple(p.left.shape[0] * p.right.shape[1] for p in sketch.probes)
    width = sum(sizes[:first]) * (2 if _is_complex(unknown) else 1)
    parts, blocks = [], []
    for values in given:
        known = sketch.known(values)
        L, a = realified(sketch.linear(known, unknown)), realified(sketch.constant(known))
        batch = next(iter(values.values())).shape[0]
        L, a = L.expand(batch, -1, -1), a.expand(batch, -1)
        L, a = _compressed(L, a) if linear else (L[:, :, :width], a)
        parts.append((L.to(dtype).contiguous(), a.to(dtype)))
        blocks.append(known)
    L, a = (torch.cat(each) for each in zip(*parts, strict=True))
    return Structure(L, a, _products(sketch, unknown, blocks, dtype), sizes)


def linear_first(sketch: Sketch) -> Sketch:
    """The same sketch with the equations that have linear terms in front: the others need no L."""
    order = sorted(range(len(sketch.equations)), key=lambda e: not _has_linear(sketch.equations[e]))
    return Sketch(
        tuple(sketch.equations[e] for e in order),
        tuple(sketch.probes[e] for e in order),
        tuple(sketch.scales[e] for e in order),
    )


def combined(c: Tensor, X: Tensor) -> Tensor:
    """``Σ_i c_i X_i``, ``(B, rows, columns)``, for real c."""
    if not X.is_complex():
        return (c @ X.flatten(1)).reshape(len(c), *X.shape[1:])
    flat = c @ torch.view_as_real(X.resolve_conj()).flatten(1)
    return torch.view_as_complex(flat.reshape(len(c), *X.shape[1:], 2))


def realified(x: Tensor) -> Tensor:
    """Real and imaginary parts in turn in the last axis."""
    return torch.view_as_real(x.resolve_conj().contiguous()).flatten(-2) if x.is_complex() else x


def _has_linear(equation: Equation) -> bool:
    return any(len(term.unknowns) == 1 for term in equation.terms)


def _is_complex(unknown: list[dict[str, Any]]) -> bool:
    block = next(u for u in unknown if u)
    return bool((block["core"] if "core" in block else block["left"]).is_complex())


def _compressed(L: Tensor, a: Tensor) -> tuple[Tensor, Tensor]:
    """``L (M, m, E)`` and ``a (M, E)`` with ``‖L_qᵀ c + a_q‖`` as before, and E at most m + 1."""
    rows = torch.cat([L, a[:, None]], 1).mT
    if rows.shape[1] <= rows.shape[2]:
        return L, a
    R = torch.linalg.qr(rows, mode="r").R
    return R[:, :, :-1].mT, R[:, :, -1]


def _products(sketch: Sketch, unknown: Any, blocks: Any, dtype: torch.dtype) -> tuple[tuple[Product | Form, ...], ...]:
    owners = [e for e, equation in enumerate(sketch.equations) for _ in equation.terms]
    products: list[list[Product | Form]] = [[] for _ in sketch.equations]
    for term, (owner, u) in enumerate(zip(owners, unknown, strict=True)):
        if "left" in u:
            products[owner].append(_cheaper(_product(u, [known[term] for known in blocks], dtype)))
    return tuple(map(tuple, products))


def _product(u: dict[str, Any], known: Sequence[dict[str, Any]], dtype: torch.dtype) -> Product:
    left_done, right_done = u["probed"]
    return Product(
        first=_as(u["left"], dtype),
        second=_as(u["right"], dtype),
        left=None if left_done else _as(_joined([k["left"] for k in known]), dtype),
        between=None if known[0]["between"] is None else _as(_joined([k["between"] for k in known]), dtype),
        right=None if right_done else _as(_joined([k["right"] for k in known]), dtype),
        weight=float(known[0]["weight"]),
    )


def _cheaper(product: Product) -> Product | Form:
    """As a form, where that takes fewer multiplications than the product itself."""
    m, k1, inner = product.first.shape
    k2 = product.second.shape[2]
    if product.moves or (m + 1) * k1 * k2 > 2 * (k1 + k2) * inner:
        return product
    i, j = torch.triu_indices(m, m, device=product.first.device)
    X, Y = product.first, product.second
    T = (X.reshape(m * k1, inner) @ Y.transpose(0, 1).reshape(inner, m * k2)).reshape(m, k1, m, k2).transpose(1, 2)
    T = product.weight * (T + T.transpose(0, 1))[i, j].flatten(1)
    T[i == j] /= 2
    return Form(T, i, j)


def _joined(values: Sequence[Tensor]) -> Tensor:
    """Blocks of all batches; one that does not follow p is the same in each."""
    return torch.cat(tuple(values)) if values[0].ndim == 3 else values[0]


def _at(K: Tensor | None, stations: Tensor) -> Tensor | None:
    return K if K is None or K.ndim < 3 else K[stations]


def _as(x: Tensor, dtype: torch.dtype) -> Tensor:
    """In the wanted precision, real or complex as it is."""
    x = x.resolve_conj()
    return x.to(dtype.to_complex() if x.is_complex() else dtype).contiguous()
