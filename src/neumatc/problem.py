"""A problem: a matrix family on a box, and the operation wanted. Everything that is solved exactly is solved here."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from neumatc.arrays import Array, as_numpy, binary_exponent, check_finite, double, is_torch, namespace, scale
from neumatc.box import Box
from neumatc.equations import residual
from neumatc.errors import ExactSolveError, NeuMatCError, NonFiniteError, SingularError, UndefinedError
from neumatc.family import MatrixFamily, Spec
from neumatc.gauge import Factors
from neumatc.operations import Followed, Operation
from neumatc.products import thin

CACHE_BYTES = 4 << 30
"""Matrices kept so that A(p) is built once per point; building can cost ten times the solve."""

HELD_NUMBERS = 1 << 23
"""Numbers of the matrices that are held at once while answers are formed, corrected and checked."""

TOGETHER_BYTES = 1 << 21
"""Matrices handled at once, which then stay in the cache between building and use; for an executor 32 times more."""

BAD_SOLVE = 1e-3
"""Relative residual above which an exact solve has failed: A is singular to working precision."""

FAILURES = (NonFiniteError, UndefinedError, ExactSolveError)
"""What a box with ``excluding(failures=True)`` puts up with: A(p) or its exact result cannot be had at one point."""

LOOKS = 64
"""Points at which such a box looks for a first A(p)."""

ORDINARY = 64
"""Binary exponents of max |A| up to which norms cannot overflow and no scaling is needed."""


@dataclass
class Meter:
    """Seconds and counts of the two things a fit pays for, the matrices built so far, and where that failed."""

    build_seconds: float = 0.0
    built: int = 0
    solve_seconds: float = 0.0
    solved: int = 0
    kept: dict[bytes, Array] = field(default_factory=dict)
    kept_bytes: int = 0
    prints: dict[bytes, Array] = field(default_factory=dict)
    failed: dict[bytes, str] = field(default_factory=dict)

    @property
    def paid(self) -> float:
        """Seconds spent on what every method must pay for: building A(p) and solving exactly."""
        return self.build_seconds + self.solve_seconds


@dataclass(frozen=True)
class Problem:
    """A(p) on a box, and an operation.

    Matrices are handed out in double precision and divided by ``2**exponent``, an exact scaling that keeps norms away
    from overflow; ``shifts`` tells by which power of two each factor must be multiplied to undo it.
    """

    family: MatrixFamily
    box: Box
    operation: Operation
    spec: Spec
    exponent: int
    executor: Any = None
    meter: Meter = field(default_factory=Meter, compare=False, repr=False)

    @staticmethod
    def of(A: Any, box: Any, operation: Operation, executor: Any = None) -> Problem:
        """Look at A(p) once, in the middle of the box, and settle shape, dtype and scale."""
        box = Box.of(box)
        family = operation.family(A, box)
        meter = Meter()
        spec, there = _first_look(family, box, meter)
        operation = operation.tailored(A, family, there, spec)
        operation.check(spec.shape)
        problem = Problem(family, box, operation, spec, 0, executor, meter)
        points = problem.tabulated
        middle = family.at(there.middle if points is None else points[:1], there, spec=spec)
        return replace(problem, exponent=_exponent(middle, operation))

    @property
    def shape(self) -> tuple[int, int]:
        return self.spec.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the user's A(p), and so of the answers."""
        return self.spec.dtype

    @property
    def working(self) -> np.dtype[Any]:
        """The double-precision dtype in which everything is computed."""
        return double(self.spec.dtype)

    @property
    def tabulated(self) -> Array | None:
        """The points ``(m, D)`` inside the box where A is known, or None where A(p) can be asked anywhere."""
        points = self.family.points
        if points is None:
            return None
        points = points[(np.abs(self.box.to_unit(points)) <= 1 + 1e-12).all(axis=1)]
        return points if self.box.hole is None else points[~self.box.excluded(points)]

    @property
    def failed(self) -> Array:
        """The points ``(k, D)`` at which A(p) or its exact result could not be had; see `Box.excluding`."""
        return np.array([np.frombuffer(key) for key in self.meter.failed]).reshape(-1, self.box.dimension)

    def excuses(self, point: Array, cause: Exception) -> bool:
        """Whether a failure at one point (D,) does not end the fit; then it is recorded."""
        if self.box.hole is None or not self.box.hole.failures or not isinstance(cause, FAILURES):
            return False
        self.meter.failed[np.asarray(point, float).tobytes()] = f"{type(cause).__name__}: {cause}"
        return True

    @property
    def shifts(self) -> dict[str, int]:
        """Factor name -> s with ``factor of A = 2**s * factor of the scaled A``."""
        powers = self.operation.powers or {} if self.exponent else {}
        return {name: int(g * self.exponent) for name, g in powers.items() if g}

    def matrices(self, points: Array, keep: bool = False) -> Array:
        """``(B, n1, n2)`` scaled double-precision matrices at ``points (B, D)``.

        With ``keep`` they stay in memory (up to a limit) so that a later call for the same point costs nothing.
        """
        keys = [point.tobytes() for point in np.asarray(points, float)]
        missing = [i for i, key in enumerate(keys) if key not in self.meter.kept]
        if keys and not missing:
            # One kept matrix is handed out as it lies; nobody writes into matrices.
            return self.meter.kept[keys[0]][None] if len(keys) == 1 else np.stack([self.meter.kept[k] for k in keys])
        built = self._build(np.asarray(points, float)[missing])
        fresh = dict(zip((keys[i] for i in missing), built, strict=True))
        if keep:
            self._keep(fresh)
        if len(missing) == len(keys):
            return built
        return np.stack([fresh[key] if key in fresh else self.meter.kept[key] for key in keys])

    def solve(self, A: Any, points: Array) -> Factors:
        """Exact factors of scaled matrices ``A (B, n1, n2)``, NumPy or torch, checked against the equations."""
        F = self.exactly(A, points)
        self.check(A, doubt(self.operation, A, F), points)
        return F

    def exactly(self, A: Any, points: Array, exact: Callable[[Any], Factors] | None = None) -> Factors:
        """The same, not checked yet; what the solver raises says where.

        ``exact`` stands for the operation's exact solver where another worker has run it already.
        """
        start = time.perf_counter()
        try:
            F = self.operation.exact(A) if exact is None else exact(A)
        except NeuMatCError as cause:
            # The operation knows what is wrong, and only the problem knows where.
            cause.args = (f"At {self._failing(A, points)}: {cause}",)
            raise
        except Exception as cause:  # LAPACK, cuSOLVER and a user's solver all fail in their own ways
            raise self._failed(A, points, str(cause)) from cause
        self.meter.solve_seconds += time.perf_counter() - start
        self.meter.solved += A.shape[0]
        return F

    def check(self, A: Any, rho: Any, points: Array) -> None:
        """Raise an error unless exact factors of ``A (B, n1, n2)``, whose residuals are ``rho (B,)``, are exact."""
        bad = [i for i, r in enumerate(rho) if not float(r) <= BAD_SOLVE]
        if bad:
            raise self._failed(A[bad[0] : bad[0] + 1], points[bad[0] :], f"relative residual {float(rho[bad[0]]):.1e}")

    @property
    def held(self) -> int:
        """How many matrices are held at once while a batch is worked on."""
        return max(1, HELD_NUMBERS // math.prod(self.shape))

    def pieces(self, points: Array) -> list[Array]:
        """The points (M, D) in groups for which matrices can be held at once."""
        size = max(1, TOGETHER_BYTES // (8 * math.prod(self.shape))) * (1 if self.executor is None else 32)
        return [points[i : i + size] for i in range(0, len(points), size)]

    def release(self, point: Array) -> None:
        """Drop the matrix at one point (D,), which is hardly asked for again, where those kept take much memory."""
        if self.meter.kept_bytes > CACHE_BYTES // 4:
            key = np.asarray(point, float).tobytes()
            matrix = self.meter.kept.pop(key, None)
            if matrix is not None:
                self._print(key, matrix)
                self.meter.kept_bytes -= matrix.nbytes

    def look(self, points: Array, A: Array) -> None:
        """Take the prints of matrices ``A (M, n1, n2)`` that are kept, while they are in the cache."""
        for point, matrix in zip(np.asarray(points, float), A, strict=True):
            self._print(point.tobytes(), matrix)

    def prints(self) -> dict[bytes, Array]:
        """Products with two fixed vectors of all the matrices that were built to be kept, by point."""
        for key, matrix in self.meter.kept.items():
            self._print(key, matrix)
        return self.meter.prints

    def with_operation(self, operation: Operation) -> Problem:
        """The same family and matrices under another (adapted) operation."""
        return replace(self, operation=operation)

    def unscale(self, F: Factors) -> Factors:
        """Factors of the scaled matrices as factors of the user's (NumPy)."""
        shifts = self.shifts
        return {name: scale(X, shifts[name]) if name in shifts else X for name, X in F.items()}

    def rescale(self, F: Factors) -> Factors:
        """The inverse of ``unscale``."""
        shifts = self.shifts
        return {name: scale(X, -shifts[name]) if name in shifts else X for name, X in F.items()}

    def forget(self) -> None:
        """Drop the kept matrices."""
        self.meter.kept.clear()
        self.meter.prints.clear()
        self.meter.kept_bytes = 0

    def _build(self, points: Array) -> Array:
        start = time.perf_counter()
        # Without its hole: a `where` need not travel to other processes.
        A = self.family.at(points, self.box.whole, self.executor, self.spec).astype(self.working, copy=False)
        if self.exponent:
            A = scale(A, -self.exponent)
        self.meter.build_seconds += time.perf_counter() - start
        self.meter.built += len(points)
        return A

    def _keep(self, matrices: dict[bytes, Array]) -> None:
        """Matrices up to the limit, and the prints of the others."""
        for key, matrix in matrices.items():
            if self.meter.kept_bytes + matrix.nbytes <= CACHE_BYTES:
                self.meter.kept[key] = matrix
                self.meter.kept_bytes += matrix.nbytes
            else:
                self._print(key, matrix)

    def _print(self, key: bytes, matrix: Array) -> None:
        """The product with two fixed vectors: enough to compare neighbours."""
        if key not in self.meter.prints:
            self.meter.prints[key] = thin(self._vectors, matrix)

    @cached_property
    def _vectors(self) -> Array:
        vectors: Array = np.random.default_rng(0).standard_normal((2, self.shape[0])).astype(self.working)
        return vectors

    def _failing(self, A: Any, points: Array) -> str:
        """The first point that the exact solver refuses alone."""
        for i in range(len(points) - 1):
            try:
                self.operation.exact(A[i : i + 1])
            except NeuMatCError:
                return self.box.describe(points[i])
        return self.box.describe(points[-1])

    def _failed(self, A: Any, points: Array, reason: str) -> ExactSolveError:
        where, name = self.box.describe(points[0]), self.operation.name
        first = as_numpy(next(iter(self.operation.given(A).values())), "A")
        conditions = np.linalg.cond(first)
        worst = int(np.argmax(np.nan_to_num(conditions, nan=np.inf)))
        if first.shape[-1] == first.shape[-2] and not conditions[worst] < 1e13:
            where = self.box.describe(points[worst])
            return SingularError(
                f"`{name}` failed at {where}: A is singular to working precision (condition {conditions[worst]:.1e}). "
                "The box probably contains a pole of the result. "
                "Shrink the box, regularise A, or use an operation that allows rank deficiency."
            )
        return ExactSolveError(
            f"`{name}` failed at {where}: {reason}. The exact solver broke down, or its answer does not satisfy the "
            "equations stated for the operation. Solve at this p by hand and compare with the equations."
        )


def in_numpy(X: Any) -> Any:
    """A tensor in main memory as the NumPy array it is, whose thin products are three times as fast; others as such."""
    return X.resolve_conj().numpy() if is_torch(X) and X.device.type == "cpu" else X


def doubt(operation: Operation, A: Any, F: Factors) -> Any:
    """Residuals ``(B,)`` of exact factors: two probes see what LAPACK does not tell.

    Its inverse of a singular matrix, for one, is often finite nonsense.
    """
    if not operation.equations():
        return np.zeros(len(A))
    return probe_residual(operation, in_numpy(A), {name: in_numpy(X) for name, X in F.items()})


def probe_residual(operation: Operation, A: Any, F: Factors, count: int = 2) -> Any:
    """Relative residual of factors on a few fixed probes, ``(B,)``: a cheap sanity check, not a certificate."""
    xp = namespace(A)
    values = {**operation.given(A), **F}
    total: Any = 0.0
    for equation in operation.equations():
        columns = equation.shape(values)[1]
        Z: Any = np.random.default_rng(columns).standard_normal((columns, min(count, columns)))
        # Real probes: the product takes the dtype of the factors, in either library.
        Z = Z.astype(A.dtype) if xp is np else xp.as_tensor(Z, dtype=A.dtype, device=A.device)
        # One by one: products with vectors read a matrix twice as fast as those with two columns.
        size = sum((abs(equation.apply(values, z[:, None])) ** 2).sum((-2, -1)) for z in Z.T) / Z.shape[-1]
        total = total + size / equation.scale(values) ** 2
    return total**0.5


def true_residual(operation: Operation, A: Array, F: Factors) -> Array:
    """Exact relative residual of canonical factors, ``(B,)``; forms the products in full."""
    if isinstance(operation, Followed):
        distance: Array = operation.mismatch(A, F)
        return distance
    result: Array = residual(operation.equations(), {**operation.given(A), **F})
    return result


def _first_look(family: MatrixFamily, box: Box, meter: Meter) -> tuple[Spec, Box]:
    """Shape and dtype of A(p), and the box in whose middle they were found; past failures where the box allows them."""
    there = box
    if box.hole is not None and box.hole.failures:
        there = box.excluding(lambda p: np.atleast_1d(np.asarray(p, float)).tobytes() in meter.failed)
    while True:
        point = there.middle[0]
        try:
            return family.inspect(there), there
        except FAILURES as cause:
            if there is box or len(meter.failed) == LOOKS:
                raise
            meter.failed[point.tobytes()] = f"{type(cause).__name__}: {cause}"


def _exponent(matrices: Array, operation: Operation) -> int:
    check_finite(matrices, "A(p)")
    powers = operation.powers
    exponent = binary_exponent(matrices)
    if powers is None or abs(exponent) <= ORDINARY:
        return 0
    step = math.lcm(*(g.denominator for g in powers.values()))
    return exponent // step * step
