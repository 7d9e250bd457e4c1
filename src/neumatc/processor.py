"""The make of the processor, which decides whose products are the faster ones.

On Intel's, torch's MKL makes small dense products of a batch up to twice as fast as NumPy's OpenBLAS; on AMD's OpenBLAS
is the faster one. There torch is left alone: two libraries that take turns have two pools of threads, which fight for
the same cores. Results agree to rounding.
"""

from __future__ import annotations

import platform
import sys
from functools import cache
from types import ModuleType

from neumatc.arrays import torch_or_none

HEAD = 4096
"""Characters of the list of processors that describe the first one."""


@cache
def is_intel() -> bool:
    """Whether this process runs on a processor made by Intel; False where the system does not tell.

    >>> is_intel() in (True, False)
    True
    """
    if sys.platform == "darwin":
        return platform.machine() == "x86_64"
    if sys.platform == "win32":
        return "GenuineIntel" in platform.processor()
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as processors:
            return "GenuineIntel" in processors.read(HEAD)
    except OSError:
        return False


def torch_if_faster() -> ModuleType | None:
    """Torch, where its products are the faster ones and the process has loaded it already; None otherwise."""
    torch = torch_or_none() if is_intel() else None
    # A torch that another thread is still importing has nothing to offer yet.
    return torch if hasattr(torch, "from_numpy") else None
