"""named_row: a table or view, values of columns or roles -> the one row that is meant

Exactly one row must have the values. Where a view has none, but the table that it is made of has
one, that is the answer: the row is left out of the view.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from ruleforge.engine.admit import FILE
from ruleforge.engine.linked_rows import LinkedRows
from ruleforge.engine.parameters import converted
from ruleforge.engine.plan import ROW
from ruleforge.engine.reference_backend import Row
from ruleforge.engine.reference_functions import shown
from ruleforge.engine.revision import LINE
from ruleforge.engine.whole_views import SOURCE
from ruleforge.language import core
from ruleforge.language.check_messages import named
from ruleforge.language.core import Value
from ruleforge.language.schema import Table
from ruleforge.language.suggest import nearest

MOST_CHOICES = 10
PLACE = ("file", "line")  # also say which row is meant, where the table has no such columns


class RowError(Exception):
    """The rule or the row that is to be explained cannot be told: a fact and a fix. `choices` are
    the first of several rows that fit, each as what tells it from the others.
    """

    def __init__(self, message: str, choices: tuple[dict[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.choices = choices


@dataclass(frozen=True)
class LeftOut:
    """A row of the table that a view is made of, which is not in the view."""

    view: core.View
    row: Row


def named_row(
    given: Mapping[str, object], name: str, linked: LinkedRows, views: Mapping[str, core.View]
) -> Row | LeftOut:
    """The row of a table or view that is meant. Raises `RowError`."""
    table = linked.schema.table(name)
    if not given:
        raise RowError(f"no row of `{table.shown}` is named; {_example(table)}")
    wanted = _wanted(given, table, linked)
    place: tuple[str, int] | None = None
    if any(each in given and each not in table.columns_by_name for each in PLACE):
        place = _place(given, table, linked)
    frame = linked.frame(name, wanted, place)
    if frame.height == 1 or _are_one(frame):
        return linked.rows(name, frame.head(1))[0]
    asked = ", ".join(f"{each} {value}" for each, value in given.items())
    if not frame.height:
        left_out = _left_out(given, table, linked, views)
        if left_out is not None:
            return left_out
        raise RowError(
            f"no row of `{table.shown}` has {asked}; check the values, they are compared exactly"
        )
    raise RowError(
        f"{frame.height:,} rows of `{table.shown}` have {asked}; say more of the one that is meant",
        tuple(_choices(linked.rows(name, frame.head(MOST_CHOICES)), table)),
    )


def _are_one(frame: pl.DataFrame) -> bool:
    """Whether rows are equal in everything by which one could be told from another: then every rule
    says the same of them.
    """
    return frame.height > 1 and frame.drop(ROW, SOURCE, strict=False).unique().height == 1


def _left_out(
    given: Mapping[str, object],
    table: Table,
    linked: LinkedRows,
    views: Mapping[str, core.View],
) -> LeftOut | None:
    """The row that a view would have, were it not left out; None where there is none, or where it
    cannot be found by what is given.
    """
    view = views.get(table.name)
    if view is None or view.group is not None or view.joined is not None:
        return None
    columns = dict(view.columns)
    names: dict[str, object] = {}
    for name, value in given.items():
        column = _column(name, table)
        if column is None:
            names[name] = value
            continue
        shows = columns[column]
        if not isinstance(shows, core.ColumnValue) or shows.row != view.variable:
            return None
        names[shows.column] = value
    try:
        found = named_row(names, view.variable.table, linked, views)
    except RowError as mistake:
        if mistake.choices:
            raise
        return None
    return found if isinstance(found, LeftOut) else LeftOut(view, found)


def _column(name: str, table: Table) -> str | None:
    """The column that a name means, its own or that of a role."""
    return name if name in table.columns_by_name else table.roles.get(name)


def _wanted(given: Mapping[str, object], table: Table, linked: LinkedRows) -> dict[str, Value]:
    """The values that columns are to have."""
    wanted: dict[str, Value] = {}
    admitted = linked.tables[table.name]
    for name, value in given.items():
        column = _column(name, table)
        if column is None and name in PLACE:
            continue
        if column is None:
            near = nearest(name, [*table.columns_by_name, *table.roles])
            hint = f"did you mean `{near}`?" if near else _example(table)
            raise RowError(f"`{name}` is no column or role of `{table.shown}`; {hint}")
        if column not in admitted.supplied:
            why = admitted.unusable.get(column, "")
            raise RowError(f"no row is found by `{table.shown}.{column}`: {why}; leave it out")
        value_type = table.columns_by_name[column].type
        fitting = converted(value, core.Parameter(name, value_type, None, None, ""), linked.schema)
        if fitting is None:
            raise RowError(
                f"`{value}` does not fit `{table.shown}.{column}`; give {named(value_type)}"
            )
        if column in wanted and wanted[column] != fitting:
            raise RowError(f"`{column}` is given twice, with two values; give it once")
        wanted[column] = fitting
    return wanted


def _place(given: Mapping[str, object], table: Table, linked: LinkedRows) -> tuple[str, int]:
    line = str(given.get("line", ""))
    if not line.isdecimal() or len(line) > 9:
        raise RowError("a place in a file is given by `line`, a number from 1 up, and `file`")
    if not linked.tables[table.name].lined:
        raise RowError(
            f"the rows of `{table.shown}` have no lines; name columns of the key instead"
        )
    return str(given.get("file", "")), int(line)


def _example(table: Table) -> str:
    return f"a row is known by its key, {', '.join(f'`{name}`' for name in table.key)}"


def _choices(rows: Sequence[Row], table: Table) -> list[dict[str, str]]:
    """What tells each row from the others: its key and its place, and where that is not enough, the
    columns in which they differ.
    """
    public = [column.name for column in table.columns if not column.sensitive]
    key = [name for name in table.key if name in public]
    choices = [_choice(row, key) for row in rows]
    if len({tuple(each.items()) for each in choices}) == len(choices):
        return choices
    differing = [name for name in public if len({row.get(name) for row in rows}) > 1]
    return [_choice(row, list(dict.fromkeys([*key, *differing]))) for row in rows]


def _choice(row: Row, names: Iterable[str]) -> dict[str, str]:
    """Some values of a row that are there, and its place."""
    choice = {name: shown(row[name]) for name in names if row.get(name) is not None}
    if row.get(FILE) is not None:
        choice["file"] = str(row[FILE])
    if row.get(LINE) is not None:
        choice["line"] = str(row[LINE])
    return choice
