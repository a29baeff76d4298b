"""admit: Revision -> the tables as their declarations say, lazily

Every value gets its declared type, or is found to be none: then the cell is missing, and the
built-in rules of the table report it with what stood there. Nothing converts in silence: a column
of another kind than declared (whole numbers for a text id, which has lost its zeros by then) is not
taken, and the rules that need it are not evaluated, with that reason.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from ruleforge.engine.plan import ROW
from ruleforge.engine.polars_functions import date_of_text, number_of_text
from ruleforge.engine.polars_types import FIRST_DAY, LARGEST, LAST_DAY, dtype_of
from ruleforge.engine.revision import LINE, Part, Revision, TableLike
from ruleforge.language.functions import BLANKS
from ruleforge.language.schema import Column, Schema, Table
from ruleforge.language.suggest import nearest
from ruleforge.language.types import (
    CELL_PLACES,
    MOST_DIGITS,
    BooleanType,
    CodeType,
    DateType,
    DecimalType,
    IntegerType,
    PeriodType,
    SchoolYearType,
    TextType,
)

FILE = "#file"  # the number of its file among `AdmittedTable.files`
BAD, RAW = "#bad.", "#raw."  # before the names of `bad` and `raw`

_TRUE, _FALSE = ("true", "yes", "y", "t", "1"), ("false", "no", "n", "f", "0")


class RevisionError(Exception):
    """Data that is not what the rulebook calls a table at all: an unknown table, an object that
    holds no rows.
    """


def bad(column: str) -> str:
    """The column that says whether a cell could not be read as its type."""
    return f"{BAD}{column}"


def raw(column: str) -> str:
    """The column with what stood in a cell."""
    return f"{RAW}{column}"


@dataclass(frozen=True)
class AdmittedPart:
    """One part of a table, with the expression of each column that it has."""

    frame: pl.LazyFrame
    columns: dict[str, pl.Expr]


@dataclass(frozen=True)
class AdmittedTable:
    """A table ready to be read. `unusable` says of each declared column that is not, why."""

    table: Table
    schema: Schema
    parts: tuple[AdmittedPart, ...]
    supplied: frozenset[str]
    unusable: dict[str, str]
    files: tuple[str, ...]
    convertible: frozenset[str]  # columns that have `bad` and `raw` beside them
    lined: bool = False
    source: "AdmittedTable | None" = None  # that of which some columns are held in memory here
    held: pl.DataFrame | None = None  # those columns
    # Makes the table with all its columns, where it is a view of which only some are made.
    remake: "Callable[[], AdmittedTable] | None" = None

    def scan(self, names: Mapping[str, str], row: str | None = None) -> pl.LazyFrame:
        """The columns of `names` under other names, and the row number as `row` where it is asked
        for.
        """
        if not self.holds(names) and self.source is not None:
            return self.source.scan(names, row)
        whole = self.with_all(names)
        if whole is not self:
            return whole.scan(names, row)
        frames = [self.columns(part, names) for part in self.parts]
        frame = frames[0] if len(frames) == 1 else pl.concat(frames, how="vertical")
        return frame if row is None else frame.with_row_index(row)

    def with_all(self, names: Iterable[str]) -> "AdmittedTable":
        """The table with these columns and, where they are not all made yet, every other."""
        if self.remake is None or not self.parts:
            return self
        made = self.parts[0].columns
        return self if all(n in made or n not in self.supplied for n in names) else self.remake()

    def columns(self, part: AdmittedPart, names: Mapping[str, str]) -> pl.LazyFrame:
        """The columns of one part."""
        columns = [self.typed(part, name).alias(alias) for name, alias in names.items()]
        if any(name in part.columns and name != FILE for name in names):
            return part.frame.select(columns)
        # NOTE: columns that are all literals have no height of their own, so one that the frame has
        # goes along.
        height = part.frame.select(pl.first().is_null().alias("#height"), *columns)
        return height.drop("#height") if columns else height

    def holds(self, names: Iterable[str]) -> bool:
        """Whether all of these columns that the data has are among those in memory."""
        if self.source is None or self.held is None:
            return False
        there = {name for part in self.source.parts for name in part.columns}
        return all(name in self.held.columns for name in names if name in there)

    def in_memory(self, names: Iterable[str]) -> "AdmittedTable":
        """The same table with these columns converted once for all that will read them; itself
        where there is nothing to convert. Whoever asks for another column gets it from the source.

        What stood in a cell is kept only for cells that could not be read.
        """
        wanted = dict.fromkeys(
            [*names, *([LINE] if self.lined else []), *([FILE] if self.files else [])]
        )
        there = {name for part in self.parts for name in part.columns}
        wanted = {name: None for name in wanted if name in there}
        if not self.convertible or not wanted:
            return self
        unread = {name: bad(name.removeprefix(RAW)) for name in wanted if name.startswith(RAW)}
        frame = self.scan({name: name for name in (*wanted, *unread.values())})
        masked = [
            pl.when(pl.col(flag)).then(pl.col(name)).alias(name) for name, flag in unread.items()
        ]
        held = frame.with_columns(masked).select(list(wanted)).collect(engine="streaming")
        part = AdmittedPart(held.lazy(), {name: pl.col(name) for name in wanted})
        return replace(self, parts=(part,), source=self, held=held)

    def among(
        self, keys: pl.DataFrame, names: Sequence[str], row: str | None = None
    ) -> pl.LazyFrame:
        """Columns of the rows whose values in the columns of `keys` are one of its rows; of others
        nothing but those is converted. The row number is `row`, where it is asked for, and may be
        one of `keys`.
        """
        if self.source is not None:
            return self.source.among(keys, names, row)
        every = self.with_all((*(name for name in keys.columns if name != row), *names))
        if every is not self:
            return every.among(keys, names, row)
        frames = []
        number = [] if row is None else [row]
        start = 0
        for part in self.parts:
            whole = part.frame if row is None else part.frame.with_row_index(row, start)
            marks = {name: f"#among.{name}" for name in keys.columns}
            marked = whole.with_columns(
                (pl.col(n) if n == row else self.typed(part, n)).alias(m) for n, m in marks.items()
            )
            few = marked.join(keys.lazy().rename(marks), on=list(marks.values()), how="semi")
            # NOTE: columns that are all literals have no height of their own; those of `keys` give
            # them one.
            columns = (self.typed(part, name).alias(name) for name in names)
            frames.append(few.select(*marks.values(), *number, *columns).select(*number, *names))
            if row is not None and len(self.parts) > 1:
                start += part.frame.select(pl.len()).collect(engine="streaming").item()
        return pl.concat(frames, how="vertical")

    def at(self, rows: pl.Series, names: Sequence[str]) -> pl.DataFrame:
        """`#row` and these columns of the rows of these numbers, in the order of the table."""
        numbers = rows.unique().sort().alias(ROW)
        if self.held is not None and self.holds(names):
            part = self.parts[0]
            columns = [self.typed(part, name).alias(name) for name in names]
            # NOTE: a column that is only a literal has no height of its own; `#row` gives it one.
            return self.held[numbers].with_columns(numbers).select(ROW, *columns)
        only = numbers.to_frame().lazy()
        frame = self.scan({name: name for name in names}, ROW).join(only, on=ROW, how="semi")
        return frame.collect(engine="streaming").sort(ROW)

    def typed(self, part: AdmittedPart, name: str) -> pl.Expr:
        if name in part.columns:
            return part.columns[name]
        if name.startswith(BAD):
            return pl.lit(value=False)
        if name.startswith(RAW):
            return pl.lit(None, dtype=pl.String)
        if name == LINE:
            return pl.lit(None, dtype=pl.UInt32)
        if name == FILE:
            return pl.lit(None, dtype=pl.UInt32)
        return pl.lit(None, dtype=dtype_of(self.table.columns_by_name[name].type, self.schema))


@dataclass(frozen=True)
class AdmittedRevision:
    """The tables of a revision and of its datasets (`prior.enrollment`), each as its declaration
    says. `lacking` says of tables of datasets that are not there what is lacking.
    """

    name: str
    tables: dict[str, AdmittedTable] = field(default_factory=dict)
    lacking: dict[str, str] = field(default_factory=dict)


def admit(revision: Revision, schema: Schema) -> AdmittedRevision:
    """The tables of a revision and of its datasets. A lookup table that a dataset does not bring is
    the revision's own.

    Raises `RevisionError` for a table or dataset that is not declared, and for what is no table.
    """
    given: dict[str, TableLike] = {}
    for name, table in revision.tables.items():
        if name not in schema.tables:
            raise RevisionError(f"the rulebook declares no table `{name}`; {_known(name, schema)}")
        given[name] = table
    for dataset, tables in revision.datasets.items():
        if dataset not in schema.datasets:
            known = ", ".join(schema.datasets) or "none"
            raise RevisionError(
                f"the rulebook declares no dataset `{dataset}`; its datasets are {known}"
            )
        if not isinstance(tables, Mapping):
            raise RevisionError(
                f"the dataset `{dataset}` is one {type(tables).__name__};"
                f" give its tables by their names: `{{{dataset!r}: {{'student': …}}}}`"
            )
        for name, table in tables.items():
            if name not in schema.tables:
                raise RevisionError(
                    f"the rulebook declares no table `{name}`, as the dataset `{dataset}` has it;"
                    f" {_known(name, schema)}"
                )
            given[f"{dataset}.{name}"] = table
    blank = {tuple(each.rsplit(".", 1)) for each in revision.blank}
    admitted = {
        name: _admit_table(schema.table(name), table, schema, {c for t, c in blank if t == name})
        for name, table in given.items()
    }
    lacking: dict[str, str] = {}
    for other in schema.derived.values():
        if not other.dataset or other.label or other.name in admitted:
            continue
        if other.lookup and other.base in admitted and other.dataset in revision.datasets:
            admitted[other.name] = replace(admitted[other.base], table=other)
        elif other.dataset in revision.datasets:
            lacking[other.name] = f"the dataset `{other.dataset}` has no table `{other.base}`"
        else:
            lacking[other.name] = f"the dataset `{other.dataset}` is not given"
    return AdmittedRevision(revision.name, admitted, lacking)


def _known(name: str, schema: Schema) -> str:
    """What to write instead of the name of a table that is not declared."""
    near = nearest(name, schema.tables)
    if near is not None:
        return f"did you mean `{near}`?"
    return f"its tables are {', '.join(sorted(schema.tables))}"


def _admit_table(table: Table, given: TableLike, schema: Schema, blank: set[str]) -> AdmittedTable:
    parts = given if isinstance(given, tuple) else (Part(_frame(table, given)),)
    admitted: list[AdmittedPart] = []
    unusable: dict[str, str] = {}
    supplied: set[str] = set(blank)
    convertible: set[str] = set()
    lacking: dict[str, str] = {}
    files = tuple(dict.fromkeys(part.file for part in parts if part.file is not None))
    lined = False
    for part in parts:
        dtypes = part.frame.collect_schema()
        columns: dict[str, pl.Expr] = {}
        for column in table.columns:
            if column.name not in dtypes:
                continue
            held, conversion = _conversion(column, dtypes[column.name], schema, part.date_format)
            if conversion is None:
                unusable[column.name] = f"it holds {held}"
                continue
            supplied.add(column.name)
            columns[column.name] = conversion.value
            if conversion.bad is not None:
                convertible.add(column.name)
                columns[bad(column.name)] = conversion.bad
                columns[raw(column.name)] = pl.col(column.name).cast(pl.String)
        if LINE in dtypes:
            lined = True
            columns[LINE] = pl.col(LINE).cast(pl.UInt32)
        if part.file is not None:
            columns[FILE] = pl.lit(files.index(part.file), dtype=pl.UInt32)
        admitted.append(AdmittedPart(part.frame, columns))
        if part.headed and len(parts) > 1:
            # WHY: a blank and a column that one of several files does not have are not the same.
            missing = [
                c.name for c in table.columns if c.name not in dtypes and c.name not in blank
            ]
            lacking.update(dict.fromkeys(missing, f"{part.file} does not have it"))
    lacked = {name for name in lacking if name in supplied}
    unusable |= {name: lacking[name] for name in lacked if name not in unusable}
    for column in table.columns:
        if column.name not in supplied and column.name not in unusable:
            unusable[column.name] = "the data does not have it"
    for name in unusable:
        supplied.discard(name)
    return AdmittedTable(
        table,
        schema,
        tuple(admitted),
        frozenset(supplied),
        unusable,
        files,
        frozenset(convertible),
        lined,
    )


def _frame(table: Table, given: object) -> pl.LazyFrame:
    """A lazy frame of whatever a host calls a table."""
    if isinstance(given, pl.LazyFrame):
        return given
    if isinstance(given, pl.DataFrame):
        return _with_columns(table, given).lazy()
    if isinstance(given, str | Path):
        return _from_path(table, Path(given))
    if hasattr(given, "__arrow_c_stream__"):
        return _with_columns(table, pl.DataFrame(given)).lazy()
    kind = type(given).__name__
    raise RevisionError(
        f"the table `{table.name}` is a {kind}; "
        "give a Polars frame, anything with the Arrow stream interface, or a path"
    )


def _with_columns(table: Table, frame: pl.DataFrame) -> pl.DataFrame:
    if not frame.width:
        raise RevisionError(
            f"the table `{table.name}` has no columns; give at least one of those declared"
        )
    return frame


def _from_path(table: Table, path: Path) -> pl.LazyFrame:
    if not path.is_file():
        raise RevisionError(f"the table `{table.name}` is the path {path}, where there is no file")
    try:
        if path.suffix == ".parquet":
            frame = pl.scan_parquet(path, glob=False)
        elif path.suffix == ".csv":
            # WHY: at once, so that a file that is no CSV is refused here and not in the middle of a
            # pass.
            frame = pl.read_csv(path, infer_schema=False, glob=False).lazy()
        else:
            raise RevisionError(
                f"the table `{table.name}` is the path {path}; "
                "a path ends in .parquet or .csv (`read` takes other files)"
            )
        names = frame.collect_schema().names()
    except pl.exceptions.PolarsError as mistake:
        reason = str(mistake).splitlines()[0]
        raise RevisionError(
            f"the table `{table.name}` is the path {path}, which cannot be read ({reason}); "
            "`read` takes a file line by line and reports what is wrong with it"
        ) from None
    headers = {column.header: column.name for column in table.columns if column.header}
    return frame.rename({h: n for h, n in headers.items() if h in names and n not in names})


# ── conversions ────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _Conversion:
    """The typed value, and where a cell may be none, whether it is."""

    value: pl.Expr
    bad: pl.Expr | None = None


def _checked(name: str, value: pl.Expr) -> _Conversion:
    """A conversion that makes null of what it cannot read."""
    # WHY: whether a text is blank is dear to ask, and here only those that gave no value are asked.
    unread = pl.when(value.is_null()).then(pl.col(name).cast(pl.String))
    return _Conversion(value, _is_filled(unread))


def _is_filled(text: pl.Expr) -> pl.Expr:
    return (text.str.strip_chars_start(BLANKS).str.len_bytes() > 0).fill_null(value=False)


def _conversion(
    column: Column, dtype: pl.DataType, schema: Schema, date_format: str | None
) -> tuple[str, _Conversion | None]:
    """How a column of a frame is read as declared; with None, what it holds instead."""
    name = column.name
    source = pl.col(name)
    if isinstance(dtype, pl.Null):
        return "", _Conversion(source.cast(dtype_of(column.type, schema)))
    if isinstance(dtype, pl.Categorical | pl.Enum):
        source, dtype = source.cast(pl.String), pl.String()
    if isinstance(dtype, pl.String):
        return "", _from_text(column, source, schema, date_format)
    held = _DTYPE_WORDS.get(type(dtype), str(dtype))
    return held, _from_typed(column, source, dtype)


_DTYPE_WORDS: dict[type, str] = {
    pl.Boolean: "booleans",
    pl.Date: "dates",
    pl.Datetime: "times",
    pl.Float64: "floating-point numbers",
    pl.Float32: "floating-point numbers",
    **dict.fromkeys((pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.Int128), "whole numbers"),
    **dict.fromkeys((pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64), "whole numbers"),
}


def _from_text(
    column: Column, text: pl.Expr, schema: Schema, date_format: str | None
) -> _Conversion:
    name, bare = column.name, text.str.strip_chars(BLANKS)
    match column.type:
        case TextType():
            return _Conversion(pl.when(_is_filled(text)).then(text))
        case IntegerType():
            shape = bare.str.contains(r"^[+-]?0*[0-9]{1,18}\z")
            return _checked(name, pl.when(shape).then(bare).cast(pl.Int64, strict=False))
        case DecimalType():
            return _checked(name, number_of_text(text))
        case BooleanType():
            lower = bare.str.to_lowercase()
            value = pl.when(lower.is_in(_TRUE)).then(True).when(lower.is_in(_FALSE)).then(False)  # noqa: FBT003
            return _checked(name, value)
        case DateType():
            return _checked(name, date_of_text(bare, date_format or "%Y-%m-%d"))
        case SchoolYearType():
            return _checked(name, _school_year(bare))
        case CodeType():
            return _checked(name, _code(column, text, schema))
        case PeriodType():
            raise AssertionError("no column is a period")


def _school_year(text: pl.Expr) -> pl.Expr:
    """`2023-24` or `2023-2024` as the year in which it starts."""
    start = text.str.slice(0, 4).cast(pl.Int32, strict=False)
    end = text.str.slice(5)
    following = start + 1
    short = (end.str.len_chars() == 2) & (end == (following % 100).cast(pl.String).str.zfill(2))
    long = (end.str.len_chars() == 4) & (end == following.cast(pl.String).str.zfill(4))
    shape = text.str.contains(r"^[0-9]{4}-[0-9]{2}(?:[0-9]{2})?\z")
    return pl.when(shape & (short | long) & start.is_between(1, 9997)).then(start)


def _code(column: Column, text: pl.Expr, schema: Schema) -> pl.Expr:
    """A code, by itself or by another spelling that its set allows."""
    assert isinstance(column.type, CodeType)
    code_set = schema.code_sets[column.type.name]
    spellings: dict[str, str] = {}
    if column.by_label:
        spellings |= {code.label: code.code for code in reversed(code_set.codes)}
    spellings |= {also: code.code for code in code_set.codes for also in code.also}
    # A code is itself, whatever other code it may be a label of.
    spellings = {s: c for s, c in spellings.items() if s not in code_set.position_by_code}
    if spellings:
        text = text.replace(list(spellings), list(spellings.values()))
    return text.cast(dtype_of(column.type, schema), strict=False)


def _from_typed(column: Column, source: pl.Expr, dtype: pl.DataType) -> _Conversion | None:
    match column.type:
        case IntegerType() if dtype.is_integer():
            value = source.cast(pl.Int128)
            fitting = pl.when(value.abs() < LARGEST).then(value).cast(pl.Int64, strict=False)
            return _Conversion(fitting, source.is_not_null() & fitting.is_null())
        case IntegerType() if dtype.is_float():
            # pandas holds whole numbers with gaps as floats; one with a fraction is no whole
            # number.
            whole = pl.when((source == source.floor()) & (source.abs() < 2**53)).then(source)
            value = whole.cast(pl.Int64, strict=False)
            return _Conversion(value, source.is_not_null() & source.is_not_nan() & value.is_null())
        case DecimalType() if dtype.is_integer() or dtype.is_float() or dtype.is_decimal():
            filled = source.is_not_null()
            if dtype.is_float():
                filled = filled & source.is_not_nan()
            # WHY: by text, so that 0.1 is 0.1 and not the binary number beside it.
            value = number_of_text(_plain(source, dtype))
            return _Conversion(value, filled & value.is_null())
        case BooleanType() if isinstance(dtype, pl.Boolean):
            return _Conversion(source)
        case BooleanType() if dtype.is_integer():
            value = pl.when(source == 1).then(True).when(source == 0).then(False)  # noqa: FBT003
            return _Conversion(value, source.is_not_null() & value.is_null())
        case DateType() if isinstance(dtype, pl.Date):
            value = pl.when(source.is_between(FIRST_DAY, LAST_DAY)).then(source)
            return _Conversion(value, source.is_not_null() & value.is_null())
        case DateType() if isinstance(dtype, pl.Datetime):
            day = source.dt.date()
            value = pl.when(source == day.cast(dtype)).then(day)
            return _Conversion(value, source.is_not_null() & value.is_null())
        case _:
            return None


def _plain(number: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """A number as digits and a point, without needless zeros at the end."""
    text = number.cast(pl.String)
    if dtype.is_integer():
        return text
    if dtype.is_float():
        text = _without_exponent(text)
    trimmed = text.str.strip_chars_end("0").str.strip_chars_end(".")
    return pl.when(text.str.contains(".", literal=True)).then(trimmed).otherwise(text)


def _without_exponent(text: pl.Expr) -> pl.Expr:
    """`1.5e-7` as `0.00000015`, `1e+16` as `10000000000000000`; an exponent beyond any number of the language stays."""
    # NOTE: Polars writes great and small floats like this, though it is the same number whichever way it is written.
    sign = pl.when(text.str.starts_with("-")).then(pl.lit("-")).otherwise(pl.lit(""))
    digits = text.str.extract("^-?([0-9.]+)e").str.replace(".", "", literal=True)
    plain = text
    for places in range(1, CELL_PLACES + 1):
        moved = pl.concat_str([sign, pl.lit("0." + "0" * (places - 1)), digits])
        plain = pl.when(text.str.ends_with(f"e-{places}")).then(moved).otherwise(plain)
    for places in range(1, MOST_DIGITS):
        moved = pl.concat_str([sign, digits.str.pad_end(places + 1, "0")])
        plain = pl.when(text.str.ends_with(f"e+{places}")).then(moved).otherwise(plain)
    return plain
