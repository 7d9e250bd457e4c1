"""A callable map p -> result: one latent tensor, one curve, one box. Linear algebra acts on C, calculus on Φ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from neumatc.arrays import Array, as_numpy, is_torch, torch_or_none
from neumatc.box import Box
from neumatc.direct import Writer, buffer, buffers, copied
from neumatc.errors import InputError
from neumatc.gauge import Factors
from neumatc.operations import Differentiable, Operation
from neumatc.products import product
from neumatc.query import unit_points
from neumatc.surrogate import Surrogate

PIECE_BYTES = 1 << 26
"""Answers held at once by `Map.stream`."""


@dataclass(frozen=True)
class Map:
    """``p -> result`` on a box.

    Parameters
    ----------
    surrogate : C ×₃ Φ
    box : where it is valid
    operation : how stored factors become the user's result; None for a map that was derived by linear algebra
    axis : None, or the parameter with respect to which the map is differentiated
    dropped : None, or the matrix axis (0 or 1) of length one that a product with a vector leaves behind
    """

    surrogate: Surrogate
    box: Box
    operation: Operation | None
    axis: int | None = None
    dropped: int | None = None

    # NumPy must leave ``B @ f`` to ``__rmatmul__`` instead of looping over an object array.
    __array_ufunc__ = None

    def __call__(self, p: Any, out: Any = None, *, reproducible: bool = False) -> Any:
        """Evaluate at ``p``, of any shape ``(...)`` for one parameter, ``(..., D)`` for several.

        Parameters
        ----------
        p : inside the box
        out : memory for the result, of its exact shape and dtype, C-contiguous; a tuple for several arrays
        reproducible : evaluate every point alone, so that the bits do not depend on the batch it stands in
        """
        x, batch = unit_points(self.box, p)
        if self._is_one_matrix and not (reproducible and len(x) > 1):
            # The commonest answer, in the fewest steps: at small n they are what it costs.
            C, shape = self.surrogate.C, (*batch, *self.shape)
            memory = np.empty(shape, C.dtype) if out is None else buffer(out, shape, C.dtype)
            product(self.surrogate.phi(x), C, memory.reshape(len(x), C.shape[1]))
            return like(memory, p) if out is None else out
        rows = [x[i : i + 1] for i in range(len(x))] if reproducible and len(x) > 1 else [x]
        if self.axis is None:
            value = self._expanded([self.surrogate.phi(row) for row in rows], batch, out)
        else:
            value = self._finished([self.factors(row) for row in rows], batch, out)
        return like(value, p) if out is None else out

    def expand(self, phi: Array, batch: tuple[int, ...], out: Any = None) -> Any:
        """The results for coefficients that are known already: real ``phi (B, m)``, B the product of ``batch``."""
        return self._expanded([self.surrogate.coefficients(phi)], batch, out)

    def _expanded(self, phi: Sequence[Array], batch: tuple[int, ...], out: Any) -> Any:
        """Results from coefficients that come in pieces, each multiplied with C by itself."""
        writer = self._writer
        if writer is None:
            return self._finished([self._canonical(self.surrogate.expanded(each)) for each in phi], batch, out)
        start, memory = 0, self._memory(out, sum(map(len, phi)), batch)
        for each in phi:
            writer.write(each, tuple(part[start : start + len(each)] for part in memory))
            start += len(each)
        return shaped(writer.settled(memory), batch)

    def _finished(self, F: Sequence[Factors], batch: tuple[int, ...], out: Any) -> Any:
        together = F[0] if len(F) == 1 else {name: np.concatenate([one[name] for one in F]) for name in F[0]}
        value = shaped(self.present(together), batch)
        return value if out is None else copied(value, out)

    def _canonical(self, stored: Factors) -> Factors:
        return self.operation.canonical(stored) if self.operation else stored

    def stream(self, p: Any, size: int | None = None) -> Iterator[tuple[slice, Any]]:
        """Answer a long batch piece by piece, for outputs larger than memory.

        Parameters
        ----------
        p : the batch, ``(B,)`` for one parameter, ``(B, D)`` for several
        size : points per piece; as many as fill 64 MiB by default

        Yields
        ------
        some, values : a slice of the batch, and ``f(p[some])``. Pieces of one matrix lie in one buffer that is used
            again: copy what is to be kept. Every point is checked before the first piece comes.

        Examples
        --------
        >>> import numpy as np, neumatc as nmc
        >>> f = nmc.inv(lambda p: np.array([[2.0 + p, 1.0], [p, 3.0]]), box=(0.0, 1.0), rng=0)
        >>> traces = np.empty(1000)
        >>> for some, X in f.stream(np.linspace(0, 1, 1000), size=300):
        ...     traces[some] = X.trace(axis1=1, axis2=2)
        >>> bool(abs(traces[-1] - f(1.0).trace()) < 1e-12)
        True
        """
        points, batch = self.box.points(p)
        if len(batch) != 1:
            raise InputError(
                f"`stream` needs a batch with one axis of points, got the batch shape {batch}. "
                "Its pieces are slices of that axis. Reshape p, or call f(p) for a single point."
            )
        return self._pieces(points, p, size or max(1, PIECE_BYTES // (self.surrogate.C[0].nbytes or 1)))

    def _pieces(self, points: Array, p: Any, size: int) -> Iterator[tuple[slice, Any]]:
        rows = points[:, 0] if self.box.dimension == 1 else points
        writer, count = self._writer, min(size, len(rows))
        memory = None if writer is None else writer.fresh(count)
        for start in range(0, len(rows), size):
            some = slice(start, min(start + size, len(rows)))
            if writer is None or memory is None:
                values = self(rows[some])
            else:
                used = tuple(part[: some.stop - start] for part in memory)
                writer.write(self.surrogate.phi(self.box.to_unit(points[some])), used)
                values = writer.settled(used)
            yield some, like(values, p)

    def factors(self, x: Array, memory: Array | None = None) -> Factors:
        """Canonical factors, or their derivative, at ``x (B, D)`` in the unit cube; ``memory`` as for the surrogate."""
        stored = self.surrogate.factors(x, memory) if self.axis is None or self._differentiable else {}
        if self.axis is None:
            return self._canonical(stored)
        # d/dp = dx/dp d/dx on the map from the box to the cube, whose slope depends on p where it is logarithmic.
        slope = self.box.slope(x, self.axis)
        change = self.surrogate.derivative_factors(x, self.axis)
        change = {name: X * slope.astype(X.real.dtype).reshape(-1, *(1,) * (X.ndim - 1)) for name, X in change.items()}
        operation: Any = self.operation
        return operation.derivative(stored, change) if self._differentiable else change

    def present(self, F: Factors) -> Any:
        if self.operation is not None:
            return self.operation.present(F)
        X = next(iter(F.values()))
        return X.reshape(len(X), *self.shape)

    def derivative(self, axis: int | str = 0) -> Map:
        """The map ``p -> ∂/∂p_axis`` of the result, per unit of p; ``axis`` by number or by the box's name."""
        if self.axis is not None:
            raise InputError(
                f"This map is a first derivative already (axis {self.axis}), and a second one was asked for. "
                "Curves offer exact first derivatives only. Difference the first derivative for higher ones."
            )
        return replace(self, axis=self._axis(axis))

    def __matmul__(self, B: Any) -> Map:
        right = as_numpy(B, "B in f @ B")
        self._fits(right, 1, right.shape[0] if right.ndim else 0, "f @ B")
        if right.ndim == 2:
            return self._linear(lambda X: X @ right, "f @ B")
        return replace(self._linear(lambda X: X @ right[:, None], "f @ B"), dropped=1)

    def __rmatmul__(self, B: Any) -> Map:
        left = as_numpy(B, "B in B @ f")
        self._fits(left, 0, left.shape[-1] if left.ndim else 0, "B @ f")
        if left.ndim == 2:
            return self._linear(lambda X: left @ X, "B @ f")
        return replace(self._linear(lambda X: left[None, :] @ X, "B @ f"), dropped=0)

    def __getitem__(self, index: Any) -> Map:
        indices = index if isinstance(index, tuple) else (index,)
        if len(indices) > 2:
            raise InputError(
                f"`f[rows, columns]` needs at most two indices, got {len(indices)}. "
                "The axes of p are not there before f is called. Call f first, and index its result."
            )
        rows, columns = (*indices, slice(None))[:2]
        return self._linear(lambda X: _two_axes(X, rows, columns), "f[rows, columns]")

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Shape of one result, for maps of one array."""
        part = self.surrogate.layout.parts[0]
        full = (part.rows, part.columns)
        return full if self.dropped is None else (full[1 - self.dropped],)

    @cached_property
    def _writer(self) -> Writer | None:
        return Writer.of(self.surrogate, self.operation, self.shape) if self.axis is None else None

    @cached_property
    def _is_one_matrix(self) -> bool:
        """Whether a product with C is the answer, in memory as it is."""
        writer = self._writer
        return writer is not None and self.surrogate.layout.is_plain and writer.given == (writer.fields[0].shape,)

    def _memory(self, out: Any, count: int, batch: tuple[int, ...]) -> tuple[Array, ...]:
        """The user's buffers, or new ones, as the parts of ``count`` points lie in them."""
        writer = self._writer
        assert writer is not None  # the caller asked
        if out is None:
            return writer.fresh(count)
        wanted = [((*batch, *given), field.dtype) for given, field in zip(writer.given, writer.fields, strict=True)]
        found = buffers(out, wanted)
        fields = zip(found, writer.fields, strict=True)
        return tuple(buffer.reshape(count, *field.shape) for buffer, field in fields)

    @property
    def _differentiable(self) -> bool:
        return isinstance(self.operation, Differentiable)

    def _axis(self, axis: int | str) -> int:
        names = self.box.names or ()
        if isinstance(axis, str) and axis in names:
            return names.index(axis)
        if isinstance(axis, int | np.integer) and -self.box.dimension <= axis < self.box.dimension:
            return int(axis) % self.box.dimension
        raise InputError(
            f"The derivative axis must be one of 0..{self.box.dimension - 1} or a name of {list(names)}, got {axis!r}. "
            f"The box has {self.box.dimension} parameter(s). Pass the number of the parameter, counted from 0."
        )

    def _fits(self, matrix: Array, side: int, came: int, what: str) -> None:
        part = self.surrogate.layout.parts[0]
        wanted = (part.rows, part.columns)[side]
        if matrix.ndim not in (1, 2) or came != wanted:
            raise InputError(
                f"`{what}` needs a vector or matrix with {wanted} entries on the touching side, got shape "
                f"{matrix.shape}. The result of f(p) has shape {self.shape}. Transpose the operand, or swap the sides."
            )

    def _linear(self, change: Any, what: str) -> Map:
        if len(self.surrogate.layout.parts) != 1 or self._differentiable:
            name = self.operation.name if self.operation else "map"
            raise InputError(
                f"`{what}` needs a map of one matrix, but `{name}` returns several factors. "
                "A product with all of them has no meaning of its own. "
                "Multiply the factors that f(p) returns instead."
            )
        name = self.surrogate.layout.parts[0].name
        return Map(self.surrogate.transformed(name, change), self.box, None, self.axis, self.dropped)


