"""written_views: views and reports as text

Which columns a view has, of which type, and what else of its tables it keeps (key, roles,
references), is known to the writer as it is to the checker, so that what is written over the view is
accepted.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from random import Random

from expressions import (
    ORDERED,
    TABLES,
    VALUES,
    Emphasis,
    Name,
    Scope,
    Shape,
    Writer,
    Written,
    bracketed,
)


@dataclass
class Columns:
    """The columns of a view while it is written. `sources` has the row and the column that one is,
    for those that are no more than that.
    """

    types: dict[str, str] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)
    sources: dict[str, tuple[str, str]] = field(default_factory=dict)

    def add(self, name: str, of_type: str, places: int, source: tuple[str, str] | None) -> None:
        self.types[name] = of_type
        if of_type == "decimal":
            self.places[name] = places
        if source is not None:
            self.sources[name] = source

    def of(self, source: tuple[str, str]) -> str | None:
        """The first column that is a column of a row."""
        return next((name for name, each in self.sources.items() if each == source), None)


class ViewWriter(Writer):
    """Writes views and reports."""

    def __init__(self, random: Random, emphasis: Emphasis) -> None:
        super().__init__(random, emphasis)
        self.made: list[str] = []  # views that are written

    def any_table(self) -> str:
        others = [name for name in self.tables if name not in TABLES]
        if others and self.chance(45):
            return self.pick(self.made if self.made and self.chance(65) else others)
        if self.emphasis.views and self.chance(10):
            return "visit"
        return super().any_table()

    # ── views ───────────────────────────────────────────────────────────────────────────────────

    def view(self) -> str:
        """A view, which can be read from now on."""
        self.fuel = self.emphasis.fuel // 2
        name = self.fresh("w")
        rows = [("x", self.any_table())]
        lines = [f"view {name} from x in {rows[0][1]}"]
        equated: dict[tuple[str, str], tuple[str, str]] = {}
        second = self.any_table()
        for _ in range(2):
            if not self.pairs_of_ids(second, rows[0][1]):
                second = self.any_table()
        if self.pairs(second, rows[0][1]) and self.chance(40):
            rows.append(("y", second))
            on, equated = self.on(rows)
            lines.append(f"  with y in {rows[1][1]} on {on}")
        scope = Scope()
        for row, table in rows:
            self.tables_read.add(table)
            scope = scope.with_row(row, table)
        if self.chance(35):
            lines.append(f"  where {self.mild(scope, rows)}")
        if self.chance(50):
            columns, key = self.grouped(lines, rows, scope)
        else:
            columns, key = self.ungrouped(lines, rows, scope, equated)
        self.tables[name] = self.shape(name, columns, rows, key)
        self.made.append(name)
        return "\n".join(lines)

    def on(
        self, rows: Sequence[tuple[str, str]]
    ) -> tuple[str, dict[tuple[str, str], tuple[str, str]]]:
        """The condition of a join, and which columns of `y` it makes equal to which of `x`."""
        (_, first), (_, second) = rows
        pairs = self.pairs(second, first)
        likely = self.pairs_of_ids(second, first)
        chosen = [self.pick(likely if likely and self.chance(88) else pairs)]
        if self.chance(15):
            more = [pair for pair in pairs if pair[0] != chosen[0][0]]
            chosen += [self.pick(more)] if more else []
        parts = []
        for mine, theirs in chosen:
            sides = [f"y.{mine}", f"x.{theirs}"]
            self.random.shuffle(sides)
            parts.append(" = ".join(sides))
        unequal = [pair for pair in pairs if self.tables[second].columns[pair[0]] != "boolean"]
        if unequal and self.chance(15):
            mine, theirs = self.pick(unequal)
            parts.append(f"y.{mine} {self.pick(('<', '<=', '>', '>=', '!='))} x.{theirs}")
        if self.chance(10):
            parts.append(bracketed(self.condition(Scope().with_row("y", second), 1).text))
        self.random.shuffle(parts)
        return " and ".join(parts), {("y", mine): ("x", theirs) for mine, theirs in chosen}

    def pairs_of_ids(self, table: str, outer: str) -> list[tuple[str, str]]:
        """The columns of two tables that are likely to have values in common."""
        pairs = self.pairs(table, outer)
        return [pair for pair in pairs if all(each.endswith("_id") for each in pair)]

    def shape(
        self, name: str, columns: Columns, rows: Iterable[tuple[str, str]], key: Sequence[str]
    ) -> Shape:
        """What those who read a view need to know of it."""
        roles: dict[str, str] = {}
        links: dict[str, tuple[str, tuple[str, ...]]] = {}
        tables = dict(rows)
        for column, (row, source) in columns.sources.items():
            role = self.tables[tables[row]].role_of(source)
            if role is not None and role not in roles:
                roles[role] = column
        for row, table in tables.items():
            for link, (target, own) in self.tables[table].links.items():
                kept = [columns.of((row, each)) for each in own]
                names = tuple(each for each in kept if each is not None)
                if link not in columns.types and link not in links and len(names) == len(own):
                    links[link] = (target, names)
        return Shape(name, columns.types, links, tuple(key), roles, places=columns.places)

    def mild(self, scope: Scope, rows: Sequence[tuple[str, str]]) -> str:
        """A condition that most rows pass, most of the time, or there would be nothing to look at."""
        condition = self.condition(scope, 2).text
        row, column = self.plain(rows)
        return f"{condition} or {row}.{column} is present" if self.chance(70) else condition

    def sweeping_rule(self, view: str) -> str:
        """A rule that says what every column of a view is, in each of its rows."""
        said = ", ".join(f"{{x.{name}}}" for name in self.tables[view].columns)
        name = self.fresh("S")
        return f'rule {name} warning\n  for x in {view}\n  require x is missing\n  message "{said}"'

    def plain(self, rows: Sequence[tuple[str, str]]) -> tuple[str, str]:
        """A column of one of the rows."""
        row, table = self.pick(rows)
        names = list(self.tables[table].columns)
        ids = [name for name in names if name.endswith("_id")]
        return row, self.pick(ids if ids and self.chance(35) else names)

    def type_of(self, rows: Iterable[tuple[str, str]], source: tuple[str, str]) -> tuple[str, int]:
        """The type of a column, and its places."""
        shape = self.tables[dict(rows)[source[0]]]
        return shape.columns[source[1]], shape.places_of(source[1])

    def fresh_column(self, source: tuple[str, str] | None = None) -> str:
        """A new name. A column of ids has one that says so, by which links are more likely."""
        name = self.fresh("v")
        return f"{name}_id" if source is not None and source[1].endswith("_id") else name

    # ── views of rows ───────────────────────────────────────────────────────────────────────────

    def ungrouped(
        self,
        lines: list[str],
        rows: Sequence[tuple[str, str]],
        scope: Scope,
        equated: dict[tuple[str, str], tuple[str, str]],
    ) -> tuple[Columns, list[str]]:
        """Adds `select` and `keep`; gives the columns and the key of the view."""
        columns = Columns()
        if not (self.chance(40) and self.has_whole_rows(rows, equated)):
            lines.append(f"  select {self.selected(rows, scope, equated, columns)}")
        else:
            for row, table in rows:
                for name in self.tables[table].columns:
                    if name not in columns.types:
                        columns.add(name, *self.type_of(rows, (row, name)), (row, name))
        key: dict[str, None] = {}
        # Where a table has no key, nor has the view, and nothing is taken along.
        for row, table in rows if all(self.tables[table].key for _, table in rows) else ():
            for name in self.tables[table].key:
                known = columns.of((row, name)) or columns.of(equated.get((row, name), ("", "")))
                if known is None:
                    columns.add(name, *self.type_of(rows, (row, name)), (row, name))
                key[known or name] = None
        if self.chance(35):
            lines.append(f"  keep {self.kept(rows, scope, columns)}")
        return columns, list(key)

    def has_whole_rows(
        self,
        rows: Sequence[tuple[str, str]],
        equated: dict[tuple[str, str], tuple[str, str]],
    ) -> bool:
        """Whether the columns of both rows can stand side by side under their names."""
        if len(rows) == 1:
            return True
        first, second = (self.tables[table].columns for _, table in rows)
        return all(equated.get(("y", name)) == ("x", name) for name in second if name in first)

    def selected(
        self,
        rows: Sequence[tuple[str, str]],
        scope: Scope,
        equated: dict[tuple[str, str], tuple[str, str]],
        columns: Columns,
    ) -> str:
        """What is behind `select`."""
        parts = []
        wanted: list[tuple[str, str] | None] = [
            self.plain(rows) if self.chance(60) else None for _ in range(1 + self.below(4))
        ]
        # Key columns of both rows that have one name are named apart, but for those that are equal.
        first = self.tables[rows[0][1]]
        for row, table in rows[1:]:
            for name in self.tables[table].key:
                same = equated.get((row, name))
                if name in first.columns and (same is None or same[1] not in first.key):
                    wanted.append((row, name))
        for source in wanted:
            name = self.fresh_column(source)
            if source is not None:
                columns.add(name, *self.type_of(rows, source), source)
                parts.append(f"{name} = {source[0]}.{source[1]}")
                continue
            of_type = self.pick(VALUES)
            value = self.value(of_type, scope, 2, constant=False)
            columns.add(name, of_type, value.places, _source(value.text))
            parts.append(f"{name} = {value.text}")
        return ", ".join(parts)

    def kept(self, rows: Sequence[tuple[str, str]], scope: Scope, columns: Columns) -> str:
        """What is behind `keep`; it may name the columns that are selected."""

        def value(types: Sequence[str]) -> str:
            named = [n for n, of_type in columns.types.items() if of_type in types and n[0] == "v"]
            if named and self.chance(30):
                return self.pick(named)
            plain = [
                f"{row}.{name}"
                for row, table in rows
                for name, of_type in self.tables[table].columns.items()
                if of_type in types
            ]
            if self.chance(75) and plain:
                return self.pick(plain)
            return self.value(self.pick(types), scope, 1, constant=False).text

        per = ", ".join(value(VALUES) for _ in range(1 + self.chance(25)))
        return f"{self.pick(('latest', 'earliest'))} by {value(ORDERED)} per {per}"

    # ── views of groups ─────────────────────────────────────────────────────────────────────────

    def grouped(
        self, lines: list[str], rows: Sequence[tuple[str, str]], scope: Scope
    ) -> tuple[Columns, list[str]]:
        """Adds `group by`, `select` and `keep`; gives the columns and the key of the view."""
        columns = Columns()
        groups: list[str] = []
        key: list[str] = []
        names: list[Name] = []
        selects: list[str] = []
        for _ in range(self.pick((1, 1, 1, 2, 2, 3))):
            written, of_type, source = self.group_value(rows, scope)
            if written.text in groups:
                continue
            groups.append(written.text)
            names.append(Name(written.text, of_type, written.places))
            if source is not None and source[1] not in columns.types and self.chance(50):
                name = source[1]
            else:
                name = self.fresh_column(source)
                selects.append(f"{name} = {written.text}")
            columns.add(name, of_type, written.places, source)
            key.append(name)
        lines.append(f"  group by {', '.join(groups)}")
        figures = self.figures(rows, scope, names)
        names += figures
        for _ in range(self.below(6)):
            name = self.fresh_column()
            of_type, value = self.of_group(names, figures)
            if value.text not in groups:
                selects.append(f"{name} = {value.text}")
                columns.add(name, of_type, value.places, None)
        if selects:
            self.random.shuffle(selects)
            lines.append(f"  select {', '.join(selects)}")
        if self.chance(25):
            ordered = [each.text for each in names if each.type in ORDERED]
            per = self.pick([*groups, *(each.text for each in names)])
            if ordered:
                word = self.pick(("latest", "earliest"))
                lines.append(f"  keep {word} by {self.pick(ordered)} per {per}")
        return columns, key

    def group_value(
        self, rows: Sequence[tuple[str, str]], scope: Scope
    ) -> tuple[Written, str, tuple[str, str] | None]:
        """A value to group by, its type, and the column that it is."""
        if self.chance(70):
            source = self.plain(rows)
            of_type, places = self.type_of(rows, source)
            return Written(".".join(source), places=places), of_type, source
        of_type = self.pick(VALUES)
        value = self.value(of_type, scope, 2, constant=False)
        return value, of_type, _source(value.text)

    def of_group(self, names: Sequence[Name], figures: Sequence[Name]) -> tuple[str, Written]:
        """A value of a group, and its type: a figure, or an expression over figures."""
        if self.chance(65):
            name = self.pick(figures)
            return name.type, Written(name.text, places=name.places)
        of_type = self.pick(VALUES)
        known = tuple(each for each in names if not _has_rows(each.text))
        value = self.value(of_type, Scope(values=known), 2, constant=False)
        return of_type, value

    def figures(
        self, rows: Sequence[tuple[str, str]], scope: Scope, by: Sequence[Name]
    ) -> list[Name]:
        """Some figures about a group, and one about rows of another table that its values lead to."""
        found = [self.figure(rows, scope) for _ in range(2 + self.below(4))]
        if self.chance(25):
            table = self.any_table()
            self.tables_read.add(table)
            row = self.fresh("q")
            for name in (each for each in by if not _has_rows(each.text)):
                columns = self.columns_of(table, name.type)
                if columns:
                    link = f"{row}.{self.pick(columns)} = {bracketed(name.text)}"
                    found.append(Name(f"count({row} in {table} where {link})", "integer"))
        return found

    def figure(self, rows: Sequence[tuple[str, str]], scope: Scope) -> Name:
        """A question about the rows of a group."""
        row = self.pick(rows)[0]
        where = f" where {self.condition(scope, 1).text}" if self.chance(45) else ""
        kind = self.pick(
            ("count", "count", "sum", "sum", "exists", "every", "distinct", "min", "max", "average",
             "picked", "picked", "picked")
        )  # fmt: skip
        match kind:
            case "count" | "exists":
                of_type = "integer" if kind == "count" else "boolean"
                return Name(f"{kind}({row}{where})", of_type)
            case "every":
                asked = self.condition(scope, 1).text
                return Name(f"every({row}{where} satisfies {asked})", "boolean")
            case "distinct":
                of = self.one_of(rows, scope, VALUES)
                return Name(f"count(distinct {of.text} for {row}{where})", "integer")
            case "sum" | "average":
                of = self.one_of(rows, scope, ("integer", "decimal"))
                of_type = of.type if kind == "sum" else "decimal"
                places = 10 if kind == "average" else of.places
                return Name(f"{kind}({of.text} for {row}{where})", of_type, places)
            case "min" | "max":
                of = self.one_of(rows, scope, ORDERED)
                return Name(f"{kind}({of.text} for {row}{where})", of.type, of.places)
            case _:
                return self.picked_figure(rows, scope, row, where)

    def picked_figure(
        self, rows: Sequence[tuple[str, str]], scope: Scope, row: str, where: str
    ) -> Name:
        """A column of the latest or earliest row of a group, or of a row that it refers to."""
        by = self.one_of(rows, scope, ORDERED)
        text = f"{self.pick(('latest', 'earliest'))}({row} by {by.text}{where})"
        table = dict(rows)[row]
        links = self.tables[table].links
        if links and self.chance(30):
            link = self.pick(list(links))
            text, table = f"{text}.{link}", links[link][0]
            self.tables_read.add(table)
        if self.chance(15):
            return Name(f"({text} is {self.pick(('missing', 'present'))})", "boolean")
        name = self.pick(list(self.tables[table].columns))
        shape = self.tables[table]
        return Name(f"{text}.{name}", shape.columns[name], shape.places_of(name))

    def one_of(self, rows: Sequence[tuple[str, str]], scope: Scope, types: Sequence[str]) -> Name:
        """A value of some types that a figure is about: a column, most of the time."""
        plain = [
            Name(f"{row}.{name}", of_type, self.tables[table].places_of(name))
            for row, table in rows
            for name, of_type in self.tables[table].columns.items()
            if of_type in types
        ]
        if plain and self.chance(70):
            return self.pick(plain)
        of_type = self.pick(types)
        value = self.value(of_type, scope, 2, constant=False)
        return Name(value.text, of_type, value.places)

    # ── reports ─────────────────────────────────────────────────────────────────────────────────

    def report(self) -> str:
        """A report, by some values or over all rows."""
        self.fuel = self.emphasis.fuel // 2
        rows = [("x", self.any_table())]
        self.tables_read.add(rows[0][1])
        scope = Scope().with_row(*rows[0])
        title = ' "A count"' if self.chance(50) else ""
        lines = [f"report {self.fresh('r')}{title} from x in {rows[0][1]}"]
        if self.chance(40):
            lines[0] += f" where {self.mild(scope, rows)}"
        names: list[Name] = []
        by: list[str] = []
        for _ in range(self.pick((0, 1, 1, 2))):
            written, of_type, _ = self.group_value(rows, scope)
            if written.text not in [each.text for each in names]:
                names.append(Name(written.text, of_type, written.places))
                by.append(f"{self.fresh_column()} = {written.text}")
        if by:
            lines.append(f"  by {', '.join(by)}")
        grouped = [each.text for each in names]
        figures = self.figures(rows, scope, names)
        names += figures
        shows = []
        for _ in range(1 + self.below(4)):
            value = self.of_group(names, figures)[1]
            if value.text not in grouped:
                shows.append(f"{self.fresh_column()} = {value.text}")
        lines.append(f"  show {', '.join(shows or [f'{self.fresh_column()} = count(x)'])}")
        return "\n".join(lines)


def _has_rows(text: str) -> bool:
    """Whether a value goes through rows of its own. Within a question about other rows such a value
    is not seen to be that of the group.
    """
    return re.search(r"\bq\d+ in ", text) is not None


def _source(text: str) -> tuple[str, str] | None:
    """The row and the column, where an expression is no more than that."""
    row, dot, name = text.partition(".")
    is_plain = row in ("x", "y") and dot and name.isidentifier()
    return (row, name) if is_plain else None
