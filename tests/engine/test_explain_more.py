"""explain, beyond one table: views, scopes, datasets, `against`, `after`, functions of the host."""

import datetime as dt
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

import ruleforge as rf
from ruleforge.engine.evaluate import judgements
from ruleforge.engine.explain import explain
from ruleforge.engine.explanation import RowsSeen

HERE = Path(__file__).parent / "explanations"
BOOK = rf.load(HERE / "beyond.rules")
DAY = dt.date(2023, 12, 5)
PARAMETERS = {"count_date": "2023-12-01"}
FILES = {
    "now/pupil.csv": """\
pupil_id,name,secret
P1,Kim,x
P2,Kim,x
P3,Kim,y
P4,,x
P5,Kim Lee,
""",
    "now/stay.csv": """\
pupil_id,school_id,entry,leave,days
P1,S1,2023-08-01,2023-10-01,40
P1,S2,2023-09-15,,10
P1,S3,2022-08-01,2023-06-01,150
P1,S1,2023-11-15,,3
P2,S1,2023-08-01,,x
P3,S9,2023-08-01,,100
P4,S1,2023-08-01,2023-09-31,1
P4,S1,2023-08-01,2023-10-31,250
P5,S1,2024-08-01,2024-09-30,1
""",
    "now/school.csv": "school_id,excluded\nS1,false\nS2,\nS9,true\n",
    "before/stay.csv": "pupil_id,school_id,entry,leave,days\nP1,S1,2022-08-01,,1\n",
}


def similarity(a: pl.Series, b: pl.Series) -> pl.Series:
    """The share of the letters of two texts that both have."""
    pairs = [(set(x), set(y)) for x, y in zip(a, b, strict=True)]
    return pl.Series([len(x & y) / len(x | y) for x, y in pairs], dtype=pl.Float64)


FUNCTIONS = {"similarity": similarity}
Golden = Callable[[Path, str], None]


@pytest.fixture
def revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> rf.Revision:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return rf.read(BOOK, "now", datasets={"prior": "before"})


@pytest.fixture
def result(revision: rf.Revision) -> rf.Result:
    return rf.evaluate(BOOK, revision, as_of=DAY, parameters=PARAMETERS, functions=FUNCTIONS)


@pytest.mark.parametrize(
    ("name", "rule", "row"),
    [
        ("a_group", "View-1", {"pupil_id": "P1"}),
        ("a_view", "View-2", {"pupil_id": "P1"}),
        ("not_the_latest", "View-2", {"pupil_id": "P1", "line": 2}),
        ("not_in_the_view", "View-2", {"pupil_id": "P5"}),
        ("a_pair", "View-3", {"first": "P1", "second": "P2"}),
        ("rows_of_a_view", "View-4", {"student": "P1"}),
        ("outside_the_scope", "Scope-1", {"pupil_id": "P3"}),
        ("a_bad_cell_in_a_scope", "Scope-1", {"pupil_id": "P2"}),
        ("built_in_outside_the_scope", "stay.days.type", {"line": 7}),
        ("last_year", "Prior-1", {"line": 2}),
        ("another_last_year", "Prior-2", {"line": 4}),
        ("a_conflict", "Conf-1", {"line": 2}),
        ("no_conflict", "Conf-1", {"line": 4}),
        ("a_conflict_withheld", "Conf-2", {"pupil_id": "P1"}),
        ("taken", "After-1", {"line": 3}),
        ("taken_by_roles", "After-2", {"pupil_id": "P1"}),
        ("a_function", "Host-1", {"pupil_id": "P5"}),
        ("a_function_of_nothing", "Host-1", {"pupil_id": "P4"}),
    ],
)
def test_the_page(
    result: rf.Result, golden: Golden, name: str, rule: str, row: dict[str, object]
) -> None:
    explanation = result.explain(rule, row)
    golden(HERE / f"{name}.txt", str(explanation))
    assert json.loads(json.dumps(explanation.to_dict())) == explanation.to_dict()


