"""The dipole array: published impedances, closed forms by sine and cosine integrals, and reciprocity."""

import numpy as np
import pytest
from scipy.special import sici

from neumatc.errors import InputError
from neumatc.gallery.real import DipoleArray

ETA = 376.730313668


def closed_form(distance):
    """Z of two half-wave dipoles side by side at the design frequency (Balanis, Antenna Theory, equations 8-71)."""
    k, length = 2 * np.pi, 0.5
    longer = np.hypot(distance, length) + length
    # The difference of the two would cancel for a thin wire: its product with their sum is the distance squared.
    u = k * np.array([distance, longer, distance**2 / longer])
    si, ci = sici(u)
    signs = np.array([2, -1, -1])
    return ETA / (4 * np.pi) * (signs @ ci - 1j * (signs @ si))


def test_self_impedance_is_the_published_one():
    # The limit of a thin wire; a thicker one adds little at resonance.
    Z = DipoleArray().mutual(1.0, 1e-5)
    assert Z.real == pytest.approx(73.1, abs=0.05)
    assert Z.imag == pytest.approx(42.5, abs=0.05)


def test_mutual_impedance_at_half_a_wave_is_the_published_one():
    Z = DipoleArray().mutual(1.0, 0.5)
    assert Z.real == pytest.approx(-12.5, abs=0.05)
    assert Z.imag == pytest.approx(-29.9, abs=0.05)


@pytest.mark.parametrize("distance", [1e-5, 1e-3, 0.1, 0.5, 1.3, 10.6])
def test_quadrature_agrees_with_sine_and_cosine_integrals(distance):
    assert DipoleArray().mutual(1.0, distance) == pytest.approx(closed_form(distance), rel=1e-9)


@pytest.mark.parametrize("frequency", [0.6, 0.9, 1.1])
def test_radiated_power_is_that_of_the_far_field(frequency):
    # R = (η / 2π) ∫ (cos(kl/2 x) - cos(kl/2))² / (1 - x²) dx / sin²(kl/2), x the cosine of the zenith angle.
    x, w = np.polynomial.legendre.leggauss(60)
    half = np.pi * frequency / 2
    pattern = (np.cos(half * x) - np.cos(half)) ** 2 / (1 - x**2)
    resistance = ETA / (2 * np.pi) * (w @ pattern) / np.sin(half) ** 2
    assert DipoleArray().mutual(frequency, 1e-5).real == pytest.approx(resistance, rel=1e-6)


def test_matrix_holds_the_impedances_of_all_pairs():
    family = DipoleArray(shape=(3, 2), spacing=0.4, load=75.0)
    A = family(0.95)
    position = [(i, j) for i in range(3) for j in range(2)]
    for m, (x, y) in enumerate(position):
        for k, (u, v) in enumerate(position):
            distance = 0.4 * np.hypot(x - u, y - v) if m != k else family.radius
            assert A[m, k] == pytest.approx(family.mutual(0.95, distance) + 75.0 * (m == k))


@pytest.mark.parametrize("frequency", [0.9, 1.0, 1.1])
def test_array_is_reciprocal_and_passive(frequency):
    Z = DipoleArray(shape=(5, 5), load=0.0)(frequency)
    assert np.array_equal(Z, Z.T)
    assert np.linalg.eigvalsh(Z.real).min() > 0
    # With a load R the real part is at least R: the inverse is bounded by 1 / R.
    A = DipoleArray(shape=(5, 5))(frequency)
    assert np.linalg.norm(np.linalg.inv(A), 2) <= 1 / 50


def test_sizes_and_box():
    family = DipoleArray()
    assert family(1.05).shape == (256, 256)
    assert family.box == (0.9, 1.1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shape": (0, 3)}, "at least one dipole"),
        ({"radius": 0.3}, "at least one dipole"),
        ({"band": (0.9, 2.0)}, "expected a band inside"),
        ({"band": (1.1, 0.9)}, "expected a band inside"),
        ({"load": -1.0}, "expected a finite load"),
    ],
)
def test_wrong_choices_are_named(options, message):
    with pytest.raises(InputError, match=message):
        DipoleArray(**options)
