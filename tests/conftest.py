"""Settings that every test shares, and the one table of cases: operations x dtypes x parameters."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property, partial
from itertools import product
from typing import Any, final

import numpy as np
import numpy.typing as npt
import pytest
import scipy.linalg
from hypothesis import settings

import neumatc as nmc
import neumatc.operations as ops
from neumatc.arrays import namespace
from neumatc.box import Box
from neumatc.equations import Equation, equal, identity, known, unknown
from neumatc.family.bundle import Bundle
from neumatc.gauge import Gauge, NoGauge, adjoint
from neumatc.operations import Operation
from neumatc.operations.several import cut

# A red test must be red again: examples are derived from the test itself, and no clock decides.
# `HYPOTHESIS_PROFILE=explore pytest` looks for new ones.
settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

Array = npt.NDArray[Any]


@final
@dataclass(frozen=True)
class Root(Operation):
    """``X X = A`` for positive definite A: a user's operation, with nothing but solver, equations and gauge."""

    name: str = "root"

    def exact(self, A: Any) -> dict[str, Any]:
        values, vectors = namespace(A).linalg.eigh(A)
        return {"X": (vectors * values[..., None, :] ** 0.5) @ adjoint(vectors)}

    def equations(self) -> tuple[Equation, ...]:
        X = unknown("X")
        return (equal(X @ X, known("A")),)

    @property
    def gauge(self) -> Gauge:
        return NoGauge()


@final
@dataclass(frozen=True, eq=False)
class Waves:
    """``A_0 + cos(3 p_1) A_1 + sin(2 p_D) A_2``: entire in p, of the dtype of its matrices (3, n1, n2)."""

    matrices: Array

    def __call__(self, p: Any) -> Array:
        at = np.ravel(p)
        theta = np.array([1.0, np.cos(3 * at[0]), np.sin(2 * at[-1])], self.matrices.real.dtype)
        return np.tensordot(theta, self.matrices, axes=1)


def waves(values: Any, shape: tuple[int, int], dtype: Any, hermitian: bool = False, normal: bool = False) -> Waves:
    """A_0 has the given singular values, or eigenvalues if Hermitian or normal; A_1 and A_2 have spectral norm 1/5."""
    rng = np.random.default_rng(5)

    def draw(rows: int, columns: int) -> Array:
        G = rng.standard_normal((rows, columns))
        return G + 1j * rng.standard_normal(G.shape) if np.dtype(dtype).kind == "c" else G

    U, V = (np.linalg.qr(draw(size, len(values)))[0] for size in shape)
    parts = [(U * values) @ (U if hermitian or normal else V).conj().T]
    for _ in range(2):
        part = draw(*shape)
        part = part + part.conj().T if hermitian else part
        parts.append(0.2 * part / np.linalg.norm(part, 2))
    return Waves(np.stack(parts).astype(dtype))


# the rows of the table -----------------------------------------------------------------------------------------------


def general(rows: int, columns: int) -> Callable[[Any], Waves]:
    return partial(waves, np.linspace(1, 2, min(rows, columns)), (rows, columns))


def normal(*values: float) -> Callable[[Any], Waves]:
    """Eigenvalues near these, and no symmetry."""
    return partial(waves, np.array(values), (len(values),) * 2, normal=True)


def hermitian(*values: float) -> Callable[[Any], Waves]:
    return partial(waves, np.array(values), (len(values),) * 2, hermitian=True)


def constant(family: Callable[[Any], Waves]) -> Callable[[Any], Array]:
    return lambda dtype: family(dtype).matrices[0]


def vector(n: int) -> Callable[[Any], Callable[[Any], Array]]:
    return lambda dtype: lambda p: general(n, 2)(dtype)(p)[:, 0]


