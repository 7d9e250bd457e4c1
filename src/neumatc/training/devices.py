"""Between NumPy and the device of a fit: on a CPU all that is as large as A stays NumPy's."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from neumatc.arrays import Array, as_numpy
from neumatc.gauge import Factors


def there(X: Array, device: str) -> Any:
    """An array where the fit computes: as it is on a CPU, else a tensor."""
    return X if device == "cpu" else torch.from_numpy(np.ascontiguousarray(X)).to(device)


def to_numpy(F: Factors) -> Factors:
    """Factors on any device as NumPy arrays."""
    return {name: as_numpy(X, name) for name, X in F.items()}
