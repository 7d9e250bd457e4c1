"""One pool of threads while a fit runs on a CPU: that of SciPy's LAPACK, which makes the exact solves, or our own.

NumPy, SciPy and torch bring a pool of threads each, and let idle threads turn round and round for a while. A fit that
changes between them has them fight for the same cores: with two threads each on two cores it takes three times as long
as with one. So products, which are thin here, take one thread, as do torch's small tensors.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import scipy.linalg.lapack  # noqa: F401  # its library must be there to be found
import torch
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

SCIPY = ("scipy.libs", "scipy/.dylibs")
"""Where SciPy's wheels keep a library of their own."""


class _Fits:
    """How many fits run now, the number of torch's threads before the first of them, and what gives the others back."""

    lock, running, before = Lock(), 0, 1
    others: Any = None


@contextmanager
def one_pool(device: str, several: bool = False) -> Iterator[None]:
    """Let NumPy's products and torch take one thread inside, if the fit is on a CPU; they get theirs back at the end.

    These numbers belong to the process (torch's to each thread of Python, which takes over the last one that was set
    when it computes for the first time): they are limited by the first of several fits and given back by the last.
    Where NumPy and SciPy share one library nothing but torch is limited. With ``several`` SciPy's LAPACK takes one
    thread, too: several matrices are solved at once.
    """
    if device != "cpu":
        yield
        return
    with _Fits.lock:
        if not _Fits.running:
            _Fits.before = torch.get_num_threads()
            _Fits.others = _limited(several)
        _Fits.running += 1
    torch.set_num_threads(1)
    try:
        yield
    finally:
        with _Fits.lock:
            _Fits.running -= 1
            if not _Fits.running and _Fits.others is not None:
                _Fits.others.restore_original_limits()
        torch.set_num_threads(_Fits.before)


def _limited(several: bool) -> Any:
    """Limit all libraries, or all but SciPy's if that is one of its own; returns what restores them, or None."""
    found = ThreadpoolController().select(user_api="blas")
    paths = [library["filepath"] for library in found.info()]
    if several:
        return found.limit(limits=1)
    others = [path for path in paths if not any(part in path for part in SCIPY)]
    if len(others) in (0, len(paths)):
        return None
    return found.select(filepath=others).limit(limits=1)
