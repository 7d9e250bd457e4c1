"""Waves in a room: convergence to a manufactured solution, resonances of the empty room, and the energy balance."""

import numpy as np
import pytest
from scipy.sparse.linalg import spsolve

from neumatc.errors import InputError
from neumatc.gallery.real import Helmholtz


def manufactured(family, k):
    """u = sin(πx/2) exp(ikx) sin πy, which meets all four walls, and the source that belongs to it."""
    x, y = family.grid
    wave, side = np.exp(1j * k * x), np.sin(np.pi * y)
    g, slope = np.sin(np.pi * x / 2), np.pi / 2 * np.cos(np.pi * x / 2)
    second = -((np.pi / 2) ** 2) * g
    u = g * wave * side
    f = -(second + 2j * k * slope - k**2 * g) * wave * side + np.pi**2 * u - k**2 * family.medium * u
    return u, f


def empty_room(k, m):
    """The resonance next to k with m half waves along y: κ cos κ = i k sin κ, κ² = k² - m² π², by Newton's method."""
    for _ in range(50):
        kappa = np.sqrt(complex(k * k - (m * np.pi) ** 2))
        value = kappa * np.cos(kappa) - 1j * k * np.sin(kappa)
        slope = (np.cos(kappa) - kappa * np.sin(kappa) - 1j * k * np.cos(kappa)) * k / kappa - 1j * np.sin(kappa)
        k = k - value / slope
    return k


@pytest.mark.parametrize("k", [2.0, 7.3, 12.0])
def test_solution_converges_with_second_order(k):
    errors = []
    for intervals in (24, 48):
        # A disc the grid does not resolve would spoil the order; its source is exact at every point instead.
        family = Helmholtz(intervals, permittivity=2.0)
        u, f = manufactured(family, k)
        solution = spsolve(family(k).tocsc(), family.rhs * f)
        errors.append(np.linalg.norm(solution - u) / np.linalg.norm(u))
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.3)


@pytest.mark.parametrize(("start", "m"), [(3.9 - 0.7j, 1), (6.5 - 0.5j, 2), (6.8 - 1.3j, 1)])
def test_resonances_of_the_empty_room_converge(start, m):
    exact = empty_room(start, m)
    assert exact.imag < 0
    errors = [np.abs(Helmholtz(N, radius=0.0).resonances() - exact).min() for N in (8, 16)]
    assert errors[1] < 0.25
    assert np.log2(errors[0] / errors[1]) > 1.5


def test_matrix_is_singular_at_its_resonances_alone():
    family = Helmholtz(9)
    K, M, B = (part.toarray() for part in family.matrices)
    poles = family.resonances()
    assert len(poles) == 2 * family.size
    assert poles.imag.max() < 0
    for k in poles[:6]:
        assert np.linalg.cond(K - k * k * M - 1j * k * B) > 1e8
    for k in (2.0, 7.0, 12.0):
        assert np.linalg.cond(family.dense(k)) < 1e5


def test_inclusion_brings_poles_to_the_axis():
    def nearest(family):
        poles = family.resonances()
        inside = poles[(poles.real > 2) & (poles.real < 12)]
        return np.abs(inside.imag).min()

    assert nearest(Helmholtz(14)) < 0.25 * nearest(Helmholtz(14, radius=0.0))


@pytest.mark.parametrize("k", [2.0, 5.5, 12.0])
def test_what_the_source_gives_the_wall_absorbs(k):
    family = Helmholtz(10)
    A, b = family.dense(k), family.rhs
    u = np.linalg.solve(A, b)
    B = family.matrices[2].toarray()
    # The imaginary part of uᴴ A u = uᴴ b.
    assert -np.vdot(u, b).imag == pytest.approx(k * np.vdot(u, B @ u).real, rel=1e-8)


def test_family_is_the_sum_of_its_parts():
    family = Helmholtz(5)
    K, M, B = (part.toarray() for part in family.matrices)
    k = 3.7
    np.testing.assert_allclose(family.coefficients(k), [1, -(k**2), -1j * k])
    np.testing.assert_allclose(family.dense(k), K - k**2 * M - 1j * k * B, rtol=0, atol=1e-12)
    assert np.array_equal(family.dense(k), family.dense(k).T)
    assert np.array_equal(K, K.T)
    assert np.linalg.eigvalsh(K).min() > 0
    assert np.array_equal(M, np.diag(M.diagonal()))


def test_sizes():
    family = Helmholtz(24)
    assert family(2.0).shape == (552, 552)
    assert family.rhs.shape == family.medium.shape == (552,)
    assert set(family.medium) == {1.0, 4.0}
    # Area of the disc, by counting points.
    assert np.mean(family.medium == 4) == pytest.approx(np.pi * 0.25**2, rel=0.1)


@pytest.mark.parametrize("options", [{"intervals": 2}, {"permittivity": 0.0}, {"radius": 0.5}])
def test_wrong_choices_are_named(options):
    with pytest.raises(InputError, match="expected intervals >= 3"):
        Helmholtz(**options)


def test_few_modes_but_badly_polynomial():
    family = Helmholtz(8)
    x = np.cos(np.pi * (np.arange(160) + 0.5) / 160)
    X = np.array([np.linalg.inv(family.dense(7 + 5 * t)).ravel() for t in x])
    sigma = np.linalg.svd(X, compute_uv=False)
    assert np.linalg.norm(sigma[30:]) < 1e-3 * np.linalg.norm(sigma)
    # Chebyshev coefficients by the discrete cosine transform on the nodes of the first kind.
    T = np.cos(np.arange(160)[:, None] * np.arccos(x))
    size = np.linalg.norm(T @ X, axis=1)
    assert np.linalg.norm(size[100:]) > 1e-2 * np.linalg.norm(size)
