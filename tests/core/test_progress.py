"""Who is told of the events of a fit."""

import io
import sys
from typing import Any

import pytest

from neumatc.errors import InputError
from neumatc.history import Event
from neumatc.progress import progress_of

EVENTS = [Event("solve", "p = 0", {"count": 1}), Event("span", "far away " * 20), Event("solve", "p = 1", {"count": 4})]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("progress", [None, False])
def test_silent_unless_asked(progress: Any, capfd: pytest.CaptureFixture[str]) -> None:
    with progress_of(progress, 5) as report:
        for event in EVENTS:
            report(event)
    assert capfd.readouterr() == ("", "")


def test_a_callable_is_told_everything() -> None:
    heard: list[Event] = []
    with progress_of(heard.append, 5) as report:
        for event in EVENTS:
            report(event)
    assert heard == EVENTS


def test_the_bar_is_silent_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tqdm")
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    with progress_of(True, 5) as report:
        for event in EVENTS:
            report(event)
    assert written.getvalue() == ""


def test_the_bar_counts_solves_and_cuts_long_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tqdm")
    written = Terminal()
    monkeypatch.setattr(sys, "stderr", written)
    with progress_of(True, 5) as report:
        for event in EVENTS:
            report(event)
        assert "0/5" in written.getvalue()
        report(Event("solve", "without a number"))
        report(Event("span", "last"))
    shown = written.getvalue()
    assert "5/5" in shown  # one more than the fourth
    assert "far away" in shown
    assert "far away " * 7 not in shown


@pytest.mark.parametrize("wrong", ["bar", 1, 0.5, []])
def test_anything_else_is_refused(wrong: Any) -> None:
    with (
        pytest.raises(InputError, match="`progress` must be True, a callable or None, got"),
        progress_of(wrong, 5),
    ):
        pass


def test_a_bar_without_tqdm_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    with (
        pytest.raises(InputError, match=r"progress=True needs the package tqdm.*Install neumatc\[cli\]"),
        progress_of(True, 5),
    ):
        pass


def test_an_error_inside_passes_through() -> None:
    with pytest.raises(RuntimeError, match="mine"), progress_of(None, 5):
        raise RuntimeError("mine")
