"""Work on several large matrices at once, by threads that live as long as it takes.

Whatever they call must be safe in threads, and gains only while it lets go of Python's lock: LAPACK without SciPy's
wrappers, NumPy's products, our own.
"""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

from neumatc.arrays import Array
from neumatc.products import processor, threads

Items = TypeVar("Items", Array, list[Any])

LARGE = 1 << 16
"""Numbers of a matrix from which work on several of them is worth a thread each."""


AHEAD = 4
"""Items that may wait for the thread behind."""


class SideBySide:
    """What an executor does, here and on as many other threads as a product may take."""

    def map(self, function: Callable[..., Any], *items: Any) -> Iterator[Any]:
        """``function`` of every item, in order."""
        jobs = list(zip(*items, strict=True))
        left, found = deque(enumerate(jobs)), [Future[Any]() for _ in jobs]

        def work() -> None:
            with suppress(IndexError):  # nothing is left
                while True:
                    i, job = left.popleft()
                    _settle(found[i], function, job)

        helpers = min(threads(), len(jobs)) - 1
        if helpers > 0:
            with _elsewhere(helpers) as pool:
                for _ in range(helpers):
                    pool.submit(work)
                work()
        else:
            work()
        return iter([each.result() for each in found])


def _settle(found: Future[Any], function: Callable[..., Any], job: Any) -> None:
    """What the function returns, or raises: the first error of all is raised, whoever meets another one earlier."""
    try:
        found.set_result(function(*job))
    except Exception as cause:
        found.set_exception(cause)


def behind(function: Callable[..., Any], items: Iterable[tuple[Any, ...]]) -> list[Any]:
    """``function(*item)`` of every item on a thread of its own, while the next items are made here."""
    found: list[Future[Any]] = []
    with _elsewhere(1) as pool:
        for item in items:
            found.append(pool.submit(function, *item))
            if len(found) > AHEAD:
                found[-AHEAD].result()
        return [each.result() for each in found]


def _elsewhere(helpers: int) -> ThreadPoolExecutor:
    """Threads that keep away from the processor on which they are called for."""
    return ThreadPoolExecutor(helpers, initializer=_leave, initargs=(processor(),))


def _leave(processor: int) -> None:
    """Keep this thread away from a processor.

    New threads begin where they were started, and a virtual machine may leave them there for milliseconds: as long as
    they have work to do.
    """
    if hasattr(os, "sched_setaffinity"):
        others = os.sched_getaffinity(0) - {processor}
        if others:
            os.sched_setaffinity(0, others)


def is_large(shape: tuple[int, ...]) -> bool:
    """Whether matrices of that shape are worth a thread each, where there are several."""
    return threads() > 1 and math.prod(shape) >= LARGE


def mapper(shape: tuple[int, ...]) -> Callable[..., Iterable[Any]]:
    """``map`` for matrices of that shape, by several threads where these are worth it."""
    return SideBySide().map if is_large(shape) else map


def in_groups(items: Items) -> list[Items]:
    """Items, such as points (M, D), in groups that are worked on at once."""
    size = 2 * threads()
    return [items[i : i + size] for i in range(0, len(items), size)]
