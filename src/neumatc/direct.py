"""Answers written straight into their memory: products with parts of C, and no copy in between.

A batch is limited by writing its results, so every further pass over them would double what it costs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from neumatc.arrays import Array, is_complex, real_dtype
from neumatc.layout import Part
from neumatc.operations import Operation
from neumatc.surrogate import Surrogate, product


@dataclass(frozen=True)
class Field:
    """One array of a result: the stored part behind it, where that begins in C, and its shape and dtype in memory."""

    part: Part
    start: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @staticmethod
    def of(part: Part, start: int, stored: np.dtype[Any]) -> Field:
        """The field of a part of C."""
        if part.kind == "diagonal":  # singular values and eigenvalues of Hermitian matrices
            return Field(part, start, (part.size,), real_dtype(stored))
        turned = part.kind == "transposed"
        shape = (part.columns, part.rows) if turned else (part.rows, part.columns)
        return Field(part, start, shape, stored)

    def write(self, phi: Array, C: Array, memory: Array) -> None:
        """Fill ``memory (B, *shape)`` for the coefficients ``phi (B, d)``."""
        slices = C[:, self.start : self.start + self.part.size]
        if self.part.kind in ("full", "transposed"):
            product(phi, slices, memory.reshape(len(phi), self.part.size))
        elif self.part.kind == "diagonal":
            memory[...] = product(phi, slices).real
        else:
            self.part.unpack(product(phi, slices), memory)


@dataclass(frozen=True)
class Writer:
    """Where the arrays of one result come from.

    Parameters
    ----------
    surrogate : C ×₃ Φ
    operation : settles what was written; None for a map of one matrix
    fields : one for each array of the result
    given : shapes ``(*shape)`` of the arrays as the user knows them
    """

    surrogate: Surrogate
    operation: Operation | None
    fields: tuple[Field, ...]
    given: tuple[tuple[int, ...], ...]

    @staticmethod
    def of(surrogate: Surrogate, operation: Operation | None, shape: tuple[int, ...]) -> Writer | None:
        """The writer of a map, or None where results are computed from the stored factors.

        Without an operation the result is one matrix, which the user knows by ``shape``.
        """
        parts = surrogate.layout.parts
        starts = np.cumsum([0, *(part.size for part in parts)]).tolist()
        found = {p.name: Field.of(p, start, surrogate.C.dtype) for p, start in zip(parts, starts[:-1], strict=True)}
        names = (parts[0].name,) if operation is None else operation.in_place({part.name: part.kind for part in parts})
        if names is None or (surrogate.complex_coefficients and not is_complex(surrogate.C.dtype)):
            return None
        fields = tuple(found[name] for name in names)
        empty = tuple(np.empty((0, *field.shape), field.dtype) for field in fields)
        if operation is None:
            return Writer(surrogate, operation, fields, (shape,))
        value = operation.settle(empty)
        arrays = value if isinstance(value, tuple) else (value,)
        return Writer(surrogate, operation, fields, tuple(array.shape[1:] for array in arrays))

    def fresh(self, batch: int) -> tuple[Array, ...]:
        """New memory for a batch."""
        return tuple(np.empty((batch, *field.shape), field.dtype) for field in self.fields)

    def write(self, phi: Array, memory: tuple[Array, ...]) -> None:
        """Write the parts for coefficients ``phi (B, d)``."""
        for field, array in zip(self.fields, memory, strict=True):
            field.write(phi, self.surrogate.C, array)

    def settled(self, memory: tuple[Array, ...]) -> Any:
        """The batched result that the memory holds."""
        if self.operation is None:
            return memory[0].reshape(len(memory[0]), *self.given[0])
        return self.operation.settle(memory)
