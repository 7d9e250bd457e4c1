"""A(p): what the three families answer, and everything a user's function can do wrong."""

import functools
import multiprocessing
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from neumatc.box import Box
from neumatc.errors import InputError, NonFiniteError
from neumatc.family import Affine, Family, MatrixFamily, Spec, Table, as_family

BOX = Box.of((0.0, 1.0))
SQUARE = Box.of({"k": (0.0, 1.0), "z": (0.0, 2.0)})
POINTS = np.array([[0.0], [0.25], [1.0]])
BASE, SLOPE = np.array([[2.0, 1.0, 0.0], [1.0, 3.0, 1.0]]), np.arange(6.0).reshape(2, 3)


def line(p: float) -> Any:
    return BASE + p * SLOPE


def plane(p: Any) -> Any:
    return BASE + p[0] * SLOPE + 1j * p[1]


def exact_line(points: Any) -> Any:
    return BASE + points[:, :, None] * SLOPE


FAMILIES: dict[str, Callable[[], MatrixFamily]] = {
    "function": lambda: Family(line),
    "vectorized": lambda: Family(lambda p: BASE + p[:, None, None] * SLOPE, vectorized=True),
    "table": lambda: Table(POINTS[:, 0], exact_line(POINTS)),
    "affine": lambda: Affine([BASE, SLOPE], lambda p: [1.0, p]),
}


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


# what a function can do wrong ----------------------------------------------------------------------------------------


def late(good: Any, bad: Any) -> Callable[[float], Any]:
    """Answer well up to p = 0.9 and badly beyond: mistakes hide from a look at the middle."""
    return lambda p: bad if p > 0.9 else good


def spoiled(value: complex) -> Any:
    matrix = np.ones((2, 2), dtype=type(value))
    matrix[1, 0] = value
    return matrix


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, complex(0, np.nan)])
def test_nan_and_inf_are_refused(value: complex) -> None:
    good = np.ones((2, 2), dtype=type(value))
    with pytest.raises(NonFiniteError, match=r"A\(p\) at p = 1 must be finite; 1 of 4.*at index \(1, 0\)\.") as caught:
        Family(late(good, spoiled(value))).at(POINTS, BOX)
    assert "shrink the box" in str(caught.value)


def test_a_vectorized_nan_names_its_point() -> None:
    with pytest.raises(NonFiniteError, match=r"A\(p\) at p = 0\.25 must be finite"), np.errstate(all="ignore"):
        Family(lambda p: np.eye(2) / (p - 0.25)[:, None, None] + np.ones((2, 2)), vectorized=True).at(POINTS, BOX)


WRONG_ANSWERS: list[tuple[Any, str]] = [
    (np.eye(3), r"one shape; it is \(2, 2\) at p = 0 but \(3, 3\) at p = 1\. The function probably builds.*Pad"),
    (
        np.eye(2, dtype=complex),
        r"A\(p\) at p = 1 must keep one dtype .* complex128 here but float64 at p = 0\..*astype",
    ),
    (np.eye(2, dtype=np.float32), r"it is float32 here but float64 at p = 0.*numpy\.float64\)"),
    (np.ones(2), r"A\(p\) at p = 1 must be a matrix; 1 axes came, shape \(2,\)\. A diagonal.*np\.diag"),
    (np.ones((1, 2, 2)), r"must be a matrix; 3 axes came, shape \(1, 2, 2\)\. A function of many.*vectorized=True"),
    (1.0, r"must be a matrix; 0 axes came.*np\.array\(\[\[a\]\]\)"),
    (np.ones((1, 1, 2, 2)), r"must be a matrix; 4 axes came.*Check the shape"),
    (np.empty((0, 2)), r"A\(p\) at p = 1 must have at least one row and one column; shape \(0, 2\) came"),
    (None, r"A\(p\) at p = 1 must be an array of numbers; a NoneType came.*without a return"),
    ([["a", "b"], ["c", "d"]], r"A\(p\) at p = 1 must be an array of numbers; a list came that gives dtype <U1"),
    (np.array([[1, None], [0, 1]]), r"gives dtype object"),
    ([[1.0, 2.0], [3.0]], r"A\(p\) at p = 1 must be an array of numbers; a list came that NumPy cannot convert"),
]


