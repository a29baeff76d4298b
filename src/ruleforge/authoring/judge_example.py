"""judge_example: Example, rules -> what each engine says of it

By Polars through `evaluate`, as any data is judged; by the reference backend row by row. Neither
looks at what the other has found.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from ruleforge.authoring.example import Cells, Example
from ruleforge.authoring.outcome import Judged
from ruleforge.engine.admit import admit, bad, raw
from ruleforge.engine.built_in import built_in_rules
from ruleforge.engine.evaluate import EVALUATED, NOT_EVALUATED, evaluate, queries_of
from ruleforge.engine.needs import lacks
from ruleforge.engine.parameters import bind
from ruleforge.engine.polars_backend import FAILS, HOLDS, NOT_APPLICABLE, UNKNOWN, cause_of
from ruleforge.engine.reference_backend import (
    Evaluator,
    Row,
    Verdict,
    constant_value,
    judge,
    render_message,
)
from ruleforge.engine.result import Hits, Result
from ruleforge.engine.revision import Revision
from ruleforge.language import core
from ruleforge.language.check_tests import row_names
from ruleforge.language.core import Rulebook, Severity, Value
from ruleforge.language.schema import SchoolYear

_WORDS = {
    NOT_APPLICABLE: Verdict.NOT_APPLICABLE.value,
    HOLDS: Verdict.HOLDS.value,
    UNKNOWN: Verdict.UNKNOWN.value,
    FAILS: Verdict.FAILS.value,
}


@dataclass(frozen=True)
class Verdicts:
    """What one engine says: every judgement, in the order of rules and rows, and of rules that were
    not evaluated the reason.
    """

    judged: tuple[Judged, ...]
    not_evaluated: Mapping[str, str]


@dataclass(frozen=True)
class Bench:
    """An example made ready for both engines. `author` are the ids of the author's rules that are
    looked at, `made` those of rules that come of declarations.
    """

    rulebook: Rulebook
    example: Example
    author: tuple[str, ...]
    made: tuple[str, ...]

    @property
    def revision(self) -> Revision:
        """The tables as text, as they come from a file."""
        tables = {
            name: pl.DataFrame(
                [[_spelt(value) for value in row.values()] for row in rows],
                schema=dict.fromkeys(self.rulebook.schema.tables[name].columns_by_name, pl.String),
                orient="row",
            )
            for name, rows in self.example.tables.items()
        }
        return Revision("test", tables)

    def known_by(self, table: str, row_index: int) -> Cells:
        names = set(row_names(self.rulebook.schema.tables[table]).values())
        row = self.example.tables[table][row_index]
        return {name: row[name] for name in row if name in names}


def _spelt(value: Value | None) -> str | None:
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case Decimal():
            return f"{value:f}"
        case _:
            return str(value)


# ── by Polars ──────────────────────────────────────────────────────────────────────────────────


def by_polars(bench: Bench) -> Verdicts:
    """The verdicts of the engine that judges data."""
    book, example, revision = bench.rulebook, bench.example, bench.revision
    result = evaluate(
        book, revision, as_of=example.as_of, parameters=example.parameters, rules=bench.author
    )
    wanted = (*bench.author, *bench.made)
    severities: dict[str, Severity] = {}
    reasons: dict[str, str] = {}
    for rule, severity, status, reason in result.rules.select(
        "rule", "severity", "status", "reason"
    ).iter_rows():
        if status == EVALUATED:
            severities[rule] = Severity(severity)
        elif status == NOT_EVALUATED:
            reasons[rule] = reason
    messages = _messages(result, set(wanted))
    judged: dict[str, list[Judged]] = {}
    passes = queries_of(
        book, revision, as_of=example.as_of, parameters=example.parameters, rules=bench.author
    )
    for plan, query in passes:
        frame = query.collect().sort("#row")
        for number, each in enumerate(plan.rules):
            rule = each.rule.id
            if rule not in wanted:
                continue
            code = pl.col(f"verdict.{number}")
            for row, verdict, cause in (
                frame.filter(code.is_not_null())
                .select("#row", code.clip(upper_bound=FAILS), cause_of(code).alias("cause"))
                .iter_rows()
            ):
                failed = verdict == FAILS
                judged.setdefault(rule, []).append(
                    Judged(
                        rule,
                        plan.table,
                        row,
                        _WORDS[verdict],
                        severities[rule],
                        cause if failed else None,
                        messages.get((rule, row)) if failed else None,
                        bench.known_by(plan.table, row),
                    )
                )
    return Verdicts(tuple(each for rule in wanted for each in judged.get(rule, ())), reasons)


def _messages(result: Result, wanted: set[str]) -> dict[tuple[str, int], str]:
    """The message of each finding, by rule and row."""
    found: dict[tuple[str, int], str] = {}
    for hits in result.hits:
        if hits.rule.id in wanted and hits.frame.height:
            only = [Hits(hits.rule, hits.severity, hits.frame)]
            texts = result.writer(only, (), ["message"])["message"]
            found |= {
                (hits.rule.id, row): text
                for row, text in zip(hits.frame["#row"], texts, strict=True)
            }
    return found


# ── by the reference backend ───────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class InForce:
    """A rule that is judged, and as what."""

    rule: core.Rule
    severity: Severity


def by_reference(bench: Bench) -> Verdicts:
    """The verdicts of the engine that is slow and obvious."""
    rules, reasons = in_force(bench)
    values = parameters_of(bench)
    tables = reference_tables(bench.example)
    schema = bench.rulebook.schema
    judged: list[Judged] = []
    for each in rules:
        rule, table = each.rule, each.rule.variable.table
        for found in judge(rule, schema, tables, values):
            message = None
            if found.cause is not None:
                row = tables[table][found.row_index]
                evaluator = Evaluator.of_row(rule, schema, tables, values, row)
                message = render_message(rule.claims[found.cause - 1].message, evaluator)
            judged.append(
                Judged(
                    rule.id,
                    table,
                    found.row_index,
                    found.verdict.value,
                    each.severity,
                    found.cause,
                    message,
                    bench.known_by(table, found.row_index),
                )
            )
    return Verdicts(tuple(judged), reasons)


def parameters_of(bench: Bench) -> dict[str, Value | None]:
    """The value of every parameter."""
    return bind(bench.rulebook, bench.example.parameters, bench.example.as_of)


def in_force(bench: Bench) -> tuple[list[InForce], dict[str, str]]:
    """The rules that are judged, with the severity in force, and why others are not evaluated. A rule
    that does not apply is neither.
    """
    schema, values = bench.rulebook.schema, parameters_of(bench)
    admitted = admit(bench.revision, schema).tables
    year = values.get("school_year")
    made = (
        rule
        for table in admitted.values()
        for rule in built_in_rules(table, schema, year if isinstance(year, SchoolYear) else None)
    )
    by_id = {rule.id: rule for rule in (*bench.rulebook.rules, *made)}
    rules: list[InForce] = []
    reasons: dict[str, str] = {}
    for name in (*bench.author, *bench.made):
        rule = by_id.get(name)
        if rule is None:
            continue
        lacking = lacks(rule, schema, admitted, values)
        if lacking:
            reasons[name] = "; ".join(lacking)
            continue
        applies = rule.applies is None or constant_value(rule.applies, values, schema)
        if applies is None:
            reasons[name] = "whether it applies is unknown"
        if not applies:
            continue
        for severity, condition in rule.severities:
            decided = condition is None or constant_value(condition, values, schema)
            if decided is None:
                reasons[name] = "which severity is in force is unknown"
                break
            if decided:
                rules.append(InForce(rule, severity))
                break
    return rules, reasons


def reference_tables(example: Example) -> dict[str, list[Row]]:
    """The tables as the reference backend takes them."""
    return {name: [_reference_row(row) for row in rows] for name, rows in example.tables.items()}


def _reference_row(cells: Cells) -> Row:
    row: Row = {}
    for name, value in cells.items():
        row[name] = value
        row[bad(name)] = False
        row[raw(name)] = _spelt(value)
    return row
