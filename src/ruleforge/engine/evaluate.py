"""evaluate: core.Rulebook, Revision, parameters -> Result

The whole of an evaluation on one screen: bind the parameters, admit the tables, set aside the rules
that cannot or need not be judged, make the views that the others read, lower them, make one pass
for each table, take back what was said of rows that `after` takes, and keep what was found.
"""

import datetime as dt
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from ruleforge.engine.admit import FILE, admit
from ruleforge.engine.after import taken_rows, verdicts_of
from ruleforge.engine.describe import FILE_RULE, Describer, line_rule
from ruleforge.engine.folding import folded
from ruleforge.engine.host_functions import HostFunctions, Implementation
from ruleforge.engine.lower import lower
from ruleforge.engine.needs import Supply, columns_read
from ruleforge.engine.outlook import (
    EVALUATED,
    Outlook,
    chosen,
    outlooks,
    own_tables,
    with_those_before,
)
from ruleforge.engine.parameters import bind
from ruleforge.engine.plan import ROW, TablePlan
from ruleforge.engine.polars_backend import (
    FAILS,
    HOLDS,
    NOT_APPLICABLE,
    UNKNOWN,
    PolarsBackend,
    cause_of,
)
from ruleforge.engine.populations import units_of
from ruleforge.engine.reports import typed
from ruleforge.engine.result import Hits, Result
from ruleforge.engine.revision import LINE, FileRecord, Refusal, Revision
from ruleforge.engine.views import (
    add_columns_of_view,
    lacks_for_view,
    make_views,
    survey,
    view_rows,
)
from ruleforge.language import core
from ruleforge.language.core import Rulebook, Severity, Value

_COUNTS = ("holds", "fails", "unknown", "not_applicable", "taken")
_RULES_SCHEMA = {
    "rule": pl.String(),
    "severity": pl.String(),
    "status": pl.String(),
    "reason": pl.String(),
    **dict.fromkeys(_COUNTS, pl.Int64()),
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
    functions: Mapping[str, Implementation] | None = None,
    without: Iterable[str] = (),
    show_sensitive: bool = False,
    progress: Progress | None = None,
) -> Result:
    """Judges every row of a revision by every rule of a rulebook.

    `as_of` is the day on which the evaluation is made; nothing reads a clock. `parameters` are
    values of the rulebook's parameters, as themselves or as text (`"2023-24"`). `rules` limits the
    author's rules to some ids; reports and populations are left out then. `without` leaves rules
    out by their ids, built-in ones too (`"student.key"`). `functions` are those that the rulebook
    declares with `function`: see `host_functions`. `progress` is told the table, the number of
    passes made and the number of passes to make.

    Raises `ParameterError` for parameters that do not fit, `FunctionError` for functions that are
    lacking or do not do what they are to do, and `RevisionError` for tables that the rulebook does
    not declare. A rule whose data or parameter is not there is *not evaluated*, with the reason;
    bad cells and lines are findings.
    """
    ready = _readied(rulebook, revision, as_of, parameters, rules, functions, without)
    verdicts: dict[str, _Verdicts] = {}
    for number, plan in enumerate(ready.plans):
        if progress is not None:
            progress(plan.table, number, len(ready.plans))
        verdicts |= _pass(plan, ready.backend)
    if progress is not None:
        progress("", len(ready.plans), len(ready.plans))
    _take_back(ready, verdicts)
    by_id = {rule.id: rule for rule in ready.rules}
    hits = tuple(
        Hits(by_id[each.rule.id], each.severity, verdicts[each.rule.id].reported)
        for each in ready.outlook
        if each.status == EVALUATED and each.shown
    )
    lines = [_line(each, verdicts.get(each.rule.id)) for each in ready.outlook if each.shown]
    lines += _refused(revision.refusals, revision.files)
    made = _Made({}, {}, {})
    if rules is None:
        made = _made(rulebook, ready, hits, show_sensitive=show_sensitive)
    return Result(
        rulebook,
        pl.DataFrame(lines, schema=_RULES_SCHEMA, orient="row"),
        revision.files,
        revision.refusals,
        hits,
        Describer(rulebook, revision.name, ready.backend, show_sensitive),
        ready.values,
        revision,
        ready.supply,
        _rows(ready, verdicts),
        made.populations,
        made.reports,
        made.unmade,
        functions or {},
    )


