"""Functions of the host: what they are given, what is taken of them, and what is refused."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

import polars as pl
import pytest

from ruleforge.engine.evaluate import evaluate
from ruleforge.engine.host_functions import FunctionError
from ruleforge.engine.result import Result
from ruleforge.engine.revision import Revision
from ruleforge.language.load import load_text

DAY = dt.date(2023, 9, 1)
GIVEN: list[list[pl.Series]] = []


def judged(
    signature: str, result: str, given: object, rows: int = 3, argument: str = "t.a"
) -> Result:
    book = load_text(
        f"""
rulebook f edition 1
codes letter
  "x" "X"
  "y" "Y"
table t
  id: integer
  a:  text
  n:  integer
  c:  letter
  d:  decimal
  day: date
  year: school_year
  flag: boolean
  key id
function f({signature}): {result}
rule R error
  for t in t
  let value = f({argument})
  require value is missing
  message "{{value}}"
"""
    )
    data = {
        "id": [1, 2, 3],
        "a": ["ab", None, "c"],
        "n": [1, None, -3],
        "c": ["x", None, "y"],
        "d": [Decimal("0.5"), None, Decimal("-1.25")],
        "day": [DAY, None, dt.date(2024, 2, 29)],
        "year": ["2023-24", None, "2024-25"],
        "flag": [True, None, False],
    }
    frame = pl.DataFrame(data).head(rows)
    functions: dict[str, Callable[..., object]] = {"f": lambda *each: _called(given, each)}
    return evaluate(book, Revision("r", {"t": frame}), as_of=DAY, functions=functions)


def _called(given: object, arguments: tuple[pl.Series, ...]) -> object:
    GIVEN.append(list(arguments))
    return given(*arguments) if callable(given) else given


def messages(result: Result) -> list[str]:
    return result.findings["message"].to_list()


@pytest.mark.parametrize(
    ("argument", "kind", "values", "dtype"),
    [
        ("t.a", "text", ["ab", "c"], pl.String),
        ("t.c", "text", ["x", "y"], pl.String),
        ("t.c", "letter", ["x", "y"], pl.String),
        ("t.n", "integer", [1, -3], pl.Int64),
        ("t.n", "decimal", [1.0, -3.0], pl.Float64),
        ("t.d", "decimal", [0.5, -1.25], pl.Float64),
        ("t.d * t.d", "decimal", [0.25, 1.5625], pl.Float64),
        ("t.day", "date", [DAY, dt.date(2024, 2, 29)], pl.Date),
        ("t.year", "school_year", ["2023-24", "2024-25"], pl.String),
        ("t.flag", "boolean", [True, False], pl.Boolean),
    ],
)
def test_what_a_function_is_given(
    argument: str, kind: str, values: list[object], dtype: pl.DataType
) -> None:
    GIVEN.clear()
    result = judged(f"x: {kind}", "boolean", lambda s: s.is_null(), argument=argument)
    assert {series.dtype for (series,) in GIVEN} == {dtype}
    # NOTE: how many rows come at a time is the affair of Polars.
    assert set(pl.concat([series for (series,) in GIVEN])) == set(values)
    # Row 2 has no argument, so that the function has no value there.
    assert messages(result) == ["no", "no"]


def test_several_arguments_are_asked_only_where_all_are_there() -> None:
    result = judged(
        "a: text, b: integer, c: text", "text", lambda a, b, c: a + b.cast(pl.String) + c,
        argument='t.a, t.n, "!"',
    )  # fmt: skip
    assert messages(result) == ["ab1!", "c-3!"]


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        ("text", ["", "  "], []),
        ("text", ["é", None], ["é"]),
        ("letter", ["x", "z"], ["x"]),
        ("integer", [10**18 - 1, 10**18], ["999999999999999999"]),
        ("decimal", [0.1, float("nan")], ["0.1"]),
        ("decimal", [Decimal("0.00000000005"), Decimal("0.00000000015")], ["0", "0.0000000002"]),
        ("decimal", [float("inf"), 1e18], []),
        ("decimal", [3, 4], ["3", "4"]),
        ("date", [dt.date(1, 1, 1), None], ["0001-01-01"]),
        ("school_year", ["2023-24", "2023-25"], ["2023-24"]),
        ("boolean", [True, False], ["yes", "no"]),
    ],
)
def test_what_is_taken_of_a_function(kind: str, given: list[object], said: list[str]) -> None:
    series = pl.Series(given)

    def function(texts: pl.Series) -> pl.Series:
        return series.gather([0 if text == "ab" else 1 for text in texts])

    assert messages(judged("x: text", kind, function)) == said


@pytest.mark.parametrize(
    ("kind", "given", "complaint"),
    [
        ("text", ["a", "b"], "gives a list; it is to give a Polars series"),
        ("text", pl.Series(["a"] * 7), "gives 7 values for . rows"),
        ("text", lambda s: s.str.len_chars(), "gives UInt32, which is no text"),
        ("integer", lambda s: s.str.len_chars() / 2, "gives Float64, which is no integer"),
        ("decimal", lambda s: s, "gives String, which is no decimal"),
        ("date", lambda s: pl.Series([dt.datetime(2023, 1, 1)] * len(s)), "which is no date"),
        ("boolean", lambda _: 1 / 0, "raised ZeroDivisionError: division by zero"),
    ],
)
def test_what_is_refused(kind: str, given: object, complaint: str) -> None:
    with pytest.raises(FunctionError, match=complaint):
        judged("x: text", kind, given)


def test_a_function_is_not_called_where_there_are_no_rows() -> None:
    GIVEN.clear()
    assert messages(judged("x: text", "text", None, rows=0)) == []
    assert GIVEN == []


def test_functions_are_registered_before_any_data_is_read() -> None:
    book = load_text(
        """
rulebook f edition 1
table t
  a: text
function near(a: text, b: text): boolean
rule R error
  for t in t
  require near(t.a, "x")
"""
    )
    with pytest.raises(FunctionError, match=r"`near`.*not registered"):
        evaluate(book, Revision("r", {}), as_of=DAY)
    with pytest.raises(FunctionError, match="did you mean `near`"):
        evaluate(book, Revision("r", {}), as_of=DAY, functions={"neer": len})
