"""The law of answers: what a query writes in place is what the operation presents."""

from __future__ import annotations

from typing import Any

import numpy as np

from neumatc.arrays import Array, real_dtype
from neumatc.direct import Writer
from neumatc.layout import stored_as
from neumatc.operations import Operation
from neumatc.surrogate import Surrogate

from .require import require

ROUNDING = 1e4
"""Units in the last place by which two ways to the same answer may differ."""


def law_settled_is_presented(operation: Operation, A: Array, rng: np.random.Generator) -> None:
    """``settle`` of the parts in memory is ``present(canonical(F))``, from any representative F."""
    F = operation.gauge.move(operation.exact(A), rng)
    layout = stored_as(F, operation.unknowns, operation.storage(operation.given(A), F))
    C = layout.pack(F, np.empty((len(A), layout.size), np.result_type(*F.values())))
    no_curve: Any = None
    writer = Writer.of(Surrogate(C, no_curve, layout), operation, ())
    if writer is None:
        return
    memory = writer.fresh(len(A))
    writer.write(np.eye(len(A), dtype=real_dtype(C.dtype)), memory)  # slices are the results themselves
    found, wanted = writer.settled(memory), operation.present(operation.canonical(layout.unpack(C)))
    law = "settle(parts) must be present(canonical(F)), arrays in the same order."
    pairs = list(zip(_arrays(found), _arrays(wanted), strict=True))
    require(type(found) is type(wanted), law, f"{type(found).__name__} for {type(wanted).__name__}")
    for one, other in pairs:
        same = one.shape == other.shape and one.dtype == other.dtype
        require(same, law, f"{one.shape} {one.dtype} for {other.shape} {other.dtype}")
        difference = np.abs(one - other).max(initial=0.0)
        require(
            difference <= ROUNDING * np.finfo(C.dtype).eps * np.abs(other).max(initial=1.0),
            law,
            f"a difference of {difference:.1e}",
        )


def _arrays(value: Any) -> tuple[Array, ...]:
    return value if isinstance(value, tuple) else (value,)
