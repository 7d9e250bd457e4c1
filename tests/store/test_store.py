"""What is written comes back bit for bit, and the file is replaced whole or not at all."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from neumatc import header, store
from neumatc.errors import FormatError, InputError

DTYPES = ["float64", "float32", "complex128", "complex64", "int64", "int32", "uint8"]
SHAPES: list[tuple[int, ...]] = [(), (1,), (5,), (0,), (3, 0, 2), (0, 4), (2, 3), (2, 1, 3, 2)]


def bits(array: np.ndarray[Any, Any]) -> tuple[Any, ...]:
    """Everything that must survive, NaN payloads and signs of zero included."""
    return array.dtype, array.shape, array.tobytes()


def sample(shape: tuple[int, ...], dtype: str) -> np.ndarray[Any, Any]:
    """Random bytes read as numbers: every bit pattern may occur, NaN and subnormal numbers too."""
    rng = np.random.default_rng(7)
    count = int(np.prod(shape, dtype=int))
    return np.frombuffer(rng.bytes(count * np.dtype(dtype).itemsize), dtype).reshape(shape)


MAPPED = pytest.mark.parametrize("memory_map", [False, True], ids=["read", "mapped"])


@MAPPED
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_array_comes_back_bit_for_bit(tmp_path: Path, shape: tuple[int, ...], dtype: str, memory_map: bool) -> None:
    array = sample(shape, dtype)
    store.write(tmp_path / "a.nmc", {}, {"a": array})
    manifest, arrays = store.read(tmp_path / "a.nmc", memory_map)
    assert manifest == {}
    assert list(arrays) == ["a"]
    assert bits(arrays["a"]) == bits(array)


@MAPPED
def test_many_arrays_of_mixed_types_come_back(tmp_path: Path, memory_map: bool) -> None:
    written = {f"{dtype}/{shape}": sample(shape, dtype) for dtype in DTYPES for shape in SHAPES}
    store.write(tmp_path / "a.nmc", {"count": len(written)}, written)
    _, arrays = store.read(tmp_path / "a.nmc", memory_map)
    assert {name: bits(array) for name, array in arrays.items()} == {
        name: bits(array) for name, array in written.items()
    }


@given(
    array=hnp.arrays(
        st.sampled_from(DTYPES).map(np.dtype), hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3)
    )
)
def test_any_array_comes_back(tmp_path_factory: pytest.TempPathFactory, array: np.ndarray[Any, Any]) -> None:
    path = tmp_path_factory.mktemp("any") / "a.nmc"
    store.write(path, {}, {"a": array})
    assert bits(store.read(path)[1]["a"]) == bits(array)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(manifest=st.dictionaries(st.text(), json_values, max_size=4))
def test_any_manifest_comes_back(tmp_path_factory: pytest.TempPathFactory, manifest: dict[str, Any]) -> None:
    path = tmp_path_factory.mktemp("any") / "a.nmc"
    store.write(path, manifest, {})
    assert store.read(path) == (manifest, {})


def test_manifest_may_use_the_words_of_the_format(tmp_path: Path) -> None:
    manifest = {
        "checksum": "0" * 64,
        "complex": [],
        "format": 9,
        "manifest": {},
        "__metadata__": 'x":"{\\"checksum\\":\\"',
    }
    store.write(tmp_path / "a.nmc", manifest, {'neumatc":"{\\"': np.zeros(2)})
    assert store.read(tmp_path / "a.nmc")[0] == manifest


@pytest.mark.parametrize("layout", ["fortran", "strided", "reversed", "big-endian"])
@pytest.mark.parametrize("dtype", ["float64", "complex64", "int32"])
def test_memory_layout_does_not_matter(tmp_path: Path, dtype: str, layout: str) -> None:
    plain = np.arange(24).reshape(4, 6).astype(dtype)
    layouts: dict[str, np.ndarray[Any, Any]] = {
        "fortran": np.asfortranarray(plain),
        "strided": np.repeat(plain, 2, axis=1)[:, ::2],
        "reversed": plain[::-1].copy()[::-1],
        "big-endian": plain.astype(plain.dtype.newbyteorder(">")),
    }
    store.write(tmp_path / "a.nmc", {}, {"a": layouts[layout]})
    assert bits(store.read(tmp_path / "a.nmc")[1]["a"]) == bits(plain)


@MAPPED
def test_arrays_are_writable_and_their_own(small: Path, memory_map: bool) -> None:
    _, arrays = store.read(small, memory_map)
    before = small.read_bytes()
    for array in arrays.values():
        array[...] = 0
    assert small.read_bytes() == before
    assert not np.shares_memory(arrays["C"], arrays["index"])


def test_equal_input_gives_equal_bytes(tmp_path: Path) -> None:
    arrays = {"b": np.arange(3.0), "a": np.eye(2, dtype=np.complex64), "i": np.arange(4)}
    store.write(tmp_path / "one.nmc", {"x": 1, "y": [1e-8, None]}, arrays)
    store.write(tmp_path / "two.nmc", {"y": (1e-8, None), "x": 1}, dict(reversed(arrays.items())))
    assert (tmp_path / "one.nmc").read_bytes() == (tmp_path / "two.nmc").read_bytes()


def test_checksum_is_the_sha256_with_its_digits_zeroed(small: Path) -> None:
    raw = small.read_bytes()
    stored = raw[header.CHECKSUM]
    zeroed = raw[: header.CHECKSUM.start] + b"0" * 64 + raw[header.CHECKSUM.stop :]
    assert stored.decode() == hashlib.sha256(zeroed).hexdigest()


def test_file_is_a_safetensors_file(small: Path) -> None:
    arrays = safetensors.numpy.load_file(small)
    assert sorted(arrays) == ["C", "index"]
    assert np.array_equal(arrays["C"], [[[1, 0], [0, 2]]])
    with safetensors.safe_open(small, "np") as file:
        assert list(file.metadata()) == ["neumatc"]


def test_every_array_starts_at_a_multiple_of_its_item(tmp_path: Path) -> None:
    arrays: dict[str, np.ndarray[Any, Any]] = {
        "a": np.zeros(3, np.uint8),
        "b": np.zeros(1, np.float32),
        "c": np.zeros(3, np.complex64),
        "d": np.zeros(2),
    }
    store.write(tmp_path / "a.nmc", {}, arrays)
    raw = (tmp_path / "a.nmc").read_bytes()
    length = int.from_bytes(raw[:8], "little")
    assert length % 8 == 0
    begin = 0
    for entry in header.parse(raw[8 : 8 + length]).entries:
        assert begin % entry.dtype.itemsize == 0
        begin += entry.nbytes


def test_missing_file_is_file_not_found(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        store.read(tmp_path / "none.nmc")


def test_write_into_missing_folder_is_file_not_found(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        store.write(tmp_path / "none" / "a.nmc", {}, {})


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_failed_write_leaves_the_old_file(small: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    before = small.read_bytes()

    def fail(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="no space left"):
        store.write(small, {}, {"C": np.zeros(100)})
    assert small.read_bytes() == before
    assert list(small.parent.iterdir()) == [small]


def test_refused_write_leaves_the_old_file(small: Path) -> None:
    before = small.read_bytes()
    with pytest.raises(InputError):
        store.write(small, {}, {"C": np.array(["text"])})
    assert small.read_bytes() == before
    assert list(small.parent.iterdir()) == [small]


def test_write_replaces_and_leaves_nothing_beside(small: Path) -> None:
    store.write(small, {"new": True}, {})
    assert store.read(small) == ({"new": True}, {})
    assert list(small.parent.iterdir()) == [small]


def test_write_through_a_link_keeps_the_link(small: Path) -> None:
    link = small.parent / "link.nmc"
    link.symlink_to(small)
    store.write(link, {"new": True}, {})
    assert link.is_symlink()
    assert store.read(small) == ({"new": True}, {})


@pytest.mark.parametrize(
    ("manifest", "arrays", "text"),
    [
        ({}, {"a": np.zeros(2, np.float16)}, "'a' has dtype float16"),
        ({}, {"a": np.zeros(2, bool)}, "'a' has dtype bool"),
        ({}, {"a": np.array([None])}, "'a' has dtype object"),
        ({}, {"a": np.array(["x"])}, "'a' has dtype <U1"),
        ({}, {"": np.zeros(2)}, "not a name"),
        ({}, {"σ": np.zeros(2)}, "not a name"),
        ({}, {"two\nlines": np.zeros(2)}, "not a name"),
        ({}, {"__metadata__": np.zeros(2)}, "metadata"),
        ({"tol": float("nan")}, {}, "manifest is not JSON"),
        ({"tol": np.float32(1)}, {}, "manifest is not JSON"),
        ({"a": object()}, {}, "manifest is not JSON"),
        ({}, {str(i): np.zeros(0) for i in range(header.MAX_ARRAYS + 1)}, "there are 4097 arrays, more than 4096"),
        ({"text": "x" * header.MAX_HEADER}, {}, "more than 16777216"),
    ],
)
def test_what_has_no_place_in_the_format(tmp_path: Path, manifest: Any, arrays: Any, text: str) -> None:
    with pytest.raises(InputError, match=text) as caught:
        store.write(tmp_path / "a.nmc", manifest, arrays)
    assert "Convert the entry" in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_endless_manifest_is_refused(tmp_path: Path) -> None:
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    with pytest.raises(InputError, match="manifest is not JSON"):
        store.write(tmp_path / "a.nmc", {"nested": nested}, {})


def test_reading_needs_numpy_alone(small: Path) -> None:
    code = (
        "import sys; from neumatc import store; store.read(sys.argv[1]); "
        "print(*sorted({'torch', 'scipy', 'safetensors', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, small], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_format_error_is_a_value_error(small: Path) -> None:
    small.write_bytes(b"")
    with pytest.raises(ValueError, match="cannot read") as caught:
        store.read(small)
    assert isinstance(caught.value, FormatError)
