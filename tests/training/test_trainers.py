"""The three trainers, run without the outer loop."""

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tests.training.made import Array, normal, plan_of, pole, ripples

import neumatc.problem
import neumatc.training.plan
from neumatc.equations import Equation, equal, identity, known, unknown
from neumatc.gauge import Gauge, NoGauge, Unitary
from neumatc.history import Event
from neumatc.operations import Custom, Inverse, Operation, TruncatedSVD
from neumatc.problem import Problem, true_residual
from neumatc.sampling import FailureInformed
from neumatc.surrogate import Surrogate
from neumatc.training import Bootstrap, Collocation, Greedy, Trained, trainer_of
from neumatc.training.bootstrap import ADD, ROUNDS

A, X, Y = known("A"), unknown("X"), unknown("Y")


@dataclass(frozen=True)
class Made(Operation):
    """Any statement and gauge, without a name or a solver to go by."""

    statement: tuple[Equation, ...]
    freedom: Gauge = NoGauge()

    def exact(self, A: Any) -> dict[str, Any]:
        raise NotImplementedError

    def equations(self) -> tuple[Equation, ...]:
        return self.statement

    @property
    def gauge(self) -> Gauge:
        return self.freedom


class Refined(Made):
    def refine(self, A: Any, F: Any) -> Any:
        raise NotImplementedError


LINEAR, QUADRATIC = (equal(A @ X, identity()),), (equal(X @ X, A),)
TURN = Unitary.of({"X": (None, "P")})


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (Inverse(), Greedy),
        (TruncatedSVD(2), Bootstrap),
        (Made(LINEAR), Greedy),
        (Made((*LINEAR, equal(A @ Y, X))), Greedy),
        (Made(QUADRATIC), Collocation),
        (Made(LINEAR + QUADRATIC), Collocation),
        (Made(LINEAR, TURN), Collocation),
        (Refined(LINEAR), Bootstrap),
        (Refined(QUADRATIC, TURN), Bootstrap),
        (Custom("svd", np.linalg.inv, LINEAR), Greedy),  # never by the name
    ],
)
def test_equations_and_abilities_decide_the_trainer(operation: Operation, expected: Any) -> None:
    assert trainer_of(operation) is expected


def svd_family(p: float) -> Array:
    """Ratio of the wanted values to the others 1/5; entire in p."""
    U, V = (np.linalg.qr(normal((8, 8), False, seed))[0] for seed in (1, 2))
    B = 0.2 * normal((8, 8), False, 3)
    made: Array = (U * np.array([10.0, 8.0, *[1.5] * 6])) @ V.T + np.sin(2 * p) * B + np.cos(p) * B.T
    return made


def problems(root: Operation) -> dict[str, Problem]:
    return {
        "real": Problem.of(ripples(5, terms=2), (0.0, 1.0), Inverse()),
        "complex": Problem.of(ripples(5, True, terms=2), (0.0, 1.0), Inverse()),
        "Hermitian": Problem.of(ripples(5, True, True, terms=2), (0.0, 1.0), Inverse()),
        "svd": Problem.of(svd_family, (0.0, 1.0), TruncatedSVD(2)),
        "root": Problem.of(ripples(5, False, True, terms=2), (0.0, 1.0), root),
    }


NAMES = pytest.mark.parametrize("name", ["real", "complex", "Hermitian", "svd", "root"])


def train(problem: Problem, **options: Any) -> tuple[Trained, list[Event], Any]:
    events: list[Event] = []
    options = {"samples": 30, "basis": "chebyshev", "tell": events.append, **options}
    trainer = trainer_of(problem.operation)(plan_of(problem, **options))
    return trainer.run(), events, trainer


@NAMES
def test_what_is_trained_satisfies_the_equations_at_fresh_points(name: str, root: Operation) -> None:
    problem = problems(root)[name]
    trained, _, _ = train(problem)
    x = np.linspace(-0.99, 0.98, 31)[:, None]
    stored = Surrogate(trained.C, trained.curve, trained.layout, trained.complex_coefficients)
    F = trained.operation.canonical(stored.factors(x))
    rho = true_residual(trained.operation, problem.matrices(problem.box.from_unit(x)), F)
    assert trained.choice.score <= 1e-8
    assert rho.max() < 1e-7
    assert trained.complex_coefficients == (name == "complex")


