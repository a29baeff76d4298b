"""draft: a rulebook that begins with what files look like, before it is text

Whoever has read the files (`infer`) makes it, `draft_text` writes it, and what turns out to be too
much said of the data is taken back, claim by claim.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class DraftColumn:
    """A column. `type` is the word of a type or the name of a code set; `header` is None where it is
    the name. `complete`: no cell is blank. `note` is said in a comment beside it.
    """

    name: str
    type: str
    header: str | None = None
    complete: bool = False
    required: bool = False
    role: str | None = None
    sensitive: bool = False
    references: str | None = None
    note: str = ""


@dataclass(frozen=True)
class DraftTable:
    """A table and the files that it is read from. `key` is empty where none was found. `notes` are
    said in comments above it.
    """

    name: str
    file: str
    delimiter: str
    date_format: str | None
    columns: tuple[DraftColumn, ...]
    key: tuple[str, ...]
    rows: int
    notes: tuple[str, ...] = ()

    @property
    def columns_by_name(self) -> dict[str, DraftColumn]:
        return {column.name: column for column in self.columns}

    def with_column(self, column: DraftColumn) -> "DraftTable":
        """The table with a column in the place of the one of its name."""
        columns = tuple(column if each.name == column.name else each for each in self.columns)
        return replace(self, columns=columns)


@dataclass(frozen=True)
class Draft:
    """`codes` are the codes of each code set, in order."""

    name: str
    codes: Mapping[str, tuple[str, ...]]
    tables: tuple[DraftTable, ...]

    def without(self, rule: str) -> "Draft":
        """The draft without the claim about the data that a built-in rule makes of it."""
        table_name, *rest = rule.split(".")
        tables = []
        for table in self.tables:
            if table.name == table_name and rest == ["key"]:
                table = replace(table, key=())
            elif table.name == table_name and len(rest) == 2 and rest[0] in table.columns_by_name:
                column = table.columns_by_name[rest[0]]
                match rest[1]:
                    case "required":
                        column = replace(column, required=False)
                    case "reference":
                        column = replace(column, references=None)
                    case _:
                        column = replace(column, type="text")
                table = table.with_column(column)
            tables.append(table)
        keys = {table.name for table in tables if len(table.key) == 1}
        tables = [
            replace(
                table,
                columns=tuple(
                    each if each.references in keys else replace(each, references=None)
                    for each in table.columns
                ),
            )
            for table in tables
        ]
        used = {column.type for table in tables for column in table.columns}
        codes = {name: codes for name, codes in self.codes.items() if name in used}
        return Draft(self.name, codes, tuple(tables))
