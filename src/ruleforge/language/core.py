"""core: a checked rulebook: names bound, a type on every value, sugar gone

What every engine takes. Definitions are expanded, `not in`, `between` and `report when` are gone,
codes are known codes of their set, and a row is a variable, a reference followed from a row, or the
latest or earliest row of a table.

Row variables are numbered by depth (the row of `for` is 0, a row inside its quantifiers 1, …), so
that two rules that ask the same question hold equal nodes, whatever they call their rows, and the
question is answered once. Spans take no part in equality for the same reason.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from typing import assert_never

from ruleforge.language.diagnostic import Diagnostic
from ruleforge.language.schema import Schema, SchoolYear, Table
from ruleforge.language.source import Source, Span
from ruleforge.language.types import BOOLEAN, BooleanType, ValueType

Value = str | int | Decimal | bool | dt.date | SchoolYear


class Severity(StrEnum):
    """What a finding means for the certification, the gravest first."""

    ERROR = "error"
    CONFLICT = "conflict"
    EXCLUSION = "exclusion"
    WARNING = "warning"
    INFORMATIONAL = "informational"


def _span() -> Span:
    field_: Span = field(compare=False, repr=False)
    return field_


# ── rows ───────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class RowVariable:
    """A row of `table` that a rule or a quantifier goes through. `depth` is its identity within a
    rule.
    """

    depth: int
    table: str
    name: str = field(compare=False)


@dataclass(frozen=True)
class Follow:
    """The row of `table` that `row` refers to by its link; missing where there is none."""

    row: "Row"
    link: str
    table: str


@dataclass(frozen=True)
class Pick:
    """The latest or earliest row, by `by`, of those for which `where` is true; missing where there
    is none.

    Rows whose `by` is missing are passed over. Ties go by the key, then by the other columns in
    their declared order (missing sorts lowest): the greatest for `latest`, the smallest for
    `earliest`.
    """

    latest: bool
    variable: RowVariable
    by: "Expr"
    where: "Expr | None"


Row = RowVariable | Follow | Pick


def table_of(row: Row) -> str:
    """The table that a row is of."""
    match row:
        case RowVariable() | Follow():
            return row.table
        case Pick():
            return row.variable.table
    assert_never(row)


# ── values ─────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Constant:
    """A value written out. `value` is None only where an engine has found an expression to be
    missing for every row.
    """

    value: Value | None
    type: ValueType
    span: Span = _span()

    # WHY: True == 1 and 1 == Decimal(1) in Python; a constant is itself only with its type.
    def __hash__(self) -> int:
        return hash((self.value, self.type))


@dataclass(frozen=True)
class ParameterValue:
    name: str
    type: ValueType
    span: Span = _span()


@dataclass(frozen=True)
class LetValue:
    """The value of a `let` of the same rule, computed once a row."""

    name: str
    type: ValueType
    span: Span = _span()


@dataclass(frozen=True)
class ColumnValue:
    row: Row
    column: str
    type: ValueType
    span: Span = _span()


@dataclass(frozen=True)
class Apply:
    """A built-in function of `functions.FUNCTIONS`, by its name there."""

    function: str
    arguments: tuple["Expr", ...]
    type: ValueType
    span: Span = _span()


@dataclass(frozen=True)
class HostCall:
    """A function that the host brings, by the name that the rulebook gives it."""

    function: str
    arguments: tuple["Expr", ...]
    type: ValueType
    span: Span = _span()


@dataclass(frozen=True)
class SetOf:
    """The dates that a function takes as one argument (holidays). Stands nowhere else; a missing
    member is no member.
    """

    members: tuple["Expr", ...]
    type: ValueType
    span: Span = _span()


@dataclass(frozen=True)
class Negative:
    operand: "Expr"
    type: ValueType
    span: Span = _span()


@dataclass(frozen=True)
class Arithmetic:
    """`+ - * /` over numbers; `+ -` of a date and an integer; `-` of two dates (days).

    Operands keep their own types; `type` is that of the result. Division gives a decimal, rounded
    half to even at 10 places.
    """

    op: str
    left: "Expr"
    right: "Expr"
    type: ValueType
    span: Span = _span()


@dataclass(frozen=True)
class If:
    """Missing where the condition is unknown."""

    condition: "Expr"
    then: "Expr"
    otherwise: "Expr"
    type: ValueType
    span: Span = _span()


@dataclass(frozen=True)
class Aggregate:
    """Over the rows for which `where` is true. `kind`: count, count distinct, sum, min, max,
    average.

    `value` is None for a plain count. Missing values are passed over. A count or sum of nothing is
    0, the others are missing.
    """

    kind: str
    value: "Expr | None"
    variable: RowVariable
    where: "Expr | None"
    type: ValueType
    span: Span = _span()


# ── conditions (all of type boolean, all three-valued unless said) ─────────────────────────────


@dataclass(frozen=True)
class Not:
    operand: "Expr"
    span: Span = _span()
    type: BooleanType = BOOLEAN


@dataclass(frozen=True)
class And:
    operands: tuple["Expr", ...]
    span: Span = _span()
    type: BooleanType = BOOLEAN


@dataclass(frozen=True)
class Or:
    operands: tuple["Expr", ...]
    span: Span = _span()
    type: BooleanType = BOOLEAN


@dataclass(frozen=True)
class Compare:
    """`= != < <= > >=` of two values of one type (integer and decimal may meet). Codes compare in
    the order of their set.
    """

    op: str
    left: "Expr"
    right: "Expr"
    span: Span = _span()
    type: BooleanType = BOOLEAN


@dataclass(frozen=True)
class InSet:
    """True if the operand equals a member or lies in a range (both ends); ranges of codes are
    already members.

    Unknown if the operand is missing; a missing member makes what is not otherwise true unknown.
    """

    operand: "Expr"
    members: tuple["Expr", ...]
    ranges: tuple[tuple["Expr", "Expr"], ...]
    span: Span = _span()
    type: BooleanType = BOOLEAN


@dataclass(frozen=True)
class InPeriod:
    """`date in period`. Unknown if either is missing; false in an empty period."""

    operand: "Expr"
    period: "Expr"
    span: Span = _span()
    type: BooleanType = BOOLEAN


@dataclass(frozen=True)
class Overlaps:
    """Whether two periods share a day. Unknown if either is missing; an empty period overlaps
    nothing.
    """

    left: "Expr"
    right: "Expr"
    span: Span = _span()
    type: BooleanType = BOOLEAN


@dataclass(frozen=True)
class Matches:
    """Whether the whole text matches. `pattern` is in the common dialect of `patterns`."""

    operand: "Expr"
    pattern: str
    span: Span = _span()
    type: BooleanType = BOOLEAN


@dataclass(frozen=True)
class Present:
    """Whether a value is there. Never unknown."""

    operand: "Expr"
    span: Span = _span()
    type: BooleanType = BOOLEAN


@dataclass(frozen=True)
class RowPresent:
    """Whether a row was found. Never unknown."""

    row: Row
    span: Span = _span()
    type: BooleanType = BOOLEAN


@dataclass(frozen=True)
class OtherRow:
    """Whether two rows of one table are two: no row is its own counterpart. Never unknown."""

    left: RowVariable
    right: RowVariable
    span: Span = _span()
    type: BooleanType = BOOLEAN


@dataclass(frozen=True)
class Exists:
    """Whether `where` is true for any row of the variable's table. Never unknown."""

    variable: RowVariable
    where: "Expr | None"
    span: Span = _span()
    type: BooleanType = BOOLEAN


