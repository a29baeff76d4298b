"""pygments_lexer: the text of a rulebook -> tokens for Pygments

Documents, code hosts and editors that use Pygments show rulebooks in colours by it; the package
registers it, and nothing else of RuleForge imports it. Words and signs are told apart by the parser
itself, so there is no list of keywords here that could grow old: what is a name where it stands is
shown as a name.

Whatever the text, the tokens joined are the text.
"""

import re
from collections.abc import Iterator
from typing import ClassVar

from pygments.lexer import Lexer  # type: ignore[import-untyped]
from pygments.token import (  # type: ignore[import-untyped]
    Comment,
    Error,
    Keyword,
    Literal,
    Name,
    Number,
    Operator,
    Punctuation,
    String,
    Whitespace,
)

from ruleforge.language.core import Severity
from ruleforge.language.cut import DECLARATION_WORDS, cut
from ruleforge.language.functions import FUNCTIONS
from ruleforge.language.parse import KEYWORD, MEANINGLESS, Lexeme, lexemes
from ruleforge.language.source import Source
from ruleforge.language.types import NAMED_TYPES

_KINDS = {
    KEYWORD: Keyword,
    MEANINGLESS: Error,
    "NAME": Name,
    "MEMBER": Name.Attribute,
    "RULE_ID": Name.Function,
    "TEXT": String.Double,
    "CODES_DOC": String.Double,
    "ROW": Literal,
    "DAY_OR_YEAR": Literal.Date,
    "DECIMAL": Number.Float,
    "INTEGER": Number.Integer,
    **dict.fromkeys(("EQUAL", "COMPARISON", "PLUS", "MINUS", "TIMES", "OVER", "DOTS"), Operator),
}
_FUNCTIONS = {name.rpartition(".")[2] for name in FUNCTIONS}
_SEVERITIES = {severity.value for severity in Severity}
_WITH_HOLES = ("message", "else")  # words before a text whose braces hold expressions

_GAP = re.compile(r"(?P<comment>#[^\n]*)|[^#]+")
_PLAIN_TEXT = re.compile(r"\\.?|[^\\]+", re.DOTALL)
_MESSAGE = re.compile(
    r'(?P<escape>\\.?|\{\{|\}\})|(?P<hole>\{(?:[^{}"\\]|\\.|\{[^{}]*\})*\}?)|[^\\{}]+|.', re.DOTALL
)
_CELL = re.compile(
    r"(?P<bar>\|)|(?P<blank>[ \t]+)|(?P<comment>(?<=[|\s])#.*)"
    r'|(?P<text>"(?:[^"\\]|\\.)*"(?=[ \t]*(?:\||\Z)))|(?P<cell>[^|\s]+(?:[ \t]+[^|\s]+)*)|.',
    re.DOTALL,
)

_Token = tuple[int, object, str]


class RulebookLexer(Lexer):  # type: ignore[misc]
    """Rulebooks of RuleForge."""

    name = "RuleForge rules"
    aliases: ClassVar[list[str]] = ["ruleforge", "rules"]
    filenames: ClassVar[list[str]] = ["*.rules"]
    mimetypes: ClassVar[list[str]] = ["text/x-ruleforge"]

    def get_tokens_unprocessed(self, text: str) -> Iterator[_Token]:
        """Place, type and text of each token, in order and without gaps."""
        position, previous, before = 0, "", ""
        declarations = {each.start for each in cut(Source("", text))[0]}
        for lexeme in lexemes(text):
            yield from _gap(text, position, lexeme.start)
            position = lexeme.end
            value = text[lexeme.start : lexeme.end]
            if lexeme.kind == "ROW":
                yield from _row(lexeme.start, value, is_header=before != "ROW")
            elif lexeme.kind == "TEXT":
                yield from _quoted(lexeme.start, value, previous)
            elif lexeme.start in declarations or previous == "lookup":
                yield lexeme.start, Keyword.Declaration, value
            else:
                yield lexeme.start, _type(lexeme, value, text, previous, before), value
            previous, before = value, lexeme.kind
        yield from _gap(text, position, len(text))


def _type(lexeme: Lexeme, value: str, text: str, previous: str, before: str) -> object:
    """The type of a word or sign, by its kind and by what stands before and behind it."""
    if lexeme.kind in ("NAME", "MEMBER") and _is_called(text, lexeme.end) and value in _FUNCTIONS:
        return Name.Builtin
    if lexeme.kind == "NAME":
        if previous == ":" and value in NAMED_TYPES:
            return Keyword.Type
        if before == KEYWORD and previous in DECLARATION_WORDS:
            return Name.Class
        if value in _SEVERITIES and (before == "RULE_ID" or previous in ("otherwise", ",")):
            return Name.Exception
    return _KINDS.get(lexeme.kind, Punctuation)


def _is_called(text: str, end: int) -> bool:
    return text[end : end + 1] == "("


def _gap(text: str, start: int, end: int) -> Iterator[_Token]:
    """Blanks and comments."""
    for found in _GAP.finditer(text, start, end):
        yield found.start(), Comment.Single if found["comment"] else Whitespace, found[0]


def _quoted(start: int, value: str, previous: str) -> Iterator[_Token]:
    """A text, with its escapes, and in messages with what stands between braces."""
    for found in (_MESSAGE if previous in _WITH_HOLES else _PLAIN_TEXT).finditer(value):
        groups = found.groupdict()
        if groups.get("escape") or found[0].startswith("\\"):
            kind = String.Escape
        else:
            kind = String.Interpol if groups.get("hole") else String.Double
        yield start + found.start(), kind, found[0]


def _row(start: int, value: str, *, is_header: bool) -> Iterator[_Token]:
    """A line of a table in a test: bars, and names of columns or cells between them."""
    kinds = {
        "bar": Punctuation,
        "blank": Whitespace,
        "comment": Comment.Single,
        "text": String.Double,
        "cell": Name.Attribute if is_header else Literal,
    }
    for found in _CELL.finditer(value):
        yield start + found.start(), kinds.get(found.lastgroup or "", Literal), found[0]
