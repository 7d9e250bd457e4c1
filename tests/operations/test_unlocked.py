"""LAPACK by SciPy's table for Cython: the same numbers, and other threads run meanwhile."""

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from neumatc.operations import lapack, unlocked

needs_table = pytest.mark.skipif(not unlocked.unlocked(), reason="SciPy publishes LAPACK with other signatures here")


def draw(n: int, dtype: Any) -> np.ndarray:
    rng = np.random.default_rng(n)
    A = rng.standard_normal((n, n)) + 2 * np.eye(n)
    return (A + 1j * rng.standard_normal((n, n)) if np.dtype(dtype).kind == "c" else A).astype(dtype)


@pytest.fixture
def _other_signatures(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(unlocked, "SIGNATURES", {"getrf": "void (long *)", "getri": "void (long *)"})
    unlocked._routine.cache_clear()
    yield
    unlocked._routine.cache_clear()


@needs_table
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
@pytest.mark.parametrize("n", [1, 2, 33, 120])
def test_it_is_what_the_wrappers_return(dtype: Any, n: int) -> None:
    A = draw(n, dtype)
    before = A.copy()
    for given in (A, A.T, np.asfortranarray(A)):
        X, expected = unlocked.inverse(given), lapack._wrapped_inverse(given)
        assert X is not None
        assert X.dtype == A.dtype
        assert X.flags.c_contiguous
        np.testing.assert_array_equal(X, expected)
    np.testing.assert_array_equal(A, before)


@needs_table
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (30, 30), (50, 20), (20, 50)])
def test_singular_values_and_vectors(dtype: Any, shape: tuple[int, int]) -> None:
    A = draw(50, dtype)[: shape[0], : shape[1]]
    before, eps, least = A.copy(), np.finfo(dtype).eps, min(shape)
    for given in (A, np.asfortranarray(A)):
        found = unlocked.svd(given)
        assert found is not None
        U, S, Vh = found
        assert (U.dtype, S.dtype, Vh.dtype) == (A.dtype, A.real.dtype, A.dtype)
        np.testing.assert_allclose((U * S) @ Vh, A, rtol=0, atol=100 * eps * S[0])
        np.testing.assert_allclose(U.conj().T @ U, np.eye(least), rtol=0, atol=100 * eps)
        np.testing.assert_allclose(Vh @ Vh.conj().T, np.eye(least), rtol=0, atol=100 * eps)
        np.testing.assert_allclose(S, np.linalg.svd(A, compute_uv=False), rtol=0, atol=100 * eps * S[0])
    np.testing.assert_array_equal(A, before)


@needs_table
@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (3, 3)])
def test_what_has_no_singular_values_is_none(shape: tuple[int, int]) -> None:
    assert unlocked.svd(np.full(shape, np.nan)) is None


@needs_table
def test_a_zero_pivot_is_none() -> None:
    assert unlocked.inverse(np.diag([1.0, 0.0, 2.0])) is None


@needs_table
@pytest.mark.parametrize("solver", [unlocked.inverse, unlocked.svd])
def test_other_threads_run_meanwhile(solver: Any) -> None:
    A, done, turns = draw(700, float), threading.Event(), 0

    def solve() -> None:
        solver(A)
        done.set()

    thread = threading.Thread(target=solve)
    thread.start()
    while not done.wait(1e-4):
        turns += 1
    thread.join()
    assert turns > 5  # the lock held, this thread would come back once


@pytest.mark.usefixtures("_other_signatures")
def test_another_signature_is_not_called() -> None:
    assert not unlocked.unlocked()
    A = draw(5, float)
    np.testing.assert_allclose(lapack.inverse(A[None])[0] @ A, np.eye(5), rtol=0, atol=1e-14)
    U, S, Vh = lapack.svd(A[None])
    np.testing.assert_allclose(((U * S[:, None]) @ Vh)[0], A, rtol=0, atol=1e-14)
    with pytest.raises(np.linalg.LinAlgError, match="a pivot of its LU factors is zero"):
        lapack.inverse(np.zeros((1, 3, 3)))
