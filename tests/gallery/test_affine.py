"""The small affine families."""

import itertools

import numpy as np
import pytest

from neumatc.errors import InputError
from neumatc.gallery import AffineInverse

KINDS = list(itertools.product([1, 2], [False, True], [False, True]))


@pytest.fixture(params=KINDS, ids=lambda kind: "D={} complex={} hermitian={}".format(*kind))
def family(request):
    dimensions, complex, hermitian = request.param
    return AffineInverse(n=7, dimensions=dimensions, complex=complex, hermitian=hermitian, seed=2)


def points(family):
    x = np.random.default_rng(0).uniform(size=(20, family.dimensions))
    return [float(p[0]) if family.dimensions == 1 else p for p in x]


def test_family_is_the_sum_of_its_parts(family):
    for p in points(family):
        total = sum(t * A for t, A in zip(family.coefficients(p), family.matrices, strict=True))
        np.testing.assert_allclose(family(p), total, rtol=0, atol=1e-15)


def test_condition_number_is_below_five(family):
    assert max(np.linalg.cond(family(p)) for p in points(family)) <= 5


def test_kind_is_as_asked(family):
    for p in points(family)[:3]:
        A = family(p)
        assert np.iscomplexobj(A) == family.complex
        assert np.array_equal(A, A.conj().T) == family.hermitian
    if family.hermitian:
        assert np.linalg.eigvalsh(A).min() >= 0.5 - 1e-12


def test_parts_have_the_documented_norms(family):
    A_0, A_1, A_2 = family.matrices
    np.testing.assert_allclose(np.linalg.eigvalsh(A_0), np.linspace(1, 2, 7))
    assert np.linalg.norm(A_1, 2) == pytest.approx(0.25)
    assert np.linalg.norm(A_2, 2) == pytest.approx(0.25)


def test_box_matches_the_parameters(family):
    assert family.box == ((0.0, 1.0) if family.dimensions == 1 else [(0.0, 1.0)] * 2)


def test_matrices_cannot_be_written():
    with pytest.raises(ValueError, match="read-only"):
        AffineInverse().matrices[0, 0, 0] = 1


def test_seed_decides():
    one, same, other = (AffineInverse(seed=seed)(0.6) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.allclose(one, other)


@pytest.mark.parametrize("options", [{"dimensions": 3}, {"n": 1}])
def test_wrong_choices_are_named(options):
    with pytest.raises(InputError, match="expected dimensions 1 or 2 and n >= 2"):
        AffineInverse(**options)
