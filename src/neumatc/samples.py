"""Points that were solved exactly, and what came out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neumatc.arrays import Array


@dataclass(frozen=True)
class Samples:
    """Parameter points and, where they are kept, the exact factors there; immutable.

    Parameters
    ----------
    points : (m, D) in the user's units, in the order in which they were solved
    factors : name -> (m, rows, columns); empty where the factors live on in the latent tensor only
    """

    points: Array
    factors: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.points)

    def __add__(self, other: Samples) -> Samples:
        factors = {name: np.concatenate([self.factors[name], other.factors[name]]) for name in self.factors}
        return Samples(np.concatenate([self.points, other.points]), factors)
