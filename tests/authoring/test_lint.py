"""What lint finds, and above all where it is silent."""

import json
import sys
from pathlib import Path

import pytest

import ruleforge as rf
from ruleforge.authoring.lint import LintFinding, lint
from ruleforge.cli import main
from ruleforge.language.load import load, load_text

pytest.importorskip("z3", reason="the extra `lint` is not installed")

INDIANA = Path(__file__).parent / "lint" / "indiana.rules"
SCHEMA = """\
rulebook small edition 1
parameter day: date
parameter school_year: school_year
parameter round_of: integer in {1..3} = 1
codes grade
  "KG" "Kindergarten"
  "01" "First" until 2020-21
  "02" "Second" since 2022-23
table school
  school_id: text
  sector:    text
  key school_id
table pupil
  pupil_id:  text identifies student
  school_id: text references school
  grade:     grade
  age:       integer
  rate:      decimal
  born:      date
  left:      date
  word:      text
  active:    boolean
  key pupil_id
table stay
  pupil_id: text references pupil
  begins:   date
  ends:     date
  days:     integer
  key pupil_id, begins
"""


def found(rules: str) -> list[LintFinding]:
    findings = lint(load_text(SCHEMA + rules)).findings
    return [each for each in findings if each.diagnostic.code != "RF209"]


def codes(rules: str) -> list[str]:
    return [each.diagnostic.code for each in found(rules)]


def rule(name: str, *clauses: str, severity: str = "error") -> str:
    return f"rule {name} {severity}\n  for p in pupil\n" + "".join(f"  {c}\n" for c in clauses)


# ── the state's own sheet ──────────────────────────────────────────────────────────────────────


def test_what_gets_in_each_others_way_in_indiana_is_found() -> None:
    findings = lint(load(INDIANA)).findings
    assert [(each.diagnostic.code, each.rules) for each in findings] == [
        ("RL104", ("ME-23", "ME-10")),
        ("RL104", ("ME-34", "ME-4")),
        ("RL105", ("ME-39", "ME-27")),
        ("RL105", ("Graduation-15", "Graduation-2")),
        ("RL106", ("Graduation-19", "Graduation-2")),
    ]
    shown = [dict(each.witness.cells) for each in findings if each.witness is not None]
    assert len(shown) == 5
    assert shown[0]["r.adm_type"] == '"2"'
    assert shown[0]["r.corporation.org_type"] != '"Traditional Public"'
    assert shown[4]["g.diploma_level"] in ('"06"', '"07"')
    assert shown[4]["some cohort.cohort_year"] >= "2023"


def test_the_shipped_rules_say_what_was_looked_at_by_hand() -> None:
    result = lint(load("indiana.special_education"))
    # PK at 5 or younger in a school-age program: 13 has it as well since its part about PK at 6.
    said = [(each.diagnostic.code, each.rules) for each in result.findings]
    assert said == [("RL105", ("SpecialEducation-7", "SpecialEducation-13"))]
    assert result.limits == ()
    assert lint(load("indiana.model")).findings == ()


# ── found ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "condition",
    [
        "p.age > 5 and p.age < 6",
        'p.grade in {"KG".."01"} and p.grade > "01"',
        'p.grade < "KG"',
        'p.word = "a" and p.word != "a"',
        "p.word is missing and length(p.word) > 3",
        "p.born > 2024-01-01 and p.born < 2020-01-01",
        "p.born in period(day, p.left) and p.born > p.left",
        "p.rate > 0.15 and p.rate + 0.1 < 0.25",
        "age(p.born, day) >= 9 and age(p.born, day) < 3",
        "age(p.born, day) > 3 and p.born > day",
        "school_year.day(7, 1) > school_year.day(12, 1)",
        "school_year.day(2, 28) > school_year.day(3, 1)",
        "p.born - p.left > 3 and p.born < p.left",
        "p.school is missing and p.school.sector is present",
        "round_of > 3",
        "abs(p.age) < 0",
        "coalesce(p.age, 3) is missing",
        "min_of(p.age, 3) > 4",
        "exists(s in stay where s.pupil_id = p.pupil_id and s.days > 3 and s.days < 2)",
        "count(s in stay where s.pupil_id = p.pupil_id) < 0",
        (
            "exists(s in stay where s.pupil_id = p.pupil_id and s.days > 9)"
            " and not exists(s in stay where s.pupil_id = p.pupil_id and s.days > 5)"
        ),
        "latest(s in stay by s.begins where s.pupil_id = p.pupil_id and s.days > 9).days < 5",
        "max(s.days for s in stay where s.pupil_id = p.pupil_id and s.days > 9) < 5",
        'starts_with(p.word, "a") and not starts_with(p.word, "a")',
    ],
)
def test_conditions_that_can_never_be_true(condition: str) -> None:
    said = codes(rule("A-1", f"when {condition}", "require p.active"))
    assert said == ["RL102"]


