"""A sine network whose hidden layers are drawn at random and frozen, with a least-squares readout (RF-LSQ).

``h_0 = x``, ``h_l = sin(h_{l-1} W_l + b_l)`` for ``l = 1..L``, and ``Φ(x) = h_L V + v``. The hidden weights are spread
as in SIREN (arXiv:2006.09661); only the readout is fitted, by one truncated SVD. One number matters, the bandwidth
``Ω`` of the first layer in radians per unit of x, and leave-one-out picks it. Training the hidden layers by gradient
descent takes far longer and ends far less accurate on smooth curves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import ClassVar, Self, final

import numpy as np

from neumatc.arrays import Array
from neumatc.bases.base import Basis, Curve, paired
from neumatc.bases.packed import Layers, Packed
from neumatc.errors import InputError
from neumatc.products import times

__all__ = ["SineCurve", "SineNetwork"]

# Bandwidths tried first, and those added when the best of the first is the last of them or explains next to nothing.
_ONE_PARAMETER = ((3.0, 4.5, 6.0, 8.0, 10.0, 13.0, 16.0, 20.0), (26.0, 34.0, 45.0, 60.0))
_SEVERAL = ((1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0), (13.0, 16.0, 20.0))
_NEXT_TO_NOTHING = 0.1
_NARROW = 128  # neurons of all layers but the last, at most


@final
@dataclass(frozen=True, eq=False, repr=False)
class SineCurve(Curve):
    """A sine network ``Φ(x) = sin(… sin(x W_1 + b_1) …) V + v``.

    Parameters
    ----------
    hidden : pairs (weight (n_in, W), bias (W,)), one per hidden layer.
    readout : V (W, m).
    offset : v (m,).

    Examples
    --------
    >>> import numpy as np
    >>> curve = SineCurve(((np.array([[2.0]]), np.array([0.0])),), np.array([[3.0]]), np.array([1.0]))
    >>> bool(curve(np.array([[0.5]]))[0, 0] == 3.0 * np.sin(1.0) + 1.0)
    True
    """

    name: ClassVar[str] = "sine"

    hidden: Layers
    readout: Array
    offset: Array

    def __call__(self, x: Array) -> Array:
        """Evaluate at ``x`` (B, D); returns (B, m)."""
        if self._packed is not None:
            return self._packed(x)
        # One point as a vector: products with it cost a third less than those with a matrix of one row.
        y = times(_features(self.hidden, x[0] if len(x) == 1 else x), self.readout)
        y += self.offset
        return y.reshape(len(x), len(self.offset))

    @cached_property
    def _packed(self) -> Packed | None:
        return Packed.of((*self.hidden, (self.readout, self.offset)))

    def derivative(self, x: Array, axis: int) -> Array:
        """Differentiate by the chain rule, ``dh_l = cos(h_{l-1} W_l + b_l) · (dh_{l-1} W_l)``; returns (B, m)."""
        h, dh = x, np.zeros_like(x)
        dh[:, axis] = 1.0
        for weight, bias in self.hidden:
            a = h @ weight + bias
            h, dh = np.sin(a), np.cos(a) * (dh @ weight)
        slope: Array = dh @ self.readout
        return slope

    def combined(self, T: Array) -> "SineCurve":
        """Return ``x -> Φ(x) T``, ``T (m, k)``."""
        return SineCurve(self.hidden, np.ascontiguousarray(self.readout @ T), self.offset @ T)

    def arrays(self) -> dict[str, Array]:
        """Return ``weight0, bias0, weight1, …, readout, offset``."""
        stored = {}
        for layer, (weight, bias) in enumerate(self.hidden):
            stored[f"weight{layer}"], stored[f"bias{layer}"] = weight, bias
        return stored | {"readout": self.readout, "offset": self.offset}

    @classmethod
    def from_arrays(cls, arrays: dict[str, Array]) -> Self:
        """Rebuild the network; the number of layers is the number of weights."""
        layers = sum(key.startswith("weight") for key in arrays)
        hidden = tuple((arrays[f"weight{layer}"], arrays[f"bias{layer}"]) for layer in range(layers))
        return cls(hidden, arrays["readout"], arrays["offset"])


@final
@dataclass(frozen=True)
class SineNetwork(Basis):
    """Random frozen sine layers, least-squares readout, bandwidth by leave-one-out.

    First layer ``w ~ U(-Ω, Ω)``, those after a layer of n neurons ``w ~ g sqrt(6/n) U(-1, 1)``, all biases
    ``U(-π, π)``. The readout is the shortest least-squares solution with singular values below ``cutoff · s_1``
    dropped, so that there may be more neurons than samples. Takes any points in any number of dimensions.

    Parameters
    ----------
    layers : number of hidden layers L.
    width : neurons of the last layer W; by default 128 for one parameter, else twice as many as points within
        128..2000. As many neurons as points is the worst number of all: the one curve through all points is then far
        from short (Belkin et al., doi:10.1073/pnas.1903070116). The layers before have at most 128: more gain nothing,
        and an answer would cost W² instead of 128 W.
    bandwidth : Ω in rad per unit of x in [-1, 1]; by default the best of a grid.
    gain : g of the deeper layers.
    cutoff : relative size of the singular values that are dropped.

    References
    ----------
    Sitzmann et al., "Implicit neural representations with periodic activation functions", arXiv:2006.09661.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.linspace(-1, 1, 60)[:, None]
    >>> curve = SineNetwork().fit(x, np.exp(x), np.random.default_rng(0))
    >>> bool(abs(curve(np.array([[0.3]])) - np.exp(0.3)) < 1e-10)
    True
    """

    name: ClassVar[str] = "sine"

    layers: int = 2
    width: int | None = None
    bandwidth: float | None = None
    gain: float = 0.5
    cutoff: float = 1e-13

    def __post_init__(self) -> None:
        """Refuse options that describe no network."""
        options = (self.layers, self.width or 1, self.bandwidth or 1.0, self.gain, self.cutoff)
        if not all(0 < value < np.inf for value in options) or 0 in (self.width, self.bandwidth):
            raise InputError(
                f"every option of SineNetwork must be positive and finite; {self!r} came. "
                "A zero probably stands for 'default'. Leave an option out to get its default."
            )

    def unsuited(self, x: Array) -> str | None:  # noqa: ARG002 - the interface passes x; any points suit this basis
        """Return None: sine networks take any points."""
        return None

    def fit(self, x: Array, y: Array, rng: np.random.Generator) -> SineCurve:
        """Fit to ``x`` (M, D), ``y`` (M, m); the cost is one QR per bandwidth and one SVD."""
        x, y = paired(x, y)
        # The shortest solution is short in the constant too: without its mean a constant would come out bent.
        mean = y.mean(axis=0)
        y = y - mean
        # One draw serves all bandwidths: they then differ in Ω alone, and comparing them is fair.
        drawn = _draw(self.layers, self._width(x), x.shape[1], self.gain, rng)
        bandwidth = self.bandwidth or _best_bandwidth(drawn, x, y, self.cutoff)
        hidden = _stretched(drawn, bandwidth)
        readout = np.linalg.lstsq(_with_one(_features(hidden, x)), y, rcond=self.cutoff)[0]
        return SineCurve(hidden, np.ascontiguousarray(readout[:-1]), readout[-1] + mean)

    def _width(self, x: Array) -> int:
        several = x.shape[1] > 1
        return self.width or (min(max(2 * len(x), 128), 2000) if several else 128)


def _features(hidden: Layers, x: Array) -> Array:
    """The last hidden layer for points ``x (B, D)``, or one point (D,)."""
    h = x
    for weight, bias in hidden:
        h = times(h, weight)
        h += bias
        np.sin(h, out=h)
    return h


def _with_one(features: Array) -> Array:
    return np.hstack([features, np.ones((len(features), 1))])


def _draw(layers: int, width: int, dimension: int, gain: float, rng: np.random.Generator) -> Layers:
    """Draw the hidden layers for Ω = 1."""
    widths = [dimension, *[min(width, _NARROW)] * (layers - 1), width]
    hidden = []
    for layer, (fan_in, fan_out) in enumerate(pairwise(widths)):
        spread = gain * np.sqrt(6 / fan_in) if layer else 1.0
        weight = spread * rng.uniform(-1, 1, (fan_in, fan_out))
        hidden.append((weight, rng.uniform(-np.pi, np.pi, fan_out)))
    return tuple(hidden)


def _stretched(drawn: Layers, bandwidth: float) -> Layers:
    (weight, bias), *deeper = drawn
    return ((bandwidth * weight, bias), *deeper)


def _best_bandwidth(drawn: Layers, x: Array, y: Array, cutoff: float) -> float:
    first, more = _ONE_PARAMETER if x.shape[1] == 1 else _SEVERAL
    y = y / (np.max(np.abs(y)) or 1.0)  # scores are squared: entries near 2^±600 must not overflow or vanish
    scores = _scores(first, drawn, x, y, cutoff)
    unexplained = _NEXT_TO_NOTHING**2 * np.sum(y**2)
    if _least(scores) == first[-1] or min(scores.values()) > unexplained:
        scores |= _scores(more, drawn, x, y, cutoff)
    return _least(scores)


def _least(scores: dict[float, float]) -> float:
    return min(scores, key=scores.__getitem__)


def _scores(bandwidths: Sequence[float], drawn: Layers, x: Array, y: Array, cutoff: float) -> dict[float, float]:
    return {each: _leave_one_out(_with_one(_features(_stretched(drawn, each), x)), y, cutoff) for each in bandwidths}


def _leave_one_out(features: Array, y: Array, cutoff: float) -> float:
    """Sum of squares of what each sample would miss were it left out.

    Parameters
    ----------
    features : F (M, W + 1).
    y : (M, m).
    """
    few_features = features.shape[1] <= len(features) / 2
    missed = _by_hat(features, y, cutoff) if few_features else _by_kernel(features, y, cutoff)
    return float(np.sum(missed**2))


def _by_hat(F: Array, y: Array, cutoff: float) -> Array:
    """Leave-one-out errors ``r_i / (1 - h_ii)``, ``h = diag(U Uᵀ)`` with U the kept left singular vectors of F."""
    U, s, _ = np.linalg.svd(F, full_matrices=False)
    U = U[:, s > cutoff * s[0]]
    unseen = np.maximum(1.0 - np.sum(U**2, axis=1), np.finfo(float).eps)
    missed: Array = (y - U @ (U.T @ y)) / unseen[:, None]
    return missed


def _by_kernel(F: Array, y: Array, cutoff: float) -> Array:
    """Leave-one-out errors ``(K⁻¹ y)_i / (K⁻¹)_ii`` of the ridge fit with ``K = F Fᵀ + ρ I``.

    With as many features as samples the residuals of the hat formula are rounding errors and say nothing. K itself is
    never formed: ``K = Rᵀ R`` with R from a QR of ``[Fᵀ; √ρ I]``. The Gram matrix ``F Fᵀ`` would square the condition
    number and force a ridge so large that all bandwidths look alike below errors of 1e-7; here ρ sits where the
    readout drops singular values.
    """
    ridge = cutoff * np.linalg.norm(F)
    R_inverse = np.linalg.inv(np.linalg.qr(np.vstack([F.T, ridge * np.eye(len(F))]), mode="r"))
    missed: Array = R_inverse @ (R_inverse.T @ y) / np.sum(R_inverse**2, axis=1)[:, None]
    return missed
