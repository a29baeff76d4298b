"""new: files -> a starting rulebook

Nothing is said of the data that the data does not keep: the draft is checked on all rows as `check`
does it, and what fails is taken back, before anything is written.
"""

import argparse
import datetime as dt
import os
import re
import shlex
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from glob import escape
from pathlib import Path

import polars as pl

from ruleforge.authoring.draft import Draft
from ruleforge.authoring.draft_text import draft_text
from ruleforge.authoring.infer import Given, infer
from ruleforge.authoring.names import apart, named_apart, snake
from ruleforge.authoring.run_tests import run_tests
from ruleforge.commands.host import DataError, Exit, Host, UsageError
from ruleforge.engine.evaluate import evaluate
from ruleforge.engine.revision import Revision
from ruleforge.intake.peek import Peek, peek
from ruleforge.intake.read import read
from ruleforge.language.core import Rulebook
from ruleforge.language.load import SUFFIX, load_text
from ruleforge.language.parse import reserved_words
from ruleforge.language.schema import Column, FileClause, Schema, Table
from ruleforge.language.types import TEXT
from ruleforge.reporting.progress import Bar

_NAME = re.compile(r"[a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*)*")
_SUFFIXES = (".csv", ".tsv", ".txt", ".parquet")
_ANY_DAY = dt.date(2000, 1, 1)  # no built-in check asks what day it is
_MOST_ROUNDS = 20  # of taking back what a file does not keep


def new(arguments: argparse.Namespace, host: Host, *, shows_bar: bool) -> Exit:
    """Writes the rulebook, and says what it holds and what was not certain."""
    name = arguments.name.removesuffix(SUFFIX)
    if not _NAME.fullmatch(name) or set(name.split(".")) & reserved_words():
        raise UsageError(
            f"`{arguments.name}` is no name of a rulebook; give one such as `stays` or `lea.stays`"
        )
    place = Path(arguments.out) if arguments.out else Path(*name.split(".")).with_suffix(SUFFIX)
    if place.suffix != SUFFIX:
        raise UsageError(f"`--out {place}` does not end in {SUFFIX}; a rulebook does")
    if place.exists() and not arguments.force:
        raise UsageError(f"{place} is there already; `--force` writes over it, `--out` elsewhere")
    files = list(_files(arguments.files))
    found = _peeked(files)
    with Bar(shown=shows_bar) as bar:
        schema = _schema(found)
        revision = read(schema, files, progress=bar.of("Reading"))
        _refuse_unread(revision)
        draft = infer(name, list(_given(found, schema, revision)))
        text, book = _kept(draft, files)
    _write(place, text)
    host.say(_said(book, place, revision, arguments.files))
    return Exit.CLEAN


# ── files ──────────────────────────────────────────────────────────────────────────────────────


def _files(paths: Sequence[str]) -> Iterator[Path]:
    """Each file that is named, and the files of each folder that are data by their ending."""
    for each in dict.fromkeys(paths):
        path = Path(each)
        if not path.exists():
            raise DataError(f"there is no file or folder `{path}`; check the path")
        if not path.is_dir():
            yield path
            continue
        inside = list(_below(path))
        if not inside:
            raise DataError(f"the folder `{path}` has no .csv, .tsv, .txt or .parquet file")
        yield from sorted(inside)


