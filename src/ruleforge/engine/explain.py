"""explain: a rulebook, a revision, the id of a rule, a row -> Explanation

Any row may be asked for, not only one that is reported: why a pupil is *not* on the list is as good
a question. The verdict is worked out anew by the reference backend from the row and those that are
linked to it, so nothing has to be evaluated before.
"""

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from ruleforge.engine.admit import admit
from ruleforge.engine.explain_expression import Explainer, Sight
from ruleforge.engine.explain_view import left_out_by, made_of
from ruleforge.engine.explanation import Cells, Clause, Explanation, Spoken, Taken
from ruleforge.engine.host_functions import FunctionError, HostFunctions, Implementation
from ruleforge.engine.linked_rows import LinkedRows
from ruleforge.engine.named_row import LeftOut, RowError, named_row
from ruleforge.engine.needs import Supply
from ruleforge.engine.outlook import EVALUATED, Outlook, outlooks
from ruleforge.engine.own_words import reported_condition
from ruleforge.engine.parameters import bind
from ruleforge.engine.plan import ROW
from ruleforge.engine.reference_backend import PlainFunction, Row, Verdict
from ruleforge.engine.reference_functions import shown
from ruleforge.engine.reference_host import plain_functions
from ruleforge.engine.revision import Revision
from ruleforge.engine.row_judge import RowJudge, Said
from ruleforge.engine.views import survey
from ruleforge.engine.whole_views import SOURCE, TablesAndViews
from ruleforge.language import core
from ruleforge.language.core import Rulebook, Value
from ruleforge.language.suggest import nearest

_ABOUT_OTHERS = "it is about other rows: the `where` behind its `for` is not true of this one"
_AGAINST = re.compile(r"against\s+")
_CLAIMS = ("require", "report when", "against")


def explain(
    rulebook: Rulebook,
    revision: Revision,
    rule: str,
    row: Mapping[str, object],
    *,
    as_of: dt.date,
    parameters: Mapping[str, object] | None = None,
    functions: Mapping[str, Implementation] | None = None,
    show_sensitive: bool = False,
    most_rows: int = 5,
) -> Explanation:
    """Why a rule says of a row what it says, as an evaluation with the same arguments would.

    `rule` is an id, also one that the state prints, or that of a built-in check. `row` has values of
    columns or roles of the rule's table or view, as themselves or as text, and perhaps `file` and
    `line`. `most_rows` is how many rows of another table are shown of each kind.

    Raises `RowError` where there is no such rule, or not exactly one such row, and what `evaluate`
    raises.
    """
    values = bind(rulebook, parameters or {}, as_of)
    called = HostFunctions.bound(rulebook, functions or {})
    admitted = admit(revision, rulebook.schema)
    supply = Supply(rulebook.schema, admitted.tables, values, admitted.lacking)
    tables = TablesAndViews(rulebook.views, survey(rulebook, supply), called)
    return explained(
        rulebook, revision, tables, rule, row, show_sensitive=show_sensitive, most_rows=most_rows
    )


def explained(
    rulebook: Rulebook,
    revision: Revision,
    tables: TablesAndViews,
    rule: str,
    row: Mapping[str, object],
    *,
    show_sensitive: bool,
    most_rows: int,
) -> Explanation:
    """The same, of tables that are admitted and parameters that are bound."""
    supply = tables.supply
    every = outlooks(rulebook, rulebook.rules, supply, revision)
    chosen = _chosen(rulebook, rule, every)
    table = chosen.rule.variable.table
    if table not in tables:
        raise RowError(
            f"the rule {chosen.rule.id} is about rows of `{rulebook.schema.table(table).shown}`: "
            f"{supply.no_table(table)}; give what it takes too"
        )
    sight = Sight(
        rulebook.schema,
        rulebook.views,
        LinkedRows(tables, rulebook.schema),
        supply.parameters,
        _functions(rulebook, tables.functions.given),
        show_sensitive,
        most_rows,
    )
    found = named_row(row, table, sight.linked, rulebook.views)
    judge = RowJudge(sight, {each.rule.id: each for each in every})
    return _Explaining(rulebook, chosen, every, judge, found).explanation()


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


