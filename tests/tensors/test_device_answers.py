"""Answers on a device are those of the host, for every operation, and no query looks at a value."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from tests.conftest import TABLE
from tests.tensors.waiting import NoWaiting, WaitingError

import neumatc as nmc
from neumatc.arrays import real_dtype
from neumatc.errors import InputError
from neumatc.operations import Eigh, PartialEigh, TruncatedSVD

every = pytest.mark.parametrize(
    "case",
    [case for case in TABLE if case.dimension == 1 and case.dtype in (np.float64, np.complex64)],
    indirect=True,
    ids=str,
    scope="session",
)
"""Operations in double precision, and in complex single precision; the number of parameters is that of the curve."""

CORES = (TruncatedSVD, PartialEigh)
"""Operations whose vectors come from a small decomposition, and may differ by a phase."""


def parts_of(value: Any) -> tuple[Any, ...]:
    return tuple(np.asarray(part) for part in (value if isinstance(value, tuple) else (value,)))


def aligned(found: tuple[Any, ...], true: tuple[Any, ...]) -> tuple[Any, ...]:
    """Vectors with the phases of the others: columns of the factor that comes last as columns, rows of Vh."""
    if len(found) == 2:  # values, vectors
        return found[0], found[1] * phases(found[1], true[1])
    turn = phases(found[0], true[0])
    return found[0] * turn, found[1], found[2] * turn.conj().swapaxes(-1, -2)


def phases(X: Any, Y: Any) -> Any:
    overlap = (X.conj() * Y).sum(-2, keepdims=True)
    return overlap / abs(overlap)


def check(found: Any, true: Any, operation: Any, eps: float) -> None:
    a, b = parts_of(found), parts_of(true)
    assert type(found).__name__ == type(true).__name__ or not isinstance(true, tuple)
    assert [part.dtype for part in a] == [part.dtype for part in b]
    a = aligned(a, b) if isinstance(operation, CORES) else a
    for one, other in zip(a, b, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=400 * eps * max(abs(other).max(), 1))


@every
def test_answers_of_every_operation(fitted: nmc.Fit, case: Any):
    g, p = fitted.to("cpu"), case.points(7)
    eps, tensor = float(np.finfo(real_dtype(case.dtype)).eps), torch.from_numpy(p)
    check(g(tensor), fitted(p), fitted.operation, eps)
    graph = g.graph((7,))
    with NoWaiting():
        found = graph(tensor)
    check(found, fitted(p), fitted.operation, eps)
    # One point, and none.
    check(g(tensor[2]), fitted(p[2]), fitted.operation, eps)
    assert [part.shape for part in parts_of(g(tensor[:0]))] == [part.shape for part in parts_of(fitted(p[:0]))]
    out: Any = tuple(torch.empty_like(part, memory_format=torch.contiguous_format) for part in tensors(found))
    out = out if isinstance(found, tuple) else out[0]
    assert g(tensor, out=out) is out
    check(type(found)(*out) if isinstance(found, tuple) else out, fitted(p), fitted.operation, eps)


@every
def test_points_outside_are_nan_and_flagged(fitted: nmc.Fit, case: Any):
    p = case.points(4)
    p.reshape(4, -1)[1, 0], p.reshape(4, -1)[2, -1] = 7.0, np.nan
    g, tensor = fitted.to("cpu"), torch.from_numpy(p)
    assert g.inside(tensor).tolist() == [True, False, False, True]
    for value in (g(tensor), g.graph((4,))(tensor)):
        for part in tensors(value):
            assert bool(part[[1, 2]].isnan().all())
            assert bool(part[[0, 3]].isfinite().all())


@every
def test_nothing_lives_elsewhere(fitted: nmc.Fit, case: Any):
    # Numbers of a meta tensor cannot be had at all, and its operations refuse tensors of the host beside it.
    p = torch.empty(case.points(5).shape, dtype=torch.float64, device="meta")
    answer = fitted.to("meta")(p)
    assert [part.shape for part in tensors(answer)] == [part.shape for part in parts_of(fitted(case.points(5)))]


def tensors(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


# what is told about waiting ------------------------------------------------------------------------------------------


def matrix(p: Any) -> Any:
    return np.array([[2.0 + p, 0.3, 0.1], [0.3, 1.0, p], [0.1, p, 4.0]])


@pytest.fixture(scope="module")
def inverse() -> nmc.Fit:
    return nmc.inv(matrix, box=(0.0, 1.0), rng=0)


@pytest.mark.parametrize("verb", ["svd", "eigh"])
def test_small_decompositions_wait_unless_they_are_in_a_graph(verb: str):
    g = getattr(nmc, verb)(matrix, box=(0.0, 1.0), rank=2, rng=0).to("cpu")
    p = torch.linspace(0, 1, 3, dtype=torch.float64)
    with NoWaiting(), pytest.raises(WaitingError, match=f"_linalg_{verb}"):
        g(p)
    with NoWaiting():
        g.inside(p)


def test_a_plain_query_waits_for_nothing(inverse: nmc.Fit):
    g, p = inverse.to("cpu"), torch.linspace(0, 1, 6, dtype=torch.float64).reshape(2, 3)
    out = torch.empty(2, 3, 3, 3, dtype=torch.float64)
    with NoWaiting():
        g(p)
        g(p, out=out)
        g.inside(p)
    np.testing.assert_allclose(out.numpy(), inverse(p.numpy()), rtol=0, atol=1e-14)


# the box -------------------------------------------------------------------------------------------------------------


def test_axes_of_every_kind():
    box = [
        nmc.Axis(1.0, 1e4, "rate", scale="log"),
        nmc.Axis(0.0, 6.0, "angle", periodic=True),
        nmc.Axis(-1.0, 1.0, "shift"),
    ]

    def diagonal(p: Any) -> Any:
        return np.diag([3.0 + 0.1 * np.log(p[0]), 2 + np.cos(np.pi * p[1] / 3), 2 + p[2]])

    f = nmc.inv(diagonal, box, tol=0.5, samples=40, rng=0)
    p = f.box.random(20, np.random.default_rng(0))
    p[:3, 1] = [-1.0, 100.0, -1e-17]
    p[3], p[4] = [1.0, 0.0, -1.0], [1e4, 6.0, 1.0]
    # Coefficients of this poor fit reach 1600: sums in another order differ by that many roundings.
    phi = f.surrogate.phi(f.box.to_unit(p))
    rounding = 4 * np.finfo(float).eps * (abs(phi) @ abs(f.surrogate.C)).max()
    np.testing.assert_allclose(f.to("cpu")(torch.from_numpy(p)).numpy(), f(p), rtol=0, atol=rounding)


def test_rounding_of_single_precision_is_no_reason_to_refuse(inverse: nmc.Fit):
    f = nmc.inv(matrix, box=(0.1, 0.7), rng=0)
    for dtype in (torch.float32, torch.float64):
        p = torch.tensor([0.1, 0.7, 0.1 - 1e-4, 0.7 + 1e-4], dtype=dtype)
        assert f.to("cpu").inside(p).tolist() == [True, True, False, False]
        np.testing.assert_allclose(f.to("cpu")(p[:2]).numpy(), f(p[:2].numpy()), rtol=0, atol=1e-14)
    slightly = torch.tensor([0.1 - 1e-16, 0.7 + 1e-8], dtype=torch.float64)
    assert f.to("cpu").inside(slightly).tolist() == [True, False]


# what may be asked ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float32, torch.complex64])
def test_storage_in_single_precision(inverse: nmc.Fit, dtype: Any):
    p, g = np.linspace(0, 1, 9), inverse.to("cpu", dtype)
    found = g(torch.from_numpy(p))
    assert found.dtype == torch.float32
    np.testing.assert_allclose(found.numpy(), inverse(p), atol=2e-6)
    assert repr(g) == "DeviceFit(inv on cpu, torch.float32, [0, 1], without θ)"


def test_torch_differentiates_answers(inverse: nmc.Fit):
    p = torch.linspace(0.05, 0.95, 5, dtype=torch.float64, requires_grad=True)
    inverse.to("cpu")(p)[:, 0, 1].sum().backward()
    assert p.grad is not None
    np.testing.assert_allclose(p.grad.numpy(), inverse.derivative()(p.detach().numpy())[:, 0, 1], atol=1e-9)


def test_a_loaded_fit_answers_too(inverse: nmc.Fit, tmp_path: Any):
    inverse.save(tmp_path / "map.nmc")
    g, p = nmc.load(tmp_path / "map.nmc").to("cpu"), np.linspace(0, 1, 5)
    np.testing.assert_allclose(g(torch.from_numpy(p)).numpy(), inverse(p), rtol=0, atol=1e-14)
    with pytest.raises(InputError, match=r"loaded without its matrix"):
        g.corrected(torch.from_numpy(p), theta=torch.ones(5, 1))


P = torch.linspace(0, 1, 3, dtype=torch.float64)

MISTAKES: list[tuple[Any, str]] = [
    (lambda g: g(P.numpy()), r"p must be a real tensor on cpu.* a ndarray came\. .* Make p on the device"),
    (lambda g: g(P.to("meta")), r"a torch.float64 tensor on meta came\. .* call f\(p\) on the host"),
    (lambda g: g(P + 0j), r"a torch.complex128 tensor on cpu came"),
    (lambda g: g(P, out=torch.empty(3, 3)), r"`out` must be .* of shape \(3, 3, 3\).*Nothing is cast.*torch.empty"),
    (lambda g: g(P, out=np.empty((3, 3, 3))), r"got a ndarray"),
    (lambda g: g(P, out=torch.empty(3, 3, 3).double().mT), r"got one with strides \(9, 1, 3\)"),
    (lambda g: g(P, out=(P, P)), r"`out` must hold 1 tensors, got 2\. .* in order"),
    (lambda g: g.graph((3,), "certified"), r"`what` must be one of answer, corrected, got 'certified'\. .* Call the"),
    (lambda g: g.fit.to("nowhere"), r"`device` 'nowhere' cannot be used: .* Torch does not see .* Use device='cpu'"),
    (lambda g: g.fit.to("cpu", torch.float16), r"`dtype` must be a torch dtype .* got torch.float16\. .* leave it out"),
    (lambda g: g.fit.to("cpu", np.float32), r"got <class 'numpy.float32'>"),
]


@pytest.mark.parametrize(("mistake", "text"), MISTAKES)
def test_mistakes_are_explained(inverse: nmc.Fit, mistake: Any, text: str):
    with pytest.raises(InputError, match=f"(?s){text}"):
        mistake(inverse.to("cpu"))


def test_points_of_several_parameters_stand_in_rows():
    f = nmc.inv(lambda p: matrix(p[0]) + p[1] * np.eye(3), [(0.0, 1.0), (0.0, 1.0)], tol=1e-3, rng=0)
    for shape in ((), (3,), (2, 3)):
        with pytest.raises(InputError, match=r"must have shape \(\.\.\., 2\).*The last axis.*Use torch.stack"):
            f.to("cpu")(torch.zeros(shape))


def test_a_hole_is_refused():
    f = nmc.inv(matrix, nmc.Box.of((0.0, 1.0)).excluding(lambda p: 0.4 < p < 0.5), rng=0)
    with pytest.raises(InputError, match=r"needs a box without a hole.*Python function.*call f\(p\) on the host"):
        f.to("cpu")


def test_blocks_are_refused():
    f = nmc.eigh(matrix, box=(0.0, 1.0), rng=0)
    f = replace(f, operation=Eigh(blocks=((0, 1),)))
    with pytest.raises(InputError, match=r"the columns \(0, 1\) were followed as blocks.*on the host.*rank="):
        f.to("cpu")


def test_an_operation_that_computes_in_numpy_is_refused(inverse: nmc.Fit, root: Any):
    class Own(type(root)):  # type: ignore[misc]
        def canonical(self, F: Any) -> Any:
            return {name: np.abs(X) for name, X in F.items()}

    with pytest.raises(InputError, match=r"`root` \(Own\) computes its result.*`canonical` is written for NumPy.*"):
        replace(inverse, operation=Own()).to("cpu")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device on this machine")
def test_a_gpu_gives_the_same(inverse: nmc.Fit):
    p, g = torch.linspace(0, 1, 1000, dtype=torch.float64, device="cuda"), inverse.to("cuda")
    torch.cuda.set_sync_debug_mode("error")
    try:
        found = g(p)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    np.testing.assert_allclose(found.cpu().numpy(), inverse(p.cpu().numpy()), rtol=0, atol=1e-14)
    assert torch.equal(g.graph((1000,))(p), found)
