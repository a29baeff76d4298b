"""reference_host: functions that a host registers -> functions of the values of one row

The host's are vectorised: they take a Polars series for each argument and give one. Here each call
hands over series of one value, so that nothing of how the fast engine gathers rows is shared.
"""

import datetime as dt
import math
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any

import polars as pl

from ruleforge.engine.reference_backend import PlainFunction
from ruleforge.engine.reference_functions import in_domain
from ruleforge.language import core
from ruleforge.language.core import Value
from ruleforge.language.schema import CodeSet, SchoolYear
from ruleforge.language.types import (
    CELL_PLACES,
    BooleanType,
    CodeType,
    DateType,
    DecimalType,
    IntegerType,
    SchoolYearType,
    ValueType,
)

_SCHOOL_YEAR = re.compile(r"([0-9]{4})-([0-9]{2})")


def plain_functions(
    rulebook: core.Rulebook, registered: Mapping[str, Callable[..., object]]
) -> dict[str, PlainFunction]:
    """The functions that a rulebook names, of those that the host has registered."""
    return {
        name: partial(_call, function, registered[name], rulebook.schema.code_sets)
        for name, function in rulebook.functions.items()
        if name in registered
    }


def _call(
    function: core.HostFunction,
    registered: Callable[..., object],
    code_sets: Mapping[str, CodeSet],
    arguments: Sequence[Value],
) -> Value | None:
    """What the host's function makes of one row's values, none of which is missing."""
    types = [value_type for _, value_type in function.arguments]
    given = [_series(value, each) for value, each in zip(arguments, types, strict=True)]
    result = registered(*given)
    if not isinstance(result, pl.Series):
        raise TypeError(f"`{function.name}` gives no series")
    if len(result) != 1:
        raise ValueError(f"`{function.name}` gives {len(result)} values for 1 row")
    return _value(result[0], function.result, code_sets)


def _series(value: Any, value_type: ValueType) -> pl.Series:
    """One value as a host takes it: texts, codes and school years as String, decimals as Float64."""
    match value_type:
        case IntegerType():
            return pl.Series([value], dtype=pl.Int64)
        case DecimalType():
            return pl.Series([float(value)], dtype=pl.Float64)
        case BooleanType():
            return pl.Series([value], dtype=pl.Boolean)
        case DateType():
            return pl.Series([value], dtype=pl.Date)
        case _:
            return pl.Series([str(value)], dtype=pl.String)


def _value(given: Any, value_type: ValueType, code_sets: Mapping[str, CodeSet]) -> Value | None:
    """A value as the language has it.

    Missing are null, what is no number, no code of the set or no school year, a blank text, and
    what lies outside the domain of its type.
    """
    if given is None:
        return None
    result: Any = given
    match value_type:
        case DecimalType():
            result = _decimal(given)
        case SchoolYearType():
            result = _school_year(given)
        case CodeType(name) if given not in code_sets[name].position_by_code:
            return None
    found = in_domain(result)
    assert isinstance(found, str | int | Decimal | bool | dt.date | SchoolYear | None)
    return found


def _decimal(given: float | Decimal) -> Decimal | None:
    """The number, rounded half to even at 10 places; 0.1 is 0.1 and not the binary number beside it."""
    if not math.isfinite(given):
        return None
    exact = Fraction(repr(given) if isinstance(given, float) else given)
    return Decimal(round(exact * 10**CELL_PLACES)).scaleb(-CELL_PLACES)


def _school_year(text: str) -> SchoolYear | None:
    found = _SCHOOL_YEAR.fullmatch(text)
    year = SchoolYear(int(found[1])) if found else None
    return year if year is not None and str(year) == text else None
