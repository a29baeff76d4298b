"""page: what a person is shown, before it is known on what

A page is a sequence of lines and grids of styled words. `plain` makes text of it for a pipe or a
file: nothing wrapped, a row a line, so that `grep` finds a finding whole. `terminal` lays the same
page out for a screen. Whatever came from data or from a stranger's rulebook is made harmless here,
once for both: characters that steer a terminal are shown as `�`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from ruleforge.language.render import printable


class Style(Enum):
    """What words mean, for `terminal` to colour."""

    PLAIN = auto()
    STRONG = auto()
    FAINT = auto()
    ERROR = auto()
    CONFLICT = auto()
    EXCLUSION = auto()
    WARNING = auto()
    INFORMATIONAL = auto()
    GOOD = auto()


@dataclass(frozen=True)
class Words:
    """A piece of text in one style, fit to be printed."""

    text: str
    style: Style = Style.PLAIN

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", printable(self.text))


@dataclass(frozen=True)
class Line:
    """Words in a row."""

    words: tuple[Words, ...] = ()
    indent: int = 0


@dataclass(frozen=True)
class Column:
    """A column of a grid. On a screen, what is in `below` columns stands under the cells of the
    last other column, and where it is narrow a `spare` one is left out. A `fixed` one is never
    wrapped.
    """

    title: str = ""
    right: bool = False
    below: bool = False
    spare: bool = False
    fixed: bool = False


@dataclass(frozen=True)
class Grid:
    """Rows of cells, with a line of titles where any column has one."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Words, ...], ...]
    indent: int = 0


Page = Sequence[Line | Grid]
GAP = Line()


def line(*texts: str | Words, indent: int = 0) -> Line:
    """A line of texts, plain ones where they are not styled."""
    words = (each if isinstance(each, Words) else Words(each) for each in texts)
    return Line(tuple(words), indent)


def plain(page: Page) -> str:
    """The page as text without colour and without wrapping."""
    lines: list[str] = []
    for block in page:
        match block:
            case Line():
                lines.append(" " * block.indent + "".join(each.text for each in block.words))
            case Grid():
                lines += _grid(block)
    return "".join(each.rstrip() + "\n" for each in lines)


def _grid(grid: Grid) -> list[str]:
    titles = (
        [tuple(column.title for column in grid.columns)]
        if any(c.title for c in grid.columns)
        else []
    )
    rows = [*titles, *(tuple(cell.text for cell in row) for row in grid.rows)]
    widths = [
        max(len(row[number]) for row in rows) if rows else 0 for number in range(len(grid.columns))
    ]
    return [
        " " * grid.indent
        + "  ".join(
            cell.rjust(width) if column.right else cell.ljust(width)
            for cell, width, column in zip(row, widths, grid.columns, strict=True)
        )
        for row in rows
    ]
