"""A header may claim anything under a right checksum; each claim is checked, before memory is allocated for it."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neumatc import header, store
from neumatc.errors import FormatError

DATA = bytes(32)
Claims = dict[str, Any]
Spoil = Callable[[Claims, Claims], object]


def seal(path: Path, raw: bytes, data: bytes = DATA) -> Path:
    """Write header and data with their checksum, as `docs/format.md` says and without the library's help."""
    raw += b" " * (-len(raw) % 8)
    file = bytearray(len(raw).to_bytes(8, "little") + raw + data)
    begin = 8 + len('{"__metadata__":{"neumatc":"{\\"checksum\\":\\"')
    file[begin : begin + 64] = b"0" * 64
    file[begin : begin + 64] = hashlib.sha256(file).hexdigest().encode()
    path.write_bytes(file)
    return path


def compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def forge(path: Path, spoil: Spoil = lambda metadata, entries: None) -> Path:
    """Write a right file of two arrays, after ``spoil`` changed its metadata or its entries."""
    metadata: Claims = {"checksum": "0" * 64, "complex": ["z"], "format": 1, "manifest": {}}
    entries: Claims = {
        "x": {"dtype": "F64", "shape": [2], "data_offsets": [0, 16]},
        "z": {"dtype": "F64", "shape": [1, 2], "data_offsets": [16, 32]},
    }
    spoil(metadata, entries)
    return seal(path, compact({"__metadata__": {"neumatc": compact(metadata)}, **entries}).encode())


def test_the_forger_makes_right_files(tmp_path: Path) -> None:
    manifest, arrays = store.read(forge(tmp_path / "a.nmc"))
    assert manifest == {}
    assert np.array_equal(arrays["x"], [0, 0])
    assert np.array_equal(arrays["z"], [0j])


SPOILED: dict[str, tuple[Spoil, str]] = {
    "newer format": (lambda m, e: m.update(format=2), "format version 2.*Upgrade neumatc"),
    "newer format, other keys": (lambda m, e: (m.update(format=7), m.pop("complex")), "format version 7"),
    "format 0": (lambda m, e: m.update(format=0), "format version is 0"),
    "format true": (lambda m, e: m.update(format=True), "format version is True"),
    "format text": (lambda m, e: m.update(format="1"), "format version is '1'"),
    "no format": (lambda m, e: m.pop("format"), "format version is None"),
    "no manifest": (lambda m, e: m.pop("manifest"), "metadata has the keys"),
    "extra key": (lambda m, e: m.update(zzz=1), "metadata has the keys"),
    "manifest a list": (lambda m, e: m.update(manifest=[]), "manifest is not a JSON object"),
    "checksum a list": (lambda m, e: m.update(checksum=["0" * 64]), "begins with"),
    "NaN in manifest": (lambda m, e: m["manifest"].update(tol=float("nan")), "NaN is not a JSON number"),
    "infinity in manifest": (lambda m, e: m["manifest"].update(tol=float("inf")), "Infinity is not"),
    "complex unknown": (lambda m, e: m.update(complex=["y"]), "names one that is not there"),
    "complex a text": (lambda m, e: m.update(complex="z"), "names one that is not there"),
    "complex of numbers": (lambda m, e: m.update(complex=[1]), "names one that is not there"),
    "complex not pairs": (lambda m, e: e["z"].update(shape=[2, 1]), "not pairs"),
    "complex 0-d": (lambda m, e: (m.update(complex=["x"]), e["x"].update(shape=[1, 2, 1])), "not pairs"),
    "complex integers": (lambda m, e: e["z"].update(dtype="I64"), "not pairs"),
    "entry a list": (lambda m, e: e.update(x=[1]), "'x' does not give dtype"),
    "entry without shape": (lambda m, e: e["x"].pop("shape"), "'x' does not give dtype"),
    "entry with more": (lambda m, e: e["x"].update(stride=1), "'x' does not give dtype"),
    "dtype unknown": (lambda m, e: e["x"].update(dtype="O8"), "dtype 'O8'; known: F64, F32"),
    "dtype bfloat": (lambda m, e: e["x"].update(dtype="BF16", shape=[8]), "dtype 'BF16'"),
    "dtype a list": (lambda m, e: e["x"].update(dtype=["F64"]), "dtype \\['F64'\\]"),
    "shape negative": (lambda m, e: e["x"].update(shape=[-1, -2]), "shape \\[-1, -2\\]"),
    "shape float": (lambda m, e: e["x"].update(shape=[2.0]), "shape \\[2.0\\]"),
    "shape true": (lambda m, e: e["x"].update(shape=[True, 2]), "shape \\[True, 2\\]"),
    "shape a number": (lambda m, e: e["x"].update(shape=2), "shape 2"),
    "shape of 33 axes": (lambda m, e: e["x"].update(shape=[2] + [1] * 32), "has shape"),
    "shape of a terabyte": (lambda m, e: e["x"].update(shape=[2**37]), "more than 68719476736 entries"),
    "shape huge and empty": (lambda m, e: e["x"].update(shape=[0, 2**62, 2**62]), "more than .* entries"),
    "shape of endless digits": (lambda m, e: e["x"].update(shape=[10**4000]), "more than .* entries"),
    "shape too large": (lambda m, e: e["x"].update(shape=[3]), "'x' of 24 bytes claims bytes 0 to 16"),
    "shape too small": (lambda m, e: e["x"].update(shape=[1]), "'x' of 8 bytes claims bytes 0 to 16"),
    "hole at the start": (lambda m, e: e.pop("x"), "claims bytes 16 to 32, expected 0 to 16"),
    "overlap": (lambda m, e: e["z"].update(data_offsets=[8, 24]), "claims bytes 8 to 24, expected 16"),
    "same bytes twice": (lambda m, e: e["z"].update(data_offsets=[0, 16]), "expected 16"),
    "offsets reversed": (lambda m, e: e["x"].update(data_offsets=[16, 0]), "claims bytes"),
    "offsets negative": (lambda m, e: e["x"].update(data_offsets=[-16, 0]), "data_offsets \\[-16, 0\\]"),
    "offsets three": (lambda m, e: e["x"].update(data_offsets=[0, 8, 16]), "data_offsets \\[0, 8, 16\\]"),
    "offsets float": (lambda m, e: e["x"].update(data_offsets=[0, 16.0]), "data_offsets"),
    "data missing": (
        lambda m, e: e["z"].update(shape=[2, 2], data_offsets=[16, 48]),
        "describes .* bytes and the file",
    ),
    "data left over": (lambda m, e: (e.pop("z"), m.update(complex=[])), "describes .* bytes and the file"),
    "name empty": (lambda m, e: e.update({"": e.pop("x")}), "'' is not a name"),
    "name of control characters": (lambda m, e: e.update({"a\x1b[2J": e.pop("x")}), "is not a name"),
    "too many arrays": (
        lambda m, e: e.update({f"e{i}": {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]} for i in range(4095)}),
        "there are 4097 arrays, more than 4096",
    ),
}


