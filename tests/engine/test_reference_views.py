"""The reference, construct by construct: what views hold, what rules say over them. Every number is
worked out by hand from docs/language.md.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal as D
from typing import Any

import polars as pl
import pytest

from ruleforge.engine.reference_backend import Evaluator, Judgement, Row, Verdict
from ruleforge.engine.reference_host import plain_functions
from ruleforge.engine.reference_judge import (
    DoesNotApply,
    Reported,
    Unit,
    counterparts,
    figures_of,
    in_force,
    judge_all,
    message_of,
    reported_by,
    units_of,
)
from ruleforge.engine.reference_views import with_views
from ruleforge.language import core
from ruleforge.language.core import Severity
from ruleforge.language.load import load_text
from ruleforge.language.schema import SchoolYear

SCHEMA = """rulebook tried.case edition 1
# In an order that is not that of the letters.
codes grade
  "KG" "Kindergarten"
  "10" "Tenth"
  "01" "First"
dataset prior "Last year"
parameter least: integer
parameter day: date
lookup table school
  school_id: text identifies school
  sector:    text
  key school_id
table pupil
  pupil_id: text identifies student
  born:     integer
  name:     text sensitive
  key pupil_id
table stay
  pupil_id:  text identifies student references pupil
  school_id: text identifies school references school
  entry:     integer
  grade:     grade
  n:         integer
  rate:      decimal
  open:      boolean
  key pupil_id, school_id, entry
table bare "Without a key"
  pupil_id: text identifies student
  a:        integer
