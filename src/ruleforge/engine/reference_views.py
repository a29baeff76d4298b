"""reference_views: tables -> the same tables and the views that are made of them, row by row

The other half of the oracle: a view is made as `core.View` says it, every row beside every row of
the joined table, and shares nothing with the Polars side. Rows come in the order of their tables,
groups in the order of their values, the missing first; `keep` changes no order.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ruleforge.engine.reference_backend import Evaluator, PlainFunction, Row, Rows, Tables
from ruleforge.engine.reference_functions import all_true
from ruleforge.engine.reference_host import plain_functions
from ruleforge.language import core
from ruleforge.language.core import Value
from ruleforge.language.schema import Schema
from ruleforge.language.types import ValueType

Parameters = Mapping[str, Value | None]
Functions = Mapping[str, PlainFunction]


class ViewRows(list[Row]):
    """The rows of a view, and which columns they have, be there no rows."""

    def __init__(self, rows: Iterable[Row], columns: Sequence[str]) -> None:
        super().__init__(rows)
        self.columns = tuple(columns)


def with_views(
    rulebook: core.Rulebook,
    tables: Tables,
    parameters: Parameters,
    functions: Mapping[str, Callable[..., object]] | None = None,
) -> dict[str, Sequence[Row]]:
    """The tables and every view that can be made of them, by their names.

    Tables of datasets are called `prior.enrollment`. A lookup table that a dataset does not bring
    is the revision's own; a dataset without any table is not given. A view that reads what is not
    there, to know its rows, is left out; where only a column of it does, its rows have no entry for
    that column.
    """
    schema = rulebook.schema
    plain = plain_functions(rulebook, functions or {})
    found = dict(tables)
    for dataset in rulebook.datasets:
        is_given = any(name.startswith(f"{dataset}.") for name in tables)
        for table in schema.tables.values():
            name = f"{dataset}.{table.name}"
            if is_given and table.lookup and name not in found and table.name in found:
                found[name] = found[table.name]
    for name, view in rulebook.views.items():
        rows = rows_of(view, schema, found, parameters, plain)
        if rows is not None:
            found[name] = rows
    return found


def rows_of(
    view: core.View, schema: Schema, tables: Tables, parameters: Parameters, functions: Functions
) -> ViewRows | None:
    """The rows of a view; None where the data that it takes to know them was not supplied."""

    def is_there(expr: core.Expr | core.Row | None) -> bool:
        return expr is None or supplied(expr, schema, tables, parameters)

    group = view.group
    to_know_the_rows = [view.variable, view.joined, view.on, view.where]
    to_know_the_rows += [value for _, value in group.by] if group else []
    if not all(is_there(each) for each in to_know_the_rows):
        return None
    evaluator = Evaluator(schema, tables, parameters, functions=functions)
    seen = [
        rows for rows in _beside(view, tables, evaluator) if evaluator.is_true(view.where, rows)
    ]
    figures = [
        figure
        for figure in (group.figures if group else ())
        if all(is_there(each) for each in (figure.value, figure.where, figure.picked))
    ]
    known = {figure.name for figure in figures} | {name for name, _ in (group.by if group else ())}
    columns = {
        name: value for name, value in view.columns if is_there(value) and lets_in(value) <= known
    }
    if view.keep is not None and not {view.keep.by, *view.keep.per} <= columns.keys():
        return None
    made: list[dict[str, Any]] = []
    if group is None:
        made = [
            {name: evaluator.value(value, rows) for name, value in columns.items()} for rows in seen
        ]
    else:
        for lets in _groups(view, group, figures, seen, evaluator):
            one = Evaluator(schema, tables, parameters, lets, functions=functions)
            made.append({name: one.value(value, {}) for name, value in columns.items()})
    if view.keep is not None:
        types = {name: value.type for name, value in view.columns}
        made = _kept(view, view.keep, types, made, evaluator)
    shown = [column.name for column in view.table.columns if column.name in columns]
    return ViewRows(({name: row[name] for name in shown} for row in made), shown)


def _beside(view: core.View, tables: Tables, evaluator: Evaluator) -> list[Rows]:
    """Each row, or each row beside each of the joined table for which `on` is true."""
    first = [{view.variable.depth: row} for row in tables[view.variable.table]]
    if view.joined is None:
        return list(first)
    return [pair for rows in first for pair in evaluator.matching(view.joined, view.on, rows)]


def _groups(
    view: core.View,
    group: core.Group,
    figures: Iterable[core.Figure],
    seen: Sequence[Rows],
    evaluator: Evaluator,
) -> list[dict[str, core.Expr]]:
    """The values and figures of each group, as constants, in the order of the groups."""
    found: dict[tuple[Any, ...], list[Rows]] = {} if group.by else {(): []}
    for rows in seen:
        key = tuple(evaluator.value(value, rows) for _, value in group.by)
        found.setdefault(key, []).append(rows)
    types = [value.type for _, value in group.by]

    def order(values: tuple[Any, ...]) -> list[Any]:
        return [
            evaluator.missing_lowest(value, each) for value, each in zip(values, types, strict=True)
        ]

    result: list[dict[str, core.Expr]] = []
    for values in sorted(found, key=order):
        lets: dict[str, core.Expr] = {
            name: core.Constant(value, expr.type, view.span)
            for (name, expr), value in zip(group.by, values, strict=True)
        }
        for figure in figures:
            about = _figure(view, figure, found[values], evaluator)
            lets[figure.name] = core.Constant(about, figure.type, view.span)
        result.append(lets)
    return result


def _figure(
    view: core.View, figure: core.Figure, rows_of_group: Iterable[Rows], evaluator: Evaluator
) -> Any:
    """A figure about the rows of one group."""
    matching = [rows for rows in rows_of_group if evaluator.is_true(figure.where, rows)]
    match figure.kind:
        case "exists":
            return len(matching) > 0
        case "every":
            assert figure.value is not None
            return all_true([evaluator.truth(figure.value, rows) for rows in matching])
        case "latest" | "earliest":
            return _picked(view, figure, matching, evaluator)
        case _:
            return evaluator.aggregate(figure.kind, figure.value, matching)


def _picked(
    view: core.View, figure: core.Figure, matching: Iterable[Rows], evaluator: Evaluator
) -> Any:
    """What `picked` is of the row with the greatest or smallest value; missing where no row has one.

    Ties go by the key and the other columns of the first table, then by those of the joined one.
    """
    assert figure.value is not None and figure.picked is not None
    variables = [view.variable] if view.joined is None else [view.variable, view.joined]
    ranked = []
    for rows in matching:
        value: Any = evaluator.value(figure.value, rows)
        if value is not None:
            ties = []
            for variable in variables:
                row = rows[variable.depth]
                assert row is not None
                ties.append(evaluator.rank(evaluator.schema.table(variable.table), row))
            ranked.append((evaluator.order(value, figure.value.type), ties, rows))
    extreme = max if figure.kind == "latest" else min
    best = extreme(ranked, key=lambda each: each[:2], default=None)
    return None if best is None else evaluator.value(figure.picked, best[2])


def _kept(
    view: core.View,
    keep: core.Keep,
    types: Mapping[str, ValueType],
    made: Sequence[dict[str, Any]],
    evaluator: Evaluator,
) -> list[dict[str, Any]]:
    """One row of those that agree in the columns `per`. Of rows that are equal the last is the
    latest, and the first the earliest.
    """
    groups: dict[tuple[Any, ...], list[int]] = {}
    for number, row in enumerate(made):
        if row[keep.by] is not None:
            groups.setdefault(tuple(row[name] for name in keep.per), []).append(number)

    def rank(number: int) -> Any:
        row = made[number]
        value = evaluator.order(row[keep.by], types[keep.by])
        return value, evaluator.rank(view.table, row), number

    extreme = max if keep.latest else min
    kept = {extreme(numbers, key=rank) for numbers in groups.values()}
    return [row for number, row in enumerate(made) if number in kept]


# ── what was supplied ──────────────────────────────────────────────────────────────────────────


def supplied(
    expr: core.Expr | core.Row, schema: Schema, tables: Tables, parameters: Parameters
) -> bool:
    """Whether every table, column and parameter that an expression reads is there.

    Of a table of the data without rows every column counts as there. What a `let` reads is not looked at.
    """

    def has(table: str, columns: Iterable[str]) -> bool:
        if table not in tables:
            return False
        rows = tables[table]
        if isinstance(rows, ViewRows):
            return all(column in rows.columns for column in columns)
        return not rows or all(column in rows[0] for column in columns)

    for node in core.walk(expr):
        match node:
            case core.ParameterValue():
                there = parameters.get(node.name) is not None
            case core.RowVariable():
                there = node.table in tables
            case core.Follow():
                source = schema.table(core.table_of(node.row))
                there = has(source.name, source.links_by_name[node.link].columns)
                there = there and has(node.table, schema.table(node.table).key)
            case core.ColumnValue():
                there = has(core.table_of(node.row), [node.column])
            case _:
                there = True
        if not there:
            return False
    return True


def lets_in(expr: core.Expr) -> set[str]:
    """The names of the values that an expression reads."""
    return {node.name for node in core.walk(expr) if isinstance(node, core.LetValue)}
