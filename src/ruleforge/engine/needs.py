"""needs: a rule or view -> what keeps it from being evaluated, and what it reads

A rule whose table, column, dataset or parameter was not supplied is not evaluated, and says why;
that is never a pass.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ruleforge.engine.admit import BAD, AdmittedTable, raw
from ruleforge.language import core
from ruleforge.language.core import Value
from ruleforge.language.schema import Schema


@dataclass(frozen=True)
class Supply:
    """What there is to evaluate with. `tables` are those of the data and, as far as they can be
    made, views; `unmade` says of each other view why it cannot.
    """

    schema: Schema
    tables: Mapping[str, AdmittedTable]
    parameters: Mapping[str, Value | None]
    unmade: Mapping[str, str] = field(default_factory=dict)

    def lacks(self, rule: core.Rule) -> tuple[str, ...]:
        """The reasons why a rule cannot be evaluated; empty where it can."""
        reasons: dict[str, None] = {}
        if rule.variable.table not in self.tables:
            reasons[self.no_table(rule.variable.table)] = None
        reasons.update(dict.fromkeys(self.lacks_for(_parts(rule))))
        # A message may name what is not there, and says so; but it cannot follow a reference into a
        # table that is not.
        for said in said_by(rule):
            for node in core.walk(said):
                match node:
                    case core.RowVariable(table=table) | core.Follow(table=table):
                        if table not in self.tables:
                            reasons[self.no_table(table)] = None
                    case _:
                        pass
        return tuple(reasons)

    def lacks_for(self, exprs: Iterable[core.Expr]) -> tuple[str, ...]:
        """The reasons why expressions have no value."""
        reasons: dict[str, None] = {}
        for expr in exprs:
            for node in core.walk(expr):
                reasons.update(dict.fromkeys(self.lack(node)))
        return tuple(reasons)

    def lack(self, node: core.Expr | core.Row) -> Iterable[str]:
        """The reasons why one node has no value."""
        match node:
            case core.ParameterValue():
                if self.parameters.get(node.name) is None:
                    yield f"the parameter `{node.name}` is not given"
            case core.RowVariable():
                if node.table not in self.tables:
                    yield self.no_table(node.table)
            case core.Follow():
                if node.table not in self.tables:
                    yield self.no_table(node.table)
                source = core.table_of(node.row)
                for column in self.schema.table(source).links_by_name[node.link].columns:
                    yield from self.no_column(source, column)
                for column in self.schema.table(node.table).key:
                    yield from self.no_column(node.table, column)
            case core.ColumnValue():
                yield from self.no_column(core.table_of(node.row), node.column)
            case _:
                return

    def no_table(self, table: str) -> str:
        """The reason that a table was not supplied, or a view cannot be made."""
        if table in self.unmade:
            return self.unmade[table]
        return no_table(table)

    def no_column(self, table: str, column: str) -> Iterable[str]:
        if table in self.tables and column in self.tables[table].unusable:
            shown = self.schema.table(table).shown
            yield f"`{shown}.{column}`: {self.tables[table].unusable[column]}"


def no_table(table: str) -> str:
    """The reason that a table was not supplied."""
    return f"the data has no table `{table}`"


def columns_read(rules: Iterable[core.Rule], schema: Schema) -> dict[str, set[str]]:
    """The columns that rules read of each table, in what they ask and in what they say."""
    found: dict[str, set[str]] = {}
    for rule in rules:
        table = schema.table(rule.variable.table)
        found.setdefault(table.name, set()).update((*table.key, *table.roles.values()))
        if rule.against is not None:
            other = schema.table(rule.against.variable.table)
            found.setdefault(other.name, set()).update((*other.key, *other.roles.values()))
        add_columns(found, (*_parts(rule), *said_by(rule)), schema)
    return found


def add_columns(found: dict[str, set[str]], exprs: Iterable[core.Expr], schema: Schema) -> None:
    """Adds the columns that expressions read of each table."""

    def add(table: str, names: Iterable[str]) -> None:
        found.setdefault(table, set()).update(names)

    for expr in exprs:
        for node in core.walk(expr):
            match node:
                case core.ColumnValue():
                    add(core.table_of(node.row), (node.column,))
                    if node.column.startswith(BAD):
                        add(core.table_of(node.row), (raw(node.column.removeprefix(BAD)),))
                case core.Follow():
                    source = schema.table(core.table_of(node.row))
                    add(source.name, source.links_by_name[node.link].columns)
                    add(node.table, schema.table(node.table).key)
                case core.Pick():
                    # Ties go by all columns.
                    name = node.variable.table
                    add(name, schema.table(name).columns_by_name)
                case core.RowVariable():
                    add(node.table, ())
                case _:
                    pass


def said_by(rule: core.Rule) -> Iterator[core.Expr]:
    """The values in a rule's messages."""
    for claim in rule.claims:
        yield from (part for part in claim.message.parts if not isinstance(part, str))


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
