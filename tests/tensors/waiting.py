"""What makes a GPU's host wait, forbidden: every look at a value passes through the dispatcher, on a CPU as well."""

from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

LOOKS = {
    "_local_scalar_dense",  # what item(), float(x), int(x), bool(x) and `if x` come to
    "item",
    "is_nonzero",
    "equal",
    "nonzero",  # and all results whose shape depends on values
    "masked_select",
    "repeat_interleave",
    "unique_dim",
    "_unique2",
    "bincount",
    "_linalg_eigh",  # look at LAPACK's info inside of torch
    "_linalg_svd",
    "linalg_eig",
    "_linalg_check_errors",
}


class WaitingError(AssertionError):
    """The host would have waited for the device."""


class NoWaiting(TorchDispatchMode):
    """Within it every operation raises that has to know a value, or copies to another device."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name, kwargs = func.overloadpacket.__name__, kwargs or {}
        masked = name.startswith("index") and any(_mask(x) for arg in args for x in _flat(arg))
        moved = name in ("_to_copy", "copy_") and len({x.device.type for arg in args for x in _flat(arg)}) > 1
        if name in LOOKS or masked or moved:
            raise WaitingError(f"{func} waits for the device")
        return func(*args, **kwargs)


def _flat(arg: Any) -> list[torch.Tensor]:
    items = arg if isinstance(arg, list | tuple) else [arg]
    return [x for x in items if isinstance(x, torch.Tensor)]


def _mask(x: torch.Tensor) -> bool:
    return x.dtype == torch.bool
