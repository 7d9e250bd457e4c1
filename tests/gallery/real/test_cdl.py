"""The clustered delay line channels: against their formula, the standard's spreads, and a published mode count."""

import hashlib
from importlib import resources

import numpy as np
import pytest

from neumatc.errors import InputError
from neumatc.gallery.real import CDLChannel
from neumatc.gallery.real.cdl_table import FILE, MODELS, OFFSETS, draw

C = 299_792_458.0
ROOT = resources.files("neumatc.gallery").joinpath("data")


def elements(shape, spacing):
    rows = [(0.0, i - (shape[0] - 1) / 2, j - (shape[1] - 1) / 2) for i in range(shape[0]) for j in range(shape[1])]
    return spacing * np.array(rows)


def slow_channel(family, offset, spread, time):
    """H as its formula reads, one ray after another."""
    rays, f = draw(family.model, family.seed), family.carrier + offset
    receive, transmit = (elements(shape, C / family.carrier / 2) for shape in (family.receive, family.transmit))
    H = 0
    for a, tau, home, away in zip(rays.gain, rays.delay, rays.arrival.T, rays.departure.T, strict=True):
        a = a * np.exp(-2j * np.pi * offset * spread * tau)
        a = a * np.exp(2j * np.pi * family.carrier / C * time * family.speed * home[0])
        H = H + a * np.outer(np.exp(2j * np.pi * f / C * receive @ home), np.exp(2j * np.pi * f / C * transmit @ away))
    return H


@pytest.mark.parametrize("model", MODELS)
def test_channel_is_its_formula(model):
    family = CDLChannel(model, receive=(3, 2), transmit=(2, 4), parameters=3, seed=3)
    for p in ([-4e6, 40e-9, 0.0], [3e6, 250e-9, 7e-4]):
        slow = slow_channel(family, *p)
        assert np.linalg.norm(family(np.array(p)) - slow) < 1e-12 * np.linalg.norm(slow)


@pytest.mark.parametrize("model", MODELS)
def test_rays_carry_the_delays_and_powers_of_the_table(model):
    rays = draw(model, 0)
    with ROOT.joinpath(FILE).open("rb") as file, np.load(file, allow_pickle=False) as table:
        clusters, sight = table[model], table[f"{model}.spread"][0] > 0
    assert rays.gain.size == 20 * len(clusters) - 19 * sight
    power = 10 ** (clusters[:, 1] / 10)
    for delay in np.unique(clusters[:, 0]):
        share = power[clusters[:, 0] == delay].sum() / power.sum()
        assert np.sum(np.abs(rays.gain[rays.delay == delay]) ** 2) == pytest.approx(share)
    np.testing.assert_allclose(np.linalg.norm(rays.departure, axis=0), 1)
    np.testing.assert_allclose(np.linalg.norm(rays.arrival, axis=0), 1)


@pytest.mark.parametrize("model", ["A", "B", "C"])
def test_normalised_delay_spread_is_one(model):
    # The standard scales its delays so that the r.m.s. delay spread of the profile is one.
    rays = draw(model, 0)
    power = np.abs(rays.gain) ** 2
    mean = power @ rays.delay
    assert np.sqrt(power @ (rays.delay - mean) ** 2) == pytest.approx(1, abs=0.01)


def test_ray_offsets_have_the_unit_spread_of_the_standard():
    assert OFFSETS.size == 20
    assert OFFSETS.mean() == pytest.approx(0, abs=1e-15)
    assert np.sqrt(np.mean(OFFSETS**2)) == pytest.approx(1, abs=0.01)


def test_modes_of_the_inverse_gram_are_the_published_ones():
    A = CDLChannel().gram()
    X = np.array([np.linalg.inv(A(p)).ravel().view(np.float64) for p in np.linspace(*A.box, 64)])
    sigma = np.linalg.svd(np.linalg.qr(X.T, mode="r"), compute_uv=False)
    tail = np.sqrt(np.append(np.cumsum(sigma[::-1] ** 2)[::-1], 0) / np.sum(sigma**2))
    # The pairing of rays is random: one mode more or less.
    assert abs(int(np.argmax(tail <= 1e-3)) - 34) <= 1


def test_gram_composes_with_any_number_of_parameters():
    channel = CDLChannel("D", receive=(2, 3), transmit=(4, 2), parameters=3)
    A, p = channel.gram(snr_db=10.0), np.array([1e6, 90e-9, 3e-4])
    H = channel(p)
    np.testing.assert_allclose(A(p), H @ H.conj().T + 0.6 * np.eye(6), rtol=0, atol=1e-12)
    assert np.array_equal(A(p), A(p).conj().T)
    assert A.box == channel.box


def test_one_parameter_is_a_line_in_the_box_of_three():
    one, three = (CDLChannel(receive=(2, 2), transmit=(2, 2), spread=80e-9, parameters=D) for D in (1, 3))
    assert np.array_equal(one(2e6), three(np.array([2e6, 80e-9, 0.0])))
    assert one.box == three.box[0] == (-5e6, 5e6)


def test_doppler_shift_is_the_largest_frequency_in_time():
    family = CDLChannel(receive=(1, 1), transmit=(1, 1), parameters=3, speed=30.0)
    assert family.doppler == pytest.approx(350.2, abs=0.1)
    assert np.array_equal(
        CDLChannel(parameters=3, speed=0.0, receive=(1, 1), transmit=(1, 1))(np.array([0, 1e-7, 1e-3])),
        family(np.array([0, 1e-7, 0])),
    )


def test_seed_decides():
    one, same, other = (CDLChannel(receive=(2, 2), transmit=(2, 2), seed=seed)(0.0) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.allclose(one, other)


def test_file_is_the_one_named_in_its_notice():
    digest = hashlib.sha256(ROOT.joinpath(FILE).read_bytes()).hexdigest()
    assert digest in ROOT.joinpath("NOTICE-cdl.txt").read_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "F"}, "unknown model 'F'"),
        ({"receive": (0, 1)}, "two positive numbers of elements"),
        ({"bandwidth": 0.0}, "expected a bandwidth"),
        ({"parameters": 2}, "expected 1 or 3 parameters"),
        ({"spread": 100.0}, "expected a delay spread"),
        ({"speed": -1.0}, "expected a delay spread"),
    ],
)
def test_wrong_choices_are_named(options, message):
    with pytest.raises(InputError, match=message):
        CDLChannel(**options)
