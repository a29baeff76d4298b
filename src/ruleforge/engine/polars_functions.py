"""polars_functions: the built-in functions over Polars expressions

Each takes the expressions of its arguments and their types, and gives an expression that is missing
exactly where `functions` says so. Numbers arrive as Int64 or as scaled Int128 (see `polars_types`),
school years as the year in which they start.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from ruleforge.engine.polars_types import (
    LARGEST,
    as_decimal,
    date_of_days,
    date_of_parts,
    days_since_epoch,
    divided,
    in_reach,
    negated,
    places_of,
)
from ruleforge.language.functions import BLANKS, WEEKDAYS
from ruleforge.language.types import CELL_PLACES, DecimalType, IntegerType, ValueType


@dataclass(frozen=True)
class Arguments:
    """The arguments of one call. `written` are values that the author wrote out, by position;
    `holidays` a set of dates.
    """

    exprs: tuple[pl.Expr, ...]
    types: tuple[ValueType, ...]
    result: ValueType
    written: dict[int, object]
    holidays: tuple[dt.date, ...] = ()


def _filled(text: pl.Expr) -> pl.Expr:
    """A text result, missing where it is blank."""
    return pl.when(text.str.strip_chars(BLANKS).str.len_bytes() > 0).then(text)


# ── dates ──────────────────────────────────────────────────────────────────────────────────────


def _years_between(a: Arguments) -> pl.Expr:
    start, end = a.exprs
    return _months(start, end).floordiv(12)


def _months(start: pl.Expr, end: pl.Expr) -> pl.Expr:
    def parts(date: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
        months = date.dt.year().cast(pl.Int64) * 12 + date.dt.month().cast(pl.Int64)
        return months, date.dt.day()

    (first, first_day), (last, last_day) = parts(start), parts(end)
    return last - first - (last_day < first_day).cast(pl.Int64)


def _months_between(a: Arguments) -> pl.Expr:
    return _months(a.exprs[0], a.exprs[1])


def _business_days_between(a: Arguments) -> pl.Expr:
    start, end = a.exprs[0], a.exprs[1]
    # Polars counts from the first day up to, not including, the last; the language the other way
    # round.
    after = pl.business_day_count(_next_day(start), _next_day(end), holidays=a.holidays)
    before = pl.business_day_count(_next_day(end), _next_day(start), holidays=a.holidays)
    return pl.when(end >= start).then(after).otherwise(-before).cast(pl.Int64)


def _next_day(date: pl.Expr) -> pl.Expr:
    return (date.cast(pl.Int32) + 1).cast(pl.Date)


def _add_business_days(a: Arguments) -> pl.Expr:
    date, number = a.exprs[0], a.exprs[1]
    # No such sum outside this bound is a date; within it Polars cannot overflow.
    bounded = pl.when(number.abs() < 10_000_000).then(number).cast(pl.Int32)

    def moved(days: pl.Expr, roll: str) -> pl.Expr:
        return date.dt.add_business_days(days, holidays=a.holidays, roll=roll)  # type: ignore[arg-type]

    forward = moved(pl.when(bounded > 0).then(bounded).otherwise(0), "backward")
    backward = moved(pl.when(bounded < 0).then(bounded).otherwise(0), "forward")
    result = (
        pl.when(bounded > 0)
        .then(forward)
        .when(bounded < 0)
        .then(backward)
        .when(bounded == 0)
        .then(date)
    )
    return date_of_days(days_since_epoch(result))


def _weekday(a: Arguments) -> pl.Expr:
    number = a.exprs[0].dt.weekday()
    return number.replace_strict(
        list(range(1, 8)), list(WEEKDAYS), default=None, return_dtype=pl.String
    )


def _nth_weekday(a: Arguments) -> pl.Expr:
    number, _, month, year = a.exprs
    weekday = WEEKDAYS.index(str(a.written[1])) + 1
    in_year = _calendar_year(year, month)
    first = date_of_parts(in_year, month, pl.lit(1))
    to_first = (weekday - first.dt.weekday().cast(pl.Int64)) % 7
    from_first = pl.when(number.is_between(1, 5)).then(
        days_since_epoch(first) + to_first + 7 * (number - 1)
    )
    last = first.dt.month_end()
    back = (last.dt.weekday().cast(pl.Int64) - weekday) % 7
    from_last = pl.when(number == -1).then(days_since_epoch(last) - back)
    date = date_of_days(pl.coalesce(from_first, from_last))
    return pl.when(date.dt.month() == month).then(date)


def _calendar_year(year: pl.Expr, month: pl.Expr) -> pl.Expr:
    """The calendar year in which a month of a school year falls."""
    return year.cast(pl.Int64) + (month < 7).cast(pl.Int64)


def _date_from(a: Arguments) -> pl.Expr:
    return date_of_text(a.exprs[0], str(a.written[1]))


def date_of_text(text: pl.Expr, date_format: str) -> pl.Expr:
    """The date that a text spells in a format of `%Y`, `%m` and `%d`, digit for digit; else
    missing.
    """
    shape, position = "", 0
    while position < len(date_format):
        directive = date_format[position : position + 2]
        if directive in ("%Y", "%m", "%d"):
            shape += "[0-9]{4}" if directive == "%Y" else "[0-9]{2}"
            position += 2
        else:
            shape += pl.escape_regex(date_format[position])
            position += 1
    exact = text.str.contains(rf"^(?:{shape})\z")
    date = pl.when(exact).then(text).str.to_date(date_format, strict=False)
    return pl.when(date.dt.year().is_between(1, 9999)).then(date)


# ── school years and periods ───────────────────────────────────────────────────────────────────


def _day_of_year(month: int, day: int, later: int) -> Callable[[Arguments], pl.Expr]:
    def fixed(a: Arguments) -> pl.Expr:
        return date_of_parts(a.exprs[0].cast(pl.Int64) + later, pl.lit(month), pl.lit(day))

    return fixed


def _year_moved(by: int) -> Callable[[Arguments], pl.Expr]:
    def moved(a: Arguments) -> pl.Expr:
        year = a.exprs[0] + by
        return pl.when(year.is_between(1, 9997)).then(year)

    return moved


def _school_day(a: Arguments) -> pl.Expr:
    year, month, day = a.exprs
    return date_of_parts(_calendar_year(year, month), month, day)


# ── texts ──────────────────────────────────────────────────────────────────────────────────────


def _text(change: Callable[[Sequence[pl.Expr]], pl.Expr]) -> Callable[[Arguments], pl.Expr]:
    def changed(a: Arguments) -> pl.Expr:
        return _filled(change(a.exprs))

    return changed


def _not_negative(number: pl.Expr) -> pl.Expr:
    return pl.max_horizontal(number, pl.lit(0, dtype=pl.Int64)) if number is not None else number


def _first_characters(exprs: Sequence[pl.Expr]) -> pl.Expr:
    text, number = exprs
    wanted = pl.when(number.is_not_null()).then(_not_negative(number))
    return pl.when(wanted.is_not_null()).then(text.str.slice(0, wanted.clip(0, 2**31)))


def _last_characters(exprs: Sequence[pl.Expr]) -> pl.Expr:
    text, number = exprs
    length = text.str.len_chars().cast(pl.Int64)
    wanted = pl.min_horizontal(_not_negative(number), length)
    return pl.when(number.is_not_null()).then(text.str.slice(length - wanted))


def _replace(exprs: Sequence[pl.Expr]) -> pl.Expr:
    text, old, new = exprs
    # WHY: Polars replaces by a column only where the pattern is a constant; splitting and joining
    # takes columns for both.
    # NOTE: a text that is written out is one row high, and joining by a column then gives every row
    # the first one's text.
    spread = pl.when(new.is_not_null()).then(text)
    return spread.str.split(old).list.join(new)


# ── numbers ────────────────────────────────────────────────────────────────────────────────────


def number_of_text(text: pl.Expr) -> pl.Expr:
    """The decimal (10 places, scaled) that a text spells, else missing."""
    bare = text.str.strip_chars(BLANKS)
    shape = r"^[+-]?0*[0-9]{1,18}(?:\.[0-9]{1,10})?\z"
    exact = pl.when(bare.str.contains(shape)).then(bare)
    return exact.cast(pl.Decimal(38, CELL_PLACES), strict=False).to_physical()


def _round(a: Arguments) -> pl.Expr:
    number, value_type = a.exprs[0], a.types[0]
    if isinstance(value_type, IntegerType):
        if isinstance(a.result, IntegerType):
            return number
        return in_reach(as_decimal(number, value_type, places_of(a.result)), places_of(a.result))
    wanted, places = places_of(a.result), places_of(value_type)
    if wanted >= places:
        rounded = as_decimal(number, value_type, wanted)
    else:
        rounded = divided(number, pl.lit(10 ** (places - wanted), dtype=pl.Int128))
    rounded = in_reach(rounded, wanted)
    return rounded.cast(pl.Int64, strict=False) if isinstance(a.result, IntegerType) else rounded


def _floor(a: Arguments) -> pl.Expr:
    number, value_type = a.exprs[0], a.types[0]
    if isinstance(value_type, IntegerType):
        return number
    unit = pl.lit(10 ** places_of(value_type), dtype=pl.Int128)
    whole = number // unit
    return pl.when(whole.abs() < LARGEST).then(whole).cast(pl.Int64, strict=False)


def _ceiling(a: Arguments) -> pl.Expr:
    number, value_type = a.exprs[0], a.types[0]
    if isinstance(value_type, IntegerType):
        return number
    unit = pl.lit(10 ** places_of(value_type), dtype=pl.Int128)
    whole = negated(negated(number) // unit)
    return pl.when(whole.abs() < LARGEST).then(whole).cast(pl.Int64, strict=False)


def _of_one_type(a: Arguments) -> list[pl.Expr]:
    """The arguments as values of the result's type: decimals with its places."""
    if not isinstance(a.result, DecimalType):
        return list(a.exprs)
    places = a.result.places
    return [as_decimal(each, t, places) for each, t in zip(a.exprs, a.types, strict=True)]


