"""Bounds of the angles of computed vectors and subspaces: never below the truth, of the size residual over gap."""

from typing import Any

import numpy as np
import pytest

import neumatc as nmc
from neumatc.arrays import namespace
from neumatc.operations import Eigh, FullSVD, Operation, PartialEigh, TruncatedSVD

Array = Any
N = 7


def matrix(hermitian: bool, gap: float, seed: int, rows: int = N) -> Array:
    """A (1, rows, N) with values 1 .. N but for two that are ``gap`` apart."""
    rng = np.random.default_rng(seed)
    values = np.arange(1.0, N + 1)
    values[3] = values[2] + gap
    U, V = (np.linalg.qr(rng.standard_normal((size, N)) + 1j * rng.standard_normal((size, N)))[0] for size in (rows, N))
    return ((U * values) @ (U if hermitian else V).conj().T)[None]


def turned(X: Array, size: float, seed: int) -> Array:
    """Orthonormal columns near those of X (1, n, k)."""
    rng = np.random.default_rng(seed)
    return np.linalg.qr(X[0] + size * rng.standard_normal(X[0].shape))[0][None]


def in_phase(X: Array, exact: Array) -> Array:
    """The sines of the angles between columns."""
    return np.sqrt(np.maximum(1 - np.abs((X[0].conj() * exact[0]).sum(0)) ** 2, 0))


def sine(X: Array, exact: Array) -> float:
    """``‖sin Θ‖_F`` between the spans of orthonormal columns."""
    return float(np.linalg.norm(X[0] - exact[0] @ (exact[0].conj().T @ X[0])))


def diagonal(values: Array) -> Array:
    return np.diag(values)[None].astype(complex)


@pytest.mark.parametrize("which", ["lowest", "highest"])
def test_subspaces_of_few_eigenvalues(which: Any) -> None:
    operation, finite = PartialEigh(3, which=which), 0
    for seed in range(100):
        A = matrix(True, 10.0 ** -(seed % 4), seed)
        vectors = np.linalg.eigh(A[0])[1]
        kept = slice(0, 3) if which == "lowest" else slice(N - 3, N)
        exact, V = vectors[None][..., kept], turned(vectors[None][..., kept], 10.0 ** -(1 + seed % 8), seed)
        w, Y = np.linalg.eigh(V[0].conj().T @ A[0] @ V[0])
        F = {"V": V @ Y, "M": diagonal(w)}
        rho = np.linalg.norm(A[0] @ F["V"][0] - F["V"][0] * w) / np.linalg.norm(A[0])
        found = operation.angles({"A": A}, F, np.array([rho]))
        assert found is not None
        assert sine(F["V"], exact) <= found[0][0] * (1 + 1e-9) + 1e-14
        finite += int(np.isfinite(found[0][0]))
    assert finite > 60


def test_every_eigenvector() -> None:
    finite = 0
    for seed in range(100):
        A = matrix(True, 10.0 ** -(seed % 3), seed)
        vectors = np.linalg.eigh(A[0])[1]
        V = turned(vectors[None], 10.0 ** -(2 + seed % 8), seed)
        w = (V[0].conj() * (A[0] @ V[0])).sum(0).real
        rho = np.linalg.norm(A[0] @ V[0] - V[0] * w) / np.linalg.norm(A[0])
        found = Eigh().angles({"A": A}, {"V": V, "w": diagonal(w)}, np.array([rho]))
        assert found is not None
        assert in_phase(V, vectors[None]).max() <= found[0][0] * (1 + 1e-9) + 1e-7  # of 1 - cos²: half of the digits
        finite += int(np.isfinite(found[0][0]))
    assert finite > 50


