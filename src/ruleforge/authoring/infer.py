"""infer: tables whose columns are all text -> Draft

What can be told from a part of the rows is told from that (types, and which columns may be a key);
what is claimed of all rows (a key, a complete column, the codes of a set, a reference) is looked up
in all of them. Where nothing is certain a column is text. No value of the data but codes goes into
a draft, and of them none that could be of a person.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import polars as pl

from ruleforge.authoring.draft import Draft, DraftColumn, DraftTable
from ruleforge.authoring.names import (
    apart,
    roles_of,
    says_codes,
    says_day,
    says_id,
    says_personal,
    says_sensitive,
    says_truth,
)
from ruleforge.engine.polars_functions import date_of_text
from ruleforge.language.functions import BLANKS
from ruleforge.language.types import NAMED_TYPES

SAMPLE = 20_000  # rows from which types are told
MOST_CODES = 40
_LONGEST_CODE = 60
_LEAST_ROWS = 20  # of which a set of codes, or that a column is required, may be told
_LEAST_USES = 3  # of each code on average, and of each that is a word
_ALMOST = 0.95  # of the cells of a column
_ALMOST_ALL = 0.99  # of the rows that a key tells apart
_MOST_KEY_COLUMNS = 4
_MOST_CANDIDATES = 8
_FORMATS = (
    "%Y-%m-%d",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%Y/%m/%d",
    "%m-%d-%Y",
    "%d/%m/%Y",
    "%Y%m%d",
    "%m%d%Y",
)
_WORDS = {"true", "false", "yes", "no"}
_LETTERS = ({"y", "n"}, {"t", "f"})
_DIGITS = {"0", "1"}
_INTEGER = r"^[+-]?(?:0|[1-9][0-9]{0,17})$"
_DECIMAL = r"^[+-]?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,10})?$"
_YEAR = r"^[0-9]{4}-[0-9]{2}(?:[0-9]{2})?$"


@dataclass(frozen=True)
class Given:
    """A table as it was read: its name, file and delimiter; the header of each column where that is
    not its name; its rows, as text but for what a typed file holds; and what is to be said of it.
    """

    name: str
    file: str
    delimiter: str
    headers: Mapping[str, str | None]
    frame: pl.LazyFrame
    notes: tuple[str, ...] = ()


def infer(name: str, tables: Sequence[Given]) -> Draft:
    """A draft of a rulebook with these tables, in their order."""
    drafted = [_table(each) for each in tables]
    drafted, codes = _with_codes(drafted, tables)
    return Draft(name, codes, tuple(_with_references(drafted, tables)))


# ── columns ────────────────────────────────────────────────────────────────────────────────────


def _text(name: str) -> pl.Expr:
    """A column as text without the blanks around it, null where it is blank."""
    bare = pl.col(name).cast(pl.String).str.strip_chars(BLANKS)
    return pl.when(bare != "").then(bare).alias(name)


def _table(given: Given) -> DraftTable:
    names = list(given.headers)
    counts = given.frame.select(
        pl.len().alias("#rows"), *(_text(name).count() for name in names)
    ).collect(engine="streaming")
    rows = counts.item(0, "#rows")
    sample = given.frame.select(pl.col(name) for name in names).head(SAMPLE).collect()
    texts = sample.select(_text(name) for name in names)
    date_format = _date_format(texts, names)
    roles = roles_of(names)
    columns = []
    for name in names:
        filled = counts.item(0, name)
        column_type = _type(name, sample[name], texts[name].drop_nulls(), date_format)
        note = "every cell is blank" if rows and not filled else ""
        if column_type == "text":
            note = note or _almost(name, texts[name].drop_nulls(), date_format)
        columns.append(
            DraftColumn(
                name,
                column_type,
                given.headers[name],
                complete=bool(rows) and filled == rows,
                role=roles.get(name),
                sensitive=says_sensitive(name) and name not in roles,
                note=note,
            )
        )
    notes = [*given.notes]
    if date_format == "%m/%d/%Y" and _is_ambiguous(texts, columns):
        notes.append("No day here is beyond 12: whether it is month/day or day/month is a guess.")
    table = DraftTable(
        given.name,
        given.file,
        given.delimiter,
        date_format if any(each.type == "date" for each in columns) else None,
        tuple(columns),
        (),
        rows,
        tuple(notes),
    )
    key = _key(table, texts, given.frame)
    required = {name for name in key if table.columns_by_name[name].complete}
    if rows >= _LEAST_ROWS:
        required |= {each.name for each in columns if each.complete}
    if rows and not key:
        no_key = "No few columns tell all rows apart: there is no key."
        table = replace(table, notes=(*notes, _almost_a_key(table, texts) or no_key))
    return replace(
        table,
        columns=tuple(replace(each, required=each.name in required) for each in columns),
        key=key,
    )


def _date_format(texts: pl.DataFrame, names: Sequence[str]) -> str | None:
    """The one format in which most columns hold dates; None for ISO, and where there are none."""
    best, most = None, 0
    for date_format in _FORMATS:
        number = sum(_are_dates(name, texts[name].drop_nulls(), date_format) for name in names)
        if number > most:
            best, most = date_format, number
    return None if best == _FORMATS[0] else best


def _are_dates(name: str, values: pl.Series, date_format: str) -> bool:
    # NOTE: eight digits are a date only where the name says so; an id may have as many.
    bare = not re.sub("%[Ymd]", "", date_format)
    if not values.len() or (bare and not says_day(name)):
        return False
    read = values.to_frame("x").select(date_of_text(pl.col("x"), date_format)).to_series()
    return read.null_count() == 0


def _is_ambiguous(texts: pl.DataFrame, columns: Sequence[DraftColumn]) -> bool:
    dates = [texts[each.name].drop_nulls() for each in columns if each.type == "date"]
    return all(_are_dates("date", each, "%d/%m/%Y") for each in dates)


def _type(name: str, values: pl.Series, texts: pl.Series, date_format: str | None) -> str:
    """The word of the type of a column; codes are found later, among texts and whole numbers."""
    dtype = values.dtype
    if not isinstance(dtype, pl.String | pl.Null | pl.Categorical | pl.Enum):
        return _typed(dtype)
    if not texts.len():
        return "text"
    if _are_dates(name, texts, date_format or _FORMATS[0]):
        return "date"
    if _are_truths(name, texts):
        return "boolean"
    if says_id(name):
        return "text"
    if texts.str.contains(_INTEGER).all():
        return "integer"
    if texts.str.contains(_DECIMAL).all():
        return "decimal"
    return "school_year" if texts.str.contains(_YEAR).all() else "text"


def _almost(name: str, texts: pl.Series, date_format: str | None) -> str:
    """What a column of text would be but for a few cells; empty where it is text."""
    few = texts.len() * (1 - _ALMOST)
    if says_id(name) or texts.len() < _LEAST_ROWS:
        return ""
    read = date_of_text(pl.col("x"), date_format or _FORMATS[0])
    words = [*_WORDS, *(_LETTERS[0] if says_truth(name) else ())]
    kinds = {
        "date": texts.to_frame("x").select(read.is_null().sum()).item(),
        "boolean": (~texts.str.to_lowercase().is_in(words)).sum(),
        "integer": (~texts.str.contains(_INTEGER)).sum(),
    }
    for kind, others in kinds.items():
        if 0 < others <= few:
            return f"could be {kind}, but for {'1 cell' if others == 1 else f'{others:,} cells'}"
    return ""


def _typed(dtype: pl.DataType) -> str:
    """The type for a column that is typed already."""
    if dtype.is_integer():
        return "integer"
    if dtype.is_float() or dtype.is_decimal():
        return "decimal"
    if isinstance(dtype, pl.Boolean):
        return "boolean"
    return "date" if isinstance(dtype, pl.Date | pl.Datetime) else "text"


def _are_truths(name: str, texts: pl.Series) -> bool:
    found = set(texts.str.to_lowercase().unique().head(5))
    if found <= _WORDS:
        return True
    if any(found == each or (found <= each and says_truth(name)) for each in _LETTERS):
        return True
    return found <= _DIGITS and says_truth(name)


# ── keys ───────────────────────────────────────────────────────────────────────────────────────


def _key(table: DraftTable, texts: pl.DataFrame, frame: pl.LazyFrame) -> tuple[str, ...]:
    """The fewest columns that tell all rows apart, in the order of the table; empty where a few do
    not. Of a table of a row or none only its name tells.
    """
    for name in (f"{table.name}_id", f"{table.name.removesuffix('s')}_id", "id"):
        column = table.columns_by_name.get(name)
        if column is not None and table.rows < 2:
            return (name,) if column.complete or not table.rows else ()
    if table.rows < 2:
        return ()
    candidates = sorted(
        (each for each in table.columns if each.complete and _likelihood(each) > 0),
        key=lambda each: -_likelihood(each),
    )[:_MOST_CANDIDATES]
    names = [each.name for each in candidates]
    order = [each.name for each in table.columns]
    for size in range(1, min(_MOST_KEY_COLUMNS, len(names)) + 1):
        for some in combinations(names, size):
            if _tell_apart(texts.lazy(), some) and _tell_apart(frame, some):
                return tuple(sorted(some, key=order.index))
    return ()


def _almost_a_key(table: DraftTable, texts: pl.DataFrame) -> str:
    """What would be a key but for a few rows; empty where nothing would."""
    names = [each.name for each in table.columns if _likelihood(each) > 0]
    names = [name for name in names if texts[name].count() >= _ALMOST_ALL * texts.height]
    likely = {name: -_likelihood(table.columns_by_name[name]) for name in names}
    names = sorted(names, key=likely.__getitem__)[:_MOST_CANDIDATES]
    for size in range(1, min(_MOST_KEY_COLUMNS, len(names)) + 1):
        for some in combinations(names, size):
            if texts.select(pl.struct(some).n_unique()).item() >= _ALMOST_ALL * texts.height:
                listed = ", ".join(f"`{name}`" for name in some)
                return f"No key was found; {listed} could be one, but for a few rows."
    return ""


def _likelihood(column: DraftColumn) -> int:
    """How likely a column is part of a key; 0 where it never is."""
    if column.sensitive or says_personal(column.name) or column.type in ("decimal", "boolean"):
        return 0
    points = {"text": 2, "date": 2, "school_year": 2, "integer": 1}[column.type]
    return points + 8 * (column.role is not None) + 4 * says_id(column.name)


def _tell_apart(frame: pl.LazyFrame, names: Sequence[str]) -> bool:
    columns = [_text(name) for name in names]
    found = frame.select(columns).select(
        pl.len().alias("#rows"), pl.struct(pl.all()).n_unique().alias("#keys")
    )
    rows, keys = found.collect(engine="streaming").row(0)
    return bool(rows == keys)


# ── codes ──────────────────────────────────────────────────────────────────────────────────────


def _with_codes(
    tables: Sequence[DraftTable], given: Sequence[Given]
) -> tuple[list[DraftTable], dict[str, tuple[str, ...]]]:
    """The tables with the columns that hold codes, and the sets. Columns of one name in several
    tables share a set.
    """
    found: dict[str, set[str]] = {}
    holders: dict[str, list[tuple[int, DraftColumn]]] = {}
    for number, table in enumerate(tables):
        for column in table.columns:
            codes = _codes(column, table, given[number].frame)
            if codes is not None:
                found.setdefault(column.name, set()).update(codes)
                holders.setdefault(column.name, []).append((number, column))
    changed = list(tables)
    sets: dict[str, tuple[str, ...]] = {}
    taken = {*NAMED_TYPES, "period", *(table.name for table in tables)}
    for name, codes in found.items():
        set_name = name if name not in taken else apart(f"{name}_code", {*taken, *sets})
        sets[set_name] = tuple(sorted(codes, key=_natural))
        for number, column in holders[name]:
            changed[number] = changed[number].with_column(replace(column, type=set_name))
    return changed, sets


def _codes(column: DraftColumn, table: DraftTable, frame: pl.LazyFrame) -> set[str] | None:
    """The codes of a column, None where it does not hold codes."""
    coded = says_codes(column.name)
    if column.type not in ("text", "integer") or (column.type == "integer" and not coded):
        return None
    if (
        table.rows < _LEAST_ROWS
        or column.name in table.key
        or column.role is not None
        or column.sensitive
        or says_personal(column.name)
        or (says_id(column.name) and not coded)
    ):
        return None
    dtype = frame.collect_schema()[column.name]
    if not isinstance(dtype, pl.String | pl.Categorical | pl.Enum):
        return None
    filled = pl.col(column.name).cast(pl.String)
    counted = (
        frame.select(filled)
        .filter(filled.str.strip_chars(BLANKS) != "")
        .group_by(column.name)
        .len()
        .head(MOST_CODES + 1)
        .collect(engine="streaming")
    )
    uses: dict[str, int] = dict(counted.iter_rows())
    if not 2 <= len(uses) <= MOST_CODES or sum(uses.values()) < _LEAST_USES * len(uses):
        return None
    return set(uses) if all(_is_code(t, n, named=coded) for t, n in uses.items()) else None


def _is_code(text: str, uses: int, *, named: bool) -> bool:
    """Whether a text may be a code. Words might be those of a person: they are taken only where the
    name of the column speaks of codes, and several rows have them.
    """
    if text != text.strip(BLANKS) or not text.isprintable() or len(text) > _LONGEST_CODE:
        return False
    short = re.fullmatch(r"[A-Z0-9#][A-Za-z0-9+/_.-]{0,7}", text) is not None
    if short and (len(text) <= 2 or any(each.isdigit() for each in text)):
        return True
    return named and uses >= _LEAST_USES and "@" not in text


def _natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """The order in which people count: 2 before 10."""
    parts = re.findall(r"[0-9]+|[^0-9]+", text)
    return tuple((0, int(p), p) if p.isascii() and p.isdecimal() else (1, 0, p) for p in parts)


# ── references ─────────────────────────────────────────────────────────────────────────────────


def _with_references(tables: Sequence[DraftTable], given: Sequence[Given]) -> Iterator[DraftTable]:
    """The tables with the columns that refer to the key of another, by name and by every value."""
    for number, table in enumerate(tables):
        links = {column.name for column in table.columns}
        for column in table.columns:
            for other, target in enumerate(tables):
                if other == number or not _may_refer(column, table, target):
                    continue
                link = column.name.removesuffix("_id")
                if link in links or link == column.name:
                    continue
                lacking = _lacking(column.name, given[number], target.key[0], given[other])
                if lacking:
                    values = "1 row has" if lacking == 1 else f"{lacking:,} rows have"
                    note = f"{values} none of `{target.name}`, so it is no reference"
                    table = table.with_column(replace(column, note=note))
                else:
                    table = table.with_column(replace(column, references=target.name))
                links.add(link)
                break
        yield table


def _may_refer(column: DraftColumn, table: DraftTable, target: DraftTable) -> bool:
    """Whether a column is called as the key of the other table, or after that table. Of two tables
    with one key the one that the key is not named for refers to the other.
    """
    if len(target.key) != 1 or not target.rows or not table.rows:
        return False
    key = target.columns_by_name[target.key[0]]
    names = {f"{target.name}_id", f"{target.name.removesuffix('s')}_id"}
    if table.key != (column.name,):
        names.add(key.name)
    return column.type == key.type == "text" and column.name in names


def _lacking(column: str, own: Given, key: str, other: Given) -> int:
    """How many rows have a value that the key of the other table does not have."""
    # NOTE: as it stands in the file, blanks around it included: so references are followed.
    filled = pl.col(column).cast(pl.String)
    values = own.frame.select(filled.alias("#value")).filter(
        pl.col("#value").str.strip_chars(BLANKS) != ""
    )
    keys = other.frame.select(pl.col(key).cast(pl.String).alias("#value"))
    number = values.join(keys, on="#value", how="anti").select(pl.len())
    return int(number.collect(engine="streaming").item())
