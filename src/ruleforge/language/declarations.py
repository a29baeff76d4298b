"""declarations: what the names of a rulebook mean, before any rule is looked at

The noun between `resolve` and `check`. `broken` are names whose declaration has a mistake of its
own: what uses them is not blamed. `incomplete` where a whole rulebook could not be read: then a
name that nobody knows may well be one of its own. `wrong_literals` are the places of dates and
numbers that are none: the parser has put others into their place.
"""

from dataclasses import dataclass, field

from ruleforge.language import ast
from ruleforge.language.core import HostFunction, Parameter
from ruleforge.language.schema import Schema
from ruleforge.language.source import Span
from ruleforge.language.types import ValueType


@dataclass(frozen=True)
class DefineArgument:
    """An argument of a definition: a value of `type`, or a row of `table`."""

    name: str
    type: ValueType | None
    table: str | None


@dataclass(frozen=True)
class Definition:
    """A constant (`arguments` None) or a function of values and rows, as written; expanded wherever
    it is used.
    """

    name: str
    arguments: tuple[DefineArgument, ...] | None
    value: ast.Expr
    span: Span


@dataclass(frozen=True)
class DeclaredView:
    """A view as written. `home` is the number of its rulebook, whose scopes hold for what it reads."""

    view: ast.View
    home: int


@dataclass(frozen=True)
class Declarations:
    """Everything that is declared outside rules. `scopes` are those of each rulebook, by its number;
    `main` is that of the rulebook that is checked.
    """

    schema: Schema
    parameters: dict[str, Parameter]
    definitions: dict[str, Definition]
    functions: dict[str, HostFunction]
    datasets: dict[str, str]  # with what it is, each
    views: dict[str, DeclaredView]
    scopes: dict[int, tuple[ast.Scope, ...]]
    main: int
    published: dict[
        str, str
    ]  # names that no rule reads, each with what it is: a population, a report
    spans: dict[str, Span] = field(repr=False)  # of parameters and definitions, for "is never used"
    broken: frozenset[str] = frozenset()
    incomplete: bool = False
    wrong_literals: frozenset[Span] = frozenset()
