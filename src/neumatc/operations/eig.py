"""Eigenpairs of a matrix that need not be normal: A V = V w, Lᴴ A = w Lᴴ, Lᴴ V = I."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, final

import numpy as np

from neumatc.arrays import Array, as_numpy, namespace
from neumatc.box import Box
from neumatc.equations import Equation, equal, identity, known, norm, unknown
from neumatc.errors import GaugeError
from neumatc.family import MatrixFamily, as_family
from neumatc.family.complexified import Complexified
from neumatc.gauge import Factors, Gauge, Vectors, adjoint
from neumatc.layout import Kind

from .base import Operation, check_square
from .partial_eigh import inverse_gaps
from .pencil import EigResult
from .separated import cluster_width, reordered, rotation, with_diagonal
from .svd import _diagonal

DEFECTIVE = 0.1
"""Times ``1 / sqrt(eps)``: condition of V from which A counts as defective. Rounding parts a double eigenvalue by
sqrt(eps), so that a Jordan block never shows a larger one."""


class EigLeftResult(NamedTuple):
    """``A @ V = V @ diag(w)`` and ``Lᴴ A = diag(w) Lᴴ`` with ``Lᴴ V = I`` and columns of V of norm one."""

    eigenvalues: Any
    eigenvectors: Any
    left_eigenvectors: Any


@final
@dataclass(frozen=True)
class Eig(Operation):
    """All eigenvalues and right eigenvectors of a square A, on request with the left ones.

    V and L are (n, n), w an (n, n) diagonal matrix of which the diagonal is stored; all are complex, as a real A has
    complex pairs. Columns of V have norm one and their largest entry is real and positive; ``L = V⁻ᴴ``. The values are
    sorted by real part, then imaginary part (NumPy leaves their order open).

    Parameters
    ----------
    left : whether the answer holds L too

    Raises
    ------
    InputError
        When A(p) is not square.
    GaugeError
        At an exceptional point: eigenvectors coincide, and no basis of them exists.

    Notes
    -----
    A value is within ``κ(V) ‖A V - V w‖`` of an eigenvalue (Bauer & Fike 1960, doi:10.1007/BF01386217), and the i-th
    one moves by ``‖v_i‖ ‖l_i‖`` times a perturbation of A: near an exceptional point both grow without bound.

    Examples
    --------
    >>> import numpy as np
    >>> operation = Eig()
    >>> F = operation.exact(np.array([[[0.0, 1.0], [-1.0, 0.0]]]))
    >>> operation.present(operation.canonical(F)).eigenvalues
    array([[0.-1.j, 0.+1.j]])
    """

    left: bool = False
    name: str = "eig"

    def family(self, matrices: Any, box: Box) -> MatrixFamily:
        del box
        return Complexified(as_family(matrices))

    def exact(self, A: Any) -> Factors:
        xp = namespace(A)
        values, V = xp.linalg.eig(A)
        values, V = _complex(values), _complex(V)
        _refuse_defective(V, values)
        return {"V": V, "w": _diagonal(values, V.dtype), "L": adjoint(xp.linalg.inv(V))}

    def equations(self) -> tuple[Equation, ...]:
        A, V, w, L = known("A"), unknown("V"), unknown("w"), unknown("L")
        return (equal(A @ V, V @ w), equal(A.H @ L, L @ w.H), equal(L.H @ V, identity()))

    @property
    def gauge(self) -> Gauge:
        return Vectors(("V", "L"), ("w",), dual="L")

    def storage(self, known: Mapping[str, Any], F: Mapping[str, Any]) -> dict[str, Kind]:
        del known, F
        return {"w": "diagonal"}

    def check(self, shape: tuple[int, int]) -> None:
        check_square("eig", shape, "A rectangular matrix has singular values only. Use `svd` instead.")

    def canonical(self, F: Mapping[str, Any]) -> Factors:
        values, order = self._sorted(F)
        V, L = reordered(F["V"], order), reordered(F["L"], order)
        factor = _convention(V)
        return {"V": V * factor, "w": _diagonal(values, V.dtype), "L": L / factor.conj()}

    def present(self, F: Mapping[str, Any]) -> EigResult | EigLeftResult:
        values = F["w"].diagonal(0, -2, -1).copy()
        return EigLeftResult(values, F["V"], F["L"]) if self.left else EigResult(values, F["V"])

    def bound(self, known: Mapping[str, Any], F: Mapping[str, Any], residual: Any) -> tuple[Any, str]:
        """Bauer-Fike for ``V⁻¹ A V = w + V⁻¹ (A V - V w)``, with ``‖V⁻¹‖_2 <= ‖L‖_F / (1 - ‖Lᴴ V - I‖_F)``."""
        left = 1 - residual * float(known["A"].shape[-1]) ** 0.5
        size = np.where(left > 0, norm(F["L"]) / np.where(left > 0, left, 1.0), np.inf)
        return size * residual, "every eigenvalue λ has a returned w with |w - λ|/‖A‖_F <= ‖V⁻¹‖ residual (Bauer-Fike)"

    def levels(self, F: Mapping[str, Any]) -> Array:
        """Eigenvalues ``(B, n)``, complex, in the order in which they are stored."""
        values: Array = np.asarray(F["w"]).diagonal(0, -2, -1)
        return values

    def conditions(self, F: Mapping[str, Any]) -> Array:
        """Of the worst eigenvalue, ``max_i ‖v_i‖ ‖l_i‖``."""
        sizes = [np.linalg.norm(np.asarray(F[name]), axis=-2) for name in ("V", "L")]
        worst: Array = (sizes[0] * sizes[1]).max(-1)
        return worst

    def refine(self, A: Any, F: Mapping[str, Any]) -> Factors:
        """One Newton step in the basis of the approximate vectors: one inversion and four products, error squared.

        With ``T = V⁻¹ A V`` the vectors become ``V (I + E)`` and ``L`` becomes ``V⁻ᴴ (I - E)ᴴ``, where
        ``E_ij = T_ij / (w_j - w_i)`` diagonalises T to first order. Columns keep norm one and the phase of the
        prediction. The predicted L is not used: a wrong one would grow from step to step.
        """
        V, A = F["V"], _complex(A)
        try:
            inverse = namespace(V).linalg.inv(V)
        except (np.linalg.LinAlgError, RuntimeError):  # torch's error is a RuntimeError
            return dict(F)
        T = inverse @ (A @ V)
        values, none = T.diagonal(0, -2, -1), 0 * T
        E = rotation(T, none, values, values, cluster_width(T, none, values), none)
        E = with_diagonal(E, 0 * values)
        V, Lh = V + V @ E, inverse - E @ inverse
        size = ((abs(V) ** 2).sum(-2) ** 0.5)[..., None, :]
        return {"V": V / size, "w": _diagonal(values, V.dtype), "L": adjoint(Lh) * size}

    def derivative(self, F: Mapping[str, Any], dF: Mapping[str, Any]) -> Factors:
        """Derivative of the canonical factors: norm one, and the largest entry stays real.

        Raises
        ------
        GaugeError
            Where two eigenvalues coincide: sorted vectors jump there.
        """
        values, order = self._sorted(F)
        inverse_gaps(values, slice(None))
        V, dV = reordered(F["V"], order), reordered(dF["V"], order)
        L, dL = reordered(F["L"], order), reordered(dF["L"], order)
        factor = _convention(V)
        V, dV, L, dL = V * factor, dV * factor, L / factor.conj(), dL / factor.conj()
        place = np.abs(V).argmax(-2)[..., None, :]
        top, dtop = np.take_along_axis(V, place, -2).real, np.take_along_axis(dV, place, -2)
        # V/‖V‖ times the phase of its largest entry: what the product rule makes of that factor.
        change = -(V.conj() * dV).sum(-2)[..., None, :].real - 1j * dtop.imag / top
        dw = np.take_along_axis(dF["w"].diagonal(0, -2, -1), order, -1)
        return {"V": dV + V * change, "w": _diagonal(dw, V.dtype), "L": dL - L * change.conj()}

    def _sorted(self, F: Mapping[str, Any]) -> tuple[Array, Array]:
        values = self.levels(F)
        # Conjugate pairs share their real part up to rounding, which must not decide their order.
        digits = np.abs(values).max(-1, keepdims=True) * 1e-9
        unit = np.where(digits > 0, digits, 1.0)
        order = np.lexsort((values.imag, np.round(values.real / unit)), axis=-1)
        return np.take_along_axis(values, order, -1), order


def _complex(X: Any) -> Any:
    """In the complex dtype of the same precision."""
    return X * (1 + 0j)


def _convention(V: Any) -> Any:
    """What each column is multiplied by to have norm one and a real positive largest entry, ``(B, 1, n)``."""
    top = np.take_along_axis(V, np.abs(V).argmax(-2)[..., None, :], -2)
    phase = top.conj() / np.abs(top)
    return (phase / np.linalg.norm(V, axis=-2, keepdims=True)).astype(V.dtype)


def _refuse_defective(V: Any, values: Any) -> None:
    S = as_numpy(namespace(V).linalg.svd(V, full_matrices=False)[1], "singular values")
    condition = S[..., 0] / np.maximum(S[..., -1], np.finfo(S.dtype).tiny)
    worst = int(np.argmax(condition))
    if not condition[worst] < DEFECTIVE / np.finfo(S.dtype).eps ** 0.5:
        level = as_numpy(values, "eigenvalues")[worst]
        gap = np.abs(level[:, None] - level)
        least = float((gap + np.where(np.eye(len(gap)) > 0, np.inf, 0)).min())
        raise GaugeError(
            f"A is defective to working precision: its eigenvectors have condition {condition[worst]:.1e}, two "
            f"eigenvalues are {least:.1e} apart. At an exceptional point vectors coincide, and none is a basis. "
            "Shrink the box so that it stays outside, or use svd, whose vectors always exist."
        )
