"""The one layout: what it looks like, construct by construct, and what stays where it is."""

from pathlib import Path

import pytest

from ruleforge.language.load import RulebookError
from ruleforge.language.reformat import ReformatError, reformat
from ruleforge.language.reformat_lines import LONGEST
from ruleforge.language.source import Source

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "rulebooks").rglob("*.rules"))
HEADER = "rulebook r edition 1\n"


def laid(text: str) -> str:
    """The layout of a text, which is its own layout too."""
    result = reformat(Source("test.rules", text))
    assert reformat(Source("test.rules", result)) == result
    return result


def body(text: str) -> str:
    """The layout of what comes behind a header."""
    result = laid(HEADER + text)
    assert result.startswith(HEADER + "\n")
    return result[len(HEADER) + 1 :]


# Each written as it should be; the tests squeeze it, and want it back.
CONSTRUCTS = {
    "parameters": """\
parameter year:  school_year
parameter grade: level in {"01", "02"} = "01" "Grade that counts"
parameter limit: integer = 18                 "Oldest age"
""",
    "codes": """\
codes grade "Grades, youngest first"
  "PK"             "Preschool"     also "Pre", "P"
  "KG - Afternoon" "Kindergarten"  since 2019-20 until 2023-24
  "01"             "First"
""",
    "table": """\
lookup table school "A school"
  file "school*.csv" delimited "^" no header dates "%Y%m%d"
  file "*.xml" element "School"
  school_id: text required max 10 identifies school from "SchoolId"
  `source`:  text sensitive
  corp_id:   text identifies lea references corporation named corporation
             from "LocalEducationAgencyReference/LocalEducationAgencyIdentity"
  level:     grade from "Level" by label
  link calendar on school_id, level named calendar
  key school_id
""",
    "defines": """\
define july_1     = school_year.day(7, 1)
define december_1 = school_year.day(12, 1)

define running(p: special_education, d: date) =
  p.begin_date <= d and (p.end_date is missing or p.end_date >= d) and p.student_id is present

define both = -1 + 2 * (3 - -x) / 4 > 0 and not a.b.c
""",
    "if": """\
define level(r: t) =
  if r.years_of_age between 1 and 2.5 and r.is_here then r.first_level_of_all + 1
  else if closed(r, r.b, r.c) then -1 - (-2)
  else 2023-10-01
""",
    "rule": """\
rule Home-1 error if as_of >= school_year.day(5, 1), otherwise warning
  also known as "Home - 1", "HB1"
  title "At home"
  source "Sheet"
  help "Correct it."
  tags a, b
  applies when year >= 2023-24
  for p in prior.special_education where p.a not in {"26".."29", "33"}
  after Home-2, Home-3
  let n = count(distinct e.a for e in t where e.b matches "[0-9]+")
  when every(e in t where e.c overlaps p.c satisfies e.n > 1)
  require latest(e in t by e.day where e.a = p.a).b is present else "None: {n}"
  report when sum(e.n for e in t where e.a = p.a) = 0
  against q in t where q.a = p.a
  message "{p.a} {{x}} {coalesce(n, \\"-\\")}"
  due 5 business days
""",
    "long rule": """\
rule Home-1 error
  for p in special_education
      where p.program_of_the_pupil_as_reported in {"26".."29", "33", "38"} and p.is_running_still
  let stay_grade = latest(e in enrollment by e.entry_date
                          where e.student_id = p.student_id and attending(e, count_date)).grade
  let everything_that_is_added =
    p.first_amount_of_money + p.second_amount_of_money - p.third_amount * p.fourth_amount
  require exists(e in enrollment
                 where e.student_id = p.student_id
                       and e.primary_school
                       and (e.school.sector = "public" or e.school.sector = "private" or e.closed)
                       and period(e.entry_date, e.exit_date)
                         overlaps period(p.begin_date, p.end_date, p.another_date))
    else "None"
  message "x"
""",
    "view": """\
view stays "Latest stays"
  from x in stay
  with y in pupil on x.pupil_id = y.pupil_id
  where x.open
  group by x.a, x.b
  select a = x.a, b = count(e in t)
  keep latest by x.day per x.a, x.b

view plain
  from x in prior.stay
""",
    "scope": """\
scope x in stay where x.open

scope x in stay
  where x.open_on_the_day_that_counts and x.school.sector = "public" and x.pupil.is_here_still
""",
    "population": """\
population counted of x in stay
  where x.open
  by student, school
  unless error, exclusion
""",
    "report": """\
report totals "Totals"
  from x in stay
  where x.open
  by grade = x.grade, school = x.school_id
  show pupils = count(e in stay where e.grade = x.grade),
       school_days_of_them = sum(e.days for e in stay where e.grade = x.grade)
""",
    "datasets and functions": """\
dataset prior "Last year's"
dataset state

function similarity(a: text, b: text): decimal
function other(a: text): integer
""",
    "test": """\
test "23 is too old"
  with year = 2023-24, day = 2023-12-01
  given student
    | student_id | birth_date |
    | S1         | 2000-07-01 |
    | S2         |            |
  given prior.student
    | student_id |
  expect
    | rule | student_id |
    | A-1  | S1         |
  only A-1, B-2

test "nothing"
  expect nothing
""",
}


