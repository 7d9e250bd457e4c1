"""What an operation is: its exact solver, its equations, its gauge. Everything else is derived."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from typing import Any, Protocol, final, runtime_checkable

import numpy as np

from neumatc.arrays import as_numpy, is_hermitian, namespace
from neumatc.box import Box
from neumatc.equations import Equation, degrees, unknown_names
from neumatc.errors import InputError
from neumatc.family import MatrixFamily, Spec, as_family
from neumatc.gauge import Factors, Gauge, NoGauge
from neumatc.layout import Kind

HERMITIAN = 1e-12
"""Relative departure from Hermitian up to which a matrix counts as Hermitian."""


class Operation(ABC):
    """A matrix operation ``A -> factors``.

    Subclasses give three things; see ``docs/extend.md`` for a worked example.
    """

    name: str

    @abstractmethod
    def exact(self, A: Any) -> Factors:
        """Solve exactly. ``A`` is ``(B, n1, n2)``, NumPy or torch; the factors come in kind, batch axis first."""

    @abstractmethod
    def equations(self) -> tuple[Equation, ...]:
        """What the factors satisfy, at most quadratic in them; the given matrices are those of ``given``."""

    @property
    @abstractmethod
    def gauge(self) -> Gauge:
        """The freedom that the equations leave."""

    def given(self, A: Any) -> dict[str, Any]:
        """The given matrices by the names that the equations use, each ``(B, rows, columns)``: ``{"A": A}`` by default.

        An operation of several matrices (A and b) receives them as one flat row each, cut up here; one whose equations
        speak of something that follows from A adds it here.
        """
        return {"A": A}

    @property
    def unlocked(self) -> bool:
        """Whether `exact` lets other threads of Python run, so that several matrices can be solved side by side."""
        return False

    @property
    def homogeneous(self) -> bool:
        """Whether every given matrix scales like A, so that powers of two can be taken out of A beforehand."""
        return True

    @cached_property
    def unknowns(self) -> tuple[str, ...]:
        """Names of the stored factors: those that the equations seek, by default."""
        return unknown_names(self.equations())

    @property
    def powers(self) -> dict[str, Fraction] | None:
        """Exponents g with ``A -> 2^k A  =>  X -> 2^(k g) X`` by factor; None where A must not be scaled.

        The equations tell, by default.
        """
        return degrees(self.equations()) if self.homogeneous else None

    def family(self, matrices: Any, box: Box) -> MatrixFamily:
        """A(p) as the caller passes it, as one family; several matrices are bundled here."""
        del box
        return as_family(matrices)

    def tailored(self, matrices: Any, family: MatrixFamily, box: Box, spec: Spec) -> Operation:
        """The operation for these matrices, once they were looked at; one of several remembers their shapes here.

        ``matrices`` is what the caller passed, ``family`` and ``spec`` what became of it.
        """
        del matrices, family, box, spec
        return self

    def storage(self, known: Mapping[str, Any], F: Mapping[str, Any]) -> dict[str, Kind]:
        """How factors are stored, by name: see `Part`; in full by default.

        ``known`` are the given matrices at some points, ``F`` the factors at one of them. The default sees that a
        unique factor of Hermitian matrices is Hermitian.
        """
        if not isinstance(self.gauge, NoGauge) or not all(is_hermitian(K, HERMITIAN) for K in known.values()):
            return {}
        return {name: "hermitian" for name, X in F.items() if is_hermitian(X, 1e-6)}

    def check(self, shape: tuple[int, int]) -> None:
        """Raise InputError when matrices of this shape have no such operation. Accepts all by default."""
        del shape

    def canonical(self, F: Mapping[str, Any]) -> Factors:
        """The representative of the gauge orbit that the user receives. The factors as they are by default."""
        return dict(F)

    def present(self, F: Mapping[str, Any]) -> Any:
        """Canonical factors as the user sees them: the array itself, or a named tuple of several."""
        names = self.unknowns
        if len(names) == 1:
            return F[names[0]]
        return _result(self.name, names)(*(F[n] for n in names))

    def in_place(self, kinds: Mapping[str, Kind]) -> tuple[str, ...] | None:
        """Names of the stored factors that lie in memory as the arrays of the result do, up to what `settle` changes.

        Answers are then written where the user wants them, with no copy in between. A diagonal lies there as a
        vector, a transposed matrix as its rows are stored. None where the query has to compute with the stored
        factors. By default all factors of an operation that neither computes nor arranges.
        """
        kind = type(self)
        plain = kind.canonical is Operation.canonical and kind.present is Operation.present
        return self.unknowns if plain and not {"diagonal", "transposed"} & set(kinds.values()) else None

    def settle(self, parts: tuple[Any, ...]) -> Any:
        """The result made of the parts that `in_place` names, batched, whose memory it may change."""
        return self.present(dict(zip(self.in_place({}) or (), parts, strict=True)))

    def positive_triangle(self) -> tuple[str, Kind] | None:
        """The factor whose positive diagonal is all that ``defect`` asks of it beside its triangle, and which one."""
        return None

    def theorem(self, rows: int) -> tuple[float, str] | None:
        """``(c, text)`` with relative error <= c * relative residual under the theorem named in text, or None."""
        del rows
        return None

    def bound(self, known: Mapping[str, Any], F: Mapping[str, Any], residual: Any) -> tuple[Any, str] | None:
        """Upper bound ``(B,)`` of the relative error and the theorem it rests on, or None where nothing is proved.

        ``residual`` bounds the relative residual of the factors F. By default ``theorem`` decides; an operation whose
        constant depends on the given matrices (on σ_min, say) computes it here, infinite where there is no bound.
        """
        del F
        stated = self.theorem(known["A"].shape[-2])
        return None if stated is None else (stated[0] * residual, stated[1])

    def angles(self, known: Mapping[str, Any], F: Mapping[str, Any], residual: Any) -> tuple[Any, str] | None:
        """Upper bound ``(B,)`` of the sine of the angle to the exact vectors or subspaces, and its theorem; or None."""
        del known, F, residual
        return None


@runtime_checkable
class Refinable(Protocol):
    """An operation with a cheap step from approximate factors towards the exact ones, given A."""

    def refine(self, A: Any, F: Mapping[str, Any]) -> Factors: ...


@runtime_checkable
class Adaptive(Protocol):
    """An operation that settles an internal size from the first exact results (a buffered rank, say)."""

    def widest(self, shape: tuple[int, int]) -> Operation: ...

    def adapt(self, F: Mapping[str, Any], shape: tuple[int, int]) -> tuple[Operation, Factors, str]: ...


@runtime_checkable
class Selective(Protocol):
    """An operation whose equations have several solutions of which one is meant (the dominant triplets, say)."""

    def defect(self, A: Any, F: Mapping[str, Any], probes: Any) -> Any: ...


@runtime_checkable
class Followed(Protocol):
    """An operation without equations, whose result is a few values: judged by the exact ones, and smooth in branches.

    ``traced`` is the operation whose exact factors, in one gauge, tell the branches apart (values by their vectors);
    ``branches(F, describe)`` are the stored factors of such exact ones ``(M, ...)`` in the ways worth trying, best
    first, ``describe(i)`` naming a sample; ``levels (B, k)`` are values whose crossings are looked at; ``direct(A)``
    are the canonical factors by the cheapest exact way, and ``mismatch(A, F, truth)`` is the relative distance ``(B,)``
    of canonical factors from them.
    """

    @property
    def traced(self) -> Operation: ...

    def branches(self, F: Mapping[str, Any], describe: Callable[[int], str]) -> list[Factors]: ...

    def levels(self, F: Mapping[str, Any]) -> Any: ...

    def direct(self, A: Any) -> Factors: ...

    def mismatch(self, A: Any, F: Mapping[str, Any], truth: Mapping[str, Any] | None = None) -> Any: ...


@runtime_checkable
class Tangential(Protocol):
    """An operation whose exact factors tell their derivative along p for the price of a few products.

    ``tangent(known, dknown, F)`` is the derivative of the factors F of the given matrices ``known`` where these move
    with velocity ``dknown``; all ``(B, rows, columns)``.
    """

    def tangent(self, known: Mapping[str, Any], dknown: Mapping[str, Any], F: Mapping[str, Any]) -> Factors: ...


@runtime_checkable
class Differentiable(Protocol):
    """An operation whose canonical factors need more than the derivative of the stored ones."""

    def derivative(self, F: Mapping[str, Any], dF: Mapping[str, Any]) -> Factors: ...


@final
@dataclass(frozen=True)
class Custom(Operation):
    """A user's operation from plain functions.

    Parameters
    ----------
    name : how it is called in tables and files
    solver : NumPy function of one matrix ``(n1, n2)``, returning a matrix or a mapping of factors
    statement : the equations
    freedom : the gauge; none by default

    Examples
    --------
    >>> import numpy as np, scipy.linalg
    >>> from neumatc.equations import equal, known, unknown
    >>> X, A = unknown("X"), known("A")
    >>> root = Custom("sqrtm", scipy.linalg.sqrtm, (equal(X @ X, A),))
    >>> root.exact(np.array([[[4.0]]]))["X"]
    array([[[2.]]])
    """

    name: str
    solver: Callable[[Any], Any]
    statement: tuple[Equation, ...]
    freedom: Gauge = NoGauge()

    def exact(self, A: Any) -> Factors:
        xp = namespace(A)
        # A copy each: solvers may overwrite their argument, and A is kept for the residuals.
        results = [self._named(self.solver(matrix.copy())) for matrix in as_numpy(A, "A")]
        F = {name: np.stack([np.asarray(r[name]) for r in results]) for name in results[0]}
        return F if xp is np else {name: xp.as_tensor(X, device=A.device) for name, X in F.items()}

    def equations(self) -> tuple[Equation, ...]:
        return self.statement

    @property
    def gauge(self) -> Gauge:
        return self.freedom

    def _named(self, result: Any) -> Mapping[str, Any]:
        if isinstance(result, Mapping):
            return result
        names: Sequence[str] = unknown_names(self.statement)
        if len(names) != 1:
            raise InputError(
                f"The solver of `{self.name}` must return a mapping with the factors {list(names)}, got one array. "
                "Its equations have several unknowns. Return a dict of arrays."
            )
        return {names[0]: result}


@cache
def _result(name: str, fields: tuple[str, ...]) -> Any:
    """The named tuple of an operation: one type for all its answers."""
    return namedtuple(_title(name), fields)


def _title(name: str) -> str:
    """What the named tuple of an operation is called; a user's name need not be an identifier.

    >>> _title("polar"), _title("geometric mean"), _title("2-norm")
    ('PolarResult', 'GeometricMeanResult', 'Result')
    """
    title = "".join(word.capitalize() for word in re.findall(r"\w+", name)) + "Result"
    return title if title.isidentifier() else "Result"


def check_square(name: str, shape: tuple[int, int], advice: str) -> None:
    """Raise InputError unless matrices of this shape are square; ``advice`` says why they must be, and what to try."""
    if shape[0] != shape[1] or shape[0] == 0:
        raise InputError(f"`{name}` needs square matrices, but A(p) is {shape[0]} x {shape[1]}. {advice}")
