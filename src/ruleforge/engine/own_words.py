"""own_words: core.Expr -> the words in which its author wrote it

A condition of core has the place of what was written, so the text of the rulebook is there to be
quoted. What a definition brings into a rule is not written there: it is quoted as it is called
(`running(p, count_date)`), and its inside told in `notation`, in which the arguments stand for
themselves.
"""

import re
from dataclasses import dataclass

from ruleforge.language import core
from ruleforge.language.notation import notation
from ruleforge.language.source import Span

_DEFINED = re.compile(r"\bdefine\s+`?(\w+)`?\s*(\([^()]*\))?\s*=[\s(]*\Z")
_NEXT = re.compile(
    r"^(?:rule|test|define|parameter|codes|lookup|table|view|scope|dataset|population|function|report(?!\s+when))\b",
    re.MULTILINE,
)
_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|#[^\n]*|\s+|[^\s"#]+')
_HIDDEN = re.compile(r"\w+\.#(bad|raw)\.(\w+)")
_FAR = 2000  # characters before a definition's body in which its name stands
_LONGEST = 400


@dataclass(frozen=True)
class Written:
    """What stands for a part of a rule: its text, and where its own parts are to be looked for,
    which is nowhere inside a definition.
    """

    text: str
    within: Span | None


def own_words(expr: core.Expr, outer: Span | None) -> Written:
    """The words for a part of what stands at `outer` (None: inside a definition)."""
    span = _span(expr)
    if isinstance(expr, core.LetValue | core.ParameterValue | core.Constant):
        return Written(_short(notation(expr)), None)
    if span is None or outer is None or not span.text.strip():
        return Written(_short(_unhidden(notation(expr))), None)
    if _is_inside(span, outer):
        return Written(_short(_squeezed(span.text)), span)
    called = _DEFINED.search(_before(span))
    call = None
    if called is not None:
        call = called[1] if called[2] is None else _call(called[1], outer)
    return Written(_short(call or notation(expr)), None)


def place_of(rule: core.Rule) -> Span:
    """Where a rule is written, from its id to the next declaration."""
    source, start = rule.span.source, rule.span.start
    following = _NEXT.search(source.text, rule.span.end)
    return Span(source, start, len(source.text) if following is None else following.start())


def reported_condition(claim: core.Expr) -> core.Expr | None:
    """The condition of `report when`, of which the claim is the negation; None for a `require`."""
    if not isinstance(claim, core.Not):
        return None
    words = _before(claim.span).rstrip("( \t\r\n").split()
    return claim.operand if words[-2:] == ["report", "when"] else None


def _span(expr: core.Expr) -> Span | None:
    span = getattr(expr, "span", None)
    return span if isinstance(span, Span) else None


def _is_inside(span: Span, outer: Span) -> bool:
    return (
        span.source.path == outer.source.path
        and outer.start <= span.start
        and span.end <= outer.end
    )


def _before(span: Span) -> str:
    """What stands before a place, without comments, as far as it may matter."""
    text = span.source.text
    # NOTE: no text goes over a line end, so at a line's beginning none is open.
    beginning = text.rfind("\n", 0, max(0, span.start - _FAR)) + 1
    return _without_comments(text[beginning : span.start])


def _call(name: str, outer: Span) -> str | None:
    """How a definition is called within a text, where it is called in one way only."""
    text = _squeezed(outer.text)
    found = re.finditer(rf"\b{re.escape(name)}\(", text)
    calls = {_balanced(text, each.start()) for each in found}
    return calls.pop() if len(calls) == 1 else None


def _balanced(text: str, start: int) -> str:
    depth = 0
    for position in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[position], 0)
        if depth == 0 and text[position] == ")":
            return text[start : position + 1]
    return text[start:]


def _squeezed(text: str) -> str:
    """On one line, without comments."""
    words = [each for each in _TOKEN.findall(text) if not each.startswith("#")]
    return "".join(" " if each.isspace() else each for each in words).strip()


def _without_comments(text: str) -> str:
    return "".join(each for each in _TOKEN.findall(text) if not each.startswith("#"))


def _unhidden(text: str) -> str:
    """Columns that the built-in rules ask for, in words."""
    return _HIDDEN.sub(
        lambda found: (
            f"{found[2]} cannot be read" if found[1] == "bad" else f"what {found[2]} holds"
        ),
        text,
    )


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 2]} …"
