"""needs: a rule -> what keeps it from being evaluated

A rule whose table, column or parameter was not supplied is not evaluated, and says why; that is
never a pass.
"""

from collections.abc import Iterable, Iterator, Mapping

from ruleforge.engine.admit import BAD, AdmittedTable, raw
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
        reasons[no_table(rule.variable.table)] = None
    for part in _parts(rule):
        for node in core.walk(part):
            reasons.update(dict.fromkeys(_lack(node, schema, tables, parameters)))
    # A message may name what is not there, and says so; but it cannot follow a reference into a
    # table that is not.
    for claim in rule.claims:
        for said in claim.message.parts:
            for node in core.walk(said) if not isinstance(said, str) else ():
                if isinstance(node, core.RowVariable | core.Follow) and node.table not in tables:
                    reasons[no_table(node.table)] = None
    return tuple(reasons)


def columns_read(rules: Iterable[core.Rule], schema: Schema) -> dict[str, set[str]]:
    """The columns that rules read of each table, in what they ask and in what they say."""
    found: dict[str, set[str]] = {}

    def add(table: str, names: Iterable[str]) -> None:
        found.setdefault(table, set()).update(names)

    for rule in rules:
        table = schema.tables[rule.variable.table]
        add(table.name, (*table.key, *table.roles.values()))
        said = (p for claim in rule.claims for p in claim.message.parts if not isinstance(p, str))
        for part in (*_parts(rule), *said):
            for node in core.walk(part):
                match node:
                    case core.ColumnValue():
                        add(core.table_of(node.row), (node.column,))
                        if node.column.startswith(BAD):
                            add(core.table_of(node.row), (raw(node.column.removeprefix(BAD)),))
                    case core.Follow():
                        source = schema.tables[core.table_of(node.row)]
                        add(source.name, source.links_by_name[node.link].columns)
                        add(node.table, schema.tables[node.table].key)
                    case core.Pick():
                        # Ties go by all columns.
                        name = node.variable.table
                        add(name, schema.tables[name].columns_by_name)
                    case _:
                        pass
    return found


def _parts(rule: core.Rule) -> Iterator[core.Expr]:
    options = [
        rule.applies,
        rule.where,
        rule.when,
        *(condition for _, condition in rule.severities),
    ]
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
                yield no_table(node.table)
        case core.Follow():
            if node.table not in tables:
                yield no_table(node.table)
            source = core.table_of(node.row)
            for column in schema.tables[source].links_by_name[node.link].columns:
                yield from _no_column(source, column, tables)
            for column in schema.tables[node.table].key:
                yield from _no_column(node.table, column, tables)
        case core.ColumnValue():
            yield from _no_column(core.table_of(node.row), node.column, tables)
        case _:
            return


def no_table(table: str) -> str:
    """The reason that a table was not supplied."""
    return f"the data has no table `{table}`"


def _no_column(table: str, column: str, tables: Mapping[str, AdmittedTable]) -> Iterable[str]:
    if table in tables and column in tables[table].unusable:
        yield f"`{table}.{column}`: {tables[table].unusable[column]}"
