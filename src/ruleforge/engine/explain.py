"""explain: a rulebook, a revision, the id of a rule, a row -> Explanation

Any row may be asked for, not only one that is reported: why a pupil is *not* on the list is as good
a question. The verdict is worked out anew by the reference backend from the row and those that are
linked to it, so nothing has to be evaluated before.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping

from ruleforge.engine.admit import FILE, AdmittedTable, admit
from ruleforge.engine.evaluate import EVALUATED, Outlook, outlooks
from ruleforge.engine.explain_expression import Explainer
from ruleforge.engine.explanation import Cells, Clause, Explanation, Spoken
from ruleforge.engine.linked_rows import LinkedRows
from ruleforge.engine.own_words import reported_condition
from ruleforge.engine.parameters import bind, converted
from ruleforge.engine.reference_backend import Row, Verdict, verdict_of
from ruleforge.engine.reference_functions import shown
from ruleforge.engine.revision import LINE, Revision
from ruleforge.language import core
from ruleforge.language.check_messages import named
from ruleforge.language.core import Rulebook, Value
from ruleforge.language.schema import Table
from ruleforge.language.suggest import nearest

MOST_CHOICES = 10
PLACE = ("file", "line")  # also say which row is meant, where the table has no such columns


class RowError(Exception):
    """The rule or the row that is to be explained cannot be told: a fact and a fix. `choices` are
    the first of several rows that fit, each as what tells it from the others.
    """

    def __init__(self, message: str, choices: tuple[dict[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.choices = choices


def explain(
    rulebook: Rulebook,
    revision: Revision,
    rule: str,
    row: Mapping[str, object],
    *,
    as_of: dt.date,
    parameters: Mapping[str, object] | None = None,
    show_sensitive: bool = False,
    most_rows: int = 5,
) -> Explanation:
    """Why a rule says of a row what it says, as an evaluation with the same arguments would.

    `rule` is an id, also one that the state prints, or that of a built-in check. `row` has values of
    columns or roles of the rule's table, as themselves or as text, and perhaps `file` and `line`.
    `most_rows` is how many rows of another table are shown of each kind.

    Raises `RowError` where there is no such rule, or not exactly one such row, and what `evaluate`
    raises.
    """
    values = bind(rulebook, parameters or {}, as_of)
    tables = admit(revision, rulebook.schema).tables
    return explained(
        rulebook,
        revision,
        tables,
        values,
        rule,
        row,
        show_sensitive=show_sensitive,
        most_rows=most_rows,
    )


def explained(
    rulebook: Rulebook,
    revision: Revision,
    tables: Mapping[str, AdmittedTable],
    parameters: Mapping[str, Value | None],
    rule: str,
    row: Mapping[str, object],
    *,
    show_sensitive: bool,
    most_rows: int,
) -> Explanation:
    """The same, of tables that are admitted and parameters that are bound."""
    schema = rulebook.schema
    every = outlooks(rulebook, revision, tables, parameters)
    chosen = _chosen(rulebook, rule, every)
    table = chosen.rule.variable.table
    if table not in tables:
        raise RowError(
            f"the rule {chosen.rule.id} is about rows of `{table}`, which the data does not have; "
            "give the files of that table too"
        )
    linked = LinkedRows(tables, schema)
    found = _row(row, schema.tables[table], linked)

    def explainer(of: core.Rule) -> Explainer:
        return Explainer(
            of,
            schema,
            linked,
            parameters,
            found,
            show_sensitive=show_sensitive,
            most_rows=most_rows,
        )

    others = [each for each in every if each.rule.variable.table == table and each is not chosen]
    mine = explainer(chosen.rule)
    spoken = _spoken(chosen, mine)
    clauses: tuple[Clause, ...] = ()
    cause = None
    if chosen.status == EVALUATED:
        clauses = tuple(_clauses(chosen.rule, mine))
        if spoken.verdict is not None:
            cause = verdict_of(chosen.rule, mine)[1]
    return Explanation(
        rulebook.name,
        chosen.rule.id,
        chosen.severity.value,
        chosen.rule.title,
        mine.place(table, found),
        _roles(schema.tables[table], found, mine),
        spoken.verdict,
        spoken.reason,
        cause,
        spoken.message,
        _parameters(chosen.rule, parameters),
        clauses,
        tuple(_spoken(each, explainer(each.rule)) for each in others),
    )


# ── which rule, which row ──────────────────────────────────────────────────────────────────────


def _chosen(rulebook: Rulebook, name: str, every: Iterable[Outlook]) -> Outlook:
    by_id: dict[str, Outlook] = {}
    for each in every:
        by_id |= dict.fromkeys(each.rule.printed_ids, each)
    by_id |= {each.rule.id: each for each in every}
    if name not in by_id:
        near = nearest(name, by_id)
        hint = (
            f"did you mean `{near}`?" if near else f"`ruleforge rules {rulebook.name}` lists them"
        )
        raise RowError(f"`{rulebook.name}` has no rule `{name}`; {hint}")
    return by_id[name]


def _row(given: Mapping[str, object], table: Table, linked: LinkedRows) -> Row:
    """The one row that is meant."""
    if not given:
        raise RowError(f"no row of `{table.name}` is named; {_example(table)}")
    wanted: dict[str, Value] = {}
    place: tuple[str, int] | None = None
    for name, value in given.items():
        column = table.columns_by_name.get(name) or table.columns_by_name.get(
            table.roles.get(name, "")
        )
        if column is None and name in PLACE:
            continue
        if column is None:
            names = [*table.columns_by_name, *table.roles]
            near = nearest(name, names)
            hint = f"did you mean `{near}`?" if near else _example(table)
            raise RowError(f"`{name}` is no column or role of `{table.name}`; {hint}")
        if column.name not in linked.tables[table.name].supplied:
            raise RowError(f"the data does not have `{table.name}.{column.name}`; leave it out")
        parameter = core.Parameter(name, column.type, None, None, "")
        fitting = converted(value, parameter, linked.schema)
        if fitting is None:
            raise RowError(
                f"`{value}` does not fit `{table.name}.{column.name}`; give {named(column.type)}"
            )
        if column.name in wanted and wanted[column.name] != fitting:
            raise RowError(f"`{column.name}` is given twice, with two values; give it once")
        wanted[column.name] = fitting
    if any(name in given and name not in table.columns_by_name for name in PLACE):
        place = _place(given, table, linked)
    frame = linked.frame(table.name, wanted, place)
    if frame.height == 1:
        return linked.rows(table.name, frame)[0]
    asked = ", ".join(f"{name} {value}" for name, value in given.items())
    if not frame.height:
        raise RowError(
            f"no row of `{table.name}` has {asked}; check the values, they are compared exactly"
        )
    some = linked.rows(table.name, frame.head(MOST_CHOICES))
    raise RowError(
        f"{frame.height:,} rows of `{table.name}` have {asked}; say more of the one that is meant",
        tuple(_choice(each, table) for each in some),
    )


def _place(given: Mapping[str, object], table: Table, linked: LinkedRows) -> tuple[str, int]:
    line = str(given.get("line", ""))
    if not line.isdecimal() or len(line) > 9:
        raise RowError("a place in a file is given by `line`, a number from 1 up, and `file`")
    if not linked.tables[table.name].lined:
        raise RowError(f"the rows of `{table.name}` have no lines; name columns of the key instead")
    return str(given.get("file", "")), int(line)


def _example(table: Table) -> str:
    return f"a row is known by its key, {', '.join(f'`{name}`' for name in table.key)}"


def _choice(row: Row, table: Table) -> dict[str, str]:
    """What tells a row from the others: its key, and its place. Sensitive values are left out."""
    columns = table.columns_by_name
    names = [name for name in table.key if not columns[name].sensitive]
    choice = {name: shown(row[name]) for name in names if row.get(name) is not None}
    if row.get(FILE) is not None:
        choice["file"] = str(row[FILE])
    if row.get(LINE) is not None:
        choice["line"] = str(row[LINE])
    return choice


# ── what is said about it ──────────────────────────────────────────────────────────────────────


def _spoken(outlook: Outlook, explainer: Explainer) -> Spoken:
    """What a rule says of the explainer's row."""
    rule = outlook.rule
    verdict, message, reason = None, "", outlook.reason
    if outlook.status == EVALUATED:
        if not explainer.is_true(rule.where, explainer.rows):
            reason = "it is about other rows: the `where` behind its `for` is not true of this one"
        else:
            found, cause = verdict_of(rule, explainer)
            verdict = found.value
            if cause is not None:
                message = explainer.message(rule.claims[cause - 1].message)
    return Spoken(
        rule.id,
        outlook.severity.value,
        rule.title,
        verdict,
        message,
        reason,
        built_in="built-in" in rule.tags and rule.id.startswith(f"{rule.variable.table}."),
    )


