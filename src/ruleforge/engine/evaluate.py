"""evaluate: core.Rulebook, Revision, parameters -> Result

The whole of an evaluation on one screen: bind the parameters, admit the tables, set aside the rules
that cannot or need not be judged, lower the others, make one pass for each table, and keep what was
found.
"""

import datetime as dt
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from ruleforge.engine.admit import FILE, ROW, AdmittedTable, admit
from ruleforge.engine.built_in import built_in_rules
from ruleforge.engine.describe import FILE_RULE, Describer, line_rule
from ruleforge.engine.lower import lower
from ruleforge.engine.needs import columns_read, lacks, no_table
from ruleforge.engine.parameters import bind
from ruleforge.engine.plan import TablePlan
from ruleforge.engine.polars_backend import (
    FAILS,
    HOLDS,
    NOT_APPLICABLE,
    UNKNOWN,
    PolarsBackend,
    cause_of,
)
from ruleforge.engine.reference_backend import constant_value
from ruleforge.engine.result import Hits, Result
from ruleforge.engine.revision import LINE, FileRecord, Refusal, Revision
from ruleforge.language import core
from ruleforge.language.core import Rulebook, Severity, Value
from ruleforge.language.schema import Schema, SchoolYear
from ruleforge.language.types import PERIOD

EVALUATED, NOT_EVALUATED, DOES_NOT_APPLY = "evaluated", "not evaluated", "does not apply"

_RULES_SCHEMA = {
    "rule": pl.String(),
    "severity": pl.String(),
    "status": pl.String(),
    "reason": pl.String(),
    "holds": pl.Int64(),
    "fails": pl.Int64(),
    "unknown": pl.Int64(),
    "not_applicable": pl.Int64(),
    "milliseconds": pl.Float64(),
}

Progress = Callable[[str, int, int], None]


def evaluate(
    rulebook: Rulebook,
    revision: Revision,
    *,
    as_of: dt.date,
    parameters: Mapping[str, object] | None = None,
    rules: Iterable[str] | None = None,
    show_sensitive: bool = False,
    progress: Progress | None = None,
) -> Result:
    """Judges every row of a revision by every rule of a rulebook.

    `as_of` is the day on which the evaluation is made; nothing reads a clock. `parameters` are
    values of the rulebook's parameters, as themselves or as text (`"2023-24"`). `rules` limits the
    author's rules to some ids. `progress` is told the table, the number of passes made and the
    number of passes to make.

    Raises `ParameterError` for parameters that do not fit and `RevisionError` for tables that the
    rulebook does not declare. A rule whose data or parameter is not there is *not evaluated*, with
    the reason; bad cells and lines are findings.
    """
    ready = _readied(rulebook, revision, as_of, parameters, rules)
    verdicts: dict[str, _Verdicts] = {}
    for number, plan in enumerate(ready.plans):
        if progress is not None:
            progress(plan.table, number, len(ready.plans))
        verdicts |= _pass(plan, ready.backend)
    if progress is not None:
        progress("", len(ready.plans), len(ready.plans))
    by_id = {rule.id: rule for rule in ready.rules}
    hits = tuple(
        Hits(by_id[each.rule.id], each.severity, verdicts[each.rule.id].reported)
        for each in ready.outlook
        if each.status == EVALUATED
    )
    lines = [each.row(verdicts.get(each.rule.id)) for each in ready.outlook]
    lines += _refused(revision.refusals, revision.files)
    return Result(
        rulebook,
        pl.DataFrame(lines, schema=_RULES_SCHEMA, orient="row"),
        revision.files,
        revision.refusals,
        hits,
        Describer(rulebook, revision.name, ready.backend, show_sensitive),
        ready.values,
        revision,
        ready.admitted,
        _rows(ready, verdicts),
    )


def plans_of(rulebook: Rulebook, rules: Iterable[str] | None = None) -> tuple[TablePlan, ...]:
    """The plans of a rulebook's own rules, as if all data were there: what `ruleforge show plan`
    prints.
    """
    return lower(_chosen(rulebook, rules), rulebook.schema)


