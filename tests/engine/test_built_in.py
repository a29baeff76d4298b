"""The rules that declarations make are known by their ids before any data is there."""

import datetime as dt

import polars as pl
import pytest

from ruleforge.engine.built_in import built_in_ids
from ruleforge.engine.evaluate import evaluate
from ruleforge.engine.revision import Revision
from ruleforge.language.load import load_text

BOOK = """rulebook b edition 1
codes grade
  "01" "First" until 2020-21
table school
  school_id: text required max 4
  key school_id
table pupil
  pupil_id:  text required
  school_id: text references school
  grade:     grade
  born:      date
  link school on school_id named place
  key pupil_id
rule R error
  for p in pupil
  require p.born is present
"""


@pytest.fixture
def revision() -> Revision:
    school = pl.DataFrame({"school_id": ["S"]})
    row = {"pupil_id": ["P"], "school_id": ["S"], "grade": ["01"], "born": ["2010-01-01"]}
    return Revision("r", {"school": school, "pupil": pl.DataFrame(row)})


def test_every_rule_that_is_not_the_author_s_is_among_the_ids(revision: Revision) -> None:
    book = load_text(BOOK)
    ids = built_in_ids(book.schema)
    judged = evaluate(book, revision, as_of=dt.date(2024, 1, 1)).rules["rule"].to_list()
    assert set(judged) - {"R"} <= set(ids)
    assert {each.rpartition(".")[2] for each in judged[1:]} == {
        each.rpartition(".")[2] for each in ids
    }
    assert {each.partition(".")[0]: table for each, table in ids.items()} == {
        "school": "school",
        "pupil": "pupil",
    }


@pytest.mark.parametrize("left_out", ["R", "pupil.key", "pupil.grade.code"])
def test_what_is_left_out_is_not_judged_and_nothing_else(revision: Revision, left_out: str) -> None:
    book = load_text(BOOK)
    every = evaluate(book, revision, as_of=dt.date(2024, 1, 1)).rules["rule"].to_list()
    rest = evaluate(book, revision, as_of=dt.date(2024, 1, 1), without=[left_out]).rules["rule"]
    assert rest.to_list() == [each for each in every if each != left_out]
