"""All eigenpairs of a Hermitian matrix: A V = B V w, Vᴴ B V = I, with vectors followed through crossings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from neumatc.arrays import Array, namespace
from neumatc.box import Box
from neumatc.equations import Equation
from neumatc.family import MatrixFamily, as_family
from neumatc.gauge import Factors, Gauge, Vectors, adjoint
from neumatc.layout import Kind

from .angles import of_eigenvectors
from .base import Operation
from .blocks import Blocks, as_blocks, core, mapped, turned, with_cores, within
from .definite import hermitian_part
from .partial_eigh import inverse_gaps, transported
from .pencil import EighResult, bound_of_pencil, check_pencil, given_pencil, pencil_equations, solved_pencil
from .separated import cluster_width, gram_defect, misplaced, reordered, rotation, with_diagonal
from .several import bundled
from .svd import _diagonal


@final
@dataclass(frozen=True)
class Eigh(Operation):
    """All eigenvalues and eigenvectors of Hermitian A, alone or with positive definite B.

    Inside the map the pairs are numbered by continuity, so that a crossing is no kink; the user receives them sorted.
    V is (n, n), w an (n, n) diagonal matrix of which the diagonal is stored. A cluster of levels that samples cannot
    part is followed as one space, with a Hermitian block of w that the query diagonalises.

    Parameters
    ----------
    generalised : whether the family holds A and B, flattened side by side
    blocks : columns that are followed together; settled by the trainer from the gaps that it sees

    Raises
    ------
    InputError
        When the matrices are not square.
    InputError
        When A(p) is not Hermitian, with its asymmetry, or B(p) not positive definite.

    Notes
    -----
    Without B each value is within ``(1 + 3 sqrt(n)) ‖A‖_F residual`` of its eigenvalue (Weyl, with the departure of V
    from orthonormal). A vector is as good as ``residual ‖A‖_F / gap`` (Davis & Kahan 1970, doi:10.1137/0707001): where
    levels come close the vectors are uncertain, the space that they span is not, and `PartialEigh` follows it.

    Examples
    --------
    >>> import numpy as np
    >>> operation = Eigh()
    >>> F = operation.exact(np.array([[[2.0, 1.0], [1.0, 2.0]]]))
    >>> operation.present(operation.canonical(F)).eigenvalues
    array([[1., 3.]])
    """

    generalised: bool = False
    blocks: Blocks = ()
    name: str = "eigh"

    def __post_init__(self) -> None:
        """Take the blocks as a file hands them back."""
        object.__setattr__(self, "blocks", as_blocks(self.blocks))

    def with_blocks(self, blocks: Blocks) -> Eigh:
        """The operation that follows these columns together."""
        return replace(self, blocks=blocks)

    def given(self, A: Any) -> dict[str, Any]:
        return given_pencil(A, self.generalised)

    def family(self, matrices: Any, box: Box) -> MatrixFamily:
        del box
        return bundled(matrices, ("A", "B"), "eigh") if self.generalised else as_family(matrices)

    def exact(self, A: Any) -> Factors:
        values, V = solved_pencil(self.given(A))
        return {"V": V, "w": _diagonal(values, V.dtype)}

    def equations(self) -> tuple[Equation, ...]:
        return pencil_equations("w", self.generalised)

    @property
    def gauge(self) -> Gauge:
        return Vectors(("V",), ("w",), blocks=self.blocks)

    def storage(self, known: Mapping[str, Any], F: Mapping[str, Any]) -> dict[str, Kind]:
        del known, F
        return {"w": "hermitian" if self.blocks else "diagonal"}

    def check(self, shape: tuple[int, int]) -> None:
        check_pencil("eigh", shape, self.generalised)

    def canonical(self, F: Mapping[str, Any]) -> Factors:
        values, turns = self._parted(F)
        order = np.argsort(values, axis=-1, kind="stable")
        V = reordered(turned(np.asarray(F["V"]), self.blocks, turns), order)
        return {"V": V, "w": _diagonal(np.take_along_axis(values, order, -1), V.dtype)}

    def present(self, F: Mapping[str, Any]) -> EighResult:
        return EighResult(F["w"].diagonal(0, -2, -1).real.copy(), F["V"])

    def in_place(self, kinds: Mapping[str, Kind]) -> tuple[str, ...] | None:
        return ("w", "V") if kinds["w"] == "diagonal" and not self.blocks else None

    def settle(self, parts: tuple[Any, ...]) -> EighResult:
        w, V = parts
        order = np.argsort(w, axis=-1, kind="stable")
        for i in misplaced(order):
            w[i], V[i] = w[i, order[i]], V[i][:, order[i]]
        return EighResult(w, V)

    def theorem(self, rows: int) -> tuple[float, str] | None:
        if self.generalised:
            return None
        text = "|w - λ|/‖A‖_F <= (1 + 3 sqrt(n)) residual (Weyl); vectors: residual ‖A‖_F/gap (Davis-Kahan)"
        return 1 + 3 * float(rows) ** 0.5, text

    def levels(self, F: Mapping[str, Any]) -> Array:
        """Eigenvalues ``(B, n)`` in the order in which they are stored."""
        return self._parted(F)[0]

    def conditions(self, F: Mapping[str, Any]) -> Array:
        """One: orthonormal vectors amplify nothing."""
        return np.ones(len(F["V"]))

    def bound(self, known: Mapping[str, Any], F: Mapping[str, Any], residual: Any) -> tuple[Any, str] | None:
        if self.generalised:
            return bound_of_pencil(known, F["V"], residual)
        stated = self.theorem(known["A"].shape[-2])
        return None if stated is None else (stated[0] * residual, stated[1])

    def angles(self, known: Mapping[str, Any], F: Mapping[str, Any], residual: Any) -> tuple[Any, str] | None:
        return None if self.generalised else of_eigenvectors(known["A"], F, residual)

    def refine(self, A: Any, F: Mapping[str, Any]) -> Factors:
        """One Ogita-Aishima step (2019, doi:10.1007/s13160-018-0310-3): four products, the error is squared.

        With ``T = Vᴴ A V``, ``R = I - Vᴴ B V`` and ``w_i = T_ii / (1 - R_ii)`` the vectors become ``V + V E``,
        ``E_ij = (T_ij + w_j R_ij) / (w_j - w_i)``, ``E_ii = R_ii / 2``, and ``E_ij = R_ij / 2`` within a cluster.
        """
        known, V = self.given(A), F["V"]
        R = gram_defect(V, known["B"] @ V if self.generalised else V)
        T = hermitian_part(adjoint(V) @ (hermitian_part(known["A"]) @ V))
        turns = [_eigenbasis(core(T, J), core(R, J)) for J in self.blocks]
        V, T, R = turned(V, self.blocks, turns), _conjugated(T, self.blocks, turns), _conjugated(R, self.blocks, turns)
        own = R.diagonal(0, -2, -1).real
        values = T.diagonal(0, -2, -1).real / (1 - own)
        E = rotation(T, R, values, values, cluster_width(T, R, values), R / 2, within(self.blocks, len(T[0])))
        V, back = V + V @ with_diagonal(E, own / 2), [adjoint(Y) for Y in turns]
        w = _diagonal(values, V.dtype)
        cores = [Y @ core(w, J) @ adjoint(Y) for J, Y in zip(self.blocks, turns, strict=True)]
        return {"V": turned(V, self.blocks, back), "w": with_cores(w, self.blocks, cores)}

    def derivative(self, F: Mapping[str, Any], dF: Mapping[str, Any]) -> Factors:
        """Derivative of the canonical factors, in the gauge of parallel transport: ``dV - V i Im diag(Vᴴ dV)``.

        Raises
        ------
        GaugeError
            Where two eigenvalues coincide: sorted vectors jump there.
        """
        values, turns = self._parted(F)
        inverse_gaps(values, slice(None))
        V, dV = turned(F["V"], self.blocks, turns), turned(dF["V"], self.blocks, turns)
        changes = [adjoint(Y) @ hermitian_part(core(dF["w"], J)) @ Y for J, Y in zip(self.blocks, turns, strict=True)]
        dw = dF["w"].diagonal(0, -2, -1).real
        dw = mapped(dw, self.blocks, changes, lambda K: K.diagonal(0, -2, -1).real)
        inside = [inverse_gaps(values[..., list(J)], slice(0)) * K for J, K in zip(self.blocks, changes, strict=True)]
        for J, E in zip(self.blocks, inside, strict=True):
            dV[..., list(J)] += V[..., list(J)] @ E
        order = np.argsort(values, axis=-1, kind="stable")
        V, dV = reordered(V, order), reordered(dV, order)
        return {"V": transported(V, dV), "w": _diagonal(np.take_along_axis(dw, order, -1), V.dtype)}

    def _parted(self, F: Mapping[str, Any]) -> tuple[Array, list[Array]]:
        """Eigenvalues ``(B, n)`` as stored, and for each block the unitary that diagonalises its core."""
        w = np.asarray(F["w"])
        pairs = [np.linalg.eigh(hermitian_part(core(w, J))) for J in self.blocks]
        values = mapped(w.diagonal(0, -2, -1).real, self.blocks, [pair[0] for pair in pairs], lambda found: found)
        return values, [pair[1] for pair in pairs]


def _eigenbasis(T: Any, R: Any) -> Any:
    """Eigenvectors of a cluster's core in the orthonormal basis that is next to the present one, to first order."""
    return namespace(T).linalg.eigh(hermitian_part(T + (R @ T + T @ R) / 2))[1]


def _conjugated(X: Any, blocks: Blocks, turns: list[Any]) -> Any:
    """``Yᴴ X Y`` with Y made of the turns of the blocks."""
    return adjoint(turned(adjoint(turned(X, blocks, turns)), blocks, turns))
