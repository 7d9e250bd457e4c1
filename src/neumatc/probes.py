"""Probes: random matrices that stand for all directions at once.

Gaussian, never Rademacher: a sign vector can be blind to a residual for good.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neumatc.arrays import Array, is_complex, namespace
from neumatc.equations import Symbol, Values
from neumatc.operations.lapack import condition
from neumatc.products import thin

MANY = 100
"""Unknowns from which residuals, too, have so many directions that more right probes pay."""


@dataclass(frozen=True)
class Probes:
    """Left and right probes of one equation; identity (and exact) where a side is no longer than the probe count."""

    left: Any
    right: Any
    weight: float

    @staticmethod
    def draw(rows: int, columns: int, counts: tuple[int, int], dtype: Any, rng: np.random.Generator) -> Probes:
        """``left (k1, rows)`` is already the adjoint; ``right (columns, k2)``; ``weight = 1/sqrt(k1 k2)``."""
        left, left_count = _probe(counts[0], rows, dtype, rng)
        right, right_count = _probe(counts[1], columns, dtype, rng)
        return Probes(left, right.T.copy(), 1.0 / float(np.sqrt(left_count * right_count)))

    def like(self, tensor: Any) -> Probes:
        """The same probes in the array library of ``tensor``."""
        xp = namespace(tensor)
        if xp is np:
            return self
        left, right = (xp.as_tensor(x, device=tensor.device) for x in (self.left, self.right))
        return Probes(left, right, self.weight)


def probe_counts(
    unknowns: int, known: Mapping[str, Any], columns: int | None = None, doubled: bool = False
) -> tuple[int, int]:
    """Probes (left, right) for at least five equations per unknown.

    ``columns`` are those of all residuals together: where they are fewer than the right probes, as for one right-hand
    side, left probes make up for them.

    Residuals of an ill-conditioned or rectangular A gather in few directions on the right, so that right probes are
    worth more than left ones there: with 16 x 40 the corrected answer is within 1.3 of the best of the span where
    24 x 16 leaves a factor of two (measured on channels of condition 2e4). With many unknowns the same holds for any
    A: 24 x 64 is within 1.4 in two parameters with 125 of them, 40 x 16 within 1.65.

    With ``doubled`` the unknowns are real and the equations complex, so that each is worth two, and each probe has two
    degrees of freedom: half of the left ones will do where A is well-conditioned. They are a multiple of four, which is
    the width of a complex product, and right ones make up for it.
    """
    fewest_left, right = (24, 64 if unknowns > MANY else 16)
    if _ill_conditioned(next(iter(known.values()))):
        fewest_left, right, doubled = 16, 40, False
    elif doubled:
        fewest_left, unknowns = fewest_left // 2, math.ceil(unknowns / 2)
    seen = right if columns is None else min(right, columns)
    left = max(fewest_left, math.ceil(5 * unknowns / seen))
    fours = left - left % 4
    more = max(right, math.ceil(5 * unknowns / fours))
    return (fours, more) if doubled and (columns is None or more <= columns) else (left, right)


def _ill_conditioned(A: Array) -> bool:
    square = A.shape[-1] == A.shape[-2]
    return not square or not condition(A[0]) < 1e3


def _probe(count: int, size: int, dtype: Any, rng: np.random.Generator) -> tuple[Array, int]:
    if count >= size:
        return np.eye(size, dtype=dtype), 1
    return gaussian((count, size), dtype, rng), count


def gaussian(shape: tuple[int, ...], dtype: Any, rng: np.random.Generator) -> Array:
    """Standard normal numbers, ``E |z|² = 1``, real or complex as ``dtype``."""
    if not is_complex(dtype):
        return rng.standard_normal(shape)
    pairs = rng.standard_normal((*shape, 2)) * np.sqrt(0.5)
    numbers: Array = pairs.view(np.complex128)[..., 0]
    return numbers


def from_left(left: Any, symbols: Sequence[Symbol], values: Values) -> Any:
    """``Wᴴ S_1 S_2 …``, ``(k1, columns)`` or ``(B, k1, columns)``, for ``left (k1, rows)``."""
    for symbol in symbols:
        left = _left_of(symbol, left, values)
    return left


def from_right(symbols: Sequence[Symbol], right: Any, values: Values) -> Any:
    """``S_1 S_2 … Z``, ``(rows, k2)`` or ``(B, rows, k2)``, for ``right (columns, k2)``."""
    for symbol in reversed(symbols):
        right = _right_of(symbol, right, values)
    return right


def whole(symbols: Sequence[Symbol], values: Values) -> Any:
    """``S_1 S_2 …``, ``(B, rows, columns)``; None for no matrix at all."""
    if not symbols:
        return None
    product = symbols[0].value(values)
    for symbol in symbols[1:]:
        product = product @ symbol.value(values)
    return product


def _left_of(symbol: Symbol, left: Any, values: Values) -> Any:
    """``Wᴴ S``, without an adjoint that is formed."""
    A = values[symbol.name]
    if symbol.function or namespace(A) is not np:
        return left @ symbol.value(values)
    if symbol.adjoint:
        return (A @ left.conj().swapaxes(-1, -2)).conj().swapaxes(-1, -2)
    return thin(left, A)


def _right_of(symbol: Symbol, right: Any, values: Values) -> Any:
    A = values[symbol.name]
    if symbol.function or not symbol.adjoint or namespace(A) is not np:
        return symbol.value(values) @ right
    return (A.swapaxes(-1, -2) @ right.conj()).conj()