def plans_of(rulebook: Rulebook, rules: Iterable[str] | None = None) -> tuple[TablePlan, ...]:
    """The plans of a rulebook's own rules, as if all data were there: what `ruleforge show plan`
    prints.
    """
    return lower(chosen(rulebook, rules), rulebook.schema)


def queries_of(
    rulebook: Rulebook,
    revision: Revision,
    *,
    as_of: dt.date,
    parameters: Mapping[str, object] | None = None,
    rules: Iterable[str] | None = None,
    functions: Mapping[str, Implementation] | None = None,
) -> tuple[tuple[TablePlan, pl.LazyFrame], ...]:
    """What `evaluate` would do with the same arguments, not done yet: the plan of each pass and its
    lazy frames. Views are made, as the frames read them.
    """
    ready = _readied(rulebook, revision, as_of, parameters, rules, functions)
    return tuple((plan, ready.backend.judge(plan)) for plan in ready.plans)


def judgements(
    rulebook: Rulebook,
    revision: Revision,
    *,
    as_of: dt.date,
    parameters: Mapping[str, object] | None = None,
    rules: Iterable[str] | None = None,
    functions: Mapping[str, Implementation] | None = None,
) -> dict[str, pl.DataFrame]:
    """What every rule that is evaluated says of every row of its table, by its id, with the same
    arguments as `evaluate`: `#row`, `verdict` (its number, as `polars_backend` has them) and
    `cause`. Rows that `where` leaves out are not there. For tests: it keeps all rows in memory.
    """
    ready = _readied(rulebook, revision, as_of, parameters, rules, functions)
    verdicts: dict[str, _Verdicts] = {}
    frames: dict[str, pl.DataFrame] = {}
    for plan in ready.plans:
        verdicts |= _pass(plan, ready.backend)
        frame = ready.backend.judge(plan).collect().sort(ROW)
        for number, each in enumerate(plan.rules):
            code = pl.col(f"verdict.{number}")
            frames[each.rule.id] = frame.filter(code.is_not_null()).select(
                ROW, code.clip(upper_bound=FAILS).alias("verdict"), cause_of(code).alias("cause")
            )
    for name, rows in _take_back(ready, verdicts).items():
        taken = pl.col(ROW).is_in(rows.cast(frames[name].schema[ROW]).implode())
        frames[name] = frames[name].with_columns(
            pl.when(taken)
            .then(NOT_APPLICABLE)
            .otherwise("verdict")
            .cast(pl.UInt16)
            .alias("verdict"),
            pl.when(taken).then(0).otherwise("cause").cast(pl.UInt16).alias("cause"),
        )
    return frames


@dataclass(frozen=True)
class _Ready:
    """Everything that is known before the first pass. `rules` are those that will be judged,
    `plans` what is done for them.
    """

    values: dict[str, Value | None]
    supply: Supply
    backend: PolarsBackend
    outlook: tuple[Outlook, ...]
    rules: tuple[core.Rule, ...]
    plans: tuple[TablePlan, ...]


def _readied(
    rulebook: Rulebook,
    revision: Revision,
    as_of: dt.date,
    parameters: Mapping[str, object] | None,
    rules: Iterable[str] | None,
    functions: Mapping[str, Implementation] | None,
    without: Iterable[str] = (),
) -> _Ready:
    schema = rulebook.schema
    values = bind(rulebook, parameters or {}, as_of)
    called = HostFunctions.bound(rulebook, functions or {})
    admitted = admit(revision, schema)
    supply = survey(rulebook, Supply(schema, admitted.tables, values, admitted.lacking))
    outlook = outlooks(rulebook, chosen(rulebook, rules), supply, revision, frozenset(without))
    ready = tuple(folded(e.rule, values, schema) for e in outlook if e.status == EVALUATED)
    read = columns_read(ready, schema)
    views = dict(rulebook.views)
    if rules is None:
        published = [population.view for population in rulebook.populations]
        published += [report.view for report in rulebook.reports]
        for view in published:
            if not lacks_for_view(view, supply, whole=True):
                add_columns_of_view(read, view, dict(view.columns), supply)
    for name in reversed(views):
        if name in read and name in supply.tables:
            add_columns_of_view(read, views[name], read[name], supply)
    tables = {
        name: table if name in views else table.in_memory(read.get(name, ()))
        for name, table in supply.tables.items()
    }
    backend = PolarsBackend(tables, schema, values, called)
    make_views(views, read, backend, tables)
    made = {name: tables[name] for name in views if name in tables}
    whole = replace(supply, tables={**supply.tables, **made})
    return _Ready(values, whole, backend, outlook, ready, lower(ready, schema))


