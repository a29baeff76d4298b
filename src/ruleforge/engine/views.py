"""views: which views can be made, what they read, and the making of them

A view is made once, before the rules that read it, of the columns that they read. From then on it is
a table like any other. Those of reports and populations are made like them, and read by nobody.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from functools import cache, partial

import polars as pl

from ruleforge.engine.admit import FILE, AdmittedPart, AdmittedTable
from ruleforge.engine.folding import folded_view
from ruleforge.engine.lower import lower_view, needed
from ruleforge.engine.needs import Supply, add_columns
from ruleforge.engine.plan import ROW
from ruleforge.engine.polars_backend import PolarsBackend
from ruleforge.engine.polars_views import made
from ruleforge.engine.revision import LINE
from ruleforge.language import core


def survey(rulebook: core.Rulebook, supply: Supply) -> Supply:
    """The supply with every view that can be made among its tables, not made yet, and why the others
    cannot. A column of a view that cannot be had does not keep the others from being made.
    """
    tables, unmade = dict(supply.tables), dict(supply.unmade)
    so_far = replace(supply, tables=tables, unmade=unmade)
    for name, view in rulebook.views.items():
        reasons = lacks_for_view(view, so_far)
        if reasons:
            unmade[name] = f"`{view.table.shown}` cannot be made: {'; '.join(reasons)}"
            continue
        unusable = {
            column.name: "; ".join(lacking)
            for column in view.table.columns
            if (lacking := so_far.lacks_for(parts_of_column(view, column.name)))
        }
        source = tables[view.variable.table] if view.group is None else None
        tables[name] = AdmittedTable(
            view.table,
            supply.schema,
            (),
            frozenset(view.table.columns_by_name.keys() - unusable.keys()),
            unusable,
            source.files if source else (),
            frozenset(),
            source.lined if source else False,
        )
    return so_far


def lacks_for_view(view: core.View, supply: Supply, *, whole: bool = False) -> tuple[str, ...]:
    """The reasons why a view cannot be made; with `whole`, with all its columns."""
    reasons = dict.fromkeys(
        supply.no_table(row.table)
        for row in (view.variable, view.joined)
        if row is not None and row.table not in supply.tables
    )
    parts = [each for each in (view.on, view.where) if each is not None]
    if view.group is not None:
        parts += [value for _, value in view.group.by]
    names = [name for name, _ in view.columns] if whole else []
    if view.keep is not None:
        names += [view.keep.by, *view.keep.per]
    parts += [part for name in names for part in parts_of_column(view, name)]
    if not reasons:
        reasons.update(dict.fromkeys(supply.lacks_for(parts)))
    return tuple(reasons)


def parts_of_column(view: core.View, column: str) -> tuple[core.Expr, ...]:
    """What is read for one column of a view, figures and values of its group included."""
    value = dict(view.columns)[column]
    if view.group is None:
        return (value,)
    named = {node.name for node in core.walk(value) if isinstance(node, core.LetValue)}
    parts: list[core.Expr | None] = [value]
    parts += [each for name, each in view.group.by if name in named]
    for figure in view.group.figures:
        if figure.name in named:
            parts += [figure.where, figure.value, figure.picked]
    return tuple(part for part in parts if part is not None)


def add_columns_of_view(
    read: dict[str, set[str]], view: core.View, columns: Iterable[str], supply: Supply
) -> None:
    """Adds the columns that are read to make some columns of a view."""
    schema = supply.schema
    parts = [each for each in (view.on, view.where) if each is not None]
    if view.group is not None:
        parts += [value for _, value in view.group.by]
    for name in needed(view, columns):
        parts += parts_of_column(view, name)
    add_columns(read, parts, schema)
    rows = [view.variable, *([view.joined] if view.joined is not None else [])]
    picks = view.group is not None and any(f.picked is not None for f in view.group.figures)
    for row in rows:
        # Ties go by all columns.
        all_columns = schema.table(row.table).columns_by_name if picks else ()
        read.setdefault(row.table, set()).update(all_columns)


def view_rows(
    view: core.View,
    columns: Iterable[str],
    backend: PolarsBackend,
    unusable: Collection[str] = (),
    *,
    numbered: bool = False,
) -> pl.DataFrame:
    """The rows of a view, in their order; file and line beside those of one table, and with
    `numbered` the number that the row has there as `#row`. Columns that are `unusable` are not
    made, whoever asks for them.
    """
    source = backend.tables[view.variable.table]
    passed: list[str] = []
    if view.group is None:
        passed = [*([FILE] if source.files else []), *([LINE] if source.lined else [])]
        passed += [ROW] if numbered else []
    there = tuple((name, value) for name, value in view.columns if name not in unusable)
    ready = folded_view(replace(view, columns=there), backend.parameters, backend.schema)
    plan = lower_view(ready, columns, backend.schema, passed)
    return made(backend, plan).collect(engine="streaming")


def make_views(
    views: Mapping[str, core.View],
    read: Mapping[str, set[str]],
    backend: PolarsBackend,
    tables: dict[str, AdmittedTable],
) -> None:
    """Makes each view that is read, in their order; the tables that the backend has grow by it."""
    for name, view in views.items():
        if name not in read or name not in tables:
            continue
        table = tables[name]
        columns = {each for each in read[name] if each in table.supplied}
        tables[name] = replace(
            _made(view, columns, backend, table),
            # WHY: ties go by columns that nobody reads, and ties are rare.
            remake=cache(partial(_made, view, table.supplied, backend, table)),
        )


def _made(
    view: core.View, columns: Collection[str], backend: PolarsBackend, table: AdmittedTable
) -> AdmittedTable:
    frame = view_rows(view, columns, backend, table.unusable)
    exprs = {each: pl.col(each) for each in frame.columns}
    return replace(table, parts=(AdmittedPart(frame.lazy(), exprs),))
