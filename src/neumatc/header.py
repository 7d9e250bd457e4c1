"""The header of a saved fit: what it may claim, and the check of every claim.

    {"__metadata__": {"neumatc": "{checksum, complex, format, manifest}"},
     name: {dtype, shape, data_offsets}, …}

It is written and read here rather than by a library for three reasons: a reader must check every claim of a header
*before* it allocates memory for it; arrays then stream between memory and disk without a second copy (`store.py`);
and opening a saved fit needs nothing but NumPy. ``docs/format.md`` is the same page for readers of other languages.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from reprlib import repr as short
from typing import Any

import numpy as np

from neumatc.arrays import Array

__all__ = [
    "CHECKSUM",
    "CODES",
    "COMPLEX",
    "DTYPES",
    "FORMAT",
    "MAX_ARRAYS",
    "MAX_BYTES",
    "MAX_DIMENSIONS",
    "MAX_HEADER",
    "OPENING",
    "ZEROS",
    "Entry",
    "FlawError",
    "Header",
    "compose",
    "parse",
]

FORMAT = 1
MAX_HEADER = 16 * 2**20  # bytes
MAX_ARRAYS = 4096
MAX_BYTES = 64 * 2**30  # of all arrays together
MAX_DIMENSIONS = 32

DTYPES: dict[str, np.dtype[Any]] = {
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "I64": np.dtype("<i8"),
    "I32": np.dtype("<i4"),
    "U8": np.dtype("u1"),
}
CODES = {dtype: code for code, dtype in DTYPES.items()}
COMPLEX: dict[np.dtype[Any], np.dtype[Any]] = {np.dtype("<f8"): np.dtype("<c16"), np.dtype("<f4"): np.dtype("<c8")}

# The checksum comes first, so that it lies at fixed bytes of every file and the bytes before it are a magic number.
OPENING = b'{"__metadata__":{"neumatc":"{\\"checksum\\":\\"'
CHECKSUM = slice(8 + len(OPENING), 8 + len(OPENING) + 64)
ZEROS = b"0" * 64

DAMAGED = (
    "The file was probably cut short or altered, for example by an interrupted copy. "
    "Copy it again from its source, or fit and save anew."
)
NEWER = "A newer release of NeuMatC probably wrote it. Upgrade neumatc, or save the fit again with this release."


class FlawError(Exception):
    """What is wrong with a file: a clause for the first sentence of a message, then its cause and remedy."""

    def __init__(self, clause: str, advice: str = DAMAGED) -> None:
        self.clause, self.advice = clause, advice


@dataclass(frozen=True)
class Entry:
    """One array as the header describes it."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        """Bytes of the array: the product of its shape, times those of one item."""
        return math.prod(self.shape) * self.dtype.itemsize


@dataclass(frozen=True)
class Header:
    """A header that passed every check: entries in the order of their bytes, `pairs` the names of complex ones."""

    checksum: str
    pairs: frozenset[str]
    manifest: dict[str, Any]
    entries: tuple[Entry, ...]

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays together."""
        return sum(entry.nbytes for entry in self.entries)


def compose(manifest: Mapping[str, Any], packed: Mapping[str, Array], pairs: list[str]) -> bytes:
    """The length and the header, with zeros in the place of the checksum.

    Refuses, by `FlawError`, what `parse` would refuse: no file is written that cannot be read.
    """
    text = _canonical({"checksum": ZEROS.decode(), "complex": pairs, "format": FORMAT, "manifest": dict(manifest)})
    header: dict[str, Any] = {"__metadata__": {"neumatc": text}}
    end = 0
    for name, array in packed.items():
        begin, end = end, end + array.nbytes
        header[name] = {"dtype": CODES[array.dtype], "shape": array.shape, "data_offsets": [begin, end]}
    raw = json.dumps(header, separators=(",", ":")).encode("ascii")
    raw += b" " * (-len(raw) % 8)
    parse(raw)
    return len(raw).to_bytes(8, "little") + raw


def _canonical(value: dict[str, Any]) -> str:
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise FlawError(f"the manifest is not JSON ({error})") from error


def parse(raw: bytes) -> Header:
    """Check every claim of a header; nothing is allocated for an array here."""
    if len(raw) > MAX_HEADER:
        raise FlawError(f"the header has {len(raw)} bytes, more than {MAX_HEADER}")
    outer = _object(raw)
    metadata = outer.pop("__metadata__", None)
    if not isinstance(metadata, dict) or list(metadata) != ["neumatc"] or not isinstance(metadata["neumatc"], str):
        raise FlawError("the metadata is not the one text 'neumatc'")
    inner = _object(metadata["neumatc"])
    _check_keys(inner)
    entries = _entries(outer)
    return Header(inner["checksum"], _pairs(inner["complex"], entries), inner["manifest"], entries)


