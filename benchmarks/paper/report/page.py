"""The page: what was held, on which machine, and one section after the other, as Markdown and as HTML."""

import html
from collections.abc import Sequence
from pathlib import Path

from benchmarks.paper.report.blocks import Section, Words, as_html, as_markdown
from benchmarks.paper.report.rows import Record, broken, current, of, skipped
from benchmarks.paper.report.sections import losses, overview, sections
from benchmarks.paper.report.text import ABOUT, TITLES
from benchmarks.paper.report.words import counted, listed
from benchmarks.record import read

__all__ = ["write"]

TITLE = "The paper's tables and figures, measured again"

STYLE = Path(__file__).with_name("page.css")


def write(rows: Path, folder: Path, quick: bool = False) -> tuple[Path, Path]:
    """Write ``REPORT.md`` and ``REPORT.html`` from a file of rows; quick rows are left out unless a test wants them."""
    records = current(read(rows), quick)
    top = Section("top", TITLE, [Words(verdict(records), "lead"), *machines(records), *missed(records)])
    about = Section("about", "How to read this", [Words(text) for text in ABOUT])
    glance = Section("glance", "At a glance", [overview(records)])
    parts = [top, about, glance, *sections(records)]
    folder.mkdir(parents=True, exist_ok=True)
    markdown, page = folder / "REPORT.md", folder / "REPORT.html"
    markdown.write_text("\n".join(map(as_markdown, parts)).replace("## ", "# ", 1), encoding="utf-8")
    page.write_text(document(parts), encoding="utf-8")
    return markdown, page


def verdict(records: Sequence[Record]) -> str:
    """Return how many checks held, and what was not measured."""
    checks = [check for record in records for check in record["checks"]]
    held = sum(check["passed"] for check in checks)
    text = f"**{held} of {counted(len(checks), 'check')} held**, over {counted(len(records), 'row')}. "
    failed = sum(broken(record) for record in records)
    if failed:
        text += f"{counted(failed, 'run')} broke down. "
    none = [name for name in TITLES if not of(records, name)]
    without = [name for name in TITLES if (own := of(records, name)) and all(skipped(row) for row in own)]
    if without:
        text += f"Skipped for want of a GPU: {listed(without)}. "
    return text + (f"Without rows yet: {listed(none)}." if none else "Every table and figure has rows.")


def machines(records: Sequence[Record]) -> list[Words]:
    """Return a line for every machine, its versions and commits, and the days it was used."""
    seen: dict[str, list[Record]] = {}
    for record in records:
        versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
        device = record["extra"].get("device", "cpu")
        gpu = f" with {device}" if device != "cpu" else ""
        seen.setdefault(f"{record['cpu']}{gpu}, {counted(record['threads'], 'thread')}; {versions}", []).append(record)
    lines = []
    for text, own in seen.items():
        dates = [record["date"][:10] for record in own]
        commits = sorted({record["commit"] + (" with changes" if record["dirty"] else "") for record in own})
        days = min(dates) if min(dates) == max(dates) else f"{min(dates)} to {max(dates)}"
        lines.append(Words(f"{days}: {text}; commit {listed(commits)}", "machine item"))
    return lines


def missed(records: Sequence[Record]) -> list[Words]:
    """Return a line for every table with losses."""
    lines = []
    for name, title in TITLES.items():
        lost = losses(of(records, name))
        if lost:
            lines.append(Words(f"[{title}](#{name}): {counted(len(lost), 'line')} missed", "loss item"))
    return lines


def document(parts: Sequence[Section]) -> str:
    """Return one file without anything outside of it."""
    links = [(name, title.split(":")[0]) for name, title in TITLES.items()]
    return skeleton(TITLE, "Tables and figures", links, parts)


def skeleton(title: str, label: str, links: Sequence[tuple[str, str]], parts: Sequence[Section]) -> str:
    """Return a page of sections, with links (name, text) to them under a label."""
    listing = "\n".join(f'<a href="#{name}">{html.escape(text)}</a>' for name, text in links)
    body = "\n".join(map(as_html, parts)).replace("<h2>", "<h1>", 1).replace("</h2>", "</h1>", 1)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>NeuMatC: {html.escape(title)}</title>\n<style>\n{STYLE.read_text(encoding='utf-8')}</style>\n</head>\n"
        f'<body>\n<nav aria-label="{label}">\n{listing}\n</nav>\n<main>\n{body}\n</main>\n</body>\n</html>\n'
    )
