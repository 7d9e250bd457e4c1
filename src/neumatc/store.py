"""A fit in one file: arrays and a manifest, and nothing that can run.

The file is a safetensors file with one metadata key, ``neumatc``, whose text is JSON; ``docs/format.md`` describes it
byte by byte.

    bytes 0..7      length of the header, little-endian
    header          JSON: checksum, manifest, and where each array lies (`header.py`)
    data            the arrays, back to back

The checksum is the SHA-256 of the whole file with its own 64 digits read as zeros, so that no byte of the file,
its length and its padding included, can change unseen.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from io import BufferedReader
from typing import Any

import numpy as np

from neumatc.arrays import Array
from neumatc.errors import FormatError, InputError
from neumatc.header import CHECKSUM, CODES, COMPLEX, MAX_HEADER, OPENING, ZEROS, Entry, FlawError, compose, parse
from neumatc.products import rows_apart

__all__ = ["read", "write"]

LONG = 1 << 16
"""Bytes of a slice that is worth a visit of its own."""

_REAL = {kind: real for real, kind in COMPLEX.items()}

_FOREIGN = (
    "Another program probably wrote it, or it was cut short or overwritten. Give the path of a file written by `save`."
)
_UNWRITABLE = (
    "The format holds float64, float32, complex128, complex64, int64, int32 and uint8 arrays under printable ASCII "
    "names, and a manifest of finite JSON values. Convert the entry before saving it."
)


def write(path: str | os.PathLike[str], manifest: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
    """Write a manifest and arrays into one file, or leave what was there as it was.

    The bytes are a function of the input alone: equal input, equal file. They go to a file beside ``path`` that takes
    its name only when it is complete and on disk.

    Parameters
    ----------
    path : where to write; an existing file is replaced.
    manifest : JSON values under text keys, no NaN; tuples come back as lists.
    arrays : name -> array of any shape; complex ones are stored as real pairs (…, 2).

    Raises
    ------
    InputError
        If something in ``manifest`` or ``arrays`` has no place in the format.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "small.nmc")
    ...     write(path, {"operation": "inv"}, {"C": np.array([[1.0, 2j]])})
    ...     read(path)
    ({'operation': 'inv'}, {'C': array([[1.+0.j, 0.+2.j]])})
    """
    try:
        packed = {name: _pack(name, np.asarray(array)) for name, array in arrays.items()}
        # Widest items first: every array then starts at a multiple of its item size.
        packed = dict(sorted(packed.items(), key=lambda item: (-item[1].dtype.itemsize, item[0])))
        pairs = sorted(name for name, array in arrays.items() if np.iscomplexobj(array))
        head = compose(manifest, packed, pairs)
    except FlawError as flaw:
        raise InputError(f"cannot write {os.fspath(path)!r}: {flaw.clause}. {_UNWRITABLE}") from flaw
    checksum = _digest(head, packed).encode()
    _write_beside(os.path.realpath(path), head[: CHECKSUM.start] + checksum + head[CHECKSUM.stop :], packed)


def read(
    path: str | os.PathLike[str], memory_map: bool = False, apart: str | None = None
) -> tuple[dict[str, Any], dict[str, Array]]:
    """Read back what `write` wrote, bit for bit.

    Every claim of the header is checked against the caps and the size of the file before memory is allocated for it,
    and the checksum before anything is returned.

    Parameters
    ----------
    path : a file written by `write`.
    memory_map : leave the arrays in the file, of which the system reads and drops pages as they are needed. What is
        written to them stays in this process. The file must not change meanwhile; `write` replaces files, and a map of
        the former one lives on.
    apart : name of the array whose rows are read side by side, hence kept as by `products.rows_apart` in memory.

    Returns
    -------
    The manifest, and name -> array; each array is writable and shares no memory with another.

    Raises
    ------
    FormatError
        If the file is damaged, of a newer format, or not of this format at all.
    FileNotFoundError
        If there is no such file.
    """
    with open(path, "rb") as file:
        try:
            return _contents(file, memory_map, apart)
        except FlawError as flaw:
            raise FormatError(f"cannot read {os.fspath(path)!r}: {flaw.clause}. {flaw.advice}") from flaw


def _pack(name: str, array: Array) -> Array:
    """Little-endian and real, in rows that are contiguous; complex as pairs (…, 2)."""
    dtype = array.dtype.newbyteorder("<")
    if dtype not in CODES and dtype not in _REAL:
        raise FlawError(f"the array {name!r} has dtype {array.dtype}")
    # `order="C"` rather than `ascontiguousarray`, which turns a 0-d array into a 1-d one.
    array = np.asarray(array, dtype=dtype, order=None if _in_long_rows(array) else "C")
    return array[..., None].view(_REAL[dtype]) if dtype in _REAL else array


def _unpack(array: Array) -> Array:
    """Pairs (…, 2) back to complex (…)."""
    plain: Array = array.view(COMPLEX[array.dtype])[..., 0]
    return plain


def _in_long_rows(array: Array) -> bool:
    """Whether an array has long contiguous slices. It is not copied then: it may fill more than half of the memory."""
    return array.ndim > 1 and array.nbytes > LONG * len(array) and array[0].flags.c_contiguous


def _octets(array: Array) -> Iterator[memoryview]:
    """The bytes of an array, piece by piece, without a copy."""
    for piece in (array,) if array.flags.c_contiguous else array:
        yield piece.reshape(-1).view(np.uint8).data


def _digest(head: bytes, packed: Mapping[str, Array]) -> str:
    """SHA-256 of a file with zeros in the place of its checksum."""
    digest = hashlib.sha256(head[: CHECKSUM.start] + ZEROS + head[CHECKSUM.stop :])
    for array in packed.values():
        for octets in _octets(array):
            digest.update(octets)
    return digest.hexdigest()


def _write_beside(path: str, head: bytes, packed: Mapping[str, Array]) -> None:
    # A random name lets several processes save to one path: the last rename wins, and each file is whole.
    beside = f"{path}.{os.urandom(6).hex()}.part"
    try:
        with open(beside, "xb") as file:
            file.write(head)
            for array in packed.values():
                for octets in _octets(array):
                    file.write(octets)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        if os.path.exists(beside):
            os.unlink(beside)
        raise


def _contents(file: BufferedReader, memory_map: bool, apart: str | None) -> tuple[dict[str, Any], dict[str, Array]]:
    size = os.fstat(file.fileno()).st_size
    head = _read_head(file, size)
    header = parse(head[8:])
    if len(head) + header.nbytes != size:
        raise FlawError(f"its header describes {len(head) + header.nbytes} bytes and the file has {size}")
    packed, place = {}, len(head)
    for entry in header.entries:
        mapped = memory_map and entry.nbytes
        array = _mapped(file, entry, place) if mapped else _copied(file, entry, entry.name == apart)
        packed[entry.name], place = array, place + array.nbytes
    digest = _digest(head, packed)
    if digest != header.checksum:
        raise FlawError(f"its SHA-256 is {digest[:12]}… and the one stored in it {header.checksum[:12]!r}…")
    return header.manifest, {name: _unpack(array) if name in header.pairs else array for name, array in packed.items()}


def _copied(file: BufferedReader, entry: Entry, apart: bool) -> Array:
    array: Array = (rows_apart if apart else np.empty)(entry.shape, entry.dtype)
    if sum(file.readinto(octets) for octets in _octets(array)) != array.nbytes:
        raise FlawError(f"it ends inside the array {entry.name!r}")
    return array


def _mapped(file: BufferedReader, entry: Entry, place: int) -> Array:
    """A plain array over the map: NumPy's subclass for maps would make every small operation slower."""
    return np.asarray(np.memmap(file, entry.dtype, "c", place, entry.shape))


def _read_head(file: BufferedReader, size: int) -> bytes:
    """The length and the header; the first bytes tell whether the file is ours at all."""
    opening = file.read(8 + len(OPENING))
    if opening[8:] != OPENING:
        raise FlawError(f"it begins with {opening[:16]!r}, as no NeuMatC file does", _FOREIGN)
    length = int.from_bytes(opening[:8], "little")
    if length > MAX_HEADER or not CHECKSUM.stop <= 8 + length <= size:
        raise FlawError(f"its header claims {length} bytes; the file has {size}, and a header at most {MAX_HEADER}")
    head = opening + file.read(8 + length - len(opening))
    if len(head) != 8 + length:
        raise FlawError(f"it ends after {len(head)} of the {8 + length} bytes of its header")
    return head
