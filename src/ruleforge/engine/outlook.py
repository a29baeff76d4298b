"""outlook: rules before any data is read -> which will be judged, in force as what, and if not, why"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ruleforge.engine.admit import AdmittedTable
from ruleforge.engine.built_in import built_in_rules
from ruleforge.engine.needs import Supply, no_table
from ruleforge.engine.reference_backend import constant_value
from ruleforge.engine.revision import Revision
from ruleforge.language import core
from ruleforge.language.core import Rulebook, Severity
from ruleforge.language.schema import Schema, SchoolYear

EVALUATED, NOT_EVALUATED, DOES_NOT_APPLY = "evaluated", "not evaluated", "does not apply"


@dataclass(frozen=True)
class Outlook:
    """A rule, whether it will be judged, in force as what, and if not, why. `shown` where its
    findings are asked for; other rules are judged because these are judged after them.
    """

    rule: core.Rule
    severity: Severity
    status: str
    reason: str
    shown: bool = True


def chosen(rulebook: Rulebook, rules: Iterable[str] | None) -> tuple[core.Rule, ...]:
    """The rules of these ids, all without; raises `ValueError` for one that is not there."""
    if rules is None:
        return rulebook.rules
    wanted = set(rules)
    unknown = wanted - {rule.id for rule in rulebook.rules}
    if unknown:
        raise ValueError(f"`{rulebook.name}` has no rule {', '.join(sorted(unknown))}")
    return tuple(rule for rule in rulebook.rules if rule.id in wanted)


def with_those_before(
    rules: Sequence[core.Rule], among: Iterable[core.Rule]
) -> tuple[core.Rule, ...]:
    """The rules, and those `among` which they are judged after, each behind those before it."""
    by_id = {rule.id: rule for rule in among}
    ordered: dict[str, core.Rule] = {}
    pending = [(rule, False) for rule in reversed(rules)]
    while pending:
        rule, ready = pending.pop()
        if rule.id in ordered:
            continue
        if ready:
            ordered[rule.id] = rule
            continue
        pending.append((rule, True))
        pending += [(by_id[name], False) for name in reversed(rule.after) if name in by_id]
    return tuple(ordered.values())


def outlooks(
    rulebook: Rulebook,
    rules: Sequence[core.Rule],
    supply: Supply,
    revision: Revision,
    without: frozenset[str] = frozenset(),
) -> tuple[Outlook, ...]:
    """The outlook of rules and of those before them, then that of what the tables declare. The rules
    `without` which it is asked for are left out; one that others are judged after is not shown.
    """
    rules = [rule for rule in rules if rule.id not in without]
    shown = {rule.id for rule in rules}
    found: dict[str, Outlook] = {}
    for rule in with_those_before(rules, rulebook.rules):
        each = replace(_outlook(rule, supply), shown=rule.id in shown)
        unjudged = [name for name in rule.after if found[name].status == NOT_EVALUATED]
        if unjudged and each.status == EVALUATED:
            names = ", ".join(f"`{name}`" for name in unjudged)
            reason = f"it is judged after {names}, which is not evaluated"
            each = replace(each, status=NOT_EVALUATED, reason=reason)
        found[rule.id] = each
    ordered = [found[rule.id] for rule in rules]
    ordered += [each for each in found.values() if not each.shown]
    ordered += [each for each in _built_in(supply) if each.rule.id not in without]
    return tuple(_as_the_files_allow(each, revision, supply.schema) for each in ordered)


def _outlook(rule: core.Rule, supply: Supply) -> Outlook:
    severity = rule.severities[0][0]
    reasons = supply.lacks(rule)
    if reasons:
        return Outlook(rule, severity, NOT_EVALUATED, "; ".join(reasons))
    if rule.applies is not None:
        applies = constant_value(rule.applies, supply.parameters, supply.schema)
        if applies is None:
            return Outlook(rule, severity, NOT_EVALUATED, "whether it applies is unknown")
        if not applies:
            return Outlook(rule, severity, DOES_NOT_APPLY, "`applies when` is false")
    for step, condition in rule.severities:
        decided = condition is None or constant_value(condition, supply.parameters, supply.schema)
        if decided is None:
            return Outlook(rule, severity, NOT_EVALUATED, "which severity is in force is unknown")
        if decided:
            return Outlook(rule, step, EVALUATED, "")
    return Outlook(rule, severity, DOES_NOT_APPLY, "no severity is in force")


def _built_in(supply: Supply) -> list[Outlook]:
    """The rules of the declarations of the revision's own tables, as far as they were supplied. A
    column that is optional and not there is no matter.
    """
    year = supply.parameters.get("school_year")
    found: list[Outlook] = []
    for table in own_tables(supply.tables, supply.schema).values():
        school_year = year if isinstance(year, SchoolYear) else None
        for rule in built_in_rules(table, supply.schema, school_year):
            each = _outlook(rule, supply)
            required = rule.id.endswith((".required", ".key", ".reference"))
            if each.status == EVALUATED or required:
                found.append(each)
    return found


def own_tables(tables: Mapping[str, AdmittedTable], schema: Schema) -> dict[str, AdmittedTable]:
    """The tables that are the revision's own: no view, and none of another dataset."""
    return {name: table for name, table in tables.items() if name in schema.tables}


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
