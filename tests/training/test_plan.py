"""Where a trainer looks, and how it stores what it finds."""

from typing import Any

import numpy as np
import pytest
from tests.training.made import Array, normal, plan_of, ripples

from neumatc.bases import lobatto, select
from neumatc.errors import InputError
from neumatc.family import Table
from neumatc.operations import Inverse, TruncatedSVD
from neumatc.problem import Problem
from neumatc.sampling.designs import CANDIDATES
from neumatc.training.plan import HELD_OUT, Ground, layout_of, redraw


def tabled(p: Array, box: Any) -> Problem:
    family = ripples(3)
    return Problem.of(Table(p, np.stack([family(each) for each in p])), box, Inverse())


@pytest.mark.parametrize(("box", "dimension"), [((2.0, 5.0), 1), ([(0.0, 1.0), (-3.0, 3.0)], 2)])
def test_ground_of_a_callable(box: Any, dimension: int) -> None:
    problem = Problem.of(ripples(3), box, Inverse())
    ground = Ground.of(plan_of(problem))
    np.testing.assert_array_equal(ground.candidates, lobatto(*[CANDIDATES[dimension][0]] * dimension))
    assert ground.held_out.shape == (HELD_OUT, dimension)
    assert np.abs(ground.held_out).max() <= 1
    assert (ground.level, ground.finest) == (0, len(CANDIDATES[dimension]) - 1)
    np.testing.assert_array_equal(Ground.of(plan_of(problem)).held_out, ground.held_out)
    other = Ground.of(plan_of(problem, seed=4))
    assert not np.isin(other.held_out, ground.held_out).any()
    np.testing.assert_array_equal(other.candidates, ground.candidates)


@pytest.mark.parametrize(("count", "held"), [(5, 1), (11, 2), (60, 12), (300, HELD_OUT)])
def test_ground_of_a_table_splits_it_and_keeps_the_ends(count: int, held: int) -> None:
    p = np.random.default_rng(0).permutation(np.linspace(1, 3, count))
    problem = tabled(p, (1.0, 3.0))
    ground = Ground.of(plan_of(problem))
    assert len(ground.held_out) == held
    both = np.concatenate([ground.candidates, ground.held_out])
    np.testing.assert_allclose(np.sort(problem.box.from_unit(both)[:, 0]), np.sort(p))
    assert (np.diff(ground.candidates[:, 0]) > 0).all()
    assert ground.candidates[0, 0] == -1
    assert ground.candidates[-1, 0] == 1
    assert (ground.level, ground.finest) == (0, 0)


def test_a_table_in_two_parameters_keeps_the_ends_of_both() -> None:
    p = np.random.default_rng(1).uniform(-1, 1, (40, 2))
    for seed in range(5):
        ground = Ground.of(plan_of(tabled(p, [(-1.0, 1.0)] * 2), seed=seed))
        assert len(ground.held_out) == 8
        np.testing.assert_array_equal(ground.candidates.min(0), p.min(0))
        np.testing.assert_array_equal(ground.candidates.max(0), p.max(0))


def test_points_of_a_table_outside_the_box_are_left_alone() -> None:
    problem = tabled(np.linspace(0, 2, 41), (0.0, 1.0))
    ground = Ground.of(plan_of(problem))
    assert len(ground.candidates) + len(ground.held_out) == 21
    assert max(ground.candidates.max(), ground.held_out.max()) <= 1


@pytest.mark.parametrize("count", [2, 4])
def test_too_small_a_table(count: int) -> None:
    problem = tabled(np.linspace(0, 1, count), (0.0, 1.0))
    with pytest.raises(InputError, match=rf"at least 5 points inside the box .* got {count}\. .* Tabulate more points"):
        Ground.of(plan_of(problem))


