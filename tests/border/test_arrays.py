"""The border: conversion, refusal, and exact scaling by powers of two."""

import subprocess
import sys
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neumatc import arrays
from neumatc.errors import InputError, NonFiniteError

DTYPES = [np.float32, np.float64, np.complex64, np.complex128]


def test_the_border_imports_neither_torch_nor_scipy() -> None:
    modules = "neumatc.errors, neumatc.arrays, neumatc.box, neumatc.family"
    program = f"import sys, {modules}; sys.exit(any(m.split('.')[0] in ('torch', 'scipy') for m in sys.modules))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


# as_numpy ------------------------------------------------------------------------------------------------------------


def test_numpy_arrays_pass_without_a_copy() -> None:
    x = np.arange(6.0).reshape(2, 3)
    assert arrays.as_numpy(x, "x") is x


def test_lists_become_arrays() -> None:
    np.testing.assert_array_equal(arrays.as_numpy([[1, 2], [3, 4]], "x"), np.array([[1, 2], [3, 4]]))


def test_a_cpu_tensor_shares_its_memory() -> None:
    torch = pytest.importorskip("torch")
    tensor = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    view = arrays.as_numpy(tensor, "x")
    with torch.no_grad():
        tensor[1] = 5.0
    np.testing.assert_array_equal(view, [0.0, 5.0, 0.0])


def test_delayed_conjugates_and_bfloat16_are_resolved() -> None:
    torch = pytest.importorskip("torch")
    z = torch.tensor([1.0 + 2.0j])
    np.testing.assert_array_equal(arrays.as_numpy(z.conj(), "x"), [1.0 - 2.0j])
    np.testing.assert_array_equal(arrays.as_numpy(z.conj().imag, "x"), [-2.0])
    half = arrays.as_numpy(torch.tensor([1.5], dtype=torch.bfloat16), "x")
    assert half.dtype == np.float32
    assert half[0] == 1.5


REFUSED: list[tuple[Any, str]] = [
    (np.array(["1", "2"]), r"b must be an array of numbers; a ndarray came that gives dtype <U1\. Text, None"),
    ("abc", r"a str came that gives dtype <U3"),
    (np.array([None, 1.0]), r"gives dtype object"),
    (None, r"a NoneType came.*A function without a return statement was probably called"),
    ([[1.0, 2.0], [3.0]], r"a list came that NumPy cannot convert.*rows probably differ in length.*np\.array"),
    (np.array(["2020-01-01"], dtype="datetime64[D]"), r"gives dtype datetime64"),
    (np.ma.masked_invalid([1.0, np.nan]), r"must be known in every entry; a masked array came with 1 masked"),
]


@pytest.mark.parametrize(("x", "message"), REFUSED)
def test_what_is_not_numbers_is_refused(x: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        arrays.as_numpy(x, "b")


@pytest.mark.parametrize("maker", ["csr_array", "coo_matrix", "csc_matrix"])
def test_sparse_matrices_are_refused_with_the_way_out(maker: str) -> None:
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(InputError, match=rf"must be dense; a scipy\.sparse {maker} of shape \(3, 3\).*\.toarray\(\)"):
        arrays.as_numpy(getattr(sparse, maker)(np.eye(3)), "A(p) at p = 1")


def test_a_sparse_tensor_is_refused() -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(InputError, match=r"a Tensor came that NumPy cannot convert"):
        arrays.as_numpy(torch.eye(2).to_sparse(), "x")


def test_a_mask_that_hides_nothing_is_harmless() -> None:
    np.testing.assert_array_equal(arrays.as_numpy(np.ma.masked_invalid([1.0, 2.0]), "x"), [1.0, 2.0])


# namespace -----------------------------------------------------------------------------------------------------------


def test_namespace_follows_the_array() -> None:
    torch = pytest.importorskip("torch")
    assert arrays.namespace(torch.zeros(2)) is torch
    assert arrays.namespace(np.zeros(2)) is np
    assert arrays.namespace(1.0) is np
    assert arrays.torch_or_none() is torch


@pytest.mark.parametrize("blocked", [True, False])
def test_without_torch_everything_is_numpy(monkeypatch: pytest.MonkeyPatch, blocked: bool) -> None:
    if blocked:
        monkeypatch.setitem(sys.modules, "torch", None)  # how a test forbids an import
    else:
        monkeypatch.delitem(sys.modules, "torch", raising=False)
    assert arrays.torch_or_none() is None
    assert arrays.namespace(np.zeros(2)) is np
    assert not arrays.is_torch(np.zeros(2))


# finite --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_single_bad_entry_is_found_and_placed(dtype: Any, bad: float) -> None:
    x = np.ones((2, 3), dtype)
    arrays.check_finite(x, "x")
    x[1, 2] = bad
    with pytest.raises(NonFiniteError, match=r"x must be finite; 1 of 6 .* at index \(1, 2\)\. A division.*Evaluate"):
        arrays.check_finite(x, "x")


def test_all_bad_entries_are_counted() -> None:
    with pytest.raises(NonFiniteError, match=r"3 of 4 entries are NaN or Inf, the first is nan at index \(0,\)"):
        arrays.check_finite(np.array([np.nan, np.inf, 1.0, np.nan]), "x")


def test_empty_arrays_and_integers_are_finite() -> None:
    arrays.check_finite(np.empty((0, 3)), "x")
    arrays.check_finite(np.array(3), "x")


# dtypes --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dtype", "real", "double", "working"),
    [
        (np.float32, np.float32, np.float64, np.float32),
        (np.float64, np.float64, np.float64, np.float64),
        (np.complex64, np.float32, np.complex128, np.complex64),
        (np.complex128, np.float64, np.complex128, np.complex128),
        (np.float16, np.float32, np.float64, np.float32),
        (np.longdouble, np.float64, np.float64, np.float64),
        (np.clongdouble, np.float64, np.complex128, np.complex128),
        (np.int8, np.float64, np.float64, np.float64),
        (np.bool_, np.float64, np.float64, np.float64),
        (">f4", np.float32, np.float64, np.float32),
        (">c16", np.float64, np.complex128, np.complex128),
    ],
)
def test_dtype_table(dtype: Any, real: Any, double: Any, working: Any) -> None:
    assert arrays.real_dtype(dtype) == real
    assert arrays.double(dtype) == double
    assert arrays.working_dtype(dtype) == working
    assert arrays.working_dtype(dtype).isnative
    assert arrays.is_complex(dtype) == (np.dtype(dtype).kind == "c")


