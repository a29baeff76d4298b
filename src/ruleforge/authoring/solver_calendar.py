"""solver_calendar: whole numbers that are dates -> their years and days, for the solver

Days are counted as `datetime.date.toordinal` does: 1 is the first of January of the year 1. A day
has one number among the 366 of a leap year, so that two days of different years can be compared by
month and day: the place of 1 March is 60 (from 0) in every year.
"""

import datetime as dt
from itertools import accumulate
from typing import Any

# The days of a leap year before each month.
DAYS_BEFORE = tuple(accumulate((0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30)))
_LAST_DAY = dt.date.max.toordinal()
_FEBRUARY_29 = DAYS_BEFORE[2] - 1


def first_day(year: Any) -> Any:
    """The number of the first of January."""
    before = year - 1
    # NOTE: the solver divides whole numbers downward
    return 365 * before + before / 4 - before / 100 + before / 400 + 1


def is_leap(z3: Any, year: Any) -> Any:
    """Whether a year has 366 days."""
    return z3.And(year % 4 == 0, z3.Or(year % 100 != 0, year % 400 == 0))


def month_day(z3: Any, day: Any, year: Any) -> tuple[Any, list[Any]]:
    """The place of a day in its year, and what makes `year` the year that the day lies in."""
    leap = is_leap(z3, year)
    after = day - first_day(year)
    lies_in = z3.And(year >= 1, year <= 9999, after >= 0, after < 365 + z3.If(leap, 1, 0))
    # WHY: what is computed may lie beyond the calendar, where it is missing and has no year.
    is_day = z3.And(day >= 1, day <= _LAST_DAY)
    return z3.If(z3.Or(leap, after < _FEBRUARY_29), after, after + 1), [z3.Implies(is_day, lies_in)]
