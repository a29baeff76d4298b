"""Conflicts at the sizes at which they could cost too much: a pupil with very many stays, and very
many pupils of whom few have two.
"""

import datetime as dt

import polars as pl

from ruleforge.engine.evaluate import evaluate
from ruleforge.engine.result import Result
from ruleforge.engine.revision import Revision
from ruleforge.language.load import load_text

BOOK = load_text(
    """
rulebook conflicts edition 1
table stay
  student_id: text identifies student
  school_id:  text identifies school
  entry:      date
  leave:      date
  key student_id, school_id, entry
rule Overlap conflict
  for s in stay
  against t in stay where t.student_id = s.student_id
                      and period(t.entry, t.leave) overlaps period(s.entry, s.leave)
  message "{s.student_id} at {s.school_id} and at {t.school_id}"
"""
)
SCHEMA = {"student_id": pl.String, "school_id": pl.String, "entry": pl.Date, "leave": pl.Date}
DAY = dt.date(2023, 9, 1)


def judged(rows: list[tuple[str | None, str, dt.date | None, dt.date | None]]) -> Result:
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    return evaluate(BOOK, Revision("r", {"stay": frame}), as_of=DAY, rules=["Overlap"])


def test_a_pupil_with_two_thousand_stays_that_all_overlap() -> None:
    result = judged([("S1", f"{number:04d}", DAY, None) for number in range(2000)])
    columns = ["message", "counterpart_count", "counterparts"]
    found = result.writer([h for h in result.hits if h.rule.id == "Overlap"], (), columns)
    assert found.height == 2000
    assert found["counterpart_count"].unique().to_list() == [1999]
    assert found["counterparts"].list.len().unique().to_list() == [100]
    first, last = found["message"][0], found["message"][-1]
    # The first of them by their key, the row itself left out.
    named = ", ".join(f"{number:04d}" for number in range(1, 101))
    assert first == f"S1 at 0000 and at {named} and more"
    assert last.startswith("S1 at 1999 and at 0000, 0001, ")
    schools = [each["school"] for each in found["counterparts"][5]]
    assert schools == [f"{number:04d}" for number in range(101) if number != 5]


def test_rows_without_a_pupil_or_a_day_are_in_no_conflict() -> None:
    result = judged([(None, "A", DAY, None), (None, "B", DAY, None), ("S1", "A", None, None)])
    row = result.rules.filter(pl.col("rule") == "Overlap").row(0, named=True)
    assert (row["holds"], row["fails"], row["unknown"]) == (3, 0, 0)


def test_two_equal_rows_are_each_others_counterpart() -> None:
    result = judged([("S1", "A", DAY, None), ("S1", "A", DAY, None)])
    found = result.findings.filter(pl.col("rule") == "Overlap")
    assert found["message"].to_list() == ["S1 at A and at A"] * 2
    assert found["counterpart_count"].to_list() == [1, 1]


def test_one_row_and_none() -> None:
    assert judged([("S1", "A", DAY, None)]).findings.height == 0
    assert judged([]).findings.height == 0


def test_of_many_pupils_only_those_with_two_stays_are_paired() -> None:
    number = 100_000
    frame = pl.DataFrame(
        {"student_id": [str(n // 2 if n < 200 else n) for n in range(number)]}
    ).with_columns(
        school_id=pl.int_range(pl.len()).cast(pl.String),
        entry=pl.lit(DAY),
        leave=pl.lit(None, dtype=pl.Date),
    )
    result = evaluate(BOOK, Revision("r", {"stay": frame}), as_of=DAY, rules=["Overlap"])
    hits = next(each for each in result.hits if each.rule.id == "Overlap")
    assert hits.frame["#row"].to_list() == list(range(200))
