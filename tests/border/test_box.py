"""The box: how it is written, how it maps to the cube, and what it refuses."""

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from neumatc.box import Box
from neumatc.errors import InputError, OutsideBoxError

EPS = np.finfo(float).eps
ENDS = st.floats(-1e150, 1e150)


# writing a box -------------------------------------------------------------------------------------------------------

WRITTEN: list[tuple[Any, Box]] = [
    ((0, 1), Box((0.0,), (1.0,))),
    ([0.0, 1.0], Box((0.0,), (1.0,))),
    ([(0.0, 1.0)], Box((0.0,), (1.0,))),
    (np.array([[0, 1], [2, 3]]), Box((0.0, 2.0), (1.0, 3.0))),
    (((0, 1), (2, 3)), Box((0.0, 2.0), (1.0, 3.0))),
    ({"k": (0, 1)}, Box((0.0,), (1.0,), ("k",))),
    ({"z": (0, 1), "k": [2, 3]}, Box((0.0, 2.0), (1.0, 3.0), ("z", "k"))),
]


@pytest.mark.parametrize(("written", "box"), WRITTEN)
def test_every_way_to_write_a_box(written: Any, box: Box) -> None:
    assert Box.of(written) == box
    assert Box.of(box) is box


def test_a_box_is_a_value() -> None:
    box = Box.of({"k": (0, 1)})
    box.to_unit(np.array([[0.5]]))
    assert hash(box) == hash(Box.of({"k": (0, 1)}))
    assert pickle.loads(pickle.dumps(box)) == box
    assert str(box) == "k in [0, 1]"
    assert str(Box.of([(0, 1), (-0.5, 2)])) == "[0, 1] x [-0.5, 2]"


REFUSED: list[tuple[Any, str]] = [
    ((1, 1), r"box must have lo < hi; \(1, 1\) came, which is empty\. A parameter that is fixed.*Put its value"),
    ((1, 0), r"box must have lo < hi; \(1, 0\) came, which is reversed\. The ends.*Write \(0, 1\)\."),
    ([(0, 1), (3, 2)], r"box\[1\] must have lo < hi; \(3, 2\) came, which is reversed"),
    ({"k": (0, 1), "z": (2, 2)}, r"box\['z'\] must have lo < hi; \(2, 2\) came, which is empty"),
    ((0, np.inf), r"two finite numbers \(lo, hi\).*\(0, inf\) came\. An unbounded.*Choose finite ends"),
    ((np.nan, 1), r"\(nan, 1\) came"),
    ((-1.7e308, 1.7e308), r"of finite distance"),
    ((0, 1, 2), r"box must be a pair.*numbers of shape \(3,\) came\. A missing or an extra pair.*Write box="),
    ([(0, 1, 2)], r"numbers of shape \(1, 3\) came"),
    ([[(0, 1)]], r"numbers of shape \(1, 1, 2\) came"),
    (1.0, r"numbers of shape \(\) came"),
    ([], r"numbers of shape \(0,\) came"),
    ({}, r"lower ends of shape \(0,\)"),
    ({"k": (0, 1, 2)}, r"box\['k'\] of shape \(3,\) came"),
    ({"k": 1.0}, r"box\['k'\] of shape \(\) came"),
    ([(0, 1), (2,)], r"box must be an array of numbers; a list came that NumPy cannot convert"),
    ("0,1", r"box must be an array of numbers; a str came"),
    (None, r"box must be an array of numbers; a NoneType came"),
    ((0, 1j), r"box must be real; dtype complex128 came\..*Pass its \.real"),
    ({1: (0, 1)}, r"names must be 1 different texts"),
]


