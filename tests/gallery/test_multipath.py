"""The synthetic channel: its formula, its singular values, and what the spread does."""

import numpy as np
import pytest

from neumatc.errors import InputError
from neumatc.gallery import MultipathMIMO, RegularisedGram

SHAPES = [(8, 8, 6), (3, 9, 5), (12, 7, 2), (1, 4, 3)]


@pytest.mark.parametrize("shape", SHAPES)
def test_singular_values_are_lapacks(shape):
    receive, transmit, paths = shape
    family = MultipathMIMO(receive, transmit, paths, seed=3)
    for p in (0.0, 0.3, 1.0):
        H = family(p)
        assert H.shape == (receive, transmit)
        assert H.dtype == np.complex128
        s = np.linalg.svd(H, compute_uv=False)
        np.testing.assert_allclose(family.singular_values(p), s, rtol=0, atol=1e-13 * s[0])
        assert np.linalg.matrix_rank(H) <= paths


def test_channel_is_its_formula():
    family = MultipathMIMO(receive=4, transmit=3, paths=3, spread=1.7)
    gains, delays, left, right = family._paths
    H = 0
    for gain, delay, a, b in zip(gains, delays, left.T, right.T, strict=True):
        H = H + gain * np.exp(-2j * np.pi * 1.7 * delay * 0.3) * np.outer(a, b.conj())
    np.testing.assert_allclose(family(0.3), H, rtol=0, atol=1e-14)
    assert np.linalg.norm(gains) == pytest.approx(1)
    np.testing.assert_allclose(left[1:] / left[:-1], np.broadcast_to(left[1] / left[0], (3, 3)))
    np.testing.assert_allclose(np.abs(left), 1)


def test_delays_fill_the_unit_interval():
    delays = MultipathMIMO(paths=5).delays
    assert delays[0] == 0
    assert delays[-1] == 1
    assert np.all(np.diff(delays) > 0)
    delays[:] = 7
    assert MultipathMIMO(paths=5).delays[0] == 0


def degree(spread):
    family = MultipathMIMO(4, 4, spread=spread)
    x = -np.cos(np.pi * np.arange(129) / 128)
    values = np.stack([family((t + 1) / 2).ravel() for t in x])
    size = np.linalg.norm(np.polynomial.chebyshev.chebfit(x, values, 128), axis=1)
    return int(np.flatnonzero(size > 1e-8 * size.max()).max())


def test_spread_decides_the_degree():
    assert degree(0.0) == 0
    assert np.pi < degree(1.0) < np.pi + 15
    assert 20 * np.pi < degree(20.0) < 20 * np.pi + 30


def test_gram_is_hermitian_positive_definite():
    channel = MultipathMIMO(paths=3)
    A, H = RegularisedGram(channel, snr_db=10.0)(0.3), channel(0.3)
    assert np.array_equal(A, A.conj().T)
    np.testing.assert_allclose(A, H @ H.conj().T + 0.8 * np.eye(8), rtol=0, atol=1e-12)
    assert np.linalg.eigvalsh(A).min() == pytest.approx(0.8)


def test_seed_decides():
    one, same, other = (MultipathMIMO(seed=seed)(0.6) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.allclose(one, other)


@pytest.mark.parametrize("options", [{"paths": 1}, {"receive": 0}, {"spread": -1.0}, {"spread": float("nan")}])
def test_wrong_choices_are_named(options):
    with pytest.raises(InputError, match="expected antennas on both sides, two paths or more"):
        MultipathMIMO(**options)
