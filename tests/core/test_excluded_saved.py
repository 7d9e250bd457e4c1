"""A file knows that there was a hole, and not what it was."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neumatc as nmc
from neumatc.errors import InputError, OutsideBoxError

LINE = nmc.Box.of((0.0, 1.0))


def inside(p: float) -> bool:
    return 0.4 < p < 0.55


def nan(p: float) -> Any:
    return np.diag([2.0, 3.0, 4.0 + np.sin(p)]) * (np.nan if inside(p) else 1.0)


def raising(p: float) -> Any:
    if inside(p):
        raise ArithmeticError("no convergence")
    return nan(p)


def test_a_file_knows_of_the_hole_and_not_what_it_is(tmp_path: Path) -> None:
    box = LINE.excluding(inside, failures=True)
    fit, path = nmc.inv(raising, box, rng=0), tmp_path / "holed.nmc"
    fit.save(path)
    with pytest.raises(InputError, match=r"a box with a hole.*no box was given.*No file holds code.*or the box alone"):
        nmc.load(path)
    again = nmc.load(path, matrix=raising, box=box)
    np.testing.assert_array_equal(again(0.3), fit(0.3))
    assert again.certify(0.3).passed
    with pytest.raises(OutsideBoxError, match="inside the hole"):
        again(0.5)
    assert np.isfinite(nmc.load(path, box=LINE)(0.5)).all()  # expressly
    with pytest.raises(InputError, match=r"must be that of the fit, \[0, 1\]; \[0, 2\] came"):
        nmc.load(path, box=(0.0, 2.0))
    with pytest.raises(InputError, match=r"must leave out no sample.*hole of another fit, or its negation"):
        nmc.load(path, box=LINE.excluding(lambda p: not inside(p)))


def test_failures_come_back_from_a_file(tmp_path: Path) -> None:
    fit, path = nmc.inv(nan, LINE.excluding(failures=True), rng=0), tmp_path / "failed.nmc"
    fit.save(path)
    again = nmc.load(path, matrix=nan)
    np.testing.assert_array_equal(again.excluded, fit.excluded)
    np.testing.assert_array_equal(again(0.3), fit(0.3))
    assert again.box.hole == fit.box.hole
    assert [str(event) for event in again.history] == [str(event) for event in fit.history]
