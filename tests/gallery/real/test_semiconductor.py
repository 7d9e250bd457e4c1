"""sp3s* silicon and gallium arsenide: energies of the symmetry points that Vogl, Hjalmarson and Dow fitted."""

import numpy as np
import pytest

from neumatc.errors import InputError
from neumatc.gallery.real import Zincblende


@pytest.mark.parametrize(
    ("material", "levels"),
    [("Si", {0: -12.5, 1: 0.0, 4: 3.43, 7: 4.1}), ("GaAs", {0: -12.55, 1: 0.0, 4: 1.55, 5: 4.71})],
)
def test_levels_at_the_centre(material, levels):
    E = np.linalg.eigvalsh(Zincblende(material)(0.0))
    for band, level in levels.items():
        assert E[band] == pytest.approx(level, abs=0.011)
    np.testing.assert_allclose(E[1:4], E[1], atol=1e-12)  # the threefold valence band


@pytest.mark.parametrize(("material", "gap", "where"), [("Si", 1.17, (0.6, 0.95)), ("GaAs", 1.55, (0.0, 1e-12))])
def test_gap_and_where_it_is(material, gap, where):
    family = Zincblende(material, "Γ-X")
    line = np.linspace(0, 1, 201)
    E = np.array([np.linalg.eigvalsh(family(p)) for p in line])
    assert E[:, 3].max() == pytest.approx(0, abs=5e-3)
    assert E[:, 4].min() - E[:, 3].max() == pytest.approx(gap, abs=0.02)
    assert where[0] <= line[E[:, 4].argmin()] <= where[1]


def test_silicon_bands_stick_together_at_the_zone_face():
    E = np.linalg.eigvalsh(Zincblende("Si")(1.0))
    np.testing.assert_allclose(E[:8:2], E[1:8:2], rtol=0, atol=1e-12)  # the diamond lattice; GaAs splits them
    split = np.linalg.eigvalsh(Zincblende("GaAs")(1.0))
    assert split[1] - split[0] > 1


@pytest.mark.parametrize("material", ["Si", "GaAs"])
def test_matrix_is_hermitian_and_paths_agree(material):
    whole = Zincblende(material)
    for p in (0.0, 0.3, 1.0):
        assert np.array_equal(whole(p), whole(p).conj().T)
        assert np.array_equal(whole(p), Zincblende(material, "Γ-X")(p))
        assert np.array_equal(whole(-p), Zincblende(material, "Γ-L")(p))
    # The trace is that of the orbitals, at every wave vector.
    assert np.trace(whole(0.4)) == pytest.approx(np.trace(whole(-0.9)))


def test_only_straight_paths_are_smooth():
    assert not Zincblende().smooth
    assert Zincblende().box == (-1, 1)
    for path in ("Γ-X", "Γ-L"):
        assert Zincblende(path=path).smooth
        assert Zincblende(path=path).box == (0, 1)


@pytest.mark.parametrize("options", [{"material": "Ge"}, {"path": "X-L"}])
def test_wrong_choices_are_named(options):
    with pytest.raises(InputError, match=r"unknown (material|path)"):
        Zincblende(**options)
