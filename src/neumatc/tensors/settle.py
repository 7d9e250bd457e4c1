"""From stored factors to what the user receives, in tensors: sorted, with signs, orthonormal, and NaN where that fails.

The same results as `Operation.canonical` and `Operation.present` give in NumPy, up to rounding and to the phases of
singular vectors and eigenvectors that come from a small decomposition. ``F`` holds the stored factors by name, each
``(B, rows, columns)``, a diagonal one as its diagonal ``(B, k)``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, final

import torch

from neumatc.errors import InputError
from neumatc.gauge import adjoint
from neumatc.layout import Layout
from neumatc.operations import (
    Eig,
    EigenValues,
    Eigh,
    EighResult,
    EigResult,
    FullSVD,
    LogDeterminant,
    Operation,
    PartialEigh,
    SingularValues,
    SlogdetResult,
    SVDResult,
    TruncatedSVD,
)
from neumatc.operations.definite import hermitian_part
from neumatc.operations.eig import EigLeftResult
from neumatc.tensors.placed import Tensor
from neumatc.tensors.small import Jacobi, Lapack, Small

Stored: TypeAlias = Mapping[str, Tensor]
Settle: TypeAlias = Callable[[Any, Stored, Small], Any]

LAPACK = Lapack()

ALIKE = 1e-9
"""Share of the largest eigenvalue up to which two real parts count as equal, as in `Eig`."""


@final
@dataclass(frozen=True)
class Settled:
    """The last step of an answer, for one operation.

    Parameters
    ----------
    operation : whose factors are stored
    settle : the step
    core : size of the matrix that is decomposed at every query, or None
    small : how it is decomposed
    """

    operation: Operation
    settle: Settle
    core: int | None = None
    small: Small = LAPACK

    @staticmethod
    def of(operation: Operation, layout: Layout) -> Settled:
        """The step for an operation, or InputError where it is written in NumPy alone."""
        kinds = {part.name: part.kind for part in layout.parts}
        if type(operation) in STEPS:
            _refuse_blocks(operation)
            sizes = {part.name: part.rows for part in layout.parts}
            return Settled(operation, STEPS[type(operation)], sizes.get("M"))
        kind = type(operation)
        own = kind.canonical is not Operation.canonical or kind.settle is not Operation.settle
        if own or operation.in_place(kinds) != operation.unknowns:
            raise InputError(
                f"A map on a device needs an operation whose result is what is stored, or one of the library; "
                f"`{operation.name}` ({kind.__name__}) computes its result from the stored factors. "
                "Its `canonical` is written for NumPy and may look at values, which would wait for the device. "
                "Call f(p) on the host, or store the result itself as a factor."
            )
        return Settled(operation, _presented)

    @property
    def plain(self) -> bool:
        """Whether the result is what is stored."""
        return self.settle is _presented

    def __call__(self, F: Stored) -> Any:
        return self.settle(self.operation, F, self.small)

    def without_waiting(self, device: torch.device) -> Settled:
        """The same with Jacobi rotations in the place of LAPACK, for CUDA graphs."""
        if self.core is None:
            return self
        return Settled(self.operation, self.settle, self.core, Jacobi.of(self.core, device))


def _refuse_blocks(operation: Any) -> None:
    blocks = getattr(operation, "blocks", ())
    if blocks:
        raise InputError(
            f"A map of `{operation.name}` on a device needs vectors that were followed one by one; the columns "
            f"{', '.join(map(str, blocks))} were followed as blocks. "
            "Their values lie closer together than samples can part them, and the query sorts them out on the host. "
            "Call f(p) on the host, or fit the leading ones with rank=."
        )


def _presented(operation: Operation, F: Stored, small: Small) -> Any:
    del small
    return operation.present(F)


def _eigh(operation: Eigh, F: Stored, small: Small) -> EighResult:
    del operation, small
    w, order = F["w"].real.sort(dim=-1, stable=True)
    return EighResult(w, F["V"].take_along_dim(order[:, None], -1))


def _full_svd(operation: FullSVD, F: Stored, small: Small) -> SVDResult:
    del operation, small
    values = F["s"].real
    order = (-values.abs()).argsort(dim=-1, stable=True)
    values = values.take_along_dim(order, -1)
    signs = torch.where(values < 0, -1.0, 1.0).to(values.dtype)
    Vh = adjoint(F["V"]).take_along_dim(order[:, :, None], -2)
    return SVDResult(F["U"].take_along_dim(order[:, None], -1), values.abs(), Vh * signs[..., None])


def _truncated(operation: TruncatedSVD, F: Stored, small: Small) -> SVDResult:
    left, right = Orthonormal.of(F["U"]), Orthonormal.of(F["V"])
    K, good = _finite(left.R @ F["M"] @ adjoint(right.R))
    X, S, Yh = small.svd(K)
    r = operation.rank
    U, V = left.times(_nan_unless(good, X[..., :r])), right.times(_nan_unless(good, adjoint(Yh)[..., :r]))
    return SVDResult(U, _nan_unless(good, S[..., None, :r])[:, 0], adjoint(V).resolve_conj().contiguous())


def _partial_eigh(operation: PartialEigh, F: Stored, small: Small) -> EighResult:
    V, M = F["V"], F["M"]
    basis = None if operation.generalised else Orthonormal.of(V)  # orthonormal in B as well as the fit is
    K, good = _finite(hermitian_part(M if basis is None else basis.R @ M @ adjoint(basis.R)))
    values, Y = small.eigh(K)
    r, k = operation.rank, values.shape[-1]
    kept = slice(0, r) if operation.which == "lowest" else slice(k - r, None)
    Y = _nan_unless(good, Y[..., kept])
    return EighResult(_nan_unless(good, values[:, None, kept])[:, 0], V @ Y if basis is None else basis.times(Y))


def _svdvals(operation: SingularValues, F: Stored, small: Small) -> Tensor:
    del small
    values = F["s"][:, 0].abs().sort(dim=-1, descending=True)[0]
    return values[..., : operation.rank]


def _eigvalsh(operation: EigenValues, F: Stored, small: Small) -> Tensor:
    del small
    values = F["w"][:, 0].sort(dim=-1)[0]
    count = values.shape[-1] if operation.rank is None else operation.rank
    return values[..., :count] if operation.which == "lowest" else values[..., values.shape[-1] - count :]


def _slogdet(operation: LogDeterminant, F: Stored, small: Small) -> SlogdetResult:
    del small
    angle, log = F["angle"][:, 0, 0], F["log"][:, 0, 0]
    sign = torch.complex(angle.cos(), angle.sin()) if operation.complex_ else angle.cos().sign()
    return SlogdetResult(sign, log)


def _eig(operation: Eig, F: Stored, small: Small) -> EigResult | EigLeftResult:
    """Sorted by real part, then imaginary part, with columns of norm one whose largest entry is real and positive."""
    del small
    order = _lexical(F["w"])
    values, V = F["w"].take_along_dim(order, -1), F["V"].take_along_dim(order[:, None], -1)
    top = V.take_along_dim(V.abs().argmax(-2)[:, None], -2)
    factor = top.conj() / top.abs() / V.abs().square().sum(-2).sqrt()[:, None]
    if not operation.left:
        return EigResult(values, V * factor)
    return EigLeftResult(values, V * factor, F["L"].take_along_dim(order[:, None], -1) / factor.conj())


def _lexical(values: Tensor) -> Tensor:
    """Order by real part, conjugate pairs by their imaginary part: their real parts agree up to rounding."""
    digits = values.abs().amax(-1, keepdim=True) * ALIKE
    real = (values.real / torch.where(digits > 0, digits, 1.0)).round()
    first = values.imag.argsort(dim=-1, stable=True)
    second = real.take_along_dim(first, -1).argsort(dim=-1, stable=True)
    return first.take_along_dim(second, -1)


STEPS: Mapping[type[Operation], Settle] = {
    Eig: _eig,
    EigenValues: _eigvalsh,
    Eigh: _eigh,
    FullSVD: _full_svd,
    LogDeterminant: _slogdet,
    PartialEigh: _partial_eigh,
    SingularValues: _svdvals,
    TruncatedSVD: _truncated,
}
"""Operations whose result is computed from the stored factors."""


@final
@dataclass(frozen=True)
class Orthonormal:
    """`neumatc.operations.orthonormal.Orthonormal` by Cholesky always: which way to go must not depend on values.

    Columns that are too far from orthonormal for a Cholesky factor make the whole row NaN.
    """

    base: Tensor
    R: Tensor

    @staticmethod
    def of(X: Tensor) -> Orthonormal:
        """Look at ``X (B, n, k)``."""
        G = adjoint(X) @ X
        L, info = torch.linalg.cholesky_ex(G)
        eye = torch.eye(G.shape[-1], dtype=G.dtype, device=G.device)
        good = (info == 0)[:, None, None]
        # The NaN reaches the core and the vectors through R.
        return Orthonormal(X, adjoint(torch.where(good, L, eye * torch.nan)))

    def times(self, K: Tensor) -> Tensor:
        """``Q K`` for ``K (B, k, l)``."""
        inner: Tensor = torch.linalg.solve_triangular(self.R, K, upper=True)
        return self.base @ inner


def _finite(K: Tensor) -> tuple[Tensor, Tensor]:
    """Matrices ``(B, k, k)`` with zeros for those that are not finite, for which LAPACK raises; and which are."""
    good = K.isfinite().all(-1).all(-1)[:, None, None]
    return torch.where(good, K, torch.zeros_like(K)), good


def _nan_unless(good: Tensor, X: Tensor) -> Tensor:
    return torch.where(good, X, torch.full_like(X, torch.nan))
