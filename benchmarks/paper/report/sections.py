"""The sections of the page in the paper's order: a few words, then pictures, tables and explanations."""

from collections.abc import Callable, Sequence

from benchmarks.paper.report import figures, special, summaries
from benchmarks.paper.report.blocks import Block, Cell, Grid, Picture, Section, Words
from benchmarks.paper.report.contests import Contest, contests
from benchmarks.paper.report.rows import Record, broken, measured, of, skipped, worst
from benchmarks.paper.report.tables import GLANCE, baselines, glance, side_by_side
from benchmarks.paper.report.text import CURVES, FIGURES, NOTES, PARTS, TITLES, WHY
from benchmarks.paper.report.words import number

__all__ = ["losses", "overview", "sections"]

Make = Callable[[Sequence[Record]], list[Block]]


def sections(records: Sequence[Record]) -> list[Section]:
    """Return one section for every table and figure, whether or not it has rows."""
    return [Section(name, title, list(blocks(name, of(records, name)))) for name, title in TITLES.items()]


def blocks(name: str, records: Sequence[Record]) -> list[Block]:
    """Return what is said about one table or figure."""
    found = missing(name, records)
    if not found:
        found = MAKERS[name](measured(records)) if name in MAKERS else contested(records)
    found += [Words(note, "note") for note in NOTES.get(name, ())]
    lost = losses(records)
    found += [Words(text, "loss item") for text in lost]
    if lost and name in WHY:
        found.append(Words(f"**Why.** {WHY[name]}", "note"))
    return found


CONTESTED = ("table1", "table2", "table3", "table6", "table7", "table12")
"""In which methods answer the same points."""


def missing(name: str, records: Sequence[Record]) -> list[Block]:
    """Return a line for a table without figures."""
    if not records:
        return [Words(f"No rows yet: `python -m benchmarks run {name}` makes them.", "missing")]
    if all(skipped(row) for row in records):
        return [Words(f"Not measured: {records[0]['status']}.", "missing")]
    return [] if measured(records) else [Words("Every case broke down.", "missing")]


def losses(records: Sequence[Record]) -> list[str]:
    """Return a line for every check that was missed, its worst seed, and for everything that broke down."""
    lines: dict[tuple[str, str], list[Record]] = {}
    found = []
    for row in records:
        case = row["case"].rsplit(", seed", 1)[0]
        where = case if row["method"] in ("", case) else f"{case}, {row['method']}"
        for check in row["checks"]:
            lines.setdefault((where, check["quantity"]), []).append(check)
        if broken(row):
            why = row["extra"].get("error", "")
            found.append(f"{where}: broke down ({row['status'].removeprefix('failed: ')}: {why}).")
    for (where, quantity), checks in lines.items():
        missed = [check for check in checks if not check["passed"]]
        if missed:
            value = worst([float(check["value"]) for check in missed])
            of_all = f" (missed by {len(missed)} of {len(checks)})" if len(checks) > 1 else ""
            bound = number(float(missed[0]["bound"]))
            found.append(f"{where}: {quantity} = {number(value)}, allowed {bound}{of_all}.")
    return found


def overview(records: Sequence[Record]) -> Grid:
    """Return all contests at a glance, and the state of the other sections."""
    rows: list[list[str | Cell]] = []
    for name, title in TITLES.items():
        own = of(records, name)
        found = list(contests(own)) if name in CONTESTED else []
        rows += [glance(contest, f"[{title_of(contest)}](#{name})") for contest in found]
        if not found:
            checks = [check for row in own for check in row["checks"]]
            held = sum(check["passed"] for check in checks)
            state = "no rows yet" if not own else "no GPU here" if all(skipped(row) for row in own) else "see there"
            mark: str | Cell = (
                Cell(f"{held} of {len(checks)}", "held" if held == len(checks) else "loss") if checks else state
            )
            rows.append([f"[{title}](#{name})", *["–"] * (len(GLANCE) - 2), mark])
    return Grid(
        "Mean squared errors, and speed relative to NumPy: the better of alone and in a batch",
        GLANCE,
        rows,
    )


def title_of(contest: Contest) -> str:
    """Return what a contest is called."""
    measurement, part = contest.table.split()[0], PARTS.get(contest.table)
    title = TITLES[measurement]
    return f"{title.split(':')[0]}: {part}" if part else title


