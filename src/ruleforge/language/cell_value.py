"""cell_value: the text of a cell, a type -> the value that it spells

Cells of a test are read as cells of a file are: `docs/data.md` says how each type is spelt.
"""

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal

from ruleforge.language.core import Value
from ruleforge.language.schema import CodeSet, SchoolYear
from ruleforge.language.types import (
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

_BOOLEANS = {
    **dict.fromkeys(("true", "yes", "y", "t", "1"), True),
    **dict.fromkeys(("false", "no", "n", "f", "0"), False),
}
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]{1,10})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_YEAR = re.compile(r"([0-9]{4})-([0-9]{2}|[0-9]{4})")


def cell_value(text: str, value_type: ValueType, code_sets: Mapping[str, CodeSet]) -> Value | None:
    """The value of a cell that is not blank; None where the text spells none of its type.

    A code is read by itself or by a spelling that its set lists behind `also`.
    """
    match value_type:
        case TextType():
            return text
        case IntegerType():
            return int(text) if _WHOLE.fullmatch(text) else None
        case DecimalType():
            return Decimal(text) if _NUMBER.fullmatch(text) else None
        case BooleanType():
            return _BOOLEANS.get(text.casefold())
        case DateType():
            try:
                return dt.date.fromisoformat(text) if _DAY.fullmatch(text) else None
            except ValueError:
                return None
        case SchoolYearType():
            return _school_year(text)
        case CodeType(name):
            return _code(text, code_sets[name])
        case PeriodType():
            return None


def _school_year(text: str) -> SchoolYear | None:
    found = _YEAR.fullmatch(text)
    if found is None:
        return None
    year = SchoolYear(int(found[1]))
    spellings = (str(year), f"{year.start_year:04d}-{year.start_year + 1:04d}")
    return year if 1 <= year.start_year <= 9997 and text in spellings else None


def _code(text: str, code_set: CodeSet) -> str | None:
    if text in code_set.position_by_code:
        return text
    return next((each.code for each in code_set.codes if text in each.also), None)
