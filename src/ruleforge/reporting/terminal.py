"""terminal: a page -> a screen, in colour and as wide as the screen is"""

import sys
from typing import Literal

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ruleforge.reporting.page import Grid, Line, Page, Style, Words

_WIDE = 120  # from here on there is room for spare columns
_STYLES = {
    Style.PLAIN: "",
    Style.STRONG: "bold",
    Style.FAINT: "dim",
    Style.ERROR: "bold red",
    Style.CONFLICT: "bold magenta",
    Style.EXCLUSION: "bold cyan",
    Style.WARNING: "bold yellow",
    Style.INFORMATIONAL: "bold blue",
    Style.GOOD: "bold green",
}


def show(page: Page, *, colour: bool = True, console: Console | None = None) -> None:
    """Prints the page on the terminal that standard output is. Without `colour` it is laid out all
    the same.
    """
    screen = console or Console(file=sys.stdout, highlight=False, no_color=not colour or None)
    for block in page:
        match block:
            case Line(words=()):
                screen.print()
            case Line():
                screen.print(_line(block))
            case Grid():
                screen.print(Padding(_table(block, screen.width), (0, 0, 0, block.indent)))


def _text(words: Words) -> Text:
    return Text(words.text, style=_STYLES[words.style])


def _line(line: Line) -> Padding:
    text = Text.assemble(*(_text(each) for each in line.words))
    return Padding(text, (0, 0, 0, line.indent))


def _table(grid: Grid, width: int) -> Table:
    titled = any(column.title for column in grid.columns)
    table = Table(
        box=None, show_header=titled, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim"
    )
    spare = width >= _WIDE
    for column in grid.columns:
        if not column.below and (spare or not column.spare):
            justify: Literal["left", "right"] = "right" if column.right else "left"
            table.add_column(column.title, justify=justify, no_wrap=column.fixed, overflow="fold")
    for row in grid.rows:
        cells: list[Text] = []
        below: list[Text] = []
        for column, words in zip(grid.columns, row, strict=True):
            if column.below:
                below.append(_text(words))
            elif spare or not column.spare:
                cells.append(_text(words))
        beneath = Text("  ").join(each for each in below if each.plain)
        if beneath.plain:
            cells[-1] = Text.assemble(cells[-1], "\n", beneath)
        table.add_row(*cells)
    return table
