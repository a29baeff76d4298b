"""Every built-in function is in the one list, in both engines, and does in both what the list says."""

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from functools import cache

import polars as pl
import pytest

from ruleforge.engine.evaluate import evaluate
from ruleforge.engine.polars_functions import POLARS_FUNCTIONS
from ruleforge.engine.reference_backend import Evaluator, render_message
from ruleforge.engine.reference_functions import IMPLEMENTED
from ruleforge.engine.revision import Revision
from ruleforge.language.core import Rulebook, Value
from ruleforge.language.functions import FUNCTIONS, Function
from ruleforge.language.load import load_text
from ruleforge.language.schema import SchoolYear

OF_PERIODS = {"period", "days"}  # no columns: the Polars engine keeps their two ends apart
AS_OF = dt.date(2023, 12, 5)

# By function: calls whose arguments are columns (or written out, where the function wants that) and
# what comes of the row of VALUES.
CALLS = {
    "age": {"age(r.first, r.day)": "10"},
    "years_between": {"years_between(r.first, r.day)": "10"},
    "months_between": {"months_between(r.first, r.day)": "129"},
    "business_days_between": {
        "business_days_between(r.day, r.later)": "5",
        "business_days_between(r.day, r.later, {2023-12-06})": "4",
    },
    "add_business_days": {
        "add_business_days(r.day, r.n)": "2023-12-07",
        "add_business_days(r.day, r.n, {2023-12-06})": "2023-12-08",
    },
    "weekday": {"weekday(r.day)": "tuesday"},
    "nth_weekday": {'nth_weekday(r.n, "friday", r.month, r.year)': "2023-10-13"},
    "date_from": {'date_from(r.spelled_date, "%m/%d/%Y")': "2023-10-02"},
    "school_year.start": {"r.year.start": "2023-07-01"},
    "school_year.end": {"r.year.end": "2024-06-30"},
    "school_year.previous": {"r.year.previous": "2022-23"},
    "school_year.next": {"r.year.next": "2024-25"},
    "school_year.day": {"r.year.day(r.month, r.n)": "2023-10-02"},
    "period": {"period(r.day, r.later)": "2023-12-05 to 2023-12-12"},
    "days": {"days(period(r.day, r.later))": "8"},
    "upper": {"upper(r.word)": "MAPLE"},
    "lower": {"lower(r.word)": "maple"},
    "trim": {"trim(r.padded)": "oak"},
    "length": {"length(r.word)": "5"},
    "left": {"left(r.word, r.n)": "Ma"},
    "right": {"right(r.word, r.n)": "le"},
    "contains": {"contains(r.word, r.part)": "yes"},
    "starts_with": {"starts_with(r.word, r.part)": "no"},
    "ends_with": {"ends_with(r.word, r.part)": "no"},
    "replace": {"replace(r.word, r.part, r.padded)": "M oak e"},
    "digits": {"digits(r.spelled_date)": "10022023"},
    "number": {"number(r.spelled_number)": "-0.5"},
    "abs": {"abs(r.below)": "2.5", "abs(r.n)": "2"},
    "round": {"round(r.below)": "-2", "round(r.below, 0)": "-2", "round(r.n, 1)": "2"},
    "floor": {"floor(r.below)": "-3", "floor(r.n)": "2"},
    "ceiling": {"ceiling(r.below)": "-2", "ceiling(r.n)": "2"},
    "min_of": {"min_of(r.n, r.month, r.below)": "-2.5", "min_of(r.day, r.later)": "2023-12-05"},
    "max_of": {"max_of(r.n, r.month, r.below)": "10", "max_of(r.word, r.part)": "apl"},
    "coalesce": {"coalesce(r.word, r.part)": "Maple", "coalesce(r.n, r.month, r.below)": "2"},
}
VALUES: dict[str, tuple[str, Value]] = {
    "first": ("date", dt.date(2013, 2, 28)),
    "day": ("date", dt.date(2023, 12, 5)),
    "later": ("date", dt.date(2023, 12, 12)),
    "year": ("school_year", SchoolYear(2023)),
    "n": ("integer", 2),
    "month": ("integer", 10),
    "below": ("decimal", Decimal("-2.5")),
    "word": ("text", "Maple"),
    "part": ("text", "apl"),
    "padded": ("text", " oak "),
    "spelled_date": ("text", "10/02/2023"),
    "spelled_number": ("text", "-0.5"),
}
# The last row but the others: each of its texts spells nothing, and `later` comes before `day`.
ODD: dict[str, Value] = {
    "spelled_date": "02.10.2023",
    "spelled_number": "half",
    "later": dt.date(2023, 12, 1),
}