def queries_of(
    rulebook: Rulebook,
    revision: Revision,
    *,
    as_of: dt.date,
    parameters: Mapping[str, object] | None = None,
    rules: Iterable[str] | None = None,
) -> tuple[tuple[TablePlan, pl.LazyFrame], ...]:
    """What `evaluate` would do with the same arguments, not done yet: the plan of each pass and its
    lazy frames.
    """
    ready = _readied(rulebook, revision, as_of, parameters, rules)
    return tuple((plan, ready.backend.judge(plan)) for plan in ready.plans)


@dataclass(frozen=True)
class _Ready:
    """Everything that is known before the first pass. `rules` are those that will be judged,
    `plans` what is done for them.
    """

    values: dict[str, Value | None]
    admitted: Mapping[str, AdmittedTable]
    backend: PolarsBackend
    outlook: "tuple[Outlook, ...]"
    rules: tuple[core.Rule, ...]
    plans: tuple[TablePlan, ...]


def _readied(
    rulebook: Rulebook,
    revision: Revision,
    as_of: dt.date,
    parameters: Mapping[str, object] | None,
    rules: Iterable[str] | None,
) -> _Ready:
    values = bind(rulebook, parameters or {}, as_of)
    chosen = _chosen(rulebook, rules)
    admitted = admit(revision, rulebook.schema).tables
    outlook = outlooks(rulebook, revision, admitted, values, chosen)
    ready = tuple(
        folded(each.rule, values, rulebook.schema) for each in outlook if each.status == EVALUATED
    )
    read = columns_read(ready, rulebook.schema)
    tables = {name: table.in_memory(read.get(name, ())) for name, table in admitted.items()}
    backend = PolarsBackend(tables, rulebook.schema, values)
    return _Ready(values, admitted, backend, outlook, ready, lower(ready, rulebook.schema))


def _rows(ready: _Ready, verdicts: "Mapping[str, _Verdicts]") -> dict[str, int]:
    """The number of rows of each table. A rule without `where` has judged them all, so few are
    counted anew.
    """
    rows = {
        plan.table: verdicts[rule.rule.id].judged
        for plan in ready.plans
        for rule in plan.rules
        if rule.rule.where is None
    }
    for name in ready.admitted:
        if name not in rows:
            rows[name] = ready.backend.tables[name].scan({}).select(pl.len()).collect().item()
    return {name: rows[name] for name in ready.admitted}


# ── which rules are judged ─────────────────────────────────────────────────────────────────────


def outlooks(
    rulebook: Rulebook,
    revision: Revision,
    tables: Mapping[str, AdmittedTable],
    values: Mapping[str, Value | None],
    rules: Sequence[core.Rule] | None = None,
) -> "tuple[Outlook, ...]":
    """Whether each rule will be judged, the author's first (all, or these), then the built-in ones."""
    chosen = rulebook.rules if rules is None else rules
    outlook = [_outlook(rule, rulebook.schema, tables, values) for rule in chosen]
    outlook += _built_in(tables, rulebook.schema, values)
    return tuple(_as_the_files_allow(each, revision, rulebook.schema) for each in outlook)


@dataclass(frozen=True)
class Outlook:
    """A rule before any data is read: whether it will be judged, in force as what, and if not, why."""

    rule: core.Rule
    severity: Severity
    status: str
    reason: str

    def row(self, verdicts: "_Verdicts | None") -> tuple[object, ...]:
        counts: Sequence[object] = (None,) * 5 if verdicts is None else verdicts.counts
        return (self.rule.id, self.severity.value, self.status, self.reason, *counts)


def _chosen(rulebook: Rulebook, rules: Iterable[str] | None) -> tuple[core.Rule, ...]:
    if rules is None:
        return rulebook.rules
    wanted = set(rules)
    unknown = wanted - {rule.id for rule in rulebook.rules}
    if unknown:
        raise ValueError(f"`{rulebook.name}` has no rule {', '.join(sorted(unknown))}")
    return tuple(rule for rule in rulebook.rules if rule.id in wanted)


