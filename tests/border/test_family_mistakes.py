"""A(p): everything that a user's function can do wrong."""

import random
from typing import Any

import numpy as np
import pytest
from tests.border.families import BOX, POINTS, SQUARE, late, spoiled, unsteady

from neumatc.errors import InputError, NonFiniteError
from neumatc.family import Family


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