def together(*families: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda dtype: tuple(family(dtype) for family in families)


def largest(rank: int) -> Callable[[Array], Any]:
    def triplets(A: Array) -> Any:
        U, S, Vh = np.linalg.svd(A)
        return U[:, :rank], S[:rank], Vh[:rank]

    return triplets


lowest = partial(scipy.linalg.eigh, subset_by_index=(0, 2))


def pairs(A: Array) -> Any:
    """Sorted as ours are; the eigenvalues of the table lie apart."""
    values, V = np.linalg.eig(A)
    order = np.argsort(values.real)
    return values[order], V[:, order]


def with_left(solver: Callable[[Array], Any]) -> Callable[[Array], Any]:
    return lambda A: (*solver(A), np.linalg.inv(solver(A)[1]).conj().T)


def positive_qr(A: Array) -> Any:
    Q, R = np.linalg.qr(A)
    signs = np.diag(R) / np.abs(np.diag(R))
    return Q * signs, R * signs.conj()[:, None]


SVD_VALUES = np.array([5.0, 4.5, 4.0, *(0.3 * 0.8 ** np.arange(6))])
SPREAD = np.linspace(1, 2, 6)
LEVELS = (0.0, 0.7, 1.5, 4.0, 5.0, 6.1)
A, U, H = known("A"), unknown("U"), unknown("H")
POLAR = (equal(A, U @ H), equal(U.H @ U, identity()), equal(A.H @ U, H))
PENCIL = together(hermitian(*LEVELS), hermitian(*(4 + SPREAD)))
SYLVESTER = together(normal(*SPREAD), constant(normal(1.0, 1.5, 2.0)), general(6, 3))
# Some modes of A are unstable; B reaches them all.
RICCATI = together(
    normal(*(SPREAD - 1.8)), constant(general(6, 4)), hermitian(*SPREAD), constant(hermitian(1, 2, 3, 4))
)

OPERATIONS: dict[str, tuple[Operation, Callable[[Any], Any], Callable[..., Any]]] = {
    "inv": (ops.Inverse(), general(12, 12), np.linalg.inv),
    "pinv": (ops.PseudoInverse(), general(9, 6), np.linalg.pinv),
    "pinv-wide": (ops.PseudoInverse(), general(6, 9), np.linalg.pinv),
    "solve": (ops.Solve(), together(general(8, 8), vector(8)), lambda A, b: np.linalg.solve(A, b)[:, 0]),
    "solve-many": (ops.Solve(), together(general(8, 8), general(8, 3)), np.linalg.solve),
    "svd": (ops.TruncatedSVD(3), partial(waves, SVD_VALUES, (12, 12)), largest(3)),
    "svd-wide": (ops.TruncatedSVD(3), partial(waves, SVD_VALUES, (9, 14)), largest(3)),
    "svd-full": (ops.FullSVD(), partial(waves, np.arange(1.0, 7.0), (6, 6)), largest(6)),
    "svd-full-tall": (ops.FullSVD(), partial(waves, np.arange(1.0, 6.0), (8, 5)), largest(5)),
    "eigh": (ops.Eigh(), hermitian(*LEVELS), scipy.linalg.eigh),
    "eigh-lowest": (ops.PartialEigh(3), hermitian(*LEVELS), lowest),
    "eigh-highest": (ops.PartialEigh(2, "highest"), hermitian(*LEVELS), partial(lowest, subset_by_index=(4, 5))),
    "eigh-b": (ops.Eigh(True), PENCIL, scipy.linalg.eigh),
    "eigh-lowest-b": (ops.PartialEigh(3, generalised=True), PENCIL, lowest),
    "projector": (ops.SpectralProjector(3), hermitian(*LEVELS), lambda A: lowest(A)[1] @ lowest(A)[1].conj().T),
    "eig": (ops.Eig(), normal(*np.arange(1.0, 7.0)), pairs),
    "eig-left": (ops.Eig(left=True), normal(*np.arange(1.0, 7.0)), with_left(pairs)),
    "qr": (ops.QR(), general(8, 8), positive_qr),
    "qr-tall": (ops.QR(), general(9, 6), positive_qr),
    "cholesky": (ops.Cholesky(), hermitian(*SPREAD), np.linalg.cholesky),
    "polar": (ops.Polar(), general(8, 8), scipy.linalg.polar),
    "polar-tall": (ops.Polar(), general(9, 6), scipy.linalg.polar),
    "sqrtm": (ops.SquareRoot(), hermitian(*SPREAD), scipy.linalg.sqrtm),
    "sqrtm-general": (ops.SquareRoot(), normal(*SPREAD), scipy.linalg.sqrtm),
    "expm": (ops.Exponential(), general(6, 6), scipy.linalg.expm),
    "logm": (ops.Logarithm(), normal(*SPREAD), scipy.linalg.logm),
    "lyapunov": (
        ops.Lyapunov(), together(normal(*-SPREAD), hermitian(*SPREAD)), scipy.linalg.solve_continuous_lyapunov
    ),
    "sylvester": (ops.Sylvester(), SYLVESTER, scipy.linalg.solve_sylvester),
    "riccati": (ops.Riccati(), RICCATI, scipy.linalg.solve_continuous_are),
    "root": (Root(), hermitian(*np.linspace(1, 2, 10)), scipy.linalg.sqrtm),
    "custom": (
        ops.Custom("own polar form", lambda M: dict(zip("UH", scipy.linalg.polar(M), strict=True)), POLAR),
        general(6, 6), scipy.linalg.polar,
    ),
}  # fmt: skip
"""The operation, what ``Problem.of`` is given for a dtype, and NumPy's or SciPy's answer for the matrices at one p."""


@final
@dataclass(frozen=True)
class Case:
    """One row of the table: an operation, and smooth matrices of one dtype over one or two parameters."""

    name: str
    dtype: np.dtype[Any]
    dimension: int

    def __str__(self) -> str:
        return f"{self.name}-{self.dtype}-{self.dimension}d"

    @cached_property
    def problem(self) -> nmc.Problem:
        operation, given, _ = OPERATIONS[self.name]
        return nmc.Problem.of(given(self.dtype), self.box, operation)

    @property
    def operation(self) -> Operation:
        """Once it has looked at its matrices."""
        return self.problem.operation

    @property
    def box(self) -> Box:
        return Box.of((0.0, 1.0) if self.dimension == 1 else {"k": (0.0, 1.0), "z": (-1.0, 1.0)})

    def points(self, count: int, seed: int = 0) -> Array:
        """Random p as a user passes them: (count,) for one parameter, (count, 2) for two."""
        points = self.box.random(count, np.random.default_rng(seed))
        return points[:, 0] if self.dimension == 1 else points

    def matrices(self, p: Array) -> Array:
        """As the operation receives them: one flat row each where it has several."""
        return self.problem.family.at(self.box.points(p)[0], self.box)

    def given(self, A: Array) -> dict[str, Array]:
        """Of matrices, those that the user passed, by name."""
        family = self.problem.family
        return (
            cut(A, tuple(family.shapes(self.box).values()), family.members) if isinstance(family, Bundle) else {"A": A}
        )

    def reference(self, A: Array) -> tuple[Array, ...]:
        """What NumPy or SciPy answer for matrices, factor by factor."""
        answers = [OPERATIONS[self.name][2](*row) for row in zip(*self.given(A).values(), strict=True)]
        parts = zip(*answers, strict=True) if isinstance(answers[0], tuple) else [answers]
        return tuple(np.stack(part) for part in parts)

    @property
    def tol(self) -> float:
        return 1e-5 if self.dtype in (np.float32, np.complex64) else 1e-8

    @property
    def samples(self) -> int:
        # No equation says where the map of a logarithm fails, so exact results fill a grid.
        return 400 if self.name == "logm" and self.dimension > 1 else 60


SHAPES = ("pinv-wide", "solve-many", "svd-wide", "svd-full-tall", "qr-tall", "polar-tall")


def objection(name: str, dtype: np.dtype[Any], dimension: int) -> str | None:
    """Why a combination is left out of the table."""
    if name in SHAPES and dimension > 1:
        return "shape and parameters are independent: another shape over one parameter shows all there is"
    if name in ("root", "custom") and dtype in (np.float32, np.complex64) and dimension > 1:
        return "a user's operation is fitted in double precision whatever is stored; one parameter shows the storage"
    return None


DTYPES = [np.dtype(kind) for kind in ("float32", "float64", "complex64", "complex128")]
TABLE = [Case(*row) for row in product(OPERATIONS, DTYPES, (1, 2)) if objection(*row) is None]


@pytest.fixture(scope="session", params=TABLE, ids=str)
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


@pytest.fixture(scope="session")
def table() -> list[Case]:
    return TABLE


@cache
def _fitted(case: Case) -> nmc.Fit:
    basis = "auto" if case.dimension == 1 else "chebyshev"
    return nmc.fit(case.problem, tol=case.tol, samples=case.samples, basis=basis, rng=7)


@pytest.fixture(scope="session")
def fitted(case: Case) -> nmc.Fit:
    """The fit of a case: made once, and read only."""
    return _fitted(case)


@pytest.fixture(scope="session")
def root() -> Operation:
    return Root()


@pytest.fixture(scope="session")
def make_waves() -> Callable[..., Waves]:
    return waves
