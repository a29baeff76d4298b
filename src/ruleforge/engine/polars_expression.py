"""polars_expression: an expression of a plan -> a Polars expression

Polars' own logic is three-valued as the language's is; where the two differ (division, exactness,
what a date can be), the difference is made up here, once a kind of node. Every node becomes one
expression, and equal nodes the same one, which Polars computes once.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from ruleforge.engine.host_functions import HostFunctions
from ruleforge.engine.polars_functions import POLARS_FUNCTIONS, Arguments
from ruleforge.engine.polars_types import (
    LARGEST,
    as_decimal,
    date_of_days,
    days_since_epoch,
    divided,
    dtype_of,
    in_reach,
    literal,
    negated,
    places_of,
    rescaled,
)
from ruleforge.engine.reference_backend import constant_value
from ruleforge.language import core
from ruleforge.language.core import Value
from ruleforge.language.schema import Schema
from ruleforge.language.types import (
    CELL_PLACES,
    INTEGER,
    PERIOD,
    CodeType,
    DateType,
    DecimalType,
    IntegerType,
    ValueType,
)

_INEXACT = 1.4e38  # a product of floats below this is a product of Int128 that does not overflow


@dataclass(frozen=True)
class PeriodColumns:
    """A period: missing where `start` is, open where `end` is."""

    start: pl.Expr
    end: pl.Expr

    @property
    def is_open(self) -> pl.Expr:
        return self.end.is_null()

    @property
    def holds_days(self) -> pl.Expr:
        return self.is_open | (self.start <= self.end)


@dataclass
class Translator:
    """Translates expressions of one plan. Parameters are constants by now; one that is not there is
    missing.
    """

    schema: Schema
    parameters: Mapping[str, Value | None]
    functions: HostFunctions | None = None
    known: dict[int, tuple[core.Expr, pl.Expr]] = field(default_factory=dict)

    def value(self, expr: core.Expr) -> pl.Expr:
        """The column of a value that is no period."""
        # WHY: by identity, since hashing a tree at each of its nodes would cost its square.
        remembered = self.known.get(id(expr))
        if remembered is not None:
            return remembered[1]
        result = self.translate(expr)
        self.known[id(expr)] = (expr, result)
        return result

    def values(self, exprs: Sequence[core.Expr]) -> list[pl.Expr]:
        return [self.value(expr) for expr in exprs]

    def translate(self, expr: core.Expr) -> pl.Expr:
        match expr:
            case core.Constant():
                return literal(expr.value, expr.type, self.schema)
            case core.ParameterValue():
                return literal(self.parameters.get(expr.name), expr.type, self.schema)
            case core.LetValue():
                return pl.col(expr.name)
            case core.Apply():
                return self.apply(expr)
            case core.HostCall():
                return self.host_call(expr)
            case core.Negative():
                return negated(self.value(expr.operand))
            case core.Arithmetic():
                return self.arithmetic(expr)
            case core.If():
                condition = self.value(expr.condition)
                then, otherwise = self.aligned((expr.then, expr.otherwise), expr.type)
                return pl.when(condition).then(then).when(~condition).then(otherwise)
            case core.Not():
                return ~self.value(expr.operand)
            case core.And():
                return joined(self.values(expr.operands), every=True)
            case core.Or():
                return joined(self.values(expr.operands), every=False)
            case core.Compare():
                left, right = self.comparable(expr.left, expr.right)
                return compared(expr.op, left, right)
            case core.InSet():
                return self.in_set(expr)
            case core.InPeriod():
                day, period = self.value(expr.operand), self.period(expr.period)
                known = day.is_not_null() & period.start.is_not_null()
                inside = (day >= period.start) & (period.is_open | (day <= period.end))
                return pl.when(known).then(inside.fill_null(value=False))
            case core.Overlaps():
                return self.overlaps(expr)
            case core.Matches():
                return self.text(expr.operand).str.contains(rf"^(?:{expr.pattern})\z")
            case core.Present():
                if expr.operand.type == PERIOD:
                    return self.period(expr.operand).start.is_not_null()
                return self.value(expr.operand).is_not_null()
            case (
                core.ColumnValue()
                | core.RowPresent()
                | core.OtherRow()
                | core.Exists()
                | core.Every()
                | core.Aggregate()
            ):
                raise AssertionError(f"{type(expr).__name__} is left over from lowering")
            case core.SetOf():
                raise AssertionError("a set of dates is an argument, not a column")

    def text(self, expr: core.Expr) -> pl.Expr:
        """A text, or a code as the text that it is."""
        value = self.value(expr)
        return value.cast(pl.String) if isinstance(expr.type, CodeType) else value

    # ── numbers ─────────────────────────────────────────────────────────────────────────────────

    def aligned(self, exprs: Sequence[core.Expr], wanted: ValueType) -> list[pl.Expr]:
        """Values of one type, decimals with the places of that type."""
        if not isinstance(wanted, DecimalType):
            return self.values(exprs)
        return [as_decimal(self.value(expr), expr.type, wanted.places) for expr in exprs]

    def comparable(self, left: core.Expr, right: core.Expr) -> tuple[pl.Expr, pl.Expr]:
        """Two values of one type, numbers with the same places."""
        if not isinstance(left.type, DecimalType) and not isinstance(right.type, DecimalType):
            return self.value(left), self.value(right)
        places = max(places_of(left.type), places_of(right.type))
        first, second = self.aligned((left, right), DecimalType(places))
        return first, second

    def arithmetic(self, expr: core.Arithmetic) -> pl.Expr:
        left, right = self.value(expr.left), self.value(expr.right)
        if isinstance(expr.left.type, DateType) and isinstance(expr.right.type, DateType):
            return days_since_epoch(left) - days_since_epoch(right)
        if isinstance(expr.type, DateType):
            return self.moved_date(expr, left, right)
        if expr.op == "/":
            # Both as integers with the same places, the dividend with ten more.
            own, other = places_of(expr.left.type), places_of(expr.right.type)
            dividend = as_decimal(left, expr.left.type, own)
            divisor = as_decimal(right, expr.right.type, other)
            shift = CELL_PLACES + other - own
            if shift >= 0:
                dividend = rescaled(dividend, 0, shift)
            else:
                divisor = rescaled(divisor, 0, -shift)
            return in_reach(divided(dividend, divisor), CELL_PLACES)
        places = places_of(expr.type)
        if expr.op == "*":
            left, right = as_int128(left, expr.left.type), as_int128(right, expr.right.type)
            fits = left.cast(pl.Float64).abs() * right.cast(pl.Float64).abs() < _INEXACT
            natural = places_of(expr.left.type) + places_of(expr.right.type)
            result = in_reach(rescaled(pl.when(fits).then(left * right), natural, places), places)
        else:
            left, right = self.aligned((expr.left, expr.right), DecimalType(places))
            signed = right if expr.op == "+" else negated(right)
            fits = (left.cast(pl.Float64) + signed.cast(pl.Float64)).abs() < _INEXACT
            total = left + signed
            result = in_reach(pl.when(fits).then(total) if places > CELL_PLACES else total, places)
        return result.cast(pl.Int64, strict=False) if isinstance(expr.type, IntegerType) else result

    @staticmethod
    def moved_date(expr: core.Arithmetic, left: pl.Expr, right: pl.Expr) -> pl.Expr:
        """A date some days later or earlier."""
        date, days = (left, right) if isinstance(expr.left.type, DateType) else (right, left)
        # Beyond this bound there is no date; within it nothing overflows.
        bounded = pl.when(days.abs() < 10_000_000).then(days)
        start = days_since_epoch(date)
        return date_of_days(start - bounded if expr.op == "-" else start + bounded)

    # ── sets and periods ────────────────────────────────────────────────────────────────────────

    def in_set(self, expr: core.InSet) -> pl.Expr:
        operand_type = expr.operand.type
        constants = [
            m for m in expr.members if isinstance(m, core.Constant) and m.value is not None
        ]
        others = [m for m in expr.members if m not in constants]
        found: list[pl.Expr] = []
        if constants and isinstance(operand_type, CodeType):
            positions = self.schema.code_sets[operand_type.name].position_by_code
            numbers = sorted(positions[str(m.value)] for m in constants)
            found.append(self.value(expr.operand).to_physical().is_in(numbers))
        elif (
            constants
            and not isinstance(operand_type, DecimalType)
            and not any(isinstance(m.type, DecimalType) for m in constants)
        ):
            dtype = dtype_of(operand_type, self.schema)
            held = [literal(m.value, m.type, self.schema) for m in constants]
            values = pl.select(
                pl.concat([pl.select(h.alias("v")).to_series() for h in held])
            ).to_series()
            found.append(self.value(expr.operand).is_in(values.cast(dtype).implode()))
        else:
            others = list(expr.members)
        for member in others:
            left, right = self.comparable(expr.operand, member)
            found.append(left == right)
        for low, high in expr.ranges:
            above, bottom = self.comparable(expr.operand, low)
            below, top = self.comparable(expr.operand, high)
            found.append((above >= bottom) & (below <= top))
        return joined(found, every=False)

    def period(self, expr: core.Expr) -> PeriodColumns:
        """The two ends of a period."""
        match expr:
            case core.Apply(function="period"):
                return PeriodColumns(self.value(expr.arguments[0]), self.value(expr.arguments[1]))
            case core.Apply(function="coalesce"):
                periods = [self.period(argument) for argument in expr.arguments]
                start, end = periods[-1].start, periods[-1].end
                for period in reversed(periods[:-1]):
                    there = period.start.is_not_null()
                    start = pl.when(there).then(period.start).otherwise(start)
                    end = pl.when(there).then(period.end).otherwise(end)
                return PeriodColumns(start, end)
            case core.If():
                condition = self.value(expr.condition)
                then, otherwise = self.period(expr.then), self.period(expr.otherwise)
                return PeriodColumns(
                    pl.when(condition).then(then.start).when(~condition).then(otherwise.start),
                    pl.when(condition).then(then.end).when(~condition).then(otherwise.end),
                )
            case _:
                raise AssertionError(f"{type(expr).__name__} makes no period")

    def overlaps(self, expr: core.Overlaps) -> pl.Expr:
        one, other = self.period(expr.left), self.period(expr.right)
        meet = (other.is_open | (one.start <= other.end)) & (one.is_open | (other.start <= one.end))
        known = one.start.is_not_null() & other.start.is_not_null()
        return pl.when(known).then(
            (meet & one.holds_days & other.holds_days).fill_null(value=False)
        )

    # ── functions ───────────────────────────────────────────────────────────────────────────────

    def apply(self, expr: core.Apply) -> pl.Expr:
        if expr.function == "days":
            period = self.period(expr.arguments[0])
            length = days_since_epoch(period.end) - days_since_epoch(period.start) + 1
            return pl.when(length < 0).then(0).otherwise(length).cast(pl.Int64)
        exprs: list[pl.Expr] = []
        holidays: tuple[dt.date, ...] = ()
        for argument in expr.arguments:
            if isinstance(argument, core.SetOf):
                values = [constant_value(m, self.parameters, self.schema) for m in argument.members]
                holidays = tuple(sorted({v for v in values if isinstance(v, dt.date)}))
            else:
                takes_text = (
                    isinstance(argument.type, CodeType) and expr.function not in _OF_ONE_TYPE
                )
                exprs.append(self.text(argument) if takes_text else self.value(argument))
        written: dict[int, object] = {
            position: argument.value
            for position, argument in enumerate(expr.arguments)
            if isinstance(argument, core.Constant)
        }
        types = tuple(a.type for a in expr.arguments if not isinstance(a, core.SetOf))
        arguments = Arguments(tuple(exprs), types, expr.type, written, holidays)
        return POLARS_FUNCTIONS[expr.function](arguments)

    def host_call(self, expr: core.HostCall) -> pl.Expr:
        """A function of the host, over whichever rows Polars hands over at a time."""
        functions = self.functions
        assert functions is not None
        types = [argument.type for argument in expr.arguments]

        def call(arguments: Sequence[pl.Series]) -> pl.Series:
            return functions.call(expr.function, arguments, types)

        dtype = dtype_of(expr.type, self.schema)
        values = self.values(expr.arguments)
        return pl.map_batches(values, call, return_dtype=dtype, is_elementwise=True)


_OF_ONE_TYPE = {"coalesce", "min_of", "max_of"}


def as_int128(number: pl.Expr, value_type: ValueType) -> pl.Expr:
    """A number as it is held, but wide."""
    return number.cast(pl.Int128) if value_type == INTEGER else number


def joined(conditions: Sequence[pl.Expr], *, every: bool) -> pl.Expr:
    """Conditions joined by `and` or `or`, as a tree of little depth."""
    if not conditions:
        return pl.lit(every)
    if len(conditions) == 1:
        return conditions[0]
    middle = len(conditions) // 2
    left, right = joined(conditions[:middle], every=every), joined(conditions[middle:], every=every)
    return left & right if every else left | right


def compared(op: str, left: pl.Expr, right: pl.Expr) -> pl.Expr:
    """A comparison, unknown where either side is missing."""
    match op:
        case "=":
            return left == right
        case "!=":
            return left != right
        case "<":
            return left < right
        case "<=":
            return left <= right
        case ">":
            return left > right
        case ">=":
            return left >= right
        case _:
            raise AssertionError(op)


def sum_in_reach(total: pl.Expr, value_type: ValueType) -> pl.Expr:
    """A sum as a value of the type that is summed; missing where it has more than 18 digits before
    the point.
    """
    if isinstance(value_type, IntegerType):
        return pl.when(total.abs() < LARGEST).then(total).cast(pl.Int64, strict=False)
    return in_reach(total, places_of(value_type))


def average(total: pl.Expr, number: pl.Expr, value_type: ValueType) -> pl.Expr:
    """A sum (Int128, as values of the type are held) divided by how many there are."""
    shift = CELL_PLACES - places_of(value_type)
    bounded = in_reach(total, places_of(value_type))
    if shift >= 0:
        return in_reach(divided(rescaled(bounded, 0, shift), number.cast(pl.Int128)), CELL_PLACES)
    divisor = rescaled(number.cast(pl.Int128), 0, -shift)
    return in_reach(divided(bounded, divisor), CELL_PLACES)
