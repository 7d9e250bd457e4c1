"""What keeps a fit cheap: A(p) built once, read once for two sketches, measured once for many residuals."""

from collections import Counter

import numpy as np
import pytest
import torch
from tests.training.made import KINDS, Array, normal, operation_of, points, ripples

import neumatc as nmc
from neumatc.certify import Checker
from neumatc.operations import Inverse, Operation, TruncatedSVD
from neumatc.problem import Problem
from neumatc.sketch import Sketch
from neumatc.training.judge import Judge
from neumatc.training.probing import known_by_both

OPERATIONS: dict[str, Operation] = {"inv": Inverse(), "svd": TruncatedSVD(3)}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_no_matrix_is_built_twice(operation: Operation) -> None:
    family, asked = ripples(8, terms=4), Counter[float]()

    def counted(p: float) -> Array:
        asked[p] += 1
        return family(p)

    fit = nmc.fit(Problem.of(counted, (0.0, 1.0), operation), tol=1e-5, rng=0)
    looks = asked.pop(0.5)  # shape, scale, and whether A answers alike twice: settled in the middle before the fit
    assert looks <= 4
    assert set(asked.values()) == {1}
    assert len(asked) + 1 == fit.cost.built  # and the middle, in the fit once more
    assert len(asked) >= len(fit.samples)


@pytest.mark.parametrize("kind", KINDS)
def test_probes_of_two_sketches_see_what_each_sees_alone(kind: str) -> None:
    problem = Problem.of(ripples(10, kind != "real", kind == "hermitian"), (0.0, 3.0), operation_of(kind))
    A = problem.matrices(points(3, 0))
    values = {"A": A, **problem.operation.exact(A)}
    equations, like = problem.operation.equations(), torch.empty(0)
    counts = ((6, 5), (4, 3))
    sketches = [
        Sketch.draw(equations, values, count, problem.working, np.random.default_rng(i)).like(like)
        for i, count in enumerate(counts)
    ]
    known = problem.operation.given(torch.from_numpy(A))
    for sketch, found in zip(sketches, known_by_both(sketches[0], sketches[1], known), strict=True):
        for expected, block in zip(sketch.known(known), found, strict=True):
            assert block["weight"] == expected["weight"]
            for side in ("left", "right"):
                np.testing.assert_allclose(block[side], expected[side], rtol=0, atol=1e-13)


@pytest.mark.parametrize("complex_", [False, True], ids=["real", "complex"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_a_judge_finds_what_a_checker_finds(name: str, complex_: bool) -> None:
    problem = Problem.of(ripples(40, complex_), (0.0, 1.0), OPERATIONS[name])
    p = points(5, 2) / 3
    A = problem.matrices(p)
    exact = problem.operation.exact(A)
    F = {key: X + 1e-3 * normal(X.shape, complex_, 4) for key, X in problem.operation.canonical(exact).items()}
    checker = Checker.draw(problem.operation, {"A": A, **F}, problem.working, np.random.default_rng(5))
    expected = checker.residual(A, F)
    assert expected.min() > 1e-4
    judge = Judge(problem, checker)
    for _ in range(2):  # the second time from norms that were kept
        np.testing.assert_allclose(judge.residual(p, F), expected, rtol=1e-12)


def test_a_judge_of_no_points_finds_nothing() -> None:
    problem = Problem.of(ripples(4), (0.0, 1.0), Inverse())
    A = problem.matrices(problem.box.middle)
    F = problem.operation.exact(A)
    checker = Checker.draw(problem.operation, {"A": A, **F}, problem.working, np.random.default_rng(0))
    assert Judge(problem, checker).residual(np.empty((0, 1)), {"X": np.empty((0, 4, 4))}).shape == (0,)
