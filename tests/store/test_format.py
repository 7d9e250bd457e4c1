"""The format as `docs/format.md` states it: an independent reader of a few lines, and a stored file of each version."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neumatc import header, store

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "format.md"
DTYPES = {"F64": "<f8", "F32": "<f4", "I64": "<i8", "I32": "<i4", "U8": "u1"}


def read_by_the_page(raw: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray[Any, Any]]]:
    start = 8 + int.from_bytes(raw[:8], "little")
    entries = json.loads(raw[8:start])
    metadata = json.loads(entries.pop("__metadata__")["neumatc"])
    assert metadata["checksum"] == hashlib.sha256(raw[:52] + b"0" * 64 + raw[116:]).hexdigest()
    arrays = {}
    for name, entry in entries.items():
        begin, end = entry["data_offsets"]
        array = np.frombuffer(raw[start + begin : start + end], DTYPES[entry["dtype"]]).reshape(entry["shape"])
        arrays[name] = array[..., 0] + 1j * array[..., 1] if name in metadata["complex"] else array
    return metadata["manifest"], arrays


def test_a_reader_made_from_the_page_agrees(small: Path) -> None:
    manifest, arrays = store.read(small)
    expected, plain = read_by_the_page(small.read_bytes())
    assert manifest == expected
    assert set(arrays) == set(plain)
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, plain[name], strict=True)


def test_the_page_names_the_bytes_and_caps_of_the_code() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert f"bytes {header.CHECKSUM.start} … {header.CHECKSUM.stop - 1}" in text
    assert f"these {len(header.OPENING)} bytes" in text
    assert f"    {header.OPENING.decode()}\n" in text
    assert f"at most {header.MAX_ARRAYS} arrays, at most {header.MAX_DIMENSIONS} axes" in text
    assert f"at most {header.MAX_HEADER // 2**20} MiB" in text
    assert f"at most {header.MAX_BYTES // 2**30} GiB" in text
    assert set(re.findall(r"`([FIU]\d+)`", text)) == set(header.DTYPES)


@pytest.mark.parametrize("version", range(1, header.FORMAT + 1))
def test_a_stored_file_of_every_version_is_readable(version: int) -> None:
    manifest, arrays = store.read(TESTS / "data" / f"v{version}" / "arrays.nmc")
    box = {"lower": [0.0], "upper": [1.0], "names": None}
    assert manifest == {"operation": "inv", "box": box, "tol": 1e-8, "note": "σ"}
    expected = {
        "C": np.array([[1.0, -0.0], [np.inf, 5e-324]]),
        "z": np.array([1 + 2j, -3.5j], np.complex64),
        "w": np.array(1 - 1j),
        "i": np.array([-(2**63), 2**63 - 1]),
        "j": np.arange(3, dtype=np.int32),
        "u": np.frombuffer(b"uint8", np.uint8),
        "none": np.zeros((0, 3), np.float32),
    }
    assert set(arrays) == set(expected)
    for name, array in expected.items():
        assert (arrays[name].dtype, arrays[name].shape) == (array.dtype, array.shape)
        assert arrays[name].tobytes() == array.tobytes()


def test_this_release_writes_the_stored_file_byte_for_byte(tmp_path: Path) -> None:
    stored = TESTS / "data" / f"v{header.FORMAT}" / "arrays.nmc"
    store.write(tmp_path / "again.nmc", *store.read(stored))
    assert (tmp_path / "again.nmc").read_bytes() == stored.read_bytes()
