"""The Indiana special education rules over two real sample districts, against the oracle.

The data is the Ed-Fi Alliance's sample of a state agency, school year 2021-22. It was not made for
these rules, so it shows what a first extract usually shows: some rules report, some find nothing,
and one cannot be judged because nobody supplies the column.
"""

from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from oracle import Districts, Judgement, judge, read_districts

import ruleforge as rf

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "edfi-sea" / "xml"
YEAR = 2021
COUNT_DATE = date(2021, 12, 1)
RULES = [f"SpecialEducation-{number}" for number in range(1, 20)]
VERDICTS = ("holds", "fails", "unknown", "not_applicable")

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"the Ed-Fi sample districts are not at {FOLDER}"
)


@pytest.fixture(scope="module")
def districts() -> Districts:
    return read_districts(FOLDER)


@pytest.fixture(scope="module")
def judgements(districts: Districts) -> dict[str, Judgement]:
    return judge(districts, YEAR, COUNT_DATE)


@pytest.fixture(scope="module")
def result() -> Any:
    book = rf.load("indiana.special_education")
    return rf.evaluate(
        book,
        rf.read(book, FOLDER),
        as_of=date(2021, 12, 2),
        parameters={"school_year": "2021-22", "count_date": COUNT_DATE},
    )


def test_the_oracle_read_every_row(districts: Districts) -> None:
    assert districts.elements["Student"] == 856 + 888
    assert districts.elements["StudentSchoolAssociation"] == 856 + 888
    assert districts.elements["StudentSpecialEducationProgramAssociation"] == 82 + 90
    assert sum(len(pupil.stays) for pupil in districts.pupils.values()) == 856 + 888
    assert sum(len(pupil.programs) for pupil in districts.pupils.values()) == 82 + 90


def test_the_oracle_has_something_to_say(judgements: dict[str, Judgement]) -> None:
    failing = {rule: judgement.counts["fails"] for rule, judgement in judgements.items()}
    assert {rule: number for rule, number in failing.items() if number} == {
        "SpecialEducation-4": 17,
        "SpecialEducation-18": 155,
        "SpecialEducation-19": 145,
    }


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_counts_what_the_oracle_counts(
    rule: str, result: Any, judgements: dict[str, Judgement]
) -> None:
    rows = [row for row in result.rules.iter_rows(named=True) if row["rule"] == rule]
    assert len(rows) == 1
    expected = judgements[rule]
    if not expected.evaluated:
        assert rows[0]["status"] == "not evaluated"
        assert "primary_school" in rows[0]["reason"]
        return
    assert rows[0]["status"] == "evaluated"
    assert {name: rows[0][name] for name in VERDICTS} == {
        name: expected.counts[name] for name in VERDICTS
    }


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_reports_the_pupils_whom_the_oracle_reports(
    rule: str, result: Any, judgements: dict[str, Judgement]
) -> None:
    reported = Counter(
        row["student"] for row in result.findings.iter_rows(named=True) if row["rule"] == rule
    )
    assert reported == judgements[rule].failing


def test_the_built_in_rules_report_what_the_oracle_reports(
    result: Any, districts: Districts
) -> None:
    tables = rf.load("indiana.special_education").schema.tables
    expected = {
        fault: number
        for fault, number in districts.faults.items()
        if fault[0].partition(".")[0] in tables
    }
    reported = Counter(
        (row["rule"], row["student"])
        for row in result.findings.iter_rows(named=True)
        if "." in row["rule"]
    )
    assert expected
    assert reported == expected


def test_every_finding_is_of_a_known_kind(result: Any) -> None:
    others = {
        row["rule"]
        for row in result.findings.iter_rows(named=True)
        if "." not in row["rule"] and row["rule"] not in RULES
    }
    assert others == set()