def shaped(value: Any, batch: tuple[int, ...]) -> Any:
    """Give every array of a result the batch axes of p."""
    if isinstance(value, tuple):
        return type(value)(*(shaped(part, batch) for part in value))  # a named tuple
    # A single number comes as NumPy's scalar, like that of numpy.linalg.
    return value.reshape((*batch, *value.shape[1:]))[()]


def like(value: Any, p: Any) -> Any:
    """Torch in, torch out on the device of p; NumPy otherwise."""
    if not is_torch(p):
        return value
    if isinstance(value, tuple):
        return type(value)(*(like(part, p) for part in value))
    torch: Any = torch_or_none()
    return torch.from_numpy(np.ascontiguousarray(value).reshape(np.shape(value))).to(p.device)


def _two_axes(X: Array, rows: Any, columns: Any) -> Array:
    """``X[:, rows, columns]`` keeping both axes; an integer selects a row or column of length one."""
    return X[:, _kept(rows, X.shape[1]), :][:, :, _kept(columns, X.shape[2])]


def _kept(index: Any, size: int) -> Any:
    if not isinstance(index, int | np.integer):
        return index
    if not -size <= index < size:
        # Not an InputError: Python ends a loop over the rows of f by an IndexError, and by nothing else.
        raise IndexError(f"index {index} is out of range for an axis of {size} entries of f(p)")
    return slice(index % size, index % size + 1)
