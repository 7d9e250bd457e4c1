"""Tables that are no contest on the same points: 4, 5 and 13 on a GPU, 8 and 9 of joint training, 11."""

from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.paper.published import TABLES
from benchmarks.paper.report.blocks import Cell, Grid
from benchmarks.paper.report.printed import TABLE4, TABLE5, TABLE11_OFFLINE, TABLE11_OVERALL, TABLE13
from benchmarks.paper.report.rows import Record, mean, real, worst
from benchmarks.paper.report.tables import checked, verdict
from benchmarks.paper.report.words import NONE, factor, milliseconds, number

__all__ = ["amortised", "batched", "krylov", "processors", "sparse", "variants"]

Line = list[str | Cell]


def variants(records: Sequence[Record], table: str, name: str) -> Grid:
    """Tables 8 and 9: joint training in several ways, each over several seeds."""
    head = (name, "paper", "our joint mode: mean", "best seed", "worst seed", "plain relative error, mean", "seeds",
            "worst seed / the paper's")  # fmt: skip
    rows: list[Line] = []
    for variant, own in by(records, lambda row: row["extra"].get(name)).items():
        squared = [float(row["squared_error"]) for row in own]
        printed = TABLES[table].get(variant)
        checks = [check for row in own for check in row["checks"]]
        hardest = max(checks, key=lambda check: float(check["value"]), default=None)
        rows.append(
            [
                variant,
                number(printed.squared_error if printed else None),
                number(mean(squared)),
                number(min(squared)),
                number(worst(squared)),
                number(mean([value**0.5 for value in squared])),
                str(len(own)),
                verdict(hardest) if hardest else NONE,
            ]
        )
    return Grid("Squared errors", head, rows)


def by(records: Sequence[Record], key: Callable[[Record], Any]) -> dict[Any, list[Record]]:
    """Group the rows."""
    found: dict[Any, list[Record]] = {}
    for record in records:
        found.setdefault(key(record), []).append(record)
    return found


def krylov(records: Sequence[Record]) -> Record | None:
    """Return the row of Krylov recycling."""
    return next((row for row in records if row["method"] == "GCRO-DR"), None)


def all_ms(row: Record | None) -> float | None:
    """Return the milliseconds of all systems of table 11."""
    return None if row is None else real(row["extra"].get("all_ms"))


def quotient(slow: float | None, fast: float | None) -> float | None:
    """Return how many times faster, if both are known."""
    return slow / fast if slow is not None and fast else None


def sparse(records: Sequence[Record]) -> list[Grid]:
    """Table 11: the paper and ours, then what both are compared with."""
    printed = TABLES["table11"]
    paper, recycled = printed["NeuMatC"], printed["Krylov"]
    joint: list[Record | None] = [row for row in records if row["method"].startswith("joint")]
    ours = [*(joint or [None]), *(r for r in records if r["method"].startswith("default"))]
    others = [row for row in records if not row["method"].startswith(("joint", "default"))]
    slow, paper_ratio = all_ms(krylov(records)), quotient(recycled.milliseconds, paper.milliseconds)

    def overall(row: Record) -> float | None:
        fast = all_ms(row)
        return None if fast is None else quotient(slow, fast + 1e3 * (real(row["offline_seconds"]) or 0.0))

    def line(name: str, text: str, value: Callable[[Record], str | Cell]) -> Line:
        return [name, text, *(value(row) if row else NONE for row in ours)]

    rows = [
        line("exact solves", "20", lambda r: str(r["samples"])),
        line("relative residual, worst", number(paper.squared_error), lambda r: number(real(r["residual_worst"]))),
        line("relative residual, median", NONE, lambda r: number(real(r["residual_median"]))),
        line("all systems at once, ms", number(paper.milliseconds, 3), lambda r: number(all_ms(r), 3)),
        line("one of them, ms (quartiles)", NONE, lambda r: milliseconds(real(r["online_us"]), r["online_spread"])),
        line("before the first answer, s", number(TABLE11_OFFLINE, 3), lambda r: number(real(r["offline_seconds"]), 3)),
        line(
            "times faster than Krylov recycling (GCRO-DR)",
            factor(paper_ratio),
            lambda r: against(quotient(slow, all_ms(r)), paper_ratio),
        ),
        line(
            "the same, preparation and training counted",
            factor(TABLE11_OVERALL),
            lambda r: against(overall(r), TABLE11_OVERALL),
        ),
        *checked([row["checks"] if row else [] for row in ours]),
    ]
    head = ("", "paper", *(f"our {row['method'] if row else 'joint'} mode" for row in ours))
    baselines: list[Line] = [
        [
            row["method"],
            number(recycled.milliseconds, 3) if row is krylov(records) else NONE,
            number(recycled.squared_error) if row is krylov(records) else NONE,
            number(all_ms(row), 3),
            number(real(row["residual_worst"])),
            str(row["points"]),
        ]
        for row in others
    ]
    second = ("baseline", "paper, ms", "paper, residual", "all systems, ms", "residual, worst", "systems solved")
    return [Grid("Table 11: side by side", head, rows), Grid("Table 11: baselines", second, baselines)]


