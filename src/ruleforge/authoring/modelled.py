"""modelled: core.Rule -> whether formulas can be made of it

What is not known here is not guessed at: a clause or a part of a node that came into the language
later may change what a rule means, so that a rule which has one is left alone.
"""

from collections.abc import Iterator
from dataclasses import fields

from ruleforge.language import core

MOST_PARTS = 3000  # of a rule, all `let`s written out


class Unmodelled(Exception):  # noqa: N818 - it says what it is
    """The rule has a part of a kind that formulas do not know, or too many parts."""


def modelled(rule: core.Rule) -> bool:
    """Whether all clauses and parts of a rule are known, and not too many."""
    nodes = (node for part in parts_of(rule) for node in core.walk(part))
    if any(map(_is_strange, (rule, rule.variable, *nodes))):
        return False
    return _size(rule) <= MOST_PARTS


# WHY: a node or clause that says more than these do is not what it is taken for here.
_NAMES = """
    value type span name depth table row link latest variable by where column
    function arguments members op left right operand condition then otherwise kind
    operands ranges period pattern satisfies id severities printed_ids title source
    help tags applies lets when claims due message
"""
_KNOWN = frozenset(_NAMES.split())


def _is_strange(node: object) -> bool:
    names = (each.name for each in fields(node) if each.name not in _KNOWN)  # type: ignore[arg-type]
    return any(getattr(node, name) not in (None, (), "", False) for name in names)


def parts_of(rule: core.Rule) -> Iterator[core.Expr]:
    """The expressions of a rule that decide, in their order."""
    yield from (each for each in (rule.applies,) if each is not None)
    yield from (condition for _, condition in rule.severities if condition is not None)
    yield from (each for each in (rule.where,) if each is not None)
    yield from (value for _, value in rule.lets)
    yield from (each for each in (rule.when,) if each is not None)
    yield from (claim.condition for claim in rule.claims)


def _size(rule: core.Rule) -> int:
    sizes: dict[str, int] = {}

    def size(expr: core.Expr) -> int:
        return sum(
            sizes[node.name] if isinstance(node, core.LetValue) else 1 for node in core.walk(expr)
        )

    for name, value in rule.lets:
        sizes[name] = size(value)
    return sum(size(part) for part in parts_of(rule))
