"""A bar where something takes long, and only there."""

import io
import sys
import threading
import time

import pytest

from ruleforge.reporting.progress import Bar


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_what_is_quick_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with Bar(shown=True, patience=60) as bar:
        bar.of("Reading")("a.csv", 0, 1)
    assert capsys.readouterr() == ("", "")
    assert threading.active_count() == 1 or not any(
        isinstance(each, threading.Timer) and each.is_alive() and not each.finished.is_set()
        for each in threading.enumerate()
    )


def test_what_is_slow_shows_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    with Bar(shown=True, patience=0) as bar:
        tell = bar.of("Reading")
        tell("folder/[a].csv", 1, 2)
        end = time.monotonic() + 20
        while "Reading [a].csv" not in screen.getvalue() and time.monotonic() < end:
            time.sleep(0.05)
    assert "Reading [a].csv" in screen.getvalue()


def test_no_terminal_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    with Bar(shown=False, patience=0) as bar:
        bar.of("Reading")("a.csv", 0, 1)
        time.sleep(0.1)
    assert capsys.readouterr() == ("", "")


def test_the_bar_goes_where_something_goes_wrong() -> None:
    with pytest.raises(ZeroDivisionError), Bar(shown=True, patience=60):
        raise ZeroDivisionError
