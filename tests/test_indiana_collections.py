"""Who counts in Indiana's collections, and why not: what tests beside rules cannot ask.

The districts are made by hand, a pupil for each reason, so that each count can be checked by reading.
"""

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

import ruleforge as rf
from ruleforge.language.resources import shipped_rulebooks

RULES = {
    "alternative_education": 5,
    "attendance": 4,
    "calendar": 5,
    "course_outcomes": 5,
    "curricular_materials": 4,
    "graduation": 24,
    "homebound": 2,
    "membership": 38,
    "pupil_enrollment": 4,
    "special_education": 19,
    "special_education_evaluation": 3,
    "special_education_termination": 4,
}
CORPORATIONS = {
    "corporation.csv": """
corp_id,org_type
C1,Traditional Public
C2,Traditional Public
""",
    "school.csv": """
school_id,corp_id,sector,org_type,is_choice,is_adult_charter
A,C1,public,Traditional Public,false,false
X,C2,public,Traditional Public,false,false
""",
    "calendar.csv": """
school_id,first_day,instructional_minutes
A,2023-08-08,64800
X,2023-08-08,64800
""",
}
MEMBERSHIP = CORPORATIONS | {
    "student.csv": """
student_id,birth_date,county_of_residence
COUNTS,2013-05-05,Marion
NOCOUNTY,2013-05-05,
YOUNG,2019-05-05,Marion
SHARED,2013-05-05,Marion
LEFT,2013-05-05,Marion
ABSENT,2013-05-05,Marion
BOTH,2019-05-05,
""",
    "responsibility.csv": """
student_id,corp_id,responsibility,adm_type,cols_id,accountable_school_id,instructional_days,instructional_minutes
COUNTS,C1,Funding,1,C1,A,,
NOCOUNTY,C1,Funding,1,C1,A,,
YOUNG,C1,Funding,1,C1,A,,
SHARED,C1,Funding,1,C1,A,,
SHARED,C2,Funding,1,C2,X,,
LEFT,C1,Funding,1,C1,A,,
ABSENT,C1,Funding,1,C1,A,,
BOTH,C1,Funding,1,C1,A,,
""",
    "enrollment.csv": """
student_id,school_id,corp_id,entry_date,grade,primary_school,exit_date,exit_type
COUNTS,A,C1,2023-08-08,05,true,,
NOCOUNTY,A,C1,2023-08-08,05,true,,
YOUNG,A,C1,2023-08-08,PK,true,,
SHARED,A,C1,2023-08-08,05,true,,
SHARED,X,C2,2023-08-08,05,true,,
LEFT,A,C1,2023-08-08,05,true,2023-10-01,20
ABSENT,A,C1,2023-08-08,05,true,,
BOTH,A,C1,2023-08-08,PK,true,,
""",
    "attendance.csv": """
student_id,school_id,event_date,event,amount
COUNTS,A,2023-08-08,In attendance,1
NOCOUNTY,A,2023-08-08,In attendance,1
YOUNG,A,2023-08-08,In attendance,1
SHARED,A,2023-08-08,In attendance,1
SHARED,X,2023-08-08,In attendance,1
LEFT,A,2023-08-08,In attendance,1
BOTH,A,2023-08-08,In attendance,1
""",
    "program_association.csv": "student_id,edorg_id,program_type,program_name,begin_date,end_date",
    "choice_award.csv": "student_id,school_id,school_year,award_status",
    "special_education.csv": "student_id,edorg_id,program,begin_date,end_date",
    "graduate.csv": (
        "student_id,school_id,school_year,term,diploma_award_date,certification_status"
    ),
}
GRADUATION = CORPORATIONS | {
    "school_grade.csv": "school_id,grade\nA,12\nX,08\n",
    "ib_school.csv": "school_id,school_year",
    "local_pathway.csv": "pathway_number",
    "student.csv": """
student_id,birth_date
COUNTS,2005-05-05
NOLEVEL,2005-05-05
SHARED,2005-05-05
YOUNG,2008-05-05
MIDDLE,2005-05-05
""",
    "graduate.csv": """
student_id,school_id,school_year,term,diploma_award_date,diploma_type,diploma_level,employability,competency,local_pathway
COUNTS,A,2022-23,2,2023-05-31,Regular Diploma,03,Work-Based Learning Experience,03,10000
NOLEVEL,A,2022-23,2,2023-05-31,Regular Diploma,,Work-Based Learning Experience,03,10000
SHARED,A,2022-23,2,2023-05-31,Regular Diploma,03,Work-Based Learning Experience,03,10000
SHARED,X,2022-23,2,2023-06-01,Regular Diploma,03,Work-Based Learning Experience,03,10000
YOUNG,A,2022-23,2,2023-05-31,Regular Diploma,01,Work-Based Learning Experience,03,10000
MIDDLE,X,2022-23,2,2023-05-31,Regular Diploma,01,Work-Based Learning Experience,03,10000
COUNTS,A,2021-22,2,2022-05-31,Regular Diploma,,,,
""",
    "cohort.csv": (
        "student_id,cohort_year\nCOUNTS,2023\nNOLEVEL,2023\nSHARED,2023\nYOUNG,2023\nMIDDLE,2023\n"
    ),
    "assessment.csv": "student_id,passed_istep10,passed_ecas,passed_both_gqe",
    "inters.csv": "student_id,perkins4,perkins5,cert_result",
    "special_education.csv": "student_id,edorg_id,program,begin_date,end_date",
}


