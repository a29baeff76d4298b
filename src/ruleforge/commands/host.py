"""host: the shell that a command runs in, and what it tells the shell at the end"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import IntEnum

from ruleforge.reporting.page import Page, plain


class Exit(IntEnum):
    """Exit codes: a promise to scripts."""

    CLEAN = 0
    FINDINGS = 1
    RULEBOOK = 2
    DATA = 3
    USAGE = 64
    BUG = 70
    INTERRUPTED = 130


class UsageError(Exception):
    """The command line asks for what cannot be: a fact and a fix, in one message."""


class DataError(Exception):
    """The data cannot be read at all: a fact and a fix, in one message."""


@dataclass(frozen=True)
class Host:
    """Where a command speaks. `colour` is False where the user does not want it."""

    colour: bool = True

    def show(self, page: Page) -> None:
        """Prints a page: laid out for a terminal, plain text into a pipe."""
        if sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
            # WHY: rich takes as long to import as a small district takes to check, and a pipe has
            # no use for it.
            from ruleforge.reporting.terminal import show

            with self.printing():
                show(page, colour=self.colour)
        else:
            self.say(plain(page))

    def say(self, text: str) -> None:
        """Prints text on standard output, as it is."""
        with self.printing():
            sys.stdout.write(text)

    @contextmanager
    def printing(self) -> Iterator[None]:
        """What is printed within has gone out at the end. Raises `UsageError` where standard output
        takes nothing more, and `BrokenPipeError` where nobody reads it any longer.
        """
        try:
            yield
            sys.stdout.flush()
        except BrokenPipeError:
            raise
        except OSError as mistake:
            self.abandon()
            raise UsageError(f"standard output cannot be written: {mistake.strerror}") from None

    def complain(self, text: str) -> None:
        """Prints text on standard error."""
        # NOTE: a full disk under standard error leaves nobody to tell.
        with suppress(OSError):
            sys.stderr.write(text)
            sys.stderr.flush()

    def abandon(self) -> None:
        """Stops printing: whoever read standard output has gone, or its disk is full."""
        # NOTE: Python flushes standard output when it ends, and would complain then.
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    @property
    def colours_errors(self) -> bool:
        """Whether what goes to standard error may be coloured."""
        return self.colour and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
