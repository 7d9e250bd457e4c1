"""Failure-informed sampling as the paper has it: a threshold, a failure probability, the worst N_add."""

import numpy as np
import pytest

from neumatc.sampling import FailureInformed
from neumatc.sampling.failure import leja, spread

X = np.linspace(-1, 1, 11)[:, None]
FREE = np.ones(11, bool)
LEFT = 99


def residuals(**failing: float) -> np.ndarray:
    """Small everywhere but at the named candidates."""
    values = np.full(11, 1e-9)
    for name, value in failing.items():
        values[int(name[1:])] = value
    return values


def test_the_first_solves_on_a_line_are_leja_points_from_the_middle() -> None:
    assert FailureInformed().first(X, 3) == [5]
    assert FailureInformed().first(X, 9) == [5, 0, 10]
    x = np.linspace(-1, 1, 2001)[:, None]
    chosen = x[FailureInformed().first(x, 50), 0]
    assert len(chosen) == 4
    for k in range(2, 4):  # each is where the product of the distances is largest
        product = np.abs(x - chosen[:k]).prod(axis=1)
        assert np.abs(chosen[k] - chosen[:k]).prod() == product.max()


def test_the_first_solve_in_a_plane_is_in_the_middle() -> None:
    corners = np.array([[-1.0, -1.0], [1.0, 1.0], [0.1, -0.2], [0.9, 0.0]])
    assert FailureInformed().first(corners, 50) == [2]


def test_a_candidate_fails_above_a_third_of_tol() -> None:
    sampler = FailureInformed()
    assert sampler.select(X, residuals(i3=1.01e-6 / 3), FREE, 1e-6, LEFT) == [3]
    assert sampler.select(X, residuals(i3=0.99e-6 / 3), FREE, 1e-6, LEFT) == []


def test_a_threshold_of_ones_own_replaces_the_third() -> None:
    sampler = FailureInformed(threshold=0.1)
    assert sampler.select(X, residuals(i3=0.11), FREE, 1e-6, LEFT) == [3]
    assert sampler.select(X, residuals(i3=0.1), FREE, 1e-6, LEFT) == []  # at the threshold is no failure
    assert FailureInformed(threshold=0.0, add=1).select(X, residuals(), FREE, 0.5, LEFT) == [0]


@pytest.mark.parametrize(("tolerance", "wanted"), [(0.0, True), (2.9 / 11, True), (3 / 11, False), (0.5, False)])
def test_solves_are_wanted_while_the_failure_probability_exceeds_the_tolerance(tolerance: float, wanted: bool) -> None:
    sampler = FailureInformed(threshold=0.1, tolerance=tolerance, add=1)
    chosen = sampler.select(X, residuals(i2=0.5, i6=0.3, i9=0.2), FREE, 1e-6, LEFT)
    assert chosen == ([2] if wanted else [])


def test_solved_candidates_count_in_the_failure_probability_but_are_not_chosen() -> None:
    free = FREE.copy()
    free[2] = False
    sampler = FailureInformed(threshold=0.1, tolerance=1.5 / 11)
    assert sampler.select(X, residuals(i2=0.5, i6=0.3), free, 1e-6, LEFT) == [6]
    assert sampler.select(X, residuals(i2=0.5), free, 1e-6, LEFT) == []


@pytest.mark.parametrize(("add", "expected"), [(1, [2]), (2, [2, 8]), (3, [2, 8, 5]), (9, [2, 8, 5])])
def test_the_largest_scores_are_added_worst_first(add: int, expected: list[int]) -> None:
    free = FREE.copy()
    free[[0, 10]] = False  # two solves: points of one round keep a distance of a third
    sampler = FailureInformed(threshold=0.1, add=add)
    assert sampler.select(X, residuals(i2=0.9, i8=0.5, i5=0.2), free, 1e-6, LEFT) == expected


def test_nan_has_failed_and_comes_first() -> None:
    values = residuals(i7=np.inf, i4=np.nan)
    assert FailureInformed(add=2, threshold=0.1).select(X, values, FREE & (np.arange(11) > 1), 1e-6, LEFT) == [4, 7]
    assert FailureInformed(tolerance=1.5 / 11).select(X, residuals(i4=np.nan), FREE, 1e-6, LEFT) == []
    assert FailureInformed(tolerance=0.5 / 11).select(X, residuals(i4=np.nan), FREE, 1e-6, LEFT) == [4]


