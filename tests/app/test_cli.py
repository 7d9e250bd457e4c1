"""The command as a user meets it: what it prints where, and what it returns to the shell."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import neumatc
from neumatc.cli import main

MODULE = """
import numpy as np

def A(p):
    return np.array([[3.0 + np.sin(p), p], [-p, 2.0]])

def plane(p):
    return np.diag([3.0 + p[0], 4.0 + p[1], 5.0])

def broken(p):
    raise RuntimeError("the disk is full")

def other(p):
    return np.eye(2) * (2 + p)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a module of matrices, a table of them, and fits of both operations."""
    here = tmp_path_factory.mktemp("work")
    (here / "matrices_of_test_cli.py").write_text(MODULE)
    p = np.linspace(0.0, 1.0, 41)
    values = np.stack([np.array([[3.0 + np.sin(x), x], [-x, 2.0]]) for x in p])
    np.savez(here / "table.npz", p=p, A=values)
    np.savez(here / "wrong.npz", p=p, B=values)
    (here / "text.npz").write_text("no archive")
    before = Path.cwd()
    os.chdir(here)
    for name, more in {"inv": ["--operation", "inv"], "svd": ["--operation", "svd", "--rank", "1"]}.items():
        result = run("fit", "matrices_of_test_cli:A", *more, "--box", "0,1", "--seed", "1", "-o", f"{name}.nmc")
        assert result.exit_code == 0, result.stderr
    result = run("fit", "table.npz", "--operation", "inv", "--tol", "1e-6", "--seed", "1", "-o", "table.nmc")
    assert result.exit_code == 0, result.stderr
    os.chdir(before)
    return here


@pytest.fixture(autouse=True)
def inside(folder, monkeypatch):
    monkeypatch.chdir(folder)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def test_help_needs_neither_numpy_nor_torch_and_comes_at_once():
    code = (
        "import sys, time\n"
        "start = time.perf_counter()\n"
        "from neumatc.cli import main\n"
        "for arguments in ([], ['fit'], ['eval'], ['certify'], ['info'], ['demo']):\n"
        "    main([*arguments, '--help'], standalone_mode=False)\n"
        "heavy = {'numpy', 'scipy', 'torch', 'matplotlib', 'tqdm'} & set(sys.modules)\n"
        "print('heavy', sorted(heavy), 'seconds', time.perf_counter() - start)\n"
    )
    out = shell(sys.executable, "-c", code).stdout
    assert "heavy []" in out
    assert float(out.rsplit(maxsplit=1)[1]) < 0.5


def test_version():
    assert run("--version").stdout == f"neumatc, version {neumatc.__version__}\n"


def test_runs_as_a_module_in_a_process_of_its_own():
    done = shell(sys.executable, "-m", "neumatc.cli", "eval", "inv.nmc", "--p", "0.5")
    assert done.returncode == 0
    assert done.stdout.startswith("p = 0.5  ‖X‖ = ")
    assert done.stderr == ""


def test_evaluating_never_imports_torch():
    code = (
        "import sys\n"
        "from neumatc.cli import main\n"
        "main(['eval', 'inv.nmc', '--p', '0.5'], standalone_mode=False)\n"
        "print('torch' in sys.modules)\n"
    )
    assert shell(sys.executable, "-c", code).stdout.endswith("False\n")


def test_fit_shows_the_table_on_stdout_and_the_rest_on_stderr():
    result = run("fit", "matrices_of_test_cli:A", "--operation", "inv", "--box", "0,1", "-o", "again.nmc")
    assert result.exit_code == 0
    assert result.stdout.startswith("operation      inv\n")
    assert "converged" in result.stdout
    assert result.stderr.startswith("Wrote again.nmc (")


def test_fit_of_several_parameters_takes_a_box_for_each():
    result = run(
        "fit", "matrices_of_test_cli:plane", "--operation", "inv", "--box", "0,1", "--box", "-1,1", "--tol", "1e-4",
        "--samples", "30", "--seed", "0", "-o", "plane.nmc",
    )  # fmt: skip
    assert "[0, 1] x [-1, 1]" in result.stdout
    grid = run("eval", "plane.nmc", "--grid", "0,1,2", "--grid", "-1,1,3")
    assert [line.split("  ")[0] for line in grid.stdout.splitlines()] == [
        "p = (0, -1)", "p = (0, 0)", "p = (0, 1)", "p = (1, -1)", "p = (1, 0)", "p = (1, 1)",
    ]  # fmt: skip
    assert run("eval", "plane.nmc", "--p", "0.5,0.5").exit_code == 0


def test_fit_that_misses_its_tolerance_is_saved_and_exits_with_1():
    result = run(
        "fit", "matrices_of_test_cli:A", "--operation", "inv", "--box", "0,1", "--samples", "2", "--tol", "1e-12",
        "-o", "poor.nmc",
    )  # fmt: skip
    assert result.exit_code == 1
    assert re.search(r"^Warning: `inv` reached a held-out residual of .* but tol is 1.0e-12", result.stderr)
    assert "Traceback" not in result.stderr
    assert "AccuracyWarning" not in result.stderr
    assert Path("poor.nmc").is_file()


def test_eval_prints_one_line_for_each_point():
    result = run("eval", "inv.nmc", "--p", "0.25", "--p", "0.75")
    expected = np.linalg.norm(np.linalg.inv([[3 + np.sin(0.25), 0.25], [-0.25, 2]]))
    assert result.stdout.splitlines()[0] == f"p = 0.25  ‖X‖ = {expected:.6g} (2 × 2)"
    assert len(result.stdout.splitlines()) == 2


def test_eval_prints_singular_values():
    value = np.linalg.svd([[3 + np.sin(1), 1], [-1, 2]])[1][0]
    assert f"S = [{value:.6g}]" in run("eval", "svd.nmc", "--grid", "0,1,3").stdout.splitlines()[2]


def test_eval_writes_arrays_to_the_very_file_that_was_named():
    result = run("eval", "svd.nmc", "--grid", "0,1,5", "--output", "answers")
    assert result.exit_code == 0
    assert result.stdout == ""
    with np.load("answers") as file:
        assert {name: file[name].shape for name in file.files} == {
            "p": (5,), "U": (5, 2, 1), "S": (5, 1), "Vh": (5, 1, 2),
        }  # fmt: skip


def test_certify_passes_and_says_what_it_means():
    result = run("certify", "inv.nmc", "--matrix", "matrices_of_test_cli:A", "--grid", "0,1,4")
    assert result.exit_code == 0
    assert "4 of 4 passed at tol 1.0e-08" in result.stdout
    assert "‖A X - I‖_F" in result.stdout


def test_certify_exits_with_1_when_a_point_fails():
    result = run("certify", "inv.nmc", "--matrix", "matrices_of_test_cli:A", "--p", "0.3", "--tol", "1e-30")
    assert result.exit_code == 1
    assert "FAILED" in result.stdout
    assert "0 of 1 passed" in result.stdout


def test_certify_checks_a_table_at_all_of_its_points():
    result = run("certify", "table.nmc", "--matrix", "table.npz", "--tol", "1e-5")
    assert result.exit_code == 0
    assert "41 of 41 passed" in result.stdout


def test_info_shows_table_and_history():
    result = run("info", "inv.nmc")
    assert result.exit_code == 0
    assert result.stdout.startswith("operation      inv\n")
    assert re.search(r"\nhistory\n  solve: p = ", result.stdout)


FIT = ("fit", "--operation", "inv", "-o", "x.nmc")
CERTIFY = ("certify", "inv.nmc", "--p", "0.5", "--matrix")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((*FIT, "matrices_of_test_cli:A"), "a function needs --box lo,hi, once for each parameter"),
        ((*FIT, "matrices_of_test_cli:A", "--box", "0"), r"expected lo,hi, 2 numbers, but came '0'"),
        ((*FIT, "matrices_of_test_cli:A", "--box", "a,b"), r"numbers separated by commas, but came 'a,b'"),
        ((*FIT, "matrices_of_test_cli:A", "--box", "1,0"), "box must have lo < hi; .*reversed"),
        ((*FIT, "matrices_of_test_cli:A", "--box", "0,1", "--rank", "1"), "--rank belongs to --operation svd"),
        ((*FIT, "matrices_of_test_cli:A", "--box", "0,1", "--basis", "chebychev"), "Did you mean 'chebyshev'"),
        ((*FIT, "matrices_of_test_cli:A", "--box", "0,1", "--tol", "7"), "`tol` must be a relative residual"),
        ((*FIT, "matrices_of_test_cli:A", "--box", "0,1", "-o", "no/x.nmc"), "there is no folder no"),
        ((*FIT, "matrices_of_test_cli:broken", "--box", "0,1"), r"p = 0.5.*RuntimeError: the disk is full"),
        ((*FIT, "matrices_of_test_cli:missing", "--box", "0,1"), "cannot get missing from .*AttributeError"),
        ((*FIT, "no_such_module:A", "--box", "0,1"), "cannot get A from no_such_module: ModuleNotFoundError"),
        ((*FIT, "nonsense", "--box", "0,1"), r"expected a file .npz or module:function, but came 'nonsense'"),
        ((*FIT, "none.npz"), "there is no file none.npz"),
        ((*FIT, "wrong.npz"), r"must hold arrays p and A, but holds \['B', 'p'\]"),
        ((*FIT, "text.npz"), "cannot be read as .npz"),
        (("fit", "matrices_of_test_cli:A", "--operation", "det", "-o", "x"), "'det' is not one of 'inv', 'svd'"),
        (("fit", "matrices_of_test_cli:A", "--operation", "svd", "--box", "0,1", "-o", "x.nmc"), "--rank belongs"),
        (("eval", "none.nmc", "--p", "0"), "'none.nmc' does not exist"),
        (("eval", "table.npz", "--p", "0"), "table.npz"),
        (("eval", "inv.nmc"), "say where: either --p, repeatable, or --grid lo,hi,count"),
        (("eval", "inv.nmc", "--p", "0", "--grid", "0,1,3"), "say where"),
        (("eval", "inv.nmc", "--p", "0.1,0.2"), r"has 1 parameter\(s\): give 1 number\(s\) to each --p"),
        (("eval", "inv.nmc", "--grid", "0,1,2.5"), "must be a whole number of at least 1, but came 2.5"),
        (("eval", "inv.nmc", "--p", "2"), r"box \[0, 1\].*lie outside"),
        ((*CERTIFY, "matrices_of_test_cli:other"), "not the family of the saved fit"),
        (("certify", "table.nmc", "--matrix", "table.npz", "--p", "0.513"), "tabulated at 41 points only"),
    ],
)
def test_wrong_input_is_one_clean_message_and_exit_code_2(arguments, message):
    result = run(*arguments)
    assert result.exit_code == 2
    assert re.search(message, " ".join(result.stderr.split())), result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_a_damaged_file_is_one_clean_message():
    Path("cut.nmc").write_bytes(Path("inv.nmc").read_bytes()[:700])
    result = run("info", "cut.nmc")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: ")
    assert "cut.nmc" in result.stderr


def test_a_reader_that_leaves_a_pipe_early_is_no_error():
    python = f"{sys.executable} -m neumatc.cli eval inv.nmc --grid 0,1,20000"
    done = shell("/bin/sh", "-c", f"{python} | head -n 1")
    assert done.stderr == ""
    assert done.stdout.startswith("p = 0  ")


def shell(*command: str) -> "subprocess.CompletedProcess[str]":
    """Run in a process of its own that finds this very package, installed or not."""
    path = os.pathsep.join([str(Path(neumatc.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=120, env={**os.environ, "PYTHONPATH": path}
    )
