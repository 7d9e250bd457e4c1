"""Results of tensors: their batch axes, and the caller's memory for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from neumatc.errors import InputError
from neumatc.tensors.placed import Tensor


def leaves(value: Any) -> list[Tensor]:
    """All tensors of a result, in order."""
    return [leaf for part in value for leaf in leaves(part)] if isinstance(value, tuple) else [value]


def shaped(value: Any, batch: tuple[int, ...]) -> Any:
    """Give every tensor of a batched result the batch axes of p."""
    if isinstance(value, tuple):
        return type(value)(*(shaped(part, batch) for part in value))  # a named tuple
    return value.reshape(*batch, *value.shape[1:])


def duplicate(value: Any) -> Any:
    """The same result in contiguous memory of its own."""
    if isinstance(value, tuple):
        return type(value)(*(duplicate(part) for part in value))
    return value.clone(memory_format=torch.contiguous_format)


def copied(value: Any, out: Any, device: torch.device) -> Any:
    """Copy a result into the caller's tensors, all of them checked before; shapes and dtypes need no look at values."""
    parts = leaves(value)
    for part, target in zip(parts, targets(out, [(tuple(X.shape), X.dtype) for X in parts], device), strict=True):
        target.copy_(part)
    return out


def targets(out: Any, wanted: Sequence[tuple[tuple[int, ...], torch.dtype]], device: torch.device) -> list[Tensor]:
    """The tensors of ``out``, all of them checked."""
    found = list(out) if isinstance(out, tuple | list) else [out]
    if len(found) != len(wanted):
        raise InputError(
            f"`out` must hold {len(wanted)} tensors, got {len(found)}. "
            "The result is a tensor or a named tuple of several. Pass one buffer for each of its fields, in order."
        )
    for target, (shape, dtype) in zip(found, wanted, strict=True):
        _check(target, shape, dtype, device)
    return found


def _check(target: Any, shape: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> None:
    tensor = isinstance(target, torch.Tensor)
    if not tensor or (tuple(target.shape), target.dtype, target.device) != (shape, dtype, device):
        came = f"{target.dtype} {tuple(target.shape)} on {target.device}" if tensor else f"a {type(target).__name__}"
    elif not target.is_contiguous():
        came = f"one with strides {target.stride()}"
    else:
        return
    raise InputError(
        f"`out` must be a contiguous {dtype} tensor of shape {shape} on {device}, got {came}. "
        "Nothing is cast or moved into place. Allocate it with torch.empty(shape, dtype=..., device=...)."
    )
