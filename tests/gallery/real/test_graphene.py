"""Twisted bilayer graphene at the magic angle: published band energies, and the symmetries of the model."""

import numpy as np
import pytest

from neumatc.errors import InputError
from neumatc.gallery.real import TwistedBilayer

MAGIC = TwistedBilayer(angle=1.05)


def energies(k, family=MAGIC):
    return np.linalg.eigvalsh(family(k))


def test_bands_at_the_centre_are_the_published_ones():
    E = energies(np.zeros(2))
    assert E.size == 244
    np.testing.assert_allclose(E[121:123], [-2.5, 4.9], atol=0.05)
    np.testing.assert_allclose(E[[119, 120]], -19, atol=1)
    np.testing.assert_allclose(E[[123, 124]], 19, atol=1)


@pytest.mark.parametrize("k", MAGIC.dirac)
def test_flat_bands_touch_at_the_dirac_points(k):
    # The cut-off is round about Γ, not about K, and lifts the degeneracy by what it leaves out: below a nano-eV.
    E = energies(k)
    assert E[122] - E[121] < 1e-6
    assert E[123] - E[122] > 10


def test_cut_off_is_converged():
    k = np.array([0.2, -0.3])
    more = energies(k, TwistedBilayer(angle=1.05, shells=5))
    middle = more.size // 2
    np.testing.assert_allclose(energies(k)[118:126], more[middle - 4 : middle + 4], rtol=0, atol=1e-2)


def test_layers_without_coupling_are_dirac_cones():
    family = TwistedBilayer(angle=1.3, same=0, across=0, shells=1)
    k = np.array([0.3, -0.2])
    g = family.vectors @ np.array([[np.sqrt(3) / 2, 1.5], [-np.sqrt(3) / 2, 1.5]])
    slope = 5253.0 * 2 * (4 * np.pi / (3 * 2.46)) * np.sin(np.deg2rad(0.65))
    cones = slope * np.concatenate([np.linalg.norm(k + g - corner, axis=1) for corner in family.dirac])
    np.testing.assert_allclose(energies(k, family), np.sort(np.concatenate([cones, -cones])), rtol=0, atol=1e-9)


def test_matrix_is_hermitian_in_every_bit_and_affine_in_k():
    rng = np.random.default_rng(0)
    ks = rng.uniform(-1, 1, (6, 2))
    H = np.array([MAGIC(k) for k in ks])
    assert np.array_equal(H, H.conj().transpose(0, 2, 1))
    sigma = np.linalg.svd((H - H.mean(axis=0)).reshape(6, -1), compute_uv=False)
    assert sigma[2] < 1e-12 * sigma[0] < sigma[1]


def test_spectrum_has_the_threefold_axis():
    k, turn = np.array([0.3, 0.1]), np.deg2rad(120)
    rotated = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ k
    # The middle of the spectrum, which the cut-off does not touch.
    np.testing.assert_allclose(energies(rotated)[118:126], energies(k)[118:126], rtol=0, atol=1e-2)


def test_angle_is_a_parameter_or_a_dial():
    free = TwistedBilayer()
    k = np.array([0.1, 0.4])
    assert np.array_equal(free(np.append(k, 1.05)), MAGIC(k))
    assert free.box == [(-1, 1), (-1, 1), (1, 2)]
    assert MAGIC.box == [(-1, 1), (-1, 1)]
    assert [len(TwistedBilayer(shells=s).vectors) for s in (0, 1, 4)] == [1, 7, 61]


@pytest.mark.parametrize(
    ("options", "message"),
    [({"angle": 0}, "twist between 0 and 30"), ({"angle": 31}, "twist between 0 and 30"), ({"shells": -1}, "cut-off")],
)
def test_wrong_choices_are_named(options, message):
    with pytest.raises(InputError, match=message):
        TwistedBilayer(**options)


def test_number_of_parameters_is_checked():
    with pytest.raises(InputError, match=r"has 2 parameter\(s\)"):
        MAGIC(np.zeros(3))
