"""Correction and certificate on a device are those of the host, found from φ and θ without a look at values."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from tests.core.affine_families import complex_theta, fitted, theta, theta_2d
from tests.tensors.waiting import NoWaiting

import neumatc as nmc
from neumatc.errors import InputError
from neumatc.tensors.latent import LOOKS


def theta_there(p: Any) -> Any:
    return torch.stack([torch.ones_like(p[:, 0]), torch.cos(3 * p[:, 0]), torch.sin(2 * p[:, 0])], dim=-1)


def theta_2d_there(p: Any) -> Any:
    return torch.stack([torch.ones_like(p[:, 0]), torch.cos(2 * p[:, 0]), torch.sin(p[:, 1])], dim=-1)


def complex_theta_there(p: Any) -> Any:
    p = p[:, 0]
    return torch.stack([torch.ones_like(p) + 0j, torch.exp(1j * p), 0.5 * torch.sin(2 * p) + 0j], dim=-1)


THERE = {theta: theta_there, theta_2d: theta_2d_there, complex_theta: complex_theta_there}

CASES = [
    *(("inv", False, theta, None), ("inv", True, theta, None), ("inv", True, complex_theta, None)),
    *(("inv", False, theta_2d, None), ("inv", False, theta, np.float32), ("inv", True, complex_theta, np.complex64)),
    *(("qr", False, theta, None), ("qr", True, complex_theta, None), ("cholesky", False, theta, None)),
    *(("sqrtm", False, theta, None), ("eigh", False, theta, None), ("svd", False, theta, None)),
]

_made: dict[Any, Any] = {}


@pytest.fixture(params=CASES, ids=lambda case: "-".join(str(getattr(part, "__name__", part)) for part in case))
def pair(request: pytest.FixtureRequest) -> Any:
    """A fit whose span limits it, the same on the device, and the case."""
    case = request.param
    if case not in _made:
        verb, complex_, coefficients, dtype = case
        f = fitted(verb, complex_, coefficients, dtype, **({"samples": 25} if coefficients is theta_2d else {}))
        _made[case] = f, f.to("cpu", theta=THERE[coefficients]), case
    return _made[case]


def points_of(fit: Any, count: int = 12) -> Any:
    points = np.random.default_rng(0).uniform(0, 1, (count, fit.box.dimension))
    return points[:, 0] if fit.box.dimension == 1 else points


def parts_of(value: Any) -> list[Any]:
    return [np.asarray(part) for part in (value if isinstance(value, tuple) else (value,))]


def test_corrected_answers(pair: Any):
    f, g, (_, _, coefficients, dtype) = pair
    if f.latent.steps is None:
        with pytest.raises(InputError, match=r"needs batched latent equations.*Call f\.corrected\(p\) there"):
            g.corrected(torch.from_numpy(points_of(f)))
        return
    p = points_of(f)
    tensor = torch.from_numpy(p)
    with NoWaiting():
        found = g.corrected(tensor)
    assert bool(found.sound.all())
    eps = 1e-11 if dtype is None else 1e-4
    for one, other in zip(parts_of(found.value), parts_of(f.corrected(p)), strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_allclose(one, other, rtol=0, atol=eps * max(abs(other).max(), 1))
    given = THERE[coefficients](tensor.reshape(len(p), -1))
    again = f.to("cpu").corrected(tensor, theta=given)
    assert all(np.array_equal(*both) for both in zip(parts_of(again.value), parts_of(found.value), strict=True))


def test_certificates(pair: Any):
    f, g, (_, _, _, dtype) = pair
    p = points_of(f)
    tensor, together = torch.from_numpy(p), LOOKS * len(p)
    if not f.latent.certifies:
        with pytest.raises(InputError, match=r"residual to follow from the coefficients.*Call f\.certify\(p\) there"):
            g.certify(tensor)
        return
    points = f.box.points(p)[0]
    true = f.latent.certificate(f.latent.at(points), f.surrogate.curve(f.box.to_unit(points)), 1e-6, together)
    g.certify(tensor)  # builds what is built once
    with NoWaiting():
        found = g.certify(tensor, 1e-6)
    # Coefficients are rounded to the precision of C. That rounding is all the residual there is in single precision,
    # and where host and device differ by 1e-13 some coefficients are rounded to the other side.
    near = 1e-6 if dtype is None else 5e-2
    # Residuals are sums that cancel: what is left of exact vectors, 1e-14, is rounding, and is summed in another order.
    np.testing.assert_allclose(found.residual.numpy(), true.residual, rtol=near, atol=1e-13)
    np.testing.assert_allclose(found.bound.numpy(), true.bound, rtol=near, atol=1e-12)
    np.testing.assert_array_equal(found.passed.numpy(), true.passed)
    assert (found.confidence, found.tol, found.theorem) == (true.confidence, true.tol, true.theorem)
    assert (found.error_bound is None) == (true.error_bound is None)
    if found.error_bound is not None:
        np.testing.assert_allclose(found.error_bound.numpy(), true.error_bound, rtol=near, atol=3e-11)
    # What the host knows beyond that comes from formed answers, and can only be sharper.
    assert (f.certify(p, 1e-6).bound <= found.bound.numpy() * (1 + near) + 1e-12).all()


def test_certified_answers_hold_what_they_say(pair: Any):
    f, g, _ = pair
    if not f.latent.certifies:
        return
    p = points_of(f)
    tensor, tol = torch.from_numpy(p), float(g.certify(torch.from_numpy(p)).bound.sort()[0][6])
    certified = g.certified(tol)
    certified(tensor)
    with NoWaiting():
        answer = certified(tensor)
    assert int(answer.passed.sum()) >= 7
    np.testing.assert_array_equal(answer.passed.numpy(), answer.bound.numpy() <= tol)
    A = f.problem_or_raise.matrices(f.box.points(p)[0])
    F = {
        name: X.astype(np.result_type(X.dtype, np.float64))
        for name, X in f.checker.operation.canonical(f.problem_or_raise.rescale(_factors(f, answer.value))).items()
    }
    assert (f.checker.residual(A, F) <= answer.bound.numpy()).all()
    # Corrected where that helps: no bound is above that of the surrogate.
    assert (answer.bound.numpy() <= g.certify(tensor, tol).bound.numpy()).all()


@pytest.mark.parametrize("verb", ["inv", "qr"])
def test_certified_answers_are_corrected_where_the_curve_fails(verb: str):
    f = _made.setdefault((verb, "bad curve"), fitted(verb))
    curve = f.surrogate.curve.combined(1.001 * np.eye(f.surrogate.curve(np.zeros((1, 1))).shape[1]))
    f = replace(f, map=replace(f.map, surrogate=replace(f.surrogate, curve=curve)))
    g, p = f.to("cpu", theta=theta_there), torch.linspace(0, 1, 7, dtype=torch.float64)
    answer, judged = g.certified(1e-9)(p), g.certify(p)
    assert bool((judged.residual > 5e-4).all())
    assert bool((answer.bound < 1e-2 * judged.bound).all())
    for one, other in zip(parts_of(answer.value), parts_of(g.corrected(p).value), strict=True):
        assert np.array_equal(one, other)


def _factors(fit: Any, value: Any) -> Any:
    """Canonical factors of an answer, whose fields stand in the order of the unknowns or are matched here."""
    if fit.operation.name == "eigh":
        return {"V": np.asarray(value.eigenvectors), "w": _diagonal(value.eigenvalues)}
    if fit.operation.name == "svd-full":
        return {"U": np.asarray(value.U), "s": _diagonal(value.S), "V": np.asarray(value.Vh).conj().swapaxes(-1, -2)}
    return dict(zip(fit.operation.unknowns, parts_of(value), strict=True))


def _diagonal(values: Any) -> Any:
    return np.eye(values.shape[-1]) * np.asarray(values)[:, None]


def test_outside_nothing_passes():
    f, g, _ = _inverse()
    p = torch.tensor([0.3, 1.5, torch.nan], dtype=torch.float64)
    with NoWaiting():
        corrected, judged, answer = g.corrected(p), g.certify(p, 1.0), g.certified(1.0)(p)
    assert corrected.sound.tolist() == judged.passed.tolist() == answer.passed.tolist() == [True, False, False]
    for value in (corrected.value, answer.value):
        assert bool(value[1:].isnan().all())
        assert bool(value[0].isfinite().all())
    assert judged.bound[1:].isnan().all()
    del f


def _inverse() -> Any:
    case = CASES[0]
    if case not in _made:
        f = fitted("inv")
        _made[case] = f, f.to("cpu", theta=theta_there), case
    return _made[case]


def test_equations_without_a_direction_are_flagged(monkeypatch: pytest.MonkeyPatch):
    f, _, _ = _inverse()
    g = f.to("cpu", theta=theta_there)
    p = torch.linspace(0, 1, 3, dtype=torch.float64)
    monkeypatch.setattr("neumatc.least.PIVOT", 2.0)  # no pivot of a matrix with unit diagonal is as large
    found = g.corrected(p)
    assert not found.sound.any()
    np.testing.assert_allclose(found.value.numpy(), f(p.numpy()), rtol=0, atol=1e-14)


def test_batches_keep_their_shape_and_may_be_empty():
    f, g, _ = _inverse()
    for shape in ((), (0,), (2, 3)):
        p = torch.full(shape, 0.4, dtype=torch.float64)
        answer = g.certified(1e-3)(p)
        assert answer.value.shape == (*shape, 72, 72)
        assert answer.bound.shape == answer.passed.shape == g.certify(p).residual.shape == shape
        assert g.corrected(p).sound.shape == shape
    out = torch.empty(2, 3, 72, 72, dtype=torch.float64)
    assert g.corrected(p, out=out).value is out
    np.testing.assert_allclose(out.numpy(), f.corrected(p.numpy()), atol=1e-12)


def test_long_batches_come_in_pieces(monkeypatch: pytest.MonkeyPatch):
    f, g, _ = _inverse()
    p = torch.linspace(0, 1, 11, dtype=torch.float64)
    whole, bounds = g.corrected(p).value, g.certify(p).bound
    monkeypatch.setattr("neumatc.tensors.placed.HELD", 4 * g.latent.steps.numbers)
    assert torch.allclose(g.corrected(p).value, whole, atol=1e-13)
    monkeypatch.setattr("neumatc.tensors.placed.HELD", 4 * len(g.latent.checker.M))
    assert torch.allclose(g.certify(p).bound, bounds, rtol=1e-6)
    del f


def test_single_precision_of_a_map_in_double_is_certified_as_such():
    f, _, _ = _inverse()
    p = torch.linspace(0, 1, 5, dtype=torch.float64)
    g = f.to("cpu", torch.float32, theta=theta_there)
    answer, wide = g.certified(1e-3)(p), _inverse()[1].certified(1e-3)(p)
    assert answer.value.dtype == torch.float32
    assert bool((answer.bound > wide.bound).all())
    A = f.problem_or_raise.matrices(p.numpy()[:, None])
    error = np.linalg.norm(A @ answer.value.double().numpy() - np.eye(72), axis=(1, 2)) / 72**0.5
    assert (error <= answer.bound.numpy()).all()
    assert (error > 1e-8).any()


def test_several_matrices_have_their_coefficients_side_by_side():
    f, _, _ = _inverse()
    A = f.problem_or_raise.family
    b = np.random.default_rng(1).standard_normal(72)
    f = nmc.solve(A, b, (0.0, 1.0), tol=1e-4, samples=9, rng=0)
    p = np.linspace(0, 1, 7)
    found = f.to("cpu", theta=theta_there).corrected(torch.from_numpy(p))
    np.testing.assert_allclose(found.value.numpy(), f.corrected(p), rtol=0, atol=1e-11)


def test_nothing_lives_elsewhere():
    f, _, _ = _inverse()
    g, p = f.to("meta", theta=theta_there), torch.empty(4, dtype=torch.float64, device="meta")
    assert g.corrected(p).value.shape == (4, 72, 72)
    assert g.certified(1e-6)(p).bound.shape == (4,)


# what is refused ------------------------------------------------------------------------------------------------------

P = torch.linspace(0, 1, 3, dtype=torch.float64)

MISTAKES: list[tuple[Any, str]] = [
    (lambda f: f.to("cpu").corrected(P), r"need the coefficients θ\(p\) as tensors.*Python function.*theta=function"),
    (lambda f: f.to("cpu").certify(P), r"none were given"),
    (lambda f: f.to("cpu").certified(1e-3)(P), r"none were given"),
    (
        lambda f: f.to("cpu").corrected(P, theta=torch.ones(3, 2)),
        r"of shape \(3, 3\), .*; shape \(3, 2\) came\. .*stack",
    ),
    (lambda f: f.to("cpu").corrected(P, theta=np.ones((3, 3))), r"a ndarray came"),
    (lambda f: f.to("cpu").corrected(P, theta=torch.ones(3, 3) + 0j), r"must be real, .*complex64.* Return its \.real"),
    (
        lambda f: f.to("cpu", theta=lambda p: 1.001 * theta_there(p)),
        r"at p = .* the two differ by 1\.0e-03\. .*in the tr",
    ),
    (lambda f: f.to("cpu", theta=lambda p: torch.nan * theta_there(p)), r"the two differ by nan"),
    (lambda f: f.to("cpu", theta=lambda p: p), r"of shape \(5, 3\), .* shape \(5, 1\) came"),
    (lambda f: f.to("cpu", theta=theta_there).certified(0.0), r"`tol` must be a positive .* got 0\.0"),
]


@pytest.mark.parametrize(("mistake", "text"), MISTAKES)
def test_mistakes_are_explained(mistake: Any, text: str):
    with pytest.raises(InputError, match=f"(?s){text}"):
        mistake(_inverse()[0])


def test_any_other_family_is_refused():
    f = nmc.inv(lambda p: np.array([[2.0 + p, 1.0], [p, 3.0]]), box=(0.0, 1.0), rng=0)
    with pytest.raises(InputError, match=r"need A\(p\) as a sum, nmc\.Affine.*Python function.*on the host"):
        f.to("cpu", theta=theta_there)


def test_values_alone_have_no_correction():
    A = nmc.Affine([np.diag([2.0, 3.0]), np.ones((2, 2))], lambda p: [1.0, p])
    g = nmc.svdvals(A, box=(0.0, 1.0), rng=0).to("cpu")
    given = torch.stack([torch.ones_like(P), P], dim=-1)
    with pytest.raises(InputError, match=r"`corrected` needs equations that are polynomial"):
        g.corrected(P, theta=given)
    with pytest.raises(InputError, match=r"residual to follow from the coefficients, which that of `svdvals` does not"):
        g.certify(P, theta=given)
