from typing import Final

from neumatc.arrays import Array

VECTORS: Final[str]

def multiply(
    phi: Array, C: Array, out: Array, places: Array | None, threads: int, stream: bool, vectors: int = -1, /
) -> bool: ...
def square(x: Array, vectors: int = -1, /) -> float: ...
def processor() -> int: ...
