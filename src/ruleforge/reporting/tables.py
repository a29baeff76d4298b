"""tables: Result -> files for machines

`.csv`, `.json` and `.parquet` by the extension. Findings are written batch by batch, so memory does
not grow with their number, and without a Python object for each. A file appears whole or not at
all: everything goes to temporary names beside the targets, which are renamed when all of it is
written. A folder gets `findings.parquet`, `rules.csv` and `manifest.json`, and a CSV file for each
population and report.

| | a finding is |
|---|---|
| `.parquet` | a row of `Result.findings`, with its types |
| `.json` | an element of one array, shaped like `FindingRecord` |
| `.csv` | a row; `key`, `values` and `counterparts` are the JSON text of the same element |

NOTE: a spreadsheet takes a cell that begins with `=` for a formula, and the cell may be a
stranger's. In CSV, texts that begin with `= + - @`, a tab or a line end get a `'` in front.
"""

import io
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import polars as pl
from polars.io.plugins import register_io_source

from ruleforge.engine.finding import finding_schema, judged_tables, key_fields
from ruleforge.engine.result import Result
from ruleforge.language.core import Rulebook

EXTENSIONS = (".csv", ".json", ".parquet")
_FORMULA = r"^([=+\-@\t\r\n])"
_AT_ONCE = 50_000  # findings turned into text at a time


class OutputError(ValueError):
    """A place to which nothing can be written: a fact and a fix, in one message."""