def test_every_row_has_the_verdict_of_the_evaluation(
    result: rf.Result, revision: rf.Revision
) -> None:
    """By line, where a row has one: it is the row's own, or that of the row it is made of."""
    said = judgements(BOOK, revision, as_of=DAY, parameters=PARAMETERS, functions=FUNCTIONS)
    words = ("not applicable", "holds", "unknown", "fails")
    seen = 0
    for rule in BOOK.rules:
        if rule.variable.table == "by_pupil":
            continue
        counted: Counter[str | None] = Counter()
        for line in range(2, 12):
            try:
                counted[result.explain(rule.id, {"line": line}).verdict] += 1
            except rf.RowError as mistake:
                several = rule.id == "View-3" and "2 rows" in str(mistake)
                assert several or "no row of" in str(mistake), mistake
        found = Counter(words[verdict] for verdict in said[rule.id]["verdict"])
        del counted[None]
        if rule.id != "View-3":  # two of its rows are made of one
            assert counted == found, rule.id
        seen += counted.total()
    assert seen > 40


# ── what stands against a row ──────────────────────────────────────────────────────────────────


def rows_against(explanation: rf.Explanation) -> RowsSeen:
    clause = explanation.clauses[-1]
    assert clause.word == "against"
    assert clause.step.rows is not None
    return clause.step.rows


def conflicts(tables: dict[str, pl.DataFrame], *, most_rows: int = 5) -> rf.Explanation:
    return explain(
        rf.load_text(
            """\
rulebook twins edition 1
table stay
  pupil: text required identifies student
  place: text
  days:  integer
rule C-1 conflict
  for s in stay
  against o in stay where o.pupil = s.pupil and o.place = s.place and o.days > 5
  message "{o.days}"
"""
        ),
        rf.Revision("r", dict(tables)),
        "C-1",
        {"days": 7},
        as_of=DAY,
        most_rows=most_rows,
    )


def test_a_row_is_not_its_own_counterpart_but_its_twin_is() -> None:
    row = {"pupil": "P1", "place": "A", "days": 7}
    alone = conflicts({"stay": pl.DataFrame([row])})
    assert alone.verdict == "holds"
    rows = rows_against(alone)
    assert (rows.looked_at, rows.matching, rows.others) == (0, 0, True)
    assert "no other row of stay is linked to this row" in str(alone)
    # Twins differ in nothing, so the one that is meant cannot be said, unless a third column does.
    twins = pl.DataFrame([row | {"days": 7}, row | {"days": 8}, row | {"days": 8}])
    beside = conflicts({"stay": twins})
    assert (beside.verdict, beside.message) == ("fails", "8")
    assert rows_against(beside).matching == 2


def test_a_value_that_links_no_row_because_it_is_missing_is_named() -> None:
    rows = [{"pupil": None, "place": "A", "days": 7}, {"pupil": None, "place": "A", "days": 9}]
    said = conflicts({"stay": pl.DataFrame(rows, schema_overrides={"pupil": pl.String})})
    assert said.verdict == "holds"
    assert rows_against(said).missing == ("s.pupil",)
    assert "no other row of stay is linked to this row, as s.pupil is missing" in str(said)


def test_those_that_nearly_stand_against_a_row_come_first_and_are_counted() -> None:
    near = [{"pupil": "P1", "place": "A", "days": 5}] * 30
    far = [{"pupil": "P1", "place": "B", "days": 1}] * 40
    unknown = [{"pupil": "P1", "place": "A", "days": None}]
    against = [{"pupil": "P1", "place": "A", "days": 9 + n} for n in range(4)]
    own = [{"pupil": "P1", "place": "A", "days": 7}]
    others = [{"pupil": "P2", "place": "A", "days": 9}] * 3
    frame = pl.DataFrame([*far, *near, *unknown, *against, *own, *others])
    said = conflicts({"stay": frame}, most_rows=3)
    rows = rows_against(said)
    assert (rows.looked_at, rows.matching, rows.left_out, rows.linked) == (78, 4, 72, False)
    assert [dict(each.values)["days"] for each in rows.rows] == [
        "9",
        "10",
        "11",
        "(missing)",
        "5",
        "5",
    ]
    assert [each.matches for each in rows.rows] == [True, True, True, None, False, False]
    (why,) = rows.rows[4].because
    assert (why.text, why.value) == ("o.days > 5", False)
    assert said.message == "9, 10, 11, 12"
    assert "78 other rows of stay are looked at, of which 4 match:" in str(said)
    assert "… and 72 more" in str(said)