"""
HOLDS, FAILS, UNKNOWN, NOT_APPLICABLE = Verdict
Registered = Mapping[str, Callable[..., pl.Series]]


def stays(*rows: Sequence[Any]) -> list[Row]:
    """Stays as pupil, school, entry and then perhaps grade, n, rate, open."""
    names = ("pupil_id", "school_id", "entry", "grade", "n", "rate", "open")
    return [dict.fromkeys(names) | dict(zip(names, row, strict=False)) for row in rows]


def table(names: str, *rows: Sequence[Any]) -> list[Row]:
    return [dict(zip(names.split(), row, strict=True)) for row in rows]


class Tried:
    """A rulebook, tables (those that are not named are there and empty) and what the reference makes
    of them.
    """

    def __init__(
        self,
        body: str,
        parameters: Mapping[str, Any] | None = None,
        functions: Registered | None = None,
        **tables: list[Row],
    ) -> None:
        self.rulebook = load_text(SCHEMA + body, "tried.rules")
        self.parameters = {"least": 2, "day": dt.date(2023, 10, 1), **(parameters or {})}
        self.functions = functions or {}
        empty: dict[str, list[Row]] = {name: [] for name in self.rulebook.schema.tables}
        given = {name.replace("__", "."): rows for name, rows in tables.items()}
        self.tables = with_views(self.rulebook, empty | given, self.parameters, self.functions)

    def rows(self, view: str, *columns: str) -> list[tuple[Any, ...]]:
        """The rows of a view, of some columns or of all."""
        return [
            tuple(row[name] for name in columns) if columns else tuple(row.values())
            for row in self.tables[view]
        ]

    def judged(self) -> dict[str, list[Judgement]]:
        return judge_all(self.rulebook, self.tables, self.parameters, self.functions)

    def verdicts(self, rule: str = "R") -> list[Verdict]:
        return [each.verdict for each in self.judged()[rule]]

    def rule(self, name: str = "R") -> core.Rule:
        return next(rule for rule in self.rulebook.rules if rule.id == name)

    def evaluator(self, number: int, name: str = "R") -> Evaluator:
        rule = self.rule(name)
        row = self.tables[rule.variable.table][number]
        plain = plain_functions(self.rulebook, self.functions)
        schema = self.rulebook.schema
        return Evaluator.of_row(rule, schema, self.tables, self.parameters, row, plain)

    def said(self, number: int, **options: bool) -> str:
        return message_of(self.rule(), 1, self.evaluator(number), **options)

    def against(self, number: int) -> list[Row]:
        return counterparts(self.rule(), self.evaluator(number))

    def findings(self) -> list[Reported]:
        found = []
        for rule in self.rulebook.rules:
            severity = in_force(rule, self.rulebook.schema, self.tables, self.parameters)
            if isinstance(severity, Severity):
                judgements = self.judged()[rule.id]
                found += reported_by(rule, severity, judgements, self.rulebook.schema, self.tables)
        return found

    def units(self) -> list[Unit]:
        units = units_of(
            self.rulebook.populations[0],
            self.findings(),
            self.rulebook.schema,
            self.tables,
            self.parameters,
        )
        assert units is not None
        return units

    def report(self) -> list[tuple[Any, ...]]:
        rows = figures_of(
            self.rulebook.reports[0], self.rulebook.schema, self.tables, self.parameters
        )
        assert rows is not None
        return [tuple(row.values()) for row in rows]


def view(select: str, rows: list[Row], **parameters: Any) -> list[tuple[Any, ...]]:
    """The rows of a view over stays."""
    return Tried(f"view v from x in stay {select}", parameters, stay=rows).rows("v")


# ── views of single rows ───────────────────────────────────────────────────────────────────────


def test_a_view_keeps_rows_whose_where_is_true_in_their_order() -> None:
    rows = stays(("P2", "S", 3), ("P1", "S", None), ("P1", "S", 1), ("P1", "S", 5))
    tried = Tried("view v from x in stay where x.entry > 2", stay=rows)
    assert tried.rows("v", "pupil_id", "entry") == [("P2", 3), ("P1", 5)]
    assert tried.tables["v"][0] == rows[0], "every column of the row"


def test_a_view_selects_values_and_takes_its_key_along() -> None:
    tried = Tried(
        "view v from x in stay select twice = x.n * 2, here = x.school.sector",
        stay=stays(("P1", "S1", 1, None, 4), ("P2", "S9", 2), (None, "S1", 3, None, None)),
        school=table("school_id sector", ("S1", "public")),
    )
    assert tried.rows("v") == [
        (8, "public", "P1", "S1", 1),
        (None, None, "P2", "S9", 2),
        (None, "public", None, "S1", 3),
    ]


def test_a_join_stands_each_row_beside_each_that_it_matches() -> None:
    tried = Tried(
        "view v from x in stay with p in pupil on p.pupil_id = x.pupil_id and p.born > 5"
        " where x.n is missing or x.n != p.born",
        stay=stays(("P2", "S", 1), ("P1", "S", 2), (None, "S", 3), ("P1", "S", 4, None, 7)),
        pupil=table(
            "pupil_id born name",
            ("P1", 6, "a"),
            ("P1", 7, "b"),  # a key twice: a row beside both
            ("P2", 5, "c"),
            (None, 9, "d"),  # what is missing matches nothing
            ("P2", None, "e"),
        ),
    )
    # The order of the stays, then that of the pupils; the stay of n = 7 is not beside the born = 7.
    assert tried.rows("v", "pupil_id", "entry", "born", "name") == [
        ("P1", 2, 6, "a"),
        ("P1", 2, 7, "b"),
        ("P1", 4, 6, "a"),
    ]


def test_a_join_of_a_table_with_itself() -> None:
    tried = Tried(
        "view v from x in stay with y in stay on y.pupil_id = x.pupil_id"
        " where y.entry >= x.entry select a = x.entry, b = y.entry, p = x.pupil_id,"
        " q = x.school_id, r = y.school_id",
        stay=stays(("P1", "S", 2), ("P1", "S", 1), ("P2", "S", 9)),
    )
    assert tried.rows("v", "a", "b") == [(2, 2), (1, 2), (1, 1), (9, 9)]


def test_views_over_views_and_figures_of_other_tables() -> None:
    tried = Tried(
        """
        view big from s in sums where s.total >= least
        view sums from x in stay group by x.pupil_id
          select total = sum(x.n for x), younger = count(p in pupil where p.born = sum(x.n for x))
        """,
        stay=stays(("P1", "S", 1, None, 1), ("P1", "S", 2, None, 2), ("P2", "S", 3, None, 1)),
        pupil=table("pupil_id born name", ("A", 3, None), ("B", 3, None), ("C", 1, None)),
    )
    assert tried.rows("sums") == [("P1", 3, 2), ("P2", 1, 1)]
    assert tried.rows("big") == [("P1", 3, 2)]


# ── groups ─────────────────────────────────────────────────────────────────────────────────────


def test_groups_come_in_the_order_of_their_values_the_missing_first() -> None:
    rows = stays(
        ("P", "S", 1, "01"), ("P", "S", 2, "KG"), ("P", "S", 3), ("P", "S", 4, "10"), ("P", "S", 5, "01")
    )  # fmt: skip
    # KG, 10, 01 is the order of the set.
    assert view("group by x.grade select c = count(x)", rows) == [
        (None, 1),
        ("KG", 1),
        ("10", 1),
        ("01", 2),
    ]


def test_groups_of_several_values_the_missing_agree() -> None:
    rows = stays(
        ("P2", None, 1), ("P1", "B", 2), ("P1", None, 3), (None, None, 4), ("P1", None, 5), (None, "B", 6)
    )  # fmt: skip
    assert view("group by x.pupil_id, x.school_id select c = count(x)", rows) == [
        (None, None, 1),
        (None, "B", 1),
        ("P1", None, 2),
        ("P1", "B", 1),
        ("P2", None, 1),
    ]


def test_groups_of_equal_numbers_of_different_places() -> None:
    rows = stays(*(("P", "S", 1, None, None, D(each)) for each in ("1.50", "1.5", "-2", "0")))
    found = view("group by x.rate select c = count(x)", rows)
    assert found == [(D(-2), 1), (D(0), 1), (D("1.5"), 2)]


def test_a_group_by_a_condition() -> None:
    rows = stays(("P", "S", 1), ("P", "S", 5), ("P", "S", None), ("P", "S", 2))
    selected = "group by x.entry > 3 select late = x.entry > 3, c = count(x)"
    assert view(selected, rows) == [(None, 1), (False, 2), (True, 1)]


@pytest.mark.parametrize(
    ("figure", "of_p1", "of_p2"),
    [
        # P1: n 3, missing, 4, 3, open true, missing, false, true; P2: n missing, open missing.
        ("count(x)", 4, 1),
        ("count(x where x.open)", 2, 0),
        ("count(x where x.n is missing)", 1, 1),
        ("count(distinct x.n for x)", 2, 0),
        ("sum(x.n for x)", 10, 0),
        ("sum(x.n for x where x.open)", 6, 0),
        ("min(x.n for x)", 3, None),
        ("max(x.n for x)", 4, None),
        ("average(x.n for x)", D("3.3333333333"), None),
        ("exists(x where x.n > 3)", True, False),
        ("exists(x where x.n > 4)", False, False),
        ("exists(x)", True, True),
        ("every(x satisfies x.n >= 3)", None, None),  # true, unknown, true, true
        ("every(x satisfies x.n > 3)", False, None),  # false outweighs unknown
        ("every(x where x.n is present satisfies x.n >= 3)", True, True),  # of nothing: true
        ("every(x where x.n > 100 satisfies x.open)", True, True),
        ("count(x) + sum(x.n for x) * 2", 24, 1),
        ("if exists(x where x.open) then max(x.n for x) else 0", 4, 0),
        ("max(x.grade for x)", "01", None),
        ("count(x where x.n > least)", 3, 0),
        ("count(x where exists(p in pupil where p.pupil_id = x.pupil_id))", 4, 0),
        ("count(p in pupil where p.pupil_id = x.pupil_id)", 2, 0),
    ],
)
def test_figures_of_a_group(figure: str, of_p1: Any, of_p2: Any) -> None:
    tried = Tried(
        f"view v from x in stay group by x.pupil_id select f = {figure}",
        stay=stays(
            ("P1", "A", 1, "01", 3, None, True),
            ("P1", "B", 2, "KG", None, None, None),
            ("P2", "B", 2),
            ("P1", "C", 3, "10", 4, None, False),
            ("P1", "D", 4, None, 3, None, True),
        ),
        pupil=table("pupil_id born name", ("P1", 1, None), ("P1", 2, None), ("P3", 3, None)),
    )
    assert tried.rows("v") == [("P1", of_p1), ("P2", of_p2)]


@pytest.mark.parametrize(
    ("figure", "expected"),
    [
        ("latest(x by x.n).school_id", "C"),  # n 3 twice: the greater key, P1 C 2 over P1 B 9
        ("earliest(x by x.n).school_id", "A"),
        ("latest(x by x.n where x.entry > 2).school_id", "B"),
        ("latest(x by x.n where x.entry > 100).school_id", None),
        ("latest(x by x.entry).school_id", "D"),  # its n is missing, which does not matter
        ("latest(x by x.grade).entry", 2),  # 01 is the last of the set
        ("latest(x by x.n).school.sector", "public"),
        ("latest(x by x.n) is present", True),
        ("latest(x by x.n where x.entry > 100) is present", False),
        ("latest(x by x.n).school is present", True),
        ("earliest(x by x.n).school is present", False),  # A is not in the table of schools
        ("earliest(x by x.n).school is missing", True),
    ],
)
def test_rows_picked_from_a_group(figure: str, expected: Any) -> None:
    tried = Tried(
        f"view v from x in stay group by x.pupil_id select f = {figure}",
        stay=stays(
            ("P1", "B", 9, "KG", 3),
            ("P1", "D", 50, "10", None),
            ("P1", "C", 2, "01", 3),
            ("P1", "A", 7, None, 1),
        ),
        school=table("school_id sector", ("C", "public")),
    )
    assert tried.rows("v") == [("P1", expected)]


def test_ties_of_a_picked_row_go_by_the_other_columns_after_the_key() -> None:
    # The same key four times; n missing is the smallest, and `grade` comes before `n`.
    rows = stays(
        ("P1", "A", 1, "10", 5, D(2)), ("P1", "A", 1, "10", None, D(3)), ("P1", "A", 1, "KG", 9, D(4)),
        ("P1", "A", 1, "10", 7, D(1)),
    )  # fmt: skip
    figures = "last = latest(x by x.entry).rate, first = earliest(x by x.entry).rate"
    assert view(f"group by x.pupil_id select {figures}", rows) == [("P1", D(1), D(4))]
    assert view(f"group by x.pupil_id select {figures}", rows[:2]) == [("P1", D(2), D(3))]


def test_figures_of_joined_rows_see_the_pairs() -> None:
    tried = Tried(
        """
        view v from x in stay with p in pupil on p.pupil_id = x.pupil_id group by x.school_id
          select c = count(x), born = sum(p.born for x), n = sum(x.n for p),
          last = latest(p by p.born).name, of = latest(p by p.born).pupil_id,
          first = earliest(x by p.born).entry
        """,
        stay=stays(("P1", "A", 1, None, 10), ("P2", "A", 2, None, 20), ("P1", "B", 3, None, 40)),
        pupil=table("pupil_id born name", ("P1", 5, "one"), ("P1", 7, "two"), ("P2", 7, "three")),
    )
    # A: P1 beside one and two, P2 beside three; born 7 twice: stay P2 is greater than stay P1.
    assert tried.rows("v") == [
        ("A", 3, 19, 40, "three", "P2", 1),
        ("B", 2, 12, 80, "two", "P1", 3),
    ]


def test_ties_among_pairs_go_by_the_joined_row_after_the_first() -> None:
    tried = Tried(
        """
        view v from x in stay with p in pupil on p.pupil_id = x.pupil_id group by x.school_id
          select last = latest(x by x.entry).n, of = latest(x by x.entry).entry,
          last_born = latest(p by x.entry).born, first_born = earliest(p by x.entry).born
        """,
        stay=stays(("P1", "A", 1, None, 10)),
        pupil=table("pupil_id born name", ("P1", 7, None), ("P1", 9, None), ("P1", None, None)),
    )
    assert tried.rows("v") == [("A", 10, 1, 9, None)]


def test_groups_of_a_table_without_rows() -> None:
    assert view("group by x.grade select c = count(x)", []) == []
    report = "report r from x in stay show c = count(x), s = sum(x.n for x), m = max(x.n for x),"
    report += " l = latest(x by x.n).entry, e = every(x satisfies x.open), i = exists(x)"
    assert Tried(report).report() == [(0, 0, None, None, True, False)]


# ── keep ───────────────────────────────────────────────────────────────────────────────────────


def test_keep_takes_one_row_of_those_that_agree() -> None:
    rows = stays(
        ("P2", "A", 4), ("P1", "A", 1), ("P1", "B", 3), (None, "A", 2), ("P2", "B", None), (None, "B", 9)
    )  # fmt: skip
    tried = Tried("view v from x in stay keep latest by x.entry per x.pupil_id", stay=rows)
    assert tried.rows("v", "pupil_id", "entry") == [("P2", 4), ("P1", 3), (None, 9)]
    tried = Tried("view v from x in stay keep earliest by x.entry per x.pupil_id", stay=rows)
    assert tried.rows("v", "pupil_id", "entry") == [("P2", 4), ("P1", 1), (None, 2)]


def test_keep_has_no_row_where_every_value_is_missing() -> None:
    rows = stays(("P1", "A", None), ("P2", "A", 1))
    tried = Tried("view v from x in stay keep latest by x.entry per x.pupil_id", stay=rows)
    assert tried.rows("v", "pupil_id") == [("P2",)]


def test_keep_goes_by_the_key_and_then_by_the_other_columns() -> None:
    rows = stays(
        ("P1", "A", 5, "01", 7), ("P1", "B", 3, "KG", 7), ("P1", "B", 3, "10", 7), ("P1", "A", 9, None, 7)
    )  # fmt: skip
    tried = Tried("view v from x in stay keep latest by x.n per x.pupil_id", stay=rows)
    assert tried.rows("v", "school_id", "entry", "grade") == [("B", 3, "10")]
    tried = Tried("view v from x in stay keep earliest by x.n per x.pupil_id", stay=rows)
    assert tried.rows("v", "school_id", "entry", "grade") == [("A", 5, "01")]


def test_keep_by_what_is_not_selected_is_no_column() -> None:
    rows = stays(("P1", "A", 5, "01", 1), ("P1", "B", 3, "KG", 2), ("P2", "B", 4, "10", 2))
    tried = Tried(
        "view v from x in stay select g = x.grade keep latest by x.n * 2 per x.entry > 3", stay=rows
    )
    assert tried.rows("v") == [("KG", "P1", "B", 3), ("10", "P2", "B", 4)]


def test_keep_of_codes_goes_by_their_set_and_of_groups_by_their_figures() -> None:
    rows = stays(("P1", "A", 5, "10"), ("P1", "B", 3, "01"), ("P1", "C", 4, "KG"))
    tried = Tried("view v from x in stay keep latest by x.grade per x.pupil_id", stay=rows)
    assert tried.rows("v", "grade") == [("01",)]
    rows = stays(("P1", "A", 1), ("P1", "B", 2), ("P2", "A", 3), ("P1", "B", 4), ("P2", None, 5))
    body = "view v from x in stay group by x.pupil_id, x.school_id select c = count(x)"
    tried = Tried(f"{body} keep latest by count(x) per x.pupil_id", stay=rows)
    # P2 has A and none, a row each: of equal figures the greater key.
    assert tried.rows("v") == [("P1", "B", 2), ("P2", "A", 1)]


def test_keep_of_equal_rows_keeps_one() -> None:
    rows = stays(("P1", "A", 1), ("P1", "B", 1), ("P2", "A", 1), ("P1", "A", 1), ("P1", "A", 1))
    body = 'view v from x in stay where x.school_id = "A" keep {} by x.entry per x.pupil_id'
    # The last of the three or the first, which stands behind or before that of P2.
    tried = Tried(body.format("latest"), stay=rows)
    assert tried.rows("v", "pupil_id") == [("P2",), ("P1",)]
    tried = Tried(body.format("earliest"), stay=rows)
    assert tried.rows("v", "pupil_id") == [("P1",), ("P2",)]


# ── scopes, datasets, what is not there ────────────────────────────────────────────────────────


def test_a_scope_holds_for_every_read() -> None:
    tried = Tried(
        """
        scope x in stay where x.school.sector != "private"
        scope s in school where s.school_id != "S3"
        view v from x in stay
        rule R error for p in pupil require not exists(x in stay where x.pupil_id = p.pupil_id)
        rule Q error for x in stay require x.school is present
        rule V error for x in v require x.n is present
        """,
        stay=stays(("P1", "S1", 1), ("P2", "S2", 2), ("P3", "S3", 3), ("P4", "S4", 4)),
        pupil=table("pupil_id born name", *((f"P{n}", n, None) for n in range(1, 5))),
        school=table("school_id sector", ("S1", "public"), ("S2", "private"), ("S3", "public")),
    )
    # S4 has no sector: unknown is not true. The scope of stay itself sees every school.
    assert tried.rows("v", "entry") == [(1,), (3,)]
    assert tried.verdicts("R") == [FAILS, HOLDS, FAILS, HOLDS]
    assert tried.verdicts("Q") == [HOLDS, FAILS]
    assert [each.row_index for each in tried.judged()["Q"]] == [0, 1]
    assert tried.verdicts("V") == [FAILS, FAILS]


def test_a_dataset_has_rows_of_its_own_and_references_among_them() -> None:
    tried = Tried(
        """
        rule R error for x in stay
          require exists(y in prior.stay where y.pupil_id = x.pupil_id and y.school.sector = "b")
        rule P error for x in prior.stay require x.pupil is present
        """,
        stay=stays(("P1", "S1", 1), ("P2", "S1", 2)),
        pupil=table("pupil_id born name", ("P2", 1, None)),
        prior__stay=stays(("P2", "S1", 3), ("P1", "S2", 3)),
        prior__pupil=table("pupil_id born name", ("P1", 1, None)),
        prior__school=table("school_id sector", ("S1", "a"), ("S2", "b")),
    )
    assert tried.verdicts("R") == [HOLDS, FAILS]
    assert tried.verdicts("P") == [FAILS, HOLDS]


def test_a_lookup_table_that_a_dataset_does_not_bring_is_the_revisions() -> None:
    body = "rule R error for x in prior.stay require x.school.sector = x.pupil_id"
    prior = stays(("a", "S1", 1), ("b", "S1", 2))
    schools = table("school_id sector", ("S1", "a"))
    assert Tried(body, prior__stay=prior, school=schools).verdicts() == [HOLDS, FAILS]
    own = table("school_id sector", ("S1", "b"))
    tried = Tried(body, prior__stay=prior, school=schools, prior__school=own)
    assert tried.verdicts() == [FAILS, HOLDS]


def test_what_reads_a_dataset_that_is_not_there_is_not_evaluated() -> None:
    tried = Tried(
        """
        view last from x in prior.stay
        view later from x in last where x.n is present
        view v from x in stay select lost = exists(y in prior.stay where y.n = x.n)
        rule A error for x in last require x.n is present
        rule B error for x in stay require not exists(y in later where y.n = x.n)
        rule C error for x in stay require x.n is present message "{count(y in last)}"
        rule D error for x in v require x.entry > 1
        rule E error for x in v require x.lost
        rule F error for x in prior.school require x.sector is present
        rule G error for x in stay require x.n is present
        rule H error for x in stay after A require x.n is present
        rule I error applies when least > 100 for x in stay require x.n is present
        rule J error for x in stay after I require x.n is present
        """,
        stay=stays(("P1", "S", 1)),
    )
    assert {"last", "later"} & tried.tables.keys() == set()
    # H comes after what cannot be known, J after what is known to be silent.
    assert list(tried.judged()) == ["D", "G", "J"]


def test_a_column_that_was_not_supplied_is_none_of_a_view() -> None:
    rows = [{"pupil_id": "P1", "school_id": "S", "entry": 1}]
    tried = Tried(
        """
        view v from x in stay
        view w from x in stay where x.n > 1
        rule A error for x in v require x.entry > 1
        rule B error for x in v require x.n > 1
        rule C error for x in w require x.entry > 1
        rule R conflict for x in v against y in stay where y.pupil_id = x.pupil_id
          message "{x.n}, {y.n}"
        """,
        stay=rows,
    )
    assert tried.tables["v"] == rows
    assert list(tried.judged()) == ["A", "R"]
    assert tried.said(0) == "(missing), (missing)", "a message may name it"


def test_a_parameter_that_is_not_given() -> None:
    tried = Tried(
        """
        view v from x in stay where x.n > least
        rule A error for x in v require x.n > 3
        rule B error if day >= 2023-01-01, otherwise warning for x in stay require x.n > 3
        rule C error applies when least > 1 for x in stay require x.n > 3
        """,
        {"least": None},
        stay=stays(("P1", "S", 1, None, 2)),
    )
    assert "v" not in tried.tables
    assert list(tried.judged()) == ["B"]


# ── rules: in force, after ─────────────────────────────────────────────────────────────────────


def test_the_severity_in_force() -> None:
    tried = Tried(
        """
        rule A error if least > 5, warning if least > 1, otherwise informational
          for x in stay require x.n > 1
        rule B exclusion applies when least > 2 for x in stay require x.n > 1
        rule C error if least > 5, otherwise conflict for x in stay
          against y in stay where y.pupil_id = x.pupil_id
        """
    )
    schema, rules = tried.rulebook.schema, tried.rulebook.rules
    forces = [in_force(rule, schema, tried.tables, tried.parameters) for rule in rules]
    assert isinstance(forces.pop(1), DoesNotApply)
    assert forces == [Severity.WARNING, Severity.CONFLICT]


def test_after_takes_the_rows_that_a_rule_reports() -> None:
    tried = Tried(
        """
        rule Third error for x in stay after Second require x.entry > 100
        rule Second error for x in stay after First require x.entry > 2
        rule First error for x in stay where x.entry != 9 require x.n > 1
        """,
        stay=stays(
            ("P1", "A", 1, None, 0),  # First reports it
            (None, "A", 1, None, 0),  # and this one, whose key is not whole
            (None, "A", 1, None, 5),  # Second reports this one: a missing key is nobody else's
            ("P1", "B", 3, None, 5),  # nobody before Third does
            ("P1", "B", 3, None, None),  # unknown is no finding
            ("P1", "C", 9, None, 0),  # First does not look at it
        ),
    )
    judged = tried.judged()
    assert list(judged) == ["Third", "Second", "First"]
    assert judged["First"] == [
        Judgement(0, FAILS, 1),
        Judgement(1, FAILS, 1),
        Judgement(2, HOLDS),
        Judgement(3, HOLDS),
        Judgement(4, UNKNOWN),
    ]
    assert judged["Second"] == [
        Judgement(0, NOT_APPLICABLE, taken=True),
        Judgement(1, NOT_APPLICABLE, taken=True),
        Judgement(2, FAILS, 1),
        Judgement(3, HOLDS),
        Judgement(4, HOLDS),
        Judgement(5, HOLDS),
    ]
    # The first two were taken from Second, which did not report them: so Third judges them.
    assert judged["Third"] == [
        Judgement(0, FAILS, 1),
        Judgement(1, FAILS, 1),
        Judgement(2, NOT_APPLICABLE, taken=True),
        *(Judgement(number, FAILS, 1) for number in (3, 4, 5)),
    ]


def test_after_takes_every_row_of_a_reported_key() -> None:
    tried = Tried(
        """
        rule First error for x in stay require x.n > 1
        rule R error for x in stay after First require x.n is missing
        rule Bare error for x in bare require x.a > 1
        rule After error for x in bare after Bare require x.a is missing
        """,
        stay=stays(("P1", "A", 1, None, 0), ("P1", "A", 1, None, 5), ("P1", "A", 2, None, 5)),
        bare=table("pupil_id a", ("P1", 1), ("P1", 2), (None, 1)),
    )
    assert [each.taken for each in tried.judged()["R"]] == [True, True, False]
    # A table without a key has rows that are equal in everything, and no others.
    assert [each.taken for each in tried.judged()["After"]] == [True, False, True]


def test_after_of_several_rules_and_of_one_that_is_not_in_force() -> None:
    tried = Tried(
        """
        rule A error for x in stay require x.n != 1
        rule B error for x in stay require x.n != 2
        rule C error applies when least > 100 for x in stay require x.n != 3
        rule R error for x in stay after A, B, C when x.n != 4 require x.n is missing
        """,
        stay=stays(*(("P", "S", n, None, n) for n in (1, 2, 3, 4))),
    )
    assert [(each.verdict, each.taken) for each in tried.judged()["R"]] == [
        (NOT_APPLICABLE, True),
        (NOT_APPLICABLE, True),
        (FAILS, False),
        (NOT_APPLICABLE, False),
    ]


def test_after_a_rule_about_rows_of_the_same_key() -> None:
    tried = Tried(
        """
        view v from x in stay where x.n != 3
        rule First error for y in v require y.n != 1
        rule Old error for y in prior.stay require y.n != 2
        rule R error for x in stay after First, Old require x.n is missing
        """,
        stay=stays(
            ("P1", "A", 1, None, 1),
            ("P1", "A", 1, None, 2),  # the same key: taken as well
            ("P1", "A", 2, None, 3),
            ("P2", "A", 7, None, 3),  # the prior row has this key
            (None, "A", 4, None, 1),  # reported itself, but a missing key agrees with nothing
        ),
        prior__stay=stays(("P2", "A", 7, None, 2), ("P1", "A", 2, None, 4)),
    )
    assert [each.taken for each in tried.judged()["R"]] == [True, True, False, True, False]


def test_after_a_rule_about_rows_of_the_same_roles() -> None:
    tried = Tried(
        """
        rule Pupil error for p in pupil require p.born > 5
        rule Bare error for b in bare after Stay require b.a is missing
        rule Stay error for x in stay after Pupil require x.n > 5
        """,
        pupil=table("pupil_id born name", ("P1", 1, None), ("P2", 9, None), (None, 1, None)),
        stay=stays(
            ("P1", "A", 1, None, 1),  # taken: its pupil is reported
            ("P2", "A", 2, None, 1),
            ("P2", "B", 3, None, 9),
            (None, "C", 4, None, 1),
        ),
        bare=table("pupil_id a", ("P1", 1), ("P2", 1), ("P2", None), (None, 1)),
    )
    judged = tried.judged()
    assert [each.verdict for each in judged["Stay"]] == [NOT_APPLICABLE, FAILS, HOLDS, FAILS]
    assert [each.verdict for each in judged["Bare"]] == [
        FAILS,
        NOT_APPLICABLE,
        NOT_APPLICABLE,
        FAILS,
    ]


# ── against ────────────────────────────────────────────────────────────────────────────────────

PAIR = "for x in stay against y in stay where y.pupil_id = x.pupil_id"


def test_no_row_is_its_own_counterpart_but_one_like_it_is() -> None:
    rows = stays(("P1", "A", 1), ("P2", "A", 1), ("P2", "A", 1), (None, "A", 1), (None, "B", 1))
    tried = Tried(f"rule R conflict {PAIR}", stay=rows)
    assert tried.verdicts() == [HOLDS, FAILS, FAILS, HOLDS, HOLDS]
    assert tried.against(1) == [rows[2]]
    assert tried.against(1)[0] is rows[2]
    assert tried.against(2)[0] is rows[1]


def test_counterparts_come_by_their_key_and_then_their_other_columns() -> None:
    rows = stays(
        ("P1", "C", 1),
        ("P1", "B", 1, "01"),
        ("P1", "B", None, "10"),
        ("P1", "B", 1, "KG", 4),
        ("P1", None, 5),
        ("P1", "B", 1, "KG", 3),
        ("P1", "B", 1, None, 9),
    )
    tried = Tried(f'rule R conflict {PAIR} message "{{y.n}}"', stay=rows)
    order = [4, 2, 6, 5, 3, 1]
    assert [next(n for n in range(7) if rows[n] is each) for each in tried.against(0)] == order
    assert tried.said(0) == "(missing), 9, 3, 4", "each text once"


def test_against_a_dataset_and_a_view_has_no_row_of_its_own() -> None:
    tried = Tried(
        """
        view v from x in stay where x.n > 1
        rule R conflict for x in stay against y in v where y.pupil_id = x.pupil_id
        rule Old conflict for x in stay when x.entry = 1
          against y in prior.stay where y.pupil_id = x.pupil_id
        """,
        stay=stays(("P1", "A", 1, None, 2), ("P2", "A", 2, None, 1), ("P3", "A", None, None, 1)),
        prior__stay=stays(("P1", "A", 1), ("P2", "A", 2), ("P3", "A", 2)),
    )
    assert tried.verdicts("R") == [FAILS, HOLDS, HOLDS]
    # `when` false; and `when` unknown where the claim is false.
    assert tried.verdicts("Old") == [FAILS, NOT_APPLICABLE, UNKNOWN]


def test_a_message_lists_what_it_reads_of_counterparts() -> None:
    rows = stays(
        ("P1", "A", 1, "01", 1, D("0.50")),
        ("P1", "B", 2, "KG", 2, D("1.0"), True),
        ("P1", "C", 3, None, 2, None, False),
        ("P1", "C", 4, "KG", 1, D("1.00"), True),
    )
    message = (
        "{x.school_id}: {y.school_id}; {y.rate}; {y.open}; {x.n + y.n}; {count(z in school)};"
        " {count(z in stay where z.n = y.n)}; {last.entry}; {last.entry = y.entry}; {y.school.sector}"
    )
    tried = Tried(
        "rule R conflict for x in stay"
        " let last = latest(z in stay by z.entry where z.pupil_id = x.pupil_id)"
        f' against y in stay where y.pupil_id = x.pupil_id message "{message}"',
        stay=rows,
    )
    assert tried.said(0) == "A: B, C; 1, (missing); yes, no; 3, 2; 0; 2; 4; no, yes; (missing)"


def test_a_message_names_a_hundred_counterparts_at_most() -> None:
    body = (
        "rule R conflict for x in stay where x.n = 0 against y in stay"
        ' where y.pupil_id = x.pupil_id message "{y.entry}|{x.entry}|{y.n}"'
    )
    for number in (99, 100, 101, 250):
        rows = stays(("P1", "A", 0, None, 0), *(("P1", "B", n, None, 7) for n in range(number)))
        tried = Tried(body, stay=rows)
        more = " and more" if number > 100 else ""
        listed = ", ".join(str(n) for n in range(min(number, 100)))
        assert tried.said(0) == f"{listed}{more}|0|7{more}"
        assert len(tried.against(0)) == number


def test_a_message_withholds_what_is_sensitive() -> None:
    tried = Tried(
        "rule R conflict for x in pupil against y in pupil where y.born = x.born"
        ' message "{x.name}, {y.name}, {y.pupil_id}"',
        pupil=table("pupil_id born name", ("P1", 1, "Ann"), ("P2", 1, "Bo"), ("P3", 1, None)),
    )
    assert tried.said(0) == "(withheld), (withheld), P2, P3"
    assert tried.said(0, show_sensitive=True) == "Ann, Bo, (missing), P2, P3"


def test_after_a_conflict_and_against_what_is_left() -> None:
    tried = Tried(
        f"""
        rule R conflict {PAIR}
        rule After error for x in stay after R require x.n is present
        """,
        stay=stays(("P1", "A", 1), ("P1", "B", 2), ("P2", "A", 3)),
    )
    assert tried.verdicts("After") == [NOT_APPLICABLE, NOT_APPLICABLE, FAILS]


# ── functions of the host ──────────────────────────────────────────────────────────────────────


def result(returns: str, *values: Any, argument: str = "integer") -> list[Any]:
    """What a host's function that gives these values, one a call, is in the language."""
    given = iter(values)
    tried = Tried(
        f"function f(a: {argument}): {returns} view v from x in stay select f = f(x.n)",
        functions={"f": lambda _: pl.Series([next(given)])},
        stay=stays(*(("P", "S", n, None, n) for n in range(len(values)))),
    )
    return [row[0] for row in tried.rows("v")]


