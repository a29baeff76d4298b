"""host: the shell that a command runs in, and what it tells the shell at the end"""

import os
import sys
from contextlib import suppress
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

            show(page, colour=self.colour)
        else:
            self.say(plain(page))

    def say(self, text: str) -> None:
        """Prints text on standard output, as it is."""
        sys.stdout.write(text)
        sys.stdout.flush()

    def complain(self, text: str) -> None:
        """Prints text on standard error."""
        with suppress(BrokenPipeError):
            sys.stderr.write(text)
            sys.stderr.flush()

    def abandon(self) -> None:
        """Stops printing: whoever read standard output has gone."""
        # NOTE: Python flushes standard output when it ends, and would complain then.
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    @property
    def colours_errors(self) -> bool:
        """Whether what goes to standard error may be coloured."""
        return self.colour and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
