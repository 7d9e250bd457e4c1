"""Devices, precisions, and arrays that are carried to a device once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
import torch

from neumatc.arrays import Array, is_complex
from neumatc.errors import InputError
from neumatc.surrogate import Surrogate

Tensor: TypeAlias = torch.Tensor

PRECISIONS = {
    torch.float32: np.float32,
    torch.complex64: np.float32,
    torch.float64: np.float64,
    torch.complex128: np.float64,
}
"""What may be asked for as ``dtype``, and the precision that is meant."""

HELD = 1 << 26
"""Intermediate numbers of a batch that are held at once: half a gigabyte in double precision."""


def device_of(device: Any) -> torch.device:
    """The device that is meant, with its number: "cuda" is "cuda:0" on most machines."""
    try:
        return torch.empty(0, device=device).device
    except (RuntimeError, AssertionError, TypeError) as cause:
        raise InputError(
            f"`device` {device!r} cannot be used: {cause}. "
            "Torch does not see such a device here. Use device='cpu', or install torch for your accelerator."
        ) from cause


def stored_in(surrogate: Surrogate, dtype: Any) -> Surrogate:
    """The surrogate with C in another precision, or itself where that is the same or None is asked for."""
    if dtype is None:
        return surrogate
    if dtype not in PRECISIONS:
        raise InputError(
            f"`dtype` must be a torch dtype of single or double precision, got {dtype!r}. "
            "Half precision has too few digits for a sum over slices, and NumPy's dtypes are not torch's. "
            "Pass torch.float32 or torch.float64, or leave it out to keep the precision of the fit."
        )
    real = np.dtype(PRECISIONS[dtype])
    wanted = np.result_type(real, np.complex64) if is_complex(surrogate.C.dtype) else real
    return surrogate if surrogate.C.dtype == wanted else replace(surrogate, C=surrogate.C.astype(wanted))


def on(device: torch.device, array: Array) -> Tensor:
    """A copy of a NumPy array on a device, in its own dtype."""
    return torch.tensor(np.ascontiguousarray(array), device=device)


def doubles(device: torch.device, array: Any) -> Tensor:
    """Real numbers on a device, in double precision."""
    return on(device, np.asarray(array, dtype=np.float64))


def pieces(count: int, numbers: int) -> Iterator[slice]:
    """Slices of a batch whose points need so many intermediate numbers each; one slice for an empty batch."""
    size = max(1, HELD // max(numbers, 1))
    for start in range(0, max(count, 1), size):
        yield slice(start, start + size)


def joined(parts: list[Tensor]) -> Tensor:
    """The pieces of a batch, without a copy where there is one."""
    return parts[0] if len(parts) == 1 else torch.cat(parts)
