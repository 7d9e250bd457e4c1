"""The page on speed: rows in; Markdown with pictures beside it, and a self-contained HTML file, out.

`figures` reads rows, `tables` says them in cells, `pictures` draws them, `page` writes them down.
"""

from benchmarks.speed.report.page import write

__all__ = ["write"]
