"""Clusters, Wilkinson's pairs and Kahan's triangle, all turned by rotations."""

import numpy as np
import pytest

from neumatc.errors import InputError
from neumatc.gallery import Clusters, Kahan, Wilkinson

CLUSTERS = {
    "tiny gap": Clusters(n=10, size=3, gap=1e-10),
    "no gap": Clusters(n=9, size=3, gap=0.0),
    "complex": Clusters(n=8, size=2, gap=1e-3, complex=True),
    "all alone": Clusters(n=5, size=1),
    "one": Clusters(n=4, size=4, gap=0.1),
}


@pytest.fixture(params=CLUSTERS)
def clusters(request):
    return CLUSTERS[request.param]


@pytest.mark.parametrize("p", [0.0, 0.37, 1.0])
def test_pairs_are_lapacks(clusters, p):
    A, w, Q = clusters(p), clusters.eigenvalues(p), clusters.eigenvectors(p)
    assert np.array_equal(A, A.conj().T)
    np.testing.assert_allclose(w, np.linalg.eigvalsh(A), rtol=0, atol=1e-13)
    np.testing.assert_allclose(clusters.singular_values(p), np.linalg.svd(A, compute_uv=False), rtol=0, atol=1e-13)
    np.testing.assert_allclose(A @ Q, Q * w, rtol=0, atol=1e-13)
    np.testing.assert_allclose(Q.conj().T @ Q, np.eye(clusters.n), rtol=0, atol=1e-13)


@pytest.mark.parametrize("p", [0.0, 0.37])
def test_projectors_of_clusters_are_lapacks(clusters, p):
    Q = np.linalg.eigh(clusters(p))[1]
    for j, group in enumerate(clusters.groups):
        np.testing.assert_allclose(clusters.projector(p, j), Q[:, group] @ Q[:, group].conj().T, rtol=0, atol=1e-12)
    total = sum(clusters.projector(p, j) for j in range(len(clusters.groups)))
    np.testing.assert_allclose(total, np.eye(clusters.n), rtol=0, atol=1e-13)


@pytest.mark.parametrize("gap", [0.0, 1e-8, 1e-2, 0.2])
def test_gaps_within_and_between_clusters(gap):
    family = Clusters(n=12, size=3, gap=gap)
    inside = np.arange(11) % 3 != 2
    for p in np.linspace(0, 1, 9):
        steps = np.diff(np.linalg.eigvalsh(family(p)))
        np.testing.assert_allclose(steps[inside], gap, rtol=0, atol=1e-13)
        assert steps[~inside].min() > 0.19


def test_centres_move():
    assert np.ptp([CLUSTERS["tiny gap"].eigenvalues(p)[0] for p in np.linspace(0, 1, 9)]) > 0.3


@pytest.mark.parametrize("half", [1, 4, 10])
def test_wilkinson_pairs_are_lapacks(half):
    family = Wilkinson(half=half)
    n = 2 * half + 1
    for p in (0.0, 0.6):
        A, w, Q = family(p), family.eigenvalues(p), family.eigenvectors(p)
        assert A.shape == (n, n)
        assert np.array_equal(A, A.T)
        np.testing.assert_allclose(w, np.linalg.eigvalsh(A), rtol=0, atol=1e-13)
        np.testing.assert_allclose(A @ Q, Q * w, rtol=0, atol=1e-13)
        np.testing.assert_allclose(Q.T @ Q, np.eye(n), rtol=0, atol=1e-13)


def test_wilkinson_has_the_published_largest_pair():
    w = Wilkinson(half=10).eigenvalues(0.0)
    np.testing.assert_allclose(w[-2:], [10.746194182903322, 10.746194182903393], rtol=1e-15)
    assert w[1] - w[0] > 1


@pytest.mark.parametrize("options", [{}, {"n": 9, "theta": 0.5}, {"n": 2}])
def test_kahan_inverse_is_numpys(options):
    family = Kahan(**options)
    for p in (0.0, 0.6):
        X = np.linalg.inv(family(p))
        assert np.linalg.norm(family.inverse(p) - X) < 1e-15 * family.n * np.linalg.cond(X) * np.linalg.norm(X)


def test_kahan_triangle_is_the_formula():
    K, s, c = Kahan(n=6, theta=1.0).triangle, np.sin(1.0), np.cos(1.0)
    for i in range(6):
        for j in range(6):
            assert K[i, j] == pytest.approx(s**i * (1.0 if i == j else -c * (j > i)), abs=1e-15)
    with pytest.raises(ValueError, match="read-only"):
        K[0, 0] = 2


def test_kahan_hides_its_small_singular_value():
    family = Kahan(n=40)
    sigma = np.linalg.svd(family(0.3), compute_uv=False)
    np.testing.assert_allclose(sigma, np.linalg.svd(family.triangle, compute_uv=False), rtol=0, atol=1e-13)
    assert sigma[-1] < 1e-4 * np.diag(family.triangle).min()
    assert sigma[-2] > 100 * sigma[-1]


@pytest.mark.parametrize("make", [Clusters, Wilkinson, Kahan])
def test_seed_decides_and_the_turn_turns(make):
    one, same, other = (make(seed=seed)(0.6) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.allclose(one, other)
    still = make(turn=0.0)
    if make is not Clusters:  # its values move too
        np.testing.assert_allclose(still(0.0), still(1.0), rtol=0, atol=1e-14)
    assert not np.allclose(make(turn=1.0)(0.0), make(turn=1.0)(1.0), atol=1e-2)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Clusters(size=0), "expected 1 <= size <= n"),
        (lambda: Clusters(size=5, gap=0.11), r"0 <= gap \(size - 1\) <= 0.4"),
        (lambda: Clusters(gap=-1e-9), "expected 1 <= size <= n"),
        (lambda: Wilkinson(half=0), "expected half >= 1"),
        (lambda: Kahan(theta=1.6), "expected n >= 2, an angle theta"),
        (lambda: Kahan(n=1), "expected n >= 2, an angle theta"),
    ],
)
def test_wrong_choices_are_named(make, message):
    with pytest.raises(InputError, match=message):
        make()
