"""Triangular factorisations, unique once a sign is chosen: QR, Cholesky.

Their equations have further solutions (a column of Q turned round), as smooth in p as the one that is
meant. The residual cannot tell them apart; the ``defect`` of each operation can.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, final

import numpy as np

from neumatc.arrays import as_numpy, namespace
from neumatc.equations import Equation, equal, frobenius, identity, known, norm, unknown
from neumatc.errors import InputError
from neumatc.gauge import Factors, Gauge, NoGauge, adjoint
from neumatc.layout import Kind

from .base import Operation, check_square
from .definite import hermitian_part, index_of, refuse_asymmetric
from .lapack import cholesky, qr
from .several import SMALL


class QRResult(NamedTuple):
    """``A = Q @ R``, thin, with a positive real diagonal of R; field names as in NumPy."""

    Q: Any
    R: Any


@final
@dataclass(frozen=True)
class QR(Operation):
    """``A = Q R``, ``QᴴQ = I``, R upper triangular with a positive real diagonal; A is (n1, n2), n1 >= n2.

    Q is (n1, n2), R is (n2, n2) and stored as block rows of its upper triangle. The positive diagonal makes the
    factors unique and as smooth in p as A, where A has full column rank. LAPACK and NumPy leave the signs open: compare
    with ``numpy.linalg.qr`` after multiplying by the signs of its diagonal.

    Raises
    ------
    InputError
        When A has more columns than rows.
    ExactSolveError, SingularError
        When columns of A are linearly dependent; the diagonal of R has a zero then, and its sign no meaning.

    Notes
    -----
    To first order a perturbation E of A moves R by ``‖ΔR‖_F / ‖R‖_2 <= √2 cond_2(A) ‖E‖_F / ‖A‖_2``, and Q by as much
    (Higham 2002, section 19.9, doi:10.1137/1.9780898718027). For approximate factors with ``E = Q R - A``,
    ``F = QᴴQ - I``, ``e = ‖E‖_F / σ_min(A)`` the product ``M = R_approx R⁻¹`` is the Cholesky factor of ``I + G``,
    ``‖G‖_F <= g = (2 e + e² + ‖F‖_F) / (1 - ‖F‖_F)``. With t of `triangular_change` at g, R is off by at most
    ``t ‖A‖_2`` and Q by ``(t + e) / (1 - t)``; ``bound`` states the larger of both relative errors.

    Examples
    --------
    >>> import numpy as np
    >>> F = QR().exact(np.array([[[-3.0, 1.0], [4.0, 2.0]]]))
    >>> F["R"].round(12)
    array([[[5., 1.],
            [0., 2.]]])
    """

    name: str = "qr"

    def exact(self, A: Any) -> Factors:
        xp = namespace(A)
        Q, R = qr(A)
        diagonal = R.diagonal(0, -2, -1)
        size = abs(diagonal)
        _refuse_dependent(size)
        phase = diagonal / size
        R = xp.triu(R * phase.conj()[..., :, None])
        # |r| exactly: rounding must not leave an imaginary part, which the span of the map would learn.
        places = np.arange(R.shape[-1])
        R[..., places, places] = size if xp is np else size.to(R.dtype)
        return {"Q": Q * phase[..., None, :], "R": R}

    def equations(self) -> tuple[Equation, ...]:
        A, Q, R = known("A"), unknown("Q"), unknown("R")
        return (equal(Q @ R, A), equal(Q.H @ Q, identity()))

    @property
    def gauge(self) -> Gauge:
        return NoGauge()

    def storage(self, known: Mapping[str, Any], F: Mapping[str, Any]) -> dict[str, Kind]:
        del known, F
        return {"R": "upper"}

    def check(self, shape: tuple[int, int]) -> None:
        refuse_wide(self.name, shape)

    def tangent(self, known: Mapping[str, Any], dknown: Mapping[str, Any], F: Mapping[str, Any]) -> Factors:
        """``R' = (M - Ω) R`` and ``Q' = Q Ω + (I - Q Qᴴ) A' R⁻¹`` with ``M = Qᴴ A' R⁻¹``.

        Ω is the skew-Hermitian matrix for which ``M - Ω`` is upper triangular with a real diagonal.
        """
        del known
        Q, R = F["Q"], F["R"]
        moved = right_divided(dknown["A"], R)
        M = adjoint(Q) @ moved
        lower, diagonal = lower_part(M)
        skew = lower - adjoint(lower) + (diagonal - adjoint(diagonal)) / 2
        return {"Q": Q @ skew + moved - Q @ M, "R": namespace(M).triu(M - skew) @ R}

    def in_place(self, kinds: Mapping[str, Kind]) -> tuple[str, ...]:
        del kinds
        return self.unknowns

    def present(self, F: Mapping[str, Any]) -> QRResult:
        return QRResult(F["Q"], F["R"])

    def bound(self, known: Mapping[str, Any], F: Mapping[str, Any], residual: Any) -> tuple[Any, str] | None:
        """See the notes; for matrices of at most 64 columns, whose σ_min is computed."""
        A, n = known["A"], known["A"].shape[-1]
        if n > SMALL:
            return None
        sigma, size, lost = np.linalg.svd(A, compute_uv=False), frobenius(A), residual * float(n) ** 0.5
        smallest = sigma[..., -1] - max(A.shape[-2:]) * np.finfo(float).eps * sigma[..., 0]
        e = _share(residual * size, smallest)
        t = triangular_change(_share(2 * e + e**2 + lost, 1 - lost))
        turn, there = _turns(F["R"])
        R = t * sigma[..., 0] + norm(turn[..., :, None] * F["R"])
        Q = _share(t + e, 1 - t) + norm(turn[..., None, :] * F["Q"])
        error = np.where(there & (norm(np.tril(F["R"], -1)) == 0), np.maximum(R / size, Q / float(n) ** 0.5), np.inf)
        return error, "largest relative error of Q and R (perturbation of Cholesky factors), with σ_min(A(p)) computed"

    def positive_triangle(self) -> tuple[str, Kind]:
        return ("R", "upper")

    def defect(self, A: Any, F: Mapping[str, Any], probes: Any) -> Any:
        """Relative distance of R from upper triangular with a positive diagonal, ``(B,)``.

        A column of Q with the wrong sign costs ``2 / sqrt(n2)``, which is its relative error in Q.
        """
        del A, probes
        return _signs(F["R"]) + norm(np.tril(F["R"], -1)) / frobenius(F["R"])


@final
@dataclass(frozen=True)
class Cholesky(Operation):
    """``A = L Lᴴ`` of a Hermitian positive definite A, with L lower triangular and its diagonal positive.

    A and L are (n, n); L is stored as block rows of its lower triangle, about half of its entries.

    Raises
    ------
    InputError
        When A is not square.
    ExactSolveError, SingularError
        When A(p) is not Hermitian, with its asymmetry, or not positive definite, with its smallest eigenvalue.

    Notes
    -----
    To first order ``‖ΔL‖_F / ‖L‖_2 <= cond_2(A) / √2 · ‖E‖_F / ‖A‖_2`` for ``E = L Lᴴ - A`` (Sun; Higham 2002, theorem
    10.8, doi:10.1137/1.9780898718027). ``bound`` states ``‖ΔL‖_F <= t ‖L‖_2`` with t of `triangular_change` at
    ``‖E‖_F / λ_min(A)``.

    Examples
    --------
    >>> import numpy as np
    >>> Cholesky().exact(np.array([[[4.0, 2.0], [2.0, 10.0]]]))["L"]
    array([[[2., 0.],
            [1., 3.]]])
    """

    name: str = "cholesky"

    def exact(self, A: Any) -> Factors:
        refuse_asymmetric(A)
        A = hermitian_part(A)
        try:
            return {"L": cholesky(A)}
        except (np.linalg.LinAlgError, RuntimeError) as cause:  # torch's error is a RuntimeError
            smallest = namespace(A).linalg.eigvalsh(A)[..., 0]
            worst = int(smallest.argmin())
            raise np.linalg.LinAlgError(
                f"A{index_of(worst, len(A))} is not positive definite, its smallest eigenvalue is "
                f"{float(smallest[worst]):.1e}"
            ) from cause

    def equations(self) -> tuple[Equation, ...]:
        A, L = known("A"), unknown("L")
        return (equal(L @ L.H, A),)

    @property
    def gauge(self) -> Gauge:
        return NoGauge()

    def storage(self, known: Mapping[str, Any], F: Mapping[str, Any]) -> dict[str, Kind]:
        del known, F
        return {"L": "lower"}

    def check(self, shape: tuple[int, int]) -> None:
        check_square(
            "cholesky",
            shape,
            "Only Hermitian positive definite matrices have such a factor. Factor the Gram matrix, or use `qr`.",
        )

    def tangent(self, known: Mapping[str, Any], dknown: Mapping[str, Any], F: Mapping[str, Any]) -> Factors:
        """``L' = L Φ(L⁻¹ A' L⁻ᴴ)`` where Φ keeps the lower triangle and halves the diagonal."""
        del known
        L = F["L"]
        M = adjoint(right_divided(adjoint(right_divided(dknown["A"], adjoint(L))), adjoint(L)))
        lower, diagonal = lower_part(M)
        return {"L": L @ (lower + diagonal / 2)}

    def bound(self, known: Mapping[str, Any], F: Mapping[str, Any], residual: Any) -> tuple[Any, str] | None:
        """See the notes; up to n = 64, where λ_min is computed."""
        A = hermitian_part(known["A"])
        if A.shape[-1] > SMALL:
            return None
        values = np.linalg.eigvalsh(A)
        smallest = values[..., 0] - A.shape[-1] * np.finfo(float).eps * values[..., -1]
        t = triangular_change(_share(residual * frobenius(A), smallest))
        turn, there = _turns(F["L"])
        error = (t * values[..., -1] ** 0.5 + norm(turn[..., None, :] * F["L"])) / values.sum(-1) ** 0.5
        there &= norm(np.triu(F["L"], 1)) == 0
        return np.where(there, error, np.inf), "‖L - L*‖_F/‖L*‖_F (Sun's theorem), with λ_min(A(p)) computed"

    def positive_triangle(self) -> tuple[str, Kind]:
        return ("L", "lower")

    def defect(self, A: Any, F: Mapping[str, Any], probes: Any) -> Any:
        """Relative distance of L from lower triangular with a positive diagonal, ``(B,)``."""
        del A, probes
        return _signs(F["L"]) + norm(np.triu(F["L"], 1)) / frobenius(F["L"])


def right_divided(A: Any, R: Any) -> Any:
    """``A R⁻¹`` for triangular R."""
    xp = namespace(A)
    return xp.swapaxes(xp.linalg.solve(xp.swapaxes(R, -1, -2), xp.swapaxes(A, -1, -2)), -1, -2)


def lower_part(M: Any) -> tuple[Any, Any]:
    """The strictly lower triangle of M ``(B, n, n)``, and its diagonal as a matrix."""
    xp = namespace(M)
    lower = xp.tril(M, -1)
    return lower, xp.tril(M) - lower


def triangular_change(g: Any) -> Any:
    """Largest ``‖M - I‖_F`` of a triangular M with a positive diagonal and ``‖M Mᴴ - I‖_F <= g``; infinite from 1/2 on.

    For ``M = I + N`` the triangle N, diagonal halved, is that of ``G - N Nᴴ``, so that ``√2 ‖N‖ <= g + ‖N‖²``. Of the
    two ranges that leaves, M is in the one that begins at zero: it is there for ``s G``, s from 0 to 1.

    >>> float(triangular_change(np.array(0.02)).round(4)), float(triangular_change(np.array(0.6)))
    (0.0142, inf)
    """
    return np.where(g < 0.5, 2**0.5 * g / (1 + np.sqrt(np.maximum(1 - 2 * g, 0))), np.inf)


def _share(x: Any, whole: Any) -> Any:
    """``x / whole``, infinite unless the whole is positive."""
    return np.where(whole > 0, x / np.where(whole > 0, whole, 1), np.inf)


def _turns(X: Any) -> tuple[Any, Any]:
    """How far the phases of the diagonal are from one, ``(B, n)``, and whether there are phases at all, ``(B,)``."""
    diagonal = np.asarray(X).diagonal(0, -2, -1)
    size = np.abs(diagonal)
    return np.abs(diagonal / np.where(size > 0, size, 1) - 1), (size > 0).all(-1)


def _signs(X: Any) -> Any:
    """Relative distance of the diagonal's phases from one, ``‖d/|d| - 1‖ / sqrt(n)``, ``(B,)``."""
    diagonal = np.asarray(X).diagonal(0, -2, -1)
    size = np.abs(diagonal)
    phase = diagonal / np.where(size > 0, size, 1)
    return np.linalg.norm(phase - 1, axis=-1) / np.sqrt(diagonal.shape[-1])


def refuse_wide(name: str, shape: tuple[int, int]) -> None:
    """Raise InputError unless matrices of this shape have at least as many rows as columns."""
    if shape[0] < shape[1] or shape[1] == 0:
        raise InputError(
            f"`{name}` needs at least as many rows as columns, but A(p) is {shape[0]} x {shape[1]}. "
            "The factors of a wide matrix are not unique. Factor its adjoint instead."
        )


def _refuse_dependent(size: Any) -> None:
    """``size (B, n)`` is the modulus of R's diagonal."""
    values = as_numpy(size, "the diagonal of R")
    share = values.min(-1) / np.maximum(values.max(-1), np.finfo(values.dtype).tiny)
    worst = int(np.argmin(share))
    if not share[worst] > values.shape[-1] * np.finfo(values.dtype).eps:
        raise np.linalg.LinAlgError(
            f"columns of A{index_of(worst, len(share))} are linearly dependent, the diagonal of R falls to "
            f"{share[worst]:.1e} of its largest entry"
        )
