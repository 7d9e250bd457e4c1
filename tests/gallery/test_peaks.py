"""The moving peak: definiteness, inverse, determinant, and the number of modes against the width."""

import numpy as np
import pytest

from neumatc.errors import InputError
from neumatc.gallery import MovingPeak

FAMILIES = [MovingPeak(), MovingPeak(n=17, width=0.2, correlation=0.0), MovingPeak(n=30, height=1e4, correlation=0.9)]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
@pytest.mark.parametrize("p", [0.0, 0.371, 1.0])
def test_truth_is_lapacks(family, p):
    A, X = family(p), np.linalg.inv(family(p))
    assert np.array_equal(A, A.T)
    assert np.linalg.eigvalsh(A).min() > 0
    assert np.linalg.norm(family.inverse(p) - X) < 1e-15 * family.n * np.linalg.cond(A) * np.linalg.norm(X)
    sign, logarithm = np.linalg.slogdet(A)
    assert sign == 1
    assert family.logdet(p) == pytest.approx(logarithm, abs=1e-10)


def test_matrix_is_the_formula():
    family = MovingPeak(n=5, width=0.3, height=2.0, correlation=0.4)
    for i in range(5):
        for j in range(5):
            peak = np.exp(-((i / 4 - 0.3) ** 2 + (j / 4 - 0.3) ** 2) / (2 * 0.3**2))
            assert family(0.3)[i, j] == pytest.approx(0.4 ** abs(i - j) + 2 * peak, rel=1e-14)


def test_peak_moves_with_p():
    family = MovingPeak(n=51, width=0.05)
    for p in (0.1, 0.5, 0.9):
        assert family.positions[np.argmax(family.peak(p))] == pytest.approx(p)
        assert np.diag(family(p)).max() == pytest.approx(11.0)


def modes(width):
    family = MovingPeak(n=100, width=width)
    sigma = np.linalg.svd(np.stack([family(p).ravel() for p in np.linspace(0, 1, 150)]), compute_uv=False)
    return int(np.sum(sigma > 1e-6 * sigma[0]))


def test_modes_grow_like_the_inverse_width():
    wide, middle, narrow = modes(0.2), modes(0.1), modes(0.05)
    assert 1.5 < middle / wide < 2.5
    assert 1.5 < narrow / middle < 2.5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": 0.007}, "at least half the sensors' distance"),
        ({"width": float("nan")}, "at least half the sensors' distance"),
        ({"n": 1}, "expected n >= 2"),
        ({"height": 0.0}, "expected a positive height"),
        ({"correlation": 1.0}, "expected a positive height and 0 <= correlation < 1"),
    ],
)
def test_wrong_choices_are_named(options, message):
    with pytest.raises(InputError, match=message):
        MovingPeak(**options)
