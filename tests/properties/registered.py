"""registered: functions that generated rulebooks declare, as a host brings them

Each is worked out for each row by itself, and now and then gives what its type cannot hold: null,
NaN, infinity, a blank, a code of no set, more than 18 digits.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class HostFunction:
    """A function: names and types of its arguments, and the type of what it gives."""

    name: str
    arguments: tuple[tuple[str, str], ...]
    result: str
    implementation: Callable[..., pl.Series]

    @property
    def declaration(self) -> str:
        arguments = ", ".join(f"{name}: {each}" for name, each in self.arguments)
        return f"function {self.name}({arguments}): {self.result}"


def similar(a: pl.Series, b: pl.Series) -> pl.Series:
    """The share of places at which two texts have the same character."""
    pairs = list(zip(a, b, strict=True))
    shares = [
        sum(x == y for x, y in zip(one, two, strict=False)) / max(len(one), len(two))
        for one, two in pairs
    ]
    return pl.Series(shares, dtype=pl.Float64)


def share(a: pl.Series, b: pl.Series) -> pl.Series:
    """A quarter of a number is its smallest part; infinite or no number where b is a multiple of 3."""
    return (a.clip(-1000, 1000) * 4).round() / 4 / (b % 3)


def moved(d: pl.Series, n: pl.Series) -> pl.Series:
    """Some days later, null beyond the calendar."""
    days = zip(d, n.clip(-400, 400), strict=True)
    found = [
        dt.date.fromordinal(each.toordinal() + number)
        if 1 <= each.toordinal() + number <= dt.date.max.toordinal()
        else None
        for each, number in days
    ]
    return pl.Series(found, dtype=pl.Date)


def graded(t: pl.Series) -> pl.Series:
    """A grade by the length of a text; of some lengths no code of the set, or none."""
    codes = ("KG", "10", "01", "XX", None, "é", "02")
    return pl.Series([codes[len(each) % len(codes)] for each in t], dtype=pl.String)


def worded(g: pl.Series, t: pl.Series) -> pl.Series:
    """A code and a text as one, without their K, G and a; blank where nothing is left."""
    return (g + t).str.replace_all("[KGa1]", "") + " "


def tripled(n: pl.Series) -> pl.Series:
    """Three times a number, which may have more than 18 digits then."""
    return n * 3


def odd(n: pl.Series) -> pl.Series:
    """Whether a number is odd; null for 3."""
    return pl.select(pl.when(n != 3).then(n % 2 == 1)).to_series()


def following(y: pl.Series, b: pl.Series) -> pl.Series:
    """The next school year, or something that spells none."""
    found = []
    for year, fine in zip(y, b, strict=True):
        start = int(year[:4]) + 1
        found.append(f"{start:04d}-{(start + fine) % 100:02d}")
    return pl.Series(found, dtype=pl.String)


def sized(d: pl.Series, b: pl.Series) -> pl.Series:
    """The day of the month, and one more where b is true."""
    return d.dt.day() + b.cast(pl.Int8)


HOST = {
    function.name: function
    for function in (
        HostFunction("similar", (("a", "text"), ("b", "text")), "decimal", similar),
        HostFunction("share", (("a", "decimal"), ("b", "integer")), "decimal", share),
        HostFunction("moved", (("d", "date"), ("n", "integer")), "date", moved),
        HostFunction("graded", (("t", "text"),), "grade", graded),
        HostFunction("worded", (("g", "grade"), ("t", "text")), "text", worded),
        HostFunction("tripled", (("n", "integer"),), "integer", tripled),
        HostFunction("odd", (("n", "integer"),), "boolean", odd),
        HostFunction(
            "following", (("y", "school_year"), ("b", "boolean")), "school_year", following
        ),
        HostFunction("sized", (("d", "date"), ("b", "boolean")), "integer", sized),
    )
}