# What each wording of `missing` promises of a call, some of whose columns are missing.
PROMISES: dict[str, Callable[[list[bool]], bool]] = {
    "missing if any argument is": any,
    "missing if all are": all,
    "missing if a is": lambda missing: missing[0],
    "missing if the period is, or is open": any,
    "missing if the text is, or spells no date": any,
    "missing if the text is, or spells no number": any,
}


def columns_of(call: str) -> list[str]:
    return list(dict.fromkeys(re.findall(r"r\.(\w+)", call)))


def calls() -> list[tuple[Function, str, str]]:
    return [
        (FUNCTIONS[name], call, expected)
        for name, each in CALLS.items()
        for call, expected in each.items()
    ]


def rows() -> dict[str, dict[str, Value | None]]:
    """The row of all values, the odd one, the one without any, and one without each or two."""
    whole: dict[str, Value | None] = {name: value for name, (_, value) in VALUES.items()}
    by_id = {"whole": whole, "odd": whole | ODD, "none": dict.fromkeys(whole)}
    for name in whole:
        by_id[f"without {name}"] = whole | {name: None}
    return {key: {"id": key, **row} for key, row in by_id.items()}


@cache
def rulebook() -> Rulebook:
    lines = ["rulebook functions edition 1", "table t", "  id: text"]
    lines += [f"  {name}: {kind}" for name, (kind, _) in VALUES.items()]
    lines.append("  key id")
    for number, (_, call, _) in enumerate(calls()):
        lines += [f"rule F-{number} warning", "  for r in t", f"  let value = {call}"]
        lines += ["  report when r.id is present", '  message "{value}"']
    return load_text("\n".join(lines) + "\n", "functions.rules")


@cache
def said_by_polars() -> dict[tuple[str, str], str]:
    """By rule and row what a finding shows of a call."""

    def held(value: Value | None) -> object:
        return str(value) if isinstance(value, SchoolYear) else value

    frame = pl.DataFrame(
        [{name: held(value) for name, value in row.items()} for row in rows().values()],
        schema_overrides={"below": pl.Decimal(10, 2)},
    )
    result = evaluate(rulebook(), Revision("r", {"t": frame}), as_of=AS_OF)
    found = result.findings.filter(pl.col("rule").str.starts_with("F-"))
    keys = found["key"].struct.field("id")
    return dict(zip(zip(found["rule"], keys, strict=True), found["message"], strict=True))


def said_by_reference(number: int, row: str) -> str:
    rule = rulebook().rules[number]
    tables = {"t": list(rows().values())}
    evaluator = Evaluator.of_row(rule, rulebook().schema, tables, {"as_of": AS_OF}, rows()[row])
    return render_message(rule.claims[0].message, evaluator, show_sensitive=True)


def test_both_engines_have_exactly_the_functions_of_the_list() -> None:
    assert set(FUNCTIONS) == IMPLEMENTED
    assert set(FUNCTIONS) == set(POLARS_FUNCTIONS) | OF_PERIODS
    assert not set(POLARS_FUNCTIONS) & OF_PERIODS


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=lambda each: each.name)
def test_a_function_is_documented(function: Function) -> None:
    assert FUNCTIONS[function.name] is function
    assert function.doc.endswith(".")
    assert function.missing in PROMISES
    names = [argument.name for argument in function.arguments]
    assert len(set(names)) == len(names) > function.optional
    assert function.signature.startswith(f"{function.name}({', '.join(names)}")


def test_every_function_is_called_here() -> None:
    assert set(CALLS) == set(FUNCTIONS)


@pytest.mark.parametrize("number", range(len(calls())), ids=[call for _, call, _ in calls()])
def test_a_call_gives_what_the_list_says_in_both_engines(number: int) -> None:
    function, call, expected = calls()[number]
    said = {row: said_by_polars()[f"F-{number}", row] for row in rows()}
    assert said == {row: said_by_reference(number, row) for row in rows()}
    assert said["whole"] == expected
    columns = columns_of(call)
    for row, values in rows().items():
        if row != "odd":
            missing = [values[name] is None for name in columns]
            assert (said[row] == "(missing)") == PROMISES[function.missing](missing), row


def test_what_the_promises_say_beyond_missing_arguments() -> None:
    said = said_by_polars()
    number_of = {call: f"F-{number}" for number, (_, call, _) in enumerate(calls())}
    odd = {call: said[number_of[call], "odd"] for call in number_of}
    assert odd['date_from(r.spelled_date, "%m/%d/%Y")'] == "(missing)"
    assert odd["number(r.spelled_number)"] == "(missing)"
    assert odd["days(period(r.day, r.later))"] == "0"
    assert said[number_of["period(r.day, r.later)"], "without later"] == "from 2023-12-05"
    assert said[number_of["coalesce(r.word, r.part)"], "without word"] == "apl"
