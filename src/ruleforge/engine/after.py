"""after: what the rules before it report -> the rows that a rule does not judge

All rules are judged in one pass, as if no row were taken. What a rule says of the rows that it does
not judge, be it counted or reported, is then taken back; that is cheap, since they are few.
"""

from collections.abc import Iterable

import polars as pl

from ruleforge.engine.lower import lower
from ruleforge.engine.plan import ROW
from ruleforge.engine.polars_backend import FAILS, HOLDS, NOT_APPLICABLE, UNKNOWN, PolarsBackend
from ruleforge.engine.polars_types import as_text
from ruleforge.language import core
from ruleforge.language.schema import Table, same_rows


def taken_rows(
    rule: core.Rule, before: Iterable[tuple[core.Rule, pl.DataFrame]], backend: PolarsBackend
) -> pl.Series:
    """The numbers of the rows of a rule's table that the rules before it report: the rows
    themselves, and those that are equal to a reported one in what `same_rows` says.
    """
    table = backend.schema.table(rule.variable.table)
    found = [pl.Series(ROW, [], dtype=pl.get_index_type())]
    for other, reported in before:
        if not reported.height:
            continue
        theirs = backend.schema.table(other.variable.table)
        if theirs.name == table.name:
            found.append(reported[ROW].cast(pl.get_index_type()))
            if not backend.repeated(table.name, table.key).height:
                continue
        found.append(_alike(table, theirs, reported, backend))
    return pl.concat(found).unique().sort()


def _alike(
    table: Table, theirs: Table, reported: pl.DataFrame, backend: PolarsBackend
) -> pl.Series:
    """The rows of a table that are equal to one of those reported; the missing equal nothing."""
    shared = same_rows(table, theirs)
    own, other, names = [], [], []
    for number, (column, reported_column) in enumerate(shared):
        mine, its = table.columns_by_name[column].type, theirs.columns_by_name[reported_column].type
        left, right = pl.col(column), pl.col(f"own.{reported_column}")
        if mine != its:
            left, right = as_text(left, mine), as_text(right, its)
        names.append(f"#same.{number}")
        own.append(left.alias(names[-1]))
        other.append(right.alias(names[-1]))
    wanted = reported.select(other).drop_nulls().unique()
    columns = {column: column for column, _ in shared}
    rows = backend.tables[table.name].scan(columns, ROW).select(ROW, *own)
    return rows.join(wanted.lazy(), on=names, how="semi").select(ROW).collect().to_series()


def verdicts_of(rule: core.Rule, rows: pl.Series, backend: PolarsBackend) -> dict[int, int]:
    """How many of some rows have each verdict, by its number."""
    (plan,) = lower((rule,), backend.schema)
    codes = backend.judge(plan, rows).select("verdict.0").collect(engine="streaming").to_series()
    numbers = dict.fromkeys((NOT_APPLICABLE, HOLDS, UNKNOWN, FAILS), 0)
    for code in codes.drop_nulls():
        numbers[min(code, FAILS)] += 1
    return numbers
