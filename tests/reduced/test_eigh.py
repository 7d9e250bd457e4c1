"""A few eigenpairs of sparse affine families: never dense, never missing one, with residuals that are exact."""

from typing import Any

import numpy as np
import pytest
import scipy.linalg
from scipy import sparse
from tests.reduced.families import SIDE, dense, laplacian, magnetic, wells

import neumatc as nmc
from neumatc.errors import AccuracyWarning, CertificateError, InputError, RankError, TrainingError
from neumatc.reduced import ReducedEigh

P = np.random.default_rng(1).uniform(0, 1, 40)


@pytest.fixture(scope="module", params=["lowest", "highest"])
def which(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("make", [wells, magnetic], ids=["real", "complex"])
def test_pairs_are_those_of_lapack(make: Any, which: str) -> None:
    family = make()
    f = nmc.eigh(family, (0.0, 1.0), rank=4, which=which, tol=1e-9, rng=0)
    assert isinstance(f, ReducedEigh)
    assert f.status == "converged"
    values, vectors = f(P)
    assert vectors.shape == (40, f.system.n, 4)
    for p, w, V in zip(P, values, vectors, strict=True):
        wanted = np.linalg.eigvalsh(dense(family, p))
        wanted = wanted[:4] if which == "lowest" else wanted[-4:]
        np.testing.assert_allclose(w, wanted, rtol=1e-9, atol=1e-9 * np.abs(wanted).max())
        assert np.linalg.norm(dense(family, p) @ V - V * w) <= 1e-8 * np.abs(w).max()
        assert np.linalg.norm(V.conj().T @ V - np.eye(4)) <= 1e-12
    np.testing.assert_array_equal(f.eigenvalues(P), values)
    assert f(0.3).eigenvectors.shape == (f.system.n, 4)
    assert f(np.empty(0)).eigenvectors.shape == (0, f.system.n, 4)


def test_a_mass_matrix_makes_vectors_orthonormal_in_it() -> None:
    family, n = wells(), SIDE**2
    mass = sparse.diags_array([np.ones(n - 1) / 6, np.full(n, 2 / 3), np.ones(n - 1) / 6], offsets=[-1, 0, 1])
    f = nmc.eigh(family, (0.0, 1.0), mass, rank=3, tol=1e-9, rng=0)
    w, V = f(0.4)
    wanted = scipy.linalg.eigh(dense(family, 0.4), mass.toarray(), eigvals_only=True)[:3]
    np.testing.assert_allclose(w, wanted, rtol=1e-9)
    assert np.linalg.norm(V.T @ (mass @ V) - np.eye(3)) <= 1e-11
    assert f.certify(0.4).theorem == ""


def test_the_residual_is_exact_and_bounds_the_error_of_the_values() -> None:
    family = wells()
    with pytest.warns(AccuracyWarning, match="eigenvectors span more dimensions"):
        f = nmc.eigh(family, (0.0, 1.0), rank=3, tol=1e-9, samples=3, rng=0)
    assert f.status == "budget"
    certificate, (values, vectors) = f.certify(P), f(P)
    for i, p in enumerate(P):
        A = dense(family, p)
        scale = np.abs(values[i]).max()
        true = np.linalg.norm(A @ vectors[i] - vectors[i] * values[i], axis=0).max() / scale
        assert true <= certificate.bound[i]
        assert certificate.residual[i] == pytest.approx(true, rel=1e-6, abs=1e-12)
        away = np.abs(np.linalg.eigvalsh(A)[:, None] - values[i]).min(0)
        assert away.max() / scale <= certificate.error_bound[i]


def test_certified_answers_fall_back_to_lanczos() -> None:
    family = wells()
    with pytest.warns(AccuracyWarning):
        f = nmc.eigh(family, (0.0, 1.0), rank=3, tol=1e-9, samples=2, rng=0)
    answer = f.certified(tol=1e-8)(P)
    assert "exact" in answer.path
    assert np.all(answer.certificate.bound <= 1e-8)
    for p, w in zip(P, answer.value.eigenvalues, strict=True):
        np.testing.assert_allclose(w, np.linalg.eigvalsh(dense(family, p))[:3], rtol=1e-8)
    with pytest.raises(CertificateError, match=r"No answer within tol = 1.0e-08 at p = .*the residual bound is"):
        f.certified(tol=1e-8, on_fail="raise")(P)


def test_a_level_that_dives_between_the_candidates_is_found() -> None:
    """Nothing at the samples tells of it: the exact pairs at random points do."""
    n = 80
    levels = np.arange(1.0, n + 1)
    deep = np.zeros(n)
    deep[-1] = -100.0
    family = nmc.Affine(
        [sparse.diags_array(levels), sparse.diags_array(deep)], lambda p: [1.0, np.exp(-(((p - 0.37) / 0.3) ** 2))]
    )
    f = nmc.eigh(family, (0.0, 1.0), rank=2, tol=1e-8, rng=0)
    for p in P:
        np.testing.assert_allclose(f(p).eigenvalues, np.sort(np.diag(dense(family, p)))[:2], rtol=1e-8)


def test_several_parameters_and_named_axes() -> None:
    family = nmc.Affine([laplacian(), sparse.diags_array(np.linspace(0, 300, SIDE**2))], lambda p: [p[0], p[1]])
    f = nmc.eigh(family, {"stiffness": (1.0, 2.0), "load": (0.0, 1.0)}, rank=2, tol=1e-7, rng=0)
    at = np.random.default_rng(0).uniform([1, 0], [2, 1], (10, 2))
    for p, w in zip(at, f.eigenvalues(at), strict=True):
        np.testing.assert_allclose(w, np.linalg.eigvalsh(dense(family, p))[:2], rtol=1e-7)
    assert "2 lowest" in repr(f)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"rank": None}, RankError, r"a few pairs: 1 <= rank < 195, got rank=None"),
        ({"rank": 0}, RankError, r"got rank=0"),
        ({"which": "middle"}, InputError, r"must be 'lowest' or 'highest', got 'middle'"),
        ({"B": sparse.eye_array(5)}, InputError, r"A\(p\) is 196 x 196 and B\(p\) 5 x 5"),
        ({"B": sparse.eye_array(SIDE**2, k=1)}, InputError, r"matrices\[0\] of B differs from its adjoint by 1.0e\+00"),
        ({"basis": "sine"}, InputError, r"`basis` = 'sine' has no meaning for a sparse"),
        ({"samples": 1, "throw": True}, TrainingError, r"reached a residual of .* with 1 exact solves"),
    ],
)
def test_what_cannot_be_asked_is_refused(change: dict[str, Any], error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        nmc.eigh(wells(), (0.0, 1.0), **{"rank": 2, "rng": 0, **change})


def test_complex_coefficients_are_refused() -> None:
    family = nmc.Affine([laplacian(), laplacian()], lambda p: [1.0, 1j * p])
    with pytest.raises(InputError, match=r"coefficients of A must be real for `eigh`, but complex ones came at p ="):
        nmc.eigh(family, (0.1, 1.0), rank=2, rng=0)
