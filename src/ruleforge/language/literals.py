"""literals: what stands in a text, a number or a date -> its value

The value that a token stands for, with a diagnostic where it stands for none; and the pieces of a
message. A token that is wrong still gives a value of its kind, so that what follows from it is not
told as a second mistake.
"""

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ruleforge.language import ast, messages
from ruleforge.language.diagnostic import Diagnostic
from ruleforge.language.parse import Place, reserved_words
from ruleforge.language.schema import SchoolYear
from ruleforge.language.source import Span
from ruleforge.language.types import CELL_PLACES, MOST_DIGITS

Diagnostics = list[Diagnostic]

_ESCAPES = {'\\"': '"', "\\\\": "\\", "\\n": "\n"}
_TEXT = re.compile(r'"(?P<inner>(?:[^"\\]++|\\.?+)*+)', re.DOTALL)
_CHARACTER = re.compile(r"\\?.|\\", re.DOTALL)
MOST_HOLES = 100
_YEARS = range(1, 9_998)


def text(token: str, start: int, place: Place, diagnostics: Diagnostics) -> ast.Text:
    """The text of a token, which begins with a quote and ends with one where it is closed; escapes
    are undone.
    """
    span = place(start, start + len(token))
    found = _TEXT.match(token)
    inner = found["inner"] if found else ""
    if "\\" not in inner and span.end - span.start == len(token):
        return ast.Text(inner, span, range(span.start + 1, span.start + 1 + len(inner)))
    characters: list[str] = []
    offsets: list[int] = []
    for each in _CHARACTER.finditer(inner):
        written, first = each[0], start + 1 + each.start()
        character = _ESCAPES.get(written, written) if written.startswith("\\") else written
        if (character is written and len(written) > 1) or written == "\\":
            at = place(first, first + len(written))
            diagnostics.append(messages.bad_escape(at, written))
            character = written[-1]
        characters.append(character)
        offsets.append(place(first, first + 1).start)
    return ast.Text("".join(characters), span, tuple(offsets))


def number(token: str, span: Span, diagnostics: Diagnostics) -> ast.Literal:
    """An integer or a decimal, exact."""
    whole, _, places = token.partition(".")
    if len(whole.lstrip("0")) > MOST_DIGITS:
        diagnostics.append(messages.number_too_long(span, MOST_DIGITS))
        whole = "0"
    if len(places) > CELL_PLACES:
        diagnostics.append(messages.too_many_places(span, CELL_PLACES))
        places = places[:CELL_PLACES]
    # WHY: zeros go first, because `int` refuses very long numerals even where they are all zeros.
    whole = whole.lstrip("0") or "0"
    return ast.Literal(Decimal(f"{whole}.{places}") if places else int(whole), span)


def day_or_year(token: str, span: Span, diagnostics: Diagnostics) -> ast.Literal:
    """A date or a school year."""
    if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", token):
        try:
            return ast.Literal(dt.date.fromisoformat(token), span)
        except ValueError:
            diagnostics.append(messages.no_such_date(span, token))
            return ast.Literal(dt.date(2000, 1, 1), span)
    if re.fullmatch("[0-9]{4}-[0-9]{2}", token):
        year = SchoolYear(int(token[:4]))
        if year.start_year not in _YEARS:
            diagnostics.append(messages.no_such_school_year(span, token, None))
        elif str(year) != token:
            diagnostics.append(messages.no_such_school_year(span, token, str(year)))
        return ast.Literal(year, span)
    diagnostics.append(messages.neither_date_nor_year(span, token))
    return ast.Literal(dt.date(2000, 1, 1), span)


def school_year(token: str, span: Span, diagnostics: Diagnostics) -> ast.Literal | None:
    """A school year where nothing else can stand."""
    mistakes = len(diagnostics)
    literal = day_or_year(token, span, diagnostics)
    if isinstance(literal.value, SchoolYear):
        return literal
    if len(diagnostics) == mistakes:
        diagnostics.append(messages.date_for_school_year(span, token))
    return None


# ── rows of a test ─────────────────────────────────────────────────────────────────────────────

_CELL_BLANKS = " \t"
_QUOTED_CELL = re.compile(r'[ \t]*+("(?:[^"\\]++|\\.)*+")[ \t]*+(?=\||\Z)')
_PLAIN_CELL = re.compile(r"[^|]*+")


