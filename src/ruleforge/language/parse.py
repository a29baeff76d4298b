"""parse: Source -> Parsed, a tree for every declaration

The text is cut before every word that begins a declaration (`cut`), and each piece is parsed on its
own: five broken declarations are five diagnostics, and what is whole goes on to `build`.

The text may be a stranger's. Nothing here recurses, and the numbers of characters, of tokens and of
mistakes are limited: whatever comes in, a tree or a diagnostic comes out.
"""

import gc
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from lark import Lark, Token, Tree
from lark.common import LexerConf
from lark.exceptions import UnexpectedInput, UnexpectedToken
from lark.lexer import Lexer, TerminalDef

from ruleforge.language import messages
from ruleforge.language.ast import Name
from ruleforge.language.cut import (
    MOST_LEVELS,
    MOST_MISTAKES,
    Cut,
    cut,
    is_too_deep,
    token_at,
)
from ruleforge.language.diagnostic import Diagnostic
from ruleforge.language.mistakes import Stop, mistake
from ruleforge.language.resources import grammar_text
from ruleforge.language.source import Source, Span

MOST_TOKENS = 3_000_000

# Keywords only where no name can stand; all other keywords of the grammar are reserved.
SOFT_WORDS = {
    *("as", "business", "days", "edition", "expect", "given", "group", "header"),
    *("keep", "known", "label", "nothing", "of", "on", "only", "per"),
    *("select", "show", "since", "unless", "until", "with"),
}

# Kinds of token that are read only in the states that accept them.
_IN_ONE_PLACE = ("MEMBER", "RULE_ID", "CODES_DOC")

Place = Callable[[int, int], Span]


@dataclass(frozen=True)
class Piece:
    """One declaration: where it stands, and its tree, whose places are those of the file."""

    word: str
    span: Span
    tree: Tree[Token]