def _rows(ready: _Ready, verdicts: "Mapping[str, _Verdicts]") -> dict[str, int]:
    """The number of rows of each table. A rule without `where` has judged them all, so few are
    counted anew.
    """
    own = own_tables(ready.supply.tables, ready.supply.schema)
    rows = {
        plan.table: verdicts[rule.rule.id].judged
        for plan in ready.plans
        for rule in plan.rules
        if rule.rule.where is None
    }
    for name in own:
        if name not in rows:
            rows[name] = ready.backend.tables[name].scan({}).select(pl.len()).collect().item()
    return {name: rows[name] for name in own}


def _line(outlook: Outlook, verdicts: "_Verdicts | None") -> tuple[object, ...]:
    """What `Result.rules` says of a rule."""
    counts: Sequence[object] = (None,) * (len(_COUNTS) + 1)
    if verdicts is not None:
        counts = verdicts.counts
    return (
        outlook.rule.id,
        outlook.severity.value,
        outlook.status,
        outlook.reason,
        *counts,
    )


# ── what is made of the findings and the tables ────────────────────────────────────────────────


@dataclass(frozen=True)
class _Made:
    """Populations and reports; `unmade` says of each other why there is none."""

    populations: dict[str, pl.DataFrame]
    reports: dict[str, pl.DataFrame]
    unmade: dict[str, str]


def _made(
    rulebook: Rulebook, ready: _Ready, hits: Sequence[Hits], *, show_sensitive: bool
) -> _Made:
    made = _Made({}, {}, {})
    for population in rulebook.populations:
        rows = _view_of(population.view, ready, made.unmade)
        if rows is not None:
            made.populations[population.name] = units_of(
                population, rows, hits, rulebook.schema, show_sensitive=show_sensitive
            )
    for report in rulebook.reports:
        rows = _view_of(report.view, ready, made.unmade)
        if rows is not None:
            table = report.view.table
            made.reports[report.name] = typed(rows, table, show_sensitive=show_sensitive)
    return made


def _view_of(view: core.View, ready: _Ready, unmade: dict[str, str]) -> pl.DataFrame | None:
    """The rows of the view of a population or report; None where it cannot be made, which is noted."""
    reasons = lacks_for_view(view, ready.supply, whole=True)
    if reasons:
        unmade[view.table.name] = "; ".join(reasons)
        return None
    return view_rows(view, dict(view.columns), ready.backend)


# ── passes ─────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _Verdicts:
    holds: int
    fails: int
    unknown: int
    not_applicable: int
    milliseconds: float
    reported: pl.DataFrame
    taken: int = 0

    @property
    def judged(self) -> int:
        return self.holds + self.fails + self.unknown + self.not_applicable

    @property
    def counts(self) -> tuple[object, ...]:
        return (*(getattr(self, name) for name in _COUNTS), self.milliseconds)


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


def _take_back(ready: _Ready, verdicts: dict[str, _Verdicts]) -> dict[str, pl.Series]:
    """Makes the verdict *not applicable* on rows that the rules before a rule report, and says
    which these are.
    """
    taken: dict[str, pl.Series] = {}
    by_id = {rule.id: rule for rule in ready.rules}
    # WHY: a rule comes behind those before it, which may have lost findings themselves.
    behind = [rule for rule in with_those_before(ready.rules, ready.rules) if rule.after]
    for rule in behind:
        before = [(by_id[n], verdicts[n].reported) for n in rule.after if n in verdicts]
        rows = taken_rows(rule, before, ready.backend)
        if not len(rows):
            continue
        taken[rule.id] = rows
        counts = verdicts_of(rule, rows, ready.backend)
        old = verdicts[rule.id]
        # NOTE: rows that `where` leaves out have no verdict, and are not taken.
        lost = counts[HOLDS] + counts[UNKNOWN] + counts[FAILS]
        verdicts[rule.id] = replace(
            old,
            holds=old.holds - counts[HOLDS],
            fails=old.fails - counts[FAILS],
            unknown=old.unknown - counts[UNKNOWN],
            not_applicable=old.not_applicable + lost,
            reported=old.reported.filter(
                ~pl.col(ROW).is_in(rows.cast(old.reported.schema[ROW]).implode())
            ),
            taken=lost + counts[NOT_APPLICABLE],
        )
    return taken


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
        (name, Severity.ERROR.value, EVALUATED, "", kept[name], number, 0, 0, 0, None)
        for name, number in numbers.items()
    ]
