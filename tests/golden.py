"""What the fixture `golden` is, for the tests that ask for it."""

from collections.abc import Callable
from pathlib import Path

Golden = Callable[[Path, str], None]  # compares a text with the file that holds it