def _below(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = [each for each in folders if not each.startswith(".")]
        for name in names:
            if not name.startswith(".") and Path(name).suffix.casefold() in _SUFFIXES:
                yield Path(place, name)


def _peeked(files: Sequence[Path]) -> dict[str, Peek]:
    """The header of each file by its name, by which `file` finds it, whatever the folder."""
    found: dict[str, Peek] = {}
    for file in files:
        each = peek(file)
        first = found.setdefault(file.name.casefold(), each)
        if (first.headers, first.delimiter) != (each.headers, each.delimiter):
            raise DataError(
                f"{first.path} and {file} have one name and not the same columns;"
                " a file is found by its name, so rename one of them"
            )
    return found


def _schema(found: dict[str, Peek]) -> Schema:
    """The tables of the files, every column a text."""
    tables: dict[str, Table] = {}
    for number, each in enumerate(found.values(), start=1):
        stem = snake(each.path.stem) or f"table_{number}"
        name = apart(stem, {*tables, *_TAKEN})
        columns = tuple(
            Column(column, TEXT, header=None if header == column else header)
            for header, column in named_apart(each.headers).items()
            if _is_readable(each, header)
        )
        if not columns:
            raise DataError(f"{each.path} has no header that could be the name of a column")
        clause = FileClause(escape(each.path.name), each.delimiter)
        key = tuple(column.name for column in columns)
        tables[name] = Table(name, columns, key, key_declared=False, files=(clause,))
    return Schema(tables)


_TAKEN = ("as_of", "text", "integer", "decimal", "boolean", "date", "school_year", "period")


def _is_readable(each: Peek, header: str) -> bool:
    """Whether a column of Parquet holds something that the language has a type for."""
    dtype = next((d for name, d in each.dtypes.items() if name.strip() == header), None)
    return dtype is None or dtype.is_numeric() or type(dtype).__name__ in _READABLE


_READABLE = ("String", "Categorical", "Enum", "Boolean", "Date", "Datetime", "Null")


def _refuse_unread(revision: Revision) -> None:
    for each in revision.refusals:
        if each.line is None and each.text is None and each.file is not None:
            raise DataError(f"{each.file}: {each.reason}")


def _given(found: dict[str, Peek], schema: Schema, revision: Revision) -> Iterator[Given]:
    for each, table in zip(found.values(), schema.tables.values(), strict=True):
        left_out = len(each.headers) - len(table.columns)
        notes = []
        if left_out:
            columns = "1 column is" if left_out == 1 else f"{left_out} columns are"
            notes.append(
                f"{columns} left out: no header, one that stands twice, or no type for it."
            )
        clause = table.files[0]
        headers = {column.name: column.header for column in table.columns}
        frame = _rows(revision, table)
        yield Given(table.name, clause.pattern, clause.delimiter, headers, frame, tuple(notes))


def _rows(revision: Revision, table: Table) -> pl.LazyFrame:
    """All rows of a table, with its columns alone."""
    parts = revision.tables[table.name]
    assert isinstance(parts, tuple)
    names = [column.name for column in table.columns]
    return pl.concat([part.frame.select(names) for part in parts], how="vertical_relaxed")


# ── the rulebook ───────────────────────────────────────────────────────────────────────────────


def _kept(draft: Draft, files: Sequence[Path]) -> tuple[str, Rulebook]:
    """The rulebook that all rows keep, as text and loaded; its test has passed."""
    for _ in range(_MOST_ROUNDS):
        text = draft_text(draft)
        book = load_text(text, f"{draft.name}{SUFFIX}")
        result = evaluate(book, read(book.schema, files), as_of=_ANY_DAY)
        own = {rule.id for rule in book.rules}
        failing = [
            rule
            for rule, fails in result.rules.select("rule", "fails").iter_rows()
            if fails and rule not in own and not rule.endswith(".line")
        ]
        if not failing:
            break
        for rule in failing:
            draft = draft.without(rule)
    outcomes = list(run_tests(book))
    assert outcomes and all(each.passed for each in outcomes), "the first test fails"
    return text, book


def _write(place: Path, text: str) -> None:
    """Puts the rulebook in its place in one step."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{place.name}.", dir=place.parent)
        try:
            with os.fdopen(handle, "wb") as new_file:
                new_file.write(text.encode())
            Path(name).chmod(0o644)
            Path(name).replace(place)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as mistake:
        raise UsageError(f"{place} cannot be written: {mistake.strerror or mistake}") from None


def _said(book: Rulebook, place: Path, revision: Revision, paths: Sequence[str]) -> str:
    schema = book.schema
    counts = [(len(schema.tables), "table"), (len(schema.code_sets), "code set")]
    what = ", ".join(f"{number} {noun}{'' if number == 1 else 's'}" for number, noun in counts)
    lines = [f"Wrote {place}: {what}, a first rule and its test."]
    refused = sum(record.refused for record in revision.files)
    if refused:
        lines.append(
            f"{refused:,} line{'' if refused == 1 else 's'} could not be read; `check` lists them."
        )
    data = " ".join(shlex.quote(path) for path in paths)
    lines.append(f"Next: ruleforge check {shlex.quote(str(place))} {data}")
    lines.append(f"      ruleforge test {shlex.quote(str(place))}")
    return "\n".join(lines) + "\n"
