"""explain: what an analyst is shown of one rule and one row."""

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

import ruleforge as rf
from ruleforge.engine.explanation import Explanation, Step
from ruleforge.reporting.explanation_page import explanation_page
from ruleforge.reporting.page import plain

HERE = Path(__file__).parent / "explanations"
BOOK = rf.load(HERE / "stays.rules")
PUPILS = """\
pupil_id,born,grade,income,free_lunch
P1,2016-07-01,KG,2000,true
P2,2019-09-01,KG,,true
P3,,KG,500,false
P4,2017-01-01,01,500,true
P5,2015-01-01,02,5000,
"""
STAYS = """\
pupil_id,school_id,entry,leave,days
P1,S1,2023-08-01,2023-10-01,40
P1,S2,2023-10-02,,0
P2,S1,2023-08-01,,100
P3,S1,,,
P3,S9,2023-08-15,2023-13-01,3
P1,S3,2022-08-01,2023-06-01,150
"""
SCHOOLS = "school_id,sector\nS1,public\nS2,private\nS3,public\n"
DAY = dt.date(2023, 12, 5)
PARAMETERS = {"count_date": "2023-12-01", "school_year": "2023-24"}

Golden = Callable[[Path, str], None]


@pytest.fixture
def revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> rf.Revision:
    for name, text in (("pupil", PUPILS), ("stay", STAYS), ("school", SCHOOLS)):
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return rf.read(BOOK, ".")


@pytest.fixture
def result(revision: rf.Revision) -> rf.Result:
    return rf.evaluate(BOOK, revision, as_of=DAY, parameters=PARAMETERS)


@pytest.mark.parametrize(
    ("name", "rule", "row"),
    [
        ("fails", "Age-1", {"pupil_id": "P1"}),
        ("holds", "Age-1", {"student": "P2"}),
        ("unknown", "Age-1", {"pupil_id": "P3"}),
        ("not_applicable", "Age-1", {"pupil_id": "P4"}),
        ("another_row", "Age-1", {"pupil_id": "P5"}),
        ("exists_is_false", "Stay-1", {"pupil_id": "P1"}),
        ("exists_is_true", "Stay-1", {"pupil_id": "P2"}),
        ("exists_of_nothing", "Stay-1", {"pupil_id": "P4"}),
        ("every", "Stay-2", {"pupil_id": "P1"}),
        ("latest", "Stay-3", {"pupil_id": "P1"}),
        ("no_latest", "Stay-3", {"pupil_id": "P4"}),
        ("withheld", "Lunch-1", {"pupil_id": "P1"}),
        ("does_not_apply", "Year-1", {"pupil_id": "P1"}),
        ("twice", "Twice-1", {"pupil_id": "P3", "school_id": "S9"}),
        ("a_bad_cell", "stay.leave.type", {"file": "stay.csv", "line": 6}),
        ("a_reference", "stay.school_id.reference", {"line": "6"}),
    ],
)
def test_the_page(
    result: rf.Result, golden: Golden, name: str, rule: str, row: dict[str, object]
) -> None:
    explanation = result.explain(rule, row)
    golden(HERE / f"{name}.txt", str(explanation))
    assert plain(explanation_page(explanation)) == str(explanation)
    assert json.loads(json.dumps(explanation.to_dict())) == explanation.to_dict()


def test_every_row_has_the_verdict_and_the_message_of_the_evaluation(result: rf.Result) -> None:
    own = {rule.id for rule in BOOK.rules}
    found = {
        (rule, table, line): message
        for rule, table, line, message in result.select(
            "rule", "table", "line", "message"
        ).iter_rows()
    }
    fails = 0
    for row in result.rules.iter_rows(named=True):
        table = (
            next(r.variable.table for r in BOOK.rules if r.id == row["rule"])
            if row["rule"] in own
            else row["rule"].split(".")[0]
        )
        counted = dict.fromkeys(("holds", "fails", "unknown", "not applicable", None), 0)
        for line in range(2, result.rows[table] + 2):
            said = result.explain(row["rule"], {"line": line})
            counted[said.verdict] += 1
            assert said.message == found.get((row["rule"], table, line), "")
        if row["status"] == "evaluated":
            assert [counted[w] for w in ("holds", "fails", "unknown", "not applicable")] == [
                row[w] for w in ("holds", "fails", "unknown", "not_applicable")
            ], row["rule"]
        fails += counted["fails"]
    assert fails == len(found)


def test_what_is_sensitive_is_nowhere(result: rf.Result) -> None:
    withheld = result.explain("Lunch-1", {"pupil_id": "P1"})
    assert withheld.verdict == "fails"
    said = json.dumps(withheld.to_dict()) + str(withheld)
    assert "2000" not in said
    assert "(withheld)" in said
    conditions = [each for each in steps(withheld) if each.withheld]
    assert conditions and all(each.value is None for each in conditions)
    # Neither does a mark tell which of the withheld parts was true. What the verdict tells is told.
    assert not any(each.decided for each in conditions)
    assert [clause.step.shown for clause in withheld.clauses] == ["false"]
    for pupil in ("P3", "P5"):
        said = str(result.explain("Lunch-1", {"pupil_id": pupil}))
        assert "500" not in said and ("require is true" in said) is (pupil == "P3")
    shown = result.explain("Lunch-1", {"pupil_id": "P1"}, show_sensitive=True)
    assert "p.income > 1000` is true: p.income is 2000" in str(shown)