@pytest.mark.parametrize(("bad", "message"), WRONG_ANSWERS)
def test_a_wrong_answer_is_refused_with_its_point(bad: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Family(late(np.eye(2), bad)).at(POINTS, BOX)


@pytest.mark.parametrize(("bad", "message"), WRONG_ANSWERS[:3])
def test_a_change_between_two_calls_is_found_with_the_spec(bad: Any, message: str) -> None:
    family = Family(late(np.eye(2), bad))
    spec = family.inspect(BOX)
    with pytest.raises(InputError, match=message.replace("p = 0", r"p = 0\.5")):
        family.at(POINTS[2:], BOX, spec=spec)


def test_a_sparse_answer_is_refused() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(InputError, match=r"A\(p\) at p = 0 must be dense; a scipy\.sparse csr_array.*\.toarray\(\)"):
        Family(lambda p: sparse.csr_array(np.eye(2) * p)).at(POINTS, BOX)


@pytest.mark.parametrize("error", [ZeroDivisionError("division"), KeyError("k"), StopIteration(), TypeError("float")])
def test_an_error_of_the_function_is_chained(error: Exception) -> None:
    def fails(p: Any) -> Any:
        if p[1] > 1:
            raise error
        return np.eye(2)

    message = rf"A\(p\) at p = \(k=0\.5, z=2\) must be computable; the function raised {type(error).__name__}"
    with pytest.raises(InputError, match=message + r".*an array of shape \(2,\).*shrink the box") as caught:
        Family(fails).at(np.array([[0.5, 0.0], [0.5, 2.0]]), SQUARE)
    assert caught.value.__cause__ is error


def test_a_keyboard_interrupt_passes() -> None:
    def interrupted(_: float) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Family(interrupted).at(POINTS, BOX)


def test_a_vectorized_error_is_chained() -> None:
    with pytest.raises(InputError, match=r"A\(p\) at 3 points, the first p = 0, must be computable.*IndexError"):
        Family(lambda p: p[7], vectorized=True).at(POINTS, BOX)


@pytest.mark.parametrize("shape", [(2, 2), (2, 2, 2), (2, 2, 3), (3, 1, 2, 2), (3,)])
def test_vectorized_answers_must_put_the_batch_first(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"must answer 3 points with shape \(3, n1, n2\); shape .*vectorized=True out"):
        Family(lambda _: np.ones(shape), vectorized=True).at(POINTS, BOX)


def test_vectorized_answers_must_agree_with_the_spec() -> None:
    family = Family(lambda p: np.ones((len(p), 2, 2 if len(p) == 1 else 3)), vectorized=True)
    with pytest.raises(InputError, match=r"\(2, 2\) at p = 0\.5 but \(2, 3\) at p = 0"):
        family.at(POINTS, BOX, spec=family.inspect(BOX))


def unsteady(answers: list[Any]) -> Callable[[float], Any]:
    remaining = iter(answers)
    return lambda _: next(remaining)


@pytest.mark.parametrize("vectorized", [False, True])
def test_a_function_that_answers_differently_twice_is_refused(vectorized: bool) -> None:
    draw = random.Random(0)
    lead = (1,) if vectorized else ()
    family = Family(lambda _: np.full((*lead, 2, 2), draw.random()), vectorized)
    with pytest.raises(
        InputError, match=r"A\(p\) at p = 0\.5 must be the same.*answers differently twice.*relative\. It"
    ):
        family.inspect(BOX)


@pytest.mark.parametrize(
    ("second", "came"),
    [
        (np.eye(2) * (1 + 1e-11), r"differ by 1\.0e-11 relative"),
        (-np.eye(2) * 1.7e308, r"differ by .* relative"),
        (np.eye(3), r"differ in shape or dtype"),
        (np.eye(2, dtype=np.float32), r"differ in shape or dtype"),
    ],
)
def test_differences_between_two_answers(second: Any, came: str) -> None:
    with pytest.raises(InputError, match=came):
        Family(unsteady([np.eye(2), second])).inspect(BOX)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (np.eye(2), np.eye(2) * (1 + 1e-13)),
        (np.eye(2, dtype=np.float32), np.eye(2, dtype=np.float32) * np.float32(1 + 1e-6)),
        (np.zeros((2, 2)), np.zeros((2, 2))),
        (np.eye(2) * 1.7e308, np.eye(2) * 1.7e308),
    ],
)
def test_rounding_between_two_answers_is_allowed(first: Any, second: Any) -> None:
    assert Family(unsteady([first, second])).inspect(BOX).shape == (2, 2)


