"""The measurements of the paper run and write valid rows; the report says what is in them, and marks what was lost."""

import argparse
import json
import re
from html.parser import HTMLParser

import benchmarks.__main__ as command
import pytest
from benchmarks.paper.published import TABLES
from benchmarks.paper.report import write
from benchmarks.paper.report.rows import current
from benchmarks.paper.report.text import PARTS, TITLES
from benchmarks.paper.report.words import factor, listed, milliseconds, number, times
from benchmarks.record import valid
from tests.benchmarks.running import names, quick

VOID = {"meta", "br", "hr", "img", "input", "link"}


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    return quick("paper", tmp_path_factory.mktemp("rows") / "quick.jsonl")


@pytest.fixture(scope="module")
def records(rows):
    return [json.loads(line) for line in rows.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def pages(rows, tmp_path_factory):
    written = write(rows, tmp_path_factory.mktemp("pages"), quick=True)
    return [path.read_text(encoding="utf-8") for path in written]


def kept(path, records):
    """Write rows as if they were of a full run."""
    lines = (json.dumps(record | {"quick": False}) for record in records)
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def section(page, name):
    """The part of a Markdown page between its title and the next one."""
    return page.split(f'<a id="{name}"></a>')[1].split("\n## ")[0]


# rows -----------------------------------------------------------------------------------------------------------------


def test_every_measurement_writes_valid_rows(records):
    assert all(valid(record) for record in records)
    assert [record for record in records if record["status"].startswith("failed")] == []
    assert {record["measurement"] for record in records} == set(names("paper"))


def test_all_methods_of_the_paper_take_part(records):
    for table, lines in TABLES.items():
        own = [record for record in records if record["extra"].get("table", record["measurement"]) == table]
        assert own, table
        if table != "table11":
            assert set(lines) - {"NeuMatC"} <= {record["extra"]["printed"] for record in own}


# what counts ----------------------------------------------------------------------------------------------------------


def row(method="default", status="", commit="new", case="case", **values):
    given = {"measurement": "table4", "case": case, "method": method, "seed": 0, "baseline": "NumPy", "quick": False}
    return {"threads": 1, **given, "status": status, "commit": commit, "extra": {"part": case}, **values}


def test_the_last_run_of_a_case_counts():
    assert current([row(commit="old"), row()]) == [row()]
    assert current([row("dropped", commit="old"), row(commit="old"), row()]) == [row()]
    assert current([row(), row(case="other")]) == [row(), row(case="other")]


def test_runs_with_other_numbers_of_threads_stand_beside_each_other():
    two, one = row(case="n = 512", threads=2, commit="old"), row(case="n = 512, one thread")
    two["extra"], one["extra"] = {"part": "n = 512"}, {"part": "n = 512"}
    assert current([two, one]) == [two, one]


def test_what_differs_in_its_baseline_alone_is_kept():
    both = [row(baseline="gesvd"), row(baseline="gesvdj")]
    assert current(both) == both


def test_a_broken_method_leaves_the_others():
    both = [row(), row("NNI", status="failed: ValueError")]
    assert current(both) == both


def test_a_breakdown_and_a_success_replace_each_other():
    broken = row("", status="failed: ValueError")
    assert current([broken, row()]) == [row()]
    assert current([row(), broken]) == [broken]


def test_a_skipped_table_gives_way_to_figures():
    skipped = row("", status="skipped: no GPU", case="table4")
    assert current([skipped]) == [skipped]
    assert current([row(), skipped]) == [row()]


def test_quick_rows_are_never_reported(rows, tmp_path):
    for path in write(rows, tmp_path):
        text = path.read_text(encoding="utf-8")
        assert "0 of 0 checks" in text
        assert text.count("No rows yet") == len(TITLES)


# pages ----------------------------------------------------------------------------------------------------------------


def test_every_table_and_figure_has_a_section_with_figures(pages, records):
    assert set(TITLES) == {record["measurement"] for record in records}
    markdown, page = pages
    for name, title in TITLES.items():
        assert "| --- |" in section(markdown, name)
        assert f'<section id="{name}">\n<h2>{title}</h2>' in page
    for title in PARTS.values():
        assert f": {title}**" in markdown
    assert "No rows yet" not in markdown


def test_pictures_are_drawn(pages):
    for name in ("table1", "table2", "table3", "table8", "table9", "figure2", "figure3", "figure4", "figure5"):
        assert re.search(rf'<section id="{name}">(?:(?!</section>).)*<svg', pages[1], re.DOTALL), name


@pytest.mark.parametrize("name", [name for name in TABLES if "NeuMatC" in TABLES[name]])
def test_the_paper_stands_beside_both_of_our_ways(name, pages):
    printed = number(TABLES[name]["NeuMatC"].squared_error)
    text = section(pages[0], name.split()[0])
    what = "squared error, mean" if name != "table11" else "residual, worst"
    assert "| paper | our joint mode | our default" in text
    assert re.search(rf"\| [^|]*{what}[^|]*\| {re.escape(printed)} \|", text)


class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.ids, self.links = [], [], []

    def handle_starttag(self, tag, attributes):
        self.see(dict(attributes))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, _, attributes):
        self.see(dict(attributes))

    def see(self, found):
        self.ids += [found["id"]] if "id" in found else []
        self.links += [found[each] for each in ("src", "href", "xlink:href", "srcset", "data") if each in found]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_needs_nothing_from_outside(pages):
    reader = Reader()
    reader.feed(pages[1])
    assert reader.open == []
    assert len(reader.ids) == len(set(reader.ids))
    assert all(link.startswith("#") for link in reader.links)
    assert {link[1:] for link in reader.links} <= set(reader.ids)
    assert all(target.startswith("#") for target in re.findall(r"url\(['\"]?([^)]*)", pages[1]))
    assert "@import" not in pages[1]
    assert "<script" not in pages[1]


