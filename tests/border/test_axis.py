"""Logarithmic and periodic axes: how they are written, mapped, differentiated, saved, and what they refuse."""

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import neumatc as nmc
from neumatc import store
from neumatc.axis import Axis
from neumatc.box import Box
from neumatc.errors import InputError, OutsideBoxError

EPS = np.finfo(float).eps
RATE = Axis(1e-3, 1e3, scale="log")
ANGLE = Axis(0.0, 360.0, periodic=True)


# writing an axis -----------------------------------------------------------------------------------------------------

WRITTEN: list[tuple[Any, Box]] = [
    (Axis(0, 1), Box((0.0,), (1.0,))),
    (Axis(0, 1, "k"), Box((0.0,), (1.0,), ("k",))),
    ([Axis(1, 2, scale="log")], Box((1.0,), (2.0,), None, ("log",))),
    (((0, 1), Axis(1, 2, scale="log")), Box((0.0, 1.0), (1.0, 2.0), None, ("linear", "log"))),
    ([np.array([0, 1]), ANGLE], Box((0.0, 0.0), (1.0, 360.0), None, (), (False, True))),
    ([Axis(0, 1, "k"), Axis(1, 2, "z")], Box((0.0, 1.0), (1.0, 2.0), ("k", "z"))),
    ({"k": (0, 1), "z": ANGLE}, Box((0.0, 0.0), (1.0, 360.0), ("k", "z"), (), (False, True))),
    ({"k": Axis(0, 1, "k")}, Box((0.0,), (1.0,), ("k",))),
]


@pytest.mark.parametrize(("written", "box"), WRITTEN)
def test_an_axis_stands_in_the_place_of_any_pair(written: Any, box: Box) -> None:
    assert Box.of(written) == box
    assert nmc.Axis is Axis


def test_plain_boxes_are_linear_and_have_no_period() -> None:
    box = Box.of([(0, 1), (2, 3)])
    assert (box.scales, box.periodic) == (("linear", "linear"), (False, False))


def test_a_box_with_axes_is_a_value_that_shows_its_axes() -> None:
    box = Box.of({"rate": RATE, "angle": ANGLE, "k": (0, 1)})
    box.points([1.0, 400.0, 0.5])
    assert pickle.loads(pickle.dumps(box)) == box
    assert hash(box) == hash(Box.of({"rate": RATE, "angle": ANGLE, "k": (0, 1)}))
    assert str(box) == "rate in [0.001, 1000] (log), angle in [0, 360) (periodic), k in [0, 1]"
    assert str(Box.of([RATE, (0, 1)])) == "[0.001, 1000] (log) x [0, 1]"
    assert "scales=('log', 'linear', 'linear'), periodic=(False, True, False)" in repr(box)


REFUSED: list[tuple[Any, str]] = [
    (lambda: Axis(2, 1), r"Axis must have lo < hi; \(2, 1\) came, which is reversed\..*Write \(1, 2\)"),
    (lambda: Axis(0, np.inf), r"Axis must be two finite numbers"),
    (lambda: Axis((0, 1), 2), r"NumPy cannot convert"),  # type: ignore[arg-type]
    (lambda: Axis(0, 1, scale="log"), r"0 < lo < hi .*\(0, 1\) came\. A range that begins at 0.*such as 1e-06, or use"),
    (lambda: Axis(-1, 1, scale="log"), r"logarithmic scale and needs 0 < lo"),
    (lambda: Axis(1e-300, 1e300, scale="log"), r"finite ratio hi / lo"),
    (lambda: Axis(0, 1, scale="lg"), r"unknown scale 'lg'; known: 'linear', 'log'"),  # type: ignore[arg-type]
    (lambda: Axis(1, 2, scale="log", periodic=True), r"linear if periodic.*step along p, not a factor\. Choose one"),
    (lambda: Axis(1, 2, periodic="yes"), r"periodic='yes' and scale='linear' came"),  # type: ignore[arg-type]
    (lambda: Box((0.0, 1.0), (1.0, 2.0), None, ("log", "log")), r"box\[0\] has a logarithmic scale"),
    (lambda: Box((0.0, 1.0), (1.0, 2.0), None, ("log",)), r"scales must hold one entry for each of 2.*nmc\.Axis"),
    (lambda: Box.of({"k": Axis(0, 1, "z")}), r"box\['k'\] holds an Axis of another name; 'z' came.*Leave the name"),
    (lambda: Box.of([Axis(0, 1, "z"), (0, 1)]), r"names must be 2 different texts.*\('z', None\) came"),
    (lambda: Box.of([ANGLE, (0, 1, 2)]), r"box\[1\] of shape \(3,\) came"),
    (lambda: Box.of([ANGLE, (1, 0)]), r"box\[1\] must have lo < hi"),
]  # fmt: skip