def test_what_a_host_gives() -> None:
    assert result("text", "a", "", " \t", None, " b") == ["a", None, None, None, " b"]
    assert result("grade", "KG", "XX", None, "kg") == ["KG", None, None, None]
    assert result("integer", 3, 10**18, 10**18 - 1, None) == [3, None, 10**18 - 1, None]
    assert result("boolean", True, False, None) == [True, False, None]
    assert result("date", dt.date(2024, 2, 29), None) == [dt.date(2024, 2, 29), None]
    years = result("school_year", "2023-24", "2023-25", "1999-00", "soon", "0000-01")
    assert years == [SchoolYear(2023), None, SchoolYear(1999), None, None]


def test_decimals_of_a_host_have_ten_places_and_the_halves_are_even() -> None:
    given = [0.5, 1 / 3, float("nan"), float("inf"), -float("inf"), 1e18, -0.0, D("0.00000000005")]
    expected = [D("0.5"), D("0.3333333333"), None, None, None, None, D(0), D(0)]
    assert result("decimal", *given) == expected
    assert result("decimal", D("0.00000000015"), D("-0.00000000025"), 2) == [
        D("0.0000000002"),
        D("-0.0000000002"),
        D(2),
    ]


def test_what_a_host_is_given() -> None:
    calls: list[tuple[Any, ...]] = []

    def kept(*arguments: pl.Series) -> pl.Series:
        calls.append(tuple((each.dtype, each.to_list()) for each in arguments))
        return pl.Series([True])

    tried = Tried(
        "function f(t: text, g: grade, u: text, n: integer, d: decimal, e: decimal, b: boolean,"
        " y: school_year, on: date): boolean\n"
        "rule R error for x in stay"
        " require f(x.pupil_id, x.grade, x.grade, x.n, x.rate, x.n, x.open, 2023-24, day)",
        functions={"f": kept},
        stay=stays(("P1", "S", 1, "01", 3, D("0.25"), False), (None, "S", 2, "01", 3, D(1), True)),
    )
    assert tried.verdicts() == [HOLDS, UNKNOWN], "never called with a missing argument"
    assert calls == [
        (
            (pl.String, ["P1"]),
            (pl.String, ["01"]),
            (pl.String, ["01"]),
            (pl.Int64, [3]),
            (pl.Float64, [0.25]),
            (pl.Float64, [3.0]),
            (pl.Boolean, [False]),
            (pl.String, ["2023-24"]),
            (pl.Date, [dt.date(2023, 10, 1)]),
        )
    ]


