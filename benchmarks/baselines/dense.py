"""LAPACK at every p: LU and SVD as NumPy calls them, and the fastest call that this machine has."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, final

import numpy as np
import scipy.linalg
import torch

from benchmarks.baselines.base import Answer, Baseline, Family, Solver, triplets
from neumatc.arrays import Array
from neumatc.comparison.clock import race

__all__ = ["INVERSES", "SVDS", "BestInverse", "BestSVD", "NumpyInverse", "NumpySVD", "SparseLU", "fastest"]

RUNS, SECONDS = 5, 2.0
"""Of the race between the calls."""

LAPACK = "10.1137/1.9780898719604"
"""LAPACK users' guide."""


def _torch_inverse(A: Array) -> Array:
    inverse: Array = torch.linalg.inv(torch.from_numpy(A)).numpy()
    return inverse


def _getri(A: Array) -> Array:
    """LU, then the inverse from its factors (getrf, getri): 2 n³ flops, while NumPy solves ``A X = I`` by gesv."""
    getrf, getri, size = scipy.linalg.get_lapack_funcs(("getrf", "getri", "getri_lwork"), (A,))
    lu, pivots, failed = getrf(A)
    inverse, wrong = getri(lu, pivots, lwork=int(size(len(A))[0].real), overwrite_lu=True)
    if failed or wrong:
        raise np.linalg.LinAlgError("singular matrix")
    return inverse


def _torch_svd(A: Array) -> tuple[Array, Array, Array]:
    U, S, Vh = torch.linalg.svd(torch.from_numpy(A), full_matrices=False)
    return U.numpy(), S.numpy(), Vh.resolve_conj().numpy()


INVERSES: Mapping[str, Callable[[Array], Array]] = {
    "numpy": np.linalg.inv,
    "torch": _torch_inverse,
    "scipy getri": _getri,
}
"""Ways to an inverse. Torch brings MKL, NumPy and SciPy bring OpenBLAS."""

SVDS: Mapping[str, Callable[[Array], tuple[Array, Array, Array]]] = {
    "numpy": partial(np.linalg.svd, full_matrices=False),
    # On a CPU torch has one driver, gesdd, and refuses to be given another.
    "torch gesdd": _torch_svd,
    "scipy gesdd": partial(scipy.linalg.svd, full_matrices=False, lapack_driver="gesdd", check_finite=False),
    "scipy gesvd": partial(scipy.linalg.svd, full_matrices=False, lapack_driver="gesvd", check_finite=False),
}
"""Ways to a thin SVD: divide and conquer (gesdd) and QR iteration (gesvd)."""


def fastest(calls: Mapping[str, Callable[[Array], Any]], A: Array) -> str:
    """Return the name of the call that answers A first, by the median of a race."""
    seconds = race({name: lambda _run, call=call: call(A) for name, call in calls.items()}, RUNS, SECONDS)
    return min(seconds, key=seconds.__getitem__)


@final
@dataclass(frozen=True)
class NumpyInverse(Baseline):
    """``numpy.linalg.inv``: LU with partial pivoting, alone at every p."""

    name: ClassVar[str] = "LU (NumPy)"
    source: ClassVar[str] = LAPACK
    operation: ClassVar[str] = "inv"

    def prepare(self, family: Family) -> Solver:
        return lambda points: (Answer({"X": np.linalg.inv(family(p))}) for p in points)


@final
@dataclass(frozen=True)
class BestInverse(Baseline):
    """The fastest of `INVERSES`, or the named one.

    Parameters
    ----------
    call : a key of `INVERSES`, or None to race them on A(at).
    at : any p.
    """

    name: ClassVar[str] = "LU (best LAPACK)"
    source: ClassVar[str] = LAPACK
    operation: ClassVar[str] = "inv"

    call: str | None = None
    at: float = 0.5

    def prepare(self, family: Family) -> Solver:
        call = INVERSES[self.call or fastest(INVERSES, family(self.at))]
        return lambda points: (Answer({"X": call(family(p))}) for p in points)


@final
@dataclass(frozen=True)
class NumpySVD(Baseline):
    """``numpy.linalg.svd``, thin (gesdd), alone at every p; the leading ``rank`` triplets are kept."""

    name: ClassVar[str] = "SVD (NumPy)"
    source: ClassVar[str] = LAPACK
    operation: ClassVar[str] = "svd"

    rank: int | None = None

    def prepare(self, family: Family) -> Solver:
        svd = SVDS["numpy"]
        return lambda points: (Answer(triplets(*svd(family(p)), self.rank)) for p in points)


@final
@dataclass(frozen=True)
class BestSVD(Baseline):
    """The fastest of `SVDS`, or the named one; the leading ``rank`` triplets are kept.

    Parameters
    ----------
    rank : triplets to keep, None for all.
    call : a key of `SVDS`, or None to race them on A(at).
    at : any p.
    """

    name: ClassVar[str] = "SVD (best LAPACK)"
    source: ClassVar[str] = LAPACK
    operation: ClassVar[str] = "svd"

    rank: int | None = None
    call: str | None = None
    at: float = 0.5

    def prepare(self, family: Family) -> Solver:
        call = SVDS[self.call or fastest(SVDS, family(self.at))]
        return lambda points: (Answer(triplets(*call(family(p)), self.rank)) for p in points)


@final
@dataclass(frozen=True)
class SparseLU(Baseline):
    """SuperLU at every p (scipy.sparse.linalg.splu): the direct solver that made the paper's training data."""

    name: ClassVar[str] = "SuperLU"
    source: ClassVar[str] = "10.1137/S0895479895291765"
    operation: ClassVar[str] = "solve"

    def prepare(self, family: Family) -> Solver:
        from scipy.sparse.linalg import splu

        b = family.rhs
        return lambda points: (Answer({"x": splu(family(p).tocsc()).solve(b)}) for p in points)
