"""Noise that is the same twice, and holes of NaN."""

import numpy as np
import pytest

from neumatc.errors import InputError
from neumatc.gallery import AffineInverse, NaNHole, Noisy, RankChange

BASE = AffineInverse(n=8)
PLANE = AffineInverse(n=8, dimensions=2, complex=True, hermitian=True)


def at(family, share):
    return share if family is not PLANE else np.array([share, 0.7])


@pytest.mark.parametrize("base", [BASE, PLANE, RankChange()], ids=lambda base: base.name)
@pytest.mark.parametrize("level", [1e-12, 1e-3, 1.0])
def test_noise_has_its_size_and_comes_twice(base, level):
    noisy = Noisy(base, level=level)
    for share in (0.0, 0.3, 1.0):
        A, clean = noisy(at(base, share)), base(at(base, share))
        assert np.linalg.norm(A - clean) == pytest.approx(level * np.linalg.norm(clean), rel=1e-3)
        assert np.array_equal(A, noisy(at(base, share)))
        assert np.array_equal(A, Noisy(base, level=level)(at(base, share)))
        assert A.dtype == clean.dtype


def errors(noisy, p):
    return (noisy(p) - noisy.base(p)).ravel()


def test_noise_at_neighbouring_points_is_unrelated():
    noisy = Noisy(AffineInverse(n=40), level=1e-3)
    one, next_to_it = errors(noisy, 0.3), errors(noisy, np.nextafter(0.3, 1))
    correlation = one @ next_to_it / np.linalg.norm(one) / np.linalg.norm(next_to_it)
    assert abs(correlation) < 0.1  # 1600 numbers: four times their standard deviation


def test_noise_depends_on_the_seed_and_every_coordinate():
    p = np.array([0.3, 0.7])
    one = errors(Noisy(PLANE, level=0.1), p)
    assert not np.allclose(one, errors(Noisy(PLANE, level=0.1, seed=1), p))
    assert not np.allclose(one, errors(Noisy(PLANE, level=0.1), np.array([0.3, 0.71])), atol=1e-2)


def test_zero_is_zero_whatever_its_sign():
    noisy = Noisy(BASE, level=0.1)
    assert np.array_equal(noisy(0.0), noisy(-0.0))


def test_no_noise_at_level_zero():
    assert np.array_equal(Noisy(BASE, level=0.0)(0.3), BASE(0.3))


def test_hermitian_noise_keeps_hermitian_bases():
    p = np.array([0.3, 0.7])
    A = Noisy(PLANE, level=0.1, hermitian=True)(p)
    np.testing.assert_allclose(A, A.conj().T, rtol=0, atol=1e-15)
    assert np.linalg.norm(A - PLANE(p)) == pytest.approx(0.1 * np.linalg.norm(PLANE(p)))


@pytest.mark.parametrize("width", [0.2, 1e-3])
def test_hole_is_nan_inside_and_nothing_outside(width):
    hole = NaNHole(BASE, centre=0.37, width=width)
    for share in (-0.499, 0.0, 0.499):
        assert np.isnan(hole(0.37 + share * width)).all()
    for p in (0.0, 0.37 - 0.501 * width, 0.37 + 0.501 * width, 1.0):
        assert np.array_equal(hole(p), BASE(p))


def test_hole_in_the_plane_is_a_ball():
    hole = NaNHole(PLANE, centre=(0.4, 0.5), width=0.2)
    for angle in np.linspace(0, 6, 9):
        direction = np.array([np.cos(angle), np.sin(angle)])
        assert np.isnan(hole(np.array([0.4, 0.5]) + 0.099 * direction)).all()
        assert np.isfinite(hole(np.array([0.4, 0.5]) + 0.101 * direction)).all()


def test_faults_pass_on_the_box_and_are_not_smooth():
    for spoilt in (Noisy(PLANE), NaNHole(PLANE, (0.5, 0.5))):
        assert spoilt.box == PLANE.box
        assert not spoilt.smooth
        assert PLANE.name in spoilt.name


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Noisy(BASE, level=-1.0), "expected a finite noise level"),
        (lambda: Noisy(BASE, level=float("nan")), "expected a finite noise level"),
        (lambda: NaNHole(BASE, 1.5), "A hole outside the box would never be seen"),
        (lambda: NaNHole(PLANE, 0.5), "expected a centre in the box"),
        (lambda: NaNHole(BASE, 0.5, width=0.0), "positive width"),
    ],
)
def test_wrong_choices_are_named(make, message):
    with pytest.raises(InputError, match=message):
        make()
