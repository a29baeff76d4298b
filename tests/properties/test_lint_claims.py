"""Whatever lint says of small generated rules is so for every row that can be tried, and where all
rows can be tried, lint says all there is to say.

The normal run is the same every time. `RULEFORGE_CASES=2000 pytest tests/properties/test_lint_claims.py`
runs more; RULEFORGE_SEED is the first of its seeds.
"""

import os
from collections.abc import Iterator, Sequence
from random import Random

import pytest
from lint_generators import (
    SCHEMA,
    Data,
    Writer,
    all_plain_rows,
    rule_text,
    rules_of,
    samples,
)

from ruleforge.authoring.lint import LintFinding, lint
from ruleforge.engine.reference_backend import Evaluator, constant_value, judge
from ruleforge.language import core
from ruleforge.language.core import Rulebook
from ruleforge.language.load import RulebookError, load_text
from ruleforge.language.schema import SchoolYear

pytest.importorskip("z3", reason="the extra `lint` is not installed")

CASES = int(os.environ.get("RULEFORGE_CASES", "30"))
SEED = int(os.environ.get("RULEFORGE_SEED", "1"))
REFUSALS = {"RF305", "RF306", "RF313"}  # comparisons of constants, too many places


def loaded(rules: Sequence[str]) -> Rulebook | None:
    """The rulebook, without the rules that the checker refuses for what they compare."""
    kept = []
    for text in rules:
        try:
            load_text(SCHEMA + text)
        except RulebookError as mistake:
            codes = {each.code for each in mistake.diagnostics if each.level == "error"}
            assert codes <= REFUSALS, str(mistake)
            continue
        kept.append(text)
    return load_text(SCHEMA + "".join(kept)) if kept else None


def judged(book: Rulebook, data: Data) -> dict[str, tuple[str, int | None]]:
    tables, parameters = data
    found: dict[str, tuple[str, int | None]] = {}
    for rule in book.rules:
        found[rule.id] = ("nothing", None)
        if rule.applies and not constant_value(rule.applies, parameters, book.schema):
            continue
        for judgement in judge(rule, book.schema, tables, parameters):
            found[rule.id] = (judgement.verdict.value, judgement.cause)
    return found


def nodes_at(rule: core.Rule, finding: LintFinding) -> list[core.Expr]:
    """The conditions that a finding points at."""
    span = finding.diagnostic.span
    assert span is not None
    whole = [rule.where, rule.when, rule.applies, *(value for _, value in rule.lets)]
    whole += [claim.condition for claim in rule.claims]
    nodes = [node for part in whole if part is not None for node in core.walk(part)]
    rows = (core.RowVariable, core.Follow, core.Pick)
    found = [
        n
        for n in nodes
        if not isinstance(n, rows) and (n.span.start, n.span.end) == (span.start, span.end)
    ]
    return [node for node in found if isinstance(node, core.Expr)]


def truths(node: core.Expr, rule: core.Rule, book: Rulebook, data: Data) -> Iterator[bool | None]:
    """The values of a condition, of one in a quantifier for each row of its table."""
    tables, parameters = data
    row = tables["t"][0]
    evaluator = Evaluator.of_row(rule, book.schema, tables, parameters, row)
    inner = any(isinstance(each, core.RowVariable) and each.depth == 1 for each in core.walk(node))
    for item in tables["item"] if inner else [None]:
        yield evaluator.truth(node, {**evaluator.rows, 1: item})


