"""reports: the rows of a report as a host takes them"""

import polars as pl

from ruleforge.engine.polars_types import as_text
from ruleforge.language.schema import Table
from ruleforge.language.types import (
    CodeType,
    DecimalType,
    SchoolYearType,
    ValueType,
)

WITHHELD = "(withheld)"


def typed(frame: pl.DataFrame, table: Table, *, show_sensitive: bool) -> pl.DataFrame:
    """The columns of a view as a host takes them: codes, school years and texts as text, decimals
    exact. What is sensitive is withheld, unless asked for.
    """
    columns: list[pl.Expr] = []
    for column in table.columns:
        value = _as_taken(column.name, column.type)
        if column.sensitive and not show_sensitive:
            value = pl.when(pl.col(column.name).is_not_null()).then(pl.lit(WITHHELD))
        columns.append(value.alias(column.name))
    return frame.select(columns)


def _as_taken(name: str, value_type: ValueType) -> pl.Expr:
    column = pl.col(name)
    match value_type:
        case DecimalType(places):
            return as_text(column, value_type).cast(pl.Decimal(38, places))
        case CodeType() | SchoolYearType():
            return as_text(column, value_type)
        case _:
            return column
