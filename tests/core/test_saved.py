"""A fit as a file: the same answers, bit for bit, in a process that has neither torch nor SciPy."""

import json
import mmap
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neumatc as nmc
from neumatc import products, store
from neumatc.bases import Spline
from neumatc.errors import AccuracyWarning, FormatError, InputError
from neumatc.gallery import AffineInverse, LowRankSVD, SyntheticInverse
from neumatc.operations import Custom, Inverse, Operation

P = [0.0, 0.1234, 0.5, 0.987, 1.0]


def general() -> nmc.Fit:
    return nmc.inv(AffineInverse(n=12), (0.0, 1.0), rng=0)


def packed() -> nmc.Fit:
    return nmc.inv(AffineInverse(n=40, complex=True, hermitian=True), (0.0, 1.0), rng=0)


def doubled() -> nmc.Fit:
    return nmc.inv(AffineInverse(n=12, complex=True), {"frequency": (0.0, 1.0)}, basis="chebyshev", rng=0)


def single() -> nmc.Fit:
    return nmc.inv(lambda p: AffineInverse(n=12)(p).astype(np.float32), (0.0, 1.0), basis="rational", rng=0)


def triplets() -> nmc.Fit:
    return nmc.svd(LowRankSVD(n=24, rank=3, tail=4, complex=True), (0.0, 1.0), rank=3, rng=0)


def scaled() -> nmc.Fit:
    return nmc.inv(lambda p: np.ldexp(AffineInverse(n=12)(p), 500), (0.0, 1.0), basis="spline", tol=1e-6, rng=0)


def unlucky() -> nmc.Fit:
    """Chebyshev polynomials do not suit a table, so that their score is infinite."""
    points = np.linspace(0, 1, 61)
    table = nmc.Table(points, np.stack([SyntheticInverse(n=8, rank=3)(p) for p in points]))
    return nmc.inv(table, (0.0, 1.0), tol=1e-4, rng=0)


def poor() -> nmc.Fit:
    with pytest.warns(AccuracyWarning, match="more samples"):
        return nmc.inv(AffineInverse(n=12), (0.0, 1.0), samples=4, rng=0)


MADE: dict[str, Callable[[], nmc.Fit]] = {
    make.__name__: make for make in (general, packed, doubled, single, triplets, scaled, unlucky, poor)
}


def parts(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, tuple) else (value,)


def saved(fit: nmc.Fit, folder: Path) -> Path:
    path = folder / "fit.nmc"
    fit.save(path)
    return path


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(general(), tmp_path_factory.mktemp("saved"))


# round trip ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MADE)
def test_a_loaded_fit_is_the_saved_one(name: str, tmp_path: Path) -> None:
    fit = MADE[name]()
    again = nmc.load(saved(fit, tmp_path))
    for p in P:
        for was, came in zip(parts(fit(p)), parts(again(p)), strict=True):
            assert was.dtype == came.dtype
            assert np.array_equal(was, came)
    for was, came in zip(parts(fit(P, reproducible=True)), parts(again(P, reproducible=True)), strict=True):
        assert np.array_equal(was, came)
    for field in (
        "operation",
        "box",
        "basis",
        "history",
        "status",
        "error",
        "tol",
        "cost",
        "seed",
        "seeded",
        "dtype",
        "shape",
    ):
        assert getattr(again, field) == getattr(fit, field), field
    assert np.array_equal(again.samples.points, fit.samples.points)
    assert repr(again).splitlines()[:7] == repr(fit).splitlines()[:7]


def test_derivatives_and_products_of_a_loaded_fit(tmp_path: Path) -> None:
    fit = general()
    again, B = nmc.load(saved(fit, tmp_path)), np.ones((12, 2))
    assert np.array_equal(again.derivative()(0.3), fit.derivative()(0.3))
    assert np.array_equal((again @ B)(0.3), (fit @ B)(0.3))


def test_saving_twice_writes_the_same_bytes(tmp_path: Path) -> None:
    fit = general()
    first = saved(fit, tmp_path).read_bytes()
    assert saved(fit, tmp_path).read_bytes() == first
    assert saved(nmc.load(tmp_path / "fit.nmc"), tmp_path).read_bytes() == first


