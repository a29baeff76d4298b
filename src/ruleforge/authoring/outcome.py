"""outcome: what became of a test, expected and got side by side"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ruleforge.language.core import Expectation, Rulebook, Severity, Test, Value


@dataclass(frozen=True)
class Judged:
    """What a rule says of one row. `row_index` counts the rows of the table in the test, from 0.

    `severity` is the one in force; `message` and `cause` are set only where the rule fails. `known_by`
    are the values of the row's key columns, roles and columns of roles.
    """

    rule: str
    table: str
    row_index: int
    verdict: str
    severity: Severity
    cause: int | None = None
    message: str | None = None
    known_by: Mapping[str, Value | None] = field(default_factory=dict, compare=False)

    def fits(self, expected: Expectation) -> bool:
        """Whether this is what was expected."""
        return (
            self.is_about(expected)
            and self.verdict == expected.verdict
            and expected.severity in (None, self.severity)
            and expected.message in (None, self.message)
            and expected.cause in (None, self.cause)
        )

    def is_about(self, expected: Expectation) -> bool:
        """Whether the rule and the row are those that the expectation names."""
        return self.rule == expected.rule and all(
            self.known_by.get(column) == value for _, column, value in expected.row
        )


@dataclass(frozen=True)
class Missing:
    """An expectation that nothing meets, what was got for its rule and row instead, and why nothing
    was where the rule was not judged at all.
    """

    expected: Expectation
    got: tuple[Judged, ...]
    reason: str = ""


@dataclass(frozen=True)
class Outcome:
    """A test that has run.

    `extra` are findings that no row of the test names, `unjudged` the rules that the test looks at
    by `only` and that were not evaluated, each with the reason, and `disagreements` what the two
    engines say differently, each a sentence. It has passed where there is none of these.
    """

    rulebook: Rulebook = field(repr=False)
    test: Test
    missing: tuple[Missing, ...]
    extra: tuple[Judged, ...]
    unjudged: tuple[str, ...]
    disagreements: tuple[str, ...]
    judged: tuple[Judged, ...] = field(repr=False)
    seconds: float = field(default=0.0, compare=False)

    @property
    def passed(self) -> bool:
        return not (self.missing or self.extra or self.unjudged or self.disagreements)

    @property
    def path(self) -> str:
        return self.test.span.source.path

    @property
    def line(self) -> int:
        return self.test.span.source.line_and_column(self.test.span.start)[0]
