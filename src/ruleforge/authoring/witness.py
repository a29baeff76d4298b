"""witness: data that the solver thinks of, rules -> rows for a person, looked at by the reference

The solver may be wrong about what it does not understand, so nothing that it says of a row is shown
before the row-by-row engine has said the same.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import assert_never

from ruleforge.authoring.formula import At, Place
from ruleforge.authoring.satisfy import Possible
from ruleforge.engine.reference_backend import Row, Verdict, constant_value, judge
from ruleforge.language import core
from ruleforge.language.core import Rulebook, Value
from ruleforge.language.notation import value_notation
from ruleforge.language.schema import SchoolYear
from ruleforge.language.types import (
    BooleanType,
    CodeType,
    DateType,
    DecimalType,
    IntegerType,
    PeriodType,
    SchoolYearType,
    TextType,
)

NOT_IN_FORCE = "not in force"


@dataclass(frozen=True)
class Witness:
    """A row, and the rows and parameters that are read with it: what each column is called and what
    it holds, as it is written. `verdicts` are what rules say of it, by their ids.
    """

    cells: tuple[tuple[str, str], ...]
    verdicts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Scene:
    """Tables and parameters as the reference takes them. The first row of the rules' table is the
    row that is judged.
    """

    tables: Mapping[str, list[Row]]
    parameters: Mapping[str, Value | None]


def scene(possible: Possible, table: str, book: Rulebook) -> Scene | None:
    """The data as tables; None where two rows that should be one differ."""
    there = {place.key: here for place, here in possible.places if not _is_double(place, possible)}
    rows: dict[str, Row] = {}
    places: dict[str, Place] = {}
    for value, plain in possible.cells:
        place = value.place
        assert place is not None
        if place.at is not At.START and not there.get(place.key, False):
            continue
        places[place.key] = place
        rows.setdefault(place.key, {})[value.name] = plain
    for place, _ in possible.places:
        if there.get(place.key, False) and place.at is not At.START:
            places.setdefault(place.key, place)
            rows.setdefault(place.key, {})
    schema = book.schema
    tables: dict[str, list[Row]] = {name: [] for name in (*schema.tables, *schema.derived)}
    first = dict.fromkeys(schema.table(table).columns_by_name, None) | rows.pop(f"<{table}>", {})
    tables[table].append(first)
    for key, cells in sorted(rows.items()):
        name = places[key].table
        if places[key].at is At.LINK and not _merge(tables[name], cells, schema.table(name).key):
            return None
        if places[key].at is not At.LINK:
            tables[name].append(cells)
    for name, found in tables.items():
        columns = schema.table(name).columns_by_name
        tables[name] = [dict.fromkeys(columns, None) | row for row in found]
    values: dict[str, Value | None] = {
        name: _given(parameter, book) for name, parameter in book.parameters.items()
    }
    return Scene(tables, values | dict(possible.parameters))


def _is_double(place: Place, possible: Possible) -> bool:
    """Whether a row is there only to say that there is one, and another is that one already."""
    return place.at is At.SOME and any(
        other.at is At.PICK and other.picked == place.picked for other, _ in possible.places
    )


def _given(parameter: core.Parameter, book: Rulebook) -> Value:
    """A value for a parameter that the question does not read."""
    if parameter.default is not None:
        return parameter.default
    if parameter.choices:
        return parameter.choices[0]
    match parameter.type:
        case CodeType(name):
            return book.schema.code_sets[name].codes[0].code
        case TextType():
            return "any"
        case DecimalType():
            return Decimal(0)
        case BooleanType():
            return False
        case SchoolYearType():
            return SchoolYear(2023)
        case IntegerType():
            return 0
        case DateType() | PeriodType():
            return dt.date(2023, 12, 1)
    assert_never(parameter.type)


def _merge(rows: list[Row], cells: Row, key: Iterable[str]) -> bool:
    """Adds a row that a link leads to; where its key is there already, what it holds."""
    for row in rows:
        if all(row.get(name) == cells.get(name) for name in key):
            if any(row.get(name, value) != value for name, value in cells.items()):
                return False
            row.update(cells)
            return True
    rows.append(cells)
    return True


def verdict(rule: core.Rule, scene: Scene, book: Rulebook) -> str | None:
    """What a rule says of the row: a verdict, that it is not in force, or None where its `where`
    leaves the row out.
    """
    read = [rule.applies, *(condition for _, condition in rule.severities)]
    for condition in read[:1]:
        if condition is not None and not constant_value(condition, scene.parameters, book.schema):
            return NOT_IN_FORCE
    for condition in read[1:]:
        decided = condition is None or constant_value(condition, scene.parameters, book.schema)
        if decided is None:
            return NOT_IN_FORCE
        if decided:
            break
    else:
        return NOT_IN_FORCE
    for judgement in judge(rule, book.schema, scene.tables, scene.parameters):
        if judgement.row_index == 0:
            return judgement.verdict.value
    return None


def witness(
    possible: Possible, expected: Mapping[str, str], rules: Iterable[core.Rule], book: Rulebook
) -> Witness | None:
    """The row that the solver has found, if the reference says of it what is expected of each rule;
    None otherwise.

    Raises nothing: what the reference cannot judge is no witness.
    """
    rules = list(rules)
    made = scene(possible, rules[0].variable.table, book)
    if made is None:
        return None
    found = {rule.id: verdict(rule, made, book) for rule in rules}
    if any(found[name] != word for name, word in expected.items()):
        return None
    verdicts = tuple((name, word) for name, word in found.items() if word is not None)
    return Witness(tuple(_cells(possible, rules[0].variable.name, book)), verdicts)


def _cells(possible: Possible, name: str, book: Rulebook) -> Iterable[tuple[str, str]]:
    """What is shown of the data; the row of the rules is called `name`."""
    there = {place.key: here for place, here in possible.places if not _is_double(place, possible)}
    order = {At.START: 0, At.LINK: 1, At.PICK: 2, At.SOME: 3, At.BOUND: 4}
    shown = []
    for value, plain in possible.cells:
        place = value.place
        assert place is not None
        if place.at is not At.START and not there.get(place.key, False):
            continue
        if plain is None and place.at is not At.START:
            continue
        if place.at is At.LINK and value.name in book.schema.table(place.table).key:
            continue  # it is what the link holds
        word = "(missing)" if plain is None else value_notation(plain)
        row = _named(place, name)
        shown.append((order[place.at], place.key, f"{row}.{value.name}", word))
    yield from ((column, word) for _, _, column, word in sorted(shown))
    for place, here in possible.places:
        if place.at is At.LINK and not here:
            yield _named(place, name), "(no row)"
    for parameter, given in sorted(possible.parameters.items()):
        yield parameter, value_notation(given)


def _named(place: Place, name: str) -> str:
    if place.at is At.START:
        return name
    return place.shown if place.parent is None else f"{_named(place.parent, name)}.{place.link}"


FAILS, HOLDS = Verdict.FAILS.value, Verdict.HOLDS.value
