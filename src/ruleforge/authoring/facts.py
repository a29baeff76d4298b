"""facts: formulas -> what is true of the rows that they speak of, whatever the data

Where a link leads to a row, the row's key is what the link holds. Where an `exists` is true, there
is a row for which its condition is; where it is false, there is none, whichever row is looked at.
Each fact is true of all data, so leaving one out never makes an impossible thing of a possible one;
that is why quantifiers within quantifiers are followed only so far.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ruleforge.authoring.formula import (
    TRUE,
    At,
    Atom,
    Formula,
    Op,
    Place,
    Says,
    Value,
    all_of,
    atoms,
    implies,
    literal,
    values_of,
)
from ruleforge.language.schema import Schema

_ROUNDS = 3
_MOST_FACTS = 400


def facts(formulas: Iterable[Formula], schema: Schema) -> list[Formula]:
    """What is true beside these formulas."""
    gathering = _Gathering(schema)
    new = list(formulas)
    for turn in range(_ROUNDS):
        found = list(gathering.read(new, meets_rows=turn < _ROUNDS - 1))
        new = [each for each in found if each.key not in gathering.known and each != TRUE]
        gathering.known |= {each.key: each for each in new}
        if not new or len(gathering.known) > _MOST_FACTS:
            break
    # What the last round has brought speaks of rows whose links are facts too.
    for each in list(gathering.read(new, meets_rows=False)):
        gathering.known.setdefault(each.key, each)
    return list(gathering.known.values())


def column_of(place: Place, name: str, schema: Schema) -> Value:
    """The value of a column of a row."""
    column = schema.table(place.table).columns_by_name[name]
    return Value(f"{place.key}.{name}", Op.COLUMN, column.type, name=name, place=place)


def present(value: Value) -> Formula:
    """A column is there."""
    return literal(Atom(f"{value.key} is present", Says.PRESENT, (value,)))


def there(place: Place) -> Formula:
    """A row is there; of a row that is some row, that there is one."""
    if place.at is At.LINK:
        return literal(Atom(f"{place.key} is there", Says.THERE, place=place))
    return place.picked or TRUE


@dataclass
class _Gathering:
    schema: Schema
    known: dict[str, Formula] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    existing: dict[str, Atom] = field(default_factory=dict)
    met: set[tuple[str, str]] = field(default_factory=set)

    def read(self, formulas: list[Formula], *, meets_rows: bool) -> Iterator[Formula]:
        for atom in atoms(formulas):
            if atom.says is Says.EXISTS:
                self.existing[atom.key] = atom
            if atom.place is not None:
                yield from self.place(atom.place)
            for value in values_of(atom):
                if value.place is not None:
                    yield from self.place(value.place)
                    if value.place.at in (At.LINK, At.PICK):
                        yield implies(present(value), there(value.place))
        if meets_rows:
            yield from self.meetings()

    def place(self, place: Place) -> Iterator[Formula]:
        """What is known of a row that is there."""
        if place.key in self.places:
            return
        self.places[place.key] = place
        if place.at is At.PICK and place.body is not None:
            yield implies(there(place), place.body)
        if place.at is not At.LINK or place.parent is None:
            return
        yield from self.place(place.parent)
        source, target = self.schema.table(place.parent.table), self.schema.table(place.table)
        same = [there(place.parent)]
        columns = source.links_by_name[place.link].columns
        for name, key in zip(columns, target.key, strict=True):
            here, other = (
                column_of(place.parent, name, self.schema),
                column_of(place, key, self.schema),
            )
            same += [present(here), present(other)]
            if here.type == other.type:
                first, second = sorted((here, other), key=lambda each: each.key)
                key_of_atom = f"{first.key} = {second.key}"
                same.append(literal(Atom(key_of_atom, Says.EQUAL, (first, second))))
        yield implies(there(place), all_of(*same))

    def meetings(self) -> Iterator[Formula]:
        """Every `exists` with every row of its table that is spoken of, and with the row that it
        promises.
        """
        for atom in list(self.existing.values()):
            binder = atom.binder
            assert binder is not None
            some = Place(f"[{atom.key}]", At.SOME, binder.table, f"some {binder.table}")
            if ("", atom.key) not in self.met:
                self.met.add(("", atom.key))
                exists = literal(atom)
                said = binder.body(some, binder.level)
                self.places[some.key] = Place(
                    some.key, At.SOME, some.table, some.shown, picked=exists
                )
                yield implies(exists, said)
            for place in list(self.places.values()):
                if place.table != binder.table or place.at is At.LINK:
                    continue
                if (place.key, atom.key) in self.met or place.key == some.key:
                    continue
                self.met.add((place.key, atom.key))
                said = binder.body(place, binder.level)
                yield implies(all_of(there(place), said), literal(atom))