@NAMES
def test_the_budget_is_kept_and_no_point_is_solved_twice(name: str, root: Operation) -> None:
    problem = problems(root)[name]
    trained, events, _ = train(problem, samples=9)
    assert problem.meter.solved <= 9
    assert len(trained.points) <= problem.meter.solved
    assert len(np.unique(trained.points, axis=0)) == len(trained.points)
    solves = [event for event in events if event.stage == "solve"]
    assert len({event.text for event in solves}) == len(solves) == problem.meter.solved
    assert {problem.box.describe(p) for p in trained.points} <= {event.text for event in solves}


@NAMES
def test_solves_are_told_one_by_one_in_order(name: str, root: Operation) -> None:
    _, events, _ = train(problems(root)[name])
    counts = [event.numbers["count"] for event in events if event.stage == "solve"]
    assert counts == list(range(1, len(counts) + 1))
    assert events[0].stage == "solve"


@NAMES
def test_the_same_plan_gives_the_same_numbers(name: str, root: Operation) -> None:
    first, second = (train(problems(root)[name])[0] for _ in range(2))
    np.testing.assert_array_equal(first.C, second.C)
    np.testing.assert_array_equal(first.points, second.points)
    x = np.array([[0.3]])
    np.testing.assert_array_equal(first.curve(x), second.curve(x))


