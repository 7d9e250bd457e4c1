"""Which basis? Fit several to the same samples and keep the one with the least score on points none of them saw.

No basis wins everywhere: near a pole the rational one is up to 1e7 times better, with noise it is worse than a spline.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from neumatc.arrays import Array
from neumatc.bases.base import Basis, Curve
from neumatc.errors import InputError, TrainingError

__all__ = ["Choice", "Trial", "select"]


@dataclass(frozen=True)
class Trial:
    """What became of one basis.

    Parameters
    ----------
    name : of the basis.
    score : least is best; infinite when there is no curve.
    seconds : spent on fitting and scoring.
    reason : why there is no usable curve, or None.
    """

    name: str
    score: float
    seconds: float
    reason: str | None = None


@dataclass(frozen=True)
class Choice:
    """The curve that was kept, and the trials that led to it, in order."""

    curve: Curve
    name: str
    score: float
    tried: tuple[Trial, ...]


def select(
    bases: Sequence[Basis],
    x: Array,
    y: Array,
    score: Callable[[Curve], float],
    enough: float,
    rng: np.random.Generator,
) -> Choice:
    """Fit bases in order and keep the curve with the least score; stop at the first that is good enough.

    Parameters
    ----------
    bases : tried in this order.
    x : (M, D) points in ``[-1, 1]^D``.
    y : (M, m) values.
    score : a number for a curve, least is best, such as its held-out residual ``max_v ‖A(v) Φ(v) - I‖``.
    enough : no further basis is tried once a score is at most this.
    rng : split among the bases, so that what one of them draws changes nothing for the others.

    Raises
    ------
    TrainingError
        When no basis gave a curve with a finite score; the message lists why.

    Examples
    --------
    >>> import numpy as np
    >>> from neumatc.bases import Rational, Spline
    >>> x, v = np.linspace(-1, 1, 40)[:, None], np.array([[0.03]])
    >>> runge = lambda x: 1 / (x**2 + 0.01)
    >>> miss = lambda curve: float(abs(curve(v) - runge(v))[0, 0])
    >>> choice = select([Spline(), Rational()], x, runge(x), miss, 0.0, np.random.default_rng(0))
    >>> choice.name, [trial.name for trial in choice.tried]
    ('rational', ['spline', 'rational'])
    """
    tried: list[Trial] = []
    kept: tuple[Curve, Trial] | None = None
    for basis, own_rng in zip(bases, rng.spawn(len(bases)), strict=True):
        curve, trial = _try(basis, x, y, score, own_rng)
        tried.append(trial)
        if curve is not None and (kept is None or trial.score < kept[1].score):
            kept = curve, trial
        if trial.score <= enough:
            break
    if kept is None:
        raise _nothing_fitted(tried, len(x))
    curve, best = kept
    return Choice(curve, best.name, best.score, tuple(tried))


def _try(
    basis: Basis, x: Array, y: Array, score: Callable[[Curve], float], rng: np.random.Generator
) -> tuple[Curve | None, Trial]:
    reason = basis.unsuited(x)
    if reason is not None:
        return None, Trial(basis.name, np.inf, 0.0, reason)
    start = time.perf_counter()
    try:
        curve = basis.fit(x, y, rng)
    except (TrainingError, np.linalg.LinAlgError) as failure:
        return None, Trial(basis.name, np.inf, time.perf_counter() - start, str(failure))
    value = float(score(curve))
    seconds = time.perf_counter() - start
    if not np.isfinite(value):
        return None, Trial(basis.name, np.inf, seconds, f"its score is {value}")
    return curve, Trial(basis.name, value, seconds)


def _nothing_fitted(tried: Sequence[Trial], count: int) -> InputError | TrainingError:
    if not tried:
        return InputError(
            "select needs at least one basis; an empty sequence came. "
            "A list was probably filtered too far. Pass basis('auto')."
        )
    reasons = "; ".join(f"{trial.name}: {trial.reason}" for trial in tried)
    return TrainingError(
        f"no basis could fit the {count} samples ({reasons}). "
        "The samples are probably too few or placed for another basis. Take more samples, or use basis='auto'."
    )
