"""linked_rows: tables in Polars -> the few rows that one row is linked to, as plain Python values

What `explain` reads of the data. A table of a million rows is filtered by Polars before anything
becomes a Python object, so that one row costs one pass over the columns of the link.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal, Inexact
from pathlib import PurePath
from typing import Any

import polars as pl

from ruleforge.engine.admit import FILE, AdmittedTable, bad, raw
from ruleforge.engine.plan import ROW
from ruleforge.engine.polars_types import dtype_of, scaled
from ruleforge.engine.reference_backend import Row
from ruleforge.engine.reference_functions import in_domain
from ruleforge.engine.revision import LINE
from ruleforge.engine.whole_views import SOURCE
from ruleforge.language.core import Value
from ruleforge.language.schema import Schema, SchoolYear
from ruleforge.language.types import (
    BOOLEAN,
    CELL_PLACES,
    TEXT,
    DecimalType,
    IntegerType,
    SchoolYearType,
    ValueType,
)

Wanted = Mapping[str, Value]

_OFTEN = 20  # questions of one kind, after which an index is worth its while
_FEW = 200_000  # rows of which one is made
_EXACT = Context(prec=60, traps=[Inexact])


@dataclass
class LinkedRows:
    """Rows of admitted tables and views. A row is one object, whatever question it answers.

    A row has all columns (None where one was not supplied), what stood in cells that could not be
    read, under `ROW` its number in its table, under `FILE` and `LINE` its place, and under `SOURCE`
    the number of the row of which it is made, where it has one.
    """

    tables: Mapping[str, AdmittedTable]
    schema: Schema
    _rows: dict[tuple[str, int], Row] = field(default_factory=dict)
    _found: dict[tuple[object, ...], list[Row]] = field(default_factory=dict)
    _asked: dict[tuple[str, ...], int] = field(default_factory=dict)
    _heights: dict[str, int] = field(default_factory=dict)
    _indexes: dict[tuple[str, ...], dict[tuple[Value | None, ...], list[Row]]] = field(
        default_factory=dict
    )

    def of(self, table: str, wanted: Wanted) -> list[Row]:
        """All rows that have these values; all rows of the table where nothing is wanted."""
        asked = (table, *sorted((name, type(value), value) for name, value in wanted.items()))
        if asked not in self._found:
            self._found[asked] = self._look_up(table, wanted)
        return self._found[asked]

    def few(self, table: str, wanted: Wanted, most: int) -> list[Row]:
        """The rows that have these values; none where there are more of them than `most`."""
        frame = self.frame(table, wanted)
        return self.rows(table, frame) if frame.height <= most else []

    def _look_up(self, table: str, wanted: Wanted) -> list[Row]:
        """The rows, asked of Polars; where that was asked often, of an index of all rows, if they
        are few: one pupil may have thousands of rows that each lead to a school.
        """
        names = (table, *sorted(wanted))
        self._asked[names] = self._asked.get(names, 0) + 1
        often = bool(wanted) and self._asked[names] > _OFTEN
        if not often or self._height(table) > _FEW:
            return self.rows(table, self.frame(table, wanted))
        if names not in self._indexes:
            index: dict[tuple[Value | None, ...], list[Row]] = {}
            for row in self.of(table, {}):
                index.setdefault(tuple(row[name] for name in names[1:]), []).append(row)
            self._indexes[names] = index
        return self._indexes[names].get(tuple(wanted[name] for name in names[1:]), [])

    def _height(self, table: str) -> int:
        if table not in self._heights:
            rows = self.tables[table].scan({}).select(pl.len()).collect(engine="streaming")
            self._heights[table] = rows.item()
        return self._heights[table]

    def frame(
        self, table: str, wanted: Wanted, place: tuple[str, int] | None = None
    ) -> pl.DataFrame:
        """The rows that have these values, and stand in that file and line where a place is asked
        for, in their order; columns as Polars holds them.
        """
        admitted = self.tables[table]
        cells: dict[str, pl.Series] = {}
        for name, value in wanted.items():
            value_type = admitted.table.columns_by_name[name].type
            held = _held(value, value_type)
            if held is None:
                return pl.DataFrame(schema=dict.fromkeys(self._names(admitted), pl.Null))
            cells[name] = pl.Series(name, [held], dtype=dtype_of(value_type, self.schema))
        keys = pl.DataFrame(list(cells.values()))
        if place is not None:
            file, line = place
            numbers = [n for n, path in enumerate(admitted.files) if not file or _is_of(path, file)]
            lines = {LINE: pl.Series([line] * len(numbers), dtype=pl.UInt32)}
            places = pl.DataFrame({FILE: pl.Series(numbers, dtype=pl.UInt32), **lines})
            keys = places.join(keys, how="cross") if cells else places
        return self._among(admitted, keys if keys.width else None)

    def _among(self, admitted: AdmittedTable, keys: pl.DataFrame | None) -> pl.DataFrame:
        """The rows that have the values of one row of `keys`, all without; in their order."""
        names = self._names(admitted)
        every = admitted.scan({name: name for name in names}, ROW)
        query = every if keys is None else admitted.among(keys, names, ROW)
        # NOTE: the streaming engine gives rows as they come.
        return query.collect(engine="streaming").sort(ROW)

    def numbered(self, table: str, number: int) -> Row:
        """The row of a number."""
        if (table, number) not in self._rows:
            keys = pl.DataFrame({ROW: pl.Series([number], dtype=pl.get_index_type())})
            self.rows(table, self._among(self.tables[table], keys))
        return self._rows[table, number]

    def made_of(self, view: str, number: int) -> list[Row]:
        """The rows of a view that are made of the row of a number."""
        keys = pl.DataFrame({SOURCE: pl.Series([number], dtype=pl.get_index_type())})
        return self.rows(view, self._among(self.tables[view], keys))

    def rows(self, table: str, frame: pl.DataFrame) -> list[Row]:
        """The rows of a frame that `frame` has given."""
        admitted = self.tables[table]
        types: dict[str, ValueType] = {
            column.name: column.type
            for column in admitted.table.columns
            if column.name in frame.columns
        }
        for name in admitted.convertible:
            types |= {bad(name): BOOLEAN, raw(name): TEXT}
        found: list[Row] = []
        for each in frame.iter_rows(named=True):
            # WHY: a message may name a column that was not supplied; there it is missing.
            number = each[ROW]
            if (table, number) in self._rows:
                found.append(self._rows[table, number])
                continue
            row: Row = dict.fromkeys(admitted.table.columns_by_name)
            row |= {
                name: _value(each[name], value_type)
                for name, value_type in types.items()
                if name in each
            }
            if FILE in each and each[FILE] is not None:
                row[FILE] = admitted.files[each[FILE]]
            row |= {name: each[name] for name in (LINE, SOURCE) if name in each}
            row[ROW] = number
            self._rows[table, number] = row
            found.append(row)
        return found

    @staticmethod
    def _names(admitted: AdmittedTable) -> list[str]:
        columns = [c.name for c in admitted.table.columns if c.name in admitted.supplied]
        unread = [hidden(c) for c in columns if c in admitted.convertible for hidden in (bad, raw)]
        place = [*([FILE] if admitted.files else []), *([LINE] if admitted.lined else [])]
        made = SOURCE in admitted.parts[0].columns
        return [*columns, *unread, *place, *([SOURCE] if made else [])]


def _is_of(path: str, file: str) -> bool:
    """Whether a file is the one that is meant: by its path, or by the end of it."""
    parts, wanted = PurePath(path).parts, PurePath(file).parts
    return parts[-len(wanted) :] == wanted


def _held(value: Value, value_type: ValueType) -> object:
    """A value as a column of the type holds it; None where no cell of the type equals it."""
    match value_type:
        case DecimalType(places):
            if not isinstance(value, int | Decimal) or in_domain(value) is None:
                return None
            number = Decimal(value)
            exponent = _EXACT.normalize(number).as_tuple().exponent
            if not isinstance(exponent, int) or -exponent > min(places, CELL_PLACES):
                return None
            return scaled(number, places)
        case IntegerType():
            if isinstance(value, Decimal) and value != value.to_integral_value():
                return None
            return int(value) if isinstance(value, int | Decimal) else None
        case SchoolYearType():
            return value.start_year if isinstance(value, SchoolYear) else None
        case _:
            return value


def _value(held: Any, value_type: ValueType) -> Value | None:
    """What a column of the type holds, as a value."""
    if held is None:
        return None
    match value_type:
        case DecimalType(places):
            # NOTE: 38 digits and more; the common context would round them to 28.
            return Decimal(held).scaleb(-places, _EXACT)
        case SchoolYearType():
            return SchoolYear(held)
        case _:
            value: Value = held
            return value