def test_a_round_on_a_line_shrinks_as_tol_or_the_end_of_the_budget_comes_near() -> None:
    line, drawn, free = np.linspace(-1, 1, 401)[:, None], np.random.default_rng(1).uniform(0.1, 1, 401), np.ones(401)
    drawn[7], free[:12] = 1.0, 0.0
    # Decades between the worst residual and the threshold, solves left, points.
    by_decades = [(9, 99, 8), (5, 99, 4), (3, 99, 2), (1, 99, 2)]
    by_budget = [(9, 39, 6), (9, 30, 6), (9, 15, 2), (4, 20, 4), (9, 9, 2), (9, 2, 2), (9, 1, 1)]
    for decades, left, expected in by_decades + by_budget:
        residuals = drawn * 1.01 * 10.0**decades
        residuals[7] = residuals[20] = 1.01 * 10.0**decades
        assert len(FailureInformed().select(line, residuals, free.astype(bool), 3.0, left)) == expected


def test_a_round_in_a_plane_is_eight_points() -> None:
    axis = np.linspace(-1, 1, 21)
    plane = np.stack([a.ravel() for a in np.meshgrid(axis, axis)], axis=1)
    free = np.ones(len(plane), bool)
    free[np.random.default_rng(0).choice(len(plane), 40, replace=False)] = False
    worst = np.random.default_rng(1).uniform(1, 2, len(plane))
    assert len(FailureInformed().select(plane, worst, free, 1e-6, LEFT)) == 8
    assert len(FailureInformed().select(plane, worst, free, 1e-6, 5)) == 5


@pytest.mark.parametrize("worst", [np.inf, np.nan])
def test_a_round_is_full_where_nothing_is_known_of_the_worst(worst: float) -> None:
    x, values = np.linspace(-1, 1, 101)[:, None], np.full(101, 1e-3)
    values[50] = worst
    assert len(FailureInformed().select(x, values, np.arange(101) != 3, 1e-2, LEFT)) == 1  # no other one fails
    assert len(FailureInformed(add=8).select(x, values, np.arange(101) > 30, 1e-6, LEFT)) == 8
    assert len(FailureInformed().select(x, values, np.arange(101) > 30, 1e-6, LEFT)) == 8


@pytest.mark.parametrize("solved", [1, 8, 24])
def test_points_of_one_round_keep_the_typical_distance_of_those_solved(solved: int) -> None:
    rng = np.random.default_rng(solved)
    x = rng.uniform(-1, 1, (300, 2))
    free = np.arange(300) >= solved
    worst = 1 / (1e-3 + ((x - 0.2) ** 2).sum(1))  # the largest residuals are neighbours
    chosen = FailureInformed(add=6).select(x, worst, free, 1e-6, LEFT)
    gaps = np.abs(x[chosen][:, None] - x[chosen][None]).max(-1)
    assert len(chosen) > 1
    assert gaps[np.triu_indices(len(chosen), 1)].min() >= 1 / (1 + solved) ** 0.5
    assert chosen[0] == np.argmax(np.where(free, worst, 0))


def test_points_of_a_round_on_a_line_are_those_of_interpolation() -> None:
    # Equal residuals: each point multiplies them by its distance, which gives Leja points.
    x = np.linspace(-1, 1, 2001)
    chosen = leja(x, np.ones(2001), list(range(2001)), 5, 0.0)
    places = np.sort(x[chosen])
    np.testing.assert_allclose(places[[0, 2, 4]], [-1, 0, 1], rtol=0, atol=1e-12)
    rest = np.setdiff1d(places, [-1, 0, 1])
    # The fourth is where x (1 - x²) is largest.
    assert np.abs(np.abs(rest) - 3**-0.5).min() < 1e-3


def test_points_of_a_round_on_a_line_pass_over_neighbours() -> None:
    x = np.array([-1.0, -0.9, 0.0, 0.2, 0.9])
    residuals = np.array([8.0, 7.0, 2.0, 3.0, 1.0])
    order = [0, 1, 3, 2, 4]
    assert leja(x, residuals, order, 2, 0.3) == [0, 3]  # 3 * 1.2 is more than 2 * 1 and 1 * 1.9
    assert leja(x, residuals, order, 3, 0.3) == [0, 3, 4]
    assert leja(x, residuals, order, 9, 0.3) == [0, 3, 4]
    assert leja(x, residuals, order, 9, 0.15) == [0, 3, 4, 2]
    assert leja(x, residuals, [], 3, 0.3) == []


def test_spread_skips_what_is_too_near_and_stops_when_it_has_enough() -> None:
    x = np.array([0.0, 0.1, 0.35, 0.5, 0.9])[:, None]
    assert spread(x, [1, 0, 2, 3, 4], 5, 0.2) == [1, 2, 4]
    assert spread(x, [1, 0, 2, 3, 4], 2, 0.2) == [1, 2]
    assert spread(x, [4, 3, 2, 1, 0], 5, 0.0) == [4, 3, 2, 1, 0]
    assert spread(x, [], 5, 0.2) == []
    assert spread(x, [1, 2], 0, 0.2) == []
    # The distance is the largest over the axes.
    assert spread(np.array([[0.0, 0.0], [0.05, 0.3]]), [0, 1], 2, 0.25) == [0, 1]
