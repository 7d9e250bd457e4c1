"""First nodes: Lobatto grids nested in the candidates, or what the sampler says; and finer candidates."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from tests.training.made import Array, plan_of, ripples

from neumatc.bases import ChebyshevCurve, SineCurve, lobatto
from neumatc.family import Table
from neumatc.operations import Inverse
from neumatc.problem import Problem
from neumatc.sampling import Design
from neumatc.sampling.designs import CANDIDATES
from neumatc.training.nodes import (
    FIRST,
    MANY,
    NUMBERS,
    adjacent,
    bases_for,
    finer,
    first_curve,
    first_nodes,
    held_back,
    side_of,
)
from neumatc.training.plan import Ground, Plan
from neumatc.training.suspects import neighbours, steepest_midpoints

BOXES: dict[int, Any] = {1: (0.0, 1.0), 2: [(0.0, 1.0)] * 2, 3: [(0.0, 1.0)] * 3, 4: [(0.0, 1.0)] * 4}


def grounded(dimension: int, samples: int, **options: Any) -> tuple[Plan, Ground]:
    plan = plan_of(Problem.of(ripples(3), BOXES[dimension], Inverse()), samples=samples, **options)
    return plan, Ground.of(plan)


def same_points(a: Array, b: Array) -> bool:
    key = [sorted(map(tuple, np.round(points, 12).tolist())) for points in (a + 0.0, b + 0.0)]
    return key[0] == key[1]


@pytest.mark.parametrize(
    ("dimension", "samples", "side"),
    [(1, 96, 25), (1, 24, 17), (1, 16, 13), (1, 12, 9), (1, 2, 2), (2, 256, 6), (2, 20, 4), (2, 4, 2), (3, 8, 2)],
)
def test_nodes_are_the_largest_lobatto_grid_within_candidates_and_budget(
    dimension: int, samples: int, side: int
) -> None:
    plan, ground = grounded(dimension, samples)
    nodes = first_nodes(plan, ground)
    assert len(nodes) == side**dimension <= min(samples, FIRST[dimension])
    assert nodes == sorted(set(nodes))
    assert same_points(ground.candidates[nodes], lobatto(*[side] * dimension))


@pytest.mark.parametrize("level", range(3))
def test_finer_candidates_hold_the_same_nodes(level: int) -> None:
    plan, ground = grounded(1, 30)
    coarse = ground.candidates[first_nodes(plan, ground)]
    for _ in range(level):
        ground = ground.finer(plan)[0]
    assert len(ground.candidates) == CANDIDATES[1][level]
    assert same_points(ground.candidates[first_nodes(plan, ground)], coarse)


def test_chebyshev_can_interpolate_the_nodes_at_once() -> None:
    for dimension in (1, 2):
        plan, ground = grounded(dimension, 40)
        x = ground.candidates[first_nodes(plan, ground)]
        y = np.stack([np.exp(x.sum(1)), x[:, 0] ** 2], axis=1)
        curve = first_curve(x, y, np.random.default_rng(0))
        assert isinstance(curve, ChebyshevCurve)
        np.testing.assert_allclose(curve(x), y, rtol=0, atol=1e-12)


def test_too_small_a_budget_for_any_grid_takes_single_candidates() -> None:
    plan, ground = grounded(3, 5)
    nodes = first_nodes(plan, ground)
    assert nodes == sorted(set(nodes))
    assert 1 <= len(nodes) <= 5


def test_beyond_three_dimensions_nodes_are_spread_over_the_sobol_candidates() -> None:
    plan, ground = grounded(4, 12)
    nodes = first_nodes(plan, ground)
    assert len(set(nodes)) == len(nodes) == 12
    assert (np.ptp(ground.candidates[nodes], axis=0) > 1).all()


def test_another_sampler_places_its_own_nodes() -> None:
    plan, ground = grounded(1, 7, sampler=Design("uniform"))
    nodes = first_nodes(plan, ground)
    assert nodes == sorted(nodes)
    spaced = np.linspace(-1, 1, 7)[:, None]
    assert np.abs(ground.candidates[nodes] - spaced).max() < 0.5 * np.pi / 96 + 1e-12


def test_nodes_of_a_table_are_among_its_points() -> None:
    p = np.linspace(0, 1, 30) ** 2
    family = ripples(3)
    problem = Problem.of(Table(p, np.stack([family(each) for each in p])), (0.0, 1.0), Inverse())
    plan = plan_of(problem, samples=8)
    ground = Ground.of(plan)
    nodes = first_nodes(plan, ground)
    assert len(set(nodes)) == len(nodes) == 8
    x = ground.candidates[nodes]
    assert x.min() == -1.0
    assert x.max() == 1.0
    assert np.abs(problem.box.from_unit(x) - p).min(axis=1).max() < 1e-15


def test_first_curve_is_a_sine_network_where_there_is_no_grid() -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (30, 1))
    curve = first_curve(x, np.cos(x), np.random.default_rng(1))
    assert isinstance(curve, SineCurve)
    assert np.abs(curve(x) - np.cos(x)).max() < 1e-6


@pytest.mark.parametrize(("dimension", "sides"), [(2, [16, 31, 61, 121]), (3, [6, 11, 21])])
def test_grids_are_doubled_while_solves_pay_for_them(dimension: int, sides: list[int]) -> None:
    plan, ground = grounded(dimension, 256)
    for before, side in pairwise(sides):
        assert not held_back(plan, ground, 9)
        found = finer(plan, ground, 9)
        assert found is not None
        coarse, (ground, old) = ground.candidates, found
        assert side_of(ground.candidates) == side
        np.testing.assert_array_equal(np.sort(old[old >= 0]), np.arange(before**dimension))
        np.testing.assert_allclose(ground.candidates[old >= 0], coarse[old[old >= 0]], rtol=0, atol=1e-15)
    assert finer(plan, ground, 9) is None
    assert held_back(plan, ground, 9)


def test_grids_are_not_doubled_where_nothing_is_gained() -> None:
    plan, ground = grounded(2, 256)
    fine = ground.finer(plan)[0]
    line_plan, line = grounded(1, 256)
    line = line.finer(line_plan)[0].finer(line_plan)[0]
    sine_plan = plan_of(plan.problem, samples=256, basis="sine")
    cases = [(plan, fine, NUMBERS // 61**2 + 1), (line_plan, line, 9), (sine_plan, fine, 9)]
    cases.append((plan, fine.without([0])[0], 9))
    for each, level, size in cases:
        assert finer(each, level, size) is None
        assert not held_back(each, level, size)


def test_neighbours_on_large_grids_need_no_distances() -> None:
    x = lobatto(45, 45)
    y = np.where(x[:, :1] > 0.3, 1.0, 0.0) + 1e-3 * x[:, 1:]
    assert len(x) > MANY
    assert sorted(map(tuple, adjacent(x).tolist())) == sorted(map(tuple, neighbours(x).tolist()))
    np.testing.assert_allclose(np.abs(steepest_midpoints(x, y, pairs=adjacent(x))[:, 0] - 0.3), 0, atol=0.05)


def test_other_bases_are_tried_where_polynomials_cannot_follow() -> None:
    plan = plan_of(Problem.of(ripples(3), BOXES[2], Inverse()), samples=256, basis="auto")
    ground = Ground.of(plan)
    names = [basis.name for basis in bases_for(plan, ground, 9)]
    assert names[0] == "chebyshev"
    assert len(names) == len(plan.bases)
    fine = ground.finer(plan)[0]
    assert [basis.name for basis in bases_for(plan, fine, 9)] == ["chebyshev"]
    assert len(bases_for(plan, fine, NUMBERS)) == len(plan.bases)
    assert bases_for(plan, ground.without([3])[0], 9) == plan.bases
