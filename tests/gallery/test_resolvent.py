"""Resolvents: the inverse, the poles, and what their distance does to a polynomial."""

import numpy as np
import pytest

from neumatc.errors import InputError
from neumatc.gallery import Resolvent


@pytest.fixture(params=[(0.05, False), (0.05, True), (1e-3, False)], ids=str)
def family(request):
    eta, complex = request.param
    return Resolvent(n=14, levels=5, eta=eta, complex=complex, seed=4)


def test_inverse_and_condition_are_numpys(family):
    for p in (0.0, 0.217, 0.9):
        X = np.linalg.inv(family(p))
        assert np.linalg.norm(family.inverse(p) - X) < 1e-11 * np.linalg.norm(X)
        assert family.condition(p) == pytest.approx(np.linalg.cond(family(p)), rel=1e-10)


def test_poles_are_where_the_matrix_is_singular(family):
    shifted = family(0.0)  # K + iη: its eigenvalues are the poles
    np.testing.assert_allclose(np.sort_complex(np.linalg.eigvals(shifted)), family.poles, rtol=0, atol=1e-12)
    np.testing.assert_allclose(family.poles.imag, family.eta)


def test_levels_lie_in_the_box(family):
    inside = (family.poles.real > 0) & (family.poles.real < 1)
    assert inside.sum() == 5
    distance = np.minimum(np.abs(family.poles.real), np.abs(family.poles.real - 1))
    assert distance[~inside].min() >= 1


def test_poles_on_the_axis_give_a_real_singular_matrix():
    family = Resolvent(n=8, levels=3, eta=0.0)
    pole = float(family.poles.real[(family.poles.real > 0) & (family.poles.real < 1)][0])
    assert not np.iscomplexobj(family(0.3))
    assert np.linalg.svd(family(pole), compute_uv=False)[-1] < 1e-14
    assert family.condition(pole) == float("inf")


def test_polynomials_pay_for_the_distance():
    def degree(eta):
        family = Resolvent(n=6, levels=2, eta=eta)
        x = -np.cos(np.pi * np.arange(401) / 400)
        values = np.stack([family.inverse((t + 1) / 2).ravel() for t in x])
        size = np.linalg.norm(np.polynomial.chebyshev.chebfit(x, values, 400), axis=1)
        return np.flatnonzero(size > 1e-6 * size.max()).max()

    assert degree(0.05) > 2 * degree(0.2)


def test_seed_decides():
    one, same, other = (Resolvent(seed=seed)(0.6) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.allclose(one, other)


@pytest.mark.parametrize("options", [{"levels": 0}, {"n": 4, "levels": 5}, {"eta": -0.1}, {"eta": float("nan")}])
def test_wrong_choices_are_named(options):
    with pytest.raises(InputError, match="expected 1 <= levels <= n and a finite eta >= 0"):
        Resolvent(**options)
