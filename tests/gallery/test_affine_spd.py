"""Affine positive definite families: the affine form, the condition number, and the Woodbury inverse."""

import numpy as np
import pytest

from neumatc.errors import InputError
from neumatc.gallery import AffineSPD


def points(family, count=4):
    x = np.random.default_rng(3).uniform(size=(count, family.dimensions))
    return [float(p[0]) if family.dimensions == 1 else p for p in x]


@pytest.fixture(params=[(1, False), (3, True), (8, False)], ids="D={0[0]} complex={0[1]}".format)
def family(request):
    dimensions, complex = request.param
    return AffineSPD(n=20, dimensions=dimensions, complex=complex, cond=1e4, seed=5)


def test_family_is_the_sum_of_its_parts(family):
    assert family.matrices.shape == (family.dimensions + 1, 20, 20)
    for p in points(family):
        theta = family.coefficients(p)
        np.testing.assert_allclose(theta, [1, *np.sin(3 * np.atleast_1d(p))])
        total = sum(t * A for t, A in zip(theta, family.matrices, strict=True))
        np.testing.assert_allclose(family(p), total, rtol=0, atol=1e-15)


def test_family_is_hermitian_positive_definite(family):
    for p in points(family):
        A = family(p)
        assert np.iscomplexobj(A) == family.complex
        assert np.array_equal(A, A.conj().T)
        assert np.linalg.eigvalsh(A).min() > 0


def test_inverse_is_numpys(family):
    for p in points(family):
        X = np.linalg.inv(family(p))
        assert np.linalg.norm(family.inverse(p) - X) < 1e-11 * np.linalg.norm(X)


@pytest.mark.parametrize("cond", [1.0, 50.0, 1e6, 1e12])
def test_condition_number_is_as_asked(cond):
    family = AffineSPD(n=20, dimensions=2, cond=cond)
    # One eigenvalue of size 1 / cond is known up to the rounding of A.
    assert np.linalg.cond(family(np.zeros(2))) == pytest.approx(cond, rel=1e-14 * cond + 1e-12)
    conds = [np.linalg.cond(family(p)) for p in points(family, 30)]
    assert max(conds) < 3.01 * cond
    assert min(conds) > cond / 3.01
    p = points(family)[0]
    assert np.linalg.norm(family(p) @ family.inverse(p) - np.eye(20)) < 1e-15 * 20 * cond + 1e-13


def test_every_parameter_moves_the_inverse():
    family = AffineSPD(n=20, dimensions=8, cond=1e3)
    start = family.inverse(np.full(8, 0.5))
    for d in range(8):
        moved = family.inverse(np.full(8, 0.5) - 0.4 * np.eye(8)[d])
        assert np.linalg.norm(moved - start) > 1e-4 * np.linalg.norm(start)


def test_seed_decides():
    one, same, other = (AffineSPD(seed=seed)(0.6) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.allclose(one, other)


def test_matrices_cannot_be_written():
    with pytest.raises(ValueError, match="read-only"):
        AffineSPD().matrices[0, 0, 0] = 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dimensions": 9}, "expected dimensions 1 to 8"),
        ({"dimensions": 0}, "expected dimensions 1 to 8"),
        ({"n": 4, "rank": 5}, "1 <= rank <= n"),
        ({"cond": 0.5}, "condition number from 1 to 1e12"),
        ({"cond": float("nan")}, "condition number from 1 to 1e12"),
    ],
)
def test_wrong_choices_are_named(options, message):
    with pytest.raises(InputError, match=message):
        AffineSPD(**options)
