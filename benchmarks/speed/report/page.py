"""The page: verdict, losses, pictures, targets, all rows, limits; as Markdown with pictures, and as one HTML file."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.cases import Measurement
from benchmarks.paper.report.blocks import Block, Picture, Section, Words, as_markdown
from benchmarks.paper.report.drawing import svg
from benchmarks.paper.report.page import machines, skeleton
from benchmarks.paper.report.rows import Record, broken, current, of, skipped
from benchmarks.paper.report.words import counted
from benchmarks.record import read
from benchmarks.speed.report.figures import losses
from benchmarks.speed.report.pictures import drawings
from benchmarks.speed.report.tables import details, limits, targets
from benchmarks.speed.report.text import ABOUT, TITLE

__all__ = ["write"]

DOTS = 130
"""Per inch, of the pictures beside the Markdown page."""


def write(rows: Path, root: Path, measurements: Sequence[Measurement], quick: bool = False) -> tuple[Path, Path]:
    """Write ``docs/speed.md`` with its pictures, and ``benchmarks/SPEED.html``, from a file of rows."""
    records = current(read(rows), quick)
    drawn = drawings([record for record in records if not broken(record) and not skipped(record)])
    markdown, page, images = root / "docs" / "speed.md", root / "benchmarks" / "SPEED.html", root / "docs" / "images"
    for folder in (images, page.parent):
        folder.mkdir(parents=True, exist_ok=True)
    for each in drawn:
        # No date and no version, so that the same rows give the same file.
        each.figure.savefig(images / f"speed-{each.name}.png", dpi=DOTS, facecolor="white", metadata={"Software": None})
    linked = [Words(f"![{each.caption}](images/speed-{each.name}.png)\n\n*{each.caption}*") for each in drawn]
    inlined = [Picture(svg(each.figure, f"speed-{each.name}"), each.caption) for each in drawn]
    parts = [as_markdown(part).strip() for part in sections(records, measurements, linked)]
    markdown.write_text("\n\n".join(parts).replace("## ", "# ", 1) + "\n", encoding="utf-8")
    page.write_text(document(sections(records, measurements, inlined)), encoding="utf-8")
    return markdown, page


def sections(records: Sequence[Record], measurements: Sequence[Measurement], shown: Sequence[Block]) -> list[Section]:
    """Return the parts of the page in their order."""
    top = Section("top", TITLE, [Words(verdict(records), "lead"), *machines(records)])
    about = Section("about", "How to read this", [Words(text) for text in ABOUT])
    lost = [Words(text, "loss item" if "no target" not in text else "item") for text in losses(records)]
    where = Section("losses", "Where we lose", lost or [Words("Nowhere: every target is held.")])
    curves = Section("curves", "Curves", list(shown) or [Words("No rows yet.")])
    parts = [top, about, where, curves]
    for each in measurements:
        own = of(records, each.name)
        if own:
            parts.append(Section(each.name, each.text, blocks(own)))
    return [*parts, Section("limits", "The limits of the machine", [limits(records)])]


def blocks(own: Sequence[Record]) -> list[Block]:
    """Return the tables of one measurement, or why there are none."""
    if all(skipped(record) for record in own):
        return [Words(record["status"].capitalize() + ".", "missing") for record in own]
    held, done = targets(own), [record for record in own if not broken(record) and not skipped(record)]
    return [*([held] if held else []), *([details(done)] if done else [])]


def verdict(records: Sequence[Record]) -> str:
    """Return how many checks held."""
    checks = [check for record in records for check in record["checks"]]
    held = sum(check["passed"] for check in checks)
    return f"**{held} of {counted(len(checks), 'check')} held**, over {counted(len(records), 'row')}."


def document(parts: Sequence[Section]) -> str:
    """Return one file without anything outside of it."""
    return skeleton(TITLE, "Parts", [(part.name, part.name.removeprefix("speed-")) for part in parts[1:]], parts)