def _functions(rulebook: Rulebook, given: Mapping[str, Implementation]) -> dict[str, PlainFunction]:
    """The functions of the host, of one row's values. They raise `FunctionError`."""

    def careful(name: str, function: PlainFunction) -> PlainFunction:
        def call(values: Sequence[Value]) -> Value | None:
            try:
                return function(values)
            except Exception as mistake:
                kind = type(mistake).__name__
                raise FunctionError(f"the function `{name}` raised {kind}: {mistake}") from mistake

        return call

    return {name: careful(name, each) for name, each in plain_functions(rulebook, given).items()}


# ── what is said about the row ─────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _Explaining:
    """One rule, and the row that is meant."""

    rulebook: Rulebook
    chosen: Outlook
    every: Sequence[Outlook]
    judge: RowJudge
    found: Row | LeftOut

    @property
    def sight(self) -> Sight:
        return self.judge.sight

    @property
    def rule(self) -> core.Rule:
        return self.chosen.rule

    def explanation(self) -> Explanation:
        rule, found = self.rule, self.found
        clauses: tuple[Clause, ...] = ()
        taken: tuple[Taken, ...] = ()
        behind = None
        cause = None
        if isinstance(found, LeftOut):
            table, row = found.view.variable.table, found.row
            explainer = Explainer.of_view(self.sight, found.view, row)
            reason, clauses = left_out_by(found.view, explainer)
            spoken = self.spoken(self.chosen, None, reason)
        else:
            table, row = rule.variable.table, found
            explainer = self.judge.explainer(rule, row)
            spoken = self.spoken(self.chosen, row)
            behind = made_of(self.sight, table, row)
            if self.chosen.status == EVALUATED:
                said = self.judge.said(rule, row)
                clauses = tuple(_clauses(rule, explainer, said))
                cause = said.cause
                taken = tuple(self.taken(said))
        return Explanation(
            self.rulebook.name,
            rule.id,
            self.chosen.severity.value,
            rule.title,
            explainer.place(table, row),
            self.roles(table, row, explainer),
            spoken.verdict,
            spoken.reason,
            cause,
            spoken.message,
            _parameters(rule, self.sight.parameters),
            clauses,
            tuple(self.others()),
            taken,
            behind,
        )

    def roles(self, table: str, row: Row, explainer: Explainer) -> Cells:
        declared = self.sight.schema.table(table)
        columns = declared.columns_by_name
        return tuple(
            (role, explainer.cell(shown(row.get(name)), columns[name].sensitive, row.get(name)))
            for role, name in declared.roles.items()
        )

    def spoken(self, outlook: Outlook, row: Row | None, reason: str = "") -> Spoken:
        """What a rule says of a row of its table; None for one that its table does not have, for a
        reason.
        """
        rule = outlook.rule
        verdict, message = None, ""
        reason = outlook.reason or reason
        if outlook.status == EVALUATED and row is not None:
            said = self.judge.said(rule, row)
            if said.verdict is None:
                reason = _ABOUT_OTHERS
            else:
                verdict = said.verdict.value
            if said.taken:
                names = " and ".join(f"`{before.id}`" for before, _ in said.taken)
                reason = f"it is judged after {names}, which reported the row"
            if said.cause is not None:
                message = self.judge.explainer(rule, row).message(rule, said.cause)
        return Spoken(
            rule.id,
            outlook.severity.value,
            rule.title,
            verdict,
            message,
            reason,
            built_in="built-in" in rule.tags and rule.id.startswith(f"{rule.variable.table}."),
        )

    def taken(self, said: Said) -> Iterator[Taken]:
        for before, row in said.taken:
            explainer = self.judge.explainer(before, row)
            cause = self.judge.said(before, row).cause
            message = explainer.message(before, cause) if cause is not None else ""
            yield Taken(before.id, explainer.place(before.variable.table, row), message)

    # ── what other rules say ────────────────────────────────────────────────────────────────────

    def others(self) -> Iterator[Spoken]:
        """What each other rule says that is about rows of the same table, within scopes or without."""
        own, row = self.declared
        for each in self.every:
            table = each.rule.variable.table
            if each is self.chosen or self.unscoped(table) != own or table not in self.tables:
                continue
            if table == own:
                yield self.spoken(each, row)
            elif table == self.rule.variable.table and not isinstance(self.found, LeftOut):
                yield self.spoken(each, self.found)
            else:
                number = row[ROW]
                assert isinstance(number, int)
                within = self.sight.linked.made_of(table, number)
                yield self.spoken(each, within[0] if within else None, "a scope leaves the row out")

    @property
    def tables(self) -> Mapping[str, object]:
        return self.sight.linked.tables

    @cached_property
    def declared(self) -> tuple[str, Row]:
        """The row without scopes, and its table."""
        if isinstance(self.found, LeftOut):
            return self.found.view.variable.table, self.found.row
        table = self.rule.variable.table
        own = self.unscoped(table)
        if own == table:
            return table, self.found
        number = self.found[SOURCE]
        assert isinstance(number, int)
        return own, self.sight.linked.numbered(own, number)

    def unscoped(self, table: str) -> str:
        """The table whose rows a scope leaves in; of anything else, itself."""
        if self.sight.schema.table(table).label and table in self.sight.views:
            return self.sight.views[table].variable.table
        return table