def test_a_host_that_gives_another_number_of_values() -> None:
    with pytest.raises(ValueError, match="gives 2 values for 1 row"):
        Tried(
            "function f(a: integer): integer view v from x in stay select f = f(x.n)",
            functions={"f": lambda _: pl.Series([1, 2])},
            stay=stays(("P", "S", 1, None, 1)),
        )


# ── populations and reports ────────────────────────────────────────────────────────────────────

MEMBERS = """
population members of x in stay where x.n > 0 by student, school unless exclusion, error
rule Out error for x in stay require x.entry != 1
rule Warned warning for x in stay require x.entry != 4
rule Pupil exclusion for p in pupil require p.born > 5
rule School error for s in school require s.sector is present
rule Late exclusion if least > 2, otherwise warning for x in stay require x.entry != 2
"""


def test_a_population_counts_whom_no_finding_takes_out() -> None:
    tried = Tried(
        MEMBERS,
        stay=stays(
            ("P3", "A", 4, None, 1),
            ("P1", "A", 1, None, 1),
            ("P1", "A", 2, None, 1),  # the same unit
            ("P1", "B", 3, None, 1),
            ("P2", "A", 1, None, 1),
            ("P2", "B", 9, None, 0),  # none of the population
            ("P4", None, 1, None, 1),
            (None, "A", 1, None, 1),
        ),
        pupil=table("pupil_id born name", ("P2", 1, None), ("P1", 9, None)),
        school=table("school_id sector", ("A", None)),
    )
    # A finding of P4 without a school takes P4 out, and would any school of P4; one of a school
    # alone, or of a pupil that is missing, takes nobody out.
    assert tried.units() == [
        Unit((None, "A"), True, None, ()),
        Unit(("P1", "A"), False, Severity.ERROR, ("Out",)),
        Unit(("P1", "B"), True, None, ()),
        Unit(("P2", "A"), False, Severity.EXCLUSION, ("Pupil", "Out")),
        Unit(("P3", "A"), True, None, ()),
        Unit(("P4", None), False, Severity.ERROR, ("Out",)),
    ]


