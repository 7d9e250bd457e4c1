"""A(p): what the three families answer."""

import functools
import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from tests.border.families import (
    BASE,
    BOX,
    FAMILIES,
    POINTS,
    SLOPE,
    SQUARE,
    exact_line,
    line,
    plane,
)

from neumatc.errors import InputError
from neumatc.family import Affine, Family, MatrixFamily, Table, as_family

# what all families share ---------------------------------------------------------------------------------------------


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> MatrixFamily:
    return FAMILIES[request.param]()


def test_answers_are_the_matrices(family: MatrixFamily) -> None:
    matrices = family.at(POINTS, BOX)
    np.testing.assert_allclose(matrices, exact_line(POINTS), rtol=1e-15)
    assert matrices.dtype == np.float64
    assert matrices.flags.c_contiguous
    assert matrices.flags.writeable


def test_one_point_and_none(family: MatrixFamily) -> None:
    np.testing.assert_allclose(family.at(POINTS[1:2], BOX), exact_line(POINTS[1:2]), rtol=1e-15)
    assert family.at(POINTS[:0], BOX).shape == (0, 2, 3)
    assert family.at(POINTS[:0], BOX, spec=family.inspect(BOX)).dtype == np.float64


def test_inspect(family: MatrixFamily) -> None:
    spec = family.inspect(BOX)
    assert spec.shape == (2, 3)
    assert spec.dtype == np.float64
    assert spec.returns == "numpy"
    assert spec.where == ("p = 0" if family.tabulated else "p = 0.5")


def test_an_executor_gives_the_same(family: MatrixFamily) -> None:
    with ThreadPoolExecutor(2) as executor:
        np.testing.assert_array_equal(family.at(POINTS, BOX, executor), family.at(POINTS, BOX))


def test_answers_are_never_views(family: MatrixFamily) -> None:
    family.at(POINTS, BOX)[:] = 7.0
    np.testing.assert_allclose(family.at(POINTS, BOX), exact_line(POINTS), rtol=1e-15)


@pytest.mark.parametrize("points", [np.zeros(3), np.zeros((3, 2)), np.zeros((1, 3, 1))])
def test_points_must_be_rows(family: MatrixFamily, points: Any) -> None:
    with pytest.raises(InputError, match=r"points must have shape \(B, 1\) for the box \[0, 1\].*box\.points"):
        family.at(points, BOX)


# Family --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
def test_dtypes_of_lapack_stay(dtype: Any) -> None:
    family = Family(lambda p: (p * np.ones((2, 2))).astype(dtype))
    assert family.inspect(BOX).dtype == dtype
    assert family.at(POINTS, BOX).dtype == dtype


@pytest.mark.parametrize(
    ("dtype", "becomes"),
    [(int, np.float64), (bool, np.float64), (np.float16, np.float32), (np.longdouble, np.float64), (">f8", "=f8")],
)
def test_other_dtypes_are_made_fit(dtype: Any, becomes: Any) -> None:
    assert Family(lambda _: np.eye(2, dtype=dtype)).at(POINTS, BOX).dtype == becomes


def test_integers_at_one_point_and_floats_at_another_are_one_dtype() -> None:
    assert Family(lambda p: [[1, 0], [0, 1]] if p == 0 else [[p, 0.0], [0.0, 1.0]]).at(POINTS, BOX).dtype == np.float64


def test_one_parameter_comes_as_a_float_and_several_as_an_array() -> None:
    seen: list[Any] = []

    def recorded(p: Any) -> Any:
        seen.append(p)
        return np.eye(2)

    Family(recorded).at(POINTS, BOX)
    Family(recorded).at(np.array([[0.5, 1.5]]), SQUARE)
    assert [type(p) for p in seen] == [float, float, float, np.ndarray]
    assert seen[-1].shape == (2,)


def test_several_parameters() -> None:
    matrices = Family(plane).at(np.array([[0.5, 1.5], [1.0, 0.0]]), SQUARE)
    np.testing.assert_array_equal(matrices, [BASE + 0.5 * SLOPE + 1.5j, BASE + SLOPE])


def test_a_function_may_reuse_its_buffer_and_change_its_argument() -> None:
    buffer = np.empty((2, 3))

    def careless(p: Any) -> Any:
        np.multiply(p[0], SLOPE, out=buffer)
        p[:] = 9.0
        return buffer

    points = np.array([[0.25, 0.0], [0.5, 0.0]])
    matrices = Family(careless).at(points, SQUARE)
    np.testing.assert_array_equal(matrices, [0.25 * SLOPE, 0.5 * SLOPE])
    np.testing.assert_array_equal(points, [[0.25, 0.0], [0.5, 0.0]])


def test_vectorized_buffers_and_arguments_are_safe_too() -> None:
    buffer = np.empty((3, 2, 3))

    def careless(p: Any) -> Any:
        np.multiply(p[:, None, None], SLOPE, out=buffer)
        p[:] = 9.0
        return buffer

    points = POINTS.copy()
    first = Family(careless, vectorized=True).at(points, BOX)
    buffer[:] = 0.0
    np.testing.assert_array_equal(first, POINTS[:, :, None] * SLOPE)
    np.testing.assert_array_equal(points, POINTS)