def _clauses(rule: core.Rule, explainer: Explainer, said: Said) -> Iterator[Clause]:
    """The clauses that were looked at, the `let`s that they read before them."""
    rows = explainer.rows
    looked_at: list[tuple[str, core.Expr]] = []
    if rule.where is not None:
        looked_at.append(("where", rule.where))
    judged = said.verdict is not None and not said.taken
    when = judged
    if rule.when is not None and judged:
        looked_at.append(("when", rule.when))
        when = explainer.truth(rule.when, rows) is not False
    if when:
        looked_at += [_claim(rule, claim.condition) for claim in rule.claims]
    lets = dict(rule.lets)
    read = _lets_read([expr for _, expr in looked_at], lets)
    for name, value in lets.items():
        if name in read:
            yield Clause(f"let {name}", explainer.clause(value, rows, decided=False))
    number = 0
    for word, expr in looked_at:
        number += word in _CLAIMS
        match word:
            case "where":
                public = True
            case "when":
                public = said.verdict in (Verdict.NOT_APPLICABLE, Verdict.FAILS)
            case _:
                public = said.verdict is Verdict.HOLDS or number == said.cause
        decided = _decides(word, expr, said.verdict, rule, explainer)
        yield Clause(word, explainer.clause(expr, rows, decided=decided, public=public))


def _claim(rule: core.Rule, claim: core.Expr) -> tuple[str, core.Expr]:
    """The word of a claim, and what the author has written behind it."""
    if rule.against is not None and isinstance(claim, core.Not):
        found = claim.operand
        assert isinstance(found, core.Exists)
        word = _AGAINST.match(found.span.text)
        start = found.span.start + (word.end() if word else 0)
        return "against", replace(found, span=replace(found.span, start=start))
    reported = reported_condition(claim)
    return ("require", claim) if reported is None else ("report when", reported)


def _decides(
    word: str, expr: core.Expr, verdict: Verdict | None, rule: core.Rule, explainer: Explainer
) -> bool:
    """Whether a clause made the verdict what it is."""
    if word == "where":
        return verdict is None
    truth = explainer.truth(expr, explainer.rows)
    holds = truth if word in ("when", "require") or truth is None else not truth
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