@dataclass(frozen=True)
class Every:
    """Three-valued conjunction of `satisfies` over the rows for which `where` is true."""

    variable: RowVariable
    where: "Expr | None"
    satisfies: "Expr"
    span: Span = _span()
    type: BooleanType = BOOLEAN


Expr = (
    Constant
    | ParameterValue
    | LetValue
    | ColumnValue
    | Apply
    | HostCall
    | SetOf
    | Negative
    | Arithmetic
    | If
    | Aggregate
    | Not
    | And
    | Or
    | Compare
    | InSet
    | InPeriod
    | Overlaps
    | Matches
    | Present
    | RowPresent
    | OtherRow
    | Exists
    | Every
)


# ── declarations ───────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Template:
    """A message: plain text and values, in order."""

    parts: tuple[str | Expr, ...]


@dataclass(frozen=True)
class Claim:
    """One condition that must hold (of `report when C`: that C does not), and what is said where it
    is false.
    """

    condition: Expr
    message: Template


@dataclass(frozen=True)
class Due:
    number: int
    business: bool


@dataclass(frozen=True)
class Against:
    """The rows that a rule's row may be in conflict with. They are at depth 1, and what a message
    reads of them is a list.
    """

    variable: RowVariable
    where: Expr | None


@dataclass(frozen=True)
class Rule:
    """For each row of `variable`'s table for which `where` is true: when `when`, every claim must
    hold.

    With `against` the one claim is that no such row exists. `after` are rules of the same rulebook:
    a row that one of them reports is not judged.
    """

    id: str
    severities: tuple[tuple[Severity, Expr | None], ...]
    printed_ids: tuple[str, ...]
    title: str
    source: str
    help: str
    tags: tuple[str, ...]
    applies: Expr | None
    variable: RowVariable
    where: Expr | None
    lets: tuple[tuple[str, Expr], ...]
    when: Expr | None
    claims: tuple[Claim, ...]
    due: Due | None
    span: Span = _span()
    against: Against | None = None
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class Figure:
    """A figure about the rows of a group, of those for which `where` is true.

    `kind` is exists, every, count, count distinct, sum, min, max, average, latest or earliest, as
    in `Every`, `Aggregate` and `Pick`. `every` asks `value` of each row; `latest` and `earliest` go
    by `value` and give `picked` of that row.
    """

    name: str
    kind: str
    value: Expr | None
    where: Expr | None
    picked: Expr | None
    type: ValueType


