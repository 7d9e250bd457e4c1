"""The thermal block: against the torsion of a square bar, a manufactured solution, and what must hold of its parts."""

import numpy as np
import pytest
import scipy.linalg
from scipy.sparse.linalg import spsolve

from neumatc.errors import InputError
from neumatc.gallery.real import ThermalBlock

TORSION = 0.1405770  # of a square bar of side 1: four times ∫ u (Timoshenko and Goodier, Theory of Elasticity, §109)
PEAK = 0.0736713  # largest u


def somewhere(family, seed=0):
    return np.random.default_rng(seed).uniform(*family.conductivity, family.dimensions)


@pytest.mark.parametrize("blocks", [(2, 2), (3, 1), (3, 3)])
def test_homogeneous_block_is_the_torsion_problem(blocks):
    errors = []
    for squares in (16, 32):
        family = ThermalBlock(blocks, squares)
        u = spsolve(family(np.ones(family.dimensions)).tocsc(), family.rhs)
        errors.append(abs(4 * family.rhs @ u - TORSION))
    assert errors[1] < 2e-3 * TORSION
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.05)
    assert u.max() == pytest.approx(PEAK, rel=2e-3)


def test_layers_converge_to_a_manufactured_solution():
    # u = w(x) / μ(x) sin πy has the continuous flux w'(x) where w vanishes at the interface x = 1/2.
    mu = np.array([0.25, 1.0])
    errors = []
    for squares in (16, 32):
        family = ThermalBlock((2, 1), squares)
        x, y = family.grid
        conductivity = np.where(x < 0.5, mu[0], mu[1])
        exact = np.sin(2 * np.pi * x) * np.sin(np.pi * y) / conductivity
        # -∇·(μ ∇u) = 5 π² sin 2πx sin πy; nodal values times ∫ φ is a quadrature of second order.
        load = family.rhs * 5 * np.pi**2 * np.sin(2 * np.pi * x) * np.sin(np.pi * y)
        errors.append(np.abs(spsolve(family(mu).tocsc(), load) - exact).max())
    assert errors[1] < 0.02
    assert np.log2(errors[0] / errors[1]) > 1.8


def test_stiffness_of_linear_functions_is_exact():
    # xᵀ E x over interior nodes misses the boundary, so take a function that vanishes there: one hat of four squares.
    family = ThermalBlock((1, 1), 2)
    x, y = family.grid
    pyramid = np.minimum(np.minimum(x, 1 - x), np.minimum(y, 1 - y))
    assert pyramid @ (family.energy @ pyramid) == pytest.approx(1.0)  # |∇| = 1 on the unit square


@pytest.mark.parametrize(("blocks", "squares"), [((2, 2), 4), ((3, 3), 7), ((2, 3), 5), ((1, 1), 3)])
def test_family_is_the_sum_of_its_parts(blocks, squares):
    family = ThermalBlock(blocks, squares)
    mu = somewhere(family)
    total = sum(t * A.toarray() for t, A in zip(mu, family.matrices, strict=True))
    np.testing.assert_allclose(family.dense(mu), total, rtol=0, atol=1e-13)
    ones = np.ones(family.dimensions)
    np.testing.assert_allclose(family.energy.toarray(), family.dense(ones), rtol=0, atol=1e-13)
    np.testing.assert_allclose(family.energy.toarray(), ThermalBlock((1, 1), squares).dense(1.0), rtol=0, atol=1e-13)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_coercivity_is_a_bound_in_the_energy_norm(seed):
    family = ThermalBlock((3, 2), 6)
    mu = somewhere(family, seed)
    lowest = scipy.linalg.eigh(family.dense(mu), family.energy.toarray(), eigvals_only=True)[0]
    assert lowest >= family.coercivity(mu) * (1 - 1e-12)
    assert family.coercivity(mu) == mu.min()


def test_parts_are_semidefinite_and_touch_their_block_alone():
    family = ThermalBlock((3, 2), 6)
    x, y = family.grid
    for q, part in enumerate(family.matrices):
        A = part.toarray()
        assert np.array_equal(A, A.T)
        assert np.linalg.eigvalsh(A).min() > -1e-12
        used = A.any(axis=1)
        i_x, i_y = q % 3, q // 3
        assert np.all((x[used] >= i_x / 3 - 1e-12) & (x[used] <= (i_x + 1) / 3 + 1e-12))
        assert np.all((y[used] >= i_y / 2 - 1e-12) & (y[used] <= (i_y + 1) / 2 + 1e-12))


def test_scaling_all_conductivities_scales_the_solution():
    family = ThermalBlock((2, 2), 10)
    mu = 0.4 * somewhere(family)
    one, two = (spsolve(family(c * mu).tocsc(), family.rhs) for c in (1.0, 2.0))
    np.testing.assert_allclose(two, one / 2, rtol=1e-10)


def test_sizes_and_boxes():
    assert ThermalBlock((2, 2), 41).size == ThermalBlock((2, 2), 41).rhs.size == 3281
    assert ThermalBlock((2, 2), 41)(np.ones(4)).shape == (3281, 3281)
    assert ThermalBlock((3, 3)).box == [(0.1, 1.0)] * 9
    assert ThermalBlock((1, 1)).box == (0.1, 1.0)
    # Hats sum to one away from the boundary, and lose one square's width there: ∫ Σ φ tends to the area.
    assert ThermalBlock((1, 1), 400).rhs.sum() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"blocks": (0, 2)}, "two positive numbers of blocks"),
        ({"blocks": (5, 2), "squares": 4}, "two positive numbers of blocks"),
        ({"squares": 1, "blocks": (1, 1)}, "two positive numbers of blocks"),
        ({"conductivity": (0.0, 1.0)}, "0 < lo < hi"),
        ({"conductivity": (1.0, 0.1)}, "0 < lo < hi"),
    ],
)
def test_wrong_choices_are_named(options, message):
    with pytest.raises(InputError, match=message):
        ThermalBlock(**options)


def test_number_of_parameters_is_checked():
    with pytest.raises(InputError, match=r"has 4 parameter\(s\)"):
        ThermalBlock()(np.ones(3))
