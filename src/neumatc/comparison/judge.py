"""One judge for all: the same random points, the same exact answers, the same two measures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from neumatc.arrays import Array
from neumatc.equations import frobenius, norm
from neumatc.gauge import Factors, Gauge, NoGauge
from neumatc.operations import Followed, Operation, Selective
from neumatc.probes import gaussian
from neumatc.problem import Problem, true_residual

from .bench import Ready, pieces


@dataclass(frozen=True)
class Marks:
    """Relative error and relative residual of a method at every point that was judged, ``(m,)`` each."""

    error: Array
    residual: Array


def judged(methods: Mapping[str, Ready], problem: Problem, points: Array, seed: int) -> dict[str, Marks]:
    """Judge methods at ``points (m, D)`` against the exact solver, in scaled units.

    The error is that of the factors brought as near to the exact ones as their gauge allows, so that phases, order and
    rotations within a subspace count for nothing; the residual is that of the equations, formed in full, together with
    what a certificate of a selective operation looks for (a larger singular value left out).
    """
    operation = problem.operation
    rng = np.random.default_rng([seed, 303])
    errors: dict[str, list[Array]] = {name: [] for name in methods}
    residuals: dict[str, list[Array]] = {name: [] for name in methods}
    for some in pieces(points, problem):
        A = problem.matrices(some)
        truth = operation.canonical(problem.solve(A, some))
        probes = _probes(operation, A, problem, rng)
        # Values have one representative, which is what the user receives.
        names = tuple(truth) if isinstance(operation, Followed) else operation.unknowns
        gauge = NoGauge() if isinstance(operation, Followed) else operation.gauge
        for name, method in methods.items():
            F = method.factors(problem.box.to_unit(some), A)
            errors[name].append(error(F, truth, gauge, names))
            residuals[name].append(_residual(operation, A, F, probes))
    return {name: Marks(np.concatenate(errors[name]), np.concatenate(residuals[name])) for name in methods}


def error(F: Factors, truth: Factors, gauge: Gauge, names: tuple[str, ...]) -> Array:
    """``max_X min_g ‖g(X) - X*‖_F / ‖X*‖_F`` over the factors X, g in the gauge group, ``(B,)``; inf where not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from neumatc.gauge import Vectors
    >>> V = np.eye(3)[None]
    >>> error({"V": -V[..., [1, 0, 2]]}, {"V": V}, Vectors(("V",)), ("V",)).tolist()
    [0.0]
    """
    finite = np.logical_and.reduce([np.isfinite(F[name]).all((-2, -1)) for name in names])
    result = np.full(len(finite), np.inf)
    if finite.any():
        here = {name: np.asarray(truth[name])[finite] for name in names}
        moved = gauge.align({name: np.asarray(F[name])[finite] for name in names}, here)
        result[finite] = np.max([norm(moved[name] - here[name]) / frobenius(here[name]) for name in names], axis=0)
    return result


def _probes(operation: Operation, A: Array, problem: Problem, rng: np.random.Generator) -> Array | None:
    """What a selective operation looks for missing solutions with; None for the others."""
    if not isinstance(operation, Selective):
        return None
    rows, columns = operation.given(A)["A"].shape[-2:]
    probes: Array = gaussian((columns, min(8, rows, columns)), problem.working, rng)
    return probes


def _residual(operation: Operation, A: Array, F: Factors, probes: Array | None) -> Array:
    size = true_residual(operation, A, F)
    if probes is not None and isinstance(operation, Selective):
        size = np.hypot(size, operation.defect(A, F, probes))
    return np.where(np.isfinite(size), size, np.inf)