@dataclass(frozen=True)
class Parsed:
    """What could be read. `broken` are the names of the declarations that could not."""

    source: Source
    pieces: tuple[Piece, ...]
    broken: tuple[Name, ...]
    diagnostics: tuple[Diagnostic, ...]


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """Python's cycle collector does not run meanwhile.

    WHY: trees have no cycles, so there is nothing to collect; looking for it takes longer than
    parsing.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@collector_at_rest()
def parse(source: Source) -> Parsed:
    """Every declaration of the text that can be read, and a diagnostic for each that cannot."""
    cuts, diagnostics = cut(source)
    pieces: list[Piece] = []
    broken: list[Name] = []
    whole = _Stretch(source.text, 0, 0, MOST_TOKENS)
    for each in cuts:
        if len(diagnostics) > MOST_MISTAKES:
            span = Span(source, each.start, each.start + len(each.word))
            diagnostics.append(messages.too_many_mistakes(span, MOST_MISTAKES))
            break
        whole.start, whole.end = each.start, each.end
        try:
            tree, found = _parse_cut(source, each, whole)
        except _TooLongError as error:
            at = Span(source, error.offset, error.offset + 1)
            diagnostics.append(messages.too_many_tokens(at, MOST_TOKENS))
            break
        if tree is not None:
            pieces.append(Piece(each.word, Span(source, each.start, each.end), tree))
        if found is not None:
            unread = each.start if tree is None or found.span is None else found.span.start
            broken += declared_name(Span(source, unread, each.end))
            if not _is_explained(found, each):
                diagnostics.append(found)
    return Parsed(source, tuple(pieces), tuple(broken), tuple(diagnostics))


def parse_expression(text: str, place: Place) -> Tree[Token] | Diagnostic:
    """The tree of an expression within a message; `place` says where its parts are in the file."""
    if is_too_deep(text, 0, len(text)):
        return messages.too_deep(place(0, 1), MOST_LEVELS)
    if _after_blanks(text, 0, len(text)) == len(text):
        return messages.brace_empty(place(0, len(text)))
    try:
        return _tree("expression", _Stretch(text, 0, len(text), MOST_TOKENS))
    except UnexpectedInput as error:
        return _explained(error, text, place, "")[0]


# ── one declaration ────────────────────────────────────────────────────────────────────────────


@cache
def keywords() -> frozenset[str]:
    """Every keyword of the language."""
    return frozenset(re.findall(r'"([a-z]+)"', grammar_text()))


@cache
def reserved_words() -> frozenset[str]:
    """The keywords that are no names unless they stand in backticks."""
    return keywords() - SOFT_WORDS


class _MeaninglessCharacterError(UnexpectedInput):
    def __init__(self, offset: int) -> None:
        super().__init__()
        self.pos_in_stream = offset  # type: ignore[assignment]  # None in the class, a number in use


class _TooLongError(Exception):
    def __init__(self, offset: int) -> None:
        super().__init__()
        self.offset = offset


@dataclass
class _Stretch:
    """A part of a text that the lexer reads, and the number of tokens that it may still read."""

    text: str
    start: int
    end: int
    tokens_left: int


class _Lexer(Lexer):
    """A contextual lexer that sees reserved words everywhere.

    One regex reads the blanks and the token behind them; three kinds of token have one of their
    own, for the states in which they alone can stand.

    WHY: Lark's contextual lexer sees a keyword only where the grammar allows it, so `require
    message "…"` would read `message` as a name; and it reads blanks as tokens, which doubles its
    time.
    """

    __future_interface__ = 2

    def __init__(self, conf: LexerConf) -> None:
        patterns = {each.name: each.pattern for each in conf.terminals}
        words = {name: each.value for name, each in patterns.items() if each.value.isalpha()}
        self._reserved = {word: name for name, word in words.items() if word not in SOFT_WORDS}
        self._soft = {word: name for name, word in words.items() if word in SOFT_WORDS}
        blank = "|".join(patterns[name].to_regexp() for name in conf.ignore)
        plain = sorted(
            (each for each in conf.terminals if each.name not in {*words, *conf.ignore}),
            key=lambda each: (-each.priority, -len(each.pattern.to_regexp())),
        )
        general = [each for each in plain if each.name not in _IN_ONE_PLACE]

        def scanner(terminals: list[TerminalDef]) -> re.Pattern[str]:
            groups = "|".join(f"(?P<{each.name}>{each.pattern.to_regexp()})" for each in terminals)
            return re.compile(rf"(?:{blank})*+(?:{groups}|(?P<END>\Z))")

        self._general = scanner(general).match
        self._by_kind = {
            each.name: scanner([each, *general]).match
            for each in plain
            if each.name in _IN_ONE_PLACE
        }

    def lex_loosely(self, text: str, start: int, end: int) -> "Iterator[Lexeme]":
        """The words and signs of a stretch that does not parse, as far as they can be told without
        the grammar.
        """
        previous = ""
        while start < end:
            match = self._by_kind["MEMBER"] if previous == "." else self._general
            # WHY: a word with capital letters is an id, wherever it stands.
            found = match(text, start, end) or self._by_kind["RULE_ID"](text, start, end)
            if found is None:
                start = _after_blanks(text, start, end)
                yield Lexeme(MEANINGLESS, start, start + 1)
                start, previous = start + 1, ""
                continue
            kind = str(found.lastgroup)
            if kind == "END":
                return
            value, start = found[kind], found.end()
            followed = _after_blanks(text, start, end)
            is_name = value in self._soft and text[followed : followed + 1] in _BEHIND_A_NAME
            if kind == "NAME" and value in (self._reserved | self._soft) and not is_name:
                kind = KEYWORD
            yield Lexeme(kind, start - len(value), start)
            previous = value

    def lex(self, lexer_state: Any, parser_state: Any) -> Iterator[Any]:
        stretch: _Stretch = lexer_state.text
        text, position, end = stretch.text, stretch.start, stretch.end
        states = parser_state.parse_conf.states
        reserved, soft = self._reserved, self._soft
        while True:
            accepted = states[parser_state.position]
            match = self._general
            for kind in _IN_ONE_PLACE:
                if kind in accepted:
                    match = self._by_kind[kind]
            found = match(text, position, end)
            if found is None:
                raise _MeaninglessCharacterError(_after_blanks(text, position, end))
            kind = str(found.lastgroup)
            if kind == "END":
                return
            value = found[kind]
            position = found.end()
            if stretch.tokens_left == 0:
                raise _TooLongError(position - len(value))
            stretch.tokens_left -= 1
            if kind == "NAME":
                if value in reserved:
                    kind = reserved[value]
                elif value in soft and soft[value] in accepted:
                    kind = soft[value]
            yield Token(kind, value, position - len(value), end_pos=position)


@cache
def _lark() -> Lark:
    return Lark(
        grammar_text(),
        parser="lalr",
        lexer=_Lexer,
        start=["declaration", "expression"],
        keep_all_tokens=True,  # a node begins and ends with them, so they are its place
        maybe_placeholders=False,
    )


def _tree(kind: str, stretch: _Stretch) -> Tree[Token]:
    return _lark().parse(stretch, start=kind)


def _parse_cut(
    source: Source, each: Cut, stretch: _Stretch
) -> tuple[Tree[Token] | None, Diagnostic | None]:
    text = source.text
    place = partial(Span, source)
    if is_too_deep(text, each.start, each.end):
        return None, messages.too_deep(place(each.start, each.start + len(each.word)), MOST_LEVELS)
    try:
        return _tree("declaration", stretch), None
    except UnexpectedInput as error:
        found, offset, could_end = _explained(error, text, place, each.word)
        if could_end and _is_a_new_start(source, each.start, offset):
            # WHY: a misspelt declaration (`ruel X-1`) belongs to the piece before it, which is
            # whole without it.
            return _tree("declaration", _Stretch(text, each.start, offset, MOST_TOKENS)), found
        return None, found


def _is_explained(found: Diagnostic, each: Cut) -> bool:
    """Whether a mistake stands on the line of a text that is not closed, or behind it."""
    if found.span is None or found.code not in ("RF101", "RF103") or not each.unclosed:
        return False
    return found.span.start > found.span.source.text.rfind("\n", 0, each.unclosed[0])


def _is_a_new_start(source: Source, start: int, at: int) -> bool:
    """Whether a token is first on its line, and no further in than the declaration before it."""
    line, column = source.line_and_column(at)
    indent = source.line_text(line)[: column - 1]
    return not indent.strip() and column <= source.line_and_column(start)[1]


def _explained(
    error: UnexpectedInput, text: str, place: Place, word: str
) -> tuple[Diagnostic, int, bool]:
    """The diagnostic; where the parser stopped; whether the declaration could have ended there."""
    parser = error.interactive_parser
    accepted = frozenset(parser.accepts())  # type: ignore[no-untyped-call]
    at_end = isinstance(error, UnexpectedToken) and error.token.type == "$END"
    offset = error.pos_in_stream if error.pos_in_stream is not None else 0
    values = [each for each in parser.parser_state.value_stack if each is not None]
    previous = _last_token(values[-1]) if values else None
    start, end = token_at(text, offset)
    stop = Stop(
        found=None if at_end else place(start, end),
        previous=place(_start(previous), _end(previous)) if previous is not None else None,
        accepted=accepted,
        keywords=keywords(),
        reserved=reserved_words(),
        word=word,
        known=text[offset].isascii() and text[offset].isalnum()
        if isinstance(error, _MeaninglessCharacterError)
        else True,
    )
    return mistake(stop), offset, "$END" in accepted


def _last_token(node: Tree[Token] | Token) -> Token:
    while isinstance(node, Tree):
        node = node.children[-1]
    return node


_BLANKS = re.compile(r"(?:[ \t\r\n]++|#[^\n]*+)*+")


def _after_blanks(text: str, start: int, end: int) -> int:
    blanks = _BLANKS.match(text, start, end)
    return blanks.end() if blanks else start


def _start(token: Token) -> int:
    return token.start_pos or 0


def _end(token: Token) -> int:
    return token.end_pos or 0


_NAMED = re.compile(
    r"(?!rulebook\b|scope\b)(?:lookup\s+table|[a-z]+)\s+"
    r"(?P<name>`[a-z_][a-z0-9_]*`|[A-Za-z_][A-Za-z0-9_-]*)"
)


def declared_name(declaration: Span) -> Iterator[Name]:
    """The name that a declaration gives, if one stands where it should."""
    found = _NAMED.match(declaration.source.text, declaration.start, declaration.end)
    if found is not None:
        yield Name(found["name"].strip("`"), Span(declaration.source, *found.span("name")))


