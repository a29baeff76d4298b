"""Every function, each argument once a column and once written out, says the same in both backends."""

import datetime as dt
import itertools
from collections.abc import Iterator
from decimal import Decimal

import pytest
from agreement import check
from expressions import SCHEMA_TEXT, TABLES, Case, Given

from ruleforge.language.functions import FUNCTIONS, Function, Kind
from ruleforge.language.schema import SchoolYear
from ruleforge.language.types import type_name

_COLUMNS = {
    "text": ("x.note", '"a1"'),
    "integer": ("x.absent", "2"),
    "date": ("x.entry", "2024-02-29"),
    "school_year": ("x.year", "2023-24"),
    "period": ("period(x.entry, x.leave)", "period(2023-01-01, 2024-02-29)"),
}
_KINDS = {
    Kind.NUMBER: ("x.absent", "x.weight", "(x.weight * 1.0000000001)", "2", "2.55"),
    Kind.ORDERED: ("x.absent", "x.weight", "3", "1.5"),
    Kind.ANY: ("x.absent", "x.weight", "3", "1.5"),
    Kind.DATES: ("{2023-12-25, 2023-07-04, as_of}",),
    Kind.PLACES: ("0", "1", "10"),
    Kind.DATE_FORMAT: ('"%Y-%m-%d"', '"%m/%d/%Y"'),
    Kind.WEEKDAY: ('"monday"', '"sunday"'),
}
_HUGE = Decimal("999999999999999999.9999999999")
_ROWS = [
    ("a1", 2, Decimal("2.5"), dt.date(2024, 2, 29), None, SchoolYear(2023)),
    ("xa1Σa1", None, None, None, dt.date(2024, 3, 1), None),
    (None, 1, Decimal("-0.05"), dt.date(2023, 6, 30), dt.date(2023, 7, 4), SchoolYear(2024)),
    ("2024-02-29", 0, Decimal(0), dt.date(2023, 12, 23), dt.date(2023, 1, 4), SchoolYear(1)),
    (
        " -1.50 ",
        -5,
        Decimal("0.0000000005"),
        dt.date(2023, 7, 1),
        dt.date(2024, 7, 1),
        SchoolYear(1999),
    ),
    ("ßİǆ", 7, Decimal("-3.5"), dt.date(2000, 2, 29), dt.date(2023, 2, 28), SchoolYear(2023)),
    ("02/29/2024", 30, _HUGE, dt.date(2023, 9, 30), dt.date(2023, 10, 1), SchoolYear(9997)),
    ("１٣", 12, -_HUGE, dt.date(2005, 7, 1), dt.date(2023, 6, 30), SchoolYear(2022)),
]
_NAMES = ("note", "absent", "weight", "entry", "leave", "year")


def calls(function: Function) -> Iterator[str]:
    choices = [
        _KINDS[each.type] if isinstance(each.type, Kind) else _COLUMNS[type_name(each.type)]
        for each in function.arguments
    ]
    for number in range(len(choices) - function.optional, len(choices) + 1):
        for given in itertools.product(*choices[:number]):
            if "." in function.name:
                rest = f"({', '.join(given[1:])})" if len(given) > 1 else ""
                yield f"({given[0]}).{function.name.partition('.')[2]}{rest}"
            else:
                yield f"{function.name}({', '.join(given)})"


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_a_function_says_the_same_of_columns_and_of_what_is_written_out(function: Function) -> None:
    holes = ", ".join(f"{{{call}}}" for call in calls(function))
    message = holes.replace('"', '\\"')
    rule = f'rule R1 error\n  for x in enrollment\n  require x is missing\n  message "{message}"\n'
    empty = dict.fromkeys(TABLES["enrollment"])
    rows = [{**empty, **dict(zip(_NAMES, row, strict=True))} for row in _ROWS]
    given = Given("enrollment", rows, [dict.fromkeys(empty) for _ in rows], spelled=False)
    text = "rulebook tried.case edition 1\n\n" + SCHEMA_TEXT + rule
    check(Case(text, {"enrollment": given}, {}, dt.date(2023, 12, 1)))
