from typing import Final

from neumatc.arrays import Array

VECTORS: Final[str]

def multiply(
    phi: Array, products: tuple[tuple[Array, Array, Array | None, bool], ...], threads: int, vectors: int = -1, /
) -> bool: ...
def square(x: Array, vectors: int = -1, /) -> float: ...
def processor() -> int: ...