def _object(text: str | bytes) -> dict[str, Any]:
    """Strict JSON: one object, no key twice, no NaN."""
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise FlawError(f"the header is not JSON ({error})") from error
    if not isinstance(value, dict):
        raise FlawError("the header is not a JSON object")
    return value


def _unique(items: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(items)
    if len(found) != len(items):
        raise ValueError("a key occurs twice")
    return found


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _check_keys(inner: Mapping[str, Any]) -> None:
    version = inner.get("format")
    if type(version) is not int or version < 1:
        raise FlawError(f"the format version is {short(version)}")
    # Asked before anything else of the metadata: a newer format may have other keys.
    if version > FORMAT:
        raise FlawError(f"the file is of format version {short(version)}, and this release reads up to {FORMAT}", NEWER)
    if set(inner) != {"checksum", "complex", "format", "manifest"}:
        raise FlawError(f"the metadata has the keys {short(sorted(inner))}")
    if not isinstance(inner["manifest"], dict) or not isinstance(inner["checksum"], str):
        raise FlawError("the manifest is not a JSON object, or the checksum not a text")


def _entries(claims: Mapping[str, Any]) -> tuple[Entry, ...]:
    """The arrays in the order of their bytes, which must lie back to back from 0."""
    if len(claims) > MAX_ARRAYS:
        raise FlawError(f"there are {len(claims)} arrays, more than {MAX_ARRAYS}")
    end = 0
    entries = []
    for (begin, stop), name in sorted((_span(name, claim), name) for name, claim in claims.items()):
        entry = _entry(name, claims[name])
        if begin != end or stop - begin != entry.nbytes:
            found = f"claims bytes {short(begin)} to {short(stop)}"
            raise FlawError(
                f"the array {short(name)} of {entry.nbytes} bytes {found}, expected {end} to {end + entry.nbytes}"
            )
        end = stop
        entries.append(entry)
    if end > MAX_BYTES:
        raise FlawError(f"the arrays have {end} bytes, more than {MAX_BYTES}")
    return tuple(entries)


def _span(name: str, claim: Any) -> tuple[int, int]:
    if not isinstance(claim, dict) or set(claim) != {"dtype", "shape", "data_offsets"}:
        raise FlawError(f"the entry {short(name)} does not give dtype, shape and data_offsets")
    offsets = claim["data_offsets"]
    if not _counts(offsets) or len(offsets) != 2:
        raise FlawError(f"the array {short(name)} has data_offsets {short(offsets)}")
    return offsets[0], offsets[1]


def _entry(name: str, claim: dict[str, Any]) -> Entry:
    code, shape = claim["dtype"], claim["shape"]
    if not name or not name.isascii() or not name.isprintable():
        raise FlawError(f"{short(name)} is not a name of an array")
    if not isinstance(code, str) or code not in DTYPES:
        raise FlawError(f"the array {short(name)} has dtype {short(code)}; known: {', '.join(DTYPES)}")
    if not _counts(shape) or len(shape) > MAX_DIMENSIONS:
        raise FlawError(f"the array {short(name)} has shape {short(shape)}")
    # An axis of length 0 hides huge ones from the byte count, and NumPy stumbles over those.
    if math.prod(max(count, 1) for count in shape) > MAX_BYTES:
        raise FlawError(f"the array {short(name)} has shape {short(shape)}, more than {MAX_BYTES} entries")
    return Entry(name, DTYPES[code], tuple(shape))


def _counts(value: object) -> bool:
    return isinstance(value, list) and all(type(count) is int and count >= 0 for count in value)


def _pairs(names: object, entries: tuple[Entry, ...]) -> frozenset[str]:
    """Names of the complex arrays, each stored as floating pairs (…, 2)."""
    known = {entry.name: entry for entry in entries}
    if not isinstance(names, list) or not all(isinstance(name, str) and name in known for name in names):
        raise FlawError("the list of complex arrays names one that is not there")
    for entry in (known[name] for name in names):
        if entry.dtype not in COMPLEX or entry.shape[-1:] != (2,):
            raise FlawError(f"the complex array {short(entry.name)} is {entry.dtype} of shape {entry.shape}, not pairs")
    return frozenset(names)