# powers of two -------------------------------------------------------------------------------------------------------


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_binary_exponent_encloses_a_real_number(x: float) -> None:
    e = arrays.binary_exponent(np.array([x, 0.0]))
    if x == 0.0:
        assert e == 0
    else:
        assert Fraction(2) ** (e - 1) <= abs(Fraction(x)) < Fraction(2) ** e


@given(
    st.integers(-1000, 1000),
    st.floats(0.1, 1.0),
    st.floats(0.1, 1.0),
)
def test_binary_exponent_encloses_a_complex_number(power: int, real: float, imag: float) -> None:
    x = np.array([complex(np.ldexp(real, power), np.ldexp(imag, power))])
    e = arrays.binary_exponent(x)
    square = Fraction(real) ** 2 + Fraction(imag) ** 2
    # One rounding of the square root is allowed for.
    slack = 1 + Fraction(1, 2**50)
    assert Fraction(4) ** (e - power - 1) <= square * slack
    assert square <= Fraction(4) ** (e - power) * slack


def test_binary_exponent_where_the_modulus_overflows() -> None:
    assert arrays.binary_exponent(np.array([complex(1.7e308, 1.7e308)])) == 1025


@pytest.mark.parametrize("x", [np.zeros(3), np.zeros(2, complex), np.empty(0), np.array([0])])
def test_binary_exponent_of_nothing_is_zero(x: Any) -> None:
    assert arrays.binary_exponent(x) == 0


def test_binary_exponent_of_the_least_integer() -> None:
    assert arrays.binary_exponent(np.array([-(2**63)])) == 64


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("exponent", [-3, 0, 20])
def test_scale_is_multiplication_by_a_power(dtype: Any, exponent: int) -> None:
    x = np.array([[1.5, -2.25], [0.0, 3.0]]).astype(dtype) * (1 + 1j if np.dtype(dtype).kind == "c" else 1)
    scaled = arrays.scale(x, exponent)
    assert scaled.dtype == dtype
    np.testing.assert_array_equal(scaled, x * dtype(2.0**exponent))


@given(st.floats(0.5, 1.0, exclude_max=True), st.integers(-1000, 1000), st.booleans())
def test_scale_there_and_back_is_exact(mantissa: float, power: int, as_complex: bool) -> None:
    x = np.array([np.ldexp(mantissa, power)])
    if as_complex:
        x = x * (1 - 0.5j)
    middle = arrays.scale(x, -power)
    assert 0.4 < np.abs(middle[0].real) < 1.0
    np.testing.assert_array_equal(arrays.scale(middle, power), x)


def test_scale_by_more_than_any_float_holds() -> None:
    np.testing.assert_array_equal(arrays.scale(np.array([2.0**-1000 + 2.0**-1000 * 1j]), 2000), [2.0**1000 * (1 + 1j)])
    np.testing.assert_array_equal(arrays.scale(np.array([2.0**1000]), -2000), [2.0**-1000])


def test_scale_takes_one_exponent_for_each_matrix_and_any_layout() -> None:
    x = (np.arange(8.0).reshape(2, 2, 2) * (1 + 2j)).T
    exponents = np.array([1, -1]).reshape(2, 1, 1)
    np.testing.assert_array_equal(arrays.scale(x, exponents), x * 2.0**exponents)
    assert arrays.scale(np.array(3), 1) == 6.0
    assert arrays.scale(np.array(3j), 1).shape == ()


def test_is_hermitian() -> None:
    B = (np.random.default_rng(0).standard_normal((2, 3, 4, 4)) * [[[[1]]], [[[1j]]]]).sum(0)
    H = B + B.conj().swapaxes(-1, -2)
    assert arrays.is_hermitian(H, 1e-14)
    assert not arrays.is_hermitian(B, 0.1)
    assert not arrays.is_hermitian(1j * H, 0.1)
    assert not arrays.is_hermitian(H[:, :3], 10.0)
    H[2, 0, 1] += 1e-6
    assert not arrays.is_hermitian(H, 1e-8)
    assert arrays.is_hermitian(H, 1e-5)
    assert arrays.is_hermitian(1e200 * H, 1e-5)  # relative, not absolute
    assert not arrays.is_hermitian(1e-30 * B, 1e-5)


@pytest.mark.parametrize(
    "dtype", [np.float16, np.float32, np.float64, np.complex64, np.complex128, np.longdouble, ">f8"]
)
@pytest.mark.parametrize("size", [3, arrays.MANY + 1])
def test_finite_means_every_entry(dtype: Any, size: int) -> None:
    x = np.ones(size, dtype)
    assert arrays.all_finite(x)
    assert arrays.all_finite(x[::2])
    x[1] = np.finfo(x.real.dtype).max  # whose square overflows
    assert arrays.all_finite(x)
    for bad in (np.nan, np.inf, -np.inf):
        x[-1] = bad
        assert not arrays.all_finite(x)
