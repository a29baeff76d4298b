"""draft_text: Draft -> the text of a rulebook, in the one layout, with a first rule and its test

The first rule is one that the tables suggest: an end before its beginning, a day to come, a number
below 0, a blank cell. It is a warning, so that the data passes until the author says otherwise.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ruleforge.authoring.draft import Draft, DraftColumn, DraftTable
from ruleforge.authoring.names import BEGINNINGS, ENDINGS
from ruleforge.language.parse import reserved_words
from ruleforge.language.reformat import reformat
from ruleforge.language.source import Source

RULE = "First-1"
_ROW = "r"
_OF_CODES = "# The codes that were found. Give each its meaning, and add those that are missing."
_EXPECT_WORDS = ("rule", "severity", "message", "cause", "verdict")
_FIRST_DAY, _LAST_DAY = "2023-08-01", "2024-05-31"


def draft_text(draft: Draft) -> str:
    """The rulebook. It loads, and its test passes."""
    lines = [
        f"rulebook {draft.name} edition 1",
        f"title {_quoted(f'First draft of {draft.name}, from the files')}",
        "",
        "# Drafted by `ruleforge new` from what the files hold today. Nothing here is certain but that",
        "# these files pass: make it say what they should hold. Each `required`, code list, key and",
        "# reference is a check of its own.",
        "",
    ]
    if draft.codes:
        lines += [_OF_CODES]
    for name, codes in draft.codes.items():
        lines += [f"codes {_name(name)}"]
        lines += [f"{_quoted(code)} {_quoted(code)}" for code in codes]
        lines += [""]
    for table in draft.tables:
        lines += [f"# {note}" for note in table.notes]
        lines += [*_table(table), ""]
    first = _first_rule(draft)
    lines += [*first.lines(), ""]
    return reformat(Source(f"{draft.name}.rules", "\n".join(lines) + "\n"))


def _name(name: str) -> str:
    return f"`{name}`" if name in reserved_words() else name


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _table(table: DraftTable) -> Iterator[str]:
    yield f"table {_name(table.name)}"
    delimited = "" if table.delimiter == "," else f" delimited {_quoted(table.delimiter)}"
    dates = "" if table.date_format is None else f" dates {_quoted(table.date_format)}"
    yield f"file {_quoted(table.file)}{delimited}{dates}"
    for column in table.columns:
        yield _column(column)
    if table.key:
        yield f"key {', '.join(map(_name, table.key))}"


def _column(column: DraftColumn) -> str:
    words = [f"{_name(column.name)}: {_name(column.type)}"]
    words += ["required"] if column.required else []
    words += [f"identifies {column.role}"] if column.role is not None else []
    words += [f"references {_name(column.references)}"] if column.references is not None else []
    words += ["sensitive"] if column.sensitive else []
    words += [f"from {_quoted(column.header)}"] if column.header is not None else []
    words += [f" # {column.note}"] if column.note else []
    return " ".join(words)


# ── the first rule ─────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _First:
    """A rule about a column or two of a table. `broken` and `kept` are cells of a row that breaks
    it, and of one that does not.
    """

    draft: Draft
    table: DraftTable
    title: str
    condition: str
    broken: dict[str, str]
    kept: dict[str, str]
    setting: str = ""

    def lines(self) -> Iterator[str]:
        yield "# A first rule, to be replaced by yours, and its test."
        yield f"rule {RULE} warning"
        yield f"title {_quoted(self.title)}"
        yield f"for {_ROW} in {_name(self.table.name)}"
        yield f"report when {self.condition}"
        rows = [
            ({name: self.value(name, number) for name in self.known_by} | cells, verdict)
            for number, (cells, verdict) in enumerate(
                ((self.broken, "fails"), (self.kept, "holds"))
            )
        ]
        columns = list(dict.fromkeys([*self.known_by, *self.kept]))
        # NOTE: a row of `expect` that names no row of the data is met by any.
        shown = [n for n in self.known_by if n not in self.broken and n not in _EXPECT_WORDS]
        yield f"test {_quoted(self.title)}"
        if self.setting:
            yield f"with {self.setting}"
        yield f"given {_name(self.table.name)}"
        yield _cells(columns)
        yield from (_cells([values[name] for name in columns]) for values, _ in rows)
        yield "expect"
        yield _cells(["rule", *shown, "verdict"])
        for values, verdict in rows:
            yield _cells([RULE, *(values[name] for name in shown), verdict])

    @property
    def known_by(self) -> list[str]:
        """The columns by which the rows of the test are known: the key, or without one all columns
        that are filled in anyway.
        """
        named = [name for name in self.table.key if self.is_telling(name)]
        if named:
            return named
        every = [column.name for column in self.table.columns if self.is_telling(column.name)]
        others = [name for name in every if name not in self.kept]
        return (others or every)[:1] if not self.table.key else list(self.table.key[:1])

    def is_telling(self, name: str) -> bool:
        """Whether a column can have another value in each row of the test."""
        column_type = self.table.columns_by_name[name].type
        return column_type != "boolean" and len(self.draft.codes.get(column_type, ("1", "2"))) > 1

    def value(self, name: str, number: int) -> str:
        """A value of a column, another one for each number."""
        return _value(self.table.columns_by_name[name].type, self.draft, number)


def _value(column_type: str, draft: Draft, number: int) -> str:
    match column_type:
        case "text":
            return f"R{number + 1}"
        case "integer":
            return str(number + 1)
        case "decimal":
            return f"{number + 1}.5"
        case "boolean":
            return "true"
        case "date":
            return f"2023-09-0{number + 1}"
        case "school_year":
            return f"202{number + 3}-2{number + 4}"
        case _:
            codes = draft.codes[column_type]
            return _cell(codes[number % len(codes)])


def _cell(text: str) -> str:
    """A cell of a test: in quotes where it would not be read as it is."""
    plain = text == text.strip() and text and not set(text) & set('|"#\\')
    return text if plain else _quoted(text)


def _cells(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _first_rule(draft: Draft) -> _First:
    for table in draft.tables:
        pair = _beginning_and_end(table)
        if pair is not None:
            return _order(draft, table, *pair)
    for table in draft.tables:
        for column in table.columns:
            if column.type == "date":
                return _day_to_come(draft, table, column)
    for table in draft.tables:
        for column in table.columns:
            if column.type in ("integer", "decimal") and column.name not in table.key:
                return _below_nothing(draft, table, column)
    return _blank(draft, draft.tables[0])


def _beginning_and_end(table: DraftTable) -> tuple[DraftColumn, DraftColumn] | None:
    dates = [column for column in table.columns if column.type == "date"]
    for beginning in dates:
        for first, last in zip(BEGINNINGS, ENDINGS, strict=False):
            words = beginning.name.split("_")
            if first in words:
                name = "_".join(last if word == first else word for word in words)
                end = next((each for each in dates if each.name == name), None)
                if end is not None:
                    return beginning, end
    return None


def _order(draft: Draft, table: DraftTable, beginning: DraftColumn, end: DraftColumn) -> _First:
    return _First(
        draft,
        table,
        f"{end.name} is before {beginning.name}",
        f"{_ROW}.{end.name} < {_ROW}.{beginning.name}",
        {beginning.name: _LAST_DAY, end.name: _FIRST_DAY},
        {beginning.name: _FIRST_DAY, end.name: _LAST_DAY},
    )


def _day_to_come(draft: Draft, table: DraftTable, column: DraftColumn) -> _First:
    return _First(
        draft,
        table,
        f"{column.name} is still to come",
        f"{_ROW}.{column.name} > as_of",
        {column.name: _LAST_DAY},
        {column.name: _FIRST_DAY},
        f"as_of = {_FIRST_DAY}",
    )


def _below_nothing(draft: Draft, table: DraftTable, column: DraftColumn) -> _First:
    return _First(
        draft,
        table,
        f"{column.name} is below 0",
        f"{_ROW}.{column.name} < 0",
        {column.name: "-1"},
        {column.name: "0"},
    )


def _blank(draft: Draft, table: DraftTable) -> _First:
    """A blank cell of a column that has none now, or of any."""
    others = [column for column in table.columns if column.name not in table.key]
    column = next((each for each in others if each.complete), (others or list(table.columns))[0])
    return _First(
        draft,
        table,
        f"{column.name} is blank",
        f"{_ROW}.{column.name} is missing",
        {column.name: ""},
        {column.name: _value(column.type, draft, 1)},
    )
