"""Exact factorisations of stacks, of either library."""

from typing import Any

import numpy as np
import pytest
import torch

from neumatc.operations.lapack import condition, inverse


def test_the_inverse_by_lu_factors_refuses_an_exact_pole() -> None:
    with pytest.raises(np.linalg.LinAlgError, match="a pivot of its LU factors is zero"):
        inverse(np.ones((1, 3, 3)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
@pytest.mark.parametrize("n", [1, 2, 33, 130])
def test_the_inverse_by_lu_factors_is_that_of_lapack(dtype: Any, n: int) -> None:
    rng = np.random.default_rng(n)
    matrices = rng.standard_normal((3, n, n)) + 1j * rng.standard_normal((3, n, n)) + 3 * n**0.5 * np.eye(n)
    matrices = matrices.astype(dtype) if np.dtype(dtype).kind == "c" else matrices.real.astype(dtype)
    before, found = matrices.copy(), inverse(matrices)
    np.testing.assert_array_equal(matrices, before)
    assert found.dtype == dtype
    assert np.abs(found @ matrices - np.eye(n)).max() <= 100 * np.finfo(dtype).eps
    # Turned in memory, and from torch: the same numbers.
    turned = np.ascontiguousarray(matrices.swapaxes(-1, -2)).swapaxes(-1, -2)
    np.testing.assert_array_equal(inverse(turned), found)
    np.testing.assert_array_equal(inverse(torch.from_numpy(matrices)).numpy(), found)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
@pytest.mark.parametrize("n", [1, 2, 33, 130])
def test_the_condition_is_that_of_the_inverse(dtype: Any, n: int) -> None:
    rng = np.random.default_rng(n)
    A = rng.standard_normal((n, n)) + 1j * rng.standard_normal((n, n))
    A = A.astype(dtype) if np.dtype(dtype).kind == "c" else A.real.astype(dtype)
    before, exact = A.copy(), np.linalg.cond(A.astype(complex), 1)
    assert exact / 3 <= condition(A) <= exact * 1.01
    np.testing.assert_array_equal(A, before)
    turned = np.linalg.cond(A.T.astype(complex), 1)
    assert turned / 3 <= condition(A.T) <= turned * 1.01


def test_the_condition_of_a_singular_matrix_is_infinite() -> None:
    assert condition(np.ones((3, 3))) == np.inf
