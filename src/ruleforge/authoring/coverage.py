"""coverage: tests of a rulebook -> which conditions they have seen true, false and unknown

The conditions of a rule are its `where`, its `when`, each `require`, each `report when` and that of
`against`, and in all of these, and in its `let`s, every operand of `and` and `or`. One that a definition brings into a
rule several times is one. What a row is judged by is what counts: where `when` is false, no claim is
looked at. The reference backend does the judging, because it asks every condition by itself.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ruleforge.authoring.judge_example import Bench, in_force
from ruleforge.authoring.run_tests import bench_of
from ruleforge.engine.host_functions import Implementation
from ruleforge.engine.own_words import reported_condition
from ruleforge.engine.reference_backend import Evaluator, Rows, verdict_of
from ruleforge.engine.reference_host import plain_functions
from ruleforge.language import core
from ruleforge.language.core import Rulebook, Test
from ruleforge.language.source import Span


@dataclass
class Condition:
    """A condition, what it stands for in its rule, and how often it was seen as what."""

    clause: str
    span: Span
    seen: dict[bool | None, int] = field(default_factory=lambda: {True: 0, False: 0, None: 0})

    @property
    def text(self) -> str:
        return " ".join(self.span.text.split())

    @property
    def line(self) -> int:
        return self.span.source.line_and_column(self.span.start)[0]

    @property
    def covered(self) -> int:
        """How many of true and false were seen."""
        return (self.seen[True] > 0) + (self.seen[False] > 0)


@dataclass
class RuleCoverage:
    """`rows` is the number of rows that were judged."""

    rule: core.Rule
    conditions: tuple[Condition, ...]
    by_node: Mapping[int, Condition] = field(repr=False)
    rows: int = 0

    @property
    def covered(self) -> int:
        return sum(each.covered for each in self.conditions)

    @property
    def possible(self) -> int:
        return 2 * len(self.conditions)


@dataclass(frozen=True)
class Coverage:
    """Of every rule of a rulebook."""

    rulebook: Rulebook
    rules: tuple[RuleCoverage, ...]

    @property
    def never_judged(self) -> tuple[str, ...]:
        """The rules that have judged no row of any test."""
        return tuple(each.rule.id for each in self.rules if not each.rows)


def percentage(coverages: Iterable[Coverage]) -> float:
    """The share of conditions seen true, and false, in per cent; 100 where there is none."""
    rules = [rule for coverage in coverages for rule in coverage.rules]
    possible = sum(each.possible for each in rules)
    return 100 * sum(each.covered for each in rules) / possible if possible else 100.0


def coverage(
    rulebook: Rulebook,
    tests: Iterable[Test],
    rules: Iterable[str] | None = None,
    functions: Mapping[str, Implementation] | None = None,
) -> Coverage:
    """What some tests have seen of the conditions of all rules, or of some."""
    wanted = None if rules is None else set(rules)
    found = {
        rule.id: _of_rule(rule) for rule in rulebook.rules if wanted is None or rule.id in wanted
    }
    for test in tests:
        _watch(bench_of(rulebook, test, functions), found)
    return Coverage(rulebook, tuple(found.values()))


def _of_rule(rule: core.Rule) -> RuleCoverage:
    """The conditions of a rule, in the order in which it says them, each once; nothing seen yet."""
    roots: list[tuple[str, core.Expr]] = []
    if rule.where is not None:
        roots.append(("where", rule.where))
    roots += [(f"let {name}", value) for name, value in rule.lets]
    if rule.when is not None:
        roots.append(("when", rule.when))
    for claim in rule.claims if rule.against is None else ():
        reported = reported_condition(claim.condition)
        roots.append(
            ("require", claim.condition) if reported is None else ("report when", reported)
        )
    if rule.against is not None:
        roots += [("against", each) for each in written_in(rule.against)]
    conditions: dict[tuple[str, int, int], Condition] = {}
    by_node: dict[int, Condition] = {}
    for clause, root in roots:
        own = [] if clause.startswith("let ") else [root]
        for each in (*own, *_operands(root)):
            node = _bare(each)
            span = node.span
            place = (span.source.path, span.start, span.end)
            by_node[id(node)] = conditions.setdefault(place, Condition(clause, span))
    return RuleCoverage(rule, tuple(conditions.values()), by_node)


def written_in(against: core.Against) -> list[core.Expr]:
    """The condition of `against`, without that the rows are two."""
    where = against.where
    if where is None or isinstance(where, core.OtherRow):
        return []
    if isinstance(where, core.And) and isinstance(where.operands[-1], core.OtherRow):
        return list(where.operands[:-1])
    return [where]


def _operands(root: core.Expr) -> Iterator[core.Expr]:
    """The operands of every `and` and `or` in an expression. Of a word that the language makes two
    comparisons of (`between`), the whole counts.
    """
    for node in core.walk(root):
        if isinstance(node, core.And | core.Or):
            yield from (each for each in node.operands if each.span != node.span)


def _bare(expr: core.Expr) -> core.Expr:
    """The condition without a `not` that is written before it."""
    while isinstance(expr, core.Not) and expr.span != expr.operand.span:
        expr = expr.operand
    return expr


class _Watcher(Evaluator):
    """An evaluator that tells what each condition turned out to be."""

    by_node: Mapping[int, Condition]

    def truth(self, condition: core.Expr, rows: Rows) -> bool | None:
        value = super().truth(condition, rows)
        watched = self.by_node.get(id(condition))
        if watched is not None:
            watched.seen[value] += 1
        return value


def _watch(bench: Bench, found: dict[str, RuleCoverage]) -> None:
    rules, _ = in_force(bench)
    schema, values, tables = bench.rulebook.schema, bench.parameters, bench.tables
    functions = plain_functions(bench.rulebook, bench.functions)
    for each in rules:
        watched = found.get(each.rule.id)
        if watched is None:
            continue
        for row in tables[each.rule.variable.table]:
            watcher = _Watcher.of_row(each.rule, schema, tables, values, row, functions)
            assert isinstance(watcher, _Watcher)
            watcher.by_node = watched.by_node
            if watcher.is_true(each.rule.where, watcher.rows):
                watched.rows += 1
                verdict_of(each.rule, watcher)
