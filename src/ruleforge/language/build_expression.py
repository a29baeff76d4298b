"""build_expression: the tree of an expression -> ast.Expr

One method for each node of the grammar, called from the leaves up and without recursion, so that a
tree of any depth is safe to walk. Depth is measured on the way and refused beyond MOST_LEVELS:
every later pass may recurse. `build` adds the methods of declarations.
"""

from typing import Any

from lark import Token, Tree

from ruleforge.language import ast, literals
from ruleforge.language.cut import MOST_LEVELS
from ruleforge.language.diagnostic import Diagnostic
from ruleforge.language.parse import Place
from ruleforge.language.source import Span

Children = list[Any]

# The nodes that make the ast one level deeper.
_LEVELS = {
    *("if_then_else", "disjunction", "conjunction", "not_", "compare", "member"),
    *("not_member", "between", "is_missing", "is_present", "matches", "overlaps"),
    *("arithmetic", "negative", "attribute", "method", "call", "set"),
    *("range", "exists", "every", "count_rows", "count_distinct", "aggregate"),
    *("pick", "brackets"),
}


class TooDeepError(Exception):
    """An expression is nested more than MOST_LEVELS deep; `span` is the part of it that is."""

    def __init__(self, span: Span) -> None:
        super().__init__()
        self.span = span


