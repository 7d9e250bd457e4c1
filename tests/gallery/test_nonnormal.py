"""The exceptional point: eigenpairs, the branch point, and how the eigenvectors collapse."""

import numpy as np
import pytest

from neumatc.errors import InputError
from neumatc.gallery import ExceptionalPoint


def paired(values):
    return np.array(sorted(values, key=lambda z: (round(z.real, 6), round(z.imag, 6))))


@pytest.mark.parametrize("distance", [0.0, 1e-3, 0.2])
@pytest.mark.parametrize("p", [0.0, 0.3, 0.51, 1.0])
def test_eigenpairs_are_lapacks(distance, p):
    family = ExceptionalPoint(n=7, centre=0.45, distance=distance)
    A, w, V = family(p), family.eigenvalues(p), family.eigenvectors(p)
    assert np.iscomplexobj(A) == (distance > 0)
    np.testing.assert_allclose(paired(w), paired(np.linalg.eigvals(A).astype(complex)), rtol=0, atol=1e-12)
    np.testing.assert_allclose(A @ V, V * w, rtol=0, atol=1e-13)
    np.testing.assert_allclose(np.linalg.norm(V, axis=0), 1)
    assert family.condition(p) == pytest.approx(np.linalg.cond(V), rel=1e-10)


def test_pair_merges_like_a_square_root():
    family = ExceptionalPoint(n=6, centre=0.5)
    assert family.branch_point == 0.5
    for offset in (1e-2, 1e-4, 1e-6):
        for sign in (1, -1):
            w = np.linalg.eigvals(family(0.5 + sign * offset))
            assert np.abs(w).min() == pytest.approx(offset**0.5, rel=1e-4)
    assert abs(family.eigenvalues(0.5)[:2]).max() == 0
    assert family.condition(0.5) == float("inf")
    np.testing.assert_array_equal(family.eigenvectors(0.5)[:, 0], family.eigenvectors(0.5)[:, 1])


def test_matrix_is_defective_at_the_branch_point():
    A = ExceptionalPoint(n=6, centre=0.5)(0.5)
    sigma = np.linalg.svd(A, compute_uv=False)
    squared = np.linalg.svd(A @ A, compute_uv=False)
    assert np.sum(sigma < 1e-13) == 1
    assert np.sum(squared < 1e-13) == 2


@pytest.mark.parametrize("distance", [0.3, 0.01])
def test_distance_bounds_the_closest_approach(distance):
    family = ExceptionalPoint(n=6, centre=0.4, distance=distance)
    assert family.branch_point == 0.4 - 1j * distance
    splits = [abs(np.subtract(*family.eigenvalues(p)[:2])) for p in np.linspace(0, 1, 101)]
    assert min(splits) == pytest.approx(2 * distance**0.5)
    assert np.argmin(splits) == 40


def test_seed_decides():
    one, same, other = (ExceptionalPoint(seed=seed)(0.6) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.allclose(one, other)


@pytest.mark.parametrize("options", [{"centre": 0.0}, {"distance": -0.1}, {"distance": float("nan")}])
def test_wrong_choices_are_named(options):
    with pytest.raises(InputError, match="expected a centre inside"):
        ExceptionalPoint(**options)
