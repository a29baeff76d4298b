"""ast: a rulebook as it is written, with places

Every node has a `span`, which takes no part in equality, so that two texts that say the same
compare equal. Names are not bound and nothing is typed here: that is the business of `resolve`.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from ruleforge.language.schema import SchoolYear
from ruleforge.language.source import Span


def _span() -> Span:
    field_: Span = field(compare=False, repr=False)
    return field_


@dataclass(frozen=True)
class Name:
    """A name with its place: of a column, a table, a rule. Backticks are gone."""

    text: str
    span: Span = _span()


@dataclass(frozen=True)
class Text:
    """A quoted text with escapes undone. `offsets[i]` is where its i-th character stands in the
    source.
    """

    value: str
    span: Span = _span()
    offsets: Sequence[int] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True)
class Template:
    """A message: pieces of plain text and, between braces, expressions. `{{` and `}}` stand for the
    braces themselves.
    """

    parts: "tuple[str | Expr, ...]"
    span: Span = _span()


@dataclass(frozen=True)
class TableName:
    """`enrollment`, or `prior.enrollment` with a dataset."""

    table: Name
    dataset: Name | None
    span: Span = _span()


# ── expressions ────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Literal:
    value: str | int | Decimal | bool | dt.date | SchoolYear
    span: Span = _span()


@dataclass(frozen=True)
class Variable:
    """A bare name: a row, a `let`, a parameter, a constant."""

    name: str
    span: Span = _span()


@dataclass(frozen=True)
class Attribute:
    """`operand.name`: a column, a reference to follow, or a property such as `school_year.start`."""

    operand: "Expr"
    name: Name
    span: Span = _span()


@dataclass(frozen=True)
class Call:
    """`name(…)`, or `operand.name(…)` where `operand` is given (`school_year.day(7, 1)`)."""

    name: Name
    arguments: tuple["Expr", ...]
    operand: "Expr | None"
    span: Span = _span()


@dataclass(frozen=True)
class Range:
    """`low..high` inside a set."""

    low: "Expr"
    high: "Expr"
    span: Span = _span()


@dataclass(frozen=True)
class SetOf:
    items: "tuple[Expr | Range, ...]"
    span: Span = _span()


@dataclass(frozen=True)
class Logic:
    """`and` or `or` over two operands or more; a chain of the same word is one node."""

    word: str
    operands: tuple["Expr", ...]
    span: Span = _span()


@dataclass(frozen=True)
class Not:
    operand: "Expr"
    span: Span = _span()


@dataclass(frozen=True)
class Negative:
    operand: "Expr"
    span: Span = _span()


@dataclass(frozen=True)
class Arithmetic:
    """`op` is one of `+ - * /`."""

    op: str
    left: "Expr"
    right: "Expr"
    span: Span = _span()


@dataclass(frozen=True)
class Comparison:
    """`op` is one of `= != < <= > >=`."""

    op: str
    left: "Expr"
    right: "Expr"
    span: Span = _span()


@dataclass(frozen=True)
class Membership:
    """`operand in container`; the container is a set, a period, or a name of one."""

    operand: "Expr"
    container: "Expr"
    negated: bool
    span: Span = _span()


@dataclass(frozen=True)
class Between:
    operand: "Expr"
    low: "Expr"
    high: "Expr"
    span: Span = _span()


@dataclass(frozen=True)
class Presence:
    """`is present`, or `is missing` where `missing`."""

    operand: "Expr"
    missing: bool
    span: Span = _span()


@dataclass(frozen=True)
class Matches:
    operand: "Expr"
    pattern: Text
    span: Span = _span()


@dataclass(frozen=True)
class Overlaps:
    left: "Expr"
    right: "Expr"
    span: Span = _span()


@dataclass(frozen=True)
class If:
    condition: "Expr"
    then: "Expr"
    otherwise: "Expr"
    span: Span = _span()


@dataclass(frozen=True)
class Quantifier:
    """`exists(…)` or `every(… satisfies …)`; `kind` is the word.

    Here and below, `table` is None where the rows are those of a group: `exists(x where …)`.
    """

    kind: str
    variable: Name
    table: TableName | None
    where: "Expr | None"
    satisfies: "Expr | None"
    span: Span = _span()


@dataclass(frozen=True)
class Aggregate:
    """`count sum min max average`; `value` is None for `count(e in T …)`."""

    kind: str
    value: "Expr | None"
    distinct: bool
    variable: Name
    table: TableName | None
    where: "Expr | None"
    span: Span = _span()


@dataclass(frozen=True)
class Pick:
    """`latest(e in T by V where C)` or `earliest(…)`: a row."""

    kind: str
    variable: Name
    table: TableName | None
    by: "Expr"
    where: "Expr | None"
    span: Span = _span()


Expr = (
    Literal
    | Variable
    | Attribute
    | Call
    | SetOf
    | Logic
    | Not
    | Negative
    | Arithmetic
    | Comparison
    | Membership
    | Between
    | Presence
    | Matches
    | Overlaps
    | If
    | Quantifier
    | Aggregate
    | Pick
)


# ── declarations ───────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class ShowAs:
    """`show error as "Fatal"`."""

    severity: Name
    word: Text
    span: Span = _span()


@dataclass(frozen=True)
class Header:
    name: str
    edition: int
    title: Text | None
    source: Text | None
    uses: tuple[Name, ...]
    shows: tuple[ShowAs, ...]
    span: Span = _span()


@dataclass(frozen=True)
class Parameter:
    """`choices` are the values of `in {…}`."""

    name: Name
    type: Name
    choices: SetOf | None
    default: Expr | None
    doc: Text | None
    span: Span = _span()


@dataclass(frozen=True)
class CodeLine:
    code: Text
    label: Text
    also: tuple[Text, ...]
    since: Literal | None
    until: Literal | None
    span: Span = _span()


@dataclass(frozen=True)
class Codes:
    name: Name
    doc: Text | None
    lines: tuple[CodeLine, ...]
    span: Span = _span()


@dataclass(frozen=True)
class Column:
    name: Name
    type: Name
    required: bool
    max_length: Literal | None
    identifies: Name | None
    references: Name | None
    reference_name: Name | None
    sensitive: bool
    header: Text | None
    by_label: bool
    span: Span = _span()


@dataclass(frozen=True)
class Link:
    """`link T on a, b [named N]`."""

    table: Name
    columns: tuple[Name, ...]
    link_name: Name | None
    span: Span = _span()


@dataclass(frozen=True)
class File:
    pattern: Text
    delimiter: Text | None
    header: bool
    dates: Text | None
    element: Text | None
    span: Span = _span()


@dataclass(frozen=True)
class Table:
    name: Name
    lookup: bool
    doc: Text | None
    files: tuple[File, ...]
    columns: tuple[Column, ...]
    links: tuple[Link, ...]
    keys: tuple[tuple[Name, ...], ...]
    span: Span = _span()


@dataclass(frozen=True)
class Argument:
    """An argument of a `define`: its type is a value type or a table, for a row."""

    name: Name
    type: Name
    span: Span = _span()


@dataclass(frozen=True)
class Define:
    """`arguments` is None for a constant."""

    name: Name
    arguments: tuple[Argument, ...] | None
    value: Expr
    span: Span = _span()


@dataclass(frozen=True)
class HostFunction:
    """`function similarity(a: text, b: text): decimal`: one that the host brings."""

    name: Name
    arguments: tuple[Argument, ...]
    result: Name
    span: Span = _span()


@dataclass(frozen=True)
class SeverityStep:
    """`condition` is None for the last, `otherwise`, or the only one."""

    severity: Name
    condition: Expr | None
    span: Span = _span()


@dataclass(frozen=True)
class ForClause:
    variable: Name
    table: TableName
    where: Expr | None
    span: Span = _span()


@dataclass(frozen=True)
class AfterClause:
    rules: tuple[Name, ...]
    span: Span = _span()


@dataclass(frozen=True)
class LetClause:
    name: Name
    value: Expr
    span: Span = _span()


@dataclass(frozen=True)
class RequireClause:
    condition: Expr
    otherwise: Template | None
    span: Span = _span()


@dataclass(frozen=True)
class Due:
    number: Literal
    business: bool
    span: Span = _span()


@dataclass(frozen=True)
class Rule:
    """Clauses as written; those that may stand once are lists too, and `resolve` says where one
    stands twice.
    """

    name: Name
    severities: tuple[SeverityStep, ...]
    also_known_as: tuple[Text, ...]
    titles: tuple[Text, ...]
    sources: tuple[Text, ...]
    helps: tuple[Text, ...]
    tags: tuple[Name, ...]
    applies: tuple[Expr, ...]
    fors: tuple[ForClause, ...]
    afters: tuple[AfterClause, ...]
    lets: tuple[LetClause, ...]
    whens: tuple[Expr, ...]
    requires: tuple[RequireClause, ...]
    reports: tuple[Expr, ...]
    againsts: tuple[ForClause, ...]
    messages: tuple[Template, ...]
    dues: tuple[Due, ...]
    span: Span = _span()


@dataclass(frozen=True)
class Dataset:
    name: Name
    doc: Text | None
    span: Span = _span()


@dataclass(frozen=True)
class NamedValue:
    """`n = v`, behind `select`, `by`, `show` and `with`."""

    name: Name
    value: Expr
    span: Span = _span()


@dataclass(frozen=True)
class KeepClause:
    """`keep latest by E per E, …`; `kind` is `latest` or `earliest`."""

    kind: str
    by: Expr
    per: tuple[Expr, ...]
    span: Span = _span()


@dataclass(frozen=True)
class View:
    """`joined` is what stands behind `with`, its `where` what stands behind `on`."""

    name: Name
    doc: Text | None
    rows: ForClause
    joined: ForClause | None
    groups: tuple[Expr, ...]
    selects: tuple[NamedValue, ...]
    keep: KeepClause | None
    span: Span = _span()


@dataclass(frozen=True)
class Scope:
    rows: ForClause
    span: Span = _span()


@dataclass(frozen=True)
class Population:
    name: Name
    rows: ForClause
    roles: tuple[Name, ...]
    unless: tuple[Name, ...]
    span: Span = _span()


@dataclass(frozen=True)
class Report:
    name: Name
    title: Text | None
    rows: ForClause
    groups: tuple[NamedValue, ...]
    shows: tuple[NamedValue, ...]
    span: Span = _span()


@dataclass(frozen=True)
class Cell:
    """What stands between two bars of a test, without the blanks and quotes around it; empty where
    it is blank.
    """

    text: str
    span: Span = _span()


@dataclass(frozen=True)
class CellRow:
    cells: tuple[Cell, ...]
    span: Span = _span()


@dataclass(frozen=True)
class Given:
    table: TableName
    header: CellRow
    rows: tuple[CellRow, ...]
    span: Span = _span()


@dataclass(frozen=True)
class Expect:
    """`header` is None for `expect nothing`."""

    header: CellRow | None
    rows: tuple[CellRow, ...]
    span: Span = _span()


@dataclass(frozen=True)
class Test:
    """Clauses as written; `check_tests` says where one is missing or stands twice."""

    title: Text
    settings: tuple[NamedValue, ...]
    givens: tuple[Given, ...]
    expects: tuple[Expect, ...]
    onlys: tuple[Name, ...]
    span: Span = _span()


Declaration = (
    Parameter
    | Codes
    | Table
    | Define
    | HostFunction
    | Dataset
    | View
    | Scope
    | Population
    | Report
    | Rule
    | Test
)


@dataclass(frozen=True)
class Rulebook:
    """One file. `header` is None where the file does not begin with one, which is a mistake already
    told.

    `broken` are the names of declarations that are missing here because they could not be read,
    which is told too: a name that is among them is not unknown.
    """

    header: Header | None
    declarations: tuple[Declaration, ...]
    span: Span = _span()
    broken: tuple[Name, ...] = field(default=(), compare=False)
