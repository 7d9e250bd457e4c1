"""The measurements of speed: they run, rows say what was asked, and the page says what is in the rows."""

import json
import re

import numpy as np
import pytest
from benchmarks.record import Row, append, valid
from benchmarks.speed import MEASUREMENTS, clock
from benchmarks.speed.clock import WARM, Ratio, Turns, quartiles, turns
from benchmarks.speed.families import Counted, Separated, Stretched, Update, affine
from benchmarks.speed.jobs import Job, errors, fitted, job_of, points_of
from benchmarks.speed.lapack import CALLS, best
from benchmarks.speed.limits import filling, measured, multiplying, reading
from benchmarks.speed.report import write
from benchmarks.speed.report.figures import said
from benchmarks.speed.targets import Figure, aimed
from tests.benchmarks.running import names, quick

from neumatc.box import Box


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    return quick("speed", tmp_path_factory.mktemp("rows") / "quick.jsonl")


@pytest.fixture(scope="module")
def records(rows):
    return [json.loads(line) for line in rows.read_text(encoding="utf-8").splitlines()]


# rows -----------------------------------------------------------------------------------------------------------------


def test_every_measurement_writes_valid_rows(records):
    assert all(valid(record) for record in records)
    assert [record for record in records if record["status"].startswith("failed")] == []
    assert {record["measurement"] for record in records} == set(names("speed"))


def test_every_row_that_answers_tells_the_true_error(records):
    answering = [record for record in records if record["method"] and record["method"] != "started"]
    assert len(answering) > 30
    for record in answering:
        assert record["points"] >= 2
        assert np.isfinite(float(record["error_worst"]))
        assert record["extra"]["figures"]


def test_corrected_answers_of_quick_rows_are_accurate_too(records):
    own = [r for r in records if r["measurement"] == "speed-corrected" and r["method"] == "corrected"]
    assert {r["operation"] for r in own} == {"inv", "qr", "svd-full", "eigh", "sqrtm", "cholesky"}
    assert max(float(r["error_worst"]) for r in own) < 1e-9


def test_limits_are_measured_beside_the_answers(records):
    for name, rates in {"speed-one": {"read_gbs"}, "speed-batch": {"fill_gbs"}, "speed-scaling": {"read_gbs"}}.items():
        for record in records:
            if record["measurement"] == name:
                assert rates | {"gemm_gflops"} <= set(record["extra"]["limits"])
                assert min(record["extra"]["limits"].values()) > 0


# turns and targets ----------------------------------------------------------------------------------------------------


def test_calls_are_timed_in_turns_and_in_changing_order(monkeypatch):
    monkeypatch.setattr(clock, "AWAKE", 0.0)
    order = []
    found = turns({name: lambda name=name: order.append(name) for name in "abc"}, quick=True)
    assert found.count == 3
    assert {name: order.count(name) for name in "abc"} == dict.fromkeys("abc", 2 + 3 * (WARM + 1))
    firsts = ["".join(order[6 + 3 * (WARM + 1) * turn :: WARM + 1][:3]) for turn in range(3)]
    assert all(sorted(first) == ["a", "b", "c"] for first in firsts)
    assert len(set(firsts)) > 1


@pytest.mark.parametrize(("seconds", "expected"), [(1e-3, 5), (4e-3, 3), (1e-2, 3), (1e-4, 50)])
def test_short_calls_are_warmed_up_for_a_while(seconds, expected):
    assert clock._repeats(seconds) == expected


def test_a_ratio_is_the_median_of_quotients_of_turns():
    found = Turns({"a": np.array([1.0, 2.0, 30.0]), "b": np.array([1.0, 1.0, 10.0])})
    assert found.ratio("a", "b").median == 2.0
    assert found.least("") == "b"
    assert found.timing("a", parts=2).median == 1e6


@pytest.mark.parametrize(("figure", "passed"), [
    (Figure("a / b", Ratio(1.1, 1.0, 1.2), most=1.15), True),
    (Figure("a / b", Ratio(1.2, 1.0, 1.3), most=1.15), False),
    (Figure("b / a", Ratio(21.0, 20.0, 22.0), least=20.0), True),
    (Figure("b / a", Ratio(19.0, 18.0, 20.0), least=20.0), False),
    (Figure("b / a", Ratio(np.nan, 1.0, 1.0), least=20.0), False),
])  # fmt: skip
def test_a_target_is_missed_on_the_wrong_side_only(figure, passed):
    row = aimed(Row("m", "c", "f", 1, 1, "inv", "curve"), [figure])
    assert row.passed is passed
    assert row.extra["figures"][0]["passed"] is passed


def test_a_figure_without_a_target_decides_nothing():
    row = aimed(Row("m", "c", "f", 1, 1, "inv", "curve"), [Figure("a / b", quartiles([1, 2, 3]))])
    assert row.checks == ()
    assert row.extra["figures"][0]["passed"] is None


