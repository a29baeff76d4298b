"""Each built-in function and operator, case by case, as `functions.FUNCTIONS` promises it."""

import datetime as dt
from decimal import Decimal as D
from typing import Any

import pytest

from ruleforge.engine.reference_functions import (
    IMPLEMENTED,
    Period,
    all_true,
    any_true,
    apply_function,
    calculate,
    compare,
    divided,
    negated,
    opposite,
    shown,
    total,
)
from ruleforge.language.functions import BLANKS, FUNCTIONS, WEEKDAYS
from ruleforge.language.schema import SchoolYear

MOST = 10**18 - 1
NO_HOLIDAYS: frozenset[dt.date] = frozenset()


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def call(name: str, *arguments: Any) -> Any:
    return apply_function(name, arguments, lambda value: value)


def same(a: object, b: object) -> bool:
    """Equal and of one type: a decimal is told from an integer."""
    return a == b and type(a) is type(b)


def test_exactly_the_listed_functions_are_implemented() -> None:
    assert set(FUNCTIONS) == IMPLEMENTED


# ── operators ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("left", "op", "right", "result"),
    [
        (2, "+", 3, 5),
        (2, "-", 3, -1),
        (2, "*", 3, 6),
        (D("0.1"), "+", D("0.2"), D("0.3")),
        (1, "-", D("0.9"), D("0.1")),
        (D("0.1234567891"), "*", D("0.1234567891"), D("0.01524157877488187881")),
        (MOST, "+", D("0.9999999999"), D("999999999999999999.9999999999")),
        (MOST, "+", 1, None),
        (-MOST, "-", 1, None),
        (-MOST, "-", 0, -MOST),
        (10**9, "*", 10**9, None),
        (10**9, "*", 10**9 - 1, 10**18 - 10**9),
        (D(10**9), "*", D(10**9), None),
        (MOST, "+", D("1.0"), None),
        (6, "/", 3, D(2)),
        (1, "/", 3, D("0.3333333333")),
        (2, "/", 3, D("0.6666666667")),
        (-2, "/", 3, D("-0.6666666667")),
        (1, "/", 2 * 10**10, D(0)),
        (3, "/", 2 * 10**10, D("0.0000000002")),
        (5, "/", 2 * 10**10, D("0.0000000002")),
        (-5, "/", 2 * 10**10, D("-0.0000000002")),
        (D("0.1"), "/", D("0.3"), D("0.3333333333")),
        (MOST, "/", D("0.1"), None),
        (1, "/", 0, None),
        (0, "/", D("0.00"), None),
        (day("2024-03-01"), "-", day("2024-02-28"), 2),
        (day("2024-02-28"), "-", day("2024-03-01"), -2),
        (day("2024-02-28"), "+", 2, day("2024-03-01")),
        (day("2024-03-01"), "-", 2, day("2024-02-28")),
        (day("2024-03-01"), "+", -2, day("2024-02-28")),
        (2, "+", day("2024-02-28"), day("2024-03-01")),
        (MOST, "+", day("2024-02-28"), None),
        (day("9999-12-31"), "+", 1, None),
        (day("0001-01-01"), "-", 1, None),
        (day("2024-03-01"), "+", MOST, None),
        (day("2024-03-01"), "-", MOST, None),
    ],
)
def test_arithmetic(left: Any, op: str, right: Any, result: Any) -> None:
    assert same(calculate(op, left, right), result)


@pytest.mark.parametrize("zero", [0, D(0), D("-0.00")])
def test_nothing_is_divided_by_zero(zero: Any) -> None:
    assert divided(5, zero) is None


def test_negation_keeps_every_digit() -> None:
    long = D("123456789012345678.01234567890123456789")
    assert negated(long) == D("-123456789012345678.01234567890123456789")
    assert same(negated(3), -3)


@pytest.mark.parametrize(
    ("numbers", "result"),
    [
        ([], 0),
        ([1, 2], 3),
        ([1, D("0.1")], D("1.1")),
        ([MOST, 1], None),
        ([MOST, 1, -1], MOST),
        ([D("0.1")] * 10, D(1)),
    ],
)
def test_total(numbers: Any, result: Any) -> None:
    assert total(numbers) == result


