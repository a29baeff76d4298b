"""expressions: the schema of every case, its values, and expressions over it as text

What a generated rulebook is made of (`generators` makes whole ones). Expressions are written type
by type, so that the compiler accepts them but for the refusals of `LEGITIMATE_REFUSALS`; values
come from small domains with a quarter missing, so that keys collide, references dangle and links
find several rows.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache
from random import Random
from typing import Any, NamedTuple, TypeVar

import polars as pl
from registered import HOST

from ruleforge.language.core import Value
from ruleforge.language.schema import SchoolYear

T = TypeVar("T")

# What the checker may say of a generated rulebook: comparisons and ranges of constants, too many
# places, no link, too large.
LEGITIMATE_REFUSALS = frozenset({"RF305", "RF306", "RF313", "RF401", "RF402"})

# ── the schema of every case ────────────────────────────────────────────────────────────────────

SCHEMA_TEXT = """
codes grade "In an order that is not that of the letters"
  "KG" "Kindergarten" also "K", "kinder"
  "10" "Tenth"
  "01" "First" also "1"
  "02" "Second"
  "é" "Else"

codes program
  "38" "Speech"
  "33" "Hearing" also "33 Hearing"
  "50" "Other"

lookup table school
  school_id: text required identifies school
  sector:    text
  level:     grade
  opened:    date
  size:      integer
  rate:      decimal
  founded:   school_year
  running:   boolean
  parent_id: text
  link school on parent_id named parent
  key school_id

table student
  student_id: text identifies student
  born:       date
  grade:      grade
  name:       text max 12 sensitive
  credits:    integer
  score:      decimal
  active:     boolean
  cohort:     school_year
  home_id:    text
  link school on home_id named home
  key student_id

table enrollment
  student_id: text required identifies student references student
  school_id:  text identifies school references school
  entry:      date
  leave:      date
  grade:      grade by label
  first:      boolean
  absent:     integer
  weight:     decimal
  year:       school_year
  note:       text
  program:    program
  link calendar on school_id, year
  link fee on program, weight, first named tariff
  key student_id, school_id, entry

table calendar
  school_id: text identifies school
  year:      school_year
  first_day: date
  last_day:  date
  lessons:   integer
  factor:    decimal
  kind:      text
  level:     grade
  link school on school_id
  key school_id, year

table fee
  program: program
  weight:  decimal
  flag:    boolean
  since:   date
  amount:  decimal
  times:   integer
  label:   text
  key program, weight, flag

table visit "Without a key"
  student_id: text identifies student
  level:      grade
  day:        date
  minutes:    integer
  share:      decimal
  note:       text
  link student on student_id
