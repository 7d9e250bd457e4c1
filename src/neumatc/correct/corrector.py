"""What a fit keeps of its latent tensor for the correction, and how A(p) is brought in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from neumatc.arrays import Array, is_complex, namespace
from neumatc.correct.probed import Probed
from neumatc.equations import Values
from neumatc.gauge import Factors, NoGauge
from neumatc.operations import Operation
from neumatc.sketch import Sketch


@dataclass(frozen=True)
class Corrector:
    """Latent tensors of one surrogate under one set of probes; ``reduce`` brings in A(p).

    Parameters
    ----------
    sketch : the equations and their probes
    unknown : per term the probed slices
    constant, quadratic : what of ``r(φ)`` no matrix A(p) enters, or None
    complex_coefficients : whether φ is complex, and counts twice
    complex_numbers : whether the equations are complex
    unique : whether the gauge leaves no freedom
    """

    sketch: Sketch
    unknown: list[dict[str, Any]]
    constant: Any
    quadratic: Any
    complex_coefficients: bool
    complex_numbers: bool
    unique: bool

    @staticmethod
    def of(
        operation: Operation, sketch: Sketch, slices: Factors, complex_coefficients: bool, known: Values
    ) -> Corrector:
        """Precompute the blocks of the latent ``slices (d, rows, columns)``; ``known`` is any matrix of the family."""
        unknown, blocks = sketch.unknown(slices), sketch.known(known)
        splits = [split for _, _, split in sketch.splits]
        follows_p = any(split.follows_p for split in splits)
        quadratic = None if follows_p else sketch.quadratic(blocks, unknown, complex_coefficients)
        steady = not any(split.first is None and (split.before or split.after) for split in splits)
        constant = sketch.constant(blocks) if steady else None
        unique = isinstance(operation.gauge, NoGauge)
        complex_numbers = any(is_complex_like(X) for X in slices.values()) or any(
            is_complex_like(p.left) for p in sketch.probes
        )
        return Corrector(sketch, unknown, constant, quadratic, complex_coefficients, complex_numbers, unique)

    def reduce(self, values: Values) -> Probed:
        """The reduced equations at the given matrices ``(B, n1, n2)``: O(n² k) to probe A, and what is asked for."""
        return Probed(self, self.sketch.known(values), next(iter(values.values())).shape[0])

    def coefficients(self, phi: Array) -> Array:
        """``(B, d)``, of each slice, for real ``phi (B, m)``."""
        return np.ascontiguousarray(phi).view(complex) if self.complex_coefficients else phi

    @cached_property
    def by_columns(self) -> Array | None:
        """The ``constant``, its equations column by column."""
        return None if self.constant is None else self.sketch.by_columns(np.asarray(self.constant))

    @cached_property
    def unknown_count(self) -> int:
        """How many slices there are."""
        block = next(block for block in self.unknown if block)
        return len(block["core"] if "core" in block else block["left"])

    @cached_property
    def halves(self) -> bool:
        """Whether φ is complex and ``L (i φ) = i L φ``: no adjoint of a factor stands alone in a term."""
        alone = [split.first for _, _, split in self.sketch.splits if split.first is not None and split.second is None]
        return self.complex_coefficients and not any(symbol.adjoint for symbol in alone)

    @cached_property
    def linear(self) -> bool:
        """Whether no product of two factors stands in the equations."""
        return all(equation.linear for equation in self.sketch.equations)


def is_complex_like(x: Any) -> bool:
    """Whether an array of either library holds complex numbers."""
    return bool(x.is_complex()) if namespace(x) is not np else is_complex(x.dtype)
