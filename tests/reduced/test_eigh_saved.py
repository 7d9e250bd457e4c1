"""Eigenpairs of a sparse family as a file: they come back with the caller's matrices, and with no others."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from tests.reduced.families import laplacian, magnetic, mass, wells

import neumatc as nmc
from neumatc import store
from neumatc.errors import FormatError, InputError

P = np.linspace(0.2, 1.0, 5)


def saved(fit: Any, folder: Path) -> Path:
    path = folder / "pairs.nmc"
    fit.save(path)
    return path


@pytest.mark.parametrize(("make", "which", "weighed"), [(wells, "lowest", True), (magnetic, "highest", False)])
def test_a_loaded_fit_answers_and_certifies_alike(make: Any, which: str, weighed: bool, tmp_path: Path) -> None:
    A = make()
    B = mass(A.shape[0]) if weighed else None
    fit = nmc.eigh(A, {"tilt": (0.2, 1.0)}, B, rank=2, which=which, tol=1e-8, rng=0)
    again = nmc.load(saved(fit, tmp_path), matrix=(A, B) if weighed else A)
    for one, other in ((fit, again), (fit.derivative("tilt"), again.derivative("tilt"))):
        for came, wanted in zip(other(P), one(P), strict=True):
            np.testing.assert_array_equal(came, wanted)
    for name in ("residual", "bound", "error_bound", "passed"):
        np.testing.assert_array_equal(getattr(again.certify(P), name), getattr(fit.certify(P), name))
    for name in ("status", "error", "tol", "cost", "history", "box", "checked"):
        assert getattr(again, name) == getattr(fit, name)
    assert list(again.certified(1e-11)(P[:2]).path) == list(fit.certified(1e-11)(P[:2]).path)
    assert repr(again) == repr(fit)
    assert saved(again, tmp_path).read_bytes() == (tmp_path / "pairs.nmc").read_bytes()


def test_it_cannot_answer_without_the_matrix(tmp_path: Path) -> None:
    path = saved(nmc.eigh(wells(), (0.2, 1.0), rank=1, tol=1e-6, rng=0), tmp_path)
    for matrix, came in (
        (None, "none"),
        (laplacian(), "a csr_array|a bsr_array|a coo_array|a csc_array"),
        (abs, "a b"),
    ):
        with pytest.raises(InputError, match=rf"matrix=A or \(A, B\).*was expected and ({came}).*code is never read"):
            nmc.load(path, matrix=matrix)


def test_another_family_is_refused(tmp_path: Path) -> None:
    A = wells()
    path = saved(nmc.eigh(A, (0.2, 1.0), rank=1, tol=1e-6, rng=0), tmp_path)
    first, second = A.matrices
    for matrix, message in (
        (nmc.Affine([1.01 * first, second], A.coefficients), r"the matrices of A differ by 1.0e-02"),
        (nmc.Affine([second, first], lambda p: [p, 1.0]), r"the matrices of A differ by .* or stand in another order"),
        (nmc.Affine([first, second], lambda p: [1.0, 2 * p]), r"the coefficients of A differ by"),
        (nmc.Affine([first], lambda _: [1.0]), r"the matrices of A: 1 terms came, the fit has 2"),
        (nmc.Affine([sparse.eye_array(9)], lambda _: [1.0]), r"9 unknowns of float64 came, the fit has 196"),
        ((A, mass(196)), r"one has a B and the other has none"),
    ):
        with pytest.raises(InputError, match=f"not the family of the saved fit: {message}"):
            nmc.load(path, matrix=matrix)
    path = saved(nmc.eigh(A, (0.2, 1.0), mass(196), rank=1, tol=1e-6, rng=0), tmp_path)
    with pytest.raises(InputError, match=r"the matrices of B differ by"):
        nmc.load(path, matrix=(A, nmc.Affine([2 * part for part in mass(196).matrices], mass(196).coefficients)))


def test_a_file_with_a_part_missing(tmp_path: Path) -> None:
    path = saved(nmc.eigh(wells(), (0.2, 1.0), rank=1, tol=1e-6, rng=0), tmp_path)
    manifest, arrays = store.read(path)
    del arrays["pencil.factor"]
    store.write(path, manifest, arrays)
    with pytest.raises(FormatError, match="its manifest does not describe a fit"):
        nmc.load(path, matrix=wells())


FRESH = """
import sys
import neumatc as nmc
from tests.reduced.families import wells
fit = nmc.load(sys.argv[1], matrix=wells())
print(fit(0.5).eigenvectors.shape, fit.certify(0.5).passed, "torch" in sys.modules)
"""


def test_a_fresh_process_answers_without_torch(tmp_path: Path) -> None:
    path = saved(nmc.eigh(wells(), (0.2, 1.0), rank=2, tol=1e-6, rng=0), tmp_path)
    run = subprocess.run([sys.executable, "-c", FRESH, str(path)], capture_output=True, text=True, check=True)
    assert run.stdout.split("\n")[0] == "(196, 2) True False"