@pytest.mark.parametrize(
    ("left", "op", "right", "result"),
    [
        (1, "=", D("1.0"), True),
        (1, "!=", D("1.0"), False),
        (1, "<", D("1.01"), True),
        ("a", "<", "B", False),
        ("é", ">", "z", True),
        ("\uffff", "<", "\U00010000", True),
        ("Z", "<=", "Z", True),
        ("10", "<", "9", True),
        (day("2024-01-01"), ">=", day("2023-12-31"), True),
        (SchoolYear(2023), "<", SchoolYear(2024), True),
        (False, "<", True, True),
    ],
)
def test_comparison(left: Any, op: str, right: Any, result: bool) -> None:
    assert compare(op, left, right) is result


T, F, U = True, False, None


@pytest.mark.parametrize(
    ("truths", "conjunction", "disjunction"),
    [
        ([], T, F),
        ([T, T], T, T),
        ([T, F], F, T),
        ([T, U], U, T),
        ([F, F], F, F),
        ([F, U], F, U),
        ([U, F], F, U),
        ([U, U], U, U),
        ([U, T, F], F, T),
    ],
)
def test_three_valued_logic(
    truths: list[bool | None], conjunction: bool | None, disjunction: bool | None
) -> None:
    assert all_true(truths) is conjunction
    assert any_true(truths) is disjunction


def test_opposite() -> None:
    assert [opposite(T), opposite(F), opposite(U)] == [F, T, U]


# ── functions ──────────────────────────────────────────────────────────────────────────────────

_PRESENT_ARGUMENTS: dict[str, Any] = {
    "TextType": "abc",
    "IntegerType": 3,
    "DateType": day("2023-10-01"),
    "PeriodType": Period(day("2023-10-01"), day("2023-10-31")),
    "SchoolYearType": SchoolYear(2023),
    "NUMBER": 3,
    "ORDERED": 3,
    "DATES": NO_HOLIDAYS,
    "PLACES": 2,
    "DATE_FORMAT": "%Y%m%d",
    "WEEKDAY": "monday",
}


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - {"period", "coalesce"}))
def test_a_function_of_a_missing_value_is_missing(name: str) -> None:
    kinds = [
        getattr(argument.type, "name", type(argument.type).__name__)
        for argument in FUNCTIONS[name].arguments
    ]
    present = [_PRESENT_ARGUMENTS[kind] for kind in kinds]
    written_out = {"DATES", "PLACES", "DATE_FORMAT", "WEEKDAY"}
    for position, kind in enumerate(kinds):
        if kind not in written_out:
            assert call(name, *present[:position], None, *present[position + 1 :]) is None


@pytest.mark.parametrize(
    ("a", "b", "years", "months"),
    [
        ("2000-07-01", "2023-07-01", 23, 276),
        ("2000-07-02", "2023-07-01", 22, 275),
        ("2000-02-29", "2001-02-28", 0, 11),
        ("2000-02-29", "2001-03-01", 1, 12),
        ("2000-02-29", "2004-02-28", 3, 47),
        ("2000-02-29", "2004-02-29", 4, 48),
        ("2023-01-31", "2023-02-28", 0, 0),
        ("2023-01-31", "2023-03-01", 0, 1),
        ("2023-06-01", "2023-06-01", 0, 0),
        ("2023-06-01", "2023-05-31", -1, -1),
        ("2023-06-01", "2022-06-01", -1, -12),
        ("2023-06-01", "2022-05-31", -2, -13),
        ("2023-12-31", "2024-01-01", 0, 0),
        ("0001-01-01", "9999-12-31", 9998, 119987),
    ],
)
def test_whole_years_and_months(a: str, b: str, years: int, months: int) -> None:
    assert call("age", day(a), day(b)) == years
    assert call("years_between", day(a), day(b)) == years
    assert call("months_between", day(a), day(b)) == months


