"""Interpolation of inverses: a few exact inverses, combined so that the combination inverts A(p) best."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np

from benchmarks.baselines.base import Answer, Baseline, Family, Solver
from neumatc.arrays import Array

__all__ = ["InterpolatedInverse", "Snapshots", "coefficients", "greedy", "sketch"]


@dataclass(frozen=True)
class Snapshots:
    """Exact inverses at chosen points.

    Parameters
    ----------
    points : where, in the order of choice.
    inverses : ``(m, n, n)``.
    worst : the largest residual ``‖(I - P A) V‖_F / ‖V‖_F`` over the training points, before each choice but the first.
    """

    points: tuple[float, ...]
    inverses: Array
    worst: tuple[float, ...]


def sketch(n: int, columns: int | None, rng: np.random.Generator) -> Array:
    """Return V ``(n, columns)`` of ±1 / sqrt(columns), so that ``E V Vᵀ = I``; the identity for None."""
    if columns is None:
        return np.eye(n)
    signs: Array = rng.choice((-1.0, 1.0), (n, columns)) / np.sqrt(columns)
    return signs


def coefficients(inverses: Array, A: Array, V: Array) -> Array:
    """Return λ that minimises ``‖(I - Σ_i λ_i P_i A) V‖_F``, a least-squares problem with n K rows."""
    AV = A @ V
    columns = np.stack([(P @ AV).ravel() for P in inverses], axis=1)
    found: Array = np.linalg.lstsq(columns, V.ravel().astype(columns.dtype), rcond=None)[0]
    return found


def greedy(family: Family, training: Sequence[float], count: int, V: Array) -> Snapshots:
    """Choose points one by one where the sketched residual is largest, the first in the middle.

    Each training point keeps an orthonormal basis of its ``P_i A V``: a new inverse then costs one product per point.
    """
    images = [family(p) @ V for p in training]
    left = [V.ravel().astype(image.dtype) for image in images]
    bases: list[list[Array]] = [[] for _ in training]
    chosen, points, inverses = len(training) // 2, list[float](), list[Array]()
    worst: list[float] = []
    while True:
        points.append(float(training[chosen]))
        inverses.append(np.linalg.inv(family(points[-1])))
        for t, image in enumerate(images):
            left[t] = _deflated(left[t], bases[t], (inverses[-1] @ image).ravel())
        if len(points) == count:
            return Snapshots(tuple(points), np.array(inverses), tuple(worst))
        sizes = [float(np.linalg.norm(each) / np.linalg.norm(V)) for each in left]
        chosen = int(np.argmax(sizes))
        worst.append(sizes[chosen])


def _deflated(vector: Array, basis: list[Array], new: Array) -> Array:
    """Add a direction to an orthonormal basis and take its part out of a vector."""
    size = np.linalg.norm(new)
    for _ in range(2):  # twice is enough: one pass loses orthogonality where the inverses are nearly dependent
        for q in basis:
            new = new - q * np.vdot(q, new)
    length = np.linalg.norm(new)
    if length <= 1e-12 * size:
        return vector
    basis.append(new / length)
    deflated: Array = vector - basis[-1] * np.vdot(basis[-1], vector)
    return deflated


@final
@dataclass(frozen=True)
class InterpolatedInverse(Baseline):
    """``P(p) = Σ_i λ_i(p) A(p_i)⁻¹`` with λ minimising ``‖(I - P(p) A(p)) V‖_F``, points chosen greedily.

    Exact at the p_i. If V preserves norms in span{I, P_1 A, ..., P_m A} up to ``1 ± ε`` (squared), the residual is at
    most ``sqrt((1 + ε) / (1 - ε))`` times that of the best combination, and ``‖P - A⁻¹‖_F <= ‖I - P A‖_F ‖A⁻¹‖_2``.

    With m = 20 and K = 64 a query at n = 1024 costs 2 n² K (m + 1) = 2.8 GFLOPs; the NeuMatC paper counts 3.0.

    Parameters
    ----------
    count : m, inverses.
    columns : K, of the sketch V with entries ±1 / sqrt(K); None for the full Frobenius norm.
    training : candidates for the greedy choice, equidistant in ``interval``.
    interval : where p lies.
    seed : of V.

    References
    ----------
    Zahm & Nouy (2016), doi:10.1137/15M1019210.
    """

    name: ClassVar[str] = "COI"
    source: ClassVar[str] = "10.1137/15M1019210"
    operation: ClassVar[str] = "inv"

    count: int = 20
    columns: int | None = 64
    training: int = 41
    interval: tuple[float, float] = (0.0, 1.0)
    seed: int = 0

    def prepare(self, family: Family) -> Solver:
        training = [float(p) for p in np.linspace(*self.interval, self.training)]
        n = family(training[0]).shape[0]
        V = sketch(n, self.columns, np.random.default_rng(self.seed))
        inverses = greedy(family, training, self.count, V).inverses

        def answers(points: Sequence[float]) -> Iterator[Answer]:
            for p in points:
                weights = coefficients(inverses, family(p), V)
                yield Answer({"X": _combined(weights, inverses)}, self.count)

        return answers


def _combined(weights: Array, inverses: Array) -> Any:
    """Return ``Σ_i λ_i P_i`` as one product of a row with an (m, n²) matrix."""
    m, n, _ = inverses.shape
    return (weights @ inverses.reshape(m, n * n)).reshape(n, n)
