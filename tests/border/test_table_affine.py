"""A(p) from a table, and as a sum of constant matrices."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from tests.border.families import BASE, BOX, FAMILIES, POINTS, SLOPE, SQUARE, exact_line, late, line, spoiled, unsteady

from neumatc.box import Box
from neumatc.errors import InputError, NonFiniteError
from neumatc.family import Affine, Family, Spec, Table

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


def test_each_coefficient_is_asked_for_once() -> None:
    asked: list[float] = []
    family = Affine(np.ones((2, 3, 3)), lambda p: (asked.append(p), [1.0, p])[1])
    points = np.linspace(0, 1, 7)[:, None]
    np.testing.assert_array_equal(family.theta(points, Box.of((0, 1)))[:, 1], points[:, 0])
    assert asked == points[:, 0].tolist()


def test_coefficients_may_use_their_memory_again() -> None:
    memory = np.ones(2)

    def theta(p: float) -> Any:
        memory[1] = p
        return memory

    points = np.linspace(0, 1, 7)[:, None]
    found = Affine(np.ones((2, 3, 3)), theta).theta(points, Box.of((0, 1)))
    np.testing.assert_array_equal(found[:, 1], points[:, 0])


@pytest.mark.parametrize("answer", [lambda p: [1, 2], lambda p: np.float32([1, p]), lambda p: [1.0, 1j * p]])
def test_coefficients_of_other_types_are_what_they_were(answer: Any) -> None:
    points = np.array([[1.0], [2.0]])
    found = Affine(np.ones((2, 3, 3)), answer).theta(points, Box.of((1, 2)))
    np.testing.assert_array_equal(found, [answer(1.0), answer(2.0)])
    assert np.iscomplexobj(found) == np.iscomplexobj(answer(1.0))


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