# a fresh process -----------------------------------------------------------------------------------------------------

FRESH = """
import json, sys
import neumatc as nmc
fit = nmc.load(sys.argv[1])
value = fit({points})
batch = fit([0.1, 0.2, 0.3, 0.4], reproducible=True)
parts = lambda x: x if isinstance(x, tuple) else (x,)
print(json.dumps({{
    "answers": [part.tobytes().hex() for part in parts(value)],
    "batch": [part.tobytes().hex() for part in parts(batch)],
    "loaded": [name for name in ("torch", "scipy", "matplotlib") if name in sys.modules],
}}))
"""


@pytest.mark.parametrize("name", ["general", "packed", "doubled", "single", "triplets"])
def test_a_fresh_process_answers_bit_for_bit_without_torch_and_scipy(name: str, tmp_path: Path) -> None:
    fit = MADE[name]()
    path = saved(fit, tmp_path)
    run = subprocess.run(
        [sys.executable, "-c", FRESH.format(points=0.1234), str(path)], capture_output=True, text=True, check=True
    )
    told = json.loads(run.stdout)
    assert told["loaded"] == []
    assert told["answers"] == [part.tobytes().hex() for part in parts(fit(0.1234))]
    batch = fit([0.1, 0.2, 0.3, 0.4], reproducible=True)
    assert told["batch"] == [part.tobytes().hex() for part in parts(batch)]


@pytest.mark.parametrize("name", ["general", "packed", "doubled", "triplets"])
def test_a_latent_tensor_can_stay_in_its_file(name: str, tmp_path: Path) -> None:
    fit = MADE[name]()
    there = nmc.load(saved(fit, tmp_path), memory_map=True)
    memory: Any = there.surrogate.C
    while isinstance(memory, np.ndarray):
        memory = memory.base
    assert isinstance(memory, mmap.mmap)
    for p in P:
        for was, came in zip(parts(fit(p)), parts(there(p)), strict=True):
            np.testing.assert_array_equal(was, came)