@pytest.mark.parametrize("name", SPOILED)
def test_a_wrong_claim_is_refused(tmp_path: Path, name: str) -> None:
    spoil, text = SPOILED[name]
    with pytest.raises(FormatError, match=text):
        store.read(forge(tmp_path / "a.nmc", spoil))


def test_a_key_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    raw = forge(tmp_path / "a.nmc").read_bytes()[8:-32]
    twice = raw.replace(b'"x":{', b'"x":{"dtype":"U8","shape":[16],"data_offsets":[0,16]},"x":{')
    with pytest.raises(FormatError, match="a key occurs twice"):
        store.read(seal(tmp_path / "a.nmc", twice))


def test_a_second_metadata_text_is_refused(tmp_path: Path) -> None:
    raw = forge(tmp_path / "a.nmc").read_bytes()[8:-32]
    with pytest.raises(FormatError, match="metadata is not the one text"):
        store.read(seal(tmp_path / "a.nmc", raw.replace(b'"},"x"', b'","note":"hi"},"x"')))


@pytest.mark.parametrize(
    "tail",
    [
        pytest.param(b"[" * 200_000, id="deep"),
        pytest.param(b"\xff\xfe", id="not UTF-8"),
        pytest.param(b"1" * 5000 + b"}", id="endless number"),
        pytest.param(b"", id="open"),
    ],
)
def test_what_is_not_json_is_refused(tmp_path: Path, tail: bytes) -> None:
    raw = forge(tmp_path / "a.nmc").read_bytes()[8:-32].rstrip()[:-1] + b',"y":' + tail
    with pytest.raises(FormatError, match="header is not JSON"):
        store.read(seal(tmp_path / "a.nmc", raw))


def test_a_manifest_nested_without_end_is_refused(tmp_path: Path) -> None:
    deep = '{"checksum":"' + "0" * 64 + '","complex":[],"format":1,"manifest":{"a":' + "[" * 100_000
    raw = compact({"__metadata__": {"neumatc": deep}}).encode()
    with pytest.raises(FormatError, match="header is not JSON"):
        store.read(seal(tmp_path / "a.nmc", raw))


def test_a_file_of_terabytes_that_is_mostly_hole_is_refused(tmp_path: Path) -> None:
    """A sparse file has the size that its header claims and costs its sender nothing."""
    count = 2**38
    entry = {"dtype": "U8", "shape": [count], "data_offsets": [0, count]}
    metadata = {"checksum": "0" * 64, "complex": [], "format": 1, "manifest": {}}
    path = seal(tmp_path / "a.nmc", compact({"__metadata__": {"neumatc": compact(metadata)}, "x": entry}).encode(), b"")
    with open(path, "r+b") as file:
        file.truncate(path.stat().st_size + count)
    with pytest.raises(FormatError, match="more than 68719476736 entries"):
        store.read(path)


def test_many_large_arrays_count_together(tmp_path: Path) -> None:
    step = header.MAX_BYTES // 8
    claims = {f"x{i}": {"dtype": "U8", "shape": [step], "data_offsets": [i * step, (i + 1) * step]} for i in range(9)}
    metadata = {"checksum": "0" * 64, "complex": [], "format": 1, "manifest": {}}
    raw = compact({"__metadata__": {"neumatc": compact(metadata)}, **claims}).encode()
    with pytest.raises(FormatError, match="the arrays have 77309411328 bytes, more than 68719476736"):
        store.read(seal(tmp_path / "a.nmc", raw, b""))
