"""fmt: rulebooks -> the same rulebooks in their one layout

A file is written only where something changes, and as a whole or not at all. One that cannot be
read is told and left as it is, and the others are done.
"""

import argparse
import difflib
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from ruleforge.commands.host import Exit, Host, UsageError
from ruleforge.language import check_messages
from ruleforge.language.diagnostic import Diagnostic
from ruleforge.language.load import SUFFIX, RulebookError, source_of
from ruleforge.language.reformat import reformat
from ruleforge.language.render import printable, render

_STANDARD = "-"


def fmt(arguments: argparse.Namespace, host: Host) -> Exit:
    """Writes each file anew, or says what would change."""
    paths: list[str] = arguments.paths
    writes = not (arguments.check or arguments.diff)
    if _STANDARD in paths:
        if len(paths) > 1:
            raise UsageError("`-` is standard input and stands alone; leave the other paths out")
        files: Sequence[Path | None] = [None]
    else:
        files = _files(paths)
    changed = wrong = 0
    for file in files:
        try:
            raw, text = _read(file)
        except RulebookError as mistake:
            host.complain(render(mistake.diagnostics, colour=host.colours_errors))
            wrong += 1
            continue
        changes = text.encode() != raw
        changed += changes
        if changes and arguments.diff:
            host.say(_difference(raw, text, _name(file)))
        if writes and file is None:
            _say_bytes(text.encode(), host)
        elif changes and file is not None:
            if writes:
                _write(file, text.encode())
            if not arguments.diff:
                host.say(f"{printable(str(file))} {'is laid out anew' if writes else _WOULD}\n")
        elif changes and not arguments.diff:
            host.complain(f"standard input {_WOULD}\n")
    if files != [None]:
        host.complain(_summary(changed, wrong, len(files), writes=writes))
    if wrong:
        return Exit.RULEBOOK
    return Exit.FINDINGS if changed and arguments.check else Exit.CLEAN


_WOULD = "would be laid out anew"


def _summary(changed: int, wrong: int, number: int, *, writes: bool) -> str:
    done = "laid out anew" if writes else "to be laid out anew"
    left = f", {wrong} with mistakes left as they are" if wrong else ""
    files = "1 rulebook" if number == 1 else f"{number} rulebooks"
    return f"{files}: {changed} {done}, {number - changed - wrong} in order{left}.\n"


# ── files ──────────────────────────────────────────────────────────────────────────────────────


def _files(paths: Sequence[str]) -> list[Path]:
    """The files that are named and those of the folders that are named, each once."""
    found: dict[Path, Path] = {}
    for each in paths:
        path = Path(each)
        inside = sorted(_rulebooks_in(path)) if path.is_dir() else [path]
        if not inside:
            raise UsageError(f"{each} has no file that ends in {SUFFIX}; name another folder")
        for file in inside:
            found.setdefault(file.resolve(), file)
    return list(found.values())


def _rulebooks_in(folder: Path) -> Iterator[Path]:
    # WHY: what begins with a dot (`.venv`, `.git`) belongs to a tool and not to the author.
    for place, folders, names in os.walk(folder):
        folders[:] = [each for each in folders if not each.startswith(".")]
        for name in names:
            if name.endswith(SUFFIX) and not name.startswith("."):
                yield Path(place, name)


def _read(file: Path | None) -> tuple[bytes, str]:
    """The bytes of a file, and the text that it should have."""
    try:
        raw = sys.stdin.buffer.read() if file is None else file.read_bytes()
    except OSError as mistake:
        raise RulebookError((_unreadable(file, mistake),)) from None
    source = source_of(raw, _name(file))
    if isinstance(source, Diagnostic):
        raise RulebookError((source,))
    return raw, reformat(source)


def _unreadable(file: Path | None, mistake: OSError) -> Diagnostic:
    reason = mistake.strerror or str(mistake)
    return check_messages.unreadable_rulebook(None, _name(file), reason)


def _name(file: Path | None) -> str:
    return "<standard input>" if file is None else str(file)


def _write(file: Path, content: bytes) -> None:
    """Puts a new file in the place of the old one, in one step and with its permissions."""
    target = file.resolve()  # WHY: a link stays a link
    try:
        mode = target.stat().st_mode
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with os.fdopen(handle, "wb") as new:
                new.write(content)
                new.flush()
                os.fsync(new.fileno())
            Path(name).chmod(mode)
            Path(name).replace(target)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as mistake:
        raise UsageError(f"{file} cannot be written: {mistake.strerror or mistake}") from None


def _say_bytes(content: bytes, host: Host) -> None:
    # WHY: a rulebook is UTF-8 whatever the terminal speaks.
    with host.printing():
        sys.stdout.flush()
        sys.stdout.buffer.write(content)


def _difference(raw: bytes, text: str, name: str) -> str:
    old, new = raw.decode("utf-8").split("\n"), text.split("\n")
    lines = difflib.unified_diff(old, new, name, name, lineterm="")
    return "".join(f"{printable(line)}\n" for line in lines)
