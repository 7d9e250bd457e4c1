"""Controlled parametric rank: exactly d modes, rank r."""

import numpy as np
import pytest

from neumatc.errors import InputError
from neumatc.gallery import ControlledRank


def stacked(family, part):
    return np.stack([np.ravel(family.factors(p)[part]) for p in np.linspace(0, 1, 80)])


@pytest.mark.parametrize("modes", [2, 5, 10, 15, 30])
@pytest.mark.parametrize("part", [0, 1, 2], ids="USV")
def test_factors_have_exactly_d_modes(modes, part):
    family = ControlledRank(n=32, rank=32, modes=modes)
    sigma = np.linalg.svd(stacked(family, part), compute_uv=False)
    # The mean of the positive C_S dominates the first mode of S; the others are still far above rounding.
    assert sigma[modes - 1] > 1e-5 * sigma[0]
    assert np.all(sigma[modes:] < 1e-13 * sigma[0])


def test_matrix_has_rank_r_and_is_the_product():
    family = ControlledRank(n=40, rank=7, modes=5)
    U, s, V = family.factors(0.21)
    np.testing.assert_allclose(family(0.21), U @ np.diag(s) @ V.T, rtol=0, atol=1e-14)
    sigma = np.linalg.svd(family(0.21), compute_uv=False)
    assert sigma[6] > 1e-3 * sigma[0]
    assert sigma[7] < 1e-13 * sigma[0]


def test_nominal_singular_values_are_positive_and_decay():
    family = ControlledRank(n=128, rank=100, modes=10)
    s = np.stack([family.factors(p)[1] for p in np.linspace(0, 1, 40)])
    assert s.min() > 0
    np.testing.assert_allclose(s[:, 90:].mean() / s[:, :10].mean(), 0.983**90, rtol=0.1)


def test_truncation_error_is_that_of_the_paper():
    family = ControlledRank()
    sigma = np.linalg.svd(family(0.37), compute_uv=False)
    assert (sigma[85:] ** 2).sum() / (sigma**2).sum() == pytest.approx(1.15e-2, rel=0.25)


def test_basis_functions_peak_at_their_centres():
    family = ControlledRank(n=8, rank=2, modes=6)
    for j, centre in enumerate(np.linspace(0, 1, 6)):
        phi = family.functions(centre)
        assert phi[j] == 1
        assert np.argmax(phi) == j


def test_seed_decides():
    one, same, other = (ControlledRank(n=12, rank=3, modes=4, seed=seed)(0.6) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.allclose(one, other)


@pytest.mark.parametrize("options", [{"rank": 9}, {"rank": 0}, {"modes": 1}])
def test_wrong_choices_are_named(options):
    with pytest.raises(InputError, match="expected 1 <= rank <= n and modes >= 2"):
        ControlledRank(**{"n": 8, "rank": 3, "modes": 4, **options})
