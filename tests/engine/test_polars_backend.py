"""The Polars backend, case by case: what generated rulebooks once found different from the
reference, and how plans grow.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal

import polars as pl
import pytest

from ruleforge.engine.admit import admit
from ruleforge.engine.evaluate import evaluate
from ruleforge.engine.lower import lower
from ruleforge.engine.plan import ROW
from ruleforge.engine.polars_backend import PolarsBackend
from ruleforge.engine.result import Result
from ruleforge.engine.revision import Revision
from ruleforge.language.load import RulebookError, load_text

AS_OF = dt.date(2023, 12, 1)
TABLES = """
rulebook a.b edition 1

table pupil
  pupil_id: text
  name:     text
  born:     date
  key pupil_id

table stay
  pupil_id: text references pupil
  note:     text
  days:     integer
  weight:   decimal
  start:    date
  stop:     date
  key pupil_id, start

"""
_DTYPES = {
    "pupil": {"pupil_id": pl.String, "name": pl.String, "born": pl.Date},
    "stay": {
        "pupil_id": pl.String,
        "note": pl.String,
        "days": pl.Int64,
        "weight": pl.Decimal(38, 10),
        "start": pl.Date,
        "stop": pl.Date,
    },
}
Rows = Sequence[Mapping[str, object]]


def result_of(rules: str, parameters: Mapping[str, object] | None = None, **tables: Rows) -> Result:
    frames = {
        name: pl.DataFrame(
            [{column: row.get(column) for column in _DTYPES[name]} for row in rows],
            schema=_DTYPES[name],
        )
        for name, rows in tables.items()
    }
    rulebook = load_text(TABLES + rules)
    return evaluate(rulebook, Revision("r", frames), as_of=AS_OF, parameters=parameters)


def said(value: str, parameters: str = "", **tables: Rows) -> list[str]:
    """What a value is for each row of `stay`, as messages show it."""
    rule = f'rule R1 error\n  for x in stay\n  require x is missing\n  message "{{{value}}}"'
    found = result_of(parameters + rule, **tables).select("rule", "message")
    return found.filter(pl.col("rule") == "R1")["message"].to_list()


def counts(result: Result, rule: str = "R1") -> tuple[int, ...]:
    row = result.rules.row(by_predicate=pl.col("rule") == rule, named=True)
    return tuple(row[name] for name in ("holds", "fails", "unknown", "not_applicable"))


THREE = [
    {"pupil_id": "a", "days": 1},
    {"pupil_id": "a", "days": 2},
    {"pupil_id": "b", "days": None},
]
HUGE = Decimal("999999999999999999.9999999999")


# ── what reads no column ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("require p = 1", (3, 0, 0, 0)),
        ("require p = 2", (0, 3, 0, 0)),
        ("when p = 2 require x.days = 1", (0, 0, 0, 3)),
        ("report when as_of in period(as_of, as_of)", (0, 3, 0, 0)),
        ("when as_of in period(as_of, as_of) require p = 1 require x.days = 1", (1, 1, 1, 0)),
    ],
)
def test_a_condition_that_reads_no_row_is_counted_once_for_every_row(
    rest: str, expected: tuple[int, ...]
) -> None:
    rules = f"parameter p: integer\nrule R1 error\n  for x in stay\n  {rest}"
    assert counts(result_of(rules, {"p": 1}, stay=THREE)) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("sum(2 for e in stay where e.pupil_id = x.pupil_id)", ["4", "4", "2"]),
        ("average(2 for e in stay where e.pupil_id = x.pupil_id)", ["2", "2", "2"]),
        (
            "count(e in stay where e.pupil_id = x.pupil_id and as_of in period(as_of, as_of))",
            ["2", "2", "1"],
        ),
        ("count(distinct 2 for e in stay)", ["1", "1", "1"]),
        ("max(as_of for e in stay where e.days > 1)", ["2023-12-01"] * 3),
        ("every(e in stay satisfies as_of in period(as_of, as_of))", ["yes"] * 3),
    ],
)
def test_a_figure_of_what_reads_no_row_is_that_of_all_its_rows(
    value: str, expected: list[str]
) -> None:
    assert said(value, stay=THREE) == expected


def test_a_text_that_is_written_out_is_replaced_in_for_every_row() -> None:
    rows = [{"pupil_id": "a", "note": "a"}, {"pupil_id": "b", "note": "b"}, {"pupil_id": "c"}]
    value = r"replace(\"x1\", \"1\", x.note)"
    assert said(value, stay=rows) == ["xa", "xb", "(missing)"]


# ── numbers ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("-x.weight", "-2.5"),
        ("3 - x.weight", "0.5"),
        ("ceiling(x.weight)", "3"),
        ("round(-x.weight)", "-2"),
        ("-(x.days + x.days)", "-6"),
        ("1 / -x.weight", "-0.4"),
    ],
)
def test_a_number_has_a_sign(value: str, expected: str) -> None:
    rows = [{"pupil_id": "a", "weight": Decimal("2.5"), "days": 3}]
    assert said(value, stay=rows) == [expected]


@pytest.mark.parametrize(
    ("signs", "expected"),
    [
        ([1], "999999999999999999.9999999999"),
        ([1, 1], "(missing)"),
        ([1, 1, 1], "(missing)"),
        ([1, 1, 1, 1], "(missing)"),
        ([-1, -1, -1], "(missing)"),
        ([1, 1, -1], "999999999999999999.9999999999"),
        ([1, 1, 1, -1, -1, -1], "0"),
    ],
)
def test_a_sum_of_many_places_does_not_wrap_round(signs: list[int], expected: str) -> None:
    # Two values of 38 digits are more than Int128 holds; only the end of a sum must be a number of
    # the language.
    rows = [{"pupil_id": "a", "weight": sign * HUGE, "days": 1} for sign in signs]
    value = "sum(e.weight * 1.0000000000 for e in stay where e.pupil_id = x.pupil_id)"
    assert said(value, stay=rows) == [expected] * len(signs)
    shown = said(value.replace("sum", "average"), stay=rows)[0]
    assert (shown == "(missing)") == (expected == "(missing)")


def test_a_small_decimal_is_a_parameter_like_any_other() -> None:
    rule = "parameter p: decimal\nrule R1 error\n  for x in stay\n  require x.weight = p"
    rows = [{"pupil_id": "a", "weight": Decimal("1E-10")}]
    for value in (Decimal("1E-10"), 1e-10, "0.0000000001"):
        assert counts(result_of(rule, {"p": value}, stay=rows)) == (1, 0, 0, 0)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [(1e-7, "0.0000001"), (-1.5e-7, "-0.00000015"), (1e16, "10000000000000000"), (0.1, "0.1")],
)
def test_a_float_is_read_however_polars_writes_it(cell: float, expected: str) -> None:
    rule = 'rule R1 error\n  for x in stay\n  require x is missing\n  message "{x.weight}"'
    frame = pl.DataFrame({"pupil_id": ["a"], "weight": [cell]})
    result = evaluate(load_text(TABLES + rule), Revision("r", {"stay": frame}), as_of=AS_OF)
    found = result.select("rule", "message").filter(pl.col("rule") == "R1")
    assert found["message"].to_list() == [expected]


# ── tables without rows ────────────────────────────────────────────────────────────────────────


def test_a_table_without_rows_has_hits_with_all_their_columns() -> None:
    rules = (
        "rule R1 error\n  for x in stay\n  require exists(p in pupil where p.pupil_id = x.pupil_id)"
    )
    result = result_of(rules, stay=[], pupil=[])
    assert counts(result) == (0, 0, 0, 0)
    hits = next(each for each in result.hits if each.rule.id == "R1")
    assert {ROW, "cause", "own.pupil_id", "own.start"} <= set(hits.frame.columns)


# ── what the checker refuses, because no engine could say it ───────────────────────────────────


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("count(distinct period(e.start, e.stop) for e in stay) > 1", "RF302"),
        ('coalesce(x.note, "") = "a"', "RF305"),
        ('(if x.days = 1 then x.note else " ") is missing', "RF305"),
    ],
)
def test_a_value_that_would_be_none_is_refused(condition: str, code: str) -> None:
    with pytest.raises(RulebookError) as refusal:
        load_text(f"{TABLES}rule R1 error\n  for x in stay\n  require {condition}")
    assert [each.code for each in refusal.value.diagnostics] == [code]


# ── verdicts ───────────────────────────────────────────────────────────────────────────────────


def test_verdicts_have_a_row_for_each_of_the_table() -> None:
    rules = """
