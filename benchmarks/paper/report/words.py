"""Numbers as a reader wants them: few digits, powers of ten, units."""

import math
from collections.abc import Sequence

__all__ = ["NONE", "counted", "factor", "listed", "milliseconds", "named", "number", "times"]

NONE = "–"
"""In place of a figure that does not exist."""

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

OURS = {"default": "our default mode", "joint": "our joint mode"}


def number(value: float | None, digits: int = 2) -> str:
    """Return a number in a few digits."""
    if value is None:
        return NONE
    if not math.isfinite(value):
        return "not finite"
    if value == int(value) and abs(value) < 1e4:
        return str(int(value))
    if 1e-2 <= abs(value) < 1e4:
        rounded = float(f"{value:.{digits - 1}e}")
        before = math.floor(math.log10(abs(rounded))) + 1
        return f"{rounded:.{max(0, digits - before)}f}"
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    power = "10" + str(int(exponent)).translate(SUPERSCRIPTS)
    return power if value == float(f"1e{exponent}") else f"{mantissa}×{power}"


def milliseconds(microseconds: float | None, spread: Sequence[float] | None = None) -> str:
    """Return a time in ms, with its quartiles."""
    if microseconds is None:
        return NONE
    text = number(microseconds / 1e3, 3)
    return f"{text} ({number(spread[0] / 1e3, 3)} – {number(spread[1] / 1e3, 3)})" if spread else text


def factor(value: float | None) -> str:
    """Return how many times."""
    return NONE if value is None else f"{number(value)} ×"


def times(value: float, more: str, less: str) -> str:
    """Return "3 times smaller" or "2 times larger", whichever puts the factor above one."""
    if not math.isfinite(value) or value <= 0:
        return f"beyond comparison {more}"
    return f"{number(value)} times {more}" if value >= 1 else f"{number(1 / value)} times {less}"


def counted(count: int, one: str, many: str | None = None) -> str:
    """Return "1 data set" or "20 data sets"."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def listed(several: Sequence[str]) -> str:
    """Return "a, b and c"."""
    return " and ".join(filter(None, (", ".join(several[:-1]), several[-1]))) if several else ""


def named(method: str) -> str:
    """Return what a method is called in a sentence."""
    return OURS.get(method, method)