def assert_true(finding: LintFinding, book: Rulebook, data: Data) -> None:
    """What a finding claims is so of this data."""
    said = judged(book, data)
    rules = {rule.id: rule for rule in book.rules}
    code, names = finding.diagnostic.code, finding.rules
    verdicts = [said[name][0] for name in names]
    match code:
        case "RL102":
            if "the `when`" in finding.diagnostic.fact or "the `for" in finding.diagnostic.fact:
                rule = rules[names[0]]
                conditions = [c for c in (rule.where, rule.when) if c is not None]
                true = all(next(truths(c, rule, book, data)) is True for c in conditions)
                assert verdicts[0] != "fails"
                assert verdicts[0] == "nothing" or not true or "where" in finding.diagnostic.fact
                return
            rule = rules[names[0]]
            nodes = nodes_at(rule, finding)
            assert nodes
            # `report when C` claims `not C` at the same place; one of the two is meant.
            assert any(
                all(truth is not True for truth in truths(node, rule, book, data)) for node in nodes
            )
        case "RL103":
            rule = rules[names[0]]
            span = finding.diagnostic.span
            assert span is not None
            number = [c.condition.span.start for c in rule.claims].index(span.start) + 1
            assert said[names[0]] != ("fails", number)
        case "RL104":
            assert (verdicts[0] == "fails") == (verdicts[1] == "fails")
        case "RL105":
            assert verdicts[0] != "fails" or verdicts[1] == "fails"
        case "RL106":
            assert verdicts != ["holds", "holds"]
        case "RL108":
            assert (data[1]["school_year"], finding.diagnostic.fact.split("`")[3]) not in [
                (SchoolYear(2021), "b"),
                (SchoolYear(2022), "c"),
                (SchoolYear(2023), "c"),
            ] or verdicts[0] == "nothing"
        case _:
            raise AssertionError(code)


@pytest.mark.parametrize("seed", range(SEED, SEED + CASES))
def test_what_lint_says_is_so(seed: int) -> None:
    random = Random(seed)
    book = loaded(rules_of(Writer(random)))
    if book is None:
        return
    findings = [f for f in lint(book).findings if f.rules]
    for data in samples(random, 150 if findings else 0):
        for finding in findings:
            try:
                assert_true(finding, book, data)
            except AssertionError as wrong:
                text = book.sources[0].text.removeprefix(SCHEMA)
                raise AssertionError(f"{finding}\n{text}\n{data}") from wrong


@pytest.mark.parametrize("seed", range(SEED, SEED + CASES))
def test_where_all_rows_can_be_tried_lint_says_all(seed: int) -> None:
    random = Random(seed)
    book = loaded(rules_of(Writer(random, plain=True)))
    if book is None:
        return
    found = lint(book)
    assert not found.limits
    said = {(each.diagnostic.code, each.rules) for each in found.findings}
    rows = all_plain_rows()
    by_row = [judged(book, data) for data in rows]
    for finding in [each for each in found.findings if each.rules]:
        for data in rows:
            assert_true(finding, book, data)
    failing = {
        rule.id: {n for n, verdicts in enumerate(by_row) if verdicts[rule.id][0] == "fails"}
        for rule in book.rules
    }
    blamed = {name for code, names in said if code in ("RL102", "RL103") for name in names[:1]}
    for rule in book.rules:
        assert failing[rule.id] or rule.id in blamed, rule.id
    first: dict[frozenset[int], str] = {}
    for rule in book.rules:
        rows_of_rule = frozenset(failing[rule.id])
        if not rows_of_rule:
            continue
        if rows_of_rule in first:
            assert ("RL104", (rule.id, first[rows_of_rule])) in said
            continue
        for other_rows, other in first.items():
            if rows_of_rule < other_rows and common(book, rule.id, other):
                assert ("RL105", (rule.id, other)) in said
            if other_rows < rows_of_rule and common(book, rule.id, other):
                assert ("RL105", (other, rule.id)) in said
        first[rows_of_rule] = rule.id


def common(book: Rulebook, *names: str) -> bool:
    """Whether two rules read a column that decides in both."""
    from ruleforge.authoring.canonical import canonical
    from ruleforge.authoring.lint import _reads

    one, other = (canonical(r, book.schema) for r in book.rules if r.id in names)
    return bool(_reads(one) & _reads(other))


@pytest.mark.parametrize("seed", range(SEED, SEED + CASES))
def test_rules_that_are_equal_but_for_names_and_order_are_found(seed: int) -> None:
    random = Random(seed)
    writer = Writer(random)
    when = writer.condition("t") if random.random() < 0.6 else None
    claims = [writer.condition("t") for _ in range(random.choice((1, 1, 2)))]
    texts = [
        rule_text("A-1", when, claims, again=None),
        rule_text("B-1", when, claims, again=random),
    ]
    book = loaded(texts)
    if book is None or len(book.rules) < 2:
        return
    found = lint(book)
    said = {(each.diagnostic.code, each.rules) for each in found.findings}
    never = {names[0] for code, names in said if code in ("RL102", "RL103") and names}
    assert ("RL104", ("B-1", "A-1")) in said or "A-1" in never or "B-1" in never