def test_a_conflict_that_reads_what_is_sensitive_names_no_row(result: rf.Result) -> None:
    said = result.explain("Conf-2", {"pupil_id": "P1"})
    text = json.dumps(said.to_dict()) + str(said)
    assert '"x"' not in text and "secret x" not in text
    assert "its rows are withheld" in text
    shown = result.explain("Conf-2", {"pupil_id": "P1"}, show_sensitive=True)
    assert rows_against(shown).rows[0].place.key == (("pupil_id", "P2"),)


# ── what `after` takes ─────────────────────────────────────────────────────────────────────────


def test_a_row_that_is_taken_names_who_reported_it(result: rf.Result) -> None:
    said = result.explain("After-2", {"pupil_id": "P1"})
    assert (said.verdict, said.cause, said.message) == ("not applicable", None, "")
    assert [(each.rule, each.row.table) for each in said.taken] == [
        ("Conf-1", "stay"),
        ("View-1", "by_pupil"),
    ]
    assert said.taken[0].message == "P1 is at S1 and S2."
    assert said.clauses == ()
    untaken = result.explain("After-2", {"pupil_id": "P4"})
    assert (untaken.verdict, untaken.taken) == ("fails", ())


def test_a_row_taken_from_the_rule_before_takes_nothing_itself() -> None:
    book = rf.load_text(
        """\
rulebook chain edition 1
table pupil
  pupil: text required identifies student
  days:  integer
  key pupil
rule A-1 error
  for p in pupil
  report when p.days > 5
rule A-2 error
  for p in pupil
  after A-1
  report when p.days > 3
rule A-3 error
  for p in pupil
  after A-2
  report when p.days > 1
rule A-4 error
  applies when as_of < 2000-01-01
  for p in pupil
  report when p.days > 0
rule A-5 error
  for p in pupil
  after A-4
  report when p.days > 0
"""
    )
    frame = pl.DataFrame({"pupil": ["P1", "P2", "P3"], "days": [6, 4, 2]})
    result = rf.evaluate(book, rf.Revision("r", {"pupil": frame}), as_of=DAY)
    said = {
        (rule, pupil): result.explain(rule, {"pupil": pupil})
        for rule in ("A-1", "A-2", "A-3", "A-5")
        for pupil in ("P1", "P2", "P3")
    }
    verdicts = {asked: each.verdict for asked, each in said.items()}
    assert [verdicts["A-2", p] for p in ("P1", "P2", "P3")] == ["not applicable", "fails", "holds"]
    assert [verdicts["A-3", p] for p in ("P1", "P2", "P3")] == ["fails", "not applicable", "fails"]
    assert {verdicts["A-5", p] for p in ("P1", "P2", "P3")} == {"fails"}
    by_rule = {row["rule"]: row for row in result.rules.iter_rows(named=True)}
    for rule in ("A-1", "A-2", "A-3", "A-5"):
        found = Counter(verdict for (name, _), verdict in verdicts.items() if name == rule)
        assert found["fails"] == by_rule[rule]["fails"]


