"""lint_conditions: core.Rule -> conditions in it that no row makes true

The smallest condition is the one to look at: where an operand can never be true, what it stands in
is not blamed as well. A condition within a quantifier is asked of any row of its table.
"""

from collections.abc import Iterator

from ruleforge.authoring import lint_messages as say
from ruleforge.authoring.canonical import Reader, View, bound
from ruleforge.authoring.formula import FALSE, Formula, all_of
from ruleforge.authoring.satisfy import Solver
from ruleforge.language import core
from ruleforge.language.core import Rulebook
from ruleforge.language.diagnostic import Diagnostic
from ruleforge.language.notation import notation
from ruleforge.language.types import BOOLEAN


def impossible_conditions(rule: core.Rule, book: Rulebook, solver: Solver) -> Iterator[Diagnostic]:
    """What can never be true, whatever stands beside it; of a severity, whatever comes after those
    before it.
    """
    looker = _Looker(Reader.of_rule(rule, book.schema), solver)
    found: dict[tuple[int, int], Diagnostic] = {}
    for part in _conditions(rule):
        for diagnostic in looker.look(part, looker.reader.start):
            assert diagnostic.span is not None
            found.setdefault((diagnostic.span.start, diagnostic.span.end), diagnostic)
    yield from found.values()
    if not found:
        yield from _severities(rule, looker)


def _conditions(rule: core.Rule) -> Iterator[core.Expr]:
    yield from (each for each in (rule.applies, rule.where, rule.when) if each is not None)
    yield from (condition for _, condition in rule.severities if condition is not None)
    yield from (value for _, value in rule.lets)
    for claim in rule.claims:
        condition = claim.condition
        # `report when C` claims that C is not; what the author wrote is C.
        written = isinstance(condition, core.Not) and condition.span == condition.operand.span
        yield condition.operand if isinstance(condition, core.Not) and written else condition


def _severities(rule: core.Rule, looker: "_Looker") -> Iterator[Diagnostic]:
    before: list[Formula] = []
    for severity, condition in rule.severities:
        if condition is None:
            continue
        true, false = looker.reader.both(condition, looker.reader.start)
        if looker.solver.is_impossible(*before, true):
            what = f"the condition of `{severity}`"
            yield say.never_in_force(condition.span, rule.id, what)
        before.append(false)


class _Looker:
    def __init__(self, reader: Reader, solver: Solver) -> None:
        self.reader = reader
        self.solver = solver
        self.answers: dict[str, bool] = {}

    def look(self, node: core.Expr, view: View) -> list[Diagnostic]:
        """The smallest conditions in a node that can never be true."""
        found: list[Diagnostic] = []
        if isinstance(node, core.Exists | core.Every | core.Aggregate):
            inner = _inside(node.variable, view)
            parts = [node.where]
            parts += [node.satisfies] if isinstance(node, core.Every) else []
            parts += [node.value] if isinstance(node, core.Aggregate) else []
            for part in parts:
                found += self.look(part, inner) if part is not None else []
        else:
            for child in core.children(node):
                found += (
                    self.row(child, view) if isinstance(child, _ROWS) else self.look(child, view)
                )
        if found or node.type != BOOLEAN or isinstance(node, _PLAIN):
            return found
        formula = self.reader.true(node, view)
        if not self.is_impossible(formula):
            return []
        return [say.never_true(node.span, notation(node), self.together(node, view))]

    def row(self, row: core.Row, view: View) -> list[Diagnostic]:
        found: list[Diagnostic] = []
        if isinstance(row, core.Follow):
            found += self.row(row.row, view)
        elif isinstance(row, core.Pick):
            inner = _inside(row.variable, view)
            for part in (row.where, row.by):
                found += self.look(part, inner) if part is not None else []
        return found

    def is_impossible(self, formula: Formula) -> bool:
        if formula.key not in self.answers:
            impossible = formula == FALSE or self.solver.is_impossible(formula)
            self.answers[formula.key] = impossible
        return self.answers[formula.key]

    def together(self, node: core.Expr, view: View) -> list[str]:
        """Two operands of `and` that are never true together."""
        operands = node.operands if isinstance(node, core.And) else ()
        formulas = [self.reader.true(operand, view) for operand in operands]
        for number, one in enumerate(formulas):
            for other in range(number):
                if self.is_impossible(all_of(formulas[other], one)):
                    return [notation(operands[other]), notation(operands[number])]
        return [notation(operand) for operand in operands]


def _inside(variable: core.RowVariable, view: View) -> View:
    return view.with_row(variable.depth, bound(variable, view.level), view.level + 1)


_ROWS = (core.RowVariable, core.Follow, core.Pick)
# What is plainly meant, or says no more than its parts.
_PLAIN = (core.Constant, core.LetValue, core.ColumnValue, core.ParameterValue)
