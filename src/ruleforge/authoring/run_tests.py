"""run_tests: core.Rulebook -> an Outcome for each of its tests

A test passes where every row of `expect` is met by what some rule says of some row, and every
finding of the author's rules is met by a row of `expect`. Rules that come of declarations are looked
at only where a row names them. By default both engines judge, and they must agree.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

from ruleforge.authoring.example import example
from ruleforge.authoring.judge_example import Bench, Verdicts, by_polars, by_reference
from ruleforge.authoring.outcome import Judged, Missing, Outcome
from ruleforge.engine.host_functions import Implementation
from ruleforge.engine.reference_backend import Verdict
from ruleforge.language.core import Rulebook, Test


class Backend(StrEnum):
    """Which engines judge."""

    BOTH = "both"
    POLARS = "polars"
    REFERENCE = "reference"


def run_tests(
    rulebook: Rulebook,
    *,
    backend: Backend = Backend.BOTH,
    rules: Iterable[str] | None = None,
    functions: Mapping[str, Implementation] | None = None,
) -> Iterator[Outcome]:
    """Runs the tests of a rulebook in their order; with `rules` those that name one of them in
    `expect` or `only`. `functions` are those of the host, if the rulebook calls any.
    """
    wanted = None if rules is None else set(rules)
    for test in rulebook.tests:
        if wanted is None or wanted & named(test):
            yield run_test(rulebook, test, backend, functions)


def named(test: Test) -> set[str]:
    """The rules that a test names."""
    return {*test.only, *(each.rule for each in test.expectations)}


def bench_of(
    rulebook: Rulebook, test: Test, functions: Mapping[str, Implementation] | None = None
) -> Bench:
    """The data of a test, and the rules that it looks at: all of the author's, or those that it
    names where it says `only`.
    """
    names = named(test)
    author = tuple(rule.id for rule in rulebook.rules if not test.only or rule.id in names)
    own = {rule.id for rule in rulebook.rules}
    made = tuple(
        name for name in dict.fromkeys(e.rule for e in test.expectations) if name not in own
    )
    return Bench(rulebook, example(test, rulebook), author, made, functions or {})


def run_test(
    rulebook: Rulebook,
    test: Test,
    backend: Backend = Backend.BOTH,
    functions: Mapping[str, Implementation] | None = None,
) -> Outcome:
    """Runs one test of the rulebook."""
    started = time.perf_counter()
    bench = bench_of(rulebook, test, functions)
    polars = by_polars(bench) if backend is not Backend.REFERENCE else None
    reference = by_reference(bench) if backend is not Backend.POLARS else None
    got = polars or reference
    assert got is not None
    disagreements = tuple(_disagreements(polars, reference)) if polars and reference else ()
    findings = [each for each in got.judged if each.verdict == Verdict.FAILS]
    missing = []
    for expected in test.expectations:
        if not any(each.fits(expected) for each in got.judged):
            about = tuple(each for each in got.judged if each.is_about(expected))
            reason = got.not_evaluated.get(expected.rule, "")
            missing.append(Missing(expected, about, f"not evaluated: {reason}" if reason else ""))
    extra = [
        each for each in findings if not any(each.fits(expected) for expected in test.expectations)
    ]
    return Outcome(
        rulebook,
        test,
        tuple(missing),
        tuple(extra),
        tuple(_unjudged(bench, test, got)),
        disagreements,
        got.judged,
        time.perf_counter() - started,
    )


def _unjudged(bench: Bench, test: Test, got: Verdicts) -> Iterator[str]:
    """The rules for which a test would pass only because they were not evaluated."""
    expected = {each.rule for each in test.expectations}
    none_left = bool(bench.author) and all(name in got.not_evaluated for name in bench.author)
    for name in bench.author:
        asked = name in test.only or (none_left and not expected)
        if asked and name not in expected and name in got.not_evaluated:
            yield f"{name} is not evaluated: {got.not_evaluated[name]}"


def _disagreements(polars: Verdicts, reference: Verdicts) -> Iterator[str]:
    """What only one of the two engines says."""
    said = {"Polars": polars, "the reference": reference}
    places = [{(e.rule, e.row_index): e for e in each.judged} for each in said.values()]
    for place in dict.fromkeys((*places[0], *places[1])):
        first, second = (each.get(place) for each in places)
        if first != second:
            rule, row = place
            told = (f"{who} {_told(each)}" for who, each in zip(said, (first, second), strict=True))
            yield f"{rule}, row {row + 1}: {'; '.join(told)}"
    for rule in sorted({*polars.not_evaluated} ^ {*reference.not_evaluated}):
        who = "Polars" if rule in polars.not_evaluated else "the reference"
        yield f"{rule}: not evaluated by {who} alone"


def _told(judged: Judged | None) -> str:
    if judged is None:
        return "says nothing"
    parts = [judged.verdict, judged.severity.value]
    parts += [f"cause {judged.cause}"] if judged.cause else []
    parts += [f'"{judged.message}"'] if judged.message else []
    return f"says {', '.join(parts)}"
