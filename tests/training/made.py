"""What the tests of the trainers share: small families, plans, and a span with stations."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from neumatc.bases import basis
from neumatc.equations import equal, identity, known, unknown
from neumatc.history import Event
from neumatc.operations import Custom, Inverse, Operation
from neumatc.problem import Problem
from neumatc.sampling import FailureInformed, Sampler
from neumatc.sketch import Sketch
from neumatc.training.plan import Plan, layout_of
from neumatc.training.span import Span

Array = npt.NDArray[Any]

KINDS = ["real", "complex", "hermitian", "adjoint"]
"""Real; complex; complex with real coefficients; complex with the adjoint of the unknown in the equation."""


def ignore(event: Event) -> None:
    del event


def normal(shape: tuple[int, ...], complex_: bool, seed: int) -> Array:
    rng = np.random.default_rng(seed)
    G = rng.standard_normal(shape)
    return G + 1j * rng.standard_normal(shape) if complex_ else G


def ripples(n: int, complex_: bool = False, hermitian: bool = False, terms: int = 12) -> Callable[[Any], Array]:
    """``4 I + sum_k cos(k p_1 + k² p_D) B_k`` with ``‖B_k‖_2 = 0.2``: far from singular, and no two p alike."""
    B = normal((terms, n, n), complex_, 11)
    B = B + B.conj().swapaxes(-1, -2) if hermitian else B
    B = 0.2 * B / np.linalg.norm(B, 2, axis=(-2, -1), keepdims=True)
    k = np.arange(1, terms + 1)

    def family(p: Any) -> Array:
        at = np.ravel(p)
        made: Array = 4 * np.eye(n) + np.tensordot(np.cos(k * at[0] + k**2 * at[-1]), B, axes=1)
        return made

    return family


def pole(distance: float, n: int = 6) -> Callable[[Any], Array]:
    """One eigenvalue passes zero at the given distance from the real axis, above p = 0.41; the others stay away."""
    Q = np.linalg.qr(normal((n, n), False, 3))[0]

    def family(p: float) -> Array:
        values = np.concatenate([[(p - 0.41) + 1j * distance], np.linspace(1, 2, n - 1) + 0j])
        made: Array = (Q * values) @ Q.T
        return made

    return family


def plan_of(problem: Problem, **options: Any) -> Plan:
    """A plan whose every option can be set."""
    sampler: Sampler = options.get("sampler", FailureInformed())
    return Plan(
        problem=problem,
        tol=options.get("tol", 1e-8),
        samples=options.get("samples", 12),
        bases=basis(options.get("basis", "auto")),
        sampler=sampler,
        seed=options.get("seed", 3),
        device="cpu",
        tell=options.get("tell", ignore),
    )


def operation_of(kind: str) -> Operation:
    if kind != "adjoint":
        return Inverse()
    A, X = known("A"), unknown("X")
    return Custom("adjoint inverse", lambda a: np.linalg.inv(a).conj().T, (equal(X.H @ A, identity()),))


def span_of(kind: str, capacity: int, n: int = 10, counts: tuple[int, int] = (6, 5)) -> Span:
    """An empty span with few probes, so that sketches are not the identity."""
    problem = Problem.of(ripples(n, kind != "real", kind == "hermitian"), (0.0, 3.0), operation_of(kind))
    A = problem.matrices(problem.box.middle)
    F = problem.operation.exact(A)
    layout, doubled = layout_of(problem, A, F, problem.box.middle)
    draws = [
        Sketch.draw(problem.operation.equations(), {"A": A, **F}, counts, problem.working, np.random.default_rng(seed))
        for seed in (1, 2)
    ]
    return Span(problem, layout, (draws[0], draws[1]), capacity, doubled, "cpu")


def points(count: int, seed: int) -> Array:
    """``(count, 1)`` points in (0, 3)."""
    return np.random.default_rng(seed).uniform(0, 3, (count, 1))
