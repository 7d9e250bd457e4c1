"""The change of rank: singular values, rank and pseudoinverse on both sides and at the place."""

import numpy as np
import pytest

from neumatc.errors import InputError
from neumatc.gallery import RankChange

FAMILIES = {
    "tall": RankChange(rows=14, columns=9, rank=4, at=0.4),
    "wide complex": RankChange(rows=8, columns=15, rank=3, at=0.4, complex=True),
    "rank one": RankChange(rows=4, columns=4, rank=1, at=0.4),
    "beside the box": RankChange(rows=10, columns=8, rank=4, at=1.2),
}


@pytest.fixture(params=FAMILIES)
def family(request):
    return FAMILIES[request.param]


@pytest.mark.parametrize("p", [0.0, 0.123, 0.4, 0.9])
def test_truth_is_lapacks(family, p):
    A, s = family(p), family.singular_values(p)
    assert A.shape == (family.rows, family.columns)
    assert np.iscomplexobj(A) == family.complex
    np.testing.assert_allclose(s, np.linalg.svd(A, compute_uv=False), rtol=0, atol=1e-14)
    assert family.rank_at(p) == np.linalg.matrix_rank(A, tol=1e-10)
    np.testing.assert_allclose(family.pinv(p), np.linalg.pinv(A, rcond=1e-10), rtol=0, atol=1e-12)
    U, _, V = family.factors(p)
    for X in (U, V):
        np.testing.assert_allclose(X.conj().T @ X, np.eye(family.rank), rtol=0, atol=1e-13)


def test_last_value_is_the_distance_with_a_sign():
    family = FAMILIES["tall"]
    for p in (0.1, 0.39, 0.41, 0.8):
        assert family.factors(p)[1][-1] == p - 0.4
        assert np.linalg.svd(family(p), compute_uv=False)[3] == pytest.approx(abs(p - 0.4), abs=1e-14)
    assert family.pole == 0.4
    assert [family.rank_at(p) for p in (0.3, 0.4, 0.5)] == [4, 3, 4]


def test_pseudoinverse_has_a_simple_pole():
    family = FAMILIES["tall"]
    residues = [np.linalg.norm(family.pinv(0.4 + t), 2) * abs(t) for t in (1e-6, -1e-6, 1e-9)]
    np.testing.assert_allclose(residues, 1, rtol=1e-5)
    assert np.linalg.norm(family.pinv(0.4), 2) == pytest.approx(1.0)


def test_rank_is_constant_when_the_place_is_outside():
    assert {FAMILIES["beside the box"].rank_at(p) for p in np.linspace(0, 1, 11)} == {4}


def test_seed_decides():
    one, same, other = (RankChange(seed=seed)(0.6) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.allclose(one, other)


@pytest.mark.parametrize("options", [{"rank": 0}, {"rank": 5}, {"at": float("inf")}])
def test_wrong_choices_are_named(options):
    with pytest.raises(InputError, match="expected 1 <= rank <= min"):
        RankChange(**{"rows": 10, "columns": 8, "rank": 3, **options})
