"""Laws of operations: what ``exact``, ``equations`` and ``gauge`` owe to the code that is derived from them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np

from neumatc.arrays import Array, double, is_torch, real_dtype, scale, torch_or_none
from neumatc.correct import Corrector
from neumatc.equations import degrees, frobenius, norm, residual, unknown_names
from neumatc.gauge import Factors, NoGauge
from neumatc.operations import Operation, Refinable, Selective
from neumatc.probes import gaussian
from neumatc.sketch import Sketch

from .answers import law_settled_is_presented
from .require import require, stream

Law: TypeAlias = Callable[[Operation, Array, np.random.Generator], None]

PROBED = 40
"""Sketches averaged; each is a fair estimate of the squared residual alone."""


def check_operation(operation: Operation, A: Any, rng: Any = None) -> None:
    """Run every law of `OPERATION_LAWS`.

    Parameters
    ----------
    operation : to be checked
    A : (B, n1, n2), B >= 2 well-conditioned matrices (up to about 1e3) that the operation is meant for
    rng : None, an integer or a numpy Generator; a failure is repeated by the same one

    Raises
    ------
    AssertionError
        For the first law that does not hold, with what came instead.

    Examples
    --------
    >>> import numpy as np
    >>> from neumatc.equations import equal, known, unknown
    >>> from neumatc.operations import Custom
    >>> A = np.array([np.diag([1.0, 4.0]), [[2.0, 1.0], [1.0, 3.0]]])
    >>> X = unknown("X")
    >>> wrong = Custom("halve", lambda A: A / 2, (equal(X @ X, known("A")),))
    >>> check_operation(wrong, A)
    Traceback (most recent call last):
    AssertionError: The residual of exact factors must be at rounding level, at most 2.2e-12. Found: 2.5e-01 (halve).
    """
    streams = stream(rng).spawn(len(OPERATION_LAWS))
    for law, own in zip(OPERATION_LAWS.values(), streams, strict=True):
        law(operation, np.asarray(A), own)


def law_exact_names_the_unknowns(operation: Operation, A: Array, _rng: np.random.Generator) -> None:
    """``exact`` returns the unknowns of the equations, one matrix per matrix, batch axis first."""
    require(A.ndim == 3 and len(A) >= 2, "A must be at least two matrices, (B, n1, n2).", f"shape {A.shape}")
    operation.check(A.shape[1:])
    F, names = operation.exact(A), unknown_names(operation.equations())
    law = "exact(A) must return one matrix (B, rows, columns) for each unknown of the equations."
    require(set(F) == set(names), law, f"factors {sorted(F)} for unknowns {sorted(names)}")
    for name, X in F.items():
        require(X.ndim == 3 and len(X) == len(A), law, f"{name} of shape {X.shape} for A of shape {A.shape}")


def law_residual_vanishes_on_exact(operation: Operation, A: Array, _rng: np.random.Generator) -> None:
    """Exact factors satisfy the equations."""
    limit, size = rounding(A), float(np.max(_residual(operation, A, operation.exact(A))))
    law = f"The residual of exact factors must be at rounding level, at most {limit:.1e}."
    require(size <= limit, law, f"{size:.1e} ({operation.name})")


def law_residual_ignores_gauge(operation: Operation, A: Array, rng: np.random.Generator) -> None:
    """A residual does not depend on the representative: ``residual(move(F)) = residual(F)``, also when F is wrong."""
    F = perturbed(operation.exact(A), 0.03, rng)
    before, after = (_residual(operation, A, G) for G in (F, operation.gauge.move(F, rng)))
    law = "gauge.move must not change the residual of the equations."
    require(np.abs(after - before) <= rounding(A) * (1 + before), law, f"{before} before, {after} after")


def law_align_undoes_move(operation: Operation, A: Array, rng: np.random.Generator) -> None:
    """``align(move(F), F)`` returns F: the gauge knows its own group, and the nearest representative is unique."""
    F = operation.exact(A)
    moved = operation.gauge.align(operation.gauge.move(F, rng), F)
    _require_equal(moved, F, "gauge.align(gauge.move(F), F) must return F.", rounding(A))


def law_batch_equals_single(operation: Operation, A: Array, _rng: np.random.Generator) -> None:
    """Row i of a batch is the answer for matrix i alone, up to gauge and rounding."""
    F = operation.exact(A)
    for i in range(len(A)):
        row = {name: X[i : i + 1] for name, X in F.items()}
        single = operation.gauge.align(operation.exact(A[i : i + 1]), row)
        _require_equal(single, row, f"Row {i} of exact(A) must be exact(A[{i}]).", rounding(A))


def law_scaling(operation: Operation, A: Array, rng: np.random.Generator) -> None:
    """``A -> 2^k A`` multiplies every factor by the power its equations demand and leaves the residual alone.

    Says nothing where the equations are not homogeneous: there `degrees` is None and nothing is ever rescaled.
    """
    powers = degrees(operation.equations())
    if powers is None or not operation.homogeneous:
        return
    F, limit = operation.exact(A), rounding(A)
    for k in (-12, 12):
        step = k * math.lcm(*(g.denominator for g in powers.values()))
        shift = {name: int(g * step) for name, g in powers.items()}
        bigger = scale(A, step)
        wanted = {name: scale(X, shift[name]) for name, X in F.items()}
        came = operation.gauge.align(operation.exact(bigger), wanted)
        _require_equal(came, wanted, f"exact(2^{step} A) must be exact(A) times 2^{shift}.", limit)
        wrong = perturbed(F, 0.03, rng)
        before = _residual(operation, A, wrong)
        after = _residual(operation, bigger, {name: scale(X, shift[name]) for name, X in wrong.items()})
        law = f"The relative residual must not change when A is multiplied by 2^{step}."
        require(np.abs(after - before) <= limit * before, law, f"{before} became {after}")


def law_canonical_keeps_the_equations(operation: Operation, A: Array, rng: np.random.Generator) -> None:
    """What the user receives still satisfies the equations, from whichever representative it came."""
    exact, limit = operation.exact(A), rounding(A)
    for F in (exact, operation.gauge.move(exact, rng)):
        canonical = operation.canonical(F)
        size = float(np.max(_residual(operation, A, canonical)))
        require(size <= limit, f"canonical(F) must satisfy the equations to {limit:.1e}.", f"a residual of {size:.1e}")
        value = operation.present(canonical)
        for part in value if isinstance(value, tuple) else (value,):
            good = part.shape[:1] == (len(A),) and np.isfinite(part).all()
            require(good, "present(F) must return finite arrays, batch axis first.", f"shape {part.shape}")


def law_sketch_estimates_the_residual(operation: Operation, A: Array, rng: np.random.Generator) -> None:
    """The equations survive their reduction to latent coefficients.

    ``E ‖r(φ)‖² = residual(Σ_j φ_j F_j)²``: with probes on all sides exactly, with few probes on average. Norms that
    follow the factors are those of the exact ones.
    """
    if not all(equation.polynomial for equation in operation.equations()):
        return
    A, F = A[:1], operation.exact(A[:1])
    parts = [perturbed(F, 0.3, rng) for _ in range(3)]
    slices = {name: np.concatenate([part[name] for part in parts]).astype(double(F[name].dtype)) for name in F}
    phi = rng.uniform(0.2, 0.6, (1, len(parts)))
    known, combined = operation.given(A), {n: np.tensordot(phi, X, axes=1) for n, X in slices.items()}
    true = float(residual(operation.equations(), {**known, **combined}, {**known, **F})[0])

    def estimate(counts: tuple[int, int]) -> float:
        sketch = Sketch.draw(operation.equations(), {**known, **F}, counts, double(A.dtype), rng)
        reduced = Corrector.of(operation, sketch, slices, False, known).reduce(known)
        return float(reduced.norm(phi)[0])

    full, average = estimate((1 << 20, 1 << 20)), np.sqrt(np.mean([estimate((4, 4)) ** 2 for _ in range(PROBED)]))
    law = f"The latent residual must be the residual {true:.3e} of the combined factors"
    require(abs(full - true) <= rounding(A) * true, law + " when nothing is left out.", f"{full:.3e}")
    require(true / 2 <= average <= 2 * true, law + f" within a factor 2 over {PROBED} sketches.", f"{average:.3e}")


def law_bound_is_a_bound(
    operation: Operation,
    A: Array,
    rng: np.random.Generator,
    error: Callable[[Operation, Array, Factors, Factors], Array] | None = None,
) -> None:
    """The true error is at most ``bound(residual)``, wherever the operation states a theorem.

    ``error(operation, A, wrong, exact)`` is the ``(B,)`` relative error that the theorem speaks of; see `distance`.
    """
    known = operation.given(A)
    exact = operation.canonical(operation.exact(A))
    for size in (1e-1, 1e-2, 1e-4):
        wrong = operation.canonical(perturbed(operation.exact(A), size, rng))
        true = (error or distance)(operation, A, wrong, exact)
        stated = operation.bound(known, wrong, _residual(operation, A, wrong))
        if stated is None:
            return
        bound, theorem = stated
        law = f"A true error must not exceed its bound ({theorem})."
        require(true <= bound * (1 + 1e-9) + rounding(A), law, f"errors {true}, bounds {bound}")


def law_torch_answers_in_kind(operation: Operation, A: Array, _rng: np.random.Generator) -> None:
    """A fit hands over torch tensors and wants tensors back: the same numbers. Needs torch in the process."""
    torch: Any = torch_or_none()
    if torch is None:
        return
    F, came = operation.exact(A), operation.exact(torch.from_numpy(A.copy()))
    law = "exact(torch tensor) must return torch tensors."
    require(all(is_torch(X) for X in came.values()), law, f"{ {name: type(X).__name__ for name, X in came.items()} }")
    found = {name: X.cpu().resolve_conj().numpy() for name, X in came.items()}
    law = "exact(torch tensor) must be exact(NumPy array) up to gauge."
    _require_equal(operation.gauge.align(found, F), F, law, rounding(A))


def law_refine_improves(operation: Operation, A: Array, rng: np.random.Generator) -> None:
    """A `Refinable` operation's step brings factors nearer to the exact ones."""
    if not isinstance(operation, Refinable):
        return
    wrong = perturbed(operation.exact(A), 1e-3, rng)
    before, after = (_residual(operation, A, operation.canonical(F)) for F in (wrong, operation.refine(A, wrong)))
    require(after < before, "refine must reduce the residual of nearly exact factors.", f"{before} became {after}")