def test_every_loss_is_marked(records, tmp_path):
    def judged(record, passed):
        checks = [
            check | {"value": 0.5 if passed else 1.5, "bound": 1.0, "passed": passed} for check in record["checks"]
        ]
        return record | {"checks": checks, "passed": passed}

    won = [judged(record, True) for record in records if record["measurement"] == "table1"]
    lost = [judged(record, record["method"] != "joint") for record in won]
    for given, missed in ((won, False), (lost, True)):
        markdown, page = (each.read_text(encoding="utf-8") for each in write(kept(tmp_path / "rows", given), tmp_path))
        assert ("1.5, not ≤ 1 **LOSS**" in section(markdown, "table1")) == missed
        assert ('class="loss"' in page) == missed
        assert ("[Table 1: inverse, n = 1024](#table1): 2 lines missed" in markdown) == missed
        assert ("**2 of 4 checks held**" if missed else "**4 of 4 checks held**") in markdown


def test_the_worst_of_many_seeds_is_shown(records, tmp_path):
    (one,) = (each for each in records if each["measurement"] == "table1" and each["method"] == "default")
    several = [
        one | {"seed": seed, "case": f"{one['case']} {seed}", "squared_error": error, "error_worst": 10 * error}
        for seed, error in enumerate((1e-8, 4e-6, 1.6e-7))
    ]
    given = kept(tmp_path / "rows", [each | {"extra": each["extra"] | {"part": each["case"]}} for each in several])
    text = section(write(given, tmp_path)[0].read_text(encoding="utf-8"), "table1")
    for line in (
        "data sets | – | – | 3 |",
        "points, all data sets together | – | – | 36 |",
        "squared error, mean over data sets | 7.2×10⁻⁴ | – | 1.4×10⁻⁶",
        "squared error, worst data set | – | – | 4.0×10⁻⁶",
        "plain relative error, worst data set | – | – | 2.0×10⁻³",
        "plain relative error, worst point | – | – | 4.0×10⁻⁵",
    ):
        assert line in text


def test_what_broke_down_or_was_skipped_is_said(records, tmp_path):
    contest = [each for each in records if each["measurement"] == "table1"]
    contest[2] = contest[2] | {"status": "failed: LinAlgError", "extra": contest[2]["extra"] | {"error": "singular"}}
    gpu = next(each for each in records if each["measurement"] == "table4")
    none = gpu | {"method": "", "status": "skipped: torch sees no CUDA device on this machine"}
    whole = gpu | {"measurement": "table5", "method": "", "status": "failed: MemoryError", "extra": {"error": "full"}}
    markdown, page = write(kept(tmp_path / "rows", [*contest, none, whole]), tmp_path)
    text = markdown.read_text(encoding="utf-8")
    assert "broke down (LinAlgError: singular) **LOSS**" in section(text, "table1")
    assert "Not measured: skipped: torch sees no CUDA device" in section(text, "table4")
    assert "Every case broke down" in section(text, "table5")
    assert "Skipped for want of a GPU: table4" in text
    assert "2 runs broke down" in text
    assert "No rows yet: <code>python -m benchmarks run table2</code>" in page.read_text(encoding="utf-8")


def test_overlapping_spreads_are_no_win(records, tmp_path):
    given = [each for each in records if each["measurement"] == "table8"]
    for apart in (True, False):
        moved = [
            each
            | {"seed": seed, "case": f"{each['extra']['sampling']} collocation, seed {seed}", "squared_error": error}
            for each in given
            for seed, error in enumerate(
                (1e-3, 2e-3) if each["extra"]["sampling"] == "adaptive" else (apart * 1e-3 + 1.5e-3, 4e-3)
            )
        ]
        moved = [each | {"extra": each["extra"] | {"part": each["case"]}, "checks": []} for each in moved]
        text = section(write(kept(tmp_path / "rows", moved), tmp_path)[0].read_text(encoding="utf-8"), "table8")
        assert ("do not overlap" in text) == apart
        assert ("**LOSS**" in text) != apart


def test_the_paper_has_a_report_of_its_own(records, tmp_path, monkeypatch):
    path = kept(tmp_path / "paper.jsonl", records)
    for name, value in {"ROOT": tmp_path, "PAPER": path, "FILES": (path,)}.items():
        monkeypatch.setattr(command, name, value)
    command.report(argparse.Namespace(rows=None, output=None))
    assert "0 of 0 checks held over 0 rows" in (tmp_path / "docs" / "accuracy.md").read_text(encoding="utf-8")
    assert "No rows yet" not in (tmp_path / "benchmarks" / "REPORT.md").read_text(encoding="utf-8")
    assert (tmp_path / "benchmarks" / "REPORT.html").exists()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0.0, "0"),
        (1.0, "1"),
        (34.0, "34"),
        (0.0999, "0.10"),
        (0.05, "0.050"),
        (9.99, "10"),
        (123.4, "120"),
        (7.2e-4, "7.2×10⁻⁴"),
        (1e-8, "10⁻⁸"),
        (5.19e5, "5.2×10⁵"),
        (float("nan"), "not finite"),
    ],
)
def test_numbers_are_short(value, text):
    assert number(value) == text


def test_words_put_factors_above_one():
    assert times(4.0, "smaller", "larger") == "4 times smaller"
    assert times(0.25, "smaller", "larger") == "4 times larger"
    assert factor(2.5) == "2.5 ×"
    assert milliseconds(1234.0, (1200.0, 1300.0)) == "1.23 (1.20 – 1.30)"
    assert [listed(each) for each in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]
