"""What a baseline is: a method with a source, prepared for a family, that then answers points one after another."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, ClassVar

import numpy as np
import torch

from neumatc.arrays import Array
from neumatc.errors import InputError

__all__ = ["Answer", "Baseline", "Family", "Solver", "Tabulated", "adjoint", "residual", "spacing", "triplets"]

Family = Callable[[float], Any]
"""A(p): an array, or a sparse matrix with the right-hand side as ``rhs`` of the family."""


@dataclass(frozen=True)
class Answer:
    """What a method found at one p.

    Parameters
    ----------
    factors : ``X`` of an inverse; ``U (n1, r)``, ``S (r,)``, ``Vh (r, n2)`` of an SVD; ``x (n,)`` of a solve.
    steps : iterations, integration steps or products with A(p), whatever the method counts; one where it does not.
    passed : whether the method reached the tolerance that it was given.
    bound : of the error, where the method proves one.
    """

    factors: Mapping[str, Any]
    steps: int = 1
    passed: bool = True
    bound: float | None = None


Solver = Callable[[Sequence[float]], Iterator[Answer]]
"""A prepared method. It yields answers in the order of the points, so that a clock can be read between them."""


class Baseline(ABC):
    """One method, with the parameters of its paper as fields.

    Class variables: ``name`` in tables; ``source``, a DOI or an address; ``operation``, "inv", "svd" or "solve";
    ``sweeps``, whether it goes along p and starts each answer from the one before; ``needs``, modules that are no
    requirement of this project, or "cuda".
    """

    name: ClassVar[str]
    source: ClassVar[str]
    operation: ClassVar[str]
    sweeps: ClassVar[bool] = False
    needs: tuple[str, ...] = ()

    @abstractmethod
    def prepare(self, family: Family) -> Solver:
        """Spend what has to be spent before the first answer; the clock of the offline time runs here."""

    def solve(self, family: Family, points: Sequence[float]) -> list[Answer]:
        """Return the answers at all points."""
        return list(self.prepare(family)(points))

    def absent(self) -> str | None:
        """Say in one line why this method cannot be had here, or None."""
        missing = [name for name in self.needs if not _there(name)]
        return f"{self.name} needs {' and '.join(missing)}, which is not here" if missing else None


def _there(name: str) -> bool:
    return torch.cuda.is_available() if name == "cuda" else find_spec(name) is not None


@dataclass(frozen=True)
class Tabulated:
    """A family whose matrices at some points are built already, so that only the method is timed.

    Everywhere else, and for every other attribute, the family itself is asked.
    """

    family: Family
    points: Sequence[float]
    _built: dict[float, Any] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Build."""
        self._built.update((float(p), self.family(p)) for p in self.points)

    def __call__(self, p: float) -> Any:
        """Return A(p)."""
        return self._built[p] if p in self._built else self.family(p)

    def __getattr__(self, name: str) -> Any:
        """Return what the family knows."""
        return getattr(self.family, name)


def adjoint(A: Array) -> Array:
    """Return Aᴴ, of a stack the adjoint of each."""
    return A.conj().swapaxes(-1, -2)


def residual(A: Array, X: Array) -> Array:
    """Return ``A X - I``."""
    R: Array = A @ X
    R.reshape(-1)[:: len(R) + 1] -= 1
    return R


def triplets(U: Array, S: Array, Vh: Array, rank: int | None) -> dict[str, Array]:
    """Return the leading ``rank`` singular triplets, all of them for None."""
    return {"U": U[:, :rank], "S": S[:rank], "Vh": Vh[:rank]}


def spacing(points: Sequence[float], name: str) -> float:
    """Return the distance of neighbouring points, which must be the same for all: a multistep formula needs that."""
    p = np.asarray(points, dtype=float)
    if p.ndim != 1 or len(p) < 2:
        raise InputError(
            f"{name} needs at least two numbers as points, but came an array of shape {p.shape}. "
            "It follows the results along p and learns the step from the points. Pass a uniform grid."
        )
    gaps = np.diff(p)
    if not np.allclose(gaps, gaps[0], rtol=1e-8, atol=0) or not gaps[0]:
        raise InputError(
            f"{name} needs equidistant points, but came distances from {gaps.min():.3g} to {gaps.max():.3g}. "
            "Its difference formulas hold on a uniform grid only. Pass numpy.linspace(lo, hi, count)."
        )
    return float(gaps[0])
