"""reformat_lines: lines of tokens and marks -> lines of text

A line that fits is one line of text. Of one that does not, the outermost group is broken first, and
what is within it only where it still does not fit. A comment ends the line that it stands on, or
begins one, whatever fits.

Every decision looks at widths that are added up beforehand, so that the time grows with the text
and not with its nesting; and no line begins further in than `_FURTHEST`, so that the result does
not grow with it either.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from lark import Token

from ruleforge.language.reformat_shape import OPENING, STEP, Line, Mark
from ruleforge.language.render import width

LONGEST = 100
_FURTHEST = 60
_WIDEST_CELL = 48
_MORE_THAN_USUAL = 16
_WIDEST_COMMENTED = 80
_COMMENT_GAP = 2


@dataclass
class Comments:
    """Comments by the place of a token: those on lines of their own before it, each with whether an
    empty line precedes it, and the one behind it. `apart` are the tokens that an empty line precedes.
    """

    before: dict[int, list[tuple[str, bool]]] = field(default_factory=dict)
    behind: dict[int, str] = field(default_factory=dict)
    apart: set[int] = field(default_factory=set)


@dataclass
class Text:
    """A line of text, the comment at its end, and whether an empty line comes before it. Comments
    of one block stand below each other.
    """

    text: str
    comment: str = ""
    apart: bool = False
    block: str = ""


_NO_BLANK_BEHIND = frozenset({"(", "{", ".", ".."})
_NO_BLANK_BEFORE = frozenset({")", "}", ",", ".", "..", ":"})


def texts_of(lines: Sequence[Line], comments: Comments, aligned: frozenset[str]) -> list[Text]:
    """The lines of a declaration, or of several that have columns in common. `aligned` are the
    blocks in which cells are padded.
    """
    cells = _cells_of(lines, comments, aligned)
    rows = _rows_of(lines)
    texts: list[Text] = []
    for number, line in enumerate(lines):
        if line.block.startswith("rows"):
            text = rows[id(line)]
            printer = _Printer(line, comments, {}, {id(line.items[0]): text})
        else:
            printer = _Printer(line, comments, cells.get(line.block, {}), {})
        printer.run()
        if number <= 1:  # behind the first line of a declaration there is no empty one
            printer.texts[0].apart = False
        texts += printer.texts
    return texts


def with_comments(texts: Sequence[Text]) -> list[str]:
    """The lines with their comments at the end, those of a block below each other."""
    columns: dict[str, int] = defaultdict(int)
    for each in texts:
        if each.comment and each.block and width(each.text) <= _WIDEST_COMMENTED:
            columns[each.block] = max(columns[each.block], width(each.text))
    result = []
    for each in texts:
        if each.apart:
            result.append("")
        text = each.text
        if each.comment:
            gap = max(0, columns[each.block] - width(text)) if each.block else 0
            text = f"{text}{' ' * (gap + _COMMENT_GAP)}{each.comment}"
        result.append(text)
    return result


def _at(token: Token) -> int:
    return token.start_pos or 0


# ── columns ────────────────────────────────────────────────────────────────────────────────────


def _cells_of(
    lines: Sequence[Line], comments: Comments, aligned: frozenset[str]
) -> dict[str, dict[int, int]]:
    """How wide each cell of each block is: by block, by number of the cell."""
    found: dict[str, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for line in lines:
        if line.block in aligned and not is_interrupted(line, comments):
            for number, each in enumerate(_cell_widths(line)):
                found[line.block][number].append(each)
    return {
        block: {number: _width_of_column(widths) for number, widths in columns.items()}
        for block, columns in found.items()
    }


def _width_of_column(widths: list[int]) -> int:
    """The widest cell, but for those that are so much wider than most that they would tear the
    others apart.
    """
    usual = sorted(widths)[len(widths) // 2]
    widest = min(2 * usual + _MORE_THAN_USUAL, _WIDEST_CELL)
    return max((each for each in widths if each <= widest), default=0)


def _cell_widths(line: Line) -> list[int]:
    """How wide the cells of one line are, but for the last, which needs no padding."""
    if Mark.CELL not in line.items:
        return []
    found, total = [], 0
    for item, before in zip(line.items, _blanks_before(line.items), strict=True):
        if item is Mark.CELL:
            found.append(total)
            total = 0
        elif isinstance(item, Token):
            total += before + width(item)
        elif item is Mark.BREAK:
            total += 1
    return found


def is_interrupted(line: Line, comments: Comments) -> bool:
    """Whether a comment stands within the line, so that it is more than one."""
    if not comments.before and not comments.behind:
        return False
    tokens = [each for each in line.items if isinstance(each, Token)]
    return any(_at(each) in comments.before for each in tokens[1:]) or any(
        _at(each) in comments.behind for each in tokens[:-1]
    )


_ROW = re.compile(r'\|(?:[^|"\\]*+\|)++')


def _rows_of(lines: Sequence[Line]) -> dict[int, str]:
    """The text of each row of a test, its bars below those of the rows above.

    NOTE: a table in which a cell has a quote or a backslash, or a row does not end with a bar,
    stays as it is: a bar might not be the end of a cell there.
    """
    tables: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        if line.block.startswith("rows"):
            tables[line.block].append(line)
    texts: dict[int, str] = {}
    for table in tables.values():
        rows = [str(each.items[0]).rstrip(" \t") for each in table]
        if all(_ROW.fullmatch(each) for each in rows):
            split = [[cell.strip(" \t") for cell in each[1:-1].split("|")] for each in rows]
            widths: dict[int, int] = defaultdict(int)
            for cells in split:
                for number, cell in enumerate(cells):
                    if width(cell) <= _WIDEST_CELL:
                        widths[number] = max(widths[number], width(cell))
            rows = ["| " + " | ".join(_padded(cells, widths)) + " |" for cells in split]
        texts |= {id(line): row for line, row in zip(table, rows, strict=True)}
    return texts


def _padded(cells: Sequence[str], widths: dict[int, int]) -> list[str]:
    return [cell + " " * (widths[n] - width(cell)) for n, cell in enumerate(cells)]


def row_content(row: str) -> str:
    """What a row of a test says, however its bars are set."""
    row = row.rstrip(" \t")
    if not _ROW.fullmatch(row):
        return row
    return "|".join(cell.strip(" \t") for cell in row.split("|"))


# ── one line ───────────────────────────────────────────────────────────────────────────────────


def _blanks_before(items: Sequence[Token | Mark]) -> list[int]:
    """For each item, how many blanks come before it where it is a token."""
    result = []
    previous: str | None = None
    glued, wanted = True, False
    for item in items:
        blank = 0
        if isinstance(item, Token):
            apart = item not in _NO_BLANK_BEFORE and previous not in _NO_BLANK_BEHIND
            blank = int(wanted or (apart and not glued))
            previous, glued, wanted = str(item), False, False
        elif item in _OWN_BLANK:
            glued = True
        elif item is Mark.BLANK:
            wanted = True
        result.append(blank)
    return result


# Behind these a token has no blank of its own.
_OWN_BLANK = frozenset({Mark.GLUE, Mark.BREAK, Mark.SIGN, Mark.BODY, Mark.CELL})
_PLACES = frozenset({Mark.BREAK, Mark.SIGN, Mark.BODY})


@dataclass
class _Group:
    """An open group: where its lines begin, and whether it is on one line."""

    mark: Mark
    indent: int
    flat: bool


class _Printer:
    """Sets one line of tokens and marks."""

    def __init__(
        self, line: Line, comments: Comments, cells: dict[int, int], instead: dict[int, str]
    ) -> None:
        self.line, self.comments, self.instead = line, comments, instead
        self.items = line.items
        self.blanks = _blanks_before(self.items)
        self.interrupted = is_interrupted(line, comments)
        self.cells = {} if self.interrupted else cells
        self.texts: list[Text] = []
        self.current: list[str] = []
        self.column = line.indent
        self.start = line.indent
        self.pending = 0
        self.comment = ""
        self.apart = False

    def run(self) -> None:
        self._measure()
        base = _Group(Mark.HANG, self.line.indent + STEP, flat=False)
        if not self.interrupted and self._fits(0, len(self.items)):
            base.flat = True
        groups = [base]
        cell = 0
        for at, item in enumerate(self.items):
            group = groups[-1]
            if isinstance(item, Token):
                self._token(item, at, group)
            elif item in OPENING:
                groups.append(self._opened(item, at, group))
            elif item is Mark.END:
                groups.pop()
            elif item in _PLACES:
                self._place(item, at, group)
            elif item is Mark.CELL:
                gap = self.line.gaps[min(cell, len(self.line.gaps) - 1)]
                found = self.width_of_cell[cell]
                wanted = self.cells.get(cell, 0)
                self.pending = gap + max(0, wanted - found)
                cell += 1
        self._end_line()

    def _measure(self) -> None:
        """Adds up widths and forced breaks, and finds for each place the next of its group."""
        items, comments = self.items, self.comments
        widths: list[int] = []
        forced: list[int] = []
        cell = 0
        self.width_of_cell = _cell_widths(self.line)
        for item, blank in zip(items, self.blanks, strict=True):
            breaks = 0
            if isinstance(item, Token):
                here = blank + width(self.instead.get(id(item), item))
                if self.interrupted:
                    at = _at(item)
                    breaks = (at in comments.before) + (at in comments.behind)
            elif item in _PLACES:
                here = 1
            elif item is Mark.CELL:
                gap = self.line.gaps[min(cell, len(self.line.gaps) - 1)]
                here = gap + max(0, self.cells.get(cell, 0) - self.width_of_cell[cell])
                cell += 1
            else:
                here = 0
            widths.append(here)
            forced.append(breaks)
        self.widths = [0, *accumulate(widths)]
        self.forced = [0, *accumulate(forced)]
        self._find_ends()

    def _find_ends(self) -> None:
        """`end`: for an opening mark its END, for a place the next place of its group or the END.
        `stop`: for each item the next place of any group.
        """
        size = len(self.items)
        self.end = [size] * (size + 1)
        self.stop = [size] * (size + 1)
        following = [size]
        opened: list[int] = []
        stop = size
        for at in range(size - 1, -1, -1):
            item = self.items[at]
            self.stop[at] = stop
            if item is Mark.END:
                opened.append(at)
                following.append(at)
            elif item in OPENING:
                self.end[at] = opened.pop()
                following.pop()
            elif item in _PLACES:
                self.end[at] = following[-1]
                following[-1] = at
                stop = at

    def _fits(self, start: int, end: int, column: int | None = None) -> bool:
        """Whether the items from start to end fit on the line, with what cannot be parted from
        them.
        """
        if self.forced[end] > self.forced[start]:
            return False
        last = end if end == len(self.items) or self.items[end] in _PLACES else self.stop[end]
        column = self.column + self.pending if column is None else column
        return column + self.widths[last] - self.widths[start] <= LONGEST

    def _opened(self, mark: Mark, at: int, parent: _Group) -> _Group:
        flat = parent.flat or self._fits(at, self.end[at])
        if mark is Mark.HANG_FILL:
            return _Group(mark, parent.indent, flat)
        if mark is Mark.HANG:
            return _Group(mark, min(parent.indent + STEP, _FURTHEST), flat)
        following = at + 1
        while not isinstance(token := self.items[following], Token):
            following += 1
        if self.current and (self.comment or _at(token) in self.comments.before):
            self._end_line()
            self._begin_line(parent.indent)
        column = self.column
        if self.current:
            column += self.pending + self.blanks[following]
        if column > _FURTHEST:
            column = min(parent.indent + 2 * STEP, _FURTHEST)
        return _Group(mark, column, flat)

    def _place(self, mark: Mark, at: int, group: _Group) -> None:
        if self._is_used(mark, at, group):
            self._end_line()
            self._begin_line(group.indent)
        else:
            self.pending = 1

    def _is_used(self, mark: Mark, at: int, group: _Group) -> bool:
        if group.flat:
            return False
        if mark is Mark.BREAK:
            return group.mark not in (Mark.FILL, Mark.HANG_FILL) or not self._fits(at, self.end[at])
        if self._fits(at, self.end[at]):
            return False
        return mark is Mark.BODY or self._fits(at + 1, self.end[at], group.indent)

    def _token(self, token: Token, at: int, group: _Group) -> None:
        before = self.comments.before.get(_at(token))
        if self.current and (before or self.comment):
            self._end_line()
            self._begin_line(group.indent)
        if before:
            blank = " " * self.start
            for text, apart in before:
                self.texts.append(Text(blank + text, apart=apart and self.line.paragraphs))
        if self.line.paragraphs and token is self.items[0] and _at(token) in self.comments.apart:
            self.apart = True
        text = self.instead.get(id(token), str(token))
        if self.current:
            gap = self.pending + self.blanks[at]
            self.current.append(" " * gap)
            self.column += gap
        self.current.append(text)
        self.column += width(text)
        self.pending = 0
        self.comment = self.comments.behind.get(_at(token), "")

    def _begin_line(self, indent: int) -> None:
        self.start = self.column = indent
        self.pending = 0

    def _end_line(self) -> None:
        text = " " * self.start + "".join(self.current)
        self.texts.append(Text(text, self.comment, self.apart, self.line.block))
        self.current, self.comment, self.apart = [], "", False