# ── words and signs, for those who show a text ─────────────────────────────────────────────────

KEYWORD = "KEYWORD"
MEANINGLESS = "MEANINGLESS"
_BEHIND_A_NAME = tuple(":=.,)")


@dataclass(frozen=True)
class Lexeme:
    """One word or sign. `kind` is its name in the grammar, KEYWORD for a word that is one where it
    stands, or MEANINGLESS for a character that is none of the language.
    """

    kind: str
    start: int
    end: int


def lexemes(text: str) -> Iterator[Lexeme]:
    """The words and signs of a rulebook, or of a part of one, in order; blanks and comments lie
    between them. A declaration that parses is read as the parser reads it; of another one what is
    behind the mistake is read without the grammar, so any text is read to its end.
    """
    loosely = _Lexer(_lark().lexer_conf).lex_loosely
    position = 0
    for each in cut(Source("", text))[0]:
        yield from loosely(text, position, each.start)
        position = each.start
        if not is_too_deep(text, each.start, each.end):
            for lexeme in _until_a_mistake(_Stretch(text, each.start, each.end, MOST_TOKENS)):
                yield lexeme
                position = lexeme.end
        yield from loosely(text, position, each.end)
        position = each.end
    yield from loosely(text, position, len(text))


def _until_a_mistake(stretch: _Stretch) -> Iterator[Lexeme]:
    parser = _lark().parse_interactive(stretch, start="declaration")
    words = keywords()
    kinds = {word.upper() for word in words}
    try:
        for token in parser.lexer_thread.lex(parser.parser_state):  # type: ignore[no-untyped-call]
            kind = KEYWORD if token.value in words and token.type in kinds else token.type
            parser.feed_token(token)
            yield Lexeme(kind, _start(token), _end(token))
    except (UnexpectedInput, _TooLongError):
        return
