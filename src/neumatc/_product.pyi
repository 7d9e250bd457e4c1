from typing import Final

from neumatc.arrays import Array

VECTORS: Final[str]

def multiply(
    phi: Array, C: Array, out: Array, places: Array, threads: int, stream: bool, vectors: int = -1, /
) -> None: ...
def processor() -> int: ...