def steps(explanation: Explanation) -> list[Step]:
    pending = [clause.step for clause in explanation.clauses]
    found = []
    while pending:
        step = pending.pop()
        found.append(step)
        pending.extend(step.parts)
    return found


def test_rows_of_other_tables_are_few(tmp_path: Path) -> None:
    stays = pl.DataFrame(
        {
            "pupil_id": ["P1"] * 30,
            "school_id": [f"S{n}" for n in range(30)],
            "entry": [dt.date(2023, 8, 1)] * 30,
            "leave": [dt.date(2023, 9, 1)] * 28 + [None] * 2,
            "days": [0] * 30,
        }
    )
    revision = rf.Revision(
        "r",
        {
            "pupil": pl.DataFrame({"pupil_id": ["P1"]}),
            "stay": stays,
            "school": pl.DataFrame({"school_id": ["S29"], "sector": ["public"]}),
        },
    )
    result = rf.evaluate(BOOK, revision, as_of=DAY, parameters=PARAMETERS)
    said = result.explain("Stay-1", {"pupil_id": "P1"}, most_rows=3)
    (clause,) = said.clauses
    rows = clause.step.rows
    assert rows is not None
    assert (rows.looked_at, rows.matching, len(rows.rows), rows.left_out) == (30, 1, 4, 26)
    assert [each.matches for each in rows.rows] == [True, False, False, False]
    assert "… and 26 more" in str(said)
    assert result.explain("Stay-1", {"pupil_id": "P1"}, most_rows=0).verdict == "holds"


def test_a_rule_that_cannot_be_evaluated(revision: rf.Revision) -> None:
    result = rf.evaluate(BOOK, revision, as_of=DAY, parameters={"school_year": "2023-24"})
    said = result.explain("Stay-1", {"pupil_id": "P1"})
    assert said.verdict is None
    assert said.reason == "the parameter `count_date` is not given"
    assert said.clauses == ()
    others = {each.rule: each for each in result.explain("Age-1", {"pupil_id": "P1"}).others}
    assert others["Stay-1"].verdict is None
    assert others["Stay-1"].reason == "the parameter `count_date` is not given"


@pytest.mark.parametrize(
    ("rule", "row", "said"),
    [
        ("Age-9", {"pupil_id": "P1"}, "`stays` has no rule `Age-9`; did you mean `Age-1`?"),
        ("Age-1", {}, "no row of `pupil` is named; a row is known by its key, `pupil_id`"),
        ("Age-1", {"pupil": "P1"}, "`pupil` is no column or role of `pupil`"),
        ("Age-1", {"pupil_id": "P9"}, "no row of `pupil` has pupil_id P9"),
        ("Age-1", {"born": "1 July"}, "`1 July` does not fit `pupil.born`; give a date"),
        ("Age-1", {"grade": "KG "}, "3 rows of `pupil` have grade KG"),
        ("Age-1", {"grade": "1"}, "`1` does not fit `pupil.grade`"),
        ("Age-1", {"line": 0}, "no row of `pupil` has line 0"),
        ("Age-1", {"line": "two"}, "a place in a file is given by `line`"),
        ("Age-1", {"line": 2, "file": "stay.csv"}, "no row of `pupil` has line 2"),
        ("Age-1", {"student": "P1", "pupil_id": "P2"}, "`pupil_id` is given twice"),
    ],
)
def test_a_row_that_cannot_be_told(
    result: rf.Result, rule: str, row: dict[str, object], said: str
) -> None:
    with pytest.raises(rf.RowError) as raised:
        result.explain(rule, row)
    assert said in str(raised.value)


def test_several_rows_are_a_choice(result: rf.Result) -> None:
    with pytest.raises(rf.RowError, match="3 rows of `stay`") as raised:
        result.explain("Twice-1", {"pupil_id": "P1"})
    assert [each["line"] for each in raised.value.choices] == ["2", "3", "7"]
    assert raised.value.choices[0]["school_id"] == "S1"


def test_rows_of_a_host_have_no_lines() -> None:
    revision = rf.Revision(
        "r", {"pupil": pl.DataFrame({"pupil_id": ["P1"], "born": ["2016-07-01"]})}
    )
    result = rf.evaluate(BOOK, revision, as_of=DAY, parameters=PARAMETERS)
    with pytest.raises(rf.RowError, match="have no lines"):
        result.explain("Year-1", {"line": 1})
    with pytest.raises(rf.RowError, match=r"`pupil\.grade`: the data does not have it"):
        result.explain("Year-1", {"grade": "KG"})
    with pytest.raises(rf.RowError, match="the data has no table `stay`"):
        result.explain("Twice-1", {"pupil_id": "P1"})
