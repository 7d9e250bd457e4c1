"""A pretended accelerator on a CPU: it refuses what a GPU refuses, and writes down what makes its host wait.

Tensors of the device "fake" hold their numbers on the CPU and claim to lie elsewhere. As with CUDA an operation on
tensors of two devices raises, unless the one of the host has no axes or is an index, and so does NumPy. What the
pretence cannot show: streams and graphs, the rounding of another library, and views that only say that they are
conjugated, which are formed here.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from tests.tensors.waiting import LOOKS
from torch.overrides import TorchFunctionMode
from torch.utils import backend_registration
from torch.utils._python_dispatch import TorchDispatchMode

import neumatc

NAME = "fake"
LIBRARY = str(Path(neumatc.__file__).parent)
COPIES = ("_to_copy", "copy_")
INDEXED = ("index", "index_put", "index_put_")

register: Any = getattr(backend_registration, "_setup_privateuseone_for_python_backend", None)
needs_accelerator = pytest.mark.skipif(
    register is None, reason=f"torch {torch.__version__} does not let Python code stand for a device"
)


class MixedError(RuntimeError):
    """One operation was given tensors of two devices."""


class Look(NamedTuple):
    """The host waits: for which operation, and the line of the library that called it."""

    what: str
    where: str


class There(torch.Tensor):
    """A tensor on the device, whose numbers are in ``held``."""

    held: torch.Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, numbers: torch.Tensor) -> "There":
        held = numbers.resolve_conj().resolve_neg()
        place = {"strides": held.stride(), "storage_offset": held.storage_offset(), "device": torch.device(NAME, 0)}
        tensor: There = torch.Tensor._make_wrapper_subclass(cls, held.shape, dtype=held.dtype, **place)
        tensor.held = held
        return tensor

    def __repr__(self, **_: Any) -> str:
        return f"There({self.held})"

    def numpy(self, **_: Any) -> Any:
        raise TypeError(f"can't convert {self.device} device type tensor to numpy. Use Tensor.cpu() first.")

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise RuntimeError(f"{func} was called on a tensor of {NAME} outside of `with Accelerator()`")


class Accelerator(TorchDispatchMode):
    """Within it torch has a device "fake"; ``looks`` tell what its host has waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.looks: list[Look] = []
        self._conversion = _Conversion()
        # Once for the process: torch can neither forget a device nor be told of it twice.
        if torch._C._get_privateuse1_backend_name() != NAME:
            register(NAME)

    def __enter__(self) -> "Accelerator":
        self._conversion.__enter__()
        super().__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self._conversion.__exit__(*error)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name, kwargs = func.overloadpacket.__name__, dict(kwargs or {})
        tensors = [x for given in (*args, *kwargs.values()) for x in _flat(given) if isinstance(x, torch.Tensor)]
        comes = any(isinstance(x, There) for x in tensors)
        stays = _is_there(kwargs["device"]) if kwargs.get("device") is not None else comes
        if comes or stays:
            self._judge(name, args, tensors, moved=name == "_to_copy" and comes != stays)
        if stays and "device" in kwargs:
            kwargs["device"] = "cpu"
        found = func(*_each(_held, args), **{key: _each(_held, given) for key, given in kwargs.items()})
        # What was changed in place is returned as the tensor that it was.
        known = {id(_held(x)): x for x in tensors}
        return _each(lambda x: known[id(x)] if id(x) in known else _wrapped(x), found) if stays else found

    def _judge(self, name: str, args: Any, tensors: list[torch.Tensor], moved: bool) -> None:
        """Refuse a mixture; write down a look at values or a copy from one device to the other."""
        host = [x for x in tensors if not isinstance(x, There)]
        mixed = 0 < len(host) < len(tensors)
        large = mixed and any(x.dim() > 0 for x in host)
        if large and name not in (*COPIES, *INDEXED):
            raise MixedError(f"{name}: expected all tensors to be on the same device, got {tensors}")
        masked = name in INDEXED and any(x is not None and x.dtype == torch.bool for x in args[1])
        if name in LOOKS or moved or masked or large or (mixed and name in COPIES):
            self.looks.append(Look(name, _line()))


class _Conversion(TorchFunctionMode):
    """Makes tensors of Python's numbers, in ``torch.tensor`` and in indices; inside of torch no other mode is asked."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func is torch.tensor and _is_there(kwargs.get("device")):
            device, differentiated = kwargs.pop("device"), kwargs.pop("requires_grad", False)
            return torch.tensor(*args, **kwargs).to(device).requires_grad_(differentiated)
        if func in (torch.Tensor.__getitem__, torch.Tensor.__setitem__):
            index = args[1] if isinstance(args[1], tuple) else (args[1],)
            args = (args[0], tuple(torch.tensor(i) if isinstance(i, list) else i for i in index), *args[2:])
        return func(*args, **kwargs)


def _is_there(device: Any) -> bool:
    return device is not None and torch.device(device).type == NAME


def _flat(given: Any) -> Any:
    """Arguments are tensors, or sequences of them and of None."""
    return given if isinstance(given, list | tuple) else (given,)


def _each(change: Callable[[Any], Any], given: Any) -> Any:
    """Sequences as such, changed part by part; torch's own trees would take most of the time."""
    return type(given)(_each(change, x) for x in given) if type(given) in (list, tuple) else change(given)


def _held(x: Any) -> Any:
    return x.held if isinstance(x, There) else x


def _wrapped(x: Any) -> Any:
    return There(x) if isinstance(x, torch.Tensor) else x


def _line() -> str:
    """The innermost line of the library that is being run."""
    frame: Any = sys._getframe()
    while frame is not None and not frame.f_code.co_filename.startswith(LIBRARY):
        frame = frame.f_back
    return "a test" if frame is None else f"{frame.f_code.co_filename[len(LIBRARY) + 1 :]}:{frame.f_lineno}"
