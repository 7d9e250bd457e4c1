"""Haldane and Kane-Mele: invariants by lattice formulas against the ones that theory gives."""

import itertools

import numpy as np
import pytest

from neumatc.errors import InputError
from neumatc.gallery.real import Haldane, KaneMele

ROOT27 = 3 * np.sqrt(3)


def filled(family, k, count):
    """Eigenvectors of the lowest bands at the points k (..., 2)."""
    H = np.array([family(point) for point in k.reshape(-1, 2)])
    vectors = np.linalg.eigh(H)[1][..., :count]
    return vectors.reshape(*k.shape[:-1], *vectors.shape[1:])


def grid(count):
    angle = 2 * np.pi * np.arange(count) / count
    return np.stack(np.meshgrid(angle, angle, indexing="ij"), axis=-1)


def lattice_chern(family, count=24):
    """The Chern number of the lowest band after Fukui, Hatsugai and Suzuki (2005)."""
    u = filled(family, grid(count), 1)[..., 0]
    overlap = [np.sum(u.conj() * np.roll(u, -1, axis), axis=-1) for axis in (0, 1)]
    around = overlap[0] * np.roll(overlap[1], -1, 0) * np.roll(overlap[0], -1, 1).conj() * overlap[1].conj()
    # A link exp(-i A·dk) for A = i <u|∂u>: the flux has the opposite sign.
    return -np.angle(around).sum() / (2 * np.pi)


def wilson_z2(family, count=40):
    """Parity of the crossings of Wannier centres with the middle of their largest gap (Soluyanov, Vanderbilt 2011)."""
    angle = 2 * np.pi * np.arange(count) / count
    centres = []
    for k_1 in np.linspace(0, np.pi, count):
        u = filled(family, np.stack([np.full(count, k_1), angle], axis=-1), 2)
        links = u.conj().transpose(0, 2, 1) @ np.roll(u, -1, axis=0)
        W = np.eye(2)
        for link in links:
            left, _, right = np.linalg.svd(link)
            W = W @ (left @ right)
        centres.append(np.sort(np.angle(np.linalg.eigvals(W)) % (2 * np.pi)))
    crossings = 0
    for here, there in itertools.pairwise(centres):
        marks = []
        for pair in (here, there):
            widths = np.array([pair[1] - pair[0], 2 * np.pi - pair[1] + pair[0]])
            marks.append(pair.mean() if widths[0] > widths[1] else (pair.mean() + np.pi) % (2 * np.pi))
        low, high = sorted(marks)
        crossings += int(np.sum((there > low) & (there < high)))
    return crossings % 2


@pytest.mark.parametrize("phase", [np.pi / 2, -np.pi / 2, 0.7])
@pytest.mark.parametrize("share", [-1.3, -0.7, 0.0, 0.7, 1.3])
def test_chern_number_of_haldane(phase, share):
    family = Haldane(phase=phase, mass=share * ROOT27 * 0.1 * np.sin(phase))
    assert lattice_chern(family) == pytest.approx(family.chern, abs=1e-9)
    assert abs(family.chern) == int(abs(share) < 1)


def test_chern_number_changes_sign_with_the_flux():
    assert (Haldane(phase=1.0).chern, Haldane(phase=-1.0).chern) == (1, -1)


@pytest.mark.parametrize("mass", [0.0, 0.3, -0.8])
def test_gaps_are_those_at_the_valleys(mass):
    family = Haldane(phase=0.9, mass=mass)
    for k, gap in zip(family.valleys, family.gaps, strict=True):
        assert np.ptp(np.linalg.eigvalsh(family(k))) == pytest.approx(gap)


def test_at_the_transition_there_is_no_chern_number():
    family = Haldane(mass=ROOT27 * 0.1)
    assert family.gaps.min() == pytest.approx(0, abs=1e-12)
    with pytest.raises(InputError, match="phase transition"):
        _ = family.chern


@pytest.mark.parametrize(
    ("rashba", "stagger", "z2"),
    [(0.05, 0.1, 1), (0.05, 0.4, 0), (0.0, 0.1, 1), (0.0, 0.4, 0)],
    ids=["figure 1a of Kane and Mele", "figure 1b", "no Rashba, inside", "no Rashba, outside"],
)
def test_z2_of_kane_mele(rashba, stagger, z2):
    family = KaneMele(rashba=rashba, stagger=stagger)
    assert wilson_z2(family) == z2
    assert family.z2 == (z2 if rashba == 0 else None)


def test_gap_closes_at_the_transition():
    K = Haldane().valleys[0]
    E = np.linalg.eigvalsh(KaneMele(stagger=ROOT27 * 0.06)(K))
    assert E[2] - E[1] == pytest.approx(0, abs=1e-12)
    E = np.linalg.eigvalsh(KaneMele(stagger=0.1)(K))
    assert E[2] - E[1] == pytest.approx(6 * np.sqrt(3) * 0.06 - 2 * 0.1)


FAMILIES = [Haldane(phase=0.4, mass=0.2), KaneMele(rashba=0.07)]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_bands_have_the_symmetries_of_the_lattice(family):
    for k in np.random.default_rng(0).uniform(0, 2 * np.pi, (5, 2)):
        H = family(k)
        assert np.array_equal(H, H.conj().T)
        for turn in ([2 * np.pi, 0], [0, 2 * np.pi]):
            np.testing.assert_allclose(family(k + turn), H, rtol=0, atol=1e-13)
        # A third of a turn: k_1 -> k_2 - k_1, k_2 -> -k_1.
        rotated = np.array([k[1] - k[0], -k[0]])
        np.testing.assert_allclose(np.linalg.eigvalsh(family(rotated)), np.linalg.eigvalsh(H), rtol=0, atol=1e-12)
    assert family.box == [(0.0, 2 * np.pi)] * 2


def test_kane_mele_is_even_under_time_reversal():
    family = KaneMele(rashba=0.07)
    theta = np.kron(np.eye(2), [[0, 1], [-1, 0]])
    for k in np.random.default_rng(1).uniform(0, 2 * np.pi, (5, 2)):
        np.testing.assert_allclose(theta @ family(k).conj() @ theta.T, family(-k), rtol=0, atol=1e-13)
    for k in ([0, 0], [0, np.pi], [np.pi, 0], [np.pi, np.pi]):
        E = np.linalg.eigvalsh(family(np.array(k)))
        np.testing.assert_allclose(E[::2], E[1::2], rtol=0, atol=1e-13)


def test_kane_mele_without_rashba_is_two_haldanes():
    k = np.array([0.7, 2.9])
    up, down = (Haldane(second=0.06, phase=phase, mass=0.1) for phase in (np.pi / 2, -np.pi / 2))
    both = np.sort(np.concatenate([np.linalg.eigvalsh(family(k)) for family in (up, down)]))
    np.testing.assert_allclose(np.linalg.eigvalsh(KaneMele()(k)), both, rtol=0, atol=1e-13)


@pytest.mark.parametrize("make", [lambda: Haldane(hopping=0), lambda: KaneMele(rashba=float("nan"))])
def test_wrong_choices_are_named(make):
    with pytest.raises(InputError, match="finite numbers and a hopping that is not zero"):
        make()
