"""The codon model: counts of the genetic code, and what a reversible process must obey."""

import numpy as np
import pytest
import scipy.linalg

from neumatc.errors import InputError
from neumatc.gallery.real import CodonRates
from neumatc.gallery.real.codon import CODONS, MEANING, STEPS

UNEVEN = CodonRates(bases=(0.2, 0.3, 0.4, 0.1))
POINTS = [np.array([1.0, 1.0, 0.0]), np.array([4.0, 0.1, -3.0]), np.array([10.0, 2.0, 2.0])]


def test_steps_of_the_genetic_code_are_the_known_ones():
    # Of 549 single-base substitutions of the 61 sense codons 134 are silent, 392 change the amino acid, 23 stop.
    single, transition, changing = STEPS
    assert len(CODONS) == len(set(CODONS)) == 61
    assert single.sum() == 549 - 23
    assert changing.sum() == 392
    assert (single & ~changing).sum() == 134
    # Every codon has three transitions; those from CAA, CAG, TGG (twice) and CGA lead to TAA, TAG or TGA.
    assert transition.sum() == 61 * 3 - 5
    assert all(np.array_equal(table, table.T) for table in STEPS)


def test_genetic_code_is_the_universal_one():
    code = dict(zip(CODONS, MEANING, strict=True))
    assert (code["ATG"], code["TGG"], code["GGG"], code["AAA"], code["CAT"]) == ("M", "W", "G", "K", "H")
    assert not {"TAA", "TAG", "TGA"} & set(CODONS)
    counts = {amino: MEANING.count(amino) for amino in set(MEANING)}
    assert len(counts) == 20
    assert [amino for amino, count in sorted(counts.items()) if count == 6] == ["L", "R", "S"]


@pytest.mark.parametrize("p", POINTS)
@pytest.mark.parametrize("family", [CodonRates(), UNEVEN], ids=["equal", "uneven"])
def test_rates_are_those_of_a_reversible_process(family, p):
    Q, pi = family(p), family.frequencies
    off = Q - np.diag(Q.diagonal())
    assert off.min() >= 0
    np.testing.assert_allclose(Q.sum(axis=1), 0, atol=1e-12 * np.abs(Q).max())
    balance = pi[:, None] * Q
    np.testing.assert_allclose(balance, balance.T, rtol=0, atol=1e-14 * np.abs(Q).max())
    np.testing.assert_allclose(pi @ Q, 0, atol=1e-13 * np.abs(Q).max())
    assert -pi @ Q.diagonal() == pytest.approx(np.exp(p[2]))
    assert pi.sum() == pytest.approx(1)


@pytest.mark.parametrize("p", POINTS)
def test_exponential_agrees_with_scipy(p):
    P = UNEVEN.probabilities(p)
    np.testing.assert_allclose(P, scipy.linalg.expm(UNEVEN(p)), rtol=0, atol=1e-12)
    np.testing.assert_allclose(P.sum(axis=1), 1, rtol=1e-12)


def test_ratios_are_the_ones_asked_for():
    Q = CodonRates()(np.array([3.0, 0.25, 0.0]))
    at = {codon: k for k, codon in enumerate(CODONS)}
    transversion, transition = Q[at["CTT"], at["CTA"]], Q[at["CTT"], at["CTC"]]  # leucine to leucine
    assert transition / transversion == pytest.approx(3.0)
    assert Q[at["CTT"], at["TTT"]] / transition == pytest.approx(0.25)  # to phenylalanine
    assert Q[at["CTT"], at["ATT"]] / transversion == pytest.approx(0.25)  # to isoleucine
    assert Q[at["CTT"], at["TCT"]] == 0


def test_long_times_forget_the_start():
    P = UNEVEN.probabilities(np.array([2.0, 1.0, np.log(500.0)]))
    np.testing.assert_allclose(P, np.broadcast_to(UNEVEN.frequencies, P.shape), rtol=0, atol=1e-9)


def test_box_has_three_sides():
    box = CodonRates().box
    assert box[:2] == [(1, 10), (0.05, 2)]
    np.testing.assert_allclose(np.exp(box[2]), [0.01, 10])


@pytest.mark.parametrize("bases", [(25, 25, 25, 25), (0.0, 0.5, 0.25, 0.25)])
def test_wrong_choices_are_named(bases):
    with pytest.raises(InputError, match="four positive frequencies"):
        CodonRates(bases)


def test_wrong_points_are_named():
    with pytest.raises(InputError, match="positive κ and ω"):
        CodonRates()(np.array([-1.0, 0.2, 0.0]))
