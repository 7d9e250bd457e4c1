from typing import Final

from neumatc.arrays import Array

WIDE: Final[int]
VECTORS: Final[str]

def evaluate(x: Array, weights: Array, sizes: Array, out: Array, vectors: int = -1, /) -> None: ...