# 2 October 2023 is a Monday.
@pytest.mark.parametrize(
    ("a", "b", "holidays", "count"),
    [
        ("2023-10-02", "2023-10-02", [], 0),
        ("2023-10-02", "2023-10-03", [], 1),
        ("2023-10-02", "2023-10-09", [], 5),
        ("2023-10-06", "2023-10-09", [], 1),
        ("2023-10-07", "2023-10-08", [], 0),
        ("2023-10-08", "2023-10-09", [], 1),
        ("2023-10-02", "2023-10-09", ["2023-10-04", "2023-10-07"], 4),
        ("2023-10-02", "2023-10-09", ["2023-10-02"], 5),
        ("2023-10-02", "2023-10-09", ["2023-10-09"], 4),
        ("2023-10-09", "2023-10-02", [], -5),
        ("2023-10-09", "2023-10-02", ["2023-10-09"], -4),
        ("2023-10-09", "2023-10-02", ["2023-10-02"], -5),
    ],
)
def test_business_days_between(a: str, b: str, holidays: list[str], count: int) -> None:
    closed = frozenset(day(holiday) for holiday in holidays)
    assert call("business_days_between", day(a), day(b), closed) == count


def test_holidays_may_be_left_out() -> None:
    assert call("business_days_between", day("2023-10-02"), day("2023-10-09")) == 5
    assert call("add_business_days", day("2023-10-02"), 5) == day("2023-10-09")


@pytest.mark.parametrize(
    ("start", "n", "holidays", "end"),
    [
        ("2023-10-02", 0, [], "2023-10-02"),
        ("2023-10-07", 0, [], "2023-10-07"),
        ("2023-10-07", 1, [], "2023-10-09"),
        ("2023-10-07", -1, [], "2023-10-06"),
        ("2023-10-06", 1, [], "2023-10-09"),
        ("2023-10-09", -1, [], "2023-10-06"),
        ("2023-10-02", 10, [], "2023-10-16"),
        ("2023-10-06", 1, ["2023-10-09"], "2023-10-10"),
        ("2023-10-06", 0, ["2023-10-06"], "2023-10-06"),
        ("9999-12-30", 1, [], "9999-12-31"),
        ("9999-12-31", 1, [], None),
        ("0001-01-01", -1, [], None),
    ],
)
def test_add_business_days(start: str, n: int, holidays: list[str], end: str | None) -> None:
    closed = frozenset(day(holiday) for holiday in holidays)
    assert call("add_business_days", day(start), n, closed) == (end and day(end))


def test_weekday() -> None:
    week = [call("weekday", day(f"2023-10-0{n}")) for n in range(2, 9)]
    assert week == list(WEEKDAYS)
    assert week[0] == "monday"


@pytest.mark.parametrize(
    ("n", "name", "month", "result"),
    [
        (1, "wednesday", 10, "2023-10-04"),
        (1, "sunday", 10, "2023-10-01"),
        (5, "sunday", 10, "2023-10-29"),
        (5, "wednesday", 10, None),
        (-1, "wednesday", 10, "2023-10-25"),
        (-1, "tuesday", 10, "2023-10-31"),
        (1, "saturday", 7, "2023-07-01"),
        (1, "monday", 1, "2024-01-01"),
        (5, "thursday", 2, "2024-02-29"),
        (-1, "sunday", 6, "2024-06-30"),
        (0, "monday", 10, None),
        (6, "monday", 10, None),
        (-2, "monday", 10, None),
        (1, "monday", 0, None),
        (1, "monday", 13, None),
        (-1, "monday", 13, None),
        (-1, "monday", -1, None),
    ],
)
def test_nth_weekday(n: int, name: str, month: int, result: str | None) -> None:
    assert call("nth_weekday", n, name, month, SchoolYear(2023)) == (result and day(result))


@pytest.mark.parametrize(
    ("text", "date_format", "result"),
    [
        ("20231001", "%Y%m%d", "2023-10-01"),
        ("10/01/2023", "%m/%d/%Y", "2023-10-01"),
        ("01.10.2023", "%d.%m.%Y", "2023-10-01"),
        ("01x10x2023", "%d.%m.%Y", None),
        ("1/1/2023", "%m/%d/%Y", None),
        ("20230229", "%Y%m%d", None),
        ("20240229", "%Y%m%d", "2024-02-29"),
        ("00010101", "%Y%m%d", "0001-01-01"),
        ("00000101", "%Y%m%d", None),
        ("20231301", "%Y%m%d", None),
        ("202310011", "%Y%m%d", None),
        (" 20231001", "%Y%m%d", None),
        ("20231001\n", "%Y%m%d", None),
        ("٢٠٢٣١٠٠١", "%Y%m%d", None),
        ("+0231001", "%Y%m%d", None),
        ("day 2023-10-01 (x)", "day %Y-%m-%d (x)", "2023-10-01"),
    ],
)
def test_date_from(text: str, date_format: str, result: str | None) -> None:
    assert call("date_from", text, date_format) == (result and day(result))


