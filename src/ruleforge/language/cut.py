"""cut: Source -> where its declarations begin

Finding the words that begin a declaration needs no grammar, only to know what is a text, a comment,
a name in backticks or a line of a test's table. So a mistake in one declaration never moves the
beginning of the next.

What is found on the way is told here too: a file that is none, a header that is missing, a text
that is not closed, and nesting so deep that the parser should not see it. A hostile text costs one
pass.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from ruleforge.language import messages
from ruleforge.language.diagnostic import Diagnostic
from ruleforge.language.source import Source, Span

MOST_CHARACTERS = 10_000_000
MOST_MISTAKES = 1_000
MOST_LEVELS = 100

DECLARATION_WORDS = (
    *("rulebook", "parameter", "codes", "table", "lookup", "define", "view", "scope"),
    *("population", "report", "rule", "test", "dataset", "function"),
)


@dataclass(frozen=True)
class Cut:
    """One declaration: the keyword with which it begins, and where texts in it are not closed."""

    word: str
    start: int
    end: int
    unclosed: tuple[int, ...] = ()


def cut(source: Source) -> tuple[list[Cut], list[Diagnostic]]:
    """The declarations of a text in order, and what is wrong with the text as a whole."""
    refusal = _refusal(source)
    if refusal is not None:
        return [], [refusal]
    starts, unclosed = _starts(source.text)
    diagnostics = [
        messages.unclosed_text(Span(source, at, at + 1)) for at in unclosed[: MOST_MISTAKES + 1]
    ]
    diagnostics += _header_mistakes(source, starts)
    cuts: list[Cut] = []
    position = bisect_left(unclosed, starts[0][0]) if starts else 0
    ends = [*(start for start, _ in starts[1:]), len(source.text)]
    for (start, word), end in zip(starts, ends, strict=False):
        first = position
        position = bisect_left(unclosed, end, lo=first)
        cuts.append(Cut(word, start, end, tuple(unclosed[first:position])))
    return cuts, diagnostics


_NO_TEXT = re.compile("[\0\ud800-\udfff]")


def _refusal(source: Source) -> Diagnostic | None:
    if len(source.text) > MOST_CHARACTERS:
        return messages.file_too_large(Span(source, 0, 1), MOST_CHARACTERS)
    found = _NO_TEXT.search(source.text)
    if found is None:
        return None
    what = "a NUL character" if found[0] == "\0" else "bytes that are no UTF-8"
    return messages.not_text(Span(source, found.start(), found.end()), what)


_SKIPPED = r'(?P<text>"(?:[^"\\\r\n]++|\\[^\r\n]?+)*+(?P<closed>")?)|#[^\n]*|`[^`\n]*`?|\|[^\r\n]*'
_CUTTABLE = re.compile(rf"{_SKIPPED}|\b(?P<word>{'|'.join(DECLARATION_WORDS)})\b")
_BLANK = re.compile(r"(?:\s++|#[^\n]*+)*+")
_AFTER = re.compile(r"(?:\s++|#[^\n]*+)*+(?P<what>when\b|.?)")
_LOOK_BACK = 200
_LAST_WORD = re.compile(r"[A-Za-z0-9_]+\Z")
_LONGEST_WORD = 20

# Behind these words, on the same line, a name or a value stands and no new declaration.
_GOVERNING = {
    *DECLARATION_WORDS,
    *("uses", "as", "for", "in", "with", "from", "of", "on", "by"),
    *("per", "and", "or", "not", "if", "then", "else", "is", "let"),
    *("where", "when", "require", "named", "references", "identifies", "key", "link", "tags"),
    *("after", "only", "matches", "overlaps", "between", "satisfies"),
    *("distinct", "select", "unless", "given"),
}


def _starts(text: str) -> tuple[list[tuple[int, str]], list[int]]:
    """Where each declaration begins, with its word; and where a text begins that is not closed."""
    starts: list[tuple[int, str]] = []
    unclosed: list[int] = []
    for found in _CUTTABLE.finditer(text):
        word = found["word"]
        if word is not None:
            if _begins_declaration(text, found.start(), found.end(), word):
                starts.append((found.start(), word))
        elif found["text"] is not None and found["closed"] is None:
            unclosed.append(found.start())
    return starts, unclosed


def _begins_declaration(text: str, start: int, end: int, word: str) -> bool:
    """Whether a word that can begin a declaration does so here, or is a name or a clause."""
    follows = _AFTER.match(text, end)
    after = follows["what"] if follows else ""
    if word == "report" and after == "when":
        return False
    before = text[max(0, start - _LOOK_BACK) : start]
    line = before[before.rfind("\n") + 1 :].rstrip(" \t\r\ufeff")
    if not line:
        # WHY: first on its line it is a declaration, however broken, unless it is plainly the name
        # of something.
        previous = _LAST_WORD.search(before.rstrip()[-_LONGEST_WORD:])
        if word == "table" and previous is not None and previous[0] == "lookup":
            return False
        return after not in tuple(":=,.)<>+*/}-")
    if line[-1] in "({,=<>+-*/:.!":
        return False
    previous = _LAST_WORD.search(line[-_LONGEST_WORD:])
    if previous is not None and previous[0] in _GOVERNING:
        return False
    return after.isalpha() or after in ("_", "`", '"', "when")


def _header_mistakes(source: Source, starts: list[tuple[int, str]]) -> Iterator[Diagnostic]:
    blank = _BLANK.match(source.text, 1 if source.text.startswith("\ufeff") else 0)
    first = blank.end() if blank else 0
    headers = [start for start, word in starts if word == "rulebook"]
    here = Span(source, *token_at(source.text, first))
    if not headers:
        yield messages.header_missing(here)
    elif headers[0] != first:
        yield messages.header_not_first(here)
    for start in headers[1:]:
        yield messages.header_twice(Span(source, start, start + len("rulebook")))


_LEVEL = re.compile(
    rf"{_SKIPPED}|(?P<open>[({{])|(?P<close>[)}}])|(?P<part>,|[=<>]|\b(?:and|or)\b)"
    r"|\b(?P<clause>let|when|require|message|report|for|define|rule)\b|\b(?P<if>if)\b"
    r"|(?P<op>\bnot\b|[-+*/.])"
)
_SHORT = 2_000
_MOST_OPERATORS = 2_000


def is_too_deep(text: str, start: int, end: int) -> bool:
    """Whether the text is nested so deep that the parser should not see it.

    A rough sieve for long texts that keeps a hostile one from costing memory; `build` measures
    exactly. What this refuses has more than MOST_LEVELS brackets within one another, or so many
    operators in one operand that one kind of them is more than MOST_LEVELS deep.
    """
    if end - start <= _SHORT:
        return False
    operators, ifs = [0], [0]
    for found in _LEVEL.finditer(text, start, end):
        match found.lastgroup:
            case "open":
                operators.append(0)
                ifs.append(0)
                if len(operators) > MOST_LEVELS:
                    return True
            case "close" if len(operators) > 1:
                operators.pop()
                ifs.pop()
            case "part":
                operators[-1] = 0
            case "clause":
                operators[-1] = ifs[-1] = 0
            case "if":
                ifs[-1] += 1
            case "op":
                operators[-1] += 1
            case _:
                pass  # a text, a comment, a name in backticks
        if operators[-1] > _MOST_OPERATORS or ifs[-1] > _MOST_OPERATORS:
            return True
    return False


_TOKEN = re.compile(
    r'"(?:[^"\\\r\n]++|\\[^\r\n]?+)*+"?|[A-Za-z_][A-Za-z0-9_-]*|`[a-z_0-9]*`'
    r"|[0-9]+(?:[.-][0-9]+)*|[=<>!&|]{1,2}|(?s:.)"
)


def token_at(text: str, offset: int) -> tuple[int, int]:
    """Where the token at an offset starts and ends; a sign of another language is a token too."""
    matched = _TOKEN.match(text, offset)
    return (offset, matched.end()) if matched else (offset, offset)
