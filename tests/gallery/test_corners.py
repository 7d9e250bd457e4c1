"""Spikes that no sampler sees, and jumps."""

import numpy as np
import pytest

from neumatc.errors import InputError
from neumatc.gallery import AffineInverse, CellChannel, Channel, Jump, RegularisedGram, Spike

BASE = AffineInverse(n=8)
PLANE = AffineInverse(n=8, dimensions=2, complex=True)


@pytest.mark.parametrize("width", [1e-3, 1e-6])
def test_spike_is_nothing_outside_its_support_and_high_inside(width):
    spike = Spike(BASE, centre=0.37, width=width, height=2.0)
    for p in (0.0, 0.37 - 0.51 * width, 0.37 + 0.51 * width, 1.0, *np.linspace(0, 1, 137)):
        assert np.array_equal(spike(p), BASE(p))
    assert np.linalg.norm(spike(0.37) - BASE(0.37), 2) == pytest.approx(2)
    assert 0 < np.linalg.norm(spike(0.37 + 0.4 * width) - BASE(0.37 + 0.4 * width), 2) < 1


def test_spike_is_one_matrix_of_rank_one():
    spike = Spike(BASE, centre=0.37, width=0.1)
    bumps = np.stack([(spike(p) - BASE(p)).ravel() for p in (0.34, 0.37, 0.4)])
    sigma = np.linalg.svd(bumps, compute_uv=False)
    assert sigma[1] < 1e-14 * sigma[0]
    assert np.linalg.matrix_rank(bumps[1].reshape(8, 8), tol=1e-12) == 1


def test_bump_joins_smoothly():
    spike = Spike(BASE, centre=0.5, width=1.0)

    def largest(order, count):
        b = np.array([spike.bump(p) for p in np.linspace(0, 1, count + 1)])
        return np.abs(np.diff(b, order)).max() * count**order

    # Divided differences converge to derivatives; a kink would make them grow like a power of the count.
    for order in (1, 2, 3, 4):
        assert largest(order, 2000) == pytest.approx(largest(order, 1000), rel=0.05)


def test_spike_in_the_plane_and_in_hertz():
    spike = Spike(PLANE, centre=(0.2, 0.7), width=1e-2)
    assert np.linalg.norm(spike(np.array([0.2, 0.7])) - PLANE(np.array([0.2, 0.7]))) == pytest.approx(1)
    assert np.array_equal(spike(np.array([0.206, 0.7])), PLANE(np.array([0.206, 0.7])))
    channel = Channel(receive=(2, 3), transmit=(2, 2))
    wide = Spike(channel, centre=1e6, width=1e-3)
    assert np.linalg.norm(wide(1e6) - channel(1e6)) == pytest.approx(1)
    assert np.array_equal(wide(1e6 + 1.1e4), channel(1e6 + 1.1e4))
    assert not np.array_equal(wide(1e6 + 0.9e4), channel(1e6 + 0.9e4))


@pytest.mark.parametrize(
    "base",
    [AffineInverse(hermitian=True), AffineInverse(hermitian=True, complex=True), RegularisedGram(CellChannel(6))],
)
def test_hermitian_bases_can_stay_hermitian(base):
    lo, hi = base.box
    middle = (lo + hi) / 2
    for spoilt in (Spike(base, middle, hermitian=True), Jump(base, middle, hermitian=True)):
        A = spoilt(middle)
        assert np.linalg.norm(A - base(middle), 2) == pytest.approx(1)
        np.testing.assert_allclose(A, A.conj().T, rtol=0, atol=1e-15)


def test_jump_is_where_it_is():
    jump = Jump(BASE, at=0.6, height=3.0)
    assert np.array_equal(jump(np.nextafter(0.6, 0)), BASE(np.nextafter(0.6, 0)))
    for p in (0.6, 0.8, 1.0):
        assert np.linalg.norm(jump(p) - BASE(p), 2) == pytest.approx(3)


def test_jump_of_the_first_of_two_parameters():
    jump = Jump(PLANE, at=0.5)
    for p in (np.array([0.4, 0.9]), np.array([0.6, 0.1])):
        assert np.array_equal(jump(p), PLANE(p)) == (p[0] < 0.5)


def test_corners_pass_on_the_box_and_are_not_smooth():
    for spoilt in (Spike(PLANE, (0.5, 0.5)), Jump(PLANE, 0.5)):
        assert spoilt.box == PLANE.box
        assert not spoilt.smooth
        assert PLANE.name in spoilt.name


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Spike(BASE, 1.5), "expected a centre in the box"),
        (lambda: Spike(BASE, (0.5, 0.5)), "expected a centre in the box"),
        (lambda: Spike(PLANE, 0.5), "expected a centre in the box"),
        (lambda: Spike(BASE, 0.5, width=0.0), "positive width"),
        (lambda: Spike(BASE, float("nan")), "expected a centre in the box"),
        (lambda: Jump(BASE, 0.0), "expected a jump inside the box"),
        (lambda: Jump(BASE, 1.1), "expected a jump inside the box"),
    ],
)
def test_wrong_choices_are_named(make, message):
    with pytest.raises(InputError, match=message):
        make()
