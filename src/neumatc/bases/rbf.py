"""Radial basis functions: a bump or a power of the distance at every sample, for scattered points in any dimension.

``Φ(x) = Σ_i a_i φ(|x - z_i|) + Σ_|α|≤q b_α x^α`` with ``Φ(z_i) = y_i`` and ``Σ_i a_i z_i^α = 0``: the powers of the
distance are completed by a polynomial tail, which they reproduce exactly (Wendland, *Scattered Data Approximation*,
doi:10.1017/CBO9780511617539). There is one linear system, nothing is drawn, and only the Gaussian has a width to tune.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement
from types import MappingProxyType
from typing import ClassVar, Self, final

import numpy as np

from neumatc.arrays import Array
from neumatc.bases.base import Basis, Curve, paired
from neumatc.errors import InputError, TrainingError, unknown

__all__ = ["KERNELS", "RadialBasis", "RadialBasisCurve"]

KERNELS: Mapping[str, int] = MappingProxyType(
    {"gaussian": 0, "linear": 1, "thin_plate_spline": 2, "cubic": 3, "quintic": 5}
)
"""Kernel name -> order k: ``φ(r) = r^k`` for odd k, ``r^k log r`` for even k, ``exp(-(s r)²)`` for k = 0."""

_DETERMINED = 1e-6  # least singular value of the monomials, per sample, below which they count as dependent
_SHAPES = (
    0.25,
    0.35,
    0.5,
    0.7,
    1.0,
    1.4,
    2.0,
    2.8,
    4.0,
    5.6,
    8.0,
    11.0,
    16.0,
    23.0,
    32.0,
)  # of the Gaussian, per unit of x in [-1, 1]
_NUGGET = 1e-11  # on the diagonal of Gaussians, which are all but singular when they are accurate
_CHUNK = 2**21  # distances held at once


@final
@dataclass(frozen=True, eq=False, repr=False)
class RadialBasisCurve(Curve):
    """A sum of kernels and a polynomial, ``Φ(x) = Σ_i a_i φ(|x - z_i|) + Σ_α b_α x^α``.

    One point costs M distances in D dimensions and a product with (M, m) weights, O(M (D + m)): as much as a sine
    network with M neurons in its last layer.

    Parameters
    ----------
    centres : z (M, D).
    weights : a (M, m).
    powers : the exponents α of the tail, (r, D), whole numbers.
    tail : b (r, m).
    kernel : (2,), the order k of `KERNELS` and the shape s, which the Gaussian alone reads.

    Examples
    --------
    >>> import numpy as np
    >>> centre, one = np.array([[0.0]]), np.array([[1.0]])
    >>> curve = RadialBasisCurve(centre, one, np.array([[2.0]]), one, np.array([5.0, 1.0]))  # |x|⁵ + x²
    >>> curve(np.array([[2.0]])).tolist(), curve.derivative(np.array([[2.0]]), 0).tolist()
    ([[36.0]], [[84.0]])
    """

    name: ClassVar[str] = "rbf"

    centres: Array
    weights: Array
    powers: Array
    tail: Array
    kernel: Array

    def __call__(self, x: Array) -> Array:
        """Evaluate at ``x`` (B, D); returns (B, m)."""
        return self._chunked(x, self._values)

    def derivative(self, x: Array, axis: int) -> Array:
        """Differentiate every kernel, ``∂φ/∂x_j = φ'(r) (x_j - z_j) / r``, and the tail; returns (B, m).

        At a centre, where ``r`` itself has a kink, the kernel "linear" is given the slope 0.
        """
        return self._chunked(x, lambda part: self._slopes(part, axis))

    def _values(self, x: Array) -> Array:
        y: Array = _kernel(_squares(x, self.centres), *self.kernel) @ self.weights
        y += _monomials(x, self.powers) @ self.tail
        return y

    def _slopes(self, x: Array, axis: int) -> Array:
        steep = _kernel_slope(_squares(x, self.centres), *self.kernel)
        steep *= 2.0 * (x[:, axis, None] - self.centres[:, axis])
        power = self.powers[:, axis].copy()
        lowered = self.powers.copy()
        lowered[:, axis] = np.maximum(power - 1, 0)
        slope: Array = steep @ self.weights
        slope += (_monomials(x, lowered) * power) @ self.tail
        return slope

    def _chunked(self, x: Array, evaluate: Callable[[Array], Array]) -> Array:
        rows = max(1, _CHUNK // len(self.centres))
        if len(x) <= rows:
            return evaluate(x)
        return np.concatenate([evaluate(x[i : i + rows]) for i in range(0, len(x), rows)])

    def combined(self, T: Array) -> "RadialBasisCurve":
        """Return ``x -> Φ(x) T``, ``T (m, k)``."""
        return replace(self, weights=np.ascontiguousarray(self.weights @ T), tail=np.ascontiguousarray(self.tail @ T))

    def arrays(self) -> dict[str, Array]:
        """Return ``centres, weights, powers, tail, kernel``."""
        names = ("centres", "weights", "powers", "tail", "kernel")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_arrays(cls, arrays: dict[str, Array]) -> Self:
        """Rebuild the sum."""
        return cls(arrays["centres"], arrays["weights"], arrays["powers"], arrays["tail"], arrays["kernel"])


@final
@dataclass(frozen=True)
class RadialBasis(Basis):
    """Interpolation by radial basis functions at distinct points in any number of dimensions.

    Fitting is one dense linear system of M + r unknowns, O(M³): 0.05 s for 1000 samples. The Gaussian pays it once for
    each shape it tries; it is the more accurate one for analytic maps and few digits, but its weights are so large
    that rounding ends it near 1e-6. Samples that do not determine the polynomial tail, being too few or on a common
    line, lower the kernel: "quintic" to "cubic" to "linear". One parameter is better served by `Spline`, which is
    local, and stable where samples crowd.

    Parameters
    ----------
    kernel : "quintic" (the default), "cubic", "thin_plate_spline", "linear" or "gaussian"; the tails have the degrees
        2, 1, 1, 0 and 0.
    shape : s of the Gaussian ``exp(-(s r)²)`` per unit of x in [-1, 1]; by default the best of a grid by leave-one-out.

    References
    ----------
    Rippa, "An algorithm for selecting a good value for the parameter c in radial basis function interpolation",
    doi:10.1023/A:1018975909870.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).uniform(-1, 1, (300, 2))
    >>> curve = RadialBasis().fit(x, np.exp(x[:, :1] * x[:, 1:]), np.random.default_rng(0))
    >>> bool(abs(curve(np.array([[0.3, 0.5]])) - np.exp(0.15)) < 1e-5)
    True
    """

    name: ClassVar[str] = "rbf"

    kernel: str = "quintic"
    shape: float | None = None

    def __post_init__(self) -> None:
        """Refuse a kernel that is not there, and a shape that is not read."""
        if self.kernel not in KERNELS:
            raise unknown("kernel", self.kernel, KERNELS)
        if self.shape is not None and not (self.kernel == "gaussian" and 0 < self.shape < np.inf):
            raise InputError(
                f"shape must be positive and finite, and belongs to the kernel 'gaussian'; {self!r} came. "
                "Powers of the distance have no width: stretching them changes nothing. "
                "Leave shape out, or write RadialBasis('gaussian', shape=2.0)."
            )

    def unsuited(self, x: Array) -> str | None:
        """Refuse repeated points."""
        return "some points repeat" if len(np.unique(x, axis=0)) < len(x) else None

    def fit(self, x: Array, y: Array, rng: np.random.Generator) -> RadialBasisCurve:  # noqa: ARG002 - nothing is drawn
        """Interpolate ``y`` (M, m) at ``x`` (M, D)."""
        x, y = paired(x, y)
        self.check(x)
        # A constant is taken out first: in an ill-conditioned system it would come back bent.
        mean = y.mean(axis=0)
        kernel = (_lowered(KERNELS[self.kernel], x), self.shape or 1.0)
        if self.kernel == "gaussian" and self.shape is None:
            kernel = min(((0, shape) for shape in _SHAPES), key=lambda each: _leave_one_out(x, y - mean, each))
        powers = _tail_powers(kernel[0], x.shape[1])
        weights, tail = np.split(_solved(_system(x, powers, kernel), y - mean), [len(x)])
        tail[0] += mean
        # Copies, for a curve must neither share memory with the caller nor keep a larger array alive.
        return RadialBasisCurve(x.copy(), weights.copy(), powers, tail.copy(), np.array(kernel, dtype=float))


def _lowered(order: int, x: Array) -> int:
    """Return the order of a kernel, lowered until the points (M, D) determine its tail."""
    while order > 1:
        P = _monomials(x, _tail_powers(order, x.shape[1]))
        if len(x) >= P.shape[1] and np.linalg.svd(P, compute_uv=False)[-1] > _DETERMINED * np.sqrt(len(x)):
            break
        order = max(order - 2, 1)
    return order


def _tail_powers(order: float, dimension: int) -> Array:
    """Return the exponents (r, D) of all monomials up to degree ``order // 2``, the constant first."""
    axes = [chosen for q in range(int(order) // 2 + 1) for chosen in combinations_with_replacement(range(dimension), q)]
    powers: Array = np.array([[chosen.count(axis) for axis in range(dimension)] for chosen in axes], dtype=float)
    return powers


def _monomials(x: Array, powers: Array) -> Array:
    """Return ``x^α`` for points (B, D) and exponents (r, D), (B, r)."""
    result = np.ones((len(x), len(powers)))
    for column, power in zip(x.T, powers.T, strict=True):
        result *= column[:, None] ** power
    return result


def _squares(x: Array, centres: Array) -> Array:
    """Return the squared distances (B, M); ``|x|² - 2 x·z + |z|²`` would cancel next to a centre."""
    total = (x[:, :1] - centres[:, 0]) ** 2
    for axis in range(1, x.shape[1]):
        gap = x[:, axis, None] - centres[:, axis]
        gap *= gap
        total += gap
    return total


def _kernel(squares: Array, order: float, shape: float) -> Array:
    """Return ``φ(r)`` from ``r²`` (B, M)."""
    if order == 0:
        return np.exp(-(shape**2) * squares)
    if order == 2:
        return 0.5 * squares * np.log(np.where(squares > 0, squares, 1.0))
    return np.sqrt(squares) * squares ** (order // 2)


def _kernel_slope(squares: Array, order: float, shape: float) -> Array:
    """Return ``dφ/d(r²)`` from ``r²`` (B, M), with 0 for what is infinite at a centre."""
    if order == 0:
        return -(shape**2) * np.exp(-(shape**2) * squares)
    apart = np.where(squares > 0, squares, 1.0)
    if order == 2:
        return 0.5 * np.log(apart) + 0.5
    if order == 1:
        return np.where(squares > 0, 0.5 / np.sqrt(apart), 0.0)
    return order / 2 * np.sqrt(squares) * squares ** (order // 2 - 1)


def _system(x: Array, powers: Array, kernel: tuple[int, float]) -> Array:
    """Return ``[[K, P], [Pᵀ, 0]]`` with ``K_ij = φ(|x_i - x_j|)`` (M, M) and ``P = x^α`` (M, r)."""
    M, P = len(x), _monomials(x, powers)
    system = np.zeros((M + len(powers), M + len(powers)))
    system[:M, :M] = _kernel(_squares(x, x), *kernel)
    if kernel[0] == 0:
        system[:M, :M] += _NUGGET * np.eye(M)
    system[:M, M:], system[M:, :M] = P, P.T
    return system


def _solved(system: Array, y: Array) -> Array:
    """Return weights and tail, (M + r, m)."""
    try:
        solution: Array = np.linalg.solve(system, np.vstack([y, np.zeros((len(system) - len(y), y.shape[1]))]))
    except np.linalg.LinAlgError as cause:
        raise _singular(len(y)) from cause
    if not np.isfinite(solution).all():
        raise _singular(len(y))
    return solution


def _singular(count: int) -> TrainingError:
    return TrainingError(
        f"the system of {count} radial basis functions is singular to working precision. "
        "Two samples probably all but coincide, or the Gaussian is far too flat. "
        "Move the samples apart, choose a larger shape, or use basis='sine'."
    )


def _leave_one_out(x: Array, y: Array, kernel: tuple[int, float]) -> float:
    """Return the sum of squares of the leave-one-out errors ``a_i / (S⁻¹)_ii``, S the whole system."""
    y = y / (np.max(np.abs(y)) or 1.0)  # errors are squared: entries near 2^±600 must not overflow or vanish
    try:
        inverse = np.linalg.inv(_system(x, _tail_powers(kernel[0], x.shape[1]), kernel))[: len(x), : len(x)]
    except np.linalg.LinAlgError:
        return np.inf
    # Where the tail needs every sample, none can be left out: 0/0.
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        score = float(np.sum((inverse @ y / np.diag(inverse)[:, None]) ** 2))
    return score if np.isfinite(score) else np.inf
