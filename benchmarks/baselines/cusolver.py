"""Batched inverse and SVD through torch: cuSOLVER on a GPU, LAPACK on a CPU."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, final

import numpy as np
import torch

from benchmarks.baselines.base import Answer, Baseline, Family, Solver

__all__ = ["DRIVERS", "BatchedInverse", "BatchedSVD", "stack", "svd_choices"]

DRIVERS = ("gesvd", "gesvdj", "gesvda")
"""QR iteration, Jacobi, and the approximate one for tall batches. They exist on CUDA alone; None lets torch choose."""

Device = Literal["cpu", "cuda"]
CUSOLVER = "https://docs.nvidia.com/cuda/cusolver"


def stack(family: Family, points: Sequence[float], device: Device) -> torch.Tensor:
    """Return A at all points as ``(B, n1, n2)`` on the device."""
    return torch.from_numpy(np.stack([family(p) for p in points])).to(device)


@final
@dataclass(frozen=True)
class BatchedInverse(Baseline):
    """``torch.linalg.inv`` of all points in one call."""

    name: ClassVar[str] = "cuSOLVER inverse"
    source: ClassVar[str] = CUSOLVER
    operation: ClassVar[str] = "inv"

    device: Device = "cuda"

    @property
    def needs(self) -> tuple[str, ...]:
        return ("cuda",) if self.device == "cuda" else ()

    def call(self, A: torch.Tensor) -> torch.Tensor:
        """Return the inverses, on the device; what a benchmark times between two synchronisations."""
        return torch.linalg.inv(A)

    def prepare(self, family: Family) -> Solver:
        def answers(points: Sequence[float]) -> Iterator[Answer]:
            for X in self.call(stack(family, points, self.device)).cpu().numpy():
                yield Answer({"X": X})

        return answers


@final
@dataclass(frozen=True)
class BatchedSVD(Baseline):
    """``torch.linalg.svd`` of all points in one call.

    Parameters
    ----------
    driver : one of `DRIVERS`, or None for torch's own choice; a CPU has gesdd alone and is given none.
    full_matrices : whether U and Vh are square, torch's default, or thin.
    device : "cuda" or "cpu".
    """

    name: ClassVar[str] = "cuSOLVER SVD"
    source: ClassVar[str] = CUSOLVER
    operation: ClassVar[str] = "svd"

    driver: str | None = None
    full_matrices: bool = False
    device: Device = "cuda"

    @property
    def needs(self) -> tuple[str, ...]:
        return ("cuda",) if self.device == "cuda" else ()

    def call(self, A: torch.Tensor) -> Any:
        """Return ``(U, S, Vh)`` on the device; what a benchmark times between two synchronisations."""
        driver = self.driver if A.is_cuda else None
        return torch.linalg.svd(A, full_matrices=self.full_matrices, driver=driver)

    def prepare(self, family: Family) -> Solver:
        def answers(points: Sequence[float]) -> Iterator[Answer]:
            found = (X.resolve_conj().cpu().numpy() for X in self.call(stack(family, points, self.device)))
            for U, S, Vh in zip(*found, strict=True):
                yield Answer({"U": U, "S": S, "Vh": Vh})

        return answers


def svd_choices(device: Device = "cuda") -> list[BatchedSVD]:
    """Return all drivers, torch's own choice first, each with thin and with square factors."""
    return [BatchedSVD(driver, full, device) for driver in (None, *DRIVERS) for full in (False, True)]
