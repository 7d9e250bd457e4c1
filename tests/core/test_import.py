"""What an import costs: answering needs NumPy alone, and nothing is done at import."""

import json
import subprocess
import sys

import pytest

HEAVY = ["torch", "scipy", "safetensors", "matplotlib", "click", "tqdm", "jinja2", "msgspec", "hypothesis", "pytest"]
LIGHT = [
    "neumatc",
    "neumatc.errors",
    "neumatc.equations",
    "neumatc.operations",
    "neumatc.sampling",
    "neumatc.bases",
    "neumatc.certified",
    "neumatc.fitted",
    "neumatc.loading",
    "neumatc.testing",
    "neumatc.gallery",
]
TELL = "import json, sys; print(json.dumps([name for name in {heavy} if name in sys.modules]))"


def loaded_after(code: str) -> list[str]:
    script = f"{code}\n{TELL.format(heavy=HEAVY)}"
    run = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=True)
    assert run.stderr == ""
    found: list[str] = json.loads(run.stdout)
    return found


def test_light_modules_load_nothing_heavy() -> None:
    assert loaded_after("\n".join(f"import {module}" for module in LIGHT)) == []


def test_public_names_of_the_light_wing_load_nothing_heavy() -> None:
    names = [
        "Affine",
        "Answer",
        "Axis",
        "Box",
        "Certificate",
        "Custom",
        "Family",
        "Fit",
        "Operation",
        "Problem",
        "Table",
        "load",
    ]
    assert loaded_after("import neumatc\n" + "\n".join(f"neumatc.{name}" for name in names)) == []


def test_a_curve_is_evaluated_without_anything_heavy() -> None:
    code = """
import numpy as np
from neumatc.bases import ChebyshevCurve, SineCurve
from neumatc.testing import check_sampler
from neumatc.sampling import FailureInformed
check_sampler(FailureInformed())
"""
    assert loaded_after(code) == []


def test_a_verb_brings_torch() -> None:
    assert "torch" in loaded_after("import neumatc\nneumatc.inv")


def test_every_public_name_is_there() -> None:
    import neumatc as nmc

    for name in ("fit", "inv", "svd", "load", "errors", "Fit", "Problem", "Custom", "__version__"):
        assert name in dir(nmc)
        assert getattr(nmc, name) is not None
    with pytest.raises(AttributeError, match="module 'neumatc' has no attribute 'inverse'"):
        nmc.inverse  # noqa: B018
