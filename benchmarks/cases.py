"""What a measurement is: a name, a sentence, and cases that yield rows."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.record import Row

__all__ = ["Case", "Measurement", "Setting"]


@dataclass(frozen=True)
class Setting:
    """How much to measure.

    Parameters
    ----------
    quick : tiny matrices and few points, to see that a measurement works; its figures mean nothing.
    seeds : how many random families, where a measurement draws some; None leaves it to the measurement.
    """

    quick: bool = False
    seeds: int | None = None

    def count(self, full: int, quick: int) -> int:
        """Pick a number by how much is to be measured."""
        return quick if self.quick else full

    def draws(self, full: int) -> range:
        """Seeds of the random families."""
        if self.seeds is not None:
            return range(self.seeds)
        return range(1 if self.quick else full)


@dataclass(frozen=True)
class Case:
    """A part of a measurement that is run, and resumed, as a whole."""

    name: str
    run: Callable[[], Iterator[Row]]


@dataclass(frozen=True)
class Measurement:
    """A group of acceptance lines.

    Parameters
    ----------
    name : on the command line and in the rows.
    text : what is measured, for `list` and the report.
    cases : the parts, for a setting.
    """

    name: str
    text: str
    cases: Callable[[Setting], Sequence[Case]]
