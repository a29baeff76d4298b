"""content: what one file gives

The common result of every format: parts by table, the count of rows (or elements) read and refused,
and why.
"""

from dataclasses import dataclass, field

from ruleforge.engine.revision import Part, Refusal


@dataclass(frozen=True)
class Content:
    """`rows + refused` = lines (or elements) of the file, as far as reading came; `complete` where
    it came to the end.

    `tables` are those that the file is for, also where it was refused and has no part.
    """

    tables: tuple[str, ...] = ()
    parts: dict[str, Part] = field(default_factory=dict)
    rows: int = 0
    refused: int = 0
    refusals: tuple[Refusal, ...] = ()
    complete: bool = True


def refused_file(
    reason: str,
    file: str,
    table: str | None = None,
    *,
    line: int | None = None,
    text: str | None = None,
) -> Content:
    """Nothing could be read from this file for this table."""
    refusal = Refusal(reason, file, table, line=line, text=text)
    tables = () if table is None else (table,)
    return Content(tables=tables, refusals=(refusal,), complete=False)
