"""Cholesky factors in compiled code, for every kind of vectors, against LAPACK."""

from typing import Any

import numpy as np
import pytest

from neumatc import definite
from neumatc.definite import compiled, factored, in_memory, least_squares, solved

pytestmark = pytest.mark.skipif(compiled is None, reason="neumatc._cholesky was not built: no C compiler")

SHAPES = [
    (0, 3),
    (1, 0),
    (1, 1),
    (1, 20),
    (3, 7),
    (4, 7),
    (7, 1),
    (8, 20),
    (9, 31),
    (25, 60),
    (25, 61),
    (2, 80),
    (1, 203),
]
"""One by one and in bundles; bundles that are not full; rows that are whole vectors and rows that are not."""


@pytest.fixture(params=[0, 1, 2], ids=["basic", "avx2", "avx512"], autouse=True)
def _vectors(request: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every kind of vectors that this processor has."""
    if request.param > ["basic", "avx2", "avx512"].index(compiled.VECTORS):
        pytest.skip("no such vectors here")

    class Chosen:
        numbers = compiled.numbers

        @staticmethod
        def factor(*arguments: Any) -> None:
            compiled.factor(*arguments, request.param)

        @staticmethod
        def solve(*arguments: Any) -> None:
            compiled.solve(*arguments, request.param)

        @staticmethod
        def least_squares(*arguments: Any) -> float:
            return compiled.least_squares(*arguments, request.param)

    monkeypatch.setattr(definite, "compiled", Chosen)


def positive(count: int, m: int, condition: float = 1e4) -> tuple[Any, Any]:
    """Matrices of one condition number, with rows and columns of very different lengths, and right-hand sides."""
    rng = np.random.default_rng((count, m))
    Q = np.linalg.qr(rng.standard_normal((count, m, m)))[0]
    scale = 10.0 ** rng.uniform(-6, 6, (count, m))
    N = scale[:, :, None] * ((Q * np.geomspace(1, 1 / condition, m)) @ Q.swapaxes(1, 2)) * scale[:, None, :]
    return (N + N.swapaxes(1, 2)) / 2, rng.standard_normal((count, m)) * scale


def points_last(X: Any) -> Any:
    """The same numbers, those of all matrices side by side in memory."""
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(X, 0, -1)), -1, 0)


def unit(N: Any) -> Any:
    lengths = N.diagonal(0, 1, 2) ** 0.5
    return lengths, N / lengths[:, :, None] / lengths[:, None, :]


@pytest.mark.parametrize("laid_out", [np.ascontiguousarray, points_last], ids=["points first", "points last"])
@pytest.mark.parametrize(("count", "m"), SHAPES)
def test_solution_has_the_error_of_columns_of_length_one(count: int, m: int, laid_out: Any) -> None:
    N, g = positive(count, m)
    R, _ = factored(laid_out(N))
    x = solved(R, laid_out(g))
    lengths, N = unit(N)
    wanted = np.linalg.solve(N, (g / lengths)[..., None])[..., 0]
    assert np.linalg.norm(x * lengths - wanted) <= 1e-15 * 1e4 * max(m, 10) * np.linalg.norm(wanted)


@pytest.mark.parametrize(("count", "m"), SHAPES)
def test_pivots_are_those_of_columns_of_length_one(count: int, m: int) -> None:
    N, _ = positive(count, m)
    _, pivots = factored(N)
    wanted = np.linalg.cholesky(unit(N)[1]).diagonal(0, 1, 2).min(1, initial=1.0)
    np.testing.assert_allclose(pivots, wanted, rtol=1e-10)


@pytest.mark.parametrize("count", [2, 13])
@pytest.mark.parametrize("defect", ["indefinite", "zero", "nan", "inf"])
def test_what_has_no_factor_is_told_apart(count: int, defect: str) -> None:
    N, g = positive(count, 9, condition=10.0)
    good, x = factored(N)[1], solved(factored(N)[0], g)
    N[1] = {"indefinite": np.diag([1.0] * 8 + [-1.0]), "zero": 0.0, "nan": np.nan, "inf": np.inf}[defect]
    R, pivots = factored(N)
    others = np.delete(np.arange(count), 1)
    assert not pivots[1] > 0
    np.testing.assert_array_equal(pivots[others], good[others])
    np.testing.assert_array_equal(solved(R, g)[others], x[others])


@pytest.mark.parametrize("count", [2, 13])
def test_only_the_upper_triangle_is_read(count: int) -> None:
    N, g = positive(count, 9)
    wanted = solved(factored(N)[0], g)
    N[:, *np.tril_indices(9, -1)] = np.nan
    np.testing.assert_array_equal(solved(factored(N)[0], g), wanted)


def test_a_matrix_is_solved_with_twice() -> None:
    N, g = positive(11, 12)
    R, _ = factored(N)
    first, second = solved(R, g), solved(R, 2 * g)
    np.testing.assert_array_equal(2 * first, second)


def test_torch_on_a_cpu_lends_its_memory() -> None:
    torch = pytest.importorskip("torch")
    N, g = positive(6, 5)
    there, right = torch.from_numpy(N), torch.from_numpy(g)
    here = in_memory(there)
    assert here is not None
    assert np.shares_memory(here, N)
    x = solved(factored(here)[0], right)
    assert isinstance(x, torch.Tensor)
    np.testing.assert_array_equal(x.numpy(), solved(factored(N)[0], g))


@pytest.mark.parametrize("dtype", [np.float32, np.complex128])
def test_other_numbers_are_left_to_their_library(dtype: Any) -> None:
    assert in_memory(np.zeros((2, 3, 3), dtype)) is None


@pytest.mark.parametrize(
    "given",
    [
        (np.zeros((2, 3, 4)), np.zeros(18), np.zeros(2)),
        (np.zeros((2, 3, 3)), np.zeros(5), np.zeros(2)),
        (np.zeros((2, 3, 3)), np.zeros(compiled.numbers(2, 3) if compiled else 0), np.zeros(3)),
        (np.zeros((3, 3)), np.zeros(9), np.zeros(1)),
        (np.zeros((2, 3, 3), np.float32), np.zeros(48), np.zeros(2)),
    ],
    ids=["not square", "memory", "pivots", "one matrix", "float32"],
)
def test_arrays_that_do_not_belong_together_are_refused(given: Any) -> None:
    with pytest.raises(ValueError, match=r"belong together|float64"):
        compiled.factor(*given)


def numbers(shape: Any, dtype: Any) -> Any:
    rng = np.random.default_rng(shape)
    return rng.standard_normal(shape) + (1j * rng.standard_normal(shape) if dtype is complex else 0.0)


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize(
    ("m", "E"), [(0, 4), (1, 1), (1, 9), (2, 7), (3, 16), (12, 12), (13, 31), (40, 204), (41, 130)]
)
def test_least_squares_alone(m: int, E: int, dtype: Any) -> None:
    J = numbers((m, E), dtype) * np.geomspace(1, 1e-8, m)[:, None]
    r = numbers((E,), dtype)
    found = least_squares(J, r)
    assert found is not None
    x, pivot = found
    lengths = np.linalg.norm(J, axis=1)
    unit = J / lengths[:, None]
    wanted = np.linalg.lstsq(unit.T, r, rcond=None)[0]
    condition = np.linalg.cond(unit) if m else 1.0
    assert np.linalg.norm(x * lengths - wanted) <= 1e-14 * condition**2 * max(np.linalg.norm(r), 1.0)
    real = np.stack([J.real, -J.imag], 1).reshape(-1, E)
    real = np.concatenate([real, np.stack([J.imag, J.real], 1).reshape(-1, E)], 1) if dtype is complex else J
    np.testing.assert_allclose(pivot, factored((real @ real.T)[None])[1][0], rtol=1e-9)


@pytest.mark.parametrize("dtype", [float, complex])
def test_least_squares_in_any_memory(dtype: Any) -> None:
    J, r = numbers((7, 60), dtype), numbers((60,), dtype)
    wanted = least_squares(np.ascontiguousarray(J[:, ::2]), np.ascontiguousarray(r[::2]))
    found = least_squares(J[:, ::2], r[::2])
    assert wanted is not None
    assert found is not None
    np.testing.assert_array_equal(found[0], wanted[0])
    assert least_squares(J.astype(np.complex64), r) is None
    with pytest.raises(ValueError, match="belong together"):
        compiled.least_squares(np.zeros((3, 8)), np.zeros(7), np.zeros(3))
    with pytest.raises(ValueError, match="belong together"):
        compiled.least_squares(np.zeros((3, 7)), np.zeros(7), np.zeros(6))


@pytest.mark.parametrize("dtype", [float, complex])
def test_dependent_columns_have_no_pivot(dtype: Any) -> None:
    J = numbers((5, 30), dtype)
    J[3] = 2 * J[1]
    found = least_squares(J, numbers((30,), dtype))
    assert found is not None
    assert not found[1] > 1e-6


def test_a_right_hand_side_of_another_size_is_refused() -> None:
    R, _ = factored(positive(2, 3)[0])
    with pytest.raises(ValueError, match="belong together"):
        compiled.solve(R, np.zeros((2, 4)), np.zeros((2, 4)))
