"""How data and rules are handed over changes nothing: the order of rows and of rules, parts, and
the kind of table.
"""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import polars as pl
from agreement import evaluated, loaded
from expressions import SCHEMA_TEXT, Case, Emphasis
from generators import case_of, seeds
from hypothesis import HealthCheck, Phase, given, seed, settings

from ruleforge.engine.result import Result
from ruleforge.engine.revision import Part, TableLike
from ruleforge.language.core import Rulebook
from ruleforge.language.load import load_text

CASES = 40
MIXED = Emphasis("mixed", quantifiers=4, most_rows=8, views=2, whole=20)
ALONE = replace(MIXED, whole=0)  # rules that can do without the others
ORDERED_BY_RULE = ("rule", "severity", "status", "holds", "fails", "unknown", "not_applicable")

Check = Callable[[Case, Rulebook, Result], None]


def for_cases(number: int, emphasis: Emphasis = MIXED) -> Callable[[Check], Callable[[], None]]:
    """A test over generated cases, each with its result."""

    def test_of(same: Check) -> Callable[[], None]:
        @seed(number)
        @settings(
            max_examples=CASES,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(seeds())
        def test(drawn: bytes) -> None:
            case = case_of(drawn, emphasis)
            rulebook = loaded(case)
            same(case, rulebook, evaluated(case, rulebook))

        return test

    return test_of


def counts(result: Result) -> list[tuple[object, ...]]:
    return sorted(result.rules.select(ORDERED_BY_RULE).rows())


def findings(result: Result) -> list[str]:
    """What was found, but for where it stood in a file."""
    return sorted(map(repr, result.findings.drop("file", "line").rows()))


def published(result: Result) -> dict[str, list[object]]:
    """Units and figures, whatever the order of the rules that take a unit out."""
    units = {
        name: [(*row[:-1], sorted(row[-1])) for row in frame.rows()]
        for name, frame in result.populations.items()
    }
    return {**units, **{name: frame.rows() for name, frame in result.reports.items()}}


def assert_same(one: Result, other: Result) -> None:
    assert counts(one) == counts(other)
    assert findings(one) == findings(other)
    assert published(one) == published(other)


@for_cases(1)
def test_the_order_of_rows(case: Case, rulebook: Rulebook, result: Result) -> None:
    for number in range(2):
        tables: dict[str, TableLike] = {}
        for name, given_rows in case.tables.items():
            order = list(range(len(given_rows.rows)))
            Random(number).shuffle(order)
            tables[name] = given_rows.frame()[order]
        assert_same(result, evaluated(case, rulebook, tables))


@for_cases(2)
def test_the_order_of_rules(case: Case, rulebook: Rulebook, result: Result) -> None:
    before, after = case.text.split(SCHEMA_TEXT)
    blocks = after.strip("\n").split("\n\n")
    rules = [block for block in blocks if block.startswith("rule ")]
    others = [block for block in blocks if not block.startswith("rule ")]
    text = before + SCHEMA_TEXT + "\n\n".join([*reversed(rules), *others])
    turned = evaluated(case, load_text(text))
    assert_same(result, turned)
    assert [rule.id for rule in turned.rulebook.rules] == [
        rule.id for rule in reversed(rulebook.rules)
    ]


@for_cases(3, ALONE)
def test_one_rule_at_a_time(case: Case, rulebook: Rulebook, result: Result) -> None:
    whole = {row[0]: row for row in counts(result)}
    for rule in rulebook.rules:
        before, after = case.text.split(SCHEMA_TEXT)
        blocks = after.strip("\n").split("\n\n")
        kept = [b for b in blocks if not b.startswith("rule ") or b.startswith(f"rule {rule.id} ")]
        alone = evaluated(case, load_text(before + SCHEMA_TEXT + "\n\n".join(kept)))
        assert all(whole[row[0]] == row for row in counts(alone))


def _parts(frame: pl.DataFrame, number: int) -> TableLike:
    cuts = sorted(Random(number).randrange(frame.height + 1) for _ in range(2))
    bounds = zip([0, *cuts], [*cuts, frame.height], strict=True)
    slices = [frame[start:end] for start, end in bounds]
    return tuple(Part(each.lazy(), f"file_{n}.csv") for n, each in enumerate(slices))


@for_cases(4)
def test_tables_in_parts(case: Case, rulebook: Rulebook, result: Result) -> None:
    tables = {n: _parts(g.frame(), i) for i, (n, g) in enumerate(case.tables.items())}
    assert_same(result, evaluated(case, rulebook, tables))


def _shapes(frame: pl.DataFrame, spelled: bool, folder: Path, name: str) -> Iterator[TableLike]:
    yield frame.lazy()
    yield frame.to_arrow()
    path = folder / f"{name}.parquet"
    frame.write_parquet(path)
    yield path
    yield pl.scan_parquet(path)
    if spelled:
        frame.write_csv(folder / f"{name}.csv")
        yield str(folder / f"{name}.csv")


@for_cases(5)
def test_the_kind_of_table(case: Case, rulebook: Rulebook, result: Result) -> None:
    with tempfile.TemporaryDirectory() as folder:
        options = {
            name: list(_shapes(given_rows.frame(), given_rows.spelled, Path(folder), name))
            for name, given_rows in case.tables.items()
        }
        for number in range(max(map(len, options.values()))):
            tables = {name: shapes[number % len(shapes)] for name, shapes in options.items()}
            assert_same(result, evaluated(case, rulebook, tables))


@for_cases(6)
def test_evaluating_again(case: Case, rulebook: Rulebook, result: Result) -> None:
    again = evaluated(case, rulebook)
    assert result.findings.equals(again.findings)
    assert counts(result) == counts(again)
