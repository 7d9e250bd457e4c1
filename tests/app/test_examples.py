"""The scripts in `examples/` run as they stand, in a process of their own, and say what their pages promise."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
SCRIPTS = sorted(path.name for path in EXAMPLES.glob("*.py"))
PROMISES = {
    "user_operation.py": ["geometric mean", "whiten", "certified: True"],
    "user_sampler.py": ["Apart    converged", "default  converged"],
}


def test_every_script_is_described() -> None:
    text = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert set(PROMISES) == set(SCRIPTS)
    assert all(f"({name})" in text for name in SCRIPTS)


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_runs(name: str, tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / name)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert all(promise in run.stdout for promise in PROMISES[name])
    assert not list(tmp_path.iterdir())
