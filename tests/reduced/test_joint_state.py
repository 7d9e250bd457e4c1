"""Joint training of sparse solves stopped and resumed, saved and loaded."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.reduced.made import ROOM, WIND, room, wind

import neumatc as nmc
from neumatc import store
from neumatc.errors import InputError
from neumatc.history import Event

pytestmark = pytest.mark.filterwarnings("ignore::neumatc.errors.AccuracyWarning")

SMALL: dict[str, Any] = {"width": 30, "d": 10, "omega": 6.0, "collocation": 12, "candidates": 20, "add": 3,
                         "epochs": 200, "interval": 40, "save_every": 30}  # fmt: skip
P = np.linspace(0, 1, 5)


class StoppedError(Exception):
    pass


def stop(event: Event) -> None:
    if event.stage == "epoch" and event.numbers["epoch"] >= 101:
        raise StoppedError


@pytest.mark.parametrize("options", [{}, {"loss": "literal"}, {"sampling": "random"}, {"precision": "single"}])
def test_resumed_training_ends_as_if_it_had_never_stopped(options: dict[str, Any], tmp_path: Path):
    chosen = SMALL | options
    whole = wind(training=nmc.Joint(**chosen), samples=9)
    saved = nmc.Joint(**chosen, checkpoint=tmp_path / "state")
    with pytest.raises(StoppedError):
        wind(training=saved, samples=9, progress=stop)
    assert store.read(tmp_path / "state")[0]["epoch"] == 90
    again = wind(training=saved, samples=9)
    assert next(e for e in again.history if e.stage == "epoch").numbers["epoch"] == 92
    np.testing.assert_array_equal(again.C, whole.C)
    np.testing.assert_array_equal(again(P), whole(P))


def test_checkpoint_of_another_training_is_refused(tmp_path: Path):
    options = SMALL | {"epochs": 20, "checkpoint": tmp_path / "state"}
    wind(training=nmc.Joint(**options), samples=9)
    for changed in ({"omega": 5.0}, {"derivatives": 2}):
        with pytest.raises(InputError, match=f"another training: {next(iter(changed))} differ"):
            wind(training=nmc.Joint(**options | changed), samples=9)
    A = nmc.Affine([1.01 * part for part in WIND.matrices], WIND.coefficients)
    with pytest.raises(InputError, match="another training: matrix differ"):
        nmc.solve(A, WIND.rhs, WIND.box, rng=0, training=nmc.Joint(**options), samples=9)


def test_a_loaded_fit_answers_and_certifies_alike(tmp_path: Path):
    path, A = tmp_path / "joint.nmc", nmc.Affine(WIND.matrices, WIND.coefficients, coercivity=lambda _: 1.0)
    f = nmc.solve(A, WIND.rhs, WIND.box, rng=0, training=nmc.Joint(**SMALL), samples=9)
    f.save(path)
    again = nmc.load(path, matrix=(A, WIND.rhs))
    np.testing.assert_array_equal(again(P), f(P))
    np.testing.assert_array_equal(again.derivative()(P), f.derivative()(P))
    for name in ("residual", "bound", "error_bound", "passed"):
        np.testing.assert_array_equal(getattr(again.certify(P), name), getattr(f.certify(P), name))
    for name in ("status", "error", "tol", "cost", "history", "box", "basis"):
        assert getattr(again, name) == getattr(f, name)
    assert again.certified(1e-12)(0.3).path == "exact"
    assert repr(again) == repr(f)
    again.save(tmp_path / "again.nmc")
    assert (tmp_path / "again.nmc").read_bytes() == path.read_bytes()


def test_complex_fits_and_other_systems(tmp_path: Path):
    path = tmp_path / "joint.nmc"
    f = room(training=nmc.Joint(**SMALL), samples=6)
    f.save(path)
    A = nmc.Affine(ROOM.matrices, ROOM.coefficients)
    np.testing.assert_array_equal(nmc.load(path, matrix=(A, ROOM.rhs))([2.5, 3.0]), f([2.5, 3.0]))
    with pytest.raises(InputError, match=r"it is assembled, the fit affine"):
        nmc.load(path, matrix=(ROOM, ROOM.rhs))
    with pytest.raises(InputError, match=r"b\(p\) differs by 1.0e\+00"):
        nmc.load(path, matrix=(A, 2 * ROOM.rhs))
