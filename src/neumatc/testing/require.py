"""How a law fails."""

from __future__ import annotations

from typing import Any

import numpy as np


def require(condition: Any, law: str, came: str) -> None:
    """Raise AssertionError unless ``condition``; not an ``assert``, which ``python -O`` would remove.

    Parameters
    ----------
    condition : what must hold, a truth value or an array of them; a NaN inside a comparison makes it False
    law : the sentence that must be true
    came : what was found instead
    """
    if not np.all(condition):
        raise AssertionError(f"{law} Found: {came}.")


def stream(rng: Any) -> np.random.Generator:
    """A generator for None (always the same numbers, so that a failure can be repeated), an integer or a Generator."""
    return rng if isinstance(rng, np.random.Generator) else np.random.default_rng(0 if rng is None else rng)
