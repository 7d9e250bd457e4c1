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
    query : what was recorded. Kernels read its constants, C among them, where they lay; nothing else may hold them
    """

    p: Tensor
    result: Any
    replay: Callable[[], None]
    query: Callable[[Tensor], Any]

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
    replay, result = recorded(query, p) if p.device.type == "cuda" else repeated(query, p)
    return Graph(p, result, replay, query)


def repeated(query: Callable[[Tensor], Any], p: Tensor) -> tuple[Callable[[], None], Any]:
    """What computes ``query(p)`` anew, and where it copies the result to."""
    with torch.no_grad():
        result = duplicate(query(p))

    def compute() -> None:
        with torch.no_grad():
            for memory, part in zip(leaves(result), leaves(query(p)), strict=True):
                memory.copy_(part)

    return compute, result


def recorded(query: Callable[[Tensor], Any], p: Tensor) -> tuple[Callable[[], None], Any]:
    """What replays ``query(p)`` as a CUDA graph, and where the result lies: in memory of the graph, without a copy.

    Recorded as torch's documentation asks for it.
    """
    with torch.no_grad(), torch.cuda.device(p.device):
        beside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        beside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(beside):
            for _ in range(WARM):
                query(p)
        torch.cuda.current_stream().wait_stream(beside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            result = query(p)
    return graph.replay, result