def _outlook(
    rule: core.Rule,
    schema: Schema,
    tables: Mapping[str, AdmittedTable],
    values: Mapping[str, Value | None],
) -> Outlook:
    severity = rule.severities[0][0]
    reasons = lacks(rule, schema, tables, values)
    if reasons:
        return Outlook(rule, severity, NOT_EVALUATED, "; ".join(reasons))
    if rule.applies is not None:
        applies = constant_value(rule.applies, values, schema)
        if applies is None:
            return Outlook(rule, severity, NOT_EVALUATED, "whether it applies is unknown")
        if not applies:
            return Outlook(rule, severity, DOES_NOT_APPLY, "`applies when` is false")
    for step, condition in rule.severities:
        decided = condition is None or constant_value(condition, values, schema)
        if decided is None:
            return Outlook(rule, severity, NOT_EVALUATED, "which severity is in force is unknown")
        if decided:
            return Outlook(rule, step, EVALUATED, "")
    return Outlook(rule, severity, DOES_NOT_APPLY, "no severity is in force")


def _built_in(
    tables: Mapping[str, AdmittedTable], schema: Schema, values: Mapping[str, Value | None]
) -> list[Outlook]:
    """The rules of the declarations of the tables that were supplied. A column that is optional and
    not there is no matter.
    """
    year = values.get("school_year")
    found: list[Outlook] = []
    for table in tables.values():
        school_year = year if isinstance(year, SchoolYear) else None
        for rule in built_in_rules(table, schema, school_year):
            each = _outlook(rule, schema, tables, values)
            required = rule.id.endswith((".required", ".key", ".reference"))
            if each.status == EVALUATED or required:
                found.append(each)
    return found


def _as_the_files_allow(outlook: Outlook, revision: Revision, schema: Schema) -> Outlook:
    """What a file that could not be read, or not to its end, changes about a rule.

    A reference into a table whose end is missing would find fault with rows that may well be right.
    """
    unread = {
        each.table: each.file
        for each in revision.refusals
        if each.table is not None and each.line is None and each.table not in revision.tables
    }
    reason = outlook.reason
    for table, file in unread.items():
        reason = reason.replace(no_table(table), f"{no_table(table)}: {file} could not be read")
    cut = {t for record in revision.files if not record.complete for t in record.tables}
    built_in, _, column = outlook.rule.id.removesuffix(".reference").partition(".")
    if outlook.rule.id.endswith(".reference") and outlook.status == EVALUATED:
        for link in schema.tables[built_in].links:
            if link.checked and link.columns == (column,) and link.table in cut:
                reason = f"`{link.table}` was not read to its end"
                return replace(outlook, status=NOT_EVALUATED, reason=reason)
    return replace(outlook, reason=reason)


def folded(rule: core.Rule, values: Mapping[str, Value | None], schema: Schema) -> core.Rule:
    """The rule with whatever reads no row worked out."""

    def fold(expr: core.Expr) -> core.Expr:
        if isinstance(expr, core.ParameterValue):
            return core.Constant(values.get(expr.name), expr.type, expr.span)
        if isinstance(expr, core.Constant | core.SetOf) or expr.type == PERIOD:
            return expr
        parts = core.children(expr)
        settled = all(isinstance(part, core.Constant | core.SetOf) for part in parts)
        if not parts or not settled:
            return expr
        value = constant_value(expr, values, schema)
        assert not _is_period(value)
        return core.Constant(value, expr.type, expr.span)  # type: ignore[arg-type]

    def each(expr: core.Expr | None) -> core.Expr | None:
        return None if expr is None else core.rewritten(expr, fold)

    def template(message: core.Template) -> core.Template:
        return core.Template(
            tuple(p if isinstance(p, str) else core.rewritten(p, fold) for p in message.parts)
        )

    return replace(
        rule,
        where=each(rule.where),
        lets=tuple((name, core.rewritten(value, fold)) for name, value in rule.lets),
        when=each(rule.when),
        claims=tuple(
            core.Claim(core.rewritten(claim.condition, fold), template(claim.message))
            for claim in rule.claims
        ),
    )


