"""reference_functions: values -> what an operator or a built-in function makes of them

The contract of each function is its line in `functions.FUNCTIONS`; here is the shortest code that
keeps it, one row at a time. Nothing is shared with the Polars backend, so that the two can be held
against each other.

Numbers are exact: `+ - *` run in a decimal context that raises rather than round, and what does
round goes through fractions. A result outside the domain of its type (`in_domain`) is missing.
"""

import datetime as dt
import math
import operator
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, InvalidOperation
from fractions import Fraction
from functools import reduce
from typing import Any, assert_never

from ruleforge.language.core import Value
from ruleforge.language.functions import BLANKS, WEEKDAYS
from ruleforge.language.schema import SchoolYear
from ruleforge.language.types import CELL_PLACES, MOST_DIGITS

Number = int | Decimal
Holidays = frozenset[dt.date]

_EXACT = Context(prec=200, traps=[Inexact, InvalidOperation])
_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ONE_DAY = dt.timedelta(days=1)
_NO_HOLIDAYS: Holidays = frozenset()


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `start` to `end`, both included.

    Open where `end` is None, empty where `end` comes before `start`.
    """

    start: dt.date
    end: dt.date | None

    @property
    def is_empty(self) -> bool:
        return self.end is not None and self.end < self.start

    def holds(self, day: dt.date) -> bool:
        """Whether the day lies in the period."""
        return self.start <= day and (self.end is None or day <= self.end)

    def overlaps(self, other: "Period") -> bool:
        """Whether the periods share a day."""
        if self.is_empty or other.is_empty:
            return False
        begins_in_time = other.end is None or self.start <= other.end
        ends_in_time = self.end is None or other.start <= self.end
        return begins_in_time and ends_in_time


Result = Value | Period | None


def in_domain(value: Result) -> Result:
    """The value, or None where its type cannot hold it.

    That is a blank text, a number of more than 18 digits before the point, and a school year that
    starts before 1 or after 9997.
    """
    match value:
        case str() if value.strip(BLANKS) == "":
            return None
        case bool():
            return value
        case int() | Decimal() if not -(10**MOST_DIGITS) < value < 10**MOST_DIGITS:
            return None
        case SchoolYear(start_year) if not 1 <= start_year <= 9997:
            return None
    return value


def shown(value: Result) -> str:
    """A value as a message shows it: `(missing)`, `yes`, `2023-10-01`, `2023-24`, `0.25`."""
    match value:
        case None:
            return "(missing)"
        case bool():
            return "yes" if value else "no"
        case int() | str() | SchoolYear():
            return str(value)
        case Decimal():
            plain = f"{abs(value) if value == 0 else value:f}"
            return plain.rstrip("0").rstrip(".") if "." in plain else plain
        case dt.date():
            return value.isoformat()
        case Period(start, end):
            return f"from {start}" if end is None else f"{start} to {end}"
    assert_never(value)


# ── three-valued logic ─────────────────────────────────────────────────────────────────────────


def all_true(truths: Iterable[bool | None]) -> bool | None:
    """Kleene conjunction; true of nothing."""
    seen = set(truths)
    if False in seen:
        return False
    return None if None in seen else True


def any_true(truths: Iterable[bool | None]) -> bool | None:
    """Kleene disjunction; false of nothing."""
    seen = set(truths)
    if True in seen:
        return True
    return None if None in seen else False


def opposite(truth: bool | None) -> bool | None:  # noqa: FBT001 - a truth value is the subject
    """Kleene negation."""
    return None if truth is None else not truth


# ── operators ──────────────────────────────────────────────────────────────────────────────────


def calculate(op: str, left: Value, right: Value) -> Result:
    """`+ - * /` of two present numbers, or of a date; None where the result is missing."""
    if isinstance(left, dt.date):
        return _calculate_date(op, left, right)
    if isinstance(right, dt.date) and op == "+":
        return _calculate_date(op, right, left)
    a, b = _number(left), _number(right)
    match op:
        case "+":
            return in_domain(_add(a, b))
        case "-":
            return in_domain(_add(a, negated(b)))
        case "*":
            return in_domain(_multiply(a, b))
        case "/":
            return divided(a, b)
        case _:
            raise ValueError(f"no operator `{op}`")


def compare(op: str, left: Any, right: Any) -> bool:
    """`= != < <= > >=` of two present values; for the order of codes, of their positions."""
    return bool(_COMPARISONS[op](left, right))


def matches(pattern: str, text: str) -> bool:
    """Whether the whole text matches the pattern, which is in the common dialect."""
    return re.fullmatch(pattern, text) is not None


def negated(number: Number) -> Number:
    """The number with the other sign."""
    return -number if isinstance(number, int) else _EXACT.minus(number)


def divided(number: Number, divisor: Number) -> Result:
    """The quotient as a decimal, rounded half to even at 10 places; missing for a divisor 0."""
    if divisor == 0:
        return None
    return in_domain(_rounded(Fraction(number) / Fraction(divisor), CELL_PLACES))


def total(numbers: Iterable[Number]) -> Result:
    """The exact sum; 0 of nothing. Only its end has to lie in the domain, not the way there."""
    nothing: Number = 0
    return in_domain(reduce(_add, numbers, nothing))


def _calculate_date(op: str, left: dt.date, right: Value) -> Result:
    if isinstance(right, dt.date):
        return (left - right).days
    days = _number(right)
    try:
        return left + dt.timedelta(days=int(days if op == "+" else -days))
    except OverflowError:
        return None


def _number(value: Value) -> Number:
    assert isinstance(value, int | Decimal), f"{value!r} is no number"
    return value


def _add(a: Number, b: Number) -> Number:
    return a + b if isinstance(a, int) and isinstance(b, int) else _EXACT.add(a, b)


def _multiply(a: Number, b: Number) -> Number:
    return a * b if isinstance(a, int) and isinstance(b, int) else _EXACT.multiply(a, b)


def _rounded(exact: Fraction, places: int) -> Decimal:
    units = round(exact * 10**places)  # NOTE: `round` of a fraction goes half to even
    return Decimal(units).scaleb(-places, _EXACT)


# ── functions ──────────────────────────────────────────────────────────────────────────────────


def apply_function(
    name: str, arguments: Sequence[Result | Holidays], order: Callable[[Any], Any]
) -> Result:
    """A built-in function of its arguments; None where its result is missing.

    `order` gives the sort key of a value of the arguments' type, for `min_of` and `max_of`.
    A set of dates comes as a frozenset without missing members.
    """
    if name in _OF_ANY_VALUES:
        return _OF_ANY_VALUES[name](*arguments)
    if any(argument is None for argument in arguments):
        return None
    if name in _IN_ORDER:
        return _IN_ORDER[name](arguments, key=order)
    return in_domain(_OF_PRESENT_VALUES[name](*arguments))


def _coalesce(*values: Result) -> Result:
    return next((value for value in values if value is not None), None)


def _period(start: dt.date | None, end: dt.date | None) -> Period | None:
    return None if start is None else Period(start, end)


def _days(period: Period) -> int | None:
    if period.end is None:
        return None
    return 0 if period.is_empty else (period.end - period.start).days + 1


def _date(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except (ValueError, OverflowError):
        return None


def _years_between(a: dt.date, b: dt.date) -> int:
    return b.year - a.year - ((b.month, b.day) < (a.month, a.day))


def _months_between(a: dt.date, b: dt.date) -> int:
    return (b.year - a.year) * 12 + (b.month - a.month) - (b.day < a.day)


def _is_business_day(day: dt.date, holidays: Holidays) -> bool:
    return day.weekday() < WEEKDAYS.index("saturday") and day not in holidays


def _business_days_between(a: dt.date, b: dt.date, holidays: Holidays = _NO_HOLIDAYS) -> int:
    if b < a:
        return -_business_days_between(b, a, holidays)
    days_after_a = (a + dt.timedelta(days=n) for n in range(1, (b - a).days + 1))
    return sum(_is_business_day(day, holidays) for day in days_after_a)


def _add_business_days(start: dt.date, n: int, holidays: Holidays = _NO_HOLIDAYS) -> dt.date | None:
    step = _ONE_DAY if n > 0 else -_ONE_DAY
    day, left = start, abs(n)
    try:
        while left > 0:
            day += step
            left -= _is_business_day(day, holidays)
    except OverflowError:
        return None
    return day


def _weekday(day: dt.date) -> str:
    return WEEKDAYS[day.weekday()]


def _day_of_school_year(year: SchoolYear, month: int, day: int) -> dt.date | None:
    return _date(year.start_year if month >= 7 else year.start_year + 1, month, day)


def _nth_weekday(n: int, name: str, month: int, year: SchoolYear) -> dt.date | None:
    days = [_day_of_school_year(year, month, number) for number in range(1, 32)]
    named = [day for day in days if day is not None and _weekday(day) == name]
    if n == -1 and named:
        return named[-1]
    return named[n - 1] if 1 <= n <= len(named) else None


def _date_from(text: str, date_format: str) -> dt.date | None:
    digits = {"%Y": "(?P<year>[0-9]{4})", "%m": "(?P<month>[0-9]{2})", "%d": "(?P<day>[0-9]{2})"}
    parts = re.split("(%[Ymd])", date_format)
    found = re.fullmatch("".join(digits.get(part, re.escape(part)) for part in parts), text)
    return found and _date(int(found["year"]), int(found["month"]), int(found["day"]))


def _number_from(text: str) -> Decimal | None:
    stripped = text.strip(BLANKS)
    if not re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?", stripped):
        return None
    whole, _, fraction = stripped.lstrip("+-").partition(".")
    if len(whole.lstrip("0")) > MOST_DIGITS or len(fraction) > CELL_PLACES:
        return None
    return Decimal(stripped)


def _round(x: Number, places: int | None = None) -> Number:
    return round(Fraction(x)) if places is None else _rounded(Fraction(x), places)


_OF_ANY_VALUES: dict[str, Callable[..., Result]] = {"period": _period, "coalesce": _coalesce}

_IN_ORDER: dict[str, Callable[..., Result]] = {"min_of": min, "max_of": max}

_OF_PRESENT_VALUES: dict[str, Callable[..., Result]] = {
    "age": _years_between,
    "years_between": _years_between,
    "months_between": _months_between,
    "business_days_between": _business_days_between,
    "add_business_days": _add_business_days,
    "weekday": _weekday,
    "nth_weekday": _nth_weekday,
    "date_from": _date_from,
    "school_year.start": lambda year: _day_of_school_year(year, 7, 1),
    "school_year.end": lambda year: _day_of_school_year(year, 6, 30),
    "school_year.previous": lambda year: SchoolYear(year.start_year - 1),
    "school_year.next": lambda year: SchoolYear(year.start_year + 1),
    "school_year.day": _day_of_school_year,
    "days": _days,
    "upper": str.upper,
    "lower": str.lower,
    "trim": lambda text: text.strip(BLANKS),
    "length": len,
    "left": lambda text, n: text[: max(n, 0)],
    "right": lambda text, n: text[max(len(text) - max(n, 0), 0) :],
    "contains": lambda text, part: part in text,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
    "replace": str.replace,
    "digits": lambda text: "".join(character for character in text if character in "0123456789"),
    "number": _number_from,
    "abs": lambda x: negated(x) if x < 0 else x,
    "round": _round,
    "floor": math.floor,
    "ceiling": math.ceil,
}

IMPLEMENTED = frozenset({*_OF_ANY_VALUES, *_IN_ORDER, *_OF_PRESENT_VALUES})
