"""Fits on an accelerator, and their answers there, as far as a CPU can tell: see `tests.tensors.accelerator`."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from tests.conftest import SHAPES, TABLE, Case
from tests.core.affine_families import fitted as affine_fit
from tests.core.affine_families import theta_2d
from tests.tensors.accelerator import NAME, Accelerator, Look, MixedError, needs_accelerator
from tests.tensors.test_device_latent import CASES, THERE

import neumatc as nmc
from neumatc.errors import InputError, NeuMatCError

pytestmark = needs_accelerator

LINE = nmc.Box.of((0.0, 1.0))


@pytest.fixture
def accelerator() -> Iterator[Accelerator]:
    with Accelerator() as entered:
        yield entered


# fits ----------------------------------------------------------------------------------------------------------------

COMPLEX = ("inv", "svd", "svd-full", "eigh-lowest-b", "eig-left", "qr")
"""Operations whose rows are taken in complex single precision too; in double precision those of all are."""

every = pytest.mark.parametrize(
    "case",
    [
        case
        for case in TABLE
        if case.dimension == 1
        and case.name not in SHAPES
        and (case.dtype == np.float64 or (case.dtype == np.complex64 and case.name in COMPLEX))
    ],
    indirect=True,
    ids=str,
    scope="session",
)


@cache
def fitted_there(case: Case) -> nmc.Fit:
    with Accelerator():
        return nmc.fit(case.problem, tol=case.tol, samples=case.samples, rng=7, device=NAME)


@every
def test_every_operation_is_fitted_there(case: Case, fitted: nmc.Fit):
    fit = fitted_there(case)
    assert (fit.status, fit.error <= case.tol) == (fitted.status, fitted.error <= case.tol) == ("converged", True)
    # The certificate is the host's, from A(p) itself.
    assert (fit.certify(case.points(20)).residual <= 10 * case.tol).all()


ROTATION = np.linalg.qr(np.random.default_rng(0).standard_normal((6, 6)))[0]


def twice(p: Any) -> Any:
    """Each eigenvalue and singular value comes twice."""
    return (ROTATION * np.repeat([1.0, 2 + np.sin(p), 4.0], 2)) @ ROTATION.T


def turning(p: Any) -> Any:
    return twice(p) + np.diag(np.sin(p + np.arange(6)))


MORE: dict[str, Callable[..., Any]] = {
    "svdvals": lambda **on: nmc.svdvals(turning, LINE, **on),
    "eigvalsh": lambda **on: nmc.eigvalsh(turning, LINE, **on),
    "slogdet": lambda **on: nmc.slogdet(turning, LINE, **on),
    "pinv of fixed rank": lambda **on: nmc.pinv(lambda p: turning(p)[:, :3] @ turning(2 * p)[:3], LINE, **on),
    "eigh in blocks": lambda **on: nmc.eigh(twice, LINE, **on),
    "svd in blocks": lambda **on: nmc.svd(twice, LINE, **on),
    "joint training": lambda **on: nmc.inv(
        turning, LINE, training=nmc.Joint(epochs=60, width=10, interval=30), samples=20, throw=False, **on
    ),
}
"""What the table does not hold: values alone, clusters, and a training by gradients."""


@pytest.mark.filterwarnings("ignore::neumatc.errors.AccuracyWarning")
@pytest.mark.parametrize("name", MORE)
def test_and_so_is_the_rest(name: str, accelerator: Accelerator):
    here, there = (MORE[name](rng=0, tol=1e-7, device=device) for device in ("cpu", NAME))
    assert there.status == here.status == ("budget" if name == "joint training" else "converged")
    assert there.error == pytest.approx(here.error, rel=1e-3, abs=1e-7)


# answers -------------------------------------------------------------------------------------------------------------


def parts_of(found: Any) -> list[Any]:
    """Tensors of a result, on the host and as NumPy."""
    parts = found if isinstance(found, tuple) else (found,)
    return [array for part in parts for array in (parts_of(part) if isinstance(part, tuple) else [part.cpu().numpy()])]


def check_equal(there: Any, here: Any) -> None:
    """Up to rounding, rows of NaN included."""
    for one, other in zip(parts_of(there), parts_of(here), strict=True):
        eps = 1e-4 if one.dtype in (np.float32, np.complex64) else 1e-11
        size = np.max(abs(other), initial=1, where=np.isfinite(other))
        np.testing.assert_allclose(one, other, rtol=0, atol=0 if one.dtype == bool else eps * size)


def queried(fit: nmc.Fit) -> Any:
    """Points of the box, one outside, and NaN."""
    p = fit.box.random(12, np.random.default_rng(0))
    p[3], p[8, -1] = 7.0, np.nan
    return torch.from_numpy(p[:, 0] if fit.box.dimension == 1 else p)


@every
def test_answers_of_every_operation(case: Case, accelerator: Accelerator):
    fit = fitted_there(case)
    g, h, p = fit.to(NAME), fit.to("cpu"), queried(fit)
    there, graph = p.to(NAME), g.graph(p.shape)
    accelerator.looks.clear()
    found, inside, again = g(there), g.inside(there), graph(there)
    # Of a small core, and not in a graph: inside of torch these two look whether they converged.
    decomposed = [] if g.settled.core is None else ["_linalg_svd" if "svd" in case.name else "_linalg_eigh"]
    assert [look.what for look in accelerator.looks] == decomposed
    check_equal(found, h(p))
    check_equal(again, h.graph(p.shape)(p))
    assert inside.cpu().tolist() == [i not in (3, 8) for i in range(12)]


def certificate(found: Any) -> Any:
    return found.residual, found.bound, found.passed


QUERIES: dict[str, tuple[Callable[[nmc.Fit], Any], Callable[[Any, Any], Any]]] = {
    "corrected": (lambda f: f.latent.steps, lambda g, p: tuple(g.corrected(p))),
    "certify": (lambda f: f.latent.certifies, lambda g, p: certificate(g.certify(p, 1e-9))),
    "certified": (lambda f: f.latent.certifies, lambda g, p: tuple(g.certified(1e-9)(p))),
}
"""Which fits have it, and the query as a tuple."""


@cache
def affine(case: Any) -> nmc.Fit:
    verb, complex_, coefficients, dtype = case
    return affine_fit(verb, complex_, coefficients, dtype, samples=25 if coefficients is theta_2d else 9)


@pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "library"])
@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: "-".join(str(getattr(part, "__name__", part)) for part in case)
)
def test_corrections_and_certificates(case: Any, compiled: bool, accelerator: Accelerator, monkeypatch: Any):
    fit = affine(case)
    if not compiled:  # then the host takes the Cholesky factors of the device
        monkeypatch.setattr("neumatc.definite.compiled", None)
    g, h = (fit.to(device, theta=THERE[case[2]]) for device in (NAME, "cpu"))
    p = queried(fit)
    there = p.to(NAME)
    for available, query in QUERIES.values():
        if available(fit):
            query(g, there)  # builds what is built once
            accelerator.looks.clear()
            found = query(g, there)
            assert accelerator.looks == []
            check_equal(found, query(h, p))


# failures ------------------------------------------------------------------------------------------------------------

UNIT = np.eye(4)


def pole(p: Any) -> Any:
    """Singular in the middle of the box."""
    return np.diag([p - 0.5, 1.0, 2.0, 3.0])


def jordan(p: Any) -> Any:
    return np.array([[1.0 + p, 1.0], [0.0, 1.0 + p]])


def refused(A: Any) -> Any:
    raise ValueError("not today")


FAILURES: dict[str, Callable[..., Any]] = {
    "inv": lambda **on: nmc.inv(pole, LINE, **on),
    "solve": lambda **on: nmc.solve(pole, np.ones(4), LINE, **on),
    "pinv": lambda **on: nmc.pinv(pole, LINE, **on),
    "qr": lambda **on: nmc.qr(pole, LINE, **on),
    "polar": lambda **on: nmc.polar(pole, LINE, **on),
    "slogdet": lambda **on: nmc.slogdet(pole, LINE, **on),
    "cholesky": lambda **on: nmc.cholesky(pole, LINE, **on),
    "sqrtm": lambda **on: nmc.sqrtm(pole, LINE, **on),
    "sqrtm of a general matrix": lambda **on: nmc.sqrtm(lambda p: pole(p) + np.triu(UNIT[::-1]), LINE, **on),
    "logm": lambda **on: nmc.logm(pole, LINE, **on),
    "eig": lambda **on: nmc.eig(jordan, LINE, **on),
    "eigh of no Hermitian matrix": lambda **on: nmc.eigh(jordan, LINE, **on),
    "eigh with B": lambda **on: nmc.eigh(lambda p: UNIT * (1 + p), LINE, np.diag([1.0, 1.0, 1.0, -1.0]), **on),
    "svd": lambda **on: nmc.svd(lambda p: UNIT * (1 + p) * [1, 0, 0, 0], LINE, 2, **on),
    "projector": lambda **on: nmc.eigh(lambda p: UNIT * (1 + p), LINE, rank=2, projector=True, **on),
    "sylvester": lambda **on: nmc.sylvester(pole, -UNIT, UNIT, LINE, **on),
    "riccati": lambda **on: nmc.riccati(lambda p: UNIT * (1 + p), np.zeros((4, 1)), UNIT, np.eye(1), LINE, **on),
    "custom": lambda **on: nmc.fit(
        nmc.Problem.of(pole, LINE, nmc.operations.Custom("own", refused, nmc.operations.Inverse().equations())), **on
    ),
}


@pytest.mark.parametrize("name", FAILURES)
def test_what_cannot_be_solved_is_told_as_on_the_host(name: str, accelerator: Accelerator):
    told = []
    for device in ("cpu", NAME):
        with pytest.raises(NeuMatCError) as raised:
            FAILURES[name](rng=0, device=device)
        told.append((type(raised.value), str(raised.value)))
    assert told[0] == told[1]


@pytest.mark.parametrize("verb", [nmc.inv, nmc.qr, nmc.cholesky, nmc.sqrtm])
def test_failures_are_let_be_there_too(verb: Any, accelerator: Accelerator):
    box = LINE.excluding(failures=True)

    def singular(p: Any) -> Any:
        """On a fifth of the box."""
        return np.diag([2.0 + p, 3.0, 1.0]) * (abs(p - 0.6) > 0.1)

    here, there = (verb(singular, box, rng=0, tol=1e-6, device=device) for device in ("cpu", NAME))
    assert there.status == here.status == "converged"
    assert len(there.excluded) > 0
    np.testing.assert_array_equal(there.excluded, here.excluded)


# the accelerator itself ----------------------------------------------------------------------------------------------


MIXED: dict[str, Callable[[Any, Any], Any]] = {
    "sum": lambda x, y: x + y,
    "product": lambda x, y: y @ x,
    "stack": lambda x, y: torch.stack([x, y]),
    "in place": lambda x, y: x.mul_(y),
    "out": lambda x, y: torch.add(x, x, out=y),
    "choice": lambda x, y: torch.where(y > 0, x, 0.0),
}


@pytest.mark.parametrize("name", MIXED)
def test_two_devices_do_not_mix(name: str, accelerator: Accelerator):
    x = torch.ones(3, device=NAME)
    with pytest.raises(MixedError, match="expected all tensors to be on the same device"):
        MIXED[name](x, torch.ones(3))
    assert MIXED[name](x, torch.ones(3, device=NAME)).device == torch.device(NAME, 0)


@pytest.mark.parametrize("convert", [np.asarray, lambda x: x.numpy()], ids=["asarray", "numpy"])
def test_numpy_takes_nothing_from_it(convert: Any, accelerator: Accelerator):
    x = torch.ones(3, device=NAME)
    with pytest.raises(TypeError, match="can't convert fake:0 device type tensor to numpy"):
        convert(x)
    np.testing.assert_array_equal(convert(x.cpu()), np.ones(3))


WAITS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "number": ("_local_scalar_dense", lambda x: float(x[0])),
    "decision": ("_local_scalar_dense", lambda x: bool((x > 0).all())),
    "mask": ("index", lambda x: x[x > 1]),
    "index from the host": ("index", lambda x: x[torch.tensor([0, 1])]),
    "places": ("nonzero", lambda x: (x > 0).nonzero()),
    "svd": ("_linalg_svd", lambda x: torch.linalg.svd(x[:, None] * x)),
    "to the host": ("_to_copy", lambda x: x.cpu()),
    "from the host": ("_to_copy", lambda x: torch.ones(3).to(NAME)),
    "numbers from the host": ("_to_copy", lambda x: torch.tensor([1.0], device=NAME)),
    "into memory of the host": ("copy_", lambda x: torch.ones(3).copy_(x)),
    "from memory of the host": ("copy_", lambda x: x.copy_(torch.ones(3))),
    "one number": ("copy_", lambda x: torch.zeros(()).copy_(x.sum())),
}


@pytest.mark.parametrize("name", WAITS)
def test_waits_are_written_down(name: str, accelerator: Accelerator):
    x, (what, wait) = torch.arange(1.0, 4.0, device=NAME), WAITS[name]
    wait(x)
    assert accelerator.looks == [Look(what, "a test")]


def test_a_wait_has_a_line_of_the_library(accelerator: Accelerator):
    nmc.operations.Logarithm().exact(torch.eye(2, device=NAME)[None])
    assert {look.where.split(":")[0] for look in accelerator.looks} == {"operations/exponential.py"}


def test_work_there_is_that_of_the_host_and_waits_for_nothing(accelerator: Accelerator):
    def work(device: str) -> Any:
        x = torch.linspace(0, 1, 5, dtype=torch.float64, device=device, requires_grad=True)
        A = torch.eye(5, dtype=x.dtype, device=device) + 0.1 * x[:, None] * x
        y = torch.linalg.solve_triangular(torch.linalg.cholesky_ex(A)[0], A, upper=False)
        (torch.complex(y, x * y).conj() @ A.to(torch.complex128)).abs().sum().backward()
        z = torch.zeros_like(y)
        z[0], z[:, 1] = y[1].detach(), 2.0
        return x.grad, y.detach(), z.add_(1), x.sort(descending=True).values.detach()

    found = work(NAME)
    assert accelerator.looks == []
    assert all(part.device == torch.device(NAME, 0) for part in found)
    for one, other in zip(parts_of(found), parts_of(work("cpu")), strict=True):
        np.testing.assert_array_equal(one, other)


def test_its_tensors_are_of_no_use_elsewhere():
    with Accelerator():
        x = torch.ones(3, device=NAME)
    with pytest.raises(RuntimeError, match="outside of `with Accelerator"):
        x + 1
    with pytest.raises(InputError, match=r"`device` 'fake' cannot be used"):
        nmc.inv(pole, LINE, device=NAME)