def test_a_finding_without_a_role_agrees_with_every_value_of_it() -> None:
    tried = Tried(
        MEMBERS,
        stay=stays(
            ("P1", "A", 7, None, 1), ("P1", "B", 8, None, 1), ("P1", None, 1, None, 0), ("P2", None, 5, None, 1),
            ("P2", "A", 1, None, 0),
        ),
    )  # fmt: skip
    assert tried.units() == [
        Unit(("P1", "A"), False, Severity.ERROR, ("Out",)),
        Unit(("P1", "B"), False, Severity.ERROR, ("Out",)),
        Unit(("P2", None), False, Severity.ERROR, ("Out",)),
    ]


def test_severities_of_a_population_come_in_their_order_whatever_that_of_the_rules() -> None:
    rows = stays(("P1", "A", 1, None, 1), ("P1", "A", 2, None, 1))
    assert Tried(MEMBERS, stay=rows).units() == [Unit(("P1", "A"), False, Severity.ERROR, ("Out",))]
    assert Tried(MEMBERS, {"least": 3}, stay=rows).units() == [
        Unit(("P1", "A"), False, Severity.EXCLUSION, ("Late", "Out"))
    ]


def test_findings_of_the_tables_take_units_out_too() -> None:
    tried = Tried(MEMBERS, stay=stays(("P1", "A", 5, None, 1), ("P2", "A", 6, None, 1)))
    found = [
        Reported("stay.n.type", Severity.ERROR, {"student": "P2", "school": "A"}),
        Reported("other.key", Severity.ERROR, {"staff": "P1", "school": "A"}),
    ]
    units = units_of(
        tried.rulebook.populations[0], found, tried.rulebook.schema, tried.tables, tried.parameters
    )
    assert units == [
        Unit(("P1", "A"), True, None, ()),
        Unit(("P2", "A"), False, Severity.ERROR, ("stay.n.type",)),
    ]


def test_a_report_counts_by_values_and_over_all() -> None:
    rows = stays(
        ("P1", "A", 1, "10", 4), ("P2", "A", 2, "KG", None), ("P1", "B", 3, None, 5), ("P3", "A", 4, "10", 1)
    )  # fmt: skip
    body = 'report r "By grade" from x in stay where x.school_id = "A" by g = x.grade, late = x.entry > 2'
    body += " show c = count(x), s = sum(x.n for x), pupils = count(distinct x.pupil_id for x)"
    assert Tried(body, stay=rows).report() == [
        ("KG", False, 1, 0, 1),
        ("10", False, 1, 4, 1),
        ("10", True, 1, 1, 1),
    ]
    body = 'report r from x in stay where x.school_id = "Z" show c = count(x), m = max(x.n for x)'
    assert Tried(body, stay=rows).report() == [(0, None)]


def test_a_report_that_reads_what_is_not_there() -> None:
    for by in ("", "by g = x.grade "):  # of no rows there is one group, or none
        tried = Tried(f"report r from x in stay {by}show c = count(x), p = count(y in prior.stay)")
        report = tried.rulebook.reports[0]
        assert figures_of(report, tried.rulebook.schema, tried.tables, tried.parameters) is None
