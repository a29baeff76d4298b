"""canonical: core.Rule -> when it is about a row, when it reports it, when it holds, as formulas

Names of rows and of `let`s, the order of operands, and which of several ways a condition is written
in, are gone: two rules that differ in nothing else have equal formulas.

What a rule reads from the parameters is there: a rule that lacks one is not evaluated. Whatever is
not understood exactly becomes a value that is only equal to itself (`Op.OPAQUE`), so that what is
impossible here is impossible. `Unmodelled` is raised for what cannot even be that.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from ruleforge.authoring.formula import (
    FALSE,
    TRUE,
    At,
    Atom,
    Binder,
    Formula,
    Op,
    Place,
    Says,
    Value,
    all_of,
    any_of,
    code_in,
    literal,
    opposite,
)
from ruleforge.authoring.modelled import Unmodelled, modelled
from ruleforge.language import core
from ruleforge.language.notation import notation, value_notation
from ruleforge.language.schema import Schema
from ruleforge.language.types import (
    BOOLEAN,
    INTEGER,
    PERIOD,
    CodeType,
    ValueType,
    type_name,
)


@dataclass(frozen=True)
class View:
    """The rows that an expression sees, by depth, and how many quantifiers are around it."""

    places: Mapping[int, Place]
    level: int = 0

    def with_row(self, depth: int, place: Place, level: int) -> "View":
        return View({**self.places, depth: place}, level)


@dataclass(frozen=True)
class RuleFormulas:
    """`about`: the rule is in force and speaks of the row. `fails` and `holds` are what it says then.

    `in_force` is about parameters alone; `judged` adds the `where` of `for`.
    """

    rule: core.Rule
    in_force: Formula
    judged: Formula
    about: Formula
    claims: tuple[tuple[Formula, Formula], ...]  # when each is true, when it is false
    fails: Formula
    holds: Formula


def canonical(rule: core.Rule, schema: Schema) -> RuleFormulas:
    """The formulas of a rule. Raises `Unmodelled` for one that has parts of another kind, or too
    many.
    """
    reader = Reader.of_rule(rule, schema)
    view = reader.start
    in_force = [TRUE if rule.applies is None else reader.true(rule.applies, view)]
    before: list[Formula] = []
    severities: list[Formula] = []
    for _, condition in rule.severities:
        here = (TRUE, FALSE) if condition is None else reader.both(condition, view)
        severities.append(all_of(*before, here[0]))
        before.append(here[1])
    in_force.append(any_of(*severities))
    judged = [*in_force, TRUE if rule.where is None else reader.true(rule.where, view)]
    about = [*judged, TRUE if rule.when is None else reader.true(rule.when, view)]
    claims = tuple(reader.both(claim.condition, view) for claim in rule.claims)
    return RuleFormulas(
        rule,
        all_of(*in_force),
        all_of(*judged),
        all_of(*about),
        claims,
        all_of(*about, any_of(*(false for _, false in claims))),
        all_of(*about, *(true for true, _ in claims)),
    )


# ── reading ────────────────────────────────────────────────────────────────────────────────────

_FUNCTIONS_OF_TWO = {"age": Op.YEARS_BETWEEN, "years_between": Op.YEARS_BETWEEN}
_OF_ANY = {"min_of": Op.LEAST, "max_of": Op.GREATEST, "coalesce": Op.FIRST_PRESENT}
_ROUNDING = {"abs": Op.ABSOLUTE, "floor": Op.FLOOR, "ceiling": Op.CEILING}
_YEARS = {"school_year.previous": -1, "school_year.next": 1}
_DAYS = {"school_year.start": (7, 1), "school_year.end": (6, 30)}
_ALWAYS_FIT = frozenset(
    [
        "business_days_between",
        "months_between",
        "weekday",
        "length",
        "contains",
        "starts_with",
        "ends_with",
    ]
)


@dataclass(frozen=True)
class Reader:
    """Reads the expressions of one rule."""

    schema: Schema
    lets: Mapping[str, core.Expr]
    start: View

    @classmethod
    def of_rule(cls, rule: core.Rule, schema: Schema) -> "Reader":
        variable = rule.variable
        if not schema.has(variable.table) or not modelled(rule):
            raise Unmodelled(rule.id)
        place = Place(f"<{variable.table}>", At.START, variable.table, variable.name)
        return cls(schema, dict(rule.lets), View({variable.depth: place}))

    # ── conditions ──────────────────────────────────────────────────────────────────────────────

    def true(self, expr: core.Expr, view: View) -> Formula:
        """When a condition is true."""
        return self.both(expr, view)[0]

    def both(self, expr: core.Expr, view: View) -> tuple[Formula, Formula]:
        """When a condition, or any boolean, is true, and when it is false."""
        match expr:
            case core.Constant():
                return _if(expr.value is True), _if(expr.value is False)
            case core.LetValue():
                return self.both(self.lets[expr.name], View(self.start.places))
            case core.Not():
                true, false = self.both(expr.operand, view)
                return false, true
            case core.And():
                pairs = [self.both(operand, view) for operand in expr.operands]
                return all_of(*(t for t, _ in pairs)), any_of(*(f for _, f in pairs))
            case core.Or():
                pairs = [self.both(operand, view) for operand in expr.operands]
                return any_of(*(t for t, _ in pairs)), all_of(*(f for _, f in pairs))
            case core.If():
                return self._both_of_if(expr, view)
            case core.Compare():
                return self._compare(expr.op, expr.left, expr.right, view)
            case core.InSet():
                return self._in_set(expr, view)
            case core.InPeriod():
                day, period = self.value(expr.operand, view), self.value(expr.period, view)
                return _when(self._present(day, period), self._in_period(day, period))
            case core.Overlaps():
                left, right = self.value(expr.left, view), self.value(expr.right, view)
                return _when(self._present(left, right), self._overlap(left, right))
            case core.Matches():
                text = self.value(expr.operand, view)
                name = f"matches {value_notation(expr.pattern)}"
                return _when(self._present(text), _is(_opaque(name, (text,), BOOLEAN)))
            case core.Present():
                present = self._present_of(expr.operand, view)
                return present, opposite(present)
            case core.RowPresent():
                there = _there(self.place(expr.row, view))
                return there, opposite(there)
            case core.Exists():
                exists = self.some(expr.variable, view, expr.where)
                return exists, opposite(exists)
            case core.Every():
                where, claim = expr.where, expr.satisfies
                spoilt = self.some(expr.variable, view, where, (claim, True))
                broken = self.some(expr.variable, view, where, (claim, False))
                return opposite(spoilt), broken
            case core.ColumnValue() | core.ParameterValue() | core.Apply() | core.Aggregate():
                value = self.value(expr, view)
                if value.op is Op.FIRST_PRESENT:
                    assert isinstance(expr, core.Apply)
                    return self._first_present(expr.arguments, view)
                return _when(self._present(value), _is(value))
            case _:
                raise Unmodelled(type(expr).__name__)

    def some(
        self,
        variable: core.RowVariable,
        view: View,
        where: core.Expr | None,
        claim: tuple[core.Expr, bool] | None = None,
        present: core.Expr | None = None,
    ) -> Formula:
        """There is a row for which `where` is true, and something else.

        With `claim` it is not true (True) or false (False) of that row; `present` is there.
        """

        def body(place: Place, level: int) -> Formula:
            inner = view.with_row(variable.depth, place, level)
            parts = [] if where is None else [self.true(where, inner)]
            if claim is not None:
                true, false = self.both(claim[0], inner)
                parts.append(opposite(true) if claim[1] else false)
            if present is not None:
                parts.append(self._present_of(present, inner))
            return all_of(*parts)

        level = view.level
        said = body(bound(variable, level), level + 1)
        if said == FALSE:
            return FALSE
        key = f"some {variable.table}: {said.key}"
        return literal(Atom(key, Says.EXISTS, binder=Binder(variable.table, level, body)))

    def _both_of_if(self, expr: core.If, view: View) -> tuple[Formula, Formula]:
        yes, no = self.both(expr.condition, view)
        then, otherwise = self.both(expr.then, view), self.both(expr.otherwise, view)
        true, false = (
            any_of(all_of(yes, one), all_of(no, other))
            for one, other in zip(then, otherwise, strict=True)
        )
        return true, false

    def _first_present(self, arguments: Iterable[core.Expr], view: View) -> tuple[Formula, Formula]:
        trues, falses, before = [], [], TRUE
        for argument in arguments:
            true, false = self.both(argument, view)
            trues.append(all_of(before, true))
            falses.append(all_of(before, false))
            before = all_of(before, opposite(true), opposite(false))
        return any_of(*trues), any_of(*falses)

    def _compare(
        self, op: str, left: core.Expr, right: core.Expr, view: View
    ) -> tuple[Formula, Formula]:
        if left.type == BOOLEAN:
            (a, not_a), (b, not_b) = self.both(left, view), self.both(right, view)
            same = any_of(all_of(a, b), all_of(not_a, not_b))
            other = any_of(all_of(a, not_b), all_of(not_a, b))
            return (same, other) if op == "=" else (other, same)
        a_value, b_value = self.value(left, view), self.value(right, view)
        present = self._present(a_value, b_value)
        return _when(present, self._related(op, a_value, b_value))

    def _in_set(self, expr: core.InSet, view: View) -> tuple[Formula, Formula]:
        x = expr.operand
        pairs = [self._compare("=", x, member, view) for member in expr.members]
        for low, high in expr.ranges:
            above = self._compare("<=", low, x, view)
            below = self._compare("<=", x, high, view)
            pairs.append((all_of(above[0], below[0]), any_of(above[1], below[1])))
        present = self._present_of(x, view)
        return (
            all_of(present, any_of(*(true for true, _ in pairs))),
            all_of(present, *(false for _, false in pairs)),
        )

    def _related(self, op: str, a: Value, b: Value) -> Formula:
        """A comparison of two present values."""
        match op:
            case "=":
                return self._equal(a, b)
            case "!=":
                return opposite(self._equal(a, b))
            case "<":
                return self._less(a, b)
            case ">":
                return self._less(b, a)
            case "<=":
                return opposite(self._less(b, a))
            case _:
                return opposite(self._less(a, b))

    def _equal(self, a: Value, b: Value) -> Formula:
        if a.key == b.key:
            return TRUE
        if a.op is Op.CONSTANT and b.op is Op.CONSTANT:
            return FALSE
        if isinstance(a.type, CodeType) and Op.CONSTANT in (a.op, b.op):
            value, code = (a, b) if b.op is Op.CONSTANT else (b, a)
            return code_in(value, frozenset({self.position(code)}), self.codes(code.type))
        first, second = sorted((a, b), key=lambda each: each.key)
        return literal(Atom(f"{first.key} = {second.key}", Says.EQUAL, (first, second)))

    def _less(self, a: Value, b: Value) -> Formula:
        if a.key == b.key:
            return FALSE
        if a.op is Op.CONSTANT and b.op is Op.CONSTANT:
            first, second = self.order(a), self.order(b)
            return _if(first < second)
        if isinstance(a.type, CodeType) and Op.CONSTANT in (a.op, b.op):
            among = self.codes(a.type)
            if b.op is Op.CONSTANT:
                return code_in(a, frozenset(range(self.position(b))), among)
            return code_in(b, frozenset(range(self.position(a) + 1, among)), among)
        return literal(Atom(f"{a.key} < {b.key}", Says.LESS, (a, b)))

    def _until(self, period: tuple[Value, Value], day: Value) -> Formula:
        """A period has not ended before a day."""
        end = period[1]
        return any_of(opposite(self._is_there(end)), opposite(self._less(end, day)))

    def _in_period(self, day: Value, period: Value) -> Formula:
        ends = _ends(period)
        if ends is None:
            return _is(_opaque("in period", (day, period), BOOLEAN))
        return all_of(opposite(self._less(day, ends[0])), self._until(ends, day))

    def _overlap(self, left: Value, right: Value) -> Formula:
        one, other = _ends(left), _ends(right)
        if one is None or other is None:
            first, second = sorted((left, right), key=lambda each: each.key)
            return _is(_opaque("overlaps", (first, second), BOOLEAN))
        pairs = ((one, one), (other, other), (one, other), (other, one))
        return all_of(*(self._until(until, start[0]) for start, until in pairs))

    def codes(self, code_type: ValueType) -> int:
        assert isinstance(code_type, CodeType)
        return len(self.schema.code_sets[code_type.name].codes)

    def position(self, code: Value) -> int:
        assert isinstance(code.type, CodeType)
        return self.schema.code_sets[code.type.name].position_by_code[str(code.plain)]

    def order(self, constant: Value) -> Any:
        """What a constant is sorted by, among those of its type."""
        plain = constant.plain
        if isinstance(constant.type, CodeType):
            return self.position(constant)
        return plain

    # ── values ──────────────────────────────────────────────────────────────────────────────────

    def value(self, expr: core.Expr, view: View) -> Value:
        """The value of an expression, where it is there."""
        match expr:
            case core.Constant():
                return _constant(expr.value, expr.type)
            case core.ParameterValue():
                return Value(f"${expr.name}", Op.PARAMETER, expr.type, name=expr.name)
            case core.LetValue():
                return self.value(self.lets[expr.name], View(self.start.places))
            case core.ColumnValue():
                place = self.place(expr.row, view)
                key = f"{place.key}.{expr.column}"
                return Value(key, Op.COLUMN, expr.type, name=expr.column, place=place)
            case core.Negative():
                return _made(Op.NEGATIVE, "-", expr.type, self.value(expr.operand, view))
            case core.Arithmetic():
                left, right = self.value(expr.left, view), self.value(expr.right, view)
                return _calculated(expr.op, left, right, expr.type)
            case core.If():
                tests = self.both(expr.condition, view)
                branches = (self.value(expr.then, view), self.value(expr.otherwise, view))
                key = f"if({tests[0].key}; {tests[1].key}; {branches[0].key}; {branches[1].key})"
                return Value(key, Op.CHOICE, expr.type, branches, tests=tests)
            case core.Apply():
                return self._applied(expr, view)
            case core.Aggregate():
                return self._aggregate(expr, view)
            case _ if expr.type == BOOLEAN:
                true, false = self.both(expr, view)
                key = f"truth({true.key}; {false.key})"
                return Value(key, Op.CHOICE, BOOLEAN, tests=(true, false))
            case _:
                raise Unmodelled(type(expr).__name__)

    def _applied(self, expr: core.Apply, view: View) -> Value:
        name, arguments = expr.function, expr.arguments
        if any(isinstance(each, core.SetOf) for each in arguments):
            dates = arguments[-1]
            assert isinstance(dates, core.SetOf)
            days = sorted(notation(day) for day in dates.members)
            name = f"{name} {{{', '.join(days)}}}"
            arguments = arguments[:-1]
        parts = tuple(self.value(argument, view) for argument in arguments)
        if name in _FUNCTIONS_OF_TWO:
            return _made(_FUNCTIONS_OF_TWO[name], "years_between", expr.type, *parts)
        if name in _OF_ANY:
            op = _OF_ANY[name]
            if op is Op.FIRST_PRESENT:
                there = tuple(map(self._is_there, parts))
                return replace(_made(op, name, expr.type, *parts), tests=there)
            return _made(op, name, expr.type, *sorted(parts, key=lambda part: part.key))
        if name in _ROUNDING:
            return _made(_ROUNDING[name], name, expr.type, *parts)
        if name in _YEARS:
            return _made(Op.OTHER_YEAR, name, expr.type, *parts, number=(_YEARS[name],))
        if name in _DAYS:
            return _made(Op.DAY_OF_YEAR, "day", expr.type, *parts, number=_DAYS[name])
        if name == "school_year.day" and all(part.op is Op.CONSTANT for part in parts[1:]):
            month, day = (int(str(part.plain)) for part in parts[1:])
            return _made(Op.DAY_OF_YEAR, "day", expr.type, parts[0], number=(month, day))
        if name == "period":
            return _made(Op.PERIOD, "period", PERIOD, *parts)
        if name == "days" and parts[0].op is Op.PERIOD:
            return _made(Op.DAYS, "days", INTEGER, *parts[0].parts)
        return _opaque(name, parts, expr.type)

    def _aggregate(self, expr: core.Aggregate, view: View) -> Value:
        """A count is a number from 0 up, and the greatest is the value of some row; of the others it
        is known at most when they are there.
        """
        variable = expr.variable
        if expr.kind == "count":
            some = self.some(variable, view, expr.where, present=expr.value)
            return Value(f"count({some.key})", Op.COUNT, expr.type, tests=(some,))
        assert expr.value is not None
        inner = view.with_row(variable.depth, bound(variable, view.level), view.level + 1)
        where = TRUE if expr.where is None else self.true(expr.where, inner)
        value = self.value(expr.value, inner)
        key = f"{expr.kind}({value.key} in {variable.table}: {where.key})"
        some = self.some(variable, view, expr.where, present=expr.value)
        if expr.kind not in ("min", "max"):
            return Value(key, Op.OPAQUE, expr.type, name=expr.kind, tests=(some,))
        place = _picked(key, f"{expr.kind}({variable.name} in {variable.table} …)", some, view)
        there = view.with_row(variable.depth, place, view.level)
        part = self.value(expr.value, there)
        return Value(key, Op.CHOICE, expr.type, (part,), tests=(some,))

    # ── what is there ───────────────────────────────────────────────────────────────────────────

    def _present_of(self, expr: core.Expr, view: View) -> Formula:
        if expr.type == BOOLEAN:
            return any_of(*self.both(expr, view))
        return self._present(self.value(expr, view))

    def _present(self, *values: Value) -> Formula:
        return all_of(*(self._is_there(value) for value in values))

    def _is_there(self, value: Value) -> Formula:
        fits = literal(Atom(f"{value.key} fits", Says.FITS, (value,)))
        match value.op:
            case Op.COLUMN:
                return literal(Atom(f"{value.key} is present", Says.PRESENT, (value,)))
            case Op.PARAMETER | Op.COUNT:
                return TRUE
            case Op.CONSTANT:
                return _if(value.plain is not None)
            case Op.ADD | Op.SUBTRACT | Op.SCALE | Op.OTHER_YEAR | Op.FLOOR | Op.CEILING:
                return all_of(self._present(*value.parts), fits)
            case Op.DAY_OF_YEAR:
                day = value.number
                known = day in _DAYS.values() or (day[0] in range(1, 13) and 1 <= day[1] <= 28)
                return all_of(self._present(*value.parts), TRUE if known else fits)
            case Op.NEGATIVE | Op.ABSOLUTE:
                return self._present(*value.parts)
            case Op.LEAST | Op.GREATEST | Op.YEARS_BETWEEN | Op.DAYS:
                return self._present(*value.parts)
            case Op.FIRST_PRESENT:
                return any_of(*map(self._is_there, value.parts))
            case Op.CHOICE if not value.parts:
                return any_of(*value.tests)
            case Op.CHOICE:
                pairs = zip(value.tests, map(self._is_there, value.parts), strict=True)
                return any_of(*(all_of(test, part) for test, part in pairs))
            case Op.PERIOD:
                return self._is_there(value.parts[0])
            case Op.OPAQUE if value.name == "count distinct":
                return TRUE
            case Op.OPAQUE:
                there = self._present(*value.parts)
                return there if value.name.split(" ")[0] in _ALWAYS_FIT else all_of(there, fits)

    # ── rows ────────────────────────────────────────────────────────────────────────────────────

    def place(self, row: core.Row, view: View) -> Place:
        """The place that a row is."""
        match row:
            case core.RowVariable():
                return view.places[row.depth]
            case core.Follow():
                parent = self.place(row.row, view)
                shown = f"{parent.shown}.{row.link}"
                key = f"{parent.key}->{row.link}"
                return Place(key, At.LINK, row.table, shown, parent, row.link)
            case core.Pick():
                return self._picked(row, view)

    def _picked(self, row: core.Pick, view: View) -> Place:
        variable = row.variable
        there = self.some(variable, view, row.where, present=row.by)
        inner = view.with_row(variable.depth, bound(variable, view.level), view.level + 1)
        word = "latest" if row.latest else "earliest"
        key = f"{word}({self.value(row.by, inner).key}; {there.key})"
        shown = f"{word}({variable.name} in {variable.table} …)"
        return _picked(key, shown, there, view)


# ── small parts ────────────────────────────────────────────────────────────────────────────────


def bound(variable: core.RowVariable, level: int) -> Place:
    """Any row of a quantifier around which there are so many others."""
    return Place(f"#{level}<{variable.table}>", At.BOUND, variable.table, variable.name)


def _picked(key: str, shown: str, there: Formula, view: View) -> Place:
    """One of the rows for which something is true, where there is any."""
    binder = there.atom.binder if there.atom is not None else None
    if binder is None:
        # What is never true is true of no row, so this one is not there.
        return Place(key, At.PICK, "", shown, picked=there)
    place = Place(key, At.PICK, binder.table, shown, picked=there)
    return replace(place, body=binder.body(place, view.level))


def _if(condition: bool) -> Formula:  # noqa: FBT001 - a truth value is the subject
    return TRUE if condition else FALSE


def _when(present: Formula, said: Formula) -> tuple[Formula, Formula]:
    """A statement that is unknown where something is missing."""
    return all_of(present, said), all_of(present, opposite(said))


def _is(value: Value) -> Formula:
    if value.op is Op.CHOICE and not value.parts:
        return value.tests[0]
    return literal(Atom(f"{value.key} is true", Says.IS, (value,)))


def _there(place: Place) -> Formula:
    if place.at is At.LINK:
        return literal(Atom(f"{place.key} is there", Says.THERE, place=place))
    return place.picked or TRUE


def _constant(plain: core.Value | None, value_type: ValueType) -> Value:
    if isinstance(plain, int | Decimal) and not isinstance(plain, bool):
        shown = f"{plain:f}" if isinstance(plain, Decimal) else str(plain)
        if "." in shown:
            shown = shown.rstrip("0").rstrip(".")
        key = "0" if shown in ("0", "-0") else shown
    else:
        # A code and a text that are spelt alike are two values.
        of = type_name(value_type) if isinstance(value_type, CodeType) else ""
        key = of + value_notation(plain)
    return Value(key, Op.CONSTANT, value_type, plain=plain)


def _made(
    op: Op, name: str, value_type: ValueType, *parts: Value, number: tuple[int, ...] = ()
) -> Value:
    shown = ", ".join([*(part.key for part in parts), *map(str, number)])
    return Value(f"{name}({shown})", op, value_type, tuple(parts), name=name, number=number)


def _opaque(name: str, parts: tuple[Value, ...], value_type: ValueType) -> Value:
    key = f"{name}({', '.join(part.key for part in parts)})"
    return Value(key, Op.OPAQUE, value_type, parts, name=name)


def _calculated(op: str, left: Value, right: Value, value_type: ValueType) -> Value:
    if op == "+":
        first, second = sorted((left, right), key=lambda each: each.key)
        return _made(Op.ADD, "add", value_type, first, second)
    if op == "-":
        return _made(Op.SUBTRACT, "subtract", value_type, left, right)
    if op == "*" and Op.CONSTANT in (left.op, right.op):
        first, second = (left, right) if right.op is Op.CONSTANT else (right, left)
        return _made(Op.SCALE, "times", value_type, first, second)
    if op == "*":
        first, second = sorted((left, right), key=lambda each: each.key)
        return _opaque("product", (first, second), value_type)
    return _opaque("quotient", (left, right), value_type)


def _ends(period: Value) -> tuple[Value, Value] | None:
    return (period.parts[0], period.parts[1]) if period.op is Op.PERIOD else None
