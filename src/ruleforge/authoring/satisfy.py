"""satisfy: formulas -> whether all of them can be true of some data, and of which

The one door to the solver. Numbers, days, school years and codes are whole numbers, exact in every
size: a decimal is counted in its last place. Texts are points on a line, in the order of their code
points. The calendar is exact too. What `formula` calls opaque is a function of its parts that
nothing more is known of.

So `IMPOSSIBLE` is certain. `Possible` is certain only once its rows have been looked at, for which
there is `witness`. `UNDECIDED` is a question that took too much: the limit is counted in steps and
not in seconds, so that the same rulebook gives the same answers everywhere.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from enum import Enum, auto
from typing import Any

from ruleforge.authoring.facts import facts, present, there
from ruleforge.authoring.formula import (
    At,
    Atom,
    Formula,
    Joined,
    Op,
    Place,
    Says,
    Value,
    atoms,
    values_of,
)
from ruleforge.authoring.solver_calendar import DAYS_BEFORE, first_day, is_leap, month_day
from ruleforge.language.core import Parameter
from ruleforge.language.core import Value as PlainValue
from ruleforge.language.schema import Schema, SchoolYear
from ruleforge.language.types import (
    BOOLEAN,
    CELL_PLACES,
    MOST_DIGITS,
    MOST_PLACES,
    TEXT,
    CodeType,
    DateType,
    DecimalType,
    IntegerType,
    SchoolYearType,
    ValueType,
)

MOST_STEPS = 3_000_000  # of the solver, for one question; about a second
MOST_MILLISECONDS = 20_000  # should steps ever be long
_EXACT = Context(prec=100)
_LAST_DAY = dt.date.max.toordinal()
_LAST_YEAR = 9997


class SolverMissing(ImportError):  # noqa: N818 - it says what is missing
    """The solver is not installed, and how it is."""

    def __init__(self) -> None:
        super().__init__(
            "`lint` needs the solver z3, which is not installed;"
            " install it with `pip install 'ruleforge[lint]'`"
        )


class No(Enum):
    """The answers without data."""

    IMPOSSIBLE = auto()
    UNDECIDED = auto()


@dataclass(frozen=True)
class Possible:
    """Data for which the formulas are true: columns of rows (None where missing), parameters, and
    which rows are there.
    """

    cells: tuple[tuple[Value, PlainValue | None], ...]
    parameters: Mapping[str, PlainValue]
    places: tuple[tuple[Place, bool], ...]


Answer = No | Possible


def solver() -> Any:
    """The library. Raises `SolverMissing`."""
    try:
        import z3  # an extra that only this needs
    except ImportError:
        raise SolverMissing from None
    return z3


class Solver:
    """Answers questions about the data of one rulebook."""

    def __init__(self, schema: Schema, parameters: Mapping[str, Parameter]) -> None:
        self.z3 = solver()
        # WHY: of its own, so that no answer depends on what was asked before in this process.
        self.context = self.z3.Context()
        self.schema = schema
        self.parameters = parameters
        self.undecided = 0
        self.questions = 0
        self._formulas: dict[str, Any] = {}
        self._values: dict[str, tuple[Any, int]] = {}
        self._sides: dict[str, list[Any]] = {}  # by value: what bounds it
        self._days: dict[
            str, tuple[Any, Any, Any]
        ] = {}  # by date: itself, its year, its place in it
        self._facts: dict[str, list[Formula]] = {}

    def ask(self, *formulas: Formula, nice: bool = False) -> Answer:
        """Whether all of the formulas can be true at once.

        With `nice` the data is what a person would think of: few values, and near to ours.
        """
        self.questions += 1
        everything = [*formulas, *self._known(formulas)]
        found = list(atoms(everything))
        z3_solver = self.z3.Solver(ctx=self.context)
        # WHY: an interruption is Python's to notice, and the solver would swallow it.
        limits = {"rlimit": MOST_STEPS, "timeout": MOST_MILLISECONDS, "ctrl_c": False}
        z3_solver.set(random_seed=0, **limits)
        z3_solver.add(*(self._formula(formula) for formula in everything))
        z3_solver.add(*self._bounds(found))
        answer = z3_solver.check()
        if answer == self.z3.unsat:
            return No.IMPOSSIBLE
        if answer != self.z3.sat:
            self.undecided += 1
            return No.UNDECIDED
        if nice:
            for wish in self._wishes(found):
                z3_solver.push()
                z3_solver.add(wish)
                if z3_solver.check() != self.z3.sat:
                    z3_solver.pop()
            if z3_solver.check() != self.z3.sat:
                return No.UNDECIDED
        return self._read(z3_solver.model(), found)

    def is_impossible(self, *formulas: Formula) -> bool:
        """Whether no data makes all of the formulas true, as far as that is known."""
        return self.ask(*formulas) is No.IMPOSSIBLE

    def _known(self, formulas: Iterable[Formula]) -> list[Formula]:
        parts = sorted({each.key: each for each in formulas}.values(), key=lambda each: each.key)
        key = "\n".join(part.key for part in parts)
        if key not in self._facts:
            self._facts[key] = facts(parts, self.schema)
        return self._facts[key]

    # ── formulas ────────────────────────────────────────────────────────────────────────────────

    def _formula(self, formula: Formula) -> Any:
        if formula.key not in self._formulas:
            self._formulas[formula.key] = self._made(formula)
        return self._formulas[formula.key]

    def _made(self, formula: Formula) -> Any:
        match formula.joined:
            case Joined.ALL:
                return self.z3.And(*map(self._formula, formula.parts), self.context)
            case Joined.ANY:
                return self.z3.Or(*map(self._formula, formula.parts), self.context)
            case Joined.LITERAL:
                assert formula.atom is not None
                said = self._atom(formula.atom)
                return said if formula.positive else self.z3.Not(said)

    def _atom(self, atom: Atom) -> Any:
        z3 = self.z3
        match atom.says:
            case Says.PRESENT | Says.EXISTS | Says.THERE:
                return z3.Bool(atom.key, self.context)
            case Says.FITS:
                return self._fits(atom.values[0])
            case Says.IS:
                return self._value(atom.values[0])[0]
            case Says.EQUAL:
                a, b = self._alike(atom.values)
                return a == b
            case Says.LESS:
                a, b = self._alike(atom.values)
                return a < b
            case Says.CODE:
                code, _ = self._value(atom.values[0])
                return z3.Or(*(code == each for each in sorted(atom.codes)))

    def _fits(self, value: Value) -> Any:
        z3 = self.z3
        if value.op is Op.DAY_OF_YEAR:
            month, day = value.number
            if (month, day) != (2, 29):
                return z3.BoolVal(_is_day(month, day), self.context)
            return is_leap(z3, self._value(value.parts[0])[0] + 1)
        if value.op is Op.OPAQUE:
            return self._opaque(value, "fits ", z3.BoolSort(self.context))
        result, places = self._value(value)
        match value.type:
            case DateType():
                return z3.And(result >= 1, result <= _LAST_DAY)
            case SchoolYearType():
                return z3.And(result >= 1, result <= _LAST_YEAR)
            case _:
                most = 10 ** (MOST_DIGITS + places)
                return z3.And(result > -most, result < most)

    # ── values ──────────────────────────────────────────────────────────────────────────────────

    def _alike(self, values: Iterable[Value]) -> list[Any]:
        """Values of one kind, counted in the same place."""
        pairs = [self._value(value) for value in values]
        most = max(places for _, places in pairs)
        return [each * 10 ** (most - places) if places < most else each for each, places in pairs]

    def _value(self, value: Value) -> tuple[Any, int]:
        """The value, and the places of a number that it is counted in."""
        if value.key not in self._values:
            self._sides.setdefault(value.key, [])
            self._values[value.key] = self._computed(value)
        return self._values[value.key]

    def _computed(self, value: Value) -> tuple[Any, int]:
        z3 = self.z3
        match value.op:
            case Op.COLUMN | Op.PARAMETER:
                return self._variable(value, _places(value.type))
            case Op.CONSTANT:
                return self._constant(value)
            case Op.COUNT:
                count = z3.Int(value.key, self.context)
                some = self._formula(value.tests[0])
                most = 10**MOST_DIGITS
                self._sides[value.key] += [count >= 0, count < most, some == (count > 0)]
                return count, 0
            case Op.ADD | Op.SUBTRACT:
                places = max(self._value(part)[1] for part in value.parts)
                a, b = self._alike(value.parts)
                return (a + b if value.op is Op.ADD else a - b), places
            case Op.SCALE:
                number, places = self._value(value.parts[0])
                factor, more = self._value(value.parts[1])
                return number * factor, places + more
            case Op.NEGATIVE | Op.ABSOLUTE:
                number, places = self._value(value.parts[0])
                minus = -number
                return (
                    (minus, places)
                    if value.op is Op.NEGATIVE
                    else (z3.If(number < 0, minus, number), places)
                )
            case Op.FLOOR | Op.CEILING:
                number, places = self._value(value.parts[0])
                unit = 10**places
                # NOTE: the solver divides whole numbers downward, where the divisor is above 0
                return (number / unit if value.op is Op.FLOOR else -((-number) / unit)), 0
            case Op.LEAST | Op.GREATEST:
                return self._extreme(value)
            case Op.FIRST_PRESENT | Op.CHOICE:
                return self._chosen(value)
            case Op.YEARS_BETWEEN:
                (year, place), (other, other_place) = map(self._day, value.parts)
                return other - year - z3.If(other_place < place, 1, 0), 0
            case Op.DAY_OF_YEAR:
                year, place = self._day(value)
                leap = is_leap(z3, year)
                after = z3.If(z3.Or(leap, place < DAYS_BEFORE[2]), place, place - 1)
                return first_day(year) + after, 0
            case Op.OTHER_YEAR:
                return self._value(value.parts[0])[0] + value.number[0], 0
            case Op.DAYS:
                (start, _), (end, _) = map(self._value, value.parts)
                return z3.If(end < start, 0, end - start + 1), 0
            case Op.OPAQUE:
                places = MOST_PLACES if isinstance(value.type, DecimalType) else 0
                result = self._opaque(value, "", self._sort(value.type))
                self._bound(value, result, places)
                if value.name == "count distinct":
                    self._sides[value.key].append(result >= 0)
                return result, places
            case Op.PERIOD:
                raise AssertionError("a period is no value of the solver")

    def _variable(self, value: Value, places: int) -> tuple[Any, int]:
        variable = self.z3.Const(value.key, self._sort(value.type))
        self._bound(value, variable, places)
        if value.op is Op.PARAMETER:
            choices = self.parameters[value.name].choices
            if choices is not None:
                numbers = [
                    self._constant(Value("", Op.CONSTANT, value.type, plain=choice))
                    for choice in choices
                ]
                same = [
                    variable == number * 10 ** (places - few)
                    if few < places
                    else variable == number
                    for number, few in numbers
                ]
                self._sides[value.key].append(self.z3.Or(*same))
        return variable, places

    def _bound(self, value: Value, variable: Any, places: int) -> None:
        """What any value of its type is, whether it is there or not."""
        sides = self._sides[value.key]
        match value.type:
            case IntegerType() | DecimalType():
                most = 10 ** (MOST_DIGITS + places)
                sides += [variable > -most, variable < most]
            case DateType():
                sides += [variable >= 1, variable <= _LAST_DAY]
            case SchoolYearType():
                sides += [variable >= 1, variable <= _LAST_YEAR]
            case CodeType(name):
                sides += [variable >= 0, variable < len(self.schema.code_sets[name].codes)]
            case _:
                return

    def _sort(self, value_type: ValueType) -> Any:
        if value_type == BOOLEAN:
            return self.z3.BoolSort(self.context)
        return (
            self.z3.RealSort(self.context) if value_type == TEXT else self.z3.IntSort(self.context)
        )

    def _constant(self, value: Value) -> tuple[Any, int]:
        z3, plain = self.z3, value.plain
        match plain:
            case bool():
                return z3.BoolVal(plain, self.context), 0
            case int():
                return z3.IntVal(plain, self.context), 0
            case Decimal():
                whole = plain.normalize(_EXACT)
                places = max(0, -int(whole.as_tuple().exponent))
                return z3.IntVal(int(whole.scaleb(places, _EXACT)), self.context), places
            case dt.date():
                return z3.IntVal(plain.toordinal(), self.context), 0
            case SchoolYear():
                return z3.IntVal(plain.start_year, self.context), 0
            case str() if isinstance(value.type, CodeType):
                positions = self.schema.code_sets[value.type.name].position_by_code
                return z3.IntVal(positions[plain], self.context), 0
            case str():
                return z3.Real(_text_name(plain), self.context), 0
            case None:
                return z3.Const(f"missing {value.key}", self._sort(value.type)), 0

    def _opaque(self, value: Value, prefix: str, sort: Any) -> Any:
        """A function of its parts; where these are no plain values, a value of its own."""
        z3 = self.z3
        plain = all(part.op is not Op.PERIOD and part.type != BOOLEAN for part in value.parts)
        if not value.parts or not plain:
            return z3.Const(prefix + value.key, sort)
        arguments = []
        for part in value.parts:
            number, places = self._value(part)
            arguments.append(number * 10 ** (2 * MOST_PLACES - places) if places else number)
        # WHY: one function for each way in which its arguments are counted.
        kinds = "".join("d" if self._value(part)[1] else "w" for part in value.parts)
        types = [argument.sort() for argument in arguments]
        name = f"{prefix}{value.name} {kinds} {types}"
        return z3.Function(name, *types, sort)(*arguments)

    def _extreme(self, value: Value) -> tuple[Any, int]:
        places = max(self._value(part)[1] for part in value.parts)
        first, *others = self._alike(value.parts)
        for other in others:
            less = other < first if value.op is Op.LEAST else other > first
            first = self.z3.If(less, other, first)
        return first, places

    def _chosen(self, value: Value) -> tuple[Any, int]:
        if not value.parts:
            return self._formula(value.tests[0]), 0
        if value.type == BOOLEAN:
            return self.z3.Const(value.key, self.z3.BoolSort(self.context)), 0
        places = max(self._value(part)[1] for part in value.parts)
        *before, last = self._alike(value.parts)
        for test, each in reversed(list(zip(value.tests, before, strict=False))):
            last = self.z3.If(self._formula(test), each, last)
        return last, places

    def _day(self, value: Value) -> tuple[Any, Any]:
        """The year of a date, and its place among the 366 days of a leap year."""
        z3 = self.z3
        if isinstance(value.plain, dt.date):
            return z3.IntVal(value.plain.year, self.context), z3.IntVal(
                DAYS_BEFORE[value.plain.month - 1] + value.plain.day - 1, self.context
            )
        if value.op is Op.DAY_OF_YEAR:
            month, day = value.number
            start = self._value(value.parts[0])[0]
            place = DAYS_BEFORE[month - 1] + day - 1 if 1 <= month <= 12 else 0
            return (start if month >= 7 else start + 1), z3.IntVal(place, self.context)
        if value.key not in self._days:
            number, _ = self._value(value)
            year = z3.Int(f"year of {value.key}", self.context)
            place, bounds = month_day(z3, number, year)
            self._sides[value.key] += bounds
            self._days[value.key] = (number, year, place)
        return self._days[value.key][1:]

    # ── what bounds the values of a question ────────────────────────────────────────────────────

    def _bounds(self, found: Iterable[Atom]) -> Iterator[Any]:
        """Of every value of some atoms: its type, its place in the calendar, the order of texts."""
        keys: dict[str, None] = {}
        texts: set[str] = set()
        for atom in found:
            for value in values_of(atom):
                if value.op is Op.PERIOD:
                    continue
                keys[value.key] = None
                if value.op is Op.CONSTANT and value.type == TEXT and value.plain is not None:
                    texts.add(str(value.plain))
                if value.op is Op.PARAMETER and value.type == TEXT:
                    texts |= set(map(str, self.parameters[value.name].choices or ()))
        for key in keys:
            yield from self._sides.get(key, ())
        # WHY: points at 0, 2, 4, …: a model then names them, and what lies between is a new text.
        for number, text in enumerate(sorted(texts)):
            yield self.z3.Real(_text_name(text), self.context) == 2 * number
        days = [self._days[key] for key in keys if key in self._days]
        for a, year, place in days:
            for b, other, other_place in days:
                if a is not b:
                    later = self.z3.And(
                        year <= other, self.z3.Implies(year == other, place <= other_place)
                    )
                    yield self.z3.Implies(a <= b, later)

    # ── data that a person would think of ───────────────────────────────────────────────────────

    def _wishes(self, found: list[Atom]) -> Iterator[Any]:
        """What a small example has: few rows, few values, and these of our days."""
        z3 = self.z3
        values = _columns_and_parameters(found)
        yield from (z3.Not(self._atom(atom)) for atom in found if atom.says is Says.EXISTS)
        columns = [value for value in values if value.op is Op.COLUMN]
        for value in columns:
            yield z3.Not(self._formula(present(value)))
        for value in values:
            variable, places = self._values.get(value.key, (None, 0))
            if variable is None:
                continue
            match value.type:
                case DateType():
                    low, high = dt.date(2000, 1, 1).toordinal(), dt.date(2030, 12, 31).toordinal()
                    yield z3.And(variable >= low, variable <= high)
                case SchoolYearType():
                    yield z3.And(variable >= 2020, variable <= 2030)
                case IntegerType() | DecimalType():
                    unit = 10**places
                    yield z3.And(variable >= 0, variable <= 100 * unit)
                    if places:
                        yield variable % unit == 0
                case CodeType() | _:
                    continue

    def _read(self, model: Any, found: list[Atom]) -> Possible:
        """The data of a model."""

        def is_true(formula: Formula) -> bool:
            said = model.eval(self._formula(formula), model_completion=True)
            return bool(self.z3.is_true(said))

        values = _columns_and_parameters(found)
        texts = self._texts(model, found, values)
        cells: list[tuple[Value, PlainValue | None]] = []
        parameters: dict[str, PlainValue] = {}
        for value in values:
            if value.op is Op.COLUMN and not is_true(present(value)):
                cells.append((value, None))
                continue
            number = model.eval(self._value(value)[0], model_completion=True)
            plain = self._plain(value.type, number, texts)
            if value.op is Op.COLUMN:
                cells.append((value, plain))
            else:
                parameters[value.name] = plain
        places = {place.key: place for place in _places_of(found)}
        return Possible(
            tuple(cells),
            parameters,
            tuple((place, is_true(there(place))) for _, place in sorted(places.items())),
        )

    def _plain(self, value_type: ValueType, number: Any, texts: Mapping[str, str]) -> PlainValue:
        match value_type:
            case _ if value_type == BOOLEAN:
                return bool(self.z3.is_true(number))
            case _ if value_type == TEXT:
                return texts[str(number)]
            case DecimalType():
                shown = f"{Decimal(int(number.as_long())).scaleb(-CELL_PLACES, _EXACT):f}"
                return Decimal(shown.rstrip("0").rstrip("."))
            case DateType():
                return dt.date.fromordinal(max(1, min(_LAST_DAY, number.as_long())))
            case SchoolYearType():
                return SchoolYear(max(1, min(_LAST_YEAR, number.as_long())))
            case CodeType(name):
                codes = self.schema.code_sets[name].codes
                return codes[int(number.as_long())].code
            case _:
                return int(number.as_long())

    def _texts(self, model: Any, found: list[Atom], values: list[Value]) -> dict[str, str]:
        """A text for each point on the line: the one that is written there, or one between."""
        written: list[str] = []
        for atom in found:
            for value in values_of(atom):
                if value.op is Op.CONSTANT and value.type == TEXT and value.plain is not None:
                    written.append(str(value.plain))
                if value.op is Op.PARAMETER and value.type == TEXT:
                    written += map(str, self.parameters[value.name].choices or ())
        written = sorted(set(written))
        points = {
            str(number): number.as_fraction()
            for value in values
            if value.type == TEXT
            for number in [model.eval(self._value(value)[0], model_completion=True)]
        }
        found_texts: dict[str, str] = {}
        between: dict[int, int] = {}
        for shown, point in sorted(points.items(), key=lambda each: each[1]):
            below = int(point // 2)
            if point == 2 * below and 0 <= below < len(written):
                found_texts[shown] = written[below]
                continue
            before = max(-1, min(below, len(written) - 1))
            between[before] = between.get(before, 0) + 1
            # A text that follows another begins with it; before all of them are capital letters.
            start = written[before] + " " if before >= 0 else ""
            found_texts[shown] = (
                f"{start}{'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[min(25, between[before] - 1)]}"
            )
        return found_texts


def _places(value_type: ValueType) -> int:
    return CELL_PLACES if isinstance(value_type, DecimalType) else 0


def _text_name(text: str) -> str:
    return f"text {text!r}"


def _is_day(month: int, day: int) -> bool:
    try:
        dt.date(2001, month, day)
    except ValueError:
        return False
    return True


def _columns_and_parameters(found: Iterable[Atom]) -> list[Value]:
    """Each once, in the order of their keys."""
    values = {
        value.key: value
        for atom in found
        for value in values_of(atom)
        if value.op in (Op.COLUMN, Op.PARAMETER)
    }
    return [values[key] for key in sorted(values)]


def _places_of(found: Iterable[Atom]) -> Iterator[Place]:
    """Every row that atoms speak of; those that an `exists` promises last, with what promises them."""
    promised: list[Place] = []
    for atom in found:
        if atom.place is not None:
            yield atom.place
        for value in values_of(atom):
            if value.place is not None:
                yield value.place
        if atom.binder is not None:
            table = atom.binder.table
            exists = Formula(atom.key, Joined.LITERAL, (), atom)
            promised.append(Place(f"[{atom.key}]", At.SOME, table, f"some {table}", picked=exists))
    yield from promised
