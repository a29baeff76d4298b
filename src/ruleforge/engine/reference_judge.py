"""reference_judge: a rulebook, tables with their views -> judgements, messages, populations, reports

What `reference_backend` says of a row by one rule becomes here what a rulebook says: which rules
are in force, which rows `after` takes from them, what stands against a row, whom a finding takes
out of a population. As slow and obvious as the rest of the oracle.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ruleforge.engine.reference_backend import (
    Evaluator,
    Judgement,
    Row,
    Tables,
    Verdict,
    constant_value,
    judge,
    render_message,
)
from ruleforge.engine.reference_functions import shown
from ruleforge.engine.reference_host import plain_functions
from ruleforge.engine.reference_views import Functions, Parameters, rows_of, supplied
from ruleforge.language import core
from ruleforge.language.core import Severity
from ruleforge.language.schema import Schema, same_rows
from ruleforge.language.sensitive import reads_sensitive

MOST_NAMED = 100  # counterparts that a message names
Registered = Mapping[str, Callable[..., object]]


# ── rules ──────────────────────────────────────────────────────────────────────────────────────


def judge_all(
    rulebook: core.Rulebook,
    tables: Tables,
    parameters: Parameters,
    functions: Registered | None = None,
) -> dict[str, list[Judgement]]:
    """The judgements of each of the author's rules that is evaluated, by id, in the order of the
    rules.

    `tables` are those of `with_views`. Left out are rules that do not apply, which take no row from
    others, and those that are not evaluated: what they would take cannot be known, so no rule after
    them is evaluated.
    """
    schema = rulebook.schema
    plain = plain_functions(rulebook, functions or {})
    by_id = {rule.id: rule for rule in rulebook.rules}
    done: dict[str, list[Judgement] | None] = {}  # None where a rule is not evaluated
    silent: set[str] = set()
    while len(done) < len(by_id):
        # `check` has seen that rules do not wait for each other in a circle.
        rule = next(
            each
            for each in rulebook.rules
            if each.id not in done and all(name in done for name in each.after)
        )
        force = in_force(rule, schema, tables, parameters)
        if force is None or any(done[name] is None for name in rule.after):
            done[rule.id] = None
        elif isinstance(force, Severity):
            judgements = judge(rule, schema, tables, parameters, plain)
            reporting = [(by_id[name], done[name] or []) for name in rule.after]
            done[rule.id] = [_after(each, rule, reporting, schema, tables) for each in judgements]
        else:
            silent.add(rule.id)
            done[rule.id] = []
    ordered = ((rule.id, done[rule.id]) for rule in rulebook.rules if rule.id not in silent)
    return {name: judgements for name, judgements in ordered if judgements is not None}


class DoesNotApply:
    """What `in_force` says of a rule that is to say nothing, which is known."""


def in_force(
    rule: core.Rule, schema: Schema, tables: Tables, parameters: Parameters
) -> Severity | DoesNotApply | None:
    """The severity under which a rule is evaluated; None where it is not evaluated, be it that data
    is lacking or that what applies is unknown.
    """
    if not all(supplied(part, schema, tables, parameters) for part in _parts(rule)):
        return None
    for node in _said(rule):
        if isinstance(node, core.RowVariable | core.Follow) and node.table not in tables:
            return None

    def settled(condition: core.Expr | None) -> object:
        if condition is None:
            return True
        return constant_value(condition, parameters, schema)

    # Nothing is decided by a condition that is unknown, nor by those behind it.
    for outcome, condition in [(None, rule.applies), *rule.severities]:
        decided = settled(condition)
        if decided is None:
            return None
        if outcome is None and not decided:
            return DoesNotApply()
        if outcome is not None and decided:
            return outcome
    return DoesNotApply()


def _parts(rule: core.Rule) -> Iterator[core.Expr | core.Row]:
    """What has to be there for a rule to be evaluated."""
    yield rule.variable
    options = [rule.applies, rule.where, rule.when, *(each for _, each in rule.severities)]
    yield from (each for each in options if each is not None)
    yield from (value for _, value in rule.lets)
    yield from (claim.condition for claim in rule.claims)


def _said(rule: core.Rule) -> Iterator[core.Expr | core.Row]:
    """Every node of the messages of a rule."""
    for claim in rule.claims:
        for part in claim.message.parts:
            if not isinstance(part, str):
                yield from core.walk(part)


def _after(
    judgement: Judgement,
    rule: core.Rule,
    reporting: Iterable[tuple[core.Rule, Sequence[Judgement]]],
    schema: Schema,
    tables: Tables,
) -> Judgement:
    """The judgement, or that the row is taken by one of the rules that come before."""
    own = schema.table(rule.variable.table)
    row = tables[own.name][judgement.row_index]
    for other, judgements in reporting:
        theirs = schema.table(other.variable.table)
        reported = [each.row_index for each in judgements if each.verdict is Verdict.FAILS]
        # NOTE: one row may be reported whose key is missing, and two may have one key.
        is_one = own.name == theirs.name and judgement.row_index in reported
        pairs = same_rows(own, theirs)
        rows = [tables[theirs.name][number] for number in reported]
        if is_one or any(_agree(row, each, pairs) for each in rows):
            return replace(judgement, verdict=Verdict.NOT_APPLICABLE, cause=None, taken=True)
    return judgement


def _agree(row: Row, other: Row, pairs: Iterable[tuple[str, str]]) -> bool:
    """Whether two rows have the same values, all of them present, in pairs of columns."""
    values = [(row.get(mine), other.get(theirs)) for mine, theirs in pairs]
    return all(a is not None and b is not None and shown(a) == shown(b) for a, b in values)


# ── what stands against a row, and what is said ────────────────────────────────────────────────


def counterparts(rule: core.Rule, evaluator: Evaluator) -> list[Row]:
    """The rows that stand against the evaluator's, by their key and then their other columns; none
    for a rule without `against`.
    """
    if rule.against is None:
        return []
    variable = rule.against.variable
    table = evaluator.schema.table(variable.table)
    found = evaluator.matching(variable, rule.against.where, evaluator.rows)
    rows = [row for each in found if (row := each[variable.depth]) is not None]
    return sorted(rows, key=lambda row: evaluator.rank(table, row))


def message_of(
    rule: core.Rule, cause: int, evaluator: Evaluator, *, show_sensitive: bool = False
) -> str:
    """What the claim number `cause` says about the evaluator's row.

    A part that reads the counterparts names each text once, in their order, of the first 100.
    """
    template = rule.claims[cause - 1].message
    others = counterparts(rule, evaluator)
    if rule.against is None:
        return render_message(template, evaluator, show_sensitive=show_sensitive)
    depth = rule.against.variable.depth
    lenient = evaluator.leniently()
    more = " and more" if len(others) > MOST_NAMED else ""
    said = []
    for part in template.parts:
        if isinstance(part, str):
            said.append(part)
        elif depth not in _depths(part):
            alone = core.Template((part,))
            said.append(render_message(alone, evaluator, show_sensitive=show_sensitive))
        elif not show_sensitive and reads_sensitive(part, evaluator.schema, evaluator.lets):
            said.append("(withheld)" + more)
        else:
            named = [{**evaluator.rows, depth: row} for row in others[:MOST_NAMED]]
            texts = dict.fromkeys(shown(lenient.value(part, rows)) for rows in named)
            said.append(", ".join(texts) + more)
    return "".join(said)


def _depths(node: core.Expr | core.Row) -> set[int]:
    """The depths of the rows that a node reads and does not itself go through."""
    inner: tuple[core.Expr | core.Row, ...]
    match node:
        case core.RowVariable():
            return {node.depth}
        case core.Follow() | core.Pick():
            inner = core.row_children(node)
        case _:
            inner = core.children(node)
    found = {depth for part in inner for depth in _depths(part)}
    if isinstance(node, core.Pick | core.Exists | core.Every | core.Aggregate):
        found.discard(node.variable.depth)
    return found


# ── populations and reports ────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Reported:
    """What a finding says of whom: the roles of the row that have a value, as texts."""

    rule: str
    severity: Severity
    roles: Mapping[str, str]


@dataclass(frozen=True)
class Unit:
    """One of a population: its roles as texts, None where missing; counted, or taken out first by a
    finding of `severity`, and by which rules in all.
    """

    roles: tuple[str | None, ...]
    counted: bool
    severity: Severity | None
    rules: tuple[str, ...]


def reported_by(
    rule: core.Rule,
    severity: Severity,
    judgements: Iterable[Judgement],
    schema: Schema,
    tables: Tables,
) -> list[Reported]:
    """The findings of a rule that is in force as `severity`."""
    table = schema.table(rule.variable.table)
    found = []
    for judgement in judgements:
        if judgement.verdict is Verdict.FAILS:
            row = tables[table.name][judgement.row_index]
            found.append(Reported(rule.id, severity, _texts(row, table.roles)))
    return found


def _texts(row: Row, columns_by_role: Mapping[str, str]) -> dict[str, str]:
    """The roles of a row that have a value."""
    values = {role: row.get(column) for role, column in columns_by_role.items()}
    return {role: shown(value) for role, value in values.items() if value is not None}


def units_of(
    population: core.Population,
    findings: Sequence[Reported],
    schema: Schema,
    tables: Tables,
    parameters: Parameters,
    functions: Functions | None = None,
) -> list[Unit] | None:
    """The units of a population in the order of their roles; None where it reads what is not there.

    `findings` are all that there are, in the order of the rules, those of the tables last.
    """
    rows = rows_of(population.view, schema, tables, parameters, functions or {})
    if rows is None:
        return None
    units = []
    for row in rows:
        roles = _texts(row, {role: role for role in population.roles})
        out: dict[str, Severity] = {}
        for severity in population.unless:
            for each in findings:
                if each.severity is severity and _is_about(each, population.roles, roles):
                    out.setdefault(each.rule, severity)
        first = next(iter(out.values()), None)
        texts = tuple(roles.get(role) for role in population.roles)
        units.append(Unit(texts, not out, first, tuple(out)))
    return units


def _is_about(finding: Reported, roles: Sequence[str], unit: Mapping[str, str]) -> bool:
    """Whether a finding agrees with a unit on each role that both have, the first among them."""
    both = [role for role in roles if role in unit and role in finding.roles]
    return roles[0] in both and all(unit[role] == finding.roles[role] for role in both)


def figures_of(
    report: core.Report,
    schema: Schema,
    tables: Tables,
    parameters: Parameters,
    functions: Functions | None = None,
) -> list[Row] | None:
    """The rows of a report; None where it reads what is not there."""
    rows = rows_of(report.view, schema, tables, parameters, functions or {})
    names = report.view.table.columns_by_name.keys()
    return rows if rows is not None and names <= set(rows.columns) else None
