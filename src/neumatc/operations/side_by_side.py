"""Operations of which several matrices can be solved side by side."""

from __future__ import annotations

from .base import Operation
from .unlocked import unlocked


class SolvedSideBySide(Operation):
    """An operation whose exact solver asks LAPACK for inverses or singular values, and lets other threads run."""

    @property
    def unlocked(self) -> bool:
        return unlocked()
