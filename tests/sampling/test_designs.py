"""Candidate grids, and designs that are fixed beforehand."""

from itertools import pairwise

import numpy as np
import pytest

from neumatc.bases import lobatto
from neumatc.sampling import SAMPLERS, Design, FailureInformed, sampler
from neumatc.sampling.base import nearest
from neumatc.sampling.designs import CANDIDATES, SOBOL, candidates, far_first, levels, sobol

KINDS = ["chebyshev", "uniform", "sobol"]


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("dimension", [1, 2, 3, 4, 6])
def test_candidates_lie_in_the_cube_and_levels_are_nested(dimension: int) -> None:
    grids = [candidates(dimension, level, rng()) for level in range(levels(dimension))]
    assert len(grids) >= 2
    for coarse, fine in pairwise(grids):
        assert np.abs(fine).max() <= 1
        assert len(fine) > len(coarse)
        keys = {tuple(point) for point in (np.round(fine, 12) + 0.0).tolist()}
        assert keys.issuperset(tuple(point) for point in (np.round(coarse, 12) + 0.0).tolist())


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_candidates_of_few_dimensions_are_lobatto_grids(dimension: int) -> None:
    for level, side in enumerate(CANDIDATES[dimension]):
        np.testing.assert_array_equal(candidates(dimension, level, rng()), lobatto(*[side] * dimension))


def test_candidates_of_many_dimensions_are_sobol_points() -> None:
    assert levels(5) == len(SOBOL)
    np.testing.assert_array_equal(candidates(5, 0, rng()), sobol(SOBOL[0], 5, rng()))


@pytest.mark.parametrize("count", [1, 5, 64, 100])
def test_sobol_points_fill_the_cube_evenly(count: int) -> None:
    x = sobol(count, 3, rng())
    assert x.shape == (count, 3)
    assert x.min() >= -1
    assert x.max() <= 1
    np.testing.assert_array_equal(sobol(128, 3, rng())[:count], x)  # more points begin with the fewer
    if count == 64:  # a whole power of two: one point in every cell of each axis
        for column in x.T:
            cells = np.floor((column + 1) / 2 * 64)
            assert sorted(cells) == list(range(64))


def test_sobol_follows_its_generator() -> None:
    assert not np.array_equal(sobol(8, 2, np.random.default_rng(1)), sobol(8, 2, rng()))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [2, 4, 9, 25])
@pytest.mark.parametrize("dimension", [1, 2])
def test_designs_name_different_candidates_within_the_budget(kind: str, count: int, dimension: int) -> None:
    x = candidates(dimension, 0, rng())
    chosen = Design(kind).first(x, count)  # type: ignore[arg-type]
    assert len(set(chosen)) == len(chosen) <= count
    assert len(chosen) >= min(count, round(count ** (1 / dimension)) ** dimension)
    assert np.abs(x[chosen]).max() <= 1
    assert Design(kind).select(x, np.full(len(x), np.inf), np.ones(len(x), bool), 1e-9, 9) == []  # type: ignore[arg-type]


@pytest.mark.parametrize("dimension", [1, 2])
def test_designs_are_the_grids_they_are_called_after(dimension: int) -> None:
    x = candidates(dimension, 0, rng())
    side = 5 if dimension == 1 else 4
    grid = lobatto(*[side] * dimension)
    chosen = x[Design("chebyshev").first(x, side**dimension)]
    order = np.lexsort(chosen.T[::-1])
    np.testing.assert_allclose(chosen[order], grid, rtol=0, atol=1e-12)
    spacing = np.diff(np.unique(x[:, 0])).max()
    uniform = x[Design("uniform").first(x, side**dimension)]
    equal = np.stack([a.ravel() for a in np.meshgrid(*[np.linspace(-1, 1, side)] * dimension)], axis=1)
    distance = np.abs(uniform[:, None] - equal[None]).max(-1)
    assert distance.min(0).max() <= spacing / 2 + 1e-12


def test_a_grid_that_does_not_divide_the_budget_stays_within_it() -> None:
    x = candidates(2, 0, rng())
    assert len(Design("chebyshev").first(x, 7)) == 7  # three per axis, two of nine left out
    assert len(Design("uniform").first(x, 11)) == 9


def test_far_first_is_a_permutation_that_begins_where_it_was_told() -> None:
    x = lobatto(9)
    order = far_first(x, list(range(9)))
    assert sorted(order) == list(range(9))
    assert order[:3] == [0, 8, 4]  # one end, the other, the middle
    for k in range(1, 9):
        gaps = [np.abs(x[order[:k]] - x[j]).min() for j in order[k:]]
        assert gaps[0] >= max(gaps) - 1e-15


def test_far_first_of_one() -> None:
    assert far_first(lobatto(3), [2]) == [2]


def test_nearest_takes_every_candidate_once_in_order() -> None:
    x = np.array([0.0, 0.4, 1.0])[:, None]
    assert nearest(x, np.array([[0.45], [0.42], [0.9]])) == [1, 0, 2]
    assert nearest(x, np.zeros((7, 1))) == [0, 1, 2]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [(None, FailureInformed()), ("sobol", Design("sobol")), (Design("uniform"), Design("uniform"))],
)
def test_samplers_by_name_and_instance(choice: object, expected: object) -> None:
    assert sampler(choice) == expected  # type: ignore[arg-type]
    assert set(SAMPLERS) == {"failure", *KINDS}