@pytest.mark.parametrize(("written", "message"), REFUSED)
def test_a_wrong_box_says_why(written: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Box.of(written)


@pytest.mark.parametrize("names", [("k",), ("k", "k"), "kz", ("k", 2)])
def test_wrong_names_are_refused(names: Any) -> None:
    with pytest.raises(InputError, match=r"names must be 2 different texts.*Name each parameter once"):
        Box((0.0, 0.0), (1.0, 1.0), names)


def test_unequal_ends_are_refused() -> None:
    with pytest.raises(InputError, match=r"lower ends of shape \(2,\) and upper ends of shape \(1,\)"):
        Box((0.0, 0.0), (1.0,))


# the map -------------------------------------------------------------------------------------------------------------


@given(ENDS, ENDS, st.floats(-1.0, 1.0))
def test_the_map_stays_inside_and_is_undone(first: float, second: float, x: float) -> None:
    lo, hi = sorted((first, second))
    assume(lo < hi)
    box = Box.of((lo, hi))
    np.testing.assert_array_equal(box.to_unit(np.array([[lo], [hi]])), [[-1.0], [1.0]])
    np.testing.assert_array_equal(box.from_unit(np.array([[-1.0], [1.0]])), [[lo], [hi]])
    p = box.from_unit(np.array([[x]]))
    assert lo <= p[0, 0] <= hi
    back = box.to_unit(p)[0, 0]
    assert -1.0 <= back <= 1.0
    # p itself is rounded to its own last place, and that is all that may be lost.
    assert abs(back - x) <= 8 * EPS * (1 + max(abs(lo), abs(hi)) / (hi - lo))


def test_the_map_takes_any_batch_and_each_axis_apart() -> None:
    box = Box.of([(0, 2), (10, 30)])
    p = np.array([[[0.0, 10.0], [1.0, 20.0]], [[2.0, 30.0], [0.5, 25.0]]])
    np.testing.assert_array_equal(box.to_unit(p), [[[-1, -1], [0, 0]], [[1, 1], [-0.5, 0.5]]])
    np.testing.assert_array_equal(box.from_unit(box.to_unit(p)), p)
    np.testing.assert_array_equal(box.middle, [[1.0, 20.0]])
    np.testing.assert_array_equal(box.width, [2.0, 20.0])


def test_random_points_fill_the_box_and_repeat_with_the_seed() -> None:
    box = Box.of([(0, 1), (5, 6)])
    points = box.random(500, np.random.default_rng(1))
    assert points.shape == (500, 2)
    assert box.points(points)[1] == (500,)
    np.testing.assert_allclose(points.mean(axis=0), [0.5, 5.5], atol=0.05)
    np.testing.assert_array_equal(points, box.random(500, np.random.default_rng(1)))


# points of a caller --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dimension", "shape", "batch_shape"),
    [
        (1, (), ()),
        (1, (4,), (4,)),
        (1, (4, 1), (4, 1)),
        (1, (2, 3), (2, 3)),
        (1, (0,), (0,)),
        (2, (2,), ()),
        (2, (5, 2), (5,)),
        (2, (3, 4, 2), (3, 4)),
        (2, (0, 2), (0,)),
    ],
)
def test_shapes_of_p(dimension: int, shape: tuple[int, ...], batch_shape: tuple[int, ...]) -> None:
    box = Box.of([(0, 1)] * dimension)
    points, found = box.points(np.full(shape, 0.5))
    assert found == batch_shape
    assert points.shape == (int(np.prod(batch_shape)), dimension)
    assert points.dtype == np.float64


@pytest.mark.parametrize("p", [0.5, np.float32(0.5), 1, True, [0.25, 0.5], np.array([0, 1]), np.float64(0.25)])
def test_numbers_of_every_kind_are_points(p: Any) -> None:
    points, batch_shape = Box.of((0, 1)).points(p)
    np.testing.assert_array_equal(points.reshape(batch_shape), np.asarray(p, float))


def test_a_tensor_is_a_point() -> None:
    torch = pytest.importorskip("torch")
    points, batch_shape = Box.of([(0, 1), (0, 1)]).points(torch.tensor([[0.25, 0.5]], dtype=torch.float32))
    np.testing.assert_array_equal(points, [[0.25, 0.5]])
    assert batch_shape == (1,)


@pytest.mark.parametrize("shape", [(), (3,), (2, 1), (2, 3)])
def test_a_last_axis_of_the_wrong_length_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"p must have shape \(\.\.\., 2\) for the box \[0, 1\] x \[0, 1\].*np\.stack"):
        Box.of([(0, 1), (0, 1)]).points(np.full(shape, 0.5))


