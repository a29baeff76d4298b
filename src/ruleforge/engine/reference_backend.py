"""reference_backend: core, tables of plain Python values -> judgements, row by row

Slow and obvious: every quantifier goes through every row of its table, every reference is looked
for from the first row. It is the oracle of the property tests and the engine of `explain`, so it
shares nothing with the Polars backend and is never made faster.

None stands for what is missing and for unknown. Rows are dicts; a column that was not supplied has
no entry.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, assert_never

from ruleforge.engine.reference_functions import (
    Holidays,
    Period,
    Result,
    all_true,
    any_true,
    apply_function,
    calculate,
    compare,
    divided,
    matches,
    negated,
    opposite,
    shown,
    total,
)
from ruleforge.language import core
from ruleforge.language.core import Value
from ruleforge.language.schema import Schema, Table
from ruleforge.language.sensitive import reads_sensitive
from ruleforge.language.types import CodeType, ValueType

Row = dict[str, Value | None]
Rows = Mapping[int, Row | None]  # the rows that an expression sees, by depth; None is a missing row
Tables = Mapping[str, Sequence[Row]]
PlainFunction = Callable[[Sequence[Value]], Value | None]  # a host's function, of one row's values


class MissingColumn(KeyError):  # noqa: N818 - it says what is missing
    """An expression reads a column that was not supplied. The caller asks for that before."""

    def __init__(self, table: str, column: str) -> None:
        super().__init__(f"{table}.{column}")
        self.table = table
        self.column = column


class Verdict(StrEnum):
    """What a rule says of a row."""

    HOLDS = "holds"
    FAILS = "fails"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a rule says of one row.

    `cause` is the number of the first claim that is false, from 1; set only where the row fails.
    `taken` where the rule is not applicable because a rule named by `after` reports the row.
    """

    row_index: int
    verdict: Verdict
    cause: int | None = None
    taken: bool = False


# ── judging ────────────────────────────────────────────────────────────────────────────────────


def judge(
    rule: core.Rule,
    schema: Schema,
    tables: Tables,
    parameters: Mapping[str, Value | None],
    functions: Mapping[str, PlainFunction] | None = None,
) -> list[Judgement]:
    """One judgement for each row of the rule's table for which `where` is true, in their order.

    `tables` are those that the rule reads, views among them. Whether the rule `applies`, and which
    rows an `after` takes, is the caller's to ask (`reference_judge`).
    Raises `MissingColumn` where the rule reads a column that was not supplied.
    """
    judgements = []
    for row_index, row in enumerate(tables[rule.variable.table]):
        evaluator = Evaluator.of_row(rule, schema, tables, parameters, row, functions)
        if evaluator.is_true(rule.where, evaluator.rows):
            verdict, cause = verdict_of(rule, evaluator)
            judgements.append(Judgement(row_index, verdict, cause))
    return judgements


def verdict_of(rule: core.Rule, evaluator: "Evaluator") -> tuple[Verdict, int | None]:
    """The verdict on the evaluator's row, and the first claim that is false where it fails."""
    when = True if rule.when is None else evaluator.truth(rule.when, evaluator.rows)
    if when is False:
        return Verdict.NOT_APPLICABLE, None
    claims = [evaluator.truth(claim.condition, evaluator.rows) for claim in rule.claims]
    if all_true(claims):
        return Verdict.HOLDS, None
    if when and False in claims:
        return Verdict.FAILS, claims.index(False) + 1
    return Verdict.UNKNOWN, None


def constant_value(
    expr: core.Expr, parameters: Mapping[str, Value | None], schema: Schema | None = None
) -> Result:
    """The value of an expression that reads no row and calls no function of the host.

    `schema` is needed only where codes are put in order.
    """
    return Evaluator(schema or Schema(), {}, parameters).value(expr, {})


# ── values ─────────────────────────────────────────────────────────────────────────────────────


