"""Avoided and exact crossings: eigenpairs against LAPACK, gaps and places against the dials."""

import numpy as np
import pytest

from neumatc.errors import InputError
from neumatc.gallery import AvoidedCrossing, ExactCrossing

POINTS = (0.0, 0.211, 0.4, 0.87, 1.0)
FAMILIES = {
    "avoided": AvoidedCrossing(n=9, gap=0.05, centre=0.4),
    "avoided complex": AvoidedCrossing(n=8, gap=1e-3, centre=0.4, complex=True),
    "avoided two": AvoidedCrossing(n=2, gap=0.2, centre=0.7),
    "exact": ExactCrossing(n=9, at=(0.4, 0.75)),
    "exact complex": ExactCrossing(n=8, at=(0.3,), complex=True, turn=3.0),
    "exact four": ExactCrossing(n=4, at=(0.6, 0.2, 0.8)),
}


@pytest.fixture(params=FAMILIES)
def family(request):
    return FAMILIES[request.param]


@pytest.mark.parametrize("p", POINTS)
def test_eigenpairs_are_lapacks(family, p):
    A, w, Q = family(p), family.eigenvalues(p), family.eigenvectors(p)
    assert np.array_equal(A, A.conj().T)
    assert np.iscomplexobj(A) == family.complex
    np.testing.assert_allclose(w, np.linalg.eigvalsh(A), rtol=0, atol=1e-13)
    np.testing.assert_allclose(A @ Q, Q * w, rtol=0, atol=1e-13)
    np.testing.assert_allclose(Q.conj().T @ Q, np.eye(family.n), rtol=0, atol=1e-13)


def test_projector_is_lapacks(family):
    p = 0.15  # away from all crossings
    for count in (1, family.n // 2):
        Q = np.linalg.eigh(family(p))[1][:, :count]
        np.testing.assert_allclose(family.projector(p, count), Q @ Q.conj().T, rtol=0, atol=1e-11)


@pytest.mark.parametrize("gap", [0.5, 1e-2, 1e-6])
def test_smallest_gap_is_the_dial(gap):
    family = AvoidedCrossing(n=7, gap=gap, centre=0.35)

    def measured(p):
        return np.diff(np.linalg.eigvalsh(family(p)))[family.lower]

    assert measured(0.35) == pytest.approx(gap, abs=1e-14)
    for p in np.linspace(0, 1, 12):
        assert measured(p) > gap
        assert measured(p) == pytest.approx(family.gap_at(p), abs=1e-14)
    assert family.branch_point == 0.35 + 0.5j * gap


def test_characters_are_exchanged_at_an_avoided_crossing():
    family = AvoidedCrossing(n=6, gap=0.01, centre=0.5)
    before, after = (family.eigenvectors(p) for p in (0.1, 0.9))
    k = family.lower
    assert abs(before[:, k] @ after[:, k + 1]) > 0.999
    assert abs(before[:, k] @ after[:, k]) < 0.02


def test_eigenvectors_of_an_avoided_crossing_are_continuous():
    family = AvoidedCrossing(n=6, gap=0.1, centre=0.5)
    Q = np.stack([family.eigenvectors(p) for p in np.linspace(0, 1, 401)])
    # The fastest turn is 1 / gap radians per unit of p.
    assert np.linalg.norm(np.diff(Q, axis=0), 2, axis=(1, 2)).max() < 1.01 / 0.1 / 400


def test_levels_cross_exactly_where_they_should():
    family = ExactCrossing(n=10, at=(0.7, 0.25), seed=3)
    assert family.crossings == (0.25, 0.7)
    for p in family.crossings:
        assert np.diff(np.linalg.eigvalsh(family(p))).min() < 1e-14
    for p in (0.0, 0.1, 0.5, 0.95):
        assert np.diff(np.linalg.eigvalsh(family(p))).min() > 1e-3


def test_branches_are_analytic_and_turn():
    family = ExactCrossing(n=8, at=(0.5,), turn=1.0)
    k, m = 0, 4
    before, after = family.branches(0.5 - 1e-6), family.branches(0.5 + 1e-6)
    assert before[0][k] * after[0][k] < 0
    np.testing.assert_allclose(before[1], after[1], rtol=0, atol=1e-5)
    # The two sectors never mix: what belongs to one block stays orthogonal to the other at all p.
    start, end = family.branches(0.0)[1], family.branches(1.0)[1]
    np.testing.assert_allclose(start[:, :m].T @ end[:, m:], 0, atol=1e-14)
    assert abs(start[:, k] @ end[:, k]) < 0.99


@pytest.mark.parametrize("make", [AvoidedCrossing, ExactCrossing])
def test_seed_decides(make):
    one, same, other = (make(seed=seed)(0.6) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.allclose(one, other)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: AvoidedCrossing(n=1), "expected n >= 2"),
        (lambda: AvoidedCrossing(gap=0.0), "expected 0 < gap <= 1 and a centre"),
        (lambda: AvoidedCrossing(centre=1.0), "expected 0 < gap <= 1 and a centre"),
        (lambda: ExactCrossing(n=3), "expected n >= 4"),
        (lambda: ExactCrossing(at=()), "expected distinct crossings inside"),
        (lambda: ExactCrossing(at=(0.2, 0.2)), "expected distinct crossings inside"),
        (lambda: ExactCrossing(at=(0.2, 1.2)), "expected distinct crossings inside"),
        (lambda: ExactCrossing(turn=float("nan")), "a finite turn"),
    ],
)
def test_wrong_choices_are_named(make, message):
    with pytest.raises(InputError, match=message):
        make()