"""

CODE_SETS = {"grade": ("KG", "10", "01", "02", "é"), "program": ("38", "33", "50")}

TABLES: dict[str, dict[str, str]] = {
    "school": {
        "school_id": "text",
        "sector": "text",
        "level": "grade",
        "opened": "date",
        "size": "integer",
        "rate": "decimal",
        "founded": "school_year",
        "running": "boolean",
        "parent_id": "text",
    },
    "student": {
        "student_id": "text",
        "born": "date",
        "grade": "grade",
        "name": "text",
        "credits": "integer",
        "score": "decimal",
        "active": "boolean",
        "cohort": "school_year",
        "home_id": "text",
    },
    "enrollment": {
        "student_id": "text",
        "school_id": "text",
        "entry": "date",
        "leave": "date",
        "grade": "grade",
        "first": "boolean",
        "absent": "integer",
        "weight": "decimal",
        "year": "school_year",
        "note": "text",
        "program": "program",
    },
    "calendar": {
        "school_id": "text",
        "year": "school_year",
        "first_day": "date",
        "last_day": "date",
        "lessons": "integer",
        "factor": "decimal",
        "kind": "text",
        "level": "grade",
    },
    "fee": {
        "program": "program",
        "weight": "decimal",
        "flag": "boolean",
        "since": "date",
        "amount": "decimal",
        "times": "integer",
        "label": "text",
    },
    "visit": {
        "student_id": "text",
        "level": "grade",
        "day": "date",
        "minutes": "integer",
        "share": "decimal",
        "note": "text",
    },
}

# Each link's table and columns.
LINKS: dict[str, dict[str, tuple[str, tuple[str, ...]]]] = {
    "school": {"parent": ("school", ("parent_id",))},
    "student": {"home": ("school", ("home_id",))},
    "enrollment": {
        "student": ("student", ("student_id",)),
        "school": ("school", ("school_id",)),
        "calendar": ("calendar", ("school_id", "year")),
        "tariff": ("fee", ("program", "weight", "first")),
    },
    "calendar": {"school": ("school", ("school_id",))},
    "fee": {},
    "visit": {"student": ("student", ("student_id",))},
}

KEYS: dict[str, tuple[str, ...]] = {
    "school": ("school_id",),
    "student": ("student_id",),
    "enrollment": ("student_id", "school_id", "entry"),
    "calendar": ("school_id", "year"),
    "fee": ("program", "weight", "flag"),
    "visit": (),
}

ROLES: dict[str, dict[str, str]] = {
    "school": {"school": "school_id"},
    "student": {"student": "student_id"},
    "enrollment": {"student": "student_id", "school": "school_id"},
    "calendar": {"school": "school_id"},
    "fee": {},
    "visit": {"student": "student_id"},
}

LOOKUPS = ("school",)
ORDERED = ("integer", "decimal", "date", "school_year", "grade", "program", "text")
VALUES = ("text", "integer", "decimal", "boolean", "date", "school_year", "grade", "program")

PARAMETERS = {
    "p_text": "text",
    "p_int": "integer",
    "p_dec": "decimal",
    "p_bool": "boolean",
    "p_date": "date",
    "school_year": "school_year",
    "p_grade": "grade",
    "p_program": "program",
    "as_of": "date",
}

# ── values, each with a spelling that a file may carry ──────────────────────────────────────────

Cell = tuple[Value | None, str | None]

_HUGE = 10**18 - 1
_DATES = [
    "2023-06-30",
    "2023-07-01",
    "2024-02-29",
    "2024-02-28",
    "2024-03-01",
    "2023-02-28",
    "2000-02-29",
    "2023-12-31",
    "2024-01-01",
    "2023-09-30",
    "2023-10-01",
    "2023-10-02",
    "2005-07-01",
    "2023-08-31",
]
_TEXTS = [
    "a",
    "A",
    "ab",
    "bA",
    "é",
    "É",
    "ß",
    "Σa",
    "aΣ",
    "aa",
    "a.b",
    "12",
    "-0.5",
    "1.50",
    "007",
    "2023-10-01",
    "10/01/2023",
    "20231001",
    "１",
    "𝒳",
    "ŉ",
    "İ",
    "ǆ",
    "1e5",
    "+3",
    ".5",
    "99999999999999999999",
]
_SPACED = ["a b", " a", "a ", "\u00a0a", "x\ny", "e\u0301", "\u2003b"]
IDS = ("S1", "S2", "S1", "S3", "S2", "s1")

_CELLS: dict[str, list[Cell]] = {
    "id": [(each, each) for each in IDS],
    "text": [(each, each) for each in (*_TEXTS, *_SPACED)],
    "integer": [
        *((n, str(n)) for n in (-2, -1, 0, 1, 2, 3, 5, 30, 366)),
        (0, "-0"),
        (1, "+1"),
        (2, " 002 "),
    ],
    "decimal": [
        *(
            (Decimal(t), t)
            for t in [
                "0",
                "0.1",
                "0.2",
                "0.3",
                "0.5",
                "1.5",
                "2.5",
                "-0.5",
                "-1.5",
                "1",
                "2",
                "1.05",
                "12345.678",
            ]
        ),
        *((Decimal(t), t) for t in ("0.0000000001", "0.3333333333", "-0.0000000005")),
        (Decimal("0.5"), "0.500"),
        (Decimal(1), "+01.0"),
    ],
    "boolean": [(True, "true"), (False, "false"), (True, " Y"), (False, "0"), (True, "1")],
    "date": [(dt.date.fromisoformat(each), each) for each in _DATES],
    "school_year": [
        *((SchoolYear(y), str(SchoolYear(y))) for y in (2023, 2022, 2023, 2024, 2023, 1999)),
        (SchoolYear(2023), "2023-2024"),
    ],
    "grade": [*((code, code) for code in CODE_SETS["grade"]), ("KG", "K"), ("01", "1")],
    "program": [*((code, code) for code in CODE_SETS["program"]), ("33", "33 Hearing")],
}

_EXTREME_CELLS: dict[str, list[Cell]] = {
    "integer": [(n, str(n)) for n in (_HUGE, -_HUGE, _HUGE - 1, 10**9, 2**31, 3 * 10**17)],
    "decimal": [
        (Decimal(t), t)
        for t in (
            f"{_HUGE}.9999999999",
            f"-{_HUGE}.9999999999",
            f"{_HUGE}",
            f"{_HUGE}.5",
            "500000000000000000",
            "1000000000.0000000001",
        )
    ],
    "date": [(dt.date.fromisoformat(t), t) for t in ("0001-01-01", "9999-12-31", "0004-02-29")],
    "school_year": [(SchoolYear(1), "0001-02"), (SchoolYear(9997), "9997-98")],
}

_BAD_SPELLINGS = {
    "integer": ["x", "1.0", "1000000000000000000"],
    "decimal": [".5", "1e3", "1000000000000000000", "0.00000000001"],
    "boolean": ["maybe", "2"],
    "date": ["2023-02-29", "10/01/2023", "0000-01-01"],
    "school_year": ["2023-25", "2023"],
    "grade": [" 01", "kg"],
    "program": ["Speech", "99"],
}


@cache
def cells(domain: str, extreme: bool) -> tuple[Cell, ...]:
    """The cells of a column, a quarter of them missing, a few of those for being unreadable."""
    filled = [*_CELLS[domain]]
    if extreme and domain in _EXTREME_CELLS:
        filled = [*filled[:6], *_EXTREME_CELLS[domain] * 2]
    missing: list[Cell] = [(None, None)] * max(1, len(filled) // 6)
    missing.append((None, " \t"))
    bad: list[Cell] = [(None, each) for each in _BAD_SPELLINGS.get(domain, [])]
    return (*filled, *missing, *bad[: 1 + len(filled) // 12])


def domain_of(column: str, column_type: str) -> str:
    """The domain of a column's cells: ids are a domain of their own, so that references find
    something.
    """
    return "id" if column.endswith("_id") else column_type


# ── cases ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Given:
    """The rows of one table, and what stood in their cells. `spelled`: the frame holds those texts."""

    table: str
    rows: list[dict[str, Value | None]]
    spellings: list[dict[str, str | None]]
    spelled: bool

    def frame(self) -> pl.DataFrame:
        """The rows as a host would bring them: all text, or typed columns."""
        columns = TABLES[self.table]
        if self.spelled:
            return pl.DataFrame(self.spellings, schema=dict.fromkeys(columns, pl.String))
        data = {name: [_held(row[name]) for row in self.rows] for name in columns}
        return pl.DataFrame(data, schema={name: _DTYPES[each] for name, each in columns.items()})


_DTYPES: dict[str, Any] = {
    "text": pl.String,
    "integer": pl.Int64,
    "decimal": pl.Decimal(38, 10),
    "boolean": pl.Boolean,
    "date": pl.Date,
    "school_year": pl.String,
    "grade": pl.String,
    "program": pl.String,
}


def _held(value: Value | None) -> object:
    return str(value) if isinstance(value, SchoolYear) else value


@dataclass(frozen=True)
class Case:
    """A rulebook as text, and what it is evaluated on. Tables of datasets are called
    `prior.enrollment`.
    """

    text: str
    tables: dict[str, Given]
    parameters: dict[str, Value]
    as_of: dt.date

    def __repr__(self) -> str:
        lines = [self.text, f"parameters {self.parameters}, as of {self.as_of}"]
        for name, given in self.tables.items():
            lines.append(f"{name} ({'texts' if given.spelled else 'typed'})")
            shown = given.spellings if given.spelled else given.rows
            lines.extend(f"  {number}: {row}" for number, row in enumerate(shown))
        return "\n".join(lines)


@dataclass(frozen=True)
class Emphasis:
    """What a series of cases is about."""

    name: str
    quantifiers: int = 3  # weight of quantifiers among the forms of an expression
    functions: int = 3
    extreme: bool = False  # values at the ends of their domains
    most_rows: int = 6
    depth: int = 4
    rules: int = 3
    fuel: int = 26  # forms a rule
    views: int = 0  # at most
    whole: int = 0  # percent of the chance that a rulebook or rule has one of the other constructs
    share: int = 1  # of all cases of a run, among those of other emphases


# ── expressions as text ────────────────────────────────────────────────────────────────────────


class Written(NamedTuple):
    """An expression as text. `constant`: the checker may see a value that is written out."""

    text: str
    constant: bool = False
    places: int = 0


@dataclass(frozen=True)
class Name:
    """A name for a value."""

    text: str
    type: str
    places: int = 0
    constant: bool = False


@dataclass(frozen=True)
class Definition:
    name: str
    type: str
    places: int
    constant: bool
    values: tuple[tuple[str, str], ...] | None  # name and type of each argument that is a value
    rows: tuple[tuple[str, str], ...] = ()  # name and table of each that is a row


@dataclass(frozen=True)
class Scope:
    """The rows and values that an expression may name; `linkable` rows are those that a quantifier
    can be linked to.
    """

    rows: tuple[tuple[str, str], ...] = ()
    linkable: tuple[tuple[str, str], ...] = ()
    values: tuple[Name, ...] = ()

    def with_row(self, name: str, table: str) -> "Scope":
        return replace(
            self, rows=(*self.rows, (name, table)), linkable=(*self.linkable, (name, table))
        )


_PATTERNS = (
    "a",
    ".",
    ".*",
    "[a-z]+",
    "[^a]*",
    "a|b|é",
    "(ab?)+",
    "\\\\d{2}",
    "\\\\d{1,3}(\\\\.\\\\d+)?",
    "\\\\w+",
    "[A-Zé]{1,2}",
    ".{2,}",
    "-?[0-9]+\\\\.?[0-9]*",
    "\\\\s*a",
    "[\\\\w.]+",
    "(a|aa)*b?",
)
_PATTERN_PARTS = (
    "a",
    "b",
    "A",
    "é",
    "ß",
    ".",
    "\\\\d",
    "\\\\w",
    "\\\\S",
    "[ab]",
    "[^a-c]",
    "1",
    "-",
    " ",
)
_FORMATS = ("%Y-%m-%d", "%m/%d/%Y", "%Y%m%d", "%d.%m.%Y")
_WEEKDAYS = ("monday", "wednesday", "saturday", "sunday")


def quoted(text: str) -> str:
    """A text as a literal of the language."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def literal_of(value: Value) -> str:
    """A value as a literal of the language."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return quoted(value)
        case Decimal():
            plain = f"{value:f}"
            return plain if "." in plain else f"{plain}.0"
        case _:
            return str(value)


@dataclass(frozen=True)
class Shape:
    """What a table or view has, as far as those who read it need to know."""

    kind: str  # rows of one kind go where a row of it is asked for
    columns: Mapping[str, str]
    links: Mapping[str, tuple[str, tuple[str, ...]]]
    key: tuple[str, ...]
    roles: Mapping[str, str]  # with the column of each
    lookup: bool = False
    places: Mapping[str, int] = field(default_factory=dict)  # of decimals that have not 10

    def role_of(self, column: str) -> str | None:
        return next((role for role, each in self.roles.items() if each == column), None)

    def places_of(self, column: str) -> int:
        return self.places.get(column, 10) if self.columns[column] == "decimal" else 0


def declared_shape(table: str, dataset: str = "") -> Shape:
    """The shape of a table of the schema, or of a dataset's, whose references lead to its own."""
    links = {
        link: (f"{dataset}.{target}" if dataset else target, columns)
        for link, (target, columns) in LINKS[table].items()
    }
    return Shape(table, TABLES[table], links, KEYS[table], ROLES[table], table in LOOKUPS)


