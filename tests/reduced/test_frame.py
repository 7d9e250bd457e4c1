"""Orthonormal vectors that grow by blocks, beyond the memory that was taken first."""

from typing import Any

import numpy as np
import pytest
from scipy import sparse

import neumatc as nmc
from neumatc.box import Box
from neumatc.reduced import AffineSystem
from neumatc.reduced.exact import inverse_of
from neumatc.reducing.builder import Builder
from neumatc.reducing.frame import FIRST, Frame

N = 300


def vectors(count: int, dtype: Any = float, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    real, imaginary = rng.standard_normal((2, count, N))
    return real + 1j * imaginary if dtype is complex else real


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("energy", [False, True])
def test_rows_stay_orthonormal_and_coordinates_give_the_vectors_back(dtype: Any, energy: bool) -> None:
    E = sparse.diags_array(np.linspace(1, 9, N))
    R = np.diag(1 / np.linspace(1, 9, N)) if energy else np.eye(N)
    frame = Frame(N, np.dtype(dtype), N, inverse_of(E) if energy else None)
    K = vectors(2 * FIRST + 10, dtype)
    K[3::7] = K[2::7] + 1e-9 * K[3::7]  # all but equal to the one before
    K[5::7] = 1e12 * K[4::7]  # equal, and much longer
    coordinates = [each for i in range(0, len(K), 5) for each in frame.expand(K[i : i + 5], 1e-13)]
    W = frame.rows
    assert frame.count == len(K) - len(K[5::7])
    np.testing.assert_allclose(W.conj() @ R @ W.T, np.eye(frame.count), rtol=0, atol=1e-13)
    for k, found in zip(K, coordinates, strict=True):
        np.testing.assert_allclose(found @ W[: len(found)], k, rtol=0, atol=1e-13 * np.abs(k).max() * N)


def test_a_block_in_which_little_is_new_again_and_again() -> None:
    """Every row is the one before but for a small share, and the first half lies in a span of ten all but rounding."""
    rng = np.random.default_rng(7)
    frame = Frame(N, np.dtype(float), N)
    frame.expand(vectors(12), 1e-14)
    K = rng.standard_normal((60, 10)) @ vectors(10, seed=8) + 1e-13 * vectors(60, seed=9)
    K[30:] = np.cumsum(vectors(30, seed=10) * np.logspace(0, -12, 30)[:, None], axis=0)
    coordinates = frame.expand(K, 1e-14)
    W = frame.rows
    np.testing.assert_allclose(W @ W.T, np.eye(frame.count), rtol=0, atol=1e-14)
    np.testing.assert_allclose(coordinates @ W, K, rtol=0, atol=1e-12)


def test_nothing_is_appended_beyond_the_most_nor_below_the_share() -> None:
    frame = Frame(N, np.dtype(float), 3)
    K = vectors(2)
    near = np.stack([K[0] + 1e-6 * K[1] / 10, K[1]])
    frame.expand(K[:1], 1e-13)
    assert len(frame.expand(near, np.array([1e-3, 1e-13]))) == 2
    assert frame.count == 2
    frame.expand(vectors(5, seed=1), 1e-13)
    assert frame.count == 3


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("energy", [False, True])
def test_blocks_of_vectors_give_the_tensors_of_the_span(dtype: Any, energy: bool) -> None:
    """Against products written out: ``‖Σ θ_q A_q V φ - f‖`` and ``Vᴴ A_q V``, one by one and by blocks."""
    rng = np.random.default_rng(3)
    parts = [sparse.eye_array(N), sparse.random_array((N, N), density=0.05, rng=rng) * (1j if dtype is complex else 1)]
    E = sparse.diags_array(np.linspace(1, 9, N)).tocsc() if energy else None
    family = nmc.Affine(parts, lambda p: [1.0, p], energy=E)
    system = AffineSystem(family, vectors(2, dtype, 4), None, Box.of((0.0, 1.0)), N, np.dtype(dtype))
    X = vectors(40, dtype, 5)
    X[9] = X[7] + X[8]
    alone, blocks = Builder(system, N), Builder(system, N)
    assert [alone.add(x) for x in X] == [True] * 9 + [False] + [True] * 30
    assert [blocks.extend(X[i : i + 8]) for i in range(0, 40, 8)] == [8, 7, 8, 8, 8]
    R = np.diag(1 / np.linspace(1, 9, N)) if energy else np.eye(N)
    phi, theta, psi = vectors(3, dtype, 6)[:, :39], rng.standard_normal((3, 2)), rng.standard_normal((3, 2))
    for builder in (alone, blocks):
        V, tensors = builder.basis.rows, builder.tensors()
        np.testing.assert_allclose(tensors.galerkin, [V.conj() @ (part @ V.T) for part in parts], rtol=0, atol=1e-11)
        A = [sum(t * part for t, part in zip(row, parts, strict=True)) for row in theta]
        r = np.stack([a @ (V.T @ c) - s @ system.right for a, c, s in zip(A, phi, psi, strict=True)])
        b = psi @ system.right
        lengths, sizes = (np.sqrt(np.abs(np.einsum("bi,ij,bj->b", each.conj(), R, each))) for each in (r, b))
        np.testing.assert_allclose(tensors.residual(phi, theta, psi), lengths / sizes, rtol=1e-10)
