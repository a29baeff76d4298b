"""delimited: a delimited text file -> text columns of one table, each row with its line

UTF-8 with or without a byte order mark, CR LF or LF, any one-character delimiter, quotes with `""`,
with or without a header. The first record that is not blank is the header; blank lines are neither
read nor refused. A record over several lines counts as one, under the number of its first line. So
records = header + read + refused.

The file is surveyed once by `cut`, which proves each record's width. Where every line of it is a
plain record, Polars scans the file itself; else the frame reads the good records only, block by
block, again in bounded memory. Both are lazy, and both read the file once more when they are
collected. An empty cell is null; blanks stay, they are for the engine to judge.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import polars as pl
from polars.io.plugins import register_io_source

from ruleforge.engine.revision import LINE, Part, Refusal
from ruleforge.intake.content import Content, refused_file
from ruleforge.intake.cut import (
    BOM,
    LONGEST_TAIL,
    RefusedRecord,
    Shape,
    UnfinishedError,
    UnreadableError,
    cut,
    split,
    verbatim,
)
from ruleforge.intake.headers import HeaderError, positions
from ruleforge.language.schema import FileClause, Table

MOST_REFUSALS = 100_000  # listed one by one; the rest are counted
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_COMPRESSED = (
    b"\x1f\x8b",
    b"\x28\xb5\x2f\xfd",
    b"x\x01",
    b"x^",
    b"x\x9c",
    b"x\xda",
)  # Polars would unpack


class NoHeaderError(Exception):
    """The file has no header that can be read: why, and in which line it should be."""

    def __init__(self, reason: str, line: int | None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


@dataclass(frozen=True, slots=True)
class _Header:
    """`start`, `line`: where the records begin. `plain`: the header is the first line, no more."""

    fields: list[str]
    start: int
    line: int
    plain: bool


@dataclass(frozen=True, slots=True)
class _Survey:
    rows: int
    refused: int
    refusals: list[RefusedRecord]
    as_filed: bool
    quotes: bool


@dataclass(frozen=True, slots=True)
class _Source:
    """The records of a file, from the byte `start`, which is in line `line`."""

    path: Path
    shape: Shape
    start: int
    line: int


def read_delimited(path: Path, table: Table, clause: FileClause) -> Content:
    """What the file gives to the table. A file that cannot be opened raises `OSError`."""
    file = str(path)
    with path.open("rb") as stream:
        if encoding := _wrong_encoding(stream):
            return refused_file(encoding, file, table.name)
        start = len(BOM) if stream.read(len(BOM)) == BOM else 0
        stream.seek(start)
        if clause.header:
            try:
                header = _read_header(stream, clause.delimiter)
            except NoHeaderError as mistake:
                return refused_file(mistake.reason, file, table.name, line=mistake.line)
            against = "header"
        else:
            header = _Header([column.name for column in table.columns], start, 1, plain=True)
            against = "table"
        try:
            where = (
                positions(header.fields, table)
                if clause.header
                else {column.name: place for place, column in enumerate(table.columns)}
            )
        except HeaderError as mistake:
            return refused_file(str(mistake), file, table.name)
        shape = Shape(clause.delimiter, len(header.fields), against)
        stream.seek(header.start)
        survey = _survey(stream, shape, header.line)
        stream.seek(0)
        packed = stream.read(4).startswith(_COMPRESSED)
    source = _Source(path, shape, header.start, header.line)
    if not survey.rows:
        names = dict.fromkeys(where, pl.String) | {LINE: pl.UInt32}
        frame = pl.LazyFrame(schema=names)
    elif survey.as_filed and header.plain and not packed:
        frame = _renamed(_scan(source, survey, skip=int(clause.header)), where, survey)
    else:
        frame = _renamed(_reread(source, sorted(set(where.values()))), where, survey)
    return Content(
        tables=(table.name,),
        parts={table.name: Part(frame, file, clause.date_format)},
        rows=survey.rows,
        refused=survey.refused,
        refusals=_refusals(survey, file, table.name),
    )


def headers_of(path: Path, delimiter: str) -> list[str]:
    """The headers of a file as they stand there. Raises `NoHeaderError`, and `OSError` for a file
    that cannot be opened.
    """
    with path.open("rb") as stream:
        if encoding := _wrong_encoding(stream):
            raise NoHeaderError(encoding, None)
        stream.seek(len(BOM) if stream.read(len(BOM)) == BOM else 0)
        return _read_header(stream, delimiter).fields


def _wrong_encoding(stream: BinaryIO) -> str | None:
    head = stream.read(2048)
    stream.seek(0)
    few, many = sorted((head[::2].count(0), head[1::2].count(0)))
    if head.startswith(_UTF_16_MARKS) or (many > len(head) // 4 > 0 and few * 4 < many):
        return "the file is UTF-16, not UTF-8; save it as UTF-8"
    return None


def _read_header(stream: BinaryIO, delimiter: str) -> _Header:
    """The first record that is not blank. Raises `NoHeaderError`."""
    shape = Shape(delimiter, 0)
    line = 1
    start = stream.tell()
    while (raw := stream.readline()) and not raw.strip(shape.blanks + b"\n"):
        line += 1
        start = stream.tell()
    if not raw:
        raise NoHeaderError("the file is empty, where a header is expected", None)
    first_end = len(raw) if raw.endswith(b"\n") else len(raw) + 1
    try:
        try:
            fields, end = split(
                raw.ljust(first_end, b"\n"), 0, first_end, shape.separator, at_end=False
            )
        except UnfinishedError:
            raw += stream.read(LONGEST_TAIL) + stream.readline()
            data = raw if raw.endswith(b"\n") else raw + b"\n"
            fields, end = split(data, 0, first_end, shape.separator, at_end=True)
    except UnreadableError as mistake:
        raise NoHeaderError(f"the header cannot be read: {mistake.reason}", line) from None
    text = raw[:end]
    if b"\0" in text:
        raise NoHeaderError("the header cannot be read: it has a NUL byte", line)
    if b'"' not in text and any(b"\r" in field for field in fields):
        raise NoHeaderError(
            "the lines end in a carriage return alone; save the file with LF or CR LF", line
        )
    try:
        names = [field.decode() for field in fields]
    except UnicodeDecodeError:
        raise NoHeaderError(f"the header is not UTF-8: {verbatim(text)[:200]}", line) from None
    plain = line == 1 and end == first_end
    return _Header(names, min(start + end, start + len(raw)), line + raw[:end].count(b"\n"), plain)


def _survey(stream: BinaryIO, shape: Shape, line: int) -> _Survey:
    """One pass over every byte of the rest of the file."""
    rows = refused = 0
    as_filed, quotes = True, False
    refusals: list[RefusedRecord] = []
    for block in cut(stream, shape, line):
        rows += len(block.lines)
        refused += len(block.refused)
        refusals += block.refused[: MOST_REFUSALS - len(refusals)]
        as_filed = as_filed and block.as_filed
        quotes = quotes or b'"' in block.text
    return _Survey(rows, refused, refusals, as_filed, quotes)


def _scan(source: _Source, survey: _Survey, *, skip: int) -> pl.LazyFrame:
    return pl.scan_csv(
        source.path,
        has_header=False,
        skip_lines=skip,
        separator=source.shape.delimiter,
        quote_char='"' if survey.quotes else None,
        schema={str(place): pl.String for place in range(source.shape.width)},
        row_index_name=LINE,
        row_index_offset=source.line,
        glob=False,
    )


def _reread(source: _Source, places: list[int]) -> pl.LazyFrame:
    """The good records of the file, cut again each time the frame is collected."""
    every = {str(place): pl.String for place in range(source.shape.width)}

    def frames(
        columns: list[str] | None, predicate: pl.Expr | None, most: int | None, _batch: int | None
    ) -> Iterator[pl.DataFrame]:
        left = most
        with source.path.open("rb") as stream:
            stream.seek(source.start)
            for block in cut(stream, source.shape, source.line):
                if left is not None and left <= 0:
                    return
                if not block.lines:
                    continue
                frame = _parsed(block.text, block.lines, source.shape, every, places)
                if left is not None:
                    frame = frame.head(left)
                    left -= frame.height
                if columns is not None:
                    frame = frame.select(columns)
                yield frame if predicate is None else frame.filter(predicate)

    schema = {str(place): pl.String for place in places} | {LINE: pl.UInt32}
    return register_io_source(frames, schema=schema)


def _parsed(
    text: bytes,
    lines: range | list[int],
    shape: Shape,
    every: dict[str, type[pl.String]],
    places: list[int],
) -> pl.DataFrame:
    # NOTE: Polars unpacks bytes that look compressed, so a first line like that hides behind
    # another.
    guard = b'""' + shape.output.encode() * (shape.width - 1) + b"\n"
    frame = pl.read_csv(
        guard + text,
        has_header=False,
        separator=shape.output,
        schema=every,
        columns=places,
        glob=False,
    )
    return frame.slice(1).with_columns(pl.Series(LINE, lines, dtype=pl.UInt32))


def _renamed(frame: pl.LazyFrame, where: dict[str, int], survey: _Survey) -> pl.LazyFrame:
    columns = []
    for name, place in where.items():
        cell = pl.col(str(place))
        # WHY: Polars reads a quoted nothing as an empty text; for us a blank cell is a blank cell.
        columns.append((pl.when(cell != "").then(cell) if survey.quotes else cell).alias(name))
    return frame.select(*columns, LINE)


def _refusals(survey: _Survey, file: str, table: str) -> tuple[Refusal, ...]:
    listed = [
        Refusal(each.reason, file, table, line=each.line, text=each.text)
        for each in survey.refusals
    ]
    if (more := survey.refused - len(listed)) > 0:
        listed.append(
            Refusal(f"{more} more lines are refused and not listed one by one", file, table)
        )
    return tuple(listed)