def law_defect_spares_exact(operation: Operation, A: Array, rng: np.random.Generator) -> None:
    """A `Selective` operation finds nothing missing in exact factors."""
    if not isinstance(operation, Selective):
        return
    probes = gaussian((A.shape[-1], min(4, *A.shape[1:])), A.dtype, rng)
    defect = operation.defect(A, operation.canonical(operation.exact(A)), probes)
    require(defect <= rounding(A), "defect must be zero for exact factors.", f"{defect}")


OPERATION_LAWS: Mapping[str, Law] = MappingProxyType(
    {
        law.__name__.removeprefix("law_"): law
        for law in (
            law_exact_names_the_unknowns,
            law_residual_vanishes_on_exact,
            law_residual_ignores_gauge,
            law_align_undoes_move,
            law_batch_equals_single,
            law_scaling,
            law_canonical_keeps_the_equations,
            law_settled_is_presented,
            law_sketch_estimates_the_residual,
            law_bound_is_a_bound,
            law_torch_answers_in_kind,
            law_refine_improves,
            law_defect_spares_exact,
        )
    }
)
"""Every law by name, each called as ``law(operation, A, rng)``."""


def rounding(A: Array) -> float:
    """What counts as rounding: ten thousand units in the last place, hence matrices of condition 1e3 at most."""
    return 1e4 * float(np.finfo(real_dtype(A.dtype)).eps)