def test_school_years() -> None:
    year = SchoolYear(2023)
    assert call("school_year.start", year) == day("2023-07-01")
    assert call("school_year.end", year) == day("2024-06-30")
    assert call("school_year.previous", year) == SchoolYear(2022)
    assert call("school_year.next", year) == SchoolYear(2024)
    assert call("school_year.previous", SchoolYear(1)) is None
    assert call("school_year.next", SchoolYear(9997)) is None


@pytest.mark.parametrize(
    ("month", "number", "result"),
    [
        (7, 1, "2023-07-01"),
        (10, 1, "2023-10-01"),
        (12, 31, "2023-12-31"),
        (1, 1, "2024-01-01"),
        (6, 30, "2024-06-30"),
        (2, 29, "2024-02-29"),
        (2, 30, None),
        (13, 1, None),
        (0, 1, None),
        (7, 0, None),
        (7, MOST, None),
        (-MOST, 1, None),
    ],
)
def test_day_of_school_year(month: int, number: int, result: str | None) -> None:
    found = call("school_year.day", SchoolYear(2023), month, number)
    assert found == (result and day(result))


A, B, C, E = (day(f"2023-10-0{n}") for n in (1, 2, 3, 5))


@pytest.mark.parametrize(
    ("a", "b", "period", "days"),
    [
        (A, C, Period(A, C), 3),
        (A, A, Period(A, A), 1),
        (C, A, Period(C, A), 0),
        (A, None, Period(A, None), None),
        (None, C, None, None),
        (None, None, None, None),
    ],
)
def test_period_and_days(
    a: dt.date | None, b: dt.date | None, period: Period | None, days: int | None
) -> None:
    assert call("period", a, b) == period
    assert call("days", period) == days


@pytest.mark.parametrize(
    ("one", "other", "result"),
    [
        (Period(A, B), Period(B, C), True),
        (Period(A, B), Period(C, E), False),
        (Period(A, E), Period(B, C), True),
        (Period(A, None), Period(C, E), True),
        (Period(C, None), Period(A, B), False),
        (Period(B, None), Period(A, B), True),
        (Period(A, None), Period(E, None), True),
        (Period(C, B), Period(A, E), False),
        (Period(C, B), Period(A, None), False),
        (Period(C, B), Period(C, B), False),
    ],
)
def test_overlap(one: Period, other: Period, result: bool) -> None:
    assert one.overlaps(other) is result
    assert other.overlaps(one) is result


