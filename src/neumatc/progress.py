"""Progress of a fit: silent unless asked, then a bar on the terminal or the caller's own function."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from neumatc.errors import InputError
from neumatc.history import Event


@contextmanager
def progress_of(progress: Any, samples: int) -> Iterator[Callable[[Event], None]]:
    """A function that is told every event of a fit with at most ``samples`` exact solves."""
    if progress is None or progress is False:
        yield _silent
    elif callable(progress):
        yield progress
    elif progress is True:
        with _bar(samples) as report:
            yield report
    else:
        raise InputError(
            f"`progress` must be True, a callable or None, got {progress!r}. "
            "A callable receives every event of the fit. Pass progress=True for a bar on the terminal."
        )


def _silent(event: Event) -> None:
    del event


@contextmanager
def _bar(samples: int) -> Iterator[Callable[[Event], None]]:
    try:
        from tqdm import tqdm
    except ImportError as cause:
        raise InputError(
            "progress=True needs the package tqdm, which is not installed. "
            "It belongs to the extra 'cli'. Install neumatc[cli], or pass your own callable."
        ) from cause
    with tqdm(total=samples, unit="solve", leave=False, disable=None) as bar:

        def report(event: Event) -> None:
            if event.stage == "solve":
                bar.update(int(event.numbers.get("count", bar.n + 1)) - bar.n)
            else:
                bar.set_postfix_str(event.text[:60])

        yield report
