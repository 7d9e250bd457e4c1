"""A fit can be repeated bit for bit, and neither units nor surplus samples harm it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import neumatc as nmc
from neumatc.gallery import AffineInverse, LowRankSVD, SyntheticInverse
from neumatc.operations import Operation

BASE = AffineInverse(n=12)


@pytest.mark.parametrize("sampler", ["chebyshev", "uniform"])
def test_more_solves_than_the_span_has_dimensions_do_no_harm(sampler: str) -> None:
    """Neighbours in a design are nearly dependent, and a periodic family repeats itself."""
    fit = nmc.inv(lambda p: BASE(2 * p), (0.0, 1.0), sampler=sampler, samples=48, rng=0)
    assert len(fit.samples) == 48
    assert fit.error <= 1e-10


@pytest.mark.parametrize("complex_", [False, True], ids=["real", "complex"])
def test_latent_slices_are_orthonormal_and_in_order(complex_: bool) -> None:
    fit = nmc.inv(AffineInverse(n=12, complex=complex_), (0.0, 1.0), rng=0)
    C = fit.surrogate.C
    assert np.abs(C @ C.conj().T - np.eye(fit.surrogate.d)).max() <= 1e-13
    sizes = np.linalg.norm(fit.surrogate.phi(np.linspace(-1, 1, 99)[:, None]), axis=0)
    assert np.all(sizes[1:] <= 3 * sizes[:-1])
    assert sizes[-1] <= 1e-3 * sizes[0]


@pytest.mark.parametrize(("dtype", "came"), [("float32", np.float32), (np.float32, np.float32), (float, np.float64)])
def test_dtype_of_the_stored_map_can_be_chosen(dtype: Any, came: Any) -> None:
    fit = nmc.inv(BASE, (0.0, 1.0), dtype=dtype, rng=0)
    assert fit(0.3).dtype == fit.surrogate.C.dtype == came
    assert fit.tol == (1e-4 if came is np.float32 else 1e-8)


# repeatability and scale ---------------------------------------------------------------------------------------------


def same(first: nmc.Fit, second: nmc.Fit) -> bool:
    curves = [fit.surrogate.curve.arrays() for fit in (first, second)]
    return np.array_equal(first.surrogate.C, second.surrogate.C) and all(
        np.array_equal(value, curves[1][name]) for name, value in curves[0].items()
    )


FITS: dict[str, Callable[[Any, Operation], nmc.Fit]] = {
    "inv": lambda rng, root: nmc.inv(SyntheticInverse(n=16, rank=3), (0, 1), rng=rng, tol=1e-6),
    "svd": lambda rng, root: nmc.svd(LowRankSVD(n=16, rank=3, tail=3), (0, 1), rank=3, rng=rng),
    "root": lambda rng, root: nmc.fit(nmc.Problem.of(AffineInverse(n=8, hermitian=True), (0, 1), root), rng=rng),
}


@pytest.mark.parametrize("name", FITS)
def test_same_seed_same_fit_bit_for_bit(name: str, root: Operation) -> None:
    assert same(FITS[name](3, root), FITS[name](3, root))
    assert same(FITS[name](np.random.default_rng(9), root), FITS[name](np.random.default_rng(9), root))


def test_without_a_seed_every_fit_has_its_own(root: Operation) -> None:
    first, second = FITS["inv"](None, root), FITS["inv"](None, root)
    assert (first.seeded, first.seed) != (second.seeded, second.seed)
    assert not same(first, second)
    assert not same(FITS["inv"](3, root), FITS["inv"](4, root))


@pytest.mark.parametrize("k", [500, -500])
def test_scaling_by_huge_powers_scales_the_answers(k: int) -> None:
    A, B = SyntheticInverse(n=16, rank=3), LowRankSVD(n=16, rank=3, tail=3)
    options: dict[str, Any] = {"tol": 1e-7, "rng": 0}
    plain, scaled = (nmc.inv(lambda p, k=j: np.ldexp(A(p), k), (0, 1), **options) for j in (0, k))
    np.testing.assert_allclose(np.ldexp(scaled(0.37), k), plain(0.37), rtol=1e-9)
    assert scaled.error == pytest.approx(plain.error, rel=0.1)
    plain, scaled = (nmc.svd(lambda p, k=j: np.ldexp(B(p), k), (0, 1), rank=3, **options) for j in (0, k))
    np.testing.assert_allclose(np.ldexp(scaled(0.37).S, -k), plain(0.37).S, rtol=1e-12)
    np.testing.assert_allclose(np.abs(scaled(0.37).U), np.abs(plain(0.37).U), atol=1e-9)
