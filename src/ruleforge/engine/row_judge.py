"""row_judge: a rule, one row of its table -> what the rule says of it

As an evaluation would say it, `after` included: whether a rule before it reports the row is worked
out in the same way, for the few rows that could be meant.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ruleforge.engine.explain_expression import Explainer, Sight
from ruleforge.engine.outlook import EVALUATED, Outlook
from ruleforge.engine.parameters import converted
from ruleforge.engine.reference_backend import Row, Verdict, verdict_of
from ruleforge.engine.reference_functions import shown
from ruleforge.language import core
from ruleforge.language.core import Value
from ruleforge.language.schema import Table, same_rows


@dataclass(frozen=True)
class Said:
    """What a rule that is evaluated says of a row. `verdict` is None where its `where` leaves the
    row out; `taken` are the rules before it that report the row, each with the row that it reports.
    """

    verdict: Verdict | None
    cause: int | None = None
    taken: tuple[tuple[core.Rule, Row], ...] = ()


@dataclass
class RowJudge:
    """Judges single rows by the rules of one rulebook."""

    sight: Sight
    outlooks: Mapping[str, Outlook]
    _said: dict[tuple[str, int], Said] = field(default_factory=dict)
    _explainers: dict[tuple[str, int], Explainer] = field(default_factory=dict)

    def explainer(self, rule: core.Rule, row: Row) -> Explainer:
        """That of a rule for a row of its table."""
        asked = (rule.id, id(row))
        if asked not in self._explainers:
            self._explainers[asked] = Explainer.of_rule(self.sight, rule, row)
        return self._explainers[asked]

    def said(self, rule: core.Rule, row: Row) -> Said:
        """What the rule says of a row of its table. The rule is one that is evaluated."""
        asked = (rule.id, id(row))
        if asked not in self._said:
            self._said[asked] = self._judged(rule, row)
        return self._said[asked]

    def _judged(self, rule: core.Rule, row: Row) -> Said:
        explainer = self.explainer(rule, row)
        if not explainer.is_true(rule.where, explainer.rows):
            return Said(None)
        taken = tuple(self._taken(rule, row))
        if taken:
            return Said(Verdict.NOT_APPLICABLE, None, taken)
        return Said(*verdict_of(rule, explainer))

    def _taken(self, rule: core.Rule, row: Row) -> Iterator[tuple[core.Rule, Row]]:
        """The rules before a rule that report the row, each with the first row that it reports."""
        for name in rule.after:
            before = self.outlooks[name]
            if before.status != EVALUATED:
                continue  # it does not apply, and takes nothing; else the rule would not be judged
            for other in self._alike(rule, before.rule, row):
                if self.said(before.rule, other).verdict is Verdict.FAILS:
                    yield before.rule, other
                    break

    def _alike(self, rule: core.Rule, before: core.Rule, row: Row) -> Iterator[Row]:
        """The rows of another rule's table that stand for the row: itself, and those that are equal
        to it by key or by roles. What is missing equals nothing.
        """
        own = self.sight.schema.table(rule.variable.table)
        theirs = self.sight.schema.table(before.variable.table)
        if own.name == theirs.name:
            yield row
        pairs = same_rows(own, theirs)
        wanted: dict[str, Value] = {}
        for mine, its in pairs:
            value = row.get(mine)
            if value is None:
                return
            fitting = self._as_theirs(value, own, mine, theirs, its)
            if fitting is not None:
                wanted[its] = fitting
        for other in self.sight.linked.of(theirs.name, wanted):
            values = ((row.get(mine), other.get(its)) for mine, its in pairs)
            if other is not row and all(_are_one(a, b) for a, b in values):
                yield other

    def _as_theirs(
        self, value: Value, own: Table, mine: str, theirs: Table, its: str
    ) -> Value | None:
        """A value as the other table would hold it; None where that is to be asked of each row. Values
        of two types are equal where their texts are.
        """
        value_type = theirs.columns_by_name[its].type
        if own.columns_by_name[mine].type == value_type:
            return value
        parameter = core.Parameter(its, value_type, None, None, "")
        return converted(shown(value), parameter, self.sight.schema)


def _are_one(value: Value | None, other: Value | None) -> bool:
    return value is not None and other is not None and shown(value) == shown(other)