def _extreme(a: Arguments, better: Callable[[pl.Expr, pl.Expr], pl.Expr]) -> pl.Expr:
    values = _of_one_type(a)
    best = values[0]
    for value in values[1:]:
        best = pl.when(better(value, best)).then(value).otherwise(best)
    all_there = pl.all_horizontal([value.is_not_null() for value in values])
    return pl.when(all_there).then(best)


def _least(a: Arguments) -> pl.Expr:
    return _extreme(a, lambda value, best: value < best)


def _greatest(a: Arguments) -> pl.Expr:
    return _extreme(a, lambda value, best: value > best)


def _coalesce(a: Arguments) -> pl.Expr:
    return pl.coalesce(_of_one_type(a))


# NOTE: `period` and `days` are not here: a period is two expressions, which the compiler keeps
# apart.
POLARS_FUNCTIONS: dict[str, Callable[[Arguments], pl.Expr]] = {
    "age": _years_between,
    "years_between": _years_between,
    "months_between": _months_between,
    "business_days_between": _business_days_between,
    "add_business_days": _add_business_days,
    "weekday": _weekday,
    "nth_weekday": _nth_weekday,
    "date_from": _date_from,
    "school_year.start": _day_of_year(7, 1, 0),
    "school_year.end": _day_of_year(6, 30, 1),
    "school_year.previous": _year_moved(-1),
    "school_year.next": _year_moved(1),
    "school_year.day": _school_day,
    "upper": _text(lambda exprs: exprs[0].str.to_uppercase()),
    "lower": _text(lambda exprs: exprs[0].str.to_lowercase()),
    "trim": _text(lambda exprs: exprs[0].str.strip_chars(BLANKS)),
    "length": lambda a: a.exprs[0].str.len_chars().cast(pl.Int64),
    "left": _text(_first_characters),
    "right": _text(_last_characters),
    "contains": lambda a: a.exprs[0].str.contains(a.exprs[1], literal=True),
    "starts_with": lambda a: a.exprs[0].str.starts_with(a.exprs[1]),
    "ends_with": lambda a: a.exprs[0].str.ends_with(a.exprs[1]),
    "replace": _text(_replace),
    "digits": _text(lambda exprs: exprs[0].str.replace_all("[^0-9]", "")),
    "number": lambda a: number_of_text(a.exprs[0]),
    "abs": lambda a: a.exprs[0].abs(),
    "round": _round,
    "floor": _floor,
    "ceiling": _ceiling,
    "min_of": _least,
    "max_of": _greatest,
    "coalesce": _coalesce,
}