def contested(records: Sequence[Record]) -> list[Block]:
    """Methods that answer the same points."""
    found, failures = list(contests(records)), [row for row in records if broken(row)]
    made: list[Block] = []
    for contest in found:
        start = f"**{PARTS[contest.table]}.** " if contest.table in PARTS else ""
        made.append(Words(start + summaries.contest(contest), "lead"))
    crowded = [contest for contest in found if len(contest.entrants) > 3]
    if crowded:
        name = records[0]["measurement"]
        made.append(
            Picture(
                figures.tradeoff(crowded, [title_of(contest) for contest in crowded], f"{name}-tradeoff"),
                FIGURES["tradeoff"],
            )
        )
    for contest in found:
        made.append(side_by_side(contest, title_of(contest)))
        made.append(baselines(contest, title_of(contest), failures))
    return made


def sampled(records: Sequence[Record]) -> list[Block]:
    """Table 8."""
    text, apart = summaries.sampling(records)
    grid = special.variants(records, "table8", "sampling")
    return [Words(text, "lead" if apart else "loss lead"), Picture(figures.strip(records), FIGURES["table8"]), grid]


def activated(records: Sequence[Record]) -> list[Block]:
    """Table 9."""
    return [
        Words(summaries.variants(records, "table9", "activation"), "lead"),
        Picture(figures.bars(records), FIGURES["table9"]),
        special.variants(records, "table9", "activation"),
    ]


def decayed(records: Sequence[Record]) -> list[Block]:
    """Figures 2, 6 and 7."""
    drawn = {"figure2": figures.decays, "figure6": figures.inverses, "figure7": figures.factors}
    rows = [
        [row["case"], CURVES.get(name, name), summaries.modes(values)]
        for row in records
        for name, values in row["extra"]["decay"].items()
    ]
    return [
        Words(summaries.decay(records), "lead"),
        *(Picture(draw(records), FIGURES[name]) for name, draw in drawn.items()),
        Grid(f"Singular values above {number(summaries.LEVEL)} of the largest", ("family", "stack of", "count"), rows),
    ]


def drawn_entries(records: Sequence[Record]) -> list[Block]:
    """Figure 3."""
    rows = [
        [row["case"], CURVES.get(name, name), f"{number(100 * summaries.jumps(curves))}%"]
        for row in records
        for name, curves in row["extra"]["entries"].items()
    ]
    return [
        Words(summaries.entries(records), "lead"),
        Picture(figures.entries(records, "channel"), FIGURES["figure3 real"]),
        Picture(figures.entries(records, "synthetic"), FIGURES["figure3 synthetic"]),
        Grid(
            "Largest step between neighbouring points, of the range of the entry",
            ("family", "entries of", "step"),
            rows,
        ),
    ]


def grown(records: Sequence[Record]) -> list[Block]:
    """Figure 4."""
    head = ("", "NumPy, ms", "our default mode, ms", "in a batch, each, ms", "NumPy / ours", "relative error, worst")
    rows = [
        [
            row["case"],
            number(row["baseline_us"] / 1e3, 3),
            number(row["online_us"] / 1e3, 3),
            number(row["extra"]["batch_us"] / 1e3, 3) if "batch_us" in row["extra"] else "–",
            number(row["baseline_us"] / (row["extra"].get("batch_us") or row["online_us"])),
            number(float(row["error_worst"])),
        ]
        for row in records
    ]
    return [
        Words(summaries.growth(records), "lead"),
        Picture(figures.growth(records), FIGURES["figure4"]),
        Grid("Times", head, rows),
    ]


def swept(records: Sequence[Record]) -> list[Block]:
    """Figure 5."""
    rows = [
        [
            name,
            f"{value:g}",
            *(number(each) for each in (summaries.average(some), max(float(r["squared_error"]) for r in some))),
        ]
        for name, own in special.by(records, lambda row: row["extra"]["hyperparameter"]).items()
        for value, some in special.by(own, lambda row: row["extra"]["value"]).items()
    ]
    head = ("hyperparameter", "value", "squared error, mean", "worst seed")
    return [
        Words(summaries.hyperparameters(records), "lead"),
        Picture(figures.hyperparameters(records), FIGURES["figure5"]),
        Grid("Squared errors of joint training", head, rows),
    ]


MAKERS: dict[str, Make] = {
    "table4": lambda rows: [Words(summaries.gpu(rows), "lead"), special.processors(rows)],
    "table5": lambda rows: [Words(summaries.gpu(rows), "lead"), special.amortised(rows)],
    "table8": sampled,
    "table9": activated,
    "table11": lambda rows: [Words(summaries.sparse(rows), "lead"), *special.sparse(rows)],
    "table13": lambda rows: [Words(summaries.gpu(rows), "lead"), special.batched(rows)],
    "figure2": decayed,
    "figure3": drawn_entries,
    "figure4": grown,
    "figure5": swept,
}
"""What makes a section; a contest where nothing is said."""
