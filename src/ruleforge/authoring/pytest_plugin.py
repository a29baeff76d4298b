"""pytest_plugin: for `pytest rulebooks`, one item a test of a rulebook

A file of rules is looked into only where pytest comes by it: below a path that it is asked for, or
below `testpaths`. One that has no tests makes no items and is not loaded. Nothing of the engine is
imported before the first file with tests is collected.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ruleforge.authoring.outcome import Outcome
    from ruleforge.language.core import Rulebook, Test

_SUFFIX = ".rules"
_HAS_TESTS = re.compile(rb'^[ \t]*test[ \t]+"', re.MULTILINE)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "RulesFile | None":
    """A collector for a file of rules that has tests."""
    if file_path.suffix != _SUFFIX or not _HAS_TESTS.search(file_path.read_bytes()):
        return None
    return RulesFile.from_parent(parent, path=file_path)


class RulesFile(pytest.File):
    """A rulebook with tests."""

    def collect(self) -> "Iterator[RulesTest]":
        # WHY: Polars comes with the engine, and most runs of pytest have no rules to test.
        from ruleforge.language.load import RulebookError, load

        try:
            rulebook = load(self.path)
        except RulebookError as mistake:
            raise self.CollectError(str(mistake)) from None
        titles: dict[str, int] = {}
        for test in rulebook.tests:
            number = titles[test.title] = titles.get(test.title, 0) + 1
            name = test.title if number == 1 else f"{test.title} ({number})"
            yield RulesTest.from_parent(self, name=name, rulebook=rulebook, test=test)


class FailedTest(Exception):  # noqa: N818 - a failure of a test, no error of ours
    """Carries the outcome of a test that has failed."""

    def __init__(self, outcome: "Outcome") -> None:
        super().__init__(outcome.test.title)
        self.outcome = outcome


class RulesTest(pytest.Item):
    """One test of a rulebook, by both engines."""

    def __init__(self, *, rulebook: "Rulebook", test: "Test", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rulebook = rulebook
        self.rules_test = test

    def runtest(self) -> None:
        from ruleforge.authoring.run_tests import run_test

        outcome = run_test(self.rulebook, self.rules_test)
        if not outcome.passed:
            raise FailedTest(outcome)

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        if isinstance(excinfo.value, FailedTest):
            from ruleforge.authoring.outcome_page import outcome_text

            return outcome_text(excinfo.value.outcome)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        span = self.rules_test.span
        return self.path, span.source.line_and_column(span.start)[0] - 1, self.name
