from pathlib import Path

import numpy as np
import pytest

from neumatc import store


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A file of a few hundred bytes: real and complex arrays, text and numbers in the manifest."""
    path = tmp_path / "small.nmc"
    arrays = {"C": np.array([[1.0, 2j]]), "index": np.arange(3, dtype=np.int32)}
    store.write(path, {"operation": "inv", "box": [0.0, 1.0]}, arrays)
    return path
