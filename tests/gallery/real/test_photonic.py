"""The photonic crystal: its published gap, free space, and a homogeneous medium."""

import numpy as np
import pytest
import scipy.linalg

from neumatc.errors import InputError
from neumatc.gallery.real import PhotonicCrystal

CRYSTAL = PhotonicCrystal()
CORNERS = {"Γ": (0.0, 0.0), "X": (0.5, 0.0), "M": (0.5, 0.5)}


def test_gap_is_the_published_one():
    path = [np.array([x, 0]) for x in (0.25, 0.5)] + [np.array([0.5, y]) for y in (0.25, 0.5)] + [np.full(2, 0.25)]
    omega = np.array([CRYSTAL.frequencies(k)[:2] for k in path])
    assert omega[:, 0].max() == pytest.approx(0.322, abs=0.002)
    assert omega[:, 1].min() == pytest.approx(0.443, abs=0.002)


def test_gap_edges_are_at_the_corners():
    assert CRYSTAL.frequencies(np.array(CORNERS["M"]))[0] == pytest.approx(0.322, abs=0.002)
    assert CRYSTAL.frequencies(np.array(CORNERS["X"]))[1] == pytest.approx(0.443, abs=0.002)
    assert CRYSTAL.frequencies(np.array(CORNERS["Γ"]))[0] == pytest.approx(0, abs=1e-6)


def test_standard_form_has_the_eigenvalues_of_the_pencil():
    family, k, r = PhotonicCrystal(radius=None, waves=5), np.array([0.3, 0.1]), 0.21
    m = np.arange(5) - 2
    stiffness = np.array([(k[0] + x) ** 2 + (k[1] + y) ** 2 for x in m for y in m])
    pencil = scipy.linalg.eigh(np.diag(stiffness), family.gram(r), eigvals_only=True)
    np.testing.assert_allclose(np.linalg.eigvalsh(family(np.append(k, r))), pencil, rtol=1e-10)


def test_permittivity_is_the_fourier_series_of_the_rods():
    family, count, r = PhotonicCrystal(waves=3), 801, 0.2
    x = (np.arange(count) + 0.5) / count - 0.5
    inside = np.add.outer(x**2, x**2) < r**2
    epsilon = 1 + 7.9 * inside
    M = family.gram(r)
    assert M[0, 0] == pytest.approx(epsilon.mean(), abs=2e-3)
    # Rows 0 and 5 are (-1, -1) and (0, 1): a difference of (1, 2).
    wave = np.cos(2 * np.pi * np.add.outer(x, 2 * x))
    assert M[0, 5] == pytest.approx((epsilon * wave).mean(), abs=2e-3)


def test_without_contrast_light_is_free():
    family, k = PhotonicCrystal(permittivity=1.0, waves=5), np.array([0.2, 0.4])
    m = np.arange(5) - 2
    free = np.sort(np.hypot(*np.meshgrid(k[0] + m, k[1] + m)).ravel())
    np.testing.assert_allclose(family.frequencies(k), free, rtol=1e-12)


def test_long_waves_see_the_mean_permittivity():
    k = np.array([1e-4, 0.0])
    mean = 1 + 7.9 * np.pi * 0.2**2
    assert CRYSTAL.frequencies(k)[0] == pytest.approx(1e-4 / np.sqrt(mean), rel=1e-3)


def test_matrix_is_symmetric_in_every_bit_and_four_of_them_span_the_family():
    family = PhotonicCrystal(waves=5)
    points = np.random.default_rng(0).uniform(0, 0.5, (8, 2))
    H = np.array([family(k) for k in points])
    assert np.array_equal(H, H.transpose(0, 2, 1))
    sigma = np.linalg.svd(H.reshape(8, -1), compute_uv=False)
    assert sigma[4] < 1e-13 * sigma[0]
    assert sigma[3] > 1e-6 * sigma[0]


def test_radius_is_a_parameter_or_a_dial():
    free, k = PhotonicCrystal(radius=None, waves=5), np.array([0.2, 0.1])
    np.testing.assert_allclose(free(np.append(k, 0.2)), PhotonicCrystal(waves=5)(k), rtol=0, atol=1e-13)
    assert free.box == [(0, 0.5), (0, 0.5), (0.15, 0.25)]
    with pytest.raises(InputError, match="third parameter"):
        free(np.array([0.2, 0.1, 0.6]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"radius": 0.6}, "radius between 0 and 0.5"),
        ({"permittivity": 0.5}, "permittivity of at least 1"),
        ({"waves": 4}, "odd number of waves"),
    ],
)
def test_wrong_choices_are_named(options, message):
    with pytest.raises(InputError, match=message):
        PhotonicCrystal(**options)
