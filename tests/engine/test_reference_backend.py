"""The reference backend, case by case: an expression and its value, a rule and its verdicts."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal as D
from typing import Any

import pytest

from ruleforge.engine.reference_backend import (
    Evaluator,
    Judgement,
    MissingColumn,
    Row,
    Verdict,
    constant_value,
    judge,
    render_message,
)
from ruleforge.engine.reference_functions import Period
from ruleforge.language import core
from ruleforge.language.schema import Code, CodeSet, Column, Link, Schema, SchoolYear, Table
from ruleforge.language.source import Source, Span
from ruleforge.language.types import (
    BOOLEAN,
    DATE,
    DECIMAL,
    INTEGER,
    PERIOD,
    SCHOOL_YEAR,
    TEXT,
    CodeType,
    ValueType,
)

SPAN = Span(Source("test.rules", ""), 0, 0)
GRADE = CodeType("grade")
SCHEMA = Schema(
    tables={
        "stay": Table(
            "stay",
            (
                Column("id", INTEGER),
                Column("pupil", TEXT),
                Column("grade", GRADE),
                Column("school", TEXT),
                Column("year", INTEGER),
                Column("begin", DATE),
                Column("end", DATE),
                Column("primary", BOOLEAN),
                Column("credits", DECIMAL),
                Column("nickname", TEXT, sensitive=True),
            ),
            key=("id",),
            links=(
                Link("pupil_row", "pupil", ("pupil",), checked=True),
                Link("calendar", "calendar", ("school", "year"), checked=False),
            ),
        ),
        "pupil": Table("pupil", (Column("name", TEXT), Column("pupil", TEXT)), key=("pupil",)),
        "calendar": Table(
            "calendar",
            (Column("year", INTEGER), Column("school", TEXT), Column("days", INTEGER)),
            key=("school", "year"),
        ),
    },
    # NOTE: the order of the set is neither that of the texts nor its reverse.
    code_sets={"grade": CodeSet("grade", (Code("KG", ""), Code("01", ""), Code("UG", "")))},
)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


# ── short hands for nodes ──────────────────────────────────────────────────────────────────────

S = core.RowVariable(0, "stay", "s")
E = core.RowVariable(1, "stay", "e")
Q = core.RowVariable(2, "stay", "q")
TYPES: dict[type, ValueType] = {
    str: TEXT,
    int: INTEGER,
    D: DECIMAL,
    bool: BOOLEAN,
    dt.date: DATE,
    SchoolYear: SCHOOL_YEAR,
}


def const(value: core.Value, value_type: ValueType | None = None) -> core.Expr:
    return core.Constant(value, value_type or TYPES[type(value)], SPAN)


def column(name: str, row: core.Row = S) -> core.Expr:
    table = SCHEMA.tables[core.table_of(row)]
    return core.ColumnValue(row, name, table.columns_by_name[name].type, SPAN)


def compare(left: core.Expr, op: str, right: core.Expr) -> core.Expr:
    return core.Compare(op, left, right, SPAN)


def equal(left: core.Expr, right: core.Expr) -> core.Expr:
    return compare(left, "=", right)


def apply(name: str, value_type: ValueType, *arguments: core.Expr) -> core.Expr:
    return core.Apply(name, arguments, value_type, SPAN)


def grade(code: str) -> core.Expr:
    return const(code, GRADE)


def missing(value_type: ValueType = INTEGER) -> core.Expr:
    return core.ParameterValue("missing", value_type, SPAN)


UNKNOWN = equal(missing(), const(1))
BOOLS = {True: const(True), False: const(False), None: UNKNOWN}


def stay(**values: core.Value | None) -> Row:
    blank: Row = dict.fromkeys(SCHEMA.tables["stay"].columns_by_name)
    return {**blank, **values}


def evaluator(row: Row | None = None, **tables: list[Row]) -> Evaluator:
    return Evaluator(SCHEMA, tables, {"missing": None, "limit": 3}, rows={0: row})


def value(expr: core.Expr, row: Row | None = None, **tables: list[Row]) -> Any:
    here = evaluator(row, **tables)
    return here.value(expr, here.rows)


# ── values ─────────────────────────────────────────────────────────────────────────────────────


def test_plain_values() -> None:
    assert value(const("a")) == "a"
    assert value(core.ParameterValue("limit", INTEGER, SPAN)) == 3
    assert value(column("pupil"), stay(pupil="P1")) == "P1"
    assert value(column("pupil"), stay()) is None
    assert value(column("pupil"), None) is None


def test_a_column_that_was_not_supplied_is_no_missing_value() -> None:
    with pytest.raises(MissingColumn) as raised:
        value(column("pupil"), {"id": 1})
    assert (raised.value.table, raised.value.column) == ("stay", "pupil")


def test_constants_of_an_expression_without_rows() -> None:
    year = core.ParameterValue("school_year", SCHOOL_YEAR, SPAN)
    expr = apply("school_year.day", DATE, year, const(7), const(1))
    assert constant_value(expr, {"school_year": SchoolYear(2023)}) == day("2023-07-01")
    assert constant_value(expr, {"school_year": None}) is None
    period = apply("period", PERIOD, const(day("2023-07-01")), missing(DATE))
    assert constant_value(period, {"missing": None}) == Period(day("2023-07-01"), None)
    least = apply("min_of", GRADE, grade("01"), grade("KG"))
    assert constant_value(least, {}, SCHEMA) == "KG"


@pytest.mark.parametrize("truth", [True, False, None])
def test_logic(truth: bool | None) -> None:
    this = BOOLS[truth]
    assert value(core.Not(this, SPAN)) is (None if truth is None else not truth)
    assert value(core.And((this, BOOLS[True]), SPAN)) is truth
    assert value(core.And((this, BOOLS[False]), SPAN)) is False
    assert value(core.Or((this, BOOLS[False]), SPAN)) is truth
    assert value(core.Or((this, BOOLS[True]), SPAN)) is True
    chosen = {True: 1, False: 2, None: None}[truth]
    assert value(core.If(this, const(1), const(2), INTEGER, SPAN)) == chosen
    assert value(core.Present(this, SPAN)) is (truth is not None)


@pytest.mark.parametrize("op", ["=", "!=", "<", "<=", ">", ">="])
def test_comparison_with_a_missing_operand_is_unknown(op: str) -> None:
    assert value(compare(missing(), op, const(1))) is None
    assert value(compare(const(1), op, missing())) is None
    assert value(compare(missing(), op, missing())) is None


@pytest.mark.parametrize(
    ("left", "op", "right", "result"),
    [
        (grade("KG"), "<", grade("01"), True),
        (grade("01"), "<", grade("UG"), True),
        (grade("KG"), ">", grade("UG"), False),
        (grade("KG"), "=", grade("KG"), True),
        (grade("KG"), "!=", grade("UG"), True),
        (const("KG"), "<", const("01"), False),
        (const(1), "=", const(D("1.00")), True),
        (const(False), "<", const(True), True),
    ],
)
def test_comparison(left: core.Expr, op: str, right: core.Expr, result: bool) -> None:
    assert value(compare(left, op, right)) is result


def test_arithmetic_of_a_missing_value_is_missing() -> None:
    for op in "+-*/":
        assert value(core.Arithmetic(op, const(1), missing(), INTEGER, SPAN)) is None
        assert value(core.Arithmetic(op, missing(), const(1), INTEGER, SPAN)) is None
    assert value(core.Negative(missing(), INTEGER, SPAN)) is None
    assert value(core.Negative(const(2), INTEGER, SPAN)) == -2
    assert value(core.Arithmetic("/", const(1), const(2), DECIMAL, SPAN)) == D("0.5")


ONE, TWO, THREE, FIVE = const(1), const(2), const(3), const(5)


@pytest.mark.parametrize(
    ("operand", "members", "ranges", "result"),
    [
        (TWO, [ONE, TWO], [], True),
        (TWO, [ONE], [], False),
        (TWO, [], [], False),
        (TWO, [missing(), TWO], [], True),
        (TWO, [missing(), ONE], [], None),
        (missing(), [ONE], [], None),
        (missing(), [], [], None),
        (TWO, [const(D("2.0"))], [], True),
        (TWO, [], [(ONE, THREE)], True),
        (ONE, [], [(ONE, THREE)], True),
        (THREE, [], [(ONE, THREE)], True),
        (FIVE, [], [(ONE, THREE)], False),
        (TWO, [], [(THREE, ONE)], False),
        (TWO, [], [(THREE, missing())], False),
        (TWO, [], [(missing(), ONE)], False),
        (TWO, [], [(ONE, missing())], None),
        (TWO, [], [(missing(), THREE)], None),
        (TWO, [TWO], [(ONE, missing())], True),
        (TWO, [ONE], [(ONE, missing())], None),
    ],
)
def test_in_set(operand: core.Expr, members: Any, ranges: Any, result: bool | None) -> None:
    assert value(core.InSet(operand, tuple(members), tuple(ranges), SPAN)) is result


def period(start: str | None, end: str | None) -> core.Expr:
    ends = [missing(DATE) if each is None else const(day(each)) for each in (start, end)]
    return apply("period", PERIOD, *ends)


def test_periods() -> None:
    october = period("2023-10-01", "2023-10-31")
    open_end = period("2023-10-31", None)
    empty = period("2023-10-31", "2023-10-01")
    nothing = period(None, "2023-10-31")
    last = const(day("2023-10-31"))
    assert value(core.InPeriod(last, october, SPAN)) is True
    assert value(core.InPeriod(last, empty, SPAN)) is False
    assert value(core.InPeriod(last, nothing, SPAN)) is None
    assert value(core.InPeriod(missing(DATE), empty, SPAN)) is None
    assert value(core.Overlaps(october, open_end, SPAN)) is True
    assert value(core.Overlaps(october, empty, SPAN)) is False
    assert value(core.Overlaps(empty, nothing, SPAN)) is None


@pytest.mark.parametrize(
    ("pattern", "text", "result"),
    [
        ("[0-9]{2}", "12", True),
        ("[0-9]{2}", "123", False),
        ("[0-9]{2}", "12\n", False),
        ("a|ab", "ab", True),
        ("[^\\n]", "\n", False),
    ],
)
def test_matches(pattern: str, text: str, result: bool) -> None:
    assert value(core.Matches(const(text), pattern, SPAN)) is result
    assert value(core.Matches(missing(TEXT), pattern, SPAN)) is None


def test_holidays_are_a_set_in_which_missing_members_do_not_count() -> None:
    holidays = core.SetOf((missing(DATE), const(day("2023-10-09"))), DATE, SPAN)
    after = apply("add_business_days", DATE, const(day("2023-10-06")), const(1), holidays)
    assert value(after) == day("2023-10-10")
    assert core.children(holidays) == holidays.members


def test_least_and_greatest_codes_go_by_their_set() -> None:
    assert value(apply("min_of", GRADE, grade("UG"), grade("KG"), grade("01"))) == "KG"
    assert value(apply("max_of", GRADE, grade("01"), grade("UG"), grade("KG"))) == "UG"


# ── rows ───────────────────────────────────────────────────────────────────────────────────────

PUPIL = core.Follow(S, "pupil_row", "pupil")
CALENDAR = core.Follow(S, "calendar", "calendar")


def test_following_a_reference() -> None:
    pupils: list[Row] = [{"name": "Ann", "pupil": "P1"}, {"name": "Bob", "pupil": None}]
    name, found = column("name", PUPIL), core.RowPresent(PUPIL, SPAN)
    assert value(name, stay(pupil="P1"), pupil=pupils) == "Ann"
    for lost in (stay(pupil="P9"), stay(pupil=None), None):
        assert value(name, lost, pupil=pupils) is None
        assert value(found, lost, pupil=pupils) is False
    assert value(found, stay(pupil="P1"), pupil=pupils) is True


def test_following_a_key_of_several_columns() -> None:
    calendars: list[Row] = [
        {"year": 2023, "school": "A", "days": 180},
        {"year": 2024, "school": "A", "days": 170},
    ]
    days = column("days", CALENDAR)
    assert value(days, stay(school="A", year=2024), calendar=calendars) == 170
    assert value(days, stay(school="A"), calendar=calendars) is None
    assert value(days, stay(school="B", year=2024), calendar=calendars) is None


@pytest.mark.parametrize("reverse", [False, True])
def test_of_duplicates_the_smallest_row_is_followed_to(reverse: bool) -> None:
    names: list[str | None] = ["Bob", "Ann", None]
    for known, expected in ((names, None), (names[:2], "Ann")):
        pupils: list[Row] = [{"name": each, "pupil": "P1"} for each in known]
        found = value(
            column("name", PUPIL), stay(pupil="P1"), pupil=pupils[::-1] if reverse else pupils
        )
        assert found == expected


def test_following_from_a_reference() -> None:
    second = core.Follow(core.Pick(True, E, column("id", E), None), "pupil_row", "pupil")
    stays = [stay(id=1, pupil="P1"), stay(id=2, pupil="P2")]
    pupils: list[Row] = [{"name": "Ann", "pupil": "P1"}, {"name": "Bob", "pupil": "P2"}]
    assert value(column("name", second), None, stay=stays, pupil=pupils) == "Bob"


MINE = equal(column("pupil", E), column("pupil"))


@pytest.mark.parametrize(
    ("latest", "by", "stays", "picked"),
    [
        (True, "begin", [{"id": 1, "begin": "2023-08-01"}, {"id": 2, "begin": "2023-09-01"}], 2),
        (False, "begin", [{"id": 1, "begin": "2023-08-01"}, {"id": 2, "begin": "2023-09-01"}], 1),
        (True, "begin", [{"id": 1}, {"id": 2, "begin": "2023-09-01"}, {"id": 3}], 2),
        (False, "begin", [{"id": 1}, {"id": 2, "begin": "2023-09-01"}, {"id": 3}], 2),
        (True, "begin", [{"id": 1}], None),
        (True, "begin", [], None),
        (True, "grade", [{"id": 1, "grade": "KG"}, {"id": 2, "grade": "01"}], 2),
        (False, "primary", [{"id": 1, "primary": True}, {"id": 2, "primary": False}], 2),
        (True, "grade", [{"id": 2, "grade": "KG"}, {"id": 1, "grade": "KG"}], 2),
        (False, "grade", [{"id": 2, "grade": "KG"}, {"id": 1, "grade": "KG"}], 1),
        (False, "grade", [{"id": None, "grade": "KG"}, {"id": 1, "grade": "KG"}], None),
        (True, "grade", [{"id": None, "grade": "KG"}, {"id": 1, "grade": "KG"}], 1),
        (True, "grade", [{"id": 3, "grade": "UG", "pupil": "P9"}, {"id": 1, "grade": "KG"}], 1),
    ],
)
def test_latest_and_earliest(latest: bool, by: str, stays: Any, picked: int | None) -> None:
    rows = [stay(**{"pupil": "P1", **each}) for each in stays]
    for row in rows:
        row["begin"] = day(str(row["begin"])) if row["begin"] else None
    pick = core.Pick(latest, E, column(by, E), MINE)
    assert value(column("id", pick), stay(pupil="P1"), stay=rows) == picked
    assert value(column("id", pick), stay(pupil="P1"), stay=rows[::-1]) == picked


@pytest.mark.parametrize(("latest", "picked"), [(True, "UG"), (False, None)])
def test_equal_keys_are_told_apart_by_the_other_columns(latest: bool, picked: str | None) -> None:
    stays = [
        stay(id=1, grade="KG", school="Z"),
        stay(id=1, grade="UG", school="A"),
        stay(id=1, school="Z"),
    ]
    pick = core.Pick(latest, E, column("id", E), None)
    assert value(column("grade", pick), None, stay=stays) == picked


# ── quantifiers ────────────────────────────────────────────────────────────────────────────────

FOUR = [
    stay(id=1, pupil="P1", grade="UG", credits=D("0.1"), primary=True),
    stay(id=2, pupil="P1", grade="KG", credits=D("0.2"), primary=None),
    stay(id=3, pupil="P2", grade="01", credits=D(9), primary=False),
    stay(id=4, pupil=None, grade="01", credits=D(5), primary=True),
]


def aggregate(kind: str, of: core.Expr | None, where: core.Expr | None = MINE) -> core.Expr:
    return core.Aggregate(kind, of, E, where, DECIMAL, SPAN)


@pytest.mark.parametrize(
    ("expr", "pupil", "result"),
    [
        (core.Exists(E, MINE, SPAN), "P1", True),
        (core.Exists(E, MINE, SPAN), "P9", False),
        (core.Exists(E, MINE, SPAN), None, False),
        (core.Exists(E, None, SPAN), None, True),
        (core.Every(E, MINE, column("primary", E), SPAN), "P1", None),
        (core.Every(E, MINE, column("primary", E), SPAN), "P2", False),
        (core.Every(E, None, column("primary", E), SPAN), "P1", False),
        (core.Every(E, MINE, column("primary", E), SPAN), "P9", True),
        (core.Every(E, MINE, column("primary", E), SPAN), None, True),
        (aggregate("count", None), "P1", 2),
        (aggregate("count", None), "P9", 0),
        (aggregate("count", None), None, 0),
        (aggregate("count", None, None), None, 4),
        (aggregate("count", column("primary", E)), "P1", 1),
        (aggregate("count distinct", column("grade", E), None), None, 3),
        (aggregate("count distinct", column("pupil", E), None), None, 2),
        (aggregate("sum", column("credits", E)), "P1", D("0.3")),
        (aggregate("sum", column("credits", E)), "P9", 0),
        (aggregate("min", column("credits", E)), "P1", D("0.1")),
        (aggregate("max", column("credits", E)), "P1", D("0.2")),
        (aggregate("min", column("grade", E), None), None, "KG"),
        (aggregate("max", column("grade", E), None), None, "UG"),
        (aggregate("max", column("grade", E)), "P9", None),
        (aggregate("min", column("begin", E)), "P1", None),
        (aggregate("average", column("id", E), None), None, D("2.5")),
        (aggregate("average", column("credits", E)), "P1", D("0.15")),
        (aggregate("average", column("credits", E)), "P9", None),
    ],
)
def test_quantifiers(expr: core.Expr, pupil: str | None, result: Any) -> None:
    assert value(expr, stay(pupil=pupil), stay=FOUR) == result


def test_equal_numbers_are_one_distinct_value() -> None:
    mixed = core.If(column("primary", E), const(1), const(D("1.0")), DECIMAL, SPAN)
    stays = [stay(primary=True), stay(primary=False), stay(primary=None)]
    assert value(aggregate("count distinct", mixed, None), None, stay=stays) == 1


@pytest.mark.parametrize(
    ("numbers", "whole", "average"),
    [
        ([1, 1, 2], 4, D("1.3333333333")),
        ([None, 3], 3, D(3)),
        ([None], 0, None),
        ([10**18 - 1, 1], None, None),
        ([10**18 - 1, 1, -1], 10**18 - 1, D(333333333333333333)),
    ],
)
def test_sum_and_average(numbers: list[int | None], whole: int | None, average: D | None) -> None:
    stays = [stay(id=number) for number in numbers]
    assert value(aggregate("sum", column("id", E), None), None, stay=stays) == whole
    assert value(aggregate("average", column("id", E), None), None, stay=stays) == average


def test_a_quantifier_within_a_quantifier_sees_every_row_around_it() -> None:
    later = core.And(
        (
            equal(column("pupil", Q), column("pupil")),
            compare(column("id", Q), ">", column("id", E)),
        ),
        SPAN,
    )
    last = core.And((MINE, core.Not(core.Exists(Q, later, SPAN), SPAN)), SPAN)
    assert value(aggregate("sum", column("id", E), last), stay(pupil="P1"), stay=FOUR) == 2


# ── rules ──────────────────────────────────────────────────────────────────────────────────────


def rule(
    *claims: core.Expr,
    when: core.Expr | None = None,
    where: core.Expr | None = None,
    lets: Mapping[str, core.Expr] | None = None,
) -> core.Rule:
    return core.Rule(
        id="R-1",
        severities=((core.Severity.ERROR, None),),
        printed_ids=(),
        title="",
        source="",
        help="",
        tags=(),
        applies=None,
        variable=S,
        where=where,
        lets=tuple((lets or {}).items()),
        when=when,
        claims=tuple(core.Claim(claim, core.Template(())) for claim in claims),
        due=None,
        span=SPAN,
    )


def judged(this: core.Rule, stays: list[Row]) -> list[Judgement]:
    return judge(this, SCHEMA, {"stay": stays}, {"missing": None})


N_A = Verdict.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("when", "claims", "verdict", "cause"),
    [
        (True, [True], Verdict.HOLDS, None),
        (True, [False], Verdict.FAILS, 1),
        (True, [None], Verdict.UNKNOWN, None),
        (False, [True], N_A, None),
        (False, [False], N_A, None),
        (False, [None], N_A, None),
        (None, [True], Verdict.HOLDS, None),
        (None, [False], Verdict.UNKNOWN, None),
        (None, [None], Verdict.UNKNOWN, None),
        (True, [True, False, False], Verdict.FAILS, 2),
        (True, [None, False], Verdict.FAILS, 2),
        (True, [False, None], Verdict.FAILS, 1),
        (True, [True, None], Verdict.UNKNOWN, None),
        (None, [None, False], Verdict.UNKNOWN, None),
    ],
)
def test_verdicts(
    when: bool | None, claims: list[bool | None], verdict: Verdict, cause: int | None
) -> None:
    this = rule(*(BOOLS[claim] for claim in claims), when=BOOLS[when])
    assert judged(this, [stay()]) == [Judgement(0, verdict, cause)]
    if when is True:
        without = rule(*(BOOLS[claim] for claim in claims))
        assert judged(without, [stay()]) == [Judgement(0, verdict, cause)]


def test_verdicts_have_the_names_of_the_language() -> None:
    assert [str(verdict) for verdict in Verdict] == ["holds", "fails", "unknown", "not applicable"]


def test_a_row_for_which_where_is_not_true_is_not_judged() -> None:
    stays = [stay(primary=False), stay(primary=True), stay(), stay(primary=True, id=1)]
    this = rule(core.Present(column("id"), SPAN), where=column("primary"))
    assert judged(this, stays) == [
        Judgement(1, Verdict.FAILS, 1),
        Judgement(3, Verdict.HOLDS, None),
    ]


def test_a_let_is_only_worked_out_when_asked_for() -> None:
    absent = core.ParameterValue("not given", INTEGER, SPAN)
    claim = core.If(const(True), const(True), equal(absent, ONE), BOOLEAN, SPAN)
    assert judged(rule(claim, lets={"n": absent}), [stay()])[0].verdict is Verdict.HOLDS


def test_a_let_belongs_to_its_row_even_inside_a_quantifier() -> None:
    mine = core.LetValue("mine", TEXT, SPAN)
    same = core.LetValue("same", INTEGER, SPAN)
    count = core.Aggregate("count", None, E, equal(column("pupil", E), mine), INTEGER, SPAN)
    this = rule(equal(same, ONE), lets={"mine": column("pupil"), "same": count})
    verdicts = [judgement.verdict for judgement in judged(this, FOUR)]
    assert verdicts == [Verdict.FAILS, Verdict.FAILS, Verdict.HOLDS, Verdict.FAILS]


# ── messages ───────────────────────────────────────────────────────────────────────────────────


def message(*parts: str | core.Expr, show_sensitive: bool = False) -> str:
    row = stay(id=7, pupil="P1", begin=day("2023-10-01"), credits=D("1.50"), primary=True)
    row["nickname"] = "Bee"
    this = rule(lets={"secret": column("nickname"), "half": column("credits")})
    here = Evaluator.of_row(this, SCHEMA, {"stay": [row], "pupil": []}, {"missing": None}, row)
    return render_message(core.Template(parts), here, show_sensitive=show_sensitive)


def test_a_message_shows_values() -> None:
    half = core.LetValue("half", DECIMAL, SPAN)
    shown = message("Stay ", column("id"), " from ", column("begin"), " to ", column("end"))
    assert shown == "Stay 7 from 2023-10-01 to (missing)"
    assert message(half, " ", column("primary"), " ", const(SchoolYear(2023))) == "1.5 yes 2023-24"
    assert message(column("name", PUPIL)) == "(missing)"


@pytest.mark.parametrize(
    "part",
    [
        column("nickname"),
        core.LetValue("secret", TEXT, SPAN),
        apply("length", INTEGER, column("nickname")),
        core.Exists(E, equal(column("nickname", E), const("x")), SPAN),
        column("id", core.Pick(True, E, column("nickname", E), None)),
    ],
)
def test_a_part_that_reads_a_sensitive_column_is_withheld(part: core.Expr) -> None:
    assert message("[", part, "]") == "[(withheld)]"
    assert "(withheld)" not in message("[", part, "]", show_sensitive=True)