class Writer:
    """Writes expressions; every choice is the random number generator's."""

    def __init__(self, random: Random, emphasis: Emphasis) -> None:
        self.random = random
        self.emphasis = emphasis
        self.fuel = 0
        self.names = 0
        self.tables_read: set[str] = set()
        self.parameters_read: set[str] = set()
        self.definitions: list[Definition] = []
        self.tables = {name: declared_shape(name) for name in TABLES}
        self.functions: list[str] = []  # of `HOST`, declared

    # ── choices ─────────────────────────────────────────────────────────────────────────────────

    def below(self, bound: int) -> int:
        return self.random.randrange(bound)

    def chance(self, percent: int) -> bool:
        return self.below(100) >= 100 - percent

    def pick(self, options: Sequence[T]) -> T:
        return options[self.below(len(options))]

    def fresh(self, stem: str) -> str:
        self.names += 1
        return f"{stem}{self.names}"

    def weighted(self, options: Mapping[str, int]) -> str:
        spread = [name for name, weight in options.items() for _ in range(weight)]
        return self.pick(spread)

    # ── leaves ──────────────────────────────────────────────────────────────────────────────────

    def row(self, scope: Scope, depth: int, table: str | None = None) -> tuple[str, str] | None:
        """A row as text, and its table: a variable, or a row that it refers to, once or twice."""
        options: list[tuple[str, str, tuple[str, ...]]] = []
        for name, own in scope.rows:
            options.extend([(name, own, (own,))] * 8)
            for link, (target, _) in self.tables[own].links.items():
                options.append((f"{name}.{link}", target, (own, target)))
                options.extend(
                    (f"{name}.{link}.{further}", last, (own, target, last))
                    for further, (last, _) in self.tables[target].links.items()
                )
        # A row goes where one of its kind is asked for.
        options = [e for e in options if table is None or self.tables[e[1]].kind == table]
        if depth > 0 and self.fuel > 4 and self.chance(12):
            picked = self.picked_row(scope, depth, table)
            if picked is not None:
                return picked
        if not options:
            return None
        text, own, read = self.pick(options)
        self.tables_read.update(read)
        return text, own

    def picked_row(self, scope: Scope, depth: int, table: str | None) -> tuple[str, str] | None:
        self.fuel -= 3
        variable, own, where, inside = self.over(scope, depth, table)
        by = self.value(self.pick(ORDERED), inside, depth - 2)
        text = f"{self.pick(('latest', 'earliest'))}({variable} in {own} by {by.text}{where})"
        if self.chance(15):
            links = self.tables[own].links.items()
            onward = [(f"{text}.{link}", target) for link, (target, _) in links]
            if onward:
                text, own = self.pick(onward)
                self.tables_read.add(own)
        return text, own

    def column(self, wanted: str, scope: Scope, depth: int) -> Written | None:
        """A column of the type, of a row in scope or one that it leads to."""
        row = self.row(scope, depth)
        if row is None:
            return None
        text, table = row
        names = self.columns_of(table, wanted)
        if not names:
            holders = [(n, t) for n, t in scope.rows if self.columns_of(t, wanted)]
            if not holders:
                return None
            text, table = self.pick(holders)
            self.tables_read.add(table)
            names = self.columns_of(table, wanted)
        name = self.pick(names)
        return Written(f"{text}.{name}", places=self.tables[table].places_of(name))

    def columns_of(self, table: str, wanted: str) -> list[str]:
        """The columns of a type that a table has."""
        return [name for name, each in self.tables[table].columns.items() if each == wanted]

    def any_table(self) -> str:
        """A table that a quantifier may go through."""
        return self.pick(("enrollment", "enrollment", "student", "calendar", "fee"))

    def literal(self, wanted: str) -> Written:
        """A value written out. Of a code it is a text until something beside it makes a code of it."""
        value = self.some_value(wanted)
        return written_out(value)

    def some_value(self, wanted: str) -> Value:
        extreme = self.emphasis.extreme and self.chance(50)
        pool = [v for v, _ in cells(wanted, extreme) if v is not None]
        return self.pick(pool)

    def named(self, wanted: str, scope: Scope) -> Written | None:
        """A `let`, an argument or a parameter of the type."""
        options = [
            Written(each.text, each.constant, each.places)
            for each in scope.values
            if each.type == wanted
        ]
        given = [name for name, each in PARAMETERS.items() if each == wanted]
        chosen = self.below(len(options) * 3 + len(given)) if options or given else None
        if chosen is None:
            return None
        if chosen < len(options) * 3:
            return options[chosen // 3]
        name = given[chosen - len(options) * 3]
        self.parameters_read.add(name)
        return Written(name, places=10 if wanted == "decimal" else 0)

    def leaf(self, wanted: str, scope: Scope, depth: int, constant: bool = True) -> Written:
        kind = self.below(10)
        found: Written | None = None
        if kind >= 8 and constant and wanted not in CODE_SETS:
            return self.literal(wanted)
        if kind in (6, 7):
            found = self.named(wanted, scope)
        if found is None or (found.constant and not constant):
            found = self.column(wanted, scope, depth)
        if found is None:
            found = self.named(wanted, scope)
        if found is None or (found.constant and not constant):
            found = self.last_resort(wanted)
        return found

    def last_resort(self, wanted: str) -> Written:
        """A value that needs no row and is no constant."""
        name = next(name for name, each in PARAMETERS.items() if each == wanted)
        self.parameters_read.add(name)
        return Written(name, places=10 if wanted == "decimal" else 0)

    # ── values ──────────────────────────────────────────────────────────────────────────────────

    def value(
        self, wanted: str, scope: Scope, depth: int, *, constant: bool = True, most: int = 20
    ) -> Written:
        """An expression of the type. `constant` allows what is written out; a decimal has at most
        `most` places.
        """
        if wanted == "boolean":
            return self.condition(scope, depth)
        if wanted == "period":
            return self.period(scope, depth)
        if depth <= 0 or self.fuel <= 0 or self.chance(20):
            found = self.leaf(wanted, scope, depth, constant)
            return found if found.places <= most else self.narrowed(found, most)
        self.fuel -= 1
        general = {
            "if": 1,
            "coalesce": 1,
            "extreme": 1,
            "define": 1 if self.definitions else 0,
            "host": 3 if self.functions else 0,
            "aggregate": self.emphasis.quantifiers,
            "picked": self.emphasis.quantifiers,
            "own": 4 + self.emphasis.functions * 2,
        }
        form = self.weighted(general)
        result = self.of_form(form, wanted, scope, depth)
        if result is None:
            result = self.leaf(wanted, scope, depth, constant)
        if result.constant and not constant:
            result = self.leaf(wanted, scope, 0, constant=False)
        return result if result.places <= most else self.narrowed(result, most)

    @staticmethod
    def narrowed(value: Written, most: int) -> Written:
        places = min(most, 2)
        return Written(f"round({value.text}, {places})", places=places)

    def of_form(self, form: str, wanted: str, scope: Scope, depth: int) -> Written | None:
        match form:
            case "if":
                condition = self.condition(scope, depth - 1)
                then = self.value(wanted, scope, depth - 1)
                otherwise = self.second(wanted, scope, depth - 1)
                text = f"(if {condition.text} then {then.text} else {otherwise.text})"
                return Written(text, False, max(then.places, otherwise.places))
            case "coalesce" | "extreme":
                function = "coalesce" if form == "coalesce" else self.pick(("min_of", "max_of"))
                values = [self.value(wanted, scope, depth - 1)]
                values.append(self.second(wanted, scope, depth - 1))
                if self.chance(20):
                    values.append(self.second(wanted, scope, depth - 1))
                text = f"{function}({', '.join(each.text for each in values)})"
                return Written(text, False, max(each.places for each in values))
            case "define":
                return self.defined(wanted, scope, depth)
            case "host":
                return self.host_call(wanted, scope, depth)
            case "aggregate":
                return self.aggregate(wanted, scope, depth)
            case "picked":
                return self.column_of_picked(wanted, scope, depth)
            case _:
                return getattr(self, f"own_{wanted}", self.own_code)(scope, depth)

    def second(self, wanted: str, scope: Scope, depth: int) -> Written:
        """A further value beside one of the type: a code may be written out there, an integer be
        one of decimals.
        """
        if wanted in CODE_SETS and self.chance(30):
            return self.literal(wanted)
        if wanted == "decimal" and self.chance(15):
            return self.value("integer", scope, depth)
        return self.value(wanted, scope, depth)

    def column_of_picked(self, wanted: str, scope: Scope, depth: int) -> Written | None:
        tables = [name for name in TABLES if self.columns_of(name, wanted)]
        if self.fuel < 3 or not tables:
            return None
        table = self.any_table()
        if not self.columns_of(table, wanted):
            table = self.pick(tables)
        row = self.picked_row(scope, depth, table)
        if row is None:
            return None
        names = self.columns_of(row[1], wanted)
        if not names:
            return None
        name = self.pick(names)
        return Written(f"{row[0]}.{name}", places=self.tables[row[1]].places_of(name))

    def host_call(self, wanted: str, scope: Scope, depth: int) -> Written | None:
        """A call of a function of the host."""
        options = [HOST[name] for name in self.functions if HOST[name].result == wanted]
        if not options:
            return None
        function = self.pick(options)
        given = []
        for _, of_type in function.arguments:
            if of_type == "text":
                given.append(self.text_or_code(scope, depth - 1))
            elif of_type == "boolean":
                given.append(self.condition(scope, depth - 1).text)
            else:
                # NOTE: a code is not written out alone: nothing beside it says of which set it is.
                value = self.value(of_type, scope, depth - 1, constant=of_type not in CODE_SETS)
                given.append(value.text)
        places = 10 if wanted == "decimal" else 0
        return Written(f"{function.name}({', '.join(given)})", places=places)

    def defined(self, wanted: str, scope: Scope, depth: int) -> Written | None:
        options = [each for each in self.definitions if each.type == wanted]
        if not options:
            return None
        chosen = self.pick(options)
        if chosen.values is None:
            return Written(chosen.name, chosen.constant, chosen.places)
        given: list[str] = []
        for _, value_type in chosen.values:
            given.append(self.value(value_type, scope, depth - 1, most=10).text)
        for _, table in chosen.rows:
            row = self.row(replace(scope, rows=scope.linkable), 0, table)
            if row is None:
                return None
            given.append(row[0])
        return Written(f"{chosen.name}({', '.join(given)})", chosen.constant, chosen.places)

    def aggregate(self, wanted: str, scope: Scope, depth: int) -> Written | None:
        if self.fuel < 3 or depth < 1:
            return None
        self.fuel -= 2
        kinds = ["min", "max"]
        if wanted == "integer":
            kinds += ["count", "count", "distinct", "distinct", "sum", "sum"]
        if wanted == "decimal":
            kinds += ["sum", "sum", "average", "average", "average"]
        kind = self.pick(kinds)
        variable, table, where, inside = self.over(scope, depth)
        tail = f"{variable} in {table}{where}"
        if kind == "count":
            return Written(f"count({tail})")
        if kind == "distinct":
            of = self.value(self.pick(VALUES), inside, depth - 2)
            return Written(f"count(distinct {of.text} for {tail})")
        of_type = self.pick(("integer", "decimal")) if kind == "average" else wanted
        of = self.value(of_type, inside, depth - 2)
        places = 10 if kind == "average" else of.places
        return Written(f"{kind}({of.text} for {tail})", places=places)

    def own_integer(self, scope: Scope, depth: int) -> Written:
        inner = depth - 1
        match self.pick(
            (
                "+",
                "-",
                "*",
                "negative",
                "days",
                "between",
                "between",
                "business",
                "length",
                "period",
                "floor",
                "ceiling",
                "round",
                "abs",
            )
        ):
            case "+" | "-" | "*" as op:
                left, right = (
                    self.value("integer", scope, inner),
                    self.value("integer", scope, inner),
                )
                return Written(f"({left.text} {op} {right.text})")
            case "negative":
                operand = self.value("integer", scope, inner)
                return Written(f"(-{bracketed(operand.text)})", operand.constant)
            case "days":
                left, right = self.value("date", scope, inner), self.value("date", scope, inner)
                return Written(f"({left.text} - {right.text})")
            case "between":
                name = self.pick(("age", "years_between", "months_between"))
                left, right = self.value("date", scope, inner), self.value("date", scope, inner)
                return Written(f"{name}({left.text}, {right.text})")
            case "business":
                if self.emphasis.extreme:  # the reference counts day by day
                    return self.own_integer(scope, 0) if depth > 0 else self.literal("integer")
                left, right = self.value("date", scope, inner), self.value("date", scope, inner)
                end = self.holidays()
                return Written(f"business_days_between({left.text}, {right.text}{end})")
            case "length":
                return Written(f"length({self.text_or_code(scope, inner)})")
            case "period":
                return Written(f"days({self.period(scope, inner).text})")
            case "abs":
                return Written(f"abs({self.value('integer', scope, inner).text})")
            case name:
                of_type = self.pick(("decimal", "decimal", "integer"))
                return Written(f"{name}({self.value(of_type, scope, inner).text})")

    def own_decimal(self, scope: Scope, depth: int) -> Written:
        inner = depth - 1
        match self.pick(("+", "-", "*", "*", "/", "/", "negative", "abs", "round", "number")):
            case "+" | "-" as op:
                left, right = self.numbers(scope, inner)
                places = max(left.places, right.places)
                return Written(f"({left.text} {op} {right.text})", places=places)
            case "*":
                left, right = self.numbers(scope, inner)
                if left.places + right.places > 20:
                    left, right = self.narrowed(left, 2), right
                if left.places + right.places > 20:
                    right = self.narrowed(right, 2)
                return Written(f"({left.text} * {right.text})", places=left.places + right.places)
            case "/":
                left = self.value(self.pick(("integer", "decimal")), scope, inner)
                right = self.value(self.pick(("integer", "decimal")), scope, inner, most=10)
                return Written(f"({left.text} / {right.text})", places=10)
            case "negative":
                operand = self.value("decimal", scope, inner)
                return Written(f"(-{bracketed(operand.text)})", operand.constant, operand.places)
            case "abs":
                operand = self.value("decimal", scope, inner)
                return Written(f"abs({operand.text})", places=operand.places)
            case "round":
                operand = self.value(self.pick(("decimal", "decimal", "integer")), scope, inner)
                places = self.pick((0, 1, 2, 9, 10))
                return Written(f"round({operand.text}, {places})", places=places)
            case _:
                return Written(f"number({self.value('text', scope, inner).text})", places=10)

    def numbers(self, scope: Scope, depth: int) -> tuple[Written, Written]:
        """Two numbers, one of them a decimal at least."""
        left = self.value("decimal", scope, depth)
        right = self.second("decimal", scope, depth)
        return (right, left) if self.chance(30) else (left, right)

    def own_text(self, scope: Scope, depth: int) -> Written:
        inner = depth - 1
        match self.pick(
            ("upper", "lower", "trim", "left", "right", "replace", "digits", "weekday")
        ):
            case "upper" | "lower" | "trim" | "digits" as name:
                return Written(f"{name}({self.text_or_code(scope, inner)})")
            case "left" | "right" as name:
                number = self.value("integer", scope, inner)
                return Written(f"{name}({self.text_or_code(scope, inner)}, {number.text})")
            case "replace":
                old = self.value("text", scope, inner)
                new = '""' if self.chance(20) else self.value("text", scope, inner).text
                return Written(f"replace({self.text_or_code(scope, inner)}, {old.text}, {new})")
            case _:
                return Written(f"weekday({self.value('date', scope, inner).text})")

    def text_or_code(self, scope: Scope, depth: int) -> str:
        wanted = self.pick(("text", "text", "text", "grade"))
        return self.value(wanted, scope, depth).text

    def own_date(self, scope: Scope, depth: int) -> Written:
        inner = depth - 1
        match self.pick(("moved", "moved", "business", "nth", "from", "end", "day", "day")):
            case "moved":
                day, number = self.value("date", scope, inner), self.value("integer", scope, inner)
                if self.chance(30):
                    return Written(f"({number.text} + {day.text})")
                return Written(f"({day.text} {self.pick(('+', '-'))} {number.text})")
            case "business" if not self.emphasis.extreme:
                day = self.value("date", scope, inner)
                number = self.value("integer", scope, inner).text
                bounded = f"min_of(max_of({number}, -30), 30)"
                return Written(f"add_business_days({day.text}, {bounded}{self.holidays()})")
            case "nth":
                number = self.number_or(("1", "2", "4", "5", "-1", "0"), scope, inner)
                month = self.number_or(("2", "7", "6", "11", "12", "1"), scope, inner)
                year = self.value("school_year", scope, inner)
                name = self.pick(_WEEKDAYS)
                return Written(f'nth_weekday({number}, "{name}", {month}, {year.text})')
            case "from":
                text = self.value("text", scope, inner)
                return Written(f'date_from({text.text}, "{self.pick(_FORMATS)}")')
            case "end":
                year = self.value("school_year", scope, inner)
                return Written(f"{bracketed(year.text)}.{self.pick(('start', 'end'))}")
            case _:
                year = self.value("school_year", scope, inner)
                if self.chance(60):
                    day = self.pick(("2, 29", "6, 30", "7, 1", "12, 31", "2, 28"))
                else:
                    month = self.value("integer", scope, inner)
                    number = self.value("integer", scope, inner, constant=False)
                    day = f"{month.text}, {number.text}"
                return Written(f"{bracketed(year.text)}.day({day})")

    def number_or(self, written: Sequence[str], scope: Scope, depth: int) -> str:
        return self.pick(written) if self.chance(70) else self.value("integer", scope, depth).text

    def holidays(self) -> str:
        if not self.chance(40):
            return ""
        days = [self.literal("date").text for _ in range(1 + self.below(2))]
        if self.chance(40):
            self.parameters_read.add("p_date")
            days.append("p_date")
        return f", {{{', '.join(days)}}}"

    def own_school_year(self, scope: Scope, depth: int) -> Written:
        year = self.value("school_year", scope, depth - 1)
        return Written(f"{bracketed(year.text)}.{self.pick(('previous', 'next'))}")

    def own_code(self, scope: Scope, depth: int) -> Written | None:
        return None

    def period(self, scope: Scope, depth: int) -> Written:
        if depth > 0 and self.fuel > 0 and self.chance(30):
            self.fuel -= 1
            one, other = self.period(scope, depth - 1), self.period(scope, depth - 1)
            if self.chance(50):
                return Written(f"coalesce({one.text}, {other.text})")
            condition = self.condition(scope, depth - 1)
            return Written(f"(if {condition.text} then {one.text} else {other.text})")
        lets = [each for each in scope.values if each.type == "period"]
        if lets and self.chance(50):
            return Written(self.pick(lets).text)
        start, end = self.value("date", scope, depth - 1), self.value("date", scope, depth - 1)
        return Written(f"period({start.text}, {end.text})")

    # ── conditions ──────────────────────────────────────────────────────────────────────────────

    def condition(self, scope: Scope, depth: int) -> Written:
        """A condition; nothing that is written out."""
        self.fuel -= 1
        forms = {"compare": 5, "presence": 1, "set": 2, "column": 1, "between": 1}
        if depth > 0 and self.fuel > 0:
            forms |= {
                "logic": 4,
                "not": 2,
                "if": 1,
                "coalesce": 1,
                "define": 2 if self.definitions else 0,
                "host": 2 if self.functions else 0,
                "matches": 1,
                "text": 1,
                "period": 2,
                "overlaps": 1,
                "row": 1,
                "exists": 2 * self.emphasis.quantifiers,
                "every": self.emphasis.quantifiers,
            }
        form = self.weighted(forms)
        result = self.condition_of(form, scope, depth)
        return result if result is not None else self.comparison(scope, depth)

    def condition_of(self, form: str, scope: Scope, depth: int) -> Written | None:
        inner = depth - 1
        match form:
            case "logic":
                word = self.pick((" and ", " or "))
                number = 2 + self.chance(25)
                parts = [bracketed(self.condition(scope, inner).text) for _ in range(number)]
                return Written(f"({word.join(parts)})")
            case "not":
                return Written(f"(not {bracketed(self.condition(scope, inner).text)})")
            case "if":
                parts = [self.condition(scope, inner).text for _ in range(3)]
                return Written(f"(if {parts[0]} then {parts[1]} else {parts[2]})")
            case "coalesce":
                first, then = self.condition(scope, inner), self.condition(scope, inner)
                other = "false" if self.chance(30) else then.text
                return Written(f"coalesce({first.text}, {other})")
            case "define":
                found = self.defined("boolean", scope, depth)
                return found and Written(f"({found.text})")
            case "host":
                return self.host_call("boolean", scope, depth)
            case "matches":
                text = self.text_or_code(scope, inner)
                return Written(f'({bracketed(text)} matches "{self.pattern()}")')
            case "text":
                name = self.pick(("contains", "starts_with", "ends_with"))
                part = self.value("text", scope, inner)
                return Written(f"{name}({self.text_or_code(scope, inner)}, {part.text})")
            case "period":
                day, period = self.value("date", scope, inner), self.period(scope, inner)
                word = self.pick(("in", "in", "not in"))
                return Written(f"({day.text} {word} {period.text})")
            case "overlaps":
                one, other = self.period(scope, inner), self.period(scope, inner)
                return Written(f"({one.text} overlaps {other.text})")
            case "row":
                row = self.row(scope, depth)
                return row and Written(f"({row[0]} is {self.pick(('missing', 'present'))})")
            case "exists" | "every":
                return self.quantifier(form, scope, depth)
            case "presence":
                wanted = self.pick((*VALUES, "period")) if depth > 0 else self.pick(VALUES)
                if wanted == "boolean" and depth <= 0:
                    wanted = "date"
                value = self.value(wanted, scope, inner, constant=False)
                return Written(f"({bracketed(value.text)} is {self.pick(('missing', 'present'))})")
            case "set":
                return self.membership(scope, depth)
            case "between":
                return self.between(scope, depth)
            case "column":
                found = self.column("boolean", scope, depth) or self.named("boolean", scope)
                return found and Written(found.text)
            case _:
                return self.comparison(scope, depth)

    def comparison(self, scope: Scope, depth: int) -> Written:
        wanted = self.pick((*ORDERED, *ORDERED, "boolean"))
        if wanted == "boolean":
            if depth <= 0:
                wanted = "date"
            else:
                left, right = self.condition(scope, depth - 1), self.condition(scope, depth - 1)
                return Written(
                    f"({bracketed(left.text)} {self.pick(('=', '!='))} {bracketed(right.text)})"
                )
        left = self.value(wanted, scope, depth, constant=False)
        right = self.other_side(wanted, scope, depth - 1)
        if self.chance(20):
            left, right = right, left
        op = self.pick(("=", "!=", "<", "<=", ">", ">="))
        return Written(f"({left.text} {op} {right.text})")

    def other_side(self, wanted: str, scope: Scope, depth: int) -> Written:
        if self.chance(35):
            return self.literal(wanted)
        if wanted in ("integer", "decimal") and self.chance(25):
            wanted = "decimal" if wanted == "integer" else "integer"
        return self.value(wanted, scope, depth)

    def between(self, scope: Scope, depth: int) -> Written:
        wanted = self.pick(ORDERED)
        operand = self.value(wanted, scope, depth - 1, constant=False)
        low, high = self.ends(wanted, scope, depth - 1)
        return Written(f"({operand.text} between {low} and {high})")

    def ends(self, wanted: str, scope: Scope, depth: int) -> tuple[str, str]:
        """The ends of a range, in order where both are written out."""
        if self.chance(60):
            values = [self.some_value(wanted), self.some_value(wanted)]
            order = CODE_SETS.get(wanted)
            values.sort(key=(lambda v: order.index(str(v))) if order else None)  # type: ignore[arg-type]
            return literal_of(values[0]), literal_of(values[1])
        low = self.value(wanted, scope, depth, constant=False)
        return low.text, self.other_side(wanted, scope, depth).text

    def membership(self, scope: Scope, depth: int) -> Written:
        wanted = self.pick(VALUES)
        if wanted == "boolean":
            wanted = "program"
        operand = self.value(wanted, scope, depth - 1, constant=False)
        items: list[str] = []
        for _ in range(1 + self.below(3)):
            if wanted != "text" and self.chance(35):
                low, high = self.ends(wanted, scope, depth - 1)
                items.append(f"{low}..{high}")
            elif self.chance(70):
                items.append(self.literal(wanted).text)
            else:
                items.append(self.other_side(wanted, scope, depth - 1).text)
        return Written(
            f"({operand.text} {self.pick(('in', 'in', 'not in'))} {{{', '.join(items)}}})"
        )

    def pattern(self) -> str:
        if self.chance(60):
            return self.pick(_PATTERNS)
        parts = [self.pick(_PATTERN_PARTS) + self.pick(("", "", "*", "+", "?")) for _ in range(2)]
        return "".join(parts)

    # ── quantifiers ─────────────────────────────────────────────────────────────────────────────

    def quantifier(self, form: str, scope: Scope, depth: int) -> Written | None:
        if self.fuel < 2:
            return None
        self.fuel -= 2
        variable, table, where, inside = self.over(scope, depth)
        tail = f"{variable} in {table}{where}"
        if form == "exists":
            return Written(f"exists({tail})")
        return Written(f"every({tail} satisfies {self.condition(inside, depth - 1).text})")

    def over(
        self, scope: Scope, depth: int, table: str | None = None
    ) -> tuple[str, str, str, Scope]:
        """A row variable, its table, ` where …` or nothing, and the scope of what is asked of those
        rows.
        """
        variable = self.fresh("q")
        links = [] if not scope.linkable else ["linked"] * 6
        style = self.pick([*links, "alone", "lookup"])
        if table is None:
            table = "school" if style == "lookup" else self.any_table()
        if style == "lookup" and not self.tables[table].lookup:
            style = "alone"
        if style == "linked" and not any(self.pairs(table, each) for _, each in scope.linkable):
            style = "alone"
        self.tables_read.add(table)
        alone = Scope().with_row(variable, table)
        inside = scope.with_row(variable, table)
        if style == "alone":
            text = self.condition(alone, depth - 2).text if self.chance(40) else None
            return variable, table, f" where {text}" if text else "", alone
        if style == "lookup":
            text = self.condition(inside, depth - 1).text if self.chance(70) else None
            return variable, table, f" where {text}" if text else "", inside
        parts = [self.link(variable, table, scope, depth)]
        if self.chance(15):
            parts.append(self.link(variable, table, scope, depth))
        if self.chance(20):
            parts.append(bracketed(self.condition(alone, depth - 2).text))
        if self.chance(30):
            parts.append(self.residual(variable, table, scope, inside, depth))
        if self.chance(30):
            parts.reverse()
        return variable, table, f" where {' and '.join(parts)}", inside

    def pairs(self, table: str, outer: str) -> list[tuple[str, str]]:
        """The columns of two tables that have one type."""
        return [
            (mine, theirs)
            for mine, one in self.tables[table].columns.items()
            for theirs, other in self.tables[outer].columns.items()
            if one == other
        ]

    def link(self, variable: str, table: str, scope: Scope, depth: int) -> str:
        """An equality of a value of the inner row and a value of an outer one."""
        outer, outer_table = self.pick([e for e in scope.linkable if self.pairs(table, e[1])])
        self.tables_read.add(outer_table)
        pairs = self.pairs(table, outer_table)
        likely = [p for p in pairs if p[0] == p[1] and p[0].endswith("_id")]
        likely += [p for p in pairs if p[0].endswith("_id") and p[1].endswith("_id")]
        mine, theirs = self.pick(likely if likely and self.chance(88) else pairs)
        inner, outside = f"{variable}.{mine}", f"{outer}.{theirs}"
        wanted = self.tables[table].columns[mine]
        if self.chance(10):
            change = {
                "text": "upper({})",
                "date": "({} + 1)",
                "integer": "({} * 2)",
                "decimal": "round({}, 1)",
                "school_year": "({}).next",
                "boolean": "(not {})",
            }.get(wanted, "{}")
            if self.chance(50):
                inner = change.format(inner)
            else:
                outside = change.format(outside)
        elif self.chance(10) and depth > 1:
            # NOTE: what is written here may read no row, and then the link beside it must do.
            if wanted not in ("boolean", *CODE_SETS):
                extra = self.value(wanted, scope, depth - 1, constant=False)
                return f"{inner} = {outside} and {variable}.{mine} = {extra.text}"
        sides = (inner, outside) if self.chance(50) else (outside, inner)
        return f"{sides[0]} = {sides[1]}"

    def residual(self, variable: str, table: str, scope: Scope, inside: Scope, depth: int) -> str:
        """A condition that compares the inner row with an outer one in another way than by
        equality.
        """
        outer, outer_table = self.pick(scope.linkable)
        columns = self.tables[table].columns
        pairs = [each for each in self.pairs(table, outer_table) if columns[each[0]] != "boolean"]
        if pairs and self.chance(60):
            mine, theirs = self.pick(pairs)
            self.tables_read.add(outer_table)
            return f"{variable}.{mine} {self.pick(('<', '<=', '>', '>=', '!='))} {outer}.{theirs}"
        return bracketed(self.condition(inside, depth - 1).text)


def bracketed(text: str) -> str:
    """The text between brackets, unless a bracket or a name already begins and ends it."""
    return text if text.isidentifier() else f"({text})"


def written_out(value: Value) -> Written:
    """A literal. Negative numbers stand between brackets."""
    text = literal_of(value)
    places = len(text.partition(".")[2]) if isinstance(value, Decimal) else 0
    return Written(f"({text})" if text.startswith("-") else text, True, places)
