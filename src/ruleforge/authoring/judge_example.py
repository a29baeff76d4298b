"""judge_example: Example, rules -> what each engine says of it

By Polars through `evaluate`, as any data is judged; by the reference backend row by row. Neither
looks at what the other has found.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import TypedDict

import polars as pl

from ruleforge.authoring.example import Cells, Example
from ruleforge.authoring.outcome import Judged
from ruleforge.engine.admit import admit, bad, raw
from ruleforge.engine.evaluate import evaluate, judgements
from ruleforge.engine.host_functions import Implementation
from ruleforge.engine.needs import Supply
from ruleforge.engine.outlook import EVALUATED, NOT_EVALUATED, outlooks
from ruleforge.engine.parameters import bind
from ruleforge.engine.plan import ROW
from ruleforge.engine.polars_backend import FAILS, HOLDS, NOT_APPLICABLE, UNKNOWN
from ruleforge.engine.reference_backend import Evaluator, Row, Verdict, judge
from ruleforge.engine.reference_host import plain_functions
from ruleforge.engine.reference_judge import judge_all, message_of
from ruleforge.engine.reference_views import with_views
from ruleforge.engine.result import Hits, Result
from ruleforge.engine.revision import Revision
from ruleforge.engine.views import survey
from ruleforge.language import core
from ruleforge.language.check_tests import row_names
from ruleforge.language.core import Rulebook, Severity, Value

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
    looked at, `made` those of rules that come of declarations, `functions` what the host brings.
    """

    rulebook: Rulebook
    example: Example
    author: tuple[str, ...]
    made: tuple[str, ...]
    functions: Mapping[str, Implementation] = field(default_factory=dict)

    @property
    def revision(self) -> Revision:
        """The tables as text, as they come from a file."""
        tables: dict[str, pl.DataFrame] = {}
        datasets: dict[str, dict[str, pl.DataFrame]] = {}
        for name, rows in self.example.tables.items():
            table = self.rulebook.schema.table(name)
            frame = pl.DataFrame(
                [[_spelt(value) for value in row.values()] for row in rows],
                schema=dict.fromkeys(table.columns_by_name, pl.String),
                orient="row",
            )
            if table.dataset:
                datasets.setdefault(table.dataset, {})[table.base] = frame
            else:
                tables[name] = frame
        return Revision("test", tables, datasets)

    @cached_property
    def parameters(self) -> dict[str, Value | None]:
        """The value of every parameter."""
        return bind(self.rulebook, self.example.parameters, self.example.as_of)

    @cached_property
    def tables(self) -> dict[str, Sequence[Row]]:
        """The tables and views as the reference backend takes them."""
        tables = {
            name: [_reference_row(row) for row in rows]
            for name, rows in self.example.tables.items()
        }
        return with_views(self.rulebook, tables, self.parameters, self.functions)

    def known_by(self, table: str, row_index: int) -> Cells:
        """What tells a row from others: its key and roles."""
        names = set(row_names(self.rulebook.schema.table(table)).values())
        row = self.tables[table][row_index]
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
    example = bench.example
    arguments = (bench.rulebook, bench.revision)
    options: _Options = {
        "as_of": example.as_of,
        "parameters": example.parameters,
        "rules": bench.author,
        "functions": bench.functions,
    }
    result = evaluate(*arguments, **options)
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
    tables = {hits.rule.id: hits.rule.variable.table for hits in result.hits}
    said = judgements(*arguments, **options)
    judged = [
        Judged(
            rule,
            bench.rulebook.schema.table(tables[rule]).shown,
            row,
            _WORDS[verdict],
            severities[rule],
            cause or None,
            messages.get((rule, row)) if cause else None,
            bench.known_by(tables[rule], row),
        )
        for rule in wanted
        if rule in said and rule in tables
        for row, verdict, cause in said[rule].select(ROW, "verdict", "cause").iter_rows()
    ]
    return Verdicts(tuple(judged), reasons)


class _Options(TypedDict):
    as_of: dt.date
    parameters: Mapping[str, object]
    rules: Iterable[str]
    functions: Mapping[str, Implementation]


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
    book, tables, values = bench.rulebook, bench.tables, bench.parameters
    rules, reasons = in_force(bench)
    functions = plain_functions(book, bench.functions)
    by_author = judge_all(book, tables, values, bench.functions)
    judged: list[Judged] = []
    for each in rules:
        rule, table = each.rule, each.rule.variable.table
        found = by_author.get(rule.id)
        for said in judge(rule, book.schema, tables, values) if found is None else found:
            message = None
            if said.cause is not None:
                row = tables[table][said.row_index]
                evaluator = Evaluator.of_row(rule, book.schema, tables, values, row, functions)
                message = message_of(rule, said.cause, evaluator)
            judged.append(
                Judged(
                    rule.id,
                    book.schema.table(table).shown,
                    said.row_index,
                    said.verdict.value,
                    each.severity,
                    said.cause,
                    message,
                    bench.known_by(table, said.row_index),
                )
            )
    return Verdicts(tuple(judged), reasons)


def in_force(bench: Bench) -> tuple[list[InForce], dict[str, str]]:
    """The rules that are judged, with the severity in force, and why others are not evaluated. A rule
    that does not apply is neither.
    """
    book, revision = bench.rulebook, bench.revision
    admitted = admit(revision, book.schema)
    supply = Supply(book.schema, admitted.tables, bench.parameters, admitted.lacking)
    chosen = [rule for rule in book.rules if rule.id in bench.author]
    found = outlooks(book, chosen, survey(book, supply), revision)
    by_id = {each.rule.id: each for each in found if each.shown}
    looked_at = [by_id[name] for name in (*bench.author, *bench.made) if name in by_id]
    rules = [InForce(each.rule, each.severity) for each in looked_at if each.status == EVALUATED]
    reasons = {each.rule.id: each.reason for each in looked_at if each.status == NOT_EVALUATED}
    return rules, reasons


def _reference_row(cells: Cells) -> Row:
    row: Row = {}
    for name, value in cells.items():
        row[name] = value
        row[bad(name)] = False
        row[raw(name)] = _spelt(value)
    return row