def _is_period(value: object) -> bool:
    return hasattr(value, "is_empty")


# ── passes ─────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _Verdicts:
    holds: int
    fails: int
    unknown: int
    not_applicable: int
    milliseconds: float
    reported: pl.DataFrame

    @property
    def judged(self) -> int:
        return self.holds + self.fails + self.unknown + self.not_applicable

    @property
    def counts(self) -> tuple[object, ...]:
        return (self.holds, self.fails, self.unknown, self.not_applicable, self.milliseconds)


def _pass(plan: TablePlan, backend: PolarsBackend) -> dict[str, _Verdicts]:
    """Judges all rules of one table in one streaming pass, of which only counts and reported rows
    stay.
    """
    started = time.perf_counter()
    names = [f"verdict.{number}" for number in range(len(plan.rules))]
    counts = [
        (pl.col(name) == code if code < FAILS else pl.col(name) >= code)
        .sum()
        .alias(f"{name}.{code}")
        for name in names
        for code in (HOLDS, FAILS, UNKNOWN, NOT_APPLICABLE)
    ]
    any_fails = pl.any_horizontal(pl.col(names) >= FAILS)
    figures: list[pl.DataFrame] = []
    kept: list[pl.DataFrame] = []
    query = backend.judge(plan)
    for batch in query.collect_batches(maintain_order=False, engine="streaming"):
        figures.append(batch.select(counts))
        kept.append(batch.filter(any_fails))
    totals = pl.concat(figures).sum().row(0) if figures else (0,) * len(counts)
    # NOTE: a table without rows comes in no batches at all.
    reported = pl.concat(kept).sort(ROW) if kept else pl.DataFrame(schema=query.collect_schema())
    places = _places(plan, backend, reported[ROW])
    reported = reported.join(places, on=ROW, how="left", maintain_order="left")
    milliseconds = (time.perf_counter() - started) * 1000
    verdicts: dict[str, _Verdicts] = {}
    for number, (name, rule) in enumerate(zip(names, plan.rules, strict=True)):
        holds, fails, unknown, denied = (
            total or 0 for total in totals[4 * number : 4 * number + 4]
        )
        failed = reported.filter(pl.col(name) >= FAILS) if fails else reported.clear()
        rows = failed.select(*places.columns, cause_of(pl.col(name)).alias("cause"))
        verdicts[rule.rule.id] = _Verdicts(holds, fails, unknown, denied, milliseconds, rows)
    return verdicts


def _places(plan: TablePlan, backend: PolarsBackend, rows: pl.Series) -> pl.DataFrame:
    """What says which rows were reported: file and line, and as `own.c` the key and the roles."""
    table = backend.tables[plan.table]
    own = list(dict.fromkeys([*table.table.key, *table.table.roles.values()]))
    found = table.at(rows, [FILE, LINE, *own])
    return found.select(ROW, FILE, LINE, *(pl.col(name).alias(f"own.{name}") for name in own))


def _refused(refusals: Sequence[Refusal], files: Sequence[FileRecord]) -> list[tuple[object, ...]]:
    """A row of `rules` for lines that are no rows of a table, and for files that could not be read."""
    numbers: dict[str, int] = {}
    kept: dict[str, int] = {}
    for refusal in refusals:
        of_file = refusal.line is None or refusal.table is None
        name = FILE_RULE if of_file else line_rule(refusal.table or "")
        numbers[name] = numbers.get(name, 0) + 1
        rows = sum(record.rows for record in files if refusal.table in record.tables)
        kept[name] = sum(record.complete for record in files) if of_file else rows
    return [
        (name, Severity.ERROR.value, EVALUATED, "", kept[name], number, 0, 0, None)
        for name, number in numbers.items()
    ]