@pytest.mark.parametrize(
    ("p", "message"),
    [(0.5j, r"p must be real; dtype complex128 came"), ("0.5", r"p must be an array of numbers; a str came")],
)
def test_p_must_be_real_numbers(p: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Box.of((0, 1)).points(p)


@pytest.mark.parametrize(
    ("p", "message"),
    [
        (1.5, r"p must lie in the box \[0, 1\]; p = 1\.5 lies outside\. The fit was.*Ask inside the box"),
        (-1e-9, r"p = -1e-09 lies outside"),
        (np.nan, r"p = nan lies outside\. NaN usually comes from.*Ask inside"),
        (np.inf, r"p = inf lies outside"),
        ([0.1, 1.5, 0.2, -3.0], r"2 of 4 points lie outside, the first is p = 1\.5 at index \(1,\)"),
        ([[0.1, 0.2], [0.3, np.nan]], r"1 of 4 points lie outside, the first is p = nan at index \(1, 1\)"),
    ],
)
def test_outside_the_box_is_refused(p: Any, message: str) -> None:
    with pytest.raises(OutsideBoxError, match=message):
        Box.of((0, 1)).points(p)


def test_outside_names_the_parameters() -> None:
    box = Box.of({"k": (0, 1), "z": (0, 1)})
    with pytest.raises(OutsideBoxError, match=r"box k in \[0, 1\], z in \[0, 1\]; p = \(k=0\.5, z=2\) lies outside"):
        box.points([0.5, 2])
    with pytest.raises(OutsideBoxError, match=r"1 of 2 points lie outside, the first is p = \(k=-1, z=0\) at index"):
        box.points([[0.5, 0.5], [-1, 0]])


@pytest.mark.parametrize("ulps", [1, 4])
def test_overshoot_by_rounding_is_clipped(ulps: int) -> None:
    points, _ = Box.of((0, 1)).points([1 + ulps * EPS, -ulps * EPS])
    np.testing.assert_array_equal(points, [[1.0], [0.0]])


def test_more_than_rounding_is_outside() -> None:
    with pytest.raises(OutsideBoxError, match=r"p = 1\.00000000000000\d+ lies outside"):
        Box.of((0, 1)).points(1 + 6 * EPS)


def test_slack_is_relative_to_large_numbers() -> None:
    points, _ = Box.of((2.4e9, 2.5e9)).points(np.nextafter(2.5e9, np.inf))
    assert points[0, 0] == 2.5e9


def test_clipping_leaves_the_callers_array_alone() -> None:
    p = np.array([0.5, 1 + EPS])
    Box.of((0, 1)).points(p)
    assert p[1] == 1 + EPS


# what the function and the reader get --------------------------------------------------------------------------------


def test_one_parameter_is_given_as_a_float() -> None:
    p = Box.of((0, 1)).scalar(np.array([0.25]))
    assert type(p) is float
    assert p == 0.25


def test_several_parameters_are_given_as_a_fresh_array() -> None:
    row = np.array([0.25, 0.5])
    p = Box.of([(0, 1), (0, 1)]).scalar(row)
    assert isinstance(p, np.ndarray)
    p[0] = 9.0
    np.testing.assert_array_equal(row, [0.25, 0.5])


@pytest.mark.parametrize(
    ("box", "row", "text"),
    [
        ((0, 1), [0.731], "p = 0.731"),
        ((0, 1), [1 / 3], "p = 0.3333333333333333"),
        ([(0, 1), (0, 3)], [0.1, 2], "p = (0.1, 2)"),
        ({"k": (0, 1), "z": (0, 3)}, [0.1, 2], "p = (k=0.1, z=2)"),
        ({"k": (0, 1)}, [1e-7], "p = (k=1e-07)"),
    ],
)
def test_describe(box: Any, row: list[float], text: str) -> None:
    assert Box.of(box).describe(row) == text


def test_the_end_of_a_box_in_single_precision_is_inside():
    points, _ = Box.of((0.0, 0.1)).points(np.linspace(0, 0.1, 5, dtype=np.float32))
    assert points.max() == 0.1
    with pytest.raises(OutsideBoxError):
        Box.of((0.0, 0.1)).points(np.array([0.1001], dtype=np.float32))