@pytest.mark.parametrize(
    "clauses",
    [
        ["when p.age > 10", "require p.age > 5"],
        ["when p.age between 3 and 5", "report when p.age >= 6"],
        ['when p.grade = "KG"', 'require p.grade in {"KG", "01"}'],
        ["require p.age < 5 or p.age >= 5"],
        ["require p.age is missing or p.age = p.age"],
        ["when p.born <= day", "require age(p.born, day) >= 0"],
    ],
)
def test_claims_that_can_never_fail(clauses: list[str]) -> None:
    assert codes(rule("A-1", *clauses)) == ["RL103"]


def test_a_claim_that_never_speaks() -> None:
    (finding,) = found(rule("A-1", "require p.age < 5", "require p.age < 7"))
    assert finding.diagnostic.code == "RL103"
    assert "never the one that fails" in finding.diagnostic.fact


def test_a_when_that_the_where_excludes() -> None:
    text = (
        "rule A-1 error\n  for p in pupil where p.age < 5\n  when p.age > 7\n  require p.active\n"
    )
    (finding,) = found(text)
    assert finding.diagnostic.fact == "the `when` of `A-1` can never be true"
    assert finding.diagnostic.why == "`p.age < 5` and `p.age > 7` are never true of one row"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["when p.age > 5", "require p.active"], ["report when not p.active and 5 < p.age"]),
        (["require p.age < 5", "require p.active"], ["require p.active and p.age < 5"]),
        (["report when p.age >= 65"], ["require p.age < 65"]),
        (['require p.grade != "KG"'], ['require p.grade in {"01", "02"}']),
        (["require p.rate - 0.5 < 0"], ["require p.rate < 0.5"]),
        (
            ["when p.left is present", "require p.word is present"],
            ["when p.word is missing", "require p.left is missing"],
        ),
        (
            ["require not exists(s in stay where s.pupil_id = p.pupil_id and s.days > 3)"],
            [
                "let own = count(t in stay where t.pupil_id = p.pupil_id)",
                "when own > 0",
                "report when exists(t in stay where t.pupil_id = p.pupil_id and 3 < t.days)",
            ],
        ),
        (
            ["require sum(s.days for s in stay where s.days > 3 and s.pupil_id = p.pupil_id) > 9"],
            ["let all = sum(t.days for t in stay where p.pupil_id = t.pupil_id and 3 < t.days)",
             "report when all <= 9"],
        ),
    ],
)  # fmt: skip
def test_rules_that_report_the_same(one: list[str], other: list[str]) -> None:
    (finding,) = found(rule("A-1", *one) + rule("B-1", *other))
    assert finding.diagnostic.code == "RL104"
    assert finding.rules == ("B-1", "A-1")
    assert finding.witness is not None
    assert dict(finding.witness.verdicts) == {"A-1": "fails", "B-1": "fails"}


# ── silent ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "rules",
    [
        # A missing age is reported by one of them alone.
        rule("A-1", "require p.age < 65")
        + rule("B-1", "require p.age is present and p.age < 65", severity="warning"),
        # A code may be missing, so two lists that hold all codes do not hold all rows.
        rule("A-1", 'require p.grade in {"KG", "01", "02"} and p.grade is present'),
        # Nothing is known of what a function makes of a text.
        rule("A-1", 'when upper(p.word) = "A" and lower(p.word) = "A"', "require p.active"),
        rule("A-1", "when months_between(p.born, day) > 12 and age(p.born, day) < 1",
             "require p.active"),
        # There is a number between two others, if they are no whole ones.
        rule("A-1", "when p.rate > 5 and p.rate < 6", "require p.active"),
        # An error from 20 on and a warning from 10 on are meant so.
        rule("A-1", "require p.age <= 20") + rule("B-1", "require p.age <= 10", severity="warning"),
        # An exclusion may take what a rule wants.
        rule("A-1", "report when p.age < 5", severity="exclusion")
        + rule("B-1", "when p.active", "require p.age < 5"),
        # Two rules in two sets of years say the opposite, and never both.
        rule("A-1", "applies when school_year < 2022-23", "require p.age < 5")
        + rule("B-1", "applies when school_year >= 2022-23", "require p.age >= 5"),
        # A blank in a quantifier is no match, and no opposite.
        rule("A-1", "require exists(s in stay where s.pupil_id = p.pupil_id and s.days > 3)")
        + rule("B-1",
               "require not exists(s in stay where s.pupil_id = p.pupil_id and not (s.days > 3))"),
    ],
)  # fmt: skip
def test_what_is_not_certain_is_not_said(rules: str) -> None:
    assert codes(rules) == []


