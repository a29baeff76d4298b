"""agreement: a generated case -> nothing, or an AssertionError that says where the two backends
differ

Everything that an evaluation promises is worked out twice, by Polars and by the reference: which
rules are evaluated and in force as what, the rows of views, the verdict and cause of every row by
every rule (the built-in ones too), the counts, the reported rows, the messages, the counterparts,
the day by which something is due, populations and reports.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import polars as pl
from expressions import LEGITIMATE_REFUSALS, TABLES, Case, Given
from hypothesis import reject
from registered import HOST

from ruleforge.engine.admit import AdmittedTable, bad, raw
from ruleforge.engine.built_in import built_in_rules
from ruleforge.engine.evaluate import evaluate
from ruleforge.engine.finding import key_dtype
from ruleforge.engine.folding import folded
from ruleforge.engine.host_functions import HostFunctions
from ruleforge.engine.lower import lower
from ruleforge.engine.outlook import DOES_NOT_APPLY, EVALUATED, NOT_EVALUATED, own_tables
from ruleforge.engine.plan import ROW
from ruleforge.engine.polars_backend import PolarsBackend
from ruleforge.engine.polars_types import as_text
from ruleforge.engine.reference_backend import Evaluator, Judgement, Row, judge
from ruleforge.engine.reference_functions import apply_function, calculate, shown
from ruleforge.engine.reference_host import plain_functions
from ruleforge.engine.reference_judge import (
    Reported,
    counterparts,
    figures_of,
    in_force,
    judge_all,
    message_of,
    reported_by,
    units_of,
)
from ruleforge.engine.reference_views import with_views
from ruleforge.engine.result import Result
from ruleforge.engine.revision import Revision, TableLike
from ruleforge.language import core
from ruleforge.language.load import RulebookError, load_text
from ruleforge.language.schema import SchoolYear, Table

Rows = Mapping[str, Sequence[Row]]
Judgements = Mapping[str, Sequence[Judgement]]

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
    datasets: dict[str, dict[str, TableLike]] = {}
    for name, table in tables.items():
        dataset, dot, inner = name.rpartition(".")
        if dot and dataset in rulebook.datasets:
            datasets.setdefault(dataset, {})[inner] = table
    return evaluate(
        rulebook,
        Revision("r", {n: table for n, table in tables.items() if "." not in n}, datasets),
        as_of=case.as_of,
        parameters=case.parameters,
        functions=registered(rulebook),
        show_sensitive=show_sensitive,
    )


def registered(rulebook: core.Rulebook) -> dict[str, object]:
    """What the host brings for the functions of a rulebook."""
    return {name: HOST[name].implementation for name in rulebook.functions}


def check(case: Case) -> None:
    """Asserts that both backends say the same of a case."""
    rulebook = loaded(case)
    show_sensitive = len(case.text) % 2 == 0
    result = evaluated(case, rulebook, show_sensitive=show_sensitive)
    own = {
        name: reference_rows(given, result.tables[name])
        for name, given in case.tables.items()
        if name in result.tables
    }
    tables = with_views(rulebook, own, result.parameters, registered(rulebook))
    expected = judge_all(rulebook, tables, result.parameters, registered(rulebook))
    assert_outlook(rulebook, result, tables, expected)
    assert_views(rulebook, result, tables)
    assert_verdicts(rulebook, result, tables, expected)
    assert_findings(rulebook, result, tables, expected, show_sensitive=show_sensitive)
    built_in = judged_built_in(rulebook, result, tables)
    assert_counts(result, {**expected, **built_in})
    found = reported(rulebook, result, tables, {**expected, **built_in})
    assert_populations(rulebook, result, tables, found)
    assert_reports(rulebook, result, tables, show_sensitive=show_sensitive)


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


# ── which rules are evaluated, and over what ───────────────────────────────────────────────────


def assert_outlook(
    rulebook: core.Rulebook, result: Result, tables: Rows, expected: Judgements
) -> None:
    said = {row["rule"]: row for row in result.rules.iter_rows(named=True)}
    for rule in rulebook.rules:
        force = in_force(rule, rulebook.schema, tables, result.parameters)
        if rule.id in expected:
            wanted = EVALUATED
        elif force is None or isinstance(force, core.Severity):
            wanted = NOT_EVALUATED
        else:
            wanted = DOES_NOT_APPLY
        line = said[rule.id]
        assert line["status"] == wanted, f"{rule.id} is {line['status']}, not {wanted}"
        if wanted == EVALUATED:
            assert line["severity"] == force, f"{rule.id}: {line['severity']}, not {force}"


def assert_views(rulebook: core.Rulebook, result: Result, tables: Rows) -> None:
    """Views hold the same rows in the same order, as far as anybody reads them."""
    for name, view in rulebook.views.items():
        assert (name in result.tables) == (name in tables), f"{name} is there on one side only"
        if name not in tables or not result.tables[name].parts:
            continue
        admitted = result.tables[name]
        columns = [c for c in view.table.columns if c.name in admitted.parts[0].columns]
        frame = admitted.scan({c.name: c.name for c in columns}, ROW).collect()
        found = frame.select(as_text(pl.col(c.name), c.type).alias(c.name) for c in columns)
        wanted = [tuple(texted(row[c.name]) for c in columns) for row in tables[name]]
        if columns:
            assert found.rows() == wanted, f"{name} holds\n  {found.rows()}, not\n  {wanted}"
        else:
            assert frame.height == len(wanted), f"{name} has {frame.height} rows, not {len(wanted)}"


def texted(value: object) -> str | None:
    """A value as text, None where it is missing."""
    return None if value is None else shown(value)  # type: ignore[arg-type]


# ── verdicts ───────────────────────────────────────────────────────────────────────────────────


def assert_verdicts(
    rulebook: core.Rulebook, result: Result, tables: Rows, expected: Judgements
) -> None:
    """Every row has the same verdict by every rule, as long as no `after` takes it."""
    functions = HostFunctions.bound(rulebook, registered(rulebook))
    backend = PolarsBackend(result.tables, rulebook.schema, result.parameters, functions)
    plain = plain_functions(rulebook, registered(rulebook))
    ready = [
        folded(rule, result.parameters, rulebook.schema)
        for rule in rulebook.rules
        if rule.id in expected
    ]
    by_id = {rule.id: rule for rule in rulebook.rules}
    for plan in lower(ready, rulebook.schema):
        frame = backend.verdicts(plan).collect().sort(ROW)
        assert frame[ROW].to_list() == list(range(frame.height)), "rows were lost or doubled"
        for number, rule_plan in enumerate(plan.rules):
            rule = by_id[rule_plan.rule.id]
            found = {
                row: (verdict, cause or None)
                for row, verdict, cause in frame.select(
                    ROW, f"verdict.{number}", f"cause.{number}"
                ).iter_rows()
                if verdict is not None
            }
            judgements = judge(rule, rulebook.schema, tables, result.parameters, plain)
            wanted = {each.row_index: (each.verdict.value, each.cause) for each in judgements}
            assert found == wanted, difference(rule.id, found, wanted)


def difference(name: str, polars: Mapping[int, object], reference: Mapping[int, object]) -> str:
    rows = sorted(polars.keys() | reference.keys())
    return "\n".join(
        f"{name}, row {row}: polars {polars.get(row)}, reference {reference.get(row)}"
        for row in rows
        if polars.get(row) != reference.get(row)
    )


def judged_built_in(
    rulebook: core.Rulebook, result: Result, tables: Rows
) -> dict[str, list[Judgement]]:
    """The judgements of the rules that tables make."""
    year = result.parameters.get("school_year")
    judged = {each.rule.id for each in result.hits}
    found: dict[str, list[Judgement]] = {}
    for table in own_tables(result.tables, rulebook.schema).values():
        school_year = year if isinstance(year, SchoolYear) else None
        for rule in built_in_rules(table, rulebook.schema, school_year):
            if rule.id in judged:
                found[rule.id] = judge(rule, rulebook.schema, tables, result.parameters)
    return found


def assert_counts(result: Result, expected: Judgements) -> None:
    hits = {each.rule.id: each.frame for each in result.hits}
    assert hits.keys() == expected.keys()
    for row in result.rules.iter_rows(named=True):
        if row["status"] != EVALUATED:
            continue
        judgements = expected[row["rule"]]
        counts = Counter(each.verdict.name.lower() for each in judgements)
        counts["taken"] = sum(each.taken for each in judgements)
        for name in ("holds", "fails", "unknown", "not_applicable", "taken"):
            assert row[name] == counts[name], (
                f"{row['rule']}: {name} is {row[name]}, not {counts[name]}"
            )
        found = hits[row["rule"]].select(ROW, "cause").rows()
        wanted = [(each.row_index, each.cause) for each in judgements if each.cause is not None]
        assert found == wanted, f"{row['rule']} reports {found}, not {wanted}"


# ── findings ───────────────────────────────────────────────────────────────────────────────────


def assert_findings(
    rulebook: core.Rulebook,
    result: Result,
    tables: Rows,
    expected: Judgements,
    *,
    show_sensitive: bool,
) -> None:
    own = {rule.id for rule in rulebook.rules}
    columns = ["rule", "message", "counterparts", "counterpart_count", "due"]
    findings = result.writer([h for h in result.hits if h.rule.id in own], (), columns)
    plain = plain_functions(rulebook, registered(rulebook))
    for rule in rulebook.rules:
        found = findings.filter(pl.col("rule") == rule.id)
        messages: list[str] = []
        against: list[list[Row]] = []
        for each in expected.get(rule.id, ()):
            if each.cause is not None:
                row = tables[rule.variable.table][each.row_index]
                evaluator = Evaluator.of_row(
                    rule, rulebook.schema, tables, result.parameters, row, plain
                )
                said = message_of(rule, each.cause, evaluator, show_sensitive=show_sensitive)
                messages.append(said)
                against.append(counterparts(rule, evaluator))
        said_here = found["message"].to_list()
        assert said_here == messages, f"{rule.id} says\n  {said_here}, not\n  {messages}"
        assert_counterparts(rulebook, rule, found, against, show_sensitive=show_sensitive)
        assert found["due"].to_list() == [due(rule, result)] * len(messages), rule.id


def assert_counterparts(
    rulebook: core.Rulebook,
    rule: core.Rule,
    found: pl.DataFrame,
    against: Sequence[Sequence[Row]],
    *,
    show_sensitive: bool,
) -> None:
    if rule.against is None:
        assert found["counterparts"].null_count() == found.height, rule.id
        assert found["counterpart_count"].null_count() == found.height, rule.id
        return
    table = rulebook.schema.table(rule.against.variable.table)
    numbers = found["counterpart_count"].to_list()
    assert numbers == [len(rows) for rows in against], f"{rule.id}: {numbers} counterparts"
    wanted = [
        [identity(table, rulebook, row, show_sensitive=show_sensitive) for row in rows[:100]]
        for rows in against
    ]
    named = [
        [
            {
                "table": each["table"],
                "key": {
                    name: None if each["key"][name] is None else str(each["key"][name])
                    for name in table.key
                },
                **{role: each[role] for role in rulebook.schema.roles},
            }
            for each in counterparts_of_row
        ]
        for counterparts_of_row in found["counterparts"].to_list()
    ]
    assert named == wanted, f"{rule.id} is against\n  {named}, not\n  {wanted}"


def identity(
    table: Table, rulebook: core.Rulebook, row: Row, *, show_sensitive: bool
) -> dict[str, object]:
    """What a finding says of a counterpart: table, key and roles."""

    def text(name: str) -> str | None:
        column, value = table.columns_by_name[name], row[name]
        if value is None:
            return None
        if column.sensitive and not show_sensitive:
            return "(withheld)" if key_dtype(column.type) == pl.String() else None
        return shown(value)

    def in_key(name: str) -> str | None:
        value = row[name]
        return str(value) if isinstance(value, bool) else text(name)

    return {
        "table": table.shown,
        "key": {name: in_key(name) for name in table.key},
        **{
            role: text(table.roles[role]) if role in table.roles else None
            for role in rulebook.schema.roles
        },
    }


def due(rule: core.Rule, result: Result) -> object:
    """The day by which what a rule reports is to be put right."""
    if rule.due is None:
        return None
    arguments = [result.parameters["as_of"], rule.due.number]
    if rule.due.business:
        return apply_function("add_business_days", arguments, lambda value: value)
    return calculate("+", *arguments)


# ── populations and reports ────────────────────────────────────────────────────────────────────


def reported(
    rulebook: core.Rulebook, result: Result, tables: Rows, judgements: Judgements
) -> list[Reported]:
    """What every rule reports, in their order."""
    found: list[Reported] = []
    for hits in result.hits:
        severity = in_force(hits.rule, rulebook.schema, tables, result.parameters)
        assert isinstance(severity, core.Severity)
        by_rule = judgements[hits.rule.id]
        found += reported_by(hits.rule, severity, by_rule, rulebook.schema, tables)
    return found


def assert_populations(
    rulebook: core.Rulebook, result: Result, tables: Rows, found: Sequence[Reported]
) -> None:
    plain = plain_functions(rulebook, registered(rulebook))
    for population in rulebook.populations:
        units = units_of(population, found, rulebook.schema, tables, result.parameters, plain)
        name = population.name
        assert (units is None) == (name not in result.populations), f"{name} is on one side only"
        if units is None:
            continue
        wanted = [(*unit.roles, unit.counted, unit.severity, list(unit.rules)) for unit in units]
        frame = result.populations[name]
        assert frame.columns == [*population.roles, "counted", "severity", "rules"]
        assert frame.rows() == wanted, f"{name} has\n  {frame.rows()}, not\n  {wanted}"


def assert_reports(
    rulebook: core.Rulebook, result: Result, tables: Rows, *, show_sensitive: bool
) -> None:
    plain = plain_functions(rulebook, registered(rulebook))
    for report in rulebook.reports:
        rows = figures_of(report, rulebook.schema, tables, result.parameters, plain)
        name, columns = report.name, report.view.table.columns
        assert (rows is None) == (name not in result.reports), f"{name} is on one side only"
        if rows is None:
            continue
        hidden = {c.name for c in columns if c.sensitive and not show_sensitive}
        wanted = [tuple(_withheld(row, c.name, hidden) for c in columns) for row in rows]
        frame = result.reports[name]
        assert frame.columns == [column.name for column in columns]
        found = [tuple(texted(value) for value in row) for row in frame.iter_rows()]
        assert found == wanted, f"{name} shows\n  {found}, not\n  {wanted}"


def _withheld(row: Row, name: str, hidden: Iterable[str]) -> str | None:
    text = texted(row[name])
    return "(withheld)" if name in hidden and text is not None else text
