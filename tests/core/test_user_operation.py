"""An operation needs its exact solver, its equations and its gauge, and nothing else."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import pytest
import scipy.linalg

import neumatc as nmc
from neumatc.arrays import namespace
from neumatc.equations import Equation, equal, identity, known, unknown
from neumatc.errors import InputError
from neumatc.gallery import AffineInverse
from neumatc.gauge import Gauge, NoGauge, Unitary, adjoint
from neumatc.operations import Custom, Operation
from neumatc.testing import check_operation

A, X = known("A"), unknown("X")
P = np.random.default_rng(0).uniform(0, 1, 25)


@final
@dataclass(frozen=True)
class Dominant(Operation):
    """The invariant subspace of the largest eigenvalues of a Hermitian matrix: ``A U = U M``, up to a unitary block."""

    rank: int
    name: str = "dominant"

    def exact(self, A: Any) -> dict[str, Any]:
        values, vectors = namespace(A).linalg.eigh(A)
        U = vectors[..., -self.rank :]
        return {"U": U, "M": adjoint(U) @ (U * values[..., None, -self.rank :])}

    def equations(self) -> tuple[Equation, ...]:
        U, M = unknown("U"), unknown("M")
        return (equal(A @ U, U @ M), equal(U.H @ U, identity()))

    @property
    def gauge(self) -> Gauge:
        return Unitary.of({"U": (None, "P"), "M": ("P", "P")})

    def canonical(self, F: Mapping[str, Any]) -> dict[str, Any]:
        """Orthonormalised and diagonal, largest eigenvalue first."""
        Q, R = np.linalg.qr(F["U"])
        core = R @ F["M"] @ np.linalg.inv(R)
        values, vectors = np.linalg.eigh((core + adjoint(core)) / 2)
        return {"U": Q @ vectors[..., ::-1], "M": np.eye(self.rank) * values[..., None, ::-1]}


def polar() -> Custom:
    """``A = U H`` with unitary U and Hermitian H: two factors."""
    U, H = unknown("U"), unknown("H")
    statement = (equal(A, U @ H), equal(U.H @ U, identity()), equal(A.H @ U, H))
    return Custom("polar", lambda M: dict(zip("UH", scipy.linalg.polar(M), strict=True)), statement)


def custom_root() -> Custom:
    return Custom("sqrtm", scipy.linalg.sqrtm, (equal(X @ X, A),))


# the square root of a positive definite family, in both ways ---------------------------------------------------------


@pytest.fixture(scope="module", params=["subclass", "custom"])
def square_root(request: pytest.FixtureRequest, root: Operation) -> Operation:
    return root if request.param == "subclass" else custom_root()


@pytest.mark.parametrize("complex_", [False, True], ids=["real", "complex"])
def test_square_root_is_fitted_certified_saved_and_loaded(
    square_root: Operation, complex_: bool, tmp_path: Path
) -> None:
    family = AffineInverse(n=16, complex=complex_, hermitian=True)
    fit = nmc.fit(nmc.Problem.of(family, family.box, square_root), rng=0)
    assert fit.status == "converged"
    matrices = np.stack([family(p) for p in P])
    wanted = np.stack([scipy.linalg.sqrtm(matrix) for matrix in matrices])
    np.testing.assert_allclose(fit(P), wanted, atol=1e-7)
    true = np.linalg.norm(fit(P) @ fit(P) - matrices, axis=(1, 2)) / np.linalg.norm(matrices, axis=(1, 2))
    certificate = fit.certify(P)
    assert np.all(true <= certificate.bound)
    assert certificate.passed.all()
    assert certificate.error_bound is None  # no theorem was stated
    fit.save(tmp_path / "root.nmc")
    again = nmc.load(tmp_path / "root.nmc", matrix=family, operation=square_root)
    assert np.array_equal(again(0.3), fit(0.3))
    assert np.array_equal(again.certified(tol=1e-6)(P).value, fit.certified(tol=1e-6)(P).value)
    np.testing.assert_allclose(fit.derivative()(0.3), (fit(0.3 + 1e-5) - fit(0.3 - 1e-5)) / 2e-5, atol=1e-5)


def test_square_root_scales_as_its_equation_says(root: Operation) -> None:
    family = AffineInverse(n=10, hermitian=True)
    plain, scaled = (
        nmc.fit(nmc.Problem.of(lambda p, k=k: np.ldexp(family(p), k), family.box, root), rng=0) for k in (0, 500)
    )
    np.testing.assert_allclose(np.ldexp(scaled(0.3), -250), plain(0.3), rtol=1e-9)


# other shapes of statement -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("complex_", [False, True], ids=["real", "complex"])
def test_polar_has_two_factors(complex_: bool) -> None:
    family = AffineInverse(n=12, complex=complex_)
    fit = nmc.fit(nmc.Problem.of(family, family.box, polar()), tol=1e-7, rng=0)
    value = fit(P)
    assert type(value).__name__ == "PolarResult"
    wanted = [scipy.linalg.polar(family(p)) for p in P]
    np.testing.assert_allclose(value.U, [U for U, _ in wanted], atol=1e-5)
    np.testing.assert_allclose(value.H, [H for _, H in wanted], atol=1e-5)
    assert fit.certify(P).passed.all()


@pytest.mark.parametrize("complex_", [False, True], ids=["real", "complex"])
def test_a_unitary_gauge_and_a_canonical_form(make_waves: Any, complex_: bool) -> None:
    values = np.array([5.0, 4.5, 4.0, 0.9, 0.6, 0.5, 0.4, 0.3])
    family = make_waves(values, (12, 12), complex if complex_ else float, hermitian=True)
    check_operation(Dominant(3), np.stack([family(p) for p in (0.2, 0.7)]))
    fit = nmc.fit(nmc.Problem.of(family, (0.0, 1.0), Dominant(3)), tol=1e-6, rng=0)
    U, M = fit(P)
    for p, columns, core in zip(P, U, M, strict=True):
        w, wanted = np.linalg.eigh(family(p))
        np.testing.assert_allclose(np.diag(core), w[:-4:-1], atol=1e-5)
        np.testing.assert_allclose(columns @ columns.conj().T, wanted[:, -3:] @ wanted[:, -3:].conj().T, atol=1e-5)
    assert fit.certify(P).passed.all()


LINEAR: dict[str, Callable[[], Custom]] = {
    "lyapunov": lambda: Custom(
        "lyapunov",
        lambda M: scipy.linalg.solve_continuous_lyapunov(M, np.eye(len(M))),
        (equal(A @ X + X @ A.H, identity()),),
    ),
    # The adjoint of an unknown is linear over the real numbers only.
    "adjoint": lambda: Custom("adjoint", lambda M: M.conj().T, (equal(X.H, A),)),
    "Hermitian inverse": lambda: Custom("inv", np.linalg.inv, (equal(A @ X, identity()), equal(X, X.H))),
}


@pytest.mark.parametrize("name", LINEAR)
@pytest.mark.parametrize("complex_", [False, True], ids=["real", "complex"])
def test_linear_equations_of_every_kind(name: str, complex_: bool) -> None:
    family = AffineInverse(n=12, complex=complex_, hermitian=name.startswith("Hermitian"))
    operation = LINEAR[name]()
    fit = nmc.fit(nmc.Problem.of(family, family.box, operation), tol=1e-8, rng=0)
    matrices = np.stack([family(p) for p in P])
    np.testing.assert_allclose(fit(P), operation.exact(matrices)["X"], atol=1e-6)
    assert fit.certify(P).passed.all()
    repaired = fit.corrected_factors(matrices, fit.box.to_unit(P[:, None]))["X"]
    np.testing.assert_allclose(repaired, operation.exact(matrices)["X"], atol=1e-6)


def test_a_solver_may_overwrite_its_matrix() -> None:
    def careless(M: Any) -> Any:
        inverse = np.linalg.inv(M)
        M[:] = np.nan
        return inverse

    family = AffineInverse(n=8)
    operation = Custom("inv", careless, (equal(A @ X, identity()),))
    fit = nmc.fit(nmc.Problem.of(family, family.box, operation), rng=0)
    np.testing.assert_allclose(fit(0.3), np.linalg.inv(family(0.3)), atol=1e-7)


def test_what_is_presented_is_written_into_buffers_too() -> None:
    @final
    @dataclass(frozen=True)
    class Doubled(Operation):
        name: str = "doubled"

        def exact(self, A: Any) -> dict[str, Any]:
            return {"X": 1.0 * A}

        def equations(self) -> tuple[Equation, ...]:
            return (equal(X, A),)

        @property
        def gauge(self) -> Gauge:
            return NoGauge()

        def present(self, F: Mapping[str, Any]) -> Any:
            return 2 * F["X"]

    family = AffineInverse(n=8)
    fit = nmc.fit(nmc.Problem.of(family, family.box, Doubled()), rng=0)
    np.testing.assert_allclose(fit(0.3), 2 * family(0.3), atol=1e-7)
    out = np.empty((8, 8))
    fit(0.3, out=out)
    np.testing.assert_allclose(out, 2 * family(0.3), atol=1e-7)


def test_several_unknowns_need_names() -> None:
    family = AffineInverse(n=6)
    U, H = unknown("U"), unknown("H")
    operation = Custom("polar", np.linalg.inv, (equal(A, U @ H),))
    with pytest.raises(InputError, match=r"must return a mapping with the factors \['U', 'H'\], got one array"):
        nmc.fit(nmc.Problem.of(family, family.box, operation), rng=0)