@dataclass(frozen=True)
class Group:
    """One row for each combination of the values `by`, missing ones too. Without any, one row for
    all, be there none.
    """

    by: tuple[tuple[str, Expr], ...]
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Keep:
    """Of the rows that agree in the columns `per` (missing ones agree), the one with the greatest
    or smallest value in the column `by`; where it is missing, a row is not kept. Ties go as those
    of `Pick`, by the view's key and then its other columns.
    """

    latest: bool
    by: str
    per: tuple[str, ...]


@dataclass(frozen=True)
class View:
    """A table made of others.

    Rows of `variable` (depth 0), each beside every row of `joined` (depth 1) for which `on` is true,
    of those for which `where` is true, in the order of their tables. With `group`, one row for each
    group, in the order of `by`; then `columns` read its values and figures as `LetValue`, and no
    row. `columns` are those of `table`, and some more, with names that begin with `#`, for `keep`.
    """

    table: Table
    variable: RowVariable
    joined: RowVariable | None
    on: Expr | None
    where: Expr | None
    group: Group | None
    columns: tuple[tuple[str, Expr], ...]
    keep: Keep | None
    span: Span = _span()


@dataclass(frozen=True)
class Population:
    """Who counts. The rows of `view`, whose columns are called like `roles`, are the units.

    A finding of a severity in `unless` takes out the units that agree with it on every role that
    both have, the first of `roles` among them.
    """

    name: str
    view: View
    roles: tuple[str, ...]
    unless: tuple[Severity, ...]
    span: Span = _span()


@dataclass(frozen=True)
class Report:
    """A published count: the rows of `view`."""

    name: str
    title: str
    view: View
    span: Span = _span()


@dataclass(frozen=True)
class HostFunction:
    """A function that the host brings. It is never called with a missing argument."""

    name: str
    arguments: tuple[tuple[str, ValueType], ...]
    result: ValueType
    span: Span = _span()


@dataclass(frozen=True)
class Parameter:
    """A value given at evaluation. `choices` is the closed set of allowed values, where one is
    declared.
    """

    name: str
    type: ValueType
    choices: tuple[Value, ...] | None
    default: Value | None
    doc: str


VERDICT_WORDS = ("holds", "fails", "unknown", "not applicable")


@dataclass(frozen=True)
class GivenTable:
    """Rows of one table that a test is about. `rows` have a value, or None, for each of `columns`."""

    table: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Value | None, ...], ...]


@dataclass(frozen=True)
class Expectation:
    """A verdict of a rule that a test asks for.

    `row` are the values by which the row is known: the name of a key column, a role or a column of
    a role as the author wrote it, the column that it means, and its value. `severity`, `message`
    and `cause` are None where any will do.
    """

    rule: str
    verdict: str
    row: tuple[tuple[str, str, Value], ...]
    severity: Severity | None
    message: str | None
    cause: int | None
    span: Span = _span()


@dataclass(frozen=True)
class Test:
    """A test that stands beside the rules: rows, and what the rules are to say of them.

    `settings` are the parameters that it sets, perhaps `as_of` among them. `only` are the rules
    that it looks at; empty for all of them.
    """

    title: str
    settings: tuple[tuple[str, Value], ...]
    givens: tuple[GivenTable, ...]
    expectations: tuple[Expectation, ...]
    only: tuple[str, ...]
    span: Span = _span()


@dataclass(frozen=True)
class Rulebook:
    """Immutable; one serves any number of threads. `warnings` are diagnostics that do not keep it
    from running.
    """

    name: str
    title: str
    source: str
    severity_words: dict[Severity, str]
    schema: Schema
    parameters: dict[str, Parameter]
    rules: tuple[Rule, ...]
    datasets: dict[str, str] = field(default_factory=dict, kw_only=True)  # with what it is, each
    views: dict[str, View] = field(default_factory=dict, kw_only=True)  # those that are read first
    populations: tuple[Population, ...] = field(default=(), kw_only=True)
    reports: tuple[Report, ...] = field(default=(), kw_only=True)
    functions: dict[str, HostFunction] = field(default_factory=dict, kw_only=True)
    tests: tuple[Test, ...] = field(default=(), kw_only=True)
    sources: tuple[Source, ...] = field(compare=False)
    warnings: tuple[Diagnostic, ...] = field(default=(), compare=False)


# ── walking ────────────────────────────────────────────────────────────────────────────────────


