"""reformat_shape: the tree of a declaration -> its lines, as tokens and marks

Which clause stands on a line of its own, and where a line that is too long may be broken. A mark is
no text: it opens or closes a group, or is a place for a break. `reformat_lines` decides which of
these places are used.

A tree may be thousands of nodes deep, so nothing here recurses: `flattened` walks it with a stack,
and each node says only what its own parts and marks are.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from lark import Token, Tree


class Mark(Enum):
    """What stands between tokens and decides the layout.

    `ALIGN` opens a group whose lines begin where it begins, `HANG` one whose lines begin a level
    further in than those around it. If the group does not fit on its line, every `BREAK` directly
    within it is used. In `FILL` and `HANG_FILL` a break is used only where what follows it does not
    fit. `SIGN` is the place at the `=` of a `let` or before that of a comparison, used where the
    rest then fits on one line; `BODY` that of a `define`, used wherever the line is too long.
    """

    ALIGN = auto()
    FILL = auto()
    HANG = auto()
    HANG_FILL = auto()
    END = auto()
    BREAK = auto()
    SIGN = auto()
    BODY = auto()
    GLUE = auto()  # no blank here
    BLANK = auto()  # a blank here
    CELL = auto()  # here a cell ends that is as wide as those above and below it


OPENING = frozenset({Mark.ALIGN, Mark.FILL, Mark.HANG, Mark.HANG_FILL})

Node = Tree[Token] | Token
Part = Tree[Token] | Token | Mark


@dataclass
class Line:
    """A line of a declaration before it is measured: its parts, how far in it stands, and the gap
    that its cells keep from one another.

    Lines of one `block` have columns in common. `paragraphs` says whether a blank line that the
    author left before this line stays.
    """

    parts: list[Part]
    indent: int = 0
    block: str = ""
    paragraphs: bool = False
    gaps: tuple[int, ...] = (1, 1)
    items: list[Token | Mark] = field(default_factory=list)


STEP = 2
ALIGN, FILL, HANG, HANG_FILL, END = (
    Mark.ALIGN,
    Mark.FILL,
    Mark.HANG,
    Mark.HANG_FILL,
    Mark.END,
)
BREAK, GLUE, CELL = Mark.BREAK, Mark.GLUE, Mark.CELL

# Declarations of which several may stand together without an empty line between them.
GROUPED = frozenset({"parameter", "define", "dataset", "function", "scope"})

# Where a part of these declarations begins, besides those that are nodes of their own.
_STARTS = {
    "view": {"from"},
    "population": {"by", "unless"},
    "report": {"from", "by", "show"},
}


def lines_of(tree: Tree[Token]) -> list[Line]:
    """The lines of a declaration, in order."""
    lines = list(_lines(tree))
    for line in lines:
        line.items = flattened(line.parts)
    return lines


def _lines(tree: Tree[Token]) -> Iterator[Line]:
    children = tree.children
    match tree.data:
        case "header":
            yield Line([*children[:4]])
            for each in children[4:]:
                yield Line(_header_clause(each), STEP, "clauses")
        case "parameter" | "define" | "dataset" | "function" | "scope":
            yield Line(_one_line(tree), block=str(tree.data))
        case "codes" | "table":
            head, rest = _split(children)
            yield Line(head)
            for each in rest:
                block = str(each.data) if isinstance(each, Tree) else ""
                yield Line([each], STEP, block, paragraphs=True, gaps=_GAPS.get(block, (1, 1)))
        case "rule":
            yield Line([*children[:3]])
            yield from (Line([each], STEP) for each in children[3:])
        case "test":
            yield Line([*children[:2]])
            for number, each in enumerate(children[2:]):
                yield from _test_part(each, number)
        case _:
            yield from _parts_of_view(tree)


_GAPS = {"code_line": (1, 2), "column": (1, 1)}


def _split(children: Sequence[Node]) -> tuple[list[Part], Sequence[Node]]:
    for at, each in enumerate(children):
        if isinstance(each, Tree):
            return [*children[:at]], children[at:]
    return [*children], []


def _header_clause(clause: Node) -> list[Part]:
    if isinstance(clause, Token):
        return [clause]
    word, *rest = clause.children
    return [word, CELL, FILL, *_listed(rest), END]


def _one_line(tree: Tree[Token]) -> list[Part]:
    c = tree.children
    match tree.data:
        case "parameter":
            doc = isinstance(c[-1], Token) and c[-1].type == "TEXT"
            middle, end = (c[4:-1], [CELL, c[-1]]) if doc else (c[4:], [])
            return [*c[:3], CELL, c[3], *middle, *end]
        case "define":
            if len(c) == 4:
                return [*c[:2], CELL, c[2], Mark.BODY, c[3]]
            return [*c[:2], GLUE, c[2], FILL, c[3], END, c[4], c[5], Mark.BODY, c[6]]
        case "function":
            return [*c[:2], GLUE, c[2], FILL, c[3], END, *c[4:]]
        case "scope":
            return [c[0], c[1], BREAK, c[2]]
        case _:
            return [*c]


def _test_part(part: Node, number: int) -> Iterator[Line]:
    if isinstance(part, Token):
        yield Line([part], STEP)
        return
    rows = [each for each in part.children if isinstance(each, Token) and each.type == "ROW"]
    if not rows:
        yield Line([part], STEP, paragraphs=True)
        return
    yield Line([*part.children[: -len(rows)]], STEP, paragraphs=True)
    for row in rows:
        yield Line([row], 2 * STEP, f"rows {number}")


def _parts_of_view(tree: Tree[Token]) -> Iterator[Line]:
    starts = _STARTS.get(str(tree.data), set())
    line = Line([])
    for each in tree.children:
        if isinstance(each, Token):
            begins = each.value in starts and each.type != "NAME"
        else:
            begins = each.data == "where" or each.data.startswith("view_")
        if begins:
            yield line
            line = Line([], STEP)
        line.parts.append(each)
    yield line


# ── within a line ──────────────────────────────────────────────────────────────────────────────


def flattened(parts: Sequence[Part]) -> list[Token | Mark]:
    """The tokens of some trees in order, with the marks between them."""
    items: list[Token | Mark] = []
    todo = [*reversed(parts)]
    while todo:
        part = todo.pop()
        if isinstance(part, Tree):
            todo.extend(reversed(_shape(part)))
        else:
            items.append(part)
    return items


def _shape(tree: Tree[Token]) -> Sequence[Part]:
    """The parts of one node, with marks."""
    c = tree.children
    match tree.data:
        case "disjunction" | "conjunction":
            return [ALIGN, *_before({"or", "and"}, c), END]
        case "arithmetic":
            return _arithmetic(tree)
        case "if_then_else":
            return _if(tree)
        case "call":
            return [c[0], GLUE, *c[1:]]
        case "method":
            return [*c[:3], GLUE, *c[3:]]
        case "values" | "arguments" | "names" | "expressions":
            return [FILL, *_listed(c), END]
        case "named_values":
            return [ALIGN, *_listed(c), END]
        case "set":
            return [c[0], FILL, *_listed(c[1:-1]), END, c[-1]]
        case "range":
            return c if _is_plain(c[0]) and _is_plain(c[2]) else _spaced(c)
        case "compare" | "member" | "not_member" | "between" | "matches" | "overlaps":
            return [HANG, c[0], Mark.SIGN, *c[1:], END]
        case "negative":
            return [c[0], GLUE, c[1]]
        case "brackets":
            return [c[0], ALIGN, c[1], END, c[2]]
        case "exists" | "every" | "count_rows" | "count_distinct" | "aggregate" | "pick":
            inside = _before({"for", "where", "satisfies"}, c[2:-1])
            return [c[0], GLUE, c[1], ALIGN, *inside, END, c[-1]]
        case _:
            return _clause(tree)


def _clause(tree: Tree[Token]) -> Sequence[Part]:
    c = tree.children
    match tree.data:
        case "severities":
            return [HANG, *_listed(c), END]
        case "require":
            return [c[0], *_before({"else"}, c[1:])]
        case "for_clause" | "against":
            return [c[0], ALIGN, *_before({"where"}, c[1:]), END]
        case "view_with":
            return [c[0], ALIGN, *_before({"on"}, c[1:]), END]
        case "view_keep":
            return [c[0], ALIGN, *_before({"per"}, c[1:]), END]
        case "let":
            return [*c[:3], Mark.SIGN, c[3]]
        case "also_known_as":
            return [*c[:3], FILL, *_listed(c[3:]), END]
        case "code_also":
            return [c[0], FILL, *_listed(c[1:]), END]
        case "code_line":
            return [c[0], CELL, c[1], *((CELL, *c[2:]) if len(c) > 2 else ())]
        case "column":
            return _column(c)
        case "file":
            return [*c[:2], HANG_FILL, *(part for each in c[2:] for part in (BREAK, each)), END]
        case _:
            return c


def _column(c: Sequence[Node]) -> list[Part]:
    """Name and type, then the flags; a line that is too long is broken before `from`."""
    parts: list[Part] = [c[0], c[1], CELL, ALIGN, FILL, c[2]]
    for flag in c[3:]:
        if isinstance(flag, Tree) and flag.data == "flag_from":
            parts += [END, BREAK, FILL, flag]
        else:
            parts += [BREAK, flag]
    return [*parts, END, END]


def _arithmetic(tree: Tree[Token]) -> list[Part]:
    """A sum or product with all its terms in one group: the tree has them nested to the left."""
    signs = "+-" if str(tree.children[1]) in "+-" else "*/"
    backwards: list[Part] = [END]
    node: Node = tree
    while isinstance(node, Tree) and node.data == "arithmetic" and str(node.children[1]) in signs:
        left, sign, right = node.children
        backwards += [right, sign, BREAK]
        node = left
    return [ALIGN, node, *reversed(backwards)]


def _if(tree: Tree[Token]) -> list[Part]:
    """`if … then … else if … then … else …` in one group, broken before every `else`."""
    parts: list[Part] = [ALIGN]
    node: Node = tree
    while isinstance(node, Tree) and node.data == "if_then_else":
        word, condition, then, value, otherwise, rest = node.children
        parts += [HANG, word, condition, BREAK, then, value, END, BREAK, otherwise]
        node = rest
    return [*parts, node, END]


def _listed(children: Iterable[Node]) -> Iterator[Part]:
    """With a place for a break behind every comma."""
    for each in children:
        yield each
        if isinstance(each, Token) and each.type == "COMMA":
            yield BREAK


def _before(words: set[str], children: Iterable[Node]) -> Iterator[Part]:
    """With a place for a break before the keywords, be they tokens or begin a node; not before the
    first of the children.
    """
    for number, each in enumerate(children):
        word = each.value if isinstance(each, Token) else str(each.data)
        is_name = isinstance(each, Token) and each.type == "NAME"
        if number and word in words and not is_name:
            yield BREAK
        yield each


def _spaced(c: Sequence[Node]) -> list[Part]:
    return [c[0], Mark.BLANK, c[1], Mark.BLANK, c[2]]


def _is_plain(node: Node) -> bool:
    return isinstance(node, Token) or node.data != "arithmetic"
