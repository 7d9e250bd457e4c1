"""Nearest sample and one iterative step: no map at all, but A(p) at every query."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, final

import numpy as np

from neumatc.arrays import Array
from neumatc.gauge import Factors
from neumatc.operations import Inverse, Operation, Refinable

from .bench import Baseline, Bench, Ready, kept
from .nodes import centres, tabulated


@final
class NearestSample(Baseline):
    """Start from the exact factors at the nearest sample and improve them once with the true A(p).

    For the inverse one Newton-Schulz step ``X <- X (2 I - A X)``, which squares ``‖I - A X‖`` (Schulz 1933,
    doi:10.1002/zamm.19330130111); otherwise the step that the operation itself states.
    """

    name: ClassVar[str] = "nearest"
    title: ClassVar[str] = "the nearest sample and one iterative step"

    def absent(self, bench: Bench) -> str | None:
        """There must be a step."""
        operation = bench.problem.operation
        return None if step_of(operation) else f"`{operation.name}` states no iterative step"

    def prepare(self, bench: Bench) -> Ready:
        """Solve in the middles of equal cells and keep everything."""
        x = centres(bench.count, bench.dimension) if bench.table is None else tabulated(bench.table, bench.count)
        solved = bench.solved(x)
        operation, box = solved.problem.operation, solved.problem.box
        step = step_of(operation)
        assert step is not None
        stored = {name: X.astype(kept(X.dtype, bench.dtype)) for name, X in solved.F.items()}

        def factors(at: Array, A: Array) -> Factors:
            nearest = ((at[:, None] - x) ** 2).sum(-1).argmin(1)
            return operation.canonical(step(A, {name: X[nearest] for name, X in stored.items()}))

        def ask(p: Array, A: Array) -> Any:
            return operation.present(factors(box.to_unit(p), A))

        return Ready(
            factors=factors,
            alone=ask,
            batch=ask,
            offline_seconds=solved.seconds,
            built=len(x),
            exact_solves=len(x),
            nbytes=sum(X.nbytes for X in stored.values()),
            needs_matrix=True,
            note="Newton-Schulz" if isinstance(operation, Inverse) else "the operation's own step",
        )


def step_of(operation: Operation) -> Callable[[Any, Factors], Factors] | None:
    """The iterative step of an operation, NumPy factors in and out, or None."""
    if isinstance(operation, Inverse):
        return _newton_schulz
    return operation.refine if isinstance(operation, Refinable) else None


def _newton_schulz(A: Array, F: Factors) -> Factors:
    X = F["X"]
    left_over = -(A @ X)
    places = np.arange(X.shape[-1])
    left_over[..., places, places] += 2
    return {"X": X @ left_over}