@pytest.mark.parametrize("name", MADE)
def test_slices_that_lie_apart_are_the_same_fit(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of C are moved aside where they are 64 MiB long, or a multiple; here all are."""
    fit = MADE[name]()
    before = saved(fit, tmp_path).read_bytes()
    monkeypatch.setattr(products, "BANKS", 1)
    again = nmc.load(tmp_path / "fit.nmc")
    C = again.surrogate.C
    assert C.strides[0] == C[0].nbytes + products.ASIDE
    for p in P:
        for was, came in zip(parts(fit(p)), parts(again(p)), strict=True):
            assert np.array_equal(was, came)
    assert saved(again, tmp_path).read_bytes() == before
    monkeypatch.setattr(store, "LONG", 0)  # as rows so long are written: one by one, and never copied
    assert saved(again, tmp_path).read_bytes() == before


@pytest.mark.parametrize("name", ["general", "packed", "doubled", "triplets"])
def test_a_fit_whose_slices_lie_apart(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fit = MADE[name]()
    monkeypatch.setattr(products, "BANKS", 1)
    again = MADE[name]()
    assert again.surrogate.d == fit.surrogate.d
    for p in P:
        for was, came in zip(parts(fit(p)), parts(again(p)), strict=True):
            np.testing.assert_allclose(came, was, rtol=0, atol=1e-12 * np.abs(was).max())


# the matrix of a loaded fit ------------------------------------------------------------------------------------------


def test_certificates_need_the_matrix(file: Path) -> None:
    fit = nmc.load(file)
    for ask in (fit.certify, fit.certified(), fit.reduced):
        with pytest.raises(InputError, match=r"needs A\(p\), but the fit of `inv` was loaded without.*matrix=A"):
            ask(0.3)


@pytest.mark.parametrize("name", ["general", "packed", "triplets", "scaled", "single"])
def test_with_the_matrix_a_loaded_fit_certifies(name: str, tmp_path: Path) -> None:
    fit = MADE[name]()
    again = nmc.load(saved(fit, tmp_path), matrix=fit.problem_or_raise.family)
    was, came = fit.certify(P), again.certify(P)
    assert np.array_equal(was.bound, came.bound)
    assert again.certified(tol=1e-3)(0.3).path == "surrogate"
    assert again.certified(tol=1e-3)(0.3).certificate.passed


def test_a_wrong_matrix_is_refused(file: Path) -> None:
    right = AffineInverse(n=12)
    wrong: dict[str, Any] = {
        "differs by": lambda p: right(p) + 1e-6,
        "differs": AffineInverse(n=12, seed=1),
        r"\(11, 11\) float64 came, the fit has \(12, 12\) float64": AffineInverse(n=11),
        r"\(12, 12\) complex128 came": lambda p: right(p) + 0j,
        "differs by .* at p = 0": lambda p: right(p) * 2.0**300,
    }
    for text, matrix in wrong.items():
        with pytest.raises(InputError, match=f"not the family of the saved fit: .*{text}"):
            nmc.load(file, matrix=matrix)
    assert nmc.load(file, matrix=lambda p: right(p) * (1 + 1e-13)).certify(0.3).passed


# operations of one's own ---------------------------------------------------------------------------------------------


def test_a_users_operation_must_be_given(tmp_path: Path, root: Operation) -> None:
    family = AffineInverse(n=8, hermitian=True)
    fit = nmc.fit(nmc.Problem.of(family, family.box, root), rng=0)
    path = saved(fit, tmp_path)
    with pytest.raises(InputError, match=r"user-defined operation `root`, but none was given.*operation=\.\.\."):
        nmc.load(path)
    with pytest.raises(InputError, match="user-defined operation `root`, but `inv` was given"):
        nmc.load(path, operation=Inverse())
    again = nmc.load(path, matrix=family, operation=root)
    assert np.array_equal(again(0.3), fit(0.3))
    assert again.certify(0.3).passed


def test_an_operation_that_borrows_a_name_is_not_taken_for_it(tmp_path: Path) -> None:
    mine = Custom("inv", np.linalg.inv, Inverse().equations())
    family = AffineInverse(n=8)
    path = saved(nmc.fit(nmc.Problem.of(family, family.box, mine), rng=0), tmp_path)
    with pytest.raises(InputError, match="user-defined operation `inv`, but none was given"):
        nmc.load(path)
    assert nmc.load(path, operation=mine)(0.3).shape == (8, 8)


# damage --------------------------------------------------------------------------------------------------------------


def test_truncated_files_are_refused(file: Path, tmp_path: Path) -> None:
    raw, path = file.read_bytes(), tmp_path / "cut.nmc"
    for end in [0, 1, 7, 8, 100, len(raw) // 2, len(raw) - 1]:
        path.write_bytes(raw[:end])
        with pytest.raises(FormatError, match="cut"):
            nmc.load(path)


def test_any_flipped_byte_is_refused(file: Path, tmp_path: Path) -> None:
    raw, path = bytearray(file.read_bytes()), tmp_path / "flipped.nmc"
    for at in np.random.default_rng(0).choice(len(raw), 150, replace=False):
        raw[at] ^= 1 << int(at) % 8
        path.write_bytes(raw)
        with pytest.raises(FormatError, match="flipped"):
            nmc.load(path)
        raw[at] ^= 1 << int(at) % 8


@pytest.mark.parametrize("C", [np.eye(2), np.ones(3), np.array(1.0)], ids=["matrix", "vector", "number"])
def test_a_container_that_holds_no_fit_is_refused(tmp_path: Path, C: np.ndarray) -> None:
    path = tmp_path / "other.nmc"
    store.write(path, {"operation": {"name": "inv", "options": {}}}, {"C": C})
    with pytest.raises(FormatError, match="valid container, but its manifest does not describe a fit"):
        nmc.load(path)


def test_a_missing_file_stays_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.nmc"):
        nmc.load(tmp_path / "none.nmc")


def test_a_curve_of_ones_own_is_seen_when_saving_or_loading(tmp_path: Path) -> None:
    """What could not be opened again must not be called saved."""
    fit = nmc.inv(AffineInverse(n=8), (0.0, 1.0), tol=1e-4, basis=Spline(degree=3), rng=0)
    assert np.array_equal(nmc.load(saved(fit, tmp_path))(0.3), fit(0.3))
