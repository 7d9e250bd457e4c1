"""Rotating spectra and the rotation itself: pairs and triplets against LAPACK, gaps and turns against the dials."""

import numpy as np
import pytest

from neumatc.errors import InputError
from neumatc.gallery import RotatingSpectrum, RotatingSVD
from neumatc.gallery.embedding import Embedding
from neumatc.gallery.rotation import Rotation

POINTS = (0.0, 0.37, 1.0)
SVDS = {
    "tall": RotatingSVD(rows=11, columns=7),
    "wide": RotatingSVD(rows=5, columns=12, gap=0.025, turn=np.pi),
    "complex": RotatingSVD(rows=6, columns=6, gap=0.0, complex=True),
}


@pytest.mark.parametrize("complex", [False, True])
@pytest.mark.parametrize("gap", [0.43, 0.025, 0.0, 1.0])
def test_eigenpairs_are_lapacks_and_the_gap_is_the_dial(gap, complex):
    family = RotatingSpectrum(n=11, gap=gap, complex=complex, seed=6)
    for p in POINTS:
        A, w, Q = family(p), family.eigenvalues(p), family.eigenvectors(p)
        assert np.array_equal(A, A.conj().T)
        measured = np.linalg.eigvalsh(A)
        np.testing.assert_allclose(w, measured, rtol=0, atol=1e-13)
        np.testing.assert_allclose(A @ Q, Q * w, rtol=0, atol=1e-13)
        np.testing.assert_allclose(Q.conj().T @ Q, np.eye(11), rtol=0, atol=1e-13)
        assert np.diff(measured).min() / np.diff(measured).mean() == pytest.approx(gap, abs=1e-12)


def test_projector_is_lapacks():
    family = RotatingSpectrum(n=9, complex=True)
    Q = np.linalg.eigh(family(0.3))[1][:, :4]
    np.testing.assert_allclose(family.projector(0.3, 4), Q @ Q.conj().T, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", SVDS)
def test_triplets_are_lapacks_and_the_gap_is_the_dial(name):
    family = SVDS[name]
    for p in POINTS:
        A, (U, s, V) = family(p), family.factors(p)
        assert A.shape == (family.rows, family.columns)
        measured = np.linalg.svd(A, compute_uv=False)
        np.testing.assert_allclose(s, measured, rtol=0, atol=1e-13)
        np.testing.assert_array_equal(s, family.singular_values(p))
        np.testing.assert_allclose(A @ V, U * s, rtol=0, atol=1e-13)
        np.testing.assert_allclose(A.conj().T @ U, V * s, rtol=0, atol=1e-13)
        steps = -np.diff(measured)
        assert steps.min() / steps.mean() == pytest.approx(family.gap, abs=1e-12)
        assert np.linalg.cond(A) == pytest.approx(len(s))


@pytest.mark.parametrize("turn", [1.0, np.pi, 0.2])
@pytest.mark.parametrize("n", [6, 7])
def test_turn_is_the_largest_angle(turn, n):
    Q = Rotation.draw(n, turn, np.random.default_rng(1))
    angles = np.angle(np.linalg.eigvals(Q(0.9) @ Q(0.0).T))
    assert np.abs(angles).max() == pytest.approx(0.9 * turn)
    # A one-parameter group: only differences of p count.
    np.testing.assert_allclose(Q(0.7) @ Q(0.4).T, Q(0.3) @ Q(0.0).T, rtol=0, atol=1e-13)
    speed = np.linalg.norm(Q(0.5 + 1e-5) - Q(0.5 - 1e-5), 2) / 2e-5
    assert speed == pytest.approx(turn, rel=1e-6)


def test_spectrum_moves():
    values = np.stack([RotatingSpectrum(n=8).eigenvalues(p) for p in np.linspace(0, 1, 21)])
    assert np.ptp(values, axis=0).min() > 0.3


def test_embedding_hides_its_block():
    embedding = Embedding.draw(9, 3, (2.0, 3.0), np.random.default_rng(0), complex=True)
    block = np.array([[0.0, 1, 2], [0, 0, 3], [0, 0, 1]])
    A = embedding(block)
    assert np.abs(A).min() > 1e-4
    w = np.linalg.eigvals(A)
    np.testing.assert_allclose(np.sort(w.real), np.sort(embedding.values(np.array([0.0, 0, 1]))), atol=1e-6)
    moduli = np.abs(embedding.remote)
    assert moduli.min() >= 2
    assert moduli.max() <= 3
    assert embedding.below == 3


@pytest.mark.parametrize("make", [RotatingSpectrum, RotatingSVD])
def test_seed_decides(make):
    one, same, other = (make(seed=seed)(0.6) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.allclose(one, other)


@pytest.mark.parametrize(
    "make",
    [
        lambda: RotatingSpectrum(n=2),
        lambda: RotatingSpectrum(gap=1.1),
        lambda: RotatingSpectrum(gap=float("nan")),
        lambda: RotatingSVD(columns=2),
        lambda: RotatingSVD(turn=float("inf")),
    ],
)
def test_wrong_choices_are_named(make):
    with pytest.raises(InputError, match="expected three values or more, 0 <= gap <= 1 and a finite turn"):
        make()