@dataclass(frozen=True)
class Output:
    """A file of a known kind, or a folder."""

    path: Path
    is_folder: bool

    @classmethod
    def of(cls, text: str) -> "Output":
        """What `--out` names. Raises `OutputError` for an unknown extension and for a place that is
        not there.
        """
        path = Path(text)
        if path.is_dir() or text.endswith(("/", os.sep)) or not path.suffix:
            if path.exists() and not path.is_dir():
                raise OutputError(
                    f"`{text}` is a file; give it one of the extensions {', '.join(EXTENSIONS)}"
                )
            return cls(path, is_folder=True)
        if path.suffix.lower() not in EXTENSIONS:
            known = ", ".join(EXTENSIONS)
            raise OutputError(
                f"`{text}` has an unknown extension; use {known},"
                " or a name without one for a folder"
            )
        if not path.parent.is_dir():
            raise OutputError(
                f"there is no folder `{path.parent}` to write `{path.name}` to; make it first"
            )
        return cls(path, is_folder=False)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that a result makes of it."""
        if self.is_folder:
            return tuple(
                self.path / name for name in ("findings.parquet", "rules.csv", "manifest.json")
            )
        return (self.path,)


def write(result: Result, outputs: Sequence[Output]) -> None:
    """Writes a result to all places, or to none of them. Raises `OSError` where one cannot be
    written.
    """
    with Staging() as staging:
        for output in outputs:
            if output.is_folder:
                output.path.mkdir(parents=True, exist_ok=True)
                findings, rules, manifest = (staging.file(path) for path in output.files)
                _write_findings(result, findings, ".parquet")
                write_table(_rules(result), rules, ".csv")
                manifest.write_text(
                    result.manifest.model_dump_json(indent=2) + "\n", encoding="utf-8"
                )
                for name, table in _published(result).items():
                    write_table(table, staging.file(output.path / name), ".csv")
            else:
                _write_findings(result, staging.file(output.path), output.path.suffix.lower())


def _published(result: Result) -> dict[str, pl.DataFrame]:
    """Populations and reports, by the name of their file."""
    populations = {
        _file_of("population", name): frame.with_columns(pl.col("rules").list.join(", "))
        for name, frame in result.populations.items()
    }
    reports = {_file_of("report", name): frame for name, frame in result.reports.items()}
    return populations | reports


def published_files(book: Rulebook) -> list[str]:
    """The names of the files that populations and reports go to, within a folder."""
    populations = [_file_of("population", each.name) for each in book.populations]
    return populations + [_file_of("report", each.name) for each in book.reports]


def _file_of(what: str, name: str) -> str:
    return f"{what}.{name}.csv"


def write_table(table: pl.DataFrame, path: Path, extension: str) -> None:
    """Writes a flat frame in the format of an extension, CSV cells neutralised."""
    match extension:
        case ".csv":
            harmless(table).write_csv(path)
        case ".json":
            with path.open("wb") as file:
                _write_array(iter([table]), file)
        case _:
            table.write_parquet(path)


def harmless(table: pl.DataFrame) -> pl.DataFrame:
    """The frame with a `'` before each text that a spreadsheet would take for a formula."""
    return table.with_columns(pl.col(pl.String).str.replace(_FORMULA, "'$1"))


@dataclass
class Staging:
    """Temporary files beside their targets: renamed together at the end, removed where something
    goes wrong before.
    """

    _targets: dict[Path, Path] = field(default_factory=dict)

    def file(self, target: Path) -> Path:
        """The temporary name under which `target` is written."""
        # WHY: renaming would put a file in the place of a symbolic link; its target is meant.
        real = Path(os.path.realpath(target))
        staged = real.with_name(f".{real.name}.{secrets.token_hex(4)}.part")
        self._targets[staged] = real
        return staged

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                for staged, target in self._targets.items():
                    staged.replace(target)
        finally:
            for staged in self._targets:
                with suppress(OSError):
                    staged.unlink(missing_ok=True)


# ── findings ───────────────────────────────────────────────────────────────────────────────────


def _write_findings(result: Result, path: Path, extension: str) -> None:
    if extension == ".parquet":
        _write_parquet(result, path)
        return
    with path.open("wb") as file:
        if extension == ".csv":
            _write_csv(result, file)
        else:
            _write_array((_as_records(each, result) for each in _pieces(result)), file)


def _schema(result: Result) -> dict[str, pl.DataType]:
    book = result.rulebook
    return finding_schema(book.schema, key_fields(judged_tables(book, result.tables)))


def _pieces(result: Result) -> Iterator[pl.DataFrame]:
    """The findings, a few at a time and each time of one table."""
    for batch in result.batches():
        yield from batch.iter_slices(_AT_ONCE)


def _write_parquet(result: Result, path: Path) -> None:
    def batches(
        columns: list[str] | None, predicate: pl.Expr | None, most: int | None, size: int | None
    ) -> Iterator[pl.DataFrame]:
        assert columns is None or columns == list(_schema(result))
        assert predicate is None
        assert most is None
        del size  # a hint
        yield from result.batches()

    register_io_source(batches, schema=_schema(result)).sink_parquet(path)


def _write_csv(result: Result, file: IO[bytes]) -> None:
    none = pl.DataFrame(schema=_schema(result))
    _as_cells(none, result).write_csv(file)
    for piece in _pieces(result):
        harmless(_as_cells(piece, result)).write_csv(file, include_header=False)


def _write_array(frames: Iterator[pl.DataFrame], file: IO[bytes]) -> None:
    """One JSON array of the rows of all frames, a row a line."""
    file.write(b"[")
    before = b"\n"
    for frame in frames:
        if frame.height:
            rows = io.BytesIO()
            frame.write_ndjson(rows)
            file.write(before + rows.getvalue().rstrip(b"\n").replace(b"\n", b",\n"))
            before = b",\n"
    file.write(b"\n]\n")


def _as_cells(findings: pl.DataFrame, result: Result) -> pl.DataFrame:
    """Findings of one table with JSON text where a cell would hold more than a value."""
    return findings.with_columns(
        _own(findings, result, "key").struct.json_encode().alias("key"),
        _array(pl.col("values")).alias("values"),
        _array(_counterparts(findings, result)).alias("counterparts"),
    )


def _array(lists: pl.Expr) -> pl.Expr:
    """The JSON text of a list of structs."""
    elements = lists.list.eval(pl.element().struct.json_encode()).list.join(",")
    return pl.concat_str(pl.lit("["), elements.fill_null(""), pl.lit("]"))


def _as_records(findings: pl.DataFrame, result: Result) -> pl.DataFrame:
    """Findings of one table in the shape of `FindingRecord`."""
    roles = result.rulebook.schema.roles
    shaped = findings.with_columns(
        _own(findings, result, "key").alias("key"),
        _own(findings, result, "roles").alias("roles"),
        pl.col("values").fill_null([]),
        _counterparts(findings, result).alias("counterparts"),
    )
    names = [name for name in findings.columns if name not in roles]
    names.insert(names.index("key") + 1, "roles")
    return shaped.select(names)


def _own(findings: pl.DataFrame, result: Result, what: str) -> pl.Expr:
    """The key, or the roles, of the table that the findings are of, as a struct of texts: nothing
    of other tables.
    """
    # NOTE: a line that is no row of its table has no key, though it has the table.
    named = findings["table"][0] if findings.height else None
    has_key = findings.height > 0 and findings["key"].null_count() == 0
    table = result.rulebook.schema.by_shown_name[named] if named and has_key else None
    if table is None:
        return pl.lit({}, dtype=pl.Struct([]))
    if what == "roles":
        return _texts({role: pl.col(role) for role in table.roles})
    return _texts({name: pl.col("key").struct.field(name) for name in table.key})


def _counterparts(findings: pl.DataFrame, result: Result) -> pl.Expr:
    """The counterparts in the shape of `Counterpart`; those of one rule are of one table."""
    first = findings["counterparts"].drop_nulls().list.first().drop_nulls()
    if not len(first):
        return pl.lit([], dtype=pl.List(pl.Struct([])))
    table = result.rulebook.schema.by_shown_name[first.struct.field("table")[0]]
    one = pl.element().struct
    shaped = pl.struct(
        one.field("table"),
        _texts({name: one.field("key").struct.field(name) for name in table.key}).alias("key"),
        _texts({role: one.field(role) for role in table.roles}).alias("roles"),
    )
    return pl.col("counterparts").fill_null([]).list.eval(shaped)


def _texts(fields: dict[str, pl.Expr]) -> pl.Expr:
    if not fields:
        return pl.lit({}, dtype=pl.Struct([]))
    return pl.struct(expr.cast(pl.String).alias(name) for name, expr in fields.items())


# ── rules ──────────────────────────────────────────────────────────────────────────────────────


def _rules(result: Result) -> pl.DataFrame:
    """`Result.rules` with the table, title and source of each rule."""
    about = {
        rule.id: rule for rule in (*(hits.rule for hits in result.hits), *result.rulebook.rules)
    }
    schema = result.rulebook.schema
    known = [about.get(rule) for rule in result.rules["rule"]]
    return result.rules.with_columns(
        pl.Series(
            "table",
            [rule and schema.table(rule.variable.table).shown for rule in known],
            dtype=pl.String,
        ),
        pl.Series("title", [rule and rule.title for rule in known], dtype=pl.String),
        pl.Series("source", [rule and rule.source for rule in known], dtype=pl.String),
    )
