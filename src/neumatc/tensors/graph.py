"""A query of one batch shape as a CUDA graph: its kernels are launched at once, in memory that stays where it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import torch

from neumatc.errors import InputError
from neumatc.tensors.placed import Tensor
from neumatc.tensors.results import duplicate, leaves

WHAT = ("answer", "corrected")
"""Queries that a graph can hold."""

WARM = 3
"""Runs before a query is recorded, in which libraries choose their kernels and set up their memory."""


@final
@dataclass(frozen=True)
class Graph:
    """A recorded query: ``graph(p)`` for p of one shape and dtype.

    The result is the same memory at every call; clone what must outlive the next one.

    Parameters
    ----------
    p : where a caller's p is copied to
    result : where the answer lies
    replay : computes ``result`` from ``p``
    """

    p: Tensor
    result: Any
    replay: Callable[[], None]

    def __call__(self, p: Any) -> Any:
        """The answer at ``p``."""
        wanted = (tuple(self.p.shape), self.p.dtype, self.p.device)
        if not isinstance(p, torch.Tensor) or (tuple(p.shape), p.dtype, p.device) != wanted:
            tensor = isinstance(p, torch.Tensor)
            came = f"{p.dtype} {tuple(p.shape)} on {p.device}" if tensor else f"a {type(p).__name__}"
            raise InputError(
                f"This graph was recorded for a {wanted[1]} tensor of shape {wanted[0]} on {wanted[2]}, got {came}. "
                "A graph repeats the kernels of one shape. Pad p to that shape, or record another graph."
            )
        self.p.copy_(p)
        self.replay()
        return self.result


def graph_of(query: Callable[[Tensor], Any], p: Tensor) -> Graph:
    """Record ``query(p)``; a device without graphs computes it anew at every call, in the same memory."""
    with torch.no_grad():
        # The first run builds what is built once, and tells the shapes of the result.
        result = duplicate(query(p))

    def compute() -> None:
        with torch.no_grad():
            for memory, part in zip(leaves(result), leaves(query(p)), strict=True):
                memory.copy_(part)

    return Graph(p, result, recorded(compute) if p.device.type == "cuda" else compute)


def recorded(compute: Callable[[], None]) -> Callable[[], None]:
    """``compute`` as a CUDA graph, recorded as torch's documentation asks for it; returns what replays it."""
    beside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    beside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(beside):
        for _ in range(WARM):
            compute()
    torch.cuda.current_stream().wait_stream(beside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        compute()
    return graph.replay
