"""The make of the processor, as each system tells it."""

import builtins
import io
import platform
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from neumatc import processor
from neumatc.processor import is_intel, torch_if_faster


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    is_intel.cache_clear()
    yield
    is_intel.cache_clear()


@pytest.mark.parametrize(("vendor", "intel"), [("GenuineIntel", True), ("AuthenticAMD", False), ("", False)])
def test_linux_lists_the_vendor(vendor: str, intel: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(builtins, "open", lambda *_a, **_k: io.StringIO(f"processor : 0\nvendor_id : {vendor}\n"))
    assert is_intel() is intel


def test_a_system_without_the_list_is_not_intel(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_args: Any, **_options: Any) -> Any:
        raise PermissionError

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(builtins, "open", refused)
    assert is_intel() is False


@pytest.mark.parametrize(
    ("system", "told", "intel"),
    [
        ("darwin", "x86_64", True),
        ("darwin", "arm64", False),
        ("win32", "Intel64 Family 6, GenuineIntel", True),
        ("win32", "AMD64 Family 25, AuthenticAMD", False),
    ],
)
def test_other_systems_tell_by_name(system: str, told: str, intel: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "machine", lambda: told)
    monkeypatch.setattr(platform, "processor", lambda: told)
    assert is_intel() is intel


def test_torch_is_taken_where_it_is_faster_and_there(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    for intel, there, taken in [
        (True, torch, torch),
        (True, None, None),
        (True, ModuleType("torch"), None),  # as it is while another thread imports it
        (False, torch, None),
    ]:
        monkeypatch.setattr(processor, "is_intel", lambda intel=intel: intel)
        monkeypatch.setattr(processor, "torch_or_none", lambda there=there: there)
        assert torch_if_faster() is taken