def test_vectorized_gets_all_points_at_once() -> None:
    shapes: list[tuple[int, ...]] = []

    def recorded(p: Any) -> Any:
        shapes.append(p.shape)
        return np.broadcast_to(np.eye(2), (len(p), 2, 2))

    Family(recorded, vectorized=True).at(POINTS, BOX)
    Family(recorded, vectorized=True).at(np.zeros((4, 2)), SQUARE)
    assert shapes == [(3,), (4, 2)]


def test_tensors_are_answers_too() -> None:
    torch = pytest.importorskip("torch")
    family = Family(lambda p: torch.eye(2, dtype=torch.complex64) * p)
    assert family.inspect(BOX).returns == "torch"
    np.testing.assert_array_equal(family.at(POINTS, BOX), (POINTS[:, :, None] * np.eye(2)).astype(np.complex64))
    batched = Family(lambda p: torch.from_numpy(p)[:, None, None] * torch.eye(2, dtype=torch.float64), vectorized=True)
    assert batched.inspect(BOX).returns == "torch"
    assert Table([0.0], torch.ones(1, 2, 2)).inspect(BOX).returns == "torch"
    assert Affine([torch.eye(2), torch.eye(2)], lambda p: [1, p]).inspect(BOX).returns == "torch"


def processes() -> ProcessPoolExecutor:
    # Forking a process that runs threads (BLAS, torch) may hang; a spawned one starts clean.
    return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))


def test_a_process_pool_takes_functions_of_a_module() -> None:
    with processes() as executor:
        matrices = Family(functools.partial(np.multiply, SLOPE)).at(POINTS, BOX, executor)
    np.testing.assert_array_equal(matrices, POINTS[:, :, None] * SLOPE)


def test_a_function_that_cannot_travel_is_explained() -> None:
    with (
        processes() as executor,
        pytest.raises(InputError, match=r"executor must run A\(p\) at 3 points.*lambda.*top of a module") as caught,
    ):
        Family(lambda p: p * SLOPE).at(POINTS, BOX, executor)
    assert caught.value.__cause__ is not None


def test_an_error_in_a_worker_names_its_point() -> None:
    def fails(p: float) -> Any:
        return SLOPE / (p if p else None)  # type: ignore[operator]

    with ThreadPoolExecutor(2) as executor, pytest.raises(InputError, match=r"A\(p\) at p = 0 must be computable"):
        Family(fails).at(POINTS, BOX, executor)


# as_family -----------------------------------------------------------------------------------------------------------


def test_callables_are_wrapped_and_families_stay(family: MatrixFamily) -> None:
    assert as_family(line) == Family(line)
    assert as_family(family) is family


NOT_FAMILIES: list[tuple[Any, str]] = [
    (np.eye(2), r"a ndarray of shape \(2, 2\) came\. The matrices were.*nmc\.Table\(points, values\)"),
    (np.ones((5, 2, 2)), r"a ndarray of shape \(5, 2, 2\) came.*or pass a callable"),
    ([[1.0, 0.0], [0.0, 1.0]], r"a list came"),
    (None, r"a NoneType came"),
]


@pytest.mark.parametrize(("matrix", "message"), NOT_FAMILIES)
def test_a_plain_array_is_not_a_family(matrix: Any, message: str) -> None:
    with pytest.raises(InputError, match=r"A must be a function of p, an nmc\.Table or an nmc\.Affine; " + message):
        as_family(matrix)


def test_a_tensor_is_not_a_family() -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(InputError, match=r"a Tensor of shape \(2, 2\) came"):
        as_family(torch.eye(2))


def test_a_family_needs_a_function() -> None:
    with pytest.raises(InputError, match=r"the function of a Family must be a function of p; a ndarray came.*without"):
        Family(np.eye(2))  # type: ignore[arg-type]


# what a function keeps, and what it gives away ----------------------------------------------------------------------


def test_only_an_array_that_nobody_else_holds_is_taken_without_a_copy() -> None:
    kept = SLOPE.copy()

    def buffered(p: float) -> np.ndarray:
        kept[...] = p * SLOPE
        return kept

    def viewed(p: float) -> np.ndarray:
        kept[...] = p * SLOPE
        return kept[:, :]

    for function in (buffered, viewed, lambda p: p * SLOPE):
        one, other = (Family(function).at(POINTS[i : i + 1], BOX) for i in (0, 1))
        np.testing.assert_array_equal(one[0], POINTS[0, 0] * SLOPE)
        np.testing.assert_array_equal(other[0], POINTS[1, 0] * SLOPE)
        assert not np.shares_memory(one, kept)


def test_an_array_of_its_own_is_not_copied() -> None:
    made = []

    def function(p: float) -> np.ndarray:
        matrix = p * SLOPE
        made.append(matrix.__array_interface__["data"][0])
        return matrix

    matrix = Family(function).at(POINTS[:1], BOX)
    assert matrix.__array_interface__["data"][0] == made[-1]
