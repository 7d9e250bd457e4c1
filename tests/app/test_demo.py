"""The main job in small, and the arithmetic of its table."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from neumatc.cli import main
from neumatc.demo import Plan, jobs, run, table
from neumatc.demo.lapack import Inverses, Triplets
from neumatc.demo.timing import BATCH, OURS, race

FILES = {
    "table.txt", "table.md", "results.json", "error.png", "error.svg", "decay.png", "decay.svg",
    "entries.png", "entries.svg", "alignment.png", "alignment.svg",
}  # fmt: skip


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """The quick demo, once through the command."""
    folder = tmp_path_factory.mktemp("demo") / "new"
    result = CliRunner().invoke(main, ["demo", "--quick", "--output", str(folder), "--seed", "3"])
    assert result.exit_code == 0, result.output
    return result, folder, json.loads((folder / "results.json").read_text(encoding="utf-8"))


def test_all_files_are_written_and_named(quick):
    result, folder, _ = quick
    assert {path.name for path in folder.iterdir()} == FILES
    assert all(path.stat().st_size for path in folder.iterdir())
    assert all(name in result.stderr for name in FILES)


def test_the_table_goes_to_stdout_and_progress_to_stderr(quick):
    result, folder, _ = quick
    assert result.stdout == (folder / "table.txt").read_text(encoding="utf-8")
    assert "[  0 %, 0 s] fit inverse, 64 users" in result.stderr
    assert "s left] pictures" in result.stderr


def test_rows_say_what_was_done_where(quick):
    _, _, rows = quick
    inverse, svd = rows
    assert (inverse["operation"], svd["operation"], svd["rank"]) == ("inv", "svd", 2)
    assert inverse["shape"] == [64, 64]
    for one in rows:
        assert one["seed"] == 3
        assert one["cpu"]
        assert one["threads"] >= 1
        assert set(one["versions"]) == {"neumatc", "python", "numpy", "scipy", "torch"}
        assert one["checked"] <= one["subcarriers"]
        assert not [key for key in one if "date" in key]


def test_no_certified_answer_misses_the_tolerance(quick):
    for one in quick[2]:
        assert one["certified_worst_residual"] <= one["tol"]
        assert one["share_surrogate"] + one["share_corrected"] + one["share_exact"] == pytest.approx(1)
        assert one["bounds_below_residual"] == 0


def test_errors_are_measured_and_not_assumed(quick):
    for one in quick[2]:
        assert 0 < one["median_residual"] <= one["worst_residual"]
        assert 0 < one["median_error"] <= one["worst_error"] < 1e-3
    assert quick[2][1]["worst_excess"] < 1e-8


def test_the_best_rival_is_the_fastest_exact_one(quick):
    for one in quick[2]:
        for how in ("alone", "batch"):
            exact = [name for name in one[how] if name not in (OURS, "torch svd_lowrank")]
            assert one[f"best_{how}"] == min(exact, key=lambda name: one[how][name]["median"])
            for seconds in one[how].values():
                assert 0 < seconds["low"] <= seconds["median"] <= seconds["high"]
        assert all(error < 1e-9 for name, error in one["rival_error"].items() if name != "torch svd_lowrank")


def test_break_even_counts_matrices_against_the_best_rival(quick):
    for one in quick[2]:
        gain = one["batch"][one["best_batch"]]["median"] - one["batch"][OURS]["median"]
        if gain > 0:
            assert one["break_even_given"] == pytest.approx(one["offline_seconds"] / gain, abs=1)
        else:
            assert one["break_even_given"] is None


def test_losses_are_shown_as_losses(quick):
    losing = {**quick[2][0], "best_alone": "LAPACK", "break_even_given": None}
    losing["alone"] = {OURS: {"median": 3e-4}, "LAPACK": {"median": 1e-4}}
    shown = {line[0]: line[1] for line in table.cells([losing])}
    assert shown["one p: ratio"] == "3.0 × slower"
    assert shown["break-even, A(p) given"] == "never"


def test_text_and_markdown_hold_the_same_cells(quick):
    _, folder, rows = quick
    assert (folder / "table.md").read_text(encoding="utf-8") == table.markdown(rows)
    for line in table.cells(rows):
        assert "| " + " | ".join(line) + " |" in table.markdown(rows)
        for cell in line:
            assert all(word in table.text(rows) for word in cell.split())


def test_long_cells_of_the_text_are_folded(quick):
    lines = table.text(quick[2]).split("\n\n")[0].splitlines()
    assert max(map(len, lines)) <= (len(quick[2]) + 1) * (table.FOLD + 2)
    assert all(line == line.rstrip() for line in lines)


def test_the_folder_may_not_be_a_file(tmp_path):
    (tmp_path / "taken").write_text("")
    result = CliRunner().invoke(main, ["demo", "--quick", "--output", str(tmp_path / "taken")])
    assert result.exit_code == 2
    assert "is a file" in result.stderr


def test_progress_never_goes_back_and_ends_at_one(tmp_path):
    parts: list[float] = []
    report = run(tmp_path, quick=True, tell=lambda _text, part: parts.append(part))
    assert report.passed
    assert parts == sorted(parts)
    assert parts[0] == 0.0
    assert parts[-1] == pytest.approx(1.0)


def test_a_plan_weighs_its_steps_by_their_seconds():
    told: list[tuple[str, float]] = []
    plan = Plan({"a": 1.0, "b": 3.0}, lambda text, part: told.append((text, part)))
    plan.at("a", 1.0)
    plan.at("b", 0.5)
    assert told == [("a", 0.25), ("b", 0.625)]


def test_rivals_run_in_turns_in_changing_order():
    order: list[str] = []
    race({"a": lambda run: order.append(f"a{run}"), "b": lambda run: order.append(f"b{run}")}, 20)
    assert order[:2] == ["a0", "b0"]  # once to warm up
    rounds = [order[i : i + 2] for i in range(2, len(order), 2)]
    assert [sorted(one) for one in rounds] == [[f"a{run}", f"b{run}"] for run in range(20)]
    assert {one[0][0] for one in rounds} == {"a", "b"}


def test_the_main_job_is_the_one_that_was_promised():
    cell, gram, svd = jobs.full()
    assert [job.subcarriers for job in (cell, gram, svd)] == [273 * 12] * 3
    assert [len(job.p_checked) for job in (cell, gram, svd)] == [3276, 410, 410]
    assert all(job.matrix.box == (-10e6, 10e6) for job in (cell, gram, svd))
    assert (cell.samples, gram.samples, svd.samples) == (80, 60, 20)
    for job in (cell, gram, svd):
        np.testing.assert_allclose(np.diff(job.p_checked), 20e6 / 3275 * job.every)


def test_a_remembered_family_builds_once_and_hands_out_read_only_memory():
    calls: list[float] = []

    class Family:
        name, box = "counted", (0.0, 1.0)

        def __call__(self, p: float):
            calls.append(p)
            return np.eye(2) * p

    family = jobs.Remembered(Family())
    assert family(0.5) is family(0.5)
    assert calls == [0.5]
    with pytest.raises(ValueError, match="read-only"):
        family(0.5)[0, 0] = 1.0


def complex_batch(shape):
    rng = np.random.default_rng(0)
    return rng.standard_normal(shape) + 1j * rng.standard_normal(shape)


def test_every_exact_inverse_agrees_with_lapack():
    X = complex_batch((3, 12, 12))
    A = X @ X.conj().swapaxes(1, 2) + np.eye(12)
    reference = Inverses()
    for name, rival in reference.rivals.items():
        assert reference.error(rival.call(A), reference.exact(A)).max() < 1e-12, name
    assert reference.error(1.5 * np.linalg.inv(A), reference.exact(A)) == pytest.approx(0.5)
    assert reference.excess(A, X, {}) is None


def test_every_exact_svd_agrees_with_lapack():
    A = complex_batch((3, 20, 16))
    reference = Triplets(4)
    truth = reference.exact(A)
    for name, rival in reference.rivals.items():
        answer = rival.call(A)
        assert (answer.U.shape, answer.S.shape, answer.Vh.shape) == ((3, 20, 4), (3, 4), (3, 4, 16)), name
        if rival.exact:
            assert reference.error(answer, truth).max() < 1e-11, name
            assert np.abs(reference.excess(A, answer, truth)).max() < 1e-11, name


def test_our_batch_is_as_long_as_announced(quick):
    assert BATCH == 32
    assert quick[2][0]["sweep_seconds"] > 0