def test_zero_first_and_something_then_is_a_difference() -> None:
    with pytest.raises(InputError, match=r"answers differently twice"):
        Family(unsteady([np.zeros((2, 2)), np.eye(2)])).inspect(BOX)


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


# Table ---------------------------------------------------------------------------------------------------------------


def grid() -> Any:
    return np.stack(np.meshgrid([0.0, 0.5, 1.0], [0.0, 2.0], indexing="ij"), axis=-1).reshape(-1, 2)


def test_a_table_over_a_grid_finds_every_entry_in_any_order() -> None:
    values = np.arange(24.0).reshape(6, 2, 2)
    order = np.array([3, 1, 5, 0, 4, 2, 3])
    np.testing.assert_array_equal(Table(grid(), values).at(grid()[order], SQUARE), values[order])


def test_a_table_forgives_rounding_only() -> None:
    table = FAMILIES["table"]()
    np.testing.assert_array_equal(table.at(POINTS + np.array([[5e-13], [-5e-13], [0.0]]), BOX), exact_line(POINTS))
    with pytest.raises(
        InputError, match=r"tabulated at 3 points only; p = 0\.3 is not among them, the nearest is p = 0"
    ):
        table.at(np.array([[0.3]]), BOX)
    with pytest.raises(InputError, match=r"is not among them.*Ask at a tabulated point, or give A as a callable"):
        table.at(np.array([[0.25 + 3e-12]]), BOX)


def test_a_table_names_the_parameters() -> None:
    with pytest.raises(
        InputError, match=r"p = \(k=0\.5, z=1\.9\) is not among them, the nearest is p = \(k=0\.5, z=2\)"
    ):
        Table(grid(), np.ones((6, 2, 2))).at(np.array([[0.5, 1.9]]), SQUARE)


def test_a_table_copies_what_it_is_given() -> None:
    points, values = POINTS[:, 0].copy(), exact_line(POINTS)
    table = Table(points, values)
    points[:], values[:] = 9.0, 9.0
    np.testing.assert_array_equal(table.at(POINTS, BOX), exact_line(POINTS))
    assert not table.values.flags.writeable
    assert table.tabulated
    assert table.points.shape == (3, 1)


