"""Jacobi rotations of small cores: those of LAPACK, without a look at values."""

from typing import Any

import numpy as np
import pytest
import torch
from tests.tensors.waiting import NoWaiting

from neumatc.tensors.small import Jacobi, Lapack

SIZES = (1, 2, 3, 8, 17)
DTYPES = (torch.float32, torch.float64, torch.complex64, torch.complex128)


def cores(kind: str, k: int, dtype: Any) -> Any:
    """Four random matrices: "plain", "graded" over twelve decades, "clustered", "singular", "tiny" or "huge"."""
    rng = np.random.default_rng(k)
    U, V = (np.linalg.qr(rng.standard_normal((4, k, k)) + 1j * rng.standard_normal((4, k, k)))[0] for _ in range(2))
    if not dtype.is_complex:
        U, V = np.linalg.qr(U.real)[0], np.linalg.qr(V.real)[0]
    values = {
        "graded": np.logspace(0, -12, k),
        "clustered": np.where(np.arange(k) < k // 2, 2.0, 1.0),
        "singular": np.maximum(np.arange(k)[::-1] - 2.0, 0.0),
    }.get(kind, np.linspace(2, 1, k))
    unit = {"tiny": 1e-30, "huge": 1e30}.get(kind, 1.0)
    return torch.from_numpy(unit * (U * values) @ V.conj().swapaxes(-1, -2)).to(dtype)


@pytest.mark.parametrize("kind", ["plain", "graded", "clustered", "singular", "tiny", "huge"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("k", SIZES)
def test_singular_values_and_vectors(kind: str, dtype: Any, k: int):
    K, jacobi = cores(kind, k, dtype), Jacobi.of(k, torch.device("cpu"))
    with NoWaiting():
        X, S, Yh = jacobi.svd(K)
    tiny = 40 * max(k, 4) ** 0.5 * torch.finfo(dtype).eps
    size = float(Lapack().svd(K)[1].amax())
    assert bool((S[:, :-1] >= S[:, 1:]).all())
    assert float((S - Lapack().svd(K)[1]).abs().amax()) <= tiny * size
    assert float(((X * S[:, None]) @ Yh - K).abs().amax()) <= tiny * size
    for Q in (X, Yh.mH):
        assert float((Q.mH @ Q - torch.eye(k)).abs().amax()) <= tiny


@pytest.mark.parametrize("kind", ["plain", "graded", "clustered"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("k", SIZES)
def test_eigenvalues_and_vectors(kind: str, dtype: Any, k: int):
    K, jacobi = cores(kind, k, dtype), Jacobi.of(k, torch.device("cpu"))
    K = (K + K.mH) / 2
    with NoWaiting():
        values, Y = jacobi.eigh(K)
    tiny = 100 * max(k, 4) ** 0.5 * torch.finfo(dtype).eps
    size = float(torch.linalg.matrix_norm(K).amax())
    assert float((values - Lapack().eigh(K)[0]).abs().amax()) <= tiny * size
    assert float((K @ Y - Y * values[:, None]).abs().amax()) <= tiny * size
    assert float((Y.mH @ Y - torch.eye(k)).abs().amax()) <= tiny


def test_zero_matrices_have_zero_values():
    X, S, Yh = Jacobi.of(5, torch.device("cpu")).svd(torch.zeros(2, 5, 5, dtype=torch.float64))
    assert not S.any()
    assert torch.allclose(X.mH @ X, torch.eye(5, dtype=torch.float64))
    assert torch.allclose(Yh @ Yh.mH, torch.eye(5, dtype=torch.float64))