@pytest.mark.parametrize(("write", "message"), REFUSED)
def test_a_wrong_axis_says_why(write: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        write()


# logarithmic axes ----------------------------------------------------------------------------------------------------


@given(st.floats(1e-100, 1e100), st.floats(1e-100, 1e100), st.floats(-1.0, 1.0))
def test_the_logarithmic_map_stays_inside_and_is_undone(first: float, second: float, x: float) -> None:
    lo, hi = sorted((first, second))
    assume(hi > 1.001 * lo)
    box = Box.of(Axis(lo, hi, scale="log"))
    np.testing.assert_array_equal(box.to_unit(np.array([[lo], [hi]])), [[-1.0], [1.0]])
    np.testing.assert_array_equal(box.from_unit(np.array([[-1.0], [1.0]])), [[lo], [hi]])
    p = box.from_unit(np.array([[x]]))
    assert lo <= p[0, 0] <= hi
    back = box.to_unit(p)[0, 0]
    assert -1.0 <= back <= 1.0
    # p is rounded to its last place, which is one part in log(hi / lo) of the axis.
    assert abs(back - x) <= 16 * EPS * (1 + 1 / np.log(hi / lo))


def test_decades_are_equally_long() -> None:
    box = Box.of([RATE, (0, 10)])
    p = np.stack([10.0 ** np.arange(-3, 4), np.arange(7.0)], axis=-1)
    np.testing.assert_allclose(box.to_unit(p)[:, 0], np.linspace(-1, 1, 7), atol=4 * EPS)
    np.testing.assert_array_equal(box.to_unit(p)[:, 1], Box.of((0, 10)).to_unit(p[:, 1:])[:, 0])
    np.testing.assert_allclose(box.middle, [[1.0, 5.0]])
    np.testing.assert_allclose(box.from_unit(box.to_unit(p)), p, rtol=8 * EPS)


def test_random_points_are_uniform_in_the_logarithm() -> None:
    points = Box.of(RATE).random(2000, np.random.default_rng(0))
    assert abs(np.mean(points < 1.0) - 0.5) < 0.05


def test_points_beside_a_logarithmic_axis_come_out_as_outside() -> None:
    x = Box.of(RATE).to_unit(np.array([[-1.0], [0.0], [1e-4], [1e4]]))
    assert (np.abs(x) > 1).all()
    with pytest.raises(OutsideBoxError, match=r"box \[0\.001, 1000\] \(log\); p = -1 lies outside"):
        Box.of(RATE).points(-1.0)


def test_the_slope_of_the_map() -> None:
    box = Box.of([RATE, (0, 10)])
    p = box.random(20, np.random.default_rng(0))
    for axis in range(2):
        step = 1e-6 * p[:, axis, None] * np.eye(2)[axis]
        slope = (box.to_unit(p + step) - box.to_unit(p - step))[:, axis] / (2 * step[:, axis])
        np.testing.assert_allclose(box.slope(box.to_unit(p), axis), slope, rtol=1e-7)


# periodic axes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("p", "came"),
    [(0, 0), (359.5, 359.5), (360, 0), (-90, 270), (725, 5), (-1e-20, 0), (-720, 0)],
)
def test_a_periodic_p_is_brought_back(p: float, came: float) -> None:
    assert Box.of(ANGLE).points(p)[0].tolist() == [[came]]


@given(st.floats(-1e6, 1e6))
def test_a_periodic_p_lands_in_the_half_open_interval(p: float) -> None:
    box = Box.of(Axis(-0.3, 0.7, periodic=True))
    came = box.points(p)[0][0, 0]
    assert -0.3 <= came < 0.7
    turns = p - came
    assert abs(turns - np.rint(turns)) <= 4 * EPS * max(1.0, abs(p))


def test_only_periodic_columns_are_wrapped_and_the_callers_array_stays() -> None:
    box, p = Box.of([ANGLE, (0, 1)]), np.array([[370.0, 0.5], [10.0, 1.0]])
    np.testing.assert_array_equal(box.points(p)[0], [[10.0, 0.5], [10.0, 1.0]])
    assert p[0, 0] == 370.0
    with pytest.raises(OutsideBoxError, match=r"\[0, 360\) \(periodic\) x \[0, 1\]; p = \(10, 2\) lies outside"):
        box.points([370.0, 2.0])


