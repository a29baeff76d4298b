"""functions: the built-in functions, in one list

Signature, behaviour on missing values and one line of documentation, for the checker, the engines
and the docs. A contract test asserts that every engine implements exactly these.

A function of a missing value is missing, unless its `missing` says otherwise. A text result that is
blank is missing. A result outside what its type can hold (a date before year 1 or after 9999, a
number of more than 18 digits) is missing.
"""

from dataclasses import dataclass
from enum import Enum, auto

from ruleforge.language.types import (
    BOOLEAN,
    DATE,
    DECIMAL,
    INTEGER,
    PERIOD,
    SCHOOL_YEAR,
    TEXT,
    ValueType,
)

# What counts as blank, in a cell and for `trim`.
BLANKS = " \t\n\v\f\r\x85\xa0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Kind(Enum):
    """What an argument may be where it is not one type."""

    NUMBER = auto()  # integer or decimal
    ORDERED = auto()  # anything that compares: all arguments of this kind are of one type
    ANY = auto()  # any value: all arguments of this kind are of one type
    DATES = auto()  # a set of dates that reads no row
    PLACES = auto()  # a whole number from 0 to 10, written out
    DATE_FORMAT = auto()  # a text written out, with %Y, %m and %d once each
    WEEKDAY = auto()  # a weekday's English name in small letters, written out


class Result(Enum):
    """A result type that depends on the arguments."""

    SAME = auto()  # that of the arguments (decimal if any of them is)
    ROUNDED = auto()  # integer with one argument, decimal with the places that the second says


@dataclass(frozen=True)
class Argument:
    """One argument: a type, or what it may be where it is not one type."""

    name: str
    type: ValueType | Kind


@dataclass(frozen=True)
class Function:
    """`optional` arguments may be left out; with `variadic` the last argument may be repeated."""

    name: str
    arguments: tuple[Argument, ...]
    result: ValueType | Result
    doc: str
    missing: str = "missing if any argument is"
    optional: int = 0
    variadic: bool = False

    @property
    def signature(self) -> str:
        names = [argument.name for argument in self.arguments]
        if self.variadic:
            names.append("…")
        return f"{self.name}({', '.join(names)})"


def _f(
    name: str,
    arguments: str,
    result: ValueType | Result,
    doc: str,
    *,
    missing: str = "missing if any argument is",
    optional: int = 0,
    variadic: bool = False,
) -> Function:
    types: dict[str, ValueType | Kind] = {
        "text": TEXT,
        "integer": INTEGER,
        "date": DATE,
        "period": PERIOD,
        "school_year": SCHOOL_YEAR,
        **{kind.name.lower(): kind for kind in Kind},
    }
    pairs = [each.split(":") for each in arguments.split(", ")]
    parsed = tuple(Argument(pair[0].strip(), types[pair[1].strip()]) for pair in pairs)
    return Function(name, parsed, result, doc, missing, optional, variadic)


FUNCTIONS: dict[str, Function] = {
    each.name: each
    for each in (
        # dates
        _f("age", "birth: date, on: date", INTEGER, "Whole years of age on a day; one born on 29 February is a year older on 1 March where there is no 29th."),
        _f("years_between", "a: date, b: date", INTEGER, "Whole years from a to b, rounded down; below 0 where b comes first."),
        _f("months_between", "a: date, b: date", INTEGER, "Whole months from a to b, rounded down; below 0 where b comes first."),
        _f("business_days_between", "a: date, b: date, holidays: dates", INTEGER, "Mondays to Fridays after a, up to and with b, that are no holidays; below 0 where b comes first.", optional=1),
        _f("add_business_days", "d: date, n: integer, holidays: dates", DATE, "The n-th business day after d, before it where n is below 0; d itself for 0.", optional=1),
        _f("weekday", "d: date", TEXT, "The day's name: monday to sunday."),
        _f("nth_weekday", "n: integer, name: weekday, month: integer, year: school_year", DATE, "The n-th such weekday of that month of the school year; -1 is the last; missing where the month has no n-th."),
        _f("date_from", "t: text, format: date_format", DATE, "The date that a text spells.", missing="missing if the text is, or spells no date"),
        # school years
        _f("school_year.start", "year: school_year", DATE, "1 July."),
        _f("school_year.end", "year: school_year", DATE, "30 June."),
        _f("school_year.previous", "year: school_year", SCHOOL_YEAR, "The school year before."),
        _f("school_year.next", "year: school_year", SCHOOL_YEAR, "The school year after."),
        _f("school_year.day", "year: school_year, month: integer, day: integer", DATE, "That day of the school year, July to June; missing where the month has no such day."),
        # periods
        _f("period", "a: date, b: date", PERIOD, "From a to b, both included; open where b is missing, empty where b comes first.", missing="missing if a is"),
        _f("days", "p: period", INTEGER, "The days of a period, both ends counted; 0 if it is empty.", missing="missing if the period is, or is open"),
        # texts
        _f("upper", "t: text", TEXT, "In capital letters."),
        _f("lower", "t: text", TEXT, "In small letters."),
        _f("trim", "t: text", TEXT, "Without blanks at both ends."),
        _f("length", "t: text", INTEGER, "The number of characters."),
        _f("left", "t: text, n: integer", TEXT, "The first n characters."),
        _f("right", "t: text, n: integer", TEXT, "The last n characters."),
        _f("contains", "t: text, part: text", BOOLEAN, "Whether part stands in t."),
        _f("starts_with", "t: text, part: text", BOOLEAN, "Whether t begins with part."),
        _f("ends_with", "t: text, part: text", BOOLEAN, "Whether t ends with part."),
        _f("replace", "t: text, old: text, new: text", TEXT, "With every old made new."),
        _f("digits", "t: text", TEXT, "Only its digits 0 to 9."),
        # numbers
        _f("number", "t: text", DECIMAL, "The number that a text spells (`12`, `-0.5`).", missing="missing if the text is, or spells no number"),
        _f("abs", "x: number", Result.SAME, "Without its sign."),
        _f("round", "x: number, places: places", Result.ROUNDED, "Rounded, halves to the even neighbour.", optional=1),
        _f("floor", "x: number", INTEGER, "The whole number at or below."),
        _f("ceiling", "x: number", INTEGER, "The whole number at or above."),
        # choice
        _f("min_of", "a: ordered, b: ordered", Result.SAME, "The least.", variadic=True),
        _f("max_of", "a: ordered, b: ordered", Result.SAME, "The greatest.", variadic=True),
        _f("coalesce", "a: any, b: any", Result.SAME, "The first that is present.", missing="missing if all are", variadic=True),
    )
}  # fmt: skip
