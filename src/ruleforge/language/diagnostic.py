"""diagnostic: what is wrong with a rulebook, as data

Fact, place, reason and fix, each at most a sentence. `render` makes text of it; `messages` has one
function a mistake.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from ruleforge.language.source import Span


class Level(StrEnum):
    """An error keeps the rulebook from running; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Diagnostic:
    """One mistake. `span` is None only for what has no place in a text (a file that is not there)."""

    code: str
    fact: str
    span: Span | None
    why: str = ""
    fix: str = ""
    level: Level = Level.ERROR


def in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Each once, sorted by file and place: a mistake in a definition is told once, however often it
    is used.
    """

    def place(diagnostic: Diagnostic) -> tuple[str, int, int, str, str]:
        span = diagnostic.span
        if span is None:
            return ("", 0, 0, diagnostic.code, diagnostic.fact)
        return (span.source.path, span.start, span.end, diagnostic.code, diagnostic.fact)

    return tuple({place(each): each for each in sorted(diagnostics, key=place)}.values())
