"""types: what a value can be

Nothing converts in silence: integer widens to decimal, a code meets codes of its own set, and that
is all. Decimals are exact, so a decimal type knows how many places its values can have (`places`):
a sum has the places of the longer operand, a product those of both. A number has at most 18 digits
before the point and 20 behind it; a result beyond that is missing.
"""

from dataclasses import dataclass, field
from typing import assert_never

MOST_DIGITS = 18  # before the point, of any number
MOST_PLACES = 20  # behind the point, of any result
CELL_PLACES = 10  # behind the point, of a value in a table, and of a quotient


@dataclass(frozen=True, slots=True)
class TextType:
    pass


@dataclass(frozen=True, slots=True)
class IntegerType:
    pass


@dataclass(frozen=True, slots=True)
class DecimalType:
    # WHY: two decimals are of one type whatever their places, so the places take no part in
    # equality.
    places: int = field(default=CELL_PLACES, compare=False)


@dataclass(frozen=True, slots=True)
class BooleanType:
    pass


@dataclass(frozen=True, slots=True)
class DateType:
    pass


@dataclass(frozen=True, slots=True)
class SchoolYearType:
    pass


@dataclass(frozen=True, slots=True)
class PeriodType:
    pass


@dataclass(frozen=True, slots=True)
class CodeType:
    """A code of the code set `name`."""

    name: str


ValueType = (
    TextType
    | IntegerType
    | DecimalType
    | BooleanType
    | DateType
    | SchoolYearType
    | PeriodType
    | CodeType
)

TEXT = TextType()
INTEGER = IntegerType()
DECIMAL = DecimalType()
BOOLEAN = BooleanType()
DATE = DateType()
SCHOOL_YEAR = SchoolYearType()
PERIOD = PeriodType()

NAMED_TYPES: dict[str, ValueType] = {
    "text": TEXT,
    "integer": INTEGER,
    "decimal": DECIMAL,
    "boolean": BOOLEAN,
    "date": DATE,
    "school_year": SCHOOL_YEAR,
}


def type_name(value_type: ValueType) -> str:
    """The name as an author writes it."""
    match value_type:
        case TextType():
            return "text"
        case IntegerType():
            return "integer"
        case DecimalType():
            return "decimal"
        case BooleanType():
            return "boolean"
        case DateType():
            return "date"
        case SchoolYearType():
            return "school_year"
        case PeriodType():
            return "period"
        case CodeType(name):
            return name
    assert_never(value_type)
