"""check_expression: ast.Expr -> core.Expr, or diagnostics

Binds the names of an expression and gives every part its type, in one walk: what a name means
decides its type, and what stands beside a text in quotes decides whether it is a code. An operand
already found wrong is None, and whatever is made of it is None without a word, so that one mistake
is told once.

Definitions are expanded where they are used, with their arguments bound to what is handed over; a
budget bounds what they may grow to.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal

from ruleforge.language import ast, core
from ruleforge.language import check_messages as say
from ruleforge.language.declarations import Declarations, Definition
from ruleforge.language.diagnostic import Diagnostic
from ruleforge.language.functions import FUNCTIONS, WEEKDAYS, Argument, Function, Kind, Result
from ruleforge.language.patterns import PatternError, common_pattern
from ruleforge.language.resolve import AS_OF, date_format_reason, literal_type, literal_value
from ruleforge.language.schema import CodeSet, SchoolYear, Table
from ruleforge.language.source import Span
from ruleforge.language.suggest import nearest
from ruleforge.language.types import (
    BOOLEAN,
    CELL_PLACES,
    DATE,
    INTEGER,
    MOST_PLACES,
    PERIOD,
    SCHOOL_YEAR,
    TEXT,
    CodeType,
    DateType,
    DecimalType,
    IntegerType,
    SchoolYearType,
    ValueType,
    type_name,
)

MOST_PARTS_OF_A_RULE = 20_000
MOST_EXPANDED_PARTS = 2_000_000  # of a whole rulebook: what definitions write out; the text itself is bounded by `cut`
MOST_LEVELS = 120

_SCHOOL_YEAR_PROPERTIES = ("start", "end", "previous", "next")
_ORDERED = (IntegerType, DecimalType, DateType, SchoolYearType, CodeType)


class Oversize(Exception):  # noqa: N818 - not an error of ours: it ends the checking of one rule
    """A rule that outgrows its budget; the diagnostic is told already."""


@dataclass(frozen=True)
class SetItems:
    """A set as written, with the scope of its names: it gets a type only from the value that is
    looked for in it.
    """

    expr: ast.SetOf
    scope: "Scope"


@dataclass(frozen=True)
class Scope:
    """What names mean at a place. `depth` is that of the next row variable.

    `sizes` are the numbers of parts of what a name stands for and is replaced by: without them, a
    definition that uses its argument twice, and is handed itself, would grow beyond every budget
    without a part being checked.

    `group` are the names of the rows that are grouped, where a question about the group may stand;
    `within_figure` where one is asked already.
    """

    rows: dict[str, core.Row] = field(default_factory=dict)
    values: dict[str, core.Expr] = field(default_factory=dict)
    sets: dict[str, SetItems] = field(default_factory=dict)
    wrong: frozenset[str] = frozenset()
    sizes: dict[str, int] = field(default_factory=dict)
    depth: int = 0
    group: tuple[str, ...] = ()
    within_figure: bool = False

    def names(self) -> list[str]:
        return [*self.rows, *self.values, *self.sets, *self.wrong]

    def with_row(self, name: str, row: core.Row) -> "Scope":
        return replace(self, rows={**self.rows, name: row}, depth=self.depth + 1)


Checked = core.Expr | core.Row | SetItems | None
_ROWS = (core.RowVariable, core.Follow, core.Pick)


class ExpressionChecker:
    """Checks any number of expressions against one set of declarations."""

    def __init__(self, declarations: Declarations) -> None:
        self.declarations = declarations
        self.schema = declarations.schema
        self.diagnostics: list[Diagnostic] = []
        self.broken = set(declarations.broken)
        # The table that a view is; set by `check_views`, which makes views when they are first read.
        self.view: Callable[[str, Span], Table | None] = lambda _name, _span: None
        self.misread: set[str] = set()  # views that are named where none may be
        self.counterpart = ""  # what the rule calls its counterparts, where they are not known yet
        # What the names of tables mean within the scopes of a rulebook.
        self.bindings: Mapping[str, str] = {}
        self.what = "this rule"
        self.place: Span | None = None
        self.parts_of_rule = 0
        self.expanded_parts = 0
        self.expanding = 0
        self.level = 0

    def complain(self, diagnostic: Diagnostic) -> None:
        self.diagnostics.append(diagnostic)

    # ── doors ───────────────────────────────────────────────────────────────────────────────────

    def value(
        self, expr: ast.Expr, scope: Scope, expected: ValueType | None = None
    ) -> core.Expr | None:
        """A value of any type; `expected` makes codes of texts in quotes, and no more."""
        checked = self.anything(expr, scope, expected)
        if isinstance(checked, SetItems):
            self.complain(say.set_as_value(expr.span))
            return None
        if isinstance(checked, _ROWS):
            self.complain(say.row_as_value(expr.span, self.table_of(checked)))
            return None
        return checked

    def table_of(self, row: core.Row) -> Table:
        return self.schema.table(core.table_of(row))

    def condition(self, expr: ast.Expr, scope: Scope) -> core.Expr | None:
        """A value of type boolean."""
        checked = self.value(expr, scope)
        if checked is not None and checked.type != BOOLEAN:
            self.complain(say.not_a_condition(expr.span, checked.type))
            return None
        return checked

    def anything(self, expr: ast.Expr, scope: Scope, expected: ValueType | None = None) -> Checked:
        """A value, a row or a set."""
        self.count(expr.span, 1)
        if self.level > MOST_LEVELS:
            self.complain(say.too_nested(self.place or expr.span, self.what, MOST_LEVELS))
            raise Oversize
        self.level += 1
        try:
            return self.dispatch(expr, scope, expected)
        finally:
            self.level -= 1

    def count(self, span: Span, parts: int) -> None:
        """Counts parts toward the budgets of the rule and of the rulebook."""
        self.parts_of_rule += parts
        if self.expanding:
            self.expanded_parts += parts
        if self.parts_of_rule > MOST_PARTS_OF_A_RULE:
            self.complain(say.too_large(self.place or span, self.what, MOST_PARTS_OF_A_RULE))
            raise Oversize
        if self.expanded_parts > MOST_EXPANDED_PARTS:
            raise Oversize

    def dispatch(self, expr: ast.Expr, scope: Scope, expected: ValueType | None) -> Checked:
        match expr:
            case ast.Literal():
                return self.literal(expr, expected)
            case ast.Variable():
                return self.variable(expr, scope, expected)
            case ast.Attribute():
                return self.attribute(expr, scope)
            case ast.Call():
                return self.call(expr, scope, expected)
            case ast.SetOf():
                return SetItems(expr, scope)
            case ast.Logic():
                return self.logic(expr, scope)
            case ast.Not():
                operand = self.condition(expr.operand, scope)
                return operand and core.Not(operand, expr.span)
            case ast.Negative():
                return self.negative(expr, scope)
            case ast.Arithmetic():
                return self.arithmetic(expr, scope)
            case ast.Comparison():
                return self.comparison(expr, scope)
            case ast.Membership():
                return self.membership(expr, scope)
            case ast.Between():
                return self.between(expr, scope)
            case ast.Presence():
                return self.presence(expr, scope)
            case ast.Matches():
                return self.matches(expr, scope)
            case ast.Overlaps():
                left = self.typed(expr.left, scope, PERIOD, "a period", "write `period(from, to)`")
                right = self.typed(
                    expr.right, scope, PERIOD, "a period", "write `period(from, to)`"
                )
                return left and right and core.Overlaps(left, right, expr.span)
            case ast.If():
                return self.conditional(expr, scope, expected)
            case ast.Quantifier():
                return self.quantifier(expr, scope)
            case ast.Aggregate():
                return self.aggregate(expr, scope)
            case ast.Pick():
                return self.pick(expr, scope)

    def typed(
        self, expr: ast.Expr, scope: Scope, wanted: ValueType, noun: str, fix: str
    ) -> core.Expr | None:
        """A value of one type, or the complaint that it is another."""
        checked = self.value(expr, scope, wanted)
        if checked is not None and checked.type != wanted:
            self.complain(
                say.wrong_type(expr.span, noun, checked.type, "nothing converts in silence", fix)
            )
            return None
        return checked

    def items(self, checked: SetItems) -> None:
        """Says what is wrong within a set that nothing may ever be looked for in."""
        for item in checked.expr.items:
            for each in (item.low, item.high) if isinstance(item, ast.Range) else (item,):
                self.value(each, checked.scope)

    # ── leaves and names ────────────────────────────────────────────────────────────────────────

    def literal(self, expr: ast.Literal, expected: ValueType | None) -> core.Expr | None:
        if expr.span in self.declarations.wrong_literals:
            return None
        if isinstance(expected, CodeType) and isinstance(expr.value, str):
            code_set = self.schema.code_sets[expected.name]
            if expr.value not in code_set.position_by_code:
                self.complain(say.unknown_code(expr.span, expr.value, code_set))
                return None
            return core.Constant(expr.value, expected, expr.span)
        return core.Constant(expr.value, literal_type(expr.value), expr.span)

    def variable(self, expr: ast.Variable, scope: Scope, expected: ValueType | None) -> Checked:
        name = expr.name
        if name in scope.wrong:
            return None
        if name in scope.sizes:
            self.count(expr.span, scope.sizes[name])
        if name in scope.rows:
            return scope.rows[name]
        if name in scope.values:
            return scope.values[name]
        if name in scope.sets:
            return scope.sets[name]
        if name in self.broken:
            return None
        if name in self.declarations.parameters:
            parameter = self.declarations.parameters[name]
            return core.ParameterValue(name, parameter.type, expr.span)
        if name in self.declarations.definitions:
            definition = self.declarations.definitions[name]
            if definition.arguments is not None:
                number = len(definition.arguments)
                takes = count_of_arguments(number, number)
                signature = signature_of(definition)
                self.complain(say.wrong_argument_count(expr.span, signature, 0, takes))
                return None
            return self.expand(definition, Scope(depth=scope.depth), expected)
        if name == self.counterpart:
            self.complain(say.counterpart_as_row(expr.span, name))
        elif name in self.schema.tables or name in self.declarations.views:
            self.complain(say.table_as_value(expr.span, name))
        elif name in self.declarations.datasets:
            self.complain(say.dataset_as_value(expr.span, name))
        elif name in self.declarations.functions:
            signature = host_signature_of(self.declarations.functions[name])
            self.complain(say.function_as_value(expr.span, name, signature))
        elif not self.declarations.incomplete:
            known = [*scope.names(), *self.declarations.parameters, *self.declarations.definitions]
            rows = {row: self.table_of(each) for row, each in scope.rows.items()}
            self.complain(say.unknown_name(expr.span, name, known, rows))
        return None

    def expand(self, definition: Definition, scope: Scope, expected: ValueType | None) -> Checked:
        # NOTE: a circle is refused by `resolve`, so this ends; the level bounds how deep it goes.
        self.expanding += 1
        try:
            return self.anything(definition.value, scope, expected)
        finally:
            self.expanding -= 1

    def attribute(self, expr: ast.Attribute, scope: Scope) -> Checked:
        operand = self.anything(expr.operand, scope)
        name = expr.name.text
        if operand is None:
            return None
        if isinstance(operand, SetItems):
            self.complain(say.set_as_value(expr.operand.span))
            return None
        if isinstance(operand, _ROWS):
            return self.of_row(expr, operand, name)
        if operand.type == SCHOOL_YEAR and name in _SCHOOL_YEAR_PROPERTIES:
            function = FUNCTIONS[f"school_year.{name}"]
            assert not isinstance(function.result, Result)
            return core.Apply(function.name, (operand,), function.result, expr.span)
        known = (*_SCHOOL_YEAR_PROPERTIES, "day") if operand.type == SCHOOL_YEAR else ()
        self.complain(say.unknown_property(expr.name.span, name, operand.type, known))
        return None

    def of_row(self, expr: ast.Attribute, row: core.Row, name: str) -> Checked:
        table = self.table_of(row)
        if f"{table.kind}.{name}" in self.broken:
            return None
        if name in table.columns_by_name:
            return core.ColumnValue(row, name, table.columns_by_name[name].type, expr.span)
        if name in table.links_by_name:
            target = table.links_by_name[name].table
            return core.Follow(row, name, self.bindings.get(target, target))
        operand = say.snippet(expr.operand.span)
        self.complain(say.unknown_column(expr.name.span, operand, table, name))
        return None

    # ── logic and comparison ────────────────────────────────────────────────────────────────────

    def logic(self, expr: ast.Logic, scope: Scope) -> core.Expr | None:
        operands = [self.condition(each, scope) for each in expr.operands]
        present = tuple(each for each in operands if each is not None)
        if len(present) < len(operands):
            return None
        return core.And(present, expr.span) if expr.word == "and" else core.Or(present, expr.span)

    def pair(
        self, left: ast.Expr, right: ast.Expr, scope: Scope
    ) -> tuple[core.Expr, core.Expr] | None:
        """Two values of one type. A text in quotes beside a code is a code."""
        first, second = self.value(left, scope), self.value(right, scope)
        if first is None or second is None:
            return None
        if isinstance(first.type, CodeType) and second.type == TEXT:
            second = self.as_code(right, second, scope, first.type)
        elif isinstance(second.type, CodeType) and first.type == TEXT:
            first = self.as_code(left, first, scope, second.type)
        if first is None or second is None:
            return None
        if not same_type(first.type, second.type):
            self.complain(
                say.cannot_compare(left.span, first.type, right.span, second.type, self.schema)
            )
            return None
        for one, other, span in ((first, second, right.span), (second, first, left.span)):
            if isinstance(other, core.Constant) and not self.can_equal(one, other, span):
                return None
        return first, second

    def as_code(
        self, expr: ast.Expr, checked: core.Expr, scope: Scope, code: CodeType
    ) -> core.Expr | None:
        """The text once more, as a code of that set where it is written out; unchanged where it is
        no literal.
        """
        if reads_no_text(checked):
            return self.value(expr, scope, code)
        return checked

    def can_equal(self, value: core.Expr, constant: core.Constant, span: Span) -> bool:
        """Whether a value can be compared with a constant at all; says so where a text is blank or
        too long.
        """
        text = constant.value
        if constant.type != TEXT or not isinstance(text, str):
            return True
        if not text.strip():
            self.complain(say.blank_text(span))
            return False
        if isinstance(value, core.ColumnValue):
            table = self.table_of(value.row)
            most = table.columns_by_name[value.column].max_length
            if most is not None and len(text) > most:
                reason = f"`{table.shown}.{value.column}` has at most {most} characters, and this has {len(text)}"
                self.complain(say.never_equal(span, reason, "shorten the text, or raise `max`"))
                return False
        return True

    def comparison(self, expr: ast.Comparison, scope: Scope) -> core.Expr | None:
        pair = self.pair(expr.left, expr.right, scope)
        if pair is None:
            return None
        left, right = pair
        if left.type == PERIOD or (left.type == BOOLEAN and expr.op not in ("=", "!=")):
            self.complain(say.not_comparable(expr.span, left.type, expr.op))
            return None
        result = core.Compare(expr.op, left, right, expr.span)
        if (
            isinstance(left, core.Constant)
            and isinstance(right, core.Constant)
            and not self.holds(result)
        ):
            fix = "compare with a column or a parameter"
            why = "both sides are written out, and it is false"
            self.complain(say.never_holds(expr.span, why, fix))
            return None
        return result

    def holds(self, compare: core.Compare) -> bool:
        """Whether a comparison of two constants is true."""
        left, right = self.order_of(compare.left), self.order_of(compare.right)
        return {
            "=": left == right,
            "!=": left != right,
            "<": left < right,
            "<=": left <= right,
            ">": left > right,
            ">=": left >= right,
        }[compare.op]

    def order_of(self, constant: core.Expr) -> "_Sortable":
        """What a constant is sorted by within its type."""
        assert isinstance(constant, core.Constant)
        if isinstance(constant.type, CodeType):
            code_set = self.schema.code_sets[constant.type.name]
            return _Sortable(code_set.position_by_code[str(constant.value)])
        assert constant.value is not None
        return _Sortable(constant.value)

    def between(self, expr: ast.Between, scope: Scope) -> core.Expr | None:
        low = self.pair(expr.operand, expr.low, scope)
        high = self.pair(expr.operand, expr.high, scope)
        if low is None or high is None:
            return None
        if low[0].type in (PERIOD, BOOLEAN):
            self.complain(say.not_comparable(expr.span, low[0].type, "between"))
            return None
        if self.is_backwards(low[1], high[1]):
            order = order_named(low[0].type)
            self.complain(say.backwards_range(expr.low.span, expr.high.span, order))
            return None
        return core.And(
            (
                core.Compare(">=", low[0], low[1], expr.span),
                core.Compare("<=", high[0], high[1], expr.span),
            ),
            expr.span,
        )

    def is_backwards(self, low: core.Expr, high: core.Expr) -> bool:
        if not (isinstance(low, core.Constant) and isinstance(high, core.Constant)):
            return False
        return self.order_of(high) < self.order_of(low)

    def membership(self, expr: ast.Membership, scope: Scope) -> core.Expr | None:
        operand = self.value(expr.operand, scope)
        container = self.anything(expr.container, scope)
        if operand is None or container is None:
            return None
        result: core.Expr | None
        if isinstance(container, SetItems):
            result = self.in_set(expr, operand, container)
        elif isinstance(container, _ROWS):
            self.complain(
                say.not_a_set(expr.container.span, f"a row of `{self.table_of(container).shown}`")
            )
            return None
        elif container.type == PERIOD:
            if operand.type != DATE:
                self.complain(
                    say.wrong_type(
                        expr.operand.span,
                        "a date",
                        operand.type,
                        "only a date lies in a period",
                        "ask for a date",
                    )
                )
                return None
            result = core.InPeriod(operand, container, expr.span)
        else:
            self.complain(say.not_a_set(expr.container.span, say.named(container.type)))
            return None
        return core.Not(result, expr.span) if result is not None and expr.negated else result

    def in_set(
        self, expr: ast.Membership, operand: core.Expr, container: SetItems
    ) -> core.Expr | None:
        if operand.type == PERIOD:
            self.complain(say.not_comparable(expr.span, PERIOD, "="))
            return None
        members: list[core.Expr] = []
        ranges: list[tuple[core.Expr, core.Expr]] = []
        fine = True
        for item in container.expr.items:
            if isinstance(item, ast.Range):
                low = self.member(item.low, operand, expr.operand, container.scope)
                high = self.member(item.high, operand, expr.operand, container.scope)
                fine = fine and self.range(item, operand.type, low, high, members, ranges)
            else:
                member = self.member(item, operand, expr.operand, container.scope)
                fine = fine and member is not None
                if member is not None and member not in members:
                    members.append(member)
        return core.InSet(operand, tuple(members), tuple(ranges), expr.span) if fine else None

    def member(
        self, item: ast.Expr, operand: core.Expr, expr: ast.Expr, scope: Scope
    ) -> core.Expr | None:
        """A member of a set in which `operand`, written as `expr`, is looked for."""
        member = self.value(item, scope, operand.type)
        if member is None:
            return None
        if isinstance(member.type, CodeType) and operand.type == TEXT and reads_no_text(operand):
            self.complain(
                say.cannot_compare(expr.span, operand.type, item.span, member.type, self.schema)
            )
            return None
        if not same_type(operand.type, member.type):
            wanted = say.named(operand.type)
            self.complain(
                say.wrong_type(
                    item.span,
                    wanted,
                    member.type,
                    "a set holds values of the type that is looked for",
                    f"give {wanted}",
                )
            )
            return None
        if isinstance(member, core.Constant) and not self.can_equal(operand, member, item.span):
            return None
        return member

    def range(
        self,
        item: ast.Range,
        value_type: ValueType,
        low: core.Expr | None,
        high: core.Expr | None,
        members: list[core.Expr],
        ranges: list[tuple[core.Expr, core.Expr]],
    ) -> bool:
        """Adds a range to the set: codes one by one, in the order of their set."""
        if low is None or high is None:
            return False
        if not isinstance(value_type, _ORDERED):
            self.complain(say.no_range(item.span, value_type))
            return False
        if self.is_backwards(low, high):
            order = order_named(value_type)
            self.complain(say.backwards_range(item.low.span, item.high.span, order))
            return False
        both_written = isinstance(low, core.Constant) and isinstance(high, core.Constant)
        if isinstance(value_type, CodeType) and both_written:
            assert isinstance(low, core.Constant) and isinstance(high, core.Constant)
            for code in codes_between(self.schema.code_sets[value_type.name], low, high):
                constant = core.Constant(code, value_type, item.span)
                if constant not in members:
                    members.append(constant)
        else:
            ranges.append((low, high))
        return True

    def presence(self, expr: ast.Presence, scope: Scope) -> core.Expr | None:
        operand = self.anything(expr.operand, scope)
        if operand is None:
            return None
        if isinstance(operand, SetItems):
            self.complain(say.set_as_value(expr.operand.span))
            return None
        present: core.Expr
        if isinstance(operand, _ROWS):
            present = core.RowPresent(operand, expr.span)
        elif isinstance(operand, core.Constant):
            self.complain(say.always_present(expr.span, expr.operand.span))
            return None
        else:
            present = core.Present(operand, expr.span)
        return core.Not(present, expr.span) if expr.missing else present

    def matches(self, expr: ast.Matches, scope: Scope) -> core.Expr | None:
        fix = "compare it with `=`, `<` or `in`"
        operand = self.value(expr.operand, scope)
        if operand is not None and not isinstance(operand.type, type(TEXT) | CodeType):
            why = "a pattern speaks of characters"
            self.complain(say.wrong_type(expr.operand.span, "text", operand.type, why, fix))
            operand = None
        try:
            pattern = common_pattern(expr.pattern.value)
        except PatternError as mistake:
            self.complain(say.bad_pattern(self.inside(expr.pattern, mistake.offset), str(mistake)))
            return None
        return operand and core.Matches(operand, pattern, expr.span)

    @staticmethod
    def inside(text: ast.Text, offset: int) -> Span:
        """The place of one character of a quoted text."""
        if offset < len(text.offsets):
            start = text.offsets[offset]
            return Span(text.span.source, start, start + 1)
        return text.span

    # ── arithmetic and choice ───────────────────────────────────────────────────────────────────

    def negative(self, expr: ast.Negative, scope: Scope) -> core.Expr | None:
        operand = self.value(expr.operand, scope)
        if operand is None:
            return None
        if not isinstance(operand.type, IntegerType | DecimalType):
            why = "only numbers have a sign"
            self.complain(
                say.wrong_type(expr.operand.span, "a number", operand.type, why, "give a number")
            )
            return None
        value = literal_value(expr)
        if value is not None:
            return core.Constant(value, operand.type, expr.span)
        return core.Negative(operand, operand.type, expr.span)

    def arithmetic(self, expr: ast.Arithmetic, scope: Scope) -> core.Expr | None:
        left, right = self.value(expr.left, scope), self.value(expr.right, scope)
        if left is None or right is None:
            return None
        result = arithmetic_type(expr.op, left.type, right.type)
        if result is None:
            operands = (expr.left.span, left.type, expr.right.span, right.type)
            self.complain(say.wrong_arithmetic(expr.span, expr.op, *operands))
            return None
        if expr.op == "/" and places_of(right.type) > CELL_PLACES:
            self.complain(say.too_many_places(expr.right.span, places_of(right.type), CELL_PLACES))
            return None
        if isinstance(result, DecimalType) and result.places > MOST_PLACES:
            self.complain(say.too_many_places(expr.span, result.places, MOST_PLACES))
            return None
        return core.Arithmetic(expr.op, left, right, result, expr.span)

    def conditional(
        self, expr: ast.If, scope: Scope, expected: ValueType | None
    ) -> core.Expr | None:
        condition = self.condition(expr.condition, scope)
        branches = self.of_one_type((expr.then, expr.otherwise), scope, expected)
        if condition is None or branches is None:
            return None
        values, result = branches
        return core.If(condition, values[0], values[1], result, expr.span)

    def of_one_type(
        self, exprs: Sequence[ast.Expr], scope: Scope, expected: ValueType | None
    ) -> tuple[list[core.Expr], ValueType] | None:
        """Values of one type, and that type; a text in quotes beside a code is a code."""
        values = [self.value(each, scope, expected) for each in exprs]
        present = [value for value in values if value is not None]
        if len(present) < len(values):
            return None
        code = next((value.type for value in present if isinstance(value.type, CodeType)), None)
        if code is not None:
            values = [
                self.as_code(each, value, scope, code) if value.type == TEXT else value
                for each, value in zip(exprs, present, strict=True)
            ]
            present = [value for value in values if value is not None]
            if len(present) < len(values):
                return None
        for each, value in zip(exprs, present, strict=True):
            if isinstance(value, core.Constant) and not self.can_equal(value, value, each.span):
                return None
            if not same_type(present[0].type, value.type):
                self.complain(say.mixed_types(each.span, present[0].type, value.type))
                return None
        return present, widest([value.type for value in present])

    # ── quantifiers ─────────────────────────────────────────────────────────────────────────────

    def table(self, name: ast.TableName) -> Table | None:
        """The table or view of a name, within its scope; says so where there is none."""
        table = name.table.text
        views = self.declarations.views
        if name.dataset is not None:
            dataset = name.dataset.text
            if dataset not in self.declarations.datasets:
                if not (dataset in self.broken or self.declarations.incomplete):
                    known = self.declarations.datasets
                    self.complain(say.unknown_dataset(name.dataset.span, dataset, known))
                return None
            if table in self.schema.tables:
                full = f"{dataset}.{table}"
                return self.schema.table(self.bindings.get(full, full))
            if table in views:
                self.misread.add(table)
                self.complain(say.view_of_dataset(name.span, dataset, table))
                return None
        elif table in self.schema.tables:
            return self.schema.table(self.bindings.get(table, table))
        elif table in views:
            return self.view(table, name.span)
        elif table in self.declarations.published and table not in self.broken:
            what = self.declarations.published[table]
            self.complain(say.published_as_table(name.span, table, what))
            return None
        if not (table in self.broken or self.declarations.incomplete):
            self.complain(say.unknown_table(name.span, table, [*self.schema.tables, *views]))
        return None

    def meaning(self, name: str, scope: Scope) -> str | None:
        """What a name means already, so that it cannot be given to something new; None where it is
        free.
        """
        if name in scope.rows:
            return "a row here"
        if name in scope.names():
            return "another value here"
        if name == AS_OF:
            return "the day of the evaluation"
        if name in self.declarations.parameters:
            return "a parameter"
        if name in self.declarations.definitions:
            return "a definition"
        return None

    @contextmanager
    def over(
        self, name: ast.Name, table: ast.TableName | None, scope: Scope
    ) -> Iterator[tuple[core.RowVariable, Scope] | None]:
        """The row variable of a quantifier and the scope inside it; None where the table is not
        known. Without a table it is the rows of the group.
        """
        if table is None:
            yield self.over_group(name, scope)
            return
        known = self.table(table)
        meaning = self.meaning(name.text, scope)
        if name.text in scope.group:
            self.complain(say.group_taken(name.span, name.text, f"count({name.text})"))
            known = None
        elif meaning is not None:
            self.complain(say.name_taken(name.span, name.text, meaning))
            known = None
        if known is None:
            yield None
            return
        variable = core.RowVariable(scope.depth, known.name, name.text)
        yield variable, scope.with_row(name.text, variable)

    def over_group(self, name: ast.Name, scope: Scope) -> tuple[core.RowVariable, Scope] | None:
        """The rows of the group, and the scope of a question about one of them."""
        row = scope.rows.get(name.text)
        if name.text not in scope.group or not isinstance(row, core.RowVariable):
            if scope.group and name.text not in scope.rows:
                self.complain(say.other_group_row(name.span, name.text, scope.group[0]))
            else:
                table = self.table_of(row).shown if row is not None else ""
                self.complain(say.no_group(name.span, name.text, table))
            return None
        if scope.within_figure:
            self.complain(say.group_in_group(name.span))
            return None
        # WHY: depth 0 marks the question as one about the group, whichever of its rows is named.
        first = core.RowVariable(0, row.table, row.name)
        return first, replace(scope, within_figure=True)

    def quantifier(self, expr: ast.Quantifier, scope: Scope) -> core.Expr | None:
        with self.over(expr.variable, expr.table, scope) as inside:
            if inside is None:
                return None
            variable, inner = inside
            where = self.condition(expr.where, inner) if expr.where else None
            satisfies = self.condition(expr.satisfies, inner) if expr.satisfies else None
        if (expr.where and where is None) or (expr.satisfies and satisfies is None):
            return None
        result: core.Expr
        if satisfies is None:
            result = core.Exists(variable, where, expr.span)
        else:
            result = core.Every(variable, where, satisfies, expr.span)
        return result if self.is_linked(_place(expr), variable, where, satisfies) else None

    def aggregate(self, expr: ast.Aggregate, scope: Scope) -> core.Expr | None:
        with self.over(expr.variable, expr.table, scope) as inside:
            if inside is None:
                return None
            variable, inner = inside
            where = self.condition(expr.where, inner) if expr.where else None
            value = self.value(expr.value, inner) if expr.value else None
        if (expr.where and where is None) or (expr.value and value is None):
            return None
        if not self.is_linked(_place(expr), variable, where, value):
            return None
        kind = "count distinct" if expr.distinct else expr.kind
        if value is None or kind.startswith("count"):
            if value is not None and value.type == PERIOD:
                self.complain(say.not_comparable(expr.span, PERIOD, kind))
                return None
            return core.Aggregate(kind, value, variable, where, INTEGER, expr.span)
        numeric = isinstance(value.type, IntegerType | DecimalType)
        if kind in ("sum", "average") and not numeric:
            assert expr.value is not None
            why = f"`{kind}` adds numbers"
            self.complain(
                say.wrong_type(expr.value.span, "a number", value.type, why, "give a number")
            )
            return None
        if value.type in (PERIOD, BOOLEAN):
            self.complain(say.not_comparable(expr.span, value.type, kind))
            return None
        result = DecimalType(CELL_PLACES) if kind == "average" else value.type
        return core.Aggregate(kind, value, variable, where, result, expr.span)

    def pick(self, expr: ast.Pick, scope: Scope) -> core.Row | None:
        with self.over(expr.variable, expr.table, scope) as inside:
            if inside is None:
                return None
            variable, inner = inside
            by = self.value(expr.by, inner)
            where = self.condition(expr.where, inner) if expr.where else None
        if by is None or (expr.where and where is None):
            return None
        if by.type in (PERIOD, BOOLEAN):
            self.complain(say.not_comparable(expr.by.span, by.type, expr.kind))
            return None
        if not self.is_linked(_place(expr), variable, where, by):
            return None
        return core.Pick(expr.kind == "latest", variable, by, where)

    def is_linked(
        self,
        span: Span,
        variable: core.RowVariable,
        where: core.Expr | None,
        *others: core.Expr | None,
        clause: str = "where",
    ) -> bool:
        """Whether a quantifier that reads rows outside finds its own by an equality in `clause`;
        says so where it does not.
        """
        table = self.schema.table(variable.table)
        if table.lookup:
            return True
        read = [each for each in (where, *others) if each is not None]
        outside = set[int]().union(*(depths_read(each) for each in read))
        if not any(depth < variable.depth for depth in outside):
            return True
        if where is not None and any(links(where, variable.depth)):
            return True
        outer = next(
            part
            for each in read
            for part in core.walk(each)
            if isinstance(part, core.RowVariable | core.LetValue)
            and depth_of(part) < variable.depth
        )
        column = ""
        if isinstance(outer, core.RowVariable):
            theirs = self.schema.table(outer.table).columns_by_name
            shared = [name for name in table.columns_by_name if name in theirs]
            column = next(iter(shared), "")
        equalities = (
            part for each in read for part in core.walk(each) if isinstance(part, core.Compare)
        )
        in_or = any(any(links(each, variable.depth)) for each in equalities)
        self.complain(
            say.unlinked(
                span,
                table,
                variable.name,
                outer.name,
                column,
                clause,
                in_or=in_or,
                is_view=table.kind not in self.schema.tables,
            )
        )
        return False

    # ── calls ───────────────────────────────────────────────────────────────────────────────────

    def call(self, expr: ast.Call, scope: Scope, expected: ValueType | None) -> Checked:
        name = expr.name.text
        if expr.operand is not None:
            return self.method(expr, scope)
        definition = self.declarations.definitions.get(name)
        if definition is not None and definition.arguments is not None:
            return self.use(expr, definition, scope, expected)
        if name in self.broken or (self.declarations.incomplete and name not in FUNCTIONS):
            return None
        if definition is not None and name not in FUNCTIONS:
            self.complain(say.constant_called(expr.span, name))
            return None
        if name in self.declarations.functions:
            return self.host_call(expr, self.declarations.functions[name], scope)
        if name not in FUNCTIONS:
            known = [*self.declarations.functions]
            known += [each for each in FUNCTIONS if "." not in each] + [
                each.name
                for each in self.declarations.definitions.values()
                if each.arguments is not None
            ]
            self.complain(say.unknown_function(expr.name.span, name, known))
            return None
        return self.built_in(expr, FUNCTIONS[name], expr.arguments, (), scope, expected)

    def host_call(
        self, expr: ast.Call, function: core.HostFunction, scope: Scope
    ) -> core.Expr | None:
        """A call of a function that the host brings."""
        signature = host_signature_of(function)
        if len(expr.arguments) != len(function.arguments):
            takes = count_of_arguments(len(function.arguments), len(function.arguments))
            self.complain(
                say.wrong_argument_count(expr.span, signature, len(expr.arguments), takes)
            )
            return None
        arguments: list[core.Expr] = []
        for (name, wanted), given in zip(function.arguments, expr.arguments, strict=True):
            value = self.value(given, scope, wanted)
            if value is None:
                continue
            as_text = wanted == TEXT and isinstance(value.type, CodeType)
            widened = isinstance(wanted, DecimalType) and isinstance(value.type, IntegerType)
            if value.type != wanted and not as_text and not widened:
                got = say.named(value.type)
                self.complain(
                    say.wrong_argument(given.span, signature, name, say.named(wanted), got)
                )
                continue
            arguments.append(value)
        if len(arguments) < len(function.arguments):
            return None
        return core.HostCall(function.name, tuple(arguments), function.result, expr.span)

    def method(self, expr: ast.Call, scope: Scope) -> core.Expr | None:
        assert expr.operand is not None
        operand = self.value(expr.operand, scope)
        if operand is None:
            return None
        if operand.type != SCHOOL_YEAR or expr.name.text != "day":
            known = ("day",) if operand.type == SCHOOL_YEAR else ()
            self.complain(say.unknown_property(expr.name.span, expr.name.text, operand.type, known))
            return None
        function = FUNCTIONS["school_year.day"]
        applied = self.built_in(expr, function, expr.arguments, (operand,), scope, None)
        return applied if applied is None or self.is_day(expr, applied) else None

    def is_day(self, expr: ast.Call, applied: core.Expr) -> bool:
        """Whether a day that is written out exists in some year."""
        assert isinstance(applied, core.Apply)
        month, day = applied.arguments[1:]
        if not (isinstance(month, core.Constant) and isinstance(day, core.Constant)):
            return True
        longest = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}
        numbers = month.value, day.value
        match numbers:
            case int(m), int(d) if 1 <= m <= 12 and 1 <= d <= longest.get(m, 31):
                return True
            case _:
                pass
        self.complain(say.no_such_day(expr.span))
        return False

    def use(
        self, expr: ast.Call, definition: Definition, scope: Scope, expected: ValueType | None
    ) -> Checked:
        """A definition with arguments, written out."""
        arguments = definition.arguments or ()
        if len(arguments) != len(expr.arguments):
            takes = count_of_arguments(len(arguments), len(arguments))
            self.complain(
                say.wrong_argument_count(
                    expr.span, signature_of(definition), len(expr.arguments), takes
                )
            )
            return None
        rows: dict[str, core.Row] = {}
        values: dict[str, core.Expr] = {}
        sizes: dict[str, int] = {}
        for argument, given in zip(arguments, expr.arguments, strict=True):
            before = self.parts_of_rule
            checked = self.anything(given, scope, argument.type)
            sizes[argument.name] = self.parts_of_rule - before
            if argument.table is not None:
                row = self.row_argument(given, checked, argument.table)
                if row is not None:
                    rows[argument.name] = row
                continue
            value = self.value_argument(given, checked, definition, argument.name, argument.type)
            if value is not None:
                values[argument.name] = value
        if len(rows) + len(values) < len(arguments) or definition.name in self.broken:
            return None
        return self.expand(
            definition, Scope(rows, values, sizes=sizes, depth=scope.depth), expected
        )

    def row_argument(self, given: ast.Expr, checked: Checked, table: str) -> core.Row | None:
        if checked is None:
            return None
        if not isinstance(checked, _ROWS):
            self.complain(say.value_as_row(given.span, table))
            return None
        # WHY: last year's row of a table, or one within its scope, has the same columns.
        got = self.table_of(checked)
        if got.kind != table:
            self.complain(say.wrong_row(given.span, got.shown, table))
            return None
        return checked

    def value_argument(
        self,
        given: ast.Expr,
        checked: Checked,
        definition: Definition,
        name: str,
        wanted: ValueType | None,
    ) -> core.Expr | None:
        assert wanted is not None
        if isinstance(checked, SetItems):
            self.complain(say.set_as_value(given.span))
            return None
        if isinstance(checked, _ROWS):
            self.complain(say.row_as_value(given.span, self.table_of(checked)))
            return None
        if checked is None:
            return None
        if checked.type != wanted and not (
            isinstance(wanted, DecimalType) and isinstance(checked.type, IntegerType)
        ):
            signature, got = signature_of(definition), say.named(checked.type)
            self.complain(say.wrong_argument(given.span, signature, name, say.named(wanted), got))
            return None
        return checked

    def built_in(
        self,
        expr: ast.Call,
        function: Function,
        written: tuple[ast.Expr, ...],
        before: tuple[core.Expr, ...],
        scope: Scope,
        expected: ValueType | None,
    ) -> core.Expr | None:
        """A function of the language. `before` are arguments already checked (the value before the
        point).
        """
        declared = function.arguments[len(before) :]
        least, most = len(declared) - function.optional, len(declared)
        if len(written) < least or (len(written) > most and not function.variadic):
            signature = function.signature
            if before:  # the value before the point is written there
                names = ", ".join(argument.name for argument in declared)
                signature = f".{expr.name.text}({names})"
            takes = count_of_arguments(least, None if function.variadic else most)
            self.complain(say.wrong_argument_count(expr.span, signature, len(written), takes))
            return None
        slots = [declared[min(i, most - 1)] for i in range(len(written))]
        if slots and all(slot.type in (Kind.ORDERED, Kind.ANY) for slot in slots):
            return self.choice(expr, function, written, scope, expected)
        arguments: list[core.Expr] = list(before)
        for slot, each in zip(slots, written, strict=True):
            argument = self.argument(function, slot, each, scope)
            if argument is not None:
                arguments.append(argument)
        if len(arguments) < len(before) + len(written):
            return None
        return core.Apply(
            function.name, tuple(arguments), self.result(function, arguments), expr.span
        )

    def choice(
        self,
        expr: ast.Call,
        function: Function,
        written: tuple[ast.Expr, ...],
        scope: Scope,
        expected: ValueType | None,
    ) -> core.Expr | None:
        """`coalesce`, `min_of`, `max_of`: arguments of one type, whichever."""
        values = self.of_one_type(written, scope, expected)
        if values is None:
            return None
        unordered = values[1] in (PERIOD, BOOLEAN)
        if unordered and function.arguments[0].type == Kind.ORDERED:
            self.complain(say.not_comparable(expr.span, values[1], function.name))
            return None
        return core.Apply(function.name, tuple(values[0]), values[1], expr.span)

    @staticmethod
    def result(function: Function, arguments: Sequence[core.Expr]) -> ValueType:
        if function.result is Result.SAME:
            return widest([argument.type for argument in arguments])
        if function.result is Result.ROUNDED:
            if len(arguments) == 1:
                return INTEGER
            places = arguments[1]
            assert isinstance(places, core.Constant) and isinstance(places.value, int)
            return DecimalType(places.value)
        assert not isinstance(function.result, Result)
        return function.result

    def argument(
        self, function: Function, slot: Argument, expr: ast.Expr, scope: Scope
    ) -> core.Expr | None:
        if slot.type is Kind.DATES:
            return self.dates(function, slot, expr, scope)
        if isinstance(slot.type, Kind) and slot.type is not Kind.NUMBER:
            return self.written_out(function, slot, expr, scope)
        wanted = None if isinstance(slot.type, Kind) else slot.type
        value = self.value(expr, scope, wanted)
        if value is None:
            return None
        fits = (
            isinstance(value.type, IntegerType | DecimalType)
            if slot.type is Kind.NUMBER
            else value.type == slot.type
            # WHY: a code is text with a closed list of values, so the text functions take it.
            or (slot.type == TEXT and isinstance(value.type, CodeType))
            or (isinstance(slot.type, DecimalType) and isinstance(value.type, IntegerType))
        )
        if not fits:
            noun = "a number" if wanted is None else say.named(wanted)
            self.complain(
                say.wrong_argument(
                    expr.span, function.signature, slot.name, noun, say.named(value.type)
                )
            )
            return None
        empty = isinstance(value, core.Constant) and value.value == ""
        if empty and not (function.name == "replace" and slot.name == "new"):
            self.complain(
                say.wrong_argument(
                    expr.span, function.signature, slot.name, "a text with characters", "empty"
                )
            )
            return None
        return value

    def written_out(
        self, function: Function, slot: Argument, expr: ast.Expr, scope: Scope
    ) -> core.Expr | None:
        """An argument that must be a literal: a number of places, a date format, a weekday."""
        value = self.value(expr, scope)
        if value is None:
            return None
        given = value.value if isinstance(value, core.Constant) else None
        fix = ""
        if slot.type is Kind.PLACES:
            noun, fits = "a whole number from 0 to 10", isinstance(given, int) and 0 <= given <= 10
        elif slot.type is Kind.WEEKDAY:
            noun, fits = "a weekday in small letters", given in WEEKDAYS
            near = nearest(str(given), WEEKDAYS)
            fix = f'did you mean `"{near}"`?' if near else 'write it as `"monday"`'
        else:
            noun = "a date format"
            reason = date_format_reason(given) if isinstance(given, str) else None
            fits = isinstance(given, str) and reason is None
            fix = 'write it with `%Y`, `%m` and `%d`, once each, such as `"%m/%d/%Y"`'
        if not fits:
            got = "none" if given is not None else "not written out"
            if given is None:
                noun = f"{noun}, written out"
            signature = function.signature
            self.complain(say.wrong_argument(expr.span, signature, slot.name, noun, got, fix))
            return None
        return value

    def kind_of(self, checked: core.Expr | core.Row) -> str:
        if isinstance(checked, _ROWS):
            return f"a row of `{self.table_of(checked).shown}`"
        return say.named(checked.type)

    def dates(
        self, function: Function, slot: Argument, expr: ast.Expr, scope: Scope
    ) -> core.Expr | None:
        """A set of dates that reads no row (holidays)."""
        checked = self.anything(expr, scope)
        if checked is None:
            return None
        if not isinstance(checked, SetItems):
            self.complain(
                say.wrong_argument(
                    expr.span,
                    function.signature,
                    slot.name,
                    "a set of dates",
                    self.kind_of(checked),
                )
            )
            return None
        members: list[core.Expr] = []
        for item in checked.expr.items:
            if isinstance(item, ast.Range):
                noun, signature = "a set of single dates", function.signature
                fix = "write out each of the dates"
                self.complain(
                    say.wrong_argument(item.span, signature, slot.name, noun, "a range", fix)
                )
                return None
            member = self.typed(item, checked.scope, DATE, "a date", "write the date as 2023-12-25")
            if member is None:
                return None
            fix = "write the dates out, or take them from parameters"
            if any(isinstance(each, core.HostCall) for each in core.walk(member)):
                self.complain(say.calls_host(item.span, "a list of holidays", fix))
                return None
            if depths_read(member):
                self.complain(say.reads_rows(item.span, "a list of holidays", fix))
                return None
            members.append(member)
        return core.SetOf(tuple(members), DATE, expr.span)


class _Sortable:
    """A constant of a type that is known to be ordered."""

    def __init__(self, value: core.Value) -> None:
        # NOTE: booleans are compared by `=` and `!=` only; integer and decimal sort together.
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Sortable) and self.value == other.value

    def __lt__(self, other: "_Sortable") -> bool:
        mine, theirs = self.value, other.value
        if isinstance(mine, str) and isinstance(theirs, str):
            return mine < theirs
        if isinstance(mine, SchoolYear) and isinstance(theirs, SchoolYear):
            return mine < theirs
        if isinstance(mine, int | Decimal) and isinstance(theirs, int | Decimal):
            return mine < theirs
        assert not isinstance(mine, str | SchoolYear | int | Decimal)
        assert not isinstance(theirs, str | SchoolYear | int | Decimal)
        return mine < theirs

    def __le__(self, other: "_Sortable") -> bool:
        return not other < self

    def __gt__(self, other: "_Sortable") -> bool:
        return other < self

    def __ge__(self, other: "_Sortable") -> bool:
        return not self < other

    __hash__ = None  # type: ignore[assignment]  # never a key


def _place(expr: ast.Quantifier | ast.Aggregate | ast.Pick) -> Span:
    """Where a question says which rows it is about."""
    span = expr.variable.span
    return span.to(expr.table.span) if expr.table is not None else span


def depth_of(part: core.RowVariable | core.LetValue) -> int:
    """The depth of the row that a part reads: a `let` belongs to the row of `for`."""
    return part.depth if isinstance(part, core.RowVariable) else 0


def signature_of(definition: Definition) -> str:
    """A definition as it is called."""
    return f"{definition.name}({', '.join(each.name for each in definition.arguments or ())})"


def host_signature_of(function: core.HostFunction) -> str:
    """A function of the host as it is declared, without its result."""
    arguments = ", ".join(f"{name}: {type_name(each)}" for name, each in function.arguments)
    return f"{function.name}({arguments})"


def count_of_arguments(least: int, most: int | None) -> str:
    """How many arguments: `2 arguments`, `1 or 2 arguments`; any number from `least` with `most`
    None.
    """
    if most == least:
        return f"{least} argument{'s' if least != 1 else ''}" if least else "no arguments"
    return f"{least} or more arguments" if most is None else f"{least} or {most} arguments"


def order_named(value_type: ValueType) -> str:
    """Whose order values of a type have, as it reads in a sentence."""
    match value_type:
        case CodeType(name):
            return f"`{name}`"
        case DateType() | SchoolYearType():
            return "time"
        case IntegerType() | DecimalType():
            return "numbers"
        case _:
            return "texts"


def codes_between(code_set: CodeSet, low: core.Constant, high: core.Constant) -> list[str]:
    """The codes of a set from one to another, both included, in the order of their declaration."""
    order = code_set.position_by_code
    return list(order)[order[str(low.value)] : order[str(high.value)] + 1]


def same_type(one: ValueType, other: ValueType) -> bool:
    """Whether two values may meet: of one type, or both numbers."""
    numbers = isinstance(one, IntegerType | DecimalType) and isinstance(
        other, IntegerType | DecimalType
    )
    return numbers or one == other


def widest(types: Sequence[ValueType]) -> ValueType:
    """The type of a value that is one of several of one type: decimal if any is, with the most
    places of them.
    """
    places = [each.places for each in types if isinstance(each, DecimalType)]
    return DecimalType(max(places)) if places else types[0]


def places_of(value_type: ValueType) -> int:
    """The places behind the point that values of a type have at most."""
    return value_type.places if isinstance(value_type, DecimalType) else 0


def arithmetic_type(op: str, left: ValueType, right: ValueType) -> ValueType | None:
    """The type of a result, or None where the operation does not exist."""
    numbers = (IntegerType, DecimalType)
    if isinstance(left, numbers) and isinstance(right, numbers):
        if op == "/":
            return DecimalType(CELL_PLACES)
        if isinstance(left, IntegerType) and isinstance(right, IntegerType):
            return INTEGER
        places = places_of(left), places_of(right)
        return DecimalType(sum(places) if op == "*" else max(places))
    if isinstance(left, DateType) and isinstance(right, IntegerType) and op in "+-":
        return DATE
    if isinstance(left, IntegerType) and isinstance(right, DateType) and op == "+":
        return DATE
    if isinstance(left, DateType) and isinstance(right, DateType) and op == "-":
        return INTEGER
    return None


def reads_no_text(expr: core.Expr) -> bool:
    """Whether a text comes from literals alone, so that what stands beside it may make a code of
    it.
    """
    match expr:
        case core.Constant():
            return True
        case core.If():
            return reads_no_text(expr.then) and reads_no_text(expr.otherwise)
        case core.Apply(function="coalesce" | "min_of" | "max_of"):
            return all(reads_no_text(each) for each in expr.arguments)
        case _:
            return False


def depths_read(node: core.Expr | core.Row) -> set[int]:
    """The depths of the row variables that are read but not bound inside the node."""
    match node:
        case core.RowVariable():
            return {node.depth}
        case core.LetValue():
            return {0}  # a `let` belongs to the row of `for`
        case core.Exists() | core.Every() | core.Aggregate() | core.Pick():
            inner = core.row_children(node) if isinstance(node, core.Pick) else core.children(node)
            read = set[int]().union(*(depths_read(each) for each in inner))
            return read - {node.variable.depth}
        case core.Follow():
            return depths_read(node.row)
        case _:
            return set[int]().union(*(depths_read(each) for each in core.children(node)))


def links(where: core.Expr, depth: int) -> Iterator[tuple[core.Expr, core.Expr]]:
    """The equalities that link the row of a depth to rows outside: (inner side, outer side) of
    each.
    """
    if isinstance(where, core.And):
        for operand in where.operands:
            yield from links(operand, depth)
    elif isinstance(where, core.Compare) and where.op == "=":
        for inner, outer in ((where.left, where.right), (where.right, where.left)):
            if (
                depths_read(inner) == {depth}
                and depths_read(outer)
                and max(depths_read(outer)) < depth
            ):
                yield inner, outer
                return
