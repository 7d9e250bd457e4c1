"""What the machine can do: multiply, read and write, timed in the same turns as what is compared with it."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from benchmarks.speed.clock import Turns
from neumatc.arrays import Array, is_complex, real_dtype
from neumatc.products import product

__all__ = ["Limits", "columns", "filling", "in_cache", "measured", "multiplying", "reading"]

GEMM = 512
"""Size of the matrices whose product gives the rate of multiplications."""

CACHED, WIDE = 1 << 17, 4096
"""Numbers of C and of results that stay in the cache, and fewest columns for which a call is not what it costs."""

Calls = Mapping[str, Callable[[], Any]]


@dataclass(frozen=True)
class Limits:
    """Rates of this machine, by its fastest call; None where it was not asked.

    Parameters
    ----------
    gemm_gflops : of a product of two dense matrices in double precision.
    read_gbs, read_bytes : reading an array of so many bytes again and again, by a sum or a dot product with itself.
    fill_gbs, fill_bytes : writing one number all over a buffer of so many bytes that is used again.
    """

    gemm_gflops: float | None = None
    read_gbs: float | None = None
    read_bytes: int | None = None
    fill_gbs: float | None = None
    fill_bytes: int | None = None

    def record(self) -> dict[str, Any]:
        """Those that were measured."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def multiplying() -> Calls:
    """Products by both libraries."""
    rng = np.random.default_rng(7)
    A, B = rng.standard_normal((2, GEMM, GEMM))
    X, S, T = np.empty_like(A), torch.from_numpy(A), torch.from_numpy(B)
    Y = torch.empty_like(S)
    return {"gemm numpy": partial(np.matmul, A, B, out=X), "gemm torch": partial(torch.mm, S, T, out=Y)}


def in_cache(phi: Array, C: Array) -> Calls:
    """The library's product ``phi (B, d) @ C`` on so few columns of C that they stay in the cache."""
    tile = np.ascontiguousarray(C[:, : columns(C, len(phi))])
    return {"cached": partial(product, phi, tile, np.empty((len(phi), tile.shape[1]), tile.dtype))}


def columns(C: Array, batch: int) -> int:
    """Return how many columns of C are multiplied in the cache."""
    d, every = C.shape
    return min(every, max(WIDE, CACHED // (d + batch)))


def reading(array: Array) -> Calls:
    """Ways to read every number of a contiguous array once."""
    flat = real(array).reshape(-1)
    return {"read numpy": partial(np.dot, flat, flat), "read torch": torch.from_numpy(flat).sum}


def filling(array: Array) -> Calls:
    """Ways to write every number of a contiguous array once."""
    flat = real(array).reshape(-1)
    return {"fill numpy": partial(flat.fill, 1.0), "fill torch": partial(torch.from_numpy(flat).fill_, 1.0)}


def measured(found: Turns, read: Array | None = None, filled: Array | None = None) -> Limits:
    """Return the limits that some turns contain."""
    names = {name.split()[0] for name in found.seconds}
    gemm = 2e-9 * GEMM**3 / found.median(found.least("gemm")) if "gemm" in names else None
    return Limits(
        gemm,
        None if read is None else 1e-9 * read.nbytes / found.median(found.least("read")),
        None if read is None else read.nbytes,
        None if filled is None else 1e-9 * filled.nbytes / found.median(found.least("fill")),
        None if filled is None else filled.nbytes,
    )


def real(array: Array) -> Array:
    """Return the numbers of a complex array as pairs."""
    return array.view(real_dtype(array.dtype)) if is_complex(array.dtype) else array
