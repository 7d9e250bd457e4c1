"""What the page is made of: words, grids of cells, pictures; and how each is written in Markdown and in HTML."""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["LOSS", "Block", "Cell", "Grid", "Picture", "Section", "Words", "as_html", "as_markdown"]

LOSS = "LOSS"
"""The word on everything that was missed."""


@dataclass(frozen=True)
class Cell:
    """A cell; ``mark`` is "loss", "held" or nothing."""

    text: str
    mark: str = ""


@dataclass(frozen=True)
class Words:
    """A paragraph, or a line of a list; `code`, **bold** and [links](#section) are understood."""

    text: str
    kind: str = ""


@dataclass(frozen=True)
class Grid:
    """A table. The first column names its lines."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str | Cell]]


@dataclass(frozen=True)
class Picture:
    """A drawing, inlined into the HTML page; Markdown has its caption."""

    svg: str
    caption: str


Block = Words | Grid | Picture


@dataclass(frozen=True)
class Section:
    """A table or a figure of the paper."""

    name: str
    title: str
    blocks: Sequence[Block]


def as_markdown(section: Section) -> str:
    """Return a section in Markdown."""
    body = "\n".join(_markdown(block) for block in section.blocks)
    return f'## <a id="{section.name}"></a>{section.title}\n\n{body}'


def _markdown(block: Block) -> str:
    match block:
        case Words(text, kind):
            start = "- " if kind.endswith("item") else ""
            return start + (f"**{LOSS}** " if kind.startswith("loss") else "") + text + ("" if start else "\n")
        case Picture(_, caption):
            return f"*Drawn in `REPORT.html`: {caption}*\n"
        case Grid(caption, head, rows):
            lines = [head, ["---", *["---:"] * (len(head) - 1)], *([_cell(cell) for cell in row] for row in rows)]
            table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
            return f"**{caption}**\n\n{table}\n"


def _cell(cell: str | Cell) -> str:
    if isinstance(cell, str):
        return cell
    return f"{cell.text} **{LOSS}**" if cell.mark == "loss" else cell.text


def as_html(section: Section) -> str:
    """Return a section in HTML."""
    body = "\n".join(_html(block) for block in section.blocks)
    body = re.sub(r"((?:<li\b.*?</li>\n?)+)", r"<ul>\n\1</ul>\n", body)
    return f'<section id="{section.name}">\n<h2>{html.escape(section.title)}</h2>\n{body}\n</section>'


def _html(block: Block) -> str:
    match block:
        case Words(text, kind):
            start = f'<b class="verdict">{LOSS}</b> ' if kind.startswith("loss") else ""
            tag = "li" if kind.endswith("item") else "p"
            return f'<{tag} class="{kind}">{start}{_inline(text)}</{tag}>'
        case Picture(svg, caption):
            return f"<figure>\n{svg}\n<figcaption>{_inline(caption)}</figcaption>\n</figure>"
        case Grid(caption, head, rows):
            top = "".join(f'<th scope="col">{_inline(each)}</th>' for each in head)
            body = "\n".join(f"<tr>{''.join(_td(i, cell) for i, cell in enumerate(row))}</tr>" for row in rows)
            return (
                f'<div class="wide"><table>\n<caption>{_inline(caption)}</caption>\n'
                f"<thead><tr>{top}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>"
            )


def _td(i: int, cell: str | Cell) -> str:
    text, mark = (cell.text, cell.mark) if isinstance(cell, Cell) else (cell, "")
    if i == 0:
        return f'<th scope="row">{_inline(text)}</th>'
    word = f' <b class="verdict">{LOSS}</b>' if mark == "loss" else ""
    return f'<td class="{mark}">{_inline(text)}{word}</td>' if mark else f"<td>{_inline(text)}</td>"


def _inline(text: str) -> str:
    """Return the text as HTML."""
    text = html.escape(text, quote=False)
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", text)
    text = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", text)
    return re.sub(r"\[([^\]]+)\]\((#[\w-]+)\)", r'<a href="\2">\1</a>', text)
