"""An explanation says what the engine says, of generated rulebooks and rows: the verdict is that of
Polars, and the value of every part is what the reference makes of that part alone, with all rows of
all tables before it and not only those that are linked.

Rows of views are asked for by their number, which nobody else can do; then rows of tables and of
views as anybody does, by line.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pytest
from agreement import evaluated, loaded, reference_rows
from expressions import Case, Emphasis
from generators import case_of, seeds
from hypothesis import HealthCheck, Phase, given, seed, settings

from ruleforge.engine import explain as explaining
from ruleforge.engine.evaluate import judgements
from ruleforge.engine.explain_expression import Explainer
from ruleforge.engine.explanation import Explanation, RowsSeen, Step
from ruleforge.engine.linked_rows import LinkedRows
from ruleforge.engine.named_row import RowError, named_row
from ruleforge.engine.plan import ROW
from ruleforge.engine.reference_backend import Evaluator, Rows
from ruleforge.engine.reference_host import plain_functions
from ruleforge.engine.reference_judge import judge_all
from ruleforge.engine.reference_views import with_views
from ruleforge.engine.result import Hits, Result
from ruleforge.engine.revision import LINE, Part
from ruleforge.language import core

WORDS = ("not applicable", "holds", "unknown", "fails")


# How many cases of each kind, and what they must have shown.
EMPHASES = (
    (Emphasis("all", most_rows=5), 20, WORDS),
    (Emphasis("quantifiers", quantifiers=5, functions=1, most_rows=5), 15, WORDS),
    (Emphasis("extremes", quantifiers=2, functions=6, extreme=True, most_rows=4), 10, WORDS),
    (Emphasis("views", views=3, whole=12, rules=2, most_rows=5), 20, ("views",)),
    (
        Emphasis("rulebooks", views=1, whole=45, quantifiers=2, rules=4, fuel=14, most_rows=6),
        15,
        # WHY: what `after` takes is rare among so few; test_explain_more has it.
        (*WORDS, "views", "against"),
    ),
)


def lined(case: Case) -> dict[str, tuple[Part, ...]]:
    """The tables of a case, each as from a file, so that a row is known by its line."""
    return {
        name: (Part(given.frame().with_row_index(LINE, offset=1).lazy(), f"{name}.csv"),)
        for name, given in case.tables.items()
    }


class Alone(Evaluator):
    """The reference with rows of its own. A row is another where its number is."""

    def value(self, expr: core.Expr, rows: Rows) -> object:
        if isinstance(expr, core.OtherRow):
            left, right = self.row(expr.left, rows), self.row(expr.right, rows)
            assert left is not None and right is not None
            return left[ROW] != right[ROW]
        return super().value(expr, rows)


@dataclass
class Tried:
    """A case, and what both engines say of it."""

    case: Case
    rulebook: core.Rulebook
    result: Result

    def __post_init__(self) -> None:
        own = {
            name: reference_rows(given, self.result.tables[name])
            for name, given in self.case.tables.items()
            if name in self.result.tables
        }
        functions = self.result.functions
        self.tables = with_views(self.rulebook, own, self.result.parameters, functions)
        for rows in self.tables.values():
            for number, row in enumerate(rows):
                row[ROW] = number
        self.functions = plain_functions(self.rulebook, functions)
        self.taken = {
            (rule, each.row_index)
            for rule, said in judge_all(
                self.rulebook, self.tables, self.result.parameters, functions
            ).items()
            for each in said
            if each.taken
        }
        frames = judgements(
            self.rulebook,
            self.result.revision,
            as_of=self.case.as_of,
            parameters=self.case.parameters,
            functions=functions,
        )
        self.verdicts = {
            (rule, row): WORDS[verdict]
            for rule, frame in frames.items()
            for row, verdict in frame.select(ROW, "verdict").iter_rows()
        }
        self.judged = frames.keys()
        self.messages = dict(self.reported())

    def reported(self) -> Iterator[tuple[tuple[str, int], str]]:
        for hits in self.result.hits:
            only = [Hits(hits.rule, hits.severity, hits.frame)]
            said = self.result.writer(only, (), ["message"])["message"]
            for row, message in zip(hits.frame[ROW], said, strict=True):
                yield (hits.rule.id, row), message

    def alone(self, like: Explainer) -> Alone:
        """The reference for the rows that an explainer sees."""
        parameters = self.result.parameters
        return Alone(
            self.rulebook.schema, self.tables, parameters, like.lets, like.rows, self.functions
        )

    def rules(self) -> Iterator[tuple[core.Rule, str]]:
        """The rules that can be explained, each with the table it is about."""
        for rule in self.rulebook.rules:
            if rule.variable.table in self.result.tables:
                yield rule, rule.variable.table

    # ── what is asserted ────────────────────────────────────────────────────────────────────────

    def of_rule(self, rule: str, row: int, said: Explanation) -> None:
        place = (self.rulebook.name, rule, row)
        assert said.verdict == self.verdicts.get((rule, row)), place
        assert said.message == self.messages.get((rule, row), ""), place
        assert bool(said.taken) == ((rule, row) in self.taken), place
        for each in said.taken:
            assert each.message in {
                m for (name, _), m in self.messages.items() if name == each.rule
            }
        assert said.verdict is not None or said.reason, place
        assert str(said) and json.dumps(said.to_dict())

    def of_others(self, said: Explanation, rows: Mapping[str, int | None]) -> None:
        """What the other rules say, `rows` being the number that the row has in each table."""
        about = {rule.id: rule.variable.table for rule in self.rulebook.rules}
        for other in said.others:
            table = about.get(other.rule, other.rule.partition(".")[0])
            number = rows[table]
            wanted = None if number is None else self.verdicts.get((other.rule, number))
            assert other.verdict == wanted, (said.rule, other.rule, rows)
            message = "" if number is None else self.messages.get((other.rule, number), "")
            assert other.message == message, (said.rule, other.rule, rows)

    def of_rows(self, seen: RowsSeen, explainer: Explainer, question: core.Expr | core.Row) -> None:
        """Counts are exact, and no row is shown twice."""
        assert isinstance(question, core.Exists | core.Every | core.Aggregate | core.Pick)
        assert seen.matching <= seen.looked_at and seen.left_out >= 0
        places = [each.place.line for each in seen.rows if each.place.line is not None]
        if question.variable.table in self.case.tables:
            assert len(set(places)) == len(places)


def numbers_of(tried: Tried, table: str, row: int) -> dict[str, int | None]:
    """The number that a row has in its table, without scopes, and within each of its scopes."""
    linked = LinkedRows(tried.result._whole_views, tried.rulebook.schema)
    views = tried.rulebook.views
    scopes = {name: view.variable.table for name, view in views.items() if view.table.label}
    own, number = table, row
    if table in scopes:
        own = scopes[table]
        number = linked.numbered(table, row)["#source"]  # type: ignore[assignment]
    found: dict[str, int | None] = {own: number}
    for name, source in scopes.items():
        if source == own and name in tried.result.tables:
            within = linked.made_of(name, number)
            found[name] = within[0][ROW] if within else None  # type: ignore[assignment]
    return found


@pytest.mark.parametrize(
    ("emphasis", "number", "shown"), EMPHASES, ids=lambda each: str(getattr(each, "name", ""))
)
def test_an_explanation_says_what_the_engine_says(
    emphasis: Emphasis, number: int, shown: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: Counter[str] = Counter()
    step_of: Callable[..., Step] = Explainer.step
    rows_of: Callable[..., RowsSeen] = Explainer._rows_seen
    tried: list[Tried] = []

    def checked(
        self: Explainer, expr: core.Expr, rows: Rows, *rest: object, **options: object
    ) -> Step:
        step = step_of(self, expr, rows, *rest, **options)
        alone = tried[-1].alone(self)
        if step.withheld:
            assert step.value is None and not self.show_sensitive
        else:
            assert step.value == alone.value(expr, rows), step.text
        assert step.text, expr
        seen["steps"] += 1
        seen["calls"] += isinstance(expr, core.HostCall)
        return step

    def counted(self: Explainer, question: object, rows: Rows, *rest: object) -> RowsSeen:
        found = rows_of(self, question, rows, *rest)
        assert isinstance(question, core.Exists | core.Every | core.Aggregate | core.Pick)
        alone = tried[-1].alone(self)
        matching = alone.matching(question.variable, question.where, rows)
        assert found.matching == len(matching), question
        tried[-1].of_rows(found, self, question)
        seen["against"] += found.others
        seen["rows"] += 1
        return found

    def by_number(
        asked: Mapping[str, object],
        table: str,
        linked: LinkedRows,
        views: Mapping[str, core.View],
    ) -> object:
        if set(asked) == {"number"}:
            number = asked["number"]
            assert isinstance(number, int)
            return linked.numbered(table, number)
        return named_row(asked, table, linked, views)

    monkeypatch.setattr(Explainer, "step", checked)
    monkeypatch.setattr(Explainer, "_rows_seen", counted)
    monkeypatch.setattr(explaining, "named_row", by_number)

    @seed(7)
    @settings(
        max_examples=number,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(seeds())
    def agree(drawn: bytes) -> None:
        case = case_of(drawn, emphasis)
        rulebook = loaded(case)
        now = Tried(case, rulebook, evaluated(case, rulebook, lined(case)))
        tried.append(now)
        try:
            for rule, table in now.rules():
                compare(now, rule, table, seen)
        except AssertionError as difference:
            raise AssertionError(f"{drawn.hex()}\n{case.text}\n{difference}") from difference

    agree()
    assert seen["explained"] > number and seen["steps"] > 10 * number, seen
    assert all(seen[word] for word in shown), seen


def compare(now: Tried, rule: core.Rule, table: str, seen: Counter[str]) -> None:
    """Every row of the table of a rule, by its number; then every row by its line."""
    result = now.result
    views = now.rulebook.views
    for row in range(len(now.tables[table])):
        said = result.explain(rule.id, {"number": row}, show_sensitive=True)
        now.of_rule(rule.id, row, said)
        now.of_others(said, numbers_of(now, table, row) if said.others else {})
        seen["explained"] += 1
        seen[said.verdict or "silent"] += 1
        seen["taken"] += bool(said.taken)
        seen["views"] += table in views
        seen["groups"] += said.made_of is not None
        if row == 0:
            hidden = result.explain(rule.id, {"number": row})
            assert (hidden.verdict, bool(hidden.taken)) == (said.verdict, bool(said.taken))
    source, joined = table, False
    while source in views and views[source].group is None:
        joined = joined or views[source].joined is not None
        source = views[source].variable.table
    if source not in now.case.tables:
        return
    lines = [made_of(now, table, row) for row in range(len(now.tables[table]))]
    for row in range(len(now.tables[source])):
        fitting = [number for number, line in enumerate(lines) if line == row + 1]
        try:
            said = result.explain(rule.id, {"line": row + 1}, show_sensitive=True)
        except RowError as mistake:
            assert joined and len(fitting) != 1, mistake
            continue
        if fitting:
            assert joined or len(fitting) == 1
            now.of_rule(rule.id, fitting[0], said)
        else:
            assert said.verdict is None and said.reason and said.row.line == row + 1
            assert not said.message and not said.taken
            left_out(now, rule, said)
            seen["left out"] += 1


def made_of(now: Tried, table: str, row: int) -> int | None:
    """The line of a row."""
    linked = LinkedRows(now.result._whole_views, now.rulebook.schema)
    line = linked.numbered(table, row).get(LINE)
    return line if isinstance(line, int) else None


def left_out(now: Tried, rule: core.Rule, said: Explanation) -> None:
    """A row that is not there is left out by a condition that is not true, or by `keep`."""
    views, table = now.rulebook.views, rule.variable.table
    if said.clauses and said.clauses[0].step.value is not True:
        assert said.clauses[0].step.decided
        assert said.clauses[0].word.startswith(("scope", "where of"))
    else:
        keeps = False
        while table in views:
            keeps = keeps or views[table].keep is not None
            table = views[table].variable.table
        kept = "of several" in said.reason
        assert keeps and kept == (rule.id in now.judged)
