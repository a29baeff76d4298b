"""peek: a path -> what its file calls its columns, before any table is declared

For a first rulebook: which one-character delimiter a file has, and its headers; of Parquet the
types too.
"""

from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
from polars.exceptions import PanicException

from ruleforge.intake.delimited import NoHeaderError, headers_of
from ruleforge.intake.error import IntakeError

DELIMITERS = (",", "\t", ";", "|", "^", "~")


@dataclass(frozen=True)
class Peek:
    """A file and its headers as they stand in it. `dtypes` are those of a Parquet file, empty for a
    delimited one.
    """

    path: Path
    headers: tuple[str, ...]
    delimiter: str = ","
    dtypes: dict[str, pl.DataType] = field(default_factory=dict)


def peek(path: Path) -> Peek:
    """What the file says of its columns.

    Raises `IntakeError` for a file that cannot be opened, has no header, or is in a format whose
    columns cannot be seen (interchange XML).
    """
    match path.suffix.casefold():
        case ".parquet":
            return _of_parquet(path)
        case ".xml":
            raise IntakeError(
                f"{path} is XML, in which no line says what the columns are; write its table by "
                'hand, with `file "…" element "…"`'
            )
        case _:
            return _of_text(path)


def _of_text(path: Path) -> Peek:
    found: dict[str, list[str]] = {}
    for delimiter in DELIMITERS:
        try:
            found[delimiter] = headers_of(path, delimiter)
        except NoHeaderError as mistake:
            reason = mistake.reason
        except OSError as mistake:
            raise IntakeError(f"{path} cannot be read: {mistake.strerror or mistake}") from None
    if not found:
        raise IntakeError(f"{path}: {reason}")
    # NOTE: the first of equals, so that a file of one column is taken for one with commas.
    delimiter = max(found, key=lambda each: len(found[each]))
    return Peek(path, tuple(found[delimiter]), delimiter)


def _of_parquet(path: Path) -> Peek:
    try:
        schema = pl.scan_parquet(path, glob=False, hive_partitioning=False).collect_schema()
    except (pl.exceptions.PolarsError, PanicException, OSError) as mistake:
        reason = (str(mistake).strip().splitlines() or [type(mistake).__name__])[0]
        raise IntakeError(f"{path} cannot be read as Parquet: {reason}") from None
    return Peek(path, tuple(schema.names()), dtypes=dict(schema.items()))
