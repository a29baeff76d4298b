"""revision: the data under judgement

A table is what the host has: a Polars frame (eager or lazy), anything that speaks the Arrow
PyCapsule interface, a path of a Parquet or CSV file, or the parts that the intake read from files.
Values may still be text: `admit` gives them their declared types, so that a bad cell is found the
same way wherever it came from.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import polars as pl

LINE = "#line"  # the line of the file on which a row begins, where a part has it


class ArrowStream(Protocol):
    """Anything that exports an Arrow stream (pandas, PyArrow, DuckDB, …)."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...


@dataclass(frozen=True)
class Part:
    """What one file gives to one table: text columns under their declared names, those that the
    file has.

    A column `#line` (UInt32) holds each row's line, counted from 1. `headed` where the file names
    its columns, so that one that it does not name is not supplied; interchange XML names only what
    it fills. `date_format` is the file clause's, None for ISO dates.
    """

    frame: pl.LazyFrame
    file: str | None = None
    date_format: str | None = None
    headed: bool = True


@dataclass(frozen=True)
class Refusal:
    """A line, or a whole file (`line` None and `table` None where it cannot be known), that could
    not be read.

    `text` is the line verbatim (undecodable bytes escaped); `byte` is the position in the file
    where reading stopped.
    """

    reason: str
    file: str
    table: str | None = None
    line: int | None = None
    byte: int | None = None
    text: str | None = None


@dataclass(frozen=True)
class FileRecord:
    """One file that was looked at: lines (or elements) read + refused = lines in the file. `tables`
    is empty for one that no table wants. `complete` is False where reading stopped before the end.
    """

    path: str
    tables: tuple[str, ...]
    size: int
    sha256: str
    rows: int
    refused: int
    complete: bool = True


TableLike = pl.DataFrame | pl.LazyFrame | ArrowStream | str | Path | tuple[Part, ...]


@dataclass(frozen=True)
class Revision:
    """One state of one party's data. `datasets` are other sets of the same tables: `prior`,
    `state`.

    `blank` names columns (`"enrollment.exit_date"`) that the data has and that are blank
    everywhere, for sources without a header, in which a column that is never filled cannot be told
    from one that does not exist.
    """

    name: str
    tables: Mapping[str, "TableLike"]
    datasets: Mapping[str, Mapping[str, "TableLike"]] = field(default_factory=dict)
    files: tuple[FileRecord, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    blank: frozenset[str] = frozenset()
