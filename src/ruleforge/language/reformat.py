"""reformat: Source -> the same rulebook in its one layout

The layout is made from the tokens of each declaration's tree (`reformat_shape`, `reformat_lines`)
and from the comments between them; nothing that the author wrote is made anew, dropped or moved
past something else. That is checked each time: the result is parsed, and tokens and comments must
follow each other as they did.

A text with mistakes in its syntax has no tree, and so no layout: `RulebookError` tells them.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from lark import Token, Tree

from ruleforge.language import messages
from ruleforge.language.cut import MOST_CHARACTERS, MOST_LEVELS
from ruleforge.language.diagnostic import Diagnostic, in_order
from ruleforge.language.load import RulebookError
from ruleforge.language.parse import Parsed, collector_at_rest, parse
from ruleforge.language.reformat_lines import (
    LONGEST,
    Comments,
    Text,
    row_content,
    texts_of,
    with_comments,
)
from ruleforge.language.reformat_shape import GROUPED, STEP, Line, lines_of
from ruleforge.language.render import width
from ruleforge.language.source import Source, Span


class ReformatError(Exception):
    """The layout would change what a rulebook says: a mistake of ours, and nothing is written."""


@collector_at_rest()
def reformat(source: Source) -> str:
    """The text of the rulebook in its one layout.

    Raises `RulebookError` where the text has mistakes in its syntax, or is too large or too deep.
    Reformatting the result gives the result.
    """
    parsed = _parsed(source)
    declarations, comments, last = _read(parsed)
    result = "\n".join(_whole(declarations, comments, last)) + "\n"
    written = Source(source.path, result)
    again = parse(written)
    if any(each.code == "RF104" for each in again.diagnostics):
        # NOTE: what is just within the limits may be beyond them once it is spread over lines.
        raise RulebookError((_too_much(source, result),))
    if again.diagnostics or _stream(parsed) != _stream(again):
        raise ReformatError(f"the layout of {source.path} would change what it says")
    return result


def _parsed(source: Source) -> Parsed:
    parsed = parse(source)
    if parsed.diagnostics:
        raise RulebookError(in_order(parsed.diagnostics))
    return parsed


def _too_much(source: Source, result: str) -> Diagnostic:
    if len(result) > MOST_CHARACTERS:
        return messages.file_too_large(Span(source, 0, 1), MOST_CHARACTERS)
    return messages.too_deep(Span(source, 0, 1), MOST_LEVELS)


# ── what is there: declarations, and the comments between tokens ───────────────────────────────


@dataclass(frozen=True)
class _Remark:
    """A comment on a line of its own between declarations."""

    text: str
    apart: bool
    column: int


@dataclass
class _Declaration:
    """A declaration, the comments before it, and those that belong to its end."""

    word: str
    lines: list[Line]
    remarks: list[_Remark]
    apart: bool
    tail: list[_Remark] = field(default_factory=list)


def _read(parsed: Parsed) -> tuple[list[_Declaration], Comments, list[_Remark]]:
    """The declarations, the comments within them, and those behind the last."""
    text = parsed.source.text
    declarations: list[_Declaration] = []
    comments = Comments()
    previous: Token | None = None
    column = 0
    for piece in parsed.pieces:
        tokens = tokens_of(piece.tree)
        first = tokens[0]
        gap = _Gap(text, previous, first)
        here = _column(text, piece.span.start)
        remarks = _between(gap, declarations, comments, column, here)
        for token in tokens:
            if token is not first:
                _take(_Gap(text, previous, token), comments)
            previous = token
        column = here
        declarations.append(_Declaration(piece.word, lines_of(piece.tree), remarks, gap.apart))
    last = _between(_Gap(text, previous, None), declarations, comments, column, 0)
    return declarations, comments, last


def tokens_of(tree: Tree[Token]) -> list[Token]:
    """The tokens of a tree in order, found without recursion."""
    found: list[Token] = []
    todo: list[Tree[Token] | Token] = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, Tree):
            todo.extend(reversed(node.children))
        else:
            found.append(node)
    return found


_COMMENT = re.compile(r"#[^\n]*")


class _Gap:
    """What stands between two tokens: a comment on the line of the first, comments on lines of
    their own, and whether an empty line precedes the second.
    """

    def __init__(self, text: str, before: Token | None, behind: Token | None) -> None:
        self.before, self.behind = before, behind
        start = (before.end_pos or 0) if before is not None else 0
        end = (behind.start_pos or 0) if behind is not None else len(text)
        self.trailing = ""
        self.remarks: list[_Remark] = []
        self.apart = False
        if end - start <= 1:
            return
        position = start
        for found in _COMMENT.finditer(text, start, end) if "#" in text[start:end] else ():
            lines = text.count("\n", position, found.start())
            comment = found[0].rstrip(" \t\r")
            if lines == 0 and before is not None and position == start:
                self.trailing = comment
            else:
                empty = lines > 1
                self.remarks.append(_Remark(comment, empty, _column(text, found.start())))
            position = found.end()
        self.apart = text.count("\n", position, end) > 1


_LOOK_BACK = 200


def _column(text: str, offset: int) -> int:
    """How far in a place is; 0 where something else stands before it on its line."""
    # WHY: a line may be as long as the file, and be looked at once for each of its declarations.
    before = text[max(0, offset - _LOOK_BACK) : offset]
    line = before[before.rfind("\n") + 1 :].lstrip("\ufeff")
    return 0 if line.strip() else len(line)


def _take(gap: _Gap, comments: Comments) -> None:
    """Notes the comments between two tokens of a declaration."""
    if gap.trailing and gap.before is not None:
        comments.behind[gap.before.start_pos or 0] = gap.trailing
    if gap.behind is not None:
        at = gap.behind.start_pos or 0
        if gap.remarks:
            comments.before[at] = [(each.text, each.apart) for each in gap.remarks]
        if gap.apart:
            comments.apart.add(at)


def _between(
    gap: _Gap, declarations: list[_Declaration], comments: Comments, before: int, behind: int
) -> list[_Remark]:
    """The comments between two declarations. Those that stand further in than both belong to the
    end of the first.
    """
    if gap.trailing and gap.before is not None:
        comments.behind[gap.before.start_pos or 0] = gap.trailing
    number = 0
    if declarations:
        for each in gap.remarks:
            if each.column <= max(before, behind):
                break
            number += 1
        declarations[-1].tail = gap.remarks[:number]
    return gap.remarks[number:]


# ── the whole ──────────────────────────────────────────────────────────────────────────────────


_ALWAYS_ALIGNED = frozenset({"clauses", "code_line", "column"})


@dataclass
class _Laid:
    """Declarations that stand together, usually one."""

    declarations: list[_Declaration]
    texts: list[list[Text]]


def _whole(
    declarations: Sequence[_Declaration], comments: Comments, last: list[_Remark]
) -> Iterator[str]:
    is_first = True
    for laid in _laid(declarations, comments):
        flat: list[Text] = []
        for number, each in enumerate(laid.declarations):
            if number == 0:
                yield from _before(each, is_first=is_first)
            else:
                flat += [Text(remark.text) for remark in each.remarks]
            flat += laid.texts[number]
        yield from with_comments(flat)
        is_first = False
    if last:
        yield from _remarks(last, is_first=False, apart=True)


def _laid(declarations: Sequence[_Declaration], comments: Comments) -> Iterator[_Laid]:
    """Each declaration in lines, those of one line together where the author has them together."""
    together: list[_Declaration] = []
    texts: list[list[Text]] = []
    for each in declarations:
        found = _texts(each, comments)
        if together and _joins(together[-1], texts[-1], each, found):
            together.append(each)
            texts.append(found)
            continue
        if together:
            yield _aligned(together, texts, comments)
        together, texts = [each], [found]
    if together:
        yield _aligned(together, texts, comments)


def _texts(declaration: _Declaration, comments: Comments) -> list[Text]:
    paragraphs = declaration.lines[-1].paragraphs
    texts = texts_of(declaration.lines, comments, _ALWAYS_ALIGNED)
    blank = " " * STEP
    return texts + [
        Text(blank + each.text, apart=each.apart and paragraphs) for each in declaration.tail
    ]


def _joins(first: _Declaration, one: list[Text], second: _Declaration, other: list[Text]) -> bool:
    """Whether two declarations stand together: of one kind and one line, and no empty line between
    them.
    """
    return (
        first.word == second.word
        and first.word in GROUPED
        and len(one) == len(other) == 1
        and not second.apart
        and not any(each.apart or _is_banner(each) for each in second.remarks)
    )


def _aligned(together: list[_Declaration], texts: list[list[Text]], comments: Comments) -> _Laid:
    """With the columns that they have in common, where every line still fits."""
    if len(together) == 1:
        return _Laid(together, texts)
    lines = [line for each in together for line in each.lines]
    found = texts_of(lines, comments, frozenset({together[0].word}))
    fits = len(found) == len(lines) and all(
        width(new.text) <= max(LONGEST, width(old[0].text))
        for new, old in zip(found, texts, strict=True)
    )
    return _Laid(together, [[each] for each in found] if fits else texts)


_BANNER = re.compile(r"([^\w\s])\1{7}")


def _is_banner(remark: _Remark) -> bool:
    """Whether a comment draws a line, as the title of a section does."""
    return _BANNER.search(remark.text) is not None


def _before(declaration: _Declaration, *, is_first: bool) -> Iterator[str]:
    """The empty lines and comments before a declaration."""
    if declaration.remarks:
        yield from _remarks(declaration.remarks, is_first=is_first, apart=declaration.apart)
        if declaration.apart:
            yield ""
    elif not is_first:
        yield ""


def _remarks(remarks: list[_Remark], *, is_first: bool, apart: bool) -> Iterator[str]:
    """Comments between declarations: an empty line before each paragraph, two before a section.

    Comments directly below a declaration, and apart from what follows, stay with it.
    """
    stays = not remarks[0].apart and (apart or any(each.apart for each in remarks))
    for number, each in enumerate(remarks):
        if number == 0:
            empty = 0 if is_first else 2 if _is_banner(each) else 0 if stays else 1
        else:
            empty = (2 if _is_banner(each) else 1) if each.apart else 0
        yield from [""] * empty
        yield each.text


# ── what must not change ───────────────────────────────────────────────────────────────────────


def _stream(parsed: Parsed) -> list[tuple[str, str]]:
    """Every token and comment of a rulebook in order."""
    text = parsed.source.text
    found: list[tuple[str, str]] = []
    previous: Token | None = None
    for piece in parsed.pieces:
        for token in tokens_of(piece.tree):
            found += _comments_between(text, previous, token)
            value = row_content(token.value) if token.type == "ROW" else token.value
            found.append((token.type, value))
            previous = token
    found += _comments_between(text, previous, None)
    return found


def _comments_between(
    text: str, before: Token | None, behind: Token | None
) -> Iterator[tuple[str, str]]:
    start = (before.end_pos or 0) if before is not None else 0
    end = (behind.start_pos or 0) if behind is not None else len(text)
    if end - start > 1:
        for found in _COMMENT.finditer(text, start, end):
            yield "COMMENT", found[0].rstrip(" \t\r")
