"""The ray-traced channels: against the formula written out path by path, and against published numbers of the data."""

import hashlib
from importlib import resources

import numpy as np
import pytest

from neumatc.errors import InputError
from neumatc.gallery import CellChannel, Channel, RegularisedGram
from neumatc.gallery.paths import CELL, FILE, LINKS, load
from neumatc.gallery.steering import powers

C = 299_792_458.0
ROOT = resources.files("neumatc.gallery").joinpath("data")


def raw(link):
    with ROOT.joinpath(FILE).open("rb") as file, np.load(file, allow_pickle=False) as table:
        return {key: table[f"{link}.{key}"] for key in ("fc", "n", "a", "tau", "ang", "bs", "ue")}


def elements(shape, fc):
    """Positions (n, 3) in metres of a centred half-wavelength array in the y-z plane, z running fastest."""
    spacing = C / fc / 2
    rows = [
        (0.0, spacing * (i - (shape[0] - 1) / 2), spacing * (j - (shape[1] - 1) / 2))
        for i in range(shape[0])
        for j in range(shape[1])
    ]
    return np.array(rows)


def wave(positions, zenith, azimuth, f):
    unit = np.array([np.sin(zenith) * np.cos(azimuth), np.sin(zenith) * np.sin(azimuth), np.cos(zenith)])
    return np.exp(2j * np.pi * f * (positions @ unit) / C)


def slow_channel(link, offset, receive, transmit):
    """H as its formula reads, one path after another."""
    data = raw(link)
    fc = float(data["fc"])
    f, gain, tau = fc + offset, data["a"].astype(complex), data["tau"] - data["tau"].min()
    H = 0
    for a, delay, angles in zip(gain, tau, data["ang"].astype(float), strict=True):
        arrival = wave(elements(receive, fc), angles[2], angles[3], f)
        departure = wave(elements(transmit, fc), angles[0], angles[1], f)
        H = H + a * np.exp(-2j * np.pi * f * delay) * np.outer(arrival, departure)
    return H / np.linalg.norm(gain)


def slow_row(user, offset, transmit):
    """One row of the cell's H."""
    data = raw(CELL)
    part = slice(60 * user, 60 * (user + 1))
    fc = float(data["fc"])
    f, gain, tau = fc + offset, data["a"][part].astype(complex), data["tau"][part]
    row = 0
    for a, delay, angles in zip(gain, tau - tau.min(), data["ang"][part].astype(float), strict=True):
        row = row + a * np.exp(-2j * np.pi * f * delay) * wave(elements(transmit, fc), angles[0], angles[1], f)
    return row / np.linalg.norm(gain)


def modes(family, tails, count=200):
    """Number of singular values of the stacked inverses before the relative Frobenius tail falls below each number."""
    packed = []
    upper = np.triu_indices(len(family(0.0)), 1)
    for p in np.linspace(*family.box, count):
        X = np.linalg.inv(family(p))
        # Hermitian matrices have real inner products, so their packed real form has the same singular values.
        packed.append(np.concatenate([X.diagonal().real, np.sqrt(2) * X[upper].real, np.sqrt(2) * X[upper].imag]))
    sigma = np.linalg.svd(np.linalg.qr(np.stack(packed, axis=1), mode="r"), compute_uv=False)
    tail = np.sqrt(np.append(np.cumsum(sigma[::-1] ** 2)[::-1], 0) / np.sum(sigma**2))
    return [int(np.argmax(tail <= t)) for t in tails]


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("offset", [0.0, -7.3e6, 1e7])
def test_channel_is_its_formula(link, offset):
    H = Channel(link, receive=(4, 3), transmit=(2, 5))(offset)
    slow = slow_channel(link, offset, (4, 3), (2, 5))
    assert np.linalg.norm(H - slow) < 1e-11 * np.linalg.norm(slow)


@pytest.mark.parametrize("shapes", [((1, 1), (1, 1)), ((3, 3), (1, 7)), ((5, 1), (2, 2)), ((16, 16), (16, 16))])
def test_channel_is_its_formula_for_every_array(shapes):
    H = Channel("canyon_spec", *shapes)(3e6)
    slow = slow_channel("canyon_spec", 3e6, *shapes)
    assert H.shape == slow.shape
    assert np.linalg.norm(H - slow) < 1e-11 * np.linalg.norm(slow)


@pytest.mark.parametrize("transmit", [(16, 16), (3, 4)])
@pytest.mark.parametrize("users", [4, (0, 7, 255)])
def test_cell_is_its_formula(users, transmit):
    cell = CellChannel(users, transmit)
    slow = np.stack([slow_row(user, -4e6, transmit) for user in cell.rows])
    assert np.linalg.norm(cell(-4e6) - slow) < 1e-11 * np.linalg.norm(slow)