def _clauses(rule: core.Rule, explainer: Explainer) -> Iterator[Clause]:
    """The clauses that were looked at, the `let`s that they read before them."""
    rows = explainer.rows
    looked_at: list[tuple[str, core.Expr]] = []
    where = rule.where is None or explainer.is_true(rule.where, rows)
    if rule.where is not None:
        looked_at.append(("where", rule.where))
    when = where
    if rule.when is not None and where:
        looked_at.append(("when", rule.when))
        when = explainer.truth(rule.when, rows) is not False
    if when:
        for claim in rule.claims:
            reported = reported_condition(claim.condition)
            if reported is None:
                looked_at.append(("require", claim.condition))
            else:
                looked_at.append(("report when", reported))
    lets = dict(rule.lets)
    read = _lets_read([expr for _, expr in looked_at], lets)
    for name, value in lets.items():
        if name in read:
            yield Clause(f"let {name}", explainer.clause(value, rows, decided=False))
    verdict, cause = verdict_of(rule, explainer) if where else (None, None)
    number = 0
    for word, expr in looked_at:
        number += word in ("require", "report when")
        match word:
            case "where":
                public = True
            case "when":
                public = verdict in (Verdict.NOT_APPLICABLE, Verdict.FAILS)
            case _:
                public = verdict is Verdict.HOLDS or number == cause
        decided = _decides(word, expr, verdict, rule, explainer)
        yield Clause(word, explainer.clause(expr, rows, decided=decided, public=public))


