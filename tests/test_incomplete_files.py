"""A file that could not be read, or not to its end, is told apart from a file that is not there."""

import datetime as dt
import re
from pathlib import Path

import polars as pl
import pytest

import ruleforge as rf
from ruleforge.authoring.indiana_sample import write_indiana_sample

PARAMETERS = {"school_year": "2023-24", "count_date": "2023-12-01"}


@pytest.fixture(scope="module")
def book() -> rf.Rulebook:
    return rf.load("indiana.special_education")


def judged(book: rf.Rulebook, folder: Path) -> rf.Result:
    revision = rf.read(book, folder)
    return rf.evaluate(book, revision, as_of=dt.date(2023, 12, 5), parameters=PARAMETERS)


def row(result: rf.Result, rule: str) -> dict[str, object]:
    return result.rules.row(by_predicate=pl.col("rule") == rule, named=True)


def test_references_into_a_truncated_file_are_not_judged(book: rf.Rulebook, tmp_path: Path) -> None:
    write_indiana_sample(tmp_path, pupils=120, layout="edfi")
    whole = judged(book, tmp_path)
    students = tmp_path / "Indiana-Student.xml"
    students.write_bytes(students.read_bytes()[:-5000])
    cut = judged(book, tmp_path)
    assert row(whole, "enrollment.student_id.reference")["status"] == "evaluated"
    reference = row(cut, "enrollment.student_id.reference")
    assert reference["status"] == "not evaluated"
    assert reference["reason"] == "`student` was not read to its end"
    assert row(cut, "enrollment.school_id.reference")["status"] == "evaluated"
    assert not cut.complete
    refused = cut.findings.filter(pl.col("rule").is_in(["student.line", "intake.file"]))
    assert refused.height == 1
    place = re.search(r"byte (\d+): the XML ends in the middle of <Student>", refused["message"][0])
    assert place is not None
    assert 0 <= students.stat().st_size - int(place[1]) < 100
    # Rules about the rows of the other files say what they said, as long as they do not need the
    # missing pupils.
    for rule in ("SpecialEducation-8", "SpecialEducation-12", "SpecialEducation-19"):
        assert row(cut, rule)["fails"] == row(whole, rule)["fails"]


def test_a_file_that_cannot_be_read_is_named_in_the_reason(
    book: rf.Rulebook, tmp_path: Path
) -> None:
    (tmp_path / "student.csv").write_bytes("student_id,birth_date\n".encode("utf-16"))
    reason = row(judged(book, tmp_path), "SpecialEducation-4")["reason"]
    assert isinstance(reason, str)
    assert f"{tmp_path / 'student.csv'} could not be read" in reason
