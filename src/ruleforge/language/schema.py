"""schema: the tables and code sets that a rulebook declares

What the data should look like, known before any data is read. The engine and the intake read these;
nothing here knows how a file or a frame is read.
"""

from dataclasses import dataclass, field
from functools import cached_property

from ruleforge.language.types import ValueType

ROLES_OF_EVERY_FINDING = ("lea", "school", "student", "staff")


@dataclass(frozen=True, order=True, slots=True)
class SchoolYear:
    """July to June, named by the year in which it starts: `SchoolYear(2023)` is 2023-24."""

    start_year: int

    def __str__(self) -> str:
        return f"{self.start_year:04d}-{(self.start_year + 1) % 100:02d}"


@dataclass(frozen=True, slots=True)
class Code:
    """One code: `also` are spellings that a file may carry instead; `since` and `until` are its
    first and last year.
    """

    code: str
    label: str
    also: tuple[str, ...] = ()
    since: SchoolYear | None = None
    until: SchoolYear | None = None


@dataclass(frozen=True)
class CodeSet:
    """Codes in the order of their declaration, which is the order of ranges and comparisons."""

    name: str
    codes: tuple[Code, ...]
    doc: str = ""

    @cached_property
    def position_by_code(self) -> dict[str, int]:
        return {each.code: position for position, each in enumerate(self.codes)}


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `header` is its name or path in a file where that differs, `identifies` the role it
    plays.
    """

    name: str
    type: ValueType
    required: bool = False
    max_length: int | None = None
    identifies: str | None = None
    sensitive: bool = False
    header: str | None = None
    by_label: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """Navigation to the row of `table` whose key equals `columns`, in the order of that key.

    `checked` where the column says `references`: then a value that finds no row is a finding.
    """

    name: str
    table: str
    columns: tuple[str, ...]
    checked: bool


@dataclass(frozen=True, slots=True)
class FileClause:
    """How to read the files whose name matches `pattern`; `element` is set for interchange XML."""

    pattern: str
    delimiter: str = ","
    header: bool = True
    date_format: str | None = None
    element: str | None = None


@dataclass(frozen=True)
class Table:
    """A table, or what is read like one: a view, a table of a dataset, a table within its scope.

    `key` is never empty: a table that declares none is identified by all its columns. `base` is the
    declared table whose rows these are, empty for itself; `dataset` where they come from if not
    from the revision; `label` what findings call it if not by its name.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    key_declared: bool = True
    links: tuple[Link, ...] = ()
    files: tuple[FileClause, ...] = ()
    lookup: bool = False
    doc: str = ""
    base: str = ""
    dataset: str = ""
    label: str = ""

    @property
    def shown(self) -> str:
        """What the table is called in findings and messages."""
        return self.label or self.name

    @property
    def kind(self) -> str:
        """The declared table, or view, of which this is a row: rows of one kind have one shape."""
        return self.base or self.name

    @cached_property
    def columns_by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    @cached_property
    def links_by_name(self) -> dict[str, Link]:
        return {link.name: link for link in self.links}

    @property
    def roles(self) -> dict[str, str]:
        """The column that identifies each role of a row."""
        return {column.identifies: column.name for column in self.columns if column.identifies}


@dataclass(frozen=True)
class Schema:
    """All tables and code sets that a rulebook sees, its own and those of the rulebooks it uses, by
    name.

    `tables` are declared, `derived` are made of them: views, scoped tables, and those of datasets
    (`prior.enrollment`).
    """

    tables: dict[str, Table] = field(default_factory=dict)
    code_sets: dict[str, CodeSet] = field(default_factory=dict)
    derived: dict[str, Table] = field(default_factory=dict)

    @property
    def datasets(self) -> tuple[str, ...]:
        """The datasets beside the revision, in the order of their declaration."""
        return tuple(dict.fromkeys(t.dataset for t in self.derived.values() if t.dataset))

    @property
    def by_shown_name(self) -> dict[str, Table]:
        """Every table by what findings call it."""
        every = (*self.derived.values(), *self.tables.values())
        return {table.shown: table for table in every}

    def has(self, name: str) -> bool:
        """Whether there is a table of a name, declared or derived."""
        return name in self.tables or name in self.derived

    def table(self, name: str) -> Table:
        """The table of a name, declared or derived. Raises `KeyError`."""
        return self.tables[name] if name in self.tables else self.derived[name]

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that findings carry: the four of every finding, then the others that a table
        names, sorted.
        """
        named = {role for table in self.tables.values() for role in table.roles}
        return ROLES_OF_EVERY_FINDING + tuple(sorted(named - set(ROLES_OF_EVERY_FINDING)))


def shown_name(table: str) -> str:
    """What people call a table: within a scope, as without."""
    return table.partition("@")[0]


def same_rows(one: Table, other: Table) -> tuple[tuple[str, str], ...]:
    """The columns by which a row of one table is found again in another: of the key, where both have
    the same, else of the roles that both identify; none where there are neither.
    """
    key = [(name, one.columns_by_name[name].type) for name in one.key]
    theirs = [(name, other.columns_by_name[name].type) for name in other.key]
    if key == theirs and one.key_declared and other.key_declared:
        return tuple((name, name) for name in one.key)
    if one.name == other.name:
        return tuple((name, name) for name in one.key)
    return tuple(
        (column, other.roles[role]) for role, column in one.roles.items() if role in other.roles
    )
