"""The sketched equations at given matrices, formed as far as they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from neumatc.arrays import Array, is_complex
from neumatc.correct.reduced import STEPS, Reduced, lengths, sound_solution
from neumatc.products import product

if TYPE_CHECKING:
    from neumatc.correct.corrector import Corrector


@dataclass(frozen=True)
class Probed:
    """The sketched equations at B given matrices: `Reduced`, of which no more is formed than is asked for.

    A residual at known φ sums the slices before it multiplies them with ``Wᴴ A``, which takes O(n k (d + k)); the
    Jacobian takes O(n k² d). Certificates want the one, corrections the other. The k1 x k2 numbers of an equation stand
    column by column in both, as they come out of a product with tall blocks of slices; in `formed` row by row.

    Parameters
    ----------
    corrector : the latent blocks
    known : per term the probed matrices, as `Sketch.known` tells them
    batch : B
    """

    corrector: Corrector
    known: list[dict[str, Any]]
    batch: int

    @cached_property
    def formed(self) -> Reduced:
        """All tensors."""
        corrector, T = self.corrector, self.corrector.quadratic
        if T is None:
            T = corrector.sketch.quadratic(self.known, corrector.unknown, corrector.complex_coefficients)
        doubled = corrector.complex_coefficients and not corrector.halves
        L = corrector.sketch.linear(self.known, corrector.unknown, doubled)
        return realified(self._constant, L, T, self.batch, corrector)

    @property
    def a(self) -> Array:
        return self.formed.a

    @property
    def L(self) -> Array:  # noqa: N802  # as in the equation
        return self.formed.L

    @property
    def T(self) -> Array | None:  # noqa: N802
        return self.formed.T

    @property
    def unique(self) -> bool:
        return self.corrector.unique

    def residual(self, phi: Array) -> Array:
        """``r(φ)``, ``(B, E)``, for ``phi (B, m)``; its numbers in any order."""
        if not self.corrector.linear:
            return self.formed.residual(phi)
        r = self._by_columns + self._linear(self.corrector.coefficients(phi))
        found: Array = np.concatenate([r.real, r.imag], -1) if self.corrector.complex_numbers else r
        return found

    def norm(self, phi: Array) -> Array:
        """Estimated relative residual, ``(B,)``."""
        return lengths(self.residual(phi))

    def step(self, phi: Array) -> Array:
        """`Reduced.step`."""
        return self.formed.step(phi)

    def solve(self, phi: Array, steps: int = STEPS) -> Array:
        """`Reduced.solve`."""
        corrector = self.corrector
        if len(phi) == self.batch == 1 and corrector.linear and corrector.halves == corrector.complex_numbers:
            columns = self._gathered(corrector.unknown_count, lambda core, _: core)
            x = sound_solution(columns, (self._by_columns + product(corrector.coefficients(phi), columns))[0])
            if x is not None:
                corrected: Array = phi - x.view(float)
                return corrected
        return self.formed.solve(phi, steps)

    @cached_property
    def _constant(self) -> Any:
        steady = self.corrector.constant
        return self.corrector.sketch.constant(self.known) if steady is None else steady

    @property
    def _by_columns(self) -> Array:
        steady = self.corrector.by_columns
        return self.corrector.sketch.by_columns(np.asarray(self._constant)) if steady is None else steady

    def _linear(self, coefficients: Array) -> Array:
        """``L φ``, ``(B, E)``, for ``coefficients (B, d)``."""

        def summed(core: Array, adjoint: bool) -> Array:
            return combined(core, coefficients.conj() if adjoint else coefficients)

        return self._gathered(len(coefficients), summed)

    def _gathered(self, count: int, chosen: Callable[[Array, bool], Array]) -> Array:
        """Linear terms probed, weighted and summed, ``(count, E)``, for the ``chosen`` sums of slices in each of them.

        ``chosen`` is told the blocks of the slices and whether their adjoints are meant.
        """
        corrector = self.corrector
        sizes = corrector.sketch.sizes
        found = np.empty((count, sum(k1 * k2 for k1, k2 in sizes)), complex if corrector.complex_numbers else float)
        terms, start = zip(self.known, corrector.unknown, corrector.sketch.splits, strict=True), 0
        for equation, (k1, k2) in zip(corrector.sketch.equations, sizes, strict=True):
            block = found[:, start : start + k1 * k2].reshape(count, k2, k1).swapaxes(1, 2)
            start += k1 * k2
            products = [
                (between(known, chosen(unknown["core"], split.first.adjoint), unknown["probed"]), known["weight"])
                for known, unknown, (_, _, split) in islice(terms, len(equation.terms))
                if split.first is not None
            ]
            weighted_sum(products, block)
        return found


def realified(a: Any, L: Any, T: Any, batch: int, corrector: Corrector) -> Reduced:
    """Real form of the sketched system: equations split into real and imaginary rows.

    A complex coefficient ``φ = u + i v`` of a slice X contributes ``u X + v (i X)``: two real coefficients, for which
    the sketch has laid two columns side by side, unless the second is i times the first.
    """
    a, L = np.asarray(a), np.asarray(L)
    T = None if T is None else np.moveaxis(np.asarray(T), -1, 1)
    if corrector.complex_numbers:
        a = np.concatenate([a.real, a.imag], -1)
        L = _parts(L, corrector.halves)
        T = None if T is None else np.concatenate([T.real, T.imag], 1)
    a, L = np.broadcast_to(a, (batch, *a.shape[1:])), np.broadcast_to(L, (batch, *L.shape[1:]))
    return Reduced(a, L.swapaxes(-1, -2), T, corrector.unique)


def _parts(L: Array, turned: bool) -> Array:
    """Real and imaginary parts of ``L (M, d, E)`` side by side; where ``turned``, those of i L in a row below."""
    M, d, E = L.shape
    rows = np.empty((M, d, 2 if turned else 1, 2, E))
    rows[:, :, 0, 0], rows[:, :, 0, 1] = L.real, L.imag
    if turned:
        rows[:, :, 1, 0], rows[:, :, 1, 1] = -L.imag, L.real
    return rows.reshape(M, -1, 2 * E)


def combined(core: Array, coefficients: Array) -> Array:
    """``Σ_j φ_j core_j``, ``(B, rows, columns)``, for ``core (d, rows, columns)`` and ``coefficients (B, d)``."""
    # In the order in which the blocks lie, so that they are read once and not copied.
    turned = not core.flags.c_contiguous
    blocks = core.swapaxes(1, 2) if turned else core
    sums = product(coefficients, blocks.reshape(len(blocks), -1))
    found: Array = sums.reshape(len(coefficients), *blocks.shape[1:])
    return found.swapaxes(1, 2) if turned else found


def between(known: dict[str, Any], X: Array, probed: tuple[bool, bool]) -> Any:
    """``Wᴴ S X T Z``, ``(B, k1, k2)``, for matrices S and T of one term, and ``X (B, ...)`` that is probed or not."""
    if probed == (False, True) and len(known["left"]) < len(X):
        # One product for all X, the long side last, which is twice as fast on a CPU.
        left, (count, n, k2) = known["left"][0], X.shape
        rows = X.swapaxes(1, 2).reshape(count * k2, n)
        columns = product(rows, np.ascontiguousarray(left.T)) if is_complex(rows.dtype) else rows @ left.T
        return columns.reshape(count, k2, len(left)).swapaxes(1, 2)
    X = X if probed[0] else known["left"] @ X
    return X if probed[1] else X @ known["right"]


def weighted_sum(products: list[tuple[Any, float]], out: Array) -> None:
    """``Σ weight · product`` into ``out``; of one product in one pass."""
    if not products:
        out[...] = 0.0
        return
    np.multiply(*products[0], out=out)
    for other, weight in products[1:]:
        out += weight * other