WRONG_TABLES: list[tuple[Any, Any, str]] = [
    ([0.0, 1.0, 0.0], np.ones((3, 2, 2)), r"must occur once; \[0\.0\] occurs 2 times, in rows \[0, 2\].*Average them"),
    ([0.0, 1.0, -0.0], np.ones((3, 2, 2)), r"\[0\.0\] occurs 2 times"),
    ([[0, 1], [0, 1]], np.ones((2, 2, 2)), r"\[0\.0, 1\.0\] occurs 2 times, in rows \[0, 1\]"),
    ([0.0, 1.0], np.ones((3, 2, 2)), r"equally many; 2 points, 3 values came\. A row was.*Put the points first"),
    ([0.0, np.nan], np.ones((2, 2, 2)), r"points must be finite; 1 of 2"),
    ([0.0, 1j], np.ones((2, 2, 2)), r"points must be real numbers of shape \(m,\) or \(m, D\)"),
    (np.zeros((2, 2, 1)), np.ones((2, 2, 2)), r"points must be real.*shape \(2, 2, 1\).*Flatten it"),
    ([], np.ones((0, 2, 2)), r"points must be real numbers.*m > 0; shape \(0,\)"),
    (0.5, np.ones((1, 2, 2)), r"points must be real numbers.*shape \(\)"),
    ([0.0, 1.0], np.ones((2, 2)), r"values must have shape \(m, n1, n2\).*shape \(2, 2\) came.*np\.stack"),
    ([0.0, 1.0], np.ones((2, 0, 2)), r"at least one row and one column; shape \(2, 0, 2\)"),
    ([0.0, 1.0], [np.eye(2), spoiled(np.nan)], r"values\[1\], the matrix at p = \[1\.0\], must be finite; 1 of 4"),
    ([0.0, 1.0], [np.eye(2), np.eye(3)], r"values must be an array of numbers"),
    (["a", "b"], np.ones((2, 2, 2)), r"points must be an array of numbers"),
]


