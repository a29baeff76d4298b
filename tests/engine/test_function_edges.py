"""The edges of the functions of dates, by both engines: every expected value is worked out by hand.

A row a case; the arguments are columns, so that nothing is worked out before an engine sees it.
"""

import datetime as dt

import polars as pl
import pytest

from ruleforge.engine.evaluate import evaluate
from ruleforge.engine.parameters import bind
from ruleforge.engine.reference_backend import Verdict, judge
from ruleforge.engine.revision import Revision
from ruleforge.language.cell_value import cell_value
from ruleforge.language.load import load_text

# name: expression, its type, and per line the arguments a, b, n and the value; "-" is missing.
CASES = {
    "age": (
        "age(c.a, c.b)",
        "integer",
        """
        2000-07-01 2023-06-30 -  22    # the day before the birthday
        2000-07-01 2023-07-01 -  23    # the birthday itself
        2000-07-01 2023-07-02 -  23
        2000-02-29 2023-02-28 -  22    # no 29th: a year older on 1 March
        2000-02-29 2023-03-01 -  23
        2000-02-29 2024-02-28 -  23
        2000-02-29 2024-02-29 -  24
        2000-02-28 2023-02-28 -  23
        2023-10-01 2023-10-01 -  0
        -          2023-10-01 -  -
        2000-07-01 -          -  -
        """,
    ),
    "years": (
        "years_between(c.a, c.b)",
        "integer",
        """
        2020-03-01 2023-03-01 -  3
        2020-03-01 2023-02-28 -  2
        2023-03-01 2020-03-01 -  -3
        2023-03-01 2020-03-02 -  -3    # rounded down, below 0 too
        2020-02-29 2021-02-28 -  0
        2020-02-29 2021-03-01 -  1
        """,
    ),
    "months": (
        "months_between(c.a, c.b)",
        "integer",
        """
        2023-01-31 2023-02-28 -  0     # February has no 31st
        2023-01-31 2023-03-01 -  1
        2023-01-31 2023-03-31 -  2
        2023-06-30 2023-07-01 -  0
        2023-07-01 2023-06-30 -  -1
        """,
    ),
    "business days": (
        "business_days_between(c.a, c.b)",
        "integer",
        """
        2023-12-01 2023-12-04 -  1     # Friday to Monday
        2023-12-01 2023-12-02 -  0     # Friday to Saturday
        2023-12-02 2023-12-03 -  0     # Saturday to Sunday
        2023-12-03 2023-12-04 -  1     # Sunday to Monday
        2023-12-04 2023-12-04 -  0
        2023-12-04 2023-12-01 -  -1    # Monday back to Friday: over 4 December itself
        2023-12-01 2023-12-15 -  10
        """,
    ),
    "business days and holidays": (
        "business_days_between(c.a, c.b, {2023-12-25, 2023-12-26, 2023-12-30})",
        "integer",
        """
        2023-12-22 2023-12-27 -  1     # 25th and 26th are off
        2023-12-24 2023-12-26 -  0
        2023-12-26 2023-12-27 -  1     # from a holiday
        2023-12-22 2023-12-26 -  0     # to a holiday
        2023-12-29 2024-01-02 -  2     # a holiday on a Saturday takes nothing
        """,
    ),
    "adding business days": (
        "add_business_days(c.a, c.n, {2023-12-25})",
        "date",
        """
        2023-12-01 - 1   2023-12-04    # over the week-end
        2023-12-02 - 1   2023-12-04    # from a Saturday
        2023-12-02 - 0   2023-12-02    # nothing to add: the day itself
        2023-12-22 - 1   2023-12-26    # over a holiday
        2023-12-25 - 1   2023-12-26    # from a holiday
        2023-12-04 - -1  2023-12-01
        2023-12-03 - -1  2023-12-01    # from a Sunday
        2023-12-26 - -1  2023-12-22
        9999-12-31 - 1   -             # beyond the calendar
        """,
    ),
    "weekday": (
        "weekday(c.a)",
        "text",
        """
        2023-12-03 - -  sunday
        2023-12-04 - -  monday
        2024-02-29 - -  thursday
        0001-01-01 - -  monday
        """,
    ),
    "period: days": (
        "days(period(c.a, c.b))",
        "integer",
        """
        2023-08-01 2023-08-01 -  1     # both ends counted
        2023-08-01 2023-08-31 -  31
        2023-08-02 2023-08-01 -  0     # empty
        2023-08-01 -          -  -     # open
        -          2023-08-01 -  -
        2024-02-28 2024-03-01 -  3
        """,
    ),
    "in a period": (
        "2023-10-01 in period(c.a, c.b)",
        "boolean",
        """
        2023-10-01 2023-10-01 -  true  # the first and the last day
        2023-10-02 2023-12-01 -  false
        2023-08-01 2023-09-30 -  false
        2023-08-01 2023-10-01 -  true  # closed at its end
        2023-08-01 -          -  true  # open
        2023-10-02 -          -  false
        2023-10-02 2023-09-30 -  false # empty
        -          2023-12-01 -  -
        """,
    ),
    "overlap": (
        "period(c.a, c.b) overlaps period(2023-10-01, 2023-12-01)",
        "boolean",
        """
        2023-08-01 2023-09-30 -  false # the day before
        2023-08-01 2023-10-01 -  true  # handed over on the same day
        2023-12-01 2024-06-30 -  true
        2023-12-02 2024-06-30 -  false
        2023-08-01 -          -  true
        2023-11-02 2023-11-01 -  false # empty, though within
        -          2023-12-01 -  -
        """,
    ),
    "overlap of open periods": (
        "period(c.a, c.b) overlaps period(2023-10-01, c.blank)",
        "boolean",
        """
        2023-08-01 2023-09-30 -  false
        2023-08-01 -          -  true
        2030-01-01 -          -  true
        """,
    ),
    "school year": (
        "school_year.day(6, 30)",
        "date",
        """
        - - -  2024-06-30
        """,
    ),
    "days of a school year": (
        "if c.a between school_year.start and school_year.end then 1 else 0",
        "integer",
        """
        2023-06-30 - -  0
        2023-07-01 - -  1
        2024-02-29 - -  1
        2024-06-30 - -  1
        2024-07-01 - -  0
        """,
    ),
    "29 February of a school year": (
        "school_year.next.day(2, c.n)",
        "date",
        """
        - - 28  2025-02-28
        - - 29  -              # 2025 has none
        - - 30  -
        """,
    ),
    "nth weekday": (
        'nth_weekday(c.n, "monday", 10, school_year)',
        "date",
        """
        - - 1   2023-10-02
        - - 5   2023-10-30
        - - 6   -
        - - -1  2023-10-30
        - - 0   -
        """,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_edges(name: str) -> None:
    expression, value_type, lines = CASES[name]
    book = load_text(
        f"""
rulebook edges edition 1
parameter school_year: school_year
table c
  id:       integer
  a:        date
  b:        date
  n:        integer
  blank:    date
  expected: {value_type}
  key id
rule Value error
  for c in c
  let value = {expression}
  require (value is present and c.expected is present and value = c.expected)
       or (value is missing and c.expected is missing)
  message "{{c.id}}: {{value}}, not {{c.expected}}"
"""
    )
    columns = book.schema.tables["c"].columns_by_name
    rows = []
    for number, line in enumerate(lines.strip().splitlines()):
        a, b, n, expected = line.partition("#")[0].split()
        texts = {"id": str(number), "a": a, "b": b, "n": n, "blank": "-", "expected": expected}
        rows.append({k: None if text == "-" else text for k, text in texts.items()})
    frame = pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String))
    day = dt.date(2023, 12, 1)
    parameters = {"school_year": "2023-24"}
    result = evaluate(book, Revision("r", {"c": frame}), as_of=day, parameters=parameters)
    assert result.findings["message"].to_list() == []
    assert result.rules.filter(pl.col("rule") == "Value")["holds"].item() == len(rows)
    typed = [
        {
            k: None if v is None else cell_value(v, columns[k].type, book.schema.code_sets)
            for k, v in row.items()
        }
        for row in rows
    ]
    judged = judge(book.rules[0], book.schema, {"c": typed}, bind(book, parameters, day))
    assert [each.verdict for each in judged] == [Verdict.HOLDS] * len(rows)