def perturbed(F: Mapping[str, Any], size: float, rng: np.random.Generator) -> Factors:
    """Factors with a random relative error of ``size`` in each."""
    wrong = {}
    for name, X in F.items():
        noise = gaussian(X.shape, X.dtype, rng)
        step = size * norm(X) / norm(noise)
        wrong[name] = X + (step[:, None, None] * noise).astype(X.dtype)
    return wrong


def distance(operation: Operation, A: Array, F: Factors, exact: Factors) -> Array:
    """Relative error of canonical factors, ``(B,)``: Frobenius where they are unique.

    Where a gauge acts, only what it leaves alone can be compared: the singular values of each factor, in units of
    ``‖A‖_F`` (the measure of Weyl's inequality). Permutations, phases and unitary blocks change none of them.
    """
    if isinstance(operation.gauge, NoGauge):
        each = [norm(F[name] - X) / norm(X) for name, X in exact.items()]
    else:
        each = [
            np.abs(np.linalg.svd(F[name], compute_uv=False) - np.linalg.svd(X, compute_uv=False)).max(-1) / frobenius(A)
            for name, X in exact.items()
        ]
    worst: Array = np.max(each, axis=0)
    return worst


def _residual(operation: Operation, A: Array, F: Mapping[str, Any]) -> Array:
    result: Array = residual(operation.equations(), {**operation.given(A), **F})
    return result


def _require_equal(F: Mapping[str, Any], wanted: Mapping[str, Any], law: str, limit: float) -> None:
    for name, X in wanted.items():
        shapes = f"{name} of shape {F[name].shape} {F[name].dtype}, expected {X.shape} {X.dtype}"
        require(F[name].shape == X.shape and F[name].dtype == X.dtype, law, shapes)
        gap = norm(F[name] - X) / frobenius(X)
        require(gap <= limit, law, f"a relative difference of {np.max(gap):.1e} in {name}")
