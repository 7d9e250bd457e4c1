"""A file that is not whole raises `FormatError` and nothing else: damage, and files of other programs."""

import io
import pickle
import re
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st

from neumatc import header, store
from neumatc.errors import FormatError


def refuses(path: Path, raw: bytes | bytearray) -> bool:
    """Whether the file is refused by the right error, read or mapped; any other exception fails the test."""
    path.write_bytes(raw)
    refused = []
    for memory_map in (False, True):
        try:
            store.read(path, memory_map)
        except FormatError:
            refused.append(memory_map)
    return refused == [False, True]


@pytest.mark.parametrize("mask", [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xFF])
def test_every_flipped_byte_is_seen(small: Path, mask: int) -> None:
    raw = bytearray(small.read_bytes())
    unseen = []
    for at in range(len(raw)):
        raw[at] ^= mask
        if not refuses(small, raw):
            unseen.append(at)
        raw[at] ^= mask
    assert unseen == []


@pytest.mark.parametrize("blank", b" \t\n\r\0")
def test_every_byte_turned_blank_is_seen(small: Path, blank: int) -> None:
    """JSON forgives blanks, the padding of the header above all; the checksum does not."""
    raw = small.read_bytes()
    changed = [at for at in range(len(raw)) if raw[at] != blank]
    assert all(refuses(small, raw[:at] + bytes([blank]) + raw[at + 1 :]) for at in changed)


def test_every_truncation_is_seen(small: Path) -> None:
    raw = small.read_bytes()
    assert [end for end in range(len(raw)) if not refuses(small, raw[:end])] == []


def test_every_removed_and_every_doubled_byte_is_seen(small: Path) -> None:
    raw = small.read_bytes()
    assert all(refuses(small, raw[:at] + raw[at + 1 :]) for at in range(len(raw)))
    assert all(refuses(small, raw[:at] + raw[at : at + 1] + raw[at:]) for at in range(len(raw)))


@pytest.mark.parametrize("extra", [b"\0", b" ", b"\n", bytes(4096)])
def test_bytes_after_the_end_are_seen(small: Path, extra: bytes) -> None:
    assert refuses(small, small.read_bytes() + extra)


@given(cut=st.tuples(st.integers(0, 500), st.integers(0, 500)), patch=st.binary(max_size=40))
def test_any_patch_is_seen(tmp_path_factory: pytest.TempPathFactory, cut: tuple[int, int], patch: bytes) -> None:
    path = tmp_path_factory.mktemp("patch") / "a.nmc"
    store.write(path, {"operation": "inv"}, {"C": np.arange(6.0), "z": np.array([1j])})
    raw = path.read_bytes()
    changed = raw[: min(cut)] + patch + raw[max(cut) :]
    assert refuses(path, changed) or changed == raw


def test_a_damaged_file_says_what_why_and_what_to_do(small: Path) -> None:
    raw = small.read_bytes()
    small.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    pattern = re.escape(f"cannot read '{small}': ") + (
        r"its SHA-256 is [0-9a-f]{12}… and the one stored in it '[0-9a-f]{12}'…\. "
        r"The file was probably cut short or altered.*\. Copy it again"
    )
    with pytest.raises(FormatError, match=pattern):
        store.read(small)


def test_a_truncated_file_gives_both_sizes(small: Path) -> None:
    raw = small.read_bytes()
    small.write_bytes(raw[:-5])
    with pytest.raises(FormatError, match=f"describes {len(raw)} bytes and the file has {len(raw) - 5}"):
        store.read(small)


@pytest.mark.parametrize("length", [header.MAX_HEADER + 8, 2**40, 2**63, 2**64 - 1])
def test_a_huge_header_is_refused_before_it_is_read(small: Path, length: int) -> None:
    raw = small.read_bytes()
    small.write_bytes(length.to_bytes(8, "little") + raw[8:])
    with pytest.raises(FormatError, match=f"header claims {length} bytes"):
        store.read(small)


def foreign_npz() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, C=np.eye(2))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\0", id="one byte"),
        pytest.param(b"frequency,gain\n1.0,2.0\n" * 20, id="text"),
        pytest.param(bytes(1000), id="zeros"),
        pytest.param(b"\xff" * 1000, id="ones"),
        pytest.param(pickle.dumps({"C": list(range(100))}), id="pickle"),
        pytest.param(safetensors.numpy.save({"C": np.eye(4)}), id="plain safetensors"),
        pytest.param(safetensors.numpy.save({"C": np.eye(4)}, {"neumatc": "{}"}), id="safetensors with our key"),
        pytest.param(foreign_npz(), id="npz"),
    ],
)
def test_a_file_of_another_program_is_named_so(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "other.nmc"
    path.write_bytes(raw)
    with pytest.raises(FormatError, match=r"begins with b.*Another program probably wrote it.*Give the path"):
        store.read(path)