def test_users_are_evenly_spread_or_as_named():
    assert CellChannel(users=64).rows == tuple(range(0, 256, 4))
    assert CellChannel(users=256).rows == tuple(range(256))
    assert CellChannel(users=3).rows == (0, 85, 170)
    assert CellChannel(users=(5, 3)).rows == (5, 3)


def test_powers_of_one_phase():
    angle = np.array([0.3, -2.9, 3.1])
    for count in range(1, 19):
        x = np.arange(count) - (count - 1) / 2
        np.testing.assert_allclose(powers(angle, count), np.exp(1j * np.outer(x, angle)), rtol=0, atol=5e-14)


@pytest.mark.parametrize(
    "channel", [Channel(receive=(6, 6), transmit=(5, 4)), CellChannel(users=12), CellChannel((3,))]
)
def test_gram_is_hermitian_in_every_bit_and_regularised(channel):
    A, H = RegularisedGram(channel, snr_db=13.0)(2e6), channel(2e6)
    assert np.array_equal(A, A.conj().T)
    noise = len(H) * 10**-1.3
    np.testing.assert_allclose(A, H @ H.conj().T + noise * np.eye(len(H)), rtol=0, atol=1e-12 * np.linalg.norm(A))
    assert np.linalg.eigvalsh(A).min() >= noise * (1 - 1e-12)


@pytest.mark.parametrize(
    ("channel", "cond"), [(Channel(), 2e4), (CellChannel(), 2e3), (CellChannel(tuple(range(64))), 2e3)]
)
def test_condition_numbers_are_the_published_ones(channel, cond):
    gram = RegularisedGram(channel)
    for offset in (-1e7, 0.0, 1e7):
        assert np.linalg.cond(gram(offset)) == pytest.approx(cond, rel=0.2)


@pytest.mark.parametrize(
    ("channel", "published"),
    [
        (Channel(), [19, 40, 66]),
        (Channel(receive=(8, 8), transmit=(8, 8), bandwidth=10e6), [11, 23, 37]),
        (CellChannel(tuple(range(64))), [33, 64, 100]),
    ],
    ids=["canyon 256", "canyon 64", "cell 64"],
)
def test_modes_are_the_published_ones(channel, published):
    assert modes(RegularisedGram(channel), (1e-3, 1e-6, 1e-10)) == published


def test_evenly_spread_users_have_one_mode_more_at_most():
    found = np.array(modes(RegularisedGram(CellChannel()), (1e-3, 1e-6, 1e-10)))
    assert np.all(np.abs(found - [33, 64, 100]) <= 1)


def test_rank_is_bounded_by_the_paths():
    sigma = np.linalg.svd(Channel("canyon_spec")(0.0), compute_uv=False)
    assert sigma[157] < 1e-12 * sigma[0]


def test_file_is_the_one_named_in_the_notice():
    digest = hashlib.sha256(ROOT.joinpath(FILE).read_bytes()).hexdigest()
    assert digest in ROOT.joinpath("NOTICE").read_text()
    assert "Apache License" in ROOT.joinpath("LICENSE-APACHE-2.0.txt").read_text()


def test_paths_have_the_documented_sizes():
    assert {link: load(link).gain.shape for link in (*LINKS, CELL)} == {
        "canyon_spec": (1, 157),
        "canyon_diff": (1, 2000),
        "canyon28_spec": (1, 180),
        "canyon28_diff": (1, 2000),
        "canyon_mu": (256, 60),
    }
    assert np.all(raw(CELL)["n"] == 60)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Channel("canyon_dif"), "unknown link 'canyon_dif'"),
        (lambda: Channel("canyon_mu"), "unknown link 'canyon_mu'"),
        (lambda: Channel(receive=(0, 4)), "two positive numbers of elements"),
        (lambda: Channel(bandwidth=0.0), "expected a bandwidth"),
        (lambda: Channel(bandwidth=float("nan")), "expected a bandwidth"),
        (lambda: CellChannel(0), "between 1 and 256 different users"),
        (lambda: CellChannel(257), "between 1 and 256 different users"),
        (lambda: CellChannel((0, 256)), "between 1 and 256 different users"),
        (lambda: CellChannel((1, 1)), "between 1 and 256 different users"),
        (lambda: RegularisedGram(Channel(), snr_db=float("inf")), "finite number of decibels"),
    ],
)
def test_wrong_choices_are_named(make, message):
    with pytest.raises(InputError, match=message):
        make()
