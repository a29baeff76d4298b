"""agreement: a generated case -> nothing, or an AssertionError that says where the two backends
differ

Everything that an evaluation promises is worked out twice, by Polars and by the reference: the
verdict and cause of every row by every rule (the built-in ones too), the counts, the reported rows,
and the messages.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import polars as pl
from expressions import LEGITIMATE_REFUSALS, TABLES, Case, Given
from hypothesis import reject

from ruleforge.engine.admit import ROW, AdmittedTable, bad, raw
from ruleforge.engine.built_in import built_in_rules
from ruleforge.engine.evaluate import EVALUATED, evaluate, folded
from ruleforge.engine.lower import lower
from ruleforge.engine.polars_backend import PolarsBackend
from ruleforge.engine.reference_backend import Evaluator, Judgement, Row, judge, render_message
from ruleforge.engine.result import Result
from ruleforge.engine.revision import Revision, TableLike
from ruleforge.language import core
from ruleforge.language.load import RulebookError, load_text
from ruleforge.language.schema import SchoolYear

REFUSED: Counter[str] = Counter()  # how often each legitimate refusal was met


def loaded(case: Case) -> core.Rulebook:
    """The rulebook of a case. One that is refused for a legitimate reason is no case; any other
    diagnostic is a failure.
    """
    try:
        return load_text(case.text, "tried.rules")
    except RulebookError as refusal:
        codes = {each.code for each in refusal.diagnostics if each.level == "error"}
        assert codes <= LEGITIMATE_REFUSALS, str(refusal)
        REFUSED.update(codes)
        reject()


def evaluated(
    case: Case,
    rulebook: core.Rulebook,
    tables: Mapping[str, TableLike] | None = None,
    *,
    show_sensitive: bool = True,
) -> Result:
    """The result of a case, on tables given in another shape perhaps."""
    if tables is None:
        tables = {name: given.frame() for name, given in case.tables.items()}
    return evaluate(
        rulebook,
        Revision("r", tables),
        as_of=case.as_of,
        parameters=case.parameters,
        show_sensitive=show_sensitive,
    )


def check(case: Case) -> None:
    """Asserts that both backends say the same of a case."""
    rulebook = loaded(case)
    result = evaluated(case, rulebook, show_sensitive=len(case.text) % 2 == 0)
    rows = {name: reference_rows(given, result.tables[name]) for name, given in case.tables.items()}
    expected = {
        rule.id: judge(rule, rulebook.schema, rows, result.parameters) for rule in rulebook.rules
    }
    assert_verdicts(rulebook, result, expected)
    assert_messages(rulebook, result, rows, expected, show_sensitive=len(case.text) % 2 == 0)
    year = result.parameters.get("school_year")
    for table in result.tables.values():
        school_year = year if isinstance(year, SchoolYear) else None
        for rule in built_in_rules(table, rulebook.schema, school_year):
            if rule.id in {each.rule.id for each in result.hits}:
                expected[rule.id] = judge(rule, rulebook.schema, rows, result.parameters)
    assert_counts(result, expected)


def reference_rows(given: Given, admitted: AdmittedTable) -> list[Row]:
    """The rows as the reference takes them, with what the built-in rules ask of their cells."""
    rows: list[Row] = []
    for row, spellings in zip(given.rows, given.spellings, strict=True):
        rows.append(dict(row))
        for name in TABLES[given.table]:
            if name in admitted.convertible:
                spelling = spellings[name] if given.spelled else None
                unread = spelling is not None and spelling.strip() != "" and row[name] is None
                rows[-1][bad(name)] = unread
                rows[-1][raw(name)] = spelling
    return rows


def assert_verdicts(
    rulebook: core.Rulebook, result: Result, expected: Mapping[str, Sequence[Judgement]]
) -> None:
    backend = PolarsBackend(result.tables, rulebook.schema, result.parameters)
    ready = [folded(rule, result.parameters, rulebook.schema) for rule in rulebook.rules]
    for plan in lower(ready, rulebook.schema):
        frame = backend.verdicts(plan).collect().sort(ROW)
        assert frame[ROW].to_list() == list(range(frame.height)), "rows were lost or doubled"
        for number, rule_plan in enumerate(plan.rules):
            found = {
                row: (verdict, cause or None)
                for row, verdict, cause in frame.select(
                    ROW, f"verdict.{number}", f"cause.{number}"
                ).iter_rows()
                if verdict is not None
            }
            wanted = {
                each.row_index: (each.verdict.value, each.cause)
                for each in expected[rule_plan.rule.id]
            }
            assert found == wanted, difference(rule_plan.rule.id, found, wanted)


def difference(name: str, polars: Mapping[int, object], reference: Mapping[int, object]) -> str:
    rows = sorted(polars.keys() | reference.keys())
    return "\n".join(
        f"{name}, row {row}: polars {polars.get(row)}, reference {reference.get(row)}"
        for row in rows
        if polars.get(row) != reference.get(row)
    )


def assert_counts(result: Result, expected: Mapping[str, Sequence[Judgement]]) -> None:
    hits = {each.rule.id: each.frame for each in result.hits}
    assert hits.keys() == expected.keys()
    for row in result.rules.iter_rows(named=True):
        if row["status"] != EVALUATED:
            continue
        judgements = expected[row["rule"]]
        counts = Counter(each.verdict.name.lower() for each in judgements)
        for name in ("holds", "fails", "unknown", "not_applicable"):
            assert row[name] == counts[name], (
                f"{row['rule']}: {name} is {row[name]}, not {counts[name]}"
            )
        found = hits[row["rule"]].select(ROW, "cause").rows()
        wanted = [(each.row_index, each.cause) for each in judgements if each.cause is not None]
        assert found == wanted, f"{row['rule']} reports {found}, not {wanted}"


def assert_messages(
    rulebook: core.Rulebook,
    result: Result,
    rows: Mapping[str, Sequence[Row]],
    expected: Mapping[str, Sequence[Judgement]],
    *,
    show_sensitive: bool,
) -> None:
    own = {rule.id for rule in rulebook.rules}
    findings = result.writer([h for h in result.hits if h.rule.id in own], (), ["rule", "message"])
    for rule in rulebook.rules:
        found = findings.filter(pl.col("rule") == rule.id)["message"].to_list()
        wanted = []
        for each in expected[rule.id]:
            if each.cause is not None:
                row = rows[rule.variable.table][each.row_index]
                evaluator = Evaluator.of_row(rule, rulebook.schema, rows, result.parameters, row)
                template = rule.claims[each.cause - 1].message
                wanted.append(render_message(template, evaluator, show_sensitive=show_sensitive))
        assert found == wanted, f"{rule.id} says\n  {found}, not\n  {wanted}"
