"""Neighbours, and the midpoints of the steepest of them."""

import numpy as np
import pytest

from neumatc.bases import lobatto
from neumatc.training.suspects import SUSPECTS, neighbours, steepest_midpoints


def test_neighbours_on_a_line_are_the_next_points() -> None:
    x = np.array([0.3, -1.0, 0.9, 0.1])[:, None]
    assert sorted(map(tuple, neighbours(x).tolist())) == [(0, 2), (1, 3), (3, 0)]


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_neighbours_are_the_nearest_points_in_the_direction_of_each_axis(dimension: int) -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (25, dimension))
    expected = set()
    for i, here in enumerate(x):
        for axis in range(dimension):
            step = x - here
            size = np.abs(step).max(1)
            ahead = [j for j in range(len(x)) if step[j, axis] > 0 and step[j, axis] == size[j]]
            if ahead:
                expected.add((i, min(ahead, key=lambda j: size[j])))
    assert set(map(tuple, neighbours(x).tolist())) == expected


def test_the_steepest_midpoint_on_a_line_lies_at_the_step() -> None:
    x = lobatto(41)
    y = np.tanh((x - 0.37) / 0.01)
    [middle] = steepest_midpoints(x, y, 1)
    below, above = x[x < 0.37].max(), x[x > 0.37].min()
    np.testing.assert_allclose(middle, [(below + above) / 2])


def test_midpoints_come_steepest_first() -> None:
    x = np.linspace(-1, 1, 11)[:, None]
    y = np.where(x > 0.5, 5.0, np.where(x > -0.5, 3.0, 0.0))  # steps of 3 at -0.5 and of 2 at 0.5
    np.testing.assert_allclose(steepest_midpoints(x, y, 2), [[-0.5], [0.5]])


@pytest.mark.parametrize("axis", [0, 1])
def test_a_step_along_either_axis_of_a_grid_is_found(axis: int) -> None:
    x = lobatto(9, 9)
    at = 0.5 * (x[:, axis][x[:, axis] < 0.2].max() + x[:, axis][x[:, axis] > 0.2].min())
    middle = steepest_midpoints(x, (x[:, axis : axis + 1] > 0.2) * np.array([[1.0, -2.0]]))
    assert middle.shape == (SUSPECTS, 2)
    np.testing.assert_allclose(middle[:, axis], at)


def test_suspects_lie_around_a_peak_in_a_plane() -> None:
    x = lobatto(11, 11)
    peak = np.array([0.3, -0.6])
    y = 1 / (1e-3 + ((x - peak) ** 2).sum(1, keepdims=True))
    top = x[y.argmax()]
    middle = steepest_midpoints(x, y, 4)
    assert (np.abs(middle - top).max(1) < 0.35).all()


def test_no_more_midpoints_than_pairs() -> None:
    x = np.array([[-1.0], [0.0], [1.0]])
    np.testing.assert_allclose(np.sort(steepest_midpoints(x, x**2), axis=0), [[-0.5], [0.5]])


def test_neighbours_on_a_grid_lie_straight_ahead() -> None:
    x = lobatto(5, 4)
    pairs = neighbours(x)
    assert len(pairs) == 4 * 4 + 5 * 3
    assert np.all(((x[pairs[:, 0]] != x[pairs[:, 1]]).sum(axis=1)) == 1)
