"""Advection-diffusion-reaction: the discretisation against solutions that are known."""

import numpy as np
import pytest
from scipy.sparse.linalg import spsolve

from neumatc.errors import InputError
from neumatc.gallery.real import AdvectionDiffusionReaction

POINTS = (0.0, 0.1, 0.37, 0.75)


def manufactured(family, p):
    """u = sin πx sin 2πy and the source that belongs to it."""
    x, y = family.grid
    a, b = np.pi, 2 * np.pi
    u = np.sin(a * x) * np.sin(b * y)
    wind = family.speed * np.array([np.cos(2 * np.pi * p), np.sin(2 * np.pi * p)])
    slope = (a * np.cos(a * x) * np.sin(b * y), b * np.sin(a * x) * np.cos(b * y))
    return u, (a**2 + b**2 + 1) * u + wind[0] * slope[0] + wind[1] * slope[1]


@pytest.mark.parametrize("p", POINTS)
def test_solution_converges_with_second_order(p):
    errors = []
    for points in (31, 63):
        family = AdvectionDiffusionReaction(points)
        u, f = manufactured(family, p)
        errors.append(np.abs(spsolve(family(p).tocsc(), f) - u).max())
    assert errors[1] < 1e-2
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.1)


def test_plain_reaction_and_diffusion_of_a_sine():
    family = AdvectionDiffusionReaction(9, speed=0.0)
    x, y = family.grid
    sine = np.sin(np.pi * x) * np.sin(np.pi * y)
    np.testing.assert_allclose(family(0.3) @ sine, family.coercivity * sine, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("p", POINTS)
def test_family_is_the_sum_of_its_parts(p):
    family = AdvectionDiffusionReaction(6, speed=7.0)
    theta = family.coefficients(p)
    np.testing.assert_allclose(theta, [1, np.cos(2 * np.pi * p), np.sin(2 * np.pi * p)])
    total = sum(t * A.toarray() for t, A in zip(theta, family.matrices, strict=True))
    np.testing.assert_allclose(family.dense(p), total, rtol=0, atol=1e-12)


def test_parts_are_symmetric_and_antisymmetric():
    A_0, A_1, A_2 = (A.toarray() for A in AdvectionDiffusionReaction(5).matrices)
    assert np.array_equal(A_0, A_0.T)
    assert np.array_equal(A_1, -A_1.T)
    assert np.array_equal(A_2, -A_2.T)


@pytest.mark.parametrize("p", POINTS)
def test_coercivity_is_a_bound(p):
    family = AdvectionDiffusionReaction(8)
    assert np.linalg.svd(family.dense(p), compute_uv=False)[-1] >= family.coercivity * (1 - 1e-12)
    assert np.linalg.eigvalsh(family.matrices[0].toarray())[0] == pytest.approx(family.coercivity)


def test_quarter_turn_exchanges_the_axes():
    family = AdvectionDiffusionReaction(5)
    swap = np.arange(25).reshape(5, 5).T.ravel()
    np.testing.assert_allclose(family.dense(0.25), family.dense(0.0)[np.ix_(swap, swap)], rtol=0, atol=1e-11)


def test_size_of_the_paper():
    family = AdvectionDiffusionReaction(316)
    assert family(0.2).shape == (99856, 99856)
    assert family.rhs.shape == (99856,)
    assert AdvectionDiffusionReaction(24).peclet == 1
    assert AdvectionDiffusionReaction(25).peclet < 1


def test_matrices_are_fresh_and_parts_cannot_be_written():
    family = AdvectionDiffusionReaction(4)
    A = family(0.2)
    A.data[:] = 0
    assert family(0.2).data.any()
    with pytest.raises(ValueError, match="read-only"):
        family.matrices[0].data[0] = 1


@pytest.mark.parametrize("options", [{"points": 1}, {"speed": float("nan")}])
def test_wrong_choices_are_named(options):
    with pytest.raises(InputError, match="expected points >= 2 and a finite speed"):
        AdvectionDiffusionReaction(**options)


def test_one_point_at_a_time():
    with pytest.raises(InputError, match=r"has 1 parameter\(s\)"):
        AdvectionDiffusionReaction()(np.zeros(2))