def against(ours: float | None, paper: float | None) -> str | Cell:
    """Return a ratio, a loss where it is below the paper's."""
    if ours is None or paper is None:
        return factor(ours)
    return Cell(factor(ours), "held" if ours >= paper else "loss")


def processors(records: Sequence[Record]) -> Grid:
    """Table 4: one answer on both kinds of processor."""
    head = ("n", "paper, CPU, ms", "paper, GPU, ms", "paper, CPU / GPU", "our default mode, CPU, ms (quartiles)",
            "GPU, ms (quartiles)", "CPU / GPU", "relative error, worst", "device")  # fmt: skip
    rows: list[Line] = []
    for n, own in sorted(by(records, lambda row: row["n"]).items()):
        slow, fast = TABLE4.get(n, (None, None))
        cpu = next((row for row in own if row["extra"]["device"] == "cpu"), None)
        gpu = next((row for row in own if row["extra"]["device"] != "cpu"), None)
        timed = [milliseconds(real(row["online_us"]), row["online_spread"]) if row else NONE for row in (cpu, gpu)]
        ratio = quotient(cpu["online_us"], gpu["online_us"]) if cpu and gpu else None
        error = worst([float(row["error_worst"]) for row in own if row["error_worst"] is not None])
        device = gpu["extra"]["device"] if gpu else "cpu"
        paper = (number(slow), number(fast), factor(quotient(slow, fast)))
        rows.append([str(n), *paper, *timed, factor(ratio), number(error), device])
    return Grid("One answer of the inverse", head, rows)


def amortised(records: Sequence[Record]) -> Grid:
    """Table 5: exact solves, training and answers, beside cuSOLVER on the whole batch."""
    head = ("batch", "paper, cuSOLVER, ms", "paper, all in, ms", "paper, ratio", "cuSOLVER, ms",
            "our default mode, all in, ms", "ratio", "answers alone, ms", "device")  # fmt: skip
    rows: list[Line] = []
    for row in sorted(records, key=lambda row: row["extra"]["batch"]):
        batch = row["extra"]["batch"]
        slow, fast = TABLE5.get(batch, (None, None))
        theirs, ours = 1e3 * float(row["extra"]["baseline_seconds"]), 1e3 * float(row["extra"]["all_in_seconds"])
        paper = (number(slow, 3), number(fast, 3), factor(quotient(slow, fast)))
        ratio = against(theirs / ours, quotient(slow, fast))
        answers = number(float(row["online_us"]) * batch / 1e3, 3)
        rows.append([str(batch), *paper, number(theirs, 3), number(ours, 3), ratio, answers, row["extra"]["device"]])
    return Grid("Rank-20 SVDs of a whole batch, everything counted", head, rows)


def batched(records: Sequence[Record]) -> Grid:
    """Table 13: whole batches beside every driver of cuSOLVER."""
    head = ("operation, n, batch", "paper, cuSOLVER, ms", "paper, NeuMatC, ms", "paper, ratio", "solver here", "its ms",
            "our default mode, ms (quartiles)", "ratio", "device")  # fmt: skip
    rows: list[Line] = []
    for row in records:
        batch = row["extra"]["batch"]
        slow, fast = TABLE13.get((row["operation"], row["n"], batch), (None, None))
        theirs, ours = float(row["baseline_us"]) * batch, float(row["online_us"]) * batch
        spread = [value * batch for value in row["online_spread"]]
        paper = (number(slow), number(fast), factor(quotient(slow, fast)))
        ratio = against(theirs / ours, quotient(slow, fast))
        name, device = f"{row['operation']}, {row['n']}, {batch}", row["extra"]["device"]
        mine = (number(theirs / 1e3, 3), milliseconds(ours, spread), ratio)
        rows.append([name, *paper, row["baseline"], *mine, device])
    return Grid("Whole batches", head, rows)
