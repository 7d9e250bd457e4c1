"""The measurements of every operation: they run, their families and references are what they say, their tables too."""

import json
import math

import numpy as np
import pytest
from benchmarks.breadth import corners, operations
from benchmarks.breadth.families import Columns, Gram, SmoothAffine
from benchmarks.breadth.judge import Task, canonical, constant, corrected, series
from benchmarks.breadth.verbs import VERBS
from benchmarks.cases import Setting
from tests.benchmarks.running import VALID, benchmarks, names, quick

from neumatc.gallery import CORNERS, FourierGram, LowRankSVD, RotatingSpectrum, Stable


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    return quick("breadth", tmp_path_factory.mktemp("rows") / "quick.jsonl")


def test_every_measurement_writes_valid_rows(rows):
    counts, found = benchmarks("-c", VALID, str(rows)).splitlines()
    assert counts == "0 0"
    assert set(found.split()) == set(names("breadth"))


def test_every_operation_shows_all_its_errors(rows):
    records = [json.loads(line) for line in rows.read_text(encoding="utf-8").splitlines()]
    shown = [record for record in records if record["measurement"] == "operations"]
    assert {record["operation"] for record in shown} >= set(VERBS) - {"eig", "sylvester"}
    for record in shown:
        assert record["checks"]
        assert {"curve_error", "ratio_worst", "fit_seconds"} <= set(record["extra"])
        assert (record["extra"]["gap"] is None) == (record["operation"] not in {"eigh", "svd"})


def test_the_report_tells_errors_apart(rows, tmp_path):
    kept, page = tmp_path / "rows.jsonl", tmp_path / "accuracy.md"
    measured = [json.loads(line) | {"quick": False} for line in rows.read_text(encoding="utf-8").splitlines()]
    kept.write_text("\n".join(json.dumps(record) for record in measured), encoding="utf-8")
    benchmarks("-m", "benchmarks", "report", "--rows", str(kept), "--output", str(page))
    text = page.read_text(encoding="utf-8")
    assert "| error worst, corrected | uncorrected | best in span |" in text
    assert "| expected | found | named |" in text


@pytest.mark.parametrize("kind", ["general", "sectorial", "definite", "stable"])
def test_the_smooth_family_is_what_it_says(kind):
    A = SmoothAffine(n=12, kind=kind)
    for p in (0.0, 0.4, 1.0):
        s = np.linalg.svd(A(p), compute_uv=False)
        assert 0.6 <= s.min() <= s.max() <= 2.4
        assert kind != "definite" or np.array_equal(A(p), A(p).T)
        sign = {"sectorial": 1, "definite": 1, "stable": -1}.get(kind)
        assert sign is None or np.linalg.eigvalsh(sign * (A(p) + A(p).T)).min() >= 1.2 - 1e-12


def test_the_gram_matrix_has_the_squares():
    base = LowRankSVD(n=24, rank=4, tail=4, crossing="avoided")
    w = np.linalg.eigvalsh(Gram(base)(0.3))[::-1]
    np.testing.assert_allclose(w, base.singular_values(0.3) ** 2, atol=1e-14)


def tasks():
    A, stable = SmoothAffine(n=8, kind="definite"), Stable(n=8)
    yield from (Task(name, A) for name in ("inv", "qr", "cholesky", "sqrtm", "polar", "expm", "logm", "eigh"))
    yield from (Task(name, Columns(A, 5)) for name in ("pinv", "svd"))
    yield Task("eig", stable)
    yield Task("solve", A, {"b": constant(np.ones((8, 1)))})
    yield from (corners.task_of(name, stable) for name in ("lyapunov", "sylvester", "riccati"))


@pytest.mark.parametrize("task", list(tasks()), ids=lambda task: task.name)
def test_references_solve_their_equations_and_nothing_else_does(task):
    M = task.given(0.3)
    F = task.exact(M)
    assert task.residual(M, F) < 1e-12
    rng = np.random.default_rng(0)
    for name in F:
        size = 1e-3 * np.linalg.norm(F[name]) / np.sqrt(F[name].size)
        moved = {**F, name: F[name] + size * rng.standard_normal(F[name].shape)}
        assert task.residual(M, moved) > 1e-5
        assert 1e-4 < task.error(moved, F) < 1e-2


def test_another_branch_is_no_solution():
    A = SmoothAffine(n=6, kind="definite")
    root = Task("sqrtm", A)
    M = root.given(0.3)
    assert math.isnan(root.residual(M, {"X": -root.exact(M)["X"]}))


def test_phases_are_no_error():
    task = Task("eigh", RotatingSpectrum(n=6, complex=True))
    F = task.exact(task.given(0.3))
    turned = {**F, "V": F["V"] * np.exp(1j * np.arange(6))}
    assert task.error(turned, F) < 1e-14


def test_the_best_of_the_span_is_the_best():
    task = Task("qr", SmoothAffine(n=10, kind="general"))
    fit = task.fit(samples=6, tol=1e-12, rng=0)
    found = series(task, fit, np.array([[0.21], [0.77]]))
    assert np.all(found["best_error"] <= 1.2 * found["curve_error"])
    assert np.all(found["corrected_error"] <= 3 * found["best_error"])


def test_a_correction_is_what_certified_answers_with():
    task = Task("eigh", RotatingSpectrum(n=8))
    fit = task.fit(tol=1e-3, rng=0)
    answer = fit.certified(1e-2 * float(fit.certify(0.33).residual))(0.33)
    assert answer.path == "corrected"
    ours = canonical(fit, corrected(fit, np.array([0.33])))
    np.testing.assert_allclose(ours["V"], answer.value.eigenvectors, atol=1e-13)


def test_all_corners_are_visited_and_share_the_points():
    cases = corners.cases(Setting())
    assert len(cases) == sum(len(corner.operations) for corner in CORNERS.values())
    answering = [case for case in cases if CORNERS[case.name.split(":")[0]].expect != "refused"]
    assert sum(case.run.args[-1] for case in answering) >= 100_000


def test_the_families_of_the_plane_are_theirs():
    H = FourierGram(n=16, rank=4)
    axis = np.linspace(0, 1, 25)
    assert max(np.linalg.cond(H(np.array([x, y]))) for x in axis for y in axis) == pytest.approx(10, rel=0.02)


def test_seeds_of_a_row_share_its_line():
    listed = operations.cases(Setting(quick=True, seeds=2))
    assert [case.name.endswith(f"seed {i % 2}") for i, case in enumerate(listed)] == [True] * len(listed)
