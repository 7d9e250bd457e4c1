"""Normal equations: as good as a QR factorisation where they are trusted, and not trusted where they are not."""

from typing import Any

import numpy as np
import pytest

from neumatc import definite
from neumatc.least import Factored, many_at_once, normal_solution

B, E, M = 7, 60, 12


def problem(condition: float, seed: int = 0) -> tuple[Any, Any]:
    """Jacobians of one condition number, columns of different lengths, and right-hand sides."""
    rng = np.random.default_rng(seed)
    U = np.linalg.qr(rng.standard_normal((B, E, M)))[0]
    V = np.linalg.qr(rng.standard_normal((B, M, M)))[0]
    J = (U * np.geomspace(1, 1 / condition, M)) @ V.swapaxes(1, 2)
    return J, rng.standard_normal((B, E))


LIBRARIES = [
    pytest.param("compiled", marks=pytest.mark.skipif(definite.compiled is None, reason="neumatc._cholesky not built")),
    "compiled torch",
    "numpy",
    "torch",
]


@pytest.fixture(params=LIBRARIES)
def library(request: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """Arrays of NumPy or torch, factored by compiled code or by their library."""
    if not request.param.startswith("compiled"):
        monkeypatch.setattr(definite, "compiled", None)
    return "torch" if request.param.endswith("torch") else "numpy"


def exact(J: Any, r: Any) -> Any:
    return np.stack([np.linalg.lstsq(j, x, rcond=None)[0] for j, x in zip(J, r, strict=True)])


def tensors(library: str, *arrays: Any) -> tuple[Any, ...]:
    if library == "numpy":
        return arrays
    torch = pytest.importorskip("torch")
    return tuple(torch.from_numpy(array.copy()) for array in arrays)


@pytest.mark.parametrize("condition", [1.0, 1e2, 1e4])
def test_refined_solution_is_that_of_an_orthogonal_factorisation(library: str, condition: float) -> None:
    J, r = problem(condition)
    x, sound = (np.asarray(array) for array in normal_solution(*tensors(library, J, r), refine=True))
    wanted = exact(J, r)
    assert sound.all()
    assert np.linalg.norm(x - wanted) <= 1e-13 * condition * np.linalg.norm(wanted)


def test_without_refinement_the_condition_is_squared() -> None:
    """Were it not, the step of refinement could go."""
    J, r = problem(1e4)
    wanted = exact(J, r)
    plain, refined = (np.linalg.norm(normal_solution(J, r, refine=one)[0] - wanted) for one in (False, True))
    assert refined < 0.1 * plain


def test_columns_behind_the_unknowns_are_not_meant(library: str) -> None:
    J, r = problem(10.0)
    x, _ = normal_solution(*tensors(library, J, r), refine=True, unknowns=5)
    np.testing.assert_allclose(np.asarray(x), exact(J[..., :5], r), atol=1e-12)


@pytest.mark.parametrize("defect", ["dependent", "zero", "nan", "ill-conditioned"])
def test_what_cannot_be_trusted_is_reported_point_by_point(library: str, defect: str) -> None:
    J, r = problem(10.0)
    if defect == "dependent":
        J[2, :, 3] = J[2, :, 4]
    elif defect == "zero":
        J[2, :, 3] = 0
    elif defect == "nan":
        J[2, 5, 3] = np.nan
    else:
        J[2] = problem(1e9)[0][2]
    with np.errstate(all="ignore"):
        x, sound = (np.asarray(array) for array in normal_solution(*tensors(library, J, r), refine=True))
    assert sound.tolist() == [True, True, False, True, True, True, True]
    good = np.delete(np.arange(B), 2)
    np.testing.assert_allclose(x[good], exact(J[good], r[good]), atol=1e-12)


def test_pivots_of_columns_whose_terms_cancel_must_be_larger(library: str) -> None:
    J, r = problem(100.0)
    lengths = np.linalg.norm(J, axis=1)
    lengths[3] *= 1e5
    N, g, terms = tensors(library, J.swapaxes(1, 2) @ J, (J.swapaxes(1, 2) @ r[..., None])[..., 0], lengths)
    assert np.asarray(Factored.of(N).sound).all()
    factored = Factored.of(N, terms)
    assert np.flatnonzero(~np.asarray(factored.sound)).tolist() == [3]
    good = np.asarray(factored.sound)
    np.testing.assert_allclose(np.asarray(factored.solve(g))[good], exact(J, r)[good], atol=1e-10)


@pytest.mark.parametrize("with_torch", [False, True], ids=["numpy", "torch"])
@pytest.mark.parametrize("count", [1, B])
def test_one_and_many_agree(count: int, with_torch: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch") if with_torch else None
    monkeypatch.setattr("neumatc.least.torch_if_faster", lambda: torch)
    J, r = problem(100.0)
    x, sound = many_at_once(J[:count], r[:count], refine=True)
    assert sound.all()
    np.testing.assert_allclose(x, exact(J[:count], r[:count]), rtol=1e-10)
