"""Families of known singular values: against LAPACK, and against what they promise about gaps and crossings."""

import numpy as np
import pytest

from neumatc.errors import InputError
from neumatc.gallery import LowRankSVD
from neumatc.gallery.frames import Frame

POINTS = (0.0, 0.137, 0.5, 0.731, 1.0)
FAMILIES = {
    "plain": LowRankSVD(n=60, rank=6, tail=10),
    "full size": LowRankSVD(),
    "narrow gap": LowRankSVD(n=60, rank=6, tail=10, ratio=0.9),
    "complex": LowRankSVD(n=60, rank=6, tail=10, complex=True),
    "avoided": LowRankSVD(n=60, rank=12, tail=10, crossing="avoided"),
    "exact": LowRankSVD(n=60, rank=12, tail=10, crossing="exact"),
    "complex exact": LowRankSVD(n=61, rank=12, tail=10, crossing="exact", complex=True),
    "short tail": LowRankSVD(n=13, rank=5, tail=40),
    "exact rank": LowRankSVD(n=30, rank=4, tail=6, ratio=0.0),
    "rank one": LowRankSVD(n=10, rank=1, tail=3),
}


@pytest.fixture(params=FAMILIES)
def family(request):
    return FAMILIES[request.param]


def meeting(family):
    """The points where pairs meet."""
    return family._wobbles[2]


def test_singular_values_are_numpys(family):
    for p in (*POINTS, *meeting(family)):
        s = family.singular_values(p)
        assert np.all(np.diff(s) <= 0)
        np.testing.assert_allclose(s, np.linalg.svd(family(p), compute_uv=False), rtol=0, atol=1e-12 * s[0])


def test_ratio_holds_at_every_point(family):
    for p in POINTS:
        s = family.singular_values(p)
        assert s[family.rank] == pytest.approx(family.ratio * s[family.rank - 1], rel=1e-13, abs=0)


def test_factors_are_singular_triplets(family):
    for p in (*POINTS, *meeting(family)):
        A, (U, s, V) = family(p), family.factors(p)
        eye = np.eye(family.rank)
        np.testing.assert_allclose(U.conj().T @ U, eye, atol=1e-13)
        np.testing.assert_allclose(V.conj().T @ V, eye, atol=1e-13)
        np.testing.assert_allclose(A @ V, U * s, atol=1e-13)
        np.testing.assert_allclose(A.conj().T @ U, V * s, atol=1e-13)


def test_best_rank_is_numpys(family):
    r = family.rank
    for p in POINTS[1:3]:
        U, s, Vh = np.linalg.svd(family(p))
        np.testing.assert_allclose(family.best_rank(p), (U[:, :r] * s[:r]) @ Vh[:r], atol=1e-11)


def test_exact_crossings_exchange_order_and_keep_the_matrix_smooth():
    family = FAMILIES["exact"]
    for k, p0 in zip(family._pairs, meeting(family), strict=True):
        s = family.singular_values(p0)
        assert s[k] == pytest.approx(s[k + 1], rel=1e-14)
        before, after = (family.factors(p0 + t)[0] for t in (-1e-4, 1e-4))
        # The direction that was first before the crossing is second after it.
        assert abs(before[:, k] @ after[:, k + 1]) > 0.999
        assert abs(before[:, k] @ after[:, k]) < 0.05


def test_avoided_crossings_come_as_close_as_the_coupling_says():
    family, plain = FAMILIES["avoided"], LowRankSVD(n=60, rank=12, tail=10)
    for k, p0 in zip(family._pairs, meeting(family), strict=True):
        s, apart = family.singular_values(p0), plain.singular_values(p0)
        assert s[k] - s[k + 1] == pytest.approx(family.coupling * (apart[k] - apart[k + 1]), rel=1e-9)
        near = [family.singular_values(p) for p in p0 + np.linspace(-0.02, 0.02, 41)]
        assert min(s[k] - s[k + 1] for s in near) >= 0.9 * (s[k] - s[k + 1])
        before, after = (family.factors(p0 + t)[0] for t in (-0.1, 0.1))
        assert abs(before[:, k] @ after[:, k + 1]) > abs(before[:, k] @ after[:, k])


def test_without_crossings_the_gaps_stay_open():
    family = FAMILIES["full size"]
    assert min(family.gap(p) for p in np.linspace(0, 1, 201)) > 0.005
    assert min(FAMILIES["exact"].gap(p) for p in meeting(FAMILIES["exact"])) < 1e-15


@pytest.mark.parametrize("name", ["plain", "avoided", "exact"])
def test_best_rank_falls_geometrically_in_the_degree(name):
    family = FAMILIES[name]
    x = -np.cos(np.pi * np.arange(101) / 100)
    values = np.stack([family.best_rank((t + 1) / 2).ravel() for t in x])
    size = np.linalg.norm(np.polynomial.chebyshev.chebfit(x, values, 100), axis=1)
    assert np.polyfit(np.arange(10, 40), np.log(size[10:40]), 1)[0] < np.log(0.7)


@pytest.mark.parametrize("complex", [False, True])
def test_frames_are_orthonormal_and_move(complex):
    frame = Frame.draw(n=15, m=4, rng=np.random.default_rng(3), complex=complex)
    U, later = frame(0.2), frame(0.5)
    assert np.iscomplexobj(U) == complex
    np.testing.assert_allclose(U.conj().T @ U, np.eye(8), atol=1e-14)
    np.testing.assert_allclose(frame.rest.conj().T @ U, 0, atol=1e-14)
    assert np.linalg.norm(U - later) > 0.1


def test_seed_decides():
    one, same, other = (LowRankSVD(n=24, rank=4, seed=seed)(0.6) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.allclose(one, other)


def test_answers_are_fresh():
    family = LowRankSVD(n=24, rank=4, crossing="exact")
    for answer in (family, family.singular_values, family.best_rank, lambda p: family.factors(p)[0]):
        first = answer(0.4)
        kept = first.copy()
        first[:] = 0
        assert np.array_equal(answer(0.4), kept)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"crossing": "avoid"}, "unknown crossing 'avoid'"),
        ({"rank": 11}, "rank <= n / 2"),
        ({"rank": 2, "crossing": "exact"}, "expected 3 <= rank"),
        ({"tail": -1}, "tail >= 0"),
        ({"ratio": 1.0}, "0 <= ratio < 1"),
        ({"coupling": -0.1}, "coupling >= 0"),
    ],
)
def test_wrong_choices_are_named(options, message):
    with pytest.raises(InputError, match=message):
        LowRankSVD(**{"n": 20, "rank": 4, **options})