def cell_row(token: str, start: int, place: Place, diagnostics: Diagnostics) -> ast.CellRow:
    """The cells between the bars of a line, which begins with one.

    A cell in quotes is a text that may hold a bar and blanks at its ends. Where a cell would begin
    with `#`, the rest of the line is a comment.
    """
    cells: list[ast.Cell] = []
    position, closed = 1, True
    while position < len(token):
        quoted = _QUOTED_CELL.match(token, position)
        if quoted is not None:
            inner = text(quoted[1], start + quoted.start(1), place, diagnostics)
            cells.append(ast.Cell(inner.value, inner.span))
            closed = quoted.end() < len(token)
            position = quoted.end() + 1
            continue
        plain = _PLAIN_CELL.match(token, position)
        assert plain is not None
        bare = plain[0].strip(_CELL_BLANKS)
        at_end = plain.end() == len(token)
        if bare.startswith("#") or (at_end and not bare):
            break
        first = start + position + plain[0].index(bare)
        # The place of a blank cell is the bar before it.
        at = place(first, first + len(bare)) if bare else place(start + position - 1, first)
        if bare.startswith('"'):
            diagnostics.append(messages.text_in_cell(at))
        cells.append(ast.Cell(bare, at))
        closed = not at_end
        position = plain.end() + 1
    if not closed:
        diagnostics.append(messages.row_not_closed(cells[-1].span))
    return ast.CellRow(tuple(cells), place(start, start + len(token.rstrip(_CELL_BLANKS))))


# ── messages ───────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Hole:
    """What stands between two braces of a message.

    `offsets` are the places of its characters in the file, and of the brace behind them.
    """

    text: str
    offsets: Sequence[int]
    whole: Span

    def place(self, start: int, end: int) -> Span:
        return Span(self.whole.source, self.offsets[start], self.offsets[end])


_PIECE = re.compile(r"[^{}]+|(?:\{\{)+|(?:\}\})+|[{}]")
_IN_HOLE = re.compile(r'"(?:[^"\\]++|\\.?+)*+"?|[{}]|[^"{}]+', re.DOTALL)


def template_parts(message: ast.Text, diagnostics: Diagnostics) -> list[str | Hole]:
    """The plain pieces and the holes of a message, in order."""
    return _joined(_pieces(message, diagnostics))


def _pieces(message: ast.Text, diagnostics: Diagnostics) -> Iterator[str | Hole]:
    value, position, holes = message.value, 0, 0
    while found := _PIECE.match(value, position):
        piece, at = found[0], _span(message, position, found.end())
        position = found.end()
        if piece[:2] in ("{{", "}}"):
            yield piece[::2]
        elif piece == "}":
            diagnostics.append(messages.brace_not_opened(at))
        elif piece == "{":
            end = _end_of_hole(value, position)
            if end is None:
                diagnostics.append(messages.brace_not_closed(at))
                return
            whole = _span(message, position - 1, end + 1)
            holes += 1
            if holes > MOST_HOLES:
                diagnostics.append(messages.too_many_holes(whole, MOST_HOLES))
                return
            if value[position:end].strip():
                yield Hole(value[position:end], message.offsets[position : end + 1], whole)
            else:
                diagnostics.append(messages.brace_empty(whole))
            position = end + 1
        else:
            yield piece


def _span(message: ast.Text, start: int, end: int) -> Span:
    return Span(message.span.source, message.offsets[start], message.offsets[end - 1] + 1)


def _end_of_hole(value: str, start: int) -> int | None:
    """Where the brace stands that closes a hole: braces of sets and texts within it are passed
    over.
    """
    depth = 1
    for found in _IN_HOLE.finditer(value, start):
        depth += {"{": 1, "}": -1}.get(found[0], 0)
        if depth == 0:
            return found.start()
    return None


def _joined(pieces: Iterator[str | Hole]) -> list[str | Hole]:
    joined: list[str | Hole] = []
    plain: list[str] = []
    for piece in pieces:
        if isinstance(piece, str):
            plain.append(piece)
            continue
        if plain:
            joined.append("".join(plain))
            plain = []
        joined.append(piece)
    if plain:
        joined.append("".join(plain))
    return joined


_PATH = re.compile(r"[a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*){0,20}")


def plain_path(hole: Hole) -> ast.Expr | None:
    """`p.student_id` without the parser, which costs more: most holes are as plain as this."""
    if not _PATH.fullmatch(hole.text):
        return None
    first, *names = hole.text.split(".")
    if first in reserved_words():
        return None
    end = len(first)
    expression: ast.Expr = ast.Variable(first, hole.place(0, end))
    for name in names:
        start, end = end + 1, end + 1 + len(name)
        place = hole.place(start, end)
        expression = ast.Attribute(expression, ast.Name(name, place), hole.place(0, end))
    return expression
