"""Answers written straight into their memory: products with parts of C, and no copy in between.

A batch is limited by writing its results, so every further pass over them would double what it costs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neumatc.arrays import Array, as_numpy, is_complex, is_torch, real_dtype
from neumatc.errors import InputError
from neumatc.layout import Part
from neumatc.operations import Operation
from neumatc.products import Product, can_scatter, product, scatter, scatter_all
from neumatc.surrogate import Surrogate

MIRRORED = 32
"""Points from which it pays to mirror slices, which is done once for all of them, instead of results."""

SCRATCH = 1 << 21
"""Numbers of a block row of a packed matrix that are computed at once, for many points."""


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

    def as_product(self, C: Array, memory: Array) -> Product | None:
        """The product that fills ``memory (B, *shape)``, for `products.scatter`; None where it takes more than one."""
        whole = self.part.kind in ("full", "transposed") or (self.part.kind == "diagonal" and not is_complex(C.dtype))
        places = None if whole else self.part.places
        if places is None and not whole:
            return None
        return self._slices(C), places, memory.reshape(len(memory), math.prod(self.shape))

    def write(self, phi: Array, C: Array, memory: Array) -> None:
        """Fill ``memory (B, *shape)`` for the coefficients ``phi (B, d)`` by whatever it takes."""
        slices = self._slices(C)
        if self.part.kind in ("full", "transposed"):
            product(phi, slices, memory.reshape(len(phi), self.part.size))
        elif self.part.kind == "diagonal":
            memory[...] = product(phi, slices).real
        elif not self._mirrored(phi, slices, memory):
            if len(phi) == 1:
                self.part.unpack(product(phi, slices), memory)
            else:
                self._write_block_rows(phi, slices, memory)

    def _slices(self, C: Array) -> Array:
        return C[:, self.start : self.start + self.part.size]

    def _mirrored(self, phi: Array, slices: Array, memory: Array) -> bool:
        """Write a Hermitian matrix once, block rows of C completed by the columns of those below; False as above."""
        part = self.part
        if part.kind != "hermitian" or len(phi) < MIRRORED or is_complex(phi.dtype) or not can_scatter(slices.dtype):
            return False
        rows, out = part.rows_stored, memory.reshape(len(phi), part.rows * part.columns)
        scratch = np.empty((len(slices), rows[0].stop * part.columns), slices.dtype)
        for row in rows:
            size = (row.stop - row.start) * part.columns
            block = scratch[:, :size]
            part.complete(row, slices, block.reshape(len(slices), row.stop - row.start, part.columns))
            place = np.array([[0, size, row.start * part.columns]], np.int64)
            if not scatter(phi, block, place, out):
                return False
        return True

    def _write_block_rows(self, phi: Array, slices: Array, memory: Array) -> None:
        """Block row by block row, through memory that stays in the cache between the product and the copy."""
        rows = self.part.rows_stored
        longest = max(row.size for row in rows)
        count = max(1, min(len(phi), SCRATCH // longest))
        scratch = np.empty(count * longest, slices.dtype)
        for first in range(0, len(phi), count):
            some, target = phi[first : first + count], memory[first : first + count]
            for row in rows:
                flat = scratch[: len(some) * row.size].reshape(len(some), row.size)
                product(some, slices[:, row.offset : row.offset + row.size], flat)
                self.part.put(row, flat, target)


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
        C = self.surrogate.C
        pairs = list(zip(self.fields, memory, strict=True))
        products = [field.as_product(C, array) for field, array in pairs]
        done = scatter_all(phi, [each for each in products if each is not None])
        for (field, array), single in zip(pairs, products, strict=True):
            if single is None or not done:
                field.write(phi, C, array)

    def settled(self, memory: tuple[Array, ...]) -> Any:
        """The batched result that the memory holds."""
        if self.operation is None:
            return memory[0].reshape(len(memory[0]), *self.given[0])
        return self.operation.settle(memory)


def buffer(out: Any, shape: tuple[int, ...], dtype: Any) -> Array:
    """The caller's memory as an array of that shape and dtype, or the error that says what it is instead."""
    array: Array = out if type(out) is np.ndarray else as_numpy(out, "out")
    # Lists and tensors on another device were copied just now: what is written to the copy would be lost.
    in_place = isinstance(out, np.ndarray) or (is_torch(out) and out.device.type == "cpu")
    writeable = array.flags.c_contiguous and array.flags.writeable
    if array.shape != shape or array.dtype != dtype or not in_place or not writeable:
        came = f"{type(out).__name__} {array.shape}, {array.dtype}" + ("" if writeable else ", strided or read-only")
        raise InputError(
            f"`out` must be a writeable, C-contiguous array of shape {shape} and dtype {dtype}, got {came}. "
            "Nothing is cast or copied into place. Allocate it with np.empty(shape, dtype)."
        )
    return array


def copied(value: Any, out: Any) -> Any:
    """Copy a result into the caller's buffers, all of them checked before."""
    parts = value if isinstance(value, tuple) else (value,)
    for part, memory in zip(parts, buffers(out, [(part.shape, part.dtype) for part in parts]), strict=True):
        memory[...] = part
    return out


def buffers(out: Any, wanted: Sequence[tuple[tuple[int, ...], Any]]) -> list[Array]:
    """The arrays of ``out``, all of them checked before the first is written."""
    targets = out if isinstance(out, tuple | list) and len(wanted) > 1 else (out,)
    if len(targets) != len(wanted):
        raise InputError(
            f"`out` must hold {len(wanted)} arrays, got {len(targets)}. "
            "The result is a named tuple. Pass one buffer for each of its fields, in order."
        )
    return [buffer(target, *each) for target, each in zip(targets, wanted, strict=True)]