def test_roles_of_two_types_are_one_where_their_texts_are() -> None:
    book = rf.load_text(
        """\
rulebook types edition 1
table pupil
  number: integer required identifies student
  name:   text
  key number
table stay
  pupil: text required identifies student
  days:  integer
rule A-1 error
  for s in stay
  report when s.days > 5
rule A-2 error
  for p in pupil
  after A-1
  require p.name is present
"""
    )
    tables = {
        "pupil": pl.DataFrame({"number": [7, 8, 9], "name": [None] * 3}),
        "stay": pl.DataFrame({"pupil": ["7", "08", "nine", "9"], "days": [9, 9, 9, 1]}),
    }
    result = rf.evaluate(book, rf.Revision("r", tables), as_of=DAY)
    verdicts = [result.explain("A-2", {"number": n}).verdict for n in (7, 8, 9)]
    assert verdicts == ["not applicable", "fails", "fails"]
    assert result.rules.filter(pl.col("rule") == "A-2")["taken"].to_list() == [1]


# ── rows of views ──────────────────────────────────────────────────────────────────────────────


def test_a_row_of_a_group_shows_the_rows_that_it_is_made_of(result: rf.Result) -> None:
    said = result.explain("View-1", {"student": "P1"}, most_rows=3)
    assert said.row.file is None
    assert said.made_of is not None
    assert (said.made_of.table, said.made_of.looked_at, said.made_of.left_out) == ("stay", 4, 1)
    assert [each.place.line for each in said.made_of.rows] == [2, 3, 4]
    assert "Made of 4 rows of stay" in str(said)
    # Nothing is said of rows behind a row of any other kind.
    assert result.explain("View-2", {"pupil_id": "P1"}).made_of is None


PAIRS = """\
rulebook pairs edition 1
table stay
  pupil: text required identifies student
  days:  integer
view pair
  from s in stay with o in stay on s.pupil = o.pupil
  select pupil = s.pupil, both = s.days + o.days
rule P-1 error
  for p in pair
  require p.both < 10
"""


def test_rows_of_a_view_that_have_one_key_are_told_by_the_columns_in_which_they_differ() -> None:
    book = rf.load_text(PAIRS)
    stay = pl.DataFrame({"pupil": ["P1", "P1", "P2", "P2"], "days": [4, 7, 3, 3]})
    result = rf.evaluate(book, rf.Revision("r", {"stay": stay}), as_of=DAY)
    with pytest.raises(rf.RowError, match="4 rows of `pair` have pupil P1") as raised:
        result.explain("P-1", {"pupil": "P1"})
    assert [each["both"] for each in raised.value.choices] == ["8", "11", "11", "14"]
    # Of rows that are equal in everything every rule says the same.
    assert result.explain("P-1", {"pupil": "P1", "both": 14}).verdict == "fails"
    assert result.explain("P-1", {"pupil": "P2"}).verdict == "holds"


def test_a_view_is_whole_whatever_the_evaluation_has_read(revision: rf.Revision) -> None:
    only = rf.evaluate(
        BOOK,
        revision,
        as_of=DAY,
        parameters=PARAMETERS,
        functions=FUNCTIONS,
        rules=["Prior-1"],
    )
    said = only.explain("View-2", {"pupil_id": "P4", "school": "S1", "line": 9})
    assert said.verdict in {"fails", None}
    assert only.explain("View-4", {"pupil_id": "P1"}).verdict == "fails"
    # A column that no rule reads names the row as well.
    assert only.explain("View-2", {"days": "3"}).row.line == 5


def test_which_of_several_is_left_out(result: rf.Result) -> None:
    lines = {line: result.explain("View-2", {"line": line}) for line in (2, 3, 4, 5, 7, 10)}
    assert {line for line, said in lines.items() if said.verdict is not None} == {5}
    assert "which keeps the latest of several: another row" in lines[2].reason
    assert "a scope leaves this row of `stay` out" in lines[7].reason
    assert lines[10].reason == "this row of `stay` is not in the view `last_stay`"
    assert [(c.word, c.step.value, c.step.decided) for c in lines[10].clauses] == [
        ("where of last_stay", False, True)
    ]
    # The row that is kept is named by no `scope` or `where`.
    assert lines[5].clauses[0].word == "report when"