rule R1 error
  for x in stay where x.pupil_id = "a"
  when x.days < 2
  require x.note is present
  require x.days > 5
rule R2 error
  for x in stay
  require x.days < 2
"""
    rows = [*THREE, {"pupil_id": "a", "note": "n", "days": 1}]
    rulebook = load_text(TABLES + rules)
    frame = pl.DataFrame(
        [{name: row.get(name) for name in _DTYPES["stay"]} for row in rows], schema=_DTYPES["stay"]
    )
    tables = admit(Revision("r", {"stay": frame}), rulebook.schema).tables
    backend = PolarsBackend(tables, rulebook.schema, {"as_of": AS_OF})
    (plan,) = lower(rulebook.rules, rulebook.schema)
    found = backend.verdicts(plan).collect().sort(ROW)
    assert found["verdict.0"].to_list() == ["fails", "not applicable", None, "fails"]
    assert found["cause.0"].to_list() == [1, 0, 0, 2]
    assert found["verdict.1"].to_list() == ["holds", "fails", "unknown", "holds"]
    assert found["cause.1"].to_list() == [0, 1, 0, 0]


# ── how plans grow ─────────────────────────────────────────────────────────────────────────────


def plan_size(rules: str) -> int:
    """The length of the query, written out, that judges some rules."""
    rulebook = load_text(TABLES + rules)
    frames = {name: pl.DataFrame(schema=dtypes) for name, dtypes in _DTYPES.items()}
    tables = admit(Revision("r", frames), rulebook.schema).tables
    backend = PolarsBackend(tables, rulebook.schema, {"as_of": AS_OF})
    (plan,) = lower(rulebook.rules, rulebook.schema)
    return len(backend.verdicts(plan).explain(optimized=False))


@pytest.mark.parametrize(
    "wrap",
    ["({} / 3)", "round({} * 1.5, 2)", "max_of({}, 1.5)", "(if {} > 1 then {} else 2.5)"],
)
def test_an_expression_grows_with_what_is_written(wrap: str) -> None:
    def nested(levels: int) -> str:
        value = "x.weight"
        for _ in range(levels):
            value = wrap.format(value, "x.weight")
        return f"rule R1 error\n  for x in stay\n  require {value} > 1"

    few, more, most = plan_size(nested(3)), plan_size(nested(6)), plan_size(nested(9))
    assert most - more < 2 * (more - few)


@pytest.mark.parametrize(
    "question",
    [
        "exists(e in stay where e.pupil_id = x.pupil_id and e.start < x.start and e.days > {})",
        "latest(e in stay by e.start where e.pupil_id = x.pupil_id and e.days > {}) is present",
        "latest(e in stay by e.start where e.pupil_id = x.pupil_id and e.start < x.start and e.days > {}) is present",
    ],
)
def test_a_plan_grows_with_the_number_of_its_questions(question: str) -> None:
    def asked(number: int) -> str:
        rules = [
            f"rule R{n} error\n  for x in stay\n  require {question.format(n)}"
            for n in range(number)
        ]
        return "\n".join(rules)

    few, more, most = plan_size(asked(3)), plan_size(asked(6)), plan_size(asked(9))
    assert most - more < 2 * (more - few)
