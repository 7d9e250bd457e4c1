"""The short way of one float into the cube is the long way, bit for bit."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neumatc.axis import Axis
from neumatc.box import Box
from neumatc.errors import OutsideBoxError
from neumatc.query import unit_points

ENDS = [(0.0, 1.0), (-3.7, 11.2), (1e-9, 2e-9), (-1e300, 1e300)]


@given(st.sampled_from(ENDS), st.floats(0, 1))
def test_one_float_goes_where_an_array_goes(ends: tuple[float, float], share: float) -> None:
    box = Box.of(ends)
    p = min(max(ends[0] * (1 - share) + ends[1] * share, ends[0]), ends[1])
    x, batch = unit_points(box, p)
    assert batch == ()
    assert np.array_equal(x, box.to_unit(np.array([[p]])))
    assert np.array_equal(x, unit_points(box, np.array(p))[0])


@pytest.mark.parametrize("p", [-0.1, 1.1, np.nan, np.inf, np.float64(2.0)])
def test_outside_is_refused_on_the_short_way_too(p: float) -> None:
    with pytest.raises(OutsideBoxError):
        unit_points(Box.of((0.0, 1.0)), p)


def test_an_overshoot_by_rounding_is_clipped() -> None:
    assert unit_points(Box.of((0.0, 1.0)), 1.0 + 2.0**-52)[0].tolist() == [[1.0]]


@pytest.mark.parametrize(
    "box",
    [Axis(1.0, 100.0, scale="log"), Axis(1.0, 100.0, periodic=True), Box.of((1.0, 100.0)).excluding(lambda p: p > 50)],
)
def test_other_axes_take_the_long_way(box: Any) -> None:
    box = Box.of(box)
    points, _ = box.points(7.0)
    assert np.array_equal(unit_points(box, 7.0)[0], box.to_unit(points))


def test_a_hole_is_seen() -> None:
    with pytest.raises(OutsideBoxError, match="hole"):
        unit_points(Box.of((0.0, 1.0)).excluding(lambda p: p > 0.5), 0.7)
