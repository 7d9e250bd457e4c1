"""One rational function for all outputs: set-valued AAA in barycentric form.

``r(x) = Σ_j w_j y_j / (x - z_j)  /  Σ_j w_j / (x - z_j)``. The outputs share the support points ``z_j`` and the
weights, hence the poles, as the entries of ``A(p)⁻¹`` do. Support points are added where the error is largest; the
weights are the least right singular vector of the Loewner matrix (Nakatsukasa, Sète, Trefethen,
doi:10.1137/16M1106122).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Self, final

import numpy as np

from neumatc.arrays import Array
from neumatc.bases.base import Basis, Curve, paired
from neumatc.errors import TrainingError

__all__ = ["Rational", "RationalCurve"]

_COMBINATIONS = 12  # random combinations of the outputs that choose the support; more change nothing but the time
_SUPPORT = 45
_ENOUGH = 1e-13
_NEARLY_BEST = 100
_TOUCHING = 1e-200  # a gap this small would overflow in w / gap; it can only occur at the node 0
_RESOLVED = 0.1  # distance of a pole from the interval, in sample spacings, below which it counts as real
_REAL = 1e-8  # a pole this close to the real axis is on it, as far as samples can tell


@final
@dataclass(frozen=True, eq=False, repr=False)
class RationalCurve(Curve):
    """A rational map in barycentric form (doi:10.1137/S0036144502417715).

    Parameters
    ----------
    nodes : support points z (J,), distinct.
    values : y (J, m); the curve takes these values at the nodes exactly.
    weights : w (J,), none of them zero.

    Examples
    --------
    >>> import numpy as np
    >>> nodes = np.array([0.0, 1.0])
    >>> curve = RationalCurve(nodes, (1 / (nodes + 2))[:, None], np.array([2.0, -3.0]))  # 1 / (x + 2)
    >>> curve(np.array([[0.5]])).round(15).tolist(), curve.derivative(np.array([[0.0]]), 0).round(15).tolist()
    ([[0.4]], [[-0.25]])
    """

    name: ClassVar[str] = "rational"

    nodes: Array
    values: Array
    weights: Array

    def __call__(self, x: Array) -> Array:
        """Evaluate at ``x`` (B, 1); returns (B, m)."""
        return self._shares(x - self.nodes) @ self.values

    def derivative(self, x: Array, axis: int) -> Array:  # noqa: ARG002 - there is one axis only
        """Differentiate by the Schneider–Werner formula (doi:10.1090/S0025-5718-1986-0842136-8); returns (B, m).

        ``r'(x) = Σ_j λ_j r[x, z_j]`` with ``λ`` the barycentric shares and ``r[x, z] = (r(x) - r(z)) / (x - z)``.
        """
        gap = x - self.nodes
        shares = self._shares(gap)
        r = shares @ self.values
        # At the nearest node the quotient cancels (or is 0/0); Σ_j (w_j / gap_j) (r - y_j) = 0 gives it from the rest.
        nearest = np.argmin(np.abs(gap), axis=1)
        here = np.arange(len(x)), nearest
        gap[here] = np.inf
        rest = self.weights / gap
        slope = (rest @ self.values - r * rest.sum(axis=1, keepdims=True)) / self.weights[nearest, None]
        others = shares / gap
        derivative: Array = r * others.sum(axis=1, keepdims=True) - others @ self.values
        derivative += shares[here][:, None] * slope
        return derivative

    def _shares(self, gap: Array) -> Array:
        """Return ``λ_j = (w_j / gap_j) / Σ_k (w_k / gap_k)``, (B, J); exactly one 1 and zeros at a node."""
        at_node = np.abs(gap) < _TOUCHING
        if at_node.any():
            shares = self.weights / np.where(at_node, 1.0, gap)
            hit = at_node.any(axis=1)
            shares[hit] = at_node[hit]
        else:
            shares = self.weights / gap
        shares /= shares.sum(axis=1, keepdims=True)
        return shares

    def combined(self, T: Array) -> "RationalCurve":
        """Return ``x -> Φ(x) T``, ``T (m, k)``."""
        return RationalCurve(self.nodes, np.ascontiguousarray(self.values @ T), self.weights)

    def arrays(self) -> dict[str, Array]:
        """Return ``nodes, values, weights``."""
        return {"nodes": self.nodes, "values": self.values, "weights": self.weights}

    @classmethod
    def from_arrays(cls, arrays: dict[str, Array]) -> Self:
        """Rebuild the rational map."""
        return cls(arrays["nodes"], arrays["values"], arrays["weights"])


@dataclass(frozen=True)
class _Iterate:
    support: Array  # (J,) indices into the samples
    weights: Array  # (J,)
    error: float  # largest row error, relative to the largest row


@final
@dataclass(frozen=True)
class Rational(Basis):
    """Vector-valued AAA for one parameter; wins near poles, and wants twice as many samples as its degree.

    At most ``min(45, M / 2)`` support points; stops at a relative error of 1e-13 and keeps the best iterate
    without a real pole in ``[-1, 1]``; when none of the accurate ones is without, the map itself probably has a pole.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.linspace(-1, 1, 40)[:, None]
    >>> curve = Rational().fit(x, 1 / (x**2 + 0.01), np.random.default_rng(0))
    >>> bool(abs(curve(np.array([[0.03]])) - 1 / 0.0109) < 1e-9)
    True
    """

    name: ClassVar[str] = "rational"

    def unsuited(self, x: Array) -> str | None:
        """Refuse several parameters and repeated points."""
        if x.shape[1] != 1:
            return "rational functions need exactly one parameter"
        return "some points repeat" if len(np.unique(x)) < len(x) else None

    def fit(self, x: Array, y: Array, rng: np.random.Generator) -> RationalCurve:
        """Fit ``y`` (M, m) at ``x`` (M, 1)."""
        x, y = paired(x, y)
        self.check(x)
        best = _without_poles_inside(x[:, 0], list(_iterates(x[:, 0], _combined(y, rng))))
        used = best.weights != 0.0
        support = best.support[used]
        return RationalCurve(x[support, 0], y[support], best.weights[used])


def _combined(y: Array, rng: np.random.Generator) -> Array:
    """Mix the columns of ``y`` (M, m), scaled to entries up to 1, down to a few that keep row norms on average."""
    y = y / (np.max(np.abs(y)) or 1.0)
    if y.shape[1] <= _COMBINATIONS:
        return y
    mixed: Array = y @ rng.standard_normal((y.shape[1], _COMBINATIONS)) / np.sqrt(_COMBINATIONS)
    return mixed


def _iterates(x: Array, y: Array) -> Iterator[_Iterate]:
    """Yield the AAA approximations with 1, 2, … support points, until one is accurate enough.

    Parameters
    ----------
    x : (M,) distinct points.
    y : (M, q) values.
    """
    size = np.max(np.linalg.norm(y, axis=1)) or 1.0
    free = np.ones(len(x), dtype=bool)
    support: list[int] = []
    errors = np.linalg.norm(y - y.mean(axis=0), axis=1)
    for _ in range(max(1, min(_SUPPORT, len(x) // 2))):
        support.append(int(np.argmax(np.where(free, errors, -1.0))))
        free[support[-1]] = False
        cauchy = 1 / (x[free, None] - x[support])
        weights = _least_direction(cauchy, y[free], y[support])
        errors[free] = _row_errors(cauchy, weights, y[free], y[support])
        error = float(np.max(errors[free], initial=0.0) / size)
        yield _Iterate(np.array(support), weights, error)
        if error <= _ENOUGH:
            return


def _least_direction(cauchy: Array, free: Array, fixed: Array) -> Array:
    """Return the unit vector w (J,) that makes ``L w`` least, L the Loewner matrix of all outputs, (N q, J).

    ``L_{(i, c), j} = (y_ic - y_jc) / (x_i - z_j)``.
    """
    loewner = (free[:, :, None] - fixed.T) * cauchy[:, None, :]
    # L is tall and thin: the SVD of its small R factor has the same right singular vectors for a fraction of the time.
    R = np.linalg.qr(loewner.reshape(-1, cauchy.shape[1]), mode="r")
    direction: Array = np.linalg.svd(R)[2][-1]
    return direction


def _row_errors(cauchy: Array, weights: Array, free: Array, fixed: Array) -> Array:
    denominator = cauchy @ weights
    # A denominator of exactly zero is a pole on a sample: an infinite error, hence the next support point.
    safe = np.where(denominator == 0.0, 1.0, denominator)
    errors = np.linalg.norm(free - (cauchy @ (weights[:, None] * fixed)) / safe[:, None], axis=1)
    return np.where(denominator == 0.0, np.inf, errors)


def _without_poles_inside(x: Array, iterates: list[_Iterate]) -> _Iterate:
    """Return the best iterate without a real pole, if its error is within a factor of 100 of the best of all.

    Once noise is reached, further support points bring pairs of a real pole and a zero that all but cancel, while an
    earlier iterate is as accurate and clean. A true pole leaves every clean iterate far behind.
    """
    ranked = sorted(iterates, key=lambda each: each.error)
    for each in ranked:
        if each.error > _NEARLY_BEST * ranked[0].error:
            break
        if not _unresolved_poles(x, each).size:
            return each
    best = ranked[0]
    raise TrainingError(
        f"the rational fit of {len(x)} samples (degree {len(best.support) - 1}, error {best.error:.0e}) has a real "
        f"pole inside the box, at {_unresolved_poles(x, best)[0]:.6g} in unit coordinates. "
        "The result is either singular there, or known at too few points. Shrink the box, or take more samples."
    )


def _unresolved_poles(x: Array, iterate: _Iterate) -> Array:
    """Return where zeros of ``Σ_j w_j / (x - z_j)`` lie on [-1, 1], or nearer to it than samples ``x`` could tell.

    A pole at a small part of the sample spacing makes a spike that slips between the samples, the held-out ones
    included. The zeros are the eigenvalues of the arrowhead pencil of Klein, (J+1, J+1).
    """
    nodes, weights, grid = x[iterate.support], iterate.weights, np.sort(x)
    # SciPy is imported here because curves must answer where only NumPy is installed, and NumPy has no generalised
    # eigenvalues. Reducing the pencil to an ordinary matrix divides by the sum of the weights, which may be rounding.
    from scipy.linalg import eigvals

    pencil = np.diag(np.append(0.0, nodes))
    pencil[0, 1:], pencil[1:, 0] = weights, 1.0
    found: Array = np.asarray(eigvals(pencil, np.diag(np.append(0.0, np.ones(len(nodes))))))
    found = found[np.isfinite(found)]
    real, above = np.real(found), np.abs(np.imag(found))
    gap = np.interp(real, (grid[1:] + grid[:-1]) / 2, np.diff(grid)) if len(grid) > 1 else 0.0
    return np.sort(real[(above <= np.maximum(_REAL, _RESOLVED * gap)) & (np.abs(real) <= 1 + _REAL)])
