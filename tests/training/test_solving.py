"""Exact solves side by side: the same results as one after the other, and the same complaints."""

import multiprocessing
import threading
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import neumatc as nmc
from neumatc.equations import equal, identity, known, unknown
from neumatc.errors import InputError, SingularError
from neumatc.operations import Custom, Inverse
from neumatc.problem import Problem
from neumatc.sampling import FailureInformed
from neumatc.training.solving import Solved, Solver

X, A = unknown("X"), known("A")


def family(p: float) -> np.ndarray:
    return np.eye(5) * (3 + p) + np.sin(p + np.arange(25.0)).reshape(5, 5)


def custom(solve: Any) -> Custom:
    return Custom("inv", solve, (equal(A @ X, identity()),))


@pytest.mark.parametrize("samples", [4, 12])
def test_a_fit_solves_through_its_executor(samples: int) -> None:
    seen = []

    def solve(matrix: np.ndarray) -> np.ndarray:
        seen.append(threading.current_thread().name)
        return np.linalg.inv(matrix)

    options: dict[str, Any] = {"rng": 0, "samples": samples, "sampler": FailureInformed(add=2), "tol": 1e-3}
    with ThreadPoolExecutor(2, thread_name_prefix="worker") as pool:
        there = nmc.fit(Problem.of(family, (0.0, 4.0), custom(solve)), executor=pool, **options)
    # The first solve, and single ones, stay at home.
    assert sum(name.startswith("worker") for name in seen) >= len(there.samples) - 2
    here = nmc.fit(Problem.of(family, (0.0, 4.0), custom(np.linalg.inv)), **options)
    np.testing.assert_array_equal(there(1.3), here(1.3))
    assert there.cost.solved == here.cost.solved == len(there.samples)


def test_processes_solve_too() -> None:
    matrices = np.stack([family(0.3), family(0.9)])[:, None]
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        found = list(pool.map(Solver(Inverse()), matrices))
    for matrix, solved in zip(matrices, found, strict=True):
        assert isinstance(solved, Solved)
        assert solved.residual < 1e-14
        assert 0 < solved.share < 1
        np.testing.assert_allclose(solved.F["X"] @ matrix, np.eye(5)[None], atol=1e-14)


def singular(p: Any) -> np.ndarray:
    return np.diag([1.0, 1.0, float(p) - 0.5])


class Eager(Executor):
    """All at once, here."""

    def map(self, fn: Any, *iterables: Any, **_options: Any) -> Any:
        return [fn(*each) for each in zip(*iterables, strict=True)]


class Broken(Executor):
    def map(self, fn: Any, *iterables: Any, **_options: Any) -> Any:
        if isinstance(fn, Solver):
            raise BrokenPipeError("a worker died")
        return [fn(*each) for each in zip(*iterables, strict=True)]


@pytest.mark.parametrize("executor", [None, Eager()], ids=["alone", "together"])
def test_a_pole_is_named_by_its_place(executor: Any) -> None:
    with pytest.raises(SingularError, match=r"`inv` failed at p = 0.5: A is singular.*contains a pole.*Shrink the box"):
        nmc.inv(singular, (0.0, 1.0), executor=executor, sampler="uniform", samples=5)


def test_an_executor_that_breaks_is_named() -> None:
    match = r"executor must run the exact solver of `inv` at 4 points.*BrokenPipeError.*use threads, or leave"
    with pytest.raises(InputError, match=match):
        nmc.inv(family, (0.0, 4.0), executor=Broken(), sampler=FailureInformed(add=2), tol=1e-3)


def test_what_a_solver_does_wrong_comes_back_as_it_is() -> None:
    outcome = Solver(custom(lambda matrix: matrix / (matrix == "no number")))(np.eye(2))
    assert isinstance(outcome, Exception)