def test_columns_of_one_name_in_two_tables_are_two() -> None:
    # `rate` is a decimal of pupils and a text of staff; `grade` has two sets of codes.
    staff = (
        'codes pay\n  "A" "Low"\n  "B" "Middle"\n  "C" "Upper"\n  "D" "High"\n  "E" "Top"\n'
        "table staff\n  staff_id: text\n  rate: text\n  grade: pay\n  days: decimal\n"
        "  pupil_id: text\n  key staff_id\n"
    )
    inside = "where s.pupil_id = p.pupil_id and s.days > 3"
    rules = (
        rule("A-1", 'when p.grade > "KG" and p.rate > 1.5', "require p.active")
        + 'rule A-2 error\n  for s in staff\n  when s.grade > "C" and s.rate = "a"\n'
        "  require s.days > 0.5 and s.days < 0.75\n"
        + rule("A-3", f"require exists(s in stay {inside} and s.days < 5)")
        + rule("A-4", f"require exists(s in staff {inside} and s.days < 3.5)")
    )
    assert codes(staff + rules) == []


@pytest.mark.parametrize(
    ("years", "said"),
    [
        (">= 2021-22", ["RL108"]),
        (">= 2020-21", []),
        ("= 2022-23 or school_year > 2022-23", ["RL108"]),
    ],
)
def test_codes_outside_their_years(years: str, said: list[str]) -> None:
    text = rule(
        "A-1", f"applies when school_year {years}", 'when p.grade = "01"', "require p.active"
    )
    assert codes(text) == said


def test_a_range_of_codes_means_those_that_there_are() -> None:
    clauses = ["applies when school_year >= 2023-24", 'when p.grade in {"KG".."01"}']
    assert codes(rule("A-1", *clauses, "require p.active")) == []


def test_the_solver_gives_the_same_answers_again() -> None:
    book = load(INDIANA)
    first = lint(book)
    lint(load_text(SCHEMA + rule("A-1", "require age(p.born, day) < 9")))
    assert lint(book) == first


def test_only_what_is_about_a_rule() -> None:
    findings = rf.lint(load(INDIANA), ["Graduation-2"]).findings
    assert [each.rules for each in findings] == [
        ("Graduation-15", "Graduation-2"),
        ("Graduation-19", "Graduation-2"),
    ]


# ── the command ────────────────────────────────────────────────────────────────────────────────


def test_the_command_says_what_was_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", str(INDIANA), "--rule", "Membership Enrollment-10"]) == 1
    said = capsys.readouterr().out
    assert said.startswith("warning[RL104]: `ME-23` and `ME-10` report the same rows\n")
    assert "\n  row: r.adm_type" in said
    assert said.endswith("\n1 finding in 1 rulebook.\n")


def test_the_command_speaks_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", str(INDIANA), "--rule", "ME-39", "--format", "json"]) == 1
    said = json.loads(capsys.readouterr().out)
    (finding,) = said["findings"]
    assert finding["code"] == "RL105"
    assert finding["rules"] == ["ME-39", "ME-27"]
    assert finding["row"]["verdicts"] == {"ME-27": "fails", "ME-39": "fails"}
    assert said["limits"] == []


def test_nothing_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "small.rules"
    uses = "p.age < 5 or p.born < day or school_year > 2022-23 or round_of = 1"
    path.write_text(SCHEMA + rule("A-1", f"require {uses}"))
    assert main(["lint", str(path)]) == 0
    assert capsys.readouterr().out == "Nothing found in 1 rulebook.\n"


def test_wrong_usage_and_wrong_rulebooks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["lint"]) == 64
    assert main(["lint", str(INDIANA), "--rule", "ME-11"]) == 64
    assert "did you mean" in capsys.readouterr().err
    wrong = tmp_path / "wrong.rules"
    wrong.write_text(SCHEMA + rule("A-1", "require p.aeg < 5"))
    assert main(["lint", str(wrong), str(INDIANA)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "error[RF201]" in said.err


def test_without_the_solver_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "z3", None)
    assert main(["lint", str(INDIANA)]) == 64
    assert "pip install 'ruleforge[lint]'" in capsys.readouterr().err
    with pytest.raises(ImportError, match=r"ruleforge\[lint\]"):
        rf.lint(load(INDIANA))
