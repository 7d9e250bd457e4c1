"""Settings that every test shares, and the one table of cases: operations x dtypes x parameters."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any, final

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import settings

import neumatc as nmc
from neumatc.arrays import namespace
from neumatc.box import Box
from neumatc.equations import Equation, equal, known, unknown
from neumatc.gauge import Gauge, NoGauge, adjoint
from neumatc.operations import Inverse, Operation, TruncatedSVD

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


def waves(values: Any, shape: tuple[int, int], dtype: Any, hermitian: bool = False) -> Waves:
    """A_0 has the given singular values; A_1 and A_2 have spectral norm 1/5."""
    rng = np.random.default_rng(5)

    def draw(rows: int, columns: int) -> Array:
        G = rng.standard_normal((rows, columns))
        return G + 1j * rng.standard_normal(G.shape) if np.dtype(dtype).kind == "c" else G

    U, V = (np.linalg.qr(draw(size, len(values)))[0] for size in shape)
    parts = [(U * values) @ (U if hermitian else V).conj().T]
    for _ in range(2):
        part = draw(*shape)
        part = part + part.conj().T if hermitian else part
        parts.append(0.2 * part / np.linalg.norm(part, 2))
    return Waves(np.stack(parts).astype(dtype))


SVD_VALUES = np.array([5.0, 4.5, 4.0, *(0.3 * 0.8 ** np.arange(6))])
OPERATIONS: dict[str, tuple[Operation, Callable[[Any], Waves]]] = {
    "inv": (Inverse(), lambda dtype: waves(np.linspace(1, 2, 12), (12, 12), dtype)),
    "svd": (TruncatedSVD(3), lambda dtype: waves(SVD_VALUES, (12, 12), dtype)),
    "svd-wide": (TruncatedSVD(3), lambda dtype: waves(SVD_VALUES, (9, 14), dtype)),
    "root": (Root(), lambda dtype: waves(np.linspace(1, 2, 10), (10, 10), dtype, hermitian=True)),
}


@final
@dataclass(frozen=True)
class Case:
    """One row of the table: an operation, and a smooth family of one dtype over one or two parameters."""

    name: str
    dtype: np.dtype[Any]
    dimension: int

    def __str__(self) -> str:
        return f"{self.name}-{self.dtype}-{self.dimension}d"

    @property
    def operation(self) -> Operation:
        return OPERATIONS[self.name][0]

    @property
    def family(self) -> Waves:
        return OPERATIONS[self.name][1](self.dtype)

    @property
    def box(self) -> Box:
        return Box.of((0.0, 1.0) if self.dimension == 1 else {"k": (0.0, 1.0), "z": (-1.0, 1.0)})

    def points(self, count: int, seed: int = 0) -> Array:
        """Random p as a user passes them: (count,) for one parameter, (count, 2) for two."""
        points = self.box.random(count, np.random.default_rng(seed))
        return points[:, 0] if self.dimension == 1 else points

    def matrices(self, p: Array) -> Array:
        family = self.family
        return np.stack([family(row) for row in p])


def objection(name: str, dtype: np.dtype[Any], dimension: int) -> str | None:
    """Why a combination is left out of the table."""
    if name == "svd-wide" and dimension > 1:
        return "shape and parameters are independent: a wide matrix over one parameter shows all there is"
    if name == "root" and dtype.itemsize // (1 + (dtype.kind == "c")) < 8 and dimension > 1:
        return "a user's operation is fitted in double precision whatever is stored; one parameter shows the storage"
    return None


DTYPES = [np.dtype(kind) for kind in ("float32", "float64", "complex64", "complex128")]
TABLE = [Case(*row) for row in product(OPERATIONS, DTYPES, (1, 2)) if objection(*row) is None]


@pytest.fixture(scope="session", params=TABLE, ids=str)
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


@cache
def _fitted(case: Case) -> nmc.Fit:
    tol = 1e-5 if case.dtype.itemsize // (1 + (case.dtype.kind == "c")) < 8 else 1e-8
    problem = nmc.Problem.of(case.family, case.box, case.operation)
    return nmc.fit(problem, tol=tol, samples=60, basis="auto" if case.dimension == 1 else "chebyshev", rng=7)


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