def test_limits_are_rates():
    array = np.ones(1000)
    calls = {**reading(array), **filling(np.empty(500)), **multiplying()}
    seconds = Turns({name: np.array([1e-6]) for name in calls})
    found = measured(seconds, read=array, filled=np.empty(500))
    assert found.read_gbs == pytest.approx(8.0)
    assert found.fill_gbs == pytest.approx(4.0)
    assert calls["read numpy"]() == calls["read torch"]() == 1000.0


# families and references ----------------------------------------------------------------------------------------------


FAMILIES = [Separated(12), Separated(12, symmetric=True), Update(12, 2), Stretched(Separated(6), 2.0)]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_family_is_the_sum_of_its_terms(family):
    p = np.array([[0.2], [0.9]])
    given = affine(family).at(p, Box.of(family.box))
    np.testing.assert_allclose(given, [family(0.2), family(0.9)], rtol=0, atol=1e-15)


@pytest.mark.parametrize("symmetric", [False, True])
def test_values_keep_apart(symmetric):
    A = Separated(40, symmetric)
    for p in (0.0, 0.5, 1.0):
        s = np.linalg.svd(A(p), compute_uv=False)
        assert -np.diff(s).max() > 0.5 / 40


def test_a_family_counts_how_often_it_was_asked():
    A = Counted(Update(8, 2), [])
    for p in (0.1, 0.5, 0.5, 0.1, 0.1):
        A(p)
    assert A.repeated() == 3
    assert A.repeated(free=[0.1]) == 2


@pytest.mark.parametrize("verb", list(CALLS))
def test_all_ways_of_lapack_agree_with_the_reference(verb):
    job = job_of(verb, 12)
    A = job.family(0.3)
    for call in CALLS[verb].values():
        value = call(A)
        parts = [np.asarray(part) for part in (value if isinstance(value, tuple) else (value,))]
        stacked = tuple(part[None] for part in parts) if len(parts) > 1 else parts[0][None]
        if verb == "qr":  # signs are free until they are canonical
            np.testing.assert_allclose(parts[0] @ parts[1], A, atol=1e-13)
        else:
            assert errors(job, np.array([0.3]), stacked, 1)[0] < 1e-12
    name, _ = best(verb, A)
    assert name.removeprefix(f"{verb} by ") in CALLS[verb]


def test_errors_see_a_wrong_answer():
    job = Job("inv", Update(16, 2), 12, 1e-10)
    fit, points = fitted(job), points_of(job, 4)
    values = fit(points)
    assert errors(job, points, values, 4).max() < 1e-8
    values[2] *= 1.001
    assert errors(job, points, values, 4)[2] == pytest.approx(1e-3, rel=1e-3)


# the page -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pages(rows, tmp_path_factory):
    root = tmp_path_factory.mktemp("pages")
    return root, [path.read_text(encoding="utf-8") for path in write(rows, root, MEASUREMENTS, quick=True)]


def test_the_page_has_every_measurement_and_its_pictures(pages):
    root, (markdown, html) = pages
    for name in names("speed"):
        assert f'<a id="{name}"></a>' in markdown
        assert f'<section id="{name}">' in html
    linked = re.findall(r"\]\((images/[\w-]+\.png)\)", markdown)
    assert set(linked) >= {"images/speed-size.png", "images/speed-sweeps.png", "images/speed-limits.png"}
    assert all((root / "docs" / path).stat().st_size > 1000 for path in linked)
    assert html.count("<svg") == len(linked)
    assert "http" not in re.sub(r"\[[^]]*\]\([^)]*\)", "", html)


def test_without_a_gpu_the_page_says_so(tmp_path):
    rows = tmp_path / "rows.jsonl"
    append(rows, Row("speed-gpu", "GPU", "", 0, 1, "", "", status="skipped: no CUDA device"), quick=False)
    markdown, _ = write(rows, tmp_path, MEASUREMENTS)
    assert "Skipped: no cuda device." in markdown.read_text(encoding="utf-8")


@pytest.mark.parametrize(("threads", "told"), [(2, ""), (1, ", one thread")])
def test_what_was_missed_is_told_first(threads, told, tmp_path, monkeypatch):
    monkeypatch.setattr("torch.get_num_threads", lambda: threads)
    rows = tmp_path / "rows.jsonl"
    figures = [Figure("f / dot", Ratio(1.3, 1.2, 1.4), most=1.15), Figure("best LAPACK / f", Ratio(0.5, 0.4, 0.6))]
    base = Row("speed-one", "n = 256, inv", "family", 256, 1, "inv", "curve", points=3, error_worst=1e-13)
    append(rows, aimed(base, figures), quick=False)
    text = write(rows, tmp_path, MEASUREMENTS)[0].read_text(encoding="utf-8")
    losses = text.split('<a id="losses"></a>')[1].split("## ")[0]
    assert f"**LOSS** speed-one, n = 256, inv{told}: f / dot is 1.30 × (1.20 – 1.40), not ≤ 1.15" in losses
    assert "LAPACK is faster, 0.500 × (0.400 – 0.600) (no target)" in losses
    assert "**0 of 1 check held**" in text


def test_said_gives_numbers_back(records):
    for record in records:
        for each in said(record):
            assert each.low <= each.median <= each.high or np.isnan(each.median)
