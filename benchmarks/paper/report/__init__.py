"""The report on the paper's tables and figures: rows in, one page out, as Markdown and as a self-contained HTML file.

Data flows downwards: `rows` picks what counts, `contests` reads the tables in which methods compete, `tables`,
`summaries` and `figures` say it in cells, words and pictures, `sections` puts them in the paper's order, and `page`
writes them down by way of `blocks`.
"""

from benchmarks.paper.report.page import write

__all__ = ["write"]
