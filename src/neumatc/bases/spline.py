"""Piecewise polynomials for one parameter: local, robust, and best when samples are few for the curve's wiggles.

A not-a-knot interpolating spline of degree k has an error of order ``h^(k+1)``, h the largest spacing (de Boor,
*A Practical Guide to Splines*, ISBN 978-0-387-95366-3). It is stored in powers of the distance to the left end of each
piece, so that answering is a search and a Horner scheme.
"""

from dataclasses import dataclass
from math import factorial
from typing import ClassVar, Self, final

import numpy as np

from neumatc.arrays import Array
from neumatc.bases.base import Basis, Curve, paired
from neumatc.errors import InputError

__all__ = ["Spline", "SplineCurve"]


@final
@dataclass(frozen=True, eq=False, repr=False)
class SplineCurve(Curve):
    """A piecewise polynomial ``Φ(x) = Σ_j c_ji (x - s_i)^(k-j)`` on the piece that starts at ``s_i``.

    Parameters
    ----------
    starts : s (n,), ascending; the first and last piece extend without end.
    coefficients : c (k + 1, n, m), highest power first.

    Examples
    --------
    >>> import numpy as np
    >>> curve = SplineCurve(np.array([-1.0, 0.0]), np.array([[[-1.0], [1.0]], [[1.0], [0.0]]]))  # |x|
    >>> curve(np.array([[-0.5], [0.25]])).tolist()
    [[0.5], [0.25]]
    """

    name: ClassVar[str] = "spline"

    starts: Array
    coefficients: Array

    def __call__(self, x: Array) -> Array:
        """Evaluate at ``x`` (B, 1); returns (B, m)."""
        t, local = self._piece(x)
        y: Array = local[0]
        for coefficient in local[1:]:
            y *= t
            y += coefficient
        return y

    def derivative(self, x: Array, axis: int) -> Array:  # noqa: ARG002 - there is one axis only
        """Differentiate each piece exactly; returns (B, m)."""
        t, local = self._piece(x)
        slope: Array = np.zeros_like(local[0])
        for power, coefficient in zip(range(len(local) - 1, 0, -1), local, strict=False):
            slope *= t
            slope += power * coefficient
        return slope

    def _piece(self, x: Array) -> tuple[Array, Array]:
        """Return the distance to the start of the piece, (B, 1), and a copy of its coefficients, (k + 1, B, m)."""
        piece = self.starts[1:].searchsorted(x[:, 0], side="right")
        return x - self.starts[piece, None], self.coefficients[:, piece]

    def combined(self, T: Array) -> "SplineCurve":
        """Return ``x -> Φ(x) T``, ``T (m, k)``."""
        return SplineCurve(self.starts, np.ascontiguousarray(self.coefficients @ T))

    def arrays(self) -> dict[str, Array]:
        """Return ``starts, coefficients``."""
        return {"starts": self.starts, "coefficients": self.coefficients}

    @classmethod
    def from_arrays(cls, arrays: dict[str, Array]) -> Self:
        """Rebuild the piecewise polynomial."""
        return cls(arrays["starts"], arrays["coefficients"])


@final
@dataclass(frozen=True)
class Spline(Basis):
    """Interpolating not-a-knot spline; fewer than ``degree + 1`` samples lower the degree.

    Parameters
    ----------
    degree : polynomial degree of the pieces, 5 (quintic) by default.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.linspace(-1, 1, 80)[:, None]
    >>> curve = Spline().fit(x, np.exp(x), np.random.default_rng(0))
    >>> bool(abs(curve(np.array([[0.3]])) - np.exp(0.3)) < 1e-10)
    True
    """

    name: ClassVar[str] = "spline"

    degree: int = 5

    def __post_init__(self) -> None:
        """Refuse a degree that interpolates nothing."""
        if self.degree < 1:
            raise InputError(
                f"a spline needs degree 1 or more; {self.degree} came. "
                "Degree 0 would jump between samples. Use 3 for few samples, 5 for many."
            )

    def unsuited(self, x: Array) -> str | None:
        """Refuse several parameters and repeated points."""
        if x.shape[1] != 1:
            return "splines need exactly one parameter"
        return "some points repeat" if len(np.unique(x)) < len(x) else None

    def fit(self, x: Array, y: Array, rng: np.random.Generator) -> SplineCurve:  # noqa: ARG002 - nothing is drawn
        """Interpolate ``y`` (M, m) at ``x`` (M, 1), in any order."""
        x, y = paired(x, y)
        self.check(x)
        if len(x) == 1:
            return SplineCurve(x[0], y[None])
        # SciPy is imported here because curves must answer where only NumPy is installed.
        from scipy.interpolate import make_interp_spline

        order = np.argsort(x[:, 0])
        degree = min(self.degree, len(x) - 1)
        spline = make_interp_spline(x[order, 0], y[order], k=degree)
        starts = np.unique(spline.t)[:-1]
        # Taylor coefficients at the start of each piece. PPoly.from_spline does the same, for one output only.
        coefficients = [spline(starts, power) / factorial(power) for power in range(degree, -1, -1)]
        return SplineCurve(starts, np.stack(coefficients))