@pytest.mark.parametrize(("points", "values", "message"), WRONG_TABLES)
def test_a_wrong_table_is_refused(points: Any, values: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Table(points, values)


def test_a_table_must_fit_the_box() -> None:
    table = FAMILIES["table"]()
    for ask in (lambda: table.inspect(SQUARE), lambda: table.at(np.zeros((1, 2)), SQUARE)):
        with pytest.raises(InputError, match=r"as many parameters as the box; the table has 1, the box .* has 2\."):
            ask()


# Affine --------------------------------------------------------------------------------------------------------------


def test_affine_offers_its_parts() -> None:
    family = Affine(np.stack([BASE, SLOPE]), lambda p: np.array([1.0, p[0] * p[1]]))
    points = np.array([[0.5, 1.0], [1.0, 2.0]])
    theta = family.theta(points, SQUARE)
    np.testing.assert_array_equal(theta, [[1.0, 0.5], [1.0, 2.0]])
    assert family.matrices.shape == (2, 2, 3)
    np.testing.assert_allclose(family.at(points, SQUARE), np.einsum("bq,qij->bij", theta, family.matrices), rtol=1e-15)
    assert family.theta(points[:0], SQUARE).shape == (0, 2)


@pytest.mark.parametrize("matrices", [np.float32, np.float64, np.complex64, np.complex128, int])
@pytest.mark.parametrize("theta", [float, complex, np.float32])
def test_affine_precision_is_that_of_the_matrices(matrices: Any, theta: Any) -> None:
    family = Affine(np.ones((1, 2, 2), matrices), lambda p: np.array([p], theta))
    working = np.float64 if matrices is int else matrices
    expected = np.result_type(working, np.complex64) if theta is complex else working
    assert family.at(POINTS, BOX).dtype == expected
    assert family.inspect(BOX).dtype == expected
    assert family.at(POINTS[:0], BOX).dtype == expected


def test_affine_copies_its_matrices() -> None:
    matrices = np.ones((1, 2, 2))
    family = Affine(matrices, lambda p: [p])
    matrices[:] = 5.0
    np.testing.assert_array_equal(family.at(POINTS[2:], BOX), np.ones((1, 2, 2)))
    assert not family.matrices.flags.writeable


WRONG_COEFFICIENTS: list[tuple[Any, str]] = [
    ([1.0], r"the coefficients θ\(p\) at p = 1 must be 2 numbers, one for each matrix; 1 came\. A term.*Return one"),
    ([1.0, np.inf], r"the coefficients θ\(p\) at p = 1 must be finite; 1 of 2"),
    (1.0, r"the coefficients θ\(p\) at p = 1 must be a vector; 0 axes came.*Return a list"),
    ([[1.0, 2.0]], r"the coefficients θ\(p\) at p = 1 must be a vector; 2 axes came"),
    ([1.0, 1j], r"the coefficients θ\(p\) at p = 1 must keep one dtype .* complex128 here but float64 at p = 0\."),
    ([1.0, "x"], r"the coefficients θ\(p\) at p = 1 must be an array of numbers"),
    ([], r"the coefficients θ\(p\) at p = 1 must have at least one|must be 2 numbers"),
]


@pytest.mark.parametrize(("bad", "message"), WRONG_COEFFICIENTS)
def test_wrong_coefficients_are_refused(bad: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Affine([BASE, SLOPE], late([1.0, 2.0], bad)).at(POINTS, BOX)


def test_coefficients_that_raise_are_chained() -> None:
    with pytest.raises(InputError, match=r"θ\(p\) at p = 0 must be computable; .* ZeroDivisionError") as caught:
        Affine([BASE], lambda p: [1.0 / p]).at(POINTS, BOX)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_coefficients_that_answer_differently_twice_are_refused() -> None:
    with pytest.raises(InputError, match=r"θ\(p\) at p = 0\.5 must be the same.*answers differently twice"):
        Affine([BASE], unsteady([[1.0], [2.0]])).inspect(BOX)


def test_an_overflow_of_the_sum_names_its_point() -> None:
    with pytest.raises(NonFiniteError, match=r"A\(p\) at p = 0\.25 must be finite"):
        Affine(np.full((1, 2, 2), 1e300), lambda p: [1e10 * p]).at(POINTS, BOX)


def test_affine_agrees_with_the_spec() -> None:
    family = Affine([BASE], lambda p: [1.0] if p < 0.9 else [1.0j])
    with pytest.raises(
        InputError, match=r"A\(p\) at p = 1 must keep one dtype .* complex128 here but float64 at p = 0\.5"
    ):
        family.at(POINTS[2:], BOX, spec=family.inspect(BOX))


WRONG_MATRICES: list[tuple[Any, str]] = [
    ([np.eye(2), np.eye(3)], r"must have one shape; matrices\[0\] has \(2, 2\), matrices\[1\] has \(3, 3\).*Pad them"),
    (np.eye(2), r"must have shape \(Q, n1, n2\); shape \(2, 2\) came.*into a list"),
    ([], r"must have shape \(Q, n1, n2\); shape \(0,\) came"),
    ([np.eye(2), spoiled(np.nan)], r"matrices must be finite; 1 of 8 .* at index \(1, 1, 0\)"),
    (np.empty((0, 2, 2)), r"matrices must have at least one row"),
    (["a", "b"], r"matrices\[0\] must be an array of numbers"),
]


@pytest.mark.parametrize(("matrices", "message"), WRONG_MATRICES)
def test_wrong_matrices_are_refused(matrices: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Affine(matrices, lambda _: [1.0, 2.0])


def test_coefficients_must_be_callable() -> None:
    with pytest.raises(InputError, match=r"the coefficients of an Affine must be a function of p; a list came"):
        Affine([BASE], [1.0])  # type: ignore[arg-type]


def test_a_spec_is_a_value() -> None:
    assert Spec((2, 2), np.dtype(float)) == Spec((2, 2), np.dtype(float), "numpy", "an earlier p")


def test_answers_come_in_the_order_of_the_points() -> None:
    class Backwards:
        """An executor that computes the last point first."""

        def map(self, fn: Callable[..., Any], /, *iterables: Any) -> Iterator[Any]:
            return iter([fn(*each) for each in reversed(list(zip(*iterables, strict=True)))][::-1])

    np.testing.assert_array_equal(Family(line).at(POINTS, BOX, Backwards()), exact_line(POINTS))
