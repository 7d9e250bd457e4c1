"""What svdvals, eigvalsh and slogdet refuse."""

from typing import Any

import numpy as np
import pytest

import neumatc as nmc
from neumatc.errors import InputError, RankError, SingularError

LINE = (0.0, 1.0)


def crossing(p: float) -> Any:
    return np.diag(np.concatenate([np.arange(4) + 1 + 2.3 * p, np.arange(4) + 2.45 - 1.7 * p]))


@pytest.mark.parametrize(
    ("family", "message"),
    [
        (lambda p: np.diag([p - 0.37, 1.0, 2.0]), r"det A changes its sign between p = 0\.\d+ and p = 0\.\d+.*Split"),
        (
            lambda p: np.outer(np.arange(1.0, 6), np.ones(5) + p),
            r"At p = 0: .*a pivot of A is \d\.\d times its rounding",
        ),
        (lambda p: np.zeros((3, 3)), r"zero to working precision.*leave the region out: nmc\.Box"),
    ],
)
def test_singular_matrices(family: Any, message: str) -> None:
    with pytest.raises(SingularError, match=message):
        nmc.slogdet(family, LINE, rng=0)


def test_columns_of_any_scale_are_no_singularity() -> None:
    fit = nmc.slogdet(lambda p: np.diag([1e-30, 1.0, 1e30]) * (1 + p), LINE, rng=0)
    np.testing.assert_allclose(fit(0.3).logabsdet, 3 * np.log(1.3), atol=1e-7)


@pytest.mark.parametrize("name", ["eigvalsh", "slogdet"])
def test_square_matrices_only(name: str) -> None:
    with pytest.raises(InputError, match=rf"`{name}` needs square matrices, but A\(p\) is 2 x 3"):
        getattr(nmc, name)(lambda p: np.ones((2, 3)) * p, LINE)


def test_hermitian_matrices_only() -> None:
    message = r"At p = 0.*needs a Hermitian A.*‖A - Aᴴ‖_F/‖A‖_F = \d\.\de-01.*LAPACK would read one triangle.*use eig"
    with pytest.raises(InputError, match=message):
        nmc.eigvalsh(lambda p: np.array([[2.0, 1 + p], [0.5, 1.0]]), LINE)


@pytest.mark.parametrize("verb", [nmc.svdvals, nmc.eigvalsh])
def test_ranks_that_cannot_be(verb: Any) -> None:
    with pytest.raises(InputError, match=r"needs a whole number as rank, got 2\.0.*Pass rank=k with 1 <= k <= 8"):
        verb(crossing, LINE, rank=2.0)
    with pytest.raises(RankError, match=r"was asked for 9 .*, but A\(p\) is 8 x 8.*1 <= rank <= 8"):
        verb(crossing, LINE, rank=9)
    with pytest.raises(InputError, match=r"unknown which 'middle'; known: 'lowest', 'highest'|unknown which"):
        nmc.eigvalsh(crossing, LINE, rank=2, which="middle")


def test_values_have_no_products() -> None:
    fit = nmc.svdvals(crossing, LINE, rng=0)
    with pytest.raises(InputError, match="needs a map of one matrix"):
        _ = fit @ np.ones(8)
    with pytest.raises(InputError, match="second one was asked for"):
        fit.derivative().derivative()
