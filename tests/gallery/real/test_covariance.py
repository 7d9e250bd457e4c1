"""Gaussian-process covariances: the table against its published summary, the kernel against Bessel functions."""

import hashlib
from importlib import resources

import numpy as np
import pytest
from scipy.special import gamma, kv

from neumatc.errors import InputError
from neumatc.gallery.real import MaternCovariance
from neumatc.gallery.real.covariance import FILE, table

ROOT = resources.files("neumatc.gallery").joinpath("data")
POINTS = [np.log([1.0, 1e-3]), np.log([3.0, 1e-2]), np.log([10.0, 1e-1])]


def test_table_has_its_published_summary():
    rows = table()
    assert rows.shape == (178, 13)
    # Alcohol, malic acid, magnesium, proline: smallest, largest, mean and standard deviation.
    for column, summary in {
        0: (11.0, 14.8, 13.0, 0.8),
        1: (0.74, 5.80, 2.34, 1.12),
        4: (70.0, 162.0, 99.7, 14.3),
        12: (278, 1680, 746, 315),
    }.items():
        values = rows[:, column]
        found = (values.min(), values.max(), values.mean(), values.std(ddof=1))
        np.testing.assert_allclose(found, summary, rtol=0.02)


@pytest.mark.parametrize("p", POINTS)
def test_kernel_is_the_matern_kernel_of_order_five_halves(p):
    family = MaternCovariance(20)
    length, noise = np.exp(p)
    K = family(p)
    upper = np.triu_indices(20, 1)
    s = np.sqrt(5) * family.distances[upper] / length
    general = 2 ** (1 - 2.5) / gamma(2.5) * s**2.5 * kv(2.5, s)
    np.testing.assert_allclose(K[upper], general, rtol=1e-12)
    np.testing.assert_allclose(K.diagonal(), 1 + noise, rtol=1e-15)


@pytest.mark.parametrize("p", POINTS)
def test_matrix_is_symmetric_and_no_eigenvalue_is_below_the_noise(p):
    K = MaternCovariance()(p)
    assert K.shape == (178, 178)
    assert np.array_equal(K, K.T)
    assert np.linalg.eigvalsh(K).min() >= np.exp(p[1])


def test_log_determinant_is_the_sum_of_logarithms():
    family, p = MaternCovariance(60), POINTS[1]
    assert family.log_determinant(p) == pytest.approx(np.log(np.linalg.eigvalsh(family(p))).sum())


def test_distances_are_those_of_standardised_columns():
    R = MaternCovariance().distances
    # Columns of variance one: the mean squared distance of all pairs is twice their number.
    assert np.mean(R**2) == pytest.approx(26)
    assert np.all(R.diagonal() == 0)
    few = MaternCovariance(89).distances
    assert np.array_equal(few, R[::2, ::2])


def test_limits_of_the_length():
    family = MaternCovariance(10)
    np.testing.assert_allclose(family(np.log([1e-3, 1e-2])), 1.01 * np.eye(10), rtol=0, atol=1e-12)
    np.testing.assert_allclose(family(np.log([1e6, 1e-2])), 1 + 0.01 * np.eye(10), rtol=0, atol=1e-9)


def test_matrices_are_fresh():
    family, p = MaternCovariance(5), POINTS[0]
    family(p)[:] = 0
    assert family(p)[0, 0] > 1


def test_file_is_the_one_named_in_its_notice():
    digest = hashlib.sha256(ROOT.joinpath(FILE).read_bytes()).hexdigest()
    assert digest in ROOT.joinpath("NOTICE-wine.txt").read_text()


@pytest.mark.parametrize("size", [0, 179])
def test_wrong_choices_are_named(size):
    with pytest.raises(InputError, match="between 1 and 178 wines"):
        MaternCovariance(size)


def test_number_of_parameters_is_checked():
    with pytest.raises(InputError, match=r"has 2 parameter\(s\)"):
        MaternCovariance(5)(1.0)
