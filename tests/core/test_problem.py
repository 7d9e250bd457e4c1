"""A(p) on a box: built once, scaled out of the way, solved and checked."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import neumatc.problem
from neumatc.equations import equal, identity, known, unknown
from neumatc.errors import ExactSolveError, InputError, NonFiniteError, SingularError
from neumatc.family import Table
from neumatc.operations import Custom, Inverse, Operation, TruncatedSVD
from neumatc.problem import Problem, probe_residual, true_residual


class Counted:
    """``[[2 + p, p], [0, 3]]``, and at which p it was asked for."""

    def __init__(self) -> None:
        self.asked: list[float] = []

    def __call__(self, p: float) -> np.ndarray:
        self.asked.append(p)
        return np.array([[2 + p, p], [0.0, 3.0]])


@pytest.fixture
def counted() -> tuple[Counted, Problem]:
    family = Counted()
    problem = Problem.of(family, (0.0, 1.0), Inverse())
    family.asked.clear()
    return family, problem


def at(*p: float) -> np.ndarray:
    return np.array(p)[:, None]


def test_kept_matrices_are_built_once(counted: tuple[Counted, Problem]) -> None:
    family, problem = counted
    first = problem.matrices(at(0.1, 0.2), keep=True)
    again = problem.matrices(at(0.2, 0.1), keep=True)
    assert family.asked == [0.1, 0.2]
    np.testing.assert_array_equal(again, first[::-1])
    np.testing.assert_array_equal(problem.matrices(at(0.2)), first[1:])
    assert problem.meter.built == 2
    assert problem.meter.kept_bytes == 2 * 4 * 8
    assert len(problem.prints()) == 2


def test_matrices_that_are_not_kept_are_built_again(counted: tuple[Counted, Problem]) -> None:
    family, problem = counted
    for _ in range(3):
        problem.matrices(at(0.5))
    assert family.asked == [0.5] * 3
    assert problem.meter.built == 3
    assert not problem.meter.kept
    assert not problem.prints()


def test_kept_and_new_points_come_in_the_order_that_was_asked(counted: tuple[Counted, Problem]) -> None:
    family, problem = counted
    problem.matrices(at(0.7, 0.3), keep=True)
    mixed = problem.matrices(at(0.1, 0.3, 0.5, 0.7, 0.9), keep=True)
    assert family.asked == [0.7, 0.3, 0.1, 0.5, 0.9]
    np.testing.assert_array_equal(mixed[:, 0, 1], [0.1, 0.3, 0.5, 0.7, 0.9])
    assert problem.meter.built == len(problem.meter.kept) == 5


def test_the_cache_stops_at_its_limit(counted: tuple[Counted, Problem], monkeypatch: pytest.MonkeyPatch) -> None:
    family, problem = counted
    monkeypatch.setattr(neumatc.problem, "CACHE_BYTES", 2 * 32 + 31)
    p = at(0.1, 0.2, 0.3)
    first = problem.matrices(p, keep=True)
    assert problem.meter.kept_bytes == 64
    assert len(problem.meter.kept) == 2
    np.testing.assert_array_equal(problem.matrices(p, keep=True), first)
    assert family.asked == [0.1, 0.2, 0.3, 0.3]
    assert len(problem.prints()) == 3  # small, and kept for the search for jumps


def test_forgetting_frees_the_cache(counted: tuple[Counted, Problem]) -> None:
    family, problem = counted
    problem.matrices(at(0.1), keep=True)
    problem.forget()
    assert problem.meter.kept_bytes == 0
    problem.matrices(at(0.1), keep=True)
    assert family.asked == [0.1, 0.1]
    assert problem.meter.kept_bytes == 32


def test_a_released_matrix_makes_room_where_it_is_short(
    counted: tuple[Counted, Problem], monkeypatch: pytest.MonkeyPatch
) -> None:
    family, problem = counted
    problem.matrices(at(0.1, 0.2), keep=True)
    problem.release(at(0.1)[0])
    assert problem.meter.kept_bytes == 64  # room enough
    monkeypatch.setattr(neumatc.problem, "CACHE_BYTES", 4 * 32)
    problem.release(at(0.7)[0])  # never kept: nothing to drop
    problem.release(at(0.1)[0])
    problem.release(at(0.2)[0])
    assert problem.meter.kept_bytes == 32
    problem.matrices(at(0.1, 0.2))
    assert family.asked == [0.1, 0.2, 0.1]


def test_pieces_hold_all_points_in_order(counted: tuple[Counted, Problem], monkeypatch: pytest.MonkeyPatch) -> None:
    _, problem = counted
    monkeypatch.setattr(neumatc.problem, "TOGETHER_BYTES", 2 * 32 + 31)
    p = at(0.1, 0.2, 0.3, 0.4, 0.5)
    assert [len(some) for some in problem.pieces(p)] == [2, 2, 1]
    np.testing.assert_array_equal(np.concatenate(problem.pieces(p)), p)
    assert problem.pieces(p[:0]) == []
    monkeypatch.setattr(neumatc.problem, "TOGETHER_BYTES", 1)
    assert [len(some) for some in problem.pieces(p)] == [1] * 5
    shared = replace(problem, executor=object())
    assert [len(some) for some in shared.pieces(p)] == [5]


def test_another_operation_shares_the_matrices_and_the_meter(counted: tuple[Counted, Problem]) -> None:
    family, problem = counted
    problem.matrices(at(0.1), keep=True)
    other = problem.with_operation(TruncatedSVD(1))
    other.solve(other.matrices(at(0.1)), at(0.1))
    assert family.asked == [0.1]
    assert problem.meter.solved == 1
    assert other.meter is problem.meter


def test_single_precision_is_computed_in_double() -> None:
    for dtype, working in ((np.float32, np.float64), (np.complex64, np.complex128)):
        problem = Problem.of(lambda p, t=dtype: (np.eye(2) * (1 + p)).astype(t), (0.0, 1.0), Inverse())
        assert problem.dtype == dtype
        assert problem.working == working
        assert problem.matrices(at(0.5)).dtype == working


ROOT = Custom("root", lambda A: np.sqrt(A), (equal(unknown("X") @ unknown("X"), known("A")),))
MIXED = Custom(
    "mixed", lambda A: np.linalg.inv(A + np.eye(len(A))), (equal((known("A") + identity()) @ unknown("X"), identity()),)
)


@pytest.mark.parametrize("k", [-900, -101, -30, 0, 30, 101, 900])
@pytest.mark.parametrize(
    ("operation", "powers"),
    [(Inverse(), {"X": -1.0}), (TruncatedSVD(1), {"M": 1.0}), (ROOT, {"X": 0.5})],
    ids=["inv", "svd", "root"],
)
def test_scaling_keeps_matrices_ordinary_and_shifts_undo_it(
    operation: Operation, powers: dict[str, float], k: int
) -> None:
    family = lambda p: np.diag([2.0 + p, 1.0]) * 2.0**k  # noqa: E731
    problem = Problem.of(family, (0.0, 1.0), operation)
    A = problem.matrices(at(0.25))
    if abs(k) < 64:
        assert problem.exponent == 0
        assert problem.shifts == {}
    else:
        assert 0.25 < np.abs(A).max() < 8
        assert problem.shifts == {name: power * problem.exponent for name, power in powers.items()}
    np.testing.assert_array_equal(A, family(0.25)[None] * 2.0**-problem.exponent)
    scaled, plain = problem.solve(A, at(0.25)), operation.exact(np.diag([2.25, 1.0])[None])
    found = problem.unscale(scaled)
    for name, X in plain.items():
        np.testing.assert_allclose(found[name], X * 2.0 ** (k * powers.get(name, 0.0)), rtol=1e-14)
        np.testing.assert_array_equal(problem.rescale(found)[name], scaled[name])


def test_equations_that_do_not_scale_alike_are_left_alone() -> None:
    problem = Problem.of(lambda p: np.eye(2) * (1 + p) * 2.0**100, (0.0, 1.0), MIXED)
    assert problem.exponent == 0
    assert problem.shifts == {}


def test_the_middle_of_the_box_settles_the_scale() -> None:
    problem = Problem.of(lambda p: np.eye(2) * 2.0 ** (100 * p), (0.0, 4.0), Inverse())
    assert problem.exponent == 201  # of 2^200


def test_points_of_a_table_are_those_inside_the_box() -> None:
    p = np.array([3.0, 0.0, 0.5, 1.0, -1.0])
    problem = Problem.of(Table(p, np.stack([np.eye(2)] * 5)), (0.0, 1.0), Inverse())
    np.testing.assert_array_equal(problem.tabulated, at(0.0, 0.5, 1.0))
    assert Problem.of(lambda p: np.eye(2), (0.0, 1.0), Inverse()).tabulated is None


def test_operations_refuse_shapes_at_once() -> None:
    with pytest.raises(InputError, match="`inv` needs square matrices, but A\\(p\\) is 2 x 3"):
        Problem.of(lambda p: np.ones((2, 3)), (0.0, 1.0), Inverse())
    with pytest.raises(NonFiniteError, match=r"p = 0\.5"):
        Problem.of(lambda p: np.full((2, 2), np.nan), (0.0, 1.0), Inverse())


@pytest.mark.parametrize("library", [np.asarray, torch.from_numpy], ids=["numpy", "torch"])
def test_a_singular_matrix_is_named_by_its_point(library: Callable[[Any], Any]) -> None:
    problem = Problem.of(lambda p: np.diag([p, 1.0]), {"gain": (-1.0, 3.0)}, Inverse())
    for p in (at(0.0), at(0.5, 0.0, 1.0)):
        with pytest.raises(SingularError, match=r"`inv` failed at p = \(gain=0\): A is singular .*Shrink the box"):
            problem.solve(library(problem.matrices(p)), p)


def test_finite_nonsense_is_seen_too() -> None:
    tiny = np.array([[1.0, 2.0], [0.5, 1.0 + 2e-16]])
    problem = Problem.of(lambda p: np.eye(2) if p != 0.25 else tiny, (0.0, 1.0), Inverse())
    with pytest.raises(SingularError, match=r"p = 0\.25: A is singular to working precision \(condition"):
        problem.solve(problem.matrices(at(0.25)), at(0.25))


@pytest.mark.parametrize(
    ("solver", "reason"),
    [(lambda A: A, "relative residual"), (lambda A: np.linalg.cholesky(-A), "not positive definite")],
    ids=["wrong", "breaks down"],
)
def test_a_solver_that_does_not_fit_its_equations(solver: Callable[[Any], Any], reason: str) -> None:
    A, X = known("A"), unknown("X")
    problem = Problem.of(lambda p: np.eye(2) * (1 + p), (0.0, 1.0), Custom("odd", solver, (equal(A @ X, identity()),)))
    with pytest.raises(ExactSolveError, match=r"`odd` failed at p = 0\.125") as raised:
        problem.solve(problem.matrices(at(0.125)), at(0.125))
    assert not isinstance(raised.value, SingularError)
    assert reason in str(raised.value)
    assert "Solve at this p by hand" in str(raised.value)


def test_in_a_batch_the_bad_answer_is_named() -> None:
    def solver(A: Any) -> Any:
        return np.linalg.inv(A) * (2.0 if A[0, 0] == 1.75 else 1.0)

    A, X = known("A"), unknown("X")
    problem = Problem.of(lambda p: np.eye(2) * (1 + p), (0.0, 1.0), Custom("odd", solver, (equal(A @ X, identity()),)))
    p = at(0.25, 0.75, 0.5)
    with pytest.raises(ExactSolveError, match=r"p = 0\.75: relative residual"):
        problem.solve(problem.matrices(p), p)


@pytest.mark.parametrize("complex_", [False, True])
@pytest.mark.parametrize("name", ["inv", "svd"])
def test_probed_and_true_residuals(name: str, complex_: bool) -> None:
    rng = np.random.default_rng(0)
    A = rng.standard_normal((3, 40, 40)) + (1j * rng.standard_normal((3, 40, 40)) if complex_ else 0)
    operation: Operation = Inverse() if name == "inv" else TruncatedSVD(4)
    F = operation.exact(A)
    assert true_residual(operation, A, F).max() < 1e-11
    assert probe_residual(operation, A, F).max() < 1e-11
    sizes = np.array([1e-6, 1e-3, 1e-1])[:, None, None]
    noisy = {n: X + sizes * np.abs(X).mean() * rng.standard_normal(X.shape) for n, X in F.items()}
    true = true_residual(operation, A, noisy)
    np.testing.assert_allclose(probe_residual(operation, A, noisy, count=40), true, rtol=0.25)
    two = probe_residual(operation, A, noisy)
    assert (two > true / 4).all()
    assert (two < true * 4).all()
    tensors = {n: torch.from_numpy(X) for n, X in noisy.items()}
    np.testing.assert_allclose(probe_residual(operation, torch.from_numpy(A), tensors), two, rtol=1e-10)


def test_true_residual_of_an_inverse_is_its_definition() -> None:
    A = np.random.default_rng(0).standard_normal((2, 9, 9))
    X = np.random.default_rng(1).standard_normal((2, 9, 9))
    expected = [np.linalg.norm(a @ x - np.eye(9)) / 3 for a, x in zip(A, X, strict=True)]
    np.testing.assert_allclose(true_residual(Inverse(), A, {"X": X}), expected, rtol=1e-13)