class ExpressionBuilder:
    """Builds what a tree says; `place` says where an offset of its tokens is in the file."""

    def __init__(self, place: Place, diagnostics: list[Diagnostic]) -> None:
        self._place = place
        self._diagnostics = diagnostics

    def value_of(self, root: Tree[Token]) -> Any:
        """The ast node of a tree."""
        order = [root]
        for tree in order:
            order.extend(child for child in tree.children if type(child) is Tree)
        done: dict[int, tuple[Any, int, int, int]] = {}
        for tree in reversed(order):
            values: Children = []
            deepest = start = end = 0
            for child in tree.children:
                if type(child) is Tree:
                    value, first, end, depth = done.pop(id(child))
                    deepest = max(deepest, depth)
                else:
                    assert isinstance(child, Token)
                    value, first, end = child, child.start_pos or 0, child.end_pos or 0
                if not values:
                    start = first
                values.append(value)
            kind: str = tree.data
            span = self._place(start, end)
            if kind in _LEVELS:
                deepest += 1
                if deepest > MOST_LEVELS:
                    raise TooDeepError(span)
            done[id(tree)] = (getattr(self, kind)(values, span), start, end, deepest)
        return done[id(root)][0]

    # ── tokens ──────────────────────────────────────────────────────────────────────────────────

    def _span(self, token: Token) -> Span:
        return self._place(token.start_pos or 0, token.end_pos or 0)

    def _name(self, token: Token) -> ast.Name:
        return ast.Name(token.value.strip("`"), self._span(token))

    def _names(self, children: Children, kind: str = "NAME") -> tuple[ast.Name, ...]:
        return tuple(self._name(each) for each in tokens_of(children, kind))

    def _text(self, token: Token) -> ast.Text:
        start = token.start_pos or 0
        return literals.text(token.value, start, self._place, self._diagnostics)

    def _texts(self, children: Children) -> tuple[ast.Text, ...]:
        return tuple(self._text(each) for each in tokens_of(children, "TEXT"))

    def _integer(self, token: Token) -> ast.Literal:
        return literals.number(token.value, self._span(token), self._diagnostics)

    # ── expressions ─────────────────────────────────────────────────────────────────────────────

    def if_then_else(self, c: Children, span: Span) -> ast.If:
        return ast.If(c[1], c[3], c[5], span)

    def disjunction(self, c: Children, span: Span) -> ast.Logic:
        return ast.Logic(c[1].value, tuple(c[::2]), span)

    conjunction = disjunction

    def not_(self, c: Children, span: Span) -> ast.Not:
        return ast.Not(c[1], span)

    def compare(self, c: Children, span: Span) -> ast.Comparison:
        return ast.Comparison(c[1].value, c[0], c[2], span)

    def member(self, c: Children, span: Span) -> ast.Membership:
        return ast.Membership(c[0], c[-1], len(c) > 3, span)

    not_member = member

    def between(self, c: Children, span: Span) -> ast.Between:
        return ast.Between(c[0], c[2], c[4], span)

    def is_missing(self, c: Children, span: Span) -> ast.Presence:
        return ast.Presence(c[0], c[2].type == "MISSING", span)

    is_present = is_missing

    def matches(self, c: Children, span: Span) -> ast.Matches:
        return ast.Matches(c[0], self._text(c[2]), span)

    def overlaps(self, c: Children, span: Span) -> ast.Overlaps:
        return ast.Overlaps(c[0], c[2], span)

    def arithmetic(self, c: Children, span: Span) -> ast.Arithmetic:
        return ast.Arithmetic(c[1].value, c[0], c[2], span)

    def negative(self, c: Children, span: Span) -> ast.Negative:
        return ast.Negative(c[1], span)

    def attribute(self, c: Children, span: Span) -> ast.Attribute:
        return ast.Attribute(c[0], self._name(c[2]), span)

    def method(self, c: Children, span: Span) -> ast.Call:
        return ast.Call(self._name(c[2]), c[4] if len(c) > 5 else (), c[0], span)

    def call(self, c: Children, span: Span) -> ast.Call:
        return ast.Call(self._name(c[0]), c[2] if len(c) > 3 else (), None, span)

    def values(self, c: Children, _span: Span) -> tuple[ast.Expr, ...]:
        return tuple(c[::2])

    def variable(self, c: Children, span: Span) -> ast.Variable:
        return ast.Variable(c[0].value.strip("`"), span)

    def brackets(self, c: Children, _span: Span) -> ast.Expr:
        expression: ast.Expr = c[1]
        return expression

    def text(self, c: Children, span: Span) -> ast.Literal:
        return ast.Literal(self._text(c[0]).value, span)

    def integer(self, c: Children, _span: Span) -> ast.Literal:
        return self._integer(c[0])

    decimal = integer

    def day_or_year(self, c: Children, span: Span) -> ast.Literal:
        return literals.day_or_year(c[0].value, span, self._diagnostics)

    def true(self, c: Children, span: Span) -> ast.Literal:
        return ast.Literal(c[0].type == "TRUE", span)

    false = true

    def set(self, c: Children, span: Span) -> ast.SetOf:
        return ast.SetOf(tuple(c[1::2]), span)

    def range(self, c: Children, span: Span) -> ast.Range:
        return ast.Range(c[0], c[2], span)

    def exists(self, c: Children, span: Span) -> ast.Quantifier:
        variable, table = c[2]
        return ast.Quantifier("exists", variable, table, _where(c), None, span)

    def every(self, c: Children, span: Span) -> ast.Quantifier:
        variable, table = c[2]
        where = c[3] if len(c) > 5 else None
        return ast.Quantifier("every", variable, table, where, c[-2], span)

    def satisfies(self, c: Children, _span: Span) -> Any:
        return c[1]

    def count_rows(self, c: Children, span: Span) -> ast.Aggregate:
        return self._aggregate("count", None, c[2], _where(c), span)

    def count_distinct(self, c: Children, span: Span) -> ast.Aggregate:
        where = c[6] if len(c) > 7 else None
        return self._aggregate("count", c[3], c[5], where, span, distinct=True)

    def aggregate(self, c: Children, span: Span) -> ast.Aggregate:
        where = c[5] if len(c) > 6 else None
        return self._aggregate(c[0].value, c[2], c[4], where, span)

    def _aggregate(
        self,
        kind: str,
        value: ast.Expr | None,
        row: tuple[ast.Name, ast.TableName | None],
        where: ast.Expr | None,
        span: Span,
        *,
        distinct: bool = False,
    ) -> ast.Aggregate:
        variable, table = row
        return ast.Aggregate(kind, value, distinct, variable, table, where, span)

    def pick(self, c: Children, span: Span) -> ast.Pick:
        variable, table = c[2]
        where = c[5] if len(c) > 6 else None
        return ast.Pick(c[0].value, variable, table, c[4], where, span)

    # ── rows of tables ──────────────────────────────────────────────────────────────────────────

    def row_of(self, c: Children, _span: Span) -> tuple[ast.Name, ast.TableName]:
        return self._name(c[0]), c[2]

    def rows_of_group(self, c: Children, _span: Span) -> tuple[ast.Name, None]:
        return self._name(c[0]), None

    def table_name(self, c: Children, span: Span) -> ast.TableName:
        dataset = self._name(c[0]) if len(c) > 1 else None
        return ast.TableName(self._name(c[-1]), dataset, span)

    def where(self, c: Children, _span: Span) -> Any:
        return c[1]


def _where(c: Children) -> ast.Expr | None:
    """The condition of `word ( row where )`, if it is there."""
    return c[3] if len(c) > 4 else None


def tokens_of(children: Children, kind: str) -> list[Token]:
    """The tokens of one kind among the children, in order."""
    return [each for each in children if type(each) is Token and each.type == kind]
