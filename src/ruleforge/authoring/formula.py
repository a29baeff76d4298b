"""formula: what can be said of rows, in two values

A condition of three values is two formulas of two: when it is true, and when it is false; it is
unknown where neither is. `canonical` makes them, `satisfy` asks whether they can be true.

Two formulas, values or places are equal where their keys are, so that a condition has one key
however it is written: operands in one order, `not` pushed to the ends, what is said twice said
once, and every comparison of a code with written ones as the set of codes that are meant.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cache

from ruleforge.language.core import Value as PlainValue
from ruleforge.language.types import ValueType


class At(Enum):
    """Where a row comes from."""

    START = auto()  # the row of `for`
    LINK = auto()  # the row that another refers to
    PICK = auto()  # the latest or earliest of some rows
    BOUND = auto()  # the row of a quantifier, whichever it is
    SOME = auto()  # a row for which an `exists` is true


@dataclass(frozen=True)
class Place:
    """A row. `parent` and `link` are set for `LINK`, `there` says when a picked row is there."""

    key: str
    at: At = field(compare=False)
    table: str = field(compare=False)
    shown: str = field(compare=False)
    parent: "Place | None" = field(default=None, compare=False)
    link: str = field(default="", compare=False)
    picked: "Formula | None" = field(default=None, compare=False, repr=False)
    body: "Formula | None" = field(default=None, compare=False, repr=False)


class Op(Enum):
    """What a value is made by."""

    COLUMN = auto()
    PARAMETER = auto()
    CONSTANT = auto()
    ADD = auto()
    SUBTRACT = auto()
    SCALE = auto()  # a product with a constant
    NEGATIVE = auto()
    ABSOLUTE = auto()
    FLOOR = auto()
    CEILING = auto()
    LEAST = auto()
    GREATEST = auto()
    FIRST_PRESENT = auto()
    CHOICE = auto()  # `if`
    YEARS_BETWEEN = auto()
    DAY_OF_YEAR = auto()  # month and day written out
    OTHER_YEAR = auto()
    PERIOD = auto()
    DAYS = auto()
    COUNT = auto()
    OPAQUE = auto()  # what is only known to be equal to itself


@dataclass(frozen=True)
class Value:
    """A value that is or is not there. `parts` are what it is made of; `name` the column, parameter
    or function; `place` the row of a column; `plain` what a constant is; `tests` the two formulas
    of the condition of an `if`.
    """

    key: str
    op: Op = field(compare=False)
    type: ValueType = field(compare=False)
    parts: "tuple[Value, ...]" = field(default=(), compare=False)
    name: str = field(default="", compare=False)
    place: Place | None = field(default=None, compare=False)
    plain: PlainValue | None = field(default=None, compare=False)
    tests: "tuple[Formula, ...]" = field(default=(), compare=False)
    number: tuple[int, ...] = field(default=(), compare=False)


class Says(Enum):
    """What an atom says."""

    PRESENT = auto()  # of a column
    FITS = auto()  # of a result: its type can hold it
    IS = auto()  # of a boolean
    EQUAL = auto()
    LESS = auto()
    CODE = auto()  # of a code: it is one of `codes`
    EXISTS = auto()
    THERE = auto()  # of a row that a link leads to


@dataclass(frozen=True)
class Binder:
    """The rows of a table for which something is true. `body` says what, of a row, where `level`
    quantifiers are around it.
    """

    table: str
    level: int
    body: "Callable[[Place, int], Formula]" = field(compare=False)


@dataclass(frozen=True)
class Atom:
    """A statement without parts that are statements. `codes` are positions in a set of `among`."""

    key: str
    says: Says = field(compare=False)
    values: tuple[Value, ...] = field(default=(), compare=False)
    codes: frozenset[int] = field(default=frozenset(), compare=False)
    among: int = field(default=0, compare=False)
    binder: Binder | None = field(default=None, compare=False)
    place: Place | None = field(default=None, compare=False)


class Joined(Enum):
    """How the parts of a formula are joined."""

    LITERAL = auto()
    ALL = auto()
    ANY = auto()


@dataclass(frozen=True)
class Formula:
    """Joined parts, or an atom that is true or is not. Of no parts ALL is true and ANY is false."""

    key: str
    joined: Joined = field(compare=False)
    parts: "tuple[Formula, ...]" = field(default=(), compare=False)
    atom: Atom | None = field(default=None, compare=False)
    positive: bool = field(default=True, compare=False)


TRUE = Formula("true", Joined.ALL)
FALSE = Formula("false", Joined.ANY)


def literal(atom: Atom, *, positive: bool = True) -> Formula:
    """The formula that an atom is, or its opposite."""
    return Formula(atom.key if positive else f"not {atom.key}", Joined.LITERAL, (), atom, positive)


def code_in(value: Value, codes: frozenset[int], among: int) -> Formula:
    """A code is one of these positions of its set, of `among`."""
    if not codes:
        return FALSE
    if len(codes) == among:
        return TRUE
    shown = ",".join(map(str, sorted(codes)))
    return literal(Atom(f"{value.key} in [{shown}]", Says.CODE, (value,), codes, among))


@cache
def opposite(formula: Formula) -> Formula:
    """What is true where the formula is not."""
    match formula.joined:
        case Joined.ALL:
            return any_of(*map(opposite, formula.parts))
        case Joined.ANY:
            return all_of(*map(opposite, formula.parts))
        case Joined.LITERAL:
            atom = formula.atom
            assert atom is not None
            if atom.says is Says.CODE:
                rest = frozenset(range(atom.among)) - atom.codes
                return code_in(atom.values[0], rest, atom.among)
            return literal(atom, positive=not formula.positive)


def all_of(*formulas: Formula) -> Formula:
    """The conjunction."""
    parts = _merged(_flat(formulas, Joined.ALL), joined=Joined.ALL)
    if parts is None:
        return FALSE
    shorter = [_without(part, parts) for part in parts.values()]
    if any(new is not old for new, old in zip(shorter, parts.values(), strict=True)):
        return all_of(*shorter)
    return _joined(Joined.ALL, parts)


def any_of(*formulas: Formula) -> Formula:
    """The disjunction. What all its parts share is said once, before it."""
    parts = _merged(_flat(formulas, Joined.ANY), joined=Joined.ANY)
    if parts is None:
        return TRUE
    if len(parts) > 1:
        each = [{sub.key: sub for sub in _conjuncts(part)} for part in parts.values()]
        shared = {key: sub for key, sub in each[0].items() if all(key in one for one in each)}
        if shared:
            rests = (
                all_of(*(sub for key, sub in one.items() if key not in shared)) for one in each
            )
            return all_of(*shared.values(), any_of(*rests))
    return _joined(Joined.ANY, parts)


def implies(first: Formula, second: Formula) -> Formula:
    """The second is true where the first is."""
    return any_of(opposite(first), second)


def _flat(formulas: Iterable[Formula], joined: Joined) -> Iterator[Formula]:
    for formula in formulas:
        if formula.joined is joined:
            yield from formula.parts
        else:
            yield formula


def _merged(formulas: Iterable[Formula], joined: Joined) -> dict[str, Formula] | None:
    """The parts by key, sorted; None where they contradict (ALL) or exhaust (ANY) each other."""
    decided = FALSE if joined is Joined.ALL else TRUE
    found: dict[str, Formula] = {}
    codes: dict[str, Formula] = {}
    for formula in formulas:
        if formula == decided:
            return None
        if formula.atom is not None and formula.atom.says is Says.CODE:
            value = formula.atom.values[0]
            before = codes.get(value.key)
            if before is not None and before.atom is not None:
                here, there = formula.atom.codes, before.atom.codes
                both = here & there if joined is Joined.ALL else here | there
                formula = code_in(value, both, formula.atom.among)
                if formula == decided:
                    return None
            codes[value.key] = formula
        elif formula.key not in (TRUE.key, FALSE.key):
            found[formula.key] = formula
    found |= {formula.key: formula for formula in codes.values()}
    if any(opposite(formula).key in found for formula in found.values() if formula.atom):
        return None
    return dict(sorted(found.items()))


def _without(part: Formula, known: dict[str, Formula]) -> Formula:
    """A disjunction beside what is known: true where one of its parts is, without those that are
    false.
    """
    if part.joined is not Joined.ANY:
        return part
    if any(sub.key in known for sub in part.parts):
        return TRUE
    left = [sub for sub in part.parts if sub.atom is None or opposite(sub).key not in known]
    return part if len(left) == len(part.parts) else any_of(*left)


def _conjuncts(formula: Formula) -> tuple[Formula, ...]:
    return formula.parts if formula.joined is Joined.ALL else (formula,)


def _joined(joined: Joined, parts: dict[str, Formula]) -> Formula:
    if not parts:
        return TRUE if joined is Joined.ALL else FALSE
    if len(parts) == 1:
        return next(iter(parts.values()))
    sign = " & " if joined is Joined.ALL else " | "
    return Formula(f"({sign.join(parts)})", joined, tuple(parts.values()))


# ── walking ────────────────────────────────────────────────────────────────────────────────────


def atoms(formulas: Iterable[Formula]) -> Iterator[Atom]:
    """Every atom, each once, also those within the conditions of an `if`; not within quantifiers."""
    seen: set[str] = set()
    pending = list(formulas)
    values: list[Value] = []
    while pending or values:
        if values:
            value = values.pop()
            if value.key not in seen:
                seen.add(value.key)
                pending += value.tests
                values += value.parts
            continue
        formula = pending.pop()
        if formula.key in seen:
            continue
        seen.add(formula.key)
        pending += formula.parts
        if formula.atom is not None:
            values += formula.atom.values
            if formula.atom.key + "!" not in seen:
                seen.add(formula.atom.key + "!")
                yield formula.atom


def values_of(atom: Atom) -> Iterator[Value]:
    """Every value that an atom reads, wholes before parts; not those in conditions of an `if`."""
    pending = list(atom.values)
    while pending:
        value = pending.pop()
        yield value
        pending += value.parts