def test_a_period_holds_both_its_ends() -> None:
    assert [Period(B, C).holds(each) for each in (A, B, C, E)] == [False, True, True, False]
    assert [Period(B, None).holds(each) for each in (A, B, dt.date.max)] == [False, True, True]
    assert not any(Period(C, B).holds(each) for each in (A, B, C, E))


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("upper", ["straße é"], "STRASSE É"),
        ("lower", ["ÀB c"], "àb c"),
        ("trim", [BLANKS + "a b" + BLANKS], "a b"),
        ("trim", ["\u200ba\u200b"], "\u200ba\u200b"),
        ("length", ["e\u0301😀"], 3),
        ("left", ["abc", 2], "ab"),
        ("left", ["abc", 9], "abc"),
        ("left", ["abc", 0], None),
        ("left", ["abc", -1], None),
        ("left", [" abc", 1], None),
        ("right", ["abc", 2], "bc"),
        ("right", ["abc", 9], "abc"),
        ("right", ["abc", 0], None),
        ("right", ["abc", -1], None),
        ("contains", ["abc", "bc"], True),
        ("contains", ["abc", "cb"], False),
        ("contains", ["a.c", "."], True),
        ("starts_with", ["abc", "ab"], True),
        ("starts_with", ["abc", "bc"], False),
        ("ends_with", ["abc", "bc"], True),
        ("ends_with", ["abc", "ab"], False),
        ("replace", ["aaa", "aa", "b"], "ba"),
        ("replace", ["a.b.c", ".", ""], "abc"),
        ("replace", ["abc", "x", "y"], "abc"),
        ("replace", ["---", "-", " "], None),
        ("digits", ["(317) 555-0100 ٣"], "3175550100"),
        ("digits", ["none"], None),
    ],
)
def test_texts(name: str, arguments: list[Any], result: Any) -> None:
    assert same(call(name, *arguments), result)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("12", D(12)),
        ("-0.5", D("-0.5")),
        ("+7", D(7)),
        (" \u00a012\t", D(12)),
        ("007.10", D("7.1")),
        ("-0", D(0)),
        ("9" * 18, D(MOST)),
        ("000" + "9" * 18 + ".9999999999", D("999999999999999999.9999999999")),
        ("1" * 19, None),
        ("0.1234567890", D("0.123456789")),
        ("0.12345678901", None),
        ("0.00000000000", None),
        (".5", None),
        ("5.", None),
        ("1e3", None),
        ("1,000", None),
        ("1_0", None),
        ("- 1", None),
        ("--1", None),
        ("+", None),
        ("٣", None),
        ("12\n3", None),
        ("NaN", None),
        ("Infinity", None),
    ],
)
def test_number(text: str, result: D | None) -> None:
    assert same(call("number", text), result)


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("abs", [-3], 3),
        ("abs", [3], 3),
        ("abs", [D("-0.5")], D("0.5")),
        ("round", [D("0.5")], 0),
        ("round", [D("1.5")], 2),
        ("round", [D("2.5")], 2),
        ("round", [D("-2.5")], -2),
        ("round", [D("2.51")], 3),
        ("round", [7], 7),
        ("round", [7, 0], D(7)),
        ("round", [D("2.5"), 0], D(2)),
        ("round", [D("0.125"), 2], D("0.12")),
        ("round", [D("0.135"), 2], D("0.14")),
        ("round", [D("-0.125"), 2], D("-0.12")),
        ("round", [D("999999999999999999.5")], None),
        ("round", [D("999999999999999998.5")], MOST - 1),
        ("floor", [D("1.9")], 1),
        ("floor", [D("-1.1")], -2),
        ("floor", [4], 4),
        ("ceiling", [D("1.1")], 2),
        ("ceiling", [D("-1.9")], -1),
        ("ceiling", [D("999999999999999999.1")], None),
        ("floor", [D("999999999999999999.1")], MOST),
    ],
)
def test_numbers(name: str, arguments: list[Any], result: Any) -> None:
    assert same(call(name, *arguments), result)


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("min_of", [3, 1, 2], 1),
        ("max_of", [3, 1, D("3.5")], D("3.5")),
        ("min_of", ["b", "B"], "B"),
        ("max_of", [A, C, B], C),
        ("min_of", [3, None, 2], None),
        ("max_of", [None, 2], None),
        ("coalesce", [None, 2, 3], 2),
        ("coalesce", [None, None], None),
        ("coalesce", [None, Period(A, None)], Period(A, None)),
        ("coalesce", [None, False], False),
    ],
)
def test_choice(name: str, arguments: list[Any], result: Any) -> None:
    assert same(call(name, *arguments), result)


def test_least_and_greatest_go_by_the_given_order() -> None:
    positions = {"KG": 0, "01": 1}
    assert apply_function("min_of", ["01", "KG"], positions.__getitem__) == "KG"
    assert apply_function("max_of", ["01", "KG"], positions.__getitem__) == "01"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "(missing)"),
        (True, "yes"),
        (False, "no"),
        ("a b", "a b"),
        (-12, "-12"),
        (D("0.2500"), "0.25"),
        (D("100.000"), "100"),
        (D("1E+3"), "1000"),
        (D("0E-10"), "0"),
        (D("-0.0"), "0"),
        (D("1E-10"), "0.0000000001"),
        (
            D("123456789012345678.12345678901234567891"),
            "123456789012345678.12345678901234567891",
        ),
        (day("0987-10-01"), "0987-10-01"),
        (SchoolYear(2023), "2023-24"),
        (SchoolYear(1999), "1999-00"),
        (Period(A, C), "2023-10-01 to 2023-10-03"),
        (Period(A, None), "from 2023-10-01"),
    ],
)
def test_values_in_messages(value: Any, text: str) -> None:
    assert shown(value) == text
