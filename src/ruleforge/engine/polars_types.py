"""polars_types: how each type of the language is held in a Polars column

| type | column |
|---|---|
| text | String, never blank |
| integer | Int64, less than 10^18 either way |
| decimal | Int128: the number times 10^places of its type, so that arithmetic is exact and compares as integers |
| boolean | Boolean |
| date | Date, years 1 to 9999 |
| school_year | Int32, the year in which it starts |
| code | Enum of its set, in the order of declaration |

A period is no column but a pair of dates.
"""

import datetime as dt
from decimal import Decimal
from typing import assert_never

import polars as pl

from ruleforge.language.core import Value
from ruleforge.language.schema import Schema, SchoolYear
from ruleforge.language.types import (
    MOST_DIGITS,
    BooleanType,
    CodeType,
    DateType,
    DecimalType,
    IntegerType,
    PeriodType,
    SchoolYearType,
    TextType,
    ValueType,
)

LARGEST = 10**MOST_DIGITS
FIRST_DAY, LAST_DAY = dt.date(1, 1, 1), dt.date(9999, 12, 31)
_EPOCH = dt.date(1970, 1, 1)


def dtype_of(value_type: ValueType, schema: Schema) -> pl.DataType:
    """The dtype that holds a type."""
    match value_type:
        case TextType():
            return pl.String()
        case IntegerType():
            return pl.Int64()
        case DecimalType():
            return pl.Int128()
        case BooleanType():
            return pl.Boolean()
        case DateType():
            return pl.Date()
        case SchoolYearType():
            return pl.Int32()
        case CodeType(name):
            return pl.Enum(list(schema.code_sets[name].position_by_code))
        case PeriodType():
            raise AssertionError("a period is no column")
    assert_never(value_type)


def literal(value: Value | None, value_type: ValueType, schema: Schema) -> pl.Expr:
    """A constant column."""
    held: object = value
    if isinstance(value_type, DecimalType) and isinstance(value, int | Decimal):
        held = scaled(Decimal(value), value_type.places)
    elif isinstance(value, SchoolYear):
        held = value.start_year
    return pl.lit(held, dtype=dtype_of(value_type, schema))


def scaled(value: Decimal, places: int) -> int:
    """The integer that holds a decimal; the decimal has no more than these places."""
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    number = int("".join(map(str, digits)) or "0")
    shift = exponent + places
    # NOTE: digits beyond the places of the type can only be zeros (`1.50` where the type has one
    # place).
    unit: int = 10 ** abs(shift)
    number = number * unit if shift >= 0 else number // unit
    return -number if sign else number


def in_reach(number: pl.Expr, places: int) -> pl.Expr:
    """The number where it has at most 18 digits before the point, else missing."""
    bound = pl.lit(LARGEST * 10**places, dtype=pl.Int128)
    return pl.when(number.abs() < bound).then(number)


def negated(number: pl.Expr) -> pl.Expr:
    """The number with the other sign."""
    # NOTE: Polars has no `neg` of Int128.
    return 0 - number


def rescaled(number: pl.Expr, places: int, wanted: int) -> pl.Expr:
    """An Int128 decimal with other places. With fewer, only zeros may be dropped."""
    if wanted == places:
        return number
    if wanted > places:
        return number * pl.lit(10 ** (wanted - places), dtype=pl.Int128)
    return number // pl.lit(10 ** (places - wanted), dtype=pl.Int128)


def places_of(value_type: ValueType) -> int:
    """The places behind the point that values of a type can have."""
    return value_type.places if isinstance(value_type, DecimalType) else 0


def as_decimal(number: pl.Expr, value_type: ValueType, places: int) -> pl.Expr:
    """An integer or decimal as an Int128 decimal with these places."""
    if isinstance(value_type, IntegerType):
        number = number.cast(pl.Int128)
    return rescaled(number, places_of(value_type), places)


def divided(dividend: pl.Expr, divisor: pl.Expr) -> pl.Expr:
    """The quotient of two Int128 integers, rounded half to even; missing where the divisor is 0."""
    size, of = dividend.abs(), divisor.abs()
    quotient, rest = size // of, size % of
    odd = (quotient % pl.lit(2, dtype=pl.Int128)) == pl.lit(1, dtype=pl.Int128)
    twice = rest * pl.lit(2, dtype=pl.Int128)
    up = (twice > of) | ((twice == of) & odd)
    rounded = quotient + up.cast(pl.Int128)
    return pl.when((dividend < 0) != (divisor < 0)).then(negated(rounded)).otherwise(rounded)


def days_since_epoch(date: pl.Expr) -> pl.Expr:
    """A date as a number of days, wide enough to add to."""
    return date.cast(pl.Int32).cast(pl.Int64)


def date_of_days(days: pl.Expr) -> pl.Expr:
    """The date of a number of days; missing outside the years 1 to 9999."""
    first, last = (FIRST_DAY - _EPOCH).days, (LAST_DAY - _EPOCH).days
    return pl.when(days.is_between(first, last)).then(days).cast(pl.Int32).cast(pl.Date)


def date_of_parts(year: pl.Expr, month: pl.Expr, day: pl.Expr) -> pl.Expr:
    """The date of a year, month and day; missing where there is none."""
    # WHY: `pl.date` raises for 30 February; a text that spells no date is merely null.
    parts = [year.cast(pl.String).str.zfill(4), month.cast(pl.String), day.cast(pl.String)]
    real = year.is_between(1, 9999) & month.is_between(1, 12) & day.is_between(1, 31)
    text = pl.concat_str(parts, separator="-")
    return pl.when(real).then(text.str.to_date("%Y-%m-%d", strict=False))


def as_text(value: pl.Expr, value_type: ValueType) -> pl.Expr:
    """A value as messages show it: ISO dates, `2023-24`, `yes` and `no`, decimals without needless
    zeros.
    """
    match value_type:
        case TextType():
            return value
        case CodeType() | IntegerType():
            return value.cast(pl.String)
        case BooleanType():
            return pl.when(value).then(pl.lit("yes")).when(~value).then(pl.lit("no"))
        case DateType():
            return value.dt.strftime("%Y-%m-%d")
        case SchoolYearType():
            second = ((value + 1) % 100).cast(pl.String).str.zfill(2)
            return pl.concat_str([value.cast(pl.String).str.zfill(4), second], separator="-")
        case DecimalType(places):
            return _decimal_text(value, places)
        case PeriodType():
            raise AssertionError("a period is no column")
    assert_never(value_type)


def _decimal_text(value: pl.Expr, places: int) -> pl.Expr:
    if places == 0:
        return value.cast(pl.String)
    digits = value.abs().cast(pl.String).str.zfill(places + 1)
    whole = digits.str.head(-places)
    rest = digits.str.tail(places).str.strip_chars_end("0")
    sign = pl.when(value < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    point = pl.when(rest == "").then(pl.lit("")).otherwise(pl.lit("."))
    return pl.when(value.is_not_null()).then(pl.concat_str([sign, whole, point, rest]))
