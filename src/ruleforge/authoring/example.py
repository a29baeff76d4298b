"""example: core.Test, Rulebook -> the data that a test is about

Every table is there with every column, so that no rule is left out for want of data. What the author
does not name is missing, but for required columns, which get a value that passes: the text
`required`, the first code in force, 0, false, 2000-01-01, the school year of the test. Of a text, a
number or a date in the key each row gets another one. What refers to another table stays missing.
The tables of datasets are there too; of those that are lookup tables, which a dataset need not
bring, only what is given.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import assert_never

from ruleforge.language.core import GivenTable, Rulebook, Test, Value
from ruleforge.language.resolve import AS_OF
from ruleforge.language.schema import Column, Schema, SchoolYear, Table
from ruleforge.language.types import (
    BooleanType,
    CodeType,
    DateType,
    DecimalType,
    IntegerType,
    PeriodType,
    SchoolYearType,
    TextType,
)

FIRST_DAY = dt.date(2000, 1, 1)
_FIRST_YEAR = SchoolYear(2000)
_SCHOOL_YEAR = "school_year"
Cells = dict[str, Value | None]


@dataclass(frozen=True)
class Example:
    """The rows of every table, each with every column, and the parameters of a test."""

    tables: Mapping[str, tuple[Cells, ...]]
    as_of: dt.date
    parameters: Mapping[str, Value]


def example(test: Test, rulebook: Rulebook) -> Example:
    """The data and parameters of a test. Without an `as_of` of its own it is judged as of the latest
    date among the parameters, and as of 2000-01-01 where there is none.
    """
    parameters = dict(test.settings)
    defaults = {name: each.default for name, each in rulebook.parameters.items()}
    values = {**defaults, **parameters}
    as_of = parameters.pop(AS_OF, None)
    if not isinstance(as_of, dt.date):
        days = [value for value in values.values() if isinstance(value, dt.date)]
        as_of = max(days, default=FIRST_DAY)
    year = values.get(_SCHOOL_YEAR)
    given = {each.table: each for each in test.givens}
    tables = {
        table.name: tuple(
            _rows(
                table,
                given.get(table.name),
                rulebook.schema,
                year if isinstance(year, SchoolYear) else None,
            )
        )
        for table in _tables(rulebook.schema)
        if not (table.dataset and table.lookup and table.name not in given)
    }
    return Example(tables, as_of, parameters)


def _tables(schema: Schema) -> list[Table]:
    """The tables that data has: those that are declared, and those of datasets."""
    of_datasets = [each for each in schema.derived.values() if each.dataset and not each.label]
    return [*schema.tables.values(), *of_datasets]


def _rows(
    table: Table, given: GivenTable | None, schema: Schema, year: SchoolYear | None
) -> list[Cells]:
    if given is None:
        return []
    referring = {name for link in table.links if link.checked for name in link.columns}
    filled = [
        column
        for column in table.columns
        if column.required and column.name not in {*given.columns, *referring}
    ]
    rows: list[Cells] = []
    for number, values in enumerate(given.rows):
        row: Cells = dict.fromkeys(table.columns_by_name)
        row.update(zip(given.columns, values, strict=True))
        for column in filled:
            row[column.name] = _passing(
                column, number, schema, year, distinct=column.name in table.key
            )
        rows.append(row)
    return rows


def _passing(
    column: Column, number: int, schema: Schema, year: SchoolYear | None, *, distinct: bool
) -> Value:
    """A value that a required column may hold; with `distinct` another one in each row where the
    type has enough of them.
    """
    match column.type:
        case TextType():
            text = str(number + 1) if distinct else "required"
            return text[: column.max_length]
        case IntegerType():
            return number if distinct else 0
        case DecimalType():
            return Decimal(number if distinct else 0)
        case BooleanType():
            return False
        case DateType():
            return FIRST_DAY + dt.timedelta(days=number if distinct else 0)
        case SchoolYearType():
            return year or _FIRST_YEAR
        case CodeType(name):
            codes = schema.code_sets[name].codes
            in_force = (
                code.code
                for code in codes
                if year is None or ((code.since or year) <= year and (code.until or year) >= year)
            )
            return next(in_force, codes[0].code)
        case PeriodType():
            raise AssertionError("no column is a period")
    assert_never(column.type)
