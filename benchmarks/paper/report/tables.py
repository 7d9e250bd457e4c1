"""The tables in which methods compete, in cells: the paper, our two ways, and then the baselines."""

from collections.abc import Callable, Sequence

from benchmarks.paper.published import TABLES, Published
from benchmarks.paper.report.blocks import Cell, Grid
from benchmarks.paper.report.contests import OURS, Contest, Entrant
from benchmarks.paper.report.rows import Record, mean, real, worst
from benchmarks.paper.report.words import NONE, counted, factor, milliseconds, number

__all__ = ["GLANCE", "baselines", "checked", "glance", "side_by_side", "verdict"]

HEAD = ("", "paper", "our joint mode", "our default mode")

SOME = ("its three factors as the map holds them, ms", "squared error of the exact factors on the span of the results")
"""Lines of some tables only."""


def side_by_side(contest: Contest, title: str) -> Grid:
    """Return the paper's figures beside ours."""
    printed, speed = contest.printed, contest.printed_ratio
    root = None if printed.squared_error is None else printed.squared_error**0.5
    paper_ms = NONE if printed.milliseconds is None else number(printed.milliseconds, 3)

    def line(name: str, paper: str, value: Callable[[Entrant], str]) -> list[str | Cell]:
        return [name, paper, *(value(each) if each else NONE for each in contest.ours)]

    rows: list[list[str | Cell]] = [
        line("data sets", NONE, lambda e: str(len(e.rows))),
        line("points, all data sets together", NONE, lambda e: str(sum(row["points"] for row in e.rows))),
        line("exact solves", NONE, lambda e: number_of(e, "samples")),
        line("squared error, mean over data sets", number(printed.squared_error), lambda e: number(e.mean_squared)),
        line("squared error, worst data set", NONE, lambda e: number(worst(e.squared))),
        line("plain relative error, mean over data sets", number(root), lambda e: number(mean(e.relative))),
        line("plain relative error, worst data set", NONE, lambda e: number(worst(e.relative))),
        line("plain relative error, worst point", NONE, lambda e: number(e.worst_error)),
        line("one answer alone, ms (quartiles)", paper_ms, lambda e: milliseconds(e.alone_us, spread(e))),
        line("one answer of a batch, ms (quartiles)", paper_ms, lambda e: milliseconds(e.batch_us, spread(e, "batch"))),
        line("its three factors as the map holds them, ms", paper_ms, lambda e: number(e.smooth_ms, 3)),
        line("squared error of the exact factors on the span of the results", NONE, lambda e: number(e.floor)),
        line("GFLOPs of one answer", number(printed.gflops), lambda e: number(gflops(e))),
        line(
            "times faster than NumPy, alone", factor(speed), lambda e: factor(contest.faster(e, contest.reference)[0])
        ),
        line(
            "times faster than NumPy, in a batch",
            factor(speed),
            lambda e: factor(contest.faster(e, contest.reference)[1]),
        ),
    ]
    if contest.lapack:
        rows += [
            line(
                f"times faster than the best LAPACK, {how}",
                NONE,
                lambda e, i=i: factor(contest.faster(e, contest.lapack)[i]),  # type: ignore[misc]
            )
            for i, how in enumerate(("alone", "in a batch"))
        ]
    rows.append(line("before the first answer, s", NONE, lambda e: number(real(e.timed["offline_seconds"]))))
    rows = [row for row in rows if row[0] not in SOME or any(cell != NONE for cell in row[2:])]
    return Grid(title, HEAD, rows + checked([each.checks if each else [] for each in contest.ours]))


def checked(columns: Sequence[Sequence[Record]]) -> list[list[str | Cell]]:
    """Return a line for every check: value, bound and verdict in each of our columns."""
    quantities = dict.fromkeys(check["quantity"] for checks in columns for check in checks)
    return [
        [
            f"check: {quantity}",
            NONE,
            *(next((verdict(c) for c in checks if c["quantity"] == quantity), NONE) for checks in columns),
        ]
        for quantity in quantities
    ]


def verdict(check: Record) -> Cell:
    """Return one check in a cell."""
    value, bound = (number(real(check[name])) for name in ("value", "bound"))
    return Cell(f"{value} ≤ {bound}", "held") if check["passed"] else Cell(f"{value}, not ≤ {bound}", "loss")


def baselines(contest: Contest, title: str, failures: Sequence[Record]) -> Grid:
    """Return all baselines, those that broke down too."""
    rows: list[list[str | Cell]] = [baseline_line(contest, each) for each in contest.others]
    for row in failures:
        if row["extra"].get("table") == contest.table:
            what = f"{row['status'].removeprefix('failed: ')}: {row['extra'].get('error', '')}"
            seed = f", seed {row['seed']}"
            rows.append([row["method"] + seed, *[NONE] * 8, Cell(f"broke down ({what[:80]})", "loss")])
    head = (
        "baseline", "paper, ms", "paper, squared error", "ms alone (quartiles)", "GFLOPs", "NumPy / this",
        "squared error, mean", "worst data set", "relative error, worst point", "answers",
    )  # fmt: skip
    return Grid(f"{title}: baselines", head, rows)


def baseline_line(contest: Contest, each: Entrant) -> list[str | Cell]:
    """Return one baseline."""
    printed = TABLES[contest.table].get(each.timed["extra"].get("printed") or "", Published())
    paper = "MP" if printed.squared_error == 0 else number(printed.squared_error)
    start: list[str | Cell] = [
        each.method,
        NONE if printed.milliseconds is None else number(printed.milliseconds, 3),
        paper,
        milliseconds(each.alone_us, spread(each)),
        number(gflops(each)),
        factor(contest.faster(each, contest.reference)[0]),
    ]
    answers = f"{counted(len(each.rows), 'set')} of {each.timed['calls']}"
    if each is contest.reference:
        return [*start, "reference", NONE, NONE, answers]
    return [*start, number(each.mean_squared), number(worst(each.squared)), number(each.worst_error), answers]


def spread(entrant: Entrant, kind: str = "alone") -> Sequence[float] | None:
    """Return the quartiles of a time, where they were kept."""
    row = entrant.timed
    found: Sequence[float] | None = row["extra"].get("batch_spread") if kind == "batch" else row["online_spread"]
    return found


def gflops(entrant: Entrant) -> float | None:
    """Return the counted operations of one answer."""
    value = real(entrant.timed["extra"].get("gflops"))
    return value if value == value else None  # NaN where nobody counted


def number_of(entrant: Entrant, name: str) -> str:
    """Return a whole number of the timed row."""
    value = entrant.timed[name]
    return NONE if value is None else str(value)


def glance(contest: Contest, title: str) -> list[str | Cell]:
    """Return a line of the overview."""
    checks = [check for each in contest.ours if each for check in each.checks]
    missed = [check for check in checks if not check["passed"]]
    ratios = [max(filter(None, contest.faster(each, contest.reference)), default=None) for each in contest.ours]
    text = f"{len(checks) - len(missed)} of {len(checks)}"
    return [
        title,
        number(contest.printed.squared_error),
        *(number(each.mean_squared) if each else NONE for each in contest.ours),
        factor(contest.printed_ratio),
        *map(factor, ratios),
        Cell(text, "loss" if missed else "held") if checks else NONE,
    ]


GLANCE = (
    "table", "squared error: paper", *(f"our {name} mode" for name in OURS),
    "times faster than NumPy: paper", *(f"our {name} mode" for name in OURS), "checks held",
)  # fmt: skip
"""Head of the overview."""
