"""needs: a rule -> what keeps it from being evaluated

A rule whose table, column or parameter was not supplied is not evaluated, and says why; that is never a pass.
"""

from collections.abc import Iterable, Iterator, Mapping

from ruleforge.engine.admit import AdmittedTable
from ruleforge.language import core
from ruleforge.language.core import Value
from ruleforge.language.schema import Schema


def lacks(
    rule: core.Rule,
    schema: Schema,
    tables: Mapping[str, AdmittedTable],
    parameters: Mapping[str, Value | None],
) -> tuple[str, ...]:
    """The reasons why a rule cannot be evaluated; empty where it can."""
    reasons: dict[str, None] = {}
    if rule.variable.table not in tables:
        reasons[_no_table(rule.variable.table)] = None
    for part in _parts(rule):
        for node in core.walk(part):
            reasons.update(dict.fromkeys(_lack(node, schema, tables, parameters)))
    # A message may name what is not there, and says so; but it cannot follow a reference into a table that is not.
    for claim in rule.claims:
        for said in claim.message.parts:
            for node in core.walk(said) if not isinstance(said, str) else ():
                if isinstance(node, core.RowVariable | core.Follow) and node.table not in tables:
                    reasons[_no_table(node.table)] = None
    return tuple(reasons)


def _parts(rule: core.Rule) -> Iterator[core.Expr]:
    options = [rule.applies, rule.where, rule.when, *(condition for _, condition in rule.severities)]
    yield from (each for each in options if each is not None)
    yield from (value for _, value in rule.lets)
    yield from (claim.condition for claim in rule.claims)


def _lack(
    node: core.Expr | core.Row,
    schema: Schema,
    tables: Mapping[str, AdmittedTable],
    parameters: Mapping[str, Value | None],
) -> Iterable[str]:
    match node:
        case core.ParameterValue():
            if parameters.get(node.name) is None:
                yield f"the parameter `{node.name}` is not given"
        case core.RowVariable():
            if node.table not in tables:
                yield _no_table(node.table)
        case core.Follow():
            if node.table not in tables:
                yield _no_table(node.table)
            source = core.table_of(node.row)
            for column in schema.tables[source].links_by_name[node.link].columns:
                yield from _no_column(source, column, tables)
            for column in schema.tables[node.table].key:
                yield from _no_column(node.table, column, tables)
        case core.ColumnValue():
            yield from _no_column(core.table_of(node.row), node.column, tables)
        case _:
            return


def _no_table(table: str) -> str:
    return f"the data has no table `{table}`"


def _no_column(
    table: str, column: str, tables: Mapping[str, AdmittedTable]
) -> Iterable[str]:
    if table in tables and column in tables[table].unusable:
        yield f"`{table}.{column}`: {tables[table].unusable[column]}"
