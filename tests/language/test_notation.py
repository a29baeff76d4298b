"""Checked expressions in the words of the language."""

import pytest

from ruleforge.language.core import Rulebook
from ruleforge.language.load import load_text
from ruleforge.language.notation import notation

TABLES = """
rulebook a edition 1
parameter day: date
codes grade
  "01" "One"
  "02" "Two"
  "03" "Three"
table school
  school_id: text
  sector: text
  key school_id
table pupil
  pupil_id: text
  school_id: text references school
  age: integer
  rate: decimal
  born: date
  left: date
  grade: grade
  flag: boolean
  key pupil_id
"""


def book_with(condition: str) -> Rulebook:
    return load_text(
        f'{TABLES}\nrule R error\n for p in pupil\n require {condition}\n message "m"\n'
        'rule S error\n for p in pupil\n require p.born <= day\n message "m"\n'
    )


@pytest.mark.parametrize(
    "condition",
    [
        "p.age >= 3",
        "p.age + 1 - 2 > 3",
        "p.age - (1 - 2) > 3",
        "(p.age + 1) * 2 > 3",
        "-p.age < 0.25",
        "p.flag",
        "not p.flag",
        "not (p.age >= 3)",
        "p.flag and (p.age > 3 or p.age < 1)",
        "p.flag and p.age > 3 or p.age < 1",
        'p.school.sector = "public"',
        'p.pupil_id = "a \\"b\\""',
        "p.school is missing",
        "p.born is present",
        'p.grade in {"01", "02"}',
        'p.grade not in {"01", "02"}',
        "p.age in {1, 5..7}",
        "p.born < 2020-01-01",
        'p.pupil_id matches "[A-Z]+"',
        "day in period(p.born, p.left)",
        "period(p.born, p.left) overlaps period(day, day)",
        "age(p.born, day) < 4",
        "exists(q in pupil where q.school_id = p.school_id and q.age > p.age)",
        "every(q in pupil where q.school_id = p.school_id satisfies q.age < 9)",
        "count(q in pupil where q.school_id = p.school_id) > 2",
        "count(distinct q.age for q in pupil where q.school_id = p.school_id) > 2",
        "max(q.age for q in pupil where q.school_id = p.school_id) > 2",
        "latest(q in pupil by q.born where q.school_id = p.school_id).age > 2",
    ],
)
def test_what_is_written_is_read_again(condition: str) -> None:
    claim = book_with(condition).rules[0].claims[0].condition
    assert notation(claim) == condition
    assert book_with(notation(claim)).rules[0].claims[0].condition == claim


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        ("p.age between 3 and 5", "p.age >= 3 and p.age <= 5"),
        ('p.grade in {"01".."03"}', 'p.grade in {"01", "02", "03"}'),
        ("if p.flag then p.age > 1 else p.age > 2", "if p.flag then p.age > 1 else p.age > 2"),
    ],
)
def test_what_is_expanded_is_shown_expanded(condition: str, text: str) -> None:
    assert notation(book_with(condition).rules[0].claims[0].condition) == text
