"""Joint training repeated, stopped and resumed, saved and loaded."""

import json
import subprocess
import sys
import textwrap
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neumatc as nmc
from neumatc import store
from neumatc.errors import FormatError, InputError
from neumatc.history import Event
from neumatc.training.joint import Joint

from .joint_made import SMALL, smooth, spread

pytestmark = pytest.mark.filterwarnings("ignore::neumatc.errors.AccuracyWarning")


@pytest.mark.parametrize("options", [{}, {"loss": "literal"}, {"sampling": "random"}, {"precision": "single"}])
def test_same_seed_same_fit_bit_for_bit(options: dict[str, Any]):
    make = partial(nmc.inv, smooth, (0.0, 1.0), training=Joint(**SMALL | {"epochs": 120, "interval": 50} | options))
    one, two, other = make(samples=9, rng=4), make(samples=9, rng=4), make(samples=9, rng=5)
    np.testing.assert_array_equal(one(0.4), two(0.4))
    assert not np.array_equal(one(0.4), other(0.4))


class StoppedError(Exception):
    pass


def stopping(at: int) -> Any:
    def report(event: Event) -> None:
        if event.stage == "epoch" and event.numbers["epoch"] >= at:
            raise StoppedError

    return report


@pytest.mark.parametrize(
    "options",
    [{}, {"loss": "literal"}, {"sampling": "random"}, {"precision": "single"}, {"schedule": "constant"}],
)
def test_resumed_training_ends_as_if_it_had_never_stopped(options: dict[str, Any], tmp_path: Path):
    chosen = SMALL | {"epochs": 200, "interval": 40, "save_every": 30} | options
    make = partial(nmc.inv, smooth, (0.0, 1.0), samples=9, rng=4)
    whole = make(training=Joint(**chosen))
    saved = Joint(**chosen, checkpoint=tmp_path / "state")
    with pytest.raises(StoppedError):
        make(training=saved, progress=stopping(101))
    assert store.read(tmp_path / "state")[0]["epoch"] == 90
    again = make(training=saved)
    assert next(e for e in again.history if e.stage == "epoch").numbers["epoch"] == 92
    np.testing.assert_array_equal(again.surrogate.C, whole.surrogate.C)
    np.testing.assert_array_equal(again(np.linspace(0, 1, 5)), whole(np.linspace(0, 1, 5)))
    # Once more, when all is done: nothing is left to train.
    np.testing.assert_array_equal(make(training=saved)(0.3), whole(0.3))


def test_checkpoint_of_another_training_is_refused(tmp_path: Path):
    options = SMALL | {"epochs": 20, "checkpoint": tmp_path / "state"}
    fit = partial(nmc.inv, smooth, (0.0, 1.0), samples=9, rng=4)
    f = fit(training=Joint(**options))
    with pytest.raises(InputError, match=r"belongs to another training: omega differ\. Going on .* `rng`, or another"):
        fit(training=Joint(**options | {"omega": 5.0}))
    with pytest.raises(InputError, match="another training: rng differ"):
        nmc.inv(smooth, (0.0, 1.0), training=Joint(**options), samples=9, rng=5)
    f.save(tmp_path / "fit")
    with pytest.raises(FormatError, match=r"something else.*a saved fit.*a path of its own"):
        fit(training=Joint(**options | {"checkpoint": tmp_path / "fit"}))


def test_loaded_fit_answers_alike_without_torch(tmp_path: Path):
    path = tmp_path / "joint.nmc"
    f = nmc.svd(spread, (0.0, 1.0), rank=3, training=Joint(**SMALL | {"epochs": 60, "activation": "gelu"}),
                samples=9, rng=2)  # fmt: skip
    f.save(path)
    program = textwrap.dedent(f"""
        import json, sys
        import neumatc as nmc
        f = nmc.load({str(path)!r})
        S = f(0.37).S
        print(json.dumps([S.tolist(), "torch" in sys.modules, "scipy" in sys.modules, f.basis.name]))
    """)
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    S, torch_came, scipy_came, name = json.loads(told.stdout)
    assert (torch_came, scipy_came, name) == (False, False, "network")
    np.testing.assert_array_equal(S, f(0.37).S)
    again = nmc.load(path, matrix=spread)
    np.testing.assert_array_equal(again.derivative()(0.37).U, f.derivative()(0.37).U)
