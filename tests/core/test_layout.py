"""Factors as one flat vector, Hermitian ones as block rows of their lower triangle."""

from typing import Any

import numpy as np
import pytest
import torch

from neumatc import products
from neumatc.direct import Field
from neumatc.layout import BLOCK, Layout, Part

SIZES = pytest.mark.parametrize("n", [1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 2 * BLOCK + 1])
COMPLEX = pytest.mark.parametrize("complex_", [False, True], ids=["real", "complex"])


def matrices(shape: tuple[int, ...], complex_: bool, hermitian: bool = False) -> np.ndarray:
    rng = np.random.default_rng(0)
    X = rng.standard_normal(shape)
    X = X + 1j * rng.standard_normal(shape) if complex_ else X
    return X + X.conj().swapaxes(-1, -2) if hermitian else X


@SIZES
@COMPLEX
def test_packing_and_unpacking_a_hermitian_part_is_exact(n: int, complex_: bool) -> None:
    X, part = matrices((3, n, n), complex_, hermitian=True), Part("X", n, n, "hermitian")
    flat = np.full((3, part.size), np.nan, X.dtype)
    part.pack(X, flat)
    np.testing.assert_array_equal(part.unpack(flat), X)
    buffer = np.full_like(X, np.nan)
    assert part.unpack(flat, buffer) is buffer
    np.testing.assert_array_equal(buffer, X)


@SIZES
def test_a_hermitian_part_is_about_half(n: int) -> None:
    size, triangle = Part("X", n, n, "hermitian").size, n * (n + 1) // 2
    assert triangle <= size <= n * n
    assert size - triangle <= n * (BLOCK - 1) / 2  # what the diagonal blocks hold twice
    assert Part("X", n, n).size == n * n


def test_a_wide_hermitian_part_is_near_the_triangle() -> None:
    assert Part("X", 40 * BLOCK, 40 * BLOCK, "hermitian").size / (40 * BLOCK) ** 2 < 0.52