@pytest.mark.parametrize("p", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_outside(p: float) -> None:
    with pytest.raises(OutsideBoxError, match=rf"p = {p} lies outside"):
        Box.of(ANGLE).points(p)


# from the axis to the file -------------------------------------------------------------------------------------------


def relaxing(p: float) -> np.ndarray:
    """A resolvent over six decades: smooth in log p, hopeless in p."""
    rates = np.logspace(-2, 2, 5)
    return np.eye(5) + np.diag(rates / (rates + p)) + 0.1 * np.ones((5, 5)) * p / (1 + p)


def turning(p: float) -> np.ndarray:
    angle = np.deg2rad(p)
    return 3 * np.eye(4) + np.outer(np.cos(angle + np.arange(4)), np.sin(angle - np.arange(4)))


@pytest.mark.parametrize("basis", ["auto", "rbf"])
def test_a_fit_over_six_decades(basis: str, tmp_path: Path) -> None:
    fit = nmc.inv(relaxing, RATE, tol=1e-8 if basis == "auto" else 1e-4, basis=basis, rng=0)
    assert fit.status == "converged"
    p = np.logspace(-3, 3, 101)
    exact = np.linalg.inv([relaxing(each) for each in p])
    assert np.max(np.abs(fit(p) - exact)) < (1e-7 if basis == "auto" else 1e-3)
    assert np.all(fit.certify(p).residual < (1e-7 if basis == "auto" else 1e-3))

    fit.save(tmp_path / "fit.nmc")
    again = nmc.load(tmp_path / "fit.nmc", matrix=relaxing)
    assert again.box == fit.box == Box.of(RATE)
    assert np.array_equal(again(0.02), fit(0.02))
    assert np.array_equal(again.derivative()(0.02), fit.derivative()(0.02))


def test_the_derivative_is_per_unit_of_p_on_a_logarithmic_axis() -> None:
    fit = nmc.inv(relaxing, RATE, tol=1e-10, rng=0)
    for p in np.logspace(-2.9, 2.9, 7):
        h = 1e-5 * p
        slope = (np.linalg.inv(relaxing(p + h)) - np.linalg.inv(relaxing(p - h))) / (2 * h)
        assert np.max(np.abs(fit.derivative()(p) - slope)) < 1e-5 * np.max(np.abs(slope)) + 1e-9


def test_a_fit_over_two_axes_of_which_one_is_logarithmic() -> None:
    def family(p: np.ndarray) -> np.ndarray:
        return np.diag([2.0, 3.0]) + np.array([[0.0, np.log(p[0])], [np.sin(p[1]), 0.0]]) / 10

    fit = nmc.inv(family, {"rate": Axis(0.1, 10.0, scale="log"), "k": (0.0, 1.0)}, tol=1e-8, rng=0)
    p, h = np.array([[0.3, 0.4], [5.0, 0.9]]), 1e-5
    for axis, name in enumerate(("rate", "k")):
        step = h * np.eye(2)[axis]
        slope = [(np.linalg.inv(family(r + step)) - np.linalg.inv(family(r - step))) / (2 * h) for r in p]
        np.testing.assert_allclose(fit.derivative(name)(p), slope, atol=1e-5)


def test_a_fit_over_a_circle(tmp_path: Path) -> None:
    fit = nmc.inv(turning, {"angle": ANGLE}, tol=1e-8, rng=0)
    assert np.max(np.abs(fit(-45.0) - np.linalg.inv(turning(-45.0)))) < 1e-7
    assert np.array_equal(fit(np.array([360.0, 725.0])), fit(np.array([0.0, 5.0])))
    assert np.all(fit.certify(np.array([-30.0, 1000.0])).residual < 1e-7)

    fit.save(tmp_path / "fit.nmc")
    again = nmc.load(tmp_path / "fit.nmc", matrix=turning)
    assert again.box == fit.box
    assert np.array_equal(again(-45.0), fit(-45.0))


def test_a_table_over_a_logarithmic_axis() -> None:
    points = np.logspace(-3, 3, 41)
    fit = nmc.inv(nmc.Table(points, np.array([relaxing(p) for p in points])), RATE, tol=1e-5, rng=0)
    assert np.max(np.abs(fit(0.02) - np.linalg.inv(relaxing(0.02)))) < 1e-4
    beside = nmc.Table(np.append(points, -1.0), np.array([relaxing(p) for p in [*points, 1.0]]))
    assert len(nmc.Problem.of(beside, RATE, fit.operation).tabulated) == 41  # type: ignore[arg-type]


def test_a_file_without_scales_holds_a_plain_box(tmp_path: Path) -> None:
    nmc.inv(turning, (0.0, 90.0), tol=1e-6, rng=0).save(tmp_path / "fit.nmc")
    manifest, arrays = store.read(tmp_path / "fit.nmc")
    manifest = json.loads(json.dumps(manifest))
    assert (manifest["box"].pop("scales"), manifest["box"].pop("periodic")) == (["linear"], [False])
    store.write(tmp_path / "old.nmc", manifest, arrays)
    assert nmc.load(tmp_path / "old.nmc").box == Box.of((0, 90))
