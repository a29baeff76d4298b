"""functions: `--function NAME=MODULE:NAME` -> the functions that a rulebook calls"""

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from ruleforge.commands.host import UsageError
from ruleforge.engine.host_functions import Implementation


def given_functions(pairs: Sequence[tuple[str, str]]) -> dict[str, Implementation]:
    """The functions of `--function NAME=MODULE:NAME`, imported. Raises `UsageError`."""
    functions: dict[str, Implementation] = {}
    for name, place in pairs:
        module, _, attribute = place.partition(":")
        if not module or not attribute:
            raise UsageError(f"`--function {name}={place}` is no NAME=MODULE:NAME")
        if str(Path.cwd()) not in sys.path:
            sys.path.insert(0, str(Path.cwd()))  # as `python -m` would find it
        try:
            found = getattr(import_module(module), attribute)
        except (ImportError, AttributeError) as mistake:
            raise UsageError(f"`--function {name}={place}`: {mistake}") from None
        if not callable(found):
            raise UsageError(f"`--function {name}={place}`: it cannot be called")
        functions[name] = found
    return functions
