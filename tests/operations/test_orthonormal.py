"""Nearly orthonormal columns are made orthonormal to rounding, others by QR."""

import numpy as np
import pytest
import torch

from neumatc.gauge import adjoint
from neumatc.operations.orthonormal import NEARLY, Orthonormal


def near(size: float, complex_: bool, n: int = 40, k: int = 6) -> np.ndarray:
    rng = np.random.default_rng(0)
    X, E = rng.standard_normal((2, 3, n, k)) + (1j * rng.standard_normal((2, 3, n, k)) if complex_ else 0)
    changed: np.ndarray = np.linalg.qr(X)[0] + size * E / np.linalg.norm(E, axis=(-2, -1), keepdims=True)
    return changed


@pytest.mark.parametrize("complex_", [False, True])
@pytest.mark.parametrize("size", [0.0, 1e-12, 1e-6, 3e-6, 1e-5, 1e-3, 0.3, 30.0])
def test_columns_become_orthonormal_and_span_the_same(size: float, complex_: bool) -> None:
    X = near(size, complex_)
    found = Orthonormal.of(X)
    Q = found.times(np.broadcast_to(np.eye(6), (3, 6, 6)))
    assert abs(adjoint(Q) @ Q - np.eye(6)).max() < 1e-14
    assert abs(Q @ found.R - X).max() < 1e-14 * max(1, size)
    assert found.nearly == (size < NEARLY)


def test_tensors_stay_tensors() -> None:
    X = torch.from_numpy(near(1e-5, True))
    found = Orthonormal.of(X)
    Q = found.times(torch.eye(6, dtype=X.dtype).expand(3, 6, 6))
    assert abs(Q.mH @ Q - torch.eye(6, dtype=X.dtype)).max() < 1e-14


def test_none_at_all_and_what_is_no_number() -> None:
    assert Orthonormal.of(np.empty((0, 5, 2))).times(np.empty((0, 2, 2))).shape == (0, 5, 2)
    assert not Orthonormal.of(np.full((1, 5, 2), np.nan)).nearly
