"""The laws of `neumatc.testing` over the whole table, and over random matrices."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import solve_continuous_are, solve_continuous_lyapunov

from neumatc.equations import equal, identity, known, unknown
from neumatc.operations import OPERATIONS, Custom, Inverse, Operation, TruncatedSVD
from neumatc.testing import OPERATION_LAWS, check_operation

A, X = known("A"), unknown("X")


def riccati(M: Any) -> Any:
    return solve_continuous_are(M, np.eye(len(M)), np.eye(len(M)), np.eye(len(M)))


@pytest.mark.parametrize("law", OPERATION_LAWS.values(), ids=OPERATION_LAWS)
def test_every_law_holds_in_every_case(case: Any, law: Callable[..., None]) -> None:
    law(case.operation, case.matrices(case.points(3)), np.random.default_rng(1))


# Values have no equations, and so laws of their own: tests/operations/test_values.py.
ELSEWHERE = {"eigvalsh", "pinv-fixed-rank", "slogdet", "svdvals"}


def test_no_operation_is_missing_in_the_table(table: Any) -> None:
    assert {case.operation.name for case in table} >= set(OPERATIONS) - ELSEWHERE
    for name in set(OPERATIONS) - ELSEWHERE:
        cases = {(case.dtype.name, case.dimension) for case in table if case.operation.name == name}
        assert len(cases) == 8, f"{name} lacks dtypes or dimensions"


@pytest.mark.parametrize("buffer", [1, 3])
def test_a_buffer_changes_no_law(make_waves: Any, buffer: int) -> None:
    family = make_waves(np.array([5.0, 4.5, 4.0, 3.0, 2.5, 2.0, 0.3, 0.2]), (12, 10), complex)
    matrices = np.stack([family(p) for p in (0.1, 0.6)])
    check_operation(TruncatedSVD(3, buffer=buffer), matrices)


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 7), complex_=st.booleans())
def test_inverse_of_random_matrices(seed: int, n: int, complex_: bool) -> None:
    rng = np.random.default_rng(seed)
    G = rng.standard_normal((3, n, n)) + (1j * rng.standard_normal((3, n, n)) if complex_ else 0)
    matrices = np.eye(n) + 0.5 * G / np.linalg.norm(G, 2, axis=(1, 2))[:, None, None]
    check_operation(Inverse(), matrices, seed)


@given(seed=st.integers(0, 2**32 - 1), rank=st.integers(1, 4), extra=st.integers(0, 3), complex_=st.booleans())
def test_svd_of_random_matrices(seed: int, rank: int, extra: int, complex_: bool) -> None:
    rng = np.random.default_rng(seed)

    def frame(rows: int) -> Any:
        G = rng.standard_normal((2, rows, rank + extra))
        return np.linalg.qr(G + 1j * rng.standard_normal(G.shape) if complex_ else G)[0]

    values = np.concatenate([np.linspace(2, 1, rank), 0.1 * 0.5 ** np.arange(extra)])
    matrices = (frame(8) * values) @ frame(6 + rank).conj().swapaxes(-1, -2)[:, :, : 6 + rank]
    check_operation(TruncatedSVD(rank), matrices, seed)


CUSTOM: dict[str, Operation] = {
    "square root": Custom("sqrtm", scipy.linalg.sqrtm, (equal(X @ X, A),)),
    "inverse from both sides": Custom("inv", np.linalg.inv, (equal(A @ X, identity()), equal(A @ X @ A, A))),
    "adjoint": Custom("adjoint", lambda M: M.conj().T, (equal(X.H, A),)),
    "lyapunov": Custom(
        "lyapunov", lambda M: solve_continuous_lyapunov(M, np.eye(len(M))), (equal(A @ X + X @ A.H, identity()),)
    ),
    "riccati": Custom("riccati", riccati, (equal(A.H @ X + X @ A + identity(), X @ X),)),
}


@pytest.mark.parametrize("operation", CUSTOM.values(), ids=CUSTOM)
@pytest.mark.parametrize("dtype", [float, complex])
def test_operations_from_plain_functions(operation: Operation, dtype: Any, make_waves: Any) -> None:
    family = make_waves(np.linspace(1, 2, 6), (6, 6), dtype, hermitian=True)
    check_operation(operation, np.stack([family(p) for p in (0.2, 0.9)]))