class Evaluator:
    """Evaluates the expressions of one rule for one of its rows.

    The value of a `let` is worked out when it is first asked for, and kept. `lenient` takes what
    was not supplied for missing, as a message may name it.
    """

    lenient = False

    def __init__(
        self,
        schema: Schema,
        tables: Tables,
        parameters: Mapping[str, Value | None],
        lets: Mapping[str, core.Expr] | None = None,
        rows: Rows | None = None,
        functions: Mapping[str, PlainFunction] | None = None,
    ) -> None:
        self.schema = schema
        self.tables = tables
        self.parameters = parameters
        self.lets = lets or {}
        self.rows = rows or {}
        self.functions = functions or {}
        self._let_values: dict[str, Result] = {}

    @classmethod
    def of_row(
        cls,
        rule: core.Rule,
        schema: Schema,
        tables: Tables,
        parameters: Mapping[str, Value | None],
        row: Row,
        functions: Mapping[str, PlainFunction] | None = None,
    ) -> "Evaluator":
        """The evaluator of a rule for one row of its table."""
        rows: Rows = {rule.variable.depth: row}
        return cls(schema, tables, parameters, dict(rule.lets), rows, functions)

    def leniently(self) -> "Evaluator":
        """The same evaluator, which takes what was not supplied for missing."""
        lenient = Evaluator(
            self.schema, self.tables, self.parameters, self.lets, self.rows, self.functions
        )
        lenient.lenient = True
        return lenient

    def value(self, expr: core.Expr, rows: Rows) -> Result:
        """The value of an expression that sees `rows`; None where it is missing or unknown.

        Raises `MissingColumn` where it reads a column that was not supplied.
        """
        match expr:
            case core.Constant():
                return expr.value
            case core.ParameterValue():
                return self.parameters[expr.name]
            case core.LetValue():
                return self._let(expr.name)
            case core.ColumnValue():
                return self._column(expr, rows)
            case core.Apply() | core.HostCall():
                return self._call(expr, rows)
            case core.SetOf():
                raise ValueError("a set of dates is an argument of a function and has no value")
            case core.Negative():
                return self._of_present(negated, rows, expr.operand)
            case core.Arithmetic():
                return self._of_present(partial(calculate, expr.op), rows, expr.left, expr.right)
            case core.If():
                return self._if(expr, rows)
            case core.Aggregate():
                return self._aggregate(expr, rows)
            case core.Not():
                return opposite(self.truth(expr.operand, rows))
            case core.And():
                return all_true([self.truth(operand, rows) for operand in expr.operands])
            case core.Or():
                return any_true([self.truth(operand, rows) for operand in expr.operands])
            case core.Compare():
                return self._compare(expr.op, expr.left, expr.right, rows)
            case core.InSet():
                return self._in_set(expr, rows)
            case core.InPeriod():
                return self._of_present(Period.holds, rows, expr.period, expr.operand)
            case core.Overlaps():
                return self._of_present(Period.overlaps, rows, expr.left, expr.right)
            case core.Matches():
                return self._of_present(partial(matches, expr.pattern), rows, expr.operand)
            case core.Present():
                return self.value(expr.operand, rows) is not None
            case core.RowPresent():
                return self.row(expr.row, rows) is not None
            case core.OtherRow():
                # NOTE: two rows may hold the same values; they are two all the same.
                return self.row(expr.left, rows) is not self.row(expr.right, rows)
            case core.Exists():
                return len(self.matching(expr.variable, expr.where, rows)) > 0
            case core.Every():
                matching = self.matching(expr.variable, expr.where, rows)
                return all_true([self.truth(expr.satisfies, inner) for inner in matching])
        assert_never(expr)

    def truth(self, condition: core.Expr, rows: Rows) -> bool | None:
        """The value of a condition: true, false or unknown."""
        value = self.value(condition, rows)
        assert value is None or isinstance(value, bool)
        return value

    def is_true(self, condition: core.Expr | None, rows: Rows) -> bool:
        """Whether a condition is true; so is none at all."""
        return condition is None or self.truth(condition, rows) is True

    def row(self, row: core.Row, rows: Rows) -> Row | None:
        """The row itself; None where it is missing."""
        match row:
            case core.RowVariable():
                return rows[row.depth]
            case core.Follow():
                return self._follow(row, rows)
            case core.Pick():
                return self._pick(row, rows)
        assert_never(row)

    def matching(
        self, variable: core.RowVariable, where: core.Expr | None, rows: Rows
    ) -> list[dict[int, Row | None]]:
        """The rows of the variable's table for which `where` is true, each within `rows`."""
        seen = [{**rows, variable.depth: candidate} for candidate in self.tables[variable.table]]
        return [inner for inner in seen if self.is_true(where, inner)]

    def _follow(self, row: core.Follow, rows: Rows) -> Row | None:
        source = core.table_of(row.row)
        here = self.row(row.row, rows)
        if here is None:
            return None
        link = self.schema.table(source).links_by_name[row.link]
        wanted = [self._cell(source, here, column) for column in link.columns]
        if None in wanted:
            return None
        # NOTE: within a scope the reference leads to what the scope leaves of the table.
        target = self.schema.table(row.table)
        found = [
            candidate
            for candidate in self.tables[row.table]
            if [self._cell(row.table, candidate, column) for column in target.key] == wanted
        ]
        columns = [column.name for column in target.columns]
        return min(found, key=lambda each: self.rank(target, each, columns), default=None)

    def _pick(self, row: core.Pick, rows: Rows) -> Row | None:
        table = self.schema.table(row.variable.table)
        ranked = []
        for inner in self.matching(row.variable, row.where, rows):
            by, candidate = self.value(row.by, inner), inner[row.variable.depth]
            if by is not None and candidate is not None:
                ranked.append((self.order(by, row.by.type), self.rank(table, candidate), candidate))
        extreme = max if row.latest else min
        best = extreme(ranked, key=lambda each: each[:2], default=None)
        return None if best is None else best[2]

    def rank(self, table: Table, row: Row, columns: Sequence[str] | None = None) -> list[Any]:
        """The sort key of a row by columns, missing lowest, and so is what was not supplied.

        Without `columns` by the key and then the other columns in their order.
        """
        if columns is None:
            others = [column.name for column in table.columns if column.name not in table.key]
            columns = [*table.key, *others]
        types = table.columns_by_name
        return [self.missing_lowest(row.get(column), types[column].type) for column in columns]

    def missing_lowest(self, value: Any, value_type: ValueType) -> Any:
        """The sort key of a value that may be missing."""
        return (False, None) if value is None else (True, self.order(value, value_type))

    def order(self, value: Any, value_type: ValueType) -> Any:
        """The sort key of a present value: of a code its position in its set, else the value."""
        if isinstance(value_type, CodeType):
            return self.schema.code_sets[value_type.name].position_by_code[value]
        return value

    def _cell(self, table: str, row: Row, column: str) -> Value | None:
        if column not in row and not self.lenient:
            raise MissingColumn(table, column)
        return row.get(column)

    def _of_present(
        self, function: Callable[..., Result], rows: Rows, *operands: core.Expr
    ) -> Result:
        values = [self.value(operand, rows) for operand in operands]
        return None if any(value is None for value in values) else function(*values)

    def _let(self, name: str) -> Result:
        if name not in self._let_values:
            self._let_values[name] = self.value(self.lets[name], self.rows)
        return self._let_values[name]

    def _column(self, expr: core.ColumnValue, rows: Rows) -> Result:
        row = self.row(expr.row, rows)
        return None if row is None else self._cell(core.table_of(expr.row), row, expr.column)

    def _call(self, expr: core.Apply | core.HostCall, rows: Rows) -> Result:
        if isinstance(expr, core.HostCall):
            values: list[Any] = [self.value(argument, rows) for argument in expr.arguments]
            return None if None in values else self.functions[expr.function](values)
        arguments = [self._argument(argument, rows) for argument in expr.arguments]
        return apply_function(expr.function, arguments, lambda each: self.order(each, expr.type))

    def _argument(self, expr: core.Expr, rows: Rows) -> Result | Holidays:
        if not isinstance(expr, core.SetOf):
            return self.value(expr, rows)
        days: list[Any] = [self.value(member, rows) for member in expr.members]
        return frozenset(day for day in days if day is not None)

    def _if(self, expr: core.If, rows: Rows) -> Result:
        match self.truth(expr.condition, rows):
            case True:
                return self.value(expr.then, rows)
            case False:
                return self.value(expr.otherwise, rows)
            case None:
                return None

    def _aggregate(self, expr: core.Aggregate, rows: Rows) -> Result:
        return self.aggregate(expr.kind, expr.value, self.matching(expr.variable, expr.where, rows))

    def aggregate(self, kind: str, expr: core.Expr | None, matching: Sequence[Rows]) -> Result:
        """The aggregate of a kind of what an expression is for each of some rows."""
        if expr is None:
            return len(matching)
        value_type = expr.type
        values: list[Any] = [self.value(expr, inner) for inner in matching]
        present = [value for value in values if value is not None]
        match kind:
            case "count":
                return len(present)
            case "count distinct":
                return len(set(present))
            case "sum":
                return total(present)
            case "average":
                whole: Any = total(present)
                return None if whole is None else divided(whole, len(present))
            case "min":
                return min(present, key=lambda each: self.order(each, value_type), default=None)
            case "max":
                return max(present, key=lambda each: self.order(each, value_type), default=None)
            case _:
                raise ValueError(f"no aggregate `{kind}`")

    def _compare(self, op: str, left: core.Expr, right: core.Expr, rows: Rows) -> bool | None:
        a, b = self.value(left, rows), self.value(right, rows)
        if a is None or b is None:
            return None
        if op in ("=", "!="):
            return compare(op, a, b)
        return compare(op, self.order(a, left.type), self.order(b, right.type))

    def _in_set(self, expr: core.InSet, rows: Rows) -> bool | None:
        if self.value(expr.operand, rows) is None:
            return None
        x = expr.operand

        def at_most(low: core.Expr, high: core.Expr) -> bool | None:
            return self._compare("<=", low, high, rows)

        equal = [self._compare("=", x, member, rows) for member in expr.members]
        between = [all_true([at_most(low, x), at_most(x, high)]) for low, high in expr.ranges]
        return any_true([*equal, *between])


# ── messages ───────────────────────────────────────────────────────────────────────────────────


def render_message(
    template: core.Template, evaluator: Evaluator, *, show_sensitive: bool = False
) -> str:
    """The message about the evaluator's row.

    A part that reads a sensitive column, be it through a `let`, is `(withheld)` unless
    `show_sensitive`. A column that was not supplied is missing.
    """
    lenient = evaluator.leniently()

    def text(part: str | core.Expr) -> str:
        if isinstance(part, str):
            return part
        if not show_sensitive and reads_sensitive(part, evaluator.schema, evaluator.lets):
            return "(withheld)"
        return shown(lenient.value(part, lenient.rows))

    return "".join(text(part) for part in template.parts)