@pytest.mark.parametrize("name", CONSTRUCTS)
def test_each_construct_is_in_order_as_it_stands_here(name: str) -> None:
    assert body(CONSTRUCTS[name]) == CONSTRUCTS[name]


@pytest.mark.parametrize("name", [each for each in CONSTRUCTS if each != "codes"])
def test_each_construct_from_the_shape_that_it_should_not_have(name: str) -> None:
    lines = CONSTRUCTS[name].split("\n")
    shapeless = "".join(
        line.strip() + ("\n" if not line or line.lstrip().startswith("|") or new else "  ")
        for line, new in zip(lines, [*_begins(lines), True], strict=False)
    )
    assert body(shapeless) == CONSTRUCTS[name]


def _begins(lines: list[str]) -> list[bool]:
    """For each line, whether the next must begin a line: declarations and rows of tests do."""
    return [not each.startswith(" ") or each.lstrip().startswith("|") for each in lines[1:]]


def test_the_header() -> None:
    text = 'rulebook a . b edition 1 title "T" source "S" uses c.d , e show error as "Fatal"'
    assert laid(text) == (
        "rulebook a.b edition 1\n"
        '  title  "T"\n'
        '  source "S"\n'
        "  uses   c.d, e\n"
        '  show   error as "Fatal"\n'
    )


def test_lines_end_as_they_should() -> None:
    text = (
        'rulebook r edition 1\r\n  title "T"  # one \t\r\n\r\n\r\ndefine a = 1\r\n\r\n# two\r\n\r\n'
    )
    assert laid(text) == ('rulebook r edition 1\n  title "T"  # one\n\ndefine a = 1\n\n# two\n')
    assert laid("\ufeffrulebook r edition 1") == "rulebook r edition 1\n"


def test_one_outlier_does_not_tear_the_columns_of_the_others_apart() -> None:
    text = 'codes c\n  "1" "One"\n  "2" "Two"\n  "A code that is very much longer" "Long"\n'
    assert body(text) == text


def test_texts_and_backticks_are_never_changed() -> None:
    text = 'define a = {"x  and y", "# none", "\\"|\\"", "é", `from`, `plain`}\n'
    assert body(text) == text


def test_a_table_of_a_test_whose_bars_are_not_certain_stays() -> None:
    text = 'test "t"\n  given t\n    |a|"|" |\n    | 1   | x\n  expect\n    | rule |\n'
    assert body(text) == text


def test_a_text_longer_than_a_line_is_not_broken() -> None:
    text = f'rule A error\n  for p in t\n  require p.a\n  message "{"long " * 40}"\n'
    assert body(text) == text


