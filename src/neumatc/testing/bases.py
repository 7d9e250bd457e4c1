"""Laws of bases: what a recipe and the curves it makes owe to the fit, the derivative and the file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np

from neumatc.arrays import Array
from neumatc.bases import Basis, Combinable, Curve, lobatto
from neumatc.errors import InputError, TrainingError

from .require import require, stream

Law: TypeAlias = Callable[[Basis, Array, np.random.Generator], None]

LEARNT = 1e-2
"""Relative error on three entire functions that no basis may exceed on forty points of the line."""


def check_basis(basis: Basis, rng: Any = None, x: Any = None) -> None:
    """Run every law of `BASIS_LAWS`.

    Parameters
    ----------
    basis : to be checked
    rng : None, an integer or a numpy Generator; a failure is repeated by the same one
    x : (M, D) points in the unit cube that suit the basis and are many enough for a smooth function; 40
        Chebyshev-Lobatto points of the interval by default

    Raises
    ------
    AssertionError
        For the first law that does not hold, with what came instead.

    Examples
    --------
    >>> from neumatc.bases import Chebyshev, lobatto
    >>> check_basis(Chebyshev())
    >>> check_basis(Chebyshev(), x=lobatto(12, 12))
    """
    points = lobatto(40) if x is None else np.asarray(x, float)
    for law, own in zip(BASIS_LAWS.values(), stream(rng).spawn(len(BASIS_LAWS)), strict=True):
        law(basis, points, own)


def law_smooth_maps_are_learnt(basis: Basis, x: Array, rng: np.random.Generator) -> None:
    """A curve through samples of entire functions is near them between the samples."""
    require(basis.unsuited(x) is None, "The points must suit the basis; pass x.", f"{basis.unsuited(x)}")
    t = inside(x, rng)
    miss = float(np.max(np.abs(_fitted(basis, x)(t) - smooth(t))) / np.max(np.abs(smooth(t))))
    law = f"Smooth maps must be learnt to {LEARNT:.0e} between the samples."
    require(miss <= LEARNT, law, f"an error of {miss:.1e}")


def law_batch_equals_single(basis: Basis, x: Array, rng: np.random.Generator) -> None:
    """``curve(x)`` is (B, m), row by row, for any B, none included."""
    curve, t = _fitted(basis, x), inside(x, rng)
    batch, m = curve(t), smooth(t).shape[1]
    require(batch.shape == (len(t), m), "curve(x (B, D)) must be (B, m).", f"{batch.shape} for B = {len(t)}, m = {m}")
    require(curve(t[:0]).shape == (0, m), "curve(x) must be (0, m) for no points.", f"{curve(t[:0]).shape}")
    single = np.concatenate([curve(t[i : i + 1]) for i in range(len(t))])
    gap = float(np.max(np.abs(single - batch)) / np.max(np.abs(batch)))
    # Sums are ordered otherwise in a batch, and curves of radial basis functions lose digits to cancellation.
    require(gap <= 1e-11, "A row of a batch must be the answer for its point alone.", f"a difference of {gap:.1e}")


def law_derivative_is_the_slope(basis: Basis, x: Array, rng: np.random.Generator) -> None:
    """``derivative(x, axis)`` agrees with central differences of the curve itself, along every axis."""
    curve, t, h = _fitted(basis, x), 0.95 * inside(x, rng), 1e-5
    for axis in range(x.shape[1]):
        step = h * np.eye(x.shape[1])[axis]
        slope, derivative = (curve(t + step) - curve(t - step)) / (2 * h), curve.derivative(t, axis)
        gap = float(np.max(np.abs(derivative - slope)) / max(1.0, float(np.max(np.abs(slope)))))
        require(gap <= 1e-5, f"derivative(x, {axis}) must be the slope of the curve.", f"a difference of {gap:.1e}")


def law_arrays_round_trip(basis: Basis, x: Array, rng: np.random.Generator) -> None:
    """``from_arrays(arrays())`` answers bit for bit like the curve, values and derivatives."""
    curve, t = _fitted(basis, x), inside(x, rng)
    arrays = {name: np.array(value) for name, value in curve.arrays().items()}
    kinds = {name: str(value.dtype) for name, value in arrays.items()}
    require(set(kinds.values()) <= {"float64"}, "arrays() must hold float64 only.", f"{kinds}")
    again = type(curve).from_arrays(arrays)
    law = "from_arrays(arrays()) must give the same curve, bit for bit."
    require(np.array_equal(again(t), curve(t)), law, "other values")
    require(np.array_equal(again.derivative(t, 0), curve.derivative(t, 0)), law, "another derivative")


def law_same_numbers_same_curve(basis: Basis, x: Array, rng: np.random.Generator) -> None:
    """All randomness comes from the generator that ``fit`` is given."""
    t = inside(x, rng)
    require(
        np.array_equal(_fitted(basis, x)(t), _fitted(basis, x)(t)),
        "Two fits with generators of one seed must give one curve, bit for bit.",
        "two curves",
    )


def law_inputs_are_left_alone(basis: Basis, x: Array, rng: np.random.Generator) -> None:
    """``fit`` and the curve write into nothing that the caller owns."""
    own, y, t = x.copy(), smooth(x), inside(x, rng)
    before = [each.copy() for each in (own, y, t)]
    curve = basis.fit(own, y, np.random.default_rng(0))
    curve(t), curve.derivative(t, 0)
    same = all(np.array_equal(old, new) for old, new in zip(before, (own, y, t), strict=True))
    require(same, "fit and the curve must not change the arrays they are given.", "changed ones")


def law_combined_is_the_curve_times_a_matrix(basis: Basis, x: Array, rng: np.random.Generator) -> None:
    """``combined(T)(x) = Φ(x) T`` where a curve can be combined, and nothing is fitted again for it."""
    curve, t = _fitted(basis, x), inside(x, rng)
    if isinstance(curve, Combinable):
        T = rng.standard_normal((3, 2))
        gap = float(np.abs(curve.combined(T)(t) - curve(t) @ T).max())
        require(gap <= 1e-8, "combined(T) must be the curve times T, at most 1e-08 apart.", f"{gap:.1e}")


def law_unsuited_points_are_refused(basis: Basis, x: Array, rng: np.random.Generator) -> None:
    """``unsuited`` and ``fit`` agree: what suits is fitted (or fails as training), what does not is an `InputError`."""
    trials = [x[:1], np.sort(rng.uniform(-1, 1, (9, 1)), axis=0), rng.uniform(-1, 1, (20, 2)), lobatto(4, 3)]
    for points in trials:
        reason, came = basis.unsuited(points), _outcome(basis, points)
        law = f"unsuited(x) and fit must agree on {points.shape} points."
        expected = (Curve, TrainingError) if reason is None else (InputError,)
        require(isinstance(came, expected), law, f"unsuited says {reason!r}, fit gives {type(came).__name__}")


BASIS_LAWS: Mapping[str, Law] = MappingProxyType(
    {
        law.__name__.removeprefix("law_"): law
        for law in (
            law_smooth_maps_are_learnt,
            law_batch_equals_single,
            law_derivative_is_the_slope,
            law_arrays_round_trip,
            law_same_numbers_same_curve,
            law_inputs_are_left_alone,
            law_combined_is_the_curve_times_a_matrix,
            law_unsuited_points_are_refused,
        )
    }
)
"""Every law by name, each called as ``law(basis, x, rng)``."""


def smooth(x: Array) -> Array:
    """Three entire functions of the rows of ``x (B, D)``; returns (B, 3)."""
    s = x.mean(axis=1, keepdims=True)
    return np.hstack([np.exp(s), np.cos(2 * s + 1) + 0.3 * x[:, :1], s * x[:, -1:] ** 2])


def inside(x: Array, rng: np.random.Generator, count: int = 30) -> Array:
    """Random points (count, D) of the unit cube."""
    return rng.uniform(-1, 1, (count, x.shape[1]))


def _fitted(basis: Basis, x: Array) -> Curve:
    return basis.fit(x, smooth(x), np.random.default_rng(7))


def _outcome(basis: Basis, x: Array) -> Curve | Exception:
    try:
        return _fitted(basis, x)
    except (InputError, TrainingError) as refusal:
        return refusal
