"""One family of exceptions and warnings.

Every error of this library is a `NeuMatCError`; most are also the built-in that older callers already catch, so
``except ValueError`` keeps working for wrong input. A message has three sentences: what was expected and what came
(with numbers and the point p), the likely cause, and what to try.
"""

import difflib
from collections.abc import Iterable

__all__ = [
    "AccuracyWarning",
    "CertificateError",
    "ExactSolveError",
    "FormatError",
    "GaugeError",
    "InputError",
    "NeuMatCError",
    "NonFiniteError",
    "OutsideBoxError",
    "PerformanceWarning",
    "RankError",
    "SingularError",
    "TrainingError",
    "UndefinedError",
    "unknown",
]


class NeuMatCError(Exception):
    """Base of everything this library raises on purpose."""


class InputError(NeuMatCError, ValueError):
    """What the caller passed, or what the caller's function answered, cannot be used."""


class NonFiniteError(InputError):
    """A number that must be finite is NaN or Inf."""


class UndefinedError(InputError):
    """A(p) cannot be computed at one point p: the caller's function raised there."""


class OutsideBoxError(InputError):
    """A point p lies outside the box on which a fit was made; nothing is ever extrapolated."""


class RankError(InputError):
    """The rank of A(p), or the rank asked for, does not fit the operation (for example it changes inside the box)."""


class ExactSolveError(NeuMatCError, RuntimeError):
    """An exact operation failed at one point p."""


class SingularError(ExactSolveError):
    """A(p) is singular to working precision at one point p, and the operation needs an inverse."""


class GaugeError(NeuMatCError, RuntimeError):
    """Factors that are unique only up to a gauge cannot be made continuous over the box."""


class TrainingError(NeuMatCError, RuntimeError):
    """A curve could not be fitted to its samples."""


class CertificateError(NeuMatCError, RuntimeError):
    """An answer failed its check and the caller asked for an exception."""


class FormatError(NeuMatCError, ValueError):
    """A stored file is damaged, of an unknown version, or not a fit at all."""


class AccuracyWarning(UserWarning):
    """The answer is usable but less accurate than what was asked for."""


class PerformanceWarning(UserWarning):
    """The answer is right but a faster way exists."""


def unknown(kind: str, name: str, known: Iterable[str]) -> InputError:
    """Build the error for a name that is not in a table of names; the caller raises it.

    Parameters
    ----------
    kind : what the name stands for, such as ``"basis"``.
    name : the name that came.
    known : the names that would have been understood.

    Examples
    --------
    >>> print(unknown("basis", "chebychev", ["sine", "chebyshev"]))
    unknown basis 'chebychev'; known: 'chebyshev', 'sine'. Did you mean 'chebyshev'?
    """
    names = sorted(known)
    listed = ", ".join(repr(each) for each in names)
    close = difflib.get_close_matches(str(name), names, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return InputError(f"unknown {kind} {name!r}; known: {listed}.{hint}")