def _decides(
    word: str, expr: core.Expr, verdict: Verdict | None, rule: core.Rule, explainer: Explainer
) -> bool:
    """Whether a clause made the verdict what it is."""
    if word == "where":
        return verdict is None
    truth = explainer.truth(expr, explainer.rows)
    holds = not truth if word == "report when" and truth is not None else truth
    match verdict:
        case Verdict.NOT_APPLICABLE:
            return word == "when"
        case Verdict.FAILS:
            return word == "when" or holds is False
        case Verdict.HOLDS:
            return word != "when"
        case Verdict.UNKNOWN if word == "when":
            return truth is None
        case Verdict.UNKNOWN:
            unknown_row = rule.when is not None and not explainer.is_true(rule.when, explainer.rows)
            return holds is not True if unknown_row else holds is None
        case None:
            return False


def _lets_read(exprs: Iterable[core.Expr], lets: Mapping[str, core.Expr]) -> set[str]:
    """The names of the `let`s that expressions read, by way of others too."""
    read: set[str] = set()
    pending = list(exprs)
    while pending:
        for node in core.walk(pending.pop()):
            if isinstance(node, core.LetValue) and node.name not in read:
                read.add(node.name)
                pending.append(lets[node.name])
    return read


def _parameters(rule: core.Rule, values: Mapping[str, Value | None]) -> Cells:
    """The parameters that a rule reads, in the order in which it names them."""
    parts = [rule.applies, rule.where, rule.when, *(condition for _, condition in rule.severities)]
    parts += [value for _, value in rule.lets]
    for claim in rule.claims:
        parts.append(claim.condition)
        parts += [part for part in claim.message.parts if not isinstance(part, str)]
    names = [
        node.name
        for part in parts
        if part is not None
        for node in core.walk(part)
        if isinstance(node, core.ParameterValue)
    ]
    return tuple((name, shown(values.get(name))) for name in dict.fromkeys(names))


def _roles(table: Table, row: Row, explainer: Explainer) -> Cells:
    columns = table.columns_by_name
    return tuple(
        (role, explainer.cell(shown(row.get(name)), columns[name].sensitive, row.get(name)))
        for role, name in table.roles.items()
    )
