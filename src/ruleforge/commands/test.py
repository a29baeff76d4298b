"""test: rulebooks -> whether their tests pass"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ruleforge.authoring.coverage import Coverage, coverage, percentage
from ruleforge.authoring.coverage_page import coverage_page
from ruleforge.authoring.junit import junit
from ruleforge.authoring.outcome import Outcome
from ruleforge.authoring.outcome_page import outcome_page
from ruleforge.authoring.run_tests import Backend, named, run_test
from ruleforge.commands.functions import given_functions
from ruleforge.commands.host import Exit, Host, UsageError
from ruleforge.engine.host_functions import Implementation
from ruleforge.language.core import Rulebook, Test
from ruleforge.language.diagnostic import Diagnostic, in_order
from ruleforge.language.load import SUFFIX, RulebookError, load
from ruleforge.language.suggest import nearest
from ruleforge.reporting.page import GAP, Grid, Line, Style, Words, line

EVERYTHING = "."


def test(arguments: argparse.Namespace, host: Host) -> Exit:
    """Runs the tests that stand beside the rules, and shows of each that fails what was expected and
    what was got. Every rulebook is loaded before any test is run.
    """
    if arguments.fail_under is not None and not arguments.coverage:
        raise UsageError("`--fail-under` is about coverage; add `--coverage`")
    report = Path(arguments.junit) if arguments.junit else None
    if report is not None and not report.parent.is_dir():
        raise UsageError(f"there is no folder `{report.parent}`; make it first")
    books = _loaded(arguments.rulebooks or [EVERYTHING], arguments.root)
    wanted = _wanted(books, arguments.rule)
    functions = given_functions(arguments.function)
    for name in functions:
        if not any(name in book.functions for book in books):
            raise UsageError(f"no rulebook that is tested declares a function `{name}`")
    run = _Run(Backend(arguments.backend), functions)
    for book in books:
        tests = [each for each in book.tests if wanted is None or wanted & named(each)]
        run.book(book, tests, host)
        if arguments.coverage and book.rules:
            run.coverages.append(coverage(book, tests, wanted, run.of(book)))
    covered = percentage(run.coverages)
    if run.coverages:
        host.show([*coverage_page(run.coverages), GAP])
    host.show(run.last_line(len(books), named_rules=wanted is not None))
    if report is not None:
        try:
            report.write_bytes(junit(run.outcomes))
        except OSError as mistake:
            raise UsageError(f"{report} cannot be written: {mistake.strerror}") from None
    least = arguments.fail_under
    if least is not None and covered < least:
        host.show([line(f"The coverage of {covered:.1f} % is below {least:g} %.")])
        return Exit.FINDINGS
    return Exit.CLEAN if all(each.passed for each in run.outcomes) else Exit.FINDINGS


@dataclass
class _Run:
    backend: Backend
    functions: Mapping[str, Implementation]
    outcomes: list[Outcome] = field(default_factory=list)
    coverages: list[Coverage] = field(default_factory=list)

    def of(self, book: Rulebook) -> dict[str, Implementation]:
        """The functions that a rulebook calls."""
        return {name: each for name, each in self.functions.items() if name in book.functions}

    def book(self, book: Rulebook, tests: Sequence[Test], host: Host) -> None:
        """Runs some tests of a rulebook and shows those that fail, then a line for all."""
        failed = 0
        for each in tests:
            outcome = run_test(book, each, self.backend, self.of(book))
            self.outcomes.append(outcome)
            if not outcome.passed:
                failed += 1
                host.show([*outcome_page(outcome), GAP])
        if tests:
            passed = f"{len(tests) - failed} of {len(tests)} passed"
            said = Words(passed, Style.ERROR if failed else Style.GOOD)
            host.show([line(said, f"  {book.name}")])

    def last_line(self, books: int, *, named_rules: bool) -> list[Line | Grid]:
        number, failed = len(self.outcomes), sum(not each.passed for each in self.outcomes)
        among = f"in {_count(books, 'rulebook')}"
        if not number:
            none = "No test names these rules" if named_rules else "There are no tests"
            return [line(f"{none} {among}: nothing was run.")]
        if not failed:
            return [line(f"{_count(number, 'test')} {among}: all passed.")]
        return [line(f"{_count(number, 'test')} {among}: {failed} failed.")]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


# ── which rulebooks, which tests ───────────────────────────────────────────────────────────────


def _loaded(names: Sequence[str], roots: Sequence[str]) -> list[Rulebook]:
    """Every rulebook that is asked for. Raises one `RulebookError` with the mistakes of all."""
    books: list[Rulebook] = []
    diagnostics: list[Diagnostic] = []
    for each in dict.fromkeys(place for name in names for place in _places(name)):
        try:
            books.append(load(each, roots))
        except RulebookError as mistake:
            diagnostics += mistake.diagnostics
    if diagnostics:
        raise RulebookError(in_order(diagnostics))
    return books


def _places(name: str) -> Iterator[str]:
    """The files of rules below a folder, in the order of their paths; what is no folder is a file or
    the name of a rulebook.
    """
    folder = Path(name)
    if not folder.is_dir():
        yield name
        return
    files = sorted(path for path in folder.rglob(f"*{SUFFIX}") if not _is_hidden(path, folder))
    if not files and name != EVERYTHING:
        raise UsageError(f"the folder `{name}` has no files that end in {SUFFIX}; check the path")
    yield from map(str, files)


def _is_hidden(path: Path, folder: Path) -> bool:
    """Whether a file lies in a folder such as `.venv`, below the one that is asked for."""
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def _wanted(books: Sequence[Rulebook], names: Sequence[str]) -> set[str] | None:
    if not names:
        return None
    rules = [rule for book in books for rule in book.rules]
    ids = {printed: rule.id for rule in rules for printed in (*rule.printed_ids, rule.id)}
    for name in names:
        if name not in ids:
            near = nearest(name, ids)
            hint = f"did you mean `{near}`?" if near else "`ruleforge rules NAME` lists them"
            raise UsageError(f"no rulebook that is tested has a rule `{name}`; {hint}")
    return {ids[name] for name in names}
