"""Manners at a shell: clean messages, exit codes, progress on stderr."""

from __future__ import annotations

import functools
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from neumatc.errors import AccuracyWarning, CertificateError, NeuMatCError, PerformanceWarning, TrainingError

if TYPE_CHECKING:
    from neumatc.demo import Tell

__all__ = ["Missed", "Numbers", "Wrong", "file_to_write", "polite", "progress", "say"]

BAR = "{percentage:3.0f}% |{bar:24}| {elapsed}, about {remaining} left: {desc}"

Command = TypeVar("Command", bound=Callable[..., None])


class Missed(click.ClickException):
    """A tolerance was not reached, or a certificate failed."""

    exit_code = 1


class Wrong(click.ClickException):
    """Usage or input was wrong."""

    exit_code = 2


class Numbers(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic from click 8.4 on
    """Numbers separated by commas, such as ``lo,hi``."""

    def __init__(self, name: str, count: int | None = None) -> None:
        self.name, self.count = name, count

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        """Read them, or say what was expected."""
        try:
            numbers = tuple(float(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"expected {self.name}, numbers separated by commas, but came {value!r}.", param, ctx)
        if self.count not in (None, len(numbers)):
            self.fail(f"expected {self.name}, {self.count} numbers, but came {value!r}.", param, ctx)
        return numbers


def file_to_write(ctx: click.Context, param: click.Parameter, value: Path | None) -> Path | None:
    """Refuse a file in a missing folder at once, and not after minutes of fitting."""
    if value is not None and not value.parent.is_dir():
        raise click.BadParameter(f"there is no folder {value.parent}.", ctx, param)
    return value


def polite(command: Command) -> Command:
    """Show errors of the library as one message and its warnings as one line each, and set the exit code."""

    @functools.wraps(command)
    def shown(*args: Any, **options: Any) -> None:
        try:
            with _warnings_as_lines():
                command(*args, **options)
        except (TrainingError, CertificateError) as error:
            raise Missed(str(error)) from error
        except BrokenPipeError:
            raise  # the reader of a pipe has gone, as `head` does; click ends quietly
        except (NeuMatCError, OSError) as error:
            raise Wrong(str(error)) from error

    return shown  # type: ignore[return-value]


@contextmanager
def _warnings_as_lines() -> Iterator[None]:
    with warnings.catch_warnings():
        for kind in (AccuracyWarning, PerformanceWarning):
            warnings.simplefilter("always", kind)
        warnings.showwarning = _show_warning
        yield


def _show_warning(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, file: Any = None, line: Any = None
) -> None:
    del category, filename, lineno, file, line  # the place in the code means nothing to somebody at a shell
    say(f"Warning: {message}")


def say(text: str) -> None:
    """Write a line to stderr, above a progress bar if there may be one."""
    tqdm = sys.modules.get("tqdm")
    if tqdm is None:
        click.echo(text, err=True)
    else:
        tqdm.tqdm.write(text, file=sys.stderr)


@contextmanager
def progress() -> Iterator[Tell]:
    """A bar with an estimate of the time left on a terminal; a line for each step elsewhere."""
    if not sys.stderr.isatty():
        yield _lines()
        return
    try:
        from tqdm import tqdm
    except ModuleNotFoundError:
        yield _lines()
        return
    # No smoothing: the parts are expected seconds, so the average over the whole job is the best guess.
    with tqdm(total=1.0, smoothing=0, leave=False, bar_format=BAR) as bar:

        def show(text: str, part: float) -> None:
            bar.set_description_str(text, refresh=False)
            bar.update(part - bar.n)

        yield show


def _lines() -> Tell:
    start, last = time.perf_counter(), ""

    def show(text: str, part: float) -> None:
        nonlocal last
        if text == last:
            return
        last, spent = text, time.perf_counter() - start
        left = f", about {spent * (1 - part) / part:.0f} s left" if part > 0 else ""
        say(f"[{100 * part:3.0f} %, {spent:.0f} s{left}] {text}")

    return show
