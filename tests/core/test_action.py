"""exp(A) known by what it does: the same numbers as SciPy's dense exponential, in either library, from either side."""

from typing import Any

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given
from hypothesis import strategies as st

from neumatc.action import Exponential
from neumatc.equations import equal, exponential, known, unknown


def drawn(n: int, norm: float, complex_: bool, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((3, n, n)) + (1j * rng.standard_normal((3, n, n)) if complex_ else 0)
    return norm * A / np.linalg.norm(A, 2, axis=(1, 2))[:, None, None]


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 12), norm=st.floats(0, 20), complex_=st.booleans())
def test_action_is_that_of_the_dense_exponential(seed: int, n: int, norm: float, complex_: bool) -> None:
    A, Z = drawn(n, norm, complex_, seed), np.random.default_rng(seed).standard_normal((n, 3))
    E = scipy.linalg.expm(A)
    limit = 1e-13 * (1 + norm) * np.linalg.norm(E, 2, axis=(1, 2)).max() * np.linalg.norm(Z)
    assert np.linalg.norm(Exponential(A) @ Z - E @ Z) <= limit
    assert np.linalg.norm(Z.T @ Exponential(A) - Z.T @ E) <= limit


@pytest.mark.parametrize("A", [np.zeros((2, 3, 3)), np.broadcast_to(-700 * np.eye(3), (2, 3, 3))], ids=["0", "-700 I"])
def test_multiples_of_the_identity_lose_nothing(A: Any) -> None:
    np.testing.assert_allclose(Exponential(A) @ np.eye(3), scipy.linalg.expm(A), rtol=1e-12)


@pytest.mark.parametrize("complex_", [False, True], ids=["real", "complex"])
def test_torch_answers_in_kind(complex_: bool) -> None:
    torch = pytest.importorskip("torch")
    A, Z = drawn(5, 4.0, complex_), drawn(5, 1.0, complex_, 1)[0]
    tensor = Exponential(torch.from_numpy(A)) @ torch.from_numpy(Z)
    np.testing.assert_allclose(tensor.numpy(), Exponential(A) @ Z, rtol=1e-13, atol=1e-13)
    tensor = torch.from_numpy(Z) @ Exponential(torch.from_numpy(A))
    np.testing.assert_allclose(tensor.resolve_conj().numpy(), Z @ Exponential(A), rtol=1e-13, atol=1e-13)


def test_equations_with_a_function_say_so() -> None:
    A, X = known("A"), unknown("X")
    direct, inverse = equal(X, exponential(A), relative_to=X), equal(exponential(X), A)
    assert repr(direct) == "X = exp(A)"
    assert repr(inverse.left.H) == "exp(Xᴴ)"
    assert (direct.polynomial, direct.linear) == (True, True)
    assert (inverse.polynomial, inverse.linear) == (False, False)
