"""Equations at given matrices: formed as far as they are asked for, from matrices that are not copied."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom
from tests.core.test_sketch import EQUATIONS, SLICES, drawn, operation

import neumatc as nmc
from neumatc import definite
from neumatc.certify import DELTA
from neumatc.correct import Corrector
from neumatc.correct.reduced import sound_solution
from neumatc.equations import Symbol
from neumatc.errors import InputError, NonFiniteError, UndefinedError
from neumatc.latent.checker import FEWER, FREEDOM, LatentChecker
from neumatc.latent.quantile import bilinear_factor
from neumatc.probes import from_left, from_right, gaussian, whole
from neumatc.sketch import Sketch

needs_compiled = pytest.mark.skipif(definite.compiled is None, reason="neumatc._cholesky was not built: no C compiler")

N = 72
"""Beyond n = 64, where certificates come from the coefficients."""


def matrix(p: float, complex_: bool = False) -> Any:
    """Smooth in p but no sum of few terms, well-conditioned, and Hermitian never."""
    i, j = np.ogrid[:N, :N]
    phase = 1j if complex_ else 0.3
    return 3.0 * np.eye(N) + np.exp(phase * p * (i - 2 * j) / N) / N


def fitted(A: Any, samples: int = 7) -> Any:
    with pytest.warns(nmc.errors.AccuracyWarning):
        return nmc.inv(A, (0.0, 1.0), samples=samples, tol=1e-14, rng=0)


# residuals and solutions ---------------------------------------------------------------------------------------------


def probed(name: str, numbers: Any, doubled: bool, points: int) -> Any:
    known, slices = drawn(name, numbers is complex)
    known = {key: value[:points] for key, value in known.items()}
    some = {**known, **{key: value[:1] for key, value in slices.items()}}
    sketch = Sketch.draw([EQUATIONS[name]], some, (7, 6), numbers, np.random.default_rng(1))
    return Corrector.of(operation(EQUATIONS[name]), sketch, slices, doubled, known).reduce(known)


@pytest.mark.parametrize("points", [1, 2])
@pytest.mark.parametrize(("numbers", "doubled"), [(float, False), (complex, False), (complex, True)])
@pytest.mark.parametrize("name", EQUATIONS)
def test_residuals_from_summed_slices_are_those_of_the_tensors(
    name: str, numbers: Any, doubled: bool, points: int
) -> None:
    equations = probed(name, numbers, doubled, points)
    phi = np.random.default_rng(2).standard_normal((points, SLICES * (2 if doubled else 1)))
    in_any_order = np.sort(equations.residual(phi)), np.sort(equations.formed.residual(phi))
    np.testing.assert_allclose(*in_any_order, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(equations.norm(phi), equations.formed.norm(phi), rtol=1e-11)


@pytest.mark.parametrize("way", ["compiled", "numpy"])
@pytest.mark.parametrize("points", [1, 2])
@pytest.mark.parametrize(("numbers", "doubled"), [(float, False), (complex, False), (complex, True)])
@pytest.mark.parametrize("name", ["A X = I", "X A = I", "A X A = A", "2 X = A B - I", "A X = Xᴴ B", "Xᴴ = A"])
def test_linear_equations_are_solved_as_their_real_form_is(
    name: str, numbers: Any, doubled: bool, points: int, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way == "numpy":
        monkeypatch.setattr(definite, "compiled", None)
    equations = probed(name, numbers, doubled, points)
    start = np.random.default_rng(3).standard_normal((points, SLICES * (2 if doubled else 1)))
    found = equations.solve(start)
    J, a = equations.L, equations.a
    for i in range(points):
        np.testing.assert_allclose(found[i], np.linalg.lstsq(J[i], -a[i], rcond=None)[0], rtol=1e-11, atol=1e-12)


def test_a_slice_that_stands_twice_is_given_half_of_the_weight_each_time() -> None:
    known, slices = drawn("A X = I", True)
    known, slices = {"A": known["A"][:1]}, {"X": slices["X"][[0, 1, 1]]}
    sketch = Sketch.draw(
        [EQUATIONS["A X = I"]], {**known, "X": slices["X"][:1]}, (7, 6), complex, np.random.default_rng(1)
    )
    equations = Corrector.of(operation(EQUATIONS["A X = I"]), sketch, slices, True, known).reduce(known)
    found = equations.solve(np.zeros((1, 6)))[0]
    np.testing.assert_allclose(found[2:4], found[4:6], rtol=1e-8)
    assert sound_solution(equations.L[0][:, ::2].T + 0j, equations.a[0] + 0j) is None


@needs_compiled
@pytest.mark.parametrize("numbers", [float, complex])
def test_refinement_gives_digits_back(numbers: Any) -> None:
    rng = np.random.default_rng(0)
    U, V = (np.linalg.qr(gaussian(shape, numbers, rng))[0] for shape in ((60, 10), (10, 10)))
    J, x = (U * np.geomspace(1, 1e-4, 10)) @ V, gaussian((10,), numbers, rng)
    found = sound_solution(J.T, J @ x)
    assert found is not None
    assert np.linalg.norm(found - x) < 1e-10 * np.linalg.norm(x)
    assert sound_solution(((U * np.geomspace(1, 1e-9, 10)) @ V).T, J @ x) is None
    assert sound_solution(J.T, J @ x * np.nan) is None


@pytest.mark.parametrize("function", ["", "exp"])
@pytest.mark.parametrize("adjoint", [False, True])
@pytest.mark.parametrize("numbers", [float, complex])
def test_probed_matrices_are_plain_products(numbers: Any, adjoint: bool, function: Any) -> None:
    rng = np.random.default_rng(0)
    values = {name: gaussian((3, 5, 5), numbers, rng) for name in "AB"}
    symbols = (Symbol("A", "known", adjoint, function), Symbol("B", "known"))
    first = values["A"].conj().swapaxes(1, 2) if adjoint else values["A"]
    if function:
        from scipy.linalg import expm

        first = np.stack([expm(one) for one in first])
    product, W, Z = first @ values["B"], gaussian((2, 5), numbers, rng), gaussian((5, 4), numbers, rng)
    np.testing.assert_allclose(from_left(W, symbols, values), W @ product, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(from_right(symbols, Z, values), product @ Z, rtol=1e-9, atol=1e-9)
    if not function:
        np.testing.assert_allclose(whole(symbols, values), product, rtol=1e-12, atol=1e-12)
    assert whole((), values) is None


# matrices that are only looked at ------------------------------------------------------------------------------------


@pytest.mark.parametrize("complex_", [False, True])
def test_one_answer_is_taken_as_it_lies(complex_: bool) -> None:
    kept = {p: matrix(p, complex_) for p in (0.3, 0.7)}
    fit = fitted(lambda p: kept.get(p, matrix(p, complex_) if p not in kept else None))
    built = fit.problem.meter.built
    found = fit.latent.looked_at(np.array([[0.3]]))
    assert np.shares_memory(found, kept[0.3])
    assert fit.problem.meter.built == built + 1
    assert not np.shares_memory(fit.latent.looked_at(np.array([[0.3], [0.7]]))[0], kept[0.3])


@pytest.mark.parametrize("answer", [lambda A: A.tolist(), np.asfortranarray, lambda A: A.astype(">f8")])
def test_other_answers_are_brought_into_form_and_asked_for_once(answer: Any) -> None:
    fit = fitted(matrix)
    asked: list[float] = []

    def other(p: float) -> Any:
        asked.append(p)
        return answer(matrix(p))

    changed = type(fit.latent)(
        replace(fit.problem, family=nmc.Family(other)), fit.surrogate, fit.samples, fit.seed, fit.seeded
    )
    np.testing.assert_array_equal(changed.looked_at(np.array([[0.3]]))[0], matrix(0.3))
    assert asked == [0.3]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_no_number_that_is_not_finite_passes(bad: float) -> None:
    """In any place, in certificates and in corrections; finite squares may overflow."""
    spoilt: list[tuple[int, int]] = []

    def family(p: float) -> Any:
        found = matrix(p)
        for place in spoilt if p == 0.3 else ():
            found[place] = bad
        return found

    fit = fitted(family)
    for place in ((0, 0), (N - 1, N - 1), (3, 50)):
        spoilt[:] = [place]
        for call in (fit.certify, fit.reduced, fit.corrected):
            with pytest.raises(NonFiniteError, match=rf"A\(p\) at p = 0.3 must.*index \({place[0]}, {place[1]}\)"):
                call(0.3)
    spoilt.clear()
    assert fit.certify(0.3, 1e-2).passed


def test_numbers_whose_squares_overflow_are_looked_at_one_by_one() -> None:
    fit = fitted(matrix)
    huge = replace(fit.problem, family=nmc.Family(lambda p: 1e200 * matrix(p)))
    latent = type(fit.latent)(huge, fit.surrogate, fit.samples, fit.seed, fit.seeded)
    np.testing.assert_array_equal(latent.looked_at(np.array([[0.3]]))[0], 1e200 * matrix(0.3))


def test_a_function_may_fill_one_buffer_of_its_own() -> None:
    memory = np.empty((N, N))

    def family(p: float) -> Any:
        memory[...] = matrix(p)
        return memory

    fit, other = fitted(family), fitted(matrix)
    first = fit.reduced(0.3)
    fit.certify(0.9)
    start = fit.surrogate.curve(fit.box.to_unit(np.array([[0.3]])))
    np.testing.assert_array_equal(first.solve(start), other.reduced(0.3).solve(start))
    np.testing.assert_array_equal(fit.corrected(np.array([0.1, 0.8])), other.corrected(np.array([0.1, 0.8])))


def test_what_fails_says_where() -> None:
    def family(p: float) -> Any:
        if p == 0.3:
            raise ValueError("no such p")
        return matrix(p) if p != 0.4 else matrix(p)[:5]

    fit = fitted(family)
    with pytest.raises(UndefinedError, match=r"A\(p\) at p = 0.3 must be computable.*no such p"):
        fit.certify(0.3)
    with pytest.raises(InputError, match=r"must keep one shape.*\(5, 72\) at p = 0.4"):
        fit.reduced(0.4)


# trust ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("complex_", [False, True], ids=["real", "complex"])
def test_a_residual_of_rank_one_is_underestimated_as_often_as_stated(complex_: bool) -> None:
    """The worst case for given matrices, over draws of the probes: A unitary, and its inverse off by ``u vᴴ``."""
    rng, draws = np.random.default_rng(7), 3000
    numbers = complex if complex_ else float
    u, v, A = (gaussian(shape, numbers, rng) for shape in ((N, 1), (N, 1), (N, N)))
    A, change = np.linalg.qr(A)[0], 1e-3 * u @ v.conj().T
    fit: Any = nmc.inv(lambda p: A, (0.0, 1.0), rng=0)
    C = np.stack([A.conj().T.ravel(), change.ravel()])
    spoilt = type(fit.surrogate)(C, fit.surrogate.curve, fit.surrogate.layout, False)
    true, delta, misses = np.linalg.norm(change) / np.sqrt(N), DELTA * 40, 0
    factor = bilinear_factor(delta, FEWER, FREEDOM)
    for _ in range(draws):
        checker = LatentChecker.of(fit.problem_or_raise, spoilt, A[None], None, rng)
        assert checker is not None
        found = checker.certificate(np.array([[1.0, 1.0]]), 1.0, 1, A=A[None])
        misses += found.residual[0] * factor < true
    assert binom.ppf(1e-6, draws, delta) <= misses <= binom.isf(1e-6, draws, delta)


@pytest.mark.parametrize("complex_", [False, True], ids=["real", "complex"])
def test_certificates_of_given_matrices_are_never_below_the_residual(complex_: bool) -> None:
    fit = fitted(lambda p: matrix(p, complex_), samples=5)
    for p in np.random.default_rng(0).uniform(0, 1, 60):
        certificate = fit.certify(p)
        true = np.linalg.norm(matrix(p, complex_) @ fit(p) - np.eye(N)) / np.sqrt(N)
        assert true <= certificate.bound
        assert certificate.bound <= 8 * true + 1e-12


def test_operations_without_equations_are_refused_with_a_reason() -> None:
    fit: Any = nmc.svdvals(nmc.Affine([np.diag([2.0, 3.0]), np.ones((2, 2))], lambda p: [1.0, p]), (0.0, 1.0), rng=0)
    asked: list[Callable[[], Any]] = [
        lambda: fit.latent.steps,
        lambda: fit.latent.reduction,
        lambda: fit.corrector,
        lambda: fit.reduced(0.3),
    ]
    for ask in asked:
        with pytest.raises(InputError, match=r"polynomial.*`svdvals` states 0 equations of which 0.*certified"):
            ask()
    assert not fit.correction_pays
