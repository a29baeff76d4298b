"""A small evaluation, and a writer of rulebooks for others."""

import datetime as dt
from collections.abc import Callable

import polars as pl
import pytest

import ruleforge as rf
from ruleforge.engine.revision import FileRecord, Refusal

RULEBOOK = """\
rulebook small edition 1
  title "A small rulebook"
  show error as "Fatal"
  show warning as "Query"

parameter day: date

table school
  school_id: text required identifies school
  key school_id

table stay
  student_id: text required identifies student
  school_id:  text required identifies school references school
  entry_date: date required
  hours:      integer
  nickname:   text
  key student_id, school_id, entry_date

rule Stay-1 error
  title "Too many hours"
  help "Correct the hours."
  for s in stay
  require s.hours <= 40
  message "{s.student_id}: {s.hours} hours"

rule Stay-2 warning
  title "Few hours"
  for s in stay
  require s.hours >= 10
  message "{s.nickname}"

rule Stay-3 error
  title "Later"
  applies when day >= 2030-01-01
  for s in stay
  require s.hours is present
  message "x"

rule Stay-4 exclusion
  title "Entry after the day"
  for s in stay
  require s.entry_date <= day
  message "{s.student_id}"
"""

Evaluate = Callable[..., rf.Result]


@pytest.fixture
def evaluate() -> Evaluate:
    """Evaluates stays (pupil, school, hours, nickname) by the small rulebook."""

    def run(
        *stays: tuple[str | None, str, int | None, str | None],
        day: str | None = "2024-01-01",
        files: tuple[FileRecord, ...] = (),
        refusals: tuple[Refusal, ...] = (),
        schools: bool = True,
    ) -> rf.Result:
        schema = {
            "student_id": pl.String,
            "school_id": pl.String,
            "hours": pl.Int64,
            "nickname": pl.String,
        }
        table = pl.DataFrame(list(stays), schema=schema, orient="row")
        table = table.with_columns(entry_date=pl.lit(dt.date(2023, 8, 1)))
        tables: dict[str, pl.DataFrame] = {"stay": table}
        if schools:
            tables["school"] = pl.DataFrame({"school_id": ["A", "B"]})
        return rf.evaluate(
            rf.load_text(RULEBOOK, "small.rules"),
            rf.Revision("r1", tables=tables, files=files, refusals=refusals),
            as_of=dt.date(2023, 12, 5),
            parameters={} if day is None else {"day": day},
        )

    return run
