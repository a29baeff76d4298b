"""tabular: a Parquet file -> the columns of one table, in the types that the file gives them

Lazy: only the columns that a rule reads are read in the end. But first every page of the table's
columns is decoded once, streaming, because a file can be whole at its end and broken in the middle,
and that must be known before rules run.
"""

from pathlib import Path

import polars as pl
from polars.exceptions import PanicException

from ruleforge.engine.revision import Part
from ruleforge.intake.content import Content, refused_file
from ruleforge.intake.headers import HeaderError, positions
from ruleforge.language.schema import FileClause, Table


def read_tabular(path: Path, table: Table, clause: FileClause) -> Content:
    """What the file gives to the table. A file that cannot be opened raises `OSError`."""
    file = str(path)
    with path.open("rb") as stream:
        head = stream.read(4)
    if not head:
        return refused_file("the file is empty", file, table.name)
    if head != b"PAR1":
        return refused_file(
            "the file is not Parquet: it does not begin with `PAR1`", file, table.name
        )
    try:
        frame = pl.scan_parquet(path, glob=False, hive_partitioning=False)
        names = frame.collect_schema().names()
        where = positions(names, table)
        frame = frame.select(pl.col(names[place]).alias(name) for name, place in where.items())
        # NOTE: `count` needs the validity of every value, so each page is decoded; `len` alone
        # reads the footer only.
        counted = frame.select(pl.len().alias("#rows"), pl.all().count()).collect(
            engine="streaming"
        )
    except HeaderError as mistake:
        return refused_file(str(mistake), file, table.name)
    except (pl.exceptions.PolarsError, PanicException, OSError, MemoryError, ValueError) as mistake:
        return refused_file(
            f"the Parquet file is broken or cut off: {_first_line(mistake)}", file, table.name
        )
    return Content(
        tables=(table.name,),
        parts={table.name: Part(frame, file, clause.date_format)},
        rows=counted.item(0, "#rows"),
    )


def _first_line(mistake: BaseException) -> str:
    return (str(mistake).strip().splitlines() or [type(mistake).__name__])[0][:300]
