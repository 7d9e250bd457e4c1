"""Two nouns: a `Basis` is a recipe, a `Curve` is what it makes of samples.

The span of the answers is found elsewhere; what remains is a curve ``Φ: [-1, 1]^D → R^m`` known at M points. A basis
holds options and nothing else, ``fit`` returns a finished curve, and no object is ever half ready. Curves answer with
NumPy alone and write into no shared buffer, so that threads may share them.
"""

from abc import ABC, abstractmethod
from typing import ClassVar, Protocol, Self, runtime_checkable

import numpy as np

from neumatc.arrays import Array, check_finite
from neumatc.errors import InputError

__all__ = ["Basis", "Combinable", "Curve", "paired"]


class Curve(ABC):
    """A fitted map ``Φ: [-1, 1]^D → R^m`` that evaluates, differentiates, and can be stored."""

    name: ClassVar[str]

    @abstractmethod
    def __call__(self, x: Array) -> Array:
        """Evaluate ``Φ`` at points ``x`` (B, D) float64; returns (B, m)."""

    @abstractmethod
    def derivative(self, x: Array, axis: int) -> Array:
        """Evaluate ``∂Φ/∂x_axis`` at points ``x`` (B, D), in unit coordinates; returns (B, m)."""

    @abstractmethod
    def arrays(self) -> dict[str, Array]:
        """Return the float64 arrays that define this curve; `from_arrays` gives the same curve back, bit for bit."""

    @classmethod
    @abstractmethod
    def from_arrays(cls, arrays: dict[str, Array]) -> Self:
        """Rebuild a curve from what `arrays` returned."""

    def __repr__(self) -> str:
        """Name the curve and the shapes of its arrays; the numbers themselves would fill the screen."""
        shapes = ", ".join(f"{key} {value.shape}" for key, value in self.arrays().items())
        return f"{type(self).__name__}({shapes})"


@runtime_checkable
class Combinable(Protocol):
    """A curve that is linear in what it was fitted to: ``combined(T)`` is ``x -> Φ(x) T`` without another fit."""

    def combined(self, T: Array) -> Curve: ...


class Basis(ABC):
    """A recipe that turns samples of a map into a `Curve`; subclasses are frozen dataclasses of options."""

    name: ClassVar[str]

    @abstractmethod
    def fit(self, x: Array, y: Array, rng: np.random.Generator) -> Curve:
        """Fit ``Φ(x_i) ≈ y_i``.

        Parameters
        ----------
        x : (M, D) points in ``[-1, 1]^D``.
        y : (M, m) real values at these points.
        rng : source of whatever the recipe draws at random.

        Raises
        ------
        InputError
            When these points do not suit this basis; `unsuited` says so beforehand.
        TrainingError
            When the points suit but no trustworthy curve was found.
        """

    @abstractmethod
    def unsuited(self, x: Array) -> str | None:
        """Say why points ``x`` (M, D) do not suit this basis, or None when they do."""

    def check(self, x: Array) -> None:
        """Raise `InputError` when `unsuited` has something to say about ``x`` (M, D)."""
        reason = self.unsuited(x)
        if reason is not None:
            raise InputError(
                f"basis {self.name!r} cannot fit these points (M = {len(x)}, D = {x.shape[1]}): {reason}. "
                "The samples were probably placed for another basis. "
                "Choose basis='sine', which takes any points, or basis='auto', which skips what does not suit."
            )


def paired(x: Array, y: Array) -> tuple[Array, Array]:
    """Return samples as contiguous float64 arrays ``x`` (M, D) and ``y`` (M, m), or say what is wrong with them."""
    x, y = np.asarray(x), np.asarray(y)
    matching = x.ndim == 2 and y.ndim == 2 and x.shape[0] == y.shape[0] > 0 and x.shape[1] > 0
    if not matching or x.dtype.kind == "c" or y.dtype.kind == "c":
        raise InputError(
            f"a curve is fitted to real points x (M, D) and values y (M, m) with the same M > 0; "
            f"x came as {x.dtype} {x.shape} and y as {y.dtype} {y.shape}. "
            "A one-dimensional array probably lacks its second axis, or complex values were not split. "
            "Reshape with x[:, None], and pass real and imaginary parts side by side."
        )
    check_finite(x, "the points x")
    check_finite(y, "the values y")
    return np.ascontiguousarray(x, dtype=float), np.ascontiguousarray(y, dtype=float)