@pytest.mark.parametrize("dimension", [1, 2])
def test_finer_ground_keeps_the_old_points_and_says_where_they_went(dimension: int) -> None:
    plan = plan_of(Problem.of(ripples(3), [(0.0, 1.0)] * dimension, Inverse()))
    coarse = Ground.of(plan)
    fine, new, old = coarse.finer(plan)
    assert fine.level == 1
    assert len(old) == len(fine.candidates) == CANDIDATES[dimension][1] ** dimension
    kept = np.flatnonzero(old >= 0)
    assert sorted(old[kept]) == list(range(len(coarse.candidates)))
    np.testing.assert_allclose(fine.candidates[kept], coarse.candidates[old[kept]], rtol=0, atol=1e-15)
    np.testing.assert_array_equal(np.sort(np.concatenate([new, kept])), np.arange(len(fine.candidates)))
    assert not np.intersect1d(new, kept).size
    np.testing.assert_array_equal(fine.held_out, coarse.held_out)


def test_every_purpose_has_its_own_random_numbers() -> None:
    problem = Problem.of(ripples(3), (0.0, 1.0), Inverse())
    plan = plan_of(problem, seed=9)
    draws = [plan.rng(purpose).standard_normal(3) for purpose in range(4)]
    assert len({float(value) for draw in draws for value in draw}) == 12
    np.testing.assert_array_equal(draws[2], plan_of(problem, seed=9).rng(2).standard_normal(3))


POINTS = np.array([[0.1], [0.4]])


def made(complex_: bool, hermitian: bool) -> tuple[Problem, Array, dict[str, Array]]:
    """A problem, its matrix at the first of the points, and the inverse there."""
    problem = Problem.of(ripples(4, complex_, hermitian), (0.0, 1.0), Inverse())
    A = problem.matrices(POINTS[:1])
    return problem, A, {"X": np.linalg.inv(A)}


@pytest.mark.parametrize(
    ("complex_", "hermitian", "kind", "doubled"),
    [
        (False, False, "full", False),
        (False, True, "hermitian", False),
        (True, False, "full", True),
        (True, True, "hermitian", False),
    ],
    ids=["real", "symmetric", "complex", "Hermitian"],
)
def test_layout_of_an_inverse(complex_: bool, hermitian: bool, kind: str, doubled: bool) -> None:
    problem, A, F = made(complex_, hermitian)
    layout, came = layout_of(problem, A, F, POINTS)
    assert [(part.name, part.rows, part.columns, part.kind) for part in layout.parts] == [("X", 4, 4, kind)]
    assert came is doubled


def test_one_matrix_that_is_not_hermitian_spoils_the_storage() -> None:
    H = ripples(4, True, True)

    def spoilt(p: float) -> Array:
        return H(p) + (p == 0.4) * 1e-6 * np.eye(4, k=1)

    problem = Problem.of(spoilt, (0.0, 1.0), Inverse())
    for first, more in ((POINTS[:1], POINTS[1:]), (POINTS[1:], POINTS[:1])):
        A = problem.matrices(first)
        layout, doubled = layout_of(problem, A, {"X": np.linalg.inv(A)}, more)
        assert layout.parts[0].kind == "full"
        assert doubled


def test_matrices_that_show_no_structure_are_not_built() -> None:
    problem, A, F = made(True, False)
    built = problem.meter.built
    layout_of(problem, A, F, POINTS[1:])
    assert problem.meter.built == built


def test_factors_that_are_not_hermitian_are_stored_in_full() -> None:
    problem, A, F = made(True, True)
    layout, doubled = layout_of(problem, A, {**F, "Y": normal((1, 4, 2), True, 0)}, POINTS)
    assert [part.kind for part in layout.parts] == ["hermitian", "full"]
    assert layout.size == 16 + 8
    assert doubled


def test_redraw_gives_the_chosen_curve_again() -> None:
    problem = Problem.of(ripples(3), (0.0, 1.0), TruncatedSVD(1))
    plan, x = plan_of(problem), np.linspace(-1, 1, 40)[:, None]
    y = np.concatenate([np.cos(x), np.exp(x)], axis=1)
    for scored in ("sine", "spline"):
        choice = select(plan.bases, x, y, lambda c, name=scored: float(c.name != name), -1.0, plan.rng(5))
        assert choice.name == scored
        at = np.array([[0.123], [-0.7]])
        np.testing.assert_array_equal(redraw(plan, choice, x, y)(at), choice.curve(at))
        np.testing.assert_allclose(redraw(plan, choice, x, 2 * y)(at), 2 * choice.curve(at), rtol=1e-6)