def judged(
    folder: Path, name: str, files: dict[str, str], day: dt.date, **parameters: object
) -> rf.Result:
    for file, text in files.items():
        folder.joinpath(file).write_text(text.strip() + "\n", encoding="utf-8")
    book = rf.load(f"indiana.{name}")
    revision = rf.read(book, folder, datasets={"state": folder})
    return rf.evaluate(book, revision, as_of=day, parameters=parameters)


def reasons(result: rf.Result, population: str, *roles: str) -> dict[tuple[str, ...], list[str]]:
    """The rules that take out each unit; none where it counts."""
    units = result.populations[population]
    return {tuple(row[role] for role in roles): row["rules"] for row in units.iter_rows(named=True)}


def test_every_rulebook_has_the_rules_that_it_should() -> None:
    books = {path.stem for path in shipped_rulebooks().glob("indiana/*.rules")} - {"model"}
    assert {name: len(rf.load(f"indiana.{name}").rules) for name in books} == RULES
    assert not rf.load("indiana.model").rules


@pytest.fixture(scope="module")
def membership(tmp_path_factory: pytest.TempPathFactory) -> rf.Result:
    return judged(
        tmp_path_factory.mktemp("membership"),
        "membership",
        MEMBERSHIP,
        dt.date(2023, 10, 2),
        school_year="2023-24",
        count_date="2023-10-02",
        census_date="2023-10-02",
        attendance_from="2023-07-01",
        newer_sheet_from="2024-25",
    )


def test_all_of_membership_is_evaluated(membership: rf.Result) -> None:
    rules = membership.rules.filter(pl.col("rule").str.starts_with("Membership"))
    by_status = dict(rules.group_by("status").agg(pl.col("rule")).iter_rows())
    assert by_status.pop("does not apply") == ["MembershipEnrollment-4-v45"]
    assert set(by_status) == {"evaluated"}


def test_who_counts_for_membership(membership: rf.Result) -> None:
    assert reasons(membership, "membership", "student", "lea") == {
        ("COUNTS", "C1"): [],
        ("NOCOUNTY", "C1"): ["MembershipEnrollment-3"],
        ("YOUNG", "C1"): ["MembershipEnrollment-5"],
        ("SHARED", "C1"): ["MembershipEnrollment-32"],
        ("SHARED", "C2"): ["MembershipEnrollment-32"],
        ("LEFT", "C1"): ["MembershipEnrollment-4", "MembershipEnrollment-34"],
        ("ABSENT", "C1"): ["MembershipEnrollment-47"],
        ("BOTH", "C1"): ["MembershipEnrollment-5", "MembershipEnrollment-3"],
    }