def test_long_lists_are_filled() -> None:
    codes = ", ".join(f'"{number:02}"' for number in range(60))
    lines = body(f"define a = x in {{{codes}}}").split("\n")
    assert max(map(len, lines)) <= LONGEST
    assert len(lines) == 6


# ── together and apart ─────────────────────────────────────────────────────────────────────────


def test_what_stands_together_stays_together_where_it_is_of_one_kind_and_one_line() -> None:
    text = "define a = 1\ndefine bc = 2\n\n\ndefine d = 3\nparameter p: text\nparameter qr: date"
    assert body(text) == (
        "define a  = 1\ndefine bc = 2\n\ndefine d = 3\n\nparameter p:  text\nparameter qr: date\n"
    )


def test_rules_and_codes_are_apart() -> None:
    text = "rule A error for p in t require p.a rule B error for p in t require p.a"
    assert body(text) == (
        "rule A error\n  for p in t\n  require p.a\n\nrule B error\n  for p in t\n  require p.a\n"
    )


def test_paragraphs_of_tables_stay_and_those_of_rules_do_not() -> None:
    text = (
        "table t\n\n  a: text\n\n\n  b: text\n  # c\n\n  c: text\nrule A error\n\n  for p in t\n\n"
    )
    assert body(text) == (
        "table t\n  a: text\n\n  b: text\n  # c\n\n  c: text\n\nrule A error\n  for p in t\n"
    )


def test_a_section_has_two_empty_lines_before_it() -> None:
    line = "# " + "─" * 20
    text = f"define a = 1\n{line}\n\n# About b.\ndefine b = 2\n"
    assert body(text) == f"define a = 1\n\n\n{line}\n\n# About b.\ndefine b = 2\n"


# ── comments ───────────────────────────────────────────────────────────────────────────────────


def test_comments_between_declarations() -> None:
    text = """\
# top

# of the header
rulebook r edition 1

# apart

# of a
define a = 1  # behind a
# below a

# of the rule
rule A error
  for p in t
  # require p.b

# last
"""
    assert laid(text) == text


def test_a_comment_between_two_declarations_goes_with_the_second() -> None:
    text = "rule A error for p in t\n# of B\nrule B error for p in t"
    assert body(text) == "rule A error\n  for p in t\n\n# of B\nrule B error\n  for p in t\n"


def test_an_indented_comment_below_a_declaration_stays_with_it() -> None:
    text = "rule A error for p in t\n\n      # of A\n# of B\nrule B error for p in t"
    assert body(text) == (
        "rule A error\n  for p in t\n  # of A\n\n# of B\nrule B error\n  for p in t\n"
    )


def test_comments_within_a_declaration() -> None:
    text = """\
rule A error  # of the rule
  # before for
  for p in t  # behind for

    # before when, one
        # before when, two
  when p.a and # why
       p.b
       # alone
       and p.c  # behind c
  require f(p.a, # first
            p.b  # second
           )
  message "x"
"""
    assert (
        body(text)
        == """\
rule A error  # of the rule
  # before for
  for p in t  # behind for
  # before when, one
  # before when, two
  when p.a
       and  # why
       p.b
       # alone
       and p.c  # behind c
  require f(p.a,  # first
            p.b  # second
    )
  message "x"
"""
    )


def test_comments_of_columns_stand_below_each_other() -> None:
    text = 'codes c\n"1" "One" # a\n"2" "Two"\n"30" "Thirty" # b\n# c\n"4" "Four"'
    assert body(text) == (
        'codes c\n  "1"  "One"     # a\n  "2"  "Two"\n  "30" "Thirty"  # b\n  # c\n  "4"  "Four"\n'
    )


def test_a_comment_between_the_rows_of_a_test() -> None:
    text = 'test "t" given t # g\n# one\n|a|b|\n# two\n|100|2|\nexpect nothing # e\n  # end'
    assert body(text) == (
        'test "t"\n  given t  # g\n    # one\n    | a   | b |\n    # two\n    | 100 | 2 |\n'
        "  expect nothing  # e\n  # end\n"
    )