def children(expr: Expr) -> tuple["Expr | Row", ...]:
    """The parts of a node, rows included, in the order of evaluation."""
    match expr:
        case Constant() | ParameterValue() | LetValue():
            return ()
        case ColumnValue() | RowPresent():
            return (expr.row,)
        case Apply() | HostCall():
            return expr.arguments
        case SetOf():
            return expr.members
        case Negative() | Not() | Present() | Matches():
            return (expr.operand,)
        case Arithmetic() | Compare() | Overlaps() | OtherRow():
            return (expr.left, expr.right)
        case If():
            return (expr.condition, expr.then, expr.otherwise)
        case And() | Or():
            return expr.operands
        case InSet():
            ends = tuple(end for pair in expr.ranges for end in pair)
            return (expr.operand, *expr.members, *ends)
        case InPeriod():
            return (expr.operand, expr.period)
        case Aggregate():
            parts = (expr.where, expr.value)
            return (expr.variable, *(part for part in parts if part is not None))
        case Exists():
            return (expr.variable,) if expr.where is None else (expr.variable, expr.where)
        case Every():
            where = () if expr.where is None else (expr.where,)
            return (expr.variable, *where, expr.satisfies)
    assert_never(expr)


def mapped(expr: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """The node with each of its direct parts that is a value changed; parts that are rows, and
    quantifiers, stay as they are.
    """

    def each(exprs: Iterable[Expr]) -> tuple[Expr, ...]:
        return tuple(change(part) for part in exprs)

    match expr:
        case Constant() | ParameterValue() | LetValue() | ColumnValue() | RowPresent() | OtherRow():
            return expr
        case Aggregate() | Exists() | Every():
            return expr
        case Apply() | HostCall():
            return replace(expr, arguments=each(expr.arguments))
        case SetOf():
            return replace(expr, members=each(expr.members))
        case Negative() | Not() | Present() | Matches():
            return replace(expr, operand=change(expr.operand))
        case Arithmetic() | Compare() | Overlaps():
            return replace(expr, left=change(expr.left), right=change(expr.right))
        case If():
            condition, then, otherwise = each((expr.condition, expr.then, expr.otherwise))
            return replace(expr, condition=condition, then=then, otherwise=otherwise)
        case And() | Or():
            return replace(expr, operands=each(expr.operands))
        case InSet():
            ranges = tuple((change(low), change(high)) for low, high in expr.ranges)
            operand, members = change(expr.operand), each(expr.members)
            return replace(expr, operand=operand, members=members, ranges=ranges)
        case InPeriod():
            return replace(expr, operand=change(expr.operand), period=change(expr.period))
    assert_never(expr)


def rewritten(expr: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """The expression with every value in it changed, parts before wholes, also inside rows and
    quantifiers.
    """

    def again(part: Expr) -> Expr:
        return rewritten(part, change)

    def maybe(part: Expr | None) -> Expr | None:
        return None if part is None else again(part)

    def row(old: Row) -> Row:
        match old:
            case RowVariable():
                return old
            case Follow():
                return replace(old, row=row(old.row))
            case Pick():
                return replace(old, by=again(old.by), where=maybe(old.where))
        assert_never(old)

    result: Expr
    match expr:
        case ColumnValue() | RowPresent():
            result = replace(expr, row=row(expr.row))
        case Exists():
            result = replace(expr, where=maybe(expr.where))
        case Every():
            result = replace(expr, where=maybe(expr.where), satisfies=again(expr.satisfies))
        case Aggregate():
            result = replace(expr, where=maybe(expr.where), value=maybe(expr.value))
        case _:
            result = mapped(expr, again)
    return change(result)


def parts_of(view: View) -> tuple[Expr, ...]:
    """Every expression of a view."""
    found: list[Expr | None] = [view.on, view.where]
    if view.group is not None:
        found += [value for _, value in view.group.by]
        for figure in view.group.figures:
            found += [figure.where, figure.value, figure.picked]
    found += [value for _, value in view.columns]
    return tuple(each for each in found if each is not None)


def row_children(row: Row) -> tuple["Expr | Row", ...]:
    """The parts of a row."""
    match row:
        case RowVariable():
            return ()
        case Follow():
            return (row.row,)
        case Pick():
            return (
                (row.variable, row.by) if row.where is None else (row.variable, row.by, row.where)
            )
    assert_never(row)


def walk(node: "Expr | Row") -> "list[Expr | Row]":
    """The node and everything in it, each before its parts."""
    found: list[Expr | Row] = []
    pending: list[Expr | Row] = [node]
    while pending:
        here = pending.pop()
        found.append(here)
        inner = (
            row_children(here) if isinstance(here, RowVariable | Follow | Pick) else children(here)
        )
        pending.extend(reversed(inner))
    return found