def test_who_counts_at_a_school(membership: rf.Result) -> None:
    found = reasons(membership, "membership_at_school", "student", "school")
    assert [unit for unit, rules in found.items() if not rules] == [("COUNTS", "A")]
    assert ("LEFT", "A") not in found
    assert found["SHARED", "X"] == ["MembershipEnrollment-32"]


def test_the_membership_report(membership: rf.Result) -> None:
    assert membership.reports["membership_by_school"].rows() == [
        ("C1", "A", "PK", 2),
        ("C1", "A", "05", 4),
        ("C2", "X", "05", 1),
    ]


def test_each_claimant_is_told_of_the_other(membership: rf.Result) -> None:
    findings = membership.findings.filter(pl.col("rule") == "MembershipEnrollment-32")
    assert dict(findings.select("school", "message").iter_rows()) == {
        "A": "Pupil SHARED, at school A from 2023-08-08 to (missing), is claimed for funding by "
        "school X (corporation C2) as well, entry 2023-08-08, exit (missing); "
        "the pupil is not counted.",
        "X": "Pupil SHARED, at school X from 2023-08-08 to (missing), is claimed for funding by "
        "school A (corporation C1) as well, entry 2023-08-08, exit (missing); "
        "the pupil is not counted.",
    }


def test_who_counts_for_pupil_enrollment(tmp_path: Path) -> None:
    stays = """
student_id,school_id,entry_date,grade,primary_school,exit_date
COUNTS,A,2023-08-08,05,true,
SECOND,A,2023-08-08,05,true,
SECOND,X,2023-08-08,05,false,
MOVED,A,2023-08-08,05,true,2023-09-01
MOVED,X,2023-09-02,05,true,
SHARED,A,2023-08-08,05,true,
SHARED,X,2023-09-02,05,true,
"""
    pupils = "student_id,birth_date\nCOUNTS,2013-05-05\nSECOND,2013-05-05\n"
    pupils += "MOVED,2013-05-05\nSHARED,2013-05-05\n"
    result = judged(
        tmp_path,
        "pupil_enrollment",
        CORPORATIONS | {"student.csv": pupils, "enrollment.csv": stays},
        dt.date(2023, 10, 2),
        school_year="2023-24",
        census_date="2023-10-02",
    )
    assert reasons(result, "pupil_enrollment", "student", "school") == {
        ("COUNTS", "A"): [],
        ("SECOND", "A"): [],
        ("SECOND", "X"): ["PupilEnrollment-1"],
        ("MOVED", "A"): ["PupilEnrollment-5"],
        ("MOVED", "X"): [],
        ("SHARED", "A"): ["PupilEnrollment-3"],
        ("SHARED", "X"): ["PupilEnrollment-3"],
    }


def test_who_counts_as_a_graduate(tmp_path: Path) -> None:
    result = judged(
        tmp_path,
        "graduation",
        GRADUATION,
        dt.date(2023, 7, 1),
        school_year="2022-23",
        cohort_age_date="2023-05-31",
    )
    assert reasons(result, "graduates", "student", "school") == {
        ("COUNTS", "A"): [],
        ("NOLEVEL", "A"): ["Graduation-23"],
        ("SHARED", "A"): ["Graduation-5"],
        ("SHARED", "X"): ["Graduation-5", "Graduation-21"],
        ("YOUNG", "A"): [],  # a warning takes nobody out
        ("MIDDLE", "X"): ["Graduation-21"],
    }
    assert result.reports["graduates_by_diploma"].rows() == [
        ("Regular Diploma", None, 1),
        ("Regular Diploma", "01", 2),
        ("Regular Diploma", "03", 2),
    ]