@SIZES
@COMPLEX
def test_only_the_lower_triangle_is_stored(n: int, complex_: bool) -> None:
    X, part = matrices((1, n, n), complex_, hermitian=True), Part("X", n, n, "hermitian")
    spoilt = X.copy()
    rows, columns = np.indices((n, n))
    spoilt[:, columns // BLOCK > rows // BLOCK] = np.nan
    flat = np.empty((1, part.size), X.dtype)
    part.pack(spoilt, flat)
    np.testing.assert_array_equal(part.unpack(flat), X)


@COMPLEX
def test_a_transposed_part_lies_row_by_row(complex_: bool) -> None:
    X, part = matrices((2, 5, 3), complex_), Part("X", 5, 3, "transposed")
    flat = np.full((2, part.size), np.nan, X.dtype)
    part.pack(X, flat)
    np.testing.assert_array_equal(flat.reshape(2, 3, 5), X.swapaxes(-1, -2))
    back = part.unpack(flat)
    assert np.shares_memory(back, flat)
    np.testing.assert_array_equal(back, X)
    np.testing.assert_array_equal(part.unpack(flat, np.empty_like(X)), X)
    tensor = torch.empty(flat.shape, dtype=torch.from_numpy(flat).dtype)
    part.pack(torch.from_numpy(X), tensor)
    np.testing.assert_array_equal(tensor.numpy(), flat)


@COMPLEX
def test_full_and_hermitian_parts_side_by_side(complex_: bool) -> None:
    F = {
        "U": matrices((2, 5, 3), complex_),
        "H": matrices((2, 33, 33), complex_, hermitian=True),
        "V": matrices((2, 1, 7), complex_),
    }
    layout = Layout((Part("U", 5, 3), Part("H", 33, 33, "hermitian"), Part("V", 1, 7)))
    assert layout.size == 15 + (32 * 32 + 33) + 7
    flat = np.full((2, layout.size), np.nan, F["U"].dtype)
    assert layout.pack(F, flat) is flat
    assert np.isfinite(flat).all()
    found = layout.unpack(flat)
    assert list(found) == ["U", "H", "V"]
    for name, X in F.items():
        np.testing.assert_array_equal(found[name], X)


def test_packing_is_linear_and_row_by_row() -> None:
    layout = Layout((Part("H", 40, 40, "hermitian"), Part("X", 2, 3)))
    F = {"H": matrices((4, 40, 40), True, hermitian=True), "X": matrices((4, 2, 3), True)}
    flat = layout.pack(F, np.empty((4, layout.size), complex))
    weights = np.array([[1.0, -2.0, 0.5, 3.0]])
    for name, X in layout.unpack(weights @ flat).items():
        np.testing.assert_allclose(X, np.tensordot(weights, F[name], axes=1), rtol=0, atol=1e-13)
    one = layout.unpack(flat[2:3])
    np.testing.assert_array_equal(one["H"], F["H"][2:3])


def test_full_parts_are_views_and_hermitian_ones_are_not() -> None:
    layout = Layout((Part("X", 2, 3), Part("H", 2, 2, "hermitian")))
    flat = np.zeros((1, layout.size))
    found = layout.unpack(flat)
    flat[:] = 1.0
    assert found["X"].all()
    assert not found["H"].any()
    buffer = np.empty((1, 2, 3))
    assert layout.parts[0].unpack(flat[:, :6], buffer) is buffer
    assert not np.shares_memory(buffer, flat)
    assert buffer.all()


@SIZES
def test_torch_packs_what_numpy_unpacks(n: int) -> None:
    X, part = matrices((2, n, n), True, hermitian=True), Part("X", n, n, "hermitian")
    flat = torch.empty((2, part.size), dtype=torch.complex128)
    part.pack(torch.from_numpy(X), flat)
    np.testing.assert_array_equal(part.unpack(flat.numpy()), X)


def test_a_plain_layout_is_one_full_matrix() -> None:
    assert Layout((Part("X", 2, 2),)).is_plain
    assert not Layout((Part("X", 2, 2, "hermitian"),)).is_plain
    assert not Layout((Part("X", 2, 2), Part("Y", 2, 2))).is_plain


@pytest.mark.parametrize("kind", ["hermitian", "lower", "upper"])
@pytest.mark.parametrize("scratch", [1, 5 * BLOCK * 70, 1 << 20])
@pytest.mark.parametrize("compiled", [products.compiled, None], ids=["compiled", "numpy"])
def test_a_batch_is_written_in_pieces_of_any_size(
    kind: Any, scratch: int, compiled: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(products, "compiled", compiled)
    monkeypatch.setattr("neumatc.direct.SCRATCH", scratch)
    rng, part = np.random.default_rng(1), Part("X", 70, 70, kind)
    phi, C = rng.standard_normal((13, 4)), rng.standard_normal((4, 3 + part.size))
    memory = np.full((13, 70, 70), np.nan)
    Field.of(part, 3, C.dtype).write(phi, C, memory)
    np.testing.assert_allclose(memory, part.unpack(phi @ C[:, 3:]), rtol=0, atol=1e-13)


@COMPLEX
@SIZES
def test_mirrored_slices_have_the_bits_of_mirrored_results(
    n: int, complex_: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, part = matrices((4, n, n), complex_, hermitian=True), Part("X", n, n, "hermitian")
    C = np.empty((4, part.size), X.dtype)
    part.pack(X, C)
    phi, found = np.random.default_rng(1).standard_normal((13, 4)), []
    for fewest in (1, 14):
        monkeypatch.setattr("neumatc.direct.MIRRORED", fewest)
        found.append(np.full((13, n, n), np.nan, X.dtype))
        Field.of(part, 0, C.dtype).write(phi, C, found[-1])
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_allclose(found[0], np.einsum("bd,dij->bij", phi, X), rtol=0, atol=1e-13)


def test_complex_coefficients_are_not_mirrored_with_their_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their sum is not Hermitian: its other half is that of the stored one, as for one point alone."""
    monkeypatch.setattr("neumatc.direct.MIRRORED", 1)
    part, phi = Part("X", 40, 40, "hermitian"), matrices((3, 4), True)
    C = matrices((4, part.size), True)
    memory = np.empty((3, 40, 40), complex)
    Field.of(part, 0, C.dtype).write(phi, C, memory)
    np.testing.assert_allclose(memory, part.unpack(phi @ C), rtol=0, atol=1e-13)