def test_other_rules_are_those_of_the_table_within_its_scope_and_without(
    result: rf.Result,
) -> None:
    within = {each.rule: each for each in result.explain("Scope-1", {"line": 6}).others}
    assert within["Prior-1"].verdict == "fails"
    assert within["stay.days.type"].verdict == "fails"
    outside = {each.rule: each for each in result.explain("stay.key", {"line": 7}).others}
    assert outside["Scope-1"].verdict is None
    assert outside["Scope-1"].reason == "a scope leaves the row out"
    assert outside["stay.days.type"].verdict == "holds"
    back = {each.rule: each for each in result.explain("stay.key", {"line": 6}).others}
    assert back["Scope-1"].verdict == "fails"
    assert "View-2" not in back  # it is about rows of a view


@pytest.mark.parametrize(
    ("rule", "row", "said"),
    [
        ("View-1", {"pupil_id": "P9"}, "no row of `by_pupil` has pupil_id P9"),
        ("View-1", {"line": 2}, "the rows of `by_pupil` have no lines"),
        ("View-2", {"pupil_id": "P9"}, "no row of `last_stay` has pupil_id P9"),
        ("View-2", {"pupil_id": "P4", "days": 9}, "no row of `last_stay` has pupil_id P4, days 9"),
        ("View-3", {"line": 2, "name": "Kim"}, "2 rows of `twins` have line 2, name Kim"),
        ("Scope-1", {"pupil_id": "P1"}, "4 rows of `stay` have pupil_id P1"),
        ("Scope-1", {"school": "S9", "pupil": "P3"}, "`pupil` is no column or role of `stay`"),
    ],
)
def test_a_row_that_cannot_be_told(
    result: rf.Result, rule: str, row: dict[str, object], said: str
) -> None:
    with pytest.raises(rf.RowError) as raised:
        result.explain(rule, row)
    assert said in str(raised.value)
    assert "@" not in str(raised.value)


# ── what is not there ──────────────────────────────────────────────────────────────────────────


def test_a_dataset_that_is_not_given(revision: rf.Revision) -> None:
    bare = rf.Revision("now", revision.tables)
    said = explain(
        BOOK,
        bare,
        "Prior-1",
        {"line": 2},
        as_of=DAY,
        parameters=PARAMETERS,
        functions=FUNCTIONS,
    )
    assert (said.verdict, said.reason) == (None, "the dataset `prior` is not given")


def test_a_view_that_cannot_be_made(revision: rf.Revision) -> None:
    with pytest.raises(rf.RowError) as raised:
        explain(BOOK, revision, "View-1", {"pupil_id": "P1"}, as_of=DAY, functions=FUNCTIONS)
    assert "`by_pupil` cannot be made: the parameter `count_date` is not given" in str(raised.value)
    said = explain(BOOK, revision, "View-4", {"pupil_id": "P1"}, as_of=DAY, functions=FUNCTIONS)
    assert said.verdict is None and "`last_stay` cannot be made" in said.reason


def test_a_rule_after_one_that_is_not_evaluated(revision: rf.Revision) -> None:
    said = explain(BOOK, revision, "After-2", {"pupil_id": "P4"}, as_of=DAY, functions=FUNCTIONS)
    assert said.verdict is None
    assert said.reason == "it is judged after `View-1`, which is not evaluated"


def test_functions_that_are_lacking_or_fail(revision: rf.Revision) -> None:
    with pytest.raises(rf.FunctionError, match="not registered"):
        explain(BOOK, revision, "Host-1", {"pupil_id": "P1"}, as_of=DAY)

    def broken(a: pl.Series, b: pl.Series) -> pl.Series:
        raise ArithmeticError(f"{a.len()} and {b.len()}")

    with pytest.raises(rf.FunctionError, match="`similarity` raised ArithmeticError: 1 and 1"):
        explain(
            BOOK,
            revision,
            "Host-1",
            {"pupil_id": "P1"},
            as_of=DAY,
            functions={"similarity": broken},
        )
