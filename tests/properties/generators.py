"""generators: whole rulebooks as text, with the tables and parameters to evaluate them on

A case is what a user would bring: a rulebook that nobody has parsed yet, rows of plain Python
values, and how those rows are handed over.

`Emphasis` says what a series of cases is about. Hypothesis draws a seed, from which all else
follows: choices drawn one by one it would repeat and vary (five cases in six are variations of
another), which makes poor rulebooks; what fails is made smaller by `shrink`, which knows what a
rulebook is.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from random import Random

from expressions import (
    CODE_SETS,
    ORDERED,
    PARAMETERS,
    SCHEMA_TEXT,
    TABLES,
    VALUES,
    Case,
    Definition,
    Emphasis,
    Given,
    Name,
    Scope,
    Writer,
    cells,
    declared_shape,
    domain_of,
)
from hypothesis import strategies as st
from registered import HOST
from written_views import ViewWriter

DATASETS = ("prior", "state")
SEVERITIES = ("error", "warning", "exclusion", "informational")


class RulebookWriter(ViewWriter):
    """Writes one rulebook."""

    def __init__(self, random: Random, emphasis: Emphasis) -> None:
        super().__init__(random, emphasis)
        self.rules: list[tuple[str, str]] = []  # id and table

    def sometimes(self) -> bool:
        """Whether the rulebook or rule has one of the constructs that are not in every emphasis."""
        return self.chance(self.emphasis.whole)

    # ── definitions, datasets, functions, scopes ────────────────────────────────────────────────

    def define(self) -> str:
        """A constant, or a function of values and rows."""
        self.fuel = 6
        name = self.fresh("d")
        wanted = self.pick(
            ("boolean", "boolean", "integer", "decimal", "date", "text", "school_year")
        )
        shape = self.pick(("constant", "row", "row", "row and value", "value"))
        if shape == "constant":
            body = self.value(wanted, Scope(), 2, most=10)
            self.definitions.append(Definition(name, wanted, body.places, body.constant, None))
            return f"define {name} = {body.text}"
        values: tuple[tuple[str, str], ...] = ()
        rows: tuple[tuple[str, str], ...] = ()
        if "value" in shape:
            values = ((self.fresh("a"), self.pick(("integer", "decimal", "date", "text"))),)
        if "row" in shape:
            table = self.pick(("enrollment", "enrollment", "student", "school"))
            if self.made and self.chance(30):
                table = self.pick(self.made)
            rows = ((self.fresh("r"), table),)
        # NOTE: an argument becomes what is handed over, which may be written out.
        names = tuple(Name(n, t, 10 if t == "decimal" else 0, True) for n, t in values)
        scope = Scope(rows, rows, names)
        body = self.value(wanted, scope, 2, constant=False, most=10)
        self.definitions.append(Definition(name, wanted, body.places, False, values, rows))
        arguments = ", ".join(f"{n}: {t}" for n, t in (*values, *rows))
        return f"define {name}({arguments}) = {body.text}"

    def datasets(self) -> list[str]:
        """Declarations of datasets, whose tables can be read from now on."""
        names = [
            name for name in DATASETS if self.sometimes() or (name == "prior" and self.chance(40))
        ]
        for name in names:
            for table in TABLES:
                self.tables[f"{name}.{table}"] = declared_shape(table, name)
        return [
            f'dataset {name} "As it was"' if self.chance(50) else f"dataset {name}"
            for name in names
        ]

    def declared_functions(self) -> list[str]:
        if not self.sometimes():
            return []
        self.functions = [name for name in HOST if self.chance(40)]
        return [HOST[name].declaration for name in self.functions]

    def scope(self) -> str:
        """What a table is from now on, for views and rules; a scope itself reads no view."""
        self.fuel = 8
        declared = [name for name in self.tables if name not in self.made]
        table = self.pick(("enrollment", "enrollment", "school", "student", *declared))
        self.tables_read.add(table)
        return f"scope x in {table} where {self.mild(Scope().with_row('x', table), [('x', table)])}"

    # ── rules ───────────────────────────────────────────────────────────────────────────────────

    def rule(self, number: int) -> str:
        emphasis = self.emphasis
        self.fuel = emphasis.fuel
        depth = emphasis.depth
        table = self.pick(
            ("enrollment", "enrollment", "enrollment", "student", "school", "calendar")
        )
        others = [name for name in self.tables if name not in TABLES]
        if others and self.chance(45):
            table = self.pick(self.made if self.made and self.chance(70) else others)
        self.tables_read.add(table)
        scope = Scope().with_row("x", table)
        conflict = self.sometimes()
        lines = [f"rule R{number} {self.severities(conflict)}"]
        if emphasis.whole and self.chance(12):
            lines.append(f"  applies when {self.condition_of_parameters()}")
        where = f" where {self.condition(scope, depth - 1).text}" if self.chance(25) else ""
        lines.append(f"  for x in {table}{where}")
        before = [name for name, other in self.rules if self.share_rows(table, other)]
        if before and self.sometimes():
            names = self.random.sample(before, min(len(before), 1 + self.below(2)))
            lines.append(f"  after {', '.join(names)}")
        self.rules.append((f"R{number}", table))
        if emphasis.whole and self.chance(20):
            lines.append(f"  due {self.below(9)} {self.pick(('', 'business '))}days")
        for _ in range(self.below(3)):
            line, scope = self.let(scope, depth)
            lines.append(line)
        if conflict:
            return "\n".join([*lines, *self.against(scope, depth)])
        if self.chance(30):
            # Every row fails, and says what each of some values is.
            lines.append(
                f"  require x is missing else {self.message(scope, 2 + self.below(4), depth)}"
            )
            return "\n".join(lines)
        if self.chance(35):
            lines.append(f"  when {self.condition(scope, depth).text}")
        if self.chance(30):
            lines.append(f"  report when {self.condition(scope, depth).text}")
        else:
            for _ in range(self.pick((1, 1, 2, 3))):
                condition = self.condition(scope, depth).text
                otherwise = f" else {self.message(scope)}" if self.chance(30) else ""
                lines.append(f"  require {condition}{otherwise}")
        if self.chance(70):
            lines.append(f"  message {self.message(scope)}")
        return "\n".join(lines)

    def severities(self, conflict: bool) -> str:
        """A severity, or several of which parameters decide."""
        options = ("conflict", "conflict", *SEVERITIES) if conflict else SEVERITIES
        if not self.emphasis.whole:
            return self.pick(("error", "warning"))
        if self.chance(75):
            return self.pick(options)
        steps = [
            f"{self.pick(options)} if {self.condition_of_parameters()}"
            for _ in range(1 + self.chance(30))
        ]
        return f"{', '.join(steps)}, otherwise {self.pick(options)}"

    def condition_of_parameters(self) -> str:
        """A condition that reads no rows and calls no function of the host."""
        if self.chance(10):
            self.parameters_read.add("p_text")
            return "number(p_text) > 1"  # unknown, most of the time
        wanted = self.pick(ORDERED)
        left = self.last_resort(wanted).text
        op = self.pick(("=", "!=", "<", "<=", ">", ">="))
        return f"{left} {op} {self.literal(wanted).text}"

    def share_rows(self, table: str, other: str) -> bool:
        """Whether rows of one table can be known in another: by their key, or by a role."""
        if table == other:
            return True
        one, two = self.tables[table], self.tables[other]
        keys = [[(name, each.columns[name]) for name in each.key] for each in (one, two)]
        return bool(one.roles.keys() & two.roles.keys()) or (keys[0] == keys[1] != [])

    def against(self, scope: Scope, depth: int) -> list[str]:
        """The clauses of a rule from `when` on: what stands against its row, and a message that
        names it.
        """
        lines = []
        own = scope.rows[0][1]
        table = own if self.chance(55) else self.any_table()
        if not self.pairs(table, own):
            table = own
        self.tables_read.add(table)
        if self.chance(25):
            lines.append(f"  when {self.condition(scope, depth).text}")
        first = Scope(scope.rows[:1], scope.rows[:1])
        inner = scope.with_row("y", table)
        conditions = [self.link("y", table, first, depth)]
        if self.chance(15):
            conditions.append(self.link("y", table, first, depth))
        if self.chance(40):
            conditions.append(self.residual("y", table, first, inner, depth))
        lines.append(f"  against y in {table} where {' and '.join(conditions)}")
        if self.chance(85):
            shown = "".join(
                f"{{y.{self.pick(list(self.tables[table].columns))}}}; "
                for _ in range(1 + self.below(2))
            )
            message = self.message(inner, 1 + self.below(3), depth)
            lines.append(f'  message "{shown}{message[1:]}')
        return lines

    def let(self, scope: Scope, depth: int) -> tuple[str, Scope]:
        name = self.fresh("l")
        if self.chance(25):
            row = self.picked_row(scope, depth, None) if self.chance(70) else self.row(scope, depth)
            if row is not None:
                return f"  let {name} = {row[0]}", replace(
                    scope, rows=(*scope.rows, (name, row[1]))
                )
        wanted = self.pick((*VALUES, "period"))
        value = self.value(wanted, scope, depth, most=20)
        if value.constant and wanted in CODE_SETS:
            wanted = "text"
        # NOTE: a `let` is a value of its own, written out or not.
        return (
            f"  let {name} = {value.text}",
            replace(scope, values=(*scope.values, Name(name, wanted, value.places))),
        )

    def message(self, scope: Scope, number: int = 2, depth: int = 2) -> str:
        parts = ["m "]
        for _ in range(number):
            self.fuel = max(self.fuel, 3 * depth)
            wanted = self.pick((*VALUES, *("integer", "decimal", "date", "text") * 2, "period"))
            text = self.value(wanted, scope, depth).text
            parts.append(f"{{{text}}}, ")
        escaped = "".join(parts).replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'

    # ── populations ─────────────────────────────────────────────────────────────────────────────

    def population(self) -> str:
        tables = [name for name, shape in self.tables.items() if shape.roles]
        table = self.pick(("enrollment", *tables))
        self.tables_read.add(table)
        self.fuel = 6
        roles = list(self.tables[table].roles)
        self.random.shuffle(roles)
        scope = Scope().with_row("x", table)
        where = f" where {self.mild(scope, [('x', table)])}" if self.chance(40) else ""
        severities = self.random.sample((*SEVERITIES, "conflict"), 1 + self.below(4))
        unless = f"\n  unless {', '.join(severities)}" if self.chance(90) else ""
        by = ", ".join(roles[: 1 + self.below(len(roles))])
        return f"population {self.fresh('p')} of x in {table}{where}\n  by {by}{unless}"

    # ── the whole ───────────────────────────────────────────────────────────────────────────────

    def rulebook(self) -> str:
        body = [*self.datasets(), *self.declared_functions()]
        body += [self.define() for _ in range(self.below(3))]
        body += [self.scope() for _ in range(self.below(3) if self.sometimes() else 0)]
        body += [self.view() for _ in range(self.below(self.emphasis.views + 1))]
        if self.made and self.chance(25):
            body.append(self.define())
        body += [self.rule(number) for number in range(1, 2 + self.below(self.emphasis.rules))]
        body += [self.sweeping_rule(view) for view in self.made if self.chance(60)]
        body += [self.population() for _ in range(self.below(3) if self.sometimes() else 0)]
        body += [self.report() for _ in range(self.below(3) if self.sometimes() else 0)]
        declared = [
            f"parameter {name}: {each}"
            for name, each in PARAMETERS.items()
            if name in self.parameters_read and name != "as_of"
        ]
        return "\n\n".join(["rulebook tried.case edition 1", *declared, SCHEMA_TEXT, *body, ""])


# ── strategies ─────────────────────────────────────────────────────────────────────────────────


def cases(emphasis: Emphasis) -> st.SearchStrategy[Case]:
    """Rulebooks with the tables that they read."""
    return seeds().map(lambda seed: case_of(seed, emphasis))


def seeds() -> st.SearchStrategy[bytes]:
    """Seeds of cases."""
    # NOTE: bytes are drawn evenly, where integers tend to be small and come again.
    return st.binary(min_size=8, max_size=8)


def case_of(seed: bytes, emphasis: Emphasis) -> Case:
    """The case of a seed."""
    writer = RulebookWriter(Random(seed), emphasis)
    text = writer.rulebook()
    tables = {name: _given(writer, name, name) for name in TABLES if name in writer.tables_read}
    tables |= _datasets(writer)
    parameters = {
        name: writer.some_value(PARAMETERS[name])
        for name in PARAMETERS
        if name in writer.parameters_read and name != "as_of"
    }
    as_of = writer.some_value("date")
    assert isinstance(as_of, dt.date)
    return Case(text, tables, parameters, as_of)


def _datasets(writer: RulebookWriter) -> dict[str, Given]:
    """The tables of the datasets that are read; now and then not all of them, or none."""
    found: dict[str, Given] = {}
    for dataset in DATASETS:
        read = [name for name in writer.tables_read if name.startswith(f"{dataset}.")]
        if not read or writer.chance(5):
            continue
        for table in TABLES:
            # A lookup table that the dataset does not bring is the revision's.
            if not writer.chance(50 if table == "school" else 3):
                found[f"{dataset}.{table}"] = _given(writer, f"{dataset}.{table}", table)
    return found


def _given(writer: Writer, name: str, table: str) -> Given:
    most = writer.emphasis.most_rows
    sizes: Sequence[int] = (*range(2, most + 1), *range(2, most + 1), *range(2, most + 1), 1, 0)
    number = writer.pick(sizes)
    spelled = writer.chance(50)
    pools = {
        column: cells(domain_of(column, each), writer.emphasis.extreme)
        for column, each in TABLES[table].items()
    }
    drawn = [{name: writer.pick(pool) for name, pool in pools.items()} for _ in range(number)]
    rows = [{name: cell[0] for name, cell in row.items()} for row in drawn]
    spellings = [{name: cell[1] for name, cell in row.items()} for row in drawn]
    return Given(table, rows, spellings, spelled)