@pytest.mark.parametrize("rows", [N, N + 4])
def test_leading_singular_subspaces(rows: int) -> None:
    finite = 0
    for seed in range(100):
        A = matrix(False, 10.0 ** -(seed % 4), seed, rows)
        U, _, Vh = np.linalg.svd(A[0], full_matrices=False)
        left, right = U[None][..., :3], Vh.conj().T[None][..., :3]
        size = 10.0 ** -(1 + seed % 8)
        X, S, Yh = np.linalg.svd(turned(left, size, seed)[0].conj().T @ A[0] @ turned(right, size, seed + 1)[0])
        F = {"U": turned(left, size, seed) @ X, "M": diagonal(S), "V": turned(right, size, seed + 1) @ Yh.conj().T}
        parts = A[0] @ F["V"][0] - F["U"][0] * S, A[0].conj().T @ F["U"][0] - F["V"][0] * S
        rho = np.hypot(*map(np.linalg.norm, parts)) / np.linalg.norm(A[0])
        found = TruncatedSVD(3).angles({"A": A}, F, np.array([rho]))
        assert found is not None
        assert np.hypot(sine(F["U"], left), sine(F["V"], right)) <= found[0][0] * (1 + 1e-9) + 1e-14
        finite += int(np.isfinite(found[0][0]))
    assert finite > 60


@pytest.mark.parametrize("rows", [N, N + 4])
def test_every_pair_of_singular_vectors(rows: int) -> None:
    finite = 0
    for seed in range(60):
        A = matrix(False, 10.0 ** -(seed % 3), seed, rows)
        U, _, Vh = np.linalg.svd(A[0], full_matrices=False)
        size = 10.0 ** -(2 + seed % 8)
        left, right = turned(U[None], size, seed), turned(Vh.conj().T[None], size, seed + 1)
        s = (left[0].conj() * (A[0] @ right[0])).sum(0)
        right = right * (s.conj() / np.abs(s))[None, None]
        s = np.abs(s)
        parts = A[0] @ right[0] - left[0] * s, A[0].conj().T @ left[0] - right[0] * s
        rho = np.hypot(*map(np.linalg.norm, parts)) / np.linalg.norm(A[0])
        found = FullSVD().angles({"A": A}, {"U": left, "s": diagonal(s), "V": right}, np.array([rho]))
        assert found is not None
        pair, known = (np.concatenate(x, 1) / np.sqrt(2) for x in ((left, right), (U[None], Vh.conj().T[None])))
        if np.all(np.diff(s) <= 0):
            assert in_phase(pair, known).max() <= found[0][0] * (1 + 1e-9) + 1e-7
        finite += int(np.isfinite(found[0][0]))
    assert finite > 30


def test_a_closed_gap_and_a_large_matrix_have_no_bound() -> None:
    A = np.diag([1.0, 2.0, 2.0, 3.0])[None]
    V = np.eye(4)[None][..., :2]
    found = PartialEigh(2).angles({"A": A}, {"V": V, "M": np.diag([1.0, 2.0])[None]}, np.array([1e-12]))
    assert found is not None
    assert np.isinf(found[0]).all()
    large = np.eye(65)[None]
    operations: list[Operation] = [PartialEigh(2), Eigh(), TruncatedSVD(2), FullSVD()]
    for operation in operations:
        F = {name: large for name in ("V", "w", "M", "U", "s")}
        assert operation.angles({"A": large}, F, np.zeros(1)) is None


@pytest.mark.parametrize("verb", ["eigh", "svd"])
@pytest.mark.parametrize("rank", [None, 2])
def test_certificates_of_a_fit_carry_the_bound(verb: str, rank: int | None) -> None:
    H = matrix(True, 1.0, 5)[0].real
    H = H + H.T

    def family(p: float) -> Array:
        return H + np.sin(2 * p) * np.diag(np.arange(N) / 10)

    f = getattr(nmc, verb)(family, (0.0, 1.0), rank=rank, tol=1e-9, rng=0)
    certificate = f.certify(np.array([0.2, 0.7]))
    assert certificate.angle_bound.shape == (2,)
    assert (certificate.angle_bound < 1e-5).all()
    assert "computed" in certificate.angle_theorem
    answer = f.certified(1e-9)(np.array([0.2, 0.7]))
    assert (answer.certificate.angle_bound < 1e-5).all()
    assert namespace(certificate.angle_bound) is np