class Clock:
    """A clock that somebody must wind."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        for room in (neumatc.problem, neumatc.training.plan):
            monkeypatch.setattr(room, "time", SimpleNamespace(perf_counter=lambda: self.now))


STAGES = {"root": {"collocation"}, "svd": {"bootstrap"}}


@NAMES
def test_what_every_method_must_pay_for_is_not_counted_twice(
    name: str, root: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem, clock = problems(root)[name], Clock(monkeypatch)
    build, solve = Problem._build, type(problem.operation).exact

    def slow_build(self: Problem, points: Array) -> Array:
        with monkeypatch.context() as patch:
            patch.setattr(type(self.family), "at", slow(type(self.family).at, len(points)))
            return build(self, points)

    def slow(function: Callable[..., Any], seconds: float) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            clock.now += seconds
            return function(*args, **options)

        return call

    monkeypatch.setattr(Problem, "_build", slow_build)
    monkeypatch.setattr(type(problem.operation), "exact", slow(solve, 100.0))
    trained, _, _ = train(problem)
    meter = problem.meter
    assert meter.build_seconds == meter.built > 0
    assert meter.solve_seconds == 100 * meter.solved > 0
    assert clock.now == meter.paid
    assert set(trained.seconds) == STAGES.get(name, {"span", "curve"})
    assert set(trained.seconds.values()) == {0.0}


@NAMES
def test_all_other_seconds_are_counted_once(name: str, root: Operation, monkeypatch: pytest.MonkeyPatch) -> None:
    problem, clock = problems(root)[name], Clock(monkeypatch)
    heard: list[Event] = []

    def tell(event: Event) -> None:
        heard.append(event)
        clock.now += 1.0

    trained, _, _ = train(problem, tell=tell)
    assert problem.meter.paid == 0
    assert sum(trained.seconds.values()) == len(heard) == clock.now > 0


def test_greedy_refines_its_candidates_when_a_pole_is_near() -> None:
    options = {"samples": 40, "basis": "rational"}
    near, far = Problem.of(pole(2e-3), (0.0, 1.0), Inverse()), Problem.of(pole(5.0), (0.0, 1.0), Inverse())
    _, quiet, calm = train(far, **options)
    assert calm.ground.level == 0
    assert not any("candidates" in event.text for event in quiet)
    trained, events, trainer = train(near, **(options | {"basis": "chebyshev"}))
    assert trainer.ground.level > 0
    refined = [event for event in events if event.text.endswith("candidates")]
    assert len(refined) == trainer.ground.level
    assert refined[-1].text.endswith(f"{len(trainer.ground.candidates)} candidates")
    assert len(trained.held_out) > 24  # the steepest places are held out too
    assert np.abs(trained.held_out - 0.41).min() < 0.02
    # Solves, stations and candidates are still the same points.
    x = trainer.ground.candidates
    np.testing.assert_allclose(np.sort(x[trainer.solved]), np.sort(near.box.to_unit(trained.points), axis=0))
    assert len(np.unique(trained.points)) == len(trained.points) == near.meter.solved
    assert len(np.unique(np.append(trainer.held, trainer.station_of))) == trainer.span.stations.count


def test_greedy_stops_when_the_span_is_complete() -> None:
    B = normal((4, 4), False, 0)
    problem = Problem.of(lambda p: B @ np.diag([1.0, 1.0, 1 + p, 1 + p]), (0.0, 1.0), Inverse())  # two slices in all
    trained, events, _ = train(problem, samples=60)
    assert len(trained.C) == 2
    assert len(trained.points) <= 4
    assert trained.residual < 1e-12
    assert events[-1].stage == "span"


def test_greedy_spends_its_budget_where_tol_is_out_of_reach() -> None:
    problem = Problem.of(ripples(6), (0.0, 1.0), Inverse())
    trained, events, _ = train(problem, samples=12, tol=1e-12)
    assert len(trained.points) == problem.meter.solved == 12
    assert trained.residual > 1e-12
    assert any(event.text.startswith("all 12 solves spent") for event in events)


def test_bootstrap_adds_solves_where_refinement_fails_and_only_up_to_the_budget() -> None:
    never = FailureInformed(threshold=0.0)
    for samples in (4, 9, 15, 70):
        problem = Problem.of(svd_family, (0.0, 1.0), TruncatedSVD(2))
        trained, events, trainer = train(problem, samples=samples, tol=1e-15, sampler=never)
        first = next(event for event in events if event.stage == "first").numbers["count"]
        rounds = sum(event.stage == "round" for event in events)
        assert 1 < rounds <= ROUNDS
        assert first < problem.meter.solved <= samples if samples > first else problem.meter.solved == samples
        assert problem.meter.solved <= first + ADD * rounds
        assert len(trainer.exact) == problem.meter.solved
        assert len(np.unique(trained.points, axis=0)) == len(trained.points)


def test_bootstrap_adds_nothing_when_refinement_is_enough() -> None:
    problem = Problem.of(svd_family, (0.0, 1.0), TruncatedSVD(2))
    _, events, _ = train(problem, samples=70)
    assert problem.meter.solved == 25
    stages = [event.stage for event in events]
    assert stages[:25] == ["solve"] * 25
    assert stages[25:28] == ["adapt", "first", "round"]
    numbers = [event.text.split(",")[0] for event in events if event.stage == "round"]
    assert numbers == [f"round {k}" for k in range(1, len(numbers) + 1)]


def test_bootstrap_settles_the_buffer_from_the_first_results() -> None:
    trained, _, _ = train(Problem.of(svd_family, (0.0, 1.0), TruncatedSVD(2)))
    assert isinstance(trained.operation, TruncatedSVD)
    assert (trained.operation.rank, trained.operation.buffer) == (2, 0)
    assert [part.columns for part in trained.layout.parts] == [2, 2, 2]


def test_collocation_solves_until_fresh_probes_agree(root: Operation) -> None:
    problem = problems(root)["root"]
    trained, events, _ = train(problem, samples=40, sampler=FailureInformed())
    labels = [event for event in events if event.stage == "labels"]
    assert labels[-1].numbers["residual"] == trained.residual < 1e-8 / 3
    few = Problem.of(ripples(5, False, True, terms=5), (0.0, 3.0), root)
    trained, events, _ = train(few, samples=9)
    assert trained.residual > 1e-8
    assert few.meter.solved == 9