TOKENS = """\
rulebook a.b edition 1
title "T"
uses c, d
parameter p: g in {"01", "02"} = "01" "Doc"
codes g "Doc"
"01" "General" also "Gen.", "G" since 2019-20
table t "Doc"
file "*.txt" delimited "^"
a: text required from "A" by label
key a, b
define f(r: t, on: date) = if not r.a between 1 and 2.5 then on + 1 else {1 .. 2, "x"}
view v from x in t with y in u on x.a = y.a where x.b group by x.c keep latest by x.a per x.b
rule A-1 error if a >= s.day(5, 1), otherwise warning
for p in prior.t where p.b not in {"01" .. "02"}
let n = count(distinct e.a for e in t where e.b matches "[0-9]+")
require (n or f(-n)) else "no"
due 5 business days
test "t" with p = "01" given t
| a | b |
expect nothing
"""


def test_a_comment_behind_every_token_and_before_every_token() -> None:
    for comment in ("  # {}\n", "\n\n# {}\n", " # {}\n# {}\n"):
        words = TOKENS.replace("(", " ( ").replace(",", " , ").split(" ")
        for at in range(1, len(words)):
            text = " ".join(words[:at]) + comment.replace("{}", "c") + " ".join(words[at:])
            try:
                result = laid(text)
            except RulebookError:
                continue  # a comment splits a text or a row here, or a code from its label
            assert result.count("# c") == comment.count("#")


# ── what is refused ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("define a = 1", "RF108"),
        (HEADER + "define a = (1", "RF101"),
        (HEADER + 'define a = "', "RF102"),
        (HEADER + "define a = 1 @", "RF103"),
        (HEADER + "define a = " + "(" * 3000 + "1" + ")" * 3000, "RF104"),
        ("", "RF108"),
    ],
)
def test_a_text_with_mistakes_in_its_syntax_is_refused(text: str, code: str) -> None:
    with pytest.raises(RulebookError) as refusal:
        reformat(Source("test.rules", text))
    assert [each.code for each in refusal.value.diagnostics] == [code]


def test_a_text_that_would_grow_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ruleforge.language.cut.MOST_CHARACTERS", 1_000)
    monkeypatch.setattr("ruleforge.language.reformat.MOST_CHARACTERS", 1_000)
    with pytest.raises(RulebookError) as refusal:
        reformat(Source("test.rules", HEADER + "codes c\n" + '"1" "1"\n' * 120))
    assert [each.code for each in refusal.value.diagnostics] == ["RF104"]


@pytest.mark.parametrize("depth", [50, 99, 101, 150, 600])
@pytest.mark.parametrize("unit", ["(", "not (", "f(x, ", "{", "-(", "exists(e in t where e.a and "])
def test_deep_nesting_is_laid_out_or_refused(unit: str, depth: int) -> None:
    closing = "}" if unit == "{" else ")"
    try:
        laid(HEADER + "define a = " + unit * depth + "b and c" + closing * depth)
    except RulebookError as refusal:
        assert [each.code for each in refusal.diagnostics] == ["RF104"]


def test_a_long_name_does_not_push_everything_out() -> None:
    name = "n" * 50_000
    text = f"table t\n  {name}: text\n" + "  a: text\n" * 500
    assert len(body(text)) < 2 * len(text)
    text = f"define a = {name}(" + "(b and c), " * 2_000 + "d)"
    assert len(body(text)) < 12 * len(text)


def test_damage_is_noticed_before_anything_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ruleforge.language.reformat._whole", lambda *_: iter([HEADER]))
    with pytest.raises(ReformatError):
        reformat(Source("test.rules", HEADER + "define a = 1"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_rulebooks_are_in_order(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert laid(text) == text


def test_the_rulebook_of_the_language_page_is_one() -> None:
    page = (ROOT / "docs/language.md").read_text(encoding="utf-8")
    text = page.split("```rules\n")[1].split("```")[0]
    assert laid(text)
