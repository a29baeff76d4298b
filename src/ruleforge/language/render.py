"""render: diagnostics -> text for a person

    error[RF201]: `enrollment` has no column `exit_dat`
      at rulebooks/indiana/membership.rules:14:11
       14 |   require e.exit_dat >= e.entry_date
          |             ^^^^^^^^
      why: `e` is a row of `enrollment`, which has 9 columns
      fix: did you mean `exit_date`?

The carets stand below the text that they mean, whatever is on the line: tabs are shown as blanks, a
wide character takes two columns, a long line is cut around the place.

NOTE: the text may be a stranger's and the reader a terminal, so characters that steer a terminal or
turn the direction of writing are shown as `�` and never printed.
"""

import unicodedata
from collections.abc import Iterable

from ruleforge.language.diagnostic import Diagnostic, Level
from ruleforge.language.source import Span

_TAB = 4
_WIDEST = 120
_BEFORE = 60  # columns kept before the place on a line that is cut
_CUT = "…"
_COLOURS = {Level.ERROR: "\x1b[1;31m", Level.WARNING: "\x1b[1;33m"}
_FAINT, _PLAIN = "\x1b[2m", "\x1b[0m"


def render(diagnostics: Iterable[Diagnostic], *, colour: bool = False) -> str:
    """One block a diagnostic, in the order given, with an empty line between; empty where there is
    none.
    """
    return "\n".join(_block(each, colour=colour) for each in diagnostics)


def _block(diagnostic: Diagnostic, *, colour: bool) -> str:
    strong, faint, plain = ("", "", "")
    if colour:
        strong, faint, plain = _COLOURS[diagnostic.level], _FAINT, _PLAIN
    head = f"{strong}{diagnostic.level}[{diagnostic.code}]{plain}: {printable(diagnostic.fact)}"
    lines = [head]
    if diagnostic.span is not None:
        lines += _evidence(diagnostic.span, strong, faint, plain)
    if diagnostic.why:
        lines.append(f"  why: {printable(diagnostic.why)}")
    if diagnostic.fix:
        lines.append(f"  fix: {printable(diagnostic.fix)}")
    return "\n".join(lines) + "\n"


def _evidence(span: Span, strong: str, faint: str, plain: str) -> list[str]:
    source = span.source
    line, column = source.line_and_column(span.start)
    text = source.line_text(line)
    first = column - 1
    last = min(first + span.end - span.start, len(text))
    shown, before, under = _cut_around(text, first, max(last, first + 1))
    number = f"{line:5}"
    return [
        f"  {faint}at {printable(source.path)}:{line}:{column}{plain}",
        f"{faint}{number} |{plain} {shown}".rstrip(),
        f"{faint}{' ' * len(number)} |{plain} {' ' * before}{strong}{'^' * under}{plain}",
    ]


def _cut_around(text: str, first: int, last: int) -> tuple[str, int, int]:
    """The line as it is shown; how many columns stand before the carets; how many carets."""
    # WHY: only the neighbourhood of the place is measured, so that a line of 10 MB costs no more
    # than another.
    start = max(0, first - _BEFORE) if len(text) > _WIDEST else 0
    cells = [_cell(each, start + at) for at, each in enumerate(text[start : start + _WIDEST])]
    widths = [width(each) for each in cells]
    before = sum(widths[: first - start])
    under = max(1, sum(widths[first - start : last - start]))
    shown = "".join(cells)
    left, right = start > 0, start + _WIDEST < len(text)
    if left:
        shown, before = _CUT + shown, before + 1
    return shown + (_CUT if right else ""), before, under


def _cell(character: str, _at: int) -> str:
    return " " * _TAB if character == "\t" else printable(character)


def printable(text: str) -> str:
    """The text, with `�` for every character that would steer a terminal instead of being seen."""
    return text if text.isprintable() else "".join(map(_shown, text))


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character.isspace() else "�"


def width(text: str) -> int:
    """How many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1
        for each in text
    )
